//! A project with everything in it that this client knows, as a person builds and reads it.

use crate::shown::columns;
use e2e::flow::{Flow, names};
use std::path::PathBuf;

/// Lists, and a word that must stand in each.
const LISTS: &[(&str, &str)] = &[
    ("network", "company"),
    ("firewall", "wall"),
    ("volume", "data"),
    ("certificate", "www"),
    ("load-balancer", "front"),
    ("server", "web"),
];
/// Descriptions, each with words that must stand in it: what one resource shows of the others.
const DESCRIPTIONS: &[(&str, &str, &[&str])] = &[
    ("network", "company", &["10.0.1.0/24", "10.100.0.0/16", "eu-central"]),
    ("firewall", "wall", &["Direction:", "80-90", "role=web"]),
    ("volume", "data", &["scsi-0HC_Volume_", "Name:\t\tweb"]),
    ("certificate", "www", &["example.com", "Used By:", "front"]),
    ("load-balancer", "front", &["lb11", "role=web", "443", "Targets: (1)", "company", "HCLBSTICKY"]),
    ("server", "web", &["company", "data", "apart", "role: web"]),
    ("floating-ip", "entrance", &["web"]),
];
/// What is deleted in the end, in this order.
const DELETIONS: &[(&str, &str)] = &[
    ("load-balancer", "front"),
    ("certificate", "www"),
    ("server", "web"),
    ("volume", "data"),
    ("firewall", "wall"),
    ("network", "company"),
    ("floating-ip", "entrance"),
    ("placement-group", "apart"),
];

/// A certificate or key of nobody (`crates/wolke-control/tests/certificates`).
fn file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/wolke-control/tests/certificates");
    folder.join(name).display().to_string()
}

/// Runs a command given as one text; no word of it holds a space.
fn run(flow: &Flow, command: &str) {
    flow.hcloud.ok(&command.split_whitespace().collect::<Vec<_>>());
}

fn build(flow: &Flow) {
    run(flow, "network create --name company --ip-range 10.0.0.0/16");
    run(flow, "network add-subnet company --type cloud --network-zone eu-central --ip-range 10.0.1.0/24");
    run(flow, "network add-route company --destination 10.100.0.0/16 --gateway 10.0.1.250");
    run(flow, "firewall create --name wall --label a=b");
    run(flow, "firewall add-rule wall --direction in --protocol tcp --port 80-90 --source-ips 0.0.0.0/0");
    run(flow, "firewall apply-to-resource wall --type label_selector --label-selector role=web");
    run(flow, "placement-group create --name apart --type spread");
    run(flow, "volume create --name data --size 10 --location fsn1 --format ext4");
    let more = "--location fsn1 --network company --volume data --placement-group apart --label role=web";
    flow.create("web", &more.split_whitespace().collect::<Vec<_>>());
    run(flow, "floating-ip create --name entrance --type ipv4 --server web");
    let (certificate, key) = (file("rsa.pem"), file("rsa.pkcs8.key"));
    run(flow, &format!("certificate create --name www --cert-file {certificate} --key-file {key}"));
    run(flow, "load-balancer create --name front --type lb11 --location fsn1 --label a=b");
    run(flow, "load-balancer attach-to-network front --network company");
    run(flow, "load-balancer add-target front --label-selector role=web --use-private-ip");
    let certificate = flow.hcloud.json(&["certificate", "describe", "www"])["id"].to_string();
    let service = "load-balancer add-service front --protocol https --http-sticky-sessions --http-certificates";
    run(flow, &format!("{service} {certificate}"));
}

#[test]
fn everything_of_a_project() {
    let Some(flow) = Flow::start("everything_of_a_project") else { return };
    build(&flow);
    for (noun, word) in LISTS.iter().copied() {
        let shown = flow.hcloud.ok(&[noun, "list", "-o", &format!("columns={}", columns(&flow.hcloud, noun))]);
        assert!(shown.contains(word), "{noun}: {shown}");
    }
    for (noun, name, words) in DESCRIPTIONS.iter().copied() {
        let shown = flow.hcloud.ok(&[noun, "describe", name]);
        for word in words {
            assert!(shown.contains(word), "{noun} {name} without {word}: {shown}");
        }
    }
    let all = flow.hcloud.ok(&["all", "list"]);
    for (_, name) in DELETIONS {
        assert!(all.contains(name), "{name} is missing: {all}");
    }
    let labelled = flow.hcloud.json(&["all", "list", "--selector", "a=b"]);
    assert_eq!(names(&labelled["firewalls"]), ["wall"], "{labelled}");
    assert_eq!(names(&labelled["load_balancers"]), ["front"], "{labelled}");

    flow.hcloud.refused(&["certificate", "delete", "www"], "resource_in_use");
    for (noun, name) in DELETIONS.iter().copied() {
        if (noun, name) == ("firewall", "wall") {
            flow.hcloud.refused(&["firewall", "delete", "wall"], "resource_in_use");
            run(&flow, "firewall remove-from-resource wall --type label_selector --label-selector role=web");
        }
        flow.hcloud.ok(&[noun, "delete", name]);
    }
    flow.ends_empty();
}
