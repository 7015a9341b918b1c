//! The story of `docs/real-servers.md`: two servers, a snapshot, a third one, a kill, and nothing left.

use crate::stage::Stage;

#[test]
fn a_strangers_story() {
    let Some(mut stage) = Stage::start("a_strangers_story") else { return };
    // Shared processors are containers, dedicated ones virtual machines, unless the operator decides otherwise.
    let container = stage.create("box", "cx22", "debian-12", &[]);
    let machine = stage.create("vm", "ccx13", "tiny", &[]);
    assert_eq!(stage.ssh(&container, "hostname"), "box");
    assert_eq!(stage.ssh(&machine, "hostname"), "vm");
    assert_ne!(host_key(&stage, &container), host_key(&stage, &machine), "each has host keys of its own");

    stage.ssh(&machine, "echo precious > /root/marker && sync");
    stage.hcloud.ok(&["server", "poweroff", "vm"]);
    assert_eq!(stage.describe("vm")["status"], "off");
    assert!(!stage.try_ssh(&machine, "true").status.success(), "off and reachable");
    stage.hcloud.ok(&["server", "poweron", "vm"]);
    stage.reachable(&machine);
    assert_eq!(stage.ssh(&machine, "cat /root/marker"), "precious");

    stage.hcloud.ok(&["server", "create-image", "vm", "--type", "snapshot", "--description", "with the marker"]);
    let snapshots = stage.hcloud.json(&["image", "list", "-t", "snapshot"]);
    let snapshot = snapshots[0]["id"].as_i64().unwrap().to_string();
    let third = stage.create("third", "ccx13", &snapshot, &[]);
    assert_eq!(stage.ssh(&third, "cat /root/marker; hostname"), "precious\nthird");

    stage.hcloud.ok(&["server", "rebuild", "vm", "--image", "tiny"]);
    stage.reachable(&machine);
    assert_eq!(stage.ssh(&machine, "test -e /root/marker || echo gone"), "gone");

    stage.wolke.kill();
    assert_eq!(stage.ssh(&container, "hostname"), "box", "guests live on without wolke");
    stage.serve_again();
    for name in ["box", "vm", "third"] {
        assert_eq!(stage.describe(name)["status"], "running", "{name}");
    }
    for name in ["box", "vm", "third"] {
        stage.hcloud.ok(&["server", "delete", name]);
    }
    stage.hcloud.ok(&["image", "delete", &snapshot]);
    stage.ends_empty();
}

fn host_key(stage: &Stage, address: &str) -> String {
    let output = stage.inside("ssh-keyscan").args(["-t", "ed25519", address]).output().unwrap();
    let key = String::from_utf8_lossy(&output.stdout).split_whitespace().last().unwrap_or_default().to_owned();
    assert!(!key.is_empty(), "no host key at {address}");
    key
}
