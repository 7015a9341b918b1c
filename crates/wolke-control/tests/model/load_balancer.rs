//! Load balancers: services, targets, and the network that they are in. What is predicted of them stands in `load_balancer/rules.rs`.

mod rules;

use crate::model::{Label, Place, Project, Ref, Slot, any_label, any_place, any_ref, any_slot, labels, name};
use crate::network::{self, Member};
use crate::primary_ip;
use crate::system::{json, request};
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any as any_of};
use proptest::{option, prop_oneof};
pub use rules::{aims_publicly_at, of_server, release, shown};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use wolke_control::{Caller, Control};
use wolke_domain::Result;
use wolke_wire::{Id, Kind};

/// Services that the type allows.
const SERVICES_MAX: usize = 5;
/// An address of a dedicated server, as the operator has said.
pub const DEDICATED: &str = "203.0.113.7";
/// Whether a server with this label is meant.
type Matches = fn(Label) -> bool;
/// Selectors, and whom they match.
const SELECTORS: [(&str, Matches); 3] =
    [("env=e0", |label| label == Some(0)), ("env", |label| label.is_some()), ("env!=e1", |label| label != Some(1))];

/// Where a new one is looked at before it is known whether its slot is free.
const BESIDE: Slot = 255;

#[derive(Clone, Debug)]
pub struct Balancer {
    pub id: Id,
    place: Place,
    public: bool,
    services: Vec<u16>,
    targets: Vec<(To, bool)>,
    ips: [String; 2],
    protected: bool,
    label: Label,
}

/// A target, as the model knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Server(Slot),
    Selector(usize),
    Ip(Ip),
}

/// An address, by whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ip {
    Dedicated,
    Nobody,
    Cloud,
    /// In the range of private networks, behind no vSwitch.
    Private,
}

/// A target, as a transition names it.
#[derive(Clone, Copy, Debug)]
pub enum Aim {
    Server(Ref),
    Selector(usize),
    Ip(Ip),
}

#[derive(Clone, Debug)]
pub struct New {
    pub slot: Slot,
    place: Place,
    public: bool,
    network: Option<Ref>,
    services: Vec<u16>,
    targets: Vec<(Aim, bool)>,
    label: Label,
}

#[derive(Clone, Debug)]
pub enum Step {
    Create(New),
    Delete(Ref),
    AddService { balancer: Ref, port: u16 },
    DeleteService { balancer: Ref, port: u16 },
    AddTarget { balancer: Ref, to: Aim, private: bool },
    RemoveTarget { balancer: Ref, to: Aim },
    Attach { balancer: Ref, network: Ref, ip: Option<Ipv4Addr> },
    Detach { balancer: Ref, network: Ref },
    Public { balancer: Ref, on: bool },
    Protect { balancer: Ref, on: bool },
    Relabel { balancer: Ref, label: Label },
}

fn any_aim() -> BoxedStrategy<Aim> {
    let ip = prop_oneof![2 => Just(Ip::Dedicated), 1 => Just(Ip::Nobody), 1 => Just(Ip::Cloud), 1 => Just(Ip::Private)];
    prop_oneof![
        6 => any_ref(Kind::Server).prop_map(Aim::Server),
        3 => (0..SELECTORS.len()).prop_map(Aim::Selector),
        1 => ip.prop_map(Aim::Ip),
    ]
    .boxed()
}

/// Few ports, so that they meet; more than a type allows services.
fn any_port() -> BoxedStrategy<u16> {
    (80..87_u16).boxed()
}

fn any_new() -> BoxedStrategy<New> {
    let public = prop_oneof![4 => Just(true), 1 => Just(false)];
    let network = option::weighted(0.4, any_ref(Kind::Network));
    let targets = prop_oneof![2 => Just(Vec::new()), 1 => vec((any_aim(), any_of::<bool>()), 1..3)];
    (any_slot(), any_place(), public, network, vec(any_port(), 0..3), targets, any_label())
        .prop_map(|(slot, place, public, network, services, targets, label)| New {
            slot,
            place,
            public,
            network,
            services,
            targets,
            label,
        })
        .boxed()
}

pub fn create() -> BoxedStrategy<Step> {
    any_new().prop_map(Step::Create).boxed()
}

pub fn any() -> BoxedStrategy<Step> {
    let balancer = || any_ref(Kind::LoadBalancer);
    let network = || any_ref(Kind::Network);
    let attach = (balancer(), network()).prop_flat_map(|(balancer, network)| {
        network::any_ip(network.slot).prop_map(move |ip| Step::Attach { balancer, network, ip })
    });
    prop_oneof![
        5 => create(),
        1 => balancer().prop_map(Step::Delete),
        3 => (balancer(), any_port()).prop_map(|(balancer, port)| Step::AddService { balancer, port }),
        1 => (balancer(), any_port()).prop_map(|(balancer, port)| Step::DeleteService { balancer, port }),
        6 => (balancer(), any_aim(), any_of::<bool>())
            .prop_map(|(balancer, to, private)| Step::AddTarget { balancer, to, private }),
        2 => (balancer(), any_aim()).prop_map(|(balancer, to)| Step::RemoveTarget { balancer, to }),
        3 => attach,
        1 => (balancer(), network()).prop_map(|(balancer, network)| Step::Detach { balancer, network }),
        1 => (balancer(), any_of::<bool>()).prop_map(|(balancer, on)| Step::Public { balancer, on }),
        1 => (balancer(), any_of::<bool>()).prop_map(|(balancer, on)| Step::Protect { balancer, on }),
        1 => (balancer(), any_label()).prop_map(|(balancer, label)| Step::Relabel { balancer, label }),
    ]
    .boxed()
}

impl Ip {
    const fn text(self) -> &'static str {
        match self {
            Self::Dedicated => DEDICATED,
            Self::Nobody => "203.0.113.8",
            Self::Cloud => "198.18.0.1",
            Self::Private => "10.0.0.5",
        }
    }
}

impl Aim {
    fn body(self, private: Option<bool>, id: &impl Fn(Ref) -> Id) -> Value {
        match self {
            Self::Server(server) => json!({"type": "server", "server": {"id": id(server)}, "use_private_ip": private}),
            Self::Selector(n) => {
                json!({"type": "label_selector", "label_selector": {"selector": SELECTORS[n].0}, "use_private_ip": private})
            }
            Self::Ip(ip) => json!({"type": "ip", "ip": {"ip": ip.text()}, "use_private_ip": private}),
        }
    }
}

impl Step {
    pub fn refs(&mut self) -> Vec<&mut Ref> {
        fn aimed(aim: &mut Aim) -> Option<&mut Ref> {
            if let Aim::Server(server) = aim { Some(server) } else { None }
        }
        match self {
            Self::Create(new) => {
                let named = new.targets.iter_mut().filter_map(|(aim, _)| aimed(aim));
                new.network.iter_mut().chain(named).collect()
            }
            Self::AddTarget { balancer, to, .. } | Self::RemoveTarget { balancer, to } => {
                std::iter::once(balancer).chain(aimed(to)).collect()
            }
            Self::Attach { balancer, network, .. } | Self::Detach { balancer, network } => vec![balancer, network],
            Self::Delete(balancer)
            | Self::AddService { balancer, .. }
            | Self::DeleteService { balancer, .. }
            | Self::Public { balancer, .. }
            | Self::Protect { balancer, .. }
            | Self::Relabel { balancer, .. } => vec![balancer],
        }
    }

    pub async fn perform(&self, control: &Control, caller: &Caller, id: &impl Fn(Ref) -> Id) -> Result<Value> {
        let answer = match *self {
            Self::Create(ref new) => {
                let targets: Vec<Value> = new.targets.iter().map(|(to, private)| to.body(Some(*private), id)).collect();
                let services: Vec<Value> = new.services.iter().map(|port| service(*port)).collect();
                let body = json!({
                    "name": name(Kind::LoadBalancer, new.slot), "load_balancer_type": "lb11",
                    "location": new.place.location(), "public_interface": new.public, "network": new.network.map(id),
                    "services": services, "targets": targets, "labels": labels(new.label),
                });
                control.create_load_balancer(caller, request(body)).await
            }
            Self::Delete(balancer) => control.delete_load_balancer(caller, id(balancer)).await,
            Self::AddService { balancer, port } => {
                control.add_load_balancer_service(caller, id(balancer), request(service(port))).await
            }
            Self::DeleteService { balancer, port } => {
                let body = json!({"listen_port": port});
                control.delete_load_balancer_service(caller, id(balancer), request(body)).await
            }
            Self::AddTarget { balancer, to, private } => {
                let body = to.body(Some(private), id);
                control.add_load_balancer_target(caller, id(balancer), request(body)).await
            }
            Self::RemoveTarget { balancer, to } => {
                control.remove_load_balancer_target(caller, id(balancer), request(to.body(None, id))).await
            }
            Self::Attach { balancer, network, ip } => {
                let body = json!({"network": id(network), "ip": ip});
                control.attach_load_balancer(caller, id(balancer), request(body)).await
            }
            Self::Detach { balancer, network } => {
                let body = json!({"network": id(network)});
                control.detach_load_balancer(caller, id(balancer), request(body)).await
            }
            Self::Public { balancer, on: true } => control.enable_public_interface(caller, id(balancer)).await,
            Self::Public { balancer, on: false } => control.disable_public_interface(caller, id(balancer)).await,
            Self::Protect { balancer, on } => {
                let change = request(json!({"delete": on}));
                control.change_load_balancer_protection(caller, id(balancer), change).await
            }
            Self::Relabel { balancer, label } => {
                let update = request(json!({"labels": labels(label)}));
                control.update_load_balancer(caller, id(balancer), update).await
            }
        };
        answer.map(json)
    }

    pub fn learn(&self, project: &mut Project, answer: &Value) {
        if let Self::Create(New { slot, .. }) = self {
            let (new, shown) = (project.balancers.get_mut(slot).unwrap(), &answer["load_balancer"]);
            new.id = shown["id"].as_i64().unwrap();
            new.ips = ["ipv4", "ipv6"].map(|member| shown["public_net"][member]["ip"].as_str().unwrap().to_owned());
            primary_ip::learn_brought(project, Member::Balancer(*slot), &shown["public_net"]);
        }
    }
}

fn service(port: u16) -> Value {
    json!({"protocol": "tcp", "listen_port": port, "destination_port": port, "proxyprotocol": false})
}
