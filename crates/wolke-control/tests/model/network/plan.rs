//! What networks are made of, who is in them, and which address a member gets.

use crate::model::{Label, Place, Predicted, Project, Ref, Slot, at, labels, name};
use crate::server;
use serde_json::{Value, json};
use std::fmt;
use std::net::Ipv4Addr;
use wolke_wire::{ErrorCode, Id, Kind};

/// Networks that one server can be in.
const PER_SERVER_MAX: usize = 3;

/// A range of addresses: the first, and how many bits all have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Range(u32, u8);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.0), self.1)
    }
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Range {
    pub const fn new([a, b, c, d]: [u8; 4], prefix: u8) -> Self {
        Self(u32::from_be_bytes([a, b, c, d]), prefix)
    }

    const fn last(self) -> u32 {
        self.0 + ((1 << (32 - self.1)) - 1)
    }

    const fn holds(self, other: Self) -> bool {
        self.0 <= other.0 && other.last() <= self.last()
    }

    const fn meets(self, other: Self) -> bool {
        self.0 <= other.last() && other.0 <= self.last()
    }

    pub const fn has(self, ip: u32) -> bool {
        self.0 <= ip && ip <= self.last()
    }
}

/// Who is in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    Server(Slot),
    Balancer(Slot),
}

/// A place in a network.
#[derive(Clone, Debug)]
pub struct Seat {
    pub member: Member,
    /// Which interface of the member this is: the first that it had left.
    interface: usize,
    pub ip: u32,
}

#[derive(Clone, Debug)]
pub struct Network {
    pub id: Id,
    pub range: Range,
    pub subnets: Vec<Subnet>,
    pub seats: Vec<Seat>,
    pub protected: bool,
    pub label: Label,
}

#[derive(Clone, Copy, Debug)]
pub struct Subnet {
    pub range: Range,
    pub place: Place,
}

impl Network {
    /// Adds a subnet inside of the range and apart from the others.
    pub fn add(&mut self, subnet: Subnet) -> Predicted {
        if !self.range.holds(subnet.range) || self.subnets.iter().any(|other| other.range.meets(subnet.range)) {
            return Err(ErrorCode::InvalidInput);
        }
        self.subnets.push(subnet);
        Ok(())
    }

    /// Whether nobody can have an address: it is the gateway's, or one of the two ends of its subnet.
    fn is_reserved(&self, subnet: Subnet, ip: u32) -> bool {
        [self.range.0 + 1, subnet.range.0, subnet.range.last()].contains(&ip)
    }

    fn is_taken(&self, ip: u32) -> bool {
        self.seats.iter().any(|seat| seat.ip == ip)
    }

    /// The address that a new member gets: what it asks for, or the lowest of the first subnet with room.
    fn address(&self, place: Place, wanted: Option<Ipv4Addr>) -> Result<u32, ErrorCode> {
        let here = || self.subnets.iter().filter(|subnet| subnet.place == place);
        if here().next().is_none() {
            return Err(ErrorCode::NoSubnetAvailable);
        }
        let is_possible = |ip| here().any(|subnet| subnet.range.has(ip) && !self.is_reserved(*subnet, ip));
        match wanted.map(u32::from) {
            Some(ip) if is_possible(ip) && !self.is_taken(ip) => Ok(ip),
            Some(_) => Err(ErrorCode::IpNotAvailable),
            None => here()
                .flat_map(|subnet| subnet.range.0..=subnet.range.last())
                .find(|ip| is_possible(*ip) && !self.is_taken(*ip))
                .ok_or(ErrorCode::NoSubnetAvailable),
        }
    }

    pub fn has(&self, member: Member) -> bool {
        self.seats.iter().any(|seat| seat.member == member)
    }

    /// Whether an address lies in one of its subnets.
    pub fn has_subnet_with(&self, ip: u32) -> bool {
        self.subnets.iter().any(|subnet| subnet.range.has(ip))
    }

    fn leave(&mut self, member: Member) -> Predicted {
        if !self.has(member) {
            return Err(ErrorCode::NotFound);
        }
        self.seats.retain(|seat| seat.member != member);
        Ok(())
    }
}

/// The places of a member, in the order of its interfaces: the network, the number of the interface, the address.
fn seats(project: &Project, member: Member) -> Vec<(Slot, usize, u32)> {
    let all = project.networks.iter().flat_map(|(slot, network)| network.seats.iter().map(move |seat| (*slot, seat)));
    let own = all.filter(|(_, seat)| seat.member == member);
    let mut own: Vec<_> = own.map(|(slot, seat)| (slot, seat.interface, seat.ip)).collect();
    own.sort_unstable_by_key(|(_, interface, _)| *interface);
    own
}

/// The network that a load balancer is in.
pub fn of_balancer(project: &Project, balancer: Slot) -> Option<Slot> {
    seats(project, Member::Balancer(balancer)).first().map(|(network, ..)| *network)
}

/// Whether a member is in any network.
pub fn is_anywhere(project: &Project, member: Member) -> bool {
    !seats(project, member).is_empty()
}

/// A member joins.
pub fn join(project: &mut Project, network: Slot, member: Member, place: Place, ip: Option<Ipv4Addr>) -> Predicted {
    let taken = seats(project, member);
    let interface = (0..).find(|one| taken.iter().all(|(_, other, _)| other != one)).unwrap();
    let network = project.networks.get_mut(&network).unwrap();
    let ip = network.address(place, ip)?;
    network.seats.push(Seat { member, interface, ip });
    Ok(())
}

/// A server joins.
pub fn attach(project: &mut Project, network: Slot, server: Slot, place: Place, ip: Option<Ipv4Addr>) -> Predicted {
    let member = Member::Server(server);
    let of_server = seats(project, member);
    if of_server.iter().any(|(other, ..)| *other == network) {
        return Err(ErrorCode::ServerAlreadyAttached);
    }
    let range = project.networks[&network].range;
    if of_server.iter().any(|(other, ..)| project.networks[other].range.meets(range)) {
        return Err(ErrorCode::NetworksOverlap);
    }
    if of_server.len() >= PER_SERVER_MAX {
        return Err(ErrorCode::ResourceLimitExceeded);
    }
    join(project, network, member, place, ip)
}

/// A member is gone.
pub fn release(project: &mut Project, member: Member) {
    project.networks.values_mut().for_each(|network| network.seats.retain(|seat| seat.member != member));
}

/// A member is known by another slot.
pub fn rename(project: &mut Project, from: Member, to: Member) {
    let seats = project.networks.values_mut().flat_map(|network| &mut network.seats);
    seats.filter(|seat| seat.member == from).for_each(|seat| seat.member = to);
}

/// A member leaves.
pub fn leave(project: &mut Project, network: Ref, member: Member) -> Predicted {
    at(&mut project.networks, network)?.leave(member)
}

/// The private interfaces of a member, as it shows them.
pub fn private_net(project: &Project, member: Member) -> Value {
    let show = |(network, _, ip): (Slot, usize, u32)| json!({"network": project.networks[&network].id, "ip": Ipv4Addr::from(ip)});
    seats(project, member).into_iter().map(show).collect()
}

/// What clients see of a network.
pub fn shown(project: &Project, slot: Slot) -> Value {
    let network = &project.networks[&slot];
    let subnet = |subnet: &Subnet| json!({"ip_range": subnet.range.to_string(), "network_zone": subnet.place.zone()});
    let (mut servers, mut balancers) = (Vec::new(), Vec::new());
    for seat in &network.seats {
        match seat.member {
            Member::Server(server) => servers.push(project.servers[&server].id),
            Member::Balancer(balancer) => balancers.push(project.balancers[&balancer].id),
        }
    }
    json!({
        "id": network.id, "name": name(Kind::Network, slot), "ip_range": network.range.to_string(),
        "subnets": network.subnets.iter().map(subnet).collect::<Vec<_>>(), "routes": [],
        "servers": server::sorted(servers), "load_balancers": server::sorted(balancers),
        "protection": {"delete": network.protected}, "labels": labels(network.label),
    })
}
