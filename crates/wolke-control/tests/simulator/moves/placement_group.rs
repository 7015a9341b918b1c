//! Placement groups, and how many hosts there are.

use super::*;

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("placement_group", 1, |sim| Box::pin(sim.placement_group())),
    ("join_group", 2, |sim| Box::pin(sim.join_group())),
    ("leave_group", 1, |sim| Box::pin(sim.leave_group())),
    ("hosts", 1, |sim| Box::pin(sim.hosts())),
];

impl Simulator {
    pub(super) fn any_group(&mut self) -> Id {
        self.dice.pick(&self.model.placement_groups).unwrap_or(66_666)
    }

    async fn placement_group(&mut self) -> Result<String> {
        let id = self.any_group();
        match self.dice.below(4) {
            0 => {
                self.control.delete_placement_group(&self.caller, id).await?;
                self.model.placement_groups.retain(|known| *known != id);
                Ok(format!("deleted {id}"))
            }
            1 => {
                let labels = [("env".to_owned(), format!("e{}", self.dice.below(3)))].into();
                let name = Some(format!("g{}", self.dice.below(6)));
                let update = wolke_wire::cloud::placement_group::UpdatePlacementGroup { name, labels: Some(labels) };
                let shown = self.control.update_placement_group(&self.caller, id, update).await?;
                Ok(String::from_utf8_lossy(&shown).into_owned())
            }
            _ => {
                let body = serde_json::json!({"name": format!("g{}", self.dice.below(6)), "type": "spread"});
                let request = serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))?;
                let shown = self.control.create_placement_group(&self.caller, request).await?;
                let id = id_of(&shown, "placement_group")?;
                self.model.placement_groups.push(id);
                Ok(format!("created {id}"))
            }
        }
    }

    async fn join_group(&mut self) -> Result<String> {
        let (server, group) = (self.any_server(), self.any_group());
        let shown = self.control.add_to_placement_group(&self.caller, server, group).await?;
        Ok(format!("{server} {group} {}", String::from_utf8_lossy(&shown)))
    }

    async fn leave_group(&mut self) -> Result<String> {
        let server = self.any_server();
        let shown = self.control.remove_from_placement_group(&self.caller, server).await?;
        Ok(format!("{server} {}", String::from_utf8_lossy(&shown)))
    }

    async fn hosts(&mut self) -> Result<String> {
        let hosts_per_location = self.dice.pick(&[0, 1, 2, 3, 100]).unwrap_or(100);
        self.control.set_simulation(Simulation { hosts_per_location, ..self.control.simulation() });
        Ok(format!("{hosts_per_location}"))
    }
}
