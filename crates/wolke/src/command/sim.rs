//! `wolke sim`. How the simulation behaves is a property of a running server, not of the database.

use super::body;
use crate::cli::{HostsVerb, LatencyVerb, Output, SimVerb};
use crate::failure::{Failure, Result};
use crate::output::{Column, print};
use crate::reach::Access;
use http::Method;
use serde_json::{Value, json};
use wolke_host::work::ACTIONS;
use wolke_host::{LatencyProfile, Policy, SimFaults, Work};
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
        SimVerb::Policy { work, policy, message, output } => {
            let mut profile: LatencyProfile = part(&read(access).await?, "profile")?;
            let kind = kind(work).ok_or_else(|| Failure::usage(format!("there is no work called '{work}'")))?;
            match meaning(policy, message)? {
                Policy::Immediate => drop(profile.0.remove(&kind)),
                policy => drop(profile.0.insert(kind, policy)),
            }
            let set = SetSimulation { profile: Some(profile), ..SetSimulation::default() };
            show(&change(access, &set, "").await?, *output)
        }
        SimVerb::Fault { fault, state, output } => {
            let mut faults: SimFaults = part(&read(access).await?, "faults")?;
            let broken = state == "on";
            match fault.as_str() {
                "disk-full" => faults.disk_full = broken,
                _ => faults.no_guest_agent = broken,
            }
            let set = SetSimulation { faults: Some(faults), ..SetSimulation::default() };
            show_faults(&change(access, &set, "").await?, *output)
        }
    }
}

/// The work of machines that has a policy, as it is typed.
const MACHINES: [&str; 13] = [
    "create",
    "rebuild",
    "resize",
    "change",
    "start",
    "stop",
    "shutdown",
    "reboot",
    "reset",
    "snapshot",
    "set_password",
    "delete",
    "issue_certificate",
];

/// All work that has a policy: that of machines, and actions without any.
pub fn work() -> Vec<&'static str> {
    MACHINES.into_iter().chain(ACTIONS.iter().map(|(name, ..)| *name)).collect()
}

fn kind(work: &str) -> Option<Work> {
    serde_json::from_value(Value::from(work)).ok()
}

/// What a policy on the command line means.
fn meaning(text: &str, message: &str) -> Result<Policy> {
    let (code, message) = ("simulated".to_owned(), message.to_owned());
    Ok(match text {
        "none" => Policy::Immediate,
        "stuck" => Policy::Stuck,
        "fail" => Policy::FailAlways { code, message },
        "fail-once" => Policy::FailOnce { code, message },
        duration => {
            let ms = crate::duration::parse(duration).ok().and_then(|ms| u32::try_from(ms).ok());
            let wrong = || {
                Failure::usage(format!("'{text}' is neither none, stuck, fail, fail-once nor a duration such as 5s"))
            };
            Policy::After { ms: ms.ok_or_else(wrong)? }
        }
    })
}

/// A member of the simulation's document.
fn part<T: serde::de::DeserializeOwned>(simulation: &Value, name: &str) -> Result<T> {
    T::deserialize(&simulation[name]).map_err(|e| Failure::new(format!("the server's {name}: {e}")))
}

fn show_faults(simulation: &Value, output: Output) -> Result<()> {
    let state = |fault: &str| if simulation["faults"][fault] == true { "on" } else { "off" };
    let rows = json!([
        {"fault": "disk-full", "state": state("disk_full")},
        {"fault": "no-guest-agent", "state": state("no_guest_agent")},
    ]);
    print(output.format, &rows, &[("FAULT", "fault"), ("STATE", "state")])
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
    use super::{kind, meaning, rows, work};
    use serde_json::json;
    use wolke_host::{LatencyProfile, OperationKind, Policy, Work};

    #[test]
    fn policies_as_they_are_typed() {
        assert!(work().into_iter().all(|work| kind(work).is_some()));
        assert_eq!((kind("set_password"), kind("dance")), (Some(OperationKind::SetPassword.into()), None));
        assert_eq!(kind("attach_volume"), Work::action("attach_volume"));
        assert_eq!(meaning("90s", "").ok(), Some(Policy::After { ms: 90_000 }));
        assert_eq!(meaning("stuck", "").ok(), Some(Policy::Stuck));
        let fails = Policy::FailOnce { code: "simulated".into(), message: "m".into() };
        assert_eq!(meaning("fail-once", "m").ok(), Some(fails));
        for wrong in ["", "never", "-5s", "99999w"] {
            assert!(meaning(wrong, "").is_err(), "{wrong}");
        }
    }

    #[test]
    fn profiles_for_people() {
        let shown = |profile: LatencyProfile| rows(&serde_json::to_value(profile).unwrap());
        assert_eq!(shown(LatencyProfile::none()), json!([{"work": "everything", "takes": "no time"}]));
        let realistic = shown(LatencyProfile::realistic());
        assert!(realistic.as_array().unwrap().contains(&json!({"work": "create", "takes": "10 to 30 s"})));
        assert!(realistic.as_array().unwrap().contains(&json!({"work": "attach_volume", "takes": "2 to 6 s"})));
    }
}
