//! What a driver writes: the way from the host to the database.

use super::{Driver, SECRET_KEPT_MS, SWEEP_MS};
use crate::hosts::read_wish;
use crate::server;
use std::sync::Arc;
use wolke_domain::metrics::{Counters, Measured};
use wolke_domain::{Error, Result};
use wolke_host::{CommandReport, ObjectKey, ObjectKind, Observed, PowerState, Report, ServerSpec, Spec, Usage, Wish};
use wolke_store::driven::{self, Wished};
use wolke_store::{Tx, host, resource as store_resource, usage};
use wolke_wire::{Id, Kind};

/// Reports that are written in one transaction.
const REPORTS_PER_COMMIT: usize = 200;
/// Between two samples of a server that are kept, in milliseconds.
const SAMPLE_MS: i64 = 60_000;

/// What a driver has to keep in mind after a transaction.
#[derive(Default)]
struct Noted {
    /// Servers that have changed while a strand worked on them.
    unsettled: Vec<Id>,
    /// Machines that run and whose rows hold a hash.
    secrets: Vec<Id>,
}

impl Driver {
    /// Writes reports down, in their order.
    pub(super) fn write_reports(&mut self, on: Id, reports: Vec<Report>) -> Result<()> {
        self.note_troubles(&reports);
        let mut kept: Vec<Report> = reports.into_iter().filter(|report| self.is_worth_keeping(report)).collect();
        while !kept.is_empty() {
            let rest = kept.split_off(REPORTS_PER_COMMIT.min(kept.len()));
            let batch: Arc<[Report]> = std::mem::replace(&mut kept, rest).into();
            let noted = self.write(move |tx| {
                let mut noted = Noted::default();
                batch.iter().try_for_each(|report| write(tx, on, report, &mut noted))?;
                Ok(noted)
            })?;
            self.unsettled.extend(noted.unsettled);
            let due = self.monotonic() + SECRET_KEPT_MS;
            for id in noted.secrets {
                self.secrets.entry(id).or_insert(due);
            }
        }
        Ok(())
    }

    /// Of what a server has used one sample a minute is kept.
    fn is_worth_keeping(&mut self, report: &Report) -> bool {
        let Report::Usage(usage) = report else { return true };
        let minute = usage.at.0.div_euclid(SAMPLE_MS);
        self.sampled.insert(usage.key.id, minute) != Some(minute)
    }

    /// What is done now and then, in one transaction when there is anything of it.
    pub(super) fn chores(&mut self, on: Id) -> Result<()> {
        let beat = self.falls_due(|due| &mut due.beat, super::BEAT_MS);
        let sweep = self.falls_due(|due| &mut due.sweep, SWEEP_MS);
        let now = self.monotonic();
        let spent: Vec<Id> = self.secrets.iter().filter(|(_, due)| **due <= now).map(|(id, _)| *id).collect();
        let unsettled: Vec<Id> = self.unsettled.iter().copied().collect();
        if !beat && !sweep && spent.is_empty() && unsettled.is_empty() {
            return Ok(());
        }
        let erased = spent.clone();
        let held = self.write(move |tx| {
            if beat {
                driven::beat(tx, on)?;
            }
            if sweep {
                driven::commands_sweep(tx, on)?;
                usage::prune(tx)?;
            }
            erased.iter().try_for_each(|id| erase(tx, on, *id))?;
            let mut held = Vec::new();
            for id in &unsettled {
                if !settle(tx, on, *id)? {
                    held.push(*id);
                }
            }
            Ok(held)
        })?;
        self.unsettled = held.into_iter().collect();
        self.secrets.retain(|id, _| !spent.contains(id));
        Ok(())
    }

    /// A server is gone for good: what was measured of it goes, too.
    pub(super) fn forget_server(&mut self, key: ObjectKey) -> Result<()> {
        if key.kind != ObjectKind::Server {
            return Ok(());
        }
        self.unsettled.remove(&key.id);
        self.secrets.remove(&key.id);
        self.sampled.remove(&key.id);
        self.troubles.remove(&key);
        self.write(move |tx| usage::forget(tx, key.id))
    }
}

fn write(tx: &mut dyn Tx, on: Id, report: &Report, noted: &mut Noted) -> Result<()> {
    match report {
        Report::Observed(observed) | Report::Refused { has: observed, .. } => observe(tx, on, observed, noted),
        Report::Command(report) => end(tx, on, report),
        Report::Usage(used) => {
            sample(tx, used)?;
            // Its traffic is part of what a server shows.
            store_resource::touch(tx, Kind::Server, used.key.id)
        }
    }
}

const fn resource(kind: ObjectKind) -> Kind {
    match kind {
        ObjectKind::Server => Kind::Server,
        ObjectKind::Image => Kind::Image,
    }
}

fn observe(tx: &mut dyn Tx, on: Id, observed: &Observed, noted: &mut Noted) -> Result<()> {
    let key = observed.key;
    let row = (on, key.kind.as_str(), key.id);
    let document = serde_json::to_string(observed).map_err(|e| Error::internal(format!("observation: {e}")))?;
    // Nothing is wished of what was forgotten, whatever is still said of it.
    let Some(wished) = driven::report(tx, row, observed.generation, &document)? else { return Ok(()) };
    let is_current = observed.has_applied(wished.generation);
    if key.kind == ObjectKind::Image && wished.tombstone && is_current {
        // No strand waits for the end of an image.
        host::forget(tx, on, key.kind.as_str(), key.id)?;
    }
    let is_worked_on = driven::wake_worker(tx, resource(key.kind), key.id)?;
    if key.kind == ObjectKind::Server {
        if is_worked_on {
            noted.unsettled.push(key.id);
        } else {
            server::follow(tx, on, observed)?;
        }
        if is_current && observed.state.power == PowerState::Running && holds_hash(&wished) {
            noted.secrets.push(key.id);
        }
    }
    Ok(())
}

/// Whether the row of a server may still hold the hash of a password. Cheaper than reading the document, and never wrong in
/// the direction that counts.
fn holds_hash(wished: &Wished) -> bool {
    wished.spec.contains("\"root_password_hash\":\"")
}

/// Takes the hash of the first boot's password out of the row of a machine that has booted with it.
fn erase(tx: &mut dyn Tx, on: Id, id: Id) -> Result<()> {
    let kind = ObjectKind::Server.as_str();
    let Some(object) = host::object(tx, on, kind, id)? else { return Ok(()) };
    let Wish::Present(Spec::Server(mut spec)) = read_wish(&object.spec)? else { return Ok(()) };
    let seen = object.observed.as_deref().and_then(|text| serde_json::from_str::<Observed>(text).ok());
    let has_booted = |seen: &Observed, spec: &ServerSpec| {
        seen.state.power == PowerState::Running && seen.state.disk_epoch.is_none_or(|epoch| epoch == spec.rebuild_epoch)
    };
    if seen.is_none_or(|seen| !has_booted(&seen, &spec)) || spec.first_boot.root_password_hash.take().is_none() {
        return Ok(());
    }
    let wish = Wish::Present(Spec::Server(spec));
    let text = serde_json::to_string(&wish).map_err(|e| Error::internal(format!("spec: {e}")))?;
    driven::rewrite(tx, (on, kind, id), object.generation, &text)
}

/// Lets a server that nobody works on any more show what its machine was last seen to be. False while somebody does.
fn settle(tx: &mut dyn Tx, on: Id, id: Id) -> Result<bool> {
    if wolke_store::strand::holder(tx, Kind::Server, id)?.is_some() {
        return Ok(false);
    }
    let object = host::object(tx, on, ObjectKind::Server.as_str(), id)?;
    let observed = object.and_then(|object| object.observed);
    if let Some(observed) = observed.and_then(|text| serde_json::from_str::<Observed>(&text).ok()) {
        server::follow(tx, on, &observed)?;
    }
    Ok(true)
}

fn end(tx: &mut dyn Tx, on: Id, report: &CommandReport) -> Result<()> {
    let outcome = serde_json::to_string(&report.outcome).map_err(|e| Error::internal(format!("outcome: {e}")))?;
    if driven::command_end(tx, on, report.id, &outcome)?.is_some() {
        driven::wake_worker(tx, resource(report.key.kind), report.key.id)?;
    }
    Ok(())
}

fn sample(tx: &mut dyn Tx, used: &Usage) -> Result<()> {
    let counters = Counters {
        cpu_ms: used.cpu_ms,
        read_ops: used.disk_read_ops,
        write_ops: used.disk_write_ops,
        read_bytes: used.disk_read_bytes,
        write_bytes: used.disk_write_bytes,
        bytes_in: used.bytes_in,
        bytes_out: used.bytes_out,
        packets_in: used.packets_in,
        packets_out: used.packets_out,
    };
    usage::note(tx, used.key.id, &Measured { at: used.at, run: used.run, counters })
}
