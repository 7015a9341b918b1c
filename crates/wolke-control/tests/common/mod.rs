//! A world in memory for tests: one connection, a clock that only tests move, no worker.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test helper fails the test")]

pub mod driven;
mod schemas;

use driven::Machine;
use schemas::{Schema, Schemas};
use std::io::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use wolke_control::driver::Driver;
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
    let open =
        Open { role, clock: clock.clone(), seed: seed.into(), key: b"key".to_vec(), on_commit: Arc::new(|_| {}) };
    Arc::new(Db::Sqlite(SqliteDb::in_memory(open).unwrap()))
}

/// Where a world under test lives.
#[derive(Clone, Debug)]
pub enum Engine {
    /// SQLite in memory.
    Memory,
    /// A PostgreSQL schema of its own.
    Postgres(Arc<Schemas>),
    /// One of these, with a host in the first location that is driven as a real one.
    Driven(Box<Engine>),
}

/// Every engine, with a simulated and with a driven host.
pub fn every_host(test: &str) -> Vec<Engine> {
    let engines = engines(test);
    let driven = engines.clone().into_iter().map(|engine| Engine::Driven(Box::new(engine)));
    engines.into_iter().chain(driven).collect()
}

/// Both engines; PostgreSQL only where `WOLKE_TEST_POSTGRES` names one. Without it `test` says so, and fails in CI.
#[expect(clippy::disallowed_methods, reason = "prerequisites of tests come from the environment")]
pub fn engines(test: &str) -> Vec<Engine> {
    let Ok(url) = std::env::var("WOLKE_TEST_POSTGRES") else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "WOLKE_TEST_POSTGRES must be set in CI");
        // Past the test runner's capture: a skipped engine must be seen.
        let _ = writeln!(std::io::stderr(), "SKIPPED {test} on PostgreSQL: WOLKE_TEST_POSTGRES is not set");
        return vec![Engine::Memory];
    };
    vec![Engine::Memory, Engine::Postgres(Schemas::new(&url))]
}

fn open_world(engine: &Engine, clock: &Arc<TestClock>) -> (Arc<Db>, Option<Schema>) {
    match engine {
        Engine::Memory => (memory(Role::World, clock, "world"), None),
        Engine::Postgres(schemas) => {
            let (db, schema) = schemas.open(clock);
            (db, Some(schema))
        }
        Engine::Driven(below) => open_world(below, clock),
    }
}

/// A world without a worker: strands move only when a test drives them.
pub struct World {
    pub clock: Arc<TestClock>,
    pub control: Arc<Control>,
    pub core: Arc<Core>,
    pub db: Arc<Db>,
    pub caller: Caller,
    pub driven: Option<Driven>,
    /// Dropped last: others get the schema when nobody uses it any more.
    pub schema: Option<Schema>,
}

/// A driven host and its driver, if that lives.
pub struct Driven {
    pub machine: Machine,
    pub driver: Mutex<Option<Driver>>,
}

/// Runs what blocks where a test may be within a runtime, as drivers never are.
fn off_runtime<T: Send>(what: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(what).join().unwrap())
}

impl World {
    /// Lets world time pass, on either engine.
    pub async fn pass(&self, ms: i64) {
        if self.driven.is_none() {
            self.control.advance_clock(ms).await.unwrap();
            return;
        }
        self.clock.advance(ms);
        if self.db.is_shared() {
            // Its clock is the database's, and the operator must not touch that of a world with real hosts.
            let pass = move |tx: &mut dyn Tx| {
                let (state, real) = (wolke_store::clock::get(tx)?, tx.facts().real_now);
                wolke_store::clock::set(tx, state.set(real, state.world_at(real).plus_ms(ms)))
            };
            off_runtime(|| self.db.write_blocking(vec![wolke_store::Race::Database], pass)).unwrap();
        }
        let _ = self.turn();
    }

    /// A turn of the driver, where there is one.
    pub fn turn(&self) -> Result<()> {
        let Some(driven) = &self.driven else { return Ok(()) };
        match &mut *driven.driver.lock().unwrap() {
            Some(driver) => off_runtime(|| driver.turn()).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Ends the driver, as a killed process does.
    pub fn kill_driver(&self) {
        *self.driven.as_ref().unwrap().driver.lock().unwrap() = None;
    }

    /// Starts a driver that knows nothing.
    pub fn start_driver(&self) {
        let driven = self.driven.as_ref().unwrap();
        *driven.driver.lock().unwrap() = Some(driven.machine.driver(&self.db, self.clock.clone()));
        self.turn().unwrap();
    }

    pub fn machine(&self) -> &Machine {
        &self.driven.as_ref().unwrap().machine
    }

    pub fn now(&self) -> Timestamp {
        self.db.read_blocking(|tx: &mut dyn Tx| Ok(tx.now())).unwrap()
    }
}

pub async fn world(engine: &Engine, simulation: Simulation) -> World {
    world_of(engine, core(simulation)).await
}

/// A core like that of an installation.
pub fn core(simulation: Simulation) -> Core {
    Core::new(Arc::new(Sealer::new(&[7; 32]).unwrap()), simulation).unwrap()
}

pub async fn world_of(engine: &Engine, core: Core) -> World {
    let clock = TestClock::at(START_MS);
    let root = memory(Role::Root, &clock, "root");
    let (db, schema) = open_world(engine, &clock);
    let control = control_of(&clock, root, &db, core).await;
    let project = control.0.create_project("default").await.unwrap().id;
    let caller = Caller { project, dialect: Dialect::Compat, operation: "" };
    let (control, core) = control;
    let is_driven = matches!(engine, Engine::Driven(_));
    let driven = is_driven.then(|| Driven { machine: Machine::new(Arc::clone(&core)), driver: Mutex::new(None) });
    let world = World { clock, core, control, db, caller, driven, schema };
    if is_driven {
        world.start_driver();
    }
    world
}

/// A control plane on these databases, as a process that has just started.
pub async fn control(
    clock: &Arc<TestClock>,
    root: Arc<Db>,
    db: &Arc<Db>,
    simulation: Simulation,
) -> (Arc<Control>, Arc<Core>) {
    control_of(clock, root, db, core(simulation)).await
}

async fn control_of(clock: &Arc<TestClock>, root: Arc<Db>, db: &Arc<Db>, core: Core) -> (Arc<Control>, Arc<Core>) {
    let core = Arc::new(core);
    // The commits of this world signal nobody, so this worker never has anything to do.
    let (_, cradle) = births();
    let idle = memory(Role::World, clock, "idle");
    let worker = Worker::start(idle, Arc::clone(&core), cradle, WorkerOptions { jitter_seed: 0 }).await.unwrap();
    let tokens = Arc::new(Tokens::new(clock.clone()));
    let options = Options { settle: std::time::Duration::ZERO, ..Options::default() };
    let parts =
        Parts { root, db: Arc::clone(db), world: "main".into(), core: Arc::clone(&core), worker, tokens, options };
    (Arc::new(Control::new(parts).await.unwrap()), core)
}

/// Checks that nothing is under way, locked or out of balance; returns how many addresses are in use. Calendars sleep until
/// their next appointment.
pub fn check_at_rest(db: &Db) -> Result<i64> {
    let error = |text: String| wolke_domain::Error::internal(text);
    db.read_blocking(move |tx: &mut dyn Tx| {
        let (mut strands, locks) = (strand::all(tx)?, strand::locks(tx)?);
        let now = tx.now();
        strands.retain(|strand| !strand.kind.ends_with("_calendar") || strand.wake_at <= now);
        if !strands.is_empty() || !locks.is_empty() {
            return Err(error(format!("left over: {strands:?} {locks:?}")));
        }
        match action::running(tx)? {
            0 => address::check_balance(tx),
            n => Err(error(format!("{n} actions are still running"))),
        }
    })
}

/// How many machines the hosts of the world should hold.
pub fn host_objects(db: &Db) -> i64 {
    let count = |tx: &mut dyn Tx| {
        let mut servers = 0;
        for on in host::list(tx)? {
            servers += host::objects(tx, on.id)?.iter().filter(|object| object.kind == "server").count();
        }
        Ok(i64::try_from(servers).unwrap())
    };
    db.read_blocking(count).unwrap()
}

/// An action's end.
pub fn action_status(db: &Db, project: Id, id: Id) -> Status {
    db.read_blocking(move |tx: &mut dyn Tx| Ok(action::get(tx, project, id)?.unwrap().1.status)).unwrap()
}

/// Whether every simulated host has all of its room: true when nothing is placed anywhere.
pub fn rooms_are_whole(db: &Db) -> bool {
    use wolke_domain::placement::{Need, SIMULATED_HOST};
    let rooms = db.read_blocking(|tx: &mut dyn Tx| {
        let mut rooms = Vec::new();
        for host in host::list(tx)? {
            let found = host::candidates(tx, host.location, &Need::none())?;
            rooms.extend(found.real.into_iter().chain(found.simulated));
        }
        Ok(rooms)
    });
    rooms.unwrap().iter().all(|room| room.free == SIMULATED_HOST)
}

/// What a machine that a host holds takes of it: by its spec, and of one on its way out by what was noted of it.
fn taken(tx: &mut dyn Tx, on: Id, object: &host::Change) -> Result<wolke_domain::placement::Need> {
    use wolke_domain::placement::Need;
    if !object.tombstone {
        let wish: serde_json::Value = serde_json::from_str(&object.spec).unwrap();
        let of = |field: &str| wish["present"][field].as_i64().unwrap();
        return Ok(Need { cores: of("cores"), memory_mb: of("memory_mb"), disk_gb: of("disk_gb") });
    }
    let error = || wolke_domain::Error::internal(format!("nobody knows what {} takes of host {on}", object.id));
    let server = wolke_store::server::by_id(tx, object.id)?.ok_or_else(error)?.value;
    match server.details.moving.filter(|moving| moving.from == on) {
        Some(moving) => Ok(moving.need),
        None => server.details.leaving.ok_or_else(error),
    }
}

/// Checks that every simulated host has left what it has less what it holds.
pub fn check_rooms(tx: &mut dyn Tx) -> Result<()> {
    use wolke_domain::placement::SIMULATED_HOST;
    for on in host::list(tx)? {
        let (_, mut free) = host::room(tx, on.id)?;
        for object in host::objects(tx, on.id)?.iter().filter(|object| object.kind == "server") {
            let taken = taken(tx, on.id, object)?;
            free.cores += taken.cores;
            free.memory_mb += taken.memory_mb;
            free.disk_gb += taken.disk_gb;
        }
        if free != SIMULATED_HOST {
            return Err(wolke_domain::Error::internal(format!("host {} does not add up: {free:?}", on.id)));
        }
    }
    Ok(())
}
