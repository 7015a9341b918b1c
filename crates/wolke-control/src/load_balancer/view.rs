//! How load balancers look, with the health of their targets.
//!
//! Of the servers that selectors match, a load balancer uses as many as its type has room for (`room.rs`). So an answer stays
//! small however many servers are relabelled.

use super::room::room;
use super::{health, kind_of, metrics, public_ip, this};
use crate::view::View;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use wolke_domain::catalogue::LoadBalancerType;
use wolke_domain::firewall::{Interface, Packet, allows};
use wolke_domain::load_balancer::health::{Guest, Met, Told, judge};
use wolke_domain::load_balancer::reach::{self, Ways};
use wolke_domain::load_balancer::{Aim, Target};
use wolke_domain::network::Plan;
use wolke_domain::{Error, Result, reverse_dns};
use wolke_store::guest::{self, Answer, Who};
use wolke_store::load_balancer::{self, Details, LoadBalancer, MetServer};
use wolke_store::primary_ip::{self, PrimaryIp};
use wolke_store::{Stored, Tx, firewall, network};
use wolke_wire::cloud::firewall::{Direction, Protocol, Rule};
use wolke_wire::cloud::load_balancer as wire;
use wolke_wire::cloud::{DeleteProtection, Embed};
use wolke_wire::{Id, Kind};

/// A load balancer as the contract shows it: the superset of all dialects.
pub(crate) fn to_wire(tx: &mut dyn Tx, view: &View<'_>, balancer: &LoadBalancer) -> Result<wire::LoadBalancer> {
    let (details, now) = (&balancer.details, tx.now());
    let kind = kind_of(&view.catalogue, details.load_balancer_type)?;
    let included = kind.offers.iter().find(|offer| offer.location == details.location);
    let interfaces = network::interfaces(tx, this(balancer.id))?;
    let ways =
        Ways { public: details.public_interface, network: interfaces.first().map(|interface| interface.network) };
    let targets = targets(tx, ways, kind, balancer)?;
    let traffic = metrics::traffic(balancer, now);
    let primary_ips = primary_ip::of_load_balancer(tx, balancer.id)?;
    Ok(wire::LoadBalancer {
        id: balancer.id,
        name: balancer.name.clone(),
        public_net: wire::PublicNet {
            enabled: details.public_interface,
            ipv4: public_address(&primary_ips, details, 4),
            ipv6: public_address(&primary_ips, details, 6),
        },
        private_net: interfaces
            .iter()
            .map(|interface| wire::PrivateNet { network: interface.network, ip: interface.ip.to_string() })
            .collect(),
        location: Embed(Kind::Location, details.location),
        load_balancer_type: Embed(Kind::LoadBalancerType, details.load_balancer_type),
        protection: DeleteProtection { delete: details.delete_protected },
        labels: details.labels.clone(),
        created: balancer.created,
        services: details.services.clone(),
        targets: health::shown(tx, balancer.id, targets)?,
        algorithm: wire::Algorithm { kind: details.algorithm },
        outgoing_traffic: Some(traffic.outgoing),
        ingoing_traffic: Some(traffic.ingoing),
        included_traffic: included.map_or(0, |offer| offer.included_traffic),
    })
}

/// An address with what its primary IP says of it. An IPv4 address has an entry always, an IPv6 address when somebody set it.
fn public_address(primary_ips: &[Stored<PrimaryIp>], details: &Details, family: i64) -> wire::PublicAddress {
    let ip = public_ip(details, family).ip.clone();
    let own = primary_ips.iter().map(|stored| &stored.value).find(|own| own.family == family);
    let entry = own.and_then(|own| own.details.dns_ptr.get(&ip).cloned());
    let dns_ptr = entry.or_else(|| ip.parse().ok().map(reverse_dns::default_name));
    let blocked = own.is_some_and(|own| own.details.blocked);
    wire::PublicAddress { id: own.map(|own| own.id), ip: Some(ip), blocked, dns_ptr }
}

/// The targets of a load balancer, each with what checks of its services find now.
///
/// # Errors
/// The engine's failure.
pub(super) fn targets(
    tx: &mut dyn Tx,
    ways: Ways,
    kind: &LoadBalancerType,
    balancer: &LoadBalancer,
) -> Result<Vec<wire::Target>> {
    Looks::new(tx, balancer, ways, kind)?.targets(tx)
}

/// What is looked up to judge the health of targets.
struct Looks<'a> {
    balancer: &'a LoadBalancer,
    ways: Ways,
    servers: BTreeMap<Id, MetServer>,
    /// The private network, when an address is behind it.
    plan: Option<Plan>,
    /// The servers of each selector.
    selected: HashMap<String, Vec<Id>>,
    /// The rules of firewalls that were met.
    rules: HashMap<Id, Vec<Rule>>,
}

impl<'a> Looks<'a> {
    fn new(tx: &mut dyn Tx, balancer: &'a LoadBalancer, ways: Ways, kind: &LoadBalancerType) -> Result<Self> {
        let targets = &balancer.details.targets;
        let room = room(kind, &balancer.details);
        let servers = load_balancer::servers(tx, balancer.id, ways.network, room)?;
        let mut selected: HashMap<String, Vec<Id>> = HashMap::new();
        if room > 0 {
            for (selector, server) in load_balancer::selected(tx, balancer.id, room)? {
                selected.entry(selector).or_default().push(server);
            }
        }
        let is_behind = |aim: &Aim| matches!(aim.to, Target::Ip(_)) && reach::is_reached_privately(aim);
        let plan = match ways.network {
            Some(id) if targets.iter().any(is_behind) => {
                Some(network::expect(tx, balancer.project, id)?.value.details.plan)
            }
            _ => None,
        };
        Ok(Self { balancer, ways, servers, plan, selected, rules: HashMap::new() })
    }

    /// Whether there is a way to a dedicated server: to a private address by the vSwitch of a subnet, as long as there is one.
    fn has_way(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(ip) if ip.is_private() => self.plan.as_ref().is_some_and(|plan| plan.has_behind_vswitch(ip)),
            _ => self.ways.public,
        }
    }

    fn targets(mut self, tx: &mut dyn Tx) -> Result<Vec<wire::Target>> {
        let balancer = self.balancer;
        balancer.details.targets.iter().map(|aim| self.target(tx, aim)).collect()
    }

    fn target(&mut self, tx: &mut dyn Tx, aim: &Aim) -> Result<wire::Target> {
        match &aim.to {
            Target::Server(id) => self.server(tx, *id, aim.use_private_ip),
            Target::Selector(selector) => {
                let servers = self.selected.remove(selector).unwrap_or_default();
                let each = servers.into_iter().map(|id| self.server(tx, id, aim.use_private_ip));
                let targets = each.collect::<Result<Vec<_>>>()?;
                let label_selector = Some(wire::TargetSelector { selector: selector.clone() });
                let use_private_ip = Some(aim.use_private_ip);
                let kind = wire::TargetType::LabelSelector;
                Ok(wire::Target { label_selector, use_private_ip, targets: Some(targets), ..nothing(kind) })
            }
            Target::Ip(ip) => {
                let address = ip.parse::<IpAddr>().map_err(|_| Error::internal(format!("{ip} is no address")))?;
                let has_way = self.has_way(address);
                let told = guest::of(tx, &Who::Ip(ip.clone()))?;
                let met = |port| Met { has_way, runs: true, is_let_in: true, told: told_at(&told, port) };
                let health_status = Some(self.health(met));
                let ip = Some(wire::TargetIp { ip: ip.clone() });
                Ok(wire::Target { ip, health_status, ..nothing(wire::TargetType::Ip) })
            }
        }
    }

    fn server(&mut self, tx: &mut dyn Tx, id: Id, use_private_ip: bool) -> Result<wire::Target> {
        let known = *self.servers.get(&id).ok_or_else(|| Error::internal(format!("target {id} is no server")))?;
        let has_way = match use_private_ip {
            true => self.ways.network.is_some() && known.in_network,
            false => self.ways.public && known.has_ipv4,
        };
        let runs = known.status.runs();
        // Whoever cannot be reached is not asked for more.
        let is_guarded = has_way && runs && !use_private_ip;
        let firewalls = if is_guarded { self.firewalls(tx, id)? } else { Vec::new() };
        let told = if has_way && runs && known.is_told { guest::of(tx, &Who::Server(id))? } else { Vec::new() };
        let guards: Vec<&[Rule]> =
            firewalls.iter().filter_map(|firewall| self.rules.get(firewall)).map(Vec::as_slice).collect();
        let peer = self.balancer.details.ipv4.ip.parse::<IpAddr>();
        let peer = peer.map_err(|_| Error::internal("a load balancer without an address"))?;
        let met = |port| {
            let packet = Packet {
                interface: Interface::Public,
                direction: Direction::In,
                protocol: Protocol::Tcp,
                peer,
                port: Some(port),
            };
            Met { has_way, runs, is_let_in: allows(guards.iter().copied(), &packet), told: told_at(&told, port) }
        };
        let health_status = Some(self.health(met));
        let (server, use_private_ip) = (Some(wire::TargetServer { id }), Some(use_private_ip));
        Ok(wire::Target { server, use_private_ip, health_status, ..nothing(wire::TargetType::Server) })
    }

    /// The firewalls of a server; their rules are looked up once.
    fn firewalls(&mut self, tx: &mut dyn Tx, server: Id) -> Result<Vec<Id>> {
        let found = firewall::of_server(tx, server)?;
        for id in &found {
            if !self.rules.contains_key(id) {
                let rules = firewall::expect(tx, self.balancer.project, *id)?.value.details.rules;
                self.rules.insert(*id, rules);
            }
        }
        Ok(found)
    }

    /// How a target is, service by service. `met`: how it is met at a port.
    fn health<'b>(&self, met: impl Fn(u16) -> Met<'b>) -> Vec<wire::TargetHealth> {
        let services = self.balancer.details.services.iter();
        services
            .map(|service| {
                let guest = Guest::met(&met(service.health_check.port));
                judge(service.listen_port, &service.health_check, &guest)
            })
            .collect()
    }
}

/// What somebody was told about a port: by name, else for all.
fn told_at(told: &[Answer], port: u16) -> Option<&Told> {
    let at = |port| told.iter().find(move |answer| answer.port == port);
    at(port).or_else(|| at(0)).map(|answer| &answer.told)
}

const fn nothing(kind: wire::TargetType) -> wire::Target {
    wire::Target {
        kind,
        server: None,
        label_selector: None,
        ip: None,
        use_private_ip: None,
        health_status: None,
        targets: None,
    }
}
