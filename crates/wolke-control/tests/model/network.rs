//! Private networks: requests. What is known of them stands in `network/plan.rs`.

mod plan;

use crate::model::{
    Label, Place, Predicted, Project, Ref, Slot, any_label, any_place, any_ref, any_slot, at, labels, name,
};
use crate::system::{json, request};
pub use plan::{Member, Network, attach, is_anywhere, join, leave, of_balancer, private_net, release, rename, shown};
use plan::{Range, Subnet};
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any as any_of};
use proptest::{option, prop_oneof};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use wolke_control::{Caller, Control};
use wolke_domain::Result;
use wolke_wire::{ErrorCode, Id, Kind};

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
    prop_oneof![2 => own(slot), 1 => own(slot ^ 1), 1 => wide].boxed()
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
        2 => network().prop_map(Step::Delete),
        3 => add,
        2 => delete,
        7 => attach,
        2 => (network(), server()).prop_map(|(network, server)| Step::Detach { network, server }),
        2 => (network(), any_of::<bool>()).prop_map(|(network, on)| Step::Protect { network, on }),
        1 => (network(), any_label()).prop_map(|(network, label)| Step::Relabel { network, label }),
    ]
    .boxed()
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
