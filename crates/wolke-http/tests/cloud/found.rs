//! What the generated requests (`tests/generated`) and others that send anything have found, kept one by one.

use crate::common::{World, server};
use serde_json::json;
use wolke_wire::Dialect;

/// The 2023 document does not say that an entry needs its firewall: the body then could not be read, and the answer named no
/// member.
#[tokio::test]
async fn an_entry_without_its_firewall_says_what_it_lacks() {
    for dialect in [Dialect::D2023_07, Dialect::Compat] {
        let world = World::new(dialect).await;
        let mut wanted = server("a");
        wanted["firewalls"] = json!([{}]);
        world.post("/servers", wanted).await.wrong(&["firewalls[0].firewall"]);
    }
}
