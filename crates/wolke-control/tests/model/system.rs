//! The system under test: a control plane in memory, without a worker. Processes come and go, databases stay.

use crate::common::{START_MS, TestClock, control, memory};
use crate::model::{Model, TENANTS, Tenant};
use serde_json::Value;
use std::sync::Arc;
use wolke_control::{Caller, Control, Core, ListRequest, Simulation};
use wolke_domain::{Error, Result};
use wolke_store::Db;
use wolke_store::migrate::Role;
use wolke_strand::testing::{Disturbance, Drive};
use wolke_wire::paging::Page;
use wolke_wire::selector::Selector;
use wolke_wire::{Dialect, Id, Kind};

/// How often time passes until everything must have come to rest.
const ROUNDS_MAX: usize = 100;
/// How much passes each time, in milliseconds.
const ROUND_MS: i64 = 1_000;

/// More than there ever is of a kind.
const PAGE: u32 = 50;

pub struct System {
    pub clock: Arc<TestClock>,
    root: Arc<Db>,
    pub db: Arc<Db>,
    pub control: Arc<Control>,
    core: Arc<Core>,
    /// Hosts were slow since the last start: load balancers made meanwhile look at their targets one check after another.
    pub checks_take_time: bool,
}

/// What a client reads of an answer.
pub fn json(answer: impl AsRef<[u8]>) -> Value {
    serde_json::from_slice(answer.as_ref()).expect("answers are JSON")
}

/// A request as a client would write it.
pub fn request<T: serde::de::DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).expect("requests fit the contract")
}

impl System {
    pub async fn new() -> (Self, Model) {
        let clock = TestClock::at(START_MS);
        let (root, db) = (memory(Role::Root, &clock, "model"), memory(Role::World, &clock, "model"));
        let (control, core) = control(&clock, Arc::clone(&root), &db, Simulation::default()).await;
        let system = Self { clock, root, db, control, core, checks_take_time: false };
        let mut model = Model::default();
        for tenant in 0..TENANTS {
            let project = system.control.create_project(&crate::project::name(tenant, 0)).await.unwrap();
            model.projects[tenant].id = project.id;
        }
        system.control.add_dedicated_ip(crate::load_balancer::DEDICATED).await.unwrap();
        (system, model)
    }

    /// A tenant as the control plane sees it.
    pub fn caller(&self, model: &Model, tenant: Tenant) -> Caller {
        Caller { project: model.projects[tenant].id, dialect: Dialect::Compat, operation: "" }
    }

    /// Everything in memory is lost: caches, leases, policies of hosts. The databases are what is left.
    pub async fn restart(&mut self) {
        (self.control, self.core) = control(&self.clock, Arc::clone(&self.root), &self.db, Simulation::default()).await;
        self.checks_take_time = false;
    }

    /// One step of every strand that is due.
    pub fn step(&self, disturbance: Disturbance) -> Result<()> {
        Drive::new(&self.db, &self.core, disturbance).one().map(|_| ())
    }

    /// Lets time pass until nothing is under way.
    pub fn rest(&self) -> Result<()> {
        for _ in 0..ROUNDS_MAX {
            Drive::new(&self.db, &self.core, Disturbance::None).until_idle()?;
            if crate::common::check_at_rest(&self.db).is_ok() {
                return Ok(());
            }
            self.clock.advance(ROUND_MS);
        }
        crate::common::check_at_rest(&self.db).map(|_| ())
    }

    /// A resource as a client sees it; none when it is not there.
    pub async fn get(&self, caller: &Caller, kind: Kind, id: Id) -> Result<Option<Value>> {
        match self.control.get(caller, kind, id).await {
            Ok(answer) => Ok(Some(json(answer)[kind.singular()].take())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All resources of a kind.
    pub async fn list(&self, caller: &Caller, kind: Kind) -> Result<Vec<Value>> {
        self.page(caller, kind, None).await
    }

    /// A list as a client sees it: of a kind, or of actions those of a resource.
    pub async fn page(&self, caller: &Caller, kind: Kind, of: Option<(Kind, Option<Id>)>) -> Result<Vec<Value>> {
        let (filters, selector, sort) = (Vec::new(), Selector::default(), Vec::new());
        let page = Page { page: 1, per_page: PAGE };
        let list = self.control.list(caller, ListRequest { kind, of, filters, selector, sort, page }).await?;
        if list.total > u64::from(PAGE) {
            return Err(Error::internal(format!("{} of {kind} are more than fit a page", list.total)));
        }
        let entries = json([b"[", &list.entries[..], b"]"].concat());
        Ok(entries.as_array().expect("a list").clone())
    }
}
