//! Load balancers: their life, services, type, addresses, protection, networks. Targets and their health:
//! `load_balancer_targets.rs`.

use crate::certificates::uploaded;
use crate::common::{Answer, World, ids, names, server};
use crate::networks::network;
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// The dialects that have load balancers.
pub fn dialects() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.iter().copied().filter(|dialect| *dialect != Dialect::D2018_04)
}

/// The least request, valid in every dialect.
pub fn wanted(name: &str) -> Value {
    json!({
        "name": name, "load_balancer_type": "lb11", "location": "fsn1", "algorithm": {"type": "round_robin"},
    })
}

/// A service with all members that the documents require.
pub fn tcp(listen_port: u16, destination_port: u16) -> Value {
    json!({
        "protocol": "tcp", "listen_port": listen_port, "destination_port": destination_port, "proxyprotocol": false,
        "health_check": {"protocol": "tcp", "port": destination_port, "interval": 15, "timeout": 10, "retries": 3},
    })
}

/// A web service, as [`tcp`].
pub fn http(listen_port: u16) -> Value {
    json!({
        "protocol": "http", "listen_port": listen_port, "destination_port": 80, "proxyprotocol": false,
        "http": {"sticky_sessions": true},
        "health_check": {
            "protocol": "http", "port": 80, "interval": 5, "timeout": 5, "retries": 2,
            "http": {"domain": "", "path": "/"},
        },
    })
}

/// An action of a load balancer.
pub async fn act(world: &World, id: i64, verb: &str, body: Value) -> Answer {
    let path = format!("/load_balancers/{id}/actions/{verb}");
    if body.is_null() { world.ask("POST", &path).send().await } else { world.post(&path, body).await }
}

/// A load balancer as it stands.
pub async fn see(world: &World, id: i64) -> Value {
    world.see(&format!("/load_balancers/{id}")).await["load_balancer"].clone()
}

/// The ports of the services.
fn ports(balancer: &Value) -> Vec<u64> {
    balancer["services"].as_array().unwrap().iter().map(|service| service["listen_port"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_life() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let mut new = wanted("one");
        new["labels"] = json!({"a": "b"});
        new["services"] = json!([tcp(22, 2222), http(80)]);
        let made = world.post("/load_balancers", new).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        assert_eq!(made["action"]["command"], "create_load_balancer");
        assert_eq!(made["action"]["status"], "success");
        let made = made["load_balancer"].clone();
        let id = made["id"].as_i64().unwrap();
        assert_eq!((&made["name"], &made["labels"]), (&json!("one"), &json!({"a": "b"})));
        assert_eq!((&made["load_balancer_type"]["name"], &made["location"]["name"]), (&json!("lb11"), &json!("fsn1")));
        assert_eq!((&made["private_net"], &made["targets"]), (&json!([]), &json!([])));
        assert_eq!((&made["outgoing_traffic"], &made["ingoing_traffic"]), (&json!(0), &json!(0)));
        assert_eq!(made["included_traffic"], 21_990_232_555_520_u64);
        assert_eq!((&made["protection"]["delete"], &made["algorithm"]["type"]), (&json!(false), &json!("round_robin")));
        let public = &made["public_net"];
        assert_eq!(public["enabled"], true);
        assert!(public["ipv4"]["dns_ptr"].as_str().unwrap().starts_with("static."));
        // One address, not a network (fact sheet §3.7).
        assert!(public["ipv6"]["ip"].as_str().unwrap().ends_with("::1") && public["ipv6"]["dns_ptr"].is_null());
        assert_eq!(public["ipv4"].get("blocked").is_some(), matches!(dialect, Dialect::Compat | Dialect::Newest));
        assert_eq!(ports(&made), [22, 80]);
        assert_eq!(see(&world, id).await, made);

        let path = format!("/load_balancers/{id}");
        let renamed = world.put(&path, json!({"name": "two", "labels": {"c": "d"}})).await.ok();
        assert_eq!(
            (&renamed["load_balancer"]["name"], &renamed["load_balancer"]["labels"]["c"]),
            (&json!("two"), &json!("d"))
        );
        assert_eq!(world.put(&path, json!({})).await.ok()["load_balancer"]["name"], "two");
        world.create("/load_balancers", wanted("three")).await;
        world.put(&path, json!({"name": "three"})).await.refused(409, "uniqueness_error");
        world.put(&path, json!({"name": "", "labels": {"-": ""}})).await.wrong(&["labels.-", "name"]);

        let of = |query: &'static str| {
            let world = &world;
            async move { names(&world.see(&format!("/load_balancers{query}")).await["load_balancers"]) }
        };
        assert_eq!(of("").await, ["two", "three"]);
        assert_eq!(of("?name=two").await, ["two"]);
        assert_eq!(of("?label_selector=c").await, ["two"]);
        assert_eq!(of("?sort=name").await, ["three", "two"]);

        let gone = world.delete(&path).await;
        // Since 2026-10-05 there is an action to wait for.
        if matches!(dialect, Dialect::Compat | Dialect::Newest) {
            assert_eq!(gone.status, 201);
            let action = gone.ok()["action"].clone();
            assert_eq!((&action["command"], &action["status"]), (&json!("delete_load_balancer"), &json!("success")));
            let id = action["id"].as_i64().unwrap();
            assert_eq!(world.see(&format!("/actions/{id}")).await["action"], action);
        } else {
            assert_eq!((gone.status, gone.json), (204, Value::Null));
        }
        world.get(&path).await.refused(404, "not_found");
        world.delete(&path).await.refused(404, "not_found");
        assert_eq!(of("").await, ["three"]);
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_at_once() {
    let world = World::new(Dialect::Compat).await;
    let new = json!({
        "name": "", "load_balancer_type": "lb11", "location": "fsn1", "network_zone": "eu-central", "labels": {"-": "x"},
        "services": [{"protocol": "tcp"}, {"protocol": "http", "health_check": {"interval": 1}}],
        "targets": [{"type": "server"}, {"type": "ip", "ip": {"ip": "x"}}],
    });
    world.post("/load_balancers", new).await.wrong(&[
        "name",
        "labels.-",
        "location",
        "network_zone",
        "services[0].listen_port",
        "services[0].destination_port",
        "services[1].health_check.interval",
        "targets[0].server",
        "targets[1].ip.ip",
    ]);
    let without = |member: &str| {
        let mut new = wanted("a");
        new.as_object_mut().unwrap().remove(member);
        new
    };
    world.post("/load_balancers", without("location")).await.wrong(&["location", "network_zone"]);
    world.post("/load_balancers", without("name")).await.wrong(&["name"]);
    world.post("/load_balancers", without("algorithm")).await.ok();
    let with = |member: &str, value: Value| {
        let mut new = wanted("b");
        new[member] = value;
        new
    };
    for (member, value) in
        [("load_balancer_type", json!("lb99")), ("location", json!("mars1")), ("network", json!(4711))]
    {
        world.post("/load_balancers", with(member, value)).await.refused(404, "not_found");
    }
    let mut zone = without("location");
    (zone["name"], zone["network_zone"]) = (json!("z"), json!("moon"));
    world.post("/load_balancers", zone.clone()).await.wrong(&["network_zone"]);
    zone["network_zone"] = json!("us-west");
    assert_eq!(world.post("/load_balancers", zone).await.ok()["load_balancer"]["location"]["name"], "hil");
    let twice = with("services", json!([http(80), tcp(80, 1)]));
    world.post("/load_balancers", twice).await.refused(422, "source_port_already_used");
    let certificate = json!([{"protocol": "https", "http": {"certificates": [4711]}}]);
    world.post("/load_balancers", with("services", certificate)).await.refused(404, "not_found");
    world.post("/load_balancers", with("name", json!("a"))).await.refused(409, "uniqueness_error");
    let many: Vec<Value> = (1..=6).map(|port| tcp(port, port)).collect();
    let refused = world.post("/load_balancers", with("services", json!(many))).await;
    refused.refused(403, "resource_limit_exceeded");
    assert_eq!(refused.json["error"]["details"]["limits"][0]["name"], "load_balancer_services");
    assert_eq!(world.see("/load_balancers").await["load_balancers"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn services_have_the_defaults_of_their_protocol() {
    for dialect in [Dialect::Compat, Dialect::Newest] {
        let world = World::new(dialect).await;
        let id = world.create("/load_balancers", wanted("one")).await;
        let added = act(&world, id, "add_service", json!({"protocol": "https"})).await;
        assert_eq!(added.status, 201);
        let action = added.ok()["action"].clone();
        assert_eq!(action["command"], "add_service");
        assert_eq!(action["resources"], json!([{"id": id, "type": "load_balancer"}]));
        act(&world, id, "add_service", json!({"protocol": "tcp", "listen_port": 22, "destination_port": 2222}))
            .await
            .ok();
        let expected = json!([
            {
                "protocol": "https", "listen_port": 443, "destination_port": 80, "proxyprotocol": false,
                "http": {
                    "cookie_name": "HCLBSTICKY", "cookie_lifetime": 300, "certificates": [], "redirect_http": false,
                    "sticky_sessions": false, "timeout_idle": 50,
                },
                "health_check": {
                    "protocol": "http", "port": 80, "interval": 15, "timeout": 10, "retries": 3,
                    "http": {
                        "domain": "", "path": "/", "response": "", "status_codes": ["2??", "3??"], "tls": false,
                    },
                },
            },
            tcp(22, 2222),
        ]);
        assert_eq!(see(&world, id).await["services"], expected);
        act(&world, id, "add_service", json!({"protocol": "tcp", "listen_port": 23}))
            .await
            .wrong(&["destination_port"]);
        act(&world, id, "add_service", json!({"protocol": "http", "http": {"redirect_http": true}}))
            .await
            .wrong(&["http.redirect_http"]);
        act(&world, id, "add_service", json!({"protocol": "http", "health_check": {"hurry": 1}}))
            .await
            .wrong(&["health_check.hurry"]);
        assert_eq!(see(&world, id).await["services"], expected);
    }
    // The documents require every member.
    for dialect in [Dialect::D2023_07, Dialect::D2026_02] {
        let world = World::new(dialect).await;
        let id = world.create("/load_balancers", wanted("one")).await;
        let missing = act(&world, id, "add_service", json!({"protocol": "https"})).await;
        missing.wrong(&["destination_port", "health_check", "listen_port", "proxyprotocol"]);
        act(&world, id, "add_service", http(80)).await.ok();
        assert!(see(&world, id).await["services"][0]["http"].get("timeout_idle").is_none(), "since 2026-04-30");
    }
}

#[tokio::test]
async fn services_change_and_go() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let mut new = wanted("one");
        new["services"] = json!([tcp(80, 8080), tcp(81, 81)]);
        let id = world.create("/load_balancers", new).await;
        let is_partial = dialect != Dialect::D2023_07;
        let mut change = json!({"listen_port": 80, "protocol": "http"});
        if is_partial {
            act(&world, id, "update_service", change).await.ok();
        } else {
            // In 2023 all of it was required (dialects D.1).
            let wanted = ["destination_port", "health_check", "proxyprotocol"];
            act(&world, id, "update_service", change.clone()).await.wrong(&wanted);
            let old = tcp(80, 8080);
            for member in wanted {
                change[member] = old[member].clone();
            }
            act(&world, id, "update_service", change).await.ok();
        }
        let changed = see(&world, id).await["services"][0].clone();
        assert_eq!((&changed["protocol"], &changed["destination_port"]), (&json!("http"), &json!(8080)));
        assert_eq!(changed["health_check"]["protocol"], "tcp", "the old health check stays (fact sheet §3.7)");
        assert_eq!(changed["http"]["cookie_name"], "HCLBSTICKY");
        if is_partial {
            let more = json!({"listen_port": 80, "http": {"cookie_lifetime": 60}, "health_check": {"retries": 5}});
            act(&world, id, "update_service", more).await.ok();
            let more = see(&world, id).await["services"][0].clone();
            assert_eq!((&more["http"]["cookie_lifetime"], &more["health_check"]["retries"]), (&json!(60), &json!(5)));
            assert_eq!((&more["protocol"], &more["health_check"]["interval"]), (&json!("http"), &json!(15)));
            act(&world, id, "update_service", json!({"listen_port": 9})).await.refused(404, "not_found");
            let https = json!({"listen_port": 81, "protocol": "https", "http": {"redirect_http": true}});
            act(&world, id, "update_service", https).await.refused(422, "source_port_already_used");
        }
        act(&world, id, "add_service", tcp(80, 1)).await.refused(422, "source_port_already_used");
        let deleted = act(&world, id, "delete_service", json!({"listen_port": 80})).await.ok();
        assert_eq!(deleted["action"]["command"], "delete_service");
        act(&world, id, "delete_service", json!({"listen_port": 80})).await.refused(404, "not_found");
        assert_eq!(ports(&see(&world, id).await), [81]);
        act(&world, id, "add_service", tcp(80, 1)).await.ok();
        assert_eq!(ports(&see(&world, id).await), [81, 80]);
    }
}

#[tokio::test]
async fn idle_connections_since_2026_04_30() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/load_balancers", wanted("one")).await;
    act(&world, id, "add_service", json!({"protocol": "http", "http": {"timeout_idle": 60}})).await.ok();
    assert_eq!(see(&world, id).await["services"][0]["http"]["timeout_idle"], 60);
    let old = World::new(Dialect::D2026_02).await;
    let id = old.create("/load_balancers", wanted("one")).await;
    let mut service = http(80);
    service["http"] = json!({"timeout_idle": 60});
    act(&old, id, "add_service", service).await.ok();
    assert!(see(&old, id).await["services"][0]["http"].get("timeout_idle").is_none());
    let now = old.through(Dialect::Compat).await;
    assert_eq!(see(&now, id).await["services"][0]["http"]["timeout_idle"], 50, "what was not known did nothing");
}

#[tokio::test]
async fn certificates_are_used_by_them() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let certificate = world.create("/certificates", uploaded("one")).await;
        let mut secure = http(443);
        (secure["protocol"], secure["http"]) = (json!("https"), json!({"certificates": [certificate]}));
        let mut new = wanted("one");
        new["services"] = json!([secure]);
        let id = world.create("/load_balancers", new).await;
        let used_by =
            || async { world.see(&format!("/certificates/{certificate}")).await["certificate"]["used_by"].clone() };
        assert_eq!(see(&world, id).await["services"][0]["http"]["certificates"], json!([certificate]));
        assert_eq!(used_by().await, json!([{"id": id, "type": "load_balancer"}]));
        world.delete(&format!("/certificates/{certificate}")).await.refused(422, "resource_in_use");
        secure["http"]["certificates"] = json!([certificate + 1]);
        act(&world, id, "update_service", secure.clone()).await.refused(404, "not_found");
        secure["http"]["certificates"] = json!([]);
        act(&world, id, "update_service", secure.clone()).await.ok();
        assert_eq!(used_by().await, json!([]));
        secure["http"]["certificates"] = json!([certificate]);
        act(&world, id, "update_service", secure).await.ok();
        world.delete(&format!("/load_balancers/{id}")).await.ok();
        assert_eq!(used_by().await, json!([]));
        world.delete(&format!("/certificates/{certificate}")).await.ok();
    }
}

#[tokio::test]
async fn types_have_limits() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let id = world.create("/load_balancers", wanted("one")).await;
        for port in 1..=5 {
            act(&world, id, "add_service", tcp(port, port)).await.ok();
        }
        let refused = act(&world, id, "add_service", tcp(6, 6)).await;
        refused.refused(403, "resource_limit_exceeded");
        assert_eq!(refused.json["error"]["details"]["limits"][0]["name"], "load_balancer_services");
        let to = |name: &str| json!({"load_balancer_type": name});
        let same = act(&world, id, "change_type", to("lb11")).await.ok();
        assert_eq!(same["action"]["command"], "change_load_balancer_type");
        act(&world, id, "change_type", to("lb21")).await.ok();
        assert_eq!(see(&world, id).await["load_balancer_type"]["name"], "lb21");
        act(&world, id, "add_service", tcp(6, 6)).await.ok();
        act(&world, id, "change_type", to("lb11")).await.refused(422, "invalid_load_balancer_type");
        act(&world, id, "change_type", to("lb99")).await.refused(404, "not_found");
        act(&world, id, "delete_service", json!({"listen_port": 6})).await.ok();
        act(&world, id, "change_type", to("1")).await.ok();
        assert_eq!(see(&world, id).await["load_balancer_type"]["name"], "lb11");
    }
}

#[tokio::test]
async fn algorithm_names_and_protection() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let id = world.create("/load_balancers", wanted("one")).await;
        let changed = act(&world, id, "change_algorithm", json!({"type": "least_connections"})).await.ok();
        assert_eq!(changed["action"]["command"], "change_algorithm");
        assert_eq!(see(&world, id).await["algorithm"]["type"], "least_connections");
        let refused = act(&world, id, "change_algorithm", json!({"type": "dice"})).await;
        assert_eq!(refused.wrong(&["type"]).message(), "invalid input in field 'type'", "fact sheet §6.4");

        let public = see(&world, id).await["public_net"].clone();
        for family in ["ipv4", "ipv6"] {
            let ip = public[family]["ip"].clone();
            let before = public[family]["dns_ptr"].clone();
            let changed = act(&world, id, "change_dns_ptr", json!({"ip": ip, "dns_ptr": "lb.example.com"})).await.ok();
            assert_eq!(changed["action"]["command"], "change_dns_ptr");
            assert_eq!(see(&world, id).await["public_net"][family]["dns_ptr"], "lb.example.com");
            act(&world, id, "change_dns_ptr", json!({"ip": ip, "dns_ptr": null})).await.ok();
            assert_eq!(see(&world, id).await["public_net"][family]["dns_ptr"], before);
        }
        let foreign = json!({"ip": "203.0.113.1", "dns_ptr": "a.example.com"});
        act(&world, id, "change_dns_ptr", foreign).await.wrong(&["ip"]);

        act(&world, id, "change_protection", json!({"delete": true})).await.ok();
        assert_eq!(see(&world, id).await["protection"]["delete"], true);
        let refused = world.delete(&format!("/load_balancers/{id}")).await;
        assert_eq!(refused.refused(423, "protected").message(), "load balancer deletion is protected");
        act(&world, id, "change_protection", json!({})).await.ok();
        assert_eq!(see(&world, id).await["protection"]["delete"], true);
        act(&world, id, "change_protection", json!({"delete": false})).await.ok();
        world.delete(&format!("/load_balancers/{id}")).await.ok();
        for verb in ["change_protection", "enable_public_interface"] {
            act(&world, id, verb, json!({})).await.refused(404, "not_found");
        }
    }
}

#[tokio::test]
async fn networks_take_them_in() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let net = network(&world, "net", &["10.0.1.0/24"]).await;
        let other = network(&world, "other", &[]).await;
        let id = world.create("/load_balancers", wanted("one")).await;
        act(&world, id, "attach_to_network", json!({"network": other})).await.refused(422, "no_subnet_available");
        act(&world, id, "attach_to_network", json!({"network": 4711})).await.refused(404, "not_found");
        act(&world, id, "attach_to_network", json!({"network": net, "ip": "10.9.0.1"}))
            .await
            .refused(422, "ip_not_available");
        let attached = act(&world, id, "attach_to_network", json!({"network": net})).await.ok();
        assert_eq!(attached["action"]["command"], "attach_to_network");
        let both = json!([{"id": id, "type": "load_balancer"}, {"id": net, "type": "network"}]);
        assert_eq!(attached["action"]["resources"], both);
        // The first automatic address (fact sheet §3.7).
        assert_eq!(see(&world, id).await["private_net"], json!([{"network": net, "ip": "10.0.1.1"}]));
        assert_eq!(world.see(&format!("/networks/{net}")).await["network"]["load_balancers"], json!([id]));
        act(&world, id, "attach_to_network", json!({"network": net}))
            .await
            .refused(422, "load_balancer_already_attached");
        let detached = act(&world, id, "detach_from_network", json!({"network": net})).await.ok();
        assert_eq!(detached["action"]["command"], "detach_from_network");
        assert_eq!(see(&world, id).await["private_net"], json!([]));
        assert_eq!(world.see(&format!("/networks/{net}")).await["network"]["load_balancers"], json!([]));
        act(&world, id, "detach_from_network", json!({"network": net})).await.refused(404, "not_found");
        act(&world, id, "attach_to_network", json!({"network": net, "ip": "10.0.1.9"})).await.ok();
        assert_eq!(see(&world, id).await["private_net"][0]["ip"], "10.0.1.9");
        // A network goes although a load balancer is in it, and then the load balancer (fact sheet §3.5).
        world.delete(&format!("/networks/{net}")).await.ok();
        assert_eq!(see(&world, id).await["private_net"], json!([]));
        world.delete(&format!("/load_balancers/{id}")).await.ok();
        assert_eq!(ids(&world.see("/networks").await["networks"]), [other]);
    }
}

#[tokio::test]
async fn subnets_can_be_chosen() {
    let world = World::new(Dialect::Compat).await;
    let net = network(&world, "net", &["10.0.1.0/24", "10.0.2.0/24"]).await;
    let id = world.create("/load_balancers", wanted("one")).await;
    act(&world, id, "attach_to_network", json!({"network": net, "ip_range": "10.0.2.0/24"})).await.ok();
    assert_eq!(see(&world, id).await["private_net"][0]["ip"], "10.0.2.1");
    let members = world.see(&format!("/networks/{net}/members")).await["members"].clone();
    assert_eq!(
        (&members[0]["type"], &members[0]["id"], &members[0]["subnet"]),
        (&json!("load_balancer"), &json!(id), &json!("10.0.2.0/24"))
    );
    // One that goes leaves its network.
    world.delete(&format!("/load_balancers/{id}")).await.ok();
    assert_eq!(world.see(&format!("/networks/{net}")).await["network"]["load_balancers"], json!([]));
    let mut new = wanted("two");
    new["network"] = json!(net);
    let made = world.post("/load_balancers", new).await.ok()["load_balancer"].clone();
    assert_eq!(made["private_net"], json!([{"network": net, "ip": "10.0.1.1"}]));
}

#[tokio::test]
async fn the_public_interface_goes_off_and_on() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let net = network(&world, "net", &["10.0.1.0/24"]).await;
        let id = world.create("/load_balancers", wanted("one")).await;
        act(&world, id, "disable_public_interface", Value::Null)
            .await
            .refused(422, "load_balancer_not_attached_to_network");
        act(&world, id, "attach_to_network", json!({"network": net})).await.ok();
        let mut there = server("web");
        there["networks"] = json!([net]);
        let web = world.create("/servers", there).await;
        let target = |private: bool| json!({"type": "server", "server": {"id": web}, "use_private_ip": private});
        act(&world, id, "add_target", target(false)).await.ok();
        act(&world, id, "disable_public_interface", Value::Null).await.refused(422, "targets_without_use_private_ip");
        act(&world, id, "remove_target", json!({"type": "server", "server": {"id": web}})).await.ok();
        act(&world, id, "add_target", target(true)).await.ok();
        let before = see(&world, id).await["public_net"].clone();
        let done = act(&world, id, "disable_public_interface", Value::Null).await.ok();
        assert_eq!(done["action"]["command"], "disable_public_interface");
        let after = see(&world, id).await["public_net"].clone();
        assert_eq!((&after["enabled"], &after["ipv4"]), (&json!(false), &before["ipv4"]));
        let selector = json!({"type": "label_selector", "label_selector": {"selector": "a"}});
        for public in [target(false), selector] {
            act(&world, id, "remove_target", json!({"type": "server", "server": {"id": web}})).await;
            let refused = act(&world, id, "add_target", public).await;
            let disabled = match dialect {
                Dialect::D2023_07 => "invalid_input",
                _ => "load_balancer_public_interface_disabled",
            };
            refused.refused(422, disabled);
            let text = "load balancer public interface is disabled, cannot add target using public IP";
            assert_eq!(refused.message(), text, "fact sheet §6.4");
        }
        for _ in 0..2 {
            let done = act(&world, id, "enable_public_interface", Value::Null).await.ok();
            assert_eq!(done["action"]["command"], "enable_public_interface");
        }
        assert_eq!(see(&world, id).await["public_net"]["enabled"], true);
        let mut hidden = wanted("hidden");
        hidden["public_interface"] = json!(false);
        let hidden = world.post("/load_balancers", hidden).await.ok();
        assert_eq!(hidden["load_balancer"]["public_net"]["enabled"], false);
    }
}

#[tokio::test]
async fn actions_are_listed() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let id = world.create("/load_balancers", wanted("one")).await;
        act(&world, id, "change_algorithm", json!({"type": "least_connections"})).await.ok();
        let list = format!("/load_balancers/{id}/actions");
        let all = world.see(&list).await["actions"].clone();
        let commands: Vec<&Value> = all.as_array().unwrap().iter().map(|action| &action["command"]).collect();
        assert_eq!(commands, ["create_load_balancer", "change_algorithm"]);
        let action = all[1]["id"].as_i64().unwrap();
        assert_eq!(world.see(&format!("{list}/{action}")).await["action"], all[1]);
        if dialect != Dialect::D2023_07 {
            assert_eq!(world.see("/load_balancers/actions?sort=id:desc").await["actions"][0], all[1]);
            assert_eq!(world.see(&format!("/load_balancers/actions/{action}")).await["action"], all[1]);
        }
        world.get("/load_balancers/4711/actions").await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn others_see_nothing() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/load_balancers", wanted("one")).await;
    let stranger = world.stranger().await;
    for (method, path) in [
        ("GET", format!("/load_balancers/{id}")),
        ("DELETE", format!("/load_balancers/{id}")),
        ("GET", format!("/load_balancers/{id}/actions")),
        ("POST", format!("/load_balancers/{id}/actions/enable_public_interface")),
    ] {
        world.ask(method, &path).token(Some(&stranger)).send().await.refused(404, "not_found");
    }
    let own = world.ask("POST", "/load_balancers").token(Some(&stranger)).json(&wanted("one")).send().await.ok();
    let web = world.create("/servers", server("web")).await;
    let theirs = json!({"type": "server", "server": {"id": web}});
    let path = format!("/load_balancers/{}/actions/add_target", own["load_balancer"]["id"]);
    let refused = world.ask("POST", &path).token(Some(&stranger)).json(&theirs).send().await;
    assert_eq!(refused.refused(404, "not_found").message(), format!("server with ID '{web}' not found"));
}

#[tokio::test]
async fn in_2018_there_are_none() {
    let world = World::new(Dialect::D2018_04).await;
    for path in ["/load_balancers", "/load_balancers/1", "/load_balancers/1/metrics"] {
        world.get(path).await.refused(404, "not_found");
    }
}
