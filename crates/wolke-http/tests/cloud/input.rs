//! Bodies: syntax, every wrong field at once, empty ones, and what is ignored.

use crate::common::{World, public_key, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

#[tokio::test]
async fn every_wrong_field_is_named() {
    let world = World::new(Dialect::Compat).await;
    let absent = world.post("/servers", json!({})).await;
    absent.wrong(&["name", "server_type", "image"]);
    assert_eq!(absent.message(), "invalid input in fields 'image', 'name', 'server_type'");
    world.post("/servers", Value::Null).await.wrong(&["name", "server_type", "image"]);
    let mut many = server("a");
    many["name"] = json!(7);
    many["start_after_create"] = json!("yes");
    many["labels"] = json!({"a": 1});
    many["volumes"] = json!([1, "x"]);
    many["public_net"] = json!({"ipv4": true});
    let many = world.post("/servers", many).await;
    many.wrong(&["name", "start_after_create", "labels.a", "volumes[1]", "public_net.ipv4"]);
    let mut deep = server("-a-");
    deep["labels"] = json!({"hetzner.cloud/x": "1", "-": "2", "ok": "3"});
    deep["automount"] = json!(true);
    let deep = world.post("/servers", deep).await;
    deep.refused(422, "invalid_input");
    let named = deep.json["error"]["details"]["fields"].to_string();
    for field in ["name", "automount", "labels"] {
        assert!(named.contains(field), "{field} in {named}");
    }
    let one = world.post("/ssh_keys", json!({"name": "k", "public_key": "nonsense"})).await;
    one.wrong(&["public_key"]);
    assert!(one.message().starts_with("invalid input in field 'public_key': "), "{}", one.message());
}

/// Some documents leave open what a label's value is; the service does not.
#[tokio::test]
async fn what_a_document_leaves_open_is_checked_all_the_same() {
    for dialect in [Dialect::D2023_07, Dialect::D2026_02, Dialect::Compat, Dialect::Newest] {
        let world = World::new(dialect).await;
        for value in [json!(1), json!(true), json!([]), json!({}), json!(null)] {
            let mut asked = server("a");
            asked["labels"] = json!({ "a": value });
            let answer = world.post("/servers", asked).await;
            answer.refused(422, "invalid_input");
            assert!(answer.message().starts_with("invalid input in field 'labels"), "{dialect}: {}", answer.message());
        }
    }
}

#[tokio::test]
async fn syntax_errors() {
    let world = World::new(Dialect::Compat).await;
    for body in ["{", "{\"name\": \"a\",}", "nope", "{} x", "\u{1}", &"[".repeat(1000)] {
        world.ask("POST", "/servers").body(body).send().await.refused(400, "json_error");
    }
    world.ask("POST", "/ssh_keys").body(vec![b'"', 0xff, b'"']).send().await.refused(400, "json_error");
    world.ask("POST", "/servers/1/actions/reset").body("{").send().await.refused(400, "json_error");
    let large = json!({"name": "k", "public_key": "x".repeat(2 << 20)}).to_string();
    let large = world.ask("POST", "/ssh_keys").body(large).send().await;
    large.refused(422, "invalid_input");
    assert!(large.message().contains("1048576"), "{}", large.message());
}

#[tokio::test]
async fn actions_updates_and_deletes_take_empty_bodies() {
    for dialect in [Dialect::D2018_04, Dialect::Compat] {
        let world = World::new(dialect).await;
        let id = world.create("/servers", server("a")).await;
        for body in ["", "null", "{}", " \n", "{\"unknown\": [1, {\"deep\": null}]}"] {
            for kind in [None, Some("application/json"), Some("text/plain")] {
                let ask = world.ask("POST", &format!("/servers/{id}/actions/reset")).body(body);
                let ask = if let Some(kind) = kind { ask.header("content-type", kind) } else { ask };
                assert_eq!(ask.send().await.ok()["action"]["command"], "reset_server");
            }
        }
        let same = world.ask("PUT", &format!("/servers/{id}")).header("content-type", "application/json").send().await;
        assert_eq!(same.ok()["server"]["name"], "a");
        let gone =
            world.ask("DELETE", &format!("/servers/{id}")).header("content-type", "application/json").body("null");
        gone.send().await.ok();
    }
}

#[tokio::test]
async fn the_null_character_is_refused() {
    let world = World::new(Dialect::Compat).await;
    let key = |name: &str| json!({"name": name, "public_key": public_key(1)});
    world.post("/ssh_keys", key("a\0b")).await.wrong(&["name"]);
    let mut labels = key("k");
    labels["labels"] = json!({"a": "\0"});
    world.post("/ssh_keys", labels).await.wrong(&["labels.a"]);
    let mut unknown = key("k");
    unknown["else"] = json!({"x": ["\0"]});
    world.post("/ssh_keys", unknown).await.wrong(&["else.x[0]"]);
    world.get("/servers?name=a%00b").await.wrong(&["name"]);
    world.get("/servers?label_selector=a%3D%00").await.wrong(&["label_selector"]);
    world.get("/servers/%00").await.refused(404, "not_found");
}

#[tokio::test]
async fn unknown_members_are_ignored_and_counted() {
    let world = World::new(Dialect::Compat).await;
    let key = json!({"name": "k", "public_key": public_key(1), "color": "red", "more": {"a": 1}});
    let made = world.post("/ssh_keys", key).await.ok();
    assert!(made["ssh_key"].get("color").is_none());
    let text = world.api.metrics.render(0);
    assert!(text.contains("wolke_http_unknown_members_total 2\n"), "{text}");
}

#[tokio::test]
async fn the_last_of_duplicate_members_counts() {
    let world = World::new(Dialect::Compat).await;
    let body = format!(r#"{{"name": "first", "public_key": "{}", "name": "last"}}"#, public_key(1));
    assert_eq!(world.ask("POST", "/ssh_keys").body(body).send().await.ok()["ssh_key"]["name"], "last");
}

#[tokio::test]
async fn null_for_an_optional_member_is_absence() {
    let world = World::new(Dialect::Compat).await;
    let mut wanted = server("a");
    for member in ["labels", "ssh_keys", "volumes", "user_data", "public_net", "location", "start_after_create"] {
        wanted[member] = Value::Null;
    }
    assert_eq!(world.post("/servers", wanted).await.ok()["server"]["status"], "running");
    let mut wanted = server("b");
    wanted["name"] = Value::Null;
    world.post("/servers", wanted).await.wrong(&["name"]);
}

/// Whatever is wrong with an update by the rules is named at once, as for a create.
#[tokio::test]
async fn updates_name_every_wrong_field() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("a")).await;
    let group = world.create("/placement_groups", json!({"name": "g", "type": "spread"})).await;
    let network = world.create("/networks", json!({"name": "n", "ip_range": "10.0.0.0/16"})).await;
    for path in [format!("/servers/{id}"), format!("/placement_groups/{group}"), format!("/networks/{network}")] {
        // The value of the label passes the schema; its key is for the rules.
        let update = json!({"name": " ", "labels": {"-a-": "x"}});
        let answer = world.put(&path, update).await;
        let fields =
            answer.refused(422, "invalid_input").json["error"]["details"]["fields"].as_array().unwrap().clone();
        assert_eq!((fields.len(), &fields[0]["name"]), (2, &json!("name")), "{path}: {fields:?}");
    }
}

/// A body that is no object has no field that could be named: its message says what is wrong with it.
#[tokio::test]
async fn a_body_is_an_object() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        for body in [json!([]), json!("text"), json!(7), json!(true)] {
            let answer = world.post("/ssh_keys", body).await;
            answer.refused(422, "invalid_input");
            assert_eq!(answer.message(), "the request body must be an object", "{dialect}");
            assert!(answer.json["error"]["details"].is_null(), "{dialect}: {}", answer.json);
        }
    }
}
