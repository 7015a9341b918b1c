//! `rebuild`: the disk is made anew from an image; everything else of the server stays.
//!
//! It works running or off and ends as it began: what ran is stopped, gets its disk and is started; what was off stays off.
//! An ISO stays in its drive and an enabled rescue system is booted next, as at any other boot. Keys are those of the
//! server's creation; user data too, unless the request brings others.
//!
//! **Failure:** until the host has reported the new disk, what the server shows and what its host should hold go back to what
//! they were. Should the old disk be lost, the next wish makes it from the old image. Where the new disk is there and what
//! comes after it has failed, the old one is lost: the server shows the image of the disk that it has, the action its error.
//!
//! From the moment in which the host is told until then, the image is noted at the server (decision 0006).

use super::{ServerProgram, check_not_doomed, note_power, password, power, relocate, restart, scope, spec};
use crate::action::{self, Started, Work};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::hosts::{self, Look};
use crate::image::{self, Source};
use crate::real;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use wolke_domain::action::{Failure, Target};
use wolke_domain::placement::Need;
use wolke_domain::server::{Server, Status, USER_DATA_BYTES_MAX};
use wolke_domain::{Error, Result};
use wolke_host::{FirstBoot, ImageRef, ObjectKey, Power, PowerState, Secret};
use wolke_store::{Race, Tx, host, primary_ip, resource, server};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::cloud::Secret as Password;
use wolke_wire::cloud::server::Rebuild;
use wolke_wire::{Id, IdOrName, Kind};

/// The program.
pub(super) static PROGRAM: Program<Core> = Program {
    kind: "rebuild_server",
    steps: &[
        ("prepare", prepare),
        ("erase", erase),
        ("made", made),
        ("start", start),
        ("started", started),
        ("undo", undo),
        ("undone", undone),
    ],
    abort: "undo",
};

#[derive(Serialize, Deserialize)]
struct Variables {
    server: Id,
    image: Id,
    /// Sealed; none keeps what the server has.
    user_data: Option<String>,
    /// Sealed; none where keys are.
    root_password: Option<String>,
    /// The number of the disk.
    epoch: i64,
    /// Whether the machine ran before.
    ran: bool,
    /// What the disk was made from before, and its number.
    before: Option<(ImageRef, i64)>,
    /// The generation that is waited for.
    generation: i64,
    /// Whether the new disk is there.
    made: bool,
    /// Whether the host was told the old disk again and has not answered yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    late: bool,
}

impl Control {
    /// Overwrites a server's disk with an image. The password is made where the server has no keys.
    ///
    /// # Errors
    /// `not_found`, also for the image; `protected`; `invalid_input` for an image of another architecture or one that is
    /// too large, and for too much user data; `resource_unavailable` for an image that is gone; `locked` when it is being
    /// deleted, or for what [`wolke_domain::contention`] lists.
    pub async fn rebuild_server(
        &self,
        caller: &Caller,
        id: Id,
        request: Rebuild,
    ) -> Result<(Started, Option<Password>)> {
        if request.user_data.as_ref().is_some_and(|data| data.expose().len() > USER_DATA_BYTES_MAX) {
            return Err(Error::invalid("user_data", format!("must not be longer than {USER_DATA_BYTES_MAX} bytes")));
        }
        let (core, project, refuse) = (Arc::clone(&self.core), caller.project, self.options.refuse_contention);
        self.act(caller, vec![Race::Project(project)], move |tx| accept(tx, &core, (project, id), refuse, &request))
            .await
    }
}

fn accept(
    tx: &mut dyn Tx,
    core: &Core,
    (project, id): (Id, Id),
    refuse: bool,
    request: &Rebuild,
) -> Result<(Started, Option<Password>)> {
    let server = server::expect(tx, project, id)?.value;
    check_not_doomed(&server)?;
    if server.details.rebuild_protected {
        return Err(Error::rebuild_protected(Kind::Server));
    }
    let target = Target::new(Kind::Server, id);
    action::admit(tx, refuse, project, target, "rebuild_server")?;
    let image = find_image(tx, core, &server, &request.image)?.id;
    let password = server.details.ssh_keys.is_empty().then(|| password::draw(tx, "root_password"));
    let root_password = password.as_ref().map(|password| password::seal(tx, core, password.expose())).transpose()?;
    let mut nonces = tx.random("seal");
    let seal = |data: &wolke_wire::cloud::Secret| core.sealer.seal(&mut *nonces, super::USER_DATA_SEAL, data.expose());
    let user_data = request.user_data.as_ref().map(seal).transpose()?;
    let resources = vec![target, Target::new(Kind::Image, image)];
    let action = action::begin(tx, project, "rebuild_server", resources)?;
    resource::touch(tx, Kind::Server, id)?;
    let program: ServerProgram = &PROGRAM;
    let variables = Variables {
        server: id,
        image,
        user_data,
        root_password,
        epoch: 0,
        ran: false,
        before: None,
        generation: 0,
        made: false,
        late: false,
    };
    let work = Work {
        program,
        step: "prepare",
        project,
        scope: scope(&server),
        action,
        also: Vec::new(),
        locks: vec![target],
        always: false,
        variables: &variables,
    };
    let strand = action::start(tx, work)?;
    Ok((Started { action, strand: Some(strand) }, password))
}

/// The image that a request names, if it fits on this server's disk.
fn find_image(tx: &mut dyn Tx, core: &Core, server: &Server, asked: &IdOrName) -> Result<Source> {
    let catalogue = core.catalogue();
    let kind = catalogue.server_type_by_id(server.details.server_type);
    let kind =
        kind.ok_or_else(|| Error::internal(format!("server {}: its type is not in the catalogue", server.id)))?;
    let source = image::find(tx, &catalogue, server.project, asked, kind.architecture)?;
    source.check_fits(server.details.primary_disk_gb)?;
    real::check_rebuild(tx, core, server, &source)?;
    Ok(source)
}

/// Numbers the new disk and remembers what there is, before anything is told to the host.
fn prepare(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let on = match power::subject(tx, variables.server)? {
        Ok((_, on)) => on,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    if let Some(flow) = relocate::go_on(tx, core, variables.server)?.flow(tx, "prepare") {
        return Ok(flow);
    }
    let Some((_, spec)) = hosts::server_spec(tx, on, variables.server)? else {
        return Ok(Flow::Fail(super::doomed_failure()));
    };
    let look = hosts::look(tx, core, on, ObjectKey::server(variables.server), None)?;
    variables.ran = match look.observed.state.power {
        PowerState::Running | PowerState::Starting | PowerState::Stopping => true,
        PowerState::Off => false,
        // It hangs: what was wished for last says what somebody wants of it.
        _ => spec.power == Power::On,
    };
    variables.before = Some((spec.image, spec.rebuild_epoch));
    let old = server::by_id(tx, variables.server)?.ok_or_else(|| Error::internal("the server is gone"))?;
    if old.value.details.rebuild_protected {
        // Protected while this waited for its turn: from then on the disk is not to be lost.
        let refused = Error::rebuild_protected(Kind::Server);
        return Ok(Flow::Fail(Failure::new(refused.code(), refused.message())));
    }
    let mut new = old.value.clone();
    new.details.rebuild_epoch += 1;
    variables.epoch = new.details.rebuild_epoch;
    server::update(tx, &old, &new)?;
    frame.write(&variables)?;
    Ok(Flow::Next("erase"))
}

/// Tells the host to make the disk anew. The machine stays off until that is done, so that a failure can be told from one
/// to start.
fn erase(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let (server, on) = match power::subject(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    // It may have been deleted while this waited for its turn.
    let source = match find_image(tx, core, &server, &IdOrName::Id(variables.image)) {
        Ok(source) => source,
        Err(error @ (Error::Internal { .. } | Error::Unavailable { .. })) => return Err(error),
        Err(error) => return Ok(Flow::Fail(Failure::new(error.code(), error.message()))),
    };
    let Some((object, mut spec)) = hosts::server_spec(tx, on, server.id)? else {
        return Ok(Flow::Fail(super::doomed_failure()));
    };
    let (kind, _) = host::room(tx, on)?;
    spec.image = source.reference();
    spec.rebuild_epoch = variables.epoch;
    spec.power = Power::Off;
    spec.first_boot = FirstBoot {
        ssh_keys: server.details.ssh_keys.clone(),
        user_data: variables.user_data.clone().or_else(|| server.details.user_data_sealed.clone()).map(Secret),
        root_password_hash: password::for_first_boot(tx, core, kind, variables.root_password.as_deref())?,
    };
    spec.definition.public = spec::public_nic(server.id, &primary_ip::of_server(tx, server.id)?);
    server::set_building(tx, server.id, Some(source.id))?;
    variables.generation = host::take(tx, on, &Need::none())?;
    let look = hosts::desire_server(tx, core, on, object, (server.id, variables.generation, spec))?;
    frame.write(&variables)?;
    after_making(tx, frame, &server, &look)
}

fn made(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let (server, on) = match power::subject(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let look = hosts::look(tx, core, on, ObjectKey::server(server.id), None)?;
    after_making(tx, frame, &server, &look)
}

/// What follows from a look at a disk that is being made: the server shows its image from the moment in which it is there.
fn after_making(tx: &mut dyn Tx, frame: &mut Frame, server: &Server, look: &Look) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    if let Some(failure) = look.failure_of(variables.generation) {
        return Ok(Flow::Fail(failure));
    }
    if !look.observed.has_applied(variables.generation) {
        note_power(tx, server, Status::Rebuilding)?;
        let deadline = power::deadline(tx);
        return Ok(Flow::Wait { step: "made", until: look.again, deadline, promised: look.promised });
    }
    // What the server was noted to run is over, also where it starts again in this very transaction.
    note_power(tx, server, Status::Rebuilding)?;
    show_new(tx, &variables)?;
    variables.made = true;
    frame.write(&variables)?;
    Ok(Flow::Next("start"))
}

fn show_new(tx: &mut dyn Tx, variables: &Variables) -> Result<()> {
    let old = server::by_id(tx, variables.server)?.ok_or_else(|| Error::internal("the server is gone"))?;
    let mut new = old.value.clone();
    new.details.image = Some(variables.image);
    if let Some(user_data) = &variables.user_data {
        new.details.user_data_sealed = Some(user_data.clone());
    }
    new.status = Status::Off;
    server::update(tx, &old, &new)?;
    // Only now: shown, it stays, even where it was deleted meanwhile.
    server::set_building(tx, variables.server, None)
}

/// Starts the machine if it ran before.
fn start(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    if !variables.ran && power::subject(tx, variables.server)?.is_ok() {
        return Ok(Flow::Done);
    }
    let (generation, flow) = restart::start(tx, core, variables.server)?;
    if let Some(generation) = generation {
        variables.generation = generation;
        frame.write(&variables)?;
    }
    Ok(flow)
}

fn started(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    restart::started(tx, core, (variables.server, variables.generation))
}

/// The abort. What the host has of the disk decides: without the new one the old one is wished for again, with it the server
/// shows it. Whether the machine still runs, the host says.
fn undo(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    if variables.made {
        power::show_as_it_is(tx, core, variables.server)?;
        return Ok(Flow::Done);
    }
    if let Some(before) = variables.before.take()
        && let Ok((server, on)) = power::subject(tx, variables.server)?
    {
        let look = hosts::look(tx, core, on, ObjectKey::server(server.id), None)?;
        let has_new = look.observed.state.disk_epoch == Some(variables.epoch);
        if let Some((object, mut spec)) = hosts::server_spec(tx, on, server.id)?
            && spec.rebuild_epoch != before.1
        {
            if has_new {
                show_new(tx, &variables)?;
            } else {
                (spec.image, spec.rebuild_epoch) = before;
                spec.first_boot.user_data = server.details.user_data_sealed.clone().map(Secret);
            }
            spec.power = if variables.ran { Power::On } else { Power::Off };
            variables.generation = host::take(tx, on, &Need::none())?;
            let look = hosts::desire_server(tx, core, on, object, (server.id, variables.generation, spec))?;
            variables.late = !has_new && !look.observed.has_applied(variables.generation);
        }
    }
    // Also of a server on its way out: nothing is made from the image any more.
    server::set_building(tx, variables.server, None)?;
    frame.write(&variables)?;
    undone(tx, core, frame)
}

fn undone(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let flow = power::settle(tx, core, frame, (variables.server, variables.generation), "undone")?;
    if variables.late && matches!(flow, Flow::Done) {
        show_late(tx, core, &variables)?;
    }
    Ok(flow)
}

/// A host that answers later may have made the new disk when it was told the old one again: then the old one is lost, and the
/// server shows what it has.
fn show_late(tx: &mut dyn Tx, core: &Core, variables: &Variables) -> Result<()> {
    let Ok((server, on)) = power::subject(tx, variables.server)? else { return Ok(()) };
    let look = hosts::look(tx, core, on, ObjectKey::server(server.id), None)?;
    if look.observed.state.disk_epoch != Some(variables.epoch) {
        return Ok(());
    }
    let Some((object, mut spec)) = hosts::server_spec(tx, on, server.id)? else { return Ok(()) };
    show_new(tx, variables)?;
    let catalogue = core.catalogue();
    if let Some(source) = image::source_of(tx, &catalogue, server.project, variables.image)? {
        spec.image = source.reference();
    }
    spec.rebuild_epoch = variables.epoch;
    let generation = host::take(tx, on, &Need::none())?;
    hosts::desire_server(tx, core, on, object, (server.id, generation, spec))?;
    power::show_as_it_is(tx, core, server.id)
}
