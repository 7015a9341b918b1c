//! Targets of which only the operator knows what they are and what they answer: dedicated servers, and guests that are told.

use super::load_balancer_targets::{balancer, first_health, health, ill, to_ip, to_server, well};
use crate::common::{World, server};
use crate::load_balancers::{act, dialects, http, see, tcp, wanted};
use crate::networks::network;
use crate::operator::Operator;
use serde_json::{Value, json};
use wolke_wire::Dialect;

#[tokio::test]
async fn addresses_of_dedicated_servers_are_targets() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let operator = Operator::of(&world);
        let id = balancer(&world).await;
        act(&world, id, "add_target", to_ip("142.132.203.104")).await.refused(422, "ip_not_owned");
        operator.does("PUT", "/dedicated_ips/142.132.203.104", Value::Null).await;
        act(&world, id, "add_target", to_ip("142.132.203.104")).await.ok();
        let expected = json!({
            "type": "ip", "ip": {"ip": "142.132.203.104"},
            "health_status": [{"listen_port": 80, "status": "healthy"}],
        });
        assert_eq!(see(&world, id).await["targets"][0], expected, "without use_private_ip (fact sheet §3.7)");
        act(&world, id, "add_target", to_ip("142.132.203.104")).await.refused(422, "target_already_defined");
        let web = world.create("/servers", server("web")).await;
        let public = world.see(&format!("/servers/{web}")).await["server"]["public_net"].clone();
        for ip in [public["ipv4"]["ip"].as_str().unwrap(), &public["ipv6"]["ip"].as_str().unwrap().replace("/64", "1")]
        {
            act(&world, id, "add_target", to_ip(ip)).await.refused(422, "cloud_resource_ip_not_allowed");
        }
        assert_eq!(operator.does("GET", "/dedicated_ips", Value::Null).await, json!([{"ip": "142.132.203.104"}]));
        let (status, refused) = operator.ask("DELETE", "/dedicated_ips/142.132.203.104", Value::Null).await;
        assert_eq!((status, &refused["error"]["code"]), (422, &json!("resource_in_use")));
        act(&world, id, "remove_target", to_ip("142.132.203.104")).await.ok();
        operator.does("DELETE", "/dedicated_ips/142.132.203.104", Value::Null).await;
        assert_eq!(operator.ask("DELETE", "/dedicated_ips/142.132.203.104", Value::Null).await.0, 404);
        for wrong in ["x", "10.0.0.1", public["ipv4"]["ip"].as_str().unwrap()] {
            assert_eq!(operator.ask("PUT", &format!("/dedicated_ips/{wrong}"), Value::Null).await.0, 422, "{wrong}");
        }
    }
}

#[tokio::test]
async fn addresses_behind_a_vswitch_are_targets() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    operator.does("PUT", "/vswitches/7", Value::Null).await;
    let net = network(&world, "net", &["10.0.1.0/24"]).await;
    let subnet = json!({"type": "vswitch", "ip_range": "10.0.2.0/24", "network_zone": "eu-central", "vswitch_id": 7});
    let add = format!("/networks/{net}/actions/add_subnet");
    world.post(&add, subnet.clone()).await.ok();
    let id = balancer(&world).await;
    act(&world, id, "add_target", to_ip("10.0.2.9")).await.refused(422, "load_balancer_not_attached_to_network");
    act(&world, id, "attach_to_network", json!({"network": net})).await.ok();
    act(&world, id, "add_target", to_ip("10.0.1.9")).await.refused(422, "cloud_resource_ip_not_allowed");
    act(&world, id, "add_target", to_ip("10.0.9.9")).await.refused(422, "ip_not_owned");
    act(&world, id, "add_target", to_ip("10.0.2.9")).await.ok();
    assert_eq!(first_health(&world, id).await, well());
    // The way goes with the subnet, and comes back with it.
    let delete = json!({"ip_range": "10.0.2.0/24"});
    world.post(&format!("/networks/{net}/actions/delete_subnet"), delete.clone()).await.ok();
    assert_eq!(first_health(&world, id).await, ill("layer4_no_connection"));
    let cloud = json!({"type": "cloud", "ip_range": "10.0.2.0/24", "network_zone": "eu-central"});
    world.post(&add, cloud).await.ok();
    assert_eq!(first_health(&world, id).await, ill("layer4_no_connection"), "nobody is behind a vSwitch there");
    world.post(&format!("/networks/{net}/actions/delete_subnet"), delete).await.ok();
    world.post(&add, subnet).await.ok();
    assert_eq!(first_health(&world, id).await, well());
    act(&world, id, "disable_public_interface", Value::Null).await.ok();
    act(&world, id, "detach_from_network", json!({"network": net})).await.ok();
    assert_eq!(first_health(&world, id).await, ill("layer4_no_connection"));
}

#[tokio::test]
async fn guests_answer_what_they_are_told() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    operator.does("PUT", "/dedicated_ips/203.0.113.7", Value::Null).await;
    let web = world.create("/servers", server("web")).await;
    let mut new = wanted("one");
    let mut service = http(80);
    service["health_check"]["http"] = json!({"domain": "", "path": "/", "response": "fine"});
    new["services"] = json!([service, tcp(22, 22)]);
    new["targets"] = json!([to_server(web, false), to_ip("203.0.113.7")]);
    let id = world.create("/load_balancers", new).await;
    assert_eq!(first_health(&world, id).await, ill("unexpected_http_content"), "nobody says it is fine");
    let page = |status: u16, page: &str| json!({"does": "answer", "status": status, "page": page});
    let does = |what: &str| json!({"does": what});
    for (answer, expected) in [
        (page(200, "all is fine"), well()),
        (page(503, "fine"), ("unhealthy".into(), "unexpected_http_status".into(), json!(503))),
        (does("hang"), ill("layer7_timeout")),
        (does("drop"), ill("layer4_timeout")),
        (does("refuse"), ill("layer4_no_connection")),
    ] {
        for (at, who) in [("server", json!(web)), ("ip", json!("203.0.113.7"))] {
            let mut tell = answer.clone();
            (tell[at], tell["port"]) = (who, json!(80));
            operator.does("PUT", "/guests", tell).await;
        }
        let targets = see(&world, id).await["targets"].clone();
        for target in [&targets[0], &targets[1]] {
            assert_eq!(health(target), expected);
            let ssh = &target["health_status"][1];
            assert_eq!((&ssh["listen_port"], &ssh["status"]), (&json!(22), &json!("healthy")), "another port");
        }
    }
    assert_eq!(operator.does("GET", "/guests", Value::Null).await.as_array().unwrap().len(), 2);
    // Port 0 is any port of which nothing was said.
    operator.does("PUT", "/guests", json!({"server": web, "does": "refuse"})).await;
    operator.does("PUT", "/guests", json!({"server": web, "port": 80, "does": "answer", "page": "fine"})).await;
    let target = see(&world, id).await["targets"][0].clone();
    assert_eq!((health(&target), &target["health_status"][1]["detail"]), (well(), &json!("layer4_no_connection")));
    // A machine that is off says nothing.
    world.post(&format!("/servers/{web}/actions/poweroff"), json!({})).await.ok();
    assert_eq!(first_health(&world, id).await, ill("layer4_timeout"));
    operator.does("DELETE", "/guests", json!({"server": web})).await;
    assert_eq!(operator.ask("DELETE", "/guests", json!({"server": web})).await.0, 404);
    for (wrong, status) in [
        (json!({"does": "refuse"}), 422),
        (json!({"server": web, "ip": "203.0.113.7", "does": "refuse"}), 422),
        (json!({"server": web, "does": "refuse", "status": 200}), 422),
        (json!({"server": web, "does": "answer", "status": 99}), 422),
        (json!({"ip": "x", "does": "refuse"}), 422),
        (json!({"server": 4711, "does": "refuse"}), 404),
    ] {
        assert_eq!(operator.ask("PUT", "/guests", wrong.clone()).await.0, status, "{wrong}");
    }
    world.delete(&format!("/servers/{web}")).await.ok();
    assert_eq!(
        operator.does("GET", "/guests", Value::Null).await.as_array().unwrap().len(),
        1,
        "a server's answers go with it"
    );
}
