//! A transition: who does what.

use crate::model::{Model, Predicted, Tenant};
use crate::system::System;
use crate::{server, volume, world};
use proptest::prelude::{BoxedStrategy, Just, Strategy};
use proptest::prop_oneof;
use serde_json::Value;
use wolke_domain::Result;

/// What is done.
#[derive(Clone, Debug)]
pub enum What {
    Server(server::Step),
    Volume(volume::Step),
    World(world::Step),
}

/// A transition.
#[derive(Clone)]
pub struct Step {
    pub by: Tenant,
    pub what: What,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.what {
            What::World(step) => return write!(f, "{step:?}"),
            What::Server(step) => write!(f, "server {step:?}"),
            What::Volume(step) => write!(f, "volume {step:?}"),
        }?;
        if self.by == 0 { Ok(()) } else { write!(f, ", by the other") }
    }
}

/// What a whole run must have seen, accepted and refused, lest it prove nothing.
pub const EXPECTED: &[&str] =
    &["ok", "not_found", "uniqueness_error", "locked", "protected", "volume_already_attached"];

/// Any transition.
pub fn any() -> BoxedStrategy<Step> {
    let what = prop_oneof![
        5 => server::any().prop_map(What::Server),
        4 => volume::any().prop_map(What::Volume),
        4 => world::any().prop_map(What::World),
    ];
    (prop_oneof![9 => Just(0), 1 => Just(1)], what).prop_map(|(by, what)| Step { by, what }).boxed()
}

impl Step {
    /// What must come of it. What is accepted changes the model; of what is refused the caller throws the model away.
    pub fn predict(&self, model: &mut Model) -> Predicted {
        let project = &mut model.projects[self.by];
        match &self.what {
            What::Server(step) => step.predict(project),
            What::Volume(step) => step.predict(project),
            What::World(_) => Ok(()),
        }
    }

    /// Does it. `model` is as it was before.
    pub async fn perform(&self, model: &Model, system: &mut System) -> Result<Value> {
        let caller = system.caller(model, self.by);
        let id = |what| model.id(self.by, what);
        match &self.what {
            What::Server(step) => step.perform(&system.control, &caller, &id).await,
            What::Volume(step) => step.perform(&system.control, &caller, &id).await,
            What::World(step) => step.perform(system).await,
        }
    }

    /// Takes from the answer what nobody can predict: ids and public addresses.
    pub fn learn(&self, model: &mut Model, answer: &Value) {
        let project = &mut model.projects[self.by];
        match &self.what {
            What::Server(step) => step.learn(project, answer),
            What::Volume(step) => step.learn(project, answer),
            What::World(_) => {}
        }
    }
}
