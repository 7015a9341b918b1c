//! Programs: what a kind of strand does.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wolke_domain::action::{Failure, Target};
use wolke_domain::{Error, Result};
use wolke_store::Tx;
use wolke_wire::{Id, Timestamp};

/// What a step decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on with this step, now.
    Next(&'static str),
    /// Come back to this step at a point in world time, or earlier when woken. The wait fails at its deadline.
    Wait {
        /// The step to come back to.
        step: &'static str,
        /// When to look again.
        until: Timestamp,
        /// When to give up: the first wait at a step sets it, later ones at the same step keep it.
        deadline: Timestamp,
        /// Whether somebody has promised an end at `until`. Time that jumps past the deadline of such a wait gives it a
        /// new one; a wait without a promise has failed.
        promised: bool,
    },
    /// The work is done.
    Done,
    /// The work failed: the program's abort step undoes it, then the action ends with this.
    Fail(Failure),
}

/// The variables of a strand, and how it ended if it is aborting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// What the program keeps between steps.
    pub variables: serde_json::Value,
    /// Actions besides the strand's own that end with it at the latest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Id>,
    /// The reason of the abort that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The strand's id.
    #[serde(skip)]
    pub strand: Id,
    /// Whose work it is.
    #[serde(skip)]
    pub project: Id,
    /// The action that shows it.
    #[serde(skip)]
    pub action: Option<Id>,
}

impl Frame {
    /// A frame for a new strand, as the text that is stored; `also` are actions that end with it besides its own.
    ///
    /// # Errors
    /// Internal, when the variables cannot be written as JSON.
    pub fn initial(variables: &impl Serialize, also: Vec<Id>) -> Result<String> {
        let variables = serde_json::to_value(variables).map_err(|e| Error::internal(format!("frame: {e}")))?;
        let frame = Self { variables, also, failure: None, strand: 0, project: 0, action: None };
        frame.text()
    }

    pub(crate) fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::internal(format!("frame: {e}")))
    }

    /// The variables as the program's own type.
    ///
    /// # Errors
    /// Internal, when they have another shape.
    pub fn read<V: DeserializeOwned>(&self) -> Result<V> {
        V::deserialize(&self.variables).map_err(|e| Error::internal(format!("strand {}: frame: {e}", self.strand)))
    }

    /// Replaces the variables.
    ///
    /// # Errors
    /// Internal, when they cannot be written as JSON.
    pub fn write(&mut self, variables: &impl Serialize) -> Result<()> {
        self.variables = serde_json::to_value(variables).map_err(|e| Error::internal(format!("frame: {e}")))?;
        Ok(())
    }
}

/// A step: a transaction function without IO. It may run any number of times before its commit.
pub type Step<C> = fn(&mut dyn Tx, &C, &mut Frame) -> Result<Flow>;

/// A kind of strand.
pub struct Program<C: 'static> {
    /// Its name in the database: stable.
    pub kind: &'static str,
    /// Its steps by name: stable names, because a release finds the strands of the one before.
    pub steps: &'static [(&'static str, Step<C>)],
    /// Where it goes when it fails. The abort's own steps end in `Done`; the action then gets the failure.
    pub abort: &'static str,
}

impl<C> Program<C> {
    /// A step by its name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<Step<C>> {
        self.steps.iter().find(|(known, _)| *known == name).map(|(_, step)| *step)
    }

    /// The stable form of a step's name.
    #[must_use]
    pub fn name(&self, name: &str) -> Option<&'static str> {
        self.steps.iter().find(|(known, _)| *known == name).map(|(known, _)| *known)
    }
}

/// All programs of the application.
pub struct Registry<C: 'static> {
    /// In no order.
    pub programs: &'static [&'static Program<C>],
}

impl<C> Registry<C> {
    /// A program by its kind.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&'static Program<C>> {
        self.programs.iter().find(|program| program.kind == kind).copied()
    }
}

/// What a process has heard from others when a chain begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// How often the operator has changed something, as [`wolke_store::Db::operator_changes`] counts.
    pub operator_changes: u64,
    /// Whether other processes write to the database.
    pub shared: bool,
}

/// What the application does when a strand ends. Runs in the transaction of the last step.
pub trait Application: Send + Sync + Sized + 'static {
    /// The programs.
    fn registry() -> &'static Registry<Self>;

    /// A chain begins: whatever the application keeps in memory of the database must not be older than it may be. Runs in
    /// the chain's transaction, before its first step.
    ///
    /// # Errors
    /// The engine's failure: the chain is tried again.
    fn begin(&self, tx: &mut dyn Tx, heard: Heard) -> Result<()> {
        let _ = (tx, heard);
        Ok(())
    }

    /// A strand ended: finish its action, touch what it unlocked.
    ///
    /// # Errors
    /// The engine's failure: the last step runs again.
    fn ended(&self, tx: &mut dyn Tx, frame: &Frame, unlocked: &[Target]) -> Result<()>;

    /// The failure of a wait that reached its deadline.
    fn timed_out(&self, step: &str) -> Failure;

    /// The failure of a step that kept failing for a reason of ours.
    fn gave_up(&self, error: &Error) -> Failure;
}
