//! Servers: requests. What becomes of work that takes time stands in `server/work.rs`.

mod work;

use crate::model::{
    Label, Place, Predicted, Project, Ref, Slot, any_label, any_place, any_ref, any_slot, at, labels, name,
};
use crate::network::{self, Member};
use crate::system::{json, request};
use crate::{load_balancer, primary_ip, volume};
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any as any_of};
use proptest::prop_oneof;
use serde_json::{Value, json};
use wolke_control::server::PowerVerb;
use wolke_control::{Caller, Control};
use wolke_domain::Result;
use wolke_wire::{ErrorCode, Id, Kind};
use work::begin;
pub use work::{Task, Work, ended, note_interfaces};

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
    pub slot: Slot,
    place: Place,
    start: bool,
    ipv4: Public,
    ipv6: Public,
    networks: Vec<Ref>,
    volumes: Vec<Ref>,
    label: Label,
}

/// The public address of a family that a new server gets.
#[derive(Clone, Copy, Debug)]
enum Public {
    None,
    New,
    Named(Ref),
}

impl Public {
    fn body(self, id: &impl Fn(Ref) -> Id) -> (bool, Option<Id>) {
        match self {
            Self::None => (false, None),
            Self::New => (true, None),
            Self::Named(ip) => (true, Some(id(ip))),
        }
    }
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
    let start = prop_oneof![2 => Just(true), 1 => Just(false)];
    let public = || {
        let named = any_ref(Kind::PrimaryIp).prop_map(Public::Named);
        prop_oneof![8 => Just(Public::New), 3 => Just(Public::None), 1 => named]
    };
    let some = |kind| prop_oneof![4 => Just(Vec::new()), 1 => vec(any_ref(kind), 1..3)];
    let hangs_on_it = (public(), public(), some(Kind::Network), some(Kind::Volume));
    (any_slot(), any_place(), start, any_label(), hangs_on_it)
        .prop_map(|(slot, place, start, label, (ipv4, ipv6, networks, volumes))| New {
            slot,
            place,
            start,
            ipv4,
            ipv6,
            networks,
            volumes,
            label,
        })
        .boxed()
}

pub fn create() -> BoxedStrategy<Step> {
    any_new().prop_map(Step::Create).boxed()
}

pub fn any() -> BoxedStrategy<Step> {
    let server = || any_ref(Kind::Server);
    prop_oneof![
        6 => create(),
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
    project.ips.values().any(|ip| ip.assignee == Some(Member::Server(slot)))
        || network::is_anywhere(project, Member::Server(slot))
}

/// A server that can be given something, and where it is.
pub fn receiver(project: &mut Project, server: Ref) -> Result<(Slot, Place), ErrorCode> {
    let found = at(&mut project.servers, server)?;
    if found.doomed { Err(ErrorCode::Locked) } else { Ok((server.slot, found.place)) }
}

/// A server is gone, and has let go of all that hung on it.
pub fn remove(project: &mut Project, slot: Slot) {
    let gone = project.servers.remove(&slot).unwrap();
    project.bury(Kind::Server, slot, gone.id);
    project.orphans.extend(gone.work);
    primary_ip::release(project, Member::Server(slot));
    network::release(project, Member::Server(slot));
    load_balancer::release(project, slot);
    project.floating_ips.values_mut().filter(|ip| ip.server == Some(slot)).for_each(|ip| ip.server = None);
    project.volumes.values_mut().filter(|volume| volume.server == Some(slot)).for_each(|volume| volume.server = None);
}

fn make(project: &mut Project, new: &New) -> Predicted {
    let New { slot, place, label, .. } = *new;
    let twice = |all: &[Ref]| all.iter().enumerate().any(|(n, one)| all[..n].contains(one));
    if twice(&new.volumes) || twice(&new.networks) {
        return Err(ErrorCode::InvalidInput);
    }
    new.networks.iter().try_for_each(|network| at(&mut project.networks, *network).map(|_| ()))?;
    if project.servers.contains_key(&slot) {
        return Err(ErrorCode::UniquenessError);
    }
    let status = "initializing";
    let (id, work) = (0, Vec::new());
    let server =
        Server { id, place, status: status.into(), settled: status, doomed: false, work, label, protected: false };
    project.servers.insert(slot, server);
    for (public, family) in [(new.ipv4, 4), (new.ipv6, 6)] {
        match public {
            Public::None => {}
            Public::New => primary_ip::bring(project, Member::Server(slot), place, family),
            Public::Named(ip) => primary_ip::take(project, slot, place, family, ip)?,
        }
    }
    for network in &new.networks {
        network::attach(project, network.slot, slot, place, None)?;
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
    /// Which server is worked on, and the command of the action that shows it.
    pub const fn work(&self) -> Option<(Ref, &'static str)> {
        match self {
            Self::PowerOn(server) => Some((*server, "start_server")),
            Self::PowerOff(server) => Some((*server, "stop_server")),
            Self::Delete(server) => Some((*server, "delete_server")),
            Self::Create(_) | Self::Protect { .. } | Self::Relabel { .. } => None,
        }
    }

    pub fn refs(&mut self) -> Vec<&mut Ref> {
        match self {
            Self::Create(new) => {
                let named = [&mut new.ipv4, &mut new.ipv6].into_iter().filter_map(|public| match public {
                    Public::Named(ip) => Some(ip),
                    Public::None | Public::New => None,
                });
                named.chain(&mut new.networks).chain(&mut new.volumes).collect()
            }
            Self::PowerOn(server) | Self::PowerOff(server) | Self::Delete(server) => vec![server],
            Self::Protect { server, .. } | Self::Relabel { server, .. } => vec![server],
        }
    }

    pub fn predict(&self, project: &mut Project) -> Predicted {
        match self {
            Self::Create(new) => make(project, new),
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
                let ((has4, ipv4), (has6, ipv6)) = (new.ipv4.body(id), new.ipv6.body(id));
                let ids = |refs: &[Ref]| refs.iter().map(|one| id(*one)).collect::<Vec<_>>();
                let body = json!({
                    "name": name(Kind::Server, new.slot), "server_type": "cpx22", "image": "debian-12",
                    "location": new.place.location(), "start_after_create": new.start, "labels": labels(new.label),
                    "volumes": ids(&new.volumes), "networks": ids(&new.networks),
                    "public_net": {"enable_ipv4": has4, "ipv4": ipv4, "enable_ipv6": has6, "ipv6": ipv6},
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
                primary_ip::learn_brought(project, Member::Server(new.slot), &answer["server"]["public_net"]);
                new.slot
            }
            Self::PowerOn(server) | Self::PowerOff(server) | Self::Delete(server) => server.slot,
            Self::Protect { .. } | Self::Relabel { .. } => return,
        };
        let fresh = project.servers.get_mut(&slot).unwrap().work.iter_mut().filter(|work| work.action == 0);
        fresh.zip(actions).for_each(|(work, action)| work.action = action);
    }
}

/// Ids as lists show them.
pub fn sorted(mut ids: Vec<Id>) -> Vec<Id> {
    ids.sort_unstable();
    ids
}

/// What clients see of a server.
pub fn shown(project: &Project, slot: Slot) -> Value {
    let server = &project.servers[&slot];
    let address = |family| primary_ip::of_server(project, slot, family).map(|ip| json!({"id": ip.id, "ip": ip.ip}));
    let volumes =
        project.volumes.values().filter(|volume| volume.server == Some(slot)).map(|volume| volume.id).collect();
    let floating = project.floating_ips.values().filter(|ip| ip.server == Some(slot)).map(|ip| ip.id).collect();
    json!({
        "id": server.id, "name": name(Kind::Server, slot), "status": server.status, "locked": !server.work.is_empty(),
        "location": {"name": server.place.location()}, "labels": labels(server.label),
        "protection": {"delete": server.protected, "rebuild": server.protected},
        "public_net": {"ipv4": address(4), "ipv6": address(6), "floating_ips": sorted(floating)},
        "volumes": sorted(volumes), "private_net": network::private_net(project, Member::Server(slot)),
        "load_balancers": load_balancer::of_server(project, slot),
    })
}
