//! The story of `docs/real-servers.md`: two servers, a snapshot, a third one, a kill, and nothing left.

use crate::stage::Stage;

#[test]
fn a_strangers_story() {
    let Some(mut stage) = Stage::start("a_strangers_story") else { return };
    // Shared processors are containers, dedicated ones virtual machines, unless the operator decides otherwise.
    let container = stage.create("box", "cx23", "debian-12", &[]);
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
    assert_ne!(host_key(&stage, &third), host_key(&stage, &machine), "also the one from the snapshot");

    stage.hcloud.ok(&["server", "rebuild", "vm", "--image", "tiny"]);
    stage.reachable(&machine);
    assert_eq!(stage.ssh(&machine, "test -e /root/marker || echo gone"), "gone");
    assert_eq!(stage.ssh(&third, "cat /root/marker"), "precious");

    stage.wolke.kill();
    assert_eq!(stage.ssh(&container, "hostname"), "box", "guests live on without wolke");
    stage.serve_again();
    for name in ["box", "vm", "third"] {
        assert_eq!(stage.describe(name)["status"], "running", "{name}");
    }
    stage.delete(&["box", "vm", "third"]);
    stage.hcloud.ok(&["image", "delete", &snapshot]);
    stage.ends_empty();
}

#[test]
fn the_same_for_a_container() {
    let Some(stage) = Stage::start("the_same_for_a_container") else { return };
    let address = stage.create("box", "box1", "debian-12", &[]);
    stage.ssh(&address, "echo precious > /root/marker");
    let id = stage.id("box");
    assert_eq!(stage.ssh(&address, "cat /run/cloud-init/.instance-id || cloud-init query instance_id"), id);
    let first = host_key(&stage, &address);

    // Asked politely, and by pulling the plug.
    stage.hcloud.ok(&["server", "shutdown", "box"]);
    stage.wait_status("box", "off");
    stage.hcloud.ok(&["server", "poweron", "box"]);
    stage.reachable(&address);
    let boots = "stat -c %Y /proc/1; cat /proc/1/stat | cut -d' ' -f22";
    let booted = stage.ssh(&address, boots);
    stage.hcloud.ok(&["server", "reboot", "box"]);
    stage.reachable(&address);
    let again = stage.ssh(&address, boots);
    assert_ne!(again, booted, "rebooted");
    stage.hcloud.ok(&["server", "reset", "box"]);
    stage.reachable(&address);
    assert_ne!(stage.ssh(&address, boots), again, "reset");
    assert_eq!(stage.ssh(&address, "cat /root/marker"), "precious");
    assert_eq!(host_key(&stage, &address), first, "boots do not change who it is");

    stage.hcloud.ok(&["server", "create-image", "box", "--type", "snapshot", "--description", "with the marker"]);
    let snapshots = stage.hcloud.json(&["image", "list", "-t", "snapshot"]);
    let snapshot = snapshots[0]["id"].as_i64().unwrap().to_string();
    assert!(snapshots[0]["image_size"].as_f64().unwrap() > 0.0, "{snapshots}");
    let third = stage.create("third", "box2", &snapshot, &[]);
    assert_eq!(stage.ssh(&third, "cat /root/marker; hostname"), "precious\nthird");
    assert_ne!(host_key(&stage, &third), first, "a server from a snapshot has keys of its own");
    stage.hcloud.ok(&["server", "rebuild", "box", "--image", "debian-12"]);
    stage.reachable(&address);
    assert_eq!(stage.ssh(&address, "test -e /root/marker || echo gone"), "gone");
    assert_ne!(host_key(&stage, &address), first, "a new disk has new keys");
    // Servers stand on the snapshot's disk, and it may go first.
    stage.hcloud.ok(&["image", "delete", &snapshot]);
    assert_eq!(stage.ssh(&third, "cat /root/marker"), "precious");
    stage.delete(&["third", "box"]);
    stage.ends_empty();
}

fn host_key(stage: &Stage, address: &str) -> String {
    let output = stage.inside("ssh-keyscan").args(["-t", "ed25519", address]).output().unwrap();
    let key = String::from_utf8_lossy(&output.stdout).split_whitespace().last().unwrap_or_default().to_owned();
    assert!(!key.is_empty(), "no host key at {address}");
    key
}
