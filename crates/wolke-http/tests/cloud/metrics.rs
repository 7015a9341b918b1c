//! Metrics and traffic counters (dialects A.7, D.3; fact sheet §3.1).

use crate::common::{Setup, World, server};
use serde_json::{Value, json};
use wolke_wire::{Dialect, Timestamp};

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

fn now(world: &World) -> Timestamp {
    use wolke_domain::clock::Clock as _;
    world.clock.wall()
}

fn zulu(time: Timestamp) -> String {
    time.to_string().replace("+00:00", "Z")
}

/// The path of a query over the last hours.
fn query(world: &World, id: i64, types: &str, hours: i64, more: &str) -> String {
    let (end, start) = (now(world), now(world).plus_ms(-hours * HOUR));
    format!("/servers/{id}/metrics?type={types}&start={}&end={}{more}", zulu(start), zulu(end))
}

/// The values of a series with their times.
fn series(metrics: &Value, name: &str) -> Vec<(f64, f64)> {
    let values = metrics["metrics"]["time_series"][name]["values"].as_array().unwrap();
    values.iter().map(|v| (v[0].as_f64().unwrap(), v[1].as_str().unwrap().parse().unwrap())).collect()
}

async fn with_server(dialect: Dialect) -> (World, i64) {
    let world = World::new(dialect).await;
    let id = world.create("/servers", server("a")).await;
    (world, id)
}

#[tokio::test]
async fn types_have_their_series() {
    let (world, id) = with_server(Dialect::Compat).await;
    world.clock.advance(2 * HOUR);
    let names = |metrics: &Value| -> Vec<String> {
        metrics["metrics"]["time_series"].as_object().unwrap().keys().cloned().collect()
    };
    let disk = ["disk.0.bandwidth.read", "disk.0.bandwidth.write", "disk.0.iops.read", "disk.0.iops.write"];
    let network = ["network.0.bandwidth.in", "network.0.bandwidth.out", "network.0.pps.in", "network.0.pps.out"];
    assert_eq!(names(&world.see(&query(&world, id, "cpu", 1, "")).await), ["cpu"]);
    assert_eq!(names(&world.see(&query(&world, id, "disk", 1, "")).await), disk);
    let all = [&["cpu"][..], &disk, &network].concat();
    assert_eq!(names(&world.see(&query(&world, id, "network,cpu,disk", 1, "")).await), all);
    assert_eq!(names(&world.see(&query(&world, id, "cpu&type=network&type=disk", 1, "")).await), all);
    let pps = world.see(&query(&world, id, "network", 1, "")).await;
    assert!(series(&pps, "network.0.pps.out").iter().all(|(_, value)| *value > 0.0));
}

#[tokio::test]
async fn nothing_before_creation_and_zero_while_off() {
    let world = World::new(Dialect::Compat).await;
    world.clock.advance(10 * HOUR);
    let id = world.create("/servers", server("a")).await;
    world.clock.advance(2 * HOUR);
    let off = now(&world);
    world.post(&format!("/servers/{id}/actions/poweroff"), json!({})).await.ok();
    world.clock.advance(3 * HOUR);
    let on = now(&world);
    world.post(&format!("/servers/{id}/actions/poweron"), json!({})).await.ok();
    world.clock.advance(HOUR);
    let metrics = world.see(&query(&world, id, "cpu,network", 10, "&step=600")).await;
    let born = on.plus_ms(-5 * HOUR);
    let seconds = |time: Timestamp| time.0 as f64 / 1000.0;
    for name in ["cpu", "network.0.bandwidth.in"] {
        let values = series(&metrics, name);
        assert_eq!(values.len(), 37, "six hours of ten");
        assert_eq!(values[0].0, seconds(born));
        for (at, value) in values {
            let runs = (seconds(born)..seconds(off)).contains(&at) || at >= seconds(on);
            assert_eq!(value > 0.0, runs, "{name} at {at}: {value}");
        }
    }
}

/// What the CLI asks for of a fresh server: it draws what it gets, and cannot draw a line of one point.
#[tokio::test]
async fn a_fresh_server_has_no_samples_yet() {
    let (world, id) = with_server(Dialect::Compat).await;
    let seen = async || {
        let (end, start) = (now(&world), now(&world).plus_ms(-HOUR / 2));
        let path = format!("/servers/{id}/metrics?type=cpu,disk&start={}&end={}&step=10", zulu(start), zulu(end));
        let metrics = world.see(&path).await;
        let all = metrics["metrics"]["time_series"].as_object().unwrap();
        assert_eq!(all.len(), 5, "the series are there");
        let lengths: Vec<_> = all.keys().map(|name| series(&metrics, name).len()).collect();
        assert!(lengths.iter().all(|length| *length == lengths[0]));
        lengths[0]
    };
    assert_eq!(seen().await, 0);
    world.clock.advance(9_000);
    assert_eq!(seen().await, 0);
    world.clock.advance(1_000);
    assert_eq!(seen().await, 2);
    world.clock.advance(HOUR);
    assert_eq!(seen().await, 181);
}

#[tokio::test]
async fn the_same_query_gives_the_same_bytes_after_a_restart() {
    let world = World::with(Setup { on_disk: true, ..Setup::new(Dialect::Compat) }).await;
    let id = world.create("/servers", server("a")).await;
    world.clock.advance(30 * HOUR);
    let path = query(&world, id, "cpu,disk,network", 40, "");
    let before = world.see(&path).await;
    let world = world.restart().await;
    world.clock.advance(HOUR);
    assert_eq!(world.see(&path).await.to_string(), before.to_string());
}

#[tokio::test]
async fn samples_are_limited_by_the_dialect() {
    for (dialect, most) in [(Dialect::D2018_04, 100), (Dialect::D2023_07, 200), (Dialect::Newest, 200)] {
        let (world, id) = with_server(dialect).await;
        world.clock.advance(100 * HOUR);
        let count = async |more: &str| series(&world.see(&query(&world, id, "cpu", 50, more)).await, "cpu").len();
        let without_step = count("").await;
        assert!((most - 5..=most).contains(&without_step), "{dialect}: {without_step}");
        assert!((490..=500).contains(&count("&step=1").await), "{dialect}");
        assert_eq!(count("&step=36000").await, 6, "{dialect}");
    }
}

#[tokio::test]
async fn wrong_queries() {
    let (world, id) = with_server(Dialect::Compat).await;
    let ask = async |query: &str| world.get(&format!("/servers/{id}/metrics?{query}")).await;
    let period = "start=2026-11-20T00:00:00Z&end=2026-11-21T00:00:00Z";
    ask("").await.wrong(&["end", "start", "type"]);
    ask(&format!("{period}&type=cpu,memory")).await.wrong(&["type"]);
    ask("type=cpu&start=yesterday&end=2026-11-21T00:00:00Z").await.wrong(&["start"]);
    ask("type=cpu&start=2026-11-21T00:00:00Z&end=2026-11-20T00:00:00Z").await.wrong(&["end"]);
    for step in ["0", "-5", "x"] {
        ask(&format!("{period}&type=cpu&step={step}")).await.wrong(&["step"]);
    }
    world.get(&format!("/servers/999/metrics?{period}&type=cpu")).await.refused(404, "not_found");
    // Offsets other than UTC are points in time like any other.
    ask("type=cpu&start=2026-11-20T00:00:00%2B02:00&end=2026-11-21T00:00:00%2B02:00").await.ok();
}

#[tokio::test]
async fn traffic_counts_the_billing_month() {
    let (world, id) = with_server(Dialect::Compat).await;
    let path = format!("/servers/{id}");
    let traffic = async || {
        let seen = world.see(&path).await["server"].clone();
        (seen["ingoing_traffic"].as_u64().unwrap(), seen["outgoing_traffic"].as_u64().unwrap())
    };
    assert_eq!(traffic().await, (0, 0));
    world.clock.advance(5 * HOUR);
    let five_hours = traffic().await;
    assert!(five_hours.0 > 0 && five_hours.1 > five_hours.0);
    let listed = world.see("/servers").await;
    assert_eq!(listed["servers"][0]["outgoing_traffic"], five_hours.1, "lists follow the clock, too");
    world.clock.advance(24 * HOUR);
    let later = traffic().await;
    assert!(later.1 > five_hours.1);
    assert_eq!(world.see("/servers").await["servers"][0]["outgoing_traffic"], later.1);
    // From 2026-11-22 to 2026-12-01 and ten hours.
    world.post(&format!("{path}/actions/poweroff"), json!({})).await.ok();
    world.clock.advance(10 * 24 * HOUR);
    assert_eq!(traffic().await, (0, 0), "a new month, and a machine that stands still");
}

/// What a server was changes nothing in what is known of it: counters do not fall, and samples of the past stay.
#[tokio::test]
async fn the_past_outlives_changes() {
    let (world, id) = with_server(Dialect::Compat).await;
    world.clock.advance(4 * HOUR);
    let path = format!("/servers/{id}");
    let sent = async || world.see(&path).await["server"]["outgoing_traffic"].as_u64().unwrap();
    let samples = query(&world, id, "cpu,network", 4, "&step=600");
    let seen = world.see(&samples).await;
    world.clock.advance(HOUR);
    let before = sent().await;
    world.post(&format!("{path}/actions/poweroff"), json!({})).await.ok();
    for family in ["ipv4", "ipv6"] {
        let address = world.see(&path).await["server"]["public_net"][family]["id"].clone();
        world.post(&format!("/primary_ips/{address}/actions/unassign"), json!({})).await.ok();
    }
    assert_eq!(sent().await, before);
    let change = json!({"server_type": "cpx52", "upgrade_disk": false});
    world.post(&format!("{path}/actions/change_type"), change).await.ok();
    world.clock.advance(HOUR);
    assert_eq!(sent().await, before, "a machine without an interface sends nothing");
    assert_eq!(world.see(&samples).await, seen);
}
