//! One project with 100,000 servers: memory, a server by id beside the same with 1,000, and pages of lists with their totals.

use crate::Bench;
use crate::load::{Load, Measured, Until, request};
use crate::mixed::{self, Mixed};
use crate::report::{Row, Target};
use crate::start::memory_mib;
use e2e::api::server_body;
use e2e::process::{Installation, Wolke};
use serde_json::{Value, json};
use std::ops::Range;
use std::sync::Arc;

/// Servers of the small project.
const FEW: u64 = 1_000;
/// Connections that fill the project.
const FILLERS: usize = 64;
/// Resident memory with all servers, MiB.
const MEMORY_MIB: f64 = 300.0;
/// A server by id may take this many times what it takes in the small project.
const BY_ID_RATIO: f64 = 1.5;
/// Mixed work may take this many times what it takes in the small project.
const MIXED_RATIO: f64 = 1.5;
/// 99 of 100 pages of a list may take this long, milliseconds.
const PAGE_P99_MS: f64 = 10.0;
/// Servers on a page.
const PER_PAGE: u64 = 25;
/// Label selectors: none, equal, unequal, without a key, one of a set; one that few match, those last in the order; two terms.
const SELECTORS: &[&str] = &["", "env=prod", "tier!=t1", "!rare", "tier in (t1,t2)", "batch=last", "env=prod,tier!=t2"];
/// One in so many servers is of the last batch.
const LAST_BATCH: u64 = 40;
/// Sort orders of a list of all actions of servers: others read the whole history.
const ACTION_SORTS: &[&str] = &["id:asc", "id:desc"];
/// Sort orders of a server list.
const SORTS: &[&str] = &["id:asc", "id:desc", "name:asc", "name:desc", "created:asc", "created:desc"];

pub fn run(bench: &Bench) -> Vec<Row> {
    let many = bench.size(100_000, 3_000);
    let installation = Installation::embedded_in(&bench.data);
    let server = installation.serve(&[]);
    let token = installation.token();
    installation.raise_limits();
    let mut ids = fill(&server, &token, 0..FEW, many);
    let few_by_id = by_id(bench, &server, &token, &ids);
    let few_mixed = mixed::run(bench, &server, &token, "few");
    ids.extend(fill(&server, &token, FEW..many, many));
    let many_by_id = by_id(bench, &server, &token, &ids);
    let (few_ms, many_ms) = (few_by_id.percentile(0.5), many_by_id.percentile(0.5));
    let mut rows = vec![
        Row::new(format!("server by id, {many} servers (floor: {FEW})"), many_ms, "ms")
            .floor(few_ms)
            .target(Target::AtMost(few_ms * BY_ID_RATIO))
            .details(json!({"p99_ms": many_by_id.percentile(0.99), "few_p99_ms": few_by_id.percentile(0.99)})),
    ];
    rows.extend(mixed_rows(bench, &server, &token, &few_mixed, many));
    for selector in SELECTORS {
        let filter = if selector.is_empty() { String::new() } else { format!("&label_selector={}", encode(selector)) };
        let named = if selector.is_empty() { "no selector" } else { selector };
        rows.push(lists(bench, &server, &token, &List { path: "/v1/servers", filter: &filter, sorts: SORTS, named }));
    }
    for (filter, named) in [("", "all actions of servers"), ("&status=running", "running actions of servers")] {
        let list = List { path: "/v1/servers/actions", filter, sorts: ACTION_SORTS, named };
        rows.push(lists(bench, &server, &token, &list));
    }
    // Last, so that it includes what reading has cached.
    rows.push(
        Row::new(format!("resident memory, {many} servers"), memory_mib(&server), "MiB")
            .target(Target::AtMost(MEMORY_MIB)),
    );
    rows
}

/// Mixed work beside so many servers, and beside few.
fn mixed_rows(bench: &Bench, server: &Wolke, token: &str, few: &Mixed, many: u64) -> Vec<Row> {
    let mixed = mixed::run(bench, server, token, "many");
    vec![
        Row::new(format!("mixed work, {FEW} servers"), few.rate, "operations/s")
            .details(json!({ "p99_ms": few.p99_ms })),
        Row::new(format!("mixed work, {many} servers (floor: {FEW})"), mixed.rate, "operations/s")
            .floor(few.rate)
            .target(Target::AtLeast(few.rate / MIXED_RATIO))
            .details(json!({ "p99_ms": mixed.p99_ms })),
    ]
}

/// Creates servers of the given numbers, out of `many`, and returns their ids.
fn fill(server: &Wolke, token: &str, numbers: Range<u64>, many: u64) -> Vec<u64> {
    let token = token.to_owned();
    let (from, to) = (numbers.start, numbers.end);
    let make = move |number: u64| {
        let number = number + from;
        let mut labels = json!({"env": if number.is_multiple_of(2) { "prod" } else { "test" }});
        labels["tier"] = json!(format!("t{}", number % 10));
        if number.is_multiple_of(1_000) {
            labels["rare"] = json!("yes");
        }
        if number >= many - many / LAST_BATCH {
            labels["batch"] = json!("last");
        }
        // Scattered names, so that the order of names is not the order of ids.
        let mut body = server_body(&format!("s{:08x}", (number as u32).wrapping_mul(0x9E37_79B1)));
        body["labels"] = labels;
        request("POST", "/v1/servers", &token, &body.to_string())
    };
    let load = Load {
        address: server.address,
        connections: FILLERS,
        until: Until::Count(to - from),
        status: 201,
        keep: true,
        request: Arc::new(make),
    };
    let measured = load.run().expect("the project fills");
    eprintln!("bench: {} servers in {:.1} s", to - from, measured.seconds);
    let id = |body: &Vec<u8>| serde_json::from_slice::<Value>(body).ok()?["server"]["id"].as_u64();
    measured.bodies.iter().filter_map(id).collect()
}

/// Reads servers by id, scattered over all, one at a time.
fn by_id(bench: &Bench, server: &Wolke, token: &str, ids: &[u64]) -> Measured {
    let (token, ids) = (token.to_owned(), ids.to_vec());
    let make = move |number: u64| {
        let index = (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16) as usize % ids.len();
        request("GET", &format!("/v1/servers/{}", ids[index]), &token, "")
    };
    one_at_a_time(server, bench.size(5_000, 300), Arc::new(make))
}

fn one_at_a_time(server: &Wolke, count: u64, request: crate::load::Maker) -> Measured {
    let load =
        Load { address: server.address, connections: 1, until: Until::Count(count), status: 200, keep: false, request };
    load.run().expect("the reads run")
}

/// A list to be measured.
struct List<'a> {
    path: &'a str,
    /// More of the query, with its `&`.
    filter: &'a str,
    sorts: &'a [&'a str],
    named: &'a str,
}

/// First and last page in every sort order; the row shows the worst p99, the details all.
fn lists(bench: &Bench, server: &Wolke, token: &str, list: &List<'_>) -> Row {
    let List { sorts, named, .. } = *list;
    let path =
        |page: u64, sort: &str| format!("{}?page={page}&per_page={PER_PAGE}&sort={sort}{}", list.path, list.filter);
    let mut client = server.client(token);
    let first = client.get(&path(1, sorts[0])).expect("a page").json();
    let last_page = first["meta"]["pagination"]["last_page"].as_u64().unwrap_or(1);
    let (mut worst, mut worst_of, mut all) = (0.0, String::new(), Vec::new());
    for (place, page) in [("first", 1), ("last", last_page)] {
        for sort in sorts {
            let bytes = request("GET", &path(page, sort), token, "");
            let measured = one_at_a_time(server, bench.size(200, 20), Arc::new(move |_| bytes.clone()));
            let (p50, p99) = (measured.percentile(0.5), measured.percentile(0.99));
            all.push(json!({"page": place, "sort": sort, "p50_ms": p50, "p99_ms": p99}));
            if p99 > worst {
                (worst, worst_of) = (p99, format!("{place} page, {sort}"));
            }
        }
    }
    let total = &first["meta"]["pagination"]["total_entries"];
    Row::new(format!("list page p99, {named} ({worst_of})"), worst, "ms")
        .target(Target::AtMost(PAGE_P99_MS))
        .details(json!({"total_entries": total, "pages": all}))
}

/// Percent-encodes a selector for a query.
fn encode(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
