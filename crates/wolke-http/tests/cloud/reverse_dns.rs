//! Reverse DNS of servers and primary IPs.

use crate::common::{Answer, World, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

async fn change(world: &World, path: &str, ip: &str, name: Value) -> Answer {
    world.post(&format!("{path}/actions/change_dns_ptr"), json!({"ip": ip, "dns_ptr": name})).await
}

/// The address, and the network's prefix without `::/64`, of a server.
async fn addresses(world: &World, id: i64) -> (String, String) {
    let seen = world.see(&format!("/servers/{id}")).await;
    let public = &seen["server"]["public_net"];
    let text = |family: &str| public[family]["ip"].as_str().unwrap().to_owned();
    (text("ipv4"), text("ipv6").strip_suffix("::/64").unwrap().to_owned())
}

fn default_name(ip: &str) -> String {
    let mut octets: Vec<&str> = ip.split('.').collect();
    octets.reverse();
    format!("static.{}.clients.your-server.de", octets.join("."))
}

#[tokio::test]
async fn of_a_server() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("a")).await;
        let path = format!("/servers/{id}");
        let (ipv4, ipv6) = addresses(&world, id).await;
        let empty = if dialect.ipv6_dns_ptr_null_when_empty() { Value::Null } else { json!([]) };
        let shown = async || {
            let seen = world.see(&path).await;
            let public = &seen["server"]["public_net"];
            (public["ipv4"]["dns_ptr"].clone(), public["ipv6"]["dns_ptr"].clone())
        };
        assert_eq!(shown().await, (json!(default_name(&ipv4)), empty.clone()), "{dialect}");

        let done = change(&world, &path, &ipv4, json!("a.example.com")).await;
        assert_eq!(done.status, 201);
        let done = done.ok();
        assert_eq!(
            (&done["action"]["command"], &done["action"]["status"]),
            (&json!("change_dns_ptr"), &json!("success"))
        );
        assert_eq!(done["action"]["resources"], json!([{"id": id, "type": "server"}]));
        // Whatever the spelling, an address has one entry.
        change(&world, &path, &format!("{}:0:0:0:A", ipv6.to_uppercase()), json!("b.example.com")).await.ok();
        change(&world, &path, &format!("{ipv6}::a"), json!("c.example.com")).await.ok();
        change(&world, &path, &format!("{ipv6}::b"), json!("d.example.com")).await.ok();
        let entry = |end: &str, name: &str| json!({"ip": format!("{ipv6}::{end}"), "dns_ptr": name});
        let both = json!([entry("a", "c.example.com"), entry("b", "d.example.com")]);
        assert_eq!(shown().await, (json!("a.example.com"), both));
        if *dialect != Dialect::D2018_04 {
            let ips = world.see("/primary_ips").await;
            assert_eq!(ips["primary_ips"][0]["dns_ptr"], json!([{"ip": ipv4, "dns_ptr": "a.example.com"}]));
            assert_eq!(ips["primary_ips"][1]["dns_ptr"].as_array().unwrap().len(), 2);
        }

        change(&world, &path, &ipv4, Value::Null).await.ok();
        change(&world, &path, &format!("{ipv6}::a"), Value::Null).await.ok();
        change(&world, &path, &format!("{ipv6}::b"), Value::Null).await.ok();
        change(&world, &path, &format!("{ipv6}::c"), Value::Null).await.ok();
        assert_eq!(shown().await, (json!(default_name(&ipv4)), empty));
    }
}

#[tokio::test]
async fn of_a_primary_ip() {
    for dialect in Dialect::ALL.iter().filter(|d| **d != Dialect::D2018_04) {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("a")).await;
        let seen = world.see(&format!("/servers/{id}")).await;
        let public = &seen["server"]["public_net"];
        let (ipv4, ipv6) = addresses(&world, id).await;
        let [path4, path6] = ["ipv4", "ipv6"].map(|family| format!("/primary_ips/{}", public[family]["id"]));
        let done = change(&world, &path4, &ipv4, json!("a.example.com")).await.ok();
        assert_eq!(done["action"]["resources"], json!([{"id": public["ipv4"]["id"], "type": "primary_ip"}]));
        change(&world, &path6, &format!("{ipv6}::1"), json!("b.example.com")).await.ok();
        let seen = world.see(&format!("/servers/{id}")).await;
        assert_eq!(seen["server"]["public_net"]["ipv4"]["dns_ptr"], "a.example.com", "the server shows it, too");
        assert_eq!(seen["server"]["public_net"]["ipv6"]["dns_ptr"][0]["dns_ptr"], "b.example.com");
        if *dialect != Dialect::D2023_07 {
            let listed = world.see(&format!("{path4}/actions")).await;
            assert_eq!(listed["actions"][0]["command"], "change_dns_ptr");
        }
        change(&world, &path4, &ipv4, Value::Null).await.ok();
        change(&world, &path6, &format!("{ipv6}::1"), Value::Null).await.ok();
        let seen = world.see(&path4).await;
        assert_eq!(seen["primary_ip"]["dns_ptr"], json!([{"ip": ipv4, "dns_ptr": default_name(&ipv4)}]));
        assert_eq!(world.see(&path6).await["primary_ip"]["dns_ptr"], json!([]));
    }
}

#[tokio::test]
async fn wrong_requests() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("a")).await;
    let other = world.create("/servers", server("b")).await;
    let path = format!("/servers/{id}");
    let (ipv4, ipv6) = addresses(&world, id).await;
    let (foreign4, foreign6) = addresses(&world, other).await;
    let name = || json!("a.example.com");
    for wrong in [&foreign4, &format!("{foreign6}::1"), "x", "", &format!("{ipv4}/32"), &format!("::ffff:{ipv4}")] {
        change(&world, &path, wrong, name()).await.wrong(&["ip"]);
    }
    for wrong in ["", "a b", "-a.de", "a..b", &"a".repeat(300)] {
        change(&world, &path, &ipv4, json!(wrong)).await.wrong(&["dns_ptr"]);
    }
    change(&world, &path, "x", json!("a b")).await.wrong(&["ip", "dns_ptr"]);
    let action = format!("{path}/actions/change_dns_ptr");
    world.post(&action, json!({"ip": ipv4})).await.wrong(&["dns_ptr"]);
    world.post(&action, json!({"dns_ptr": "a.de"})).await.wrong(&["ip"]);
    change(&world, "/servers/999", &ipv4, name()).await.refused(404, "not_found");
    change(&world, "/primary_ips/999", &ipv4, name()).await.refused(404, "not_found");
    let seen = world.see(&path).await;
    let ip = &seen["server"]["public_net"]["ipv4"]["id"];
    for wrong in [&foreign4, &format!("{ipv6}::1")] {
        change(&world, &format!("/primary_ips/{ip}"), wrong, name()).await.wrong(&["ip"]);
    }
    let mut private = server("c");
    private["public_net"] = json!({"enable_ipv4": false, "enable_ipv6": false});
    let without = world.create("/servers", private).await;
    change(&world, &format!("/servers/{without}"), &ipv4, name()).await.wrong(&["ip"]);
}

#[tokio::test]
async fn a_network_has_a_hundred_entries() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("a")).await;
    let path = format!("/servers/{id}");
    let (_, ipv6) = addresses(&world, id).await;
    for n in 1..=100 {
        change(&world, &path, &format!("{ipv6}::{n:x}"), json!("a.example.com")).await.ok();
    }
    let more = change(&world, &path, &format!("{ipv6}::ffff"), json!("a.example.com")).await;
    more.refused(403, "resource_limit_exceeded");
    change(&world, &path, &format!("{ipv6}::1"), json!("b.example.com")).await.ok();
    change(&world, &path, &format!("{ipv6}::1"), Value::Null).await.ok();
    change(&world, &path, &format!("{ipv6}::ffff"), json!("a.example.com.")).await.ok();
    let seen = world.see(&path).await;
    let entries = seen["server"]["public_net"]["ipv6"]["dns_ptr"].as_array().unwrap().clone();
    assert_eq!(entries.len(), 100);
    let last = json!({"ip": format!("{ipv6}::ffff"), "dns_ptr": "a.example.com"});
    assert!(entries.contains(&last), "the root's dot is not part of a host name");
}
