//! The control plane under test.

use super::ask::{Answer, Ask};
use axum::Router;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use wolke_control::{Control, Core, Options, Parts, Simulation, Tokens};
use wolke_domain::clock::Clock;
use wolke_http::{Api, Settings};
use wolke_store::migrate::Role;
use wolke_store::seal::Sealer;
use wolke_store::sqlite::{Open, SqliteDb};
use wolke_store::{Db, Signal};
use wolke_strand::{Births, Worker, WorkerOptions, births};
use wolke_wire::{Dialect, Timestamp};

/// A clock that moves only when told.
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Moves it.
    pub fn advance(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
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
const START_MS: i64 = 1_795_219_200_000;
/// Work without a latency profile settles at once; this is how long a broken worker is waited for.
const SETTLE: Duration = Duration::from_secs(20);

/// How a world under test differs from another.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The dialect of the tokens.
    pub dialect: Dialect,
    /// How simulated hosts behave.
    pub simulation: Simulation,
    /// How long answers wait.
    pub settle: Duration,
    /// How long the end of a project is waited for.
    pub emptying: Duration,
    /// An enforced rate limit.
    pub rate_limit: Option<u32>,
    /// Whether the databases are files, so that a restart reads them anew.
    pub on_disk: bool,
    /// Whether work on a busy resource is refused.
    pub refuse_contention: bool,
    /// Whether the domains of managed certificates must lie in DNS zones.
    pub certificates_need_zones: bool,
}

impl Setup {
    /// The usual world in a dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            simulation: Simulation::default(),
            settle: SETTLE,
            rate_limit: None,
            on_disk: false,
            emptying: SETTLE,
            refuse_contention: false,
            certificates_need_zones: true,
        }
    }
}

/// A control plane with a project and two tokens.
pub struct World {
    pub setup: Setup,
    pub clock: Arc<TestClock>,
    pub control: Arc<Control>,
    pub api: Arc<Api>,
    pub router: Router,
    /// A read-write token.
    pub token: String,
    /// A read-only token of the same project.
    pub reader: String,
    /// Operations that succeeded: id, and how often the world had been restarted by then.
    pub succeeded: Mutex<Vec<(&'static str, u32)>>,
    pub restarts: u32,
    place: Option<Place>,
}

/// A directory of database files, removed with this value.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn new_place() -> Place {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("wolke-http-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    let path = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&path).unwrap();
    Place(path)
}

fn open(place: Option<&Place>, role: Role, name: &str, clock: &Arc<TestClock>, tell: Tell) -> Arc<Db> {
    let on_commit = Arc::new(move |signals: &[Signal]| {
        if let Some((births, tokens)) = tell.get() {
            births.on_commit(signals);
            tokens.on_commit(signals);
        }
    });
    let (clock, seed, key) = (Arc::clone(clock) as Arc<dyn Clock>, name.into(), b"key".to_vec());
    let open = Open { role, clock, seed, key, on_commit };
    Arc::new(Db::Sqlite(match place {
        Some(place) => SqliteDb::open(&place.0.join(format!("{name}.db")), open).unwrap(),
        None => SqliteDb::in_memory(open).unwrap(),
    }))
}

/// Whom commits are told to; set after the databases exist.
type Tell = Arc<OnceLock<(Births, Arc<Tokens>)>>;

async fn start(setup: &Setup, clock: &Arc<TestClock>, place: Option<&Place>) -> (Arc<Control>, Arc<Api>) {
    let tell = Tell::default();
    let (births, cradle) = births();
    let tokens = Arc::new(Tokens::new(Arc::clone(clock) as Arc<dyn Clock>));
    assert!(tell.set((births, Arc::clone(&tokens))).is_ok());
    let root = open(place, Role::Root, "root", clock, Arc::clone(&tell));
    let db = open(place, Role::World, "world", clock, tell);
    let sealer = Arc::new(Sealer::new(&[7; wolke_store::seal::KEY_LENGTH]).unwrap());
    let mut core = Core::new(sealer, setup.simulation.clone()).unwrap();
    core.certificates_need_zones = setup.certificates_need_zones;
    let core = Arc::new(core);
    let options = WorkerOptions { jitter_seed: 0 };
    let worker = Worker::start(Arc::clone(&db), Arc::clone(&core), cradle, options).await.unwrap();
    let (settle, refuse_contention) = (setup.settle, setup.refuse_contention);
    let options = Options { settle, refuse_contention, emptying: setup.emptying };
    let parts = Parts { root, db, world: "main".into(), core, worker, tokens, options };
    let control = Arc::new(Control::new(parts).await.unwrap());
    let settings = Settings { dialect: setup.dialect, rate_limit: setup.rate_limit, correlation_seed: 1 };
    let api = Api::new(Arc::clone(&control), Arc::clone(clock) as Arc<dyn Clock>, settings);
    (control, api)
}

impl World {
    /// A world in memory.
    pub async fn new(dialect: Dialect) -> Self {
        Self::with(Setup::new(dialect)).await
    }

    /// A world of its own making.
    pub async fn with(setup: Setup) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(START_MS)));
        let place = setup.on_disk.then(new_place);
        let (control, api) = start(&setup, &clock, place.as_ref()).await;
        control.create_project("default").await.unwrap();
        let (_, token) = control.create_token("default", "writer", true, None).await.unwrap();
        let (_, reader) = control.create_token("default", "reader", false, None).await.unwrap();
        let router = wolke_http::router(Arc::clone(&api));
        let succeeded = Mutex::default();
        Self { setup, clock, control, api, router, token, reader, succeeded, restarts: 0, place }
    }

    /// Stops the control plane and starts a new one on the same files, with cold caches.
    pub async fn restart(self) -> Self {
        assert!(self.setup.on_disk, "a world in memory dies with its process");
        let Self { setup, clock, control, api, router, token, reader, succeeded, restarts, place } = self;
        control.stop().await;
        drop((control, api, router));
        let (control, api) = start(&setup, &clock, place.as_ref()).await;
        let router = wolke_http::router(Arc::clone(&api));
        Self { setup, clock, control, api, router, token, reader, succeeded, restarts: restarts + 1, place }
    }

    /// The same project, with a token of its own that speaks another dialect.
    pub async fn through(&self, dialect: Dialect) -> Self {
        let (_, token) = self.control.create_token("default", dialect.name(), true, Some(dialect)).await.unwrap();
        let (_, reader) = self.control.create_token("default", dialect.name(), false, Some(dialect)).await.unwrap();
        Self {
            setup: Setup { dialect, ..self.setup.clone() },
            clock: Arc::clone(&self.clock),
            control: Arc::clone(&self.control),
            api: Arc::clone(&self.api),
            router: self.router.clone(),
            token,
            reader,
            succeeded: Mutex::default(),
            restarts: self.restarts,
            place: None,
        }
    }

    /// A request with the read-write token.
    pub fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask::new(self, method, path)
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).send().await
    }

    /// `GET` of what must be there.
    pub async fn see(&self, path: &str) -> Value {
        self.get(path).await.ok()
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path).json(&body).send().await
    }

    /// `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask("PUT", path).json(&body).send().await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path).send().await
    }

    /// Creates something that must succeed; gives its id.
    pub async fn create(&self, path: &str, body: Value) -> i64 {
        let made = self.post(path, body).await.ok();
        let (_, resource) = made.as_object().unwrap().iter().next().unwrap();
        resource["id"].as_i64().unwrap()
    }

    /// Another project with its read-write token.
    pub async fn stranger(&self) -> String {
        self.control.create_project("stranger").await.unwrap();
        self.control.create_token("stranger", "t", true, None).await.unwrap().1
    }

    /// Transactions committed so far, in both databases.
    pub fn commits(&self) -> u64 {
        self.control.db().commits() + self.control.root().commits()
    }
}
