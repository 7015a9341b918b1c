//! A world in memory for tests: one connection, a clock that only tests move, no worker.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test helper fails the test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use wolke_control::{Caller, Control, Core, Options, Parts, Simulation, Tokens};
use wolke_domain::Result;
use wolke_domain::action::Status;
use wolke_domain::clock::Clock;
use wolke_store::migrate::Role;
use wolke_store::seal::Sealer;
use wolke_store::sqlite::{Open, SqliteDb};
use wolke_store::{Db, Tx, action, address, host, strand};
use wolke_strand::{Worker, WorkerOptions, births};
use wolke_wire::{Dialect, Id, Timestamp};

/// A clock that stands still until it is told.
#[derive(Default)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn at(ms: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(ms)))
    }
    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn wall(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
    fn monotonic_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// 2026-11-21T00:00:00Z.
pub const START_MS: i64 = 1_795_219_200_000;

pub fn memory(role: Role, clock: &Arc<TestClock>, seed: &str) -> Arc<Db> {
    let open = Open { role, clock: clock.clone(), seed: seed.into(), on_commit: Arc::new(|_| {}) };
    Arc::new(Db::Sqlite(SqliteDb::in_memory(open).unwrap()))
}

/// A world without a worker: strands move only when a test drives them.
pub struct World {
    pub clock: Arc<TestClock>,
    pub control: Arc<Control>,
    pub core: Arc<Core>,
    pub db: Arc<Db>,
    pub caller: Caller,
}

pub async fn world(simulation: Simulation) -> World {
    let clock = TestClock::at(START_MS);
    let (root, db) = (memory(Role::Root, &clock, "root"), memory(Role::World, &clock, "world"));
    let control = control(&clock, root, &db, simulation).await;
    let project = control.0.create_project("default").await.unwrap().id;
    let caller = Caller { project, dialect: Dialect::Compat };
    let (control, core) = control;
    World { clock, core, control, db, caller }
}

/// A control plane on these databases, as a process that has just started.
pub async fn control(
    clock: &Arc<TestClock>,
    root: Arc<Db>,
    db: &Arc<Db>,
    simulation: Simulation,
) -> (Arc<Control>, Arc<Core>) {
    let core = Arc::new(Core::new(Arc::new(Sealer::new(&[7; 32]).unwrap()), simulation).unwrap());
    // The commits of this world signal nobody, so this worker never has anything to do.
    let (_, cradle) = births();
    let idle = memory(Role::World, clock, "idle");
    let worker = Worker::start(idle, Arc::clone(&core), cradle, WorkerOptions { jitter_seed: 0 }).await.unwrap();
    let tokens = Arc::new(Tokens::new(clock.clone()));
    let options = Options { settle: std::time::Duration::ZERO, refuse_contention: false };
    let parts =
        Parts { root, db: Arc::clone(db), world: "main".into(), core: Arc::clone(&core), worker, tokens, options };
    (Arc::new(Control::new(parts).await.unwrap()), core)
}

/// Checks that nothing is under way, locked or out of balance; returns how many addresses are in use.
pub fn check_at_rest(db: &Db) -> Result<i64> {
    let error = |text: String| wolke_domain::Error::internal(text);
    db.read_blocking(move |tx: &mut dyn Tx| {
        let (strands, locks) = (strand::all(tx)?, strand::locks(tx)?);
        if !strands.is_empty() || !locks.is_empty() {
            return Err(error(format!("left over: {strands:?} {locks:?}")));
        }
        match action::running(tx)? {
            0 => address::check_balance(tx),
            n => Err(error(format!("{n} actions are still running"))),
        }
    })
}

/// What the hosts of the world should hold.
pub fn host_objects(db: &Db) -> i64 {
    db.read_blocking(|tx: &mut dyn Tx| host::count_objects(tx)).unwrap()
}

/// An action's end.
pub fn action_status(db: &Db, project: Id, id: Id) -> Status {
    db.read_blocking(move |tx: &mut dyn Tx| Ok(action::get(tx, project, id)?.unwrap().1.status)).unwrap()
}
