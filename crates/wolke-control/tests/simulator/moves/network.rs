//! Private networks, and servers that join and leave them.

use super::*;
use wolke_wire::cloud::network as wire;

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("network", 2, |sim| Box::pin(sim.network())),
    ("change_network", 2, |sim| Box::pin(sim.change_network())),
    ("join_network", 3, |sim| Box::pin(sim.join_network())),
    ("leave_network", 1, |sim| Box::pin(sim.leave_network())),
    ("vswitch", 1, |sim| Box::pin(sim.vswitch())),
];

fn read<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> Result<T> {
    serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))
}

impl Simulator {
    pub(super) fn any_network(&mut self) -> Id {
        self.dice.pick(&self.model.networks).unwrap_or(77_777)
    }

    /// Guesses: few ranges, so that they meet.
    fn any_subnet(&mut self) -> serde_json::Value {
        let n = self.dice.below(4);
        let kind = self.dice.pick(&["cloud", "cloud", "server", "vswitch"]).unwrap_or_default();
        let range = self.dice.pick(&[format!("10.{n}.0.0/24"), format!("10.{n}.0.8/29"), format!("10.{n}.1.0/24")]);
        let range = range.filter(|_| !self.dice.once_in(4));
        let zone = self.dice.pick(&["eu-central", "eu-central", "us-east"]).unwrap_or_default();
        let vswitch = (kind == "vswitch").then(|| self.dice.below(3) + 1);
        serde_json::json!({"type": kind, "ip_range": range, "network_zone": zone, "vswitch_id": vswitch})
    }

    fn any_route(&mut self) -> serde_json::Value {
        let (n, m) = (self.dice.below(4), self.dice.below(4));
        let destination = self.dice.pick(&[format!("10.{n}.1.0/25"), format!("172.16.{n}.0/24"), "0.0.0.0/0".into()]);
        serde_json::json!({"destination": destination, "gateway": format!("10.{m}.0.{m}")})
    }

    async fn network(&mut self) -> Result<String> {
        let id = self.any_network();
        let n = self.dice.below(4);
        match self.dice.below(6) {
            0 => {
                self.control.delete_network(&self.caller, id).await?;
                self.model.networks.retain(|known| *known != id);
                Ok(format!("deleted {id}"))
            }
            1 => {
                let change = wire::ChangeNetworkProtection { delete: Some(self.dice.once_in(3)) };
                self.control.change_network_protection(&self.caller, id, change).await?;
                Ok(format!("{id} {:?}", change.delete))
            }
            2 => {
                let labels = [("env".to_owned(), format!("e{}", self.dice.below(3)))].into();
                let name = Some(format!("n{}", self.dice.below(8)));
                let update = wire::UpdateNetwork { name, labels: Some(labels), expose_routes_to_vswitch: Some(n == 0) };
                let shown = self.control.update_network(&self.caller, id, update).await?;
                Ok(String::from_utf8_lossy(&shown).into_owned())
            }
            _ => {
                let range = self.dice.pick(&[format!("10.{n}.0.0/16"), format!("10.{n}.0.0/24"), "10.0.0.0/8".into()]);
                let subnets: Vec<_> = (0..self.dice.below(3)).map(|_| self.any_subnet()).collect();
                let routes: Vec<_> = (0..self.dice.below(2)).map(|_| self.any_route()).collect();
                let name = format!("n{}", self.dice.below(8));
                let body = serde_json::json!({"name": name, "ip_range": range, "subnets": subnets, "routes": routes});
                let shown = self.control.create_network(&self.caller, read(body)?).await?;
                let id = id_of(&shown, "network")?;
                self.model.networks.push(id);
                Ok(format!("created {}", String::from_utf8_lossy(&shown)))
            }
        }
    }

    async fn change_network(&mut self) -> Result<String> {
        let (id, n) = (self.any_network(), self.dice.below(4));
        let (subnet, route) = (self.any_subnet(), self.any_route());
        let shown = match self.dice.below(8) {
            0 => self.control.delete_route(&self.caller, id, read(route)?).await?,
            1 => self.control.add_route(&self.caller, id, read(route)?).await?,
            2 => {
                let ip_range = self.dice.pick(&[format!("10.{n}.0.0/16"), "10.0.0.0/8".into()]).unwrap_or_default();
                self.control.change_network_range(&self.caller, id, wire::IpRange { ip_range }).await?
            }
            3 => {
                let ip_range = subnet["ip_range"].as_str().unwrap_or_default().to_owned();
                self.control.delete_subnet(&self.caller, id, wire::IpRange { ip_range }).await?
            }
            _ => self.control.add_subnet(&self.caller, id, read(subnet)?).await?,
        };
        Ok(format!("{id} {}", String::from_utf8_lossy(&shown)))
    }

    async fn join_network(&mut self) -> Result<String> {
        let (server, network, n) = (self.any_server(), self.any_network(), self.dice.below(4));
        let mut ip = || self.dice.once_in(3).then(|| format!("10.{n}.0.{}", self.dice.below(6) + 1));
        let (own, aliases) = (ip(), [ip(), ip()].into_iter().flatten().collect::<Vec<_>>());
        let shown = if self.dice.once_in(3) {
            let body = serde_json::json!({"network": network, "alias_ips": aliases});
            self.control.change_alias_ips(&self.caller, server, read(body)?).await?
        } else {
            let body = serde_json::json!({"network": network, "ip": own, "alias_ips": aliases});
            self.control.attach_to_network(&self.caller, server, read(body)?).await?
        };
        Ok(format!("{server} {network} {}", String::from_utf8_lossy(&shown)))
    }

    async fn leave_network(&mut self) -> Result<String> {
        let (server, network) = (self.any_server(), self.any_network());
        let shown = self.control.detach_from_network(&self.caller, server, wire::DetachFromNetwork { network }).await?;
        Ok(format!("{server} {network} {}", String::from_utf8_lossy(&shown)))
    }

    async fn vswitch(&mut self) -> Result<String> {
        let id = i64::try_from(self.dice.below(4)).unwrap_or(0) + 1;
        if self.dice.once_in(3) {
            self.control.remove_vswitch(id).await?;
            return Ok(format!("removed {id}"));
        }
        self.control.add_vswitch(id).await.map(|known| format!("{known:?}"))
    }
}
