//! Primary IPs: operations, view, and what a server does with them. Moving them between servers: `primary_ip/assign.rs`;
//! reverse DNS: `primary_ip/dns.rs`.

mod assign;
mod dns;

use crate::action;
use crate::address::{allocate, family, ip_type};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::input;
use crate::place::{self, Place};
use crate::view::{Json, Shown};
pub(crate) use dns::change_entry;
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::server::Server;
use wolke_domain::{Error, FieldError, Result, name, primary_ip as rules, reverse_dns};
use wolke_store::primary_ip::{Details, PrimaryIp};
use wolke_store::{Counter, Race, Tx, address, limit, primary_ip, resource};
use wolke_wire::cloud::primary_ip as wire;
use wolke_wire::cloud::{ChangeDeleteProtection, DeleteProtection, Embed};
use wolke_wire::dialect::Document;
use wolke_wire::{Dialect, ErrorCode, Id, Kind};

/// A primary IP as the contract shows it.
pub(crate) fn to_wire(ip: &PrimaryIp, dialect: Dialect) -> wire::PrimaryIp {
    wire::PrimaryIp {
        id: ip.id,
        name: ip.name.clone(),
        ip: ip.ip.clone(),
        kind: ip_type(ip.family),
        assignee_id: ip.assignee,
        assignee_type: if ip.assignee.is_none() && dialect.reports_unassigned() {
            wire::AssigneeType::Unassigned
        } else {
            wire::AssigneeType::Server
        },
        auto_delete: ip.details.auto_delete,
        blocked: ip.details.blocked,
        dns_ptr: reverse_dns::shown(&ip.ip, &ip.details.dns_ptr),
        location: Embed(Kind::Location, ip.details.location),
        datacenter: Embed(Kind::Datacenter, ip.details.datacenter),
        protection: DeleteProtection { delete: ip.details.delete_protected },
        labels: ip.details.labels.clone(),
        created: ip.created,
    }
}

/// What a new primary IP shall be.
struct New<'a> {
    name: Option<&'a str>,
    family: i64,
    place: Place,
    assignee: Option<Id>,
    auto_delete: bool,
    labels: &'a wolke_wire::cloud::Labels,
}

fn insert(tx: &mut dyn Tx, core: &Core, project: Id, new: &New<'_>) -> Result<PrimaryIp> {
    let id = tx.next_id(Counter::Kind(Kind::PrimaryIp))?;
    let mut row = PrimaryIp {
        id,
        project,
        name: new.name.map_or_else(|| rules::default_name(id), str::to_owned),
        created: tx.now().whole_second(),
        ip: allocate(tx, core, new.family, Kind::PrimaryIp, id)?,
        family: new.family,
        assignee: new.assignee,
        details: Details {
            v: 1,
            location: new.place.location,
            datacenter: new.place.datacenter,
            auto_delete: new.auto_delete,
            dns_ptr: Default::default(),
            delete_protected: false,
            blocked: false,
            labels: new.labels.clone(),
        },
    };
    let number = match primary_ip::insert(tx, &row) {
        // Somebody has given this name to another one: the default is ours to vary.
        Err(Error::NotUnique { .. }) if new.name.is_none() => {
            row.name = name::varied(&rules::default_name(id), &mut *tx.random("primary_ip"));
            primary_ip::insert(tx, &row)?
        }
        number => number?,
    };
    limit::check(tx, project, Kind::PrimaryIp, number)?;
    Ok(row)
}

/// A new address for a new server; it goes when the server goes.
pub(crate) fn make_for_server(tx: &mut dyn Tx, core: &Core, server: &Server, family: i64) -> Result<PrimaryIp> {
    let place = Place { location: server.details.location, datacenter: server.details.datacenter };
    let labels = wolke_wire::cloud::Labels::new();
    let new = New { name: None, family, place, assignee: Some(server.id), auto_delete: true, labels: &labels };
    insert(tx, core, server.project, &new)
}

/// Gives a new server an address that is there already.
///
/// # Errors
/// `not_found`; `primary_ip_assigned`, `primary_ip_version_mismatch`, `primary_ip_datacenter_mismatch`.
pub(crate) fn take_for_server(tx: &mut dyn Tx, server: &Server, id: Id, family: i64) -> Result<PrimaryIp> {
    let old = primary_ip::expect(tx, server.project, id)?;
    let refused = |code, text: &str| Err(Error::refused(code, format!("primary IP with ID '{id}' {text}")));
    if old.value.family != family {
        return refused(ErrorCode::PrimaryIpVersionMismatch, "has another IP version");
    }
    if old.value.assignee.is_some() {
        return refused(ErrorCode::PrimaryIpAssigned, "is already assigned");
    }
    if old.value.details.location != server.details.location {
        return refused(ErrorCode::PrimaryIpDatacenterMismatch, "is in another location");
    }
    let mut new = old.value.clone();
    new.assignee = Some(server.id);
    primary_ip::update(tx, &old, &new)?;
    Ok(new)
}

/// Takes the addresses from a server that goes: its own go with it, the others stay, free.
pub(crate) fn release_of_server(tx: &mut dyn Tx, server: Id) -> Result<()> {
    for old in primary_ip::of_server(tx, server)? {
        if old.value.details.auto_delete {
            remove(tx, old.value.project, old.value.id)?;
        } else {
            let mut new = old.value.clone();
            new.assignee = None;
            primary_ip::update(tx, &old, &new)?;
        }
    }
    Ok(())
}

/// Removes a primary IP that nobody has any more.
pub(crate) fn remove(tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
    let old = primary_ip::expect(tx, project, id)?.value;
    primary_ip::delete(tx, &old)?;
    address::release(tx, Kind::PrimaryIp, id)
}

fn check_create(request: &wire::CreatePrimaryIp, dialect: Dialect) -> Result<()> {
    let mut fields = input::wrong(name::resource_name, Some(&request.name), Some(&request.labels));
    if request.assignee_type == Some(wire::AssigneeType::Unassigned) && request.assignee_id.is_some() {
        fields.push(FieldError::new("assignee_type", "contradicts assignee_id"));
    }
    let placed = request.location.is_some() || request.datacenter.is_some();
    match (placed, request.assignee_id.is_some()) {
        (true, true) => {
            let field = if request.location.is_some() { "location" } else { "datacenter" };
            fields.push(FieldError::new("assignee_id", format!("must not be given together with {field}")));
            fields.push(FieldError::new(field, "must not be given together with assignee_id"));
        }
        (false, false) => {
            let field = if dialect.document() == Document::D2023 { "datacenter" } else { "location" };
            fields.push(FieldError::new(field, format!("either {field} or assignee_id is required")));
        }
        _ => {}
    }
    input::refuse(fields)
}

impl Control {
    /// Creates a primary IP, free or for a server that is off; the answer holds the assignment's action, if any.
    ///
    /// # Errors
    /// `invalid_input`, `not_found`, `uniqueness_error`, `server_not_stopped`, `locked`, `server_has_ipv4`,
    /// `server_has_ipv6`.
    pub async fn create_primary_ip(&self, caller: &Caller, request: wire::CreatePrimaryIp) -> Result<Json> {
        check_create(&request, caller.dialect)?;
        let (core, project) = (Arc::clone(&self.core), caller.project);
        self.write_shown(caller, vec![Race::Project(project), Race::Addresses], move |tx| {
            let (id, assignment) = create(tx, &core, project, &request)?;
            Ok(Shown::one(Kind::PrimaryIp, id).any_action(assignment))
        })
        .await
    }

    /// Changes name, labels and auto_delete.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`.
    pub async fn update_primary_ip(&self, caller: &Caller, id: Id, update: wire::UpdatePrimaryIp) -> Result<Json> {
        input::refuse(input::wrong(name::resource_name, update.name.as_deref(), update.labels.as_ref()))?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let old = primary_ip::expect(tx, project, id)?;
            let mut new = old.value.clone();
            input::set(&mut new.name, update.name.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
            if let Some(auto_delete) = update.auto_delete {
                rules::check_protection("auto_delete", new.details.delete_protected, auto_delete)
                    .map_err(|e| Error::invalid_fields(vec![e]))?;
                new.details.auto_delete = auto_delete;
            }
            if new != old.value {
                primary_ip::update(tx, &old, &new)?;
            }
            Ok(Shown::one(Kind::PrimaryIp, id))
        })
        .await
    }

    /// Switches delete protection.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` while auto_delete is on (dialects D.1).
    pub async fn change_primary_ip_protection(
        &self,
        caller: &Caller,
        id: Id,
        change: ChangeDeleteProtection,
    ) -> Result<Json> {
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = primary_ip::expect(tx, project, id)?;
                let mut new = old.value.clone();
                if let Some(protect) = change.delete {
                    rules::check_protection("delete", protect, old.value.details.auto_delete)
                        .map_err(|e| Error::invalid_fields(vec![e]))?;
                    new.details.delete_protected = protect;
                }
                if new != old.value {
                    primary_ip::update(tx, &old, &new)?;
                }
                action::done(tx, project, "change_protection", vec![Target::new(Kind::PrimaryIp, id)])
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Deletes a primary IP. An assigned one is refused since 2026-05; before, it is taken from its stopped server.
    ///
    /// # Errors
    /// `not_found`, `protected`, `must_be_unassigned`, `server_not_stopped`, `locked`, `server_is_load_balancer_target`.
    pub async fn delete_primary_ip(&self, caller: &Caller, id: Id) -> Result<()> {
        let (core, project, dialect) = (Arc::clone(&self.core), caller.project, caller.dialect);
        self.db
            .write(vec![Race::Project(project), Race::Addresses], move |tx| {
                let mut loser = None;
                let old = primary_ip::expect(tx, project, id)?;
                if old.value.details.delete_protected {
                    return Err(Error::delete_protected(Kind::PrimaryIp));
                }
                if let Some(assignee) = old.value.assignee {
                    if dialect.refuses_delete_of_assigned_ip() {
                        return Err(Error::must_be_unassigned(Kind::PrimaryIp));
                    }
                    loser = Some(assign::check_stopped(tx, project, assignee)?);
                    crate::load_balancer::check_unassign(tx, &old.value, assignee)?;
                    resource::touch(tx, Kind::Server, assignee)?;
                }
                remove(tx, project, id)?;
                loser.map_or(Ok(()), |server| crate::server::tell_addresses(tx, &core, &server))
            })
            .await
    }
}

fn create(tx: &mut dyn Tx, core: &Core, project: Id, request: &wire::CreatePrimaryIp) -> Result<(Id, Option<Id>)> {
    let family = family(request.kind);
    let place = match request.assignee_id {
        Some(assignee) => {
            let server = assign::check_assignee(tx, project, assignee, family)?;
            Place { location: server.details.location, datacenter: server.details.datacenter }
        }
        None => place::asked(&core.catalogue(), request.location.as_ref(), request.datacenter.as_ref())?
            .ok_or_else(|| Error::internal("a primary IP without a place"))?,
    };
    let new = New {
        name: Some(&request.name),
        family,
        place,
        assignee: request.assignee_id,
        auto_delete: request.auto_delete,
        labels: &request.labels,
    };
    let id = insert(tx, core, project, &new)?.id;
    let Some(assignee) = request.assignee_id else { return Ok((id, None)) };
    resource::touch(tx, Kind::Server, assignee)?;
    let resources = vec![Target::new(Kind::Server, assignee), Target::new(Kind::PrimaryIp, id)];
    Ok((id, Some(action::done(tx, project, "assign_primary_ip", resources)?.action)))
}
