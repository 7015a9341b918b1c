//! What a cloud offers: locations, datacenters, types of servers and load balancers, images, ISOs.

use e2e::flow::{Flow, names};
use serde_json::{Value, json};

#[test]
fn places() {
    let Some(flow) = Flow::start("places") else { return };
    let locations = flow.hcloud.json(&["location", "list"]);
    assert_eq!(names(&locations), ["fsn1", "nbg1", "hel1", "ash", "hil", "sin"]);
    let hel1 = flow.hcloud.json(&["location", "describe", "hel1"]);
    assert_eq!((&hel1["id"], &hel1["network_zone"], &hel1["country"]), (&json!(3), &json!("eu-central"), &json!("FI")));
    assert_eq!(flow.hcloud.json(&["location", "describe", "3"]), hel1);
    assert!(flow.hcloud.fail(&["location", "describe", "atlantis"]).contains("not found"));

    let datacenters = flow.hcloud.json(&["datacenter", "list"]);
    assert_eq!(names(&datacenters), ["nbg1-dc3", "hel1-dc2", "fsn1-dc14", "ash-dc1", "hil-dc1", "sin-dc1"]);
    let datacenter = flow.hcloud.json(&["datacenter", "describe", "hel1-dc2"]);
    assert_eq!(datacenter["location"], hel1);
    let offered = datacenter["server_types"]["available"].as_array().unwrap();
    assert!(offered.contains(&json!(109)) && !offered.contains(&json!(1)), "cpx22 and not cx11: {offered:?}");
    assert!(flow.hcloud.fail(&["datacenter", "describe", "hel1-dc99"]).contains("not found"));
    // The text form resolves every number into a server type.
    assert!(flow.hcloud.ok(&["datacenter", "describe", "hel1-dc2"]).contains("cpx22"));
    flow.ends_empty();
}

#[test]
fn types() {
    let Some(flow) = Flow::start("types") else { return };
    let types = flow.hcloud.json(&["server-type", "list"]);
    let listed = names(&types);
    assert!(listed.contains(&"cpx22") && listed.contains(&"cax11"), "{listed:?}");
    assert!(!listed.contains(&"cx11"), "no longer to be had, so not listed: {listed:?}");
    let gone = flow.hcloud.json(&["server-type", "describe", "1"]);
    assert_eq!((&gone["name"], &gone["deprecated"]), (&json!("cx11"), &json!(true)));
    assert_eq!(gone["deprecation"]["unavailable_after"], "2024-09-06T00:00:00+00:00");
    let kept = flow.hcloud.json(&["server-type", "describe", "cpx22"]);
    assert_eq!((&kept["cores"], &kept["disk"], &kept["architecture"]), (&json!(2), &json!(80), &json!("x86")));
    let price = kept["prices"].as_array().unwrap().iter().find(|price| price["location"] == "fsn1").unwrap();
    assert!(price["price_monthly"]["net"].as_str().unwrap().parse::<f64>().unwrap() > 1.0, "{price}");
    assert!(flow.hcloud.ok(&["server-type", "describe", "cpx22"]).contains("€"), "the currency comes from the prices");

    let balancers = flow.hcloud.json(&["load-balancer-type", "list"]);
    assert_eq!(names(&balancers), ["lb11", "lb21", "lb31"]);
    let lb11 = flow.hcloud.json(&["load-balancer-type", "describe", "lb11"]);
    assert_eq!((&lb11["max_services"], &lb11["max_targets"]), (&json!(5), &json!(25)));
    assert!(flow.hcloud.fail(&["load-balancer-type", "describe", "lb99"]).contains("not found"));
    flow.ends_empty();
}

#[test]
fn system_images() {
    let Some(flow) = Flow::start("system_images") else { return };
    let of =
        |architecture: &str| flow.hcloud.json(&["image", "list", "--type", "system", "--architecture", architecture]);
    for architecture in ["x86", "arm"] {
        let images = of(architecture);
        assert!(names(&images).contains(&"debian-12"), "{architecture}");
        for image in images.as_array().unwrap() {
            assert_eq!((&image["architecture"], &image["type"]), (&json!(architecture), &json!("system")), "{image}");
        }
        let found = flow.hcloud.json(&["image", "describe", "debian-12", "--architecture", architecture]);
        assert_eq!((&found["architecture"], &found["os_flavor"]), (&json!(architecture), &json!("debian")));
    }
    assert!(flow.hcloud.fail(&["image", "describe", "windows-3.11"]).contains("not found"));
    flow.hcloud.refused(&["image", "delete", "debian-12"], "unsupported_error");
    flow.hcloud.refused(&["image", "update", "debian-12", "--description", "mine"], "unsupported_error");
    flow.ends_empty();
}

#[test]
fn isos() {
    let Some(flow) = Flow::start("isos") else { return };
    let list = |more: &[&str]| flow.hcloud.json(&[&["iso", "list"], more].concat());
    let count = |list: &Value| list.as_array().unwrap().len();
    let (all, x86, arm) = (list(&[]), list(&["--architecture", "x86"]), list(&["--architecture", "arm"]));
    assert!(count(&x86) > 0 && count(&arm) > 0);
    assert_eq!(count(&all), count(&x86) + count(&arm), "every one that is offered has an architecture");
    let name = names(&arm)[0].to_owned();
    let iso = flow.hcloud.json(&["iso", "describe", &name]);
    assert_eq!((&iso["architecture"], &iso["type"], &iso["name"]), (&json!("arm"), &json!("public"), &json!(name)));
    assert!(flow.hcloud.fail(&["iso", "describe", "floppy.img"]).contains("not found"));
    flow.ends_empty();
}
