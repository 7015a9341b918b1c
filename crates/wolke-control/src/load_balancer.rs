//! Load balancers: operations and what they share (fact sheet §3.7). Making one: `load_balancer/create.rs`; services, targets and
//! networks: files of their names; how they look, with the health of their targets: `load_balancer/view.rs`.
//!
//! No machine is needed for any of it: work is done in the request's transaction. What checks find follows from the targets
//! whenever somebody asks; what they have come to is kept only where checks take time (`load_balancer/health.rs`).

mod create;
pub(crate) mod health;
mod metrics;
mod network;
mod room;
mod service;
mod size;
mod target;
mod view;

use crate::action;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::view::{Json, Shown};
use crate::{input, primary_ip};
pub use metrics::BalancerMetricsRequest;
pub(crate) use room::{moved, of_server, selecting};
use std::collections::BTreeSet;
use std::sync::Arc;
pub(crate) use target::{check_unassign, joined, release_of_server};
pub(crate) use view::to_wire;
use wolke_domain::action::Target;
use wolke_domain::catalogue::{Catalogue, LoadBalancerType};
use wolke_domain::load_balancer::reach::Ways;
use wolke_domain::load_balancer::serving::{self, Serving};
use wolke_domain::load_balancer::{self as rules, Allowed};
use wolke_domain::primary_ip::Assignee;
use wolke_domain::reverse_dns::Change;
use wolke_domain::{Error, Result, name};
use wolke_store::load_balancer::{Details, LoadBalancer, PublicIp};
use wolke_store::{Race, Stored, Tx, address, certificate, load_balancer, network as networks, primary_ip as stored};
use wolke_wire::cloud::load_balancer as wire;
use wolke_wire::cloud::{ChangeDeleteProtection, ChangeDnsPtr};
use wolke_wire::{Id, Kind};

/// What real hosts cannot do yet.
const WHAT: &str = "a load balancer";

/// A load balancer as an action names it.
const fn this(id: Id) -> Target {
    Target::new(Kind::LoadBalancer, id)
}

/// The type of a load balancer, also one that is gone.
fn kind_of(catalogue: &Catalogue, id: Id) -> Result<&LoadBalancerType> {
    catalogue.load_balancer_type_by_id(id).ok_or_else(|| Error::internal(format!("no load balancer type {id}")))
}

/// The address of a family.
const fn public_ip(details: &Details, family: i64) -> &PublicIp {
    if family == 4 { &details.ipv4 } else { &details.ipv6 }
}

/// How a load balancer reaches its targets.
fn ways(tx: &mut dyn Tx, balancer: &LoadBalancer) -> Result<Ways> {
    let interface = networks::interfaces(tx, this(balancer.id))?.into_iter().next();
    Ok(Ways { public: balancer.details.public_interface, network: interface.map(|interface| interface.network) })
}

/// Notes what a load balancer does from now on.
fn note(tx: &mut dyn Tx, catalogue: &Catalogue, balancer: &mut LoadBalancer) -> Result<()> {
    let details = &mut balancer.details;
    let connections = kind_of(catalogue, details.load_balancer_type)?.max_connections;
    let mut issued = BTreeSet::new();
    for id in details.certificates() {
        if certificate::by_id(tx, id)?.is_some_and(|found| found.value.details.issued.is_some()) {
            issued.insert(id);
        }
    }
    let (services, targets) = (&details.services, details.targets.len());
    let now = Serving::of(tx.now().whole_second(), services, |id| issued.contains(&id), targets, connections);
    serving::note(&mut details.history, now);
    Ok(())
}

/// A certificate that services named before it was there is there: they take connections from now on.
pub(crate) fn certificate_came(tx: &mut dyn Tx, core: &Core, id: Id) -> Result<()> {
    for balancer in certificate::all_users(tx, id)? {
        let old = load_balancer::by_id(tx, balancer)?;
        let old = old.ok_or_else(|| Error::internal("a certificate is used by a load balancer that is not there"))?;
        write(tx, core, &old, old.value.clone())?;
    }
    Ok(())
}

/// What the type of a load balancer allows. Targets are checked against it when one is added, and each server that a selector
/// matches then counts; what joins later is left out when there is no room ([`view`]), and is in the way of nothing else.
fn allowed(core: &Core, balancer: &LoadBalancer) -> Result<Allowed> {
    Ok(Allowed::of(kind_of(&core.catalogue(), balancer.details.load_balancer_type)?))
}

/// One more than a type allows: whoever counts needs no more to know that it is too much.
fn enough(allowed: &Allowed) -> i64 {
    i64::try_from(allowed.targets).unwrap_or(i64::MAX).saturating_add(1)
}

/// How many servers the selectors of a load balancer match; of those beyond what is allowed only the first is counted.
fn selected(tx: &mut dyn Tx, allowed: &Allowed, balancer: &LoadBalancer) -> Result<usize> {
    if balancer.details.targets.iter().any(|aim| matches!(aim.to, rules::Target::Selector(_))) {
        Ok(load_balancer::selected(tx, balancer.id, enough(allowed))?.len())
    } else {
        Ok(0)
    }
}

/// Writes a changed load balancer back.
fn write(tx: &mut dyn Tx, core: &Core, old: &Stored<LoadBalancer>, mut new: LoadBalancer) -> Result<()> {
    note(tx, &core.catalogue(), &mut new)?;
    if new == old.value {
        return Ok(());
    }
    update(tx, core, old, &new)?;
    health::change(tx, core, &old.value.details.services, &new)
}

/// As [`write`], without a note of what it serves.
fn update(tx: &mut dyn Tx, core: &Core, old: &Stored<LoadBalancer>, new: &LoadBalancer) -> Result<()> {
    let used = room::Used::now(tx, core, &old.value)?;
    load_balancer::update(tx, old, new)?;
    used.changed(tx, core, new)
}

/// Removes a load balancer: it leaves its network, and its primary IPs go or are free, as each says.
pub(crate) fn remove(tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
    let old = load_balancer::expect(tx, project, id)?.value;
    crate::network::release(tx, this(id))?;
    load_balancer::delete(tx, &old)?;
    primary_ip::release_of(tx, Assignee::LoadBalancer(id))?;
    // The release before this one gave them addresses of their own.
    address::release(tx, Kind::LoadBalancer, id)
}

impl Control {
    /// Changes a load balancer, as an action that is done at once. `change` says which other resources the action names.
    async fn change_load_balancer(
        &self,
        caller: &Caller,
        id: Id,
        command: &'static str,
        change: impl Fn(&mut dyn Tx, &Core, &mut LoadBalancer) -> Result<Vec<Target>> + Send + Sync + 'static,
    ) -> Result<Json> {
        let (core, project) = (Arc::clone(&self.core), caller.project);
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = load_balancer::expect(tx, project, id)?;
                let mut new = old.value.clone();
                let also = change(tx, &core, &mut new)?;
                write(tx, &core, &old, new)?;
                action::done(tx, project, command, [vec![this(id)], also].concat())
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Changes name and labels.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`.
    pub async fn update_load_balancer(
        &self,
        caller: &Caller,
        id: Id,
        update: wire::UpdateLoadBalancer,
    ) -> Result<Json> {
        input::refuse(input::wrong(name::resource_name, update.name.as_deref(), update.labels.as_ref()))?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let old = load_balancer::expect(tx, project, id)?;
            let mut new = old.value.clone();
            input::set(&mut new.name, update.name.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
            if new != old.value {
                load_balancer::update(tx, &old, &new)?;
            }
            Ok(Shown::one(Kind::LoadBalancer, id))
        })
        .await
    }

    /// Deletes a load balancer. Shows the action.
    ///
    /// # Errors
    /// `not_found`, `protected`.
    pub async fn delete_load_balancer(&self, caller: &Caller, id: Id) -> Result<Json> {
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project), Race::Addresses], move |tx| {
                if load_balancer::expect(tx, project, id)?.value.details.delete_protected {
                    return Err(Error::delete_protected(Kind::LoadBalancer));
                }
                remove(tx, project, id)?;
                action::done(tx, project, "delete_load_balancer", vec![this(id)])
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Switches delete protection.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn change_load_balancer_protection(
        &self,
        caller: &Caller,
        id: Id,
        change: ChangeDeleteProtection,
    ) -> Result<Json> {
        self.change_load_balancer(caller, id, "change_protection", move |_, _, new| {
            input::set(&mut new.details.delete_protected, change.delete.as_ref());
            Ok(Vec::new())
        })
        .await
    }

    /// Changes the reverse DNS entry of one of its two addresses: the entries are its primary IPs'.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for an address that is not its own or a name that is none.
    pub async fn change_load_balancer_dns_ptr(&self, caller: &Caller, id: Id, request: ChangeDnsPtr) -> Result<Json> {
        let change = Change::check(&request)?;
        self.change_load_balancer(caller, id, "change_dns_ptr", move |tx, _, new| {
            for ip in stored::of_load_balancer(tx, id)? {
                if change.is_within(&public_ip(&new.details, ip.value.family).ip) {
                    primary_ip::change_entry(tx, &ip, &change)?;
                    return Ok(Vec::new());
                }
            }
            Err(Change::foreign(Kind::LoadBalancer))
        })
        .await
    }

    /// Changes how connections are spread.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn change_load_balancer_algorithm(
        &self,
        caller: &Caller,
        id: Id,
        request: wire::ChangeAlgorithm,
    ) -> Result<Json> {
        self.change_load_balancer(caller, id, "change_algorithm", move |_, _, new| {
            new.details.algorithm = request.kind;
            Ok(Vec::new())
        })
        .await
    }
}
