//! Backups, and days that pass from event to event.

use super::*;
use wolke_control::clock::Jump;

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("enable_backup", 1, |sim| Box::pin(sim.enable_backup())),
    ("disable_backup", 1, |sim| Box::pin(sim.disable_backup())),
    ("days", 1, |sim| Box::pin(sim.days())),
];

/// Stops after which a jump is cut off, as by a crash: stuck machines are looked at five times a second.
const STOPS_MAX: usize = 40;

impl Simulator {
    async fn enable_backup(&mut self) -> Result<String> {
        let (id, windows) = (self.any_server(), [None, Some("22-02"), Some("14-18"), Some("14-15")]);
        let window = self.dice.pick(&windows).flatten().map(str::to_owned);
        let request = wolke_wire::cloud::server::EnableServerBackup { backup_window: window };
        let started = self.control.enable_server_backup(&self.caller, id, request.clone()).await?;
        Ok(format!("{id} {request:?} by {}", started.action))
    }

    async fn disable_backup(&mut self) -> Result<String> {
        let id = self.any_server();
        let started = self.control.disable_server_backup(&self.caller, id).await?;
        Ok(format!("{id} by {}", started.action))
    }

    async fn days(&mut self) -> Result<String> {
        let days = i64::try_from(self.dice.below(3)).unwrap_or(0) + 1;
        let mut journey = self.control.depart(Jump::By(days * 24 * 60 * 60 * 1000)).await?;
        for stops in 0..STOPS_MAX {
            Drive::new(&self.db, &self.core, Disturbance::None).until_idle()?;
            if !self.control.next_stop(&mut journey).await? {
                return Ok(format!("{days} in {stops} stops"));
            }
        }
        Ok(format!("{days}, cut off at {}", self.control.clock().await?.now))
    }
}
