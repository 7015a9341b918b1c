//! Floating IPs.

use crate::model::{
    Label, Place, Predicted, Project, Ref, Slot, Where, any_label, any_ref, any_slot, any_where, at, labels, name,
};
use crate::server;
use crate::system::{json, request};
use proptest::prelude::{BoxedStrategy, Strategy, any as any_of};
use proptest::prop_oneof;
use serde_json::{Value, json};
use wolke_control::{Caller, Control};
use wolke_domain::Result;
use wolke_wire::{ErrorCode, Id, Kind};

#[derive(Clone, Debug)]
pub struct FloatingIp {
    pub id: Id,
    pub server: Option<Slot>,
    ip: String,
    family: u8,
    home: Place,
    protected: bool,
    label: Label,
}

#[derive(Clone, Debug)]
pub enum Step {
    Create { slot: Slot, ipv6: bool, at: Where, label: Label },
    Delete(Ref),
    Assign { ip: Ref, server: Ref },
    Unassign(Ref),
    Protect { ip: Ref, on: bool },
    Relabel { ip: Ref, label: Label },
}

pub fn create() -> BoxedStrategy<Step> {
    (any_slot(), any_of::<bool>(), any_where(), any_label())
        .prop_map(|(slot, ipv6, at, label)| Step::Create { slot, ipv6, at, label })
        .boxed()
}

pub fn any() -> BoxedStrategy<Step> {
    let ip = || any_ref(Kind::FloatingIp);
    let server = || any_ref(Kind::Server);
    prop_oneof![
        3 => create(),
        1 => ip().prop_map(Step::Delete),
        3 => (ip(), server()).prop_map(|(ip, server)| Step::Assign { ip, server }),
        1 => ip().prop_map(Step::Unassign),
        1 => (ip(), any_of::<bool>()).prop_map(|(ip, on)| Step::Protect { ip, on }),
        1 => (ip(), any_label()).prop_map(|(ip, label)| Step::Relabel { ip, label }),
    ]
    .boxed()
}

impl Step {
    pub fn refs(&mut self) -> Vec<&mut Ref> {
        match self {
            Self::Create { at: Where::In(_), .. } => Vec::new(),
            Self::Create { at: Where::With(server), .. } => vec![server],
            Self::Assign { ip, server } => vec![ip, server],
            Self::Delete(ip) | Self::Unassign(ip) | Self::Protect { ip, .. } | Self::Relabel { ip, .. } => vec![ip],
        }
    }

    pub fn predict(&self, project: &mut Project) -> Predicted {
        match *self {
            Self::Create { slot, ipv6, at, label } => {
                let (server, home) = match at {
                    Where::In(place) => (None, place),
                    Where::With(server) => {
                        server::receiver(project, server).map(|(slot, place)| (Some(slot), place))?
                    }
                };
                if project.floating_ips.contains_key(&slot) {
                    return Err(ErrorCode::UniquenessError);
                }
                let (id, ip, family, protected) = (0, String::new(), if ipv6 { 6 } else { 4 }, false);
                project.floating_ips.insert(slot, FloatingIp { id, server, ip, family, home, protected, label });
            }
            Self::Delete(ip) => {
                let found = at(&mut project.floating_ips, ip)?;
                if found.protected {
                    return Err(ErrorCode::Protected);
                }
                if found.server.is_some() {
                    return Err(ErrorCode::MustBeUnassigned);
                }
                let id = found.id;
                project.floating_ips.remove(&ip.slot);
                project.bury(Kind::FloatingIp, ip.slot, id);
            }
            Self::Assign { ip, server } => {
                at(&mut project.floating_ips, ip)?;
                let (server, _) = server::receiver(project, server)?;
                let found = at(&mut project.floating_ips, ip)?;
                if found.server == Some(server) {
                    return Err(ErrorCode::FloatingIpAssigned);
                }
                found.server = Some(server);
            }
            Self::Unassign(ip) => at(&mut project.floating_ips, ip)?.server = None,
            Self::Protect { ip, on } => at(&mut project.floating_ips, ip)?.protected = on,
            Self::Relabel { ip, label } => at(&mut project.floating_ips, ip)?.label = label,
        }
        Ok(())
    }

    pub async fn perform(&self, control: &Control, caller: &Caller, id: &impl Fn(Ref) -> Id) -> Result<Value> {
        let answer = match *self {
            Self::Create { slot, ipv6, at, label } => {
                let kind = if ipv6 { "ipv6" } else { "ipv4" };
                let mut body = json!({"name": name(Kind::FloatingIp, slot), "type": kind, "labels": labels(label)});
                match at {
                    Where::In(place) => body["home_location"] = place.location().into(),
                    Where::With(server) => body["server"] = id(server).into(),
                }
                control.create_floating_ip(caller, request(body)).await
            }
            Self::Delete(ip) => return control.delete_floating_ip(caller, id(ip)).await.map(|()| Value::Null),
            Self::Assign { ip, server } => {
                control.assign_floating_ip(caller, id(ip), request(json!({"server": id(server)}))).await
            }
            Self::Unassign(ip) => control.unassign_floating_ip(caller, id(ip)).await,
            Self::Protect { ip, on } => {
                control.change_floating_ip_protection(caller, id(ip), request(json!({"delete": on}))).await
            }
            Self::Relabel { ip, label } => {
                control.update_floating_ip(caller, id(ip), request(json!({"labels": labels(label)}))).await
            }
        };
        answer.map(json)
    }

    pub fn learn(&self, project: &mut Project, answer: &Value) {
        if let Self::Create { slot, .. } = self {
            let (new, shown) = (project.floating_ips.get_mut(slot).unwrap(), &answer["floating_ip"]);
            new.id = shown["id"].as_i64().unwrap();
            new.ip = shown["ip"].as_str().unwrap().to_owned();
        }
    }
}

/// What clients see of a floating IP.
pub fn shown(project: &Project, slot: Slot) -> Value {
    let ip = &project.floating_ips[&slot];
    json!({
        "id": ip.id, "name": name(Kind::FloatingIp, slot), "ip": ip.ip,
        "type": if ip.family == 4 { "ipv4" } else { "ipv6" },
        "server": ip.server.map(|server| project.servers[&server].id),
        "home_location": {"name": ip.home.location()}, "blocked": false,
        "protection": {"delete": ip.protected}, "labels": labels(ip.label),
    })
}
