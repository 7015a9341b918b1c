//! Servers behind firewalls: what they show, and what must hold when a selector takes one in.

use super::apply::{Subject, WHAT};
use crate::action;
use crate::core::Core;
use crate::real;
use std::collections::BTreeSet;
use wolke_domain::action::Target;
use wolke_domain::server::Server;
use wolke_domain::{FieldError, Result, firewall as rules};
use wolke_store::{Tx, firewall, resource, selection, server};
use wolke_wire::cloud::server::{CreateServerFirewall, FirewallStatus, ServerFirewall};
use wolke_wire::{Id, Kind};

/// No server has more firewalls than it can have, whichever way they came.
pub(super) fn check_number(tx: &mut dyn Tx, server: Id) -> Result<()> {
    if firewall::count_of_server(tx, server)? > rules::PER_SERVER_MAX {
        return Err(rules::too_many_firewalls(server));
    }
    Ok(())
}

/// The servers that a firewall's new selector has taken in: each can have it.
pub(super) fn check_matched(tx: &mut dyn Tx, core: &Core, subject: Subject, selector: &str) -> Result<()> {
    if let Some(server) = firewall::overloaded(tx, subject.firewall, selector, rules::PER_SERVER_MAX)? {
        return Err(rules::too_many_firewalls(server));
    }
    if core.real().is_empty() {
        return Ok(());
    }
    // Where there are real hosts, who runs on them is not in a column: each server is looked at.
    for matched in selection::servers_of(tx, (Kind::Firewall, subject.firewall), selector)? {
        real::check_simulated(core, &server::expect(tx, subject.project, matched)?.value, WHAT)?;
    }
    Ok(())
}

/// A server is new, or has other labels, and selectors have taken it in: it can have the firewalls of those.
///
/// # Errors
/// `unsupported_error` on a real host; `resource_limit_exceeded` for too many firewalls.
pub(crate) fn check_selected(tx: &mut dyn Tx, core: &Core, server: &Server) -> Result<()> {
    if !selection::of_server(tx, server.id)?.iter().any(|by| by.kind == Kind::Firewall) {
        return Ok(());
    }
    real::check_simulated(core, server, WHAT)?;
    check_number(tx, server.id)
}

/// The firewalls of a server, as it shows them. Simulated ones are in force at once.
pub(crate) fn of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<ServerFirewall>> {
    let shown = |id| ServerFirewall { id, status: FirewallStatus::Applied };
    Ok(firewall::of_server(tx, server)?.into_iter().map(shown).collect())
}

/// What is wrong with the firewalls that a new server names.
pub(crate) fn wrong_ids(wanted: &[CreateServerFirewall], has_interface: bool) -> Vec<FieldError> {
    if !wanted.is_empty() && !has_interface {
        return vec![FieldError::new("firewalls", "needs a public interface")];
    }
    if wanted.len() as i64 > rules::PER_SERVER_MAX {
        let message = format!("must not have more than {} entries", rules::PER_SERVER_MAX);
        return vec![FieldError::new("firewalls", message)];
    }
    let mut seen = BTreeSet::new();
    let again = wanted.iter().enumerate().filter(|(_, one)| !seen.insert(one.firewall));
    again.map(|(position, _)| FieldError::new(format!("firewalls[{position}].firewall"), "is named twice")).collect()
}

/// Applies firewalls to a new server, beside those that have selected it; returns the actions that show it.
///
/// # Errors
/// `not_found`; `unsupported_error` where the server will be real; `resource_limit_exceeded`.
pub(crate) fn apply_to_new(
    tx: &mut dyn Tx,
    core: &Core,
    server: &Server,
    wanted: &[CreateServerFirewall],
) -> Result<Vec<Id>> {
    check_selected(tx, core, server)?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    real::check_simulated(core, server, WHAT)?;
    let mut actions = Vec::with_capacity(wanted.len());
    for CreateServerFirewall { firewall: id } in wanted {
        firewall::expect(tx, server.project, *id)?;
        firewall::add_server(tx, *id, server.id)?;
        if firewall::has_more_servers_than(tx, *id, rules::SERVERS_MAX)? {
            return Err(rules::too_many_servers());
        }
        resource::touch(tx, Kind::Firewall, *id)?;
        let targets = vec![Target::new(Kind::Server, server.id), Target::new(Kind::Firewall, *id)];
        actions.push(action::done(tx, server.project, "apply_firewall", targets)?.action);
    }
    check_number(tx, server.id)?;
    Ok(actions)
}
