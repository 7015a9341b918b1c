//! Servers.

use crate::common::{World, names, public_key, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

#[tokio::test]
async fn a_life() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let key = world.create("/ssh_keys", json!({"name": "k", "public_key": public_key(1)})).await;
        let mut wanted = server("web-1");
        wanted["ssh_keys"] = json!(["k", key]);
        let made = world.post("/servers", wanted).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        assert_eq!(made["action"]["status"], "success", "{dialect}");
        assert_eq!(made["root_password"], json!(null));
        assert_eq!(made["server"]["status"], "running");
        let id = made["server"]["id"].as_i64().unwrap();
        assert_eq!(names(&world.see("/servers").await["servers"]), ["web-1"]);
        for (verb, command, status) in [
            ("poweroff", "stop_server", "off"),
            ("poweron", "start_server", "running"),
            ("reboot", "reboot_server", "running"),
            ("reset", "reset_server", "running"),
            ("shutdown", "shutdown_server", "off"),
        ] {
            let action = world.ask("POST", &format!("/servers/{id}/actions/{verb}")).send().await;
            assert_eq!(action.status, 201);
            let action = action.ok();
            let shown = (&action["action"]["command"], &action["action"]["status"]);
            assert_eq!(shown, (&json!(command), &json!("success")));
            assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["status"], status, "{dialect} {verb}");
        }
        let gone = world.delete(&format!("/servers/{id}")).await;
        assert_eq!(gone.status, 200);
        assert_eq!(gone.ok()["action"]["status"], "success");
        world.get(&format!("/servers/{id}")).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn ids_and_names() {
    let world = World::new(Dialect::Compat).await;
    let made = world.post("/servers", server("a")).await.ok();
    let server = &made["server"];
    let (kind, image, place) = (&server["server_type"]["id"], &server["image"]["id"], &server["location"]);
    for (n, (server_type, image, location)) in [
        (kind.clone(), image.clone(), place["id"].to_string().into()),
        (kind.to_string().into(), image.to_string().into(), place["name"].clone()),
    ]
    .into_iter()
    .enumerate()
    {
        let wanted = json!({"name": format!("n{n}"), "server_type": server_type, "image": image, "location": location});
        let again = world.post("/servers", wanted).await.ok();
        assert_eq!(&again["server"]["server_type"]["id"], kind);
        assert_eq!(&again["server"]["location"], place);
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let world = World::new(Dialect::Compat).await;
    for (member, value) in [
        ("server_type", json!("cx0")),
        ("image", json!("debian-99")),
        ("image", json!(999_999)),
        ("location", json!("moon")),
        ("ssh_keys", json!(["nobody"])),
        ("ssh_keys", json!([77])),
        ("volumes", json!([1])),
        ("networks", json!([1])),
        ("firewalls", json!([{"firewall": 1}])),
        ("placement_group", json!(1)),
        ("public_net", json!({"ipv4": 77})),
    ] {
        let mut wanted = server("a");
        wanted[member] = value;
        let answer = world.post("/servers", wanted).await;
        assert!(
            answer.code() == Some("not_found") || (member == "location" && answer.status == 422),
            "{member}: {}",
            answer.json
        );
    }
    assert_eq!(world.see("/servers").await["servers"], json!([]));
    assert_eq!(world.see("/primary_ips").await["primary_ips"], json!([]), "no address has leaked");
}

#[tokio::test]
async fn names_are_unique_in_a_project() {
    let world = World::new(Dialect::Compat).await;
    world.create("/servers", server("a")).await;
    let again = world.post("/servers", server("a")).await;
    again.refused(409, "uniqueness_error");
    assert_eq!(again.message(), "name is already used");
    assert_eq!(again.json["error"]["details"], json!({"fields": [{"name": "name"}]}));
    let b = world.create("/servers", server("b")).await;
    world.put(&format!("/servers/{b}"), json!({"name": "a"})).await.refused(409, "uniqueness_error");
    world.put(&format!("/servers/{b}"), json!({"name": "b"})).await.ok();
    world.put(&format!("/servers/{b}"), json!({"name": "not a host"})).await.wrong(&["name"]);
}

#[tokio::test]
async fn updates_replace_labels_as_a_whole() {
    let world = World::new(Dialect::Compat).await;
    let mut wanted = server("a");
    wanted["labels"] = json!({"x": "1", "y": "2"});
    let id = world.create("/servers", wanted).await;
    let path = format!("/servers/{id}");
    world.put(&path, json!({"labels": {"z": "3"}})).await.ok();
    let seen = world.see(&path).await;
    assert_eq!((&seen["server"]["labels"], &seen["server"]["name"]), (&json!({"z": "3"}), &json!("a")));
    world.put(&path, json!({"labels": {}, "name": "b"})).await.ok();
    assert_eq!(world.see(&path).await["server"]["labels"], json!({}));
    world.put(&path, json!({"labels": {"hetzner.cloud/a": "b"}})).await.refused(422, "invalid_input");
    world.put("/servers/999", json!({"name": "c"})).await.refused(404, "not_found");
}

#[tokio::test]
async fn protection_stands_in_the_way() {
    for dialect in [Dialect::D2018_04, Dialect::Compat] {
        let world = World::new(dialect).await;
        let id = world.create("/servers", server("a")).await;
        let protect = format!("/servers/{id}/actions/change_protection");
        world.post(&protect, json!({"delete": true, "rebuild": false})).await.wrong(&["delete", "rebuild"]);
        let action = world.post(&protect, json!({"delete": true, "rebuild": true})).await.ok();
        assert_eq!(action["action"]["command"], "change_protection");
        let seen = world.see(&format!("/servers/{id}")).await;
        assert_eq!(seen["server"]["protection"], json!({"delete": true, "rebuild": true}));
        let refused = world.delete(&format!("/servers/{id}")).await;
        refused.refused(423, "protected");
        assert_eq!(refused.message(), "server deletion is protected");
        world.post(&protect, json!({"delete": false, "rebuild": false})).await.ok();
        world.delete(&format!("/servers/{id}")).await.ok();
    }
}

#[tokio::test]
async fn a_root_password_is_shown_once_and_only_without_keys() {
    let world = World::new(Dialect::Compat).await;
    let made = world.post("/servers", server("a")).await.ok();
    let password = made["root_password"].as_str().unwrap();
    assert!(password.len() >= 16);
    let seen = world.see(&format!("/servers/{}", made["server"]["id"])).await;
    assert!(!seen.to_string().contains(password));
}

#[tokio::test]
async fn public_addresses_can_be_left_out_or_brought() {
    let world = World::new(Dialect::Compat).await;
    let mut wanted = server("a");
    wanted["public_net"] = json!({"enable_ipv4": false});
    let made = world.post("/servers", wanted.clone()).await.ok();
    assert_eq!(made["server"]["public_net"]["ipv4"], Value::Null);
    assert!(made["server"]["public_net"]["ipv6"]["ip"].as_str().unwrap().ends_with("/64"));
    let place = made["server"]["location"]["name"].clone();
    let own = json!({"name": "ip", "type": "ipv4", "location": place, "auto_delete": false});
    let ip = world.create("/primary_ips", own).await;
    wanted["name"] = json!("b");
    wanted["location"] = place;
    wanted["public_net"] = json!({"enable_ipv6": false, "ipv4": ip});
    let made = world.post("/servers", wanted.clone()).await.ok();
    assert_eq!(made["server"]["public_net"]["ipv4"]["id"], ip);
    let seen = world.see(&format!("/primary_ips/{ip}")).await;
    assert_eq!(seen["primary_ip"]["assignee_id"], made["server"]["id"]);
    wanted["name"] = json!("c");
    wanted["public_net"] = json!({"enable_ipv4": false, "ipv4": ip});
    world.post("/servers", wanted).await.wrong(&["public_net.ipv4"]);
    world.delete(&format!("/servers/{}", made["server"]["id"])).await.ok();
    let free = world.see(&format!("/primary_ips/{ip}")).await;
    assert_eq!(free["primary_ip"]["assignee_id"], Value::Null, "auto_delete is off: it stays");
}
