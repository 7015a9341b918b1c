//! A full environment: servers in networks, behind load balancers and firewalls that find them by their labels. What it costs
//! to make it, to relabel its servers, and to page through it.

use crate::Bench;
use crate::create::synced_commits;
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
/// Rounds of relabelling; their medians count.
const TURNS: u64 = 3;
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
    let (alone, beside) = (World::make(bench, servers), World::make(bench, servers));
    let mut rows = vec![
        Row::new(
            format!("{servers} servers with network, firewall, load balancer (floor: bare)"),
            alone.made.rate,
            "201/s",
        )
        .floor(alone.bare.rate)
        .details(json!({"p99_ms": alone.made.percentile(0.99), "bare_p99_ms": alone.bare.percentile(0.99)})),
    ];
    rows.extend(LISTS.map(|list| alone.pages(bench, list)));
    beside.fill(unrelated, &|number| server_body(&format!("unrelated-{number}")));
    let commits = synced_commits(bench);
    let (few, many) = relabel_in_turns(&alone, &beside);
    rows.push(
        Row::new(format!("relabelling {servers} servers (floor: synced commits)"), few.rate, "200/s")
            .floor(commits)
            .details(json!({"p50_ms": few.p50_ms, "p99_ms": few.p99_ms})),
    );
    rows.push(
        Row::new(format!("one relabel beside {unrelated} more servers (floor: without)"), many.p50_ms, "ms")
            .floor(few.p50_ms)
            .target(Target::AtMost(few.p50_ms * RELABEL_RATIO))
            .details(json!({"p99_ms": many.p99_ms, "few_p99_ms": few.p99_ms})),
    );
    rows
}

/// Relabels all servers of both worlds, now here and now there, so that a busy disk falls on both.
fn relabel_in_turns(alone: &World, beside: &World) -> (Relabels, Relabels) {
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for turn in (1..=TURNS).rev() {
        few.push(alone.relabel(turn));
        many.push(beside.relabel(turn));
    }
    (Relabels::of(&few), Relabels::of(&many))
}

/// The medians of several rounds.
struct Relabels {
    rate: f64,
    p50_ms: f64,
    p99_ms: f64,
}

impl Relabels {
    fn of(rounds: &[Measured]) -> Self {
        let median = |figure: &dyn Fn(&Measured) -> f64| {
            let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        Self {
            rate: median(&|round| round.rate),
            p50_ms: median(&|round| round.percentile(0.5)),
            p99_ms: median(&|round| round.percentile(0.99)),
        }
    }
}

/// A running Wolke that holds the environment.
struct World {
    server: Wolke,
    token: String,
    /// The servers of the environment.
    ids: Vec<u64>,
    /// How they were made.
    made: Measured,
    /// How as many were made before, with nothing around them.
    bare: Measured,
    /// Goes last: the server's files are in it.
    _installation: Installation,
}

impl World {
    fn make(bench: &Bench, servers: u64) -> Self {
        let installation = Installation::embedded_in(&bench.data);
        let server = installation.serve(&[]);
        let token = installation.token();
        installation.raise_limits();
        let bare = fill(&server, &token, servers, &|number| server_body(&format!("bare-{number}")));
        let around = Around::make(&mut server.client(&token));
        let made = fill(&server, &token, servers, &|number| around.member(number));
        let ids = made.bodies.iter().filter_map(|body| id_in(body, "server")).collect();
        Self { server, token, ids, made, bare, _installation: installation }
    }

    fn fill(&self, count: u64, body: &dyn Fn(u64) -> Value) {
        fill(&self.server, &self.token, count, body);
    }

    /// Gives every server another load balancer, one at a time.
    fn relabel(&self, turn: u64) -> Measured {
        let one = |(number, id): (usize, &u64)| {
            let body = json!({"labels": labels(number as u64, turn)});
            request("PUT", &format!("/v1/servers/{id}"), &self.token, &body.to_string())
        };
        send(&self.server, 1, 200, self.ids.iter().enumerate().map(one).collect())
    }

    /// First and last page of a list.
    fn pages(&self, bench: &Bench, list: &str) -> Row {
        let path = |page: u64| format!("/v1/{list}?page={page}&per_page={PER_PAGE}");
        let first = self.server.client(&self.token).get(&path(1)).expect("a page").json();
        let last = first["meta"]["pagination"]["last_page"].as_u64().unwrap_or(1);
        let count = bench.size(200, 20) as usize;
        let measured = [1, last].map(|page| {
            let requests = vec![request("GET", &path(page), &self.token, ""); count];
            send(&self.server, 1, 200, requests)
        });
        let [first_ms, last_ms] = measured.map(|page| page.percentile(0.99));
        Row::new(format!("environment: page p99 of {list}"), first_ms.max(last_ms), "ms")
            .target(Target::AtMost(PAGE_P99_MS))
            .details(json!({"first_ms": first_ms, "last_ms": last_ms, "pages": last}))
    }
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

fn send(server: &Wolke, connections: usize, status: u16, requests: Vec<Vec<u8>>) -> Measured {
    let until = Until::Count(requests.len() as u64);
    let make = move |number: u64| requests[number as usize % requests.len()].clone();
    let load = Load { address: server.address, connections, until, status, keep: true, request: Arc::new(make) };
    load.run().expect("the load runs")
}
