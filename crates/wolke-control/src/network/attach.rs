//! How servers and load balancers join networks and leave them.
//!
//! **Invariant:** both ends of a membership are touched in the transaction that changes it.

use super::plan::address_for;
use crate::action;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::place::Place;
use crate::real;
use crate::server::check_not_doomed;
use crate::view::Json;
use std::net::Ipv4Addr;
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::catalogue::Catalogue;
use wolke_domain::network::{self as rules, Interface, MEMBERS_MAX, NETWORKS_PER_SERVER_MAX, Seat};
use wolke_domain::server::Server;
use wolke_domain::{Error, Result};
use wolke_store::network::Network;
use wolke_store::{Race, Tx, network, resource, server};
use wolke_wire::cloud::network as wire;
use wolke_wire::cloud::server::PrivateNet;
use wolke_wire::{Id, Kind};

/// The private interfaces of a server, as it shows them.
pub(crate) fn private_net(tx: &mut dyn Tx, server: Id) -> Result<Vec<PrivateNet>> {
    let interfaces = network::interfaces(tx, Target::new(Kind::Server, server))?;
    let show = |interface: Interface| PrivateNet {
        network: interface.network,
        ip: interface.ip.to_string(),
        alias_ips: interface.alias_ips.iter().map(Ipv4Addr::to_string).collect(),
        mac_address: rules::mac_address(interface.number),
    };
    Ok(interfaces.into_iter().map(show).collect())
}

/// Takes a member that goes out of all of its networks.
pub(crate) fn release(tx: &mut dyn Tx, member: Target) -> Result<()> {
    for interface in network::interfaces(tx, member)? {
        network::detach(tx, member, interface.network)?;
        resource::touch(tx, Kind::Network, interface.network)?;
    }
    Ok(())
}

/// The network zone of a location.
pub(crate) fn zone(catalogue: &Catalogue, location: Id) -> Result<String> {
    let found = catalogue.location_by_id(location).map(|location| location.network_zone.clone());
    found.ok_or_else(|| Error::internal(format!("location {location} is not in the catalogue")))
}

/// Those of the places for a new server from where its networks can be reached; all, when there is none.
pub(crate) fn served_places(catalogue: &Catalogue, networks: &[Network], places: Vec<Place>) -> Result<Vec<Place>> {
    let mut served = Vec::new();
    for place in &places {
        let zone = zone(catalogue, place.location)?;
        if networks.iter().all(|network| network.details.plan.subnets_for(&zone, None).next().is_some()) {
            served.push(*place);
        }
    }
    Ok(if served.is_empty() { places } else { served })
}

/// Makes a server a member of a network, and touches both ends.
///
/// # Errors
/// `unsupported_error` for real servers; `server_already_attached`, `networks_overlap`, `ip_not_available`, `no_subnet_available`,
/// `resource_limit_exceeded`.
pub(crate) fn attach(tx: &mut dyn Tx, core: &Core, server: &Server, network: &Network, seat: &Seat) -> Result<()> {
    real::check_simulated(core, server, "attaching to a network")?;
    let member = Target::new(Kind::Server, server.id);
    let interfaces = network::interfaces(tx, member)?;
    if interfaces.iter().any(|interface| interface.network == network.id) {
        return Err(Error::already_attached(network.id));
    }
    for interface in &interfaces {
        let other = network::expect(tx, server.project, interface.network)?.value;
        if rules::overlap(&network.details.plan, &other.details.plan) {
            return Err(Error::networks_overlap(other.id));
        }
    }
    if interfaces.len() >= NETWORKS_PER_SERVER_MAX {
        return Err(Error::limit("server_network_limit", "networks of a server"));
    }
    let zone = zone(&core.catalogue(), server.details.location)?;
    join(tx, network, member, (&zone, rules::free_slot(&interfaces)), seat)
}

/// The slot of whoever has one interface at most.
pub(crate) const FIRST_SLOT: u32 = 1;

/// Gives a new member of a network its addresses, and touches both ends.
///
/// # Errors
/// `ip_not_available`, `no_subnet_available`, `resource_limit_exceeded`.
pub(crate) fn join(
    tx: &mut dyn Tx,
    network: &Network,
    member: Target,
    (zone, slot): (&str, u32),
    seat: &Seat,
) -> Result<()> {
    if network::member_count(tx, network.id)? >= MEMBERS_MAX {
        return Err(Error::limit("network_member_limit", "members of a network"));
    }
    let ip = address_for(tx, network, zone, seat)?;
    check_aliases(network, zone, &seat.alias_ips)?;
    let new = Interface { network: network.id, slot, number: 0, ip, alias_ips: seat.alias_ips.clone() };
    network::attach(tx, member, new)?;
    touch(tx, member, network.id)
}

/// Aliases come from the same subnets as addresses.
fn check_aliases(network: &Network, zone: &str, alias_ips: &[Ipv4Addr]) -> Result<()> {
    let cannot = |ip: &&Ipv4Addr| rules::requested(&network.details.plan, zone, None, **ip).is_none();
    alias_ips.iter().find(cannot).map_or(Ok(()), |ip| Err(Error::ip_not_available(*ip)))
}

fn touch(tx: &mut dyn Tx, member: Target, network: Id) -> Result<()> {
    resource::touch(tx, member.kind, member.id)?;
    resource::touch(tx, Kind::Network, network)
}

fn targets(server: Id, network: Id) -> Vec<Target> {
    vec![Target::new(Kind::Server, server), Target::new(Kind::Network, network)]
}

/// A server of the project whose networks may change, and the network.
fn subjects(tx: &mut dyn Tx, (project, refuse): (Id, bool), id: Id, network: Id) -> Result<(Server, Network)> {
    let server = server::expect(tx, project, id)?.value;
    let network = network::expect(tx, project, network)?.value;
    check_not_doomed(&server)?;
    action::check_contention(tx, refuse, Target::new(Kind::Server, id))?;
    Ok((server, network))
}

impl Control {
    /// Attaches a server, running or not, to a network.
    ///
    /// # Errors
    /// `invalid_input`; `not_found` for either; `locked`; whatever `attach` refuses.
    pub async fn attach_to_network(&self, caller: &Caller, id: Id, request: wire::AttachToNetwork) -> Result<Json> {
        let seat = Seat::parse(request.ip.as_deref(), request.ip_range.as_deref(), &request.alias_ips)?;
        let (core, about) = (Arc::clone(&self.core), (caller.project, self.options.refuse_contention));
        let started = self
            .act(caller, vec![Race::Project(caller.project)], move |tx| {
                let (server, network) = subjects(tx, about, id, request.network)?;
                attach(tx, &core, &server, &network, &seat)?;
                action::done(tx, about.0, "attach_to_network", targets(id, network.id))
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Detaches a server, running or not, from a network.
    ///
    /// # Errors
    /// `not_found` for either and when it is not attached; `locked`.
    pub async fn detach_from_network(&self, caller: &Caller, id: Id, request: wire::DetachFromNetwork) -> Result<Json> {
        let about = (caller.project, self.options.refuse_contention);
        let started = self
            .act(caller, vec![Race::Project(caller.project)], move |tx| {
                let (_, network) = subjects(tx, about, id, request.network)?;
                let member = Target::new(Kind::Server, id);
                if !network::detach(tx, member, network.id)? {
                    return Err(Error::not_attached(Kind::Server, network.id));
                }
                touch(tx, member, network.id)?;
                action::done(tx, about.0, "detach_from_network", targets(id, network.id))
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Gives a server other aliases in a network, all of them.
    ///
    /// # Errors
    /// `invalid_input`; `not_found` for either and when it is not attached; `locked`, `ip_not_available`.
    pub async fn change_alias_ips(&self, caller: &Caller, id: Id, request: wire::ChangeAliasIps) -> Result<Json> {
        let alias_ips = rules::aliases(&request.alias_ips).map_err(Error::invalid_fields)?;
        let (core, about) = (Arc::clone(&self.core), (caller.project, self.options.refuse_contention));
        let started = self
            .act(caller, vec![Race::Project(caller.project)], move |tx| {
                let (server, network) = subjects(tx, about, id, request.network)?;
                let member = Target::new(Kind::Server, id);
                let old = network::interface(tx, member, network.id)?;
                let old = old.ok_or_else(|| Error::not_attached(Kind::Server, network.id))?;
                check_aliases(&network, &zone(&core.catalogue(), server.details.location)?, &alias_ips)?;
                if old.alias_ips != alias_ips {
                    network::replace_aliases(tx, member, &Interface { alias_ips: alias_ips.clone(), ..old })?;
                    touch(tx, member, network.id)?;
                }
                action::done(tx, about.0, "change_alias_ips", targets(id, network.id))
            })
            .await?;
        self.show_started(caller, started).await
    }
}
