//! Servers: what changes their machines.

use super::*;

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("rebuild", 1, |sim| Box::pin(sim.rebuild())),
    ("change_type", 2, |sim| Box::pin(sim.change_type())),
    ("rescue", 1, |sim| Box::pin(sim.rescue())),
    ("iso", 1, |sim| Box::pin(sim.iso())),
    ("reset_password", 1, |sim| Box::pin(sim.reset_password())),
];

fn request<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> Result<T> {
    serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))
}

impl Simulator {
    async fn rebuild(&mut self) -> Result<String> {
        let images = ["debian-12", "debian-13", "ubuntu-24.04", "centos-stream-8", "no-such-image"];
        let (id, image) = (self.any_server(), self.dice.pick(&images).unwrap_or_default());
        let user_data = self.dice.once_in(2).then_some("#cloud-config");
        let request = request(serde_json::json!({"image": image, "user_data": user_data}))?;
        let (started, password) = self.control.rebuild_server(&self.caller, id, request).await?;
        Ok(format!("{id} {image} by {} {password:?}", started.action))
    }

    async fn change_type(&mut self) -> Result<String> {
        let types = ["cpx11", "cpx22", "cpx32", "ccx63", "cax21", "cx11"];
        let (id, kind, upgrade) = (self.any_server(), self.dice.pick(&types), self.dice.once_in(2));
        let request = request(serde_json::json!({"server_type": kind, "upgrade_disk": upgrade}))?;
        let started = self.control.change_server_type(&self.caller, id, request).await?;
        Ok(format!("{id} {kind:?} {upgrade} by {}", started.action))
    }

    async fn rescue(&mut self) -> Result<String> {
        let id = self.any_server();
        if self.dice.once_in(3) {
            let started = self.control.disable_server_rescue(&self.caller, id).await?;
            return Ok(format!("{id} disabled by {}", started.action));
        }
        let keys: Vec<Id> = self.model.ssh_keys.keys().copied().take(1).collect();
        let request = request(serde_json::json!({"type": "linux64", "ssh_keys": keys}))?;
        let (started, password) = self.control.enable_server_rescue(&self.caller, id, request).await?;
        Ok(format!("{id} enabled by {} {}", started.action, password.expose()))
    }

    async fn iso(&mut self) -> Result<String> {
        let id = self.any_server();
        let started = if self.dice.once_in(3) {
            self.control.detach_iso(&self.caller, id).await?
        } else {
            let iso = self.dice.pick(&[8637, 8638, 118_002, 1]);
            self.control.attach_iso(&self.caller, id, request(serde_json::json!({"iso": iso}))?).await?
        };
        Ok(format!("{id} by {}", started.action))
    }

    async fn reset_password(&mut self) -> Result<String> {
        let id = self.any_server();
        let (started, password) = self.control.reset_server_password(&self.caller, id).await?;
        Ok(format!("{id} by {} {}", started.action, password.expose()))
    }
}
