//! When a server has to end: SIGTERM or SIGINT ask for it, a second one demands it.

use crate::failure::{Failure, Result};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// How long an orderly end may take before the process ends anyway. What was acknowledged is on the disk all the time.
const PATIENCE: Duration = Duration::from_secs(25);

/// The wish to end.
pub struct Stop(oneshot::Receiver<()>);

impl Stop {
    /// Listens to the signals from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn on_signals() -> Result<Self> {
        let on = |kind| signal(kind).map_err(|e| Failure::new(format!("cannot listen to signals: {e}")));
        let (mut terminate, mut interrupt) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(async move {
            next(&mut terminate, &mut interrupt).await;
            let _ = sender.send(());
            limit();
            next(&mut terminate, &mut interrupt).await;
            end_at_once();
        });
        Ok(Self(receiver))
    }

    /// Ends when the server should.
    pub async fn wait(self) {
        let _ = self.0.await;
    }
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Ends the process when its patience is over. A thread, because the runtime is among what may hang.
fn limit() {
    let waits = || {
        std::thread::park_timeout(PATIENCE);
        end_at_once();
    };
    if std::thread::Builder::new().name("wolke-stop".into()).spawn(waits).is_err() {
        tracing::warn!("no thread is left to limit the time of the stop");
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing is left that could be put away in order")]
fn end_at_once() {
    std::process::exit(1);
}
