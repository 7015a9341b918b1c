//! Servers behind firewalls: what they show, and how selectors follow them as they come, go and are relabelled.
//!
//! **Invariant:** a server came to a firewall by a selector exactly when its labels match it.

use super::apply::{Subject, WHAT};
use crate::action;
use crate::core::Core;
use crate::real;
use std::collections::BTreeSet;
use wolke_domain::action::Target;
use wolke_domain::server::Server;
use wolke_domain::{Error, FieldError, Result, label};
use wolke_store::firewall::{DIRECT, Edge};
use wolke_store::list::{ListQuery, page};
use wolke_store::{Tx, firewall, resource, server};
use wolke_wire::cloud::server::{CreateServerFirewall, FirewallStatus, ServerFirewall};
use wolke_wire::selector::Selector;
use wolke_wire::{Id, Kind};

fn parse(text: &str) -> Result<Selector> {
    Selector::parse(text).map_err(|e| Error::internal(format!("selector {text} of a firewall: {e}")))
}

/// Puts all servers that a selector matches behind a firewall; returns them.
pub(super) fn match_all(tx: &mut dyn Tx, core: &Core, subject: Subject, text: &str) -> Result<Vec<Id>> {
    let query = ListQuery {
        kind: Kind::Server,
        project: subject.project,
        filters: Vec::new(),
        of: None,
        selector: parse(text)?,
        sort: Vec::new(),
        offset: 0,
        limit: i64::MAX,
    };
    let matched = page(tx, &query)?.entries;
    for (id, _) in &matched {
        let found = server::expect(tx, subject.project, *id)?;
        real::check_simulated(core, &found.value, WHAT)?;
        firewall::add_server(tx, &Edge { firewall: subject.firewall, via: text.to_owned(), server: *id })?;
    }
    Ok(matched.into_iter().map(|(id, _)| id).collect())
}

/// A server is new, or has other labels: selectors take it in and let it go. Its own rev is the caller's to bump.
///
/// # Errors
/// `unsupported_error` when a selector would take in a server on a real host.
pub(crate) fn joined(tx: &mut dyn Tx, core: &Core, server: &Server) -> Result<()> {
    let selectors = firewall::selectors_of_project(tx, server.project)?;
    if selectors.is_empty() {
        return Ok(());
    }
    let before: BTreeSet<(Id, String)> =
        firewall::of_server(tx, server.id)?.into_iter().map(|edge| (edge.firewall, edge.via)).collect();
    for (id, text) in selectors {
        let edge = Edge { firewall: id, via: text.clone(), server: server.id };
        let changed = if label::matches(&parse(&text)?, &server.details.labels) {
            let is_new = !before.contains(&(id, text));
            if is_new {
                real::check_simulated(core, server, WHAT)?;
                firewall::add_server(tx, &edge)?;
            }
            is_new
        } else {
            before.contains(&(id, text)) && firewall::remove_server(tx, &edge)?
        };
        if changed {
            resource::touch(tx, Kind::Firewall, id)?;
        }
    }
    Ok(())
}

/// The firewalls of a server, as it shows them. Simulated ones are in force at once.
pub(crate) fn of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<ServerFirewall>> {
    let mut ids: Vec<Id> = firewall::of_server(tx, server)?.into_iter().map(|edge| edge.firewall).collect();
    ids.dedup();
    Ok(ids.into_iter().map(|id| ServerFirewall { id, status: FirewallStatus::Applied }).collect())
}

/// What is wrong with the firewalls that a new server names.
pub(crate) fn wrong_ids(wanted: &[CreateServerFirewall], has_interface: bool) -> Vec<FieldError> {
    if !wanted.is_empty() && !has_interface {
        return vec![FieldError::new("firewalls", "needs a public interface")];
    }
    let mut seen = BTreeSet::new();
    let again = wanted.iter().enumerate().filter(|(_, one)| !seen.insert(one.firewall));
    again.map(|(position, _)| FieldError::new(format!("firewalls[{position}].firewall"), "is named twice")).collect()
}

/// Applies firewalls to a new server; returns the actions that show it.
///
/// # Errors
/// `not_found`; `unsupported_error` where the server will be real.
pub(crate) fn apply_to_new(
    tx: &mut dyn Tx,
    core: &Core,
    server: &Server,
    wanted: &[CreateServerFirewall],
) -> Result<Vec<Id>> {
    joined(tx, core, server)?;
    if !wanted.is_empty() {
        real::check_simulated(core, server, WHAT)?;
    }
    let mut actions = Vec::with_capacity(wanted.len());
    for CreateServerFirewall { firewall: id } in wanted {
        firewall::expect(tx, server.project, *id)?;
        firewall::add_server(tx, &Edge { firewall: *id, via: DIRECT.into(), server: server.id })?;
        resource::touch(tx, Kind::Firewall, *id)?;
        let targets = vec![Target::new(Kind::Server, server.id), Target::new(Kind::Firewall, *id)];
        actions.push(action::done(tx, server.project, "apply_firewall", targets)?.action);
    }
    Ok(actions)
}

/// Takes a server that goes from behind its firewalls.
pub(crate) fn release_of_server(tx: &mut dyn Tx, server: Id) -> Result<()> {
    let mut ids: Vec<Id> = firewall::of_server(tx, server)?.into_iter().map(|edge| edge.firewall).collect();
    ids.dedup();
    firewall::forget_server(tx, server)?;
    ids.into_iter().try_for_each(|id| resource::touch(tx, Kind::Firewall, id))
}
