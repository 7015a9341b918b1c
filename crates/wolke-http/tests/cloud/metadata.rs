//! The metadata service, asked through the operator's API.

use crate::common::{World, public_key, server};
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt as _;
use wolke_http::admin::{Admin, router, types};
use wolke_wire::Dialect;

/// The service as one server sees it.
struct Guest {
    routes: Router,
    id: i64,
}

impl Guest {
    fn of(world: &World, id: i64) -> Self {
        let status = types::Status {
            version: "0".into(),
            engine: "memory".into(),
            endpoint: String::new(),
            dialect: world.setup.dialect,
            pid: 1,
        };
        Self { routes: router(Arc::new(Admin { control: Arc::clone(&world.control), status })), id }
    }

    /// Status, content type and body of `GET path`.
    async fn ask(&self, path: &str) -> (u16, String, String) {
        let uri = format!("/servers/{}/metadata{path}", self.id);
        let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, kind, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn text(&self, path: &str) -> String {
        let (status, kind, body) = self.ask(path).await;
        assert_eq!((status, kind.as_str()), (200, "text/plain; charset=utf-8"), "{path}: {body}");
        body
    }
}

async fn create(world: &World, mut body: Value, more: Value) -> Guest {
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    Guest::of(world, world.create("/servers", body).await)
}

/// What cloud-init of a server is told to do.
pub async fn user_data(world: &World, id: i64) -> String {
    Guest::of(world, id).text("/hetzner/v1/userdata").await
}

const SUMMARY: &str = "/hetzner/v1/metadata";

#[tokio::test]
async fn a_server_learns_about_itself() {
    let world = World::new(Dialect::Compat).await;
    world.create("/ssh_keys", json!({"name": "me", "public_key": public_key(1)})).await;
    let guest = create(&world, server("web-1"), json!({"ssh_keys": ["me"], "location": "hel1"})).await;
    let shown = world.see(&format!("/servers/{}", guest.id)).await["server"].clone();
    let ipv4 = shown["public_net"]["ipv4"]["ip"].as_str().unwrap();
    let network = shown["public_net"]["ipv6"]["ip"].as_str().unwrap().strip_suffix("/64").unwrap();
    let summary = guest.text(SUMMARY).await;
    let expected = format!(
        "availability-zone: {zone}\nhostname: web-1\ninstance-id: 1\nlocal-ipv4: ''\nnetwork-config:\n  config:\n  \
         - mac_address: '96:00:00:00:00:01'\n    name: eth0\n    subnets:\n    - ipv4: true\n      type: dhcp\n    \
         - address: '{network}1/64'\n      gateway: 'fe80::1'\n      ipv6: true\n      type: static\n    \
         type: physical\n  version: 1\npublic-ipv4: {ipv4}\npublic-keys:\n- '{key}'\nregion: eu-central\n\
         vendor_data: \"#cloud-config\\ndisable_root: false\\nfqdn: web-1\\nmanage_etc_hosts: true\\n\"\n",
        zone = shown["datacenter"]["name"].as_str().unwrap(),
        key = public_key(1),
    );
    assert_eq!(summary, expected);
    for (child, said) in [
        ("hostname", "web-1"),
        ("instance-id", "1"),
        ("public-ipv4", ipv4),
        ("private-networks", "[]\n"),
        ("availability-zone", shown["datacenter"]["name"].as_str().unwrap()),
        ("region", "eu-central"),
    ] {
        assert_eq!(guest.text(&format!("{SUMMARY}/{child}")).await, said, "{child}");
    }
    assert_eq!(guest.text("/hetzner/v1/userdata").await, "", "cloud-init waits for minutes when this is a 404");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = World::new(Dialect::Compat).await;
    let guest = create(&world, server("a"), json!({"public_net": {"enable_ipv4": false, "enable_ipv6": true}})).await;
    for path in ["/hetzner/v1/metadata/public-ipv4", "/hetzner/v1/metadata/password", "/hetzner/v1", "/latest", "/"] {
        assert_eq!(guest.ask(path).await.0, 404, "{path}");
    }
    assert!(guest.text(SUMMARY).await.contains("public-ipv4: ''\n"));
    let nobody = Guest::of(&world, 4711);
    let (status, _, refusal) = nobody.ask(SUMMARY).await;
    assert_eq!(status, 404);
    assert!(refusal.contains("server with ID '4711' not found"), "{refusal}");
}

#[tokio::test]
async fn a_server_without_public_addresses_has_no_interface_to_configure() {
    let world = World::new(Dialect::Compat).await;
    let bare = json!({"public_net": {"enable_ipv4": false, "enable_ipv6": false}, "start_after_create": false});
    let guest = create(&world, server("bare"), bare).await;
    let summary = guest.text(SUMMARY).await;
    assert!(summary.contains("network-config:\n  config: []\n  version: 1\npublic-ipv4: ''\n"), "{summary}");
}

#[tokio::test]
async fn user_data_comes_byte_for_byte() {
    let world = World::new(Dialect::Compat).await;
    let mime =
        "Content-Type: multipart/mixed; boundary=\"b\"\r\nMIME-Version: 1.0\r\n\r\n--b\r\n\r\n#!/bin/sh\r\n--b--\r\n";
    let all =
        ["#cloud-config\nruncmd:\n- [touch, /x]\n", "H4sIAAAAAAAAA0vOyS9NSQUAb6jpWgUAAAA=", mime, " \u{feff}ü\n\n"];
    for (n, data) in all.iter().enumerate() {
        let guest = create(&world, server(&format!("s{n}")), json!({"user_data": data})).await;
        assert_eq!(guest.text("/hetzner/v1/userdata").await, *data);
        let summary = guest.text(SUMMARY).await;
        assert!(!summary.contains("runcmd"), "user data has a path of its own: {summary}");
    }
}

#[tokio::test]
async fn a_new_name_is_told_at_once() {
    let world = World::new(Dialect::Compat).await;
    let guest = create(&world, server("old"), json!({})).await;
    world.put(&format!("/servers/{}", guest.id), json!({"name": "new"})).await.ok();
    assert_eq!(guest.text("/hetzner/v1/metadata/hostname").await, "new");
    assert!(guest.text(SUMMARY).await.contains("hostname: new\n"));
}

#[tokio::test]
async fn private_networks_are_told() {
    let world = World::new(Dialect::Compat).await;
    let subnet = |range: &str| json!({"type": "cloud", "ip_range": range, "network_zone": "eu-central"});
    let net = json!({"name": "no", "ip_range": "10.0.0.0/16", "subnets": [subnet("10.0.1.0/24")]});
    let net = world.create("/networks", net).await;
    let other = json!({"name": "other", "ip_range": "192.168.0.0/16", "subnets": [subnet("192.168.7.0/24")]});
    let other = world.create("/networks", other).await;
    let guest = create(&world, server("a"), json!({"networks": [net, other]})).await;
    let path = "/hetzner/v1/metadata/private-networks";
    let aliases = json!({"network": net, "alias_ips": ["10.0.1.20", "10.0.1.10"]});
    world.post(&format!("/servers/{}/actions/change_alias_ips", guest.id), aliases).await.ok();
    let second = format!(
        "- ip: 192.168.7.1\n  alias_ips: []\n  interface_num: 2\n  mac_address: '86:00:ff:00:00:02'\n  network_id: {other}\n  \
         network_name: other\n  network: 192.168.0.0/16\n  subnet: 192.168.7.0/24\n  gateway: 192.168.0.1\n"
    );
    let first = format!(
        "- ip: 10.0.1.1\n  alias_ips: [10.0.1.20, 10.0.1.10]\n  interface_num: 1\n  mac_address: '86:00:ff:00:00:01'\n  \
         network_id: {net}\n  network_name: 'no'\n  network: 10.0.0.0/16\n  subnet: 10.0.1.0/24\n  gateway: 10.0.0.1\n"
    );
    assert_eq!(guest.text(path).await, format!("{first}{second}"));
    world.delete(&format!("/networks/{net}")).await.ok();
    assert_eq!(guest.text(path).await, second, "the numbers of the others stay");
    world.post(&format!("/servers/{}/actions/detach_from_network", guest.id), json!({"network": other})).await.ok();
    assert_eq!(guest.text(path).await, "[]\n");
}
