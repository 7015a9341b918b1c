//! Attaching volumes to servers and taking them off (fact sheet §3.4): by request, with a new server, and when one goes.
//!
//! **Invariant:** a volume that has a server has an [`Attachment`], and the other way round.

use super::targets;
use crate::action::{self, Started};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::real;
use crate::server::check_not_doomed;
use crate::view::Json;
use std::collections::BTreeSet;
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::server::Server;
use wolke_domain::volume::{self as rules, Attachment, Wish};
use wolke_domain::{FieldError, Result};
use wolke_store::{Race, Stored, Tx, resource, server, volume};
use wolke_wire::cloud::volume as wire;
use wolke_wire::{Id, Kind};

/// What real servers cannot have yet.
pub(super) const WHAT: &str = "a volume";

/// A server of the project that can be given a volume, or lose one, now.
///
/// # Errors
/// `not_found`; `locked` when it is being deleted, or is worked on where contention is refused; `unsupported_error` on a real
/// host.
pub(super) fn check_server(tx: &mut dyn Tx, core: &Core, refuse: bool, (project, id): (Id, Id)) -> Result<Server> {
    let server = server::expect(tx, project, id)?.value;
    check_not_doomed(&server)?;
    action::check_contention(tx, refuse, Target::new(Kind::Server, id))?;
    real::check_simulated(core, &server, WHAT)?;
    Ok(server)
}

/// Attaches a volume to a server that was checked; `field` of the request names one of the two.
///
/// # Errors
/// `not_found`, and what [`rules::check_attach`] refuses.
pub(super) fn attach(tx: &mut dyn Tx, (server, field): (&Server, &str), id: Id, automount: bool) -> Result<Started> {
    let old = volume::expect(tx, server.project, id)?;
    rules::check_attach(&Wish {
        volume: id,
        has: old.value.server,
        location: old.value.location,
        server_location: server.details.location,
        attached: volume::ids_of_server(tx, server.id)?.len(),
        field,
    })?;
    let attachment = Attachment::new(tx.now(), automount, server.details.rebuild_epoch);
    put(tx, &old, Some((server.id, attachment)))?;
    action::done(tx, server.project, "attach_volume", targets(Some(server.id), id))
}

/// Writes who has a volume; both ends show it.
fn put(tx: &mut dyn Tx, old: &Stored<volume::Volume>, at: Option<(Id, Attachment)>) -> Result<()> {
    let mut new = old.value.clone();
    new.server = at.map(|(server, _)| server);
    new.details.attachment = at.map(|(_, attachment)| attachment);
    volume::update(tx, old, &new)?;
    let ends = [old.value.server, new.server];
    ends.into_iter().flatten().try_for_each(|server| resource::touch(tx, Kind::Server, server))
}

/// What is wrong with the ids of volumes that a new server names.
pub(crate) fn wrong_ids(ids: &[Id]) -> Vec<FieldError> {
    let mut seen = BTreeSet::new();
    let again = ids.iter().enumerate().filter(|(_, id)| !seen.insert(**id));
    again.map(|(position, _)| FieldError::new(format!("volumes[{position}]"), "is named twice")).collect()
}

/// Attaches volumes to a new server; returns the actions that show it.
///
/// # Errors
/// As [`attach`], and `unsupported_error` where the server will be real.
pub(crate) fn attach_to_new(
    tx: &mut dyn Tx,
    core: &Core,
    server: &Server,
    ids: &[Id],
    automount: bool,
) -> Result<Vec<Id>> {
    if !ids.is_empty() {
        real::check_simulated(core, server, WHAT)?;
    }
    let mut actions = Vec::with_capacity(ids.len());
    for (position, id) in ids.iter().enumerate() {
        let field = format!("volumes[{position}]");
        actions.push(attach(tx, (server, &field), *id, automount)?.action);
    }
    Ok(actions)
}

/// Takes the volumes off a server that goes: they stay, free.
///
/// # Errors
/// The engine's failure.
pub(crate) fn release_of_server(tx: &mut dyn Tx, server: Id) -> Result<()> {
    let all = volume::of_server(tx, server)?;
    all.iter().try_for_each(|old| put(tx, old, None))
}

impl Control {
    /// Attaches a free volume to a server of its location, running or not.
    ///
    /// # Errors
    /// `not_found` for either; `locked`; `volume_already_attached`; `invalid_input` for a server of another location;
    /// `limit_exceeded_error`; `unsupported_error` on a real host.
    pub async fn attach_volume(&self, caller: &Caller, id: Id, request: wire::AttachVolume) -> Result<Json> {
        let (core, project, refuse) = (Arc::clone(&self.core), caller.project, self.options.refuse_contention);
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                volume::expect(tx, project, id)?;
                let server = check_server(tx, &core, refuse, (project, request.server))?;
                attach(tx, (&server, "server"), id, request.automount)
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Takes a volume off its server. A free one is done at once: the documents have no code for it, and detaching an ISO
    /// without one is answered so, too (dialects D.1).
    ///
    /// # Errors
    /// `not_found`; `locked`.
    pub async fn detach_volume(&self, caller: &Caller, id: Id) -> Result<Json> {
        let (core, project, refuse) = (Arc::clone(&self.core), caller.project, self.options.refuse_contention);
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = volume::expect(tx, project, id)?;
                if let Some(server) = old.value.server {
                    check_server(tx, &core, refuse, (project, server))?;
                    put(tx, &old, None)?;
                }
                action::done(tx, project, "detach_volume", targets(old.value.server, id))
            })
            .await?;
        self.show_started(caller, started).await
    }
}
