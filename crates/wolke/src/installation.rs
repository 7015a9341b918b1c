//! Putting an installation together: databases, seal key, first token, worker, application.

use crate::config::Settings;
use crate::directory::{Directory, WORLD, WORLD_GONE_FIX};
use crate::failure::{Failure, Result};
use crate::seal_key::SealKey;
use crate::{files, first_token};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use wolke_control::driver::{Nudge, Running};
use wolke_control::operator::{self, Operator};
use wolke_control::{Control, Core, Options, Parts, Simulation, Tokens};
use wolke_domain::catalogue::DOCUMENT_BYTES_MAX;
use wolke_domain::clock::Clock;
use wolke_store::migrate::Role;
use wolke_store::seal::Sealer;
use wolke_store::{Db, OnCommit, postgres, random, sqlite};
use wolke_strand::{Worker, WorkerOptions, births};

/// The PostgreSQL schema of the root database.
const ROOT_SCHEMA: &str = "wolke_root";

/// The PostgreSQL schema of a database.
pub fn schema(role: Role) -> String {
    match role {
        Role::Root => ROOT_SCHEMA.to_owned(),
        Role::World => format!("wolke_world_{WORLD}"),
    }
}

/// The control plane of one process, running.
///
/// Its databases are closed when the runtime ends, since tasks share them: a lock on the directory has to outlive that.
pub struct Installation {
    /// The application.
    pub control: Arc<Control>,
    /// The clock that all of it uses.
    pub clock: Arc<dyn Clock>,
    /// What steps and operations share.
    pub core: Arc<Core>,
    /// The world's database.
    pub db: Arc<Db>,
    /// Wakes the driver of this process's host with the commits of the world.
    pub nudge: Nudge,
    /// The driver, where this process has one.
    pub driver: Option<Running>,
}

impl Installation {
    /// Opens the databases, makes what a first start makes, and starts the worker on the current runtime.
    ///
    /// # Errors
    /// When a database cannot be opened, or was sealed with another key.
    pub async fn open(settings: &Settings, directory: &Directory, clock: Arc<dyn Clock>) -> Result<Self> {
        let tokens = Arc::new(Tokens::new(Arc::clone(&clock)));
        let (births, cradle) = births();
        let on_root: OnCommit = {
            let tokens = Arc::clone(&tokens);
            Arc::new(move |signals| tokens.on_commit(signals))
        };
        let nudge = Nudge::default();
        let on_world: OnCommit = {
            let nudge = nudge.clone();
            Arc::new(move |signals| {
                births.on_commit(signals);
                nudge.on_commit(signals);
            })
        };
        let key = seal_key(settings, directory)?;
        let opener = Opener { settings, directory, clock: &clock, key: &key };
        opener.check_world()?;
        // Side by side: each takes a few milliseconds of system calls.
        let (root, db) = std::thread::scope(|scope| {
            let root = scope.spawn(|| opener.open_root(on_root));
            let db = opener.open(Role::World, on_world);
            (root.join().unwrap_or_else(|_| Err(Failure::new("opening the root database panicked"))), db)
        });
        let ((root, sealer), db) = (root?, Arc::new(db?));
        let sealer = match sealer {
            Some(sealer) => sealer,
            None => set_up(key, directory, &root, &db).await?,
        };
        let simulation = Simulation { profile: settings.latency.clone(), ..Simulation::default() };
        let mut core = Core::new(Arc::new(sealer), simulation)?;
        core.certificates_need_zones = settings.certificates_need_zones;
        if let Some(file) = &settings.catalogue {
            core.set_operator(catalogue(file)?);
        }
        let core = Arc::new(core);
        // Before strands run: they look things up in the catalogue.
        operator::load(&db, &core, clock.monotonic_ms()).await?;
        let jitter = WorkerOptions { jitter_seed: u64::from(std::process::id()) };
        let worker = Worker::start(Arc::clone(&db), Arc::clone(&core), cradle, jitter).await?;
        let options =
            Options { settle: settings.settle, refuse_contention: settings.refuse_contention, ..Options::default() };
        let (shared, world) = (Arc::clone(&core), Arc::clone(&db));
        let parts = Parts { root, db, world: WORLD.into(), core, worker, tokens, options };
        let control = Arc::new(Control::new(parts).await?);
        Ok(Self { control, clock, core: shared, db: world, nudge, driver: None })
    }

    /// Stops the worker and waits for what runs, bounded. The rest goes on after the next start.
    pub async fn close(self) {
        self.control.stop().await;
        if let Some(mut driver) = self.driver {
            // It waits for its thread. Guests go on.
            let _ = tokio::task::spawn_blocking(move || driver.stop()).await;
        }
    }
}

/// The operator's catalogue file over the built-in catalogue.
fn catalogue(file: &Path) -> Result<Operator> {
    let mut text = String::new();
    // One byte more than can be right: a longer file is refused by its length.
    let bounded = std::fs::File::open(file).map(|opened| opened.take(DOCUMENT_BYTES_MAX as u64 + 1));
    bounded.and_then(|mut opened| opened.read_to_string(&mut text)).map_err(|e| Failure::file("read", file, e))?;
    Operator::with_file(&text).map_err(|e| Failure::usage(format!("{}: {e}", file.display())))
}

/// Seal key, account, project and token. Processes that share a data directory take turns.
async fn set_up(key: SealKey, directory: &Directory, root: &Db, world: &Db) -> Result<Sealer> {
    let _turn = if root.is_shared() { Some(directory.wait_for_turn()?) } else { None };
    let key = key.keep()?;
    let sealer = key.sealer()?;
    key.check(root).await?;
    first_token::ensure(root, world, directory).await?;
    Ok(sealer)
}

/// The key before anything is opened; one that is new is written when the databases turn out to want it.
fn seal_key(settings: &Settings, directory: &Directory) -> Result<SealKey> {
    match &settings.seal_key {
        _ if directory.is_ephemeral() => SealKey::ephemeral(),
        Some(file) => SealKey::load(file, false),
        None => SealKey::load(&directory.file("seal.key"), true),
    }
}

struct Opener<'a> {
    settings: &'a Settings,
    directory: &'a Directory,
    clock: &'a Arc<dyn Clock>,
    key: &'a SealKey,
}

impl Opener<'_> {
    /// A directory whose root database is set up has had a world: an empty one in its place would hide the loss.
    fn check_world(&self) -> Result<()> {
        let path = self.directory.database(Role::World);
        let embedded = self.settings.database.is_none() && !self.directory.is_ephemeral();
        if !embedded || path.exists() || !self.directory.database(Role::Root).exists() {
            return Ok(());
        }
        let root = self.open(Role::Root, Arc::new(|_| {}))?;
        // A first start that was cut short has a root database too, with nothing in it.
        if root.read_blocking(|tx| first_token::is_set_up(tx))? {
            let gone = format!("the world database {} is gone: {WORLD_GONE_FIX}", path.display());
            return Err(Failure::new(gone));
        }
        Ok(())
    }

    /// Opens the root database; with the sealer when everything is as the last start has left it.
    fn open_root(&self, on_commit: OnCommit) -> Result<(Arc<Db>, Option<Sealer>)> {
        let root = self.open(Role::Root, on_commit)?;
        let sealer = self.as_left(&root)?;
        Ok((Arc::new(root), sealer))
    }

    /// The sealer when key, world and token fit the root database: nearly every start, in one transaction.
    fn as_left(&self, root: &Db) -> Result<Option<Sealer>> {
        if self.key.is_new() {
            return Ok(None);
        }
        let Some(token) = files::read(&self.directory.token())? else { return Ok(None) };
        let fingerprint = self.key.fingerprint();
        let fits = root.read_blocking(move |tx| {
            let is_key = SealKey::known(tx)?.as_ref() == Some(&fingerprint);
            Ok(is_key && first_token::is_set_up(tx)? && first_token::exists(tx, &token)?)
        });
        fits?.then(|| self.key.sealer()).transpose()
    }

    fn open(&self, role: Role, on_commit: OnCommit) -> Result<Db> {
        let seed = random::system_seed().map_err(|e| Failure::new(format!("the system has no randomness: {e}")))?;
        let clock = Arc::clone(self.clock);
        if let Some(url) = &self.settings.database {
            let schema = schema(role);
            let url = url.clone();
            let connections = postgres::CONNECTIONS_DEFAULT;
            let open = postgres::Open { url, schema, role, clock, seed, on_commit, connections };
            return Ok(Db::Postgres(postgres::PostgresDb::open(open)?));
        }
        let open = sqlite::Open { role, clock, seed, key: self.key.bytes()?, on_commit };
        if self.directory.is_ephemeral() {
            return Ok(Db::Sqlite(sqlite::SqliteDb::in_memory(open)?));
        }
        let path = match role {
            Role::Root => self.directory.root_database()?,
            Role::World => self.directory.world_database()?,
        };
        Ok(Db::Sqlite(sqlite::SqliteDb::open(&path, open)?))
    }
}
