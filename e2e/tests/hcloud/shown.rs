//! What a person reads: every list with every column, every description. The text forms follow references and format what JSON
//! output passes on unread, so a null or a missing key shows here.

use e2e::cli::Hcloud;
use e2e::flow::Flow;
use e2e::folder::Folder;

/// Lists, and a word that must stand in each.
const LISTS: &[(&str, &str)] = &[
    ("server", "shown"),
    ("image", "of-shown"),
    ("primary-ip", "front"),
    ("floating-ip", "moves"),
    ("ssh-key", "laptop"),
    ("placement-group", "apart"),
    ("iso", "debian-12"),
    ("server-type", "cpx22"),
    ("load-balancer-type", "lb11"),
    ("datacenter", "fsn1-dc14"),
    ("location", "fsn1"),
];
/// A public key of nobody.
const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC shown@wolke";

/// Every column that the client knows of a list: its help names them.
pub fn columns(hcloud: &Hcloud, noun: &str) -> String {
    let help = hcloud.ok(&[noun, "list", "--help"]);
    let columns: Vec<&str> = help.lines().filter_map(|line| line.trim().strip_prefix("- ")).collect();
    assert!(columns.contains(&"id"), "{help}");
    columns.join(",")
}

#[test]
fn every_list_and_description() {
    let Some(flow) = Flow::start("every_list_and_description") else { return };
    let hcloud = &flow.hcloud;
    let folder = Folder::new("user-data");
    let file = folder.path().join("user-data");
    std::fs::write(&file, "#cloud-config\n").unwrap();
    hcloud.ok(&["ssh-key", "create", "--name", "laptop", "--public-key", PUBLIC_KEY]);
    hcloud.ok(&["placement-group", "create", "--name", "apart", "--type", "spread", "--label", "a=b"]);
    hcloud.ok(&["primary-ip", "create", "--name", "front", "--type", "ipv4", "--datacenter", "fsn1-dc14"]);
    hcloud.ok(&["floating-ip", "create", "--name", "moves", "--type", "ipv6", "--home-location", "fsn1"]);
    let more = [
        "--ssh-key",
        "laptop",
        "--placement-group",
        "apart",
        "--label",
        "a=b",
        "--enable-backup",
        "--user-data-from-file",
    ];
    flow.create("shown", &[&more[..], &[file.to_str().unwrap(), "--enable-protection", "delete,rebuild"]].concat());
    hcloud.ok(&["server", "create-image", "shown", "--type", "snapshot", "--description", "of-shown"]);
    hcloud.ok(&["server", "attach-iso", "shown", "debian-12.11.0-amd64-netinst.iso"]);
    hcloud.ok(&["server", "enable-rescue", "shown"]);

    for (noun, word) in LISTS.iter().copied() {
        let shown = hcloud.ok(&[noun, "list", "-o", &format!("columns={}", columns(hcloud, noun))]);
        assert!(shown.contains(word), "{noun}: {shown}");
    }
    let snapshots = hcloud.ok(&["image", "list", "--type", "snapshot", "-o", "noheader", "-o", "columns=id"]);
    let snapshot = snapshots.trim();
    let described = [
        ("server", "shown", "Rescue System:\tenabled"),
        ("image", snapshot, "of-shown"),
        ("image", "ubuntu-24.04", "system"),
        ("primary-ip", "front", "Not assigned"),
        ("floating-ip", "moves", "No reverse DNS entries"),
        ("ssh-key", "laptop", "Fingerprint"),
        ("placement-group", "apart", "spread"),
        ("iso", "debian-12.11.0-amd64-netinst.iso", "public"),
        ("load-balancer-type", "lb11", "Max Services"),
        ("location", "hel1", "eu-central"),
    ];
    for (noun, name, word) in described {
        let shown = hcloud.ok(&[noun, "describe", name]);
        assert!(shown.contains(word), "{noun} {name}: {shown}");
    }
    assert!(hcloud.ok(&["server", "describe", "shown"]).contains("debian-12.11.0-amd64-netinst.iso"));
    assert!(hcloud.ok(&["server", "ip", "shown"]).starts_with("198.1"));
    assert!(hcloud.ok(&["server", "ip", "--ipv6", "shown"]).contains("2001:db8:"));

    hcloud.ok(&["server", "disable-protection", "shown", "delete", "rebuild"]);
    flow.delete("shown");
    for (noun, name) in [
        ("image", snapshot),
        ("primary-ip", "front"),
        ("floating-ip", "moves"),
        ("placement-group", "apart"),
        ("ssh-key", "laptop"),
    ] {
        hcloud.ok(&[noun, "delete", name]);
    }
    flow.ends_empty();
}
