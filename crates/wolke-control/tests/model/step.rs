//! A transition: who does what.

use crate::model::{Model, Predicted, Tenant};
use crate::system::System;
use crate::{floating_ip, load_balancer, network, primary_ip, project, server, volume, world};
use proptest::prelude::{BoxedStrategy, Just, Strategy};
use proptest::prop_oneof;
use serde_json::Value;
use wolke_domain::Result;

/// What is done.
#[derive(Clone, Debug)]
pub enum What {
    Server(server::Step),
    Volume(volume::Step),
    Network(network::Step),
    PrimaryIp(primary_ip::Step),
    FloatingIp(floating_ip::Step),
    Balancer(load_balancer::Step),
    Project(project::Step),
    World(world::Step),
}

/// A transition.
#[derive(Clone)]
pub struct Step {
    pub by: Tenant,
    pub what: What,
    /// The process dies after its commit, before anybody has read the answer.
    pub lost: bool,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.what {
            What::World(step) => return write!(f, "{step:?}"),
            What::Server(step) => write!(f, "server {step:?}"),
            What::Volume(step) => write!(f, "volume {step:?}"),
            What::Network(step) => write!(f, "network {step:?}"),
            What::PrimaryIp(step) => write!(f, "primary IP {step:?}"),
            What::FloatingIp(step) => write!(f, "floating IP {step:?}"),
            What::Balancer(step) => write!(f, "load balancer {step:?}"),
            What::Project(step) => write!(f, "{step:?}"),
        }?;
        if self.by != 0 {
            write!(f, ", by the other")?;
        }
        if self.lost { write!(f, ", and a crash before the answer") } else { Ok(()) }
    }
}

/// What a whole run must have seen, accepted and refused, lest it prove nothing; without what is so rare that another seed may miss it.
pub const EXPECTED: &[&str] = &[
    "server ok",
    "server locked",
    "server not_found",
    "server protected",
    "server uniqueness_error",
    "volume ok",
    "volume limit_exceeded_error",
    "volume locked",
    "volume not_found",
    "volume protected",
    "volume service_error",
    "volume volume_already_attached",
    "network ok",
    "network invalid_input",
    "network ip_not_available",
    "network no_subnet_available",
    "network not_found",
    "network protected",
    "network server_already_attached",
    "primary_ip ok",
    "primary_ip must_be_unassigned",
    "primary_ip primary_ip_already_assigned",
    "primary_ip server_has_ipv4",
    "primary_ip server_not_stopped",
    "floating_ip ok",
    "floating_ip floating_ip_assigned",
    "floating_ip must_be_unassigned",
    "load_balancer ok",
    "load_balancer load_balancer_already_attached",
    "load_balancer load_balancer_not_attached_to_network",
    "load_balancer load_balancer_public_interface_disabled",
    "load_balancer missing_ipv4",
    "load_balancer server_not_attached_to_network",
    "load_balancer source_port_already_used",
    "load_balancer target_already_defined",
    "project ok",
    "project conflict",
];

fn by(what: BoxedStrategy<What>) -> BoxedStrategy<Step> {
    let is_lost = prop_oneof![30 => Just(false), 1 => Just(true)];
    let step = move |(by, what, lost)| Step { by, lost: lost && !matches!(what, What::World(_)), what };
    (prop_oneof![15 => Just(0), 1 => Just(1)], what, is_lost).prop_map(step).boxed()
}

/// What fills an empty project, noun by noun, each with how many there are at most: later ones need earlier ones.
pub fn beginning() -> [(BoxedStrategy<Step>, usize); 7] {
    [
        (by(network::create().prop_map(What::Network).boxed()), 4),
        (by(volume::create().prop_map(What::Volume).boxed()), 4),
        (by(primary_ip::create().prop_map(What::PrimaryIp).boxed()), 3),
        (by(server::create().prop_map(What::Server).boxed()), 6),
        (by(Just(What::World(world::Step::Rest)).boxed()), 1),
        (by(floating_ip::create().prop_map(What::FloatingIp).boxed()), 3),
        (by(load_balancer::create().prop_map(What::Balancer).boxed()), 4),
    ]
}

/// Any transition.
pub fn any() -> BoxedStrategy<Step> {
    let what = prop_oneof![
        24 => server::any().prop_map(What::Server),
        12 => volume::any().prop_map(What::Volume),
        14 => network::any().prop_map(What::Network),
        10 => primary_ip::any().prop_map(What::PrimaryIp),
        8 => floating_ip::any().prop_map(What::FloatingIp),
        16 => load_balancer::any().prop_map(What::Balancer),
        1 => project::any().prop_map(What::Project),
        24 => world::any().prop_map(What::World),
    ];
    by(what.boxed())
}

impl Step {
    /// What it is about.
    pub const fn noun(&self) -> &'static str {
        match self.what {
            What::Server(_) => "server",
            What::Volume(_) => "volume",
            What::Network(_) => "network",
            What::PrimaryIp(_) => "primary_ip",
            What::FloatingIp(_) => "floating_ip",
            What::Balancer(_) => "load_balancer",
            What::Project(_) => "project",
            What::World(_) => "world",
        }
    }

    /// The same, of the resources that are meant as things stand.
    pub fn resolved(&self, model: &Model) -> Self {
        let mut step = self.clone();
        let refs = match &mut step.what {
            What::Server(step) => step.refs(),
            What::Volume(step) => step.refs(),
            What::Network(step) => step.refs(),
            What::PrimaryIp(step) => step.refs(),
            What::FloatingIp(step) => step.refs(),
            What::Balancer(step) => step.refs(),
            What::Project(_) | What::World(_) => Vec::new(),
        };
        refs.into_iter().for_each(|found| model.projects[step.by].resolve(found));
        step
    }

    /// What must come of it. What is accepted changes the model; of what is refused the caller throws the model away.
    pub fn predict(&self, model: &mut Model) -> Predicted {
        let project = &mut model.projects[self.by];
        match &self.what {
            What::Server(step) => step.predict(project),
            What::Volume(step) => step.predict(project),
            What::Network(step) => step.predict(project),
            What::PrimaryIp(step) => step.predict(project),
            What::FloatingIp(step) => step.predict(project),
            What::Balancer(step) => step.predict(project),
            What::Project(step) => step.predict(project),
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
            What::Network(step) => step.perform(&system.control, &caller, &id).await,
            What::PrimaryIp(step) => step.perform(&system.control, &caller, &model.projects[self.by], &id).await,
            What::FloatingIp(step) => step.perform(&system.control, &caller, &id).await,
            What::Balancer(step) => step.perform(&system.control, &caller, &id).await,
            What::Project(step) => step.perform(&system.control, self.by, &model.projects[self.by]).await,
            What::World(step) => step.perform(system).await,
        }
    }

    /// Takes from the answer what nobody can predict: ids and public addresses.
    pub fn learn(&self, model: &mut Model, answer: &Value) {
        let project = &mut model.projects[self.by];
        match &self.what {
            What::Server(step) => step.learn(project, answer),
            What::Volume(step) => step.learn(project, answer),
            What::Network(step) => step.learn(project, answer),
            What::PrimaryIp(step) => step.learn(project, answer),
            What::FloatingIp(step) => step.learn(project, answer),
            What::Balancer(step) => step.learn(project, answer),
            What::Project(_) => project.id = answer["id"].as_i64().unwrap(),
            What::World(_) => {}
        }
    }
}
