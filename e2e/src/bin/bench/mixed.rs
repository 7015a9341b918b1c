//! Mixed work: whole lives of servers (create, off, on, snapshot, rebuild, delete) over several connections, in a project that
//! holds many others. Each step waits for its action, as a tool would.

use crate::Bench;
use crate::load::Measured;
use e2e::api::{IMAGE, actions_in, server_body, wait_success};
use e2e::http::Client;
use e2e::process::Wolke;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

/// Lives at once.
const CONNECTIONS: u64 = 8;

/// What a run of mixed work took.
pub struct Mixed {
    /// Operations with their actions, per second.
    pub rate: f64,
    /// The time that 99 of 100 took at most, by operation, in milliseconds.
    pub p99_ms: BTreeMap<&'static str, f64>,
}

/// Runs lives over all connections. `name` keeps the servers of one run apart from those of another.
pub fn run(bench: &Bench, server: &Wolke, token: &str, name: &str) -> Mixed {
    let lives = bench.size(40, 3);
    let began = Instant::now();
    let mut micros: BTreeMap<&'static str, Vec<u64>> = BTreeMap::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|worker| {
                let mut work = Worker { client: server.client(token), micros: BTreeMap::new() };
                let name = format!("{name}-{worker}");
                scope.spawn(move || {
                    (0..lives).for_each(|life| work.live(&format!("{name}-{life}")));
                    work.micros
                })
            })
            .collect();
        for worker in workers {
            for (operation, more) in worker.join().expect("a worker ends") {
                micros.entry(operation).or_default().extend(more);
            }
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    let operations: usize = micros.values().map(Vec::len).sum();
    let p99_ms = micros.into_iter().map(|(operation, mut micros)| {
        micros.sort_unstable();
        let measured = Measured { rate: 0.0, seconds, micros, bodies: Vec::new() };
        (operation, measured.percentile(0.99))
    });
    Mixed { rate: operations as f64 / seconds, p99_ms: p99_ms.collect() }
}

struct Worker {
    client: Client,
    micros: BTreeMap<&'static str, Vec<u64>>,
}

impl Worker {
    fn live(&mut self, name: &str) {
        let made = self.timed("create", "POST", "/v1/servers", &server_body(name));
        let path = format!("/v1/servers/{}", made["server"]["id"]);
        self.timed("power off", "POST", &format!("{path}/actions/poweroff"), &Value::Null);
        self.timed("power on", "POST", &format!("{path}/actions/poweron"), &Value::Null);
        let made = self.timed("snapshot", "POST", &format!("{path}/actions/create_image"), &json!({}));
        let snapshot = format!("/v1/images/{}", made["image"]["id"]);
        self.timed("rebuild", "POST", &format!("{path}/actions/rebuild"), &json!({"image": IMAGE}));
        self.timed("read", "GET", &path, &Value::Null);
        self.timed("delete", "DELETE", &path, &Value::Null);
        self.timed("delete snapshot", "DELETE", &snapshot, &Value::Null);
    }

    /// Asks, and waits for whatever actions the answer names.
    fn timed(&mut self, operation: &'static str, method: &str, path: &str, body: &Value) -> Value {
        let began = Instant::now();
        let body = (!body.is_null()).then(|| body.to_string());
        let answer = self.client.send(method, path, body.as_deref().map(str::as_bytes)).expect("an answer");
        assert!(answer.is_success(), "{operation}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        let answer = if answer.body.is_empty() { Value::Null } else { answer.json() };
        if !actions_in(&answer).is_empty() {
            wait_success(&mut self.client, &answer);
        }
        self.micros.entry(operation).or_default().push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        answer
    }
}
