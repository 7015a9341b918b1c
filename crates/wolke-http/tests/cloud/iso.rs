//! Discs in a server's drive (fact sheet §3.1, §3.10).

use crate::common::{World, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// Windows Server 2022, of the catalogue.
const WINDOWS: i64 = 8637;

async fn iso_of(world: &World, id: i64) -> Value {
    world.see(&format!("/servers/{id}")).await["server"]["iso"].clone()
}

#[tokio::test]
async fn in_replaced_and_out() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let id = world.create("/servers", server("a")).await;
        let (attach, detach) =
            (format!("/servers/{id}/actions/attach_iso"), format!("/servers/{id}/actions/detach_iso"));
        let answer = world.post(&attach, json!({"iso": WINDOWS})).await;
        assert_eq!(answer.status, 201, "{dialect}: {}", answer.json);
        let action = answer.ok()["action"].clone();
        assert_eq!((&action["command"], &action["status"]), (&json!("attach_iso"), &json!("success")));
        assert_eq!(action["resources"], json!([{"id": id, "type": "server"}, {"id": WINDOWS, "type": "iso"}]));
        assert_eq!(iso_of(&world, id).await["id"], WINDOWS, "{dialect}");
        let other = "debian-12.11.0-amd64-netinst.iso";
        world.post(&attach, json!({"iso": other})).await.ok();
        assert_eq!(iso_of(&world, id).await["name"], other, "{dialect}: it takes the place of the first");
        world.post(&format!("/servers/{id}/actions/reset"), json!({})).await.ok();
        assert_eq!(iso_of(&world, id).await["name"], other, "a boot leaves it in");
        let action = world.post(&detach, json!({})).await.ok()["action"].clone();
        assert_eq!((&action["command"], &action["status"]), (&json!("detach_iso"), &json!("success")));
        assert_eq!(iso_of(&world, id).await, Value::Null);
        let action = world.ask("POST", &detach).send().await.ok()["action"].clone();
        assert_eq!(action["status"], "success", "{dialect}: an empty drive stays empty");
    }
}

#[tokio::test]
async fn what_cannot_be_booted_is_refused() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("a")).await;
    let attach = format!("/servers/{id}/actions/attach_iso");
    world.post(&attach, json!({"iso": "no-such-iso"})).await.refused(404, "not_found");
    world.post(&attach, json!({"iso": 1})).await.refused(404, "not_found");
    world.post(&attach, json!({"iso": "debian-12.11.0-arm64-netinst.iso"})).await.wrong(&["iso"]);
    world.post(&attach, json!({"iso": "FreeBSD-11.0-RELEASE-amd64-dvd1"})).await.refused(412, "resource_unavailable");
    world.post(&attach, json!({})).await.wrong(&["iso"]);
    world.post("/servers/999/actions/attach_iso", json!({"iso": WINDOWS})).await.refused(404, "not_found");
    assert_eq!(iso_of(&world, id).await, Value::Null);
}
