//! Floating IPs.

use super::*;
use wolke_wire::cloud::floating_ip::AssignFloatingIp;
use wolke_wire::cloud::{ChangeDeleteProtection, ChangeDnsPtr};

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("floating_ip", 2, |sim| Box::pin(sim.floating_ip())),
    ("float", 3, |sim| Box::pin(sim.float())),
    ("update_floating_ip", 1, |sim| Box::pin(sim.update_floating_ip())),
];

fn request<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> Result<T> {
    serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))
}

impl Simulator {
    fn any_floating_ip(&mut self) -> Id {
        let ids: Vec<Id> = self.model.floating_ips.keys().copied().collect();
        self.dice.pick(&ids).unwrap_or(55_555)
    }

    async fn floating_ip(&mut self) -> Result<String> {
        if self.dice.once_in(3) {
            let id = self.any_floating_ip();
            self.control.delete_floating_ip(&self.caller, id).await?;
            self.model.floating_ips.remove(&id);
            return Ok(format!("deleted {id}"));
        }
        let server = self.dice.once_in(2).then(|| self.any_server());
        let location = if server.is_none() || self.dice.once_in(8) { Some("fsn1") } else { None };
        let name = self.dice.once_in(2).then(|| format!("floating-ip-{}", self.dice.below(20)));
        let body = serde_json::json!({
            "type": if self.dice.once_in(3) { "ipv6" } else { "ipv4" }, "server": server, "home_location": location,
            "name": name, "labels": {"env": format!("e{}", self.dice.below(3))},
        });
        let shown = self.control.create_floating_ip(&self.caller, request(body)?).await?;
        let id = id_of(&shown, "floating_ip")?;
        self.model.floating_ips.insert(id, server);
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    /// Assigns one, to whoever has it or not, or takes it back.
    async fn float(&mut self) -> Result<String> {
        let id = self.any_floating_ip();
        let server = (!self.dice.once_in(4)).then(|| self.any_server());
        let shown = match server {
            Some(_) => self.control.assign_floating_ip(&self.caller, id, AssignFloatingIp { server }).await?,
            None => self.control.unassign_floating_ip(&self.caller, id).await?,
        };
        self.model.floating_ips.insert(id, server);
        Ok(format!("{id} to {server:?} {}", String::from_utf8_lossy(&shown)))
    }

    async fn update_floating_ip(&mut self) -> Result<String> {
        let id = self.any_floating_ip();
        match self.dice.below(3) {
            0 => {
                let change = ChangeDeleteProtection { delete: Some(self.dice.once_in(3)) };
                self.control.change_floating_ip_protection(&self.caller, id, change).await?;
                Ok(format!("{id} {change:?}"))
            }
            1 => {
                // Guesses: addresses of the first pools are given out in order, to floating and primary IPs alike.
                let n = self.dice.below(20) + 1;
                let change =
                    ChangeDnsPtr { ip: format!("198.18.0.{n}"), dns_ptr: Some(Some(format!("f{n}.example.com"))) };
                self.control.change_floating_ip_dns_ptr(&self.caller, id, change).await?;
                Ok(format!("{id} names {n}"))
            }
            _ => {
                let body = serde_json::json!({
                    "name": format!("f{}", self.dice.below(8)), "description": "d", "labels": {"env": "e1"},
                });
                let shown = self.control.update_floating_ip(&self.caller, id, request(body)?).await?;
                Ok(String::from_utf8_lossy(&shown).into_owned())
            }
        }
    }

    /// Each is where it was put last, unless that server is gone: then it is free.
    pub(super) fn check_floating_ips(&self) -> Result<()> {
        let (promised, project) = (self.model.floating_ips.clone(), self.caller.project);
        self.db.read_blocking(move |tx: &mut dyn Tx| {
            for (id, server) in &promised {
                let gone = Error::internal(format!("floating IP {id} was promised and is gone"));
                let shown = floating_ips::get(tx, project, *id)?.ok_or(gone)?.value.server;
                let expected = match server {
                    Some(server) => servers::by_id(tx, *server)?.map(|_| *server),
                    None => None,
                };
                if shown != expected {
                    return Err(Error::internal(format!("floating IP {id} is at {shown:?}, not {expected:?}")));
                }
            }
            Ok(())
        })
    }
}
