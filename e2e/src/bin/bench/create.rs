//! Durable creates over 64 connections, beside the lower of two floors: 8 times the rate of one synced commit each, and bare axum
//! parsing the same body.

use crate::Bench;
use crate::load::{Load, Measured, Until, request};
use crate::report::{Row, Target};
use e2e::api::server_body;
use e2e::folder::Folder;
use e2e::process::Installation;
use e2e::wait::wait_for;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Connections.
const CONNECTIONS: usize = 64;
/// Creates that share one synced commit in the floor: what group commit should reach with 64 waiting.
const GROUP: f64 = 8.0;
/// Share of the floor's rate that is wanted.
const SHARE: f64 = 0.5;
/// How long the last actions may take to end after the last answer.
const DRAIN_LIMIT: Duration = Duration::from_secs(60);

pub fn run(bench: &Bench) -> Vec<Row> {
    let creates = bench.size(20_000, 500);
    let commits = synced_commits(bench);
    let floor_server = bench.floor(None);
    let parses = creation(floor_server.address, "", creates).run().expect("the floor runs").rate;
    let floor = (GROUP * commits).min(parses);

    let installation = Installation::embedded_in(&bench.data);
    let server = installation.serve(&[]);
    let token = installation.token();
    installation.raise_limits();
    let measured = creation(server.address, &token, creates).run().expect("the creates run");
    let after = Instant::now();
    let mut client = server.client(&token);
    let quiet = wait_for(DRAIN_LIMIT, || {
        let running = client.get("/v1/servers/actions?status=running").expect("GET actions").json();
        running["actions"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
    assert!(quiet.is_some(), "actions still run");
    let seconds = measured.seconds + after.elapsed().as_secs_f64();
    let (actions, settled) = count_actions(&measured);
    vec![
        Row::new(format!("durable creates, {CONNECTIONS} connections"), measured.rate, "201/s")
            .floor(floor)
            .target(Target::AtLeast(floor * SHARE))
            .details(json!({
                "creates": creates, "synced_commits_per_s": commits, "axum_parses_per_s": parses,
                "p50_ms": measured.percentile(0.5), "p99_ms": measured.percentile(0.99),
                "share_of_floor": measured.rate / floor,
            })),
        Row::new("finished actions during these creates", actions as f64 / seconds, "actions/s")
            .details(json!({"actions": actions, "success_in_the_answer": settled})),
        Row::new("floor: synced commits, one row each", commits, "commits/s"),
        Row::new("floor: bare axum parsing the body", parses, "201/s"),
    ]
}

/// Creates with names of their own.
pub fn creation(address: SocketAddr, token: &str, count: u64) -> Load {
    let token = token.to_owned();
    let make = move |number: u64| {
        let mut body = server_body(&format!("bench-{number}"));
        body["labels"] = json!({"env": if number.is_multiple_of(2) { "prod" } else { "test" }});
        request("POST", "/v1/servers", &token, &body.to_string())
    };
    let until = Until::Count(count);
    Load { address, connections: CONNECTIONS, until, status: 201, keep: true, request: Arc::new(make) }
}

/// How many actions the answers named, and how many of these had already succeeded.
fn count_actions(measured: &Measured) -> (usize, usize) {
    let (mut all, mut settled) = (0, 0);
    for body in &measured.bodies {
        let answer: Value = serde_json::from_slice(body).expect("JSON");
        let next = answer["next_actions"].as_array().into_iter().flatten();
        for action in next.chain([&answer["action"]]) {
            all += 1;
            settled += usize::from(action["status"] == "success");
        }
    }
    (all, settled)
}

/// Commits per second of a loop of single-row inserts, each synced, on the same disk and with the server's settings.
pub fn synced_commits(bench: &Bench) -> f64 {
    let folder = Folder::new_in(&bench.data, "commits");
    let database = rusqlite::Connection::open(folder.path().join("commits.db")).expect("a database");
    database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;").expect("settings");
    database.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT").expect("a table");
    let body = server_body("bench").to_string();
    let limit = Duration::from_millis(bench.size(3000, 300));
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < limit {
        database.execute("INSERT INTO t (body) VALUES (?1)", [&body]).expect("an insert");
        count += 1;
    }
    f64::from(count) / began.elapsed().as_secs_f64()
}
