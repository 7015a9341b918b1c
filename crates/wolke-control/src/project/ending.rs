//! The end of a project that holds something: a strand that empties it.
//!
//! What goes, goes by the rules of its own kind; in an order in which nothing that goes is in use any more. Protection guards
//! against clients, and not against the operator. While a project ends its tokens lead nowhere, so little is made in it;
//! what was on its way is found by looking again until nothing is left.
//!
//! **Invariants:** a project has a row in `project_end` exactly while this strand is there. The strand of a server that goes
//! wakes it ([`wake`]). One transaction removes one batch of one kind ([`batch`]), however large the project is.

use crate::core::Core;
use crate::{
    certificate, firewall, floating_ip, image, load_balancer, network, placement_group, primary_ip, server, ssh_key,
    storage_box, volume, zone,
};
use serde::{Deserialize, Serialize};
use wolke_domain::{Error, Result};
use wolke_store::strand::NewStrand;
use wolke_store::{Race, Tx, project, resource, strand};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::{Id, Kind, Timestamp};

/// The program. `empty` and `go_on` do the same: see [`Step`].
pub(crate) static PROGRAM: Program<Core> = Program {
    kind: "delete_project",
    steps: &[("empty", empty), ("go_on", go_on), ("give_up", give_up)],
    abort: "give_up",
};

/// The kinds that a project may hold, in the order in which they go.
const ORDER: [Kind; 13] = [
    Kind::LoadBalancer,
    Kind::Server,
    Kind::Volume,
    Kind::Firewall,
    Kind::FloatingIp,
    Kind::PrimaryIp,
    Kind::Network,
    Kind::PlacementGroup,
    Kind::Image,
    Kind::SshKey,
    Kind::Certificate,
    Kind::Zone,
    Kind::StorageBox,
];

/// How many resources one transaction removes, or has removed.
const BATCH: i64 = 100;

/// How many it removes of kinds whose resources have many rows of their own: targets, snapshots, further accounts.
const BATCH_OF_LARGE: i64 = 10;

/// World time after which the next servers are asked to go, although not all that were asked before are gone; and after which
/// what could not be removed is tried again. In milliseconds.
const RETRY_MS: i64 = 60_000;

/// World time in which nothing goes before a project stays after all, in milliseconds: a day.
const GIVE_UP_MS: i64 = 24 * 60 * 60 * 1_000;

/// How many resources of a kind one transaction removes.
const fn batch(kind: Kind) -> i64 {
    match kind {
        // Thousands of record sets.
        Kind::Zone => 1,
        Kind::LoadBalancer | Kind::StorageBox => BATCH_OF_LARGE,
        _ => BATCH,
    }
}

/// How far the servers are.
#[derive(Serialize, Deserialize)]
struct Variables {
    /// When the next are asked to go, whatever became of those before.
    again: Timestamp,
    /// The last that was asked: whoever does not go must not keep others from being asked.
    after: Id,
    /// How many are left once all that were asked last are gone: then the next are asked at once.
    left: i64,
    /// How many there were at the last look.
    seen: i64,
}

/// The name under which a step runs, and that of its twin. A wait at one name keeps the deadline of the first: so waits after
/// progress take turns, and a deadline counts only time in which nothing has gone.
type Step = [&'static str; 2];

/// Marks the project and starts the strand, which it returns.
pub(super) fn begin(tx: &mut dyn Tx, project: Id) -> Result<Id> {
    let new = NewStrand {
        kind: PROGRAM.kind,
        project,
        scope: vec![Race::Project(project), Race::Addresses, Race::VolumeSpace, Race::Database],
        step: "empty",
        frame: Frame::initial(&Variables { again: tx.now(), after: 0, left: 0, seen: 0 }, Vec::new())?,
        action: None,
        locks: Vec::new(),
        always: true,
    };
    let strand = strand::insert(tx, &new)?;
    project::end(tx, project, strand)?;
    Ok(strand)
}

/// Work in a project has ended: who waits for it looks again.
pub(crate) fn wake(tx: &mut dyn Tx, project: Id) -> Result<()> {
    match project::ending(tx, project)? {
        Some(strand) => strand::wake(tx, strand),
        None => Ok(()),
    }
}

fn empty(tx: &mut dyn Tx, _: &Core, frame: &mut Frame) -> Result<Flow> {
    look(tx, frame, ["empty", "go_on"])
}

fn go_on(tx: &mut dyn Tx, _: &Core, frame: &mut Frame) -> Result<Flow> {
    look(tx, frame, ["go_on", "empty"])
}

/// Removes a batch of what is first in the order, and comes back until there is nothing.
fn look(tx: &mut dyn Tx, frame: &mut Frame, [here, twin]: Step) -> Result<Flow> {
    let project = frame.project;
    for kind in ORDER {
        let ids = project::held(tx, project, kind, 0, batch(kind))?;
        if ids.is_empty() {
            continue;
        }
        if kind == Kind::Server {
            return servers(tx, frame, [here, twin]);
        }
        let mut gone = false;
        for id in ids {
            gone |= remove(tx, project, kind, id)?;
        }
        return Ok(if gone { at_once(tx, twin) } else { wait(tx, here) });
    }
    if project::has_other_strands(tx, project, frame.strand)? {
        return Ok(wait(tx, here));
    }
    if project::by_id(tx, project)?.is_some() {
        project::delete(tx, project)?;
    }
    Ok(Flow::Done)
}

/// Has servers removed, batch by batch and round after round, and waits for it.
fn servers(tx: &mut dyn Tx, frame: &mut Frame, [here, twin]: Step) -> Result<Flow> {
    let mut round: Variables = frame.read()?;
    let there = resource::count(tx, Kind::Server, frame.project)?;
    if there <= round.left || tx.now() >= round.again {
        let mut next = project::held(tx, frame.project, Kind::Server, round.after, BATCH)?;
        if next.is_empty() {
            next = project::held(tx, frame.project, Kind::Server, 0, BATCH)?;
        }
        for id in &next {
            server::end(tx, frame.project, *id)?;
        }
        round.after = next.last().copied().unwrap_or_default();
        round.left = there - next.len() as i64;
        round.again = tx.now().plus_ms(RETRY_MS);
    }
    let gone = there < round.seen;
    round.seen = there;
    frame.write(&round)?;
    Ok(wait(tx, if gone { twin } else { here }))
}

/// Until somebody wakes us, or it is time to try again.
fn wait(tx: &mut dyn Tx, step: &'static str) -> Flow {
    let now = tx.now();
    Flow::Wait { step, until: now.plus_ms(RETRY_MS), deadline: now.plus_ms(GIVE_UP_MS), promised: true }
}

/// The rest is for the next transaction.
fn at_once(tx: &mut dyn Tx, step: &'static str) -> Flow {
    let now = tx.now();
    Flow::Wait { step, until: now, deadline: now.plus_ms(GIVE_UP_MS), promised: true }
}

/// Removes a resource; false when it is being worked on.
fn remove(tx: &mut dyn Tx, project: Id, kind: Kind, id: Id) -> Result<bool> {
    match kind {
        Kind::LoadBalancer => load_balancer::remove(tx, project, id),
        Kind::Volume => volume::remove(tx, project, id),
        Kind::Firewall => firewall::remove(tx, project, id),
        Kind::FloatingIp => floating_ip::remove(tx, project, id),
        Kind::PrimaryIp => primary_ip::remove(tx, project, id),
        Kind::Network => network::remove(tx, project, id),
        Kind::PlacementGroup => placement_group::remove(tx, project, id),
        Kind::Image => return image::end(tx, project, id),
        Kind::SshKey => ssh_key::remove(tx, project, id),
        Kind::Certificate => certificate::remove(tx, project, id),
        Kind::Zone => zone::remove(tx, project, id),
        Kind::StorageBox => storage_box::remove(tx, project, id),
        other => Err(Error::internal(format!("a project does not hold a {}", other.label()))),
    }
    .map(|()| true)
}

/// Something is broken: what is left stays, and the operator can ask again.
fn give_up(tx: &mut dyn Tx, _: &Core, frame: &mut Frame) -> Result<Flow> {
    tracing::warn!(project = frame.project, reason = ?frame.failure, "a project could not be emptied");
    project::stay(tx, frame.project)?;
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests {
    use super::ORDER;
    use wolke_domain::limit::LIMITS;

    #[test]
    fn whatever_a_project_may_hold_goes() {
        for (kind, name, _) in LIMITS {
            assert!(ORDER.contains(&kind), "{name}: a project with one would never be empty");
        }
    }
}
