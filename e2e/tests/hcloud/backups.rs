//! Backups: switched on and off, made by hand, kept by conversion. Those of the calendar are in `tests/backups.rs`.

use e2e::flow::{Flow, ids};
use serde_json::{Value, json};

/// The project's images of that type.
fn images(flow: &Flow, kind: &str) -> Value {
    flow.hcloud.json(&["image", "list", "--type", kind, "--architecture", "x86"])
}

#[test]
fn backups_by_hand() {
    let Some(flow) = Flow::start("backups_by_hand") else { return };
    flow.create("kept", &[]);
    let make = ["server", "create-image", "kept", "--type", "backup", "--description", "by hand"];
    flow.hcloud.refused(&make, "invalid_input");
    flow.hcloud.ok(&["server", "enable-backup", "kept"]);
    assert!(!flow.describe("kept")["backup_window"].as_str().unwrap().is_empty());
    flow.hcloud.ok(&make);
    let backups = images(&flow, "backup");
    let [id] = ids(&backups)[..] else { panic!("{backups}") };
    assert_eq!((&backups[0]["bound_to"], &backups[0]["status"]), (&flow.describe("kept")["id"], &json!("available")));
    // Backups go with the service; a snapshot that was one stays.
    flow.hcloud.ok(&make);
    flow.hcloud.ok(&["image", "update", &id.to_string(), "--type", "snapshot"]);
    flow.hcloud.ok(&["server", "disable-backup", "kept"]);
    assert_eq!(images(&flow, "backup"), json!([]));
    assert_eq!(ids(&images(&flow, "snapshot")), [id]);
    // Older clients decode the missing window as an empty text.
    assert!(matches!(flow.describe("kept")["backup_window"].as_str(), None | Some("")));
    flow.delete("kept");
    flow.hcloud.ok(&["image", "delete", &id.to_string()]);
    flow.ends_empty();
}
