//! A real host in tests: driven as one, simulated below. It lives as long as the test wants, whatever becomes of its driver.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use wolke_control::Core;
use wolke_control::driver::{Driver, Parts};
use wolke_domain::clock::Clock;
use wolke_domain::placement::SIMULATED_HOST;
use wolke_domain::{Error, Result};
use wolke_host::{
    Architecture, Artefact, Capacity, Delta, Digest, GuestEvent, Host, HostFacts, MemoryState, ObjectKey, Poll, Report,
    Resync, SimHost, SimSettings, Usage,
};
use wolke_store::Db;
use wolke_wire::{Id, Timestamp};

/// The location that is real in tests: the first one of every server type that has a choice.
pub const REAL_LOCATION: Id = 1;

/// What outlives a driver.
#[derive(Default)]
struct Below {
    memory: MemoryState,
    /// What happened without being asked for.
    news: Vec<Report>,
    /// It does not answer.
    away: bool,
    /// Commands that were ever handed over.
    commands: Vec<Id>,
    /// Which host it is.
    identity: String,
    /// What it says of itself, where that differs.
    facts: Option<HostFacts>,
    resyncs: usize,
}

/// A host below a driver.
#[derive(Clone)]
pub struct Machine {
    below: Arc<Mutex<Below>>,
    core: Arc<Core>,
}

impl Machine {
    pub fn new(core: Arc<Core>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let identity = format!("{:032x}", COUNT.fetch_add(1, Ordering::SeqCst));
        let below = Below { identity, ..Below::default() };
        Self { below: Arc::new(Mutex::new(below)), core }
    }

    fn below(&self) -> MutexGuard<'_, Below> {
        self.below.lock().unwrap()
    }

    fn settings(&self) -> SimSettings {
        let simulation = self.core.simulation();
        let Ok(disk_gb) = u64::try_from(SIMULATED_HOST.disk_gb) else { panic!("a host of negative size") };
        let capacity = Capacity {
            architecture: Architecture::X86,
            cores: u32::try_from(SIMULATED_HOST.cores).unwrap(),
            memory_mb: u64::try_from(SIMULATED_HOST.memory_mb).unwrap(),
            disk_gb,
        };
        let (profile, faults) = (simulation.profile.clone(), simulation.faults.clone());
        SimSettings { profile, faults, capacity, ..SimSettings::default() }
    }

    /// Runs something on the host as it is.
    fn on<T>(&self, what: impl FnOnce(&mut SimHost<'_, &mut MemoryState>) -> Result<T>) -> Result<T> {
        let mut below = self.below();
        if below.away {
            return Err(Error::Unavailable { internal: "the host is away".into() });
        }
        let settings = self.settings();
        what(&mut SimHost::new(&mut below.memory, &settings))
    }

    /// The guest does something by itself; the host tells of it when it is polled.
    pub fn guest_event(&self, server: Id, event: GuestEvent, now: Timestamp) {
        let reports = self.on(|host| host.guest_event(ObjectKey::server(server), event, now)).unwrap();
        self.below().news.extend(reports);
    }

    /// The host has measured something.
    pub fn measure(&self, usage: Usage) {
        self.below().news.push(Report::Usage(usage));
    }

    /// The host forgets a server, as if somebody had removed it.
    pub fn lose(&self, server: Id) {
        let mut below = self.below();
        wolke_host::SimState::remove(&mut &mut below.memory, ObjectKey::server(server)).unwrap();
    }

    /// From now on the host answers, or not.
    pub fn set_away(&self, away: bool) {
        self.below().away = away;
    }

    /// From now on it says this of itself.
    pub fn describe(&self, change: impl FnOnce(&mut HostFacts)) {
        let mut facts = self.facts();
        change(&mut facts);
        self.below().facts = Some(facts);
    }

    /// The ids of the commands that were handed over, repetitions included.
    pub fn commands(&self) -> Vec<Id> {
        self.below().commands.clone()
    }

    /// How often everything was told.
    pub fn resyncs(&self) -> usize {
        self.below().resyncs
    }

    /// What lies on it and what it remembers: artefacts, and the number of objects in its memory.
    pub fn holds(&self) -> Vec<ObjectKey> {
        let found = self.on(|host| host.list(None, 1_000)).unwrap();
        found.into_iter().map(|artefact| artefact.key).collect()
    }

    /// A driver, as of a process that has just started.
    pub fn driver(&self, db: &Arc<Db>, clock: Arc<dyn Clock>) -> Driver {
        self.driver_as(db, clock, REAL_LOCATION, "box")
    }

    /// One with other settings.
    pub fn driver_as(&self, db: &Arc<Db>, clock: Arc<dyn Clock>, location: Id, name: &str) -> Driver {
        let (db, core) = (Arc::clone(db), Arc::clone(&self.core));
        let (host, name, place) = (Box::new(self.clone()), name.to_owned(), "DIR".to_owned());
        Driver::new(Parts { db, core, clock, host, location, name, place })
    }
}

impl Host for Machine {
    fn facts(&self) -> HostFacts {
        let told = self.below().facts.clone();
        let settings = self.settings();
        let mut memory = MemoryState::default();
        let identity = self.below().identity.clone();
        told.unwrap_or_else(|| HostFacts { identity, ..SimHost::new(&mut memory, &settings).facts() })
    }

    fn apply(&mut self, delta: &Delta, now: Timestamp) -> Result<Vec<Report>> {
        let reports = self.on(|host| host.apply(delta, now))?;
        self.below().commands.extend(delta.commands.iter().map(|command| command.id));
        Ok(reports)
    }

    fn resync(&mut self, whole: &Resync, now: Timestamp) -> Result<Vec<Report>> {
        let reports = self.on(|host| host.resync(whole, now))?;
        self.below().resyncs += 1;
        Ok(reports)
    }

    fn digest(&mut self) -> Result<Digest> {
        self.on(|host| host.digest())
    }

    fn list(&mut self, after: Option<ObjectKey>, limit: usize) -> Result<Vec<Artefact>> {
        self.on(|host| host.list(after, limit))
    }

    fn look(&mut self, key: ObjectKey, now: Timestamp) -> Result<Vec<Report>> {
        self.on(|host| host.look(key, now))
    }

    fn poll(&mut self, now: Timestamp) -> Result<Poll> {
        let mut poll = self.on(|host| host.poll(now))?;
        poll.reports.append(&mut self.below().news);
        Ok(poll)
    }
}
