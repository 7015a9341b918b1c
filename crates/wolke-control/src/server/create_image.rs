//! Making a snapshot or backup: take → taken. An image that fails vanishes; its action keeps the reason.

use super::{HOST_DEADLINE_MS, ServerProgram, check_not_doomed, doomed_failure};
use crate::action::{self, Started, Work};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::hosts;
use crate::image;
use crate::view::{Json, View, member};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use wolke_domain::action::{Failure, Target};
use wolke_domain::catalogue::Catalogue;
use wolke_domain::image::{DETAILS_VERSION, Details, Image, OWN_ID_MIN, Status, Type, UNKNOWN_FLAVOR};
use wolke_domain::placement::Need;
use wolke_domain::server::Server;
use wolke_domain::{Error, Result};
use wolke_host::{Command, ObjectKey, Outcome, Verb};
use wolke_store::{Counter, Race, Stored, Tx, host, image as images, limit, resource, server};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::cloud::image as wire;
use wolke_wire::cloud::{Architecture, Labels};
use wolke_wire::{Id, Kind};

/// The program.
pub(super) static PROGRAM: Program<Core> =
    Program { kind: "create_image", steps: &[("take", take), ("taken", taken), ("undo", undo)], abort: "undo" };

#[derive(Serialize, Deserialize)]
struct Variables {
    server: Id,
    image: Id,
    /// The command that is waited for; 0 before it was chosen.
    command: i64,
}

/// What an image takes over from the disk that it is made of.
struct Origin {
    architecture: Architecture,
    disk_gb: i64,
    os_flavor: String,
    os_version: Option<String>,
}

fn origin(tx: &mut dyn Tx, catalogue: &Catalogue, server: &Server) -> Result<Origin> {
    let details = &server.details;
    let kind = catalogue.server_type_by_id(details.server_type);
    let kind =
        kind.ok_or_else(|| Error::internal(format!("server {}: its type is not in the catalogue", server.id)))?;
    let source = match details.image {
        Some(id) => image::source_of(tx, catalogue, server.project, id)?,
        None => None,
    };
    let (os_flavor, os_version) = source.map_or((UNKNOWN_FLAVOR.into(), None), |s| (s.os_flavor, s.os_version));
    Ok(Origin { architecture: kind.architecture, disk_gb: details.primary_disk_gb, os_flavor, os_version })
}

/// Begins to make an image of a server: for a request, and for the calendar of backups. Without a description it is called
/// after the server (fact sheet §3.9). `always`: whether it may wait even where the server's queue is full.
///
/// # Errors
/// `resource_limit_exceeded` for snapshots, `locked` when the server's queue is full.
pub(crate) fn begin_image(
    tx: &mut dyn Tx,
    core: &Core,
    server: &Stored<Server>,
    kind: Type,
    description: Option<String>,
    labels: Labels,
    always: bool,
) -> Result<(Started, Image)> {
    let server = &server.value;
    let Origin { architecture, disk_gb, os_flavor, os_version } = origin(tx, &core.catalogue(), server)?;
    let new = Image {
        id: tx.next_id(Counter::Kind(Kind::Image))? + OWN_ID_MIN,
        project: server.project,
        created: tx.now().whole_second(),
        kind,
        status: Status::Creating,
        architecture,
        bound_to: (kind == Type::Backup).then_some(server.id),
        details: Details {
            v: DETAILS_VERSION,
            description: description.filter(|text| !text.is_empty()).unwrap_or_else(|| server.name.clone()),
            size_mb: None,
            disk_gb,
            from: server.id,
            from_name: server.name.clone(),
            os_flavor,
            os_version,
            host: None,
            runtime: None,
            delete_protected: false,
            labels,
        },
    };
    let number = images::insert(tx, &new)?;
    // What is due is not refused: a server has few backups.
    if kind == Type::Snapshot {
        limit::check(tx, server.project, Kind::Image, number)?;
    }
    let targets = vec![Target::new(Kind::Server, server.id), Target::new(Kind::Image, new.id)];
    let action = action::begin(tx, server.project, "create_image", targets.clone())?;
    resource::touch(tx, Kind::Server, server.id)?;
    let program: ServerProgram = &PROGRAM;
    let work = Work {
        program,
        step: "take",
        project: server.project,
        scope: vec![Race::Project(server.project), Race::Location(server.details.location)],
        action,
        also: Vec::new(),
        locks: targets,
        always,
        variables: &Variables { server: server.id, image: new.id, command: 0 },
    };
    let strand = action::start(tx, work)?;
    Ok((Started { action, strand: Some(strand) }, new))
}

impl Control {
    /// Makes a snapshot or backup of a server, which may run meanwhile; shows the image and the action.
    ///
    /// # Errors
    /// `not_found`; `invalid_input`, for a backup also while backups are not enabled; `resource_limit_exceeded`; `locked`
    /// when the server is being deleted or its disk is about to change, or when contention is refused.
    pub async fn create_image(&self, caller: &Caller, id: Id, request: wire::CreateImage) -> Result<Json> {
        image::check_texts(request.description.as_deref(), Some(&request.labels))?;
        let kind = match request.kind {
            wire::ImageType::Snapshot => Type::Snapshot,
            wire::ImageType::Backup => Type::Backup,
            _ => return Err(Error::invalid("type", "must be snapshot or backup")),
        };
        let (core, project, refuse) = (Arc::clone(&self.core), caller.project, self.options.refuse_contention);
        let (started, accepted) = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let server = server::expect(tx, project, id)?;
                check_not_doomed(&server.value)?;
                if kind == Type::Backup && server.value.details.backup.is_none() {
                    return Err(Error::invalid("type", "backup is only possible while backups are enabled"));
                }
                action::admit(tx, refuse, project, Target::new(Kind::Server, id), "create_image")?;
                begin_image(tx, &core, &server, kind, request.description.clone(), request.labels.clone(), false)
            })
            .await?;
        self.settle(started.strand.as_slice()).await;
        self.show_image(caller, accepted, started.action).await
    }

    /// The answer to `create_image`, as it stands now; an image that has failed meanwhile as it was accepted.
    async fn show_image(&self, caller: &Caller, accepted: Image, action: Id) -> Result<Json> {
        let (core, fragments, caller) = (Arc::clone(&self.core), Arc::clone(&self.fragments), *caller);
        self.db
            .read(move |tx| {
                let view = View::new(tx, &core, &fragments, &caller);
                let mut json = Json::new();
                view.open(&mut json, "image");
                match view.append(tx, &mut json, Kind::Image, accepted.id) {
                    Err(Error::NotFound { .. }) => {
                        view.append_wire(tx, &mut json, Kind::Image, &image::to_wire(&accepted, None))?;
                    }
                    appended => appended?,
                }
                json.push(b',');
                member(&mut json, "action");
                view.append(tx, &mut json, Kind::Action, action)?;
                json.push(b'}');
                Ok(json)
            })
            .await
    }
}

/// What the work is about.
struct Subject {
    server: Server,
    /// The server's host.
    on: Id,
    image: Stored<Image>,
}

/// The server, its host and the image; what is gone or going ends the work.
fn subject(tx: &mut dyn Tx, variables: &Variables) -> Result<std::result::Result<Subject, Failure>> {
    let Some(server) = server::by_id(tx, variables.server)? else {
        return Ok(Err(Failure::action("the server is gone")));
    };
    if server.value.details.doomed {
        return Ok(Err(doomed_failure()));
    }
    let Some(on) = server.value.host else { return Ok(Err(Failure::action("the server has no disk"))) };
    let Some(image) = images::by_id(tx, variables.image)? else {
        return Ok(Err(Failure::action("the image was deleted")));
    };
    Ok(Ok(Subject { server: server.value, on, image }))
}

/// Its turn has come: notes what the disk is now, and gives the command its id, in a step of its own, so that it is issued
/// under the same id however often the next step runs.
fn take(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let Subject { server, on, image: old } = match subject(tx, &variables)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let mut new = old.value.clone();
    let origin = origin(tx, &core.catalogue(), &server)?;
    new.architecture = origin.architecture;
    (new.details.disk_gb, new.details.os_flavor) = (origin.disk_gb, origin.os_flavor);
    new.details.os_version = origin.os_version;
    let (generation, kind) = host::take_on(tx, on, &Need::none())?;
    if kind.is_real() {
        let Some((_, spec)) = hosts::server_spec(tx, on, server.id)? else { return Ok(Flow::Fail(doomed_failure())) };
        (new.details.host, new.details.runtime) = (Some(on), spec.runtime.map(|runtime| runtime.as_str().to_owned()));
        hosts::keep_image(tx, on, new.id)?;
    }
    if new != old.value {
        images::update(tx, &old, &new)?;
    }
    variables.command = generation;
    frame.write(&variables)?;
    Ok(Flow::Next("taken"))
}

/// Issues the command and waits for its outcome.
fn taken(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let Subject { server, on, image } = match subject(tx, &variables)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let (key, verb) = (ObjectKey::server(server.id), Verb::Snapshot { image: variables.image });
    let command = Command { id: variables.command, key, verb, issued_at: tx.now(), expires_at: None };
    let look = hosts::look(tx, core, on, key, Some(&command))?;
    Ok(match look.outcome {
        None => {
            let deadline_ms = if look.real { hosts::IMAGE_DEADLINE_MS } else { HOST_DEADLINE_MS };
            let deadline = tx.now().plus_ms(deadline_ms);
            Flow::Wait { step: "taken", until: look.again, deadline, promised: look.promised }
        }
        Some(Outcome::Snapshotted { size_mb }) => {
            complete(tx, &image, size_mb)?;
            Flow::Done
        }
        Some(Outcome::Failed { error }) => Flow::Fail(Failure::action(error.message)),
        Some(Outcome::Expired) => Flow::Fail(Failure::action("the host answered too late")),
        Some(Outcome::Done | Outcome::Ignored) => Flow::Fail(Failure::action("the host has made no image")),
    })
}

/// From now on it can be used. A new backup takes the place of the oldest, in the same transaction.
fn complete(tx: &mut dyn Tx, old: &Stored<Image>, size_mb: u64) -> Result<()> {
    let mut new = old.value.clone();
    new.status = Status::Available;
    new.details.size_mb = Some(size_mb);
    if new != old.value {
        images::update(tx, old, &new)?;
    }
    new.bound_to.map_or(Ok(()), |server| image::rotate_backups_of(tx, server))
}

/// The abort: an image that was not completed leaves nothing.
fn undo(tx: &mut dyn Tx, _core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    if let Some(stored) = images::by_id(tx, variables.image)?
        && stored.value.status == Status::Creating
    {
        image::delete(tx, &stored)?;
    }
    Ok(Flow::Done)
}
