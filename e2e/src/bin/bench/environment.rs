//! A full environment: servers in networks, behind load balancers and firewalls that find them by their labels. What it costs
//! to make it, to relabel its servers, and to page through it.

use crate::Bench;
use crate::load::{Load, Measured, Until, request};
use crate::report::{Row, Target};
use e2e::api::server_body;
use e2e::http::Client;
use e2e::process::{Installation, Wolke};
use serde_json::{Value, json};
use std::sync::Arc;

/// Networks, and firewalls: one of each for a group of servers.
const GROUPS: u64 = 20;
/// Load balancers.
const LOAD_BALANCERS: u64 = 50;
/// Connections that make servers.
const FILLERS: usize = 8;
/// With so many unrelated servers a relabel may take so much longer.
const RELABEL_RATIO: f64 = 1.5;
/// A page may take so long, in milliseconds.
const PAGE_P99_MS: f64 = 10.0;
/// Entries of a page.
const PER_PAGE: u64 = 25;
/// The lists that are paged through.
const LISTS: [&str; 4] = ["servers", "load_balancers", "firewalls", "networks"];

pub fn run(bench: &Bench) -> Vec<Row> {
    let (servers, unrelated) = (bench.size(1_000, 100), bench.size(10_000, 200));
    let installation = Installation::embedded_in(&bench.data);
    let server = installation.serve(&[]);
    let token = installation.token();
    installation.raise_limits();
    let bare = fill(&server, &token, servers, &|number| server_body(&format!("bare-{number}")));
    let around = Around::make(&mut server.client(&token));
    let made = fill(&server, &token, servers, &|number| around.member(number));
    let ids: Vec<u64> = made.bodies.iter().filter_map(|body| id_in(body, "server")).collect();
    let few = relabel(&server, &token, &ids);
    let mut rows = vec![
        Row::new(format!("{servers} servers with network, firewall, load balancer (floor: bare)"), made.rate, "201/s")
            .floor(bare.rate)
            .details(json!({"p99_ms": made.percentile(0.99), "bare_p99_ms": bare.percentile(0.99)})),
        Row::new(format!("relabelling {servers} servers"), few.rate, "200/s")
            .details(json!({"p50_ms": few.percentile(0.5), "p99_ms": few.percentile(0.99)})),
    ];
    rows.extend(LISTS.map(|list| pages(bench, &server, &token, list)));
    fill(&server, &token, unrelated, &|number| server_body(&format!("unrelated-{number}")));
    let many = relabel(&server, &token, &ids);
    let (few_ms, many_ms) = (few.percentile(0.5), many.percentile(0.5));
    rows.push(
        Row::new(format!("one relabel beside {unrelated} more servers (floor: without)"), many_ms, "ms")
            .floor(few_ms)
            .target(Target::AtMost(few_ms * RELABEL_RATIO))
            .details(json!({"p99_ms": many.percentile(0.99), "few_p99_ms": few.percentile(0.99)})),
    );
    rows
}

/// What stands around the servers.
struct Around {
    networks: Vec<u64>,
}

impl Around {
    fn make(client: &mut Client) -> Self {
        let mut networks = Vec::new();
        for group in 0..GROUPS {
            let subnet =
                json!({"type": "cloud", "network_zone": "eu-central", "ip_range": format!("10.{group}.0.0/20")});
            let network =
                json!({"name": format!("n{group}"), "ip_range": format!("10.{group}.0.0/16"), "subnets": [subnet]});
            networks.push(made(client, "networks", "network", &network));
            let rule = json!({"direction": "in", "protocol": "tcp", "port": "80", "source_ips": ["0.0.0.0/0", "::/0"]});
            let selects = json!({"type": "label_selector", "label_selector": {"selector": format!("group=g{group}")}});
            let firewall = json!({"name": format!("f{group}"), "rules": [rule], "apply_to": [selects]});
            made(client, "firewalls", "firewall", &firewall);
        }
        for number in 0..LOAD_BALANCERS {
            let targets = json!([{"type": "label_selector", "label_selector": {"selector": format!("lb=l{number}")}}]);
            let services = json!([{"protocol": "tcp", "listen_port": 80, "destination_port": 80}]);
            let balancer = json!({"name": format!("l{number}"), "load_balancer_type": "lb11", "location": "fsn1",
                "algorithm": {"type": "round_robin"}, "targets": targets, "services": services});
            made(client, "load_balancers", "load_balancer", &balancer);
        }
        Self { networks }
    }

    /// A server of the environment.
    fn member(&self, number: u64) -> Value {
        let mut body = server_body(&format!("member-{number}"));
        body["location"] = json!("fsn1");
        body["labels"] = labels(number, 0);
        body["networks"] = json!([self.networks[(number % GROUPS) as usize]]);
        body
    }
}

/// The labels of a server: its group stays, its load balancer changes with each turn.
fn labels(number: u64, turn: u64) -> Value {
    let balancer = (number + turn) % LOAD_BALANCERS;
    json!({"group": format!("g{}", number % GROUPS), "lb": format!("l{balancer}"), "turn": turn.to_string()})
}

fn made(client: &mut Client, path: &str, member: &str, body: &Value) -> u64 {
    let answer = client.post(&format!("/v1/{path}"), body).expect("an answer");
    assert!(answer.is_success(), "{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
    id_in(&answer.body, member).expect("an id")
}

fn id_in(body: &[u8], member: &str) -> Option<u64> {
    serde_json::from_slice::<Value>(body).ok()?[member]["id"].as_u64()
}

/// Makes servers over several connections.
fn fill(server: &Wolke, token: &str, count: u64, body: &dyn Fn(u64) -> Value) -> Measured {
    let requests: Vec<Vec<u8>> =
        (0..count).map(|number| request("POST", "/v1/servers", token, &body(number).to_string())).collect();
    send(server, FILLERS, 201, requests)
}

/// Gives every server another load balancer, one at a time.
fn relabel(server: &Wolke, token: &str, ids: &[u64]) -> Measured {
    // There and back, so that each request changes something, whatever was before.
    let put = |turn: u64| {
        let one = move |(number, id): (usize, &u64)| {
            let body = json!({"labels": labels(number as u64, turn)});
            request("PUT", &format!("/v1/servers/{id}"), token, &body.to_string())
        };
        ids.iter().enumerate().map(one)
    };
    let requests = put(1).chain(put(0)).collect();
    send(server, 1, 200, requests)
}

fn send(server: &Wolke, connections: usize, status: u16, requests: Vec<Vec<u8>>) -> Measured {
    let until = Until::Count(requests.len() as u64);
    let make = move |number: u64| requests[number as usize % requests.len()].clone();
    let load = Load { address: server.address, connections, until, status, keep: true, request: Arc::new(make) };
    load.run().expect("the load runs")
}

/// First and last page of a list.
fn pages(bench: &Bench, server: &Wolke, token: &str, list: &str) -> Row {
    let path = |page: u64| format!("/v1/{list}?page={page}&per_page={PER_PAGE}");
    let first = server.client(token).get(&path(1)).expect("a page").json();
    let last = first["meta"]["pagination"]["last_page"].as_u64().unwrap_or(1);
    let count = bench.size(200, 20);
    let measured =
        [1, last].map(|page| send(server, 1, 200, vec![request("GET", &path(page), token, ""); count as usize]));
    let [first_ms, last_ms] = measured.map(|page| page.percentile(0.99));
    Row::new(format!("environment: page p99 of {list}"), first_ms.max(last_ms), "ms")
        .target(Target::AtMost(PAGE_P99_MS))
        .details(json!({"first_ms": first_ms, "last_ms": last_ms, "pages": last}))
}
