//! Starting a machine again after it was worked on: the same steps at the end of a rebuild and of a change of type.

use super::{doomed_failure, make, power, relocate};
use crate::core::Core;
use crate::hosts;
use wolke_domain::Result;
use wolke_host::{ObjectKey, Power};
use wolke_store::Tx;
use wolke_strand::Flow;
use wolke_wire::Id;

/// Tells the host, in a program's step `start`; waits go on at its step `started`. With the generation that is waited for, where
/// the host was told. A machine without any interface cannot run: what was done to it is done.
pub(super) fn start(tx: &mut dyn Tx, core: &Core, id: Id) -> Result<(Option<i64>, Flow)> {
    if let Err(failure) = power::subject(tx, id)? {
        return Ok((None, Flow::Fail(failure)));
    }
    if !power::has_interface(tx, id)? {
        return Ok((None, Flow::Done));
    }
    if let Some(flow) = relocate::before_start(tx, core, id, "start")? {
        return Ok((None, flow));
    }
    // A move may just have changed its host.
    let (server, on) = match power::subject(tx, id)? {
        Ok(found) => found,
        Err(failure) => return Ok((None, Flow::Fail(failure))),
    };
    let Some((generation, look)) = make::switch(tx, core, on, id, Power::On)? else {
        return Ok((None, Flow::Fail(doomed_failure())));
    };
    let waits = power::watch_start(tx, core, (&server, on), (generation, "started"), &look)?;
    Ok((Some(generation), waits.unwrap_or(Flow::Done)))
}

/// Looks whether it runs: a program's step `started`.
pub(super) fn started(tx: &mut dyn Tx, core: &Core, (id, generation): (Id, i64)) -> Result<Flow> {
    let (server, on) = match power::subject(tx, id)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let look = hosts::look(tx, core, on, ObjectKey::server(id), None)?;
    let waits = power::watch_start(tx, core, (&server, on), (generation, "started"), &look)?;
    Ok(waits.unwrap_or(Flow::Done))
}
