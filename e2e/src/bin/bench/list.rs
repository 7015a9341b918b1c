//! Reading a page of 25 full servers over 8 connections, beside bare axum that returns the same bytes.

use crate::Bench;
use crate::load::{Load, Until, request};
use crate::report::{Row, Target};
use crate::start::median;
use e2e::api::{expect, server_body, wait_success};
use e2e::process::{Installation, Wolke};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Servers on the page: the API's default page size.
const SERVERS: usize = 25;
/// Connections.
const CONNECTIONS: usize = 8;
/// Share of the floor's rate that is wanted.
const SHARE: f64 = 0.6;
/// Turns of each side; they alternate, so that a slow moment of the machine hits both.
const TURNS: usize = 5;

pub fn run(bench: &Bench) -> Vec<Row> {
    let installation = Installation::embedded_in(&bench.data);
    let server = installation.serve(&[]);
    let token = installation.token();
    let mut client = server.client(&token);
    for number in 0..SERVERS {
        let mut body = server_body(&format!("server-{number}"));
        body["labels"] = json!({"env": "production", "team": "platform", "number": number.to_string()});
        let created = expect(client.post("/v1/servers", &body), 201);
        wait_success(&mut client, &created);
    }
    let page = client.get("/v1/servers").expect("a page").body;
    let file = bench.data.join("page.json");
    std::fs::write(&file, &page).expect("page file");
    let floor_server = bench.floor(Some(&file));

    let turn = Duration::from_millis(bench.size(3000, 300));
    let (mut own, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        own.push(rate(&server, "/v1/servers", &token, turn));
        floor.push(rate(&floor_server, "/page", "", turn));
    }
    let (own, floor) = (median(&mut own), median(&mut floor));
    let name = format!("list of {SERVERS} servers, {CONNECTIONS} connections");
    vec![
        Row::new(name, own, "answers/s")
            .floor(floor)
            .target(Target::AtLeast(floor * SHARE))
            .details(json!({"bytes": page.len(), "share_of_floor": own / floor})),
    ]
}

/// Answers per second during one turn.
fn rate(server: &Wolke, path: &str, token: &str, turn: Duration) -> f64 {
    let bytes = request("GET", path, token, "");
    let load = Load {
        address: server.address,
        connections: CONNECTIONS,
        until: Until::Time(turn),
        status: 200,
        keep: false,
        request: Arc::new(move |_| bytes.clone()),
    };
    load.run().expect("the load runs").rate
}
