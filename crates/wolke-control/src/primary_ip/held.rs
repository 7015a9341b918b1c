//! The primary IPs of servers and load balancers: what they get when they are made, and what becomes of it when they go.

use super::{New, insert, remove};
use crate::core::Core;
use crate::place::Place;
use wolke_domain::Result;
use wolke_domain::primary_ip::{Assignee, Offered};
use wolke_store::primary_ip::PrimaryIp;
use wolke_store::{Tx, primary_ip};
use wolke_wire::Id;
use wolke_wire::cloud::Labels;

/// A server or load balancer that is being made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder {
    /// What it is.
    pub this: Assignee,
    /// Whose it is.
    pub project: Id,
    /// Where it is.
    pub place: Place,
}

/// A new address for somebody who is new; it goes when they go. Races for [`wolke_store::Race::Addresses`].
///
/// # Errors
/// `resource_limit_exceeded`; `resource_unavailable` when there is no address left.
pub(crate) fn make_for(tx: &mut dyn Tx, core: &Core, holder: &Holder, family: i64) -> Result<PrimaryIp> {
    let (place, assignee, labels) = (holder.place, Some(holder.this), Labels::new());
    let new = New { name: None, family, place, assignee, auto_delete: true, labels: &labels };
    insert(tx, core, holder.project, &new)
}

/// Gives somebody who is new an address that is there already.
///
/// # Errors
/// `not_found`; those of [`Offered::check`].
pub(crate) fn take_for(tx: &mut dyn Tx, holder: &Holder, id: Id, family: i64) -> Result<PrimaryIp> {
    let old = primary_ip::expect(tx, holder.project, id)?;
    let PrimaryIp { family: its_family, assignee, details, .. } = &old.value;
    let offered =
        Offered { id, family: *its_family, location: details.location, assignee: *assignee, blocked: details.blocked };
    offered.check(holder.this, family, holder.place.location)?;
    let mut new = old.value.clone();
    new.assignee = Some(holder.this);
    primary_ip::update(tx, &old, &new)?;
    Ok(new)
}

/// Takes the addresses from somebody who goes: those with auto_delete go, too, the others stay, free.
pub(crate) fn release_of(tx: &mut dyn Tx, holder: Assignee) -> Result<()> {
    for old in primary_ip::of_assignee(tx, holder)? {
        if old.value.details.auto_delete {
            remove(tx, old.value.project, old.value.id)?;
        } else {
            let mut new = old.value.clone();
            new.assignee = None;
            primary_ip::update(tx, &old, &new)?;
        }
    }
    Ok(())
}
