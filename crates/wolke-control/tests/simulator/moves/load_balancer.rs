//! Load balancers with services and targets that come and go, and what guests answer.

use super::*;
use wolke_control::operator::Who;
use wolke_domain::load_balancer::health::Told;

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("load_balancer", 3, |sim| Box::pin(sim.load_balancer())),
    ("balancer_service", 2, |sim| Box::pin(sim.balancer_service())),
    ("balancer_target", 4, |sim| Box::pin(sim.balancer_target())),
    ("balancer_network", 2, |sim| Box::pin(sim.balancer_network())),
    ("balancer_change", 2, |sim| Box::pin(sim.balancer_change())),
    ("guest", 1, |sim| Box::pin(sim.guest())),
];

/// Addresses of dedicated servers.
const DEDICATED: [&str; 2] = ["203.0.113.7", "203.0.113.8"];

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
        serde_json::json!({
            "protocol": protocol, "listen_port": port, "destination_port": self.dice.below(2) + 80,
            "health_check": {"protocol": if protocol == "tcp" { "tcp" } else { "http" }, "port": self.dice.below(2) + 80},
        })
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
                let body = serde_json::json!({
                    "name": format!("lb{}", self.dice.below(8)), "load_balancer_type": "lb11", "location": "fsn1",
                    "network": network, "services": services, "targets": targets,
                    "public_interface": !self.dice.once_in(5),
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
