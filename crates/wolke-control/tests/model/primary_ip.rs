//! Primary IPs.

use crate::model::{Label, Place, Project, Slot, labels, name};
use serde_json::{Value, json};
use wolke_wire::{Id, Kind};

/// The first slot of addresses that servers bring along.
const BROUGHT: Slot = 100;

#[derive(Clone, Debug)]
pub struct PrimaryIp {
    pub id: Id,
    pub ip: String,
    pub name: String,
    pub family: u8,
    pub assignee: Option<Slot>,
    pub auto_delete: bool,
    pub place: Place,
    pub protected: bool,
    pub label: Label,
}

/// A new server brings its own address along.
pub fn bring(project: &mut Project, server: Slot, place: Place, family: u8) {
    let slot = (BROUGHT..).find(|slot| !project.ips.contains_key(slot)).unwrap();
    let (id, ip, name) = (0, String::new(), String::new());
    let assignee = Some(server);
    let new = PrimaryIp { id, ip, name, family, assignee, auto_delete: true, place, protected: false, label: None };
    project.ips.insert(slot, new);
}

/// The address of a family that a server has.
pub fn of_server(project: &Project, server: Slot, family: u8) -> Option<&PrimaryIp> {
    project.ips.values().find(|ip| ip.assignee == Some(server) && ip.family == family)
}

/// A new server shows which addresses it has brought along.
pub fn learn_brought(project: &mut Project, server: Slot, public_net: &Value) {
    for (family, member) in [(4, "ipv4"), (6, "ipv6")] {
        let of_server = |ip: &&mut PrimaryIp| ip.assignee == Some(server) && ip.family == family && ip.id == 0;
        if let Some(ip) = project.ips.values_mut().find(of_server) {
            ip.id = public_net[member]["id"].as_i64().unwrap();
            ip.ip = public_net[member]["ip"].as_str().unwrap().to_owned();
            ip.name = format!("primary_ip-{}", ip.id);
        }
    }
}

/// A server is gone: what it has brought along goes with it, the rest is free.
pub fn release(project: &mut Project, server: Slot) {
    let of_server: Vec<Slot> =
        project.ips.iter().filter(|(_, ip)| ip.assignee == Some(server)).map(|(s, _)| *s).collect();
    for slot in of_server {
        if project.ips[&slot].auto_delete {
            let gone = project.ips.remove(&slot).unwrap();
            project.bury(Kind::PrimaryIp, slot, gone.id);
        } else {
            project.ips.get_mut(&slot).unwrap().assignee = None;
        }
    }
}

/// What clients see of a primary IP.
pub fn shown(project: &Project, slot: Slot) -> Value {
    let ip = &project.ips[&slot];
    let name = if slot < BROUGHT { name(Kind::PrimaryIp, slot) } else { ip.name.clone() };
    json!({
        "id": ip.id, "name": name, "ip": ip.ip, "type": if ip.family == 4 { "ipv4" } else { "ipv6" },
        "assignee_type": "server", "assignee_id": ip.assignee.map(|server| project.servers[&server].id),
        "auto_delete": ip.auto_delete, "location": {"name": ip.place.location()},
        "protection": {"delete": ip.protected}, "labels": labels(ip.label),
    })
}
