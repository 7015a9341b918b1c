//! Servers: requests, and what becomes of work that takes time.

use crate::model::{
    Label, Place, Predicted, Project, Ref, Slot, any_label, any_place, any_ref, any_slot, at, labels, name,
};
use crate::system::{json, request};
use crate::{primary_ip, volume};
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any as any_of};
use proptest::prop_oneof;
use serde_json::{Value, json};
use wolke_control::server::PowerVerb;
use wolke_control::{Caller, Control};
use wolke_domain::Result;
use wolke_wire::{ErrorCode, Id, Kind};

/// Work that was accepted and has not ended: first come, first served.
#[derive(Clone, Debug)]
pub struct Work {
    pub kind: Task,
    pub action: Id,
    /// Whether the server had an interface while this was in flight, and whether it had none: it needs one to start.
    pub interface: (bool, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Create,
    Start,
    Stop,
    Delete,
}

#[derive(Clone, Debug)]
pub struct Server {
    pub id: Id,
    pub place: Place,
    /// As it was last seen.
    pub status: String,
    /// As it was when nothing was in flight, or will be when no more comes.
    pub settled: &'static str,
    /// A delete was accepted.
    pub doomed: bool,
    pub work: Vec<Work>,
    pub label: Label,
    protected: bool,
}

#[derive(Clone, Debug)]
pub struct New {
    slot: Slot,
    place: Place,
    start: bool,
    ipv4: bool,
    ipv6: bool,
    volumes: Vec<Ref>,
    label: Label,
}

#[derive(Clone, Debug)]
pub enum Step {
    Create(New),
    PowerOn(Ref),
    PowerOff(Ref),
    Delete(Ref),
    Protect { server: Ref, on: bool },
    Relabel { server: Ref, label: Label },
}

fn any_new() -> BoxedStrategy<New> {
    let often = || prop_oneof![5 => Just(true), 1 => Just(false)];
    let volumes = prop_oneof![2 => Just(Vec::new()), 1 => vec(any_ref(Kind::Volume), 1..3)];
    (any_slot(), any_place(), often(), often(), often(), volumes, any_label())
        .prop_map(|(slot, place, start, ipv4, ipv6, volumes, label)| New {
            slot,
            place,
            start,
            ipv4,
            ipv6,
            volumes,
            label,
        })
        .boxed()
}

pub fn any() -> BoxedStrategy<Step> {
    let server = || any_ref(Kind::Server);
    prop_oneof![
        6 => any_new().prop_map(Step::Create),
        2 => server().prop_map(Step::PowerOn),
        2 => server().prop_map(Step::PowerOff),
        3 => server().prop_map(Step::Delete),
        1 => (server(), any_of::<bool>()).prop_map(|(server, on)| Step::Protect { server, on }),
        2 => (server(), any_label()).prop_map(|(server, label)| Step::Relabel { server, label }),
    ]
    .boxed()
}

/// Whether a server could be started.
pub fn has_interface(project: &Project, slot: Slot) -> bool {
    project.ips.values().any(|ip| ip.assignee == Some(slot))
}

/// A server is gone, and has let go of all that hung on it.
pub fn remove(project: &mut Project, slot: Slot) {
    let gone = project.servers.remove(&slot).unwrap();
    project.bury(Kind::Server, slot, gone.id);
    project.orphans.extend(gone.work);
    primary_ip::release(project, slot);
    project.volumes.values_mut().filter(|volume| volume.server == Some(slot)).for_each(|volume| volume.server = None);
}

/// Work begins whose action is not known yet.
fn begin(project: &mut Project, slot: Slot, kind: Task) {
    let has = has_interface(project, slot);
    project.servers.get_mut(&slot).unwrap().work.push(Work { kind, action: 0, interface: (has, !has) });
}

fn create(project: &mut Project, new: &New) -> Predicted {
    let New { slot, place, label, .. } = *new;
    let again = new.volumes.iter().enumerate().any(|(n, one)| new.volumes[..n].contains(one));
    if again {
        return Err(ErrorCode::InvalidInput);
    }
    if project.servers.contains_key(&slot) {
        return Err(ErrorCode::UniquenessError);
    }
    let status = "initializing";
    let (id, work) = (0, Vec::new());
    let server =
        Server { id, place, status: status.into(), settled: status, doomed: false, work, label, protected: false };
    project.servers.insert(slot, server);
    for family in [(new.ipv4, 4), (new.ipv6, 6)].into_iter().filter_map(|(wanted, family)| wanted.then_some(family)) {
        primary_ip::bring(project, slot, place, family);
    }
    for volume in &new.volumes {
        volume::attach(project, *volume, slot, place)?;
    }
    begin(project, slot, Task::Create);
    if new.start {
        begin(project, slot, Task::Start);
    }
    Ok(())
}

impl Step {
    pub fn predict(&self, project: &mut Project) -> Predicted {
        match self {
            Self::Create(new) => create(project, new),
            Self::PowerOn(server) | Self::PowerOff(server) => {
                if at(&mut project.servers, *server)?.doomed {
                    return Err(ErrorCode::Locked);
                }
                let kind = if matches!(self, Self::PowerOn(_)) { Task::Start } else { Task::Stop };
                begin(project, server.slot, kind);
                Ok(())
            }
            Self::Delete(server) => {
                let found = at(&mut project.servers, *server)?;
                if found.protected {
                    return Err(ErrorCode::Protected);
                }
                if found.doomed {
                    return Err(ErrorCode::Locked);
                }
                found.doomed = true;
                begin(project, server.slot, Task::Delete);
                Ok(())
            }
            Self::Protect { server, on } => {
                at(&mut project.servers, *server)?.protected = *on;
                Ok(())
            }
            Self::Relabel { server, label } => {
                at(&mut project.servers, *server)?.label = *label;
                Ok(())
            }
        }
    }

    pub async fn perform(&self, control: &Control, caller: &Caller, id: &impl Fn(Ref) -> Id) -> Result<Value> {
        let started = match self {
            Self::Create(new) => {
                let body = json!({
                    "name": name(Kind::Server, new.slot), "server_type": "cpx22", "image": "debian-12",
                    "location": new.place.location(), "start_after_create": new.start, "labels": labels(new.label),
                    "volumes": new.volumes.iter().map(|volume| id(*volume)).collect::<Vec<_>>(),
                    "public_net": {"enable_ipv4": new.ipv4, "enable_ipv6": new.ipv6},
                });
                let created = control.create_server(caller, request(body)).await?;
                return control.show_created(caller, created).await.map(json);
            }
            Self::PowerOn(server) => control.power_server(caller, id(*server), PowerVerb::Start).await?,
            Self::PowerOff(server) => control.power_server(caller, id(*server), PowerVerb::Stop).await?,
            Self::Delete(server) => control.delete_server(caller, id(*server)).await?,
            Self::Protect { server, on } => {
                let change = request(json!({"delete": on, "rebuild": on}));
                return control.change_server_protection(caller, id(*server), change).await.map(json);
            }
            Self::Relabel { server, label } => {
                let update = request(json!({"labels": labels(*label)}));
                return control.update_server(caller, id(*server), update).await.map(json);
            }
        };
        control.show_started(caller, started).await.map(json)
    }

    pub fn learn(&self, project: &mut Project, answer: &Value) {
        let mut actions = vec![answer["action"]["id"].as_i64().unwrap_or_default()];
        let slot = match self {
            Self::Create(new) => {
                let next = answer["next_actions"].as_array().unwrap();
                let starts = next.iter().filter(|action| action["command"] == "start_server");
                actions.extend(starts.map(|action| action["id"].as_i64().unwrap()));
                project.servers.get_mut(&new.slot).unwrap().id = answer["server"]["id"].as_i64().unwrap();
                primary_ip::learn_brought(project, new.slot, &answer["server"]["public_net"]);
                new.slot
            }
            Self::PowerOn(server) | Self::PowerOff(server) | Self::Delete(server) => server.slot,
            Self::Protect { .. } | Self::Relabel { .. } => return,
        };
        let fresh = project.servers.get_mut(&slot).unwrap().work.iter_mut().filter(|work| work.action == 0);
        fresh.zip(actions).for_each(|(work, action)| work.action = action);
    }
}

fn sorted(mut ids: Vec<Id>) -> Vec<Id> {
    ids.sort_unstable();
    ids
}

/// What clients see of a server.
pub fn shown(project: &Project, slot: Slot) -> Value {
    let server = &project.servers[&slot];
    let address = |family| primary_ip::of_server(project, slot, family).map(|ip| json!({"id": ip.id, "ip": ip.ip}));
    let volumes =
        project.volumes.values().filter(|volume| volume.server == Some(slot)).map(|volume| volume.id).collect();
    json!({
        "id": server.id, "name": name(Kind::Server, slot), "status": server.status, "locked": !server.work.is_empty(),
        "location": {"name": server.place.location()}, "labels": labels(server.label),
        "protection": {"delete": server.protected, "rebuild": server.protected},
        "public_net": {"ipv4": address(4), "ipv6": address(6), "floating_ips": []},
        "volumes": sorted(volumes), "private_net": [], "load_balancers": [],
    })
}
