//! The transaction as the rest of the house sees it: synchronous, engine-blind, without a way to wait for anything.

use crate::stmt::Stmt;
use crate::value::{Row, Value};
use wolke_domain::clock::ClockState;
use wolke_domain::rng::Rng;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

/// What a transaction races for; PostgreSQL takes an advisory lock for each, sorted, before BEGIN (design §4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Race {
    /// Names, quotas, labels and locks of a project.
    Project(Id),
    /// Addresses of all pools of a world.
    Addresses,
    /// Capacity and generations of the hosts of a location.
    Location(Id),
    /// The claiming of strands.
    Claims,
    /// Rows that belong to the whole database: migrations, clock, projects, tokens.
    Database,
    /// Nothing that a transaction races for: shared by all processes that have the database open.
    Presence,
    /// Taking time from one event to the next: held over many transactions ([`crate::Db::hold`]).
    Jump,
    /// What locations have left for volumes: a row that volumes of all projects take from.
    VolumeSpace,
}

impl Race {
    /// The advisory lock's two halves: class and object.
    #[must_use]
    pub fn key(&self) -> (i32, i32) {
        let fold = |id: Id| (id ^ (id >> 32)) as i32;
        match self {
            Self::Database => (1, 0),
            Self::Claims => (2, 0),
            Self::Project(id) => (3, fold(*id)),
            Self::Location(id) => (4, fold(*id)),
            Self::Addresses => (5, 0),
            Self::Presence => (6, 0),
            Self::Jump => (7, 0),
            Self::VolumeSpace => (8, 0),
        }
    }
}

/// The set of races of one write.
pub type Scope = Vec<Race>;

/// What the world looks like to one transaction.
#[derive(Clone, Debug)]
pub struct Facts {
    /// World time, constant within the transaction.
    pub now: Timestamp,
    /// The wall clock when the transaction began (the database's own clock on PostgreSQL).
    pub real_now: Timestamp,
    /// The state of the world's clock.
    pub clock: ClockState,
}

/// A hint that goes out after commit. Losing one costs time, never correctness: receivers re-read the database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Strands became due.
    StrandsDue,
    /// A strand was born that this process has already claimed, with what its steps race for.
    StrandClaimed(Id, Scope),
    /// The world's clock was changed.
    ClockChanged,
    /// Tokens were changed: forget cached ones.
    TokensChanged,
    /// The operator has changed what somebody could see: read it again.
    OperatorChanged,
    /// A real host has something to do: an object or a command for it was written.
    HostChanged,
}

/// The counters that ids and generations come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// The id space of one kind of resource. Actions of all APIs share one.
    Kind(Kind),
    /// Strands.
    Strand,
    /// Projects.
    Project,
    /// Tokens.
    Token,
    /// Hosts.
    Host,
    /// What the operator adds at run time.
    Operator,
    /// Private interfaces: memberships of networks.
    Interface,
    /// Label selectors that stay live.
    Selection,
    /// What the operator is told of.
    Event,
}

impl Counter {
    /// The counter's row.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.singular(),
            Self::Strand => "strand",
            Self::Project => "project",
            Self::Token => "token",
            Self::Host => "host",
            Self::Operator => "operator",
            Self::Interface => "interface",
            Self::Selection => "selection",
            Self::Event => "event",
        }
    }
}

/// One transaction on one world (or on the root database).
///
/// A failed statement poisons the transaction on both engines: whatever the closure returns, nothing is committed.
/// Collisions that are expected use `ON CONFLICT … RETURNING` and are no failures.
pub trait Tx {
    /// Runs a statement that answers rows (SELECT, or anything with RETURNING).
    ///
    /// # Errors
    /// The engine's failure; the transaction is poisoned.
    fn query(&mut self, stmt: &Stmt, params: &[Value]) -> Result<Vec<Row>>;

    /// Runs a statement that answers no rows; returns how many it changed.
    ///
    /// # Errors
    /// The engine's failure; the transaction is poisoned.
    fn execute(&mut self, stmt: &Stmt, params: &[Value]) -> Result<u64>;

    /// Runs a statement that [`crate::list`] composed; it answers rows.
    ///
    /// # Errors
    /// The engine's failure; the transaction is poisoned.
    fn query_composed(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>>;

    /// Time and clock.
    fn facts(&self) -> &Facts;

    /// The next `count` ids of a counter, as the first of them.
    ///
    /// # Errors
    /// The engine's failure, or `ID_MAX` reached.
    fn next_ids(&mut self, counter: Counter, count: i64) -> Result<Id>;

    /// Random bytes for one purpose.
    fn random(&mut self, purpose: &str) -> Box<dyn Rng>;

    /// Sends a hint after commit.
    fn signal(&mut self, signal: Signal);

    /// Does some work and undoes it, with what it has signalled: only what the closure kept is left of it. Ids that it has
    /// drawn are not drawn again. Not to be nested.
    ///
    /// # Errors
    /// The closure's; the engine's failure. What the work did may then not be undone: the transaction must not commit.
    fn rehearse(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>) -> Result<()>;
}

impl dyn Tx + '_ {
    /// World time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.facts().now
    }

    /// The next id of a counter.
    ///
    /// # Errors
    /// As [`Tx::next_ids`].
    pub fn next_id(&mut self, counter: Counter) -> Result<Id> {
        self.next_ids(counter, 1)
    }

    /// Runs a statement that answers at most one row.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn query_one(&mut self, stmt: &Stmt, params: &[Value]) -> Result<Option<Row>> {
        Ok(self.query(stmt, params)?.into_iter().next())
    }

    /// Runs a statement that must change exactly one row.
    ///
    /// # Errors
    /// Internal, when it changed another number of rows.
    pub fn execute_one(&mut self, stmt: &Stmt, params: &[Value]) -> Result<()> {
        match self.execute(stmt, params)? {
            1 => Ok(()),
            n => Err(Error::internal(format!("{}: changed {n} rows instead of one", stmt.name))),
        }
    }
}
