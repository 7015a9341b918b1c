//! Rows of resumable work and the locks that order it.
//!
//! **Locks.** A strand holds a row per resource it works on; positions grow, so the lowest one is at the head of the
//! resource's queue. A strand may run when it is at the head of all its queues. Positions of one strand are taken in one
//! transaction, so queues never deadlock.
//!
//! **Wake-ups.** `wake_at` is when the strand wants to run (world time). A wake pulls it to now and bumps `wakes`; a step
//! that goes to sleep writes its time only if `wakes` is still what it was when the step began, so a wake that lands
//! mid-step survives the nap that follows.

use crate::stmt::statements;
use crate::tx::{Counter, Scope, Signal, Tx};
use crate::value::{Row, json_text};
use wolke_domain::action::Target;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

/// `wake_at` of a strand that waits for its turn, and `deadline` of one that has none.
pub const NEVER: Timestamp = Timestamp(i64::MAX);
/// How long a claim holds without a word from its worker, in real milliseconds.
pub const LEASE_MS: i64 = 30_000;
/// How far ahead of real time a lease or a backoff can end, in milliseconds: no longer than a lease, plus what transactions
/// that run side by side may disagree about the time. One that ends later was written before the wall clock was set back;
/// it is not believed, or the strand would wait until the clock is there again. Claiming it too early does no harm: whoever
/// had it has lost its lease.
pub const RETRY_AHEAD_MS_MAX: i64 = LEASE_MS + 1_000;
/// Strands claimed by one statement.
pub const CLAIM_MAX: usize = 64;
/// Strands that may wait for one resource; one more is answered `locked`.
pub const QUEUE_MAX: i64 = 32;

statements! { "strand";
    INSERT = "INSERT INTO strand (id, kind, project, scope, step, frame, action, wake_at, wakes, retry_at, lease, tries, deadline)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12)";
    LOCK_TAIL = "SELECT count(*), CAST(COALESCE(MAX(position), 0) AS BIGINT) FROM strand_lock WHERE kind = $1 AND resource = $2";
    LOCK_INSERT = "INSERT INTO strand_lock (kind, resource, position, strand) VALUES ($1, $2, $3, $4)";
    LOCKED = "SELECT strand FROM strand_lock WHERE kind = $1 AND resource = $2 ORDER BY position LIMIT 1";
    LOCK_RELEASE = "DELETE FROM strand_lock WHERE strand = $1 RETURNING kind, resource";
    AHEAD = "SELECT count(*) FROM strand_lock mine, strand_lock other WHERE mine.strand = $1 AND other.kind = mine.kind
        AND other.resource = mine.resource AND other.position < mine.position";
    CLAIM = "UPDATE strand SET lease = lease + 1, retry_at = $1 WHERE id IN
        (SELECT id FROM strand WHERE wake_at <= $2 AND (retry_at <= $3 OR retry_at > $4) ORDER BY wake_at, id LIMIT 64)
        RETURNING id, kind, project, scope, step, frame, action, wakes, lease, tries, deadline, wake_at";
    GET = "SELECT id, kind, project, scope, step, frame, action, wakes, lease, tries, deadline, wake_at FROM strand WHERE id = $1";
    GET_FIRST = "SELECT s.id, s.kind, s.project, s.scope, s.step, s.frame, s.action, s.wakes, s.lease, s.tries, s.deadline, s.wake_at,
        (SELECT count(*) FROM strand_lock mine, strand_lock other WHERE mine.strand = s.id AND other.kind = mine.kind
            AND other.resource = mine.resource AND other.position < mine.position)
        FROM strand s WHERE s.id = $1 AND s.lease = $2";
    SLEEP = "UPDATE strand SET step = $1, frame = $2, wake_at = CASE WHEN wakes = $3 THEN CAST($4 AS BIGINT) ELSE 0 END,
        retry_at = 0, tries = 0, deadline = $5 WHERE id = $6 AND lease = $7";
    BACK_OFF = "UPDATE strand SET retry_at = $1, tries = tries + $2 WHERE id = $3 AND lease = $4";
    WAKE = "UPDATE strand SET wakes = wakes + 1, wake_at = CASE WHEN wake_at > $1 THEN CAST($2 AS BIGINT) ELSE wake_at END WHERE id = $3";
    WAKE_ALL = "UPDATE strand SET wakes = wakes + 1, wake_at = $1 WHERE wake_at > $2 AND wake_at < 9223372036854775807";
    RESCHEDULE = "UPDATE strand SET wakes = wakes + 1, wake_at = $1 WHERE id = $2";
    REMOVE_IDLE = "DELETE FROM strand WHERE id = $1 AND retry_at = 0";
    DELETE = "DELETE FROM strand WHERE id = $1 AND lease = $2";
    ANY_LEASE = "SELECT id FROM strand WHERE retry_at > 0 LIMIT 1";
    FREE_LEASES = "UPDATE strand SET retry_at = 0 WHERE retry_at > 0";
    MOVING = "SELECT id FROM strand WHERE id = $1 AND (wake_at <= $2 OR wake_at = 9223372036854775807 OR retry_at > 0)";
    ANY_READY = "SELECT id FROM strand WHERE wake_at <= $1 LIMIT 1";
    NEXT_WAKE = "SELECT MIN(wake_at) FROM strand WHERE wake_at > $1 AND wake_at < 9223372036854775807";
    NEXT_RETRY = "SELECT MIN(retry_at) FROM strand WHERE wake_at <= $1 AND retry_at > $2";
    ANY_DUE = "SELECT id FROM strand WHERE wake_at <= $1 AND (retry_at <= $2 OR retry_at > $3) LIMIT 1";
    ALL = "SELECT id, kind, step, wake_at, deadline FROM strand ORDER BY id LIMIT 10000";
    LOCKS = "SELECT kind, resource, strand FROM strand_lock ORDER BY kind, resource, position LIMIT 10000";
}

/// A strand as its worker sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strand {
    /// Its id.
    pub id: Id,
    /// Which program it runs.
    pub kind: String,
    /// Whose work it is.
    pub project: Id,
    /// What its steps race for.
    pub scope: Scope,
    /// The step to run next.
    pub step: String,
    /// The program's variables, as JSON.
    pub frame: String,
    /// The action that shows it.
    pub action: Option<Id>,
    /// The wake counter when it was claimed.
    pub wakes: i64,
    /// The fence: writes with an older lease change nothing.
    pub lease: i64,
    /// Failures since the last step that committed.
    pub tries: i64,
    /// World time by which the present wait must have ended.
    pub deadline: Timestamp,
    /// When it wanted to run: before its deadline unless that is what it woke for.
    pub wake_at: Timestamp,
}

/// A strand to be.
#[derive(Clone, Debug)]
pub struct NewStrand {
    /// Which program it runs.
    pub kind: &'static str,
    /// Whose work it is.
    pub project: Id,
    /// What its steps race for.
    pub scope: Scope,
    /// Its first step.
    pub step: &'static str,
    /// The program's variables, as JSON.
    pub frame: String,
    /// The action that shows it.
    pub action: Option<Id>,
    /// The resources that it works on, alone.
    pub locks: Vec<Target>,
    /// Whether it may wait even where the queue is full: a delete is legal always.
    pub always: bool,
}

fn strand(row: &Row) -> Result<Strand> {
    Ok(Strand {
        id: row.int(0)?,
        kind: row.text(1)?.to_owned(),
        project: row.int(2)?,
        scope: row.json(3)?,
        step: row.text(4)?.to_owned(),
        frame: row.text(5)?.to_owned(),
        action: row.opt_int(6)?,
        wakes: row.int(7)?,
        lease: row.int(8)?,
        tries: row.int(9)?,
        deadline: row.time(10)?,
        wake_at: row.time(11)?,
    })
}

/// Inserts a strand behind those that hold its resources. One that can run at once is born claimed by this process.
///
/// # Errors
/// `locked` when a queue is full.
pub fn insert(tx: &mut dyn Tx, new: &NewStrand) -> Result<Id> {
    let id = tx.next_id(Counter::Strand)?;
    let mut tails = Vec::with_capacity(new.locks.len());
    for lock in &new.locks {
        let (waiting, last) = lock_tail(tx, *lock)?;
        if waiting >= QUEUE_MAX && !new.always {
            return Err(Error::locked(lock.kind));
        }
        tails.push((waiting, last));
    }
    let runnable = tails.iter().all(|(waiting, _)| *waiting == 0);
    let now = tx.now();
    insert_row(tx, id, new, (if runnable { now } else { NEVER }, runnable))?;
    for (lock, (_, last)) in new.locks.iter().zip(&tails) {
        let params = [lock.kind.singular().into(), lock.id.into(), (last + 1).into(), id.into()];
        tx.execute_one(&LOCK_INSERT, &params)?;
    }
    if runnable {
        tx.signal(Signal::StrandClaimed(id, new.scope.clone()));
    }
    Ok(id)
}

/// Inserts a strand that sleeps until a point in world time. It works on nothing that others wait for.
///
/// # Errors
/// Internal, when it has locks: who sleeps must not keep others from working.
pub fn insert_asleep(tx: &mut dyn Tx, new: &NewStrand, wake_at: Timestamp) -> Result<Id> {
    if !new.locks.is_empty() {
        return Err(Error::internal("a strand cannot be born asleep with locks"));
    }
    let id = tx.next_id(Counter::Strand)?;
    insert_row(tx, id, new, (wake_at, false))?;
    tx.signal(Signal::StrandsDue);
    Ok(id)
}

fn insert_row(tx: &mut dyn Tx, id: Id, new: &NewStrand, (wake_at, claimed): (Timestamp, bool)) -> Result<()> {
    let real_now = tx.facts().real_now;
    let params = [
        id.into(),
        new.kind.into(),
        new.project.into(),
        json_text(&new.scope)?,
        new.step.into(),
        (&new.frame).into(),
        new.action.into(),
        wake_at.into(),
        if claimed { real_now.plus_ms(LEASE_MS) } else { Timestamp(0) }.into(),
        i64::from(claimed).into(),
        0.into(),
        NEVER.into(),
    ];
    tx.execute_one(&INSERT, &params)
}

fn lock_tail(tx: &mut dyn Tx, lock: Target) -> Result<(i64, i64)> {
    let row = tx.query_one(&LOCK_TAIL, &[lock.kind.singular().into(), lock.id.into()])?;
    let row = row.ok_or_else(|| Error::internal("a count answered nothing"))?;
    Ok((row.int(0)?, row.int(1)?))
}

/// The strand at the head of a resource's queue: it is locked while there is one.
///
/// # Errors
/// The engine's failure.
pub fn holder(tx: &mut dyn Tx, kind: Kind, id: Id) -> Result<Option<Id>> {
    tx.query_one(&LOCKED, &[kind.singular().into(), id.into()])?.map(|r| r.int(0)).transpose()
}

/// Claims strands that are due, at most [`CLAIM_MAX`]. The row already holds the time of the retry.
///
/// # Errors
/// The engine's failure.
pub fn claim(tx: &mut dyn Tx) -> Result<Vec<Strand>> {
    let (now, real_now) = (tx.facts().now, tx.facts().real_now);
    let params =
        [real_now.plus_ms(LEASE_MS).into(), now.into(), real_now.into(), real_now.plus_ms(RETRY_AHEAD_MS_MAX).into()];
    let mut strands: Vec<Strand> = tx.query(&CLAIM, &params)?.iter().map(strand).collect::<Result<_>>()?;
    strands.sort_by_key(|s| s.id);
    Ok(strands)
}

/// A strand by its id.
///
/// # Errors
/// The engine's failure.
pub fn get(tx: &mut dyn Tx, id: Id) -> Result<Option<Strand>> {
    tx.query_one(&GET, &[id.into()])?.as_ref().map(strand).transpose()
}

/// A strand whose lease is still this one, and whether others are ahead of it; none when the lease is lost.
///
/// # Errors
/// The engine's failure.
pub fn get_claimed(tx: &mut dyn Tx, id: Id, lease: i64) -> Result<Option<(Strand, bool)>> {
    let row = tx.query_one(&GET_FIRST, &[id.into(), lease.into()])?;
    row.map(|r| Ok((strand(&r)?, r.int(12)? > 0))).transpose()
}

/// Puts a claimed strand to sleep at a step, until `wake_at` unless it was woken meanwhile. False when the lease is lost.
///
/// # Errors
/// The engine's failure.
pub fn sleep(tx: &mut dyn Tx, claimed: &Strand, wake_at: Timestamp) -> Result<bool> {
    let params = [
        (&claimed.step).into(),
        (&claimed.frame).into(),
        claimed.wakes.into(),
        wake_at.into(),
        claimed.deadline.into(),
        claimed.id.into(),
        claimed.lease.into(),
    ];
    Ok(tx.execute(&SLEEP, &params)? == 1)
}

/// Lets a claimed strand that failed try again at `retry_at` (real time, at most [`LEASE_MS`] ahead), and counts `failures`
/// against it.
///
/// # Errors
/// The engine's failure.
pub fn back_off(tx: &mut dyn Tx, claimed: &Strand, retry_at: Timestamp, failures: i64) -> Result<()> {
    let retry_at = retry_at.min(tx.facts().real_now.plus_ms(LEASE_MS));
    tx.execute(&BACK_OFF, &[retry_at.into(), failures.into(), claimed.id.into(), claimed.lease.into()]).map(|_| ())
}

/// Wakes a strand.
///
/// # Errors
/// The engine's failure.
pub fn wake(tx: &mut dyn Tx, id: Id) -> Result<()> {
    let now = tx.now();
    tx.execute(&WAKE, &[now.into(), now.into(), id.into()])?;
    tx.signal(Signal::StrandsDue);
    Ok(())
}

/// Moves the time at which a strand without locks wakes; one that runs just now looks again before it sleeps. False when
/// it is gone.
///
/// # Errors
/// The engine's failure.
pub fn reschedule(tx: &mut dyn Tx, id: Id, wake_at: Timestamp) -> Result<bool> {
    let found = tx.execute(&RESCHEDULE, &[wake_at.into(), id.into()])? == 1;
    if found {
        tx.signal(Signal::StrandsDue);
    }
    Ok(found)
}

/// Removes a strand without locks and without an action that nobody needs any more. One that runs just now is woken
/// instead, and has to end itself.
///
/// # Errors
/// The engine's failure.
pub fn dismiss(tx: &mut dyn Tx, id: Id) -> Result<()> {
    if tx.execute(&REMOVE_IDLE, &[id.into()])? == 0 {
        wake(tx, id)?;
    }
    Ok(())
}

/// Wakes every strand that waits for world time to pass: for a clock in which work takes no time any more.
///
/// # Errors
/// The engine's failure.
pub fn wake_all(tx: &mut dyn Tx) -> Result<()> {
    let now = tx.now();
    tx.execute(&WAKE_ALL, &[now.into(), now.into()])?;
    tx.signal(Signal::StrandsDue);
    Ok(())
}

/// Removes an ended strand, gives its resources to the next in line, and returns what was unlocked.
/// `None` when the lease is lost.
///
/// # Errors
/// The engine's failure.
pub fn end(tx: &mut dyn Tx, claimed: &Strand) -> Result<Option<Vec<Target>>> {
    let mut unlocked = Vec::new();
    for row in tx.query(&LOCK_RELEASE, &[claimed.id.into()])? {
        let kind = Kind::from_singular(row.text(0)?).ok_or_else(|| Error::internal("a lock on an unknown kind"))?;
        unlocked.push(Target::new(kind, row.int(1)?));
    }
    if tx.execute(&DELETE, &[claimed.id.into(), claimed.lease.into()])? == 0 {
        return Ok(None);
    }
    for target in &unlocked {
        if let Some(next) = holder(tx, target.kind, target.id)?
            && !is_blocked(tx, next)?
        {
            wake(tx, next)?;
        }
    }
    Ok(Some(unlocked))
}

/// Whether another strand is ahead of it in any of its queues.
///
/// # Errors
/// The engine's failure.
pub fn is_blocked(tx: &mut dyn Tx, id: Id) -> Result<bool> {
    tx.query_one(&AHEAD, &[id.into()])?.map_or(Ok(false), |r| Ok(r.int(0)? > 0))
}

/// Ends all leases: only at the start of a process that is alone on the database.
///
/// # Errors
/// The engine's failure.
pub fn free_leases(tx: &mut dyn Tx) -> Result<u64> {
    tx.execute(&FREE_LEASES, &[])
}

/// Whether anything holds a lease: asked before [`free_leases`], because even an empty write is a synced commit.
///
/// # Errors
/// The engine's failure.
pub fn any_leased(tx: &mut dyn Tx) -> Result<bool> {
    let all = i64::MAX;
    tx.query_one(&NEXT_RETRY, &[all.into(), 0.into()])?.map_or(Ok(false), |r| Ok(r.opt_int(0)?.is_some()))
}

/// Whether any strand is claimed or backs off.
///
/// # Errors
/// The engine's failure.
pub fn is_leased(tx: &mut dyn Tx) -> Result<bool> {
    Ok(tx.query_one(&ANY_LEASE, &[])?.is_some())
}

/// When the next strand is due: world time of the next wake, real time of the next retry.
///
/// # Errors
/// The engine's failure.
pub fn next_due(tx: &mut dyn Tx) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    let (now, real_now) = (tx.facts().now, tx.facts().real_now);
    let wake = tx.query_one(&NEXT_WAKE, &[now.into()])?;
    let retry = tx.query_one(&NEXT_RETRY, &[now.into(), real_now.into()])?;
    let time = |row: Option<Row>| row.map_or(Ok(None), |r| Ok::<_, Error>(r.opt_int(0)?.map(Timestamp)));
    // As in [`claim`]: what is further away is not waited for.
    let retry = time(retry)?.map(|at| at.min(real_now.plus_ms(RETRY_AHEAD_MS_MAX)));
    Ok((time(wake)?, retry))
}

/// Whether a strand can be claimed.
///
/// # Errors
/// The engine's failure.
pub fn is_due(tx: &mut dyn Tx) -> Result<bool> {
    let (now, real_now) = (tx.facts().now, tx.facts().real_now);
    let params = [now.into(), real_now.into(), real_now.plus_ms(RETRY_AHEAD_MS_MAX).into()];
    Ok(tx.query_one(&ANY_DUE, &params)?.is_some())
}

/// Whether anything is to be done at this point in world time: due, claimed, or backing off.
///
/// # Errors
/// The engine's failure.
pub fn is_any_ready(tx: &mut dyn Tx) -> Result<bool> {
    let now = tx.now();
    Ok(tx.query_one(&ANY_READY, &[now.into()])?.is_some())
}

/// Whether a strand has not ended and is not asleep until a point in world time: it will go on by itself.
///
/// # Errors
/// The engine's failure.
pub fn is_moving(tx: &mut dyn Tx, id: Id) -> Result<bool> {
    let now = tx.now();
    let row = tx.query_one(&MOVING, &[id.into(), now.into()])?;
    Ok(row.is_some())
}

/// A line about a strand, for operators and invariants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub id: Id,
    /// Which program it runs.
    pub kind: String,
    /// The step to run next.
    pub step: String,
    /// When it wants to run (world time).
    pub wake_at: Timestamp,
    /// When its wait fails (world time).
    pub deadline: Timestamp,
}

/// The first ten thousand strands.
///
/// # Errors
/// The engine's failure.
pub fn all(tx: &mut dyn Tx) -> Result<Vec<Summary>> {
    let rows = tx.query(&ALL, &[])?;
    rows.iter()
        .map(|r| {
            Ok(Summary {
                id: r.int(0)?,
                kind: r.text(1)?.to_owned(),
                step: r.text(2)?.to_owned(),
                wake_at: r.time(3)?,
                deadline: r.time(4)?,
            })
        })
        .collect()
}

/// The first ten thousand locks: (kind's singular, resource, strand).
///
/// # Errors
/// The engine's failure.
pub fn locks(tx: &mut dyn Tx) -> Result<Vec<(String, Id, Id)>> {
    tx.query(&LOCKS, &[])?.iter().map(|r| Ok((r.text(0)?.to_owned(), r.int(1)?, r.int(2)?))).collect()
}
