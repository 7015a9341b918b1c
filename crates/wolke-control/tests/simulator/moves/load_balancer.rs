//! Load balancers with services and targets that come and go, and what guests answer.

use super::*;
use std::collections::BTreeSet;
use std::net::IpAddr;
use wolke_control::operator::Who;
use wolke_domain::load_balancer::Target;
use wolke_domain::load_balancer::health::Told;
use wolke_domain::primary_ip::first_address;
use wolke_store::list::{ListQuery, page};
use wolke_store::load_balancer as balancers;
use wolke_store::{certificate as certificates, primary_ip, selection};

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("load_balancer", 3, |sim| Box::pin(sim.load_balancer())),
    ("balancer_service", 2, |sim| Box::pin(sim.balancer_service())),
    ("balancer_target", 4, |sim| Box::pin(sim.balancer_target())),
    ("balancer_network", 2, |sim| Box::pin(sim.balancer_network())),
    ("balancer_change", 2, |sim| Box::pin(sim.balancer_change())),
    ("guest", 1, |sim| Box::pin(sim.guest())),
];

/// Addresses of dedicated servers: some are theirs when the operator says so, some when a subnet has a vSwitch.
const DEDICATED: [&str; 4] = ["203.0.113.7", "203.0.113.8", "10.0.0.9", "10.1.0.9"];

fn read<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> Result<T> {
    serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))
}

fn text(shown: &[u8]) -> String {
    String::from_utf8_lossy(shown).into_owned()
}

impl Simulator {
    fn any_balancer(&mut self) -> Id {
        self.dice.pick(&self.model.load_balancers).unwrap_or(77_777)
    }

    /// Few ports, so that they meet.
    fn any_service(&mut self) -> serde_json::Value {
        let protocol = self.dice.pick(&["tcp", "http", "https"]).unwrap_or_default();
        let port = self.dice.below(3) + 80;
        let mut service = serde_json::json!({
            "protocol": protocol, "listen_port": port, "destination_port": self.dice.below(2) + 80,
            "health_check": {"protocol": if protocol == "tcp" { "tcp" } else { "http" }, "port": self.dice.below(2) + 80},
        });
        if protocol == "https"
            && let Some(certificate) = self.dice.pick(&self.model.certificates)
        {
            service["http"] = serde_json::json!({"certificates": [certificate]});
        }
        service
    }

    fn any_target(&mut self) -> serde_json::Value {
        let private = self.dice.once_in(2);
        match self.dice.below(5) {
            0 => {
                let selector = format!("env=e{}", self.dice.below(3));
                let selector = serde_json::json!({"selector": selector});
                serde_json::json!({"type": "label_selector", "label_selector": selector, "use_private_ip": private})
            }
            1 => serde_json::json!({"type": "ip", "ip": {"ip": self.dice.pick(&DEDICATED)}}),
            _ => {
                serde_json::json!({"type": "server", "server": {"id": self.any_server()}, "use_private_ip": private})
            }
        }
    }

    async fn load_balancer(&mut self) -> Result<String> {
        let id = self.any_balancer();
        match self.dice.below(4) {
            0 => {
                let shown = self.control.delete_load_balancer(&self.caller, id).await?;
                self.model.load_balancers.retain(|known| *known != id);
                Ok(text(&shown))
            }
            1 => Ok(text(&self.control.get(&self.caller, Kind::LoadBalancer, id).await?)),
            _ => {
                let services: Vec<_> = (0..self.dice.below(3)).map(|_| self.any_service()).collect();
                let targets: Vec<_> = (0..self.dice.below(3)).map(|_| self.any_target()).collect();
                let network = self.dice.once_in(2).then(|| self.any_network());
                let [ipv4, ipv6] = [3, 6].map(|n| self.dice.once_in(n).then(|| self.any_ip()));
                let body = serde_json::json!({
                    "name": format!("lb{}", self.dice.below(8)), "load_balancer_type": "lb11", "location": "fsn1",
                    "network": network, "services": services, "targets": targets,
                    "public_interface": !self.dice.once_in(5), "public_net": {"ipv4": ipv4, "ipv6": ipv6},
                });
                let shown = self.control.create_load_balancer(&self.caller, read(body)?).await?;
                self.model.load_balancers.push(id_of(&shown, "load_balancer")?);
                Ok(text(&shown))
            }
        }
    }

    async fn balancer_service(&mut self) -> Result<String> {
        let (id, service) = (self.any_balancer(), self.any_service());
        let shown = match self.dice.below(3) {
            0 => self.control.add_load_balancer_service(&self.caller, id, read(service)?).await?,
            1 => self.control.update_load_balancer_service(&self.caller, id, read(service)?).await?,
            _ => {
                let port = serde_json::json!({"listen_port": service["listen_port"]});
                self.control.delete_load_balancer_service(&self.caller, id, read(port)?).await?
            }
        };
        Ok(text(&shown))
    }

    async fn balancer_target(&mut self) -> Result<String> {
        let (id, target) = (self.any_balancer(), self.any_target());
        let shown = if self.dice.once_in(3) {
            self.control.remove_load_balancer_target(&self.caller, id, read(target)?).await?
        } else {
            self.control.add_load_balancer_target(&self.caller, id, read(target)?).await?
        };
        Ok(text(&shown))
    }

    async fn balancer_network(&mut self) -> Result<String> {
        let (id, network) = (self.any_balancer(), serde_json::json!({"network": self.any_network()}));
        let shown = match self.dice.below(4) {
            0 => self.control.detach_load_balancer(&self.caller, id, read(network)?).await?,
            1 => self.control.disable_public_interface(&self.caller, id).await?,
            2 => self.control.enable_public_interface(&self.caller, id).await?,
            _ => self.control.attach_load_balancer(&self.caller, id, read(network)?).await?,
        };
        Ok(text(&shown))
    }

    async fn balancer_change(&mut self) -> Result<String> {
        let (id, n) = (self.any_balancer(), self.dice.below(8));
        let shown = match self.dice.below(3) {
            0 => {
                let kind = serde_json::json!({"load_balancer_type": self.dice.pick(&["lb11", "lb21", "lb99"])});
                self.control.change_load_balancer_type(&self.caller, id, read(kind)?).await?
            }
            1 => {
                let body = serde_json::json!({"delete": self.dice.once_in(4)});
                self.control.change_load_balancer_protection(&self.caller, id, read(body)?).await?
            }
            _ => {
                let body = serde_json::json!({"name": format!("lb{n}"), "labels": {"env": format!("e{n}")}});
                self.control.update_load_balancer(&self.caller, id, read(body)?).await?
            }
        };
        Ok(text(&shown))
    }

    async fn guest(&mut self) -> Result<String> {
        let ip = self.dice.pick(&DEDICATED).unwrap_or_default();
        let who = if self.dice.once_in(3) { Who::Ip(ip.into()) } else { Who::Server(self.any_server()) };
        let port = self.dice.pick(&[0, 80, 81]).unwrap_or_default();
        match self.dice.below(4) {
            0 => Ok(self.control.add_dedicated_ip(ip).await?),
            1 => self.control.untell_guest(who, port).await.map(|()| "untold".into()),
            2 => Ok(format!("{:?}", self.control.tell_guest(who, port, Told::Drop).await?)),
            _ => {
                let told = Told::Answer { status: 503, page: String::new() };
                Ok(format!("{:?}", self.control.tell_guest(who, port, told).await?))
            }
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, shown: &T, expected: &T) -> Result<()> {
    if shown == expected {
        return Ok(());
    }
    Err(Error::internal(format!("{what}: {shown:?} instead of {expected:?}")))
}

/// What the simulator knows of a world beside its load balancers.
pub struct Others<'a> {
    pub servers: &'a [Id],
    pub certificates: &'a [Id],
    pub primary_ips: &'a [Id],
    pub floating_ips: &'a [Id],
}

/// The documents of load balancers say who their targets and certificates are; whatever tables repeat of that says the same,
/// from both ends.
pub(super) fn check(tx: &mut dyn Tx, project: Id, ids: &[Id], others: &Others<'_>) -> Result<()> {
    let (mut servers, mut ips, mut certified) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for id in ids {
        let details = balancers::expect(tx, project, *id)?.value.details;
        let (mut named, mut selectors) = (BTreeSet::new(), Vec::new());
        for aim in details.targets {
            match aim.to {
                Target::Server(server) => _ = named.insert(server),
                Target::Selector(text) => selectors.push(text),
                Target::Ip(ip) => _ = ips.insert((ip, *id)),
            }
        }
        let stored: BTreeSet<Id> = balancers::servers(tx, *id, None, 0)?.into_keys().collect();
        same(&format!("servers that load balancer {id} names"), &stored, &named)?;
        servers.extend(named.into_iter().map(|server| (server, *id)));
        let selections = selection::of_owner(tx, (Kind::LoadBalancer, *id))?;
        let stored: Vec<String> = selections.iter().map(|one| one.selector.clone()).collect();
        same(&format!("selectors of load balancer {id}"), &stored, &selectors)?;
        for one in selections {
            let matching = matching(tx, project, &one.selector)?;
            same(&format!("load balancer {id}, {}", one.selector), &one.servers, &matching)?;
            servers.extend(matching.into_iter().map(|server| (server, *id)));
        }
        let http = details.services.into_iter().filter_map(|service| service.http);
        certified.extend(http.flat_map(|http| http.certificates).map(|certificate| (certificate, *id)));
    }
    for server in others.servers {
        let mut stored: BTreeSet<Id> = balancers::ids_naming_server(tx, *server)?.into_iter().collect();
        let selected = selection::of_server(tx, *server)?.into_iter().filter(|by| by.kind == Kind::LoadBalancer);
        stored.extend(selected.map(|by| by.owner));
        let stored: Vec<Id> = stored.into_iter().collect();
        same(&format!("load balancers of server {server}"), &stored, &take(&mut servers, server))?;
    }
    for ip in DEDICATED {
        // A project that is being emptied beside this one may name it, too.
        let stored: Vec<Id> = balancers::of_ip(tx, ip)?.into_iter().filter(|id| ids.contains(id)).collect();
        same(&format!("load balancers of {ip}"), &stored, &take(&mut ips, &ip.to_owned()))?;
    }
    for id in others.certificates {
        same(&format!("users of certificate {id}"), &certificates::users(tx, *id)?, &take(&mut certified, id))?;
    }
    if servers.is_empty() && ips.is_empty() && certified.is_empty() {
        return check_addresses(tx, project, ids, others);
    }
    Err(Error::internal(format!("load balancers name what is not there: {servers:?} {ips:?} {certified:?}")))
}

/// Takes all load balancers of one thing.
fn take<T: Ord + Clone>(pairs: &mut BTreeSet<(T, Id)>, of: &T) -> Vec<Id> {
    let found: Vec<(T, Id)> = pairs.range((of.clone(), Id::MIN)..=(of.clone(), Id::MAX)).cloned().collect();
    found.iter().for_each(|pair| _ = pairs.remove(pair));
    found.into_iter().map(|(_, id)| id).collect()
}

fn matching(tx: &mut dyn Tx, project: Id, text: &str) -> Result<Vec<Id>> {
    let selector = Selector::parse(text).map_err(|e| Error::internal(e.to_string()))?;
    let (kind, filters, sort) = (Kind::Server, Vec::new(), Vec::new());
    let query = ListQuery { kind, project, filters, of: None, selector, sort, offset: 0, limit: i64::MAX };
    Ok(page(tx, &query)?.entries.into_iter().map(|(id, _)| id).collect())
}

/// An address as whose it is decides: of IPv6 its network.
fn key(text: &str) -> Result<u128> {
    match text.split('/').next().unwrap_or_default().parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => Ok(u128::from(u32::from(ip))),
        Ok(IpAddr::V6(ip)) => Ok(u128::from(ip) >> 64 << 64),
        Err(_) => Err(Error::internal(format!("{text} is no address"))),
    }
}

/// The addresses of load balancers are those of their primary IPs, one of each family, and nobody else has them.
fn check_addresses(tx: &mut dyn Tx, project: Id, ids: &[Id], others: &Others<'_>) -> Result<()> {
    let mut primary = BTreeSet::new();
    for id in ids {
        let details = balancers::expect(tx, project, *id)?.value.details;
        let held: Vec<String> =
            primary_ip::of_load_balancer(tx, *id)?.into_iter().map(|stored| stored.value.ip).collect();
        let first = held.iter().map(|ip| first_address(ip)).collect::<Result<Vec<_>>>()?;
        same(&format!("addresses of load balancer {id}"), &first, &vec![details.ipv4.ip, details.ipv6.ip])?;
        primary.extend(held);
    }
    for id in others.primary_ips {
        primary.extend(primary_ip::get(tx, project, *id)?.map(|ip| ip.value.ip));
    }
    for server in others.servers {
        primary.extend(primary_ip::of_server(tx, *server)?.into_iter().map(|ip| ip.value.ip));
    }
    let mut texts = Vec::new();
    for id in others.floating_ips {
        texts.extend(floating_ips::get(tx, project, *id)?.map(|ip| ip.value.ip));
    }
    let mut seen = BTreeSet::new();
    for text in texts.into_iter().chain(primary) {
        if !seen.insert(key(&text)?) {
            return Err(Error::internal(format!("{text} is the address of two")));
        }
    }
    Ok(())
}
