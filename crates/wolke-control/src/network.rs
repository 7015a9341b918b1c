//! Private networks: operations and view. Ranges, subnets and routes: `network/plan.rs`; how servers and load balancers join and
//! leave: `network/attach.rs`; who is in: `network/members.rs`.
//!
//! No machine is needed for any of it: work is done in the request's transaction.

mod attach;
mod members;
mod plan;

use crate::action;
use crate::control::{Caller, Control};
use crate::input;
use crate::view::{Json, Large, Shown};
pub(crate) use attach::{FIRST_SLOT, attach, join, private_net, release, served_places, zone};
pub use members::MembersRequest;
use wolke_domain::action::Target;
use wolke_domain::catalogue::Catalogue;
use wolke_domain::network::Plan;
use wolke_domain::{Error, Result, name};
use wolke_store::network::{Details, Network};
use wolke_store::{Counter, Race, Tx, limit, network, vswitch};
use wolke_wire::cloud::DeleteProtection;
use wolke_wire::cloud::network as wire;
use wolke_wire::{Id, Kind};

/// A network as the contract shows it.
pub(crate) fn to_wire(network: &Network, members: &[Target]) -> wire::Network {
    let plan = &network.details.plan;
    let of_kind = |kind| members.iter().filter(|member| member.kind == kind).map(|member| member.id).collect();
    wire::Network {
        id: network.id,
        name: network.name.clone(),
        ip_range: plan.range.to_string(),
        subnets: plan
            .subnets
            .iter()
            .map(|subnet| wire::Subnet {
                kind: subnet.kind,
                ip_range: subnet.range.to_string(),
                network_zone: subnet.zone.clone(),
                gateway: plan.gateway_of(subnet).to_string(),
                vswitch_id: subnet.vswitch,
            })
            .collect(),
        routes: plan
            .routes
            .iter()
            .map(|route| wire::Route { destination: route.destination.to_string(), gateway: route.gateway.to_string() })
            .collect(),
        servers: of_kind(Kind::Server),
        load_balancers: of_kind(Kind::LoadBalancer),
        protection: DeleteProtection { delete: network.details.delete_protected },
        labels: network.details.labels.clone(),
        created: network.created,
        expose_routes_to_vswitch: network.details.expose_routes_to_vswitch,
    }
}

/// Whether some location is in a network zone.
fn is_zone(catalogue: &Catalogue, zone: &str) -> bool {
    catalogue.locations.iter().any(|location| location.network_zone == zone)
}

impl Control {
    /// Makes a network with its subnets and routes.
    ///
    /// # Errors
    /// `invalid_input`, `uniqueness_error`, `resource_limit_exceeded`, `vswitch not found`, `vswitch_id_already_used`.
    pub async fn create_network(&self, caller: &Caller, request: wire::CreateNetwork) -> Result<Json> {
        let catalogue = self.core.catalogue();
        let mut wrong = input::wrong(name::resource_name, Some(&request.name), Some(&request.labels));
        let zones = |zone: &str| is_zone(&catalogue, zone);
        let plan = Plan::new(&request.ip_range, &request.subnets, &request.routes, &zones);
        let plan = plan.map_err(|faults| wrong.extend(faults)).ok();
        let Some(plan) = plan.filter(|_| wrong.is_empty()) else { return Err(Error::invalid_fields(wrong)) };
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let new = Network {
                id: tx.next_id(Counter::Kind(Kind::Network))?,
                project,
                name: request.name.clone(),
                created: tx.now().whole_second(),
                details: Details {
                    v: 1,
                    plan: plan.clone(),
                    expose_routes_to_vswitch: request.expose_routes_to_vswitch,
                    delete_protected: false,
                    labels: request.labels.clone(),
                },
            };
            let number = network::insert(tx, &new)?;
            limit::check(tx, project, Kind::Network, number)?;
            for id in plan.subnets.iter().filter_map(|subnet| subnet.vswitch) {
                vswitch::couple(tx, id, new.id)?;
            }
            Ok(Shown::one(Kind::Network, new.id))
        })
        .await
    }

    /// Changes name, labels and whether dedicated servers learn the routes.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`.
    pub async fn update_network(&self, caller: &Caller, id: Id, update: wire::UpdateNetwork) -> Result<Json> {
        input::refuse(input::wrong(name::resource_name, update.name.as_deref(), update.labels.as_ref()))?;
        let networks = Large { kind: Kind::Network, find: network::expect, write: network::update };
        let change = move |new: &mut Network| {
            input::set(&mut new.name, update.name.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
            input::set(&mut new.details.expose_routes_to_vswitch, update.expose_routes_to_vswitch.as_ref());
        };
        self.put(caller, networks, id, change, |new| to_wire(new, &[])).await
    }

    /// Deletes a network: its members leave it (fact sheet §3.5).
    ///
    /// # Errors
    /// `not_found`, `protected`.
    pub async fn delete_network(&self, caller: &Caller, id: Id) -> Result<()> {
        let project = caller.project;
        self.db
            .write(vec![Race::Project(project)], move |tx| {
                let old = network::expect(tx, project, id)?;
                if old.value.details.delete_protected {
                    return Err(Error::delete_protected(Kind::Network));
                }
                remove(tx, project, id)
            })
            .await
    }

    /// Switches delete protection.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn change_network_protection(
        &self,
        caller: &Caller,
        id: Id,
        change: wire::ChangeNetworkProtection,
    ) -> Result<Json> {
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = network::expect(tx, project, id)?;
                let mut new = old.value.clone();
                input::set(&mut new.details.delete_protected, change.delete.as_ref());
                if new != old.value {
                    network::update(tx, &old, &new)?;
                }
                action::done(tx, project, "change_protection", vec![Target::new(Kind::Network, id)])
            })
            .await?;
        self.show_started(caller, started).await
    }
}

/// Removes a network; its members leave it.
pub(crate) fn remove(tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
    let old = network::expect(tx, project, id)?;
    network::detach_all(tx, id)?;
    vswitch::release_all(tx, id)?;
    network::delete(tx, &old.value)
}
