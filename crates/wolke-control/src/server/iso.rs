//! The disc in a server's drive. It is booted from before the disk, from the next boot on; putting it in or taking it out
//! needs no stop and reboots nothing (dialects D.1).
//!
//! **Invariant:** [`wolke_domain::server::Details::iso`] and the wish on the host change in the same transaction.

use super::rescue::subject;
use crate::action::{self, Started};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::hosts;
use crate::operator::iso::attachable;
use crate::real;
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::placement::Need;
use wolke_domain::server::Server;
use wolke_domain::{Error, Result};
use wolke_host::{Feature, ImageRef};
use wolke_store::{Stored, Tx, host, server};
use wolke_wire::cloud::server::AttachIso;
use wolke_wire::{Id, Kind};

impl Control {
    /// Puts a disc into the drive, in place of the one that is there.
    ///
    /// # Errors
    /// `not_found`, also for the ISO, another project's private one included; `resource_unavailable` for a deprecated one;
    /// `invalid_input` for one of another architecture; `locked` when the server is being deleted, has no machine yet, or
    /// contention is refused.
    pub async fn attach_iso(&self, caller: &Caller, id: Id, request: AttachIso) -> Result<Started> {
        let (core, caller, refuse) = (Arc::clone(&self.core), *caller, self.options.refuse_contention);
        let races = self.server_races(&caller, id).await?;
        self.act(&caller, races, move |tx| {
            let (old, on, target) = subject(tx, &caller, refuse, id, "attach_iso")?;
            real::check_feature(&core, &old.value, Feature::Disc)?;
            let catalogue = core.catalogue();
            let kind = catalogue.server_type_by_id(old.value.details.server_type);
            let kind = kind.ok_or_else(|| Error::internal(format!("the type of server {id} is gone")))?;
            let iso = attachable(tx, &core, caller.project, &request.iso, kind.architecture)?;
            let name = catalogue.iso_by_id(iso).map_or_else(|| request.iso.to_string(), |iso| iso.name.clone());
            put(tx, &core, (&old, on), Some(ImageRef { id: iso, name, own: false }))?;
            action::done(tx, caller.project, "attach_iso", vec![target, Target::new(Kind::Iso, iso)])
        })
        .await
    }

    /// Takes the disc out of the drive; an empty drive stays empty.
    ///
    /// # Errors
    /// `not_found`; `locked` as for [`Control::attach_iso`].
    pub async fn detach_iso(&self, caller: &Caller, id: Id) -> Result<Started> {
        let (core, caller, refuse) = (Arc::clone(&self.core), *caller, self.options.refuse_contention);
        let races = self.server_races(&caller, id).await?;
        self.act(&caller, races, move |tx| {
            let (old, on, target) = subject(tx, &caller, refuse, id, "detach_iso")?;
            let mut resources = vec![target];
            resources.extend(old.value.details.iso.map(|iso| Target::new(Kind::Iso, iso)));
            put(tx, &core, (&old, on), None)?;
            action::done(tx, caller.project, "detach_iso", resources)
        })
        .await
    }
}

fn put(tx: &mut dyn Tx, core: &Core, (old, on): (&Stored<Server>, Id), disc: Option<ImageRef>) -> Result<()> {
    let id = old.value.id;
    let mut new = old.value.clone();
    new.details.iso = disc.as_ref().map(|disc| disc.id);
    if new != old.value {
        server::update(tx, old, &new)?;
    }
    let Some((object, mut spec)) = hosts::server_spec(tx, on, id)? else { return Ok(()) };
    if spec.iso == disc {
        return Ok(());
    }
    spec.iso = disc;
    let generation = host::take(tx, on, &Need::none())?;
    hosts::desire_server(tx, core, on, object, (id, generation, spec)).map(|_| ())
}
