//! A client whose answer was lost, because the process died after its commit: it looks for what it has asked for.

use crate::model::{Model, Slot, name};
use crate::step::{Step, What};
use crate::system::System;
use crate::{floating_ip, load_balancer, network, primary_ip, project, server, volume};
use serde_json::{Value, json};
use wolke_control::Caller;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind};

/// What a request was to make.
const fn made(what: &What) -> Option<(Kind, Slot)> {
    match what {
        What::Server(server::Step::Create(new)) => Some((Kind::Server, new.slot)),
        What::Volume(volume::Step::Create { slot, .. }) => Some((Kind::Volume, *slot)),
        What::Network(network::Step::Create { slot, .. }) => Some((Kind::Network, *slot)),
        What::PrimaryIp(primary_ip::Step::Create { slot, .. }) => Some((Kind::PrimaryIp, *slot)),
        What::FloatingIp(floating_ip::Step::Create { slot, .. }) => Some((Kind::FloatingIp, *slot)),
        What::Balancer(load_balancer::Step::Create(new)) => Some((Kind::LoadBalancer, new.slot)),
        _ => None,
    }
}

/// The answer, put together from what clients can ask for. `model` is as it was before.
pub async fn answer(step: &Step, model: &Model, system: &System) -> Result<Value> {
    let caller = system.caller(model, step.by);
    if let Some((kind, slot)) = made(&step.what) {
        let all = system.list(&caller, kind).await?;
        let found = all.into_iter().find(|one| one["name"] == name(kind, slot).as_str());
        let found = found.ok_or_else(|| Error::internal(format!("{kind} {slot} was lost with its answer")))?;
        let mut answer = json!({});
        if kind == Kind::Server {
            let of_command = |command| actions(system, &caller, found["id"].as_i64().unwrap_or_default(), command);
            answer["action"] = of_command("create_server").await?.pop().unwrap_or_default();
            answer["next_actions"] = of_command("start_server").await?.into();
        }
        answer[kind.singular()] = found;
        return Ok(answer);
    }
    match &step.what {
        What::Server(asked) => match asked.work() {
            Some((server, command)) => {
                let last = actions(system, &caller, model.id(step.by, server), command).await?.pop();
                Ok(json!({"action": last}))
            }
            None => Ok(Value::Null),
        },
        What::Project(_) => {
            let name = project::name(step.by, model.projects[step.by].number + 1);
            Ok(json!({"id": system.control.project(&name).await?.id}))
        }
        _ => Ok(Value::Null),
    }
}

/// The actions of a server with a command, the last one last.
async fn actions(system: &System, caller: &Caller, server: Id, command: &str) -> Result<Vec<Value>> {
    let mut all = system.page(caller, Kind::Action, Some((Kind::Server, Some(server)))).await?;
    all.retain(|action| action["command"] == command);
    all.sort_by_key(|action| action["id"].as_i64());
    Ok(all)
}
