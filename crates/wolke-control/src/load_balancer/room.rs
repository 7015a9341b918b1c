//! Which of the servers that selectors match a load balancer uses: as many as its type has room for beside its other targets, by
//! the order of the selectors, then of the servers' ids.
//!
//! **Invariant:** a load balancer shows a server among its targets exactly while the server shows the load balancer. Whoever is
//! used from now on, or no more, is touched: when somebody before it joins or leaves ([`moved`]), and when the load balancer
//! changes ([`Used::changed`]). What a type allows changes with the catalogue, and servers are rendered anew with that.

use super::kind_of;
use crate::core::Core;
use std::collections::{BTreeMap, BTreeSet};
use wolke_domain::Result;
use wolke_domain::catalogue::{Catalogue, LoadBalancerType};
use wolke_domain::load_balancer::{Allowed, Target};
use wolke_store::load_balancer::{Details, LoadBalancer};
use wolke_store::{Tx, load_balancer, resource, selection, server};
use wolke_wire::{Id, Kind};

/// How many servers that selectors match a load balancer of a type uses at most; none without a selector.
pub(super) fn room(kind: &LoadBalancerType, details: &Details) -> i64 {
    let named = details.targets.iter().filter(|aim| !matches!(aim.to, Target::Selector(_))).count();
    let room = if named == details.targets.len() { 0 } else { Allowed::of(kind).targets.saturating_sub(named) };
    i64::try_from(room).unwrap_or(i64::MAX)
}

fn room_of(catalogue: &Catalogue, balancer: &LoadBalancer) -> Result<i64> {
    Ok(room(kind_of(catalogue, balancer.details.load_balancer_type)?, &balancer.details))
}

/// The load balancers of which a server is a target, by id: those that name it, and those that use it because a selector
/// matches it.
///
/// # Errors
/// The engine's failure.
pub(crate) fn of_server(tx: &mut dyn Tx, catalogue: &Catalogue, server: Id) -> Result<Vec<Id>> {
    let mut found: BTreeSet<Id> = load_balancer::ids_naming_server(tx, server)?.into_iter().collect();
    for id in selecting(tx, server)?.into_keys().filter(|id| !found.contains(id)).collect::<Vec<_>>() {
        let room = room_of(catalogue, &load_balancer::selecting(tx, id)?)?;
        let has_room = selection::matched(tx, (Kind::LoadBalancer, id))? <= room;
        if has_room || load_balancer::selected(tx, id, room)?.iter().any(|(_, used)| *used == server) {
            found.insert(id);
        }
    }
    Ok(found.into_iter().collect())
}

/// The load balancers that have selectors which match a server, and how many of each.
///
/// # Errors
/// The engine's failure.
pub(crate) fn selecting(tx: &mut dyn Tx, server: Id) -> Result<BTreeMap<Id, i64>> {
    let mut found = BTreeMap::new();
    for by in selection::of_server(tx, server)?.into_iter().filter(|by| by.kind == Kind::LoadBalancer) {
        *found.entry(by.owner).or_default() += 1;
    }
    Ok(found)
}

/// A server has joined selections of load balancers, or left them, or both: who was next to the end of the room comes in or goes
/// out. `before`: what selected it before; `after`: what does now.
///
/// # Errors
/// The engine's failure.
pub(crate) fn moved(tx: &mut dyn Tx, core: &Core, before: &BTreeMap<Id, i64>, after: &BTreeMap<Id, i64>) -> Result<()> {
    let catalogue = core.catalogue();
    let ids: BTreeSet<Id> = before.keys().chain(after.keys()).copied().collect();
    for id in ids {
        let times = |of: &BTreeMap<Id, i64>| of.get(&id).copied().unwrap_or_default();
        let shift = times(before) + times(after);
        let room = room_of(&catalogue, &load_balancer::selecting(tx, id)?)?;
        if selection::matched(tx, (Kind::LoadBalancer, id))? + shift <= room {
            continue;
        }
        let from = (room - shift).max(0);
        for (_, next) in load_balancer::selected_from(tx, id, (from, room + shift - from))? {
            resource::touch(tx, Kind::Server, next)?;
        }
    }
    Ok(())
}

/// The selected servers that a load balancer uses at a time.
pub(super) struct Used(BTreeSet<Id>);

impl Used {
    /// As it stands now.
    ///
    /// # Errors
    /// The engine's failure.
    pub fn now(tx: &mut dyn Tx, core: &Core, balancer: &LoadBalancer) -> Result<Self> {
        let room = room_of(&core.catalogue(), balancer)?;
        if room == 0 {
            return Ok(Self(BTreeSet::new()));
        }
        let used = load_balancer::selected(tx, balancer.id, room)?;
        Ok(Self(used.into_iter().map(|(_, server)| server).collect()))
    }

    /// The load balancer has changed since: whoever it did not use before, or does not use any more, is touched.
    ///
    /// # Errors
    /// The engine's failure.
    pub fn changed(self, tx: &mut dyn Tx, core: &Core, balancer: &LoadBalancer) -> Result<()> {
        let Self(now) = Self::now(tx, core, balancer)?;
        for id in self.0.symmetric_difference(&now) {
            // Who goes may be the reason of the change.
            if server::by_id(tx, *id)?.is_some() {
                resource::touch(tx, Kind::Server, *id)?;
            }
        }
        Ok(())
    }
}
