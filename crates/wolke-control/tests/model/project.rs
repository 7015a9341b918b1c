//! Projects that end, with all that they hold. Their tenant goes on in a new one, and sees nothing of the old.

use crate::model::{Predicted, Project, Tenant};
use crate::view::KINDS;
use proptest::prelude::{BoxedStrategy, Just, Strategy};
use proptest::prop_oneof;
use serde_json::{Value, json};
use wolke_control::Control;
use wolke_domain::Result;
use wolke_wire::ErrorCode;

#[derive(Clone, Debug)]
pub enum Step {
    /// With everything, or only when it is empty.
    EndProject { everything: bool },
}

pub fn any() -> BoxedStrategy<Step> {
    prop_oneof![1 => Just(true), 2 => Just(false)].prop_map(|everything| Step::EndProject { everything }).boxed()
}

/// What the project of a tenant is called that has had so many before.
pub fn name(tenant: Tenant, number: usize) -> String {
    format!("project-{tenant}-{number}")
}

impl Step {
    pub fn predict(&self, project: &mut Project) -> Predicted {
        let Self::EndProject { everything } = *self;
        let is_empty = KINDS.iter().all(|(kind, _)| project.alive(*kind).is_empty()) && project.orphans.is_empty();
        if !everything && !is_empty {
            return Err(ErrorCode::Conflict);
        }
        for (kind, _) in KINDS {
            let gone = project.alive(kind).into_iter().map(|(slot, id)| ((kind, slot), id));
            project.dead.extend(gone.collect::<Vec<_>>());
        }
        let (number, dead) = (project.number + 1, std::mem::take(&mut project.dead));
        *project = Project { number, dead, ..Project::default() };
        Ok(())
    }

    pub async fn perform(&self, control: &Control, by: Tenant, project: &Project) -> Result<Value> {
        let Self::EndProject { everything } = *self;
        control.delete_project(&name(by, project.number), everything).await?;
        let new = control.create_project(&name(by, project.number + 1)).await?;
        Ok(json!({"id": new.id}))
    }
}
