//! Targets of load balancers, and how their health follows from what they are.

use crate::common::{Setup, World, server};
use crate::load_balancers::{act, dialects, see, tcp, wanted};
use crate::networks::network;
use serde_json::{Value, json};
use std::time::Duration;
use wolke_domain::clock::Clock as _;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_wire::Dialect;

pub fn to_server(id: i64, private: bool) -> Value {
    json!({"type": "server", "server": {"id": id}, "use_private_ip": private})
}

fn to_labels(selector: &str) -> Value {
    json!({"type": "label_selector", "label_selector": {"selector": selector}})
}

pub fn to_ip(ip: &str) -> Value {
    json!({"type": "ip", "ip": {"ip": ip}})
}

fn labelled(name: &str, labels: Value) -> Value {
    let mut new = server(name);
    new["labels"] = labels;
    new
}

/// A load balancer with one service of TCP at port 80.
pub async fn balancer(world: &World) -> i64 {
    let mut new = wanted("one");
    new["services"] = json!([tcp(80, 80)]);
    world.create("/load_balancers", new).await
}

/// The health at the first service: status, detail, status code.
pub fn health(target: &Value) -> (String, String, Value) {
    let health = &target["health_status"][0];
    let text = |member: &str| health[member].as_str().unwrap_or_default().to_owned();
    (text("status"), text("detail"), health["http_status_code"].clone())
}

pub async fn first_health(world: &World, id: i64) -> (String, String, Value) {
    health(&see(world, id).await["targets"][0])
}

pub fn well() -> (String, String, Value) {
    ("healthy".into(), String::new(), Value::Null)
}

pub fn ill(detail: &str) -> (String, String, Value) {
    ("unhealthy".into(), detail.into(), Value::Null)
}

/// The servers of the first target, a selector.
fn selected(balancer: &Value) -> Vec<i64> {
    let targets = balancer["targets"][0]["targets"].as_array().unwrap();
    targets.iter().map(|target| target["server"]["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn servers_are_targets() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let (id, web) = (balancer(&world).await, world.create("/servers", server("web")).await);
        let added = act(&world, id, "add_target", to_server(web, false)).await.ok();
        assert_eq!(
            (&added["action"]["command"], &added["action"]["status"]),
            (&json!("add_target"), &json!("success"))
        );
        let target = see(&world, id).await["targets"][0].clone();
        let expected = json!({
            "type": "server", "server": {"id": web}, "use_private_ip": false,
            "health_status": [{"listen_port": 80, "status": "healthy"}],
        });
        assert_eq!(target, expected);
        assert_eq!(world.see(&format!("/servers/{web}")).await["server"]["load_balancers"], json!([id]));
        act(&world, id, "add_target", to_server(web, false)).await.refused(422, "target_already_defined");
        act(&world, id, "add_target", to_server(4711, false)).await.refused(404, "not_found");
        let private = act(&world, id, "add_target", to_server(web, true)).await;
        private.refused(422, "target_already_defined");

        let out = json!({"type": "server", "server": {"id": web}});
        let removed = act(&world, id, "remove_target", out.clone()).await.ok();
        assert_eq!(removed["action"]["command"], "remove_target");
        assert_eq!(see(&world, id).await["targets"], json!([]));
        assert_eq!(world.see(&format!("/servers/{web}")).await["server"]["load_balancers"], json!([]));
        act(&world, id, "remove_target", out).await.refused(404, "not_found");

        // A server that goes is no target any more, and a load balancer that goes leaves none.
        act(&world, id, "add_target", to_server(web, false)).await.ok();
        world.delete(&format!("/servers/{web}")).await.ok();
        assert_eq!(see(&world, id).await["targets"], json!([]));
        let mut new = wanted("two");
        let other = world.create("/servers", server("other")).await;
        new["targets"] = json!([{"type": "server", "server": {"id": other}}]);
        let two = world.create("/load_balancers", new).await;
        assert_eq!(see(&world, two).await["targets"][0]["health_status"], json!([]), "there is no service");
        world.delete(&format!("/load_balancers/{two}")).await.ok();
        assert_eq!(world.see(&format!("/servers/{other}")).await["server"]["load_balancers"], json!([]));
    }
}

#[tokio::test]
async fn requests_name_one_thing() {
    let world = World::new(Dialect::Compat).await;
    let id = balancer(&world).await;
    act(&world, id, "add_target", json!({"type": "server"})).await.wrong(&["server"]);
    let two = json!({"type": "server", "server": {"id": 1}, "ip": {"ip": "203.0.113.7"}});
    act(&world, id, "add_target", two).await.wrong(&["ip"]);
    act(&world, id, "add_target", to_labels("a b")).await.wrong(&["label_selector.selector"]);
    act(&world, id, "add_target", to_labels("")).await.wrong(&["label_selector.selector"]);
    act(&world, id, "add_target", json!({"type": "tower"})).await.wrong(&["type"]);
    let mut private = to_ip("203.0.113.7");
    private["use_private_ip"] = json!(true);
    act(&world, id, "add_target", private).await.wrong(&["use_private_ip"]);
    act(&world, 4711, "add_target", to_labels("a")).await.refused(404, "not_found");
}

#[tokio::test]
async fn ways_need_both_ends() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let missing_ipv4 = if dialect == Dialect::D2023_07 { "invalid_input" } else { "missing_ipv4" };
        let net = network(&world, "net", &["10.0.1.0/24"]).await;
        let id = balancer(&world).await;
        let mut bare = server("bare");
        bare["public_net"] = json!({"enable_ipv4": false, "enable_ipv6": true});
        let bare = world.create("/servers", bare).await;
        act(&world, id, "add_target", to_server(bare, false)).await.refused(422, missing_ipv4);
        act(&world, id, "add_target", to_server(bare, true))
            .await
            .refused(422, "load_balancer_not_attached_to_network");
        act(&world, id, "attach_to_network", json!({"network": net})).await.ok();
        act(&world, id, "add_target", to_server(bare, true)).await.refused(422, "server_not_attached_to_network");
        let join = json!({"network": net});
        world.post(&format!("/servers/{bare}/actions/attach_to_network"), join.clone()).await.ok();
        act(&world, id, "add_target", to_server(bare, true)).await.ok();
        assert_eq!(first_health(&world, id).await, well());
        // What a create names must hold, too.
        let mut new = wanted("two");
        new["targets"] = json!([to_server(bare, false)]);
        world.post("/load_balancers", new.clone()).await.refused(422, missing_ipv4);
        new["targets"] = json!([to_server(bare, true)]);
        world.post("/load_balancers", new.clone()).await.refused(422, "load_balancer_not_attached_to_network");
        new["network"] = json!(net);
        let two = world.create("/load_balancers", new).await;
        assert_eq!(see(&world, two).await["targets"][0]["server"]["id"], bare);
    }
}

#[tokio::test]
async fn health_follows_the_machine() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let has_detail = matches!(dialect, Dialect::Compat | Dialect::Newest);
        let shown = |detail: &str| ill(if has_detail { detail } else { "" });
        let (id, web) = (balancer(&world).await, world.create("/servers", server("web")).await);
        act(&world, id, "add_target", to_server(web, false)).await.ok();
        assert_eq!(first_health(&world, id).await, well());
        world.post(&format!("/servers/{web}/actions/poweroff"), json!({})).await.ok();
        assert_eq!(first_health(&world, id).await, shown("layer4_timeout"));
        world.post(&format!("/servers/{web}/actions/poweron"), json!({})).await.ok();
        assert_eq!(first_health(&world, id).await, well());
    }
}

#[tokio::test]
async fn health_follows_firewalls_on_the_public_way() {
    let world = World::new(Dialect::Compat).await;
    let net = network(&world, "net", &["10.0.1.0/24"]).await;
    let (id, inner) = (balancer(&world).await, world.create("/load_balancers", wanted("inner")).await);
    act(&world, inner, "add_service", tcp(80, 80)).await.ok();
    act(&world, inner, "attach_to_network", json!({"network": net})).await.ok();
    let mut web = labelled("web", json!({"a": "b"}));
    web["networks"] = json!([net]);
    let web = world.create("/servers", web).await;
    act(&world, id, "add_target", to_server(web, false)).await.ok();
    act(&world, inner, "add_target", to_server(web, true)).await.ok();
    let wall = world.create("/firewalls", json!({"name": "wall"})).await;
    let verb = |verb: &str| format!("/firewalls/{wall}/actions/{verb}");
    let server = json!([{"type": "server", "server": {"id": web}}]);
    world.post(&verb("apply_to_resources"), json!({"apply_to": server})).await.ok();
    assert_eq!(first_health(&world, id).await, ill("layer4_timeout"));
    assert_eq!(first_health(&world, inner).await, well(), "firewalls guard public interfaces alone");
    let rule = |port: &str, source: &str| json!({"rules": [{"direction": "in", "protocol": "tcp", "port": port, "source_ips": [source]}]});
    world.post(&verb("set_rules"), rule("80", "0.0.0.0/0")).await.ok();
    assert_eq!(first_health(&world, id).await, well());
    world.post(&verb("set_rules"), rule("80", "192.0.2.0/24")).await.ok();
    assert_eq!(first_health(&world, id).await, ill("layer4_timeout"), "not from this address");
    let own = format!("{}/32", see(&world, id).await["public_net"]["ipv4"]["ip"].as_str().unwrap());
    world.post(&verb("set_rules"), rule("79-81", &own)).await.ok();
    assert_eq!(first_health(&world, id).await, well());
    // The health check has a port of its own.
    let check = json!({"listen_port": 80, "health_check": {"port": 99}});
    act(&world, id, "update_service", check).await.ok();
    assert_eq!(first_health(&world, id).await, ill("layer4_timeout"));
    world.post(&verb("remove_from_resources"), json!({"remove_from": server})).await.ok();
    assert_eq!(first_health(&world, id).await, well());
    let labels = json!([{"type": "label_selector", "label_selector": {"selector": "a=b"}}]);
    world.post(&verb("apply_to_resources"), json!({"apply_to": labels})).await.ok();
    assert_eq!(first_health(&world, id).await, ill("layer4_timeout"));
    world.post(&verb("set_rules"), rule("any", "0.0.0.0/0")).await.ok();
    assert_eq!(first_health(&world, id).await, well());
    world.post(&verb("set_rules"), json!({"rules": []})).await.ok();
    assert_eq!(first_health(&world, id).await, ill("layer4_timeout"));
    world.put(&format!("/servers/{web}"), json!({"labels": {}})).await.ok();
    assert_eq!(first_health(&world, id).await, well(), "it is no longer behind the firewall");
}

#[tokio::test]
async fn health_follows_networks() {
    let world = World::new(Dialect::Compat).await;
    let net = network(&world, "net", &["10.0.1.0/24"]).await;
    let id = balancer(&world).await;
    act(&world, id, "attach_to_network", json!({"network": net})).await.ok();
    let mut web = server("web");
    web["networks"] = json!([net]);
    let web = world.create("/servers", web).await;
    act(&world, id, "add_target", to_server(web, true)).await.ok();
    assert_eq!(first_health(&world, id).await, well());
    let leave = json!({"network": net});
    world.post(&format!("/servers/{web}/actions/detach_from_network"), leave.clone()).await.ok();
    assert_eq!(first_health(&world, id).await, ill("layer4_no_connection"));
    world.post(&format!("/servers/{web}/actions/attach_to_network"), leave.clone()).await.ok();
    assert_eq!(first_health(&world, id).await, well());
    act(&world, id, "detach_from_network", leave.clone()).await.ok();
    assert_eq!(first_health(&world, id).await, ill("layer4_no_connection"));
    act(&world, id, "attach_to_network", leave).await.ok();
    assert_eq!(first_health(&world, id).await, well());
    world.delete(&format!("/networks/{net}")).await.ok();
    assert_eq!(first_health(&world, id).await, ill("layer4_no_connection"));
}

#[tokio::test]
async fn addresses_of_targets_stay() {
    let world = World::new(Dialect::Compat).await;
    let (id, web) = (balancer(&world).await, world.create("/servers", server("web")).await);
    act(&world, id, "add_target", to_server(web, false)).await.ok();
    world.post(&format!("/servers/{web}/actions/poweroff"), json!({})).await.ok();
    let public = world.see(&format!("/servers/{web}")).await["server"]["public_net"].clone();
    let unassign = |family: &str| format!("/primary_ips/{}/actions/unassign", public[family]["id"]);
    world.post(&unassign("ipv4"), json!({})).await.refused(422, "server_is_load_balancer_target");
    world.post(&unassign("ipv6"), json!({})).await.ok();
    act(&world, id, "remove_target", json!({"type": "server", "server": {"id": web}})).await.ok();
    world.post(&unassign("ipv4"), json!({})).await.ok();
}

/// Until 2026-05 an assigned primary IP can be deleted: not one by which a target is reached.
#[tokio::test]
async fn addresses_of_targets_are_not_deleted() {
    for dialect in [Dialect::D2023_07, Dialect::D2026_02] {
        let world = World::new(dialect).await;
        let (id, web) = (balancer(&world).await, world.create("/servers", labelled("web", json!({"a": "b"}))).await);
        act(&world, id, "add_target", to_server(web, false)).await.ok();
        world.post(&format!("/servers/{web}/actions/poweroff"), json!({})).await.ok();
        let public = world.see(&format!("/servers/{web}")).await["server"]["public_net"].clone();
        let path = format!("/primary_ips/{}", public["ipv4"]["id"]);
        world.delete(&path).await.refused(422, "server_is_load_balancer_target");
        // Who is selected is named by nobody: the server loses the address, and health says so.
        act(&world, id, "remove_target", json!({"type": "server", "server": {"id": web}})).await.ok();
        act(&world, id, "add_target", to_labels("a=b")).await.ok();
        world.post(&format!("/servers/{web}/actions/poweron"), json!({})).await.ok();
        let health =
            || async { see(&world, id).await["targets"][0]["targets"][0]["health_status"][0]["status"].clone() };
        assert_eq!(health().await, "healthy");
        world.post(&format!("/servers/{web}/actions/poweroff"), json!({})).await.ok();
        assert_eq!(world.delete(&path).await.status, 204);
        world.post(&format!("/servers/{web}/actions/poweron"), json!({})).await.ok();
        assert_eq!(world.see(&format!("/servers/{web}")).await["server"]["status"], "running");
        assert_eq!(health().await, "unhealthy");
    }
}

#[tokio::test]
async fn selectors_stay_live() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let id = balancer(&world).await;
        let one = world.create("/servers", labelled("one", json!({"env": "prod"}))).await;
        let two = world.create("/servers", labelled("two", json!({}))).await;
        act(&world, id, "add_target", to_labels("env=prod")).await.ok();
        let expected = json!({
            "type": "label_selector", "label_selector": {"selector": "env=prod"}, "use_private_ip": false,
            "targets": [{
                "type": "server", "server": {"id": one}, "use_private_ip": false,
                "health_status": [{"listen_port": 80, "status": "healthy"}],
            }],
        });
        assert_eq!(see(&world, id).await["targets"][0], expected);
        assert_eq!(world.see(&format!("/servers/{one}")).await["server"]["load_balancers"], json!([id]));
        act(&world, id, "add_target", to_labels("env=prod")).await.refused(422, "target_already_defined");
        world.put(&format!("/servers/{two}"), json!({"labels": {"env": "prod"}})).await.ok();
        assert_eq!(selected(&see(&world, id).await), [one, two]);
        assert_eq!(world.see(&format!("/servers/{two}")).await["server"]["load_balancers"], json!([id]));
        let three = world.create("/servers", labelled("three", json!({"env": "prod"}))).await;
        world.put(&format!("/servers/{one}"), json!({"labels": {}})).await.ok();
        assert_eq!(selected(&see(&world, id).await), [two, three]);
        assert_eq!(world.see(&format!("/servers/{one}")).await["server"]["load_balancers"], json!([]));
        world.post(&format!("/servers/{two}/actions/poweroff"), json!({})).await.ok();
        let targets = see(&world, id).await["targets"][0]["targets"].clone();
        assert_eq!(
            (&targets[0]["health_status"][0]["status"], &targets[1]["health_status"][0]["status"]),
            (&json!("unhealthy"), &json!("healthy"))
        );
        world.delete(&format!("/servers/{two}")).await.ok();
        assert_eq!(selected(&see(&world, id).await), [three]);
        act(&world, id, "remove_target", to_labels("env=prod")).await.ok();
        assert_eq!(see(&world, id).await["targets"], json!([]));
        assert_eq!(world.see(&format!("/servers/{three}")).await["server"]["load_balancers"], json!([]));
    }
}

#[tokio::test]
async fn targets_are_counted() {
    let world = World::new(Dialect::Compat).await;
    let id = balancer(&world).await;
    for n in 0..24 {
        let mut new = labelled(&format!("s{n}"), json!({"env": "prod"}));
        new["start_after_create"] = json!(false);
        world.create("/servers", new).await;
    }
    act(&world, id, "add_target", to_labels("env=prod")).await.ok();
    act(&world, id, "add_target", to_labels("none")).await.ok();
    let plain = world.create("/servers", server("plain")).await;
    let extra = world.create("/servers", labelled("extra", json!({"env": "prod"}))).await;
    // One more has joined by its labels; there is no room for one that is named.
    let refused = act(&world, id, "add_target", to_server(plain, false)).await;
    refused.refused(403, "resource_limit_exceeded");
    assert_eq!(refused.json["error"]["details"]["limits"][0]["name"], "load_balancer_targets");
    assert_eq!(selected(&see(&world, id).await).last(), Some(&extra));
    act(&world, id, "change_type", json!({"load_balancer_type": "lb21"})).await.ok();
    act(&world, id, "add_target", to_server(plain, false)).await.ok();
    act(&world, id, "change_type", json!({"load_balancer_type": "lb11"}))
        .await
        .refused(422, "invalid_load_balancer_type");
    act(&world, id, "remove_target", json!({"type": "server", "server": {"id": plain}})).await.ok();
    act(&world, id, "change_type", json!({"load_balancer_type": "lb11"})).await.ok();
    // What a request names is counted before anybody joins, selector by selector.
    let before = world.see(&format!("/servers/{plain}")).await;
    let mut two = wanted("two");
    for targets in
        [json!([to_labels("env"), to_labels("env=prod")]), (0..26).map(|n| to_labels(&format!("n{n}"))).collect()]
    {
        two["targets"] = targets;
        let refused = world.post("/load_balancers", two.clone()).await;
        refused.refused(403, "resource_limit_exceeded");
        assert_eq!(refused.json["error"]["details"]["limits"][0]["name"], "load_balancer_targets");
    }
    two["targets"] = json!([to_labels("env"), to_labels("none")]);
    let two = world.create("/load_balancers", two).await;
    assert_eq!(selected(&see(&world, two).await).len(), 25);
    world.delete(&format!("/load_balancers/{two}")).await.ok();
    assert_eq!(world.see(&format!("/servers/{plain}")).await, before);
    // Whoever joins when there is no room is not used, until there is.
    let late = world.create("/servers", labelled("late", json!({"env": "prod"}))).await;
    assert_eq!(selected(&see(&world, id).await).last(), Some(&extra));
    agree(&world, id).await;
    // It is in the way of nothing but more targets and a smaller type.
    act(&world, id, "update_service", json!({"listen_port": 80, "destination_port": 81})).await.ok();
    act(&world, id, "add_service", tcp(443, 443)).await.ok();
    act(&world, id, "add_target", to_labels("other")).await.refused(403, "resource_limit_exceeded");
    act(&world, id, "remove_target", to_labels("none")).await.ok();
    act(&world, id, "change_type", json!({"load_balancer_type": "lb21"})).await.ok();
    assert_eq!(selected(&see(&world, id).await).last(), Some(&late));
    agree(&world, id).await;
    act(&world, id, "change_type", json!({"load_balancer_type": "lb11"}))
        .await
        .refused(422, "invalid_load_balancer_type");
    world.delete(&format!("/servers/{extra}")).await.ok();
    act(&world, id, "change_type", json!({"load_balancer_type": "lb11"})).await.ok();
    assert_eq!(selected(&see(&world, id).await).last(), Some(&late));
    // Somebody before the others joins: the last one goes out. He leaves: it comes in again.
    agree(&world, id).await;
    for labels in [json!({"env": "prod"}), json!({})] {
        world.put(&format!("/servers/{plain}"), json!({"labels": labels})).await.ok();
        let is_used = labels == json!({});
        assert_eq!(selected(&see(&world, id).await).contains(&late), is_used);
        agree(&world, id).await;
    }
    // One that is named takes the place of one that is selected, when there is none left.
    let named = world.create("/servers", server("named")).await;
    act(&world, id, "remove_target", to_labels("env=prod")).await.ok();
    agree(&world, id).await;
    act(&world, id, "add_target", to_labels("s=few")).await.ok();
    act(&world, id, "add_target", to_server(named, false)).await.ok();
    for n in 1..=25 {
        world.put(&format!("/servers/{n}"), json!({"labels": {"s": "few"}})).await.ok();
    }
    assert_eq!(selected(&see(&world, id).await).len(), 24);
    agree(&world, id).await;
    world.delete(&format!("/servers/{named}")).await.ok();
    assert_eq!(selected(&see(&world, id).await).len(), 25);
    agree(&world, id).await;
    world.delete("/servers/1").await.ok();
    agree(&world, id).await;
}

/// A load balancer shows a server among its targets exactly if the server shows the load balancer.
async fn agree(world: &World, id: i64) {
    let shown = see(world, id).await;
    let targets: Vec<&Value> = shown["targets"].as_array().unwrap().iter().collect();
    let inner = targets.iter().flat_map(|target| target["targets"].as_array().into_iter().flatten());
    let used: Vec<i64> = targets.iter().copied().chain(inner).filter_map(|one| one["server"]["id"].as_i64()).collect();
    for server in world.see("/servers?per_page=50").await["servers"].as_array().unwrap() {
        let single = world.see(&format!("/servers/{}", server["id"])).await["server"]["load_balancers"].clone();
        assert_eq!(server["load_balancers"], single);
        let names_it = single.as_array().unwrap().contains(&json!(id));
        assert_eq!(
            names_it,
            used.contains(&server["id"].as_i64().unwrap()),
            "{} {}: {used:?}",
            server["id"],
            server["name"]
        );
    }
}

#[tokio::test]
async fn servers_that_somebody_works_on() {
    for (refuse_contention, kind) in
        [(false, OperationKind::Create), (true, OperationKind::Create), (false, OperationKind::Delete)]
    {
        let mut setup = Setup { refuse_contention, ..Setup::new(Dialect::Compat) };
        setup.simulation.profile = LatencyProfile::none().with(kind, Policy::Stuck);
        setup.settle = Duration::ZERO;
        let world = World::with(setup).await;
        let (id, web) = (balancer(&world).await, world.create("/servers", server("web")).await);
        if kind == OperationKind::Delete {
            world.delete(&format!("/servers/{web}")).await.ok();
        }
        let answer = act(&world, id, "add_target", to_server(web, false)).await;
        if refuse_contention || kind == OperationKind::Delete {
            answer.refused(423, "locked");
        } else {
            answer.ok();
            assert_eq!(first_health(&world, id).await, ill("layer4_timeout"), "it does not run yet");
        }
    }
}

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

#[tokio::test]
async fn metrics_follow_what_there_is_to_do() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let now = || world.clock.wall();
        let id = balancer(&world).await;
        let web = world.create("/servers", server("web")).await;
        world.clock.advance(2 * HOUR);
        act(&world, id, "add_target", to_server(web, false)).await.ok();
        world.clock.advance(2 * HOUR);
        let ask = |types: &str, more: &str| {
            let (start, end) = (now().plus_ms(-4 * HOUR).to_string(), now().to_string());
            let (start, end) = (start.replace("+00:00", "Z"), end.replace("+00:00", "Z"));
            format!("/load_balancers/{id}/metrics?type={types}&start={start}&end={end}{more}")
        };
        let all = world.see(&ask("open_connections,connections_per_second,requests_per_second,bandwidth", "")).await;
        let series = all["metrics"]["time_series"].as_object().unwrap();
        let names: Vec<&String> = series.keys().collect();
        let expected =
            ["bandwidth.in", "bandwidth.out", "connections_per_second", "open_connections", "requests_per_second"];
        assert_eq!(names, expected, "dialects D.3");
        let values = |name: &str| -> Vec<f64> {
            let values = series[name]["values"].as_array().unwrap();
            values.iter().map(|value| value[1].as_str().unwrap().parse().unwrap()).collect()
        };
        for name in ["bandwidth.in", "bandwidth.out", "connections_per_second", "open_connections"] {
            let values = values(name);
            let (before, after) = values.split_at(values.len() / 2 - 1);
            assert!(before.iter().all(|value| *value == 0.0), "{name}: without a target nothing flows");
            assert!(after[4..].iter().all(|value| *value > 0.0), "{name}");
        }
        assert!(values("requests_per_second").iter().all(|value| *value == 0.0), "TCP has no requests");
        assert_eq!(
            world.see(&ask("bandwidth", "")).await["metrics"]["time_series"]["bandwidth.out"],
            series["bandwidth.out"]
        );
        assert_eq!(world.see(&ask("bandwidth", "&step=3600")).await["metrics"]["step"], 3600);
        let seen = see(&world, id).await;
        let (out, received) = (seen["outgoing_traffic"].as_u64().unwrap(), seen["ingoing_traffic"].as_u64().unwrap());
        assert!(out > 0 && received > 0, "what has flowed is counted");
        act(&world, id, "remove_target", json!({"type": "server", "server": {"id": web}})).await.ok();
        world.clock.advance(5 * HOUR);
        let later = see(&world, id).await;
        world.clock.advance(5 * HOUR);
        assert_eq!(see(&world, id).await["outgoing_traffic"], later["outgoing_traffic"], "nothing flows any more");
        world.get(&ask("bandwidth", "&step=0")).await.wrong(&["step"]);
        world.get(&ask("cpu", "")).await.wrong(&["type"]);
        world
            .get("/load_balancers/4711/metrics?type=bandwidth&start=2026-11-21T00:00:00Z&end=2026-11-21T01:00:00Z")
            .await
            .refused(404, "not_found");
    }
}
