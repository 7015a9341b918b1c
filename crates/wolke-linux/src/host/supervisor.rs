//! Watches guests: who has gone off or vanished, and what they use.

use std::sync::PoisonError;
use std::time::Duration;

use wolke_host::plan::Guest;
use wolke_host::{HostError, ObjectKind, Report, Runtime};

use super::core::Core;
use super::file;
use super::object::Entry;
use crate::net::{Guests, LinkCounters};

/// How often each guest is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The longest first boot of a container; four times what was measured under load.
const FIRST_BOOT_MS: i64 = 180_000;

/// How often it is measured what a running server uses.
const USAGE_INTERVAL_MS: i64 = 60_000;

/// When something is tried again that failed while nobody waited for it.
const TRIES_AGAIN_MS: i64 = 60_000;

impl Core {
    /// Watches until the host is closed.
    pub(super) fn supervise(&self) {
        let clock = &self.options.clock;
        // At once first: what was used before this start is not lost.
        let mut measured = clock.monotonic_ms() - USAGE_INTERVAL_MS;
        while self.rests() {
            for entry in self.registry.all() {
                if self.is_over() {
                    return;
                }
                self.check(&entry);
            }
            let now = clock.monotonic_ms();
            if now - measured >= USAGE_INTERVAL_MS {
                measured = now;
                for entry in self.registry.all() {
                    if entry.lock().memory.current.guest == Guest::Running && !self.is_over() {
                        self.measure(&entry);
                        self.first_boot_is_over(&entry);
                    }
                }
            }
            self.wake();
        }
    }

    /// Waits for the next round; says whether there is one.
    fn rests(&self) -> bool {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_over() {
            let _ = self.ended.wait_timeout(rest, LOOK_INTERVAL).unwrap_or_else(PoisonError::into_inner);
        }
        !self.is_over()
    }

    /// A container reads its first boot from a seed and tells nobody: after some time it has.
    fn first_boot_is_over(&self, entry: &Entry) {
        let (waiting, since) = {
            let object = entry.lock();
            let epoch = object.memory.current.disk.as_ref().map(|disk| disk.epoch);
            (object.memory.runtime == Some(Runtime::Container) && object.memory.delivered < epoch, object.running_since)
        };
        let now = self.options.clock.monotonic_ms();
        if waiting && since.is_some_and(|since| now - since >= FIRST_BOOT_MS) {
            self.registry.delivered(entry.key.id);
        }
    }

    /// A guest that does something else than what was last seen is work.
    fn check(&self, entry: &Entry) {
        if entry.key.kind != ObjectKind::Server || self.work.is_busy(entry.key) {
            return;
        }
        let (seen, runtime) = {
            let mut object = entry.lock();
            if self.tries_again(&mut object) {
                self.work.push(entry.key);
            }
            (object.memory.current.guest, object.memory.runtime)
        };
        if seen == Guest::Off {
            return;
        }
        match self.see_guest(entry.key.id, runtime) {
            Ok(guest) if guest != seen => {
                if guest == Guest::Off {
                    self.measure_off(entry);
                }
                self.work.push(entry.key);
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(key = %entry.key, "what the guest is doing cannot be told: {error}"),
        }
    }

    /// A failure of something that nobody waits for (a look, the start of a guest that had vanished) is not the end: the
    /// machine may have been too busy. What somebody has asked for and was told that it failed is not done later.
    fn tries_again(&self, object: &mut super::object::Object) -> bool {
        let reached = object.memory.current.generation == object.accepted();
        let passing = object.memory.error.as_ref().is_some_and(|error| error.code == HostError::ENGINE);
        let now = self.options.clock.monotonic_ms();
        let due = object.failed_at.is_none_or(|at| now - at >= TRIES_AGAIN_MS);
        if !(reached && passing && due) {
            return false;
        }
        object.memory.error = None;
        true
    }

    /// Measures a server that runs.
    pub(super) fn measure(&self, entry: &Entry) {
        let directory = self.layout.server(entry.key.id);
        let runtime = entry.lock().memory.runtime;
        let Some(engine) = runtime.and_then(|runtime| self.engine(runtime).ok()) else { return };
        match engine.counters(&directory) {
            Ok(counters) => self.tell_usage(entry, Some(&counters)),
            Err(error) => tracing::warn!(key = %entry.key, "what the server uses cannot be told: {error}"),
        }
    }

    /// The last measurement of a guest that has gone off: what its engine had counted stands.
    fn measure_off(&self, entry: &Entry) {
        self.tell_usage(entry, None);
    }

    fn tell_usage(&self, entry: &Entry, engine: Option<&crate::engine::Counters>) {
        let link = match &self.net {
            Some(net) if entry.lock().link => net.counters(entry.key.id).unwrap_or_else(|error| {
                tracing::warn!(key = %entry.key, "the traffic cannot be told: {error}");
                LinkCounters::default()
            }),
            _ => LinkCounters::default(),
        };
        let mut object = entry.lock();
        if object.gone || self.is_over() {
            return;
        }
        let now = self.now();
        object.meter.measure(engine, &link, now);
        let usage = object.meter.usage(entry.key, now);
        if let Err(error) = file::write_json(&object.home.usage(), &object.meter) {
            tracing::warn!(key = %entry.key, "what the server has used cannot be written down: {error}");
        }
        self.outbox.push(entry.key, Report::Usage(usage));
    }
}
