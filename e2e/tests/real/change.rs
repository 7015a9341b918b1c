//! Changes of what is there: another address, another name, another size, another password; and what is measured meanwhile.

use crate::stage::{BOOT_LIMIT, Stage};
use e2e::wait::wait_for;
use serde_json::Value;
use std::process::Command;

/// So many bytes go over the wire, to be seen in the counters.
const TRANSFER: u64 = 8 << 20;

#[test]
fn a_server_gets_another_address_while_it_is_off() {
    let Some(stage) = Stage::start("a_server_gets_another_address_while_it_is_off") else { return };
    for (name, server_type) in [("box", "box1"), ("vm", "vm1")] {
        let old = stage.create(name, server_type, "tiny", &[]);
        let second = ["primary-ip", "create", "--name", "second", "--type", "ipv4", "--datacenter", "fsn1-dc14"];
        stage.hcloud.ok(&second);
        let first = stage.describe(name)["public_net"]["ipv4"]["id"].as_i64().unwrap().to_string();
        let new = stage.hcloud.json(&["primary-ip", "describe", "second"])["ip"].as_str().unwrap().to_owned();
        let id = stage.id(name);
        stage.hcloud.ok(&["server", "poweroff", name]);
        stage.hcloud.ok(&["primary-ip", "unassign", &first]);
        stage.hcloud.ok(&["primary-ip", "assign", "second", "--server", &id]);
        stage.hcloud.ok(&["server", "poweron", name]);
        stage.reachable(&new);
        assert_eq!(stage.address(name), new);
        assert!(stage.ssh(&new, "ip -4 address show dev eth0").contains(&format!("{new}/32")));
        assert!(!stage.try_ssh(&old, "true").status.success(), "the old address still answers");
        assert_eq!(stage.ssh(&new, "hostname"), name);
        stage.delete(&[name]);
        stage.hcloud.ok(&["primary-ip", "delete", &first]);
        stage.hcloud.ok(&["primary-ip", "delete", "second"]);
    }
    stage.ends_empty();
}

#[test]
fn size_name_and_password_change_and_use_is_measured() {
    let Some(stage) = Stage::start("size_name_and_password_change_and_use_is_measured") else { return };
    for (name, server_type, larger) in [("box", "box1", "box2"), ("vm", "vm1", "vm2")] {
        let address = stage.create(name, server_type, "tiny", &[]);
        let small = size(&stage, name, &address);
        passwords(&stage, name, &address);
        measured(&stage, name, &address);

        stage.hcloud.ok(&["server", "poweroff", name]);
        stage.hcloud.ok(&["server", "change-type", name, larger]);
        let now = stage.describe(name);
        assert_eq!((now["server_type"]["name"].as_str(), now["primary_disk_size"].as_i64()), (Some(larger), Some(8)));
        stage.reachable(&address);
        let grown =
            wait_for(BOOT_LIMIT, || (size(&stage, name, &address).1 > small.1).then(|| size(&stage, name, &address)));
        let large = grown.unwrap_or_else(|| panic!("the disk of {name} has not grown: {small:?}"));
        assert!(large.0 >= small.0 * 2 - small.0 / 4, "memory of {name} in MiB: {small:?}, {large:?}");
        assert!((7..=8).contains(&large.1), "disk of {name} in GB: {large:?}");

        stage.hcloud.ok(&["server", "update", name, "--name", "renamed"]);
        assert_eq!(stage.ssh(&address, "hostname"), name, "until the next boot at least");
        assert_eq!(stage.describe("renamed")["status"], "running");
        stage.delete(&["renamed"]);
    }
    stage.ends_empty();
}

/// What a guest has: memory in MiB, the root file system in GB.
fn size(stage: &Stage, name: &str, address: &str) -> (u64, u64) {
    let number = |text: &str| text.trim().parse::<f64>().unwrap_or_else(|_| panic!("{text:?} is no number"));
    let bytes = match limit(&stage.id(name)) {
        Some(limit) => number(&limit),
        None => number(&stage.ssh(address, "awk '/MemTotal/ { print $2 * 1024 }' /proc/meminfo")),
    };
    let kib = number(&stage.ssh(address, "df -k / | tail -n 1 | awk '{ print $2 }'"));
    let round = |value: f64| format!("{value:.0}").parse().unwrap();
    (round(bytes / 1048576.0), round(kib / 1048576.0))
}

/// The memory that a container gets, by its control group: inside it sees that of its machine.
fn limit(id: &str) -> Option<String> {
    let files = format!(
        "cat /sys/fs/cgroup/memory/wolke-*-{id}.payload/memory.limit_in_bytes /sys/fs/cgroup/wolke-*-{id}.payload/memory.max"
    );
    let output = Command::new("sh").args(["-c", &files]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().next().map(str::to_owned)
}

fn passwords(stage: &Stage, name: &str, address: &str) {
    let said = stage.hcloud.ok(&["server", "reset-password", name]);
    let (_, password) = said.trim_end().rsplit_once(": ").unwrap_or_else(|| panic!("no password in {said:?}"));
    let logged_in = stage.try_ssh_with_password(address, password, "id -un");
    assert_eq!(String::from_utf8_lossy(&logged_in.stdout).trim(), "root", "{logged_in:?}");
    assert!(!stage.try_ssh_with_password(address, "wrong", "true").status.success(), "any password will do");
}

/// Makes a guest busy, and waits until that shows.
fn measured(stage: &Stage, name: &str, address: &str) {
    let count = format!("dd if=/dev/urandom bs=65536 count={} 2>/dev/null", TRANSFER / 65536);
    let sent = stage.try_ssh(address, &count).stdout.len() as u64;
    assert_eq!(sent, TRANSFER);
    let traffic =
        wait_for(BOOT_LIMIT, || stage.describe(name)["outgoing_traffic"].as_u64().filter(|bytes| *bytes >= TRANSFER));
    assert!(traffic.is_some_and(|bytes| bytes < 3 * TRANSFER), "{name} has sent {TRANSFER}: {traffic:?}");
    for (kind, series) in [("cpu", "cpu"), ("disk", "disk.0.bandwidth.write"), ("network", "network.0.bandwidth.out")] {
        let peak = || {
            stage
                .ssh(address, "dd if=/dev/zero of=/root/written bs=65536 count=64 2>/dev/null; sync; rm /root/written");
            let shown = stage.hcloud.json(&["server", "metrics", name, "--type", kind]);
            let values = shown["metrics"]["time_series"][series]["values"].as_array().cloned().unwrap_or_default();
            let number = |pair: &Value| pair[1].as_str().and_then(|text| text.parse::<f64>().ok());
            values.iter().filter_map(number).fold(0.0, f64::max)
        };
        let seen = wait_for(BOOT_LIMIT, || Some(peak()).filter(|peak| *peak > 0.0));
        assert!(seen.is_some(), "{name}: {series} stays at zero");
    }
}
