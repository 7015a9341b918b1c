//! Life without us: `wolke` is killed, guests go on, and what differs from the desired state when it is back is repaired.

use crate::stage::{Stage, run};
use std::process::Command;

const BOOT_ID: &str = "cat /proc/sys/kernel/random/boot_id";
/// A container has the boot id of its machine; its init has a start of its own.
const INIT: &str = "cut -d' ' -f22 /proc/1/stat";

#[test]
fn guests_outlive_a_killed_wolke() {
    let Some(mut stage) = Stage::start("guests_outlive_a_killed_wolke") else { return };
    let container = stage.create("box", "box1", "debian-12", &[]);
    let sleeper = stage.create("sleeper", "box1", "tiny", &[]);
    let machine = stage.create("vm", "vm1", "tiny", &[]);
    let victim = stage.create("victim", "vm1", "tiny", &[]);
    let before = (stage.ssh(&container, INIT), stage.ssh(&machine, BOOT_ID), stage.ssh(&victim, BOOT_ID));
    let killed = stage.emulator("victim");

    stage.wolke.kill();
    assert_eq!((stage.ssh(&container, INIT), stage.ssh(&machine, BOOT_ID)), (before.0.clone(), before.1.clone()));
    // One guest goes off by itself; of another the machine dies.
    let _ = stage.try_ssh(&sleeper, "poweroff");
    run(Command::new("kill").args(["-9", &killed.to_string()]));
    stage.serve_again();

    // What ran runs on, untouched.
    assert_eq!((stage.ssh(&container, INIT), stage.ssh(&machine, BOOT_ID)), (before.0.clone(), before.1.clone()));
    assert_eq!(stage.describe("box")["status"], "running");
    assert_eq!(stage.describe("vm")["status"], "running");
    // What was lost comes back, what went off stays off.
    stage.reachable(&victim);
    assert_ne!(stage.ssh(&victim, BOOT_ID), before.2);
    stage.wait_status("victim", "running");
    stage.wait_status("sleeper", "off");
    stage.hcloud.ok(&["server", "update", "sleeper", "--name", "dormouse"]);
    assert_eq!(stage.describe("dormouse")["status"], "off", "another name wakes nobody");

    // Adopted guests obey.
    stage.hcloud.ok(&["server", "poweron", "dormouse"]);
    stage.reachable(&sleeper);
    stage.hcloud.ok(&["server", "reset", "vm"]);
    stage.reachable(&machine);
    assert_ne!(stage.ssh(&machine, BOOT_ID), before.1);
    stage.hcloud.ok(&["server", "shutdown", "box"]);
    stage.wait_status("box", "off");
    stage.delete(&["box", "dormouse", "vm", "victim"]);
    stage.ends_empty();
}

#[test]
fn a_machine_that_goes_off_while_nobody_looks_stays_off() {
    let Some(mut stage) = Stage::start("a_machine_that_goes_off_while_nobody_looks_stays_off") else { return };
    let machine = stage.create("vm", "vm1", "tiny", &[]);
    stage.wolke.kill();
    let _ = stage.try_ssh(&machine, "poweroff");
    let off = e2e::wait::wait_for(crate::stage::BOOT_LIMIT, || {
        (!stage.try_ssh(&machine, "true").status.success()).then_some(())
    });
    assert!(off.is_some(), "it does not go off");
    stage.serve_again();
    stage.wait_status("vm", "off");
    stage.hcloud.ok(&["server", "poweron", "vm"]);
    stage.reachable(&machine);
    // And while somebody looks.
    let _ = stage.try_ssh(&machine, "poweroff");
    stage.wait_status("vm", "off");
    stage.delete(&["vm"]);
    stage.ends_empty();
}
