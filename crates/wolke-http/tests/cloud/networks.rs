//! Private networks: ranges, subnets, routes, protection, members. How servers join them: `private_nets.rs`.

use super::operator::Operator;
use crate::common::{Answer, World, ids, names, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// The dialects that have networks.
fn dialects() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.iter().copied().filter(|dialect| *dialect != Dialect::D2018_04)
}

pub fn wanted(name: &str, range: &str) -> Value {
    json!({"name": name, "ip_range": range})
}

pub fn subnet(range: &str) -> Value {
    json!({"type": "cloud", "ip_range": range, "network_zone": "eu-central"})
}

/// A network `10.0.0.0/16` with subnets.
pub async fn network(world: &World, name: &str, subnets: &[&str]) -> i64 {
    let mut new = wanted(name, "10.0.0.0/16");
    new["subnets"] = subnets.iter().map(|range| subnet(range)).collect();
    world.create("/networks", new).await
}

async fn act(world: &World, id: i64, verb: &str, body: Value) -> Answer {
    world.post(&format!("/networks/{id}/actions/{verb}"), body).await
}

async fn see(world: &World, id: i64) -> Value {
    world.see(&format!("/networks/{id}")).await["network"].clone()
}

/// The texts of the wrong fields.
fn said(answer: &Answer) -> String {
    answer.refused(422, "invalid_input").json["error"]["details"]["fields"].to_string()
}

#[tokio::test]
async fn a_life() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let mut new = wanted("one", "10.0.0.0/16");
        new["labels"] = json!({"a": "b"});
        new["subnets"] = json!([subnet("10.0.16.0/24"), {"type": "server", "network_zone": "us-east"}]);
        new["routes"] = json!([{"destination": "10.100.1.0/24", "gateway": "10.0.1.1"}]);
        let made = world.post("/networks", new).await;
        assert_eq!(made.status, 201);
        let made = made.ok()["network"].clone();
        let shown = |part: &Value| {
            let mut part = part.clone();
            part.as_object_mut().unwrap().remove("vswitch_id");
            part
        };
        let subnets: Vec<Value> = made["subnets"].as_array().unwrap().iter().map(shown).collect();
        // The gateway of all is the first address of the network (fact sheet §3.5).
        assert_eq!(
            subnets,
            [
                json!({"type": "cloud", "ip_range": "10.0.16.0/24", "network_zone": "eu-central", "gateway": "10.0.0.1"}),
                json!({"type": "server", "ip_range": "10.0.0.0/24", "network_zone": "us-east", "gateway": "10.0.0.1"}),
            ]
        );
        assert_eq!(made["subnets"][0].get("vswitch_id").is_some(), dialect != Dialect::D2023_07, "{dialect}");
        assert_eq!(made["routes"], json!([{"destination": "10.100.1.0/24", "gateway": "10.0.1.1"}]));
        assert_eq!((&made["servers"], &made["load_balancers"]), (&json!([]), &json!([])));
        assert_eq!((&made["protection"], &made["labels"]), (&json!({"delete": false}), &json!({"a": "b"})));
        let path = format!("/networks/{}", made["id"]);
        assert_eq!(world.see(&path).await["network"], made);
        world.create("/networks", wanted("two", "10.0.0.0/16")).await;
        for (query, expected) in [
            ("", vec!["one", "two"]),
            ("?name=two", vec!["two"]),
            ("?name=three", vec![]),
            ("?label_selector=a", vec!["one"]),
            ("?label_selector=a%21%3Db", vec!["two"]),
            ("?page=2&per_page=1", vec!["two"]),
        ] {
            let list = world.see(&format!("/networks{query}")).await;
            assert_eq!(names(&list["networks"]), expected, "{dialect} {query}");
        }
        let again = world.post("/networks", wanted("one", "10.0.0.0/8")).await;
        assert_eq!(again.refused(409, "uniqueness_error").message(), "name is already used");
        world.put(&path, json!({"name": "two"})).await.refused(409, "uniqueness_error");
        let commits = world.commits();
        assert_eq!(world.put(&path, json!({})).await.ok()["network"], made, "a read");
        assert_eq!(world.put(&path, json!({"name": "one"})).await.ok()["network"], made, "nothing new");
        assert_eq!(world.commits(), commits, "who asks for nothing new commits nothing");
        let renamed = world.put(&path, json!({"name": "uno", "labels": {"c": "d"}})).await.ok()["network"].clone();
        assert_eq!((&renamed["name"], &renamed["labels"]), (&json!("uno"), &json!({"c": "d"})));

        let protect = format!("{path}/actions/change_protection");
        let action = world.post(&protect, json!({"delete": true})).await.ok()["action"].clone();
        assert_eq!((&action["command"], &action["status"]), (&json!("change_protection"), &json!("success")));
        assert_eq!(action["resources"], json!([{"id": made["id"], "type": "network"}]));
        let refused = world.delete(&path).await;
        assert_eq!(refused.refused(423, "protected").message(), "network is delete protected");
        world.post(&protect, json!({})).await.ok();
        assert_eq!(world.see(&path).await["network"]["protection"]["delete"], true, "what is absent stays");
        world.post(&protect, json!({"delete": false})).await.ok();
        assert_eq!(world.delete(&path).await.status, 204);
        world.get(&path).await.refused(404, "not_found");
        world.delete(&path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn orders_since_2026() {
    let world = World::new(Dialect::Compat).await;
    for (name, range) in [("b", "10.0.0.0/16"), ("a", "10.1.0.0/16")] {
        world.create("/networks", wanted(name, range)).await;
        world.clock.advance(1000);
    }
    for (sort, expected) in [("id:desc", ["a", "b"]), ("name", ["a", "b"]), ("created:desc", ["a", "b"])] {
        assert_eq!(names(&world.see(&format!("/networks?sort={sort}")).await["networks"]), expected, "{sort}");
    }
    world.get("/networks?sort=ip_range").await.wrong(&["sort"]);
}

#[tokio::test]
async fn everything_wrong_is_named_at_once() {
    let world = World::new(Dialect::Compat).await;
    world.post("/networks", json!({})).await.wrong(&["name", "ip_range"]);
    let bad = json!({
        "name": " ", "ip_range": "8.0.0.0/8", "labels": {"-a-": "x"},
        "subnets": [{"type": "cloud", "ip_range": "10.0.0.1/24", "network_zone": "moon"}, {"type": "vswitch", "network_zone": "eu-central"}],
        "routes": [{"destination": "8.8.8.0/24", "gateway": "x"}],
    });
    let bad = world.post("/networks", bad).await;
    let said = said(&bad);
    for field in [
        "\"name\"",
        "ip_range",
        "labels",
        "subnets[0].ip_range",
        "subnets[0].network_zone",
        "subnets[1].vswitch_id",
        "routes[0].destination",
        "routes[0].gateway",
    ] {
        assert!(said.contains(field), "{field} in {said}");
    }
    world
        .post("/networks", json!({"name": "a", "ip_range": "10.0.0.0/16", "subnets": [{"type": "x"}]}))
        .await
        .wrong(&["subnets[0].type", "subnets[0].network_zone"]);
    for range in ["10.0.0.0/25", "10.0.2.0/16", "fd00::/64", "10.0.0.0", ""] {
        world.post("/networks", wanted("a", range)).await.wrong(&["ip_range"]);
    }
    assert_eq!(world.see("/networks").await["networks"], json!([]));
    let id = world.create("/networks", wanted("a", "10.0.0.0/16")).await;
    let path = format!("/networks/{id}");
    world
        .put(&path, json!({"name": 1, "expose_routes_to_vswitch": 1}))
        .await
        .wrong(&["name", "expose_routes_to_vswitch"]);
    world.put(&path, json!({"name": ""})).await.wrong(&["name"]);
}

#[tokio::test]
async fn subnets_come_and_go() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let id = world.create("/networks", wanted("a", "10.0.0.0/16")).await;
        let added = act(&world, id, "add_subnet", subnet("10.0.1.0/24")).await;
        assert_eq!(added.status, 201);
        let action = added.ok()["action"].clone();
        assert_eq!((&action["command"], &action["status"]), (&json!("add_subnet"), &json!("success")));
        assert_eq!(action["resources"], json!([{"id": id, "type": "network"}]));
        act(&world, id, "add_subnet", json!({"type": "cloud", "network_zone": "eu-central"})).await.ok();
        let ranges = async || -> Vec<String> {
            let subnets = see(&world, id).await["subnets"].clone();
            subnets.as_array().unwrap().iter().map(|subnet| subnet["ip_range"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ranges().await, ["10.0.1.0/24", "10.0.0.0/24"], "the first free /24");
        for (bad, field) in [
            (subnet("10.0.1.0/25"), "ip_range"),
            (subnet("10.1.0.0/24"), "ip_range"),
            (subnet("10.0.2.0/31"), "ip_range"),
            (json!({"type": "cloud", "ip_range": "10.0.2.0/24", "network_zone": "moon"}), "network_zone"),
            (json!({"type": "vswitch", "ip_range": "10.0.2.0/24", "network_zone": "eu-central"}), "vswitch_id"),
        ] {
            act(&world, id, "add_subnet", bad).await.wrong(&[field]);
        }
        act(&world, id, "delete_subnet", json!({"ip_range": "10.0.9.0/24"})).await.refused(404, "not_found");
        act(&world, id, "delete_subnet", json!({"ip_range": "x"})).await.wrong(&["ip_range"]);
        let deleted = act(&world, id, "delete_subnet", json!({"ip_range": "10.0.1.0/24"})).await.ok();
        assert_eq!(deleted["action"]["command"], "delete_subnet");
        assert_eq!(ranges().await, ["10.0.0.0/24"]);
        act(&world, 99, "add_subnet", subnet("10.0.1.0/24")).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn routes_come_and_go() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        // Not even a subnet is needed (fact sheet §3.5).
        let id = world.create("/networks", wanted("a", "10.0.0.0/8")).await;
        let route = |to: &str, via: &str| json!({"destination": to, "gateway": via});
        let added = act(&world, id, "add_route", route("10.100.1.0/24", "10.0.1.1")).await.ok()["action"].clone();
        assert_eq!((&added["command"], &added["status"]), (&json!("add_route"), &json!("success")));
        assert_eq!(see(&world, id).await["routes"], json!([route("10.100.1.0/24", "10.0.1.1")]));
        for (to, via, fields) in [
            ("10.100.1.0/24", "10.0.1.2", vec!["destination"]),
            ("8.8.8.0/24", "10.0.1.2", vec!["destination"]),
            ("172.31.1.0/24", "10.0.1.2", vec!["destination"]),
            ("10.0.0.0/24", "10.0.1.2", vec!["destination"]),
            ("10.101.0.0/16", "10.0.0.1", vec!["gateway"]),
            ("10.101.0.0/16", "192.168.0.2", vec!["gateway"]),
            ("10.101.0.0", "172.31.1.1", vec!["destination"]),
            ("x", "y", vec!["destination", "gateway"]),
        ] {
            act(&world, id, "add_route", route(to, via)).await.wrong(&fields);
        }
        act(&world, id, "add_subnet", subnet("10.100.0.0/16")).await.wrong(&["ip_range"]);
        act(&world, id, "add_route", route("0.0.0.0/0", "10.0.1.1")).await.ok();
        act(&world, id, "delete_route", route("10.100.1.0/24", "10.0.1.2")).await.refused(404, "not_found");
        let gone = act(&world, id, "delete_route", route("10.100.1.0/24", "10.0.1.1")).await.ok();
        assert_eq!(gone["action"]["command"], "delete_route");
        assert_eq!(see(&world, id).await["routes"], json!([route("0.0.0.0/0", "10.0.1.1")]));
    }
}

#[tokio::test]
async fn a_range_grows() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let id = world.create("/networks", wanted("a", "10.0.0.0/24")).await;
        for range in ["10.0.0.0/16", "10.0.0.0/8"] {
            let done = act(&world, id, "change_ip_range", json!({"ip_range": range})).await.ok()["action"].clone();
            assert_eq!((&done["command"], &done["status"]), (&json!("change_ip_range"), &json!("success")));
            assert_eq!(see(&world, id).await["ip_range"], range);
        }
        for range in ["10.0.0.0/16", "10.0.0.0/8", "192.168.0.0/16", "10.0.0.0/7", "x"] {
            act(&world, id, "change_ip_range", json!({"ip_range": range})).await.wrong(&["ip_range"]);
        }
        act(&world, id, "change_ip_range", json!({})).await.wrong(&["ip_range"]);
    }
}

#[tokio::test]
async fn routes_are_exposed_to_vswitches_since_2023_07() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let mut new = wanted("a", "10.0.0.0/16");
        if dialect == Dialect::D2023_07 {
            let id = world.create("/networks", new).await;
            assert!(see(&world, id).await.get("expose_routes_to_vswitch").is_none());
            continue;
        }
        new["expose_routes_to_vswitch"] = json!(true);
        let id = world.create("/networks", new).await;
        assert_eq!(see(&world, id).await["expose_routes_to_vswitch"], true);
        let path = format!("/networks/{id}");
        let put = world.put(&path, json!({"expose_routes_to_vswitch": false})).await.ok();
        assert_eq!(put["network"]["expose_routes_to_vswitch"], false);
        world.put(&path, json!({"name": "b"})).await.ok();
        let other = world.create("/networks", wanted("c", "10.0.0.0/16")).await;
        assert_eq!(see(&world, other).await["expose_routes_to_vswitch"], false);
    }
}

#[tokio::test]
async fn vswitches_are_known_to_the_operator() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let behind = |vswitch: i64, range: &str| json!({"type": "vswitch", "ip_range": range, "network_zone": "eu-central", "vswitch_id": vswitch});
    let id = network(&world, "a", &["10.0.0.0/24"]).await;
    let unknown = act(&world, id, "add_subnet", behind(42, "10.0.1.0/24")).await;
    assert_eq!(unknown.refused(422, "service_error").message(), "vswitch not found");
    assert_eq!(see(&world, id).await["subnets"].as_array().unwrap().len(), 1);

    operator.does("PUT", "/vswitches/44166", Value::Null).await;
    operator.does("PUT", "/vswitches/43065", Value::Null).await;
    operator.does("PUT", "/vswitches/43065", Value::Null).await;
    act(&world, id, "add_subnet", behind(44166, "10.0.1.0/24")).await.ok();
    let shown = see(&world, id).await["subnets"][1].clone();
    let expected = json!({"type": "vswitch", "ip_range": "10.0.1.0/24", "network_zone": "eu-central", "gateway": "10.0.1.1", "vswitch_id": 44166});
    assert_eq!(shown, expected, "the first address of the subnet is its gateway");
    let known = operator.does("GET", "/vswitches", Value::Null).await;
    assert_eq!(known, json!([{"id": 43065, "network": null}, {"id": 44166, "network": id}]));
    // One vSwitch, one network.
    act(&world, id, "add_subnet", behind(44166, "10.0.2.0/24")).await.refused(422, "vswitch_id_already_used");
    let mut other = wanted("b", "10.0.0.0/16");
    other["subnets"] = json!([behind(44166, "10.0.1.0/24")]);
    world.post("/networks", other.clone()).await.refused(422, "vswitch_id_already_used");
    other["subnets"] = json!([behind(43065, "10.0.1.0/24"), behind(43065, "10.0.2.0/24")]);
    world.post("/networks", other.clone()).await.refused(422, "vswitch_id_already_used");
    other["subnets"] = json!([behind(42, "10.0.1.0/24")]);
    world.post("/networks", other.clone()).await.refused(422, "service_error");
    // Nothing behind a vSwitch is a next hop.
    let route = json!({"destination": "10.100.0.0/16", "gateway": "10.0.1.7"});
    act(&world, id, "add_route", route).await.wrong(&["gateway"]);

    let (status, refused) = operator.ask("DELETE", "/vswitches/44166", Value::Null).await;
    assert_eq!((status, &refused["error"]["code"]), (422, &json!("resource_in_use")));
    act(&world, id, "delete_subnet", json!({"ip_range": "10.0.1.0/24"})).await.ok();
    other["subnets"] = json!([behind(44166, "10.0.1.0/24")]);
    let other = world.create("/networks", other).await;
    world.delete(&format!("/networks/{other}")).await.ok();
    for (vswitch, status) in [(44166, 204), (43065, 204), (43065, 404)] {
        assert_eq!(operator.ask("DELETE", &format!("/vswitches/{vswitch}"), Value::Null).await.0, status, "{vswitch}");
    }
    assert_eq!(operator.does("GET", "/vswitches", Value::Null).await, json!([]));
    assert_eq!(operator.ask("PUT", "/vswitches/0", Value::Null).await.0, 422);
}

#[tokio::test]
async fn actions_of_networks() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/networks", wanted("a", "10.0.0.0/16")).await;
    let other = world.create("/networks", wanted("b", "10.0.0.0/16")).await;
    let action = act(&world, id, "add_subnet", subnet("10.0.1.0/24")).await.ok()["action"]["id"].clone();
    for list in [format!("/networks/{id}/actions"), "/networks/actions".to_owned()] {
        assert_eq!(ids(&world.see(&list).await["actions"]), [action.as_i64().unwrap()]);
        assert_eq!(world.see(&format!("{list}/{action}")).await["action"]["command"], "add_subnet");
    }
    assert_eq!(world.see(&format!("/networks/{other}/actions")).await["actions"], json!([]));
    world.get(&format!("/networks/{other}/actions/{action}")).await.refused(404, "not_found");
    world.get("/networks/99/actions").await.refused(404, "not_found");
}

#[tokio::test]
async fn members() {
    for dialect in [Dialect::Compat, Dialect::Newest] {
        let world = World::new(dialect).await;
        let id = network(&world, "a", &["10.0.1.0/24", "10.0.2.0/24"]).await;
        let mut servers = Vec::new();
        for (name, ip) in [("one", "10.0.2.7"), ("two", "10.0.1.200"), ("three", "10.0.1.3")] {
            let server = world.create("/servers", server(name)).await;
            let alias_ips = if name == "two" { json!(["10.0.1.9", "10.0.1.8"]) } else { json!([]) };
            let body = json!({"network": id, "ip": ip, "alias_ips": alias_ips});
            world.post(&format!("/servers/{server}/actions/attach_to_network"), body).await.ok();
            servers.push(server);
        }
        let path = format!("/networks/{id}/members");
        let seen = world.see(&path).await;
        let expected = json!({
            "id": servers[1], "type": "server", "ip": "10.0.1.200", "alias_ips": ["10.0.1.9", "10.0.1.8"],
            "subnet": "10.0.1.0/24", "status": "ok",
        });
        assert_eq!(seen["members"][1], expected);
        assert_eq!(seen["meta"]["pagination"]["total_entries"], 3);
        let [one, two, three] = servers[..] else { panic!("three servers") };
        for (query, expected) in [
            ("", vec![one, two, three]),
            ("?sort=id:desc", vec![three, two, one]),
            ("?sort=ip", vec![three, two, one]),
            ("?sort=ip:desc", vec![one, two, three]),
            ("?sort=type&sort=status:desc&sort=ip:asc", vec![three, two, one]),
            ("?type=server", vec![one, two, three]),
            ("?type=load_balancer", vec![]),
            ("?type=load_balancer&type=server", vec![one, two, three]),
            ("?status=ok", vec![one, two, three]),
            ("?status=attaching&status=error", vec![]),
            ("?subnet=10.0.2.0/24", vec![one]),
            ("?subnet=10.0.2.0/24&subnet=10.0.1.0/24&sort=ip&per_page=2&page=2", vec![one]),
            ("?subnet=10.0.3.0/24", vec![]),
        ] {
            assert_eq!(ids(&world.see(&format!("{path}{query}")).await["members"]), expected, "{query}");
        }
        world
            .get(&format!("{path}?type=volume&status=happy&sort=color&per_page=51"))
            .await
            .wrong(&["type", "status", "sort", "per_page"]);
        let paged = world.get(&format!("{path}?per_page=2")).await;
        assert!(paged.header("link").unwrap().contains("page=2"));
        world.get("/networks/99/members").await.refused(404, "not_found");
        let stranger = world.stranger().await;
        world.ask("GET", &path).token(Some(&stranger)).send().await.refused(404, "not_found");
    }
    let older = World::new(Dialect::D2026_02).await;
    let id = network(&older, "a", &[]).await;
    older.get(&format!("/networks/{id}/members")).await.refused(404, "not_found");
}

#[tokio::test]
async fn networks_of_others_do_not_exist() {
    let world = World::new(Dialect::Compat).await;
    let id = network(&world, "a", &["10.0.0.0/24"]).await;
    let stranger = world.stranger().await;
    let path = format!("/networks/{id}");
    for (method, path, body) in [
        ("GET", path.clone(), Value::Null),
        ("PUT", path.clone(), json!({"name": "mine"})),
        ("DELETE", path.clone(), Value::Null),
        ("POST", format!("{path}/actions/add_subnet"), subnet("10.0.1.0/24")),
        ("POST", format!("{path}/actions/change_ip_range"), json!({"ip_range": "10.0.0.0/8"})),
        ("GET", format!("{path}/actions"), Value::Null),
    ] {
        world.ask(method, &path).token(Some(&stranger)).json(&body).send().await.refused(404, "not_found");
    }
    // Names are a project's own.
    world.ask("POST", "/networks").token(Some(&stranger)).json(&wanted("a", "10.0.0.0/16")).send().await.ok();
}

#[tokio::test]
async fn there_are_no_networks_in_2018() {
    let world = World::new(Dialect::D2018_04).await;
    for path in ["/networks", "/networks/1", "/networks/1/actions", "/networks/1/members"] {
        world.get(path).await.refused(404, "not_found");
    }
    let mut wanted = server("a");
    wanted["networks"] = json!([1]);
    assert!(world.post("/servers", wanted).await.ok()["server"].get("private_net").is_none());
}
