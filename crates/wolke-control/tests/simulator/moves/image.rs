//! Snapshots and backups.

use super::*;
use wolke_control::ImageFilter;
use wolke_wire::cloud::ChangeDeleteProtection;
use wolke_wire::cloud::image::{CreateImage, ImageType, UpdateImage};
use wolke_wire::sort::{Direction, SortKey};

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("create_image", 2, |sim| Box::pin(sim.create_image())),
    ("update_image", 1, |sim| Box::pin(sim.update_image())),
    ("delete_image", 1, |sim| Box::pin(sim.delete_image())),
    ("protect_image", 1, |sim| Box::pin(sim.protect_image())),
    ("server_from_image", 2, |sim| Box::pin(sim.server_from_image())),
    ("list_images", 1, |sim| Box::pin(sim.list_images())),
];

impl Simulator {
    fn any_image(&mut self) -> Id {
        if self.dice.once_in(12) { 12_345 } else { self.dice.pick(&self.model.images).unwrap_or(1_000_999_999) }
    }

    async fn create_image(&mut self) -> Result<String> {
        let server = self.any_server();
        let kind = if self.dice.once_in(2) { ImageType::Backup } else { ImageType::Snapshot };
        let labels = [("env".to_owned(), format!("e{}", self.dice.below(3)))].into();
        let description = self.dice.once_in(2).then(|| format!("d{}", self.dice.below(9)));
        let wanted = CreateImage { kind, description, labels };
        let shown = self.control.create_image(&self.caller, server, wanted).await?;
        self.model.images.push(id_of(&shown, "image")?);
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    async fn update_image(&mut self) -> Result<String> {
        let id = self.any_image();
        let update = UpdateImage {
            description: self.dice.once_in(2).then(|| format!("d{}", self.dice.below(9))),
            kind: self.dice.once_in(6).then_some(ImageType::Snapshot),
            labels: Some([("env".to_owned(), format!("e{}", self.dice.below(3)))].into()),
        };
        let shown = self.control.update_image(&self.caller, id, update).await?;
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    /// What was deleted stays known: servers may go on showing it.
    async fn delete_image(&mut self) -> Result<String> {
        let id = self.any_image();
        self.control.delete_image(&self.caller, id).await.map(|()| format!("{id}"))
    }

    async fn protect_image(&mut self) -> Result<String> {
        let (id, protect) = (self.any_image(), self.dice.once_in(4));
        let change = ChangeDeleteProtection { delete: Some(protect) };
        self.control.change_image_protection(&self.caller, id, change).await.map(|_| format!("{id} {protect}"))
    }

    async fn server_from_image(&mut self) -> Result<String> {
        let (name, image) = (format!("s{}", self.dice.below(40)), self.any_image());
        let kind = self.dice.pick(&["cpx22", "cpx32", "cpx11", "cax11"]).unwrap_or_default();
        let body = serde_json::json!({"name": name, "server_type": kind, "image": image});
        let request = serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))?;
        let created = self.control.create_server(&self.caller, request).await?;
        let shown = self.control.show_created(&self.caller, created.clone()).await?;
        let promised = Promised { name, create: created.action, delete: None };
        self.model.servers.insert(created.server, promised);
        Ok(format!("{} {}", created.server, String::from_utf8_lossy(&shown)))
    }

    /// Pages follow each other without gaps, whatever the order.
    async fn list_images(&mut self) -> Result<String> {
        let field = self.dice.pick(&["id", "name", "created"]).unwrap_or("id");
        let direction = if self.dice.once_in(2) { Direction::Descending } else { Direction::Ascending };
        let types = if self.dice.once_in(2) { vec!["snapshot".into(), "backup".into()] } else { Vec::new() };
        let filter = ImageFilter { types, ..ImageFilter::default() };
        let (sort, mut seen, mut total) = ([SortKey { field, direction }], Vec::new(), 0);
        for page in 1..=20 {
            let list = self.control.list_images(&self.caller, &filter, &sort, Page { page, per_page: 50 }).await?;
            let entries = format!("[{}]", String::from_utf8_lossy(&list.entries));
            let entries: Vec<serde_json::Value> =
                serde_json::from_str(&entries).map_err(|e| Error::internal(e.to_string()))?;
            seen.extend(entries.iter().filter_map(|entry| entry["id"].as_i64()));
            total = list.total;
            if entries.is_empty() {
                break;
            }
        }
        let mut unique = seen.clone();
        unique.sort_unstable();
        unique.dedup();
        if unique.len() != seen.len() || u64::try_from(seen.len()).ok() != Some(total) {
            return Err(Error::internal(format!("{} of {total} images by {field}: {seen:?}", seen.len())));
        }
        Ok(format!("{field} {direction:?} {seen:?}"))
    }
}
