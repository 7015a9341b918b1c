//! What the operator decides: the catalogue's changes, limits, stock, private ISOs, blocked addresses, vSwitches,
//! faults, what simulated guests answer.
//!
//! All of it is in the world's database; this is the copy that a process works with. It is read again when a commit, here or
//! in another process, says that it has changed ([`wolke_store::Signal::OperatorChanged`]); on an engine with other writers
//! also when it is older than `AGE_MS_MAX`, because a notification can be lost.
//!
//! **Invariant:** a copy is never replaced by an older one.

mod block;
mod change;
mod dedicated_ip;
mod delegation;
mod entries;
mod event;
mod fault;
mod find;
mod guest;
pub(crate) mod iso;
mod limits;
pub(crate) mod space;
pub(crate) mod stock;
mod vswitch;

use crate::control::Control;
use crate::core::Core;
use crate::real::RealHosts;
pub use block::Blocked;
pub use delegation::{Delegated, NewDelegation};
pub use entries::{Ending, Entry, NewImage, When};
pub use event::{Event, EventKind, NewEvent};
pub use fault::ActiveFault;
use fault::Faults;
pub use find::Asked;
pub use guest::{Answer as GuestAnswer, Who};
pub use iso::NewIso;
pub use limits::LimitView;
pub use space::SpaceView;
use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
pub use stock::StockView;
pub use vswitch::Vswitch;
use wolke_domain::catalogue::{Catalogue, CatalogueError, Document};
use wolke_domain::{Error, Result};
use wolke_store::driven::RealHost;
pub use wolke_store::operator::PrivateIso;
use wolke_store::operator::{self, Change, Stock};
use wolke_store::{Db, Tx, driven};
use wolke_strand::Heard;
use wolke_wire::Id;

/// How old a copy may be where a notification can be lost, in real milliseconds.
const AGE_MS_MAX: i64 = 2_000;

/// The copy of what the operator has decided.
pub struct Operator {
    /// The built-in catalogue with the operator's file over it.
    base: Document,
    catalogue: RwLock<Arc<Catalogue>>,
    decided: RwLock<Arc<Decided>>,
    together: Mutex<Together>,
    /// [`Db::operator_changes`] when the copy was read.
    seen: AtomicU64,
    /// When the copy was read, on the monotonic clock.
    read_at: AtomicI64,
    /// When a strand looked whether the copy is the newest, on the wall clock.
    looked_at: AtomicI64,
}

/// What was last put together from the base and the changes, before stock: stock changes far more often.
struct Together {
    changes: Vec<Change>,
    catalogue: Arc<Catalogue>,
    sold_out: Vec<(Id, Id)>,
    /// How often entries differed in this process, and how often they or what is in stock did.
    epochs: (i64, i64),
}

/// What is not in the catalogue.
#[derive(Default)]
pub(crate) struct Decided {
    epoch: i64,
    limited: HashSet<(Id, Id)>,
    pub(crate) faults: Faults,
    /// Real hosts, which whoever drives them has described.
    pub(crate) real: Arc<RealHosts>,
}

/// What is read in one transaction.
struct Snapshot {
    epoch: i64,
    changes: Vec<Change>,
    stock: Vec<Stock>,
    faults: Vec<(Id, wolke_domain::fault::Fault)>,
    real: Vec<RealHost>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Operator {
    fn default() -> Self {
        Self::new(Document::builtin(), Arc::new(Catalogue::builtin().clone()))
    }
}

impl Operator {
    fn new(base: Document, catalogue: Arc<Catalogue>) -> Self {
        Self {
            base,
            catalogue: RwLock::new(Arc::clone(&catalogue)),
            decided: RwLock::default(),
            together: Mutex::new(Together { changes: Vec::new(), catalogue, sold_out: Vec::new(), epochs: (0, 0) }),
            seen: AtomicU64::new(u64::MAX),
            read_at: AtomicI64::new(i64::MIN),
            looked_at: AtomicI64::new(i64::MIN),
        }
    }

    /// With the operator's file over the built-in catalogue.
    ///
    /// # Errors
    /// What is wrong with the file, or with the catalogue that comes of it.
    pub fn with_file(text: &str) -> Result<Self, CatalogueError> {
        let mut base = Document::builtin();
        base.lay(&Document::parse(text)?)?;
        let catalogue = Arc::new(base.catalogue()?);
        Ok(Self::new(base, catalogue))
    }

    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn decided(&self) -> Arc<Decided> {
        Arc::clone(&self.decided.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether something has changed, or may have.
    fn is_stale(&self, db: &Db, now_ms: i64) -> bool {
        self.seen.load(Ordering::SeqCst) != db.operator_changes()
            || (db.is_shared() && now_ms.saturating_sub(self.read_at.load(Ordering::SeqCst)) > AGE_MS_MAX)
    }

    /// The catalogue of these changes: the one that is kept, if they are its own.
    fn catalogue_of(&self, changes: &[Change]) -> Arc<Catalogue> {
        let together = lock(&self.together);
        if together.changes == changes {
            return Arc::clone(&together.catalogue);
        }
        drop(together);
        Arc::new(put_together(&self.base, changes))
    }

    /// Makes sure, before strands run in a transaction, that the copy is not an old one: whoever waits for no request would
    /// go by it for ever. Where nobody else writes, whoever changes something has read it again.
    ///
    /// # Errors
    /// The engine's failure.
    pub(crate) fn keep_up(&self, tx: &mut dyn Tx, heard: Heard) -> Result<()> {
        if !heard.shared {
            return Ok(());
        }
        let real_now = tx.facts().real_now.0;
        let is_old = real_now.saturating_sub(self.looked_at.load(Ordering::SeqCst)) > AGE_MS_MAX;
        if self.seen.load(Ordering::SeqCst) == heard.operator_changes && !is_old {
            return Ok(());
        }
        if operator::epoch(tx)? != self.decided().epoch {
            self.take(snapshot(tx)?);
        }
        self.looked_at.fetch_max(real_now, Ordering::SeqCst);
        self.seen.store(heard.operator_changes, Ordering::SeqCst);
        Ok(())
    }

    /// Takes a snapshot in, unless it is older than what is there.
    fn take(&self, snapshot: Snapshot) {
        // Whoever holds this lock is the only one that replaces the copies.
        let mut together = lock(&self.together);
        let old = self.decided();
        if snapshot.epoch < old.epoch {
            return;
        }
        let sold_out = snapshot.stock.iter().filter(|stock| stock.remaining == 0);
        let sold_out: Vec<(Id, Id)> = sold_out.map(|stock| (stock.server_type, stock.location)).collect();
        let entries = together.changes != snapshot.changes;
        if entries {
            together.catalogue = Arc::new(put_together(&self.base, &snapshot.changes));
            together.changes = snapshot.changes;
            together.epochs.0 += 1;
        }
        // Faults, private ISOs and stock that was counted are in no rendering: those go on to hold.
        if entries || together.sold_out != sold_out {
            together.epochs.1 += 1;
            let catalogue = together.catalogue.at_epoch(together.epochs, sold_out.iter().copied());
            together.sold_out = sold_out;
            *self.catalogue.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
        }
        let decided = Decided {
            epoch: snapshot.epoch,
            limited: snapshot.stock.iter().map(|stock| (stock.server_type, stock.location)).collect(),
            faults: old.faults.replaced_by(snapshot.faults),
            real: Arc::new(RealHosts::of(&snapshot.real)),
        };
        *self.decided.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(decided);
    }
}

impl Decided {
    /// Whether stock of a type in a location is counted.
    pub(crate) fn is_limited(&self, server_type: Id, location: Id) -> bool {
        self.limited.contains(&(server_type, location))
    }
}

/// The base with all changes over it. A change that no longer fits, because the file was changed since, is left out: the
/// rest of the cloud must not stand still for it.
fn put_together(base: &Document, changes: &[Change]) -> Catalogue {
    match with_changes(base, changes) {
        Ok(catalogue) => catalogue,
        Err(first) => {
            tracing::error!(error = %first, "a change of the catalogue does not fit the file: looking which");
            let mut kept: Vec<Change> = Vec::new();
            for change in changes {
                kept.push(change.clone());
                if let Err(error) = with_changes(base, &kept) {
                    tracing::error!(kind = %change.kind, name = change.name, error = %error, "left out");
                    kept.pop();
                }
            }
            with_changes(base, &kept).unwrap_or_else(|_| Catalogue::builtin().clone())
        }
    }
}

fn with_changes(base: &Document, changes: &[Change]) -> Result<Catalogue, CatalogueError> {
    let mut document = base.clone();
    for change in changes {
        document.lay(&Document::entry(change.kind, &change.doc)?)?;
    }
    document.catalogue()
}

fn snapshot(tx: &mut dyn Tx) -> Result<Snapshot> {
    Ok(Snapshot {
        epoch: operator::epoch(tx)?,
        changes: operator::changes(tx)?,
        stock: operator::stock(tx)?,
        faults: operator::faults(tx)?,
        real: driven::all(tx)?,
    })
}

/// As [`load`], on the calling thread: for who drives a host.
///
/// # Errors
/// The engine's failure.
pub(crate) fn load_blocking(db: &Db, core: &Core) -> Result<()> {
    let seen = db.operator_changes();
    let snapshot = db.read_blocking(snapshot)?;
    core.operator.take(snapshot);
    core.operator.seen.store(seen, Ordering::SeqCst);
    Ok(())
}

/// Reads what the operator has decided; to be called before strands run.
///
/// # Errors
/// The engine's failure.
pub async fn load(db: &Db, core: &Core, now_ms: i64) -> Result<()> {
    // Before the transaction begins: what changes after it is read again.
    let seen = db.operator_changes();
    let snapshot = db.read(snapshot).await?;
    core.operator.take(snapshot);
    core.operator.read_at.fetch_max(now_ms, Ordering::SeqCst);
    core.operator.seen.store(seen, Ordering::SeqCst);
    Ok(())
}

impl Control {
    /// Reads what the operator has decided if it has changed; costs two loads of an atomic when it has not.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn refresh_operator(&self) -> Result<()> {
        let now_ms = self.tokens.now_ms();
        if !self.core.operator.is_stale(&self.db, now_ms) {
            return Ok(());
        }
        load(&self.db, &self.core, now_ms).await
    }

    /// After a change of its own: whoever asks next sees it.
    async fn operator_changed(&self) -> Result<()> {
        load(&self.db, &self.core, self.tokens.now_ms()).await
    }
}

/// What is wrong with a catalogue, to whoever asked for the change.
fn refuse(error: &CatalogueError) -> Error {
    Error::InvalidInput { fields: Vec::new(), message: Some(error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::{Operator, Snapshot};
    use std::sync::Arc;
    use wolke_store::operator::{Change, Stock};
    use wolke_wire::{Kind, Timestamp};

    fn snapshot(epoch: i64, remaining: &[i64], memory: Option<f64>) -> Snapshot {
        let stock = |remaining: &i64| Stock { server_type: 109, location: 2, remaining: *remaining };
        let change = |memory: f64| {
            let doc = format!("{{\"name\": \"cpx22\", \"memory\": {memory:?}}}");
            Change { kind: Kind::ServerType, name: "cpx22".into(), doc }
        };
        let changes = memory.into_iter().map(change).collect();
        Snapshot { epoch, changes, stock: remaining.iter().map(stock).collect(), faults: Vec::new(), real: Vec::new() }
    }

    #[test]
    fn renderings_hold_as_long_as_what_they_show() {
        let operator = Operator::default();
        let versions = |snapshot| {
            operator.take(snapshot);
            let catalogue = operator.catalogue();
            (catalogue.version(Timestamp(0)), catalogue.offer_version(Timestamp(0)))
        };
        let first = versions(snapshot(1, &[], None));
        let copy = operator.catalogue();
        assert_eq!(versions(snapshot(2, &[5], None)), first, "stock that is counted, and faults, are not shown");
        assert!(Arc::ptr_eq(&copy, &operator.catalogue()));
        let sold_out = versions(snapshot(3, &[0], None));
        assert!(sold_out.0 == first.0 && sold_out.1 > first.1, "servers show no stock, types do");
        let back = versions(snapshot(4, &[1], None));
        assert!(back.0 == first.0 && back.1 > sold_out.1);
        let changed = versions(snapshot(5, &[1], Some(5.5)));
        assert!(changed.0 > first.0 && changed.1 > back.1);
        assert_eq!(versions(snapshot(4, &[0], None)), changed, "an older copy replaces no newer one");
    }
}
