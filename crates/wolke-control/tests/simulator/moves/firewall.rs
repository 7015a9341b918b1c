//! Firewalls, on servers and on selectors.

use super::*;
use std::collections::BTreeSet;
use wolke_store::firewall as firewalls;
use wolke_store::list::{ListQuery, page};
use wolke_store::primary_ip;
use wolke_wire::cloud::firewall::UpdateFirewall;

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("firewall", 1, |sim| Box::pin(sim.firewall())),
    ("apply_firewall", 2, |sim| Box::pin(sim.apply_firewall())),
    ("remove_firewall", 1, |sim| Box::pin(sim.remove_firewall())),
];

fn read<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> Result<T> {
    serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))
}

fn text(shown: &[u8]) -> String {
    String::from_utf8_lossy(shown).into_owned()
}

impl Simulator {
    pub(super) fn any_firewall(&mut self) -> Id {
        self.dice.pick(&self.model.firewalls).unwrap_or(44_444)
    }

    fn any_resource(&mut self) -> serde_json::Value {
        if self.dice.once_in(2) {
            return serde_json::json!({"type": "server", "server": {"id": self.any_server()}});
        }
        let selectors = ["env=e0", "env", "env!=e1", "!env", "env in (e1,e2)"];
        let selector = self.dice.pick(&selectors).unwrap_or_default();
        serde_json::json!({"type": "label_selector", "label_selector": {"selector": selector}})
    }

    async fn firewall(&mut self) -> Result<String> {
        let id = self.any_firewall();
        let rule = serde_json::json!({"direction": "in", "protocol": "tcp", "port": "80", "source_ips": ["0.0.0.0/0"]});
        match self.dice.below(5) {
            0 => {
                self.control.delete_firewall(&self.caller, id).await?;
                self.model.firewalls.retain(|known| *known != id);
                Ok(format!("deleted {id}"))
            }
            1 => {
                let update = UpdateFirewall { name: Some(format!("f{}", self.dice.below(8))), labels: None };
                Ok(text(&self.control.update_firewall(&self.caller, id, update).await?))
            }
            2 => {
                let rules = vec![rule; usize::try_from(self.dice.below(3)).unwrap_or(0)];
                let request = read(serde_json::json!({ "rules": rules }))?;
                Ok(text(&self.control.set_firewall_rules(&self.caller, id, request).await?))
            }
            _ => {
                let to = if self.dice.once_in(2) { vec![self.any_resource()] } else { Vec::new() };
                let name = format!("f{}", self.dice.below(8));
                let request = read(serde_json::json!({"name": name, "rules": [rule], "apply_to": to}))?;
                let shown = self.control.create_firewall(&self.caller, request).await?;
                self.model.firewalls.push(id_of(&shown, "firewall")?);
                Ok(text(&shown))
            }
        }
    }

    async fn apply_firewall(&mut self) -> Result<String> {
        let (id, to) = (self.any_firewall(), self.any_resource());
        let request = read(serde_json::json!({ "apply_to": [to] }))?;
        Ok(text(&self.control.apply_firewall(&self.caller, id, request).await?))
    }

    async fn remove_firewall(&mut self) -> Result<String> {
        let (id, from) = (self.any_firewall(), self.any_resource());
        let request = read(serde_json::json!({ "remove_from": [from] }))?;
        Ok(text(&self.control.remove_firewall(&self.caller, id, request).await?))
    }
}

/// Selectors are live: the servers behind a firewall by one of them are those that it matches now, and that have a public
/// interface. Both ends agree on that.
pub(super) fn check(tx: &mut dyn Tx, project: Id, ids: &[Id], servers: &[Id]) -> Result<()> {
    let mut behind = BTreeSet::new();
    for id in ids {
        firewalls::expect(tx, project, *id)?;
        let applied = firewalls::applied(tx, *id, i64::MAX)?;
        behind.extend(applied.servers.iter().map(|server| (*server, *id)));
        for selection in applied.selectors {
            let selector = Selector::parse(&selection.selector).map_err(|e| Error::internal(e.to_string()))?;
            let (kind, filters, sort) = (Kind::Server, Vec::new(), Vec::new());
            let query = ListQuery { kind, project, filters, of: None, selector, sort, offset: 0, limit: i64::MAX };
            let mut guarded = Vec::new();
            for (server, _) in page(tx, &query)?.entries {
                if !primary_ip::of_server(tx, server)?.is_empty() {
                    guarded.push(server);
                }
            }
            if selection.servers != guarded {
                let (text, shown) = (selection.selector, selection.servers);
                return Err(Error::internal(format!("firewall {id}, {text}: {shown:?} instead of {guarded:?}")));
            }
            behind.extend(guarded.into_iter().map(|server| (server, *id)));
        }
    }
    for server in servers {
        for firewall in firewalls::of_server(tx, *server)? {
            if !behind.remove(&(*server, firewall)) {
                return Err(Error::internal(format!(
                    "server {server} shows firewall {firewall}, which does not show it"
                )));
            }
        }
    }
    match behind.first() {
        None => Ok(()),
        Some((server, firewall)) => {
            Err(Error::internal(format!("firewall {firewall} shows server {server}, which does not show it")))
        }
    }
}
