//! The driver of a real host: the one place where the database and the host meet.
//!
//! It reads what has changed for its host (objects since a generation, commands without an outcome, tombstones whose rows are
//! gone), hands it over, and writes what the host reports, one transaction per batch; whoever waits for an object is woken
//! with it. Control planes only write rows and read reports (`hosts.rs`), in whatever process they run.
//!
//! **Invariants:** nothing that the driver remembers is needed: after a failure or a restart it begins with a resync, and
//! commands are told again, which hosts answer from their memory. Reports are written in the order in which they came. A
//! secret that has been delivered does not stay in the database.

mod enrol;
mod inbox;
mod reports;
mod run;

use crate::core::Core;
use crate::operator;
pub use enrol::{Claim, check};
use inbox::Inbox;
pub use run::{Nudge, Running};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wolke_domain::clock::Clock;
use wolke_domain::placement::Need;
use wolke_domain::{Error, Result};
use wolke_host::{
    Capacity, Command, Delta, Forget, Host, HostError, HostFacts, ObjectKey, Report, Resync, Secret, Verb,
};
use wolke_store::driven::{self, Description};
use wolke_store::{Db, Race};
use wolke_wire::{Id, Timestamp};

/// Longest pause between two turns, in milliseconds: covers what nobody was told of.
pub const TICK_MS: i64 = 5_000;
/// Pause before servers are looked at again that changed while somebody worked on them, in milliseconds.
const UNSETTLED_MS: i64 = 1_000;
/// Real time between two signs of life, in milliseconds.
const BEAT_MS: i64 = 15_000;
/// Real time between two looks at what the host says of itself, in milliseconds.
const FACTS_MS: i64 = 5_000;
/// Real time between two comparisons of the whole desired state by its digest, in milliseconds.
const DIGEST_MS: i64 = 60_000;
/// Real time between two removals of what nobody needs any more, in milliseconds.
const SWEEP_MS: i64 = 60_000;
/// How long the hash of a root password stays with a machine that runs, in milliseconds: its first boot has read it by then.
const SECRET_KEPT_MS: i64 = 10 * 60 * 1000;

/// What a driver is made of.
pub struct Parts {
    /// The world.
    pub db: Arc<Db>,
    /// What steps and operations share.
    pub core: Arc<Core>,
    /// Real time.
    pub clock: Arc<dyn Clock>,
    /// The host.
    pub host: Box<dyn Host + Send>,
    /// The location that it makes real.
    pub location: Id,
    /// What it is called there.
    pub name: String,
    /// Where it keeps what it has, for people.
    pub place: String,
}

/// The driver of one host. Calls block.
pub struct Driver {
    parts: Parts,
    /// The host's row.
    id: Option<Id>,
    /// What the host has said of itself, as it was last written down.
    facts: String,
    /// The newest generation that was handed over.
    cursor: i64,
    /// Nothing that was handed over before counts: begin with everything.
    resync: bool,
    /// Commands that were handed over and have no outcome.
    sent: BTreeSet<Id>,
    /// Tombstones that were handed over.
    tombstones: BTreeMap<ObjectKey, i64>,
    /// Servers that have changed while a strand worked on them.
    unsettled: BTreeSet<Id>,
    /// Machines whose rows hold a hash, and when that may go (monotonic).
    secrets: BTreeMap<Id, i64>,
    /// The minute of a server's last sample.
    sampled: BTreeMap<Id, i64>,
    /// What objects suffer from: said once.
    troubles: BTreeMap<ObjectKey, HostError>,
    due: Due,
}

/// When something is to be done again (monotonic).
#[derive(Default)]
struct Due {
    facts: i64,
    beat: i64,
    digest: i64,
    sweep: i64,
}

/// The end of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// How long nothing will have to be done, unless somebody says otherwise, in milliseconds.
    pub rest_ms: i64,
}

impl Driver {
    /// A driver that has done nothing yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            id: None,
            facts: String::new(),
            cursor: 0,
            resync: true,
            sent: BTreeSet::new(),
            tombstones: BTreeMap::new(),
            unsettled: BTreeSet::new(),
            secrets: BTreeMap::new(),
            sampled: BTreeMap::new(),
            troubles: BTreeMap::new(),
            due: Due::default(),
        }
    }

    /// Hands over what is new, and writes down what the host reports. After a failure the next turn begins with a resync.
    ///
    /// # Errors
    /// When the host or the database does not answer.
    pub fn turn(&mut self) -> Result<Turn> {
        let turn = self.try_turn();
        if turn.is_err() {
            self.resync = true;
            self.sent.clear();
        }
        turn
    }

    /// The host's row; none before the first turn.
    #[must_use]
    pub const fn id(&self) -> Option<Id> {
        self.id
    }

    /// Says goodbye: nothing new is placed on the host until somebody drives it again.
    ///
    /// # Errors
    /// The engine's failure.
    pub fn part(&self) -> Result<()> {
        match self.id {
            Some(id) => self.write(move |tx| driven::part(tx, id)),
            None => Ok(()),
        }
    }

    fn try_turn(&mut self) -> Result<Turn> {
        let on = self.register()?;
        let now = if self.resync { self.hand_over_everything(on)? } else { self.hand_over_changes(on)? };
        let poll = self.parts.host.poll(now)?;
        self.write_reports(on, poll.reports)?;
        self.chores(on)?;
        let next = poll.next.map_or(TICK_MS, |next| next.0.saturating_sub(now.0));
        let most = if self.unsettled.is_empty() { TICK_MS } else { UNSETTLED_MS };
        Ok(Turn { rest_ms: next.clamp(0, most) })
    }

    /// Real time, for what is due now and then.
    fn monotonic(&self) -> i64 {
        self.parts.clock.monotonic_ms()
    }

    /// Whether something that is done now and then is due; from now on it is due again after `every_ms`.
    fn falls_due(&mut self, of: fn(&mut Due) -> &mut i64, every_ms: i64) -> bool {
        let (now, due) = (self.monotonic(), of(&mut self.due));
        let is_due = now >= *due;
        if is_due {
            *due = now + every_ms;
        }
        is_due
    }

    fn write<T: Send + 'static>(
        &self,
        closure: impl Fn(&mut dyn wolke_store::Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.parts.db.write_blocking(vec![Race::Location(self.parts.location)], closure)
    }

    /// Makes sure that the host has a row that says what it is; a row of its own, before anything is told to it.
    fn register(&mut self) -> Result<Id> {
        let is_due = self.falls_due(|due| &mut due.facts, FACTS_MS);
        if let (Some(id), false) = (self.id, is_due) {
            return Ok(id);
        }
        let facts = self.parts.host.facts();
        let text = serde_json::to_string(&facts).map_err(|e| Error::internal(format!("facts: {e}")))?;
        if let (Some(id), true) = (self.id, text == self.facts) {
            return Ok(id);
        }
        if facts.identity.is_empty() {
            return Err(Error::internal("the host does not say which one it is"));
        }
        let claim = Claim {
            location: self.parts.location,
            name: self.parts.name.clone(),
            identity: facts.identity.clone(),
            holds: !self.parts.host.list(None, 1)?.is_empty(),
            place: self.parts.place.clone(),
        };
        let (core, written) = (Arc::clone(&self.parts.core), text.clone());
        let id = self.write(move |tx| {
            let room = room_of(&facts.capacity)?;
            let own = Description { identity: &claim.identity, name: &claim.name, facts: &written };
            let id = match enrol::row(tx, &core, &claim)? {
                None => driven::insert(tx, claim.location, own, &room)?,
                Some(known) => {
                    let before = serde_json::from_str::<HostFacts>(&known.facts)
                        .map_err(|e| Error::internal(format!("facts of host {}: {e}", known.id)))?;
                    driven::describe(tx, known.id, own, &grown(&room, &room_of(&before.capacity)?))?;
                    known.id
                }
            };
            wolke_store::operator::bump(tx)?;
            Ok(id)
        })?;
        operator::load_blocking(&self.parts.db, &self.parts.core)?;
        self.id = Some(id);
        self.facts = text;
        Ok(id)
    }

    /// Tells the host the whole of what it should hold.
    fn hand_over_everything(&mut self, on: Id) -> Result<Timestamp> {
        let (now, whole) = self.parts.db.read_blocking(move |tx| inbox::everything(tx, on))?;
        let reports = self.parts.host.resync(&whole, now)?;
        self.resync = false;
        self.sent.clear();
        self.remember_tombstones(&whole.objects);
        let Resync { as_of, .. } = whole;
        self.cursor = as_of;
        self.write_reports(on, reports)?;
        self.hand_over_changes(on)
    }

    /// Tells the host what has changed since the last turn, page by page.
    fn hand_over_changes(&mut self, on: Id) -> Result<Timestamp> {
        loop {
            let check = self.falls_due(|due| &mut due.digest, DIGEST_MS);
            let (since, forgotten) = (self.cursor, !self.tombstones.is_empty());
            let inbox = self.parts.db.read_blocking(move |tx| inbox::read(tx, on, since, (forgotten, check)))?;
            let Inbox { now, objects, commands, tombstones, digest, cursor, more } = inbox;
            self.sent.retain(|id| commands.iter().any(|(known, _)| known == id));
            let fresh = commands.into_iter().filter(|(id, _)| !self.sent.contains(id));
            let (ids, fresh): (Vec<_>, Vec<_>) = fresh.unzip();
            let forget = self.forgotten(&tombstones);
            let commands = fresh.into_iter().flatten().filter_map(|command| self.opened(command)).collect();
            let delta = Delta { objects, commands, forget };
            let is_empty = delta.objects.is_empty() && delta.commands.is_empty() && delta.forget.is_empty();
            if !is_empty {
                let reports = self.parts.host.apply(&delta, now)?;
                self.sent.extend(ids);
                self.remember_tombstones(&delta.objects);
                for gone in &delta.forget {
                    self.tombstones.remove(&gone.key);
                    self.forget_server(gone.key)?;
                }
                self.write_reports(on, reports)?;
            }
            self.cursor = cursor;
            if more {
                continue;
            }
            if let Some(digest) = digest
                && self.tombstones.is_empty()
                && self.parts.host.digest()? != digest
            {
                tracing::warn!(host = on, "the host does not hold what it should: telling it everything again");
                self.resync = true;
            }
            return Ok(now);
        }
    }

    /// A command with what the host has to know in clear. One that cannot be opened ends by its deadline.
    fn opened(&self, command: Command) -> Option<Command> {
        let Verb::SetPassword { hash } = &command.verb else { return Some(command) };
        match self.parts.core.unseal_for_host(&hash.0) {
            Ok(hash) => Some(Command { verb: Verb::SetPassword { hash: Secret(hash) }, ..command }),
            Err(error) => {
                tracing::error!(command = command.id, %error, "a password cannot be set");
                None
            }
        }
    }

    fn remember_tombstones(&mut self, objects: &[wolke_host::Desired]) {
        for object in objects {
            if object.is_tombstone() {
                self.tombstones.insert(object.key, object.generation);
            } else {
                self.tombstones.remove(&object.key);
            }
        }
    }

    /// The tombstones that were handed over and are not wished for any more.
    fn forgotten(&self, wished: &BTreeSet<ObjectKey>) -> Vec<Forget> {
        let gone = self.tombstones.iter().filter(|(key, _)| !wished.contains(key));
        gone.map(|(key, generation)| Forget { key: *key, generation: *generation }).collect()
    }

    /// Logs what objects suffer from, each trouble once.
    fn note_troubles(&mut self, reports: &[Report]) {
        for report in reports {
            let Report::Observed(observed) = report else { continue };
            let known = self.troubles.get(&observed.key);
            match &observed.state.error {
                Some(error) if known != Some(error) => {
                    tracing::warn!(object = %observed.key, code = error.code, "{}", error.message);
                    self.troubles.insert(observed.key, error.clone());
                }
                Some(_) => {}
                None => {
                    self.troubles.remove(&observed.key);
                }
            }
        }
    }
}

fn room_of(capacity: &Capacity) -> Result<Need> {
    let number = |n: u64| i64::try_from(n).map_err(|_| Error::internal("a host of impossible size"));
    Ok(Need {
        cores: i64::from(capacity.cores),
        memory_mb: number(capacity.memory_mb)?,
        disk_gb: number(capacity.disk_gb)?,
    })
}

const fn grown(new: &Need, old: &Need) -> Need {
    Need { cores: new.cores - old.cores, memory_mb: new.memory_mb - old.memory_mb, disk_gb: new.disk_gb - old.disk_gb }
}
