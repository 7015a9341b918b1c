//! Looking: at work in flight, from which the model learns how far it is, and at everything else, which must be as predicted.

use crate::model::{Model, Project, Slot, TENANTS, Tenant};
use crate::server::{Task, Work};
use crate::system::System;
use crate::{floating_ip, load_balancer, network, primary_ip, server, volume};
use serde_json::Value;
use wolke_domain::{Error, Result};
use wolke_store::{Tx, invariant};
use wolke_wire::Kind;

/// How clients see what lives in a slot.
type Show = fn(&Project, Slot) -> Value;

/// Every kind that the model knows.
pub const KINDS: [(Kind, Show); 6] = [
    (Kind::Server, server::shown),
    (Kind::Volume, volume::shown),
    (Kind::Network, network::shown),
    (Kind::PrimaryIp, primary_ip::shown),
    (Kind::FloatingIp, floating_ip::shown),
    (Kind::LoadBalancer, load_balancer::shown),
];

fn wrong<T>(text: impl Into<String>) -> Result<T> {
    Err(Error::internal(text))
}

/// What of `expected` the shown value has otherwise. Members that are not expected may be there; lists are exact. Where health
/// checks take time the model does not know what they have found so far.
fn difference(path: &str, expected: &Value, shown: &Value, checks_take_time: bool) -> Option<String> {
    match (expected, shown) {
        _ if checks_take_time && path.contains(".health_status[") && path.ends_with("].status") => None,
        (Value::Object(expected), Value::Object(shown))
            if path.ends_with("labels") && expected.len() != shown.len() =>
        {
            Some(format!("{path} is {shown:?} instead of {expected:?}"))
        }
        (Value::Object(expected), Value::Object(shown)) => expected.iter().find_map(|(name, expected)| {
            let absent = Value::String("absent".into());
            difference(&format!("{path}.{name}"), expected, shown.get(name).unwrap_or(&absent), checks_take_time)
        }),
        (Value::Array(expected), Value::Array(shown)) if expected.len() == shown.len() => {
            let mut pairs = expected.iter().zip(shown).enumerate();
            pairs.find_map(|(n, (expected, shown))| {
                difference(&format!("{path}[{n}]"), expected, shown, checks_take_time)
            })
        }
        _ if expected == shown => None,
        _ => Some(format!("{path} is {shown} instead of {expected}")),
    }
}

/// Looks at what is in flight, where strands may have moved: how far it is must be one of the ways in which it can be.
pub async fn look(model: &mut Model, system: &System, have_moved: bool) -> Result<()> {
    for tenant in 0..TENANTS {
        if have_moved {
            server::note_interfaces(&mut model.projects[tenant]);
        }
        let busy = |project: &Project| -> Vec<Slot> {
            project.servers.iter().filter(|(_, one)| !one.work.is_empty()).map(|(slot, _)| *slot).collect()
        };
        for slot in busy(&model.projects[tenant]) {
            look_at(model, system, tenant, slot).await?;
        }
        let caller = system.caller(model, tenant);
        let mut left = Vec::new();
        for work in std::mem::take(&mut model.projects[tenant].orphans) {
            match status(system, &caller, &work).await?.as_str() {
                "running" => left.push(work),
                "error" if work.kind == Task::Delete => return wrong("a server is gone, and its delete has failed"),
                _ => {}
            }
        }
        model.projects[tenant].orphans = left;
    }
    Ok(())
}

async fn status(system: &System, caller: &wolke_control::Caller, work: &Work) -> Result<String> {
    let Some(action) = system.get(caller, Kind::Action, work.action).await? else {
        return wrong(format!("the action of {work:?} is lost"));
    };
    Ok(action["status"].as_str().unwrap_or_default().to_owned())
}

async fn look_at(model: &mut Model, system: &System, tenant: Tenant, slot: Slot) -> Result<()> {
    let caller = system.caller(model, tenant);
    let project = &mut model.projects[tenant];
    let found = project.servers.get_mut(&slot).unwrap();
    let Some(shown) = system.get(&caller, Kind::Server, found.id).await? else {
        if !found.doomed {
            return wrong(format!("server-{slot} is gone, and nobody has deleted it"));
        }
        server::remove(project, slot);
        return Ok(());
    };
    while let Some(work) = found.work.first() {
        let status = status(system, &caller, work).await?;
        if status == "running" {
            break;
        }
        let work = found.work.remove(0);
        found.settled = server::ended(&work, &status, found.settled, found.doomed)?;
    }
    for waiting in &found.work {
        if status(system, &caller, waiting).await? != "running" {
            return wrong(format!("server-{slot}: {waiting:?} has ended before its turn"));
        }
    }
    let before = std::mem::replace(&mut found.status, shown["status"].as_str().unwrap_or_default().to_owned());
    let on_its_way: &[&str] = match found.work.first().map(|work| work.kind) {
        None => &[],
        Some(Task::Create) => &["initializing"],
        Some(Task::Start) => &["initializing", "starting"],
        Some(Task::Stop) => &["stopping"],
        Some(Task::Delete) => &["deleting"],
    };
    let is_possible = found.status == found.settled
        || on_its_way.contains(&found.status.as_str())
        // Nobody looks any more at the machine of a server that goes.
        || (found.doomed && (found.status == "deleting" || found.status == before));
    if is_possible { Ok(()) } else { wrong(format!("server-{slot} was {before} and cannot be as it is: {found:?}")) }
}

/// At rest nothing is in flight.
pub async fn at_rest(model: &Model, system: &System) -> Result<()> {
    for project in &model.projects {
        let busy = project.servers.values().find(|server| !server.work.is_empty());
        if busy.is_some() || !project.orphans.is_empty() {
            return wrong(format!("still in flight at rest: {busy:?} {:?}", project.orphans));
        }
    }
    let left = system.control.list_projects().await?;
    if left.len() != TENANTS {
        return wrong(format!("projects are left: {left:?}"));
    }
    crate::common::check_at_rest(&system.db).map(|_| ())
}

/// Everything is as the model says: by id, in lists, from both ends of every edge; nothing else is there, and nobody sees what
/// is not theirs.
pub async fn check(model: &Model, system: &System) -> Result<()> {
    for (tenant, project) in model.projects.iter().enumerate() {
        let (caller, other) = (system.caller(model, tenant), system.caller(model, TENANTS - 1 - tenant));
        for (kind, show) in KINDS {
            let alive = project.alive(kind);
            let mut expected: Vec<(i64, Value)> = alive.iter().map(|(slot, id)| (*id, show(project, *slot))).collect();
            expected.sort_unstable_by_key(|(id, _)| *id);
            let list = Value::Array(system.list(&caller, kind).await?);
            let listed = Value::Array(expected.iter().map(|(_, value)| value.clone()).collect());
            if let Some(difference) = difference(kind.plural(), &listed, &list, system.checks_take_time) {
                return wrong(format!("in the list, {difference}"));
            }
            for (id, expected) in &expected {
                let shown = system.get(&caller, kind, *id).await?.unwrap_or_default();
                if let Some(difference) = difference(&format!("{kind} {id}"), expected, &shown, system.checks_take_time)
                {
                    return wrong(difference);
                }
                if system.get(&other, kind, *id).await?.is_some() {
                    return wrong(format!("{kind} {id} is seen by another project"));
                }
            }
            for ((_, slot), id) in project.dead.iter().filter(|((of, _), _)| *of == kind) {
                if system.get(&caller, kind, *id).await?.is_some() {
                    return wrong(format!("{kind} {id} of slot {slot} is there and should be gone"));
                }
            }
        }
    }
    system.db.read_blocking(|tx: &mut dyn Tx| {
        invariant::check(tx)?;
        crate::common::check_rooms(tx)
    })
}
