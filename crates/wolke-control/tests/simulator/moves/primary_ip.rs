//! Primary IPs.

use super::*;

/// The moves of this noun.
pub const MOVES: &[Move] = &[("primary_ip", 1, |sim| Box::pin(sim.primary_ip()))];

impl Simulator {
    async fn primary_ip(&mut self) -> Result<String> {
        if self.dice.once_in(3) {
            let id = self.dice.pick(&self.model.primary_ips).unwrap_or(88_888);
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
}
