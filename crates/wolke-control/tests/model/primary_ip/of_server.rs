//! What servers and load balancers do with primary IPs: they bring some along, take others, and let go of all.

use super::PrimaryIp;
use crate::model::{Place, Predicted, Project, Ref, Slot, at};
use crate::network::Member;
use serde_json::Value;
use wolke_wire::{ErrorCode, Kind};

/// The first slot of addresses that servers bring along.
const BROUGHT: Slot = 100;
/// A new server takes an address that is there already.
pub fn take(project: &mut Project, server: Slot, place: Place, family: u8, ip: Ref) -> Predicted {
    let found = at(&mut project.ips, ip)?;
    if found.family != family {
        return Err(ErrorCode::PrimaryIpVersionMismatch);
    }
    if found.assignee.is_some() {
        return Err(ErrorCode::PrimaryIpAssigned);
    }
    if found.place != place {
        return Err(ErrorCode::PrimaryIpDatacenterMismatch);
    }
    found.assignee = Some(Member::Server(server));
    Ok(())
}

/// Somebody new brings an address along.
pub fn bring(project: &mut Project, holder: Member, place: Place, family: u8) {
    let slot = (BROUGHT..).find(|slot| !project.ips.contains_key(slot)).unwrap();
    let (id, ip, name) = (0, String::new(), String::new());
    let assignee = Some(holder);
    let new = PrimaryIp { id, ip, name, family, assignee, auto_delete: true, place, protected: false, label: None };
    project.ips.insert(slot, new);
}

/// The address of a family that a server has.
pub fn of_server(project: &Project, server: Slot, family: u8) -> Option<&PrimaryIp> {
    of_holder(project, Member::Server(server), family)
}

/// The address of a family that somebody has.
pub fn of_holder(project: &Project, holder: Member, family: u8) -> Option<&PrimaryIp> {
    project.ips.values().find(|ip| ip.assignee == Some(holder) && ip.family == family)
}

/// Somebody is known by another slot.
pub fn rename(project: &mut Project, from: Member, to: Member) {
    let all = project.ips.values_mut().filter(|ip| ip.assignee == Some(from));
    all.for_each(|ip| ip.assignee = Some(to));
}

/// Somebody new shows which addresses it has brought along.
pub fn learn_brought(project: &mut Project, holder: Member, public_net: &Value) {
    for (family, member) in [(4, "ipv4"), (6, "ipv6")] {
        let is_its = |ip: &&mut PrimaryIp| ip.assignee == Some(holder) && ip.family == family && ip.id == 0;
        if let Some(ip) = project.ips.values_mut().find(is_its) {
            ip.id = public_net[member]["id"].as_i64().unwrap();
            let shown = public_net[member]["ip"].as_str().unwrap();
            // Of a network load balancers show the first address.
            let first = shown.strip_suffix("::1").map(|network| format!("{network}::/64"));
            ip.ip = first.unwrap_or_else(|| shown.to_owned());
            ip.name = format!("primary_ip-{}", ip.id);
        }
    }
}

/// Somebody is gone: what it has brought along goes with it, the rest is free.
pub fn release(project: &mut Project, holder: Member) {
    let its: Vec<Slot> = project.ips.iter().filter(|(_, ip)| ip.assignee == Some(holder)).map(|(s, _)| *s).collect();
    for slot in its {
        if project.ips[&slot].auto_delete {
            let gone = project.ips.remove(&slot).unwrap();
            project.bury(Kind::PrimaryIp, slot, gone.id);
        } else {
            project.ips.get_mut(&slot).unwrap().assignee = None;
        }
    }
}
