//! The end of a project that holds something: a strand that empties it.
//!
//! What goes, goes by the rules of its own kind; in an order in which nothing that goes is in use any more. Protection guards
//! against clients, and not against the operator. While a project ends its tokens lead nowhere, so little is made in it;
//! what was on its way is found by looking again until nothing is left.
//!
//! **Invariants:** a project has a row in `project_end` exactly while this strand is there. The strand of a server that goes
//! wakes it ([`wake`]).

use crate::core::Core;
use crate::{
    certificate, firewall, floating_ip, image, load_balancer, network, placement_group, primary_ip, server, ssh_key,
    storage_box, volume, zone,
};
use serde::{Deserialize, Serialize};
use wolke_domain::{Error, Result};
use wolke_store::strand::NewStrand;
use wolke_store::{Race, Tx, project, strand};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::{Id, Kind, Timestamp};

/// The program.
pub(crate) static PROGRAM: Program<Core> =
    Program { kind: "delete_project", steps: &[("empty", empty), ("give_up", give_up)], abort: "give_up" };

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

/// How many resources one step removes, and how many servers are on their way out at a time.
const BATCH: i64 = 100;

/// World time after which servers that could not be removed are asked to go again, in milliseconds.
const RETRY_MS: i64 = 60_000;

/// World time that nothing may go before a project stays after all, in milliseconds: a day.
const GIVE_UP_MS: i64 = 24 * 60 * 60 * 1_000;

#[derive(Serialize, Deserialize)]
struct Variables {
    /// When servers that are still there, and that nobody removes, are asked again.
    again: Timestamp,
}

/// Marks the project and starts the strand.
pub(super) fn begin(tx: &mut dyn Tx, project: Id) -> Result<()> {
    let new = NewStrand {
        kind: PROGRAM.kind,
        project,
        scope: vec![Race::Project(project), Race::Addresses, Race::VolumeSpace, Race::Database],
        step: "empty",
        frame: Frame::initial(&Variables { again: tx.now() }, Vec::new())?,
        action: None,
        locks: Vec::new(),
        always: true,
    };
    let strand = strand::insert(tx, &new)?;
    project::end(tx, project, strand)
}

/// Work in a project has ended: who waits for it looks again.
pub(crate) fn wake(tx: &mut dyn Tx, project: Id) -> Result<()> {
    match project::ending(tx, project)? {
        Some(strand) => strand::wake(tx, strand),
        None => Ok(()),
    }
}

/// Removes what is first in the order, and comes back until there is nothing.
fn empty(tx: &mut dyn Tx, _: &Core, frame: &mut Frame) -> Result<Flow> {
    let project = frame.project;
    for kind in ORDER {
        let ids = project::held(tx, project, kind, BATCH)?;
        if ids.is_empty() {
            continue;
        }
        if kind == Kind::Server {
            return servers(tx, frame, &ids);
        }
        let mut busy = false;
        for id in ids {
            busy |= !remove(tx, project, kind, id)?;
        }
        return Ok(if busy { wait(tx) } else { Flow::Next("empty") });
    }
    if project::has_other_strands(tx, project, frame.strand)? {
        return Ok(wait(tx));
    }
    if project::by_id(tx, project)?.is_some() {
        project::delete(tx, project)?;
    }
    Ok(Flow::Done)
}

/// Has servers removed, and waits for it.
fn servers(tx: &mut dyn Tx, frame: &mut Frame, ids: &[Id]) -> Result<Flow> {
    let Variables { again } = frame.read()?;
    let all = tx.now() >= again;
    let mut asked = false;
    for id in ids {
        asked |= server::end(tx, frame.project, *id, all)?;
    }
    if asked && all {
        frame.write(&Variables { again: tx.now().plus_ms(RETRY_MS) })?;
    }
    Ok(wait(tx))
}

/// Until somebody wakes us, or it is time to ask again.
fn wait(tx: &mut dyn Tx) -> Flow {
    let now = tx.now();
    Flow::Wait { step: "empty", until: now.plus_ms(RETRY_MS), deadline: now.plus_ms(GIVE_UP_MS), promised: true }
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
