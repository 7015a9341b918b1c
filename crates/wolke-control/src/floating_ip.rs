//! Floating IPs: operations, view, and what becomes of them when servers come and go (fact sheet §3.3). Assigning them:
//! `floating_ip/assign.rs`.
//!
//! A floating IP is a row that names its server. Nothing on a simulated machine changes with it: on the real service, too, a
//! guest must be told of the address by hand.

mod assign;

use crate::action;
use crate::address::{allocate, family, ip_type};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::input;
use crate::view::{Json, Shown};
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::reverse_dns::{self, Change};
use wolke_domain::{Error, Result, floating_ip as rules, name};
use wolke_store::floating_ip::{Details, FloatingIp};
use wolke_store::{Counter, Race, Tx, address, floating_ip, limit, resource};
use wolke_wire::cloud::floating_ip as wire;
use wolke_wire::cloud::{ChangeDeleteProtection, ChangeDnsPtr, DeleteProtection, Embed};
use wolke_wire::{Id, Kind};

/// A floating IP as the contract shows it.
pub(crate) fn to_wire(ip: &FloatingIp) -> wire::FloatingIp {
    wire::FloatingIp {
        id: ip.id,
        name: ip.name.clone(),
        description: ip.details.description.clone(),
        ip: ip.ip.clone(),
        kind: ip_type(ip.family),
        server: ip.server,
        dns_ptr: reverse_dns::shown(&ip.ip, &ip.details.dns_ptr),
        home_location: Embed(Kind::Location, ip.details.home_location),
        blocked: ip.details.blocked,
        protection: DeleteProtection { delete: ip.details.delete_protected },
        labels: ip.details.labels.clone(),
        created: ip.created,
    }
}

/// What can be said of a request without looking anything up.
fn check_create(request: &wire::CreateFloatingIp) -> Result<()> {
    let mut fields = input::wrong(name::resource_name, request.name.as_deref(), Some(&request.labels));
    fields.extend(request.description.as_deref().and_then(|text| name::check_description(text).err()));
    let place = rules::check_place(request.server.is_some(), request.home_location.is_some());
    fields.extend(place.err().into_iter().flatten());
    input::refuse(fields)
}

fn insert(
    tx: &mut dyn Tx,
    core: &Core,
    project: Id,
    request: &wire::CreateFloatingIp,
    home_location: Id,
) -> Result<FloatingIp> {
    let id = tx.next_id(Counter::Kind(Kind::FloatingIp))?;
    let family = family(request.kind);
    let mut row = FloatingIp {
        id,
        project,
        name: request.name.clone().unwrap_or_else(|| rules::default_name(id)),
        created: tx.now().whole_second(),
        ip: allocate(tx, core, family, Kind::FloatingIp, id)?,
        family,
        server: request.server,
        details: Details {
            v: 1,
            home_location,
            description: request.description.clone(),
            dns_ptr: Default::default(),
            delete_protected: false,
            blocked: false,
            labels: request.labels.clone(),
        },
    };
    let number = match floating_ip::insert(tx, &row) {
        // Somebody has given this name to another one: the default is ours to vary.
        Err(Error::NotUnique { .. }) if request.name.is_none() => {
            row.name = name::varied(&rules::default_name(id), &mut *tx.random("floating_ip"));
            floating_ip::insert(tx, &row)?
        }
        number => number?,
    };
    limit::check(tx, project, Kind::FloatingIp, number)?;
    Ok(row)
}

impl Control {
    /// Creates a floating IP, free or for a server; the answer holds the assignment's action, if any.
    ///
    /// # Errors
    /// `invalid_input`, `uniqueness_error`, `resource_limit_exceeded`, `resource_unavailable`; for the server `not_found`,
    /// `locked`, `unsupported_error`.
    pub async fn create_floating_ip(&self, caller: &Caller, request: wire::CreateFloatingIp) -> Result<Json> {
        check_create(&request)?;
        let (core, project, refuse) = (Arc::clone(&self.core), caller.project, self.options.refuse_contention);
        self.write_shown(caller, vec![Race::Project(project), Race::Addresses], move |tx| {
            let home_location = match (request.server, &request.home_location) {
                (Some(server), _) => assign::check_receiver(tx, &core, (project, refuse), server)?.details.location,
                (None, Some(asked)) => {
                    let found = core.catalogue().location(asked).map(|location| location.id);
                    found.ok_or_else(|| rules::no_such_location(&asked.to_string()))?
                }
                (None, None) => return Err(Error::internal("a floating IP without a place")),
            };
            let new = insert(tx, &core, project, &request, home_location)?;
            let shown = Shown::one(Kind::FloatingIp, new.id);
            let Some(server) = new.server else { return Ok(shown) };
            resource::touch(tx, Kind::Server, server)?;
            let started = action::done(tx, project, "assign_floating_ip", assign::targets(Some(server), new.id))?;
            Ok(shown.action(started.action))
        })
        .await
    }

    /// Changes name, description and labels.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`.
    pub async fn update_floating_ip(&self, caller: &Caller, id: Id, update: wire::UpdateFloatingIp) -> Result<Json> {
        let mut fields = input::wrong(name::resource_name, update.name.as_deref(), update.labels.as_ref());
        let description = update.description.as_ref().and_then(Option::as_deref);
        fields.extend(description.and_then(|text| name::check_description(text).err()));
        input::refuse(fields)?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let old = floating_ip::expect(tx, project, id)?;
            let mut new = old.value.clone();
            input::set(&mut new.name, update.name.as_ref());
            input::set(&mut new.details.description, update.description.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
            if new != old.value {
                floating_ip::update(tx, &old, &new)?;
            }
            Ok(Shown::one(Kind::FloatingIp, id))
        })
        .await
    }

    /// Switches delete protection.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn change_floating_ip_protection(
        &self,
        caller: &Caller,
        id: Id,
        change: ChangeDeleteProtection,
    ) -> Result<Json> {
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = floating_ip::expect(tx, project, id)?;
                let mut new = old.value.clone();
                input::set(&mut new.details.delete_protected, change.delete.as_ref());
                if new != old.value {
                    floating_ip::update(tx, &old, &new)?;
                }
                action::done(tx, project, "change_protection", vec![Target::new(Kind::FloatingIp, id)])
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Changes a reverse DNS entry.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for an address that is not its own or a name that is none; `resource_limit_exceeded`
    /// when the network has too many.
    pub async fn change_floating_ip_dns_ptr(&self, caller: &Caller, id: Id, request: ChangeDnsPtr) -> Result<Json> {
        let change = Change::check(&request)?;
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = floating_ip::expect(tx, project, id)?;
                change.check_within(&old.value.ip, Kind::FloatingIp)?;
                let mut new = old.value.clone();
                change.apply(&mut new.details.dns_ptr)?;
                if new != old.value {
                    floating_ip::update(tx, &old, &new)?;
                }
                action::done(tx, project, "change_dns_ptr", vec![Target::new(Kind::FloatingIp, id)])
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Deletes a floating IP. An assigned one is refused since 2026-05; before, its server loses it.
    ///
    /// # Errors
    /// `not_found`, `protected`, `must_be_unassigned`; `locked` where contention is refused.
    pub async fn delete_floating_ip(&self, caller: &Caller, id: Id) -> Result<()> {
        let (project, dialect, refuse) = (caller.project, caller.dialect, self.options.refuse_contention);
        self.db
            .write(vec![Race::Project(project), Race::Addresses], move |tx| {
                let old = floating_ip::expect(tx, project, id)?.value;
                if old.details.delete_protected {
                    return Err(Error::delete_protected(Kind::FloatingIp));
                }
                if let Some(server) = old.server {
                    if dialect.refuses_delete_of_assigned_ip() {
                        return Err(Error::must_be_unassigned(Kind::FloatingIp));
                    }
                    assign::lose(tx, refuse, server)?;
                }
                remove(tx, project, id)
            })
            .await
    }
}

/// Removes a floating IP that nobody has any more.
pub(crate) fn remove(tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
    let old = floating_ip::expect(tx, project, id)?.value;
    floating_ip::delete(tx, &old)?;
    address::release(tx, Kind::FloatingIp, id)
}
