//! Consoles.

use super::on_disk;
use crate::common::server;
use crate::common::vnc::Served;
use crate::proof::Proofs;
use serde_json::Value;
use wolke_wire::Dialect;

/// A ticket opens the console after a restart, and not twice; the action stays.
pub(super) async fn console(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let id = world.create("/servers", server("a")).await;
    let answer = world.post(&format!("/servers/{id}/actions/request_console"), Value::Null).await.ok();
    let text = |key: &str| answer[key].as_str().unwrap().to_owned();
    let (url, password, action) = (text("wss_url"), text("password"), &answer["action"]["id"]);

    let world = world.restart().await;
    assert_eq!(world.see(&format!("/actions/{action}")).await["action"]["command"], "request_console");
    let served = Served::new(&world);
    let mut console = served.open(&url).await.ok().unwrap();
    assert_eq!(console.log_in(&password).await.unwrap(), "a", "{dialect}");
    assert_eq!(served.open(&url).await.err(), Some(403), "{dialect}");
    served.stop().await;
    proofs.note(&world, &["server_request_console"], &["get_action"]);
}
