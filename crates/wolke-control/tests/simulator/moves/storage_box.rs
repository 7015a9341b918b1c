//! Storage boxes, their snapshots and further accounts, and what the operator puts into them.

use super::*;
use wolke_control::storage_box::Content;
use wolke_store::{storage_box as boxes, storage_box_snapshot as snapshots, storage_box_subaccount as subaccounts};

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("storage_box", 2, |sim| Box::pin(sim.storage_box())),
    ("storage_box_snapshot", 2, |sim| Box::pin(sim.storage_box_snapshot())),
    ("storage_box_subaccount", 1, |sim| Box::pin(sim.storage_box_subaccount())),
    ("fill_storage_box", 2, |sim| Box::pin(sim.fill_storage_box())),
];

const PASSWORD: &str = "1-secret-PASSW0RD";

/// A request as a client would write it.
fn request<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> Result<T> {
    serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))
}

impl Simulator {
    fn any_storage_box(&mut self) -> Id {
        self.dice.pick(&self.model.storage_boxes).unwrap_or(77_777)
    }

    fn any_labels(&mut self) -> serde_json::Value {
        serde_json::json!({"env": format!("e{}", self.dice.below(3))})
    }

    async fn storage_box(&mut self) -> Result<String> {
        let (id, caller) = (self.any_storage_box(), self.caller);
        let kind = format!("bx{}1", 1 + self.dice.below(3));
        let shown = match self.dice.below(8) {
            0 => {
                let shown = self.control.delete_storage_box(&caller, id).await?;
                self.model.storage_boxes.retain(|known| *known != id);
                shown
            }
            1 => {
                let update =
                    serde_json::json!({"name": format!("b{}", self.dice.below(4)), "labels": self.any_labels()});
                self.control.update_storage_box(&caller, id, request(update)?).await?
            }
            2 => {
                let delete = serde_json::json!({"delete": self.dice.once_in(3)});
                self.control.change_storage_box_protection(&caller, id, request(delete)?).await?
            }
            3 => {
                let kind = serde_json::json!({"storage_box_type": kind});
                self.control.change_storage_box_type(&caller, id, request(kind)?).await?
            }
            4 => {
                let plan = serde_json::json!({"max_snapshots": 1 + self.dice.below(12), "minute": self.dice.below(60),
                    "hour": self.dice.below(24), "day_of_week": self.dice.once_in(2).then_some(3)});
                self.control.enable_snapshot_plan(&caller, id, request(plan)?).await?
            }
            5 => self.control.disable_snapshot_plan(&caller, id).await?,
            _ => {
                let wanted = serde_json::json!({"name": format!("b{}", self.dice.below(4)), "storage_box_type": kind,
                    "location": "fsn1", "password": PASSWORD, "labels": self.any_labels()});
                let shown = self.control.create_storage_box(&caller, request(wanted)?).await?;
                self.model.storage_boxes.push(id_of(&shown, "storage_box")?);
                shown
            }
        };
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    async fn storage_box_snapshot(&mut self) -> Result<String> {
        let (of, caller) = (self.any_storage_box(), self.caller);
        let there = self.db.read(move |tx| snapshots::of_box(tx, of)).await?;
        let ids: Vec<Id> = there.iter().map(|one| one.value.id).collect();
        let id = self.dice.pick(&ids).unwrap_or(77_777);
        let shown = match self.dice.below(6) {
            0 => self.control.delete_storage_box_snapshot(&caller, (of, id)).await?,
            1 => {
                let rollback = serde_json::json!({"snapshot": id});
                self.control.rollback_storage_box(&caller, of, request(rollback)?).await?
            }
            2 => {
                let update = request(serde_json::json!({"labels": self.any_labels()}))?;
                self.control.update_storage_box_snapshot(&caller, (of, id), update).await?
            }
            _ => {
                let wanted = request(serde_json::json!({"description": "d", "labels": self.any_labels()}))?;
                self.control.create_storage_box_snapshot(&caller, of, wanted).await?
            }
        };
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    async fn storage_box_subaccount(&mut self) -> Result<String> {
        let (of, caller) = (self.any_storage_box(), self.caller);
        let there = self.db.read(move |tx| subaccounts::of_box(tx, of)).await?;
        let ids: Vec<Id> = there.iter().map(|one| one.value.id).collect();
        let id = self.dice.pick(&ids).unwrap_or(77_777);
        let home = format!("home/{}", self.dice.below(5));
        let shown = match self.dice.below(5) {
            0 => self.control.delete_storage_box_subaccount(&caller, (of, id)).await?,
            1 => {
                let change = request(serde_json::json!({"home_directory": home}))?;
                self.control.change_home_directory(&caller, (of, id), change).await?
            }
            2 => {
                let change = request(serde_json::json!({"readonly": self.dice.once_in(2)}))?;
                self.control.update_subaccount_access_settings(&caller, (of, id), change).await?
            }
            _ => {
                let wanted = serde_json::json!({"name": format!("s{}", self.dice.below(5)), "home_directory": home,
                    "password": PASSWORD, "labels": self.any_labels()});
                self.control.create_storage_box_subaccount(&caller, of, request(wanted)?).await?
            }
        };
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    async fn fill_storage_box(&mut self) -> Result<String> {
        let id = self.any_storage_box();
        let bytes = i64::try_from(self.dice.below(1 << 41)).unwrap_or(0);
        let rewritten = self.dice.once_in(3).then_some(bytes / 3);
        let folders = self.dice.once_in(3).then(|| vec![format!("a/{}", self.dice.below(3)), "b".to_owned()]);
        let content = Content { bytes: Some(bytes), rewritten, folders, removed: Vec::new() };
        let filled = self.control.fill_storage_box(id, content).await?;
        Ok(format!("{filled:?}"))
    }
}

/// Storage boxes are there that were promised; homes of their further accounts are folders; what is cached is what is shown.
pub fn check(tx: &mut dyn Tx, control: &Control, caller: &Caller, promised: &[Id]) -> Result<()> {
    for id in promised {
        boxes::expect(tx, caller.project, *id)?;
        control.check_fragment(tx, caller, Kind::StorageBox, *id)?;
        let folders = boxes::folders(tx, *id)?;
        for account in subaccounts::of_box(tx, *id)? {
            control.check_fragment(tx, caller, Kind::StorageBoxSubaccount, account.value.id)?;
            if !folders.contains(&account.value.details.home) {
                return Err(Error::internal(format!("{} has no home", account.value.username)));
            }
        }
        for snapshot in snapshots::of_box(tx, *id)? {
            control.check_fragment(tx, caller, Kind::StorageBoxSnapshot, snapshot.value.id)?;
        }
    }
    Ok(())
}
