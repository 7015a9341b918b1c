//! Servers.

use super::*;

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("create_server", 4, |sim| Box::pin(sim.create_server())),
    ("delete_server", 2, |sim| Box::pin(sim.delete_server())),
    ("power", 2, |sim| Box::pin(sim.power())),
    ("update_server", 1, |sim| Box::pin(sim.update_server())),
    ("protect_server", 1, |sim| Box::pin(sim.protect_server())),
];

impl Simulator {
    async fn create_server(&mut self) -> Result<String> {
        let name = format!("s{}", self.dice.below(40));
        let types = ["cpx22", "cpx11", "cax11", "ccx13", "no-such-type"];
        let kind = self.dice.pick(&types).unwrap_or_default();
        let ipv4 = self.dice.pick(&self.model.primary_ips).filter(|_| self.dice.once_in(3));
        let group = if self.dice.once_in(4) { Some(self.any_group()) } else { None };
        let networks: Vec<Id> = if self.dice.once_in(4) { vec![self.any_network()] } else { Vec::new() };
        let volumes: Vec<Id> = if self.dice.once_in(4) { vec![self.any_volume()] } else { Vec::new() };
        let firewalls =
            if self.dice.once_in(5) { vec![serde_json::json!({"firewall": self.any_firewall()})] } else { Vec::new() };
        let body = serde_json::json!({
            "firewalls": firewalls,
            "placement_group": group, "networks": networks, "volumes": volumes,
            "automount": !volumes.is_empty() && self.dice.once_in(2),
            "name": name, "server_type": kind, "image": "debian-12", "start_after_create": !self.dice.once_in(4),
            "labels": {"env": format!("e{}", self.dice.below(3))},
            "public_net": {"enable_ipv4": !self.dice.once_in(5) || ipv4.is_some(), "enable_ipv6": !self.dice.once_in(5), "ipv4": ipv4},
        });
        let request = serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))?;
        let created = self.control.create_server(&self.caller, request).await?;
        let shown = self.control.show_created(&self.caller, created.clone()).await?;
        let promised = Promised { name, create: created.action, delete: None };
        self.model.servers.insert(created.server, promised);
        Ok(format!("{} {}", created.server, String::from_utf8_lossy(&shown)))
    }

    async fn delete_server(&mut self) -> Result<String> {
        let id = self.any_server();
        let started = self.control.delete_server(&self.caller, id).await?;
        if let Some(promised) = self.model.servers.get_mut(&id) {
            promised.delete = Some(started.action);
        }
        Ok(format!("{id} by {}", started.action))
    }

    async fn power(&mut self) -> Result<String> {
        let verbs = [PowerVerb::Start, PowerVerb::Stop, PowerVerb::Reboot, PowerVerb::Reset, PowerVerb::Shutdown];
        let (id, verb) = (self.any_server(), self.dice.pick(&verbs).unwrap_or(PowerVerb::Stop));
        let started = self.control.power_server(&self.caller, id, verb).await?;
        Ok(format!("{id} {verb:?} by {}", started.action))
    }

    async fn update_server(&mut self) -> Result<String> {
        let id = self.any_server();
        let name = self.dice.once_in(2).then(|| format!("s{}", self.dice.below(40)));
        let labels = [("env".to_owned(), format!("e{}", self.dice.below(3)))];
        let update = wolke_wire::cloud::server::UpdateServer { name, labels: Some(labels.into()) };
        let shown = self.control.update_server(&self.caller, id, update.clone()).await?;
        if let (Some(promised), Some(name)) = (self.model.servers.get_mut(&id), update.name) {
            promised.name = name;
        }
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    async fn protect_server(&mut self) -> Result<String> {
        let (id, protect) = (self.any_server(), self.dice.once_in(3));
        let change =
            wolke_wire::cloud::server::ChangeServerProtection { delete: Some(protect), rebuild: Some(protect) };
        self.control.change_server_protection(&self.caller, id, change).await.map(|_| format!("{id} {protect}"))
    }
}
