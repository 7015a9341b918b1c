//! New root passwords (dialects A.7).

use crate::common::{World, server};
use serde_json::json;
use wolke_control::Simulation;
use wolke_host::SimFaults;
use wolke_wire::Dialect;

#[tokio::test]
async fn a_server_that_runs_gets_one() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let made = world.post("/servers", server("a")).await.ok();
        let id = made["server"]["id"].as_i64().unwrap();
        let path = format!("/servers/{id}/actions/reset_password");
        let answer = world.ask("POST", &path).send().await;
        assert_eq!(answer.status, 201, "{dialect}: {}", answer.json);
        let answer = answer.ok();
        let action = &answer["action"];
        assert_eq!((&action["command"], &action["status"]), (&json!("reset_password"), &json!("success")));
        assert_eq!(action["resources"], json!([{"id": id, "type": "server"}]));
        let password = answer["root_password"].as_str().unwrap();
        assert!(password.len() >= 16 && answer["root_password"] != made["root_password"]);
        let seen = world.see(&format!("/servers/{id}/actions/{}", action["id"])).await;
        assert!(!seen.to_string().contains(password), "it is shown once");
        world.post(&format!("/servers/{id}/actions/poweroff"), json!({})).await.ok();
        let refused = world.post(&path, json!({})).await;
        assert_eq!(refused.refused(422, "service_error").message(), "server is not running");
    }
}

#[tokio::test]
async fn without_a_guest_agent_the_action_says_so() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("a")).await;
    let faults = SimFaults { no_guest_agent: true, ..SimFaults::default() };
    world.control.set_simulation(Simulation { faults, ..Simulation::default() });
    let answer = world.post(&format!("/servers/{id}/actions/reset_password"), json!({})).await.ok();
    assert_eq!(answer["action"]["status"], "error");
    assert_eq!(answer["action"]["error"]["code"], "action_failed");
    assert_eq!(answer["action"]["error"]["message"], "the guest agent does not answer");
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["status"], "running");
}
