//! What is predicted of load balancers, and what clients see of them and of the health of their targets.

use super::{Aim, BESIDE, Balancer, Ip, New, SELECTORS, SERVICES_MAX, Step, To};
use crate::model::{Predicted, Project, Slot, at, labels, name};
use crate::network::{self, Member};
use crate::{primary_ip, server};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use wolke_wire::{ErrorCode, Id, Kind};

impl Aim {
    /// The target that is meant; a server that does not exist, or is another's, is none.
    fn to(self, project: &Project) -> Result<To, ErrorCode> {
        match self {
            Self::Server(server) if project.servers.contains_key(&server.own()?) => Ok(To::Server(server.slot)),
            Self::Server(_) => Err(ErrorCode::NotFound),
            Self::Selector(n) => Ok(To::Selector(n)),
            Self::Ip(ip) => Ok(To::Ip(ip)),
        }
    }
}

/// Load balancers of which a server is a target, named or selected.
fn aiming_at(project: &Project, server: Slot) -> impl Iterator<Item = &Balancer> {
    let label = project.servers[&server].label;
    project.balancers.values().filter(move |balancer| {
        balancer.targets.iter().any(|(to, _)| match to {
            To::Server(slot) => *slot == server,
            To::Selector(n) => SELECTORS[*n].1(label),
            To::Ip(_) => false,
        })
    })
}

/// The ids of those.
pub fn of_server(project: &Project, server: Slot) -> Vec<Id> {
    server::sorted(aiming_at(project, server).map(|balancer| balancer.id).collect())
}

/// Whether a load balancer names a server and reaches it by its public address.
pub fn aims_publicly_at(project: &Project, server: Slot) -> bool {
    project.balancers.values().any(|balancer| balancer.targets.contains(&(To::Server(server), false)))
}

/// A server is gone.
pub fn release(project: &mut Project, server: Slot) {
    project.balancers.values_mut().for_each(|one| one.targets.retain(|(to, _)| *to != To::Server(server)));
}

/// Whether there is a way to servers by one of the two networks.
fn check_way(balancer: &Balancer, network: Option<Slot>, private: bool) -> Predicted {
    match private {
        true if network.is_none() => Err(ErrorCode::LoadBalancerNotAttachedToNetwork),
        false if !balancer.public => Err(ErrorCode::LoadBalancerPublicInterfaceDisabled),
        _ => Ok(()),
    }
}

fn add_target(project: &mut Project, slot: Slot, aim: Aim, private: bool) -> Predicted {
    let to = aim.to(project)?;
    let (balancer, network) = (&project.balancers[&slot], network::of_balancer(project, slot));
    if balancer.targets.iter().any(|(known, _)| *known == to) {
        return Err(ErrorCode::TargetAlreadyDefined);
    }
    match to {
        To::Server(server) => {
            if project.servers[&server].doomed {
                return Err(ErrorCode::Locked);
            }
            check_way(balancer, network, private)?;
            if private && !network.is_some_and(|network| project.networks[&network].has(Member::Server(server))) {
                return Err(ErrorCode::ServerNotAttachedToNetwork);
            }
            if !private && primary_ip::of_server(project, server, 4).is_none() {
                return Err(ErrorCode::MissingIpv4);
            }
        }
        To::Selector(_) => check_way(balancer, network, private)?,
        To::Ip(Ip::Dedicated) => check_way(balancer, network, false)?,
        To::Ip(Ip::Nobody) => return Err(ErrorCode::IpNotOwned),
        To::Ip(Ip::Cloud) => return Err(ErrorCode::CloudResourceIpNotAllowed),
        To::Ip(Ip::Private) => {
            let ip = u32::from(Ip::Private.text().parse::<Ipv4Addr>().unwrap());
            return Err(match network {
                None => ErrorCode::LoadBalancerNotAttachedToNetwork,
                Some(network) if project.networks[&network].has_subnet_with(ip) => ErrorCode::CloudResourceIpNotAllowed,
                Some(_) => ErrorCode::IpNotOwned,
            });
        }
    }
    project.balancers.get_mut(&slot).unwrap().targets.push((to, private));
    Ok(())
}

fn create(project: &mut Project, new: &New) -> Predicted {
    let New { slot, place, public, network, label, .. } = *new;
    if new.targets.iter().any(|(to, private)| matches!(to, Aim::Ip(_)) && *private) {
        return Err(ErrorCode::InvalidInput);
    }
    if new.services.iter().enumerate().any(|(n, port)| new.services[..n].contains(port)) {
        return Err(ErrorCode::SourcePortAlreadyUsed);
    }
    let network = network.map(|network| at(&mut project.networks, network).map(|_| network.slot)).transpose()?;
    let is_taken = project.balancers.contains_key(&slot);
    // Whether the name is taken is asked last: until then the new one stands beside whoever has it.
    let (id, services, targets, ips) = (0, new.services.clone(), Vec::new(), Default::default());
    project.balancers.insert(BESIDE, Balancer { id, place, public, services, targets, ips, protected: false, label });
    [4, 6].into_iter().for_each(|family| primary_ip::bring(project, Member::Balancer(BESIDE), place, family));
    if let Some(network) = network {
        network::join(project, network, Member::Balancer(BESIDE), place, None)?;
    }
    new.targets.iter().try_for_each(|(aim, private)| add_target(project, BESIDE, *aim, *private))?;
    if is_taken {
        return Err(ErrorCode::UniquenessError);
    }
    let new = project.balancers.remove(&BESIDE).unwrap();
    project.balancers.insert(slot, new);
    network::rename(project, Member::Balancer(BESIDE), Member::Balancer(slot));
    primary_ip::rename(project, Member::Balancer(BESIDE), Member::Balancer(slot));
    Ok(())
}

impl Step {
    pub fn predict(&self, project: &mut Project) -> Predicted {
        match *self {
            Self::Create(ref new) => create(project, new)?,
            Self::Delete(balancer) => {
                let found = at(&mut project.balancers, balancer)?;
                if found.protected {
                    return Err(ErrorCode::Protected);
                }
                let id = found.id;
                project.balancers.remove(&balancer.slot);
                network::release(project, Member::Balancer(balancer.slot));
                primary_ip::release(project, Member::Balancer(balancer.slot));
                project.bury(Kind::LoadBalancer, balancer.slot, id);
            }
            Self::AddService { balancer, port } => {
                let services = &mut at(&mut project.balancers, balancer)?.services;
                if services.contains(&port) {
                    return Err(ErrorCode::SourcePortAlreadyUsed);
                }
                if services.len() >= SERVICES_MAX {
                    return Err(ErrorCode::ResourceLimitExceeded);
                }
                services.push(port);
            }
            Self::DeleteService { balancer, port } => {
                let services = &mut at(&mut project.balancers, balancer)?.services;
                let found = services.iter().position(|one| *one == port).ok_or(ErrorCode::NotFound)?;
                services.remove(found);
            }
            // What is wrong in itself is said before anything is looked up.
            Self::AddTarget { to: Aim::Ip(_), private: true, .. } => return Err(ErrorCode::InvalidInput),
            Self::AddTarget { balancer, to, private } => {
                at(&mut project.balancers, balancer)?;
                add_target(project, balancer.slot, to, private)?;
            }
            Self::RemoveTarget { balancer, to } => {
                at(&mut project.balancers, balancer)?;
                let to = to.to(project)?;
                let targets = &mut at(&mut project.balancers, balancer)?.targets;
                let found = targets.iter().position(|(one, _)| *one == to).ok_or(ErrorCode::NotFound)?;
                targets.remove(found);
            }
            Self::Attach { balancer, network, ip } => {
                let place = at(&mut project.balancers, balancer)?.place;
                at(&mut project.networks, network)?;
                if network::of_balancer(project, balancer.slot).is_some() {
                    return Err(ErrorCode::LoadBalancerAlreadyAttached);
                }
                network::join(project, network.slot, Member::Balancer(balancer.slot), place, ip)?;
            }
            Self::Detach { balancer, network } => {
                at(&mut project.balancers, balancer)?;
                network::leave(project, network, Member::Balancer(balancer.slot))?;
            }
            Self::Public { balancer, on } => {
                at(&mut project.balancers, balancer)?;
                if !on {
                    check_private_only(project, balancer.slot)?;
                }
                at(&mut project.balancers, balancer)?.public = on;
            }
            Self::Protect { balancer, on } => at(&mut project.balancers, balancer)?.protected = on,
            Self::Relabel { balancer, label } => at(&mut project.balancers, balancer)?.label = label,
        }
        Ok(())
    }
}

fn check_private_only(project: &Project, slot: Slot) -> Predicted {
    if network::of_balancer(project, slot).is_none() {
        return Err(ErrorCode::LoadBalancerNotAttachedToNetwork);
    }
    let is_private = |(_, private): &(To, bool)| *private;
    if project.balancers[&slot].targets.iter().all(is_private) {
        Ok(())
    } else {
        Err(ErrorCode::TargetsWithoutUsePrivateIp)
    }
}

/// The health of a target at each service: well when there is a way to it and it runs.
fn health(balancer: &Balancer, is_well: bool) -> Value {
    let status = if is_well { "healthy" } else { "unhealthy" };
    balancer.services.iter().map(|port| json!({"listen_port": port, "status": status})).collect()
}

fn server_target(project: &Project, slot: Slot, server: Slot, private: bool) -> Value {
    let (balancer, found) = (&project.balancers[&slot], &project.servers[&server]);
    let network = network::of_balancer(project, slot);
    let has_way = match private {
        true => network.is_some_and(|network| project.networks[&network].has(Member::Server(server))),
        false => balancer.public && primary_ip::of_server(project, server, 4).is_some(),
    };
    let runs = ["running", "stopping"].contains(&found.status.as_str());
    json!({
        "type": "server", "server": {"id": found.id}, "use_private_ip": private,
        "health_status": health(balancer, has_way && runs),
    })
}

fn target(project: &Project, slot: Slot, (to, private): (To, bool)) -> Value {
    match to {
        To::Server(server) => server_target(project, slot, server, private),
        To::Selector(n) => {
            let (selector, matches) = SELECTORS[n];
            let matching = project.servers.iter().filter(|(_, server)| matches(server.label));
            let mut matching: Vec<(Id, Slot)> = matching.map(|(slot, server)| (server.id, *slot)).collect();
            matching.sort_unstable();
            let targets: Value =
                matching.into_iter().map(|(_, server)| server_target(project, slot, server, private)).collect();
            json!({
                "type": "label_selector", "label_selector": {"selector": selector}, "use_private_ip": private,
                "targets": targets,
            })
        }
        To::Ip(ip) => {
            let balancer = &project.balancers[&slot];
            json!({"type": "ip", "ip": {"ip": ip.text()}, "health_status": health(balancer, balancer.public)})
        }
    }
}

/// What clients see of a load balancer.
pub fn shown(project: &Project, slot: Slot) -> Value {
    let balancer = &project.balancers[&slot];
    let services: Value =
        balancer.services.iter().map(|port| json!({"listen_port": port, "protocol": "tcp"})).collect();
    let targets: Value = balancer.targets.iter().map(|aim| target(project, slot, *aim)).collect();
    let [ipv4, ipv6] = &balancer.ips;
    let id = |family| primary_ip::of_holder(project, Member::Balancer(slot), family).map(|ip| ip.id);
    json!({
        "id": balancer.id, "name": name(Kind::LoadBalancer, slot), "location": {"name": balancer.place.location()},
        "public_net": {"enabled": balancer.public, "ipv4": {"id": id(4), "ip": ipv4}, "ipv6": {"id": id(6), "ip": ipv6}},
        "private_net": network::private_net(project, Member::Balancer(slot)),
        "services": services, "targets": targets, "labels": labels(balancer.label),
        "protection": {"delete": balancer.protected},
    })
}
