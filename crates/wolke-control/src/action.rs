//! Actions: making them together with the work that they show. How operations do their work: `action/act.rs`.

mod act;
mod hold;

use crate::control::{Caller, Control};
use crate::core::Core;
use crate::view::Json;
pub(crate) use act::Acts;
pub(crate) use hold::PROGRAM as HOLD;
use wolke_domain::action::{Action, Status, Target};
use wolke_domain::catalogue::Catalogue;
use wolke_domain::image::is_own;
use wolke_domain::{Error, Result, contention};
use wolke_store::strand::NewStrand;
use wolke_store::{
    Counter, Scope, Tx, action, certificate, firewall, floating_ip, image, load_balancer, network, placement_group,
    primary_ip, server, ssh_key, storage_box, strand, volume, zone,
};
use wolke_strand::{Frame, Program};
use wolke_wire::cloud::action as wire;
use wolke_wire::{Id, Kind};

/// What an operation that takes time has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// The action to show.
    pub action: Id,
    /// The strand that does the work; none when it is done already.
    pub strand: Option<Id>,
}

/// An action as the contract shows it.
pub(crate) fn to_wire(action: &Action) -> wire::Action {
    wire::Action {
        id: action.id,
        command: action.command.clone(),
        status: match action.status {
            Status::Running => wire::ActionStatus::Running,
            Status::Success => wire::ActionStatus::Success,
            Status::Error => wire::ActionStatus::Error,
        },
        progress: u8::try_from(action.progress).unwrap_or(100),
        started: action.started,
        finished: action.finished,
        resources: action.resources.iter().map(|t| wire::ActionResource { id: t.id, kind: t.kind }).collect(),
        error: action.failure.as_ref().map(|failure| wolke_wire::cloud::error::ActionError {
            code: failure.code.to_string(),
            message: failure.message.clone(),
        }),
    }
}

/// Inserts a running action.
pub(crate) fn begin(tx: &mut dyn Tx, project: Id, command: &str, resources: Vec<Target>) -> Result<Id> {
    insert(tx, project, command, resources, Status::Running)
}

/// Inserts an action whose work was done in this transaction. It may be held ([`hold`]).
pub(crate) fn done(tx: &mut dyn Tx, project: Id, command: &str, resources: Vec<Target>) -> Result<Started> {
    let action = insert(tx, project, command, resources, Status::Success)?;
    Ok(Started { action, strand: None })
}

fn insert(tx: &mut dyn Tx, project: Id, command: &str, resources: Vec<Target>, status: Status) -> Result<Id> {
    let now = tx.now().whole_second();
    let ended = status != Status::Running;
    let action = Action {
        id: tx.next_id(Counter::Kind(Kind::Action))?,
        project,
        command: command.to_owned(),
        status,
        progress: if ended { 100 } else { 0 },
        started: now,
        finished: ended.then_some(now),
        failure: None,
        resources,
    };
    action::insert(tx, &action)?;
    Ok(action.id)
}

/// Work to be done by a strand.
pub(crate) struct Work<'a, V> {
    pub program: &'static Program<Core>,
    pub step: &'static str,
    pub project: Id,
    pub scope: Scope,
    pub action: Id,
    pub also: Vec<Id>,
    pub locks: Vec<Target>,
    /// Whether it may wait even where the queue is full.
    pub always: bool,
    pub variables: &'a V,
}

/// Starts a strand behind whoever works on the same resources. They become `locked`, which they show: what was not
/// inserted or updated in the same transaction must be touched by the caller.
pub(crate) fn start<V: serde::Serialize>(tx: &mut dyn Tx, work: Work<'_, V>) -> Result<Id> {
    let new = NewStrand {
        kind: work.program.kind,
        project: work.project,
        scope: work.scope,
        step: work.step,
        frame: Frame::initial(work.variables, work.also)?,
        action: Some(work.action),
        locks: work.locks,
        always: work.always,
    };
    strand::insert(tx, &new)
}

/// Refuses when contention is refused and somebody works on the resource.
pub(crate) fn check_contention(tx: &mut dyn Tx, refuse: bool, target: Target) -> Result<()> {
    if refuse && strand::holder(tx, target.kind, target.id)?.is_some() {
        return Err(Error::locked(target.kind));
    }
    Ok(())
}

/// Refuses what may not wait its turn behind the work that is under way on a server ([`wolke_domain::contention`]), and any
/// work on a busy one where contention is refused.
pub(crate) fn admit(tx: &mut dyn Tx, refuse: bool, project: Id, target: Target, asked: &str) -> Result<()> {
    let Some(holder) = strand::holder(tx, target.kind, target.id)? else { return Ok(()) };
    let action = strand::get(tx, holder)?.and_then(|strand| strand.action);
    let running = match action {
        Some(action) => action::get(tx, project, action)?.map(|(_, running)| running.command),
        None => None,
    };
    if refuse || running.is_some_and(|running| contention::is_refused(&running, asked)) {
        return Err(Error::locked(target.kind));
    }
    Ok(())
}

/// The resource whose actions are asked for must be the caller's.
pub(crate) fn check_owner(tx: &mut dyn Tx, catalogue: &Catalogue, caller: &Caller, kind: Kind, id: Id) -> Result<()> {
    let project = caller.project;
    let exists = match kind {
        Kind::Server => server::get(tx, project, id)?.is_some(),
        Kind::PrimaryIp => primary_ip::get(tx, project, id)?
            .is_some_and(|found| !crate::primary_ip::is_hidden(&found.value, caller.dialect)),
        Kind::FloatingIp => floating_ip::get(tx, project, id)?.is_some(),
        Kind::PlacementGroup => placement_group::get(tx, project, id)?.is_some(),
        Kind::Network => network::get(tx, project, id)?.is_some(),
        Kind::LoadBalancer => load_balancer::get(tx, project, id)?.is_some(),
        Kind::SshKey => ssh_key::get(tx, project, id)?.is_some(),
        Kind::Volume => volume::get(tx, project, id)?.is_some(),
        Kind::Firewall => firewall::get(tx, project, id)?.is_some(),
        Kind::Certificate => certificate::get(tx, project, id)?.is_some(),
        Kind::StorageBox => storage_box::get(tx, project, id)?.is_some(),
        Kind::Zone => zone::get(tx, project, id)?.is_some(),
        Kind::Image if is_own(id) => image::get(tx, project, id)?.is_some(),
        Kind::Image => catalogue.image_by_id(id).is_some(),
        _ => false,
    };
    if exists { Ok(()) } else { Err(Error::not_found(kind, id)) }
}

impl Control {
    /// An action that works on a resource, as `{"action": {…}}`.
    ///
    /// # Errors
    /// `not_found`, for the resource or for the action.
    pub async fn get_action_of(&self, caller: &Caller, kind: Kind, resource: Option<Id>, action: Id) -> Result<Json> {
        let (owner, catalogue) = (*caller, self.core.catalogue());
        self.db
            .read(move |tx| {
                if let Some(resource) = resource {
                    check_owner(tx, &catalogue, &owner, kind, resource)?;
                }
                let found = match wolke_store::action::get(tx, owner.project, action)? {
                    None => false,
                    Some((_, found)) => {
                        found.resources.iter().any(|t| t.kind == kind && resource.is_none_or(|id| id == t.id))
                    }
                };
                if found { Ok(()) } else { Err(Error::not_found(Kind::Action, action)) }
            })
            .await?;
        self.get(caller, Kind::Action, action).await
    }

    /// Waits for the started work to settle, then shows the action as `{"action": {…}}`.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn show_started(&self, caller: &Caller, started: Started) -> Result<Json> {
        self.settle(started.strand.as_slice()).await;
        self.get(caller, Kind::Action, started.action).await
    }
}
