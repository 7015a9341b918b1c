//! Giving floating IPs to servers, running or not, and taking them back.

use crate::action;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::real;
use crate::server::check_not_doomed;
use crate::view::Json;
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::server::Server;
use wolke_domain::{Error, Result, floating_ip as rules};
use wolke_store::{Race, Tx, floating_ip, resource, server};
use wolke_wire::cloud::floating_ip as wire;
use wolke_wire::{Id, Kind};

/// A server of the project that can be given a floating IP.
pub(super) fn check_receiver(tx: &mut dyn Tx, core: &Core, (project, refuse): (Id, bool), id: Id) -> Result<Server> {
    let server = server::expect(tx, project, id)?.value;
    check_not_doomed(&server)?;
    action::check_contention(tx, refuse, Target::new(Kind::Server, id))?;
    real::check_simulated(core, &server, "assigning a floating IP")?;
    Ok(server)
}

/// Notes that a server shows one less. It may be on its way out: an address must not be lost with a host that hangs.
pub(super) fn lose(tx: &mut dyn Tx, refuse: bool, server: Id) -> Result<()> {
    action::check_contention(tx, refuse, Target::new(Kind::Server, server))?;
    resource::touch(tx, Kind::Server, server)
}

pub(super) fn targets(server: Option<Id>, id: Id) -> Vec<Target> {
    let server = server.map(|server| Target::new(Kind::Server, server));
    server.into_iter().chain([Target::new(Kind::FloatingIp, id)]).collect()
}

impl Control {
    /// Assigns a floating IP to a server anywhere, also one that another server has (fact sheet §3.3).
    ///
    /// # Errors
    /// `not_found` for either; `floating_ip_assigned` when this server has it; `locked` when the server is being deleted or
    /// contention is refused; `unsupported_error` for a real server.
    pub async fn assign_floating_ip(&self, caller: &Caller, id: Id, request: wire::AssignFloatingIp) -> Result<Json> {
        let wanted = request.server.ok_or_else(|| Error::invalid("server", "must not be null"))?;
        let (core, project, refuse) = (Arc::clone(&self.core), caller.project, self.options.refuse_contention);
        let refuses_same = caller.dialect.refuses_assigned_floating_ip();
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = floating_ip::expect(tx, project, id)?;
                check_receiver(tx, &core, (project, refuse), wanted)?;
                if rules::check_assign(id, old.value.server, wanted, refuses_same)? {
                    if let Some(loser) = old.value.server {
                        lose(tx, refuse, loser)?;
                    }
                    let mut new = old.value.clone();
                    new.server = Some(wanted);
                    floating_ip::update(tx, &old, &new)?;
                    resource::touch(tx, Kind::Server, wanted)?;
                }
                action::done(tx, project, "assign_floating_ip", targets(Some(wanted), id))
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Takes a floating IP from its server. A free one is free already: the documents have no code for it, and the official
    /// client's suite does it.
    ///
    /// # Errors
    /// `not_found`; `locked` where contention is refused.
    pub async fn unassign_floating_ip(&self, caller: &Caller, id: Id) -> Result<Json> {
        let (project, refuse) = (caller.project, self.options.refuse_contention);
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = floating_ip::expect(tx, project, id)?;
                if let Some(loser) = old.value.server {
                    lose(tx, refuse, loser)?;
                    let mut new = old.value.clone();
                    new.server = None;
                    floating_ip::update(tx, &old, &new)?;
                }
                action::done(tx, project, "unassign_floating_ip", targets(old.value.server, id))
            })
            .await?;
        self.show_started(caller, started).await
    }
}
