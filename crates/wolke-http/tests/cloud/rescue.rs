//! The rescue system (fact sheet §3.1, dialects A.6 to A.9).

use crate::common::{World, public_key, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

async fn shown(world: &World, id: i64) -> Value {
    world.see(&format!("/servers/{id}")).await["server"].clone()
}

#[tokio::test]
async fn it_waits_for_the_next_boot_and_goes_with_it() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("a")).await;
        let answer = world.ask("POST", &format!("/servers/{id}/actions/enable_rescue")).send().await;
        assert_eq!(answer.status, 201, "{dialect}: {}", answer.json);
        let answer = answer.ok();
        assert!(answer["root_password"].as_str().unwrap().len() >= 16, "{dialect}");
        let action = &answer["action"];
        assert_eq!((&action["command"], &action["status"]), (&json!("enable_rescue"), &json!("success")));
        let seen = shown(&world, id).await;
        assert_eq!((&seen["rescue_enabled"], &seen["status"]), (&json!(true), &json!("running")), "nothing reboots");
        assert!(!seen.to_string().contains(answer["root_password"].as_str().unwrap()));
        world.post(&format!("/servers/{id}/actions/reset"), json!({})).await.ok();
        assert_eq!(shown(&world, id).await["rescue_enabled"], false, "{dialect}: the boot has consumed it");
        world.post(&format!("/servers/{id}/actions/enable_rescue"), json!({"type": "linux64"})).await.ok();
        let action =
            world.post(&format!("/servers/{id}/actions/disable_rescue"), json!({})).await.ok()["action"].clone();
        assert_eq!((&action["command"], &action["status"]), (&json!("disable_rescue"), &json!("success")));
        assert_eq!(shown(&world, id).await["rescue_enabled"], false);
    }
}

/// 2018 has codes for what is so already; later documents do not, and it succeeds (dialects A.8).
#[tokio::test]
async fn twice_is_an_error_in_2018_only() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("a")).await;
        let (enable, disable) =
            (format!("/servers/{id}/actions/enable_rescue"), format!("/servers/{id}/actions/disable_rescue"));
        let first = world.post(&enable, json!({})).await.ok();
        let again = world.post(&enable, json!({})).await;
        if *dialect == Dialect::D2018_04 {
            again.refused(422, "rescue_already_enabled");
        } else {
            assert_ne!(again.ok()["root_password"], first["root_password"], "{dialect}: a fresh one");
        }
        world.post(&disable, json!({})).await.ok();
        let again = world.post(&disable, json!({})).await;
        if *dialect == Dialect::D2018_04 {
            again.refused(422, "rescue_already_disabled");
        } else {
            again.ok();
        }
    }
}

#[tokio::test]
async fn systems_and_keys_are_those_of_the_dialect() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let key = world.create("/ssh_keys", json!({"name": "k", "public_key": public_key(1)})).await;
        let id = world.create("/servers", server("a")).await;
        let enable = format!("/servers/{id}/actions/enable_rescue");
        let disable = format!("/servers/{id}/actions/disable_rescue");
        let older = matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07);
        for (kind, known) in [("linux64", true), ("linux32", older), ("freebsd64", *dialect == Dialect::D2018_04)] {
            let answer = world.post(&enable, json!({"type": kind})).await;
            if known {
                answer.ok();
                world.post(&disable, json!({})).await.ok();
            } else {
                answer.wrong(&["type"]);
            }
        }
        let with_key = world.post(&enable, json!({"ssh_keys": [key]})).await.ok();
        assert!(with_key["root_password"].is_string(), "{dialect}: also with keys");
        world.post(&disable, json!({})).await.ok();
        world.post(&enable, json!({"ssh_keys": [key + 1]})).await.refused(404, "not_found");
        world.post(&enable, json!({"ssh_keys": [key, "k"]})).await.wrong(&["ssh_keys[1]"]);
        // Ids may be texts.
        world.post(&enable, json!({"ssh_keys": [key.to_string()]})).await.ok();
        world.post(&disable, json!({})).await.ok();
        world.post(&enable, json!({"ssh_keys": [(key + 1).to_string()]})).await.refused(404, "not_found");
        if *dialect == Dialect::D2018_04 {
            world.post(&enable, json!({"type": "freebsd64", "ssh_keys": [key]})).await.wrong(&["ssh_keys"]);
        }
        assert_eq!(shown(&world, id).await["rescue_enabled"], false);
    }
}
