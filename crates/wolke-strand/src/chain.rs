//! Chains: the steps of one strand that run back to back in one transaction.

use crate::program::{Application, Flow, Frame, Program};
use wolke_domain::action::Failure;
use wolke_domain::{Error, Result};
use wolke_store::Tx;
use wolke_store::strand::{self, NEVER, Strand};
use wolke_wire::{Id, Timestamp};

/// Steps of one chain: a program that goes round in circles without waiting is broken.
const CHAIN_STEPS_MAX: usize = 64;
/// Failing runs of a step after which the strand aborts.
const TRIES_MAX: i64 = 8;
/// The first backoff of a failing step in real milliseconds; it doubles with every try.
const BACK_OFF_MS: i64 = 50;
/// The longest backoff, in real milliseconds.
const BACK_OFF_MS_MAX: i64 = 10_000;

/// How a strand left the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As wished.
    Success,
    /// After its abort.
    Failure,
}

/// How a chain stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// The strand has ended.
    Ended(Ended),
    /// It sleeps until world time comes or somebody wakes it.
    Sleeps(Timestamp),
    /// Another strand is ahead of it: it will be woken.
    Blocked,
    /// The lease was lost, or the strand is gone: nothing was done.
    Lost,
}

/// Runs the steps of a claimed strand until it ends or waits. Call it inside a write with the strand's scope.
///
/// # Errors
/// What a step returned: the transaction is rolled back, see [`on_error`].
pub fn run_chain<A: Application>(tx: &mut dyn Tx, app: &A, id: Id, lease: i64) -> Result<Chain> {
    run_steps(tx, app, (id, lease), &Manner::default())
}

/// How steps are run: tests commit after each one, repeat it, or let it fail.
pub(crate) struct Manner {
    pub steps_max: usize,
    pub repeat: bool,
    pub failure: Option<Failure>,
}

impl Default for Manner {
    fn default() -> Self {
        Self { steps_max: CHAIN_STEPS_MAX, repeat: false, failure: None }
    }
}

/// As [`run_chain`], in a manner of its own.
pub(crate) fn run_steps<A: Application>(
    tx: &mut dyn Tx,
    app: &A,
    (id, lease): (Id, i64),
    manner: &Manner,
) -> Result<Chain> {
    let Some((mut current, blocked)) = strand::get_claimed(tx, id, lease)? else { return Ok(Chain::Lost) };
    if blocked {
        return sleep(tx, current, NEVER, Chain::Blocked);
    }
    let program = program::<A>(&current.kind)?;
    let mut frame = read_frame(&current)?;
    for _ in 0..manner.steps_max {
        let step = program
            .step(&current.step)
            .ok_or_else(|| Error::internal(format!("{} has no step {}", current.kind, current.step)))?;
        if manner.repeat {
            step(tx, app, &mut frame.clone())?;
        }
        let flow = match &manner.failure {
            Some(failure) if frame.failure.is_none() => Flow::Fail(failure.clone()),
            _ => step(tx, app, &mut frame)?,
        };
        match flow {
            Flow::Next(next) => {
                current.step = next.to_owned();
                current.deadline = NEVER;
            }
            Flow::Wait { step, until, deadline, promised } => {
                if current.step != step || current.deadline == NEVER {
                    current.deadline = deadline;
                }
                current.step = step.to_owned();
                // Only now, after a look: what was ready when time jumped past the deadline is not a failure. Nor is what
                // goes on by itself: it could not be looked at earlier, and waits anew.
                if promised && tx.now() >= current.deadline && current.wake_at < current.deadline {
                    current.deadline = deadline;
                }
                if current.deadline != NEVER && tx.now() >= current.deadline {
                    let failure = app.timed_out(step);
                    if let Some(ended) = fail(tx, app, program, &mut current, &mut frame, failure)? {
                        return Ok(ended);
                    }
                    continue;
                }
                current.frame = frame.text()?;
                let wake_at = until.min(current.deadline);
                return sleep(tx, current, wake_at, Chain::Sleeps(wake_at));
            }
            Flow::Done => return end(tx, app, &current, &frame),
            Flow::Fail(failure) => {
                if let Some(ended) = fail(tx, app, program, &mut current, &mut frame, failure)? {
                    return Ok(ended);
                }
            }
        }
    }
    // Too many steps for one transaction: the rest follows in the next one.
    current.frame = frame.text()?;
    let now = tx.now();
    sleep(tx, current, now, Chain::Sleeps(now))
}

fn program<A: Application>(kind: &str) -> Result<&'static Program<A>> {
    A::registry().get(kind).ok_or_else(|| Error::internal(format!("no program for strands of kind {kind}")))
}

fn read_frame(strand: &Strand) -> Result<Frame> {
    let mut frame: Frame = serde_json::from_str(&strand.frame)
        .map_err(|e| Error::internal(format!("strand {}: broken frame: {e}", strand.id)))?;
    frame.strand = strand.id;
    frame.project = strand.project;
    frame.action = strand.action;
    Ok(frame)
}

/// Turns to the abort. A failure of the abort itself ends the strand: every action ends (design §1.2).
fn fail<A: Application>(
    tx: &mut dyn Tx,
    app: &A,
    program: &Program<A>,
    current: &mut Strand,
    frame: &mut Frame,
    failure: Failure,
) -> Result<Option<Chain>> {
    if frame.failure.is_some() {
        tracing::error!(
            strand = current.id,
            step = current.step,
            message = failure.message,
            "the abort of a strand failed"
        );
        return end(tx, app, current, frame).map(Some);
    }
    frame.failure = Some(failure);
    current.step = program.abort.to_owned();
    current.deadline = NEVER;
    Ok(None)
}

fn end<A: Application>(tx: &mut dyn Tx, app: &A, current: &Strand, frame: &Frame) -> Result<Chain> {
    let Some(unlocked) = strand::end(tx, current)? else {
        // The fence: what this chain wrote must not commit.
        return Err(lost(current.id));
    };
    app.ended(tx, frame, &unlocked)?;
    Ok(Chain::Ended(if frame.failure.is_some() { Ended::Failure } else { Ended::Success }))
}

fn sleep(tx: &mut dyn Tx, current: Strand, wake_at: Timestamp, chain: Chain) -> Result<Chain> {
    if strand::sleep(tx, &current, wake_at)? { Ok(chain) } else { Err(lost(current.id)) }
}

fn lost(strand: Id) -> Error {
    Error::Unavailable { internal: format!("strand {strand}: lease lost in mid-chain") }
}

/// What happens to a strand whose chain was rolled back: it tries again later, and aborts after eight failures. That
/// the database was unavailable is not the strand's failure. Strands of a kind that this release does not know are left to
/// one that does.
///
/// # Errors
/// The engine's failure: the lease then runs out by itself.
pub fn on_error<A: Application>(tx: &mut dyn Tx, app: &A, id: Id, lease: i64, error: &Error) -> Result<()> {
    let Some((mut current, _)) = strand::get_claimed(tx, id, lease)? else { return Ok(()) };
    let Ok(program) = program::<A>(&current.kind) else { return back_off(tx, &current, BACK_OFF_MS_MAX, 0) };
    let failures = i64::from(!matches!(error, Error::Unavailable { .. }));
    if current.tries + failures < TRIES_MAX {
        let exponent = current.tries.clamp(0, 16);
        return back_off(tx, &current, (BACK_OFF_MS << exponent).min(BACK_OFF_MS_MAX), failures);
    }
    let Ok(mut frame) = read_frame(&current) else { return end_broken(tx, app, &current, error) };
    if fail(tx, app, program, &mut current, &mut frame, app.gave_up(error))?.is_none() {
        current.frame = frame.text()?;
        let now = tx.now();
        sleep(tx, current, now, Chain::Sleeps(now))?;
    }
    Ok(())
}

fn back_off(tx: &mut dyn Tx, current: &Strand, wait_ms: i64, failures: i64) -> Result<()> {
    let retry_at = tx.facts().real_now.plus_ms(wait_ms);
    strand::back_off(tx, current, retry_at, failures)
}

/// A strand whose variables cannot be read can do nothing more than end its action and let go of its resources.
fn end_broken<A: Application>(tx: &mut dyn Tx, app: &A, current: &Strand, error: &Error) -> Result<()> {
    tracing::error!(strand = current.id, kind = current.kind, "a strand with a broken frame was ended");
    let frame = Frame {
        variables: serde_json::Value::Null,
        also: Vec::new(),
        failure: Some(app.gave_up(error)),
        strand: current.id,
        project: current.project,
        action: current.action,
    };
    end(tx, app, current, &frame).map(|_| ())
}
