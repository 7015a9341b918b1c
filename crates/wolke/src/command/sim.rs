//! `wolke sim`. How the simulation behaves is a property of a running server, not of the database.

use super::body;
use crate::cli::{LatencyVerb, Output, SimVerb};
use crate::failure::{Failure, Result};
use crate::output::{Column, print};
use crate::reach::Access;
use http::Method;
use serde_json::{Value, json};
use wolke_http::admin::types::SetSimulation;

const COLUMNS: &[Column] = &[("WORK", "work"), ("TAKES", "takes")];

pub(super) async fn run(access: &Access, verb: &SimVerb) -> Result<()> {
    let SimVerb::Latency(verb) = verb;
    match verb {
        LatencyVerb::Show(output) => show(&access.call(Method::GET, "/simulation", None).await?, *output),
        LatencyVerb::Set { preset, output } => {
            if !access.is_server() {
                return Err(Failure::new(format!(
                    "no server is running here, so nothing would be changed: start one with `wolke serve --latency {preset}`"
                )));
            }
            let set = body(&SetSimulation { preset: Some(preset.clone()), ..SetSimulation::default() })?;
            show(&access.call(Method::PUT, "/simulation", Some(&set)).await?, *output)
        }
    }
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
