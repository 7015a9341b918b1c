//! Primary IPs, and reverse DNS.

use super::*;
use wolke_wire::cloud::ChangeDnsPtr;

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("primary_ip", 1, |sim| Box::pin(sim.primary_ip())),
    ("assign", 1, |sim| Box::pin(sim.assign())),
    ("change_dns_ptr", 1, |sim| Box::pin(sim.change_dns_ptr())),
];

impl Simulator {
    /// One that was made by itself, or sometimes one that may have come along with a server or load balancer.
    pub fn any_ip(&mut self) -> Id {
        if self.dice.once_in(4) {
            return i64::try_from(self.dice.below(30)).unwrap_or_default() + 1;
        }
        self.dice.pick(&self.model.primary_ips).unwrap_or(88_888)
    }

    async fn primary_ip(&mut self) -> Result<String> {
        if self.dice.once_in(3) {
            let id = self.any_ip();
            self.control.delete_primary_ip(&self.caller, id).await?;
            self.model.primary_ips.retain(|known| *known != id);
            return Ok(format!("deleted {id}"));
        }
        let assignee = self.dice.once_in(3).then(|| self.any_server());
        let location = if assignee.is_none() { Some("fsn1") } else { None };
        let body = serde_json::json!({
            "name": format!("p{}", self.dice.below(20)), "type": if self.dice.once_in(4) { "ipv6" } else { "ipv4" },
            "location": location, "assignee_id": assignee, "auto_delete": false,
        });
        let request = serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))?;
        let shown = self.control.create_primary_ip(&self.caller, request).await?;
        let id = id_of(&shown, "primary_ip")?;
        self.model.primary_ips.push(id);
        Ok(format!("created {id}"))
    }

    async fn assign(&mut self) -> Result<String> {
        let id = self.any_ip();
        if self.dice.once_in(2) {
            let shown = self.control.unassign_primary_ip(&self.caller, id).await?;
            return Ok(format!("{id} {}", String::from_utf8_lossy(&shown)));
        }
        let server = self.any_server();
        let request = wolke_wire::cloud::primary_ip::AssignPrimaryIp { assignee_id: server, assignee_type: None };
        let shown = self.control.assign_primary_ip(&self.caller, id, request).await?;
        Ok(format!("{id} to {server} {}", String::from_utf8_lossy(&shown)))
    }

    /// Guesses addresses: those of the first pools are given out in order.
    async fn change_dns_ptr(&mut self) -> Result<String> {
        let n = self.dice.below(12) + 1;
        let ip = if self.dice.once_in(2) { format!("198.18.0.{n}") } else { format!("2001:db8:{n:x}:1::7") };
        let name = (!self.dice.once_in(3)).then(|| format!("n{n}.example.com"));
        let change = ChangeDnsPtr { ip: ip.clone(), dns_ptr: Some(name) };
        if self.dice.once_in(2) {
            let id = self.any_ip();
            self.control.change_primary_ip_dns_ptr(&self.caller, id, change).await?;
            return Ok(format!("primary IP {id} {ip}"));
        }
        let id = self.any_server();
        self.control.change_server_dns_ptr(&self.caller, id, change).await?;
        Ok(format!("server {id} {ip}"))
    }
}
