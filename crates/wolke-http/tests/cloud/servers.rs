//! Servers.

use crate::common::{World, names, public_key, server};
use serde_json::json;
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
            let action = world.ask("POST", &format!("/servers/{id}/actions/{verb}")).send().await.ok();
            assert_eq!(
                (&action["action"]["command"], &action["action"]["status"]),
                (&json!(command), &json!("success"))
            );
            assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["status"], status, "{dialect} {verb}");
        }
        let gone = world.delete(&format!("/servers/{id}")).await;
        assert_eq!(gone.status, 200);
        assert_eq!(gone.ok()["action"]["status"], "success");
        world.get(&format!("/servers/{id}")).await.refused(404, "not_found");
    }
}
