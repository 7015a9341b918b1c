//! Volumes, and the room for them.

use super::*;
use wolke_store::volume as volumes;
use wolke_wire::IdOrName;
use wolke_wire::cloud::volume::{AttachVolume, ChangeVolumeProtection, ResizeVolume, UpdateVolume};

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("volume", 2, |sim| Box::pin(sim.volume())),
    ("attach_volume", 2, |sim| Box::pin(sim.attach_volume())),
    ("detach_volume", 1, |sim| Box::pin(sim.detach_volume())),
    ("resize_volume", 1, |sim| Box::pin(sim.resize_volume())),
    ("volume_space", 1, |sim| Box::pin(sim.volume_space())),
];

/// The only two locations here, so that volumes and servers meet.
const PLACES: [&str; 2] = ["fsn1", "nbg1"];

fn text(shown: &[u8]) -> String {
    String::from_utf8_lossy(shown).into_owned()
}

impl Simulator {
    pub(super) fn any_volume(&mut self) -> Id {
        let ids: Vec<Id> = self.model.volumes.keys().copied().collect();
        self.dice.pick(&ids).unwrap_or(55_555)
    }

    async fn volume(&mut self) -> Result<String> {
        let id = self.any_volume();
        match self.dice.below(5) {
            0 => {
                self.control.delete_volume(&self.caller, id).await?;
                self.model.volumes.remove(&id);
                Ok(format!("deleted {id}"))
            }
            1 => {
                let labels = [("env".to_owned(), format!("e{}", self.dice.below(3)))].into();
                let name = Some(format!("v{}", self.dice.below(20)));
                let update = UpdateVolume { name, labels: Some(labels) };
                Ok(text(&self.control.update_volume(&self.caller, id, update).await?))
            }
            2 => {
                let change = ChangeVolumeProtection { delete: Some(self.dice.once_in(3)) };
                Ok(text(&self.control.change_volume_protection(&self.caller, id, change).await?))
            }
            _ => self.create_volume().await,
        }
    }

    async fn create_volume(&mut self) -> Result<String> {
        let size = i64::try_from(8 + self.dice.below(40)).unwrap_or(10);
        let mut body = serde_json::json!({"name": format!("v{}", self.dice.below(20)), "size": size});
        if self.dice.once_in(2) {
            body["server"] = self.any_server().into();
            body["automount"] = self.dice.once_in(2).into();
        } else {
            body["location"] = self.dice.pick(&PLACES).into();
        }
        let request = serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))?;
        let shown = self.control.create_volume(&self.caller, request).await?;
        self.model.volumes.insert(id_of(&shown, "volume")?, size);
        Ok(text(&shown))
    }

    async fn attach_volume(&mut self) -> Result<String> {
        let (id, server, automount) = (self.any_volume(), self.any_server(), self.dice.once_in(2));
        let shown = self.control.attach_volume(&self.caller, id, AttachVolume { server, automount }).await?;
        Ok(text(&shown))
    }

    async fn detach_volume(&mut self) -> Result<String> {
        let id = self.any_volume();
        Ok(text(&self.control.detach_volume(&self.caller, id).await?))
    }

    async fn resize_volume(&mut self) -> Result<String> {
        let (id, size) = (self.any_volume(), i32::try_from(10 + self.dice.below(100)).unwrap_or(10));
        let shown = self.control.resize_volume(&self.caller, id, ResizeVolume { size: f64::from(size) }).await?;
        self.model.volumes.insert(id, i64::from(size));
        Ok(text(&shown))
    }

    async fn volume_space(&mut self) -> Result<String> {
        let place = IdOrName::from(self.dice.pick(&PLACES).unwrap_or_default());
        let left = self.dice.pick(&[None, None, Some(0), Some(30), Some(500)]).flatten();
        self.control.set_volume_space(&place, left).await.map(|set| format!("{set:?}"))
    }
}

/// What was promised of volumes: they are there, as large as they were made, and where their servers are.
pub(super) fn check(tx: &mut dyn Tx, project: Id, promised: &std::collections::BTreeMap<Id, i64>) -> Result<()> {
    for (id, size) in promised {
        let volume = volumes::expect(tx, project, *id)?.value;
        let wrong = |what: &str| Err(Error::internal(format!("volume {id} {what}: {volume:?}")));
        if volume.details.size_gb != *size {
            return wrong("has another size than was promised");
        }
        if volume.server.is_some() != volume.details.attachment.is_some() {
            return wrong("is half attached");
        }
        let Some(server) = volume.server else { continue };
        if servers::by_id(tx, server)?.is_none_or(|server| server.value.details.location != volume.location) {
            return wrong("is elsewhere than its server");
        }
    }
    Ok(())
}
