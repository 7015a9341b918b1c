//! Health checks that take time: `retries` failures in a row make a target unhealthy, as many successes healthy again
//! (dialects D.1).

use crate::common::{Setup, World, server};
use crate::load_balancers::{act, dialects, http, see, tcp, wanted};
use crate::networks::network;
use crate::operator::Operator;
use serde_json::{Value, json};
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::load_balancer_health as kept;
use wolke_wire::Dialect;

/// A pace in which checks take time, and nothing that these tests do to servers.
fn slow() -> LatencyProfile {
    LatencyProfile::none().with(OperationKind::Snapshot, Policy::After { ms: 1_000 })
}

/// A world in that pace whose clock stands still.
async fn unhurried(dialect: Dialect, on_disk: bool) -> (World, Operator) {
    let mut setup = Setup { on_disk, ..Setup::new(dialect) };
    setup.simulation.profile = slow();
    let world = World::with(setup).await;
    let operator = Operator::of(&world);
    operator.does("POST", "/clock/mode", json!({"mode": "manual"})).await;
    (world, operator)
}

/// Lets time pass, from event to event.
async fn pass(operator: &Operator, seconds: i64) {
    operator.does("POST", "/clock/advance", json!({"milliseconds": seconds * 1_000})).await;
}

/// What is said of the first target, service by service.
async fn shown(world: &World, id: i64) -> Value {
    see(world, id).await["targets"][0]["health_status"].clone()
}

/// The same, as words: the status, and the detail where there is one.
fn words(health: &Value) -> Vec<String> {
    let word = |one: &Value| match one["detail"].as_str() {
        Some(detail) => format!("{} {detail}", one["status"].as_str().unwrap()),
        None => one["status"].as_str().unwrap().to_owned(),
    };
    health.as_array().unwrap().iter().map(word).collect()
}

async fn said(world: &World, id: i64) -> Vec<String> {
    words(&shown(world, id).await)
}

/// A load balancer with one target: checks of TCP every 15 s, at most 10 s, 3 in a row; of HTTP every 5 s, at most 5 s, 2 in a row.
async fn balancer(world: &World, target: Value) -> i64 {
    let mut new = wanted("one");
    (new["services"], new["targets"]) = (json!([tcp(80, 80), http(81)]), json!([target]));
    world.create("/load_balancers", new).await
}

fn to(server: i64) -> Value {
    json!({"type": "server", "server": {"id": server}, "use_private_ip": false})
}

#[tokio::test]
async fn retries_count() {
    for dialect in dialects() {
        let (world, operator) = unhurried(dialect, false).await;
        let has_detail = matches!(dialect, Dialect::Compat | Dialect::Newest);
        let silent = if has_detail { "unhealthy layer4_timeout" } else { "unhealthy" };
        let web = world.create("/servers", server("web")).await;
        let power = |verb: &str| format!("/servers/{web}/actions/{verb}");
        let id = balancer(&world, to(web)).await;
        assert_eq!(
            shown(&world, id).await,
            json!([{"listen_port": 80, "status": "unknown"}, {"listen_port": 81, "status": "unknown"}]),
            "no detail: nothing was found yet"
        );
        pass(&operator, 9).await;
        assert_eq!(said(&world, id).await, ["unknown", "unknown"]);
        pass(&operator, 1).await;
        assert_eq!(said(&world, id).await, ["unknown", "healthy"], "the second check");
        pass(&operator, 34).await;
        assert_eq!(said(&world, id).await, ["unknown", "healthy"]);
        pass(&operator, 1).await;
        assert_eq!(said(&world, id).await, ["healthy", "healthy"], "after three intervals");

        // 45: off. Checks begin at 60, 75, 90 and at 50, 55; each waits for its whole timeout.
        world.post(&power("poweroff"), json!({})).await.ok();
        assert_eq!(said(&world, id).await, ["healthy", "healthy"], "nobody has noticed");
        pass(&operator, 14).await;
        assert_eq!(said(&world, id).await, ["healthy", "healthy"]);
        pass(&operator, 1).await;
        assert_eq!(said(&world, id).await, ["healthy", silent]);
        pass(&operator, 39).await;
        assert_eq!(said(&world, id).await, ["healthy", silent]);
        pass(&operator, 1).await;
        assert_eq!(said(&world, id).await, [silent, silent]);

        // 100: on again, and as many successes, at 105 and 110, at 105, 120 and 135.
        world.post(&power("poweron"), json!({})).await.ok();
        assert_eq!(said(&world, id).await, [silent, silent]);
        pass(&operator, 9).await;
        assert_eq!(said(&world, id).await, [silent, silent]);
        pass(&operator, 1).await;
        assert_eq!(said(&world, id).await, [silent, "healthy"]);
        pass(&operator, 24).await;
        assert_eq!(said(&world, id).await, [silent, "healthy"]);
        pass(&operator, 1).await;
        assert_eq!(said(&world, id).await, ["healthy", "healthy"]);
        let listed = world.see("/load_balancers").await["load_balancers"][0]["targets"][0]["health_status"].clone();
        assert_eq!(words(&listed), ["healthy", "healthy"], "lists say so, too");
    }
}

#[tokio::test]
async fn a_flap_changes_nothing_and_starts_anew() {
    let (world, operator) = unhurried(Dialect::Compat, false).await;
    let web = world.create("/servers", server("web")).await;
    let id = balancer(&world, to(web)).await;
    pass(&operator, 45).await;
    let refuse = json!({"server": web, "port": 80, "does": "refuse"});
    operator.does("PUT", "/guests", refuse.clone()).await;
    // 46, and the checks of TCP at 60 and 75 fail.
    pass(&operator, 30).await;
    assert_eq!(said(&world, id).await, ["healthy", "unhealthy layer4_no_connection"]);
    operator.does("DELETE", "/guests", json!({"server": web, "port": 80})).await;
    pass(&operator, 20).await;
    assert_eq!(said(&world, id).await, ["healthy", "healthy"], "the one at 90 did not");
    // 95: they begin to count anew, 105, 120, 135.
    operator.does("PUT", "/guests", refuse).await;
    pass(&operator, 39).await;
    assert_eq!(said(&world, id).await[0], "healthy");
    pass(&operator, 1).await;
    assert_eq!(said(&world, id).await[0], "unhealthy layer4_no_connection");
    // An unhealthy target says what the last check has found.
    operator.does("PUT", "/guests", json!({"server": web, "port": 80, "does": "answer", "status": 503})).await;
    pass(&operator, 5).await;
    let answer = shown(&world, id).await;
    assert_eq!(words(&answer), ["unhealthy layer4_no_connection", "unhealthy unexpected_http_status"]);
    assert_eq!(answer[1]["http_status_code"], 503);
    pass(&operator, 40).await;
    assert_eq!(said(&world, id).await, ["healthy", "unhealthy unexpected_http_status"], "TCP is content");
}

#[tokio::test]
async fn what_is_new_is_unknown() {
    for dialect in dialects() {
        let (world, operator) = unhurried(dialect, false).await;
        operator.does("PUT", "/dedicated_ips/203.0.113.7", Value::Null).await;
        let web = world.create("/servers", server("web")).await;
        let id = balancer(&world, to(web)).await;
        pass(&operator, 60).await;
        assert_eq!(said(&world, id).await, ["healthy", "healthy"]);
        // A check that has changed; all else stays.
        let mut change = tcp(80, 80);
        change["health_check"]["retries"] = json!(1);
        act(&world, id, "update_service", change.clone()).await.ok();
        assert_eq!(said(&world, id).await, ["unknown", "healthy"]);
        act(&world, id, "update_service", change).await.ok();
        pass(&operator, 15).await;
        assert_eq!(said(&world, id).await, ["healthy", "healthy"], "the same again is no change");
        act(
            &world,
            id,
            "update_service",
            json!({"listen_port": 80, "protocol": "tcp", "destination_port": 8080,
            "proxyprotocol": false, "health_check": {"protocol": "tcp", "port": 80, "interval": 15, "timeout": 10,
            "retries": 1}}),
        )
        .await
        .ok();
        assert_eq!(said(&world, id).await, ["healthy", "healthy"], "the check is as it was");
        // A service.
        act(&world, id, "delete_service", json!({"listen_port": 80})).await.ok();
        act(&world, id, "add_service", tcp(80, 80)).await.ok();
        assert_eq!(said(&world, id).await, ["healthy", "unknown"]);
        pass(&operator, 45).await;
        assert_eq!(said(&world, id).await, ["healthy", "healthy"]);
        // Targets: one that comes back, an address, and whoever has the labels.
        act(&world, id, "remove_target", json!({"type": "server", "server": {"id": web}})).await.ok();
        act(&world, id, "add_target", to(web)).await.ok();
        assert_eq!(said(&world, id).await, ["unknown", "unknown"]);
        pass(&operator, 5).await;
        act(&world, id, "add_target", json!({"type": "ip", "ip": {"ip": "203.0.113.7"}})).await.ok();
        let labels = json!({"type": "label_selector", "label_selector": {"selector": "web"}, "use_private_ip": false});
        act(&world, id, "add_target", labels).await.ok();
        let mut other = server("other");
        other["labels"] = json!({"web": ""});
        let other = world.create("/servers", other).await;
        pass(&operator, 9).await;
        let targets = see(&world, id).await["targets"].clone();
        assert_eq!(words(&targets[0]["health_status"]), ["healthy", "unknown"]);
        assert_eq!(words(&targets[1]["health_status"]), ["unknown", "unknown"]);
        assert_eq!(words(&targets[2]["targets"][0]["health_status"]), ["unknown", "unknown"]);
        pass(&operator, 36).await;
        let targets = see(&world, id).await["targets"].clone();
        for health in
            [&targets[0]["health_status"], &targets[1]["health_status"], &targets[2]["targets"][0]["health_status"]]
        {
            assert_eq!(words(health), ["healthy", "healthy"]);
        }
        // One that goes and comes back to the labels.
        let relabel =
            async |labels: Value| world.put(&format!("/servers/{other}"), json!({"labels": labels})).await.ok();
        relabel(json!({})).await;
        pass(&operator, 1).await;
        assert_eq!(see(&world, id).await["targets"][2]["targets"], json!([]));
        relabel(json!({"web": "x"})).await;
        let back = see(&world, id).await["targets"][2]["targets"][0].clone();
        assert_eq!(words(&back["health_status"]), ["unknown", "unknown"]);
        world.delete(&format!("/load_balancers/{id}")).await.ok();
        pass(&operator, 1).await;
        let left = world.control.db().read(|tx| wolke_store::strand::all(tx)).await.unwrap();
        assert!(left.is_empty(), "nothing is left of it: {left:?}");
    }
}

#[tokio::test]
async fn whatever_changes_a_target_is_noticed() {
    let (world, operator) = unhurried(Dialect::Compat, false).await;
    let net = network(&world, "net", &["10.0.1.0/24"]).await;
    let web = world.create("/servers", server("web")).await;
    let id = balancer(&world, to(web)).await;
    act(&world, id, "attach_to_network", json!({"network": net})).await.ok();
    let on_server = |verb: &str| format!("/servers/{web}/actions/{verb}");
    world.post(&on_server("attach_to_network"), json!({"network": net})).await.ok();
    pass(&operator, 45).await;
    // A firewall that comes, and its rules.
    let apply = json!([{"type": "server", "server": {"id": web}}]);
    let wall = world.create("/firewalls", json!({"name": "wall", "rules": [], "apply_to": apply})).await;
    pass(&operator, 60).await;
    assert_eq!(said(&world, id).await, ["unhealthy layer4_timeout", "unhealthy layer4_timeout"]);
    let rule = json!({"direction": "in", "protocol": "tcp", "port": "80", "source_ips": ["0.0.0.0/0"]});
    world.post(&format!("/firewalls/{wall}/actions/set_rules"), json!({"rules": [rule]})).await.ok();
    pass(&operator, 60).await;
    assert_eq!(said(&world, id).await, ["healthy", "healthy"]);
    // The network in between.
    act(&world, id, "remove_target", json!({"type": "server", "server": {"id": web}})).await.ok();
    let private = json!({"type": "server", "server": {"id": web}, "use_private_ip": true});
    act(&world, id, "add_target", private).await.ok();
    pass(&operator, 60).await;
    assert_eq!(said(&world, id).await, ["healthy", "healthy"]);
    world.post(&on_server("detach_from_network"), json!({"network": net})).await.ok();
    pass(&operator, 45).await;
    assert_eq!(said(&world, id).await, ["unhealthy layer4_no_connection", "unhealthy layer4_no_connection"]);
    world.post(&on_server("attach_to_network"), json!({"network": net})).await.ok();
    pass(&operator, 45).await;
    assert_eq!(said(&world, id).await, ["healthy", "healthy"]);
    act(&world, id, "detach_from_network", json!({"network": net})).await.ok();
    pass(&operator, 45).await;
    assert_eq!(said(&world, id).await[0], "unhealthy layer4_no_connection");
    // A server that goes takes what was known of it along.
    world.delete(&format!("/servers/{web}")).await.ok();
    pass(&operator, 1).await;
    assert_eq!(see(&world, id).await["targets"], json!([]));
    assert!(world.control.db().read(move |tx| kept::of(tx, id)).await.unwrap().is_empty());
}

/// Whether anything is kept of checks that take time.
async fn is_any_kept(world: &World) -> bool {
    !world.control.db().read(|tx| kept::of_pace(tx, true, 0, 1)).await.unwrap().is_empty()
}

#[tokio::test]
async fn the_pace_can_change() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    operator.does("POST", "/clock/mode", json!({"mode": "manual"})).await;
    let pace = async |profile: Value| operator.does("PUT", "/simulation", profile).await;
    let snapshots = json!({"profile": {"snapshot": {"policy": "after", "ms": 1_000}}});
    let web = world.create("/servers", server("web")).await;
    let power = |verb: &str| format!("/servers/{web}/actions/{verb}");
    let id = balancer(&world, to(web)).await;
    assert_eq!(said(&world, id).await, ["healthy", "healthy"], "at once");
    assert!(!is_any_kept(&world).await);
    // From none to slow: what was said is said until there were enough checks.
    pace(snapshots.clone()).await;
    assert!(is_any_kept(&world).await);
    world.post(&power("poweroff"), json!({})).await.ok();
    assert_eq!(said(&world, id).await, ["healthy", "healthy"]);
    pass(&operator, 54).await;
    assert_eq!(said(&world, id).await, ["healthy", "unhealthy layer4_timeout"]);
    // And back: what is found is said at once, whatever was counted.
    pace(json!({"preset": "none"})).await;
    assert_eq!(said(&world, id).await, ["unhealthy layer4_timeout", "unhealthy layer4_timeout"]);
    assert!(!is_any_kept(&world).await);
    world.post(&power("poweron"), json!({})).await.ok();
    assert_eq!(said(&world, id).await, ["healthy", "healthy"]);
    // What is only broken is not slow.
    pace(json!({"profile": {"snapshot": {"policy": "stuck"}}})).await;
    world.post(&power("poweroff"), json!({})).await.ok();
    assert_eq!(said(&world, id).await, ["unhealthy layer4_timeout", "unhealthy layer4_timeout"]);
    assert!(!is_any_kept(&world).await);
    // In a clock in which work takes no time, checks take none.
    pace(snapshots).await;
    operator.does("POST", "/clock/mode", json!({"mode": "instant"})).await;
    world.post(&power("poweron"), json!({})).await.ok();
    pass(&operator, 0).await;
    assert_eq!(said(&world, id).await, ["healthy", "healthy"]);
}

#[tokio::test]
async fn checks_go_on_after_a_restart() {
    let (mut world, _) = unhurried(Dialect::Compat, true).await;
    let web = world.create("/servers", server("web")).await;
    let id = balancer(&world, to(web)).await;
    pass(&Operator::of(&world), 44).await;
    world = world.restart().await;
    assert_eq!(said(&world, id).await, ["unknown", "healthy"]);
    pass(&Operator::of(&world), 1).await;
    assert_eq!(said(&world, id).await, ["healthy", "healthy"]);
    world.post(&format!("/servers/{web}/actions/poweroff"), json!({})).await.ok();
    world = world.restart().await;
    assert_eq!(said(&world, id).await, ["healthy", "healthy"]);
    // In another pace, by the settings of the new process.
    world.setup.simulation.profile = LatencyProfile::none();
    world = world.restart().await;
    assert_eq!(said(&world, id).await, ["unhealthy layer4_timeout", "unhealthy layer4_timeout"]);
    assert!(!is_any_kept(&world).await);
}
