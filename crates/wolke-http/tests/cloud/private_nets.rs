//! Servers in private networks: addresses, aliases, both ends of a membership, and what happens when one of them goes.

use super::networks::{network, subnet, wanted};
use crate::common::{Answer, Setup, World, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

fn dialects() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.iter().copied().filter(|dialect| *dialect != Dialect::D2018_04)
}

async fn act(world: &World, server: i64, verb: &str, body: Value) -> Answer {
    world.post(&format!("/servers/{server}/actions/{verb}"), body).await
}

async fn attach(world: &World, server: i64, network: i64) -> Answer {
    act(world, server, "attach_to_network", json!({"network": network})).await
}

/// A server of the least kind.
async fn make(world: &World, name: &str) -> i64 {
    world.create("/servers", server(name)).await
}

async fn private_net(world: &World, server: i64) -> Value {
    world.see(&format!("/servers/{server}")).await["server"]["private_net"].clone()
}

async fn members(world: &World, network: i64) -> Value {
    world.see(&format!("/networks/{network}")).await["network"]["servers"].clone()
}

/// The addresses of a server's interfaces.
async fn ips(world: &World, server: i64) -> Vec<String> {
    let shown = private_net(world, server).await;
    shown.as_array().unwrap().iter().map(|net| net["ip"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn both_ends_show_a_membership() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let net = network(&world, "net", &["10.0.1.0/24"]).await;
        let (a, b) = (make(&world, "a").await, make(&world, "b").await);
        let done = attach(&world, b, net).await;
        assert_eq!(done.status, 201);
        let action = done.ok()["action"].clone();
        assert_eq!((&action["command"], &action["status"]), (&json!("attach_to_network"), &json!("success")));
        assert_eq!(action["resources"], json!([{"id": b, "type": "server"}, {"id": net, "type": "network"}]));
        let shown = private_net(&world, b).await;
        let expected = json!([{"network": net, "ip": "10.0.1.1", "alias_ips": [], "mac_address": "86:00:ff:00:00:01"}]);
        assert_eq!(shown, expected, "{dialect}: the lowest free address of the subnet");
        attach(&world, a, net).await.ok();
        assert_eq!(members(&world, net).await, json!([a, b]), "in the order of their ids");
        assert_eq!(private_net(&world, a).await[0]["mac_address"], "86:00:ff:00:00:02");
        // Lists show it, too, and neither a restart of the machine nor another member changes it.
        act(&world, b, "reboot", json!({})).await.ok();
        assert_eq!(world.see("/servers?name=b").await["servers"][0]["private_net"], shown);
        assert_eq!(world.see("/networks").await["networks"][0]["servers"], json!([a, b]));

        let done = act(&world, b, "detach_from_network", json!({"network": net})).await.ok()["action"].clone();
        assert_eq!((&done["command"], &done["status"]), (&json!("detach_from_network"), &json!("success")));
        assert_eq!(done["resources"], json!([{"id": b, "type": "server"}, {"id": net, "type": "network"}]));
        assert_eq!((private_net(&world, b).await, members(&world, net).await), (json!([]), json!([a])));
        assert_eq!(world.see("/servers?name=b").await["servers"][0]["private_net"], json!([]));
        attach(&world, b, net).await.ok();
        assert_eq!(ips(&world, b).await, ["10.0.1.1"], "a freed address is the lowest again");
    }
}

#[tokio::test]
async fn addresses_can_be_asked_for() {
    let world = World::new(Dialect::Compat).await;
    let net = network(&world, "net", &["10.0.0.0/24", "10.0.1.0/24"]).await;
    let a = make(&world, "a").await;
    let ask = |body: Value| {
        let mut body = body;
        body["network"] = json!(net);
        act(&world, a, "attach_to_network", body)
    };
    for ip in ["10.0.0.0", "10.0.0.1", "10.0.0.255", "10.0.2.1", "192.168.0.1"] {
        ask(json!({"ip": ip})).await.refused(422, "ip_not_available");
    }
    for alias in ["10.0.0.1", "10.0.7.7"] {
        ask(json!({"alias_ips": [alias]})).await.refused(422, "ip_not_available");
    }
    for (body, fields) in [
        (json!({"ip": "x", "ip_range": "y", "alias_ips": ["z"]}), vec!["ip", "ip_range", "alias_ips[0]"]),
        (json!({"ip": "10.0.0.9", "ip_range": "10.0.1.0/24"}), vec!["ip"]),
        (json!({"ip": "10.0.0.9", "alias_ips": ["10.0.0.9"]}), vec!["alias_ips[0]"]),
        (json!({"alias_ips": ["10.0.0.9", "10.0.0.9"]}), vec!["alias_ips[1]"]),
        (json!({"alias_ips": vec!["10.0.0.9"; 6]}), vec!["alias_ips"]),
    ] {
        ask(body).await.wrong(&fields);
    }
    ask(json!({"ip_range": "10.0.9.0/24"})).await.refused(422, "no_subnet_available");
    assert_eq!(private_net(&world, a).await, json!([]));

    ask(json!({"ip": "10.0.0.9", "alias_ips": ["10.0.1.20", "10.0.0.2"]})).await.ok();
    let shown = private_net(&world, a).await;
    assert_eq!((&shown[0]["ip"], &shown[0]["alias_ips"]), (&json!("10.0.0.9"), &json!(["10.0.1.20", "10.0.0.2"])));
    ask(json!({})).await.refused(422, "server_already_attached");
    let b = make(&world, "b").await;
    let for_b = |body: Value| {
        let mut body = body;
        body["network"] = json!(net);
        act(&world, b, "attach_to_network", body)
    };
    for taken in [json!({"ip": "10.0.0.9"}), json!({"ip": "10.0.1.20"}), json!({"alias_ips": ["10.0.0.2"]})] {
        for_b(taken).await.refused(422, "ip_not_available");
    }
    // Neither what is an alias of somebody else, nor what shall be one's own alias.
    for_b(json!({"alias_ips": ["10.0.0.3"]})).await.ok();
    assert_eq!(ips(&world, b).await, ["10.0.0.4"]);
    let c = make(&world, "c").await;
    act(&world, c, "attach_to_network", json!({"network": net, "ip_range": "10.0.1.0/24"})).await.ok();
    assert_eq!(ips(&world, c).await, ["10.0.1.1"]);
}

#[tokio::test]
async fn subnets_are_of_the_servers_zone_and_have_room() {
    let world = World::new(Dialect::Compat).await;
    let mut new = wanted("net", "10.0.0.0/16");
    new["subnets"] = json!([
        {"type": "cloud", "ip_range": "10.0.9.0/24", "network_zone": "us-east"}, subnet("10.0.1.0/30"), subnet("10.0.2.0/24"),
    ]);
    let net = world.create("/networks", new).await;
    let empty = network(&world, "empty", &[]).await;
    let mut made = Vec::new();
    for name in ["a", "b", "c"] {
        let server = make(&world, name).await;
        attach(&world, server, empty).await.refused(422, "no_subnet_available");
        attach(&world, server, net).await.ok();
        made.push(ips(&world, server).await.remove(0));
    }
    assert_eq!(made, ["10.0.1.1", "10.0.1.2", "10.0.2.1"], "the first subnet with room");
    let d = make(&world, "d").await;
    let full = json!({"network": net, "ip_range": "10.0.1.0/30"});
    act(&world, d, "attach_to_network", full).await.refused(422, "no_subnet_available");
    let elsewhere = json!({"network": net, "ip": "10.0.9.7"});
    act(&world, d, "attach_to_network", elsewhere).await.refused(422, "ip_not_available");
    let mut far = server("far");
    far["location"] = json!("ash");
    far["server_type"] = json!("cpx11");
    let far = world.create("/servers", far).await;
    attach(&world, far, net).await.ok();
    assert_eq!(ips(&world, far).await, ["10.0.9.1"]);
}

#[tokio::test]
async fn networks_of_a_server_are_apart_and_few() {
    let world = World::new(Dialect::Compat).await;
    let a = make(&world, "a").await;
    let mut nets = Vec::new();
    for n in 0..4 {
        let mut new = wanted(&format!("n{n}"), &format!("10.{n}.0.0/16"));
        new["subnets"] = json!([subnet(&format!("10.{n}.1.0/24"))]);
        nets.push(world.create("/networks", new).await);
    }
    let around = network(&world, "around", &["10.0.0.0/24"]).await;
    attach(&world, a, nets[0]).await.ok();
    attach(&world, a, around).await.refused(422, "networks_overlap");
    attach(&world, a, nets[1]).await.ok();
    attach(&world, a, nets[2]).await.ok();
    let refused = attach(&world, a, nets[3]).await;
    refused.refused(403, "resource_limit_exceeded");
    assert_eq!(refused.json["error"]["details"]["limits"], json!([{"name": "server_network_limit"}]));
    assert_eq!(ips(&world, a).await, ["10.0.1.1", "10.1.1.1", "10.2.1.1"]);
    // A network that grows stays apart from the others of its members.
    let grow = format!("/networks/{}/actions/change_ip_range", nets[0]);
    world.post(&grow, json!({"ip_range": "10.0.0.0/8"})).await.wrong(&["ip_range"]);
    act(&world, a, "detach_from_network", json!({"network": nets[1]})).await.ok();
    act(&world, a, "detach_from_network", json!({"network": nets[2]})).await.ok();
    world.post(&grow, json!({"ip_range": "10.0.0.0/8"})).await.ok();
    attach(&world, a, nets[3]).await.refused(422, "networks_overlap");
}

#[tokio::test]
async fn aliases_are_replaced() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let net = network(&world, "net", &["10.0.1.0/24"]).await;
        let (a, b) = (make(&world, "a").await, make(&world, "b").await);
        let change = async |server: i64, alias_ips: Value| {
            act(&world, server, "change_alias_ips", json!({"network": net, "alias_ips": alias_ips})).await
        };
        change(a, json!([])).await.refused(404, "not_found");
        attach(&world, a, net).await.ok();
        attach(&world, b, net).await.ok();
        let done = change(a, json!(["10.0.1.20", "10.0.1.10"])).await.ok()["action"].clone();
        assert_eq!((&done["command"], &done["status"]), (&json!("change_alias_ips"), &json!("success")));
        assert_eq!(done["resources"], json!([{"id": a, "type": "server"}, {"id": net, "type": "network"}]));
        assert_eq!(private_net(&world, a).await[0]["alias_ips"], json!(["10.0.1.20", "10.0.1.10"]), "in their order");
        for (taken, code) in
            [("10.0.1.2", "own of another"), ("10.0.1.1", "own"), ("10.0.1.0", "reserved"), ("10.9.0.1", "no subnet")]
        {
            let refused = change(a, json!(["10.0.1.10", taken])).await;
            refused.refused(422, "ip_not_available");
            assert!(refused.message().contains(taken), "{code}");
        }
        assert_eq!(private_net(&world, a).await[0]["alias_ips"], json!(["10.0.1.20", "10.0.1.10"]), "all or nothing");
        change(b, json!(["10.0.1.10"])).await.refused(422, "ip_not_available");
        change(a, json!(["10.0.1.10", "10.0.1.30"])).await.ok();
        change(b, json!(["10.0.1.20"])).await.ok();
        assert_eq!(private_net(&world, a).await[0]["alias_ips"], json!(["10.0.1.10", "10.0.1.30"]));
        change(a, json!(["x"])).await.wrong(&["alias_ips[0]"]);
        change(a, json!([])).await.ok();
        assert_eq!(private_net(&world, a).await[0]["alias_ips"], json!([]));
        let mac = private_net(&world, a).await[0]["mac_address"].clone();
        assert_eq!(mac, "86:00:ff:00:00:01", "the same for as long as it is attached");
    }
}

#[tokio::test]
async fn a_used_subnet_stays() {
    let world = World::new(Dialect::Compat).await;
    let net = network(&world, "net", &["10.0.1.0/24", "10.0.2.0/24"]).await;
    let a = make(&world, "a").await;
    let delete = async |range: &str| {
        world.post(&format!("/networks/{net}/actions/delete_subnet"), json!({"ip_range": range})).await
    };
    act(&world, a, "attach_to_network", json!({"network": net, "alias_ips": ["10.0.2.7"]})).await.ok();
    for range in ["10.0.1.0/24", "10.0.2.0/24"] {
        let refused = delete(range).await;
        assert!(refused.refused(422, "service_error").message().contains("servers are attached"), "{range}");
    }
    act(&world, a, "change_alias_ips", json!({"network": net, "alias_ips": []})).await.ok();
    delete("10.0.2.0/24").await.ok();
    act(&world, a, "detach_from_network", json!({"network": net})).await.ok();
    delete("10.0.1.0/24").await.ok();
}

#[tokio::test]
async fn a_network_that_goes_lets_its_members_go() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let net = network(&world, "net", &["10.0.1.0/24"]).await;
        let a = make(&world, "a").await;
        attach(&world, a, net).await.ok();
        world.see("/servers").await;
        assert_eq!(world.delete(&format!("/networks/{net}")).await.status, 204);
        assert_eq!(private_net(&world, a).await, json!([]));
        assert_eq!(world.see("/servers").await["servers"][0]["private_net"], json!([]), "no list shows it");
        let gone = act(&world, a, "detach_from_network", json!({"network": net})).await;
        gone.refused(404, "not_found");
        let again = network(&world, "net", &["10.0.1.0/24"]).await;
        attach(&world, a, again).await.ok();
    }
}

#[tokio::test]
async fn a_server_that_goes_frees_its_addresses() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let net = network(&world, "net", &["10.0.1.0/24"]).await;
        let (a, b) = (make(&world, "a").await, make(&world, "b").await);
        act(&world, a, "attach_to_network", json!({"network": net, "alias_ips": ["10.0.1.9"]})).await.ok();
        world.see("/networks").await;
        world.delete(&format!("/servers/{a}")).await.ok();
        assert_eq!(world.see("/networks").await["networks"][0]["servers"], json!([]), "no list shows it");
        act(&world, b, "attach_to_network", json!({"network": net, "alias_ips": ["10.0.1.9"]})).await.ok();
        assert_eq!(ips(&world, b).await, ["10.0.1.1"]);
    }
}

#[tokio::test]
async fn servers_are_created_in_networks() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let first = network(&world, "first", &["10.0.1.0/24"]).await;
        let mut new = wanted("second", "192.168.0.0/16");
        new["subnets"] = json!([subnet("192.168.7.0/24")]);
        let second = world.create("/networks", new).await;
        let mut body = server("a");
        body["networks"] = json!([second, first]);
        let made = world.post("/servers", body.clone()).await.ok();
        let id = made["server"]["id"].as_i64().unwrap();
        let shown = |net: i64, ip: &str, n: u32| json!({"network": net, "ip": ip, "alias_ips": [], "mac_address": format!("86:00:ff:00:00:{n:02x}")});
        let expected = json!([shown(second, "192.168.7.1", 1), shown(first, "10.0.1.1", 2)]);
        assert_eq!(made["server"]["private_net"], expected, "{dialect}: in the creating answer already");
        assert_eq!(private_net(&world, id).await, expected);
        let next = made["next_actions"].as_array().unwrap();
        let commands: Vec<_> = next.iter().map(|action| action["command"].as_str().unwrap()).collect();
        assert_eq!(commands, ["attach_to_network", "attach_to_network", "start_server"]);
        assert_eq!(next[0]["resources"], json!([{"id": id, "type": "server"}, {"id": second, "type": "network"}]));
        for action in next {
            assert_eq!(action["status"], "success");
        }
        assert_eq!(members(&world, first).await, json!([id]));
        let listed = world.see(&format!("/networks/{first}/actions")).await;
        assert_eq!(listed["actions"][0]["id"], next[1]["id"]);
    }
}

#[tokio::test]
async fn a_create_that_a_network_refuses_leaves_nothing() {
    let world = World::new(Dialect::Compat).await;
    let net = network(&world, "net", &["10.0.1.0/24"]).await;
    let overlapping = network(&world, "other", &["10.0.1.0/24"]).await;
    let empty = world.create("/networks", wanted("empty", "192.168.0.0/16")).await;
    for (networks, status, code) in [
        (json!([net, 99]), 404, "not_found"),
        (json!([net, net]), 422, "invalid_input"),
        (json!([net, overlapping]), 422, "networks_overlap"),
        (json!([net, empty]), 422, "no_subnet_available"),
    ] {
        let mut body = server("a");
        body["networks"] = networks.clone();
        world.post("/servers", body).await.refused(status, code);
        assert_eq!(members(&world, net).await, json!([]), "{networks}");
    }
    assert_eq!(world.see("/servers").await["servers"], json!([]));
    assert_eq!(world.see("/primary_ips").await["primary_ips"], json!([]));
    let mut body = server("a");
    body["networks"] = json!([net]);
    assert_eq!(world.post("/servers", body).await.ok()["server"]["private_net"][0]["ip"], "10.0.1.1");
}

#[tokio::test]
async fn a_server_that_may_be_anywhere_goes_where_its_networks_are() {
    let world = World::new(Dialect::Compat).await;
    let mut new = wanted("east", "10.0.0.0/16");
    new["subnets"] = json!([{"type": "cloud", "ip_range": "10.0.1.0/24", "network_zone": "us-east"}]);
    let net = world.create("/networks", new).await;
    let mut body = server("a");
    body["server_type"] = json!("cpx11");
    body["networks"] = json!([net]);
    let made = world.post("/servers", body.clone()).await.ok();
    assert_eq!(made["server"]["location"]["network_zone"], "us-east");
    body["name"] = json!("b");
    body["location"] = json!("hel1");
    let code = world.post("/servers", body).await.code().map(str::to_owned);
    assert!(code.is_some_and(|code| ["no_subnet_available", "resource_unavailable"].contains(&code.as_str())));
}

/// Terraform creates servers without public addresses so (fact sheet §3.1).
#[tokio::test]
async fn a_private_interface_is_enough_to_start() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let net = network(&world, "net", &["10.0.1.0/24"]).await;
        let mut body = server("a");
        body["public_net"] = json!({"enable_ipv4": false, "enable_ipv6": false});
        body["start_after_create"] = json!(false);
        let id = world.create("/servers", body.clone()).await;
        let path = format!("/servers/{id}");
        act(&world, id, "poweron", json!({})).await.ok();
        assert_eq!(world.see(&path).await["server"]["status"], "off", "{dialect}: no interface, no start");
        attach(&world, id, net).await.ok();
        act(&world, id, "poweron", json!({})).await.ok();
        assert_eq!(world.see(&path).await["server"]["status"], "running", "{dialect}");
        body["name"] = json!("b");
        body["networks"] = json!([net]);
        body["start_after_create"] = json!(true);
        assert_eq!(world.post("/servers", body).await.ok()["server"]["status"], "running", "{dialect}");
    }
}

#[tokio::test]
async fn subjects_are_looked_up() {
    let world = World::new(Dialect::Compat).await;
    let net = network(&world, "net", &["10.0.1.0/24"]).await;
    let a = make(&world, "a").await;
    attach(&world, a, 99).await.refused(404, "not_found");
    attach(&world, 99, net).await.refused(404, "not_found");
    let refused = act(&world, a, "detach_from_network", json!({"network": net})).await;
    let said = refused.refused(404, "not_found").message().to_owned();
    assert_eq!(said, format!("server is not attached to network with ID '{net}'"));
    for verb in ["attach_to_network", "detach_from_network"] {
        act(&world, a, verb, json!({})).await.wrong(&["network"]);
    }
    act(&world, a, "change_alias_ips", json!({})).await.wrong(&["network", "alias_ips"]);
    let stranger = world.stranger().await;
    let foreign = world.ask("POST", &format!("/servers/{a}/actions/attach_to_network")).token(Some(&stranger));
    foreign.json(&json!({"network": net})).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn a_server_on_its_way_out_is_locked() {
    use wolke_host::{LatencyProfile, OperationKind, Policy};
    let mut setup = Setup::new(Dialect::Compat);
    setup.settle = std::time::Duration::ZERO;
    setup.simulation.profile = LatencyProfile::none().with(OperationKind::Delete, Policy::Stuck);
    let world = World::with(setup).await;
    let net = network(&world, "net", &["10.0.1.0/24"]).await;
    let a = make(&world, "a").await;
    attach(&world, a, net).await.ok();
    world.delete(&format!("/servers/{a}")).await.ok();
    let bodies = [
        ("attach_to_network", json!({"network": net})),
        ("detach_from_network", json!({"network": net})),
        ("change_alias_ips", json!({"network": net, "alias_ips": []})),
    ];
    for (verb, body) in bodies {
        act(&world, a, verb, body).await.refused(423, "locked");
    }
}
