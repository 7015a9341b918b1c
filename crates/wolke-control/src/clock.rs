//! World time: showing it, changing its mode, and jumps.
//!
//! A jump goes from event to event: it stops where the next strand wakes, lets the work that is due there come to rest, and
//! goes on, until its target. So eight days bring eight daily backups, each with its own time, and work under way ends when
//! it would have ended. Every stop is a commit of its own: a crash leaves a clock that is right, only not yet at the
//! target. World time never runs backwards; where it follows real time it does so during the jump, too.
//!
//! Jumps take turns: two that add a day each make two days. Order in a process is kept by a mutex, among processes by a
//! lock of the database.

use crate::control::Control;
use std::time::Duration;
use wolke_domain::clock::{ClockMode, ClockState, RATE_PERMILLE_MAX, WORLD_TIME_MAX};
use wolke_domain::{Error, Result};
use wolke_store::{Race, clock, driven, strand};
use wolke_strand::Settled;
use wolke_wire::{ErrorCode, Timestamp};

/// Stops of a jump that are exactly where something wakes.
const EXACT_STOPS_MAX: u32 = 10_000;
/// Stops that the rest of a longer jump is divided into.
const COARSE_STOPS_MAX: u32 = 1_000;
/// Real time that a stop waits for work that does not come to rest.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// Real time of a whole jump; what is left of it then happens in one go.
const JUMP_LIMIT: Duration = Duration::from_secs(5 * 60);
/// Real time that a jump waits for another one to end.
const TURN_LIMIT: Duration = Duration::from_secs(6 * 60);

/// What the clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockView {
    /// World time now.
    pub now: Timestamp,
    /// How it moves.
    pub state: ClockState,
}

/// Where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// So many milliseconds ahead.
    By(i64),
    /// To a point in time.
    To(Timestamp),
}

impl Jump {
    /// The point in world time, from `now`. World time ends: behind its last year no timestamp can be shown, and nothing
    /// could be waited for.
    fn target(self, now: Timestamp) -> Result<Timestamp> {
        let (field, target) = match self {
            Self::By(milliseconds) if milliseconds < 0 => {
                return Err(Error::invalid("duration", "must not be negative"));
            }
            Self::By(milliseconds) => ("duration", now.plus_ms(milliseconds)),
            Self::To(target) if target < now => return Err(Error::invalid("time", "lies in the past of this world")),
            Self::To(target) => ("time", target),
        };
        if target < WORLD_TIME_MAX {
            Ok(target)
        } else {
            Err(Error::invalid(field, format!("must lie before {WORLD_TIME_MAX}")))
        }
    }
}

/// A jump that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jumped {
    /// Where it ended.
    pub clock: ClockView,
    /// How often it stopped.
    pub stops: u32,
    /// What did not go as it should.
    pub warning: Option<String>,
}

/// A jump that is under way: for whoever runs strands without a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journey {
    target: Timestamp,
    stops: u32,
    arrived: bool,
    /// Stops after which work was still going on.
    restless: u32,
}

impl Journey {
    /// The next stop: where something wakes, or the target. After too many stops in coarser strides.
    fn stop(&self, now: Timestamp, wakes: Option<Timestamp>) -> Timestamp {
        let exact = wakes.unwrap_or(self.target);
        let stop = match self.stops.checked_sub(EXACT_STOPS_MAX) {
            None => exact,
            Some(coarse) => {
                let left = i64::from(COARSE_STOPS_MAX.saturating_sub(coarse).max(1));
                let missing = (self.target.0 - now.0).max(0);
                // Rounded up, so that the strides suffice.
                exact.max(now.plus_ms((missing + left - 1) / left))
            }
        };
        // The clock may have gone on by itself.
        stop.min(self.target).max(now)
    }

    fn warning(&self) -> Option<String> {
        if self.stops > EXACT_STOPS_MAX {
            return Some(format!(
                "more than {EXACT_STOPS_MAX} events lay on the way; work after them was done in coarser strides"
            ));
        }
        let waited = STOP_LIMIT.as_secs();
        (self.restless > 0)
            .then(|| format!("at {} of the stops work did not come to rest within {waited} s", self.restless))
    }
}

impl Control {
    /// The clock.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn clock(&self) -> Result<ClockView> {
        self.db.read(|tx| Ok(ClockView { now: tx.now(), state: clock::get(tx)? })).await
    }

    /// Changes how the clock moves; world time goes on from where it is.
    ///
    /// # Errors
    /// `invalid_input` for a rate that is not between 1 and [`RATE_PERMILLE_MAX`]; `unsupported_error` in a world with real
    /// hosts, as for every change below.
    pub async fn set_clock_mode(&self, mode: ClockMode, rate_permille: i64) -> Result<ClockView> {
        if !(1..=RATE_PERMILLE_MAX).contains(&rate_permille) {
            return Err(Error::invalid("rate", format!("must be between 0.001 and {}", RATE_PERMILLE_MAX / 1000)));
        }
        if mode != ClockMode::Wall {
            self.check_simulated().await?;
        }
        self.change_clock(move |state, real| Ok(state.with_mode(real, mode, rate_permille))).await
    }

    /// Takes world time to a later point, from event to event, and waits for the work on the way.
    ///
    /// # Errors
    /// `invalid_input` when it would run backwards (timers that have fired do not fire again) or past its end; `conflict`
    /// when another jump takes too long.
    pub async fn jump_clock(&self, jump: Jump) -> Result<Jumped> {
        let _own_turn = tokio::time::timeout(TURN_LIMIT, self.jumps.lock()).await.map_err(|_| taken())?;
        let _turn = self.db.hold(Race::Jump, TURN_LIMIT).await?.ok_or_else(taken)?;
        let mut journey = self.depart(jump).await?;
        let warning = match tokio::time::timeout(JUMP_LIMIT, self.travel(&mut journey)).await {
            Ok(travelled) => {
                travelled?;
                journey.warning()
            }
            Err(_) => {
                let at = self.clock().await?.now;
                tracing::warn!(%at, target = %journey.target, "a jump of the clock took too long and was ended in one go");
                self.land(journey.target).await?;
                let limit = JUMP_LIMIT.as_secs();
                Some(format!("after {limit} s world time was only at {at}; the rest happened in one go"))
            }
        };
        Ok(Jumped { clock: self.clock().await?, stops: journey.stops, warning })
    }

    async fn travel(&self, journey: &mut Journey) -> Result<()> {
        loop {
            if self.worker.come_to_rest(STOP_LIMIT).await == Settled::NotYet {
                journey.restless += 1;
                tracing::warn!(stop = journey.stops, "work did not come to rest while the clock jumps");
            }
            if !self.next_stop(journey).await? {
                return Ok(());
            }
        }
    }

    /// Begins a jump whose strands the caller runs: before the first stop and after each, until [`Control::next_stop`] says
    /// that there is none.
    ///
    /// # Errors
    /// `invalid_input`, as [`Control::jump_clock`].
    pub async fn depart(&self, jump: Jump) -> Result<Journey> {
        self.check_simulated().await?;
        let target = self.db.read(move |tx| jump.target(tx.now())).await?;
        Ok(Journey { target, stops: 0, arrived: false, restless: 0 })
    }

    /// Takes world time to the next stop of a jump; false when it has arrived already.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn next_stop(&self, journey: &mut Journey) -> Result<bool> {
        if journey.arrived {
            return Ok(false);
        }
        if journey.stops == EXACT_STOPS_MAX {
            tracing::warn!(target = %journey.target, "a jump of the clock goes on in coarser strides");
        }
        let at = *journey;
        let stop = self
            .db
            .write(vec![Race::Database], move |tx| {
                let (now, (wakes, _)) = (tx.now(), strand::next_due(tx)?);
                let stop = at.stop(now, wakes);
                let state = clock::get(tx)?.set(tx.facts().real_now, stop);
                clock::set(tx, state)?;
                Ok(stop)
            })
            .await?;
        journey.stops += 1;
        journey.arrived = stop >= journey.target;
        Ok(true)
    }

    /// Sets world time in one go: what was due on the way is due at the end.
    ///
    /// # Errors
    /// `invalid_input`, as [`Control::jump_clock`].
    pub async fn set_clock(&self, world: Timestamp) -> Result<ClockView> {
        self.check_simulated().await?;
        self.change_clock(move |state, real| Ok(state.set(real, Jump::To(world).target(state.world_at(real))?))).await
    }

    /// Moves world time forward in one go: what was due on the way is due at the end.
    ///
    /// # Errors
    /// `invalid_input`, as [`Control::jump_clock`].
    pub async fn advance_clock(&self, milliseconds: i64) -> Result<ClockView> {
        self.check_simulated().await?;
        let jump = Jump::By(milliseconds);
        self.change_clock(move |state, real| Ok(state.set(real, jump.target(state.world_at(real))?))).await
    }

    /// Ends a jump in one go; the clock may have gone beyond its target by itself.
    async fn land(&self, target: Timestamp) -> Result<ClockView> {
        self.change_clock(move |state, real| Ok(state.set(real, target.max(state.world_at(real))))).await
    }

    /// Real machines live in real time: the clock of a world that has some is the wall's (design, two clocks).
    async fn check_simulated(&self) -> Result<()> {
        let real = self.db.read(driven::all).await?;
        match real.first() {
            None => Ok(()),
            Some(host) => Err(Error::clock_of_real_world(&host.name)),
        }
    }

    async fn change_clock(
        &self,
        change: impl Fn(ClockState, Timestamp) -> Result<ClockState> + Send + 'static,
    ) -> Result<ClockView> {
        self.db
            .write(vec![Race::Database], move |tx| {
                let state = clock::get(tx)?;
                let next = change(state, tx.facts().real_now)?;
                clock::set(tx, next)?;
                // What waits for simulated work waits no more.
                if next.mode == ClockMode::Instant { strand::wake_all(tx) } else { Ok(()) }
            })
            .await?;
        self.clock().await
    }
}

fn taken() -> Error {
    Error::refused(ErrorCode::Conflict, "another jump of the clock is under way")
}

#[cfg(test)]
mod tests {
    use super::{COARSE_STOPS_MAX, EXACT_STOPS_MAX, Journey, Jump};
    use wolke_domain::clock::WORLD_TIME_MAX;
    use wolke_wire::Timestamp;

    fn journey(target: i64, stops: u32) -> Journey {
        Journey { target: Timestamp(target), stops, arrived: false, restless: 0 }
    }

    #[test]
    fn stops_are_where_something_wakes() {
        let at = |now, wakes: Option<i64>| journey(100, 0).stop(Timestamp(now), wakes.map(Timestamp)).0;
        assert_eq!(at(10, Some(20)), 20);
        assert_eq!(at(10, Some(100)), 100);
        assert_eq!(at(10, Some(101)), 100);
        assert_eq!(at(10, None), 100);
        assert_eq!(at(120, Some(130)), 120, "a clock that runs is not set back");
    }

    #[test]
    fn however_much_happens_a_jump_ends() {
        let (mut now, mut stops) = (Timestamp(0), 0);
        let target = Timestamp(365 * 86_400_000);
        while now < target {
            let stop = journey(target.0, stops).stop(now, Some(now.plus_ms(1)));
            assert!(stop > now, "it moves");
            (now, stops) = (stop, stops + 1);
        }
        assert_eq!((now, stops), (target, EXACT_STOPS_MAX + COARSE_STOPS_MAX));
        assert!(journey(0, stops).warning().is_some() && journey(0, 3).warning().is_none());
    }

    #[test]
    fn time_does_not_run_backwards_and_ends() {
        let now = Timestamp(1000);
        assert_eq!(Jump::By(5).target(now).unwrap(), Timestamp(1005));
        assert_eq!(Jump::To(now).target(now).unwrap(), now);
        for wrong in [Jump::By(-1), Jump::To(Timestamp(999)), Jump::By(i64::MAX), Jump::To(WORLD_TIME_MAX)] {
            assert!(wrong.target(now).is_err(), "{wrong:?}");
        }
    }
}
