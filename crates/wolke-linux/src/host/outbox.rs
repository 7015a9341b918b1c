//! What the host has to tell and nobody has fetched yet.
//!
//! **Invariants:** reports of one object leave in the order of their happening; of each object a bounded number waits, and
//! what is dropped is what a later report has overtaken.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use wolke_host::{ObjectKey, Report};

/// So many reports of one object wait; the control plane fetches them every second.
const WAITING_MAX: usize = 64;

/// Reports by object.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<BTreeMap<ObjectKey, VecDeque<Report>>>,
    fresh: AtomicBool,
}

impl Outbox {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, VecDeque<Report>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more, of this object.
    pub(super) fn push(&self, key: ObjectKey, report: Report) {
        let mut waiting = self.waiting();
        let reports = waiting.entry(key).or_default();
        if reports.len() >= WAITING_MAX {
            // An outcome is told again when it is asked for again; a state and a measurement are overtaken by the next.
            let oldest = reports.iter().position(|report| !matches!(report, Report::Command(_))).unwrap_or(0);
            reports.remove(oldest);
        }
        reports.push_back(report);
        self.fresh.store(true, Ordering::Release);
    }

    /// All that waits of one object.
    pub(super) fn take(&self, key: ObjectKey) -> Vec<Report> {
        self.waiting().remove(&key).unwrap_or_default().into()
    }

    /// About `limit` reports, and whether there are more.
    pub(super) fn drain(&self, limit: usize) -> (Vec<Report>, bool) {
        let mut waiting = self.waiting();
        let mut reports = Vec::new();
        while reports.len() < limit {
            let Some((_, of_one)) = waiting.pop_first() else { break };
            reports.extend(of_one);
        }
        (reports, !waiting.is_empty())
    }

    /// Whether something was added since this was last asked.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh.swap(false, Ordering::AcqRel)
    }
}
