//! Primary IPs: requests. What servers and load balancers do with them stands in `primary_ip/of_server.rs`.

mod of_server;

use crate::load_balancer;
use crate::model::{
    Label, Place, Predicted, Project, Ref, Slot, Where, any_label, any_ref, any_slot, any_where, at, labels, name,
};
use crate::network::Member;
use crate::system::{json, request};
pub use of_server::{bring, learn_brought, of_holder, of_server, release, rename, take};
use proptest::prelude::{BoxedStrategy, Just, Strategy, any as any_of};
use proptest::prop_oneof;
use serde_json::{Value, json};
use wolke_control::{Caller, Control};
use wolke_domain::Result;
use wolke_wire::{ErrorCode, Id, Kind};

/// The id of an address that no server has.
const NOBODY: Id = 998_000;

#[derive(Clone, Debug)]
pub struct PrimaryIp {
    pub id: Id,
    pub ip: String,
    pub name: String,
    pub family: u8,
    pub assignee: Option<Member>,
    pub auto_delete: bool,
    pub place: Place,
    pub protected: bool,
    pub label: Label,
}

/// An address as a transition names it.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    Slot(Ref),
    /// The one of a family that a server has now, or a load balancer.
    Of(Ref, u8),
}

#[derive(Clone, Debug)]
pub enum Step {
    Create { slot: Slot, family: u8, at: Where, auto_delete: bool, label: Label },
    Delete(Which),
    Assign { ip: Which, server: Ref },
    Unassign(Which),
    Protect { ip: Which, on: bool },
    Relabel { ip: Which, label: Label },
}

fn any_family() -> BoxedStrategy<u8> {
    prop_oneof![3 => Just(4), 1 => Just(6)].boxed()
}

fn any_which() -> BoxedStrategy<Which> {
    let holder = prop_oneof![5 => any_ref(Kind::Server), 1 => any_ref(Kind::LoadBalancer)];
    let of = (holder, any_family()).prop_map(|(server, family)| Which::Of(server, family));
    prop_oneof![3 => any_ref(Kind::PrimaryIp).prop_map(Which::Slot), 2 => of].boxed()
}

pub fn create() -> BoxedStrategy<Step> {
    (any_slot(), any_family(), any_where(), any_of::<bool>(), any_label())
        .prop_map(|(slot, family, at, auto_delete, label)| Step::Create { slot, family, at, auto_delete, label })
        .boxed()
}

pub fn any() -> BoxedStrategy<Step> {
    prop_oneof![
        3 => create(),
        1 => any_which().prop_map(Step::Delete),
        3 => (any_which(), any_ref(Kind::Server)).prop_map(|(ip, server)| Step::Assign { ip, server }),
        4 => any_which().prop_map(Step::Unassign),
        1 => (any_which(), any_of::<bool>()).prop_map(|(ip, on)| Step::Protect { ip, on }),
        1 => (any_which(), any_label()).prop_map(|(ip, label)| Step::Relabel { ip, label }),
    ]
    .boxed()
}

/// The address that is meant.
fn find(project: &Project, which: Which) -> Result<Slot, ErrorCode> {
    match which {
        Which::Slot(ip) => ip.own().ok().filter(|slot| project.ips.contains_key(slot)),
        Which::Of(holder, family) => holder.own().ok().and_then(|slot| {
            let of_kind = if holder.kind == Kind::Server { Member::Server } else { Member::Balancer };
            slot_of(project, of_kind(slot), family)
        }),
    }
    .ok_or(ErrorCode::NotFound)
}

fn slot_of(project: &Project, holder: Member, family: u8) -> Option<Slot> {
    let mut all = project.ips.iter();
    all.find(|(_, ip)| ip.assignee == Some(holder) && ip.family == family).map(|(slot, _)| *slot)
}

/// The id that is meant; of an address that a server has not, one that nobody has.
pub fn id(project: &Project, which: Which, id: &impl Fn(Ref) -> Id) -> Id {
    match which {
        Which::Slot(ip) => id(ip),
        Which::Of(..) => find(project, which).map_or(NOBODY, |slot| project.ips[&slot].id),
    }
}

/// The server whose addresses may change: it is off, and nobody works on it.
fn check_off(project: &Project, server: Slot) -> Predicted {
    let server = &project.servers[&server];
    if server.status != "off" {
        return Err(ErrorCode::ServerNotStopped);
    }
    if server.work.is_empty() && !server.doomed { Ok(()) } else { Err(ErrorCode::Locked) }
}

fn check_room(project: &Project, server: Slot, family: u8) -> Predicted {
    match of_server(project, server, family) {
        None => Ok(()),
        Some(_) if family == 4 => Err(ErrorCode::ServerHasIpv4),
        Some(_) => Err(ErrorCode::ServerHasIpv6),
    }
}

impl Which {
    const fn found(&mut self) -> &mut Ref {
        match self {
            Self::Slot(found) | Self::Of(found, _) => found,
        }
    }
}

impl Step {
    pub fn refs(&mut self) -> Vec<&mut Ref> {
        match self {
            Self::Create { at: Where::In(_), .. } => Vec::new(),
            Self::Create { at: Where::With(server), .. } => vec![server],
            Self::Assign { ip, server } => vec![ip.found(), server],
            Self::Delete(ip) | Self::Unassign(ip) | Self::Protect { ip, .. } | Self::Relabel { ip, .. } => {
                vec![ip.found()]
            }
        }
    }

    pub fn predict(&self, project: &mut Project) -> Predicted {
        match *self {
            Self::Create { slot, family, at: place, auto_delete, label } => {
                let (assignee, place) = match place {
                    Where::In(place) => (None, place),
                    Where::With(server) => {
                        let place = at(&mut project.servers, server)?.place;
                        check_off(project, server.slot)?;
                        check_room(project, server.slot, family)?;
                        (Some(Member::Server(server.slot)), place)
                    }
                };
                if project.ips.contains_key(&slot) {
                    return Err(ErrorCode::UniquenessError);
                }
                let (id, ip, name, protected) = (0, String::new(), name(Kind::PrimaryIp, slot), false);
                let new = PrimaryIp { id, ip, name, family, assignee, auto_delete, place, protected, label };
                project.ips.insert(slot, new);
            }
            Self::Delete(which) => {
                let slot = find(project, which)?;
                let found = &project.ips[&slot];
                if found.protected {
                    return Err(ErrorCode::Protected);
                }
                if found.assignee.is_some() {
                    return Err(ErrorCode::MustBeUnassigned);
                }
                let id = found.id;
                project.ips.remove(&slot);
                project.bury(Kind::PrimaryIp, slot, id);
            }
            Self::Assign { ip, server } => {
                let slot = find(project, ip)?;
                let place = at(&mut project.servers, server)?.place;
                if project.ips[&slot].assignee.is_some() {
                    return Err(ErrorCode::PrimaryIpAlreadyAssigned);
                }
                if project.ips[&slot].place != place {
                    return Err(ErrorCode::PrimaryIpDatacenterMismatch);
                }
                check_off(project, server.slot)?;
                check_room(project, server.slot, project.ips[&slot].family)?;
                project.ips.get_mut(&slot).unwrap().assignee = Some(Member::Server(server.slot));
            }
            Self::Unassign(which) => {
                let slot = find(project, which)?;
                let holder = project.ips[&slot].assignee;
                if let Some(Member::Balancer(_)) = holder {
                    return Err(ErrorCode::UnsupportedError);
                }
                if let Some(Member::Server(server)) = holder {
                    check_off(project, server)?;
                    if project.ips[&slot].family == 4 && load_balancer::aims_publicly_at(project, server) {
                        return Err(ErrorCode::ServerIsLoadBalancerTarget);
                    }
                }
                project.ips.get_mut(&slot).unwrap().assignee = None;
            }
            Self::Protect { ip, on } => {
                let slot = find(project, ip)?;
                let found = project.ips.get_mut(&slot).unwrap();
                if on && found.auto_delete {
                    return Err(ErrorCode::InvalidInput);
                }
                found.protected = on;
            }
            Self::Relabel { ip, label } => {
                let slot = find(project, ip)?;
                project.ips.get_mut(&slot).unwrap().label = label;
            }
        }
        Ok(())
    }

    pub async fn perform(
        &self,
        control: &Control,
        caller: &Caller,
        project: &Project,
        id: &impl Fn(Ref) -> Id,
    ) -> Result<Value> {
        let ip = |which| self::id(project, which, id);
        let answer = match *self {
            Self::Create { slot, family, at, auto_delete, label } => {
                let mut body = json!({
                    "name": name(Kind::PrimaryIp, slot), "type": if family == 4 { "ipv4" } else { "ipv6" },
                    "assignee_type": "server", "auto_delete": auto_delete, "labels": labels(label),
                });
                match at {
                    Where::In(place) => body["location"] = place.location().into(),
                    Where::With(server) => body["assignee_id"] = id(server).into(),
                }
                control.create_primary_ip(caller, request(body)).await
            }
            Self::Delete(which) => return control.delete_primary_ip(caller, ip(which)).await.map(|()| Value::Null),
            Self::Assign { ip: which, server } => {
                let body = json!({"assignee_id": id(server), "assignee_type": "server"});
                control.assign_primary_ip(caller, ip(which), request(body)).await
            }
            Self::Unassign(which) => control.unassign_primary_ip(caller, ip(which)).await,
            Self::Protect { ip: which, on } => {
                control.change_primary_ip_protection(caller, ip(which), request(json!({"delete": on}))).await
            }
            Self::Relabel { ip: which, label } => {
                control.update_primary_ip(caller, ip(which), request(json!({"labels": labels(label)}))).await
            }
        };
        answer.map(json)
    }

    pub fn learn(&self, project: &mut Project, answer: &Value) {
        if let Self::Create { slot, .. } = self {
            let (new, shown) = (project.ips.get_mut(slot).unwrap(), &answer["primary_ip"]);
            new.id = shown["id"].as_i64().unwrap();
            new.ip = shown["ip"].as_str().unwrap().to_owned();
        }
    }
}

/// What clients see of a primary IP.
pub fn shown(project: &Project, slot: Slot) -> Value {
    let ip = &project.ips[&slot];
    json!({
        "id": ip.id, "name": ip.name, "ip": ip.ip, "type": if ip.family == 4 { "ipv4" } else { "ipv6" },
        "assignee_type": if let Some(Member::Balancer(_)) = ip.assignee { "load_balancer" } else { "server" },
        "assignee_id": ip.assignee.map(|holder| match holder {
            Member::Server(slot) => project.servers[&slot].id,
            Member::Balancer(slot) => project.balancers[&slot].id,
        }),
        "auto_delete": ip.auto_delete, "location": {"name": ip.place.location()},
        "protection": {"delete": ip.protected}, "labels": labels(ip.label),
    })
}
