//! What can be done to a server: rebuild, another type, rescue, passwords, consoles, discs, reverse names, metrics.

use e2e::api::IMAGE;
use e2e::flow::{Flow, names};
use serde_json::{Value, json};
use wolke_wire::Timestamp;

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// A password of the machine's, at the end of what the client said.
fn password_in(said: &str) -> &str {
    let (_, password) = said.trim_end().rsplit_once(": ").unwrap_or_else(|| panic!("no password in {said:?}"));
    assert!(password.len() >= 12 && password.chars().all(|c| c.is_ascii_alphanumeric()), "{said:?}");
    password
}

#[test]
fn rebuild() {
    let Some(flow) = Flow::start("rebuild") else { return };
    flow.create("again", &[]);
    let before = flow.describe("again");
    let said = flow.hcloud.ok(&["server", "rebuild", "again", "--image", "debian-12"]);
    password_in(&said);
    let after = flow.describe("again");
    assert_eq!((&after["image"]["name"], &after["status"]), (&json!("debian-12"), &json!("running")));
    assert_eq!((&after["id"], &after["public_net"]), (&before["id"], &before["public_net"]));
    assert!(flow.hcloud.fail(&["server", "rebuild", "again", "--image", "nope"]).contains("not found"));
    flow.hcloud.ok(&["server", "enable-protection", "again", "delete", "rebuild"]);
    flow.hcloud.refused(&["server", "rebuild", "again", "--image", IMAGE], "protected");
    assert_eq!(flow.describe("again")["image"]["name"], "debian-12");
    flow.hcloud.ok(&["server", "disable-protection", "again", "delete", "rebuild"]);
    flow.hcloud.ok(&["server", "poweroff", "again"]);
    flow.hcloud.ok(&["server", "rebuild", "again", "--image", IMAGE]);
    assert_eq!(flow.describe("again")["image"]["name"], IMAGE);
    flow.delete("again");
    flow.ends_empty();
}

#[test]
fn change_type() {
    let Some(flow) = Flow::start("change_type") else { return };
    flow.create_of("grows", "cpx12", &[]);
    flow.hcloud.refused(&["server", "change-type", "grows", "cpx22"], "server_not_stopped");
    let change = |kind: &str, disk: &[&str]| {
        flow.hcloud.ok(&["server", "poweroff", "grows"]);
        flow.hcloud.ok(&[&["server", "change-type", "grows", kind], disk].concat());
        let now = flow.describe("grows");
        (now["server_type"]["name"] == kind, now["primary_disk_size"].clone(), now["status"].clone())
    };
    // The disk of before lets the server go back.
    assert_eq!(change("cpx22", &["--keep-disk"]), (true, json!(40), json!("running")));
    assert_eq!(change("cpx12", &["--keep-disk"]), (true, json!(40), json!("running")));
    assert_eq!(change("cpx22", &[]), (true, json!(80), json!("running")));
    flow.hcloud.ok(&["server", "poweroff", "grows"]);
    flow.hcloud.refused(&["server", "change-type", "grows", "cpx12", "--keep-disk"], "invalid_server_type");
    flow.hcloud.refused(&["server", "change-type", "grows", "cax21"], "invalid_server_type");
    assert!(flow.hcloud.fail(&["server", "change-type", "grows", "nope"]).contains("not found"));
    flow.delete("grows");
    flow.ends_empty();
}

#[test]
fn rescue() {
    let Some(flow) = Flow::start("rescue") else { return };
    flow.create("broken", &[]);
    let enabled = || flow.describe("broken")["rescue_enabled"] == true;
    password_in(&flow.hcloud.ok(&["server", "enable-rescue", "broken"]));
    assert!(enabled());
    // A boot uses it up.
    flow.hcloud.ok(&["server", "reset", "broken"]);
    assert!(!enabled());
    flow.hcloud.ok(&["server", "enable-rescue", "broken"]);
    flow.hcloud.ok(&["server", "disable-rescue", "broken"]);
    assert!(!enabled());
    // Nobody boots into it for an hour, so it goes.
    flow.hcloud.ok(&["server", "enable-rescue", "broken"]);
    flow.installation.run(&["clock", "advance"], &["61m"]);
    assert!(!enabled());
    flow.hcloud.refused(&["server", "enable-rescue", "broken", "--type", "linux16"], "invalid_input");
    flow.delete("broken");
    flow.ends_empty();
}

#[test]
fn passwords_and_consoles() {
    let Some(flow) = Flow::start("passwords_and_consoles") else { return };
    flow.create("locked-out", &[]);
    let reset = || flow.hcloud.ok(&["server", "reset-password", "locked-out"]);
    let (first, second) = (reset(), reset());
    assert_ne!(password_in(&first), password_in(&second));
    let console = flow.hcloud.json(&["server", "request-console", "locked-out"]);
    let (url, password) = (console["WSSURL"].as_str().unwrap(), console["Password"].as_str().unwrap());
    assert!(url.starts_with("ws") && url.contains("/console/"), "{url}");
    assert_eq!(password.len(), 8, "a password of VNC");
    flow.hcloud.ok(&["server", "poweroff", "locked-out"]);
    flow.hcloud.refused(&["server", "reset-password", "locked-out"], "service_error");
    flow.delete("locked-out");
    flow.ends_empty();
}

#[test]
fn discs() {
    let Some(flow) = Flow::start("discs") else { return };
    flow.create("boots", &[]);
    let of = |architecture: &str| {
        let list = flow.hcloud.json(&["iso", "list", "--architecture", architecture]);
        names(&list).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    let (x86, arm) = (of("x86"), of("arm"));
    flow.hcloud.ok(&["server", "attach-iso", "boots", &x86[0]]);
    assert_eq!(flow.describe("boots")["iso"]["name"], x86[0]);
    // One disc at a time: the second takes the place of the first.
    flow.hcloud.ok(&["server", "attach-iso", "boots", &x86[1]]);
    assert_eq!(flow.describe("boots")["iso"]["name"], x86[1]);
    flow.hcloud.ok(&["server", "reset", "boots"]);
    assert_eq!(flow.describe("boots")["iso"]["name"], x86[1], "it stays until it is taken out");
    flow.hcloud.ok(&["server", "detach-iso", "boots"]);
    assert_eq!(flow.describe("boots")["iso"], Value::Null);
    assert!(flow.hcloud.fail(&["server", "attach-iso", "boots", &arm[0]]).contains("architecture"));
    assert!(flow.hcloud.fail(&["server", "attach-iso", "boots", "nope"]).contains("not found"));
    flow.delete("boots");
    flow.ends_empty();
}

#[test]
fn reverse_names() {
    let Some(flow) = Flow::start("reverse_names") else { return };
    flow.create("mail", &[]);
    let net = flow.describe("mail")["public_net"].clone();
    let default = net["ipv4"]["dns_ptr"].as_str().unwrap();
    assert!(default.starts_with("static.") && default.ends_with(".clients.your-server.de"), "{default}");
    flow.hcloud.ok(&["server", "set-rdns", "mail", "--hostname", "mail.example.com"]);
    let address = net["ipv6"]["ip"].as_str().unwrap().replace("::/64", "::25");
    flow.hcloud.ok(&["server", "set-rdns", "mail", "--ip", &address, "--hostname", "mx.example.com"]);
    let net = flow.describe("mail")["public_net"].clone();
    assert_eq!(net["ipv4"]["dns_ptr"], "mail.example.com");
    assert_eq!(net["ipv6"]["dns_ptr"], json!([{"ip": address, "dns_ptr": "mx.example.com"}]));
    let foreign = ["server", "set-rdns", "mail", "--ip", "192.0.2.1", "--hostname", "x.example.com"];
    flow.hcloud.refused(&foreign, "invalid_input");
    flow.hcloud.refused(&["server", "set-rdns", "mail", "--hostname", "no host!"], "invalid_input");
    assert_eq!(flow.describe("mail")["public_net"], net, "a refusal changes nothing");
    flow.delete("mail");
    flow.ends_empty();
}

#[test]
fn metrics() {
    let Some(flow) = Flow::start("metrics") else { return };
    flow.create("busy", &[]);
    // A fresh server has none yet, or two points: the client says so, or draws them.
    for kind in ["cpu", "disk", "network"] {
        let said = flow.hcloud.ok(&["server", "metrics", "busy", "--type", kind]);
        assert!(said.contains("metrics available") || said.contains("Server: busy"), "{said}");
    }
    flow.installation.run(&["clock", "advance"], &["2h"]);
    let clock: Value = serde_json::from_str(&flow.installation.run(&["clock", "show"], &["--output", "json"])).unwrap();
    let end = Timestamp::parse(clock["now"].as_str().unwrap()).unwrap();
    let period = [end.plus_ms(-HOUR_MS).to_string(), end.to_string()];
    let last_hour = |kind| ["server", "metrics", "busy", "--type", kind, "--start", &period[0], "--end", &period[1]];
    let shown = |kind: &'static str| flow.hcloud.json(&last_hour(kind));
    let series = |answer: &Value| answer["metrics"]["time_series"].as_object().unwrap().clone();
    let cpu = series(&shown("cpu"));
    let values = cpu["cpu"]["values"].as_array().unwrap();
    assert!(values.len() > 10 && values.iter().all(|pair| pair[1].as_str().unwrap().parse::<f64>().is_ok()));
    assert_eq!(series(&shown("disk")).len(), 4);
    assert_eq!(series(&shown("network")).len(), 4);
    assert!(flow.hcloud.ok(&last_hour("network")).contains("network.0.bandwidth.in"));
    // The client checks the type itself; what it does not check is refused by the API.
    flow.hcloud.fail(&["server", "metrics", "busy", "--type", "smell"]);
    let backwards = ["--start", "2026-02-01T00:00:00Z", "--end", "2026-01-01T00:00:00Z"];
    let asked = [&["server", "metrics", "busy", "--type", "cpu"][..], &backwards].concat();
    flow.hcloud.refused(&asked, "invalid_input");
    flow.delete("busy");
    flow.ends_empty();
}
