//! Faults: answers that the operator makes operations give instead of their own.

use super::{Control, Operator};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wolke_domain::action::Failure;
use wolke_domain::fault::{Fault, ISSUES, When};
use wolke_domain::{Error, Result};
use wolke_store::{Race, Tx, operator};
use wolke_wire::{Id, Kind};

/// Faults at the same time.
const FAULTS_MAX: usize = 1000;

/// A fault that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveFault {
    /// Its id.
    pub id: Id,
    /// What it is; `calls` is how many are left.
    pub fault: Fault,
}

/// The faults in force, and how many calls each has looked at in this process: what its chance is drawn from.
#[derive(Default)]
pub(crate) struct Faults(Vec<(ActiveFault, Arc<AtomicU64>)>);

impl Faults {
    /// These faults, the counts of those that stay kept.
    pub(super) fn replaced_by(&self, faults: Vec<(Id, Fault)>) -> Self {
        let counts: HashMap<Id, &Arc<AtomicU64>> =
            self.0.iter().map(|(active, count)| (active.fault_id(), count)).collect();
        let with_count = |(id, fault)| {
            let count = counts.get(&id).map_or_else(Arc::default, |count| Arc::clone(count));
            (ActiveFault { id, fault }, count)
        };
        Self(faults.into_iter().map(with_count).collect())
    }

    /// The first fault that this call of an operation gets, as far as chance decides.
    fn draw(&self, operation: &str, in_work: bool) -> Option<&ActiveFault> {
        let is_then = |fault: &Fault| (fault.when == When::During) == in_work;
        let about = self.0.iter().filter(|(active, _)| active.fault.is_about(operation) && is_then(&active.fault));
        let mut about = about;
        about
            .find(|(active, count)| active.fault.strikes(count.fetch_add(1, Ordering::SeqCst)))
            .map(|(active, _)| active)
    }
}

impl ActiveFault {
    const fn fault_id(&self) -> Id {
        self.id
    }

    /// Whether it is for so many calls only.
    pub(crate) const fn is_counted(&self) -> bool {
        self.fault.calls.is_some()
    }

    /// Whether there is a call left for it; one that is counted is counted down.
    pub(crate) fn is_left(&self, tx: &mut dyn Tx) -> Result<bool> {
        Ok(!self.is_counted() || operator::count_fault(tx, self.id)?)
    }
}

impl Operator {
    /// What the work that an operation has begun ends with by the operator's will; none nearly always. A fault that is counted
    /// is counted down.
    pub(crate) fn failure(&self, tx: &mut dyn Tx, operation: &str) -> Result<Option<Failure>> {
        let decided = self.decided();
        let Some(active) = decided.faults.draw(operation, true) else { return Ok(None) };
        Ok(if active.is_left(tx)? { Some(active.fault.failure()) } else { None })
    }

    /// The fault that the work of this call of an operation gets, as far as chance decides; none nearly always. Issues of
    /// certificates ask for theirs when they are due.
    pub(crate) fn fault_in_work(&self, operation: &str) -> Option<ActiveFault> {
        if ISSUES.contains(&operation) {
            return None;
        }
        self.decided().faults.draw(operation, true).cloned()
    }
}

impl Control {
    /// The fault that this call of an operation on a kind gets; none nearly always. A fault that is counted is counted down.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn fault(&self, operation: &str, kind: Kind) -> Result<Option<(When, Error)>> {
        let decided = self.core.operator.decided();
        let Some(active) = decided.faults.draw(operation, false) else { return Ok(None) };
        if active.fault.calls.is_some() {
            let id = active.id;
            if !self.db.write(vec![Race::Database], move |tx| operator::count_fault(tx, id)).await? {
                return Ok(None);
            }
        }
        let limit = format!("{}_limit", kind.singular());
        Ok(Some((active.fault.when, active.fault.error(&limit))))
    }

    /// All faults.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_faults(&self) -> Result<Vec<ActiveFault>> {
        let faults = self.db.read(operator::faults).await?;
        Ok(faults.into_iter().map(|(id, fault)| ActiveFault { id, fault }).collect())
    }

    /// Brings a fault about.
    ///
    /// # Errors
    /// `invalid_input` for what the operation cannot answer; `resource_limit_exceeded`.
    pub async fn create_fault(&self, fault: Fault) -> Result<ActiveFault> {
        fault.check()?;
        let made = self
            .db
            .write(vec![Race::Database], move |tx| {
                if operator::faults(tx)?.len() >= FAULTS_MAX {
                    let message = format!("there are {FAULTS_MAX} faults already");
                    return Err(Error::LimitExceeded { limit: "fault_limit".into(), message });
                }
                Ok(ActiveFault { id: operator::insert_fault(tx, &fault)?, fault: fault.clone() })
            })
            .await?;
        self.operator_changed().await?;
        Ok(made)
    }

    /// Ends a fault.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn delete_fault(&self, id: Id) -> Result<()> {
        let deleted = self.db.write(vec![Race::Database], move |tx| operator::delete_fault(tx, id)).await?;
        self.operator_changed().await?;
        if deleted { Ok(()) } else { Err(Error::NotFound { message: format!("fault with ID '{id}' not found") }) }
    }

    /// Ends all faults; returns how many there were.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn clear_faults(&self) -> Result<usize> {
        let cleared = self
            .db
            .write(vec![Race::Database], move |tx| {
                let faults = operator::faults(tx)?;
                for (id, _) in &faults {
                    operator::delete_fault(tx, *id)?;
                }
                Ok(faults.len())
            })
            .await?;
        self.operator_changed().await?;
        Ok(cleared)
    }
}
