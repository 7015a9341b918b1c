//! Firewalls: operations and view. How they come to servers and leave them stands in `firewall/apply.rs`.

mod apply;
mod servers;

use crate::action;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::input;
use crate::view::{Json, Large, Shown};
use apply::Wanted;
pub(crate) use servers::{apply_to_new, check_selected, of_server, wrong_ids};
use std::collections::BTreeSet;
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::{Error, Result, firewall as rules, name};
use wolke_store::action::PER_RESOURCE_MAX;
use wolke_store::firewall::{Applied, Details, Firewall};
use wolke_store::selection::Selection;
use wolke_store::{Counter, Race, Tx, firewall, limit, load_balancer};
use wolke_wire::cloud::firewall as wire;
use wolke_wire::{Dialect, Id, Kind};

/// Servers that get an action of their own when a firewall changes; more of them follow without.
const ACTIONS_MAX: usize = 250;
// A firewall keeps so many actions: those of one answer must all be among them.
const _: () = assert!((ACTIONS_MAX as i64) < PER_RESOURCE_MAX);

/// A firewall as the contract shows it: named servers, then selectors with the servers that they match.
pub(crate) fn to_wire(firewall: &Firewall, applied: Applied) -> wire::Firewall {
    let server = |id| wire::AppliedTo {
        kind: wire::ResourceType::Server,
        server: Some(wire::ResourceId { id }),
        label_selector: None,
        applied_to_resources: None,
    };
    let matched = |id| wire::AppliedResource { kind: wire::ResourceType::Server, server: wire::ResourceId { id } };
    let selector = |selection: Selection| wire::AppliedTo {
        kind: wire::ResourceType::LabelSelector,
        server: None,
        applied_to_resources: Some(selection.servers.into_iter().map(matched).collect()),
        label_selector: Some(wire::LabelSelector { selector: selection.selector }),
    };
    let servers = applied.servers.into_iter().map(server);
    wire::Firewall {
        id: firewall.id,
        name: firewall.name.clone(),
        labels: firewall.details.labels.clone(),
        created: firewall.created,
        rules: firewall.details.rules.clone(),
        applied_to: servers.chain(applied.selectors.into_iter().map(selector)).collect(),
    }
}

/// Actions for servers that a change of a firewall has reached, each once.
fn begin_all(tx: &mut dyn Tx, (project, id): (Id, Id), command: &str, servers: &[Id]) -> Result<Vec<Id>> {
    let targets = |server| vec![Target::new(Kind::Server, server), Target::new(Kind::Firewall, id)];
    let some = servers.iter().take(ACTIONS_MAX);
    some.map(|server| Ok(action::done(tx, project, command, targets(*server))?.action)).collect()
}

/// Servers behind a firewall that get an action of their own, each once, in the order of their ids.
fn behind(tx: &mut dyn Tx, id: Id) -> Result<Vec<Id>> {
    let Applied { servers, selectors } = firewall::applied(tx, id, ACTIONS_MAX as i64)?;
    let all: BTreeSet<Id> = servers.into_iter().chain(selectors.into_iter().flat_map(|one| one.servers)).collect();
    Ok(all.into_iter().collect())
}

fn create(
    tx: &mut dyn Tx,
    core: &Core,
    (project, dialect, refuse): (Id, Dialect, bool),
    (request, rules, wanted): (&wire::CreateFirewall, &[wire::Rule], &[Wanted]),
) -> Result<(Id, Vec<Id>)> {
    let new = Firewall {
        id: tx.next_id(Counter::Kind(Kind::Firewall))?,
        project,
        name: request.name.clone(),
        created: tx.now().whole_second(),
        details: Details { v: 1, rules: rules.to_vec(), labels: request.labels.clone() },
    };
    let number = firewall::insert(tx, &new)?;
    limit::check(tx, project, Kind::Firewall, number)?;
    let mut actions = Vec::new();
    if !rules.is_empty() {
        let on_firewall = vec![Target::new(Kind::Firewall, new.id)];
        actions.push(action::done(tx, project, "set_firewall_rules", on_firewall)?.action);
    }
    let subject = apply::Subject { project, firewall: new.id, refuse, is_new: true, dialect };
    let reached = apply::apply(tx, core, subject, wanted)?;
    actions.extend(begin_all(tx, (project, new.id), "apply_firewall", &reached)?);
    Ok((new.id, actions))
}

impl Control {
    /// Makes a firewall, and applies it at once to what the request names.
    ///
    /// # Errors
    /// `invalid_input`, `uniqueness_error`, `resource_limit_exceeded`; `server_already_added`, `incompatible_network_type`,
    /// `firewall_resource_not_found`; `locked`; `unsupported_error` for servers on real hosts.
    pub async fn create_firewall(&self, caller: &Caller, request: wire::CreateFirewall) -> Result<Json> {
        let mut fields = input::wrong(name::resource_name, Some(&request.name), Some(&request.labels));
        let checked = rules::canonical(&request.rules).map_err(|wrong| fields.extend(wrong)).unwrap_or_default();
        let wanted =
            apply::wanted(&request.apply_to, "apply_to").map_err(|wrong| fields.extend(wrong)).unwrap_or_default();
        input::refuse(fields)?;
        let (core, refuse) = (Arc::clone(&self.core), self.options.refuse_contention);
        let (project, dialect) = (caller.project, caller.dialect);
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let (id, actions) = create(tx, &core, (project, dialect, refuse), (&request, &checked, &wanted))?;
            Ok(Shown::one(Kind::Firewall, id).actions("actions", actions))
        })
        .await
    }

    /// Changes name and labels.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`.
    pub async fn update_firewall(&self, caller: &Caller, id: Id, update: wire::UpdateFirewall) -> Result<Json> {
        input::refuse(input::wrong(name::resource_name, update.name.as_deref(), update.labels.as_ref()))?;
        let firewalls = Large { kind: Kind::Firewall, find: firewall::expect, write: firewall::update };
        let change = move |new: &mut Firewall| {
            input::set(&mut new.name, update.name.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
        };
        let alone = |new: &Firewall| to_wire(new, Applied { servers: Vec::new(), selectors: Vec::new() });
        self.put(caller, firewalls, id, change, alone).await
    }

    /// Deletes a firewall that is applied to nothing, not even to a selector that matches nobody.
    ///
    /// # Errors
    /// `not_found`, `resource_in_use`.
    pub async fn delete_firewall(&self, caller: &Caller, id: Id) -> Result<()> {
        let project = caller.project;
        self.db
            .write(vec![Race::Project(project)], move |tx| {
                let old = firewall::expect(tx, project, id)?;
                rules::check_unused(id, firewall::is_applied(tx, id)?)?;
                firewall::delete(tx, &old.value)
            })
            .await
    }

    /// Replaces the rules. The actions: one of the firewall, and one for each server behind it.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`.
    pub async fn set_firewall_rules(&self, caller: &Caller, id: Id, request: wire::SetRules) -> Result<Json> {
        let checked = rules::canonical(&request.rules).map_err(Error::invalid_fields)?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let old = firewall::expect(tx, project, id)?;
            let mut new = old.value.clone();
            new.details.rules.clone_from(&checked);
            if new != old.value {
                firewall::update(tx, &old, &new)?;
                load_balancer::touch_behind(tx, id)?;
            }
            let on_firewall = vec![Target::new(Kind::Firewall, id)];
            let mut actions = vec![action::done(tx, project, "set_firewall_rules", on_firewall)?.action];
            let servers = behind(tx, id)?;
            actions.extend(begin_all(tx, (project, id), "apply_firewall", &servers)?);
            Ok(Shown::new().actions("actions", actions))
        })
        .await
    }
}

/// Removes a firewall that is applied to no server; its selectors go with it.
pub(crate) fn remove(tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
    let old = firewall::expect(tx, project, id)?;
    wolke_store::selection::forget(tx, (Kind::Firewall, id))?;
    firewall::delete(tx, &old.value)
}
