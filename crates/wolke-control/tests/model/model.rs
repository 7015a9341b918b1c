//! The model: what a client may know of a cloud, as plain values. No code of the product stands behind it but ids, kinds and codes.

use crate::floating_ip::FloatingIp;
use crate::load_balancer::Balancer;
use crate::network::Network;
use crate::primary_ip::PrimaryIp;
use crate::server::{Server, Work};
use crate::volume::Volume;
use proptest::prelude::{BoxedStrategy, Strategy};
use std::collections::BTreeMap;
use std::fmt;
use wolke_wire::{ErrorCode, Id, Kind};

/// A place for a resource of a kind in a project, and its name: `server 2` is called `server-2` and is one resource at a time.
pub type Slot = u8;
/// Whose: of two projects each sees only its own.
pub type Tenant = usize;
/// What is predicted of a request.
pub type Predicted = Result<(), ErrorCode>;

/// Projects that live side by side.
pub const TENANTS: usize = 2;
/// The first of the ids that nobody has, one for each slot that was always empty.
const NOBODY: Id = 999_000;
/// Slots of one project, at most.
const SLOTS_MAX: Id = 256;

/// Slots of each kind; few, so that transitions meet.
pub const SLOTS: Slot = 4;

/// A resource as a transition names it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ref {
    pub kind: Kind,
    pub slot: Slot,
    /// The other tenant's.
    pub foreign: bool,
    /// This slot, also when it is empty; else another one that is not.
    pub exact: bool,
}

impl fmt::Debug for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}-{}", if self.foreign { "the other's " } else { "" }, self.kind.singular(), self.slot)
    }
}

impl Ref {
    /// The slot, unless it is another's: that does not exist.
    pub const fn own(self) -> Result<Slot, ErrorCode> {
        if self.foreign { Err(ErrorCode::NotFound) } else { Ok(self.slot) }
    }
}

/// Any slot, the first ones more often: so they are seldom empty.
pub fn any_slot() -> BoxedStrategy<Slot> {
    proptest::prop_oneof![4 => proptest::strategy::Just(0), 2 => 0..2_u8, 1 => 0..SLOTS].boxed()
}

/// Any resource of a kind; now and then another tenant's.
pub fn any_ref(kind: Kind) -> BoxedStrategy<Ref> {
    let foreign = proptest::prop_oneof![25 => proptest::strategy::Just(false), 1 => proptest::strategy::Just(true)];
    let exact = proptest::prop_oneof![7 => proptest::strategy::Just(false), 1 => proptest::strategy::Just(true)];
    (any_slot(), foreign, exact).prop_map(move |(slot, foreign, exact)| Ref { kind, slot, foreign, exact }).boxed()
}

/// The name of whatever lives in a slot.
pub fn name(kind: Kind, slot: Slot) -> String {
    format!("{}-{slot}", kind.singular().replace('_', "-"))
}

/// Where things are: two locations of two network zones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Fsn1,
    Sin,
}

impl Place {
    /// The network zone.
    pub const fn zone(self) -> &'static str {
        match self {
            Self::Fsn1 => "eu-central",
            Self::Sin => "ap-southeast",
        }
    }

    pub const fn location(self) -> &'static str {
        match self {
            Self::Fsn1 => "fsn1",
            Self::Sin => "sin",
        }
    }
}

/// Where something shall be: in a place, or where a server is.
#[derive(Clone, Copy, Debug)]
pub enum Where {
    In(Place),
    With(Ref),
}

pub fn any_where() -> BoxedStrategy<Where> {
    proptest::prop_oneof![any_place().prop_map(Where::In), any_ref(Kind::Server).prop_map(Where::With)].boxed()
}

pub fn any_place() -> BoxedStrategy<Place> {
    proptest::prop_oneof![9 => proptest::strategy::Just(Place::Fsn1), 1 => proptest::strategy::Just(Place::Sin)].boxed()
}

/// The label `env`: none, or one of a few values.
pub type Label = Option<u8>;

pub fn any_label() -> BoxedStrategy<Label> {
    proptest::option::of(0..3_u8).boxed()
}

/// Labels as they are asked for and shown.
pub fn labels(label: Label) -> serde_json::Value {
    match label {
        Some(n) => serde_json::json!({"env": format!("e{n}")}),
        None => serde_json::json!({}),
    }
}

/// What one project holds.
#[derive(Clone, Default, Debug)]
pub struct Project {
    pub id: Id,
    /// How many projects this tenant has had before.
    pub number: usize,
    pub servers: BTreeMap<Slot, Server>,
    pub volumes: BTreeMap<Slot, Volume>,
    pub networks: BTreeMap<Slot, Network>,
    pub floating_ips: BTreeMap<Slot, FloatingIp>,
    pub balancers: BTreeMap<Slot, Balancer>,
    /// Also those that servers have brought along, in slots that no transition names.
    pub ips: BTreeMap<Slot, PrimaryIp>,
    /// Actions of servers that are gone, which must end.
    pub orphans: Vec<Work>,
    /// Ids of what is gone, the last of each slot.
    pub dead: BTreeMap<(Kind, Slot), Id>,
}

/// Everything.
#[derive(Clone, Default, Debug)]
pub struct Model {
    pub projects: [Project; TENANTS],
}

impl Model {
    /// The id that a transition means: of what lives in the slot, else of what has lived there last.
    pub fn id(&self, by: Tenant, what: Ref) -> Id {
        let project = &self.projects[if what.foreign { TENANTS - 1 - by } else { by }];
        let nobody = NOBODY + Id::from(what.slot) + if what.foreign { SLOTS_MAX } else { 0 };
        let dead = || project.dead.get(&(what.kind, what.slot)).copied();
        project.alive(what.kind).get(&what.slot).copied().or_else(dead).unwrap_or(nobody)
    }
}

impl Project {
    /// The resource that is meant: mostly one that lives.
    pub fn resolve(&self, what: &mut Ref) {
        let alive: Vec<Slot> = self.alive(what.kind).into_keys().collect();
        if !what.exact && !what.foreign && !alive.is_empty() && !alive.contains(&what.slot) {
            what.slot = alive[usize::from(what.slot) % alive.len()];
        }
        what.exact = true;
    }

    /// The ids of all that live.
    pub fn alive(&self, kind: Kind) -> BTreeMap<Slot, Id> {
        match kind {
            Kind::Network => self.networks.iter().map(|(slot, one)| (*slot, one.id)).collect(),
            Kind::FloatingIp => self.floating_ips.iter().map(|(slot, one)| (*slot, one.id)).collect(),
            Kind::LoadBalancer => self.balancers.iter().map(|(slot, one)| (*slot, one.id)).collect(),
            Kind::Server => self.servers.iter().map(|(slot, one)| (*slot, one.id)).collect(),
            Kind::Volume => self.volumes.iter().map(|(slot, one)| (*slot, one.id)).collect(),
            Kind::PrimaryIp => self.ips.iter().map(|(slot, one)| (*slot, one.id)).collect(),
            other => panic!("the model knows no {other}"),
        }
    }

    /// Notes that something is gone.
    pub fn bury(&mut self, kind: Kind, slot: Slot, id: Id) {
        self.dead.insert((kind, slot), id);
    }
}

/// What lives in a slot.
pub fn at<T>(all: &mut BTreeMap<Slot, T>, what: Ref) -> Result<&mut T, ErrorCode> {
    all.get_mut(&what.own()?).ok_or(ErrorCode::NotFound)
}
