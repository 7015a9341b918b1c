//! Members of answers (dialects A.5; fact sheet §0.2, §2). The oracle holds every answer against its document; here stands by hand
//! what comes and goes.

use super::{marked, views};
use crate::common::{World, public_key, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// Where to look, for what, and who has it.
type Row = (&'static str, &'static str, &'static str);

const SERVER: &[Row] = &[
    ("server", "/included_traffic", "XXXXX"),
    ("server", "/protection/rebuild", "XXXXX"),
    ("server", "/public_net/floating_ips", "XXXXX"),
    ("server", "/datacenter/id", "XXXX-"),
    ("server", "/location/id", "--XXX"),
    ("server", "/labels", "-XXXX"),
    ("server", "/volumes", "-XXXX"),
    ("server", "/private_net", "-XXXX"),
    ("server", "/load_balancers", "-XXXX"),
    ("server", "/placement_group", "-XXXX"),
    ("server", "/primary_disk_size", "-XXXX"),
    ("server", "/public_net/firewalls", "-XXXX"),
    ("server", "/public_net/ipv4/id", "-XXXX"),
    ("server", "/public_net/ipv6/id", "-XXXX"),
    ("server", "/public_net/ipv4/dns_ptr", "XXXXX"),
    ("server", "/server_type/architecture", "-XXXX"),
    ("server", "/image/labels", "-XXXX"),
    ("server", "/iso/architecture", "-XXXX"),
];

const CATALOGUE: &[Row] = &[
    ("server_type", "/cpu_type", "XXXXX"),
    ("server_type", "/architecture", "-XXXX"),
    ("server_type", "/deprecated", "-XXXX"),
    ("server_type", "/deprecation", "--XXX"),
    ("server_type", "/category", "--XXX"),
    ("server_type", "/locations/0/deprecation", "--XXX"),
    ("server_type", "/locations/0/available", "---XX"),
    ("server_type", "/locations/0/recommended", "---XX"),
    ("server_type", "/prices/0/price_monthly/net", "XXXXX"),
    ("server_type", "/prices/0/included_traffic", "--XXX"),
    ("server_type", "/prices/0/price_per_tb_traffic", "--XXX"),
    ("server_type", "/included_traffic", "---X-"),
    ("location", "/network_zone", "-XXXX"),
    ("datacenter", "/server_types/supported", "XXXX "),
    ("datacenter", "/server_types/available_for_migration", "-XXX "),
    ("iso", "/deprecated", "XX---"),
    ("iso", "/deprecation", "--XXX"),
    ("iso", "/architecture", "-XXXX"),
    ("pricing", "/floating_ip", "XXXXX"),
    ("pricing", "/traffic", "XX-X-"),
    ("pricing", "/floating_ips", "-XXXX"),
    ("pricing", "/primary_ips", "-XXXX"),
    ("pricing", "/load_balancer_types", "-XXXX"),
    ("pricing", "/volume", "-XXXX"),
    ("load_balancer_type", "/deprecation", " --XX"),
    ("load_balancer_type", "/prices/0/included_traffic", " -XXX"),
];

const OWN: &[Row] = &[
    ("image", "/rapid_deploy", "XXXXX"),
    ("image", "/labels", "-XXXX"),
    ("image", "/deleted", "-XXXX"),
    ("image", "/architecture", "--XXX"),
    ("image", "/deprecated", "XXXX-"),
    ("image", "/deprecation", "---XX"),
    ("floating_ip", "/description", "XXXXX"),
    ("floating_ip", "/name", "-XXXX"),
    ("floating_ip", "/created", "-XXXX"),
    ("floating_ip", "/labels", "-XXXX"),
    ("floating_ip", "/home_location/network_zone", "-XXXX"),
    ("ssh_key", "/created", "-XXXX"),
    ("ssh_key", "/labels", "-XXXX"),
    ("primary_ip", "/datacenter/id", " XXX-"),
    ("primary_ip", "/location/id", " -XXX"),
    ("action", "/progress", "XXXXX"),
    ("action", "/resources/0/type", "XXXXX"),
    ("network", "/expose_routes_to_vswitch", " -XXX"),
];

#[tokio::test]
async fn members_come_and_go() {
    let world = World::new(Dialect::Compat).await;
    let mut wanted = server("a");
    wanted["labels"] = json!({"a": "b"});
    let made = world.post("/servers", wanted).await.ok();
    let id = &made["server"]["id"];
    world.post(&format!("/servers/{id}/actions/attach_iso"), json!({"iso": 8637})).await.ok();
    let image = world.post(&format!("/servers/{id}/actions/create_image"), json!({})).await.ok()["image"]["id"].clone();
    let floating = world.create("/floating_ips", json!({"type": "ipv4", "home_location": "fsn1"})).await;
    let key = world.create("/ssh_keys", json!({"name": "k", "public_key": public_key(1)})).await;
    let network = world.create("/networks", json!({"name": "n", "ip_range": "10.0.0.0/16"})).await;
    let place = |kind: &str| match kind {
        "server" => format!("/servers/{id}"),
        "server_type" => "/server_types/109".into(),
        "location" => "/locations/1".into(),
        "datacenter" => "/datacenters/2".into(),
        "iso" => "/isos/8637".into(),
        "pricing" => "/pricing".into(),
        "load_balancer_type" => "/load_balancer_types/1".into(),
        "image" => format!("/images/{image}"),
        "floating_ip" => format!("/floating_ips/{floating}"),
        "ssh_key" => format!("/ssh_keys/{key}"),
        "primary_ip" => format!("/primary_ips/{}", made["server"]["public_net"]["ipv4"]["id"]),
        "action" => format!("/actions/{}", made["action"]["id"]),
        _ => format!("/networks/{network}"),
    };
    let views = views(&world).await;
    for (kind, member, row) in SERVER.iter().chain(CATALOGUE).chain(OWN) {
        for (dialect, has) in marked(row) {
            let view = views.iter().find(|view| view.setup.dialect == dialect).unwrap();
            let seen = view.see(&place(kind)).await;
            assert_eq!(seen[kind].pointer(member).is_some(), has, "{dialect} {kind}{member}: {}", seen[kind]);
        }
    }
}

/// What creating answers hold beside the resource (dialects A.5, D.2).
#[tokio::test]
async fn answers_to_creates() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let made = world.post("/servers", server("a")).await.ok();
        let has_next = made.get("next_actions").is_some();
        assert_eq!(has_next, *dialect != Dialect::D2018_04, "{dialect}");
        if has_next {
            assert_eq!(made["next_actions"][0]["command"], "start_server", "{dialect}");
        }
        assert!(made["root_password"].is_string(), "{dialect}");
        let id = &made["server"]["id"];
        let rebuilt = world.post(&format!("/servers/{id}/actions/rebuild"), json!({"image": "debian-12"})).await.ok();
        assert!(rebuilt["root_password"].is_string(), "{dialect}");
        world.create("/ssh_keys", json!({"name": "k", "public_key": public_key(1)})).await;
        let mut with_key = server("b");
        with_key["ssh_keys"] = json!(["k"]);
        let made = world.post("/servers", with_key).await.ok();
        assert_eq!(made.get("root_password"), Some(&Value::Null), "{dialect}");
        let rebuilt = world
            .post(&format!("/servers/{}/actions/rebuild", made["server"]["id"]), json!({"image": "debian-12"}))
            .await
            .ok();
        assert_eq!(rebuilt.get("root_password"), Some(&Value::Null), "{dialect}: there, and null");
        let free = world.post("/floating_ips", json!({"type": "ipv4", "home_location": "fsn1"})).await.ok();
        assert!(free.get("action").is_none(), "{dialect}: absent without a server");
        let bound = world.post("/floating_ips", json!({"type": "ipv4", "server": id})).await.ok();
        assert_eq!(bound["action"]["command"], "assign_floating_ip", "{dialect}");
    }
}

/// Data centers are virtual ones of today, and each list recommends one of them (dialects A.5).
#[tokio::test]
async fn a_list_of_data_centers_recommends_one() {
    for (dialect, has) in marked("XXXX ") {
        let list = World::new(dialect).await.see("/datacenters").await;
        assert_eq!(list["recommendation"].is_number(), has, "{dialect}");
    }
}
