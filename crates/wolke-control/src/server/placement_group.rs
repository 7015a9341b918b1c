//! Which host carries a server, and how servers join and leave placement groups.
//!
//! Members of a group never run on one host. Whoever is placed or moved goes where no other member is. A server that joins
//! while it is off may stand beside another member; the next of the two that starts beside one that is not off moves
//! first (`relocate.rs`), or its start fails with `placement_error`.

use super::check_not_doomed;
use crate::action;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::view::Json;
use wolke_domain::action::{Failure, Target};
use wolke_domain::placement::{self, Need, SIMULATED_HOST};
use wolke_domain::server::{Server, Status};
use wolke_domain::{Error, Result, primary_ip as rules};
use wolke_store::host::{Candidates, HostKind};
use wolke_store::{Race, Tx, host, placement_group, server, strand};
use wolke_wire::{ErrorCode, Id, Kind};

/// Where a machine could go.
enum Room {
    On(Id),
    /// On a simulated host that is yet to be made.
    OnNewHost,
    Nowhere(Failure),
}

/// The hosts of the other members of a server's group.
fn taken(tx: &mut dyn Tx, server: &Server) -> Result<Vec<Id>> {
    let Some(group) = server.placement_group else { return Ok(Vec::new()) };
    let members = placement_group::members(tx, group)?;
    Ok(members.iter().filter(|member| member.server != server.id).filter_map(|member| member.host).collect())
}

fn room(tx: &mut dyn Tx, core: &Core, server: &Server, need: &Need) -> Result<Room> {
    let location = server.details.location;
    let taken = taken(tx, server)?;
    let Candidates { real, simulated } = host::candidates(tx, location, need)?;
    let is_real = match server.host {
        // A disk does not leave the real machine that it is on, nor does a simulated one become real.
        Some(on) if real.iter().any(|room| room.host == on) => return Ok(nowhere(&taken)),
        Some(_) => false,
        None => !real.is_empty(),
    };
    let rooms = if is_real { real } else { simulated };
    if let Some(found) = placement::choose(&rooms, need, &taken) {
        return Ok(Room::On(found));
    }
    let makes_another = !is_real
        && need.fits(&SIMULATED_HOST)
        && host::count_in(tx, location, HostKind::Simulated)? < i64::from(core.simulation().hosts_per_location);
    Ok(if makes_another { Room::OnNewHost } else { nowhere(&taken) })
}

/// There is no room; `taken` are the hosts of the other members of the server's group.
fn nowhere(taken: &[Id]) -> Room {
    Room::Nowhere(if taken.is_empty() {
        Failure::new(ErrorCode::ResourceUnavailable, "no host has room for the server")
    } else {
        let message = "no host has room for the server apart from the other members of its placement group";
        Failure::new(ErrorCode::PlacementError, message)
    })
}

/// A host with room for a server, apart from the other members of its group. A simulated location makes hosts on demand, up
/// to the simulation's limit; in a real one there are those that run. Room is not taken yet.
///
/// The inner failure is what the action shows: `placement_error` when the group is in the way, else `resource_unavailable`.
pub(super) fn host_for(
    tx: &mut dyn Tx,
    core: &Core,
    server: &Server,
    need: &Need,
) -> Result<std::result::Result<Id, Failure>> {
    match room(tx, core, server, need)? {
        Room::On(found) => Ok(Ok(found)),
        Room::OnNewHost => host::insert(tx, server.details.location, HostKind::Simulated, &SIMULATED_HOST).map(Ok),
        Room::Nowhere(failure) => Ok(Err(failure)),
    }
}

/// Whether a server that is off must move before it starts: another member that is not off has its host.
pub(super) fn is_beside_member(tx: &mut dyn Tx, server: &Server) -> Result<bool> {
    let (Some(group), Some(on)) = (server.placement_group, server.host) else { return Ok(false) };
    let members = placement_group::members(tx, group)?;
    for member in members.iter().filter(|member| member.server != server.id && member.host == Some(on)) {
        if server::by_id(tx, member.server)?.is_some_and(|other| other.value.status != Status::Off) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The group that a new server shall join.
///
/// # Errors
/// `not_found`; `resource_limit_exceeded` when it is full.
pub(super) fn check_joins(tx: &mut dyn Tx, project: Id, group: Option<Id>) -> Result<()> {
    let Some(group) = group else { return Ok(()) };
    placement_group::expect(tx, project, group)?;
    placement::check_members(placement_group::members(tx, group)?.len())
}

/// Refuses a new member of a group for which there is no room already now: later it is the action that fails.
///
/// # Errors
/// `placement_error`.
pub(super) fn check_placeable(tx: &mut dyn Tx, core: &Core, server: &Server, need: &Need) -> Result<()> {
    let Some(group) = server.placement_group else { return Ok(()) };
    placement_group::touch(tx, group)?;
    match room(tx, core, server, need)? {
        Room::Nowhere(Failure { code: ErrorCode::PlacementError, message }) => {
            Err(Error::refused(ErrorCode::PlacementError, message))
        }
        _ => Ok(()),
    }
}

impl Control {
    /// Makes a server that is off a member of a group.
    ///
    /// # Errors
    /// `not_found` for either; `invalid_input` when it is in a group already (the documents have no code for it);
    /// `server_not_stopped`, `locked`; `resource_limit_exceeded` when the group is full.
    pub async fn add_to_placement_group(&self, caller: &Caller, id: Id, group: Id) -> Result<Json> {
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = server::expect(tx, project, id)?;
                placement_group::expect(tx, project, group)?;
                if old.value.placement_group.is_some() {
                    return Err(Error::invalid("placement_group", "the server is already in a placement group"));
                }
                rules::check_stopped(&old.value, strand::holder(tx, Kind::Server, id)?.is_some())?;
                placement::check_members(placement_group::members(tx, group)?.len())?;
                let mut new = old.value.clone();
                new.placement_group = Some(group);
                server::update(tx, &old, &new)?;
                placement_group::touch(tx, group)?;
                action::done(tx, project, "add_to_placement_group", targets(id, Some(group)))
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Takes a server, running or not, out of its group. Without a group it is done at once, as detaching an ISO without
    /// one is (dialects D.1).
    ///
    /// # Errors
    /// `not_found`; `locked` when the server is being deleted or contention is refused.
    pub async fn remove_from_placement_group(&self, caller: &Caller, id: Id) -> Result<Json> {
        let (project, refuse) = (caller.project, self.options.refuse_contention);
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = server::expect(tx, project, id)?;
                check_not_doomed(&old.value)?;
                action::check_contention(tx, refuse, Target::new(Kind::Server, id))?;
                let group = old.value.placement_group;
                if let Some(group) = group {
                    let mut new = old.value.clone();
                    new.placement_group = None;
                    server::update(tx, &old, &new)?;
                    placement_group::touch(tx, group)?;
                }
                action::done(tx, project, "remove_from_placement_group", targets(id, group))
            })
            .await?;
        self.show_started(caller, started).await
    }
}

fn targets(server: Id, group: Option<Id>) -> Vec<Target> {
    let group = group.map(|group| Target::new(Kind::PlacementGroup, group));
    std::iter::once(Target::new(Kind::Server, server)).chain(group).collect()
}
