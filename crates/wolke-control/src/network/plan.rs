//! Subnets, routes and the range of a network.

use super::is_zone;
use crate::action;
use crate::control::{Caller, Control};
use crate::view::Json;
use std::net::Ipv4Addr;
use wolke_domain::action::Target;
use wolke_domain::network::Plan;
use wolke_domain::{Error, Result, network as rules};
use wolke_store::network::Network;
use wolke_store::{Race, Stored, Tx, network, vswitch};
use wolke_wire::cloud::network as wire;
use wolke_wire::{Id, Kind};

impl Control {
    /// Adds a subnet.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `resource_limit_exceeded`, `vswitch not found`, `vswitch_id_already_used`.
    pub async fn add_subnet(&self, caller: &Caller, id: Id, new: wire::NewSubnet) -> Result<Json> {
        let catalogue = self.core.catalogue();
        self.change_plan(caller, id, "add_subnet", move |tx, old| {
            let (plan, _) = old.details.plan.with_subnet(&new, &|zone| is_zone(&catalogue, zone))?;
            if let Some(vswitch) = new.vswitch_id {
                vswitch::couple(tx, vswitch, id)?;
            }
            Ok(plan)
        })
        .await
    }

    /// Deletes a subnet of which nobody has an address.
    ///
    /// # Errors
    /// `not_found` for the network and the subnet, `invalid_input`; `service_error` while it is used.
    pub async fn delete_subnet(&self, caller: &Caller, id: Id, old: wire::IpRange) -> Result<Json> {
        self.change_plan(caller, id, "delete_subnet", move |tx, network| {
            let (plan, gone) = network.details.plan.without_subnet(&old.ip_range)?;
            if network::is_used(tx, id, gone.range.network()..=gone.range.broadcast())? {
                return Err(Error::subnet_in_use());
            }
            if let Some(vswitch) = gone.vswitch {
                vswitch::release(tx, vswitch)?;
            }
            Ok(plan)
        })
        .await
    }

    /// Adds a route.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `resource_limit_exceeded`.
    pub async fn add_route(&self, caller: &Caller, id: Id, new: wire::Route) -> Result<Json> {
        self.change_plan(caller, id, "add_route", move |_, old| old.details.plan.with_route(&new)).await
    }

    /// Deletes a route.
    ///
    /// # Errors
    /// `not_found` for the network and the route, `invalid_input`.
    pub async fn delete_route(&self, caller: &Caller, id: Id, gone: wire::Route) -> Result<Json> {
        self.change_plan(caller, id, "delete_route", move |_, old| old.details.plan.without_route(&gone)).await
    }

    /// Extends the range.
    ///
    /// # Errors
    /// `not_found`; `invalid_input`, also when it would overlap another network of a member.
    pub async fn change_network_range(&self, caller: &Caller, id: Id, wanted: wire::IpRange) -> Result<Json> {
        self.change_plan(caller, id, "change_ip_range", move |tx, old| {
            let plan = old.details.plan.with_range(&wanted.ip_range)?;
            check_apart(tx, old, &plan)?;
            Ok(plan)
        })
        .await
    }

    /// Changes what a network is made of, as an action that is done at once.
    async fn change_plan(
        &self,
        caller: &Caller,
        id: Id,
        command: &'static str,
        change: impl Fn(&mut dyn Tx, &Network) -> Result<Plan> + Send + Sync + 'static,
    ) -> Result<Json> {
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old: Stored<Network> = network::expect(tx, project, id)?;
                let mut new = old.value.clone();
                new.details.plan = change(tx, &old.value)?;
                network::update(tx, &old, &new)?;
                if new.details.plan.subnets != old.value.details.plan.subnets {
                    // Whether they reach who is behind a vSwitch is what they show.
                    network::touch_balancers(tx, id)?;
                }
                action::done(tx, project, command, vec![Target::new(Kind::Network, id)])
            })
            .await?;
        self.show_started(caller, started).await
    }
}

/// No member is in two networks that have an address in common, also when one of them grows.
fn check_apart(tx: &mut dyn Tx, old: &Network, plan: &Plan) -> Result<()> {
    for (other, member) in network::shared(tx, old.id)? {
        let other = network::expect(tx, old.project, other)?.value;
        if rules::overlap(plan, &other.details.plan) {
            let message = format!(
                "would overlap network with ID '{}', which {} with ID '{}' is attached to",
                other.id,
                member.kind.label(),
                member.id
            );
            return Err(Error::invalid("ip_range", message));
        }
    }
    Ok(())
}

/// The address that a new member of a network gets: the one that it asks for, else the lowest free one of the first subnet with
/// room (fact sheet §7).
pub(super) fn address_for(tx: &mut dyn Tx, network: &Network, zone: &str, seat: &rules::Seat) -> Result<Ipv4Addr> {
    let plan = &network.details.plan;
    if plan.subnets_for(zone, seat.range).next().is_none() {
        return Err(Error::no_subnet_available(zone));
    }
    if let Some(ip) = seat.ip {
        return match rules::requested(plan, zone, seat.range, ip) {
            Some(_) => Ok(ip),
            None => Err(Error::ip_not_available(ip)),
        };
    }
    for subnet in plan.subnets_for(zone, seat.range) {
        if let Some(free) = lowest_free(tx, network, subnet, &seat.alias_ips)? {
            return Ok(free);
        }
    }
    Err(Error::no_subnet_available(zone))
}

/// The lowest address of a subnet that nobody has and a member can get, but for those that it shall have as aliases. Each
/// round skips a whole run of taken addresses and ends at one of a few that are not given, so there are only a few.
fn lowest_free(
    tx: &mut dyn Tx,
    network: &Network,
    subnet: &rules::Subnet,
    aliases: &[Ipv4Addr],
) -> Result<Option<Ipv4Addr>> {
    let mut from = subnet.range.network();
    while let Some(candidate) = rules::assignable(&network.details.plan, subnet, aliases, from) {
        match network::free_from(tx, network.id, candidate)? {
            Some(free) if free == candidate => return Ok(Some(free)),
            Some(next) => from = next,
            None => break,
        }
    }
    Ok(None)
}
