//! Giving primary IPs to servers and taking them back (fact sheet §3.2). The server is off, so its machine learns of it at
//! the next start.

use crate::action;
use crate::control::{Caller, Control};
use crate::load_balancer::check_unassign;
use crate::server::tell_addresses;
use crate::view::Json;
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::primary_ip::Assignee;
use wolke_domain::server::Server;
use wolke_domain::{Error, Result, primary_ip as rules};
use wolke_store::{Race, Tx, primary_ip, resource, server, strand};
use wolke_wire::cloud::primary_ip as wire;
use wolke_wire::{ErrorCode, Id, Kind};

/// A server of the project whose addresses may change.
pub(super) fn check_stopped(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Server> {
    let server = server::expect(tx, project, id)?.value;
    rules::check_stopped(&server, strand::holder(tx, Kind::Server, id)?.is_some())?;
    Ok(server)
}

/// The server that a primary IP shall be assigned to: off, and without an address of that family.
pub(super) fn check_assignee(tx: &mut dyn Tx, project: Id, id: Id, family: i64) -> Result<Server> {
    let server = check_stopped(tx, project, id)?;
    if primary_ip::of_server(tx, id)?.iter().any(|a| a.value.family == family) {
        return Err(rules::has_family(family));
    }
    Ok(server)
}

fn targets(assignee: Option<Assignee>, id: Id) -> Vec<Target> {
    assignee.map(Assignee::target).into_iter().chain([Target::new(Kind::PrimaryIp, id)]).collect()
}

impl Control {
    /// Assigns a free primary IP to a server of its location.
    ///
    /// # Errors
    /// `not_found` for either; `primary_ip_already_assigned`, `server_not_stopped`, `locked`, `server_has_ipv4`,
    /// `server_has_ipv6`, `primary_ip_datacenter_mismatch`.
    pub async fn assign_primary_ip(&self, caller: &Caller, id: Id, request: wire::AssignPrimaryIp) -> Result<Json> {
        let (owner, project) = (*caller, caller.project);
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = super::expect(tx, &owner, id)?;
                let wanted = server::expect(tx, project, request.assignee_id)?.value;
                if old.value.assignee.is_some() {
                    let message = format!("primary IP with ID '{id}' is already assigned");
                    return Err(Error::refused(ErrorCode::PrimaryIpAlreadyAssigned, message));
                }
                if old.value.details.location != wanted.details.location {
                    let message = format!("primary IP with ID '{id}' is in another location");
                    return Err(Error::refused(ErrorCode::PrimaryIpDatacenterMismatch, message));
                }
                check_assignee(tx, project, wanted.id, old.value.family)?;
                let mut new = old.value.clone();
                new.assignee = Some(Assignee::Server(wanted.id));
                primary_ip::update(tx, &old, &new)?;
                resource::touch(tx, Kind::Server, wanted.id)?;
                action::done(tx, project, "assign_primary_ip", targets(new.assignee, id))
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Takes a primary IP from its server. It stays, also with auto_delete, which means "when the server is deleted". A
    /// free one is done at once: the documents have no code for it, and detaching an ISO without one is answered so, too. A load
    /// balancer keeps its own as long as it exists (decision 0019).
    ///
    /// # Errors
    /// `not_found`, `server_not_stopped`, `locked`, `server_is_load_balancer_target`; `unsupported_error` for that of a load
    /// balancer.
    pub async fn unassign_primary_ip(&self, caller: &Caller, id: Id) -> Result<Json> {
        let (core, owner, project) = (Arc::clone(&self.core), *caller, caller.project);
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = super::expect(tx, &owner, id)?;
                if let Some(assignee) = old.value.assignee {
                    let server = match assignee {
                        Assignee::Server(server) => check_stopped(tx, project, server)?,
                        Assignee::LoadBalancer(balancer) => return Err(rules::stays_with_load_balancer(id, balancer)),
                    };
                    check_unassign(tx, &old.value, server.id)?;
                    let mut new = old.value.clone();
                    new.assignee = None;
                    primary_ip::update(tx, &old, &new)?;
                    resource::touch(tx, Kind::Server, server.id)?;
                    tell_addresses(tx, &core, &server)?;
                }
                action::done(tx, project, "unassign_primary_ip", targets(old.value.assignee, id))
            })
            .await?;
        self.show_started(caller, started).await
    }
}
