//! The few API calls that several flows share.

use crate::http::{Client, Response};
use crate::wait::wait_for;
use serde_json::{Value, json};
use std::time::Duration;

/// Server type that every flow uses.
pub const SERVER_TYPE: &str = "cpx22";
/// System image that every flow uses.
pub const IMAGE: &str = "ubuntu-24.04";
/// How long an action may run until it counts as stuck. Simulated work takes milliseconds, but what a killed process had begun
/// goes on in another one when its lease of 30 seconds has run out.
pub const ACTION_LIMIT: Duration = Duration::from_secs(60);
/// Largest page that the API gives.
const PAGE: u32 = 50;

/// Body of `POST /servers` with the given name and the defaults.
pub fn server_body(name: &str) -> Value {
    json!({"name": name, "server_type": SERVER_TYPE, "image": IMAGE})
}

/// The ids of all actions in an answer: `action`, `actions` and `next_actions`.
pub fn actions_in(answer: &Value) -> Vec<u64> {
    let lists = ["actions", "next_actions"].iter().filter_map(|key| answer[*key].as_array()).flatten();
    lists.chain([&answer["action"]]).filter_map(|action| action["id"].as_u64()).collect()
}

/// Waits until the action has ended and returns it.
///
/// # Panics
/// When it is unknown or still runs after [`ACTION_LIMIT`].
pub fn wait_action(client: &mut Client, id: u64) -> Value {
    let mut last = Value::Null;
    let ended = wait_for(ACTION_LIMIT, || {
        let answer = client.get(&format!("/v1/actions/{id}")).expect("GET action");
        assert_eq!(answer.status, 200, "action {id}: {}", String::from_utf8_lossy(&answer.body));
        last = answer.json()["action"].clone();
        (last["status"] != "running").then(|| last.clone())
    });
    ended.unwrap_or_else(|| panic!("action {id} is stuck: {last}"))
}

/// Waits for every action of an answer and asserts that each is a success.
///
/// # Panics
/// When one is not.
pub fn wait_success(client: &mut Client, answer: &Value) {
    for id in actions_in(answer) {
        let action = wait_action(client, id);
        assert_eq!(action["status"], "success", "{action}");
    }
}

/// Every object of a list, page by page. `path` may hold filters; `kind` is the member that holds the objects.
///
/// # Panics
/// When an answer is not 200, or the pages do not add up to `total_entries`.
pub fn list_all(client: &mut Client, path: &str, kind: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut page = 1;
    let more = if path.contains('?') { '&' } else { '?' };
    loop {
        let answer = client.get(&format!("{path}{more}page={page}&per_page={PAGE}")).expect("GET list");
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        let answer = answer.json();
        all.extend(answer[kind].as_array().unwrap_or_else(|| panic!("{path} has no {kind}")).iter().cloned());
        match answer["meta"]["pagination"]["next_page"].as_u64() {
            Some(next) => page = next,
            None => return all,
        }
    }
}

/// Creates a server and waits until it is complete. Returns the id.
///
/// # Panics
/// When it is refused or fails.
pub fn create_server(client: &mut Client, name: &str) -> u64 {
    let answer = expect(client.post("/v1/servers", &server_body(name)), 201);
    wait_success(client, &answer);
    answer["server"]["id"].as_u64().expect("server id")
}

/// Deletes a server and waits until that is done.
///
/// # Panics
/// When it is refused or fails.
pub fn delete_server(client: &mut Client, id: u64) {
    let answer = expect(client.delete(&format!("/v1/servers/{id}")), 200);
    wait_success(client, &answer);
    assert_eq!(client.get(&format!("/v1/servers/{id}")).expect("GET server").status, 404);
}

/// The JSON of an answer that must have that status.
///
/// # Panics
/// When the connection failed or the status is another one.
pub fn expect(answer: std::io::Result<Response>, status: u16) -> Value {
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()
}
