//! Firewalls: their rules, and the servers behind them.

use crate::common::{Answer, Setup, World, names, server};
use serde_json::{Value, json};
use std::time::Duration;
use wolke_control::Simulation;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_wire::Dialect;

/// The dialects that have firewalls.
fn dialects() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.iter().copied().filter(|dialect| *dialect != Dialect::D2018_04)
}

fn ssh() -> Value {
    json!({"direction": "in", "protocol": "tcp", "port": "22", "source_ips": ["0.0.0.0/0", "::/0"], "description": "shell"})
}

fn wanted(name: &str) -> Value {
    json!({"name": name, "rules": [ssh()]})
}

fn with(mut request: Value, member: &str, value: Value) -> Value {
    request[member] = value;
    request
}

fn labelled(name: &str, env: &str) -> Value {
    with(server(name), "labels", json!({"env": env}))
}

fn by_server(id: i64) -> Value {
    json!({"type": "server", "server": {"id": id}})
}

fn by_label(selector: &str) -> Value {
    json!({"type": "label_selector", "label_selector": {"selector": selector}})
}

async fn apply(world: &World, id: i64, to: Value) -> Answer {
    world.post(&format!("/firewalls/{id}/actions/apply_to_resources"), json!({"apply_to": to})).await
}

async fn remove(world: &World, id: i64, from: Value) -> Answer {
    world.post(&format!("/firewalls/{id}/actions/remove_from_resources"), json!({"remove_from": from})).await
}

async fn firewall(world: &World, id: i64) -> Value {
    let shown = world.see(&format!("/firewalls/{id}")).await["firewall"].clone();
    let list = world.see("/firewalls").await["firewalls"].clone();
    assert!(list.as_array().unwrap().contains(&shown), "a list and a single view show the same");
    shown
}

/// The firewalls that a server shows.
async fn of_server(world: &World, id: i64) -> Value {
    let shown = world.see(&format!("/servers/{id}")).await["server"]["public_net"]["firewalls"].clone();
    let list = world.see("/servers").await["servers"].clone();
    let listed = list.as_array().unwrap().iter().find(|entry| entry["id"] == id).unwrap();
    assert_eq!(listed["public_net"]["firewalls"], shown);
    shown
}

fn applied(ids: &[i64]) -> Value {
    ids.iter().map(|id| json!({"id": id, "status": "applied"})).collect()
}

fn commands(answer: &Value) -> Vec<(String, Value)> {
    let actions = answer["actions"].as_array().unwrap().iter();
    actions.map(|action| (action["command"].as_str().unwrap().to_owned(), action["resources"].clone())).collect()
}

#[tokio::test]
async fn a_life() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let made = world.post("/firewalls", with(wanted("one"), "labels", json!({"a": "b"}))).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        let id = made["firewall"]["id"].as_i64().unwrap();
        let rule = &made["firewall"]["rules"][0];
        assert_eq!(
            (&rule["port"], &rule["destination_ips"], &rule["description"]),
            (&json!("22"), &json!([]), &json!("shell"))
        );
        assert_eq!((&made["firewall"]["applied_to"], &made["firewall"]["labels"]), (&json!([]), &json!({"a": "b"})));
        assert_eq!(commands(&made), [("set_firewall_rules".to_owned(), json!([{"id": id, "type": "firewall"}]))]);
        assert_eq!(firewall(&world, id).await, made["firewall"]);
        let bare = world.post("/firewalls", json!({"name": "two"})).await.ok();
        assert_eq!((&bare["firewall"]["rules"], &bare["actions"]), (&json!([]), &json!([])));
        for (query, expected) in [
            ("", vec!["one", "two"]),
            ("?name=two", vec!["two"]),
            ("?label_selector=a", vec!["one"]),
            ("?sort=name:desc", vec!["two", "one"]),
            ("?sort=created:desc", vec!["two", "one"]),
            ("?page=2&per_page=1", vec!["two"]),
        ] {
            let list = world.see(&format!("/firewalls{query}")).await;
            assert_eq!(names(&list["firewalls"]), expected, "{dialect} {query}");
        }
        let path = format!("/firewalls/{id}");
        world.post("/firewalls", wanted("one")).await.refused(409, "uniqueness_error");
        world.put(&path, json!({"name": "two"})).await.refused(409, "uniqueness_error");
        let commits = world.commits();
        for nothing in [json!({}), json!({"name": "one", "labels": {"a": "b"}})] {
            assert_eq!(world.put(&path, nothing).await.ok()["firewall"], made["firewall"]);
        }
        assert_eq!(world.commits(), commits, "who asks for nothing new commits nothing");
        let renamed = world.put(&path, json!({"name": "uno", "labels": {"c": "d"}})).await.ok();
        assert_eq!((&renamed["firewall"]["name"], &renamed["firewall"]["labels"]), (&json!("uno"), &json!({"c": "d"})));
        assert_eq!(world.delete(&path).await.status, 204);
        world.get(&path).await.refused(404, "not_found");
    }
    let old = World::new(Dialect::D2018_04).await;
    old.get("/firewalls").await.refused(404, "not_found");
}

#[tokio::test]
async fn rules_are_canonical_and_complete() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let ping = json!({"direction": "in", "protocol": "icmp", "source_ips": ["2a02:1234:10:0100::/64", "Aaaa::/16", "10.0.0.0/8"]});
        let out = json!({"direction": "out", "protocol": "udp", "port": "any", "destination_ips": ["192.0.2.0/24"]});
        let id = world.create("/firewalls", json!({"name": "f", "rules": [ping, out]})).await;
        let rules = firewall(&world, id).await["rules"].clone();
        assert_eq!(rules[0]["source_ips"], json!(["2a02:1234:10:100::/64", "aaaa::/16", "10.0.0.0/8"]));
        // 2023 knows no null for a port, later documents ask for the member.
        assert_eq!(rules[0].get("port"), (dialect != Dialect::D2023_07).then_some(&Value::Null), "{dialect}");
        assert_eq!((&rules[1]["port"], &rules[1]["source_ips"]), (&json!("any"), &json!([])));
        assert_eq!(rules[0]["description"], Value::Null);
        let set = world.post(&format!("/firewalls/{id}/actions/set_rules"), json!({"rules": [ssh()]})).await.ok();
        assert_eq!(commands(&set), [("set_firewall_rules".to_owned(), json!([{"id": id, "type": "firewall"}]))]);
        assert_eq!(firewall(&world, id).await["rules"].as_array().unwrap().len(), 1);
        world.post(&format!("/firewalls/{id}/actions/set_rules"), json!({"rules": []})).await.ok();
        assert_eq!(firewall(&world, id).await["rules"], json!([]));
    }
}

#[tokio::test]
async fn wrong_requests() {
    let world = World::new(Dialect::Compat).await;
    world.post("/firewalls", json!({})).await.wrong(&["name"]);
    let rule = |member: &str, value: Value| with(ssh(), member, value);
    let id = world.create("/firewalls", wanted("f")).await;
    for (rule, field) in [
        (rule("port", Value::Null), "port"),
        (rule("port", json!("0")), "port"),
        (rule("port", json!("90-80")), "port"),
        (rule("port", json!(22)), "port"),
        (rule("protocol", json!("icmp")), "port"),
        (rule("protocol", json!("sctp")), "protocol"),
        (rule("direction", json!("up")), "direction"),
        (rule("destination_ips", json!(["10.0.0.0/8"])), "destination_ips"),
        (rule("source_ips", json!([])), "source_ips"),
        (rule("source_ips", json!(["10.0.0.0/8", "10.0.0.1"])), "source_ips[1]"),
        (rule("source_ips", json!(["10.0.0.1/8"])), "source_ips[0]"),
        (rule("source_ips", json!(["nowhere/8"])), "source_ips[0]"),
        (rule("description", json!("x".repeat(256))), "description"),
    ] {
        let field = format!("rules[1].{field}");
        world.post("/firewalls", json!({"name": "x", "rules": [ssh(), rule.clone()]})).await.wrong(&[&field]);
        let set = json!({"rules": [ssh(), rule]});
        world.post(&format!("/firewalls/{id}/actions/set_rules"), set).await.wrong(&[&field]);
    }
    let many = vec![ssh(); 51];
    world.post("/firewalls", json!({"name": "x", "rules": many})).await.wrong(&["rules"]);
    let all =
        json!({"name": " ", "rules": [rule("port", Value::Null)], "apply_to": [by_label("a b"), {"type": "server"}]});
    let named = ["name", "rules[0].port", "apply_to[0].label_selector.selector", "apply_to[1].server"];
    world.post("/firewalls", all).await.wrong(&named);
    for (resource, field) in [
        (json!({"type": "server"}), "server"),
        (json!({"type": "label_selector"}), "label_selector"),
        (json!({"type": "network"}), "type"),
        (json!({}), "type"),
        (by_label(""), "label_selector.selector"),
        (by_label("a in b"), "label_selector.selector"),
        (by_label(&"a".repeat(2000)), "label_selector.selector"),
        (json!({"type": "server", "server": {"id": 0}}), "server.id"),
        (json!({"type": "server", "server": {}}), "server.id"),
    ] {
        apply(&world, id, json!([resource.clone()])).await.wrong(&[&format!("apply_to[0].{field}")]);
        remove(&world, id, json!([resource])).await.wrong(&[&format!("remove_from[0].{field}")]);
    }
    apply(&world, 999, json!([])).await.refused(404, "not_found");
    assert_eq!(names(&world.see("/firewalls").await["firewalls"]), ["f"]);
}

#[tokio::test]
async fn both_ends_show_what_is_applied() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let (a, b) = (world.create("/servers", server("a")).await, world.create("/servers", server("b")).await);
        let made = world.post("/firewalls", with(wanted("one"), "apply_to", json!([by_server(b)]))).await.ok();
        let id = made["firewall"]["id"].as_i64().unwrap();
        assert_eq!(made["firewall"]["applied_to"], json!([by_server(b)]));
        let behind = |server: i64| json!([{"id": server, "type": "server"}, {"id": id, "type": "firewall"}]);
        assert_eq!(commands(&made)[1], ("apply_firewall".to_owned(), behind(b)));
        assert_eq!((of_server(&world, a).await, of_server(&world, b).await), (json!([]), applied(&[id])));
        let now = apply(&world, id, json!([by_server(a)])).await.ok();
        assert_eq!(commands(&now), [("apply_firewall".to_owned(), behind(a))]);
        assert_eq!(firewall(&world, id).await["applied_to"], json!([by_server(a), by_server(b)]));
        let set = world.post(&format!("/firewalls/{id}/actions/set_rules"), json!({"rules": []})).await.ok();
        let expected = ["set_firewall_rules", "apply_firewall", "apply_firewall"];
        assert_eq!(commands(&set).into_iter().map(|(command, _)| command).collect::<Vec<_>>(), expected);

        let in_use = world.delete(&format!("/firewalls/{id}")).await;
        let message = format!("firewall with ID {id} is still in use");
        assert_eq!(in_use.refused(422, "resource_in_use").message(), message);

        let gone = remove(&world, id, json!([by_server(a)])).await.ok();
        assert_eq!(commands(&gone), [("remove_firewall".to_owned(), behind(a))]);
        assert_eq!(of_server(&world, a).await, json!([]));
        // A server that goes frees the firewall.
        world.delete(&format!("/servers/{b}")).await.ok();
        assert_eq!(firewall(&world, id).await["applied_to"], json!([]));
        // Once more is no error any more since 2025.
        let again = remove(&world, id, json!([by_server(a)])).await;
        if dialect == Dialect::D2023_07 {
            again.refused(422, "firewall_already_removed");
        } else {
            assert_eq!(again.ok()["actions"], json!([]));
        }
        assert_eq!(world.delete(&format!("/firewalls/{id}")).await.status, 204);
    }
}

#[tokio::test]
async fn applying_has_rules() {
    let world = World::new(Dialect::Compat).await;
    let web = world.create("/servers", server("web")).await;
    let dark = with(server("dark"), "public_net", json!({"enable_ipv4": false, "enable_ipv6": false}));
    let dark = world.create("/servers", with(dark, "start_after_create", json!(false))).await;
    let id = world.create("/firewalls", wanted("f")).await;
    apply(&world, id, json!([by_server(999)])).await.refused(404, "firewall_resource_not_found");
    remove(&world, id, json!([by_server(999)])).await.refused(404, "firewall_resource_not_found");
    apply(&world, id, json!([by_server(web), by_server(dark)])).await.refused(422, "private_net_only_server");
    assert_eq!(of_server(&world, web).await, json!([]), "what is refused changes nothing");
    apply(&world, id, json!([by_server(web), by_label("env")])).await.ok();
    apply(&world, id, json!([by_server(web)])).await.refused(422, "firewall_already_applied");
    apply(&world, id, json!([by_label("env")])).await.refused(422, "firewall_already_applied");
    let create = |to: Value| with(wanted("g"), "apply_to", to);
    world.post("/firewalls", create(json!([by_server(999)]))).await.refused(422, "firewall_resource_not_found");
    world.post("/firewalls", create(json!([by_server(dark)]))).await.refused(422, "incompatible_network_type");
    world
        .post("/firewalls", create(json!([by_server(web), by_server(web)])))
        .await
        .refused(422, "server_already_added");
    // What another project owns does not exist.
    let stranger = world.stranger().await;
    let foreign = world.ask("POST", "/firewalls").token(Some(&stranger)).json(&wanted("x")).send().await.ok();
    let foreign = foreign["firewall"]["id"].as_i64().unwrap();
    apply(&world, foreign, json!([by_server(web)])).await.refused(404, "not_found");
    world
        .ask("POST", "/firewalls")
        .token(Some(&stranger))
        .json(&create(json!([by_server(web)])))
        .send()
        .await
        .refused(422, "firewall_resource_not_found");
}

#[tokio::test]
async fn selectors_stay_live() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let early = world.create("/servers", labelled("early", "prod")).await;
        let other = world.create("/servers", labelled("other", "dev")).await;
        let id = world.create("/firewalls", wanted("f")).await;
        let now = apply(&world, id, json!([by_label("env=prod")])).await.ok();
        assert_eq!(commands(&now).len(), 1, "one server matches");
        let matched = async |ids: &[i64]| {
            let shown = firewall(&world, id).await["applied_to"].clone();
            let servers: Value = ids.iter().map(|id| by_server(*id)).collect();
            let expected = with(by_label("env=prod"), "applied_to_resources", servers);
            assert_eq!(shown, json!([expected]), "{dialect}");
        };
        matched(&[early]).await;
        assert_eq!((of_server(&world, early).await, of_server(&world, other).await), (applied(&[id]), json!([])));
        let late = world.post("/servers", labelled("late", "prod")).await.ok();
        assert_eq!(late["server"]["public_net"]["firewalls"], applied(&[id]));
        let late = late["server"]["id"].as_i64().unwrap();
        matched(&[early, late]).await;
        let relabel = async |id: i64, env: &str| {
            let name = world.see(&format!("/servers/{id}")).await["server"]["name"].clone();
            world.put(&format!("/servers/{id}"), json!({"name": name, "labels": {"env": env}})).await.ok();
        };
        relabel(other, "prod").await;
        relabel(early, "dev").await;
        matched(&[other, late]).await;
        assert_eq!((of_server(&world, early).await, of_server(&world, other).await), (json!([]), applied(&[id])));
        // Who came by a selector cannot be taken off by hand; who was named as well stays when the selector goes.
        remove(&world, id, json!([by_server(late)])).await.refused(422, "firewall_managed_by_label_selector");
        apply(&world, id, json!([by_server(late)])).await.ok();
        assert_eq!(of_server(&world, late).await, applied(&[id]), "shown once");
        world.delete(&format!("/servers/{other}")).await.ok();
        let shown = firewall(&world, id).await["applied_to"].clone();
        assert_eq!(shown[0], by_server(late));
        assert_eq!(shown[1]["applied_to_resources"], json!([by_server(late)]));
        // What was shown can be sent back.
        remove(&world, id, json!([shown[1]])).await.ok();
        assert_eq!(firewall(&world, id).await["applied_to"], json!([by_server(late)]));
        assert_eq!(of_server(&world, late).await, applied(&[id]));
        remove(&world, id, json!([by_server(late)])).await.ok();
        // A selector that matches nobody is a use, too.
        let idle = apply(&world, id, json!([by_label("nobody")])).await.ok();
        assert_eq!(idle["actions"], json!([]));
        world.delete(&format!("/firewalls/{id}")).await.refused(422, "resource_in_use");
        remove(&world, id, json!([by_label("nobody")])).await.ok();
        assert_eq!(world.delete(&format!("/firewalls/{id}")).await.status, 204);
    }
}

#[tokio::test]
async fn a_server_is_created_behind_firewalls() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let (one, two) =
            (world.create("/firewalls", wanted("one")).await, world.create("/firewalls", wanted("two")).await);
        let volume = world.create("/volumes", json!({"name": "data", "size": 10, "location": "fsn1"})).await;
        let behind = |ids: &[i64]| -> Value { ids.iter().map(|id| json!({"firewall": id})).collect() };
        let create = with(with(server("web"), "firewalls", behind(&[two, one])), "volumes", json!([volume]));
        let made = world.post("/servers", create).await.ok();
        let web = made["server"]["id"].as_i64().unwrap();
        assert_eq!(made["server"]["public_net"]["firewalls"], applied(&[one, two]));
        let next: Vec<&str> =
            made["next_actions"].as_array().unwrap().iter().map(|next| next["command"].as_str().unwrap()).collect();
        assert_eq!(next, ["attach_volume", "apply_firewall", "apply_firewall", "start_server"]);
        let resources = json!([{"id": web, "type": "server"}, {"id": two, "type": "firewall"}]);
        assert_eq!(made["next_actions"][1]["resources"], resources);
        assert_eq!(firewall(&world, one).await["applied_to"], json!([by_server(web)]));
        let late = |ids: &[i64]| with(server("late"), "firewalls", behind(ids));
        world.post("/servers", late(&[one, 999])).await.refused(404, "not_found");
        world.post("/servers", late(&[one, one])).await.wrong(&["firewalls[1].firewall"]);
        let dark = with(late(&[one]), "public_net", json!({"enable_ipv4": false, "enable_ipv6": false}));
        world.post("/servers", dark).await.wrong(&["firewalls"]);
        assert_eq!(names(&world.see("/servers").await["servers"]), ["web"]);
        assert_eq!(firewall(&world, one).await["applied_to"], json!([by_server(web)]), "nothing is left of it");
    }
}

/// A server that is on its way out is locked, and still stands behind its firewall.
#[tokio::test]
async fn a_server_that_goes_is_locked() {
    let world = World::with(Setup { settle: Duration::from_millis(500), ..Setup::new(Dialect::Compat) }).await;
    let web = world.create("/servers", server("web")).await;
    let (has, free) =
        (world.create("/firewalls", wanted("has")).await, world.create("/firewalls", wanted("free")).await);
    apply(&world, has, json!([by_server(web)])).await.ok();
    let profile = LatencyProfile::none().with(OperationKind::Delete, Policy::Stuck);
    world.control.set_simulation(Simulation { profile, ..Simulation::default() });
    world.delete(&format!("/servers/{web}")).await.ok();
    apply(&world, free, json!([by_server(web)])).await.refused(423, "locked");
    world.delete(&format!("/firewalls/{has}")).await.refused(422, "resource_in_use");
}

#[tokio::test]
async fn histories() {
    let world = World::new(Dialect::Compat).await;
    let web = world.create("/servers", server("web")).await;
    let id = world.create("/firewalls", with(wanted("f"), "apply_to", json!([by_server(web)]))).await;
    let list = world.see(&format!("/firewalls/{id}/actions?sort=id")).await["actions"].clone();
    assert_eq!((&list[0]["command"], &list[1]["command"]), (&json!("set_firewall_rules"), &json!("apply_firewall")));
    assert_eq!(world.see("/firewalls/actions?status=running&page=1&per_page=50").await["actions"], json!([]));
    for path in [format!("/firewalls/{id}/actions/{}", list[1]["id"]), format!("/firewalls/actions/{}", list[1]["id"])]
    {
        assert_eq!(world.see(&path).await["action"]["command"], "apply_firewall");
    }
    world.get("/firewalls/999/actions").await.refused(404, "not_found");
}

/// Whom a selector brought can be named beside the selector when that goes; alone it is refused.
#[tokio::test]
async fn servers_go_with_their_selector() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let web = world.create("/servers", labelled("web", "prod")).await;
        let other = world.create("/servers", labelled("other", "dev")).await;
        let id = world.create("/firewalls", wanted("f")).await;
        let both = json!([by_label("env=prod"), by_label("env")]);
        apply(&world, id, both.clone()).await.ok();
        let one = json!([by_server(web), by_label("env=prod")]);
        remove(&world, id, one.clone()).await.refused(422, "firewall_managed_by_label_selector");
        assert_eq!(of_server(&world, web).await, applied(&[id]), "what is refused changes nothing");
        let gone = remove(&world, id, json!([by_server(web), both[0], both[1]])).await.ok();
        assert_eq!(commands(&gone).len(), 2, "each server leaves once: {gone}");
        assert_eq!((of_server(&world, web).await, of_server(&world, other).await), (json!([]), json!([])));
        assert_eq!(firewall(&world, id).await["applied_to"], json!([]));
    }
}

#[tokio::test]
async fn a_resource_is_of_one_type() {
    let world = World::new(Dialect::Compat).await;
    let web = world.create("/servers", labelled("web", "prod")).await;
    let id = world.create("/firewalls", wanted("f")).await;
    let both = |kind: Value| with(with(by_server(web), "label_selector", json!({"selector": "env"})), "type", kind);
    for (kind, member) in [("server", "label_selector"), ("label_selector", "server")] {
        let to = json!([by_label("a"), both(json!(kind))]);
        apply(&world, id, to.clone()).await.wrong(&[&format!("apply_to[1].{member}")]);
        remove(&world, id, to.clone()).await.wrong(&[&format!("remove_from[1].{member}")]);
        world.post("/firewalls", with(wanted("g"), "apply_to", to)).await.wrong(&[&format!("apply_to[1].{member}")]);
    }
    assert_eq!(firewall(&world, id).await["applied_to"], json!([]));
}

/// At most five, whichever way they came.
#[tokio::test]
async fn a_server_has_five_firewalls() {
    let world = World::new(Dialect::Compat).await;
    let web = world.create("/servers", labelled("web", "prod")).await;
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(world.create("/firewalls", wanted(&format!("f{number}"))).await);
    }
    for id in &ids[..4] {
        apply(&world, *id, json!([by_server(web)])).await.ok();
    }
    apply(&world, ids[4], json!([by_label("env=prod")])).await.ok();
    apply(&world, ids[0], json!([by_label("env")])).await.ok();
    assert_eq!(of_server(&world, web).await, applied(&ids[..5]), "one that came in two ways is one");
    let full = apply(&world, ids[5], json!([by_server(web)])).await;
    full.refused(403, "resource_limit_exceeded");
    assert_eq!(full.json["error"]["details"]["limits"], json!([{"name": "server_firewall_limit"}]));
    apply(&world, ids[5], json!([by_label("env")])).await.refused(403, "resource_limit_exceeded");
    world
        .post("/firewalls", with(wanted("x"), "apply_to", json!([by_server(web)])))
        .await
        .refused(403, "resource_limit_exceeded");
    let behind = |ids: &[i64]| -> Value { ids.iter().map(|id| json!({"firewall": id})).collect() };
    world.post("/servers", with(server("late"), "firewalls", behind(&ids))).await.wrong(&["firewalls"]);
    let late = with(labelled("late", "prod"), "firewalls", behind(&ids[1..4]));
    world
        .post("/servers", with(late.clone(), "firewalls", behind(&[ids[1], ids[2], ids[3], ids[5]])))
        .await
        .refused(403, "resource_limit_exceeded");
    let late = world.create("/servers", late).await;
    assert_eq!(of_server(&world, late).await, applied(&ids[..5]));
    // A relabel that would bring a sixth is refused and changes nothing.
    apply(&world, ids[5], json!([by_label("stage")])).await.ok();
    let labels = json!({"labels": {"env": "prod", "stage": "one"}});
    world.put(&format!("/servers/{web}"), labels.clone()).await.refused(403, "resource_limit_exceeded");
    assert_eq!(world.see(&format!("/servers/{web}")).await["server"]["labels"], json!({"env": "prod"}));
    remove(&world, ids[3], json!([by_server(web)])).await.ok();
    world.put(&format!("/servers/{web}"), labels).await.ok();
    assert_eq!(of_server(&world, web).await, applied(&[ids[0], ids[1], ids[2], ids[4], ids[5]]));
}

/// Firewalls are about public interfaces: whom a selector matches joins when it gets one, and leaves when it loses it.
#[tokio::test]
async fn selectors_take_in_who_has_a_public_interface() {
    let world = World::new(Dialect::Compat).await;
    let dark = with(labelled("dark", "prod"), "public_net", json!({"enable_ipv4": false, "enable_ipv6": false}));
    let dark = world.create("/servers", with(dark, "start_after_create", json!(false))).await;
    let id = world.create("/firewalls", wanted("f")).await;
    let now = apply(&world, id, json!([by_label("env")])).await.ok();
    assert_eq!(now["actions"], json!([]), "it guards nobody yet");
    let guards = async |servers: &[i64]| {
        let expected: Value = servers.iter().map(|id| by_server(*id)).collect();
        let shown = firewall(&world, id).await["applied_to"].clone();
        assert_eq!(shown, json!([with(by_label("env"), "applied_to_resources", expected)]));
        let firewalls = if servers.is_empty() { json!([]) } else { applied(&[id]) };
        assert_eq!(of_server(&world, dark).await, firewalls);
    };
    guards(&[]).await;
    let request = json!({"name": "ip", "type": "ipv4", "assignee_type": "server", "assignee_id": dark});
    let ip = world.create("/primary_ips", request).await;
    guards(&[dark]).await;
    let set = world.post(&format!("/firewalls/{id}/actions/set_rules"), json!({"rules": []})).await.ok();
    assert_eq!(commands(&set).len(), 2);
    world.post(&format!("/primary_ips/{ip}/actions/unassign"), json!({})).await.ok();
    guards(&[]).await;
    world
        .post(&format!("/primary_ips/{ip}/actions/assign"), json!({"assignee_id": dark, "assignee_type": "server"}))
        .await
        .ok();
    guards(&[dark]).await;
    let gone = remove(&world, id, json!([by_label("env")])).await.ok();
    assert_eq!(commands(&gone).len(), 1);
}

/// The 2023 document has one code for a server without a public interface, later ones another where a firewall is applied.
#[tokio::test]
async fn codes_of_private_servers() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let dark = with(server("dark"), "public_net", json!({"enable_ipv4": false, "enable_ipv6": false}));
        let dark = world.create("/servers", with(dark, "start_after_create", json!(false))).await;
        let id = world.create("/firewalls", wanted("f")).await;
        let code = if dialect == Dialect::D2023_07 { "incompatible_network_type" } else { "private_net_only_server" };
        apply(&world, id, json!([by_server(dark)])).await.refused(422, code);
        let made = world.post("/firewalls", with(wanted("g"), "apply_to", json!([by_server(dark)]))).await;
        made.refused(422, "incompatible_network_type");
    }
}

async fn servers_behind(world: &World, count: usize) -> Vec<i64> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(world.create("/servers", labelled(&format!("s{number}"), "prod")).await);
    }
    ids
}

/// More servers than a firewall keeps actions: the first ones have an action in the answer, the others follow without.
#[tokio::test]
async fn more_servers_than_actions() {
    const SERVERS: usize = 501;
    const ACTIONS: usize = 250;
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/firewalls", with(wanted("wall"), "apply_to", json!([by_label("env=prod")]))).await;
    let ids = servers_behind(&world, SERVERS).await;
    let changed = world.post(&format!("/firewalls/{id}/actions/set_rules"), json!({"rules": []})).await.ok();
    let actions = changed["actions"].as_array().unwrap();
    assert_eq!(actions.len(), 1 + ACTIONS);
    assert!(actions.iter().all(|action| action["status"] == "success"));
    let last = format!("/servers/{}", ids[SERVERS - 1]);
    let shown = world.see(&last).await["server"]["public_net"]["firewalls"].clone();
    assert_eq!(shown, applied(&[id]));
    remove(&world, id, json!([by_label("env=prod")])).await.ok();
    assert_eq!(world.see(&last).await["server"]["public_net"]["firewalls"], json!([]));
}
