//! Work on servers that was accepted and has not ended.

use super::has_interface;
use crate::model::{Project, Slot};
use wolke_domain::{Error, Result};
use wolke_wire::Id;

/// Work that was accepted and has not ended: first come, first served.
#[derive(Clone, Debug)]
pub struct Work {
    pub kind: Task,
    pub action: Id,
    /// Whether strands have moved while the server had an interface, and while it had none: it needs one to start.
    pub interface: (bool, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Create,
    Start,
    Stop,
    Delete,
}

/// Strands have moved: who can be started now could have been started then.
pub fn note_interfaces(project: &mut Project) {
    let slots: Vec<Slot> = project.servers.keys().copied().collect();
    for slot in slots {
        let has = has_interface(project, slot);
        for work in &mut project.servers.get_mut(&slot).unwrap().work {
            work.interface = (work.interface.0 || has, work.interface.1 || !has);
        }
    }
}

/// Work begins whose action is not known yet.
pub fn begin(project: &mut Project, slot: Slot, kind: Task) {
    let interface = (false, false);
    project.servers.get_mut(&slot).unwrap().work.push(Work { kind, action: 0, interface });
}

/// Where a server settles once this work has ended.
pub fn ended(work: &Work, status: &str, before: &'static str, doomed: bool) -> Result<&'static str> {
    let can_succeed = work.kind != Task::Start || work.interface.0;
    let can_fail = doomed || (work.kind == Task::Start && work.interface.1);
    match (work.kind, status) {
        (Task::Delete, _) => {
            Err(Error::internal(format!("the delete has ended with {status}, and the server is still there")))
        }
        (_, "error") if can_fail => Ok(before),
        (Task::Start, "success") if can_succeed => Ok("running"),
        (Task::Create | Task::Stop, "success") => Ok("off"),
        _ => Err(Error::internal(format!("{work:?} has ended with {status}"))),
    }
}
