//! Primary IPs: operations and view. Moving them between servers: `primary_ip/assign.rs`; reverse DNS: `primary_ip/dns.rs`; what
//! servers and load balancers do with theirs when they are made and when they go: `primary_ip/held.rs`.
//!
//! Those of load balancers are hidden from dialects that know servers alone as assignees: they are not found there (decision 0019).

mod assign;
mod dns;
mod held;

use crate::action;
use crate::address::{allocate, family, ip_type};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::input;
use crate::place::{self, Place};
use crate::view::{Json, Shown};
pub(crate) use dns::change_entry;
pub(crate) use held::{Holder, make_for, release_of, take_for};
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::catalogue::Catalogue;
use wolke_domain::primary_ip::Assignee;
use wolke_domain::{Error, FieldError, Result, name, primary_ip as rules, reverse_dns};
use wolke_store::primary_ip::{Details, PrimaryIp};
use wolke_store::{Counter, Race, Stored, Tx, address, limit, primary_ip, resource};
use wolke_wire::cloud::primary_ip as wire;
use wolke_wire::cloud::{ChangeDeleteProtection, DeleteProtection, Embed};
use wolke_wire::dialect::Document;
use wolke_wire::{Dialect, Id, Kind};

/// Whether a dialect does not know such a primary IP.
pub(crate) fn is_hidden(ip: &PrimaryIp, dialect: Dialect) -> bool {
    dialect.hides_primary_ips_of_load_balancers() && matches!(ip.assignee, Some(Assignee::LoadBalancer(_)))
}

/// A primary IP that a caller asks for.
fn expect(tx: &mut dyn Tx, caller: &Caller, id: Id) -> Result<Stored<PrimaryIp>> {
    let found = primary_ip::expect(tx, caller.project, id)?;
    if is_hidden(&found.value, caller.dialect) { Err(Error::not_found(Kind::PrimaryIp, id)) } else { Ok(found) }
}

/// A primary IP as the contract shows it; none where the dialect does not know it.
pub(crate) fn to_wire(ip: &PrimaryIp, catalogue: &Catalogue, dialect: Dialect) -> Result<Option<wire::PrimaryIp>> {
    if is_hidden(ip, dialect) {
        return Ok(None);
    }
    let datacenter = match ip.details.datacenter {
        Some(datacenter) => datacenter,
        None => place::in_location(catalogue, ip.details.location)?.datacenter,
    };
    Ok(Some(wire::PrimaryIp {
        id: ip.id,
        name: ip.name.clone(),
        ip: ip.ip.clone(),
        kind: ip_type(ip.family),
        assignee_id: ip.assignee.map(|assignee| assignee.target().id),
        assignee_type: match ip.assignee {
            Some(Assignee::LoadBalancer(_)) => wire::AssigneeType::LoadBalancer,
            None if dialect.reports_unassigned() => wire::AssigneeType::Unassigned,
            None | Some(Assignee::Server(_)) => wire::AssigneeType::Server,
        },
        auto_delete: ip.details.auto_delete,
        blocked: ip.details.blocked,
        dns_ptr: reverse_dns::shown(&ip.ip, &ip.details.dns_ptr),
        location: Embed(Kind::Location, ip.details.location),
        datacenter: Embed(Kind::Datacenter, datacenter),
        protection: DeleteProtection { delete: ip.details.delete_protected },
        labels: ip.details.labels.clone(),
        created: ip.created,
    }))
}

/// What a new primary IP shall be.
struct New<'a> {
    name: Option<&'a str>,
    family: i64,
    place: Place,
    assignee: Option<Assignee>,
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
            datacenter: Some(new.place.datacenter),
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
        let owner = *caller;
        self.write_shown(caller, vec![Race::Project(owner.project)], move |tx| {
            let old = expect(tx, &owner, id)?;
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
        let (owner, project) = (*caller, caller.project);
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = expect(tx, &owner, id)?;
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

    /// Deletes a primary IP. An assigned one is refused since 2026-05; before, it is taken from its stopped server. A load
    /// balancer keeps its own in every dialect that knows them.
    ///
    /// # Errors
    /// `not_found`, `protected`, `must_be_unassigned`, `server_not_stopped`, `locked`, `server_is_load_balancer_target`.
    pub async fn delete_primary_ip(&self, caller: &Caller, id: Id) -> Result<()> {
        let (core, owner, project) = (Arc::clone(&self.core), *caller, caller.project);
        self.db
            .write(vec![Race::Project(project), Race::Addresses], move |tx| {
                let mut loser = None;
                let old = expect(tx, &owner, id)?;
                if old.value.details.delete_protected {
                    return Err(Error::delete_protected(Kind::PrimaryIp));
                }
                if let Some(assignee) = old.value.assignee {
                    let unassigns = !owner.dialect.refuses_delete_of_assigned_ip();
                    let server = assignee.server().filter(|_| unassigns);
                    let server = server.ok_or_else(|| Error::must_be_unassigned(Kind::PrimaryIp))?;
                    loser = Some(assign::check_stopped(tx, project, server)?);
                    crate::load_balancer::check_unassign(tx, &old.value, server)?;
                    resource::touch(tx, Kind::Server, server)?;
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
        assignee: request.assignee_id.map(Assignee::Server),
        auto_delete: request.auto_delete,
        labels: &request.labels,
    };
    let id = insert(tx, core, project, &new)?.id;
    let Some(assignee) = request.assignee_id else { return Ok((id, None)) };
    resource::touch(tx, Kind::Server, assignee)?;
    let resources = vec![Target::new(Kind::Server, assignee), Target::new(Kind::PrimaryIp, id)];
    Ok((id, Some(action::done(tx, project, "assign_primary_ip", resources)?.action)))
}
