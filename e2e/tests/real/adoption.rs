//! Life without us: `wolke` is killed, guests go on, and what differs from the desired state when it is back is repaired.

use crate::stage::Stage;
use std::process::Command;

#[test]
fn guests_outlive_a_killed_wolke() {
    let Some(mut stage) = Stage::start("guests_outlive_a_killed_wolke") else { return };
    let container = stage.create("box", "cx22", "debian-12", &[]);
    let machine = stage.create("vm", "ccx13", "tiny", &[]);
    let boots = ["cat /proc/sys/kernel/random/boot_id", "cut -d. -f1 /proc/1/stat"];
    let before = (stage.ssh(&machine, boots[0]), stage.ssh(&container, "stat -c %Y /proc/1"));
    stage.wolke.kill();
    assert_eq!(stage.ssh(&machine, "hostname"), "vm");
    // One guest goes off by itself, the machine below the other dies.
    let _ = stage.try_ssh(&container, "systemctl poweroff");
    let pids = String::from_utf8(Command::new("pgrep").args(["-f", "name wolke-"]).output().unwrap().stdout).unwrap();
    stage.serve_again();
    stage.wait_status("box", "off");
    assert_eq!(stage.describe("vm")["status"], "running");
    assert_eq!(stage.ssh(&machine, boots[0]), before.0, "the machine was not restarted: {pids}");
    stage.hcloud.ok(&["server", "poweron", "box"]);
    stage.reachable(&container);
    assert_ne!(stage.ssh(&container, "stat -c %Y /proc/1"), before.1);
    for name in ["box", "vm"] {
        stage.hcloud.ok(&["server", "delete", name]);
    }
    stage.ends_empty();
}
