//! The thread of a driver, and how it is woken.

use super::Driver;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use wolke_domain::{Error, Result};
use wolke_store::Signal;

/// Pause after a failure, in milliseconds.
const RETRY_MS: i64 = 1_000;

#[derive(Default)]
struct State {
    poked: bool,
    stopped: bool,
}

/// Wakes a driver. It exists before the database does, and the database before the driver. Cheap to clone.
#[derive(Clone, Default)]
pub struct Nudge(Arc<(Mutex<State>, Condvar)>);

impl Nudge {
    /// There may be something to do. Returns at once.
    pub fn poke(&self) {
        self.lock().poked = true;
        self.0.1.notify_all();
    }

    /// Takes the signals of a commit. Called on the committing thread: it only hands over.
    pub fn on_commit(&self, signals: &[Signal]) {
        if signals.contains(&Signal::HostChanged) {
            self.poke();
        }
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.0.1.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something to do, at most so long; false when it is over.
    fn wait(&self, at_most_ms: i64) -> bool {
        let at_most = Duration::from_millis(u64::try_from(at_most_ms).unwrap_or(0));
        let idle = |state: &mut State| !state.poked && !state.stopped;
        let (mut state, _) =
            self.0.1.wait_timeout_while(self.lock(), at_most, idle).unwrap_or_else(PoisonError::into_inner);
        state.poked = false;
        !state.stopped
    }
}

/// A driver at work.
pub struct Running {
    nudge: Nudge,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Makes the first turn, so that whoever asks next finds the host, and goes on in a thread of its own.
    ///
    /// # Errors
    /// When the host or the database does not answer.
    pub fn start(mut driver: Driver, nudge: Nudge) -> Result<Self> {
        driver.turn()?;
        let waker = nudge.clone();
        let thread = std::thread::Builder::new()
            .name("wolke-driver".into())
            .spawn(move || run(driver, &waker))
            .map_err(|e| Error::internal(format!("a thread for the driver: {e}")))?;
        Ok(Self { nudge, thread: Some(thread) })
    }

    /// Ends the driver. What runs on its host goes on.
    pub fn stop(&mut self) {
        self.nudge.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the driver had panicked");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(mut driver: Driver, nudge: &Nudge) {
    let mut trouble = None;
    let mut rest_ms = 0;
    while nudge.wait(rest_ms) {
        rest_ms = match driver.turn() {
            Ok(turn) => {
                if trouble.take().is_some() {
                    tracing::info!("the host is driven again");
                }
                turn.rest_ms
            }
            Err(error) => {
                let text = error.to_string();
                if trouble.as_ref() != Some(&text) {
                    tracing::error!(%error, "the host cannot be driven: trying again");
                    trouble = Some(text);
                }
                RETRY_MS
            }
        };
    }
    if let Err(error) = driver.part() {
        tracing::warn!(%error, "the end of the driver could not be written down");
    }
}
