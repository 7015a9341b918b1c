//! Rules and values (dialects A.7, A.9; fact sheet §0.2, §2).

use super::marked;
use crate::common::{World, names, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[tokio::test]
async fn deleting_an_assigned_primary_ip() {
    for (dialect, is_refused) in marked(" --XX") {
        let world = World::new(dialect).await;
        let made = world.post("/servers", server("a")).await.ok();
        let (id, ip) = (&made["server"]["id"], &made["server"]["public_net"]["ipv4"]["id"]);
        world.post(&format!("/servers/{id}/actions/poweroff"), json!({})).await.ok();
        let answer = world.delete(&format!("/primary_ips/{ip}")).await;
        if is_refused {
            answer.refused(422, "must_be_unassigned");
        } else {
            assert_eq!(answer.status, 204, "{dialect}");
            assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["public_net"]["ipv4"], Value::Null);
        }
    }
}

#[tokio::test]
async fn an_unassigned_primary_ip() {
    for (dialect, expected) in [
        (Dialect::D2023_07, "server"),
        (Dialect::D2026_02, "server"),
        (Dialect::Compat, "server"),
        (Dialect::Newest, "unassigned"),
    ] {
        let world = World::new(dialect).await;
        let place = if dialect == Dialect::D2023_07 { ("datacenter", "fsn1-dc14") } else { ("location", "fsn1") };
        let mut wanted = json!({"name": "a", "type": "ipv6", "assignee_type": "server"});
        wanted[place.0] = json!(place.1);
        let made = world.post("/primary_ips", wanted).await.ok();
        assert_eq!(made["primary_ip"]["assignee_type"], expected, "{dialect}");
    }
}

/// Primary addresses that came with a server go with it, known or not (dialects A.7).
#[tokio::test]
async fn addresses_go_with_their_server() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("a")).await;
        let modern = world.through(Dialect::Compat).await;
        assert_eq!(modern.see("/primary_ips").await["primary_ips"].as_array().unwrap().len(), 2, "{dialect}");
        world.delete(&format!("/servers/{id}")).await.ok();
        assert_eq!(modern.see("/primary_ips").await["primary_ips"], json!([]), "{dialect}");
    }
}

/// An image that is announced to go: what lists show, what `deprecated` says, and the end of it (dialects A.2, A.7; fact sheet §0.2,
/// §3.9).
#[tokio::test]
async fn an_image_on_its_way_out() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = names_and_ids(&world, "debian-12").await[0];
        let ending = json!({"kind": "image", "name": "debian-12", "when": {}});
        super::super::operator::Operator::of(&world).does("POST", "/catalogue/endings", ending).await;
        let (announced, gone) = ("2026-11-21T00:00:00+00:00", "2027-02-19T00:00:00+00:00");
        let image = world.see(&format!("/images/{id}")).await["image"].clone();
        let deprecated = match dialect {
            Dialect::D2018_04 => Some(json!(gone)),
            Dialect::Newest => None,
            _ => Some(json!(announced)),
        };
        assert_eq!(image.get("deprecated"), deprecated.as_ref(), "{dialect}");
        let both = json!({"announced": announced, "unavailable_after": gone});
        let has_both = matches!(dialect, Dialect::Compat | Dialect::Newest);
        assert_eq!(image.get("deprecation"), has_both.then_some(&both), "{dialect}");

        let listed = async |query: &str| !names_with(&world, &format!("name=debian-12{query}")).await.is_empty();
        assert_eq!(listed("").await, *dialect == Dialect::D2018_04, "{dialect}: 2018 cannot ask for it");
        assert!(listed("&include_deprecated=true").await, "{dialect}");
        world.post("/servers", server("early")).await.ok();
        world.clock.advance(91 * DAY_MS);
        assert!(!listed("").await, "{dialect}: gone from the list");
        assert_eq!(world.see(&format!("/images/{id}")).await["image"]["id"], id, "{dialect}: readable by id");
        let late = world.post("/servers", server("late")).await;
        assert!(late.status >= 400, "{dialect}: no server is made from it: {}", late.json);
    }
}

async fn names_with(world: &World, query: &str) -> Vec<String> {
    names(&world.see(&format!("/images?per_page=50&{query}")).await["images"])
}

async fn names_and_ids(world: &World, name: &str) -> Vec<i64> {
    crate::common::ids(&world.see(&format!("/images?name={name}")).await["images"])
}

/// The same words for the same work in every dialect, finished in the answer or running (dialects A.9).
#[tokio::test]
async fn commands_and_statuses() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let made = world.post("/servers", server("a")).await;
        assert_eq!(made.status, 201);
        let id = made.ok()["server"]["id"].clone();
        for (verb, body, command) in [
            ("enable_backup", Value::Null, "enable_backup"),
            ("disable_backup", Value::Null, "disable_backup"),
            ("create_image", json!({}), "create_image"),
            ("request_console", Value::Null, "request_console"),
            ("reset_password", Value::Null, "reset_password"),
            ("attach_iso", json!({"iso": 8637}), "attach_iso"),
            ("detach_iso", Value::Null, "detach_iso"),
            ("poweroff", Value::Null, "stop_server"),
            ("poweron", Value::Null, "start_server"),
            ("change_protection", json!({}), "change_protection"),
        ] {
            let done = world.post(&format!("/servers/{id}/actions/{verb}"), body).await;
            assert_eq!(done.status, 201, "{dialect} {verb}");
            assert_eq!(done.ok()["action"]["command"], command, "{dialect} {verb}");
        }
        let gone = world.delete(&format!("/servers/{id}")).await;
        assert_eq!((gone.status, gone.ok()["action"]["command"].clone()), (200, json!("delete_server")), "{dialect}");
    }
}
