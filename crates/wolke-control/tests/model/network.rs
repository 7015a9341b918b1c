//! Private networks, and who is in them.

use crate::model::{
    Label, Place, Predicted, Project, Ref, Slot, any_label, any_place, any_ref, any_slot, at, labels, name,
};
use crate::server;
use crate::system::{json, request};
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any as any_of};
use proptest::{option, prop_oneof};
use serde_json::{Value, json};
use std::fmt;
use std::net::Ipv4Addr;
use wolke_control::{Caller, Control};
use wolke_domain::Result;
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
    const fn new([a, b, c, d]: [u8; 4], prefix: u8) -> Self {
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
struct Seat {
    member: Member,
    /// Which interface of the member this is: the first that it had left.
    interface: usize,
    ip: u32,
}

#[derive(Clone, Debug)]
pub struct Network {
    pub id: Id,
    range: Range,
    subnets: Vec<Subnet>,
    seats: Vec<Seat>,
    protected: bool,
    label: Label,
}

#[derive(Clone, Copy, Debug)]
pub struct Subnet {
    range: Range,
    place: Place,
}

#[derive(Clone, Debug)]
pub enum Step {
    Create { slot: Slot, range: Range, subnets: Vec<Subnet>, label: Label },
    Delete(Ref),
    AddSubnet { network: Ref, subnet: Subnet },
    DeleteSubnet { network: Ref, range: Range },
    Attach { network: Ref, server: Ref, ip: Option<Ipv4Addr> },
    Detach { network: Ref, server: Ref },
    Protect { network: Ref, on: bool },
    Relabel { network: Ref, label: Label },
}

/// Of a network in this slot, mostly: each has a range of its own, but for one in which all others lie.
fn any_range(slot: Slot) -> BoxedStrategy<Range> {
    let wide = Just(Range::new([10, 0, 0, 0], 8));
    let own = move |slot| Just(Range::new([10, slot, 0, 0], 16));
    prop_oneof![4 => own(slot), 1 => own(slot ^ 1), 1 => wide].boxed()
}

/// Small ones are soon full.
fn any_subnet(slot: Slot) -> BoxedStrategy<Subnet> {
    let second = prop_oneof![8 => Just(slot), 1 => Just(slot ^ 1)];
    let prefix = prop_oneof![5 => Just(24), 1 => Just(29), 1 => Just(30)];
    (second, 0..2_u8, prefix, any_place())
        .prop_map(|(second, third, prefix, place)| Subnet { range: Range::new([10, second, third, 0], prefix), place })
        .boxed()
}

/// Mostly some.
fn any_subnets(slot: Slot) -> BoxedStrategy<Vec<Subnet>> {
    prop_oneof![1 => Just(Vec::new()), 6 => vec(any_subnet(slot), 1..3)].boxed()
}

/// One that a member may ask for.
pub fn any_ip(slot: Slot) -> BoxedStrategy<Option<Ipv4Addr>> {
    option::weighted(0.3, (0..2_u8, 0..5_u8).prop_map(move |(third, last)| Ipv4Addr::new(10, slot, third, last)))
        .boxed()
}

pub fn create() -> BoxedStrategy<Step> {
    any_slot()
        .prop_flat_map(|slot| {
            (any_range(slot), any_subnets(slot), any_label()).prop_map(move |(range, subnets, label)| Step::Create {
                slot,
                range,
                subnets,
                label,
            })
        })
        .boxed()
}

pub fn any() -> BoxedStrategy<Step> {
    let network = || any_ref(Kind::Network);
    let server = || any_ref(Kind::Server);
    let add = network()
        .prop_flat_map(|network| any_subnet(network.slot).prop_map(move |subnet| Step::AddSubnet { network, subnet }));
    let delete = network().prop_flat_map(|network| {
        any_subnet(network.slot).prop_map(move |subnet| Step::DeleteSubnet { network, range: subnet.range })
    });
    let attach = (network(), server()).prop_flat_map(|(network, server)| {
        any_ip(network.slot).prop_map(move |ip| Step::Attach { network, server, ip })
    });
    prop_oneof![
        5 => create(),
        1 => network().prop_map(Step::Delete),
        3 => add,
        2 => delete,
        7 => attach,
        2 => (network(), server()).prop_map(|(network, server)| Step::Detach { network, server }),
        1 => (network(), any_of::<bool>()).prop_map(|(network, on)| Step::Protect { network, on }),
        1 => (network(), any_label()).prop_map(|(network, label)| Step::Relabel { network, label }),
    ]
    .boxed()
}

impl Network {
    /// Adds a subnet inside of the range and apart from the others.
    fn add(&mut self, subnet: Subnet) -> Predicted {
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

/// A server and a network that it may join or leave.
fn subjects(project: &mut Project, network: Ref, server: Ref) -> Result<Place, ErrorCode> {
    let found = at(&mut project.servers, server)?;
    let (place, doomed) = (found.place, found.doomed);
    at(&mut project.networks, network)?;
    if doomed { Err(ErrorCode::Locked) } else { Ok(place) }
}

impl Step {
    pub fn refs(&mut self) -> Vec<&mut Ref> {
        match self {
            Self::Create { .. } => Vec::new(),
            Self::Attach { network, server, .. } | Self::Detach { network, server } => vec![network, server],
            Self::Delete(network)
            | Self::AddSubnet { network, .. }
            | Self::DeleteSubnet { network, .. }
            | Self::Protect { network, .. }
            | Self::Relabel { network, .. } => vec![network],
        }
    }

    pub fn predict(&self, project: &mut Project) -> Predicted {
        match *self {
            Self::Create { slot, range, ref subnets, label } => {
                let (id, seats, protected) = (0, Vec::new(), false);
                let mut new = Network { id, range, subnets: Vec::new(), seats, protected, label };
                subnets.iter().try_for_each(|subnet| new.add(*subnet))?;
                if project.networks.contains_key(&slot) {
                    return Err(ErrorCode::UniquenessError);
                }
                project.networks.insert(slot, new);
            }
            Self::Delete(network) => {
                let found = at(&mut project.networks, network)?;
                if found.protected {
                    return Err(ErrorCode::Protected);
                }
                let id = found.id;
                project.networks.remove(&network.slot);
                project.bury(Kind::Network, network.slot, id);
            }
            Self::AddSubnet { network, subnet } => at(&mut project.networks, network)?.add(subnet)?,
            Self::DeleteSubnet { network, range } => {
                let network = at(&mut project.networks, network)?;
                let found = network.subnets.iter().position(|subnet| subnet.range == range);
                let found = found.ok_or(ErrorCode::NotFound)?;
                if network.seats.iter().any(|seat| range.has(seat.ip)) {
                    return Err(ErrorCode::ServiceError);
                }
                network.subnets.remove(found);
            }
            Self::Attach { network, server, ip } => {
                let place = subjects(project, network, server)?;
                attach(project, network.slot, server.slot, place, ip)?;
            }
            Self::Detach { network, server } => {
                subjects(project, network, server)?;
                leave(project, network, Member::Server(server.slot))?;
            }
            Self::Protect { network, on } => at(&mut project.networks, network)?.protected = on,
            Self::Relabel { network, label } => at(&mut project.networks, network)?.label = label,
        }
        Ok(())
    }

    pub async fn perform(&self, control: &Control, caller: &Caller, id: &impl Fn(Ref) -> Id) -> Result<Value> {
        let subnet = |subnet: &Subnet| json!({"type": "cloud", "ip_range": subnet.range.to_string(), "network_zone": subnet.place.zone()});
        let answer = match *self {
            Self::Create { slot, range, ref subnets, label } => {
                let subnets: Vec<Value> = subnets.iter().map(subnet).collect();
                let (name, range) = (name(Kind::Network, slot), range.to_string());
                let body = json!({"name": name, "ip_range": range, "subnets": subnets, "labels": labels(label)});
                control.create_network(caller, request(body)).await
            }
            Self::Delete(network) => {
                return control.delete_network(caller, id(network)).await.map(|()| Value::Null);
            }
            Self::AddSubnet { network, subnet: new } => {
                control.add_subnet(caller, id(network), request(subnet(&new))).await
            }
            Self::DeleteSubnet { network, range } => {
                let body = json!({"ip_range": range.to_string()});
                control.delete_subnet(caller, id(network), request(body)).await
            }
            Self::Attach { network, server, ip } => {
                let body = json!({"network": id(network), "ip": ip});
                control.attach_to_network(caller, id(server), request(body)).await
            }
            Self::Detach { network, server } => {
                let body = json!({"network": id(network)});
                control.detach_from_network(caller, id(server), request(body)).await
            }
            Self::Protect { network, on } => {
                control.change_network_protection(caller, id(network), request(json!({"delete": on}))).await
            }
            Self::Relabel { network, label } => {
                control.update_network(caller, id(network), request(json!({"labels": labels(label)}))).await
            }
        };
        answer.map(json)
    }

    pub fn learn(&self, project: &mut Project, answer: &Value) {
        if let Self::Create { slot, .. } = self {
            project.networks.get_mut(slot).unwrap().id = answer["network"]["id"].as_i64().unwrap();
        }
    }
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
