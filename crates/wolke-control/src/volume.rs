//! Volumes: operations and view. How they come to servers and leave them stands in `volume/attach.rs`.
//!
//! A volume of a simulated location is a row: making, growing and attaching it is done in the request's transaction.

mod attach;

use crate::action;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::input;
use crate::operator::space;
use crate::real;
use crate::view::{Json, Shown};
pub(crate) use attach::{attach_to_new, release_of_server, wrong_ids};
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::server::Server;
use wolke_domain::{Error, FieldError, Result, volume as rules};
use wolke_store::volume::{Details, Volume};
use wolke_store::{Counter, Race, Scope, Tx, limit, volume, volume_space};
use wolke_wire::cloud::volume as wire;
use wolke_wire::cloud::{DeleteProtection, Embed};
use wolke_wire::{Id, Kind};

/// A volume as the contract shows it.
pub(crate) fn to_wire(volume: &Volume) -> Result<wire::Volume> {
    let unknown = || Error::internal(format!("unknown status of volume {}", volume.status));
    Ok(wire::Volume {
        id: volume.id,
        name: volume.name.clone(),
        created: volume.created,
        server: volume.server,
        location: Embed(Kind::Location, volume.location),
        size: volume.details.size_gb,
        linux_device: rules::linux_device(volume.id),
        protection: DeleteProtection { delete: volume.details.delete_protected },
        labels: volume.details.labels.clone(),
        status: wire::VolumeStatus::parse(&volume.status).ok_or_else(unknown)?,
        format: volume.details.format.clone(),
    })
}

/// What actions of a volume name: the server first, where there is one.
fn targets(server: Option<Id>, id: Id) -> Vec<Target> {
    let server = server.map(|server| Target::new(Kind::Server, server));
    server.into_iter().chain([Target::new(Kind::Volume, id)]).collect()
}

fn check_create(request: &wire::CreateVolume) -> Result<()> {
    let mut fields = input::wrong(rules::name, Some(&request.name), Some(&request.labels));
    fields.extend(rules::check_size(request.size).err());
    fields.extend(request.format.as_deref().and_then(|format| rules::check_format(format).err()));
    if request.server.is_none() {
        if request.automount {
            fields.push(FieldError::new("automount", "can only be used together with server"));
        }
        if request.location.is_none() {
            fields.push(FieldError::new("location", "either location or server is required"));
        }
    }
    input::refuse(fields)
}

/// Where a new volume lives: where it is asked for, and where its server stands.
fn location(core: &Core, request: &wire::CreateVolume, server: Option<&Server>) -> Result<Id> {
    let beside = server.map(|server| server.details.location);
    let Some(asked) = &request.location else {
        return beside.ok_or_else(|| Error::internal("a volume without a location"));
    };
    let catalogue = core.catalogue();
    let found = catalogue.location(asked).ok_or_else(|| Error::not_found_named(Kind::Location, &asked.to_string()))?;
    if beside.is_some_and(|beside| beside != found.id) {
        return Err(Error::invalid("location", "must be the location of the server"));
    }
    if server.is_none() {
        real::check_location(core, found.id, attach::WHAT)?;
    }
    Ok(found.id)
}

/// What a create has made.
#[derive(Clone, Copy)]
struct Created {
    volume: Id,
    action: Id,
    attach: Option<Id>,
}

fn create(tx: &mut dyn Tx, core: &Core, caller: (Id, bool), request: &wire::CreateVolume) -> Result<Created> {
    let (project, refuse) = caller;
    let server = match request.server {
        Some(id) => Some(attach::check_server(tx, core, refuse, (project, id))?),
        None => None,
    };
    let location = location(core, request, server.as_ref())?;
    space::take(tx, core, location, request.size)?;
    let new = Volume {
        id: tx.next_id(Counter::Kind(Kind::Volume))?,
        project,
        name: request.name.clone(),
        created: tx.now().whole_second(),
        status: wire::VolumeStatus::Available.as_str().to_owned(),
        location,
        server: None,
        details: Details {
            v: 1,
            size_gb: request.size,
            format: request.format.clone(),
            attachment: None,
            delete_protected: false,
            labels: request.labels.clone(),
        },
    };
    let number = volume::insert(tx, &new)?;
    limit::check(tx, project, Kind::Volume, number)?;
    let action = action::done(tx, project, "create_volume", targets(request.server, new.id))?.action;
    let attach = match server {
        Some(server) => Some(attach::attach(tx, (&server, "server"), new.id, request.automount)?.action),
        None => None,
    };
    Ok(Created { volume: new.id, action, attach })
}

/// What a volume races for that takes room of its location, or gives it back.
fn room_races(project: Id) -> Scope {
    vec![Race::Project(project), Race::VolumeSpace]
}

impl Control {
    /// Makes a volume, free or attached to a server.
    ///
    /// # Errors
    /// `invalid_input`, `not_found`, `uniqueness_error`, `resource_limit_exceeded`, `no_space_left_in_location`; with a server
    /// also those of [`Control::attach_volume`].
    pub async fn create_volume(&self, caller: &Caller, request: wire::CreateVolume) -> Result<Json> {
        check_create(&request)?;
        let (core, project, refuse) = (Arc::clone(&self.core), caller.project, self.options.refuse_contention);
        self.write_shown(caller, room_races(project), move |tx| {
            let made = create(tx, &core, (project, refuse), &request)?;
            let shown = Shown::one(Kind::Volume, made.volume).action(made.action);
            Ok(shown.actions("next_actions", made.attach.into_iter().collect()))
        })
        .await
    }

    /// Changes name and labels.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`.
    pub async fn update_volume(&self, caller: &Caller, id: Id, update: wire::UpdateVolume) -> Result<Json> {
        input::refuse(input::wrong(rules::name, update.name.as_deref(), update.labels.as_ref()))?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let old = volume::expect(tx, project, id)?;
            let mut new = old.value.clone();
            input::set(&mut new.name, update.name.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
            if new != old.value {
                volume::update(tx, &old, &new)?;
            }
            Ok(Shown::one(Kind::Volume, id))
        })
        .await
    }

    /// Deletes a volume that is attached to nothing.
    ///
    /// # Errors
    /// `not_found`, `protected`; `service_error` while it is attached.
    pub async fn delete_volume(&self, caller: &Caller, id: Id) -> Result<()> {
        let project = caller.project;
        self.db
            .write(room_races(project), move |tx| {
                let old = volume::expect(tx, project, id)?.value;
                if old.details.delete_protected {
                    return Err(Error::delete_protected(Kind::Volume));
                }
                rules::check_detached(id, old.server)?;
                remove(tx, project, id)
            })
            .await
    }

    /// Makes a volume larger, attached or not (fact sheet §3.4).
    ///
    /// # Errors
    /// `not_found`, `invalid_input` for a size that is not greater, `no_space_left_in_location`.
    pub async fn resize_volume(&self, caller: &Caller, id: Id, request: wire::ResizeVolume) -> Result<Json> {
        let size = rules::whole_size(request.size).map_err(|wrong| Error::invalid_fields(vec![wrong]))?;
        let (core, project) = (Arc::clone(&self.core), caller.project);
        let started = self
            .act(caller, room_races(project), move |tx| {
                let old = volume::expect(tx, project, id)?;
                let grows_by = size - old.value.details.size_gb;
                rules::check_growth(old.value.details.size_gb, size)?;
                space::take(tx, &core, old.value.location, grows_by)?;
                let mut new = old.value.clone();
                new.details.size_gb = size;
                volume::update(tx, &old, &new)?;
                action::done(tx, project, "resize_volume", targets(None, id))
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Switches delete protection; what is absent from the request stays.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn change_volume_protection(
        &self,
        caller: &Caller,
        id: Id,
        change: wire::ChangeVolumeProtection,
    ) -> Result<Json> {
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = volume::expect(tx, project, id)?;
                let mut new = old.value.clone();
                input::set(&mut new.details.delete_protected, change.delete.as_ref());
                if new != old.value {
                    volume::update(tx, &old, &new)?;
                }
                action::done(tx, project, "change_protection", targets(new.server, id))
            })
            .await?;
        self.show_started(caller, started).await
    }
}

/// Removes a volume that is attached to nothing.
pub(crate) fn remove(tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
    let old = volume::expect(tx, project, id)?.value;
    volume_space::give(tx, old.location, old.details.size_gb)?;
    volume::delete(tx, &old)
}
