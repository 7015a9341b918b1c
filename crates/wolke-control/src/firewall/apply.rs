//! Applying firewalls to servers and selectors, and taking them off (fact sheet §3.6).

use super::{ACTIONS_MAX, begin_all, servers};
use crate::action;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::real;
use crate::server::check_not_doomed;
use crate::view::{Json, Shown};
use std::collections::BTreeSet;
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::{Error, FieldError, Result, firewall as rules};
use wolke_store::firewall::Removed;
use wolke_store::{Race, Tx, firewall, primary_ip, resource, selection, server};
use wolke_wire::cloud::firewall::{self as wire, ResourceType};
use wolke_wire::selector::Selector;
use wolke_wire::{Dialect, ErrorCode, Id, Kind};

/// What real servers cannot have yet.
pub(super) const WHAT: &str = "a firewall";

/// Something that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Server(Id),
    Selector(String),
}

impl Wanted {
    const fn server(&self) -> Option<Id> {
        match self {
            Self::Server(id) => Some(*id),
            Self::Selector(_) => None,
        }
    }

    fn selector(&self) -> Option<&str> {
        match self {
            Self::Server(_) => None,
            Self::Selector(text) => Some(text),
        }
    }
}

/// The firewall that is applied.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub project: Id,
    pub firewall: Id,
    /// Whether contention is refused.
    pub refuse: bool,
    /// Whether it is being made by this request, which has codes of its own.
    pub is_new: bool,
    /// Whose codes.
    pub dialect: Dialect,
}

/// Reads what a request names; `list` is the name of the list.
pub(super) fn wanted(resources: &[wire::Resource], list: &str) -> std::result::Result<Vec<Wanted>, Vec<FieldError>> {
    if resources.len() > rules::RESOURCES_MAX {
        let message = format!("must not have more than {} entries", rules::RESOURCES_MAX);
        return Err(vec![FieldError::new(list, message)]);
    }
    let mut wrong = Vec::new();
    let mut wanted = Vec::with_capacity(resources.len());
    for (position, resource) in resources.iter().enumerate() {
        match one(resource, &format!("{list}[{position}]")) {
            Ok(one) => wanted.push(one),
            Err(fields) => wrong.extend(fields),
        }
    }
    if wrong.is_empty() { Ok(wanted) } else { Err(wrong) }
}

/// Reads one of them: exactly the member of its type, and well formed; all that is wrong with it is told.
fn one(resource: &wire::Resource, field: &str) -> std::result::Result<Wanted, Vec<FieldError>> {
    let by_server = if resource.server.is_some() { Some(ResourceType::Server) } else { None };
    let by_selector = resource.label_selector.as_ref().map(|_| ResourceType::LabelSelector);
    let wrong = |member: &str, message: String| FieldError::new(format!("{field}.{member}"), message);
    let Some(kind) = resource.kind.or(by_server).or(by_selector) else {
        return Err(vec![wrong("type", "is required".into())]);
    };
    let (alien, read) = match kind {
        ResourceType::Server => {
            let missing = || wrong("server", "is required".into());
            (by_selector, resource.server.map(|server| Wanted::Server(server.id)).ok_or_else(missing))
        }
        ResourceType::LabelSelector => {
            let read = match &resource.label_selector {
                Some(by) => selector(&by.selector).map_err(|fault| wrong("label_selector.selector", fault)),
                None => Err(wrong("label_selector", "is required".into())),
            };
            (by_server, read)
        }
    };
    match (alien.map(|kind| wrong(kind.as_str(), format!("can only be used with type {kind}"))), read) {
        (None, Ok(wanted)) => Ok(wanted),
        (alien, read) => Err(alien.into_iter().chain(read.err()).collect()),
    }
}

fn selector(text: &str) -> std::result::Result<Wanted, String> {
    if text.len() > rules::SELECTOR_BYTES_MAX {
        return Err(format!("must not be longer than {} bytes", rules::SELECTOR_BYTES_MAX));
    }
    match Selector::parse(text) {
        Ok(selector) if selector.is_empty() => Err("must not be empty".into()),
        Ok(_) => Ok(Wanted::Selector(text.to_owned())),
        Err(error) => Err(error.to_string()),
    }
}

/// Applies a firewall; returns servers that it reaches by that, each once: all that are named, and of those of each selector
/// as many as get an action. Both ends are touched.
///
/// # Errors
/// `firewall_resource_not_found`, `private_net_only_server` or `incompatible_network_type`, `firewall_already_applied` or
/// `server_already_added`; `locked`; `unsupported_error`; `resource_limit_exceeded` for too many selectors, servers, or
/// firewalls of a server.
pub(super) fn apply(tx: &mut dyn Tx, core: &Core, subject: Subject, wanted: &[Wanted]) -> Result<Vec<Id>> {
    let mut reached = BTreeSet::new();
    let mut selected = match wanted.iter().any(|one| one.selector().is_some()) {
        true => selection::matched(tx, (Kind::Firewall, subject.firewall))?,
        false => 0,
    };
    for one in wanted {
        match one {
            Wanted::Server(id) => {
                check_server(tx, core, subject, *id)?;
                if !firewall::add_server(tx, subject.firewall, *id)? {
                    return Err(rules::already_applied(&format!("server with ID '{id}'"), subject.is_new));
                }
                servers::check_number(tx, *id)?;
                resource::touch(tx, Kind::Server, *id)?;
                reached.insert(*id);
            }
            Wanted::Selector(text) => {
                let Some(added) =
                    firewall::add_selector(tx, (subject.project, subject.firewall), text, ACTIONS_MAX as i64)?
                else {
                    return Err(rules::already_applied(&format!("label selector '{text}'"), subject.is_new));
                };
                // Before the next one joins: what is refused shall not have cost much.
                selected += added.matched;
                rules::check_selected(selected)?;
                servers::check_matched(tx, core, subject, text)?;
                reached.extend(added.reached);
            }
        }
    }
    if selection::count_of_owner(tx, (Kind::Firewall, subject.firewall))? > rules::RESOURCES_MAX as i64 {
        return Err(rules::too_many_selectors());
    }
    if firewall::has_more_servers_than(tx, subject.firewall, rules::SERVERS_MAX)? {
        return Err(rules::too_many_servers());
    }
    if !wanted.is_empty() {
        resource::touch(tx, Kind::Firewall, subject.firewall)?;
    }
    Ok(reached.into_iter().collect())
}

/// A server that a request names must have something to guard.
fn check_server(tx: &mut dyn Tx, core: &Core, subject: Subject, id: Id) -> Result<()> {
    let Some(server) = server::get(tx, subject.project, id)? else { return Err(rules::resource_not_found(id)) };
    check_not_doomed(&server.value)?;
    action::check_contention(tx, subject.refuse, Target::new(Kind::Server, id))?;
    real::check_simulated(core, &server.value, WHAT)?;
    if primary_ip::of_server(tx, id)?.is_empty() {
        let message = format!("server with ID '{id}' has no public interface");
        let code = if subject.is_new { ErrorCode::IncompatibleNetworkType } else { ErrorCode::PrivateNetOnlyServer };
        return Err(Error::refused(code, message));
    }
    Ok(())
}

/// Takes a firewall off; returns the servers that it leaves by that, each once. Both ends are touched. Selectors go first:
/// who came by one of them is not managed by it any more.
fn remove(tx: &mut dyn Tx, subject: Subject, wanted: &[Wanted]) -> Result<Vec<Id>> {
    let Subject { project, firewall: id, dialect, .. } = subject;
    let absent = || {
        if !dialect.refuses_removal_of_absent_firewall() {
            return Ok(());
        }
        Err(Error::refused(ErrorCode::FirewallAlreadyRemoved, "firewall is not applied to the resource"))
    };
    let (mut gone, mut came) = (BTreeSet::new(), BTreeSet::new());
    for text in wanted.iter().filter_map(Wanted::selector) {
        match firewall::remove_selector(tx, id, text)? {
            Some(Removed { matched, left }) => {
                came.extend(matched);
                gone.extend(left);
            }
            None => absent()?,
        }
    }
    for server in wanted.iter().filter_map(Wanted::server) {
        if server::get(tx, project, server)?.is_none() {
            return Err(rules::resource_not_found(server));
        }
        action::check_contention(tx, subject.refuse, Target::new(Kind::Server, server))?;
        let was_named = firewall::remove_server(tx, id, server)?;
        match (was_named, selection::selects(tx, (Kind::Firewall, id), server)?) {
            (true, true) => {}
            (true, false) => {
                resource::touch(tx, Kind::Server, server)?;
                gone.insert(server);
            }
            (false, true) => return Err(rules::managed_by_selector(server)),
            (false, false) if came.contains(&server) => {}
            (false, false) => absent()?,
        }
    }
    resource::touch(tx, Kind::Firewall, id)?;
    Ok(gone.into_iter().collect())
}

impl Control {
    /// Applies a firewall to servers, and to all servers whose labels match selectors, now and later.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, and those of `apply`.
    pub async fn apply_firewall(&self, caller: &Caller, id: Id, request: wire::ApplyToResources) -> Result<Json> {
        let wanted = wanted(&request.apply_to, "apply_to").map_err(Error::invalid_fields)?;
        let (core, refuse) = (Arc::clone(&self.core), self.options.refuse_contention);
        let (project, dialect) = (caller.project, caller.dialect);
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            firewall::expect(tx, project, id)?;
            let subject = Subject { project, firewall: id, refuse, is_new: false, dialect };
            let reached = apply(tx, &core, subject, &wanted)?;
            Ok(Shown::new().actions("actions", begin_all(tx, (project, id), "apply_firewall", &reached)?))
        })
        .await
    }

    /// Takes a firewall off servers and selectors. What it is not applied to is no error any more since 2025.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `firewall_resource_not_found`, `firewall_managed_by_label_selector`, `locked`; in 2023
    /// `firewall_already_removed`.
    pub async fn remove_firewall(&self, caller: &Caller, id: Id, request: wire::RemoveFromResources) -> Result<Json> {
        let wanted = wanted(&request.remove_from, "remove_from").map_err(Error::invalid_fields)?;
        let (project, dialect, refuse) = (caller.project, caller.dialect, self.options.refuse_contention);
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            firewall::expect(tx, project, id)?;
            let subject = Subject { project, firewall: id, refuse, is_new: false, dialect };
            let left = remove(tx, subject, &wanted)?;
            Ok(Shown::new().actions("actions", begin_all(tx, (project, id), "remove_firewall", &left)?))
        })
        .await
    }
}
