//! The worker of a process: claims strands that are due, runs their chains, and sleeps until the next one.

use crate::chain::{Chain, on_error, run_chain};
use crate::program::{Application, Heard};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use wolke_domain::Result;
use wolke_store::strand;
use wolke_store::{Db, Race, Scope, Signal, Tx};
use wolke_wire::Id;

/// Chains that run at the same time; the embedded engine groups them into one commit.
const CHAINS_MAX: usize = 64;
/// Longest sleep of the worker when other processes write to the database: covers a lost notification.
const TICK_SHARED_MS: u64 = 1_000;
/// Longest sleep on an engine of our own: covers nothing but our own bugs.
const TICK_OWN_MS: u64 = 10_000;
/// Part of a tick by which processes are kept apart.
const JITTER_MS: u64 = 250;
/// How long a stop waits for running chains.
const DRAIN: Duration = Duration::from_secs(10);
/// Longest time between two looks at whether a world has come to rest: covers what other processes do.
const REST_LOOK: Duration = Duration::from_millis(10);
/// Longest time between two looks at whether a strand has ended, for the same reason. It may be a long one.
const END_LOOK: Duration = Duration::from_millis(250);
/// Pause after a failure of the database before the worker asks again.
const RETRY: Duration = Duration::from_millis(200);

/// How a worker differs from another.
#[derive(Clone, Copy, Debug)]
pub struct WorkerOptions {
    /// Spreads the ticks of processes on one database: any number.
    pub jitter_seed: u64,
}

/// Whether what was watched came to rest in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Every strand has ended or sleeps for world time to pass.
    Yes,
    /// Some still move.
    NotYet,
}

/// The worker. Cheap to clone; all clones are one worker.
pub struct Worker<A: Application> {
    inner: Arc<Inner<A>>,
}

impl<A: Application> Clone for Worker<A> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

struct Inner<A> {
    db: Arc<Db>,
    app: Arc<A>,
    options: WorkerOptions,
    /// Something may be due.
    due: Notify,
    stop: Notify,
    /// A chain has stopped.
    moved: Notify,
    places: Arc<Semaphore>,
    watchers: Mutex<HashMap<Id, Vec<oneshot::Sender<()>>>>,
}

/// Strands that were born claimed, on their way from the committing thread to the worker.
#[derive(Clone)]
pub struct Births {
    sender: mpsc::UnboundedSender<(Id, Scope)>,
    due: Arc<Notify>,
}

impl Births {
    /// Takes the signals of a commit. Called on the committing thread: it only hands over.
    pub fn on_commit(&self, signals: &[Signal]) {
        for signal in signals {
            match signal {
                // Bounded by the commits that other bounds allow: each birth belongs to a request that waits for it.
                Signal::StrandClaimed(id, scope) => drop(self.sender.send((*id, scope.clone()))),
                Signal::StrandsDue | Signal::ClockChanged => self.due.notify_one(),
                Signal::TokensChanged | Signal::OperatorChanged | Signal::HostChanged => {}
            }
        }
    }
}

/// The receiving end of [`Births`], for [`Worker::start`].
pub struct Cradle {
    receiver: mpsc::UnboundedReceiver<(Id, Scope)>,
    due: Arc<Notify>,
}

/// The way from commits to a worker. It exists before the database does, and the database before the worker.
#[must_use]
pub fn births() -> (Births, Cradle) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let due = Arc::new(Notify::new());
    (Births { sender, due: Arc::clone(&due) }, Cradle { receiver, due })
}

impl<A: Application> Worker<A> {
    /// Starts the worker on the current runtime. Where no other process is at work, leases of a dead one end at once.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn start(db: Arc<Db>, app: Arc<A>, cradle: Cradle, options: WorkerOptions) -> Result<Self> {
        if db.found_alone() && db.read(|tx| strand::any_leased(tx)).await? {
            db.write(vec![Race::Claims], |tx| strand::free_leases(tx)).await?;
        }
        let inner = Arc::new(Inner {
            db,
            app,
            options,
            due: Notify::new(),
            stop: Notify::new(),
            moved: Notify::new(),
            places: Arc::new(Semaphore::new(CHAINS_MAX)),
            watchers: Mutex::default(),
        });
        tokio::spawn(run_births(Arc::clone(&inner), cradle.receiver));
        tokio::spawn(run_claims(Arc::clone(&inner), cradle.due));
        Ok(Self { inner })
    }

    /// Waits until the strands have come to rest, at most so long.
    pub async fn settle(&self, strands: &[Id], at_most: Duration) -> Settled {
        if strands.is_empty() {
            return Settled::Yes;
        }
        if at_most.is_zero() {
            return Settled::NotYet;
        }
        let rest = async {
            for id in strands {
                self.rest(*id).await;
            }
        };
        match tokio::time::timeout(at_most, rest).await {
            Ok(()) => Settled::Yes,
            Err(_) => {
                self.forget(strands);
                Settled::NotYet
            }
        }
    }

    /// Waits until nothing in the world is due: every strand sleeps until a later point in world time or waits for another
    /// one. At most so long.
    pub async fn come_to_rest(&self, at_most: Duration) -> Settled {
        self.watch(at_most, REST_LOOK, |tx| Ok(!strand::is_any_ready(tx)?)).await
    }

    /// Waits until a strand has ended, however often it sleeps until then. At most so long.
    pub async fn end(&self, strand: Id, at_most: Duration) -> Settled {
        self.watch(at_most, END_LOOK, move |tx| Ok(strand::get(tx, strand)?.is_none())).await
    }

    /// Asks a question whenever a chain has stopped, and every so often, until the answer is yes. At most so long.
    async fn watch(
        &self,
        at_most: Duration,
        look_every: Duration,
        question: impl Fn(&mut dyn Tx) -> Result<bool> + Clone + Send + 'static,
    ) -> Settled {
        let yes = async {
            loop {
                // First the watch, then the look: what happens between them is not missed.
                let mut moved = std::pin::pin!(self.inner.moved.notified());
                moved.as_mut().enable();
                if matches!(self.inner.db.read(question.clone()).await, Ok(true)) {
                    return;
                }
                // Moved or not: the next look says.
                let _ = tokio::time::timeout(look_every, moved).await;
            }
        };
        match tokio::time::timeout(at_most, yes).await {
            Ok(()) => Settled::Yes,
            Err(_) => Settled::NotYet,
        }
    }

    /// Takes the watches out that nobody waits for any more.
    fn forget(&self, strands: &[Id]) {
        let mut watchers = lock(&self.inner.watchers);
        for id in strands {
            if let Some(waiting) = watchers.get_mut(id) {
                waiting.retain(|watcher| !watcher.is_closed());
                if waiting.is_empty() {
                    watchers.remove(id);
                }
            }
        }
    }

    async fn rest(&self, id: Id) {
        loop {
            let (sender, receiver) = oneshot::channel();
            // First the watch, then the look: what happens between them is not missed.
            lock(&self.inner.watchers).entry(id).or_default().push(sender);
            match self.inner.db.read(move |tx| strand::is_moving(tx, id)).await {
                Ok(true) => {}
                Ok(false) | Err(_) => {
                    lock(&self.inner.watchers).remove(&id);
                    return;
                }
            }
            if receiver.await.is_err() {
                return;
            }
        }
    }

    /// Stops claiming and waits for the chains that run, bounded.
    pub async fn stop(&self) {
        self.inner.stop.notify_one();
        let all = u32::try_from(CHAINS_MAX).unwrap_or(u32::MAX);
        if tokio::time::timeout(DRAIN, self.inner.places.acquire_many(all)).await.is_err() {
            tracing::warn!("chains were still running when the worker stopped; they go on after the next start");
        }
        self.inner.places.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn run_births<A: Application>(inner: Arc<Inner<A>>, mut births: mpsc::UnboundedReceiver<(Id, Scope)>) {
    while let Some((id, scope)) = births.recv().await {
        spawn_chain(&inner, id, 1, scope).await;
    }
}

/// Runs a chain on a task of its own once there is a place for it.
async fn spawn_chain<A: Application>(inner: &Arc<Inner<A>>, id: Id, lease: i64, scope: Scope) {
    // A closed semaphore means that the worker has stopped: the lease will run out.
    let Ok(place) = Arc::clone(&inner.places).acquire_owned().await else { return };
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        run_one(&inner, id, lease, scope).await;
        inner.moved.notify_waiters();
        drop(place);
    });
}

/// Before a transaction begins: what is heard after it is heard again.
fn heard(db: &Db) -> Heard {
    Heard { operator_changes: db.operator_changes(), shared: db.is_shared() }
}

async fn run_one<A: Application>(inner: &Arc<Inner<A>>, id: Id, lease: i64, scope: Scope) {
    let app = Arc::clone(&inner.app);
    let heard = heard(&inner.db);
    let chain = move |tx: &mut dyn Tx| {
        app.begin(tx, heard)?;
        run_chain(tx, &*app, id, lease)
    };
    let chain = inner.db.write(scope.clone(), chain).await;
    match chain {
        // A blocked strand will move again; whoever watches it goes on waiting.
        Ok(Chain::Blocked) => return,
        Ok(Chain::Sleeps(_)) => inner.due.notify_one(),
        Ok(Chain::Ended(_) | Chain::Lost) => {}
        Err(error) => {
            tracing::warn!(strand = id, error = %error, "a chain failed and will be tried again");
            let app = Arc::clone(&inner.app);
            // Nothing is looked up here: it ends, or waits.
            let outcome = inner.db.write(scope, move |tx| on_error(tx, &*app, id, lease, &error)).await;
            if let Err(error) = outcome {
                tracing::error!(strand = id, error = %error, "a chain could not be put back; its lease has to run out");
            }
            inner.due.notify_one();
        }
    }
    for watcher in lock(&inner.watchers).remove(&id).into_iter().flatten() {
        let _ = watcher.send(());
    }
}

async fn run_claims<A: Application>(inner: Arc<Inner<A>>, due: Arc<Notify>) {
    let tick_ms =
        if inner.db.is_shared() { TICK_SHARED_MS - inner.options.jitter_seed % JITTER_MS } else { TICK_OWN_MS };
    let tick = Duration::from_millis(tick_ms);
    loop {
        let sleep = match claim_all(&inner).await {
            Ok(next) => next.map_or(tick, |next| next.min(tick)),
            Err(error) => {
                tracing::warn!(error = %error, "cannot claim strands");
                RETRY
            }
        };
        tokio::select! {
            () = tokio::time::sleep(sleep) => {}
            () = due.notified() => {}
            () = inner.due.notified() => {}
            () = inner.stop.notified() => return,
        }
    }
}

/// Claims and starts everything that is due; returns how long nothing will be.
async fn claim_all<A: Application>(inner: &Arc<Inner<A>>) -> Result<Option<Duration>> {
    while inner.db.read(|tx| strand::is_due(tx)).await? {
        let claimed = inner.db.write(vec![Race::Claims], |tx| strand::claim(tx)).await?;
        for strand in claimed {
            spawn_chain(inner, strand.id, strand.lease, strand.scope).await;
        }
    }
    inner
        .db
        .read(|tx| {
            let (wake, retry) = strand::next_due(tx)?;
            let facts = tx.facts();
            let wake_ms = wake.and_then(|at| facts.clock.real_ms_until(facts.real_now, at));
            let retry_ms = retry.map(|at| (at.0 - facts.real_now.0).max(0));
            let next = wake_ms.into_iter().chain(retry_ms).min();
            // One millisecond more: timers may fire a little early, and the row would not be due yet.
            Ok(next.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0) + 1)))
        })
        .await
}
