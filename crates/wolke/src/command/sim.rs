//! `wolke sim`. How the simulation behaves is a property of a running server, not of the database.

use super::body;
use crate::cli::{HostsVerb, LatencyVerb, Output, SimVerb};
use crate::failure::{Failure, Result};
use crate::output::{Column, print};
use crate::reach::Access;
use http::Method;
use serde_json::{Value, json};
use wolke_http::admin::types::SetSimulation;

const COLUMNS: &[Column] = &[("WORK", "work"), ("TAKES", "takes")];
const HOST_COLUMNS: &[Column] = &[("HOSTS PER LOCATION", "hosts")];

pub(super) async fn run(access: &Access, verb: &SimVerb) -> Result<()> {
    match verb {
        SimVerb::Latency(LatencyVerb::Show(output)) => show(&read(access).await?, *output),
        SimVerb::Latency(LatencyVerb::Set { preset, output }) => {
            let set = SetSimulation { preset: Some(preset.clone()), ..SetSimulation::default() };
            let hint = format!(": start one with `wolke serve --latency {preset}`");
            show(&change(access, &set, &hint).await?, *output)
        }
        SimVerb::Hosts(HostsVerb::Show(output)) => show_hosts(&read(access).await?, *output),
        SimVerb::Hosts(HostsVerb::Set { number, output }) => {
            let set = SetSimulation { hosts_per_location: Some(*number), ..SetSimulation::default() };
            show_hosts(&change(access, &set, "").await?, *output)
        }
    }
}

async fn read(access: &Access) -> Result<Value> {
    access.call(Method::GET, "/simulation", None).await
}

async fn change(access: &Access, set: &SetSimulation, hint: &str) -> Result<Value> {
    if !access.is_server() {
        return Err(Failure::new(format!("no server is running here, so nothing would be changed{hint}")));
    }
    access.call(Method::PUT, "/simulation", Some(&body(set)?)).await
}

fn show_hosts(simulation: &Value, output: Output) -> Result<()> {
    print(output.format, &json!([{ "hosts": simulation["hosts_per_location"] }]), HOST_COLUMNS)
}

fn show(simulation: &Value, output: Output) -> Result<()> {
    match output.format {
        crate::cli::Format::Json => print(output.format, simulation, &[]),
        crate::cli::Format::Table => print(output.format, &rows(&simulation["profile"]), COLUMNS),
    }
}

/// One row for each kind of work that has a policy.
fn rows(profile: &Value) -> Value {
    let policies = profile.as_object().into_iter().flatten();
    let rows: Vec<_> = policies.map(|(work, policy)| json!({"work": work, "takes": takes(policy)})).collect();
    if rows.is_empty() { json!([{"work": "everything", "takes": "no time"}]) } else { rows.into() }
}

fn takes(policy: &Value) -> String {
    let seconds = |member: &str| policy[member].as_f64().unwrap_or_default() / 1000.0;
    match policy["policy"].as_str().unwrap_or_default() {
        "immediate" => "no time".to_owned(),
        "after" => format!("{} s", seconds("ms")),
        "between" => format!("{} to {} s", seconds("min_ms"), seconds("max_ms")),
        "after_looks" => format!("{} looks", policy["n"]),
        "stuck" => "forever".to_owned(),
        "fail_once" => "fails once".to_owned(),
        "fail_always" => "fails".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::rows;
    use serde_json::json;
    use wolke_host::LatencyProfile;

    #[test]
    fn profiles_for_people() {
        let shown = |profile: LatencyProfile| rows(&serde_json::to_value(profile).unwrap());
        assert_eq!(shown(LatencyProfile::none()), json!([{"work": "everything", "takes": "no time"}]));
        let realistic = shown(LatencyProfile::realistic());
        assert!(realistic.as_array().unwrap().contains(&json!({"work": "create", "takes": "10 to 30 s"})));
    }
}
