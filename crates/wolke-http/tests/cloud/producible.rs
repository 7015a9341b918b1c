//! What the contract can say and nothing can bring about: listed here, with the reason, and the list only shrinks.
//!
//! Error codes: each is brought about through the operator's faults, in every dialect that has it.
//!
//! Alternatives in answers (values of enumerations, flags, what may be null): a scene in every dialect notes what its answers
//! show. What it does not show stands in [`ELSEWHERE`], with the test that does, or in [`NOT_YET`], with the reason.

use super::load_balancers::{act, http, tcp, wanted};
use super::operator::Operator;
use crate::common::{World, server};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use wolke_http::table::OPERATIONS;
use wolke_wire::contract::{Contract, error_status};
use wolke_wire::{Dialect, ErrorCode, Kind};

/// Codes that only the operator brings about (fact sheet §6.1).
const BY_THE_OPERATOR: &[ErrorCode] = &[
    ErrorCode::Maintenance,
    ErrorCode::ServiceError,
    ErrorCode::ServerError,
    ErrorCode::BadGateway,
    ErrorCode::Unavailable,
    ErrorCode::Timeout,
    ErrorCode::Conflict,
    ErrorCode::ResourceLimitExceeded,
    ErrorCode::UnsupportedError,
];

#[tokio::test]
async fn every_general_code_can_be_brought_about() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let operator = Operator::of(&world);
        for code in ErrorCode::ALL {
            let Some(status) = error_status("", *code, *dialect) else { continue };
            operator.does("POST", "/faults", json!({"operation": "*", "code": code.as_str()})).await;
            world.get("/servers").await.refused(status, code.as_str());
            operator.does("DELETE", "/faults", Value::Null).await;
        }
        world.see("/servers").await;
    }
}

#[tokio::test]
async fn every_code_of_an_operation_can_be_brought_about() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    for operation in OPERATIONS {
        for code in ErrorCode::ALL {
            if error_status(operation.id, *code, Dialect::Compat).is_none() {
                continue;
            }
            let made =
                operator.does("POST", "/faults", json!({"operation": operation.id, "code": code.as_str()})).await;
            assert_eq!(made["code"], code.as_str());
        }
        operator.does("DELETE", "/faults", Value::Null).await;
    }
}

#[test]
fn the_operators_codes_are_general() {
    for code in BY_THE_OPERATOR {
        assert!(error_status("", *code, Dialect::Newest).is_some(), "{code}");
    }
}

/// Alternatives that other tests of this folder bring about: place, value, file, and the words there that prove it.
const ELSEWHERE: &[(&str, &str, &str, &str)] = &[
    ("action.finished", "null", "actions.rs", "\"finished\""),
    ("action.status", "error", "images.rs", "\"error\""),
    ("action.status", "running", "actions.rs", "\"running\""),
    ("certificate.status.error", "null", "managed_certificates.rs", "\"error\": null"),
    ("certificate.status.issuance", "completed", "managed_certificates.rs", "status(\"completed\""),
    ("certificate.status.issuance", "pending", "managed_certificates.rs", "status(\"pending\""),
    ("certificate.status.renewal", "failed", "managed_certificates.rs", "\"renewal\": \"failed\""),
    ("certificate.status.renewal", "pending", "managed_certificates.rs", "status(\"completed\", \"pending\")"),
    ("certificate.status.renewal", "scheduled", "managed_certificates.rs", "status(\"completed\", \"scheduled\")"),
    ("floating_ip.blocked", "true", "floating_ips.rs", "async fn the_operator_blocks_one"),
    ("floating_ip.protection.delete", "true", "floating_ips.rs", "[\"protection\"][\"delete\"], true"),
    ("image.name", "null", "images.rs", "create_image"),
    ("image.protection.delete", "true", "images.rs", "change_protection\")"),
    ("image.status", "creating", "images.rs", "\"creating\""),
    ("image.type", "backup", "backups.rs", "\"backup\""),
    ("image.type", "snapshot", "images.rs", "\"type\": \"snapshot\""),
    ("load_balancer.targets[].health_status[].status", "unknown", "load_balancer_health.rs", "\"status\": \"unknown\""),
    (
        "load_balancer.targets[].targets[].health_status[].status",
        "unknown",
        "load_balancer_health.rs",
        "[\"unknown\", \"unknown\"]",
    ),
    ("placement_group.type", "spread", "placement_groups.rs", "\"spread\""),
    ("load_balancer.public_net.ipv4.blocked", "true", "load_balancer_primary_ips.rs", "[family][\"blocked\"]"),
    ("load_balancer.public_net.ipv6.blocked", "true", "load_balancer_primary_ips.rs", "[family][\"blocked\"]"),
    ("primary_ip.protection.delete", "true", "primary_ips.rs", "change_protection"),
    ("server.locked", "true", "actions.rs", "[\"locked\"]), (&json!(\"initializing\"), &json!(true))"),
    ("server.rescue_enabled", "true", "rescue.rs", "[\"rescue_enabled\"], &seen[\"status\"]), (&json!(true)"),
    ("server.status", "initializing", "actions.rs", "\"initializing\""),
    ("volume.protection.delete", "true", "volumes.rs", "[\"protection\"][\"delete\"], true"),
    ("zone.authoritative_nameservers.delegation_status", "invalid", "zones.rs", "\"invalid\""),
    ("zone.authoritative_nameservers.delegation_status", "lame", "zones.rs", "\"lame\""),
    ("zone.authoritative_nameservers.delegation_status", "partially-valid", "zones.rs", "\"partially-valid\""),
    ("zone.authoritative_nameservers.delegation_status", "unknown", "zones.rs", "\"unknown\""),
    ("zone.authoritative_nameservers.delegation_status", "unregistered", "zones.rs", "\"unregistered\""),
    ("zone.authoritative_nameservers.delegation_status", "valid", "zones.rs", "\"valid\""),
    ("zone.authoritative_nameservers.delegation_last_check", "null", "zones.rs", "\"delegation_last_check\": null"),
    ("zone.mode", "primary", "zones.rs", "\"primary\""),
    ("zone.mode", "secondary", "zones.rs", "\"secondary\""),
    ("zone.primary_nameservers[].tsig_algorithm", "hmac-sha256", "zones.rs", "\"hmac-sha256\""),
    ("zone.protection.delete", "false", "zones.rs", "\"delete\": false"),
    ("zone.protection.delete", "true", "zones.rs", "\"delete\": true"),
    ("zone.registrar", "hetzner", "zones.rs", "\"hetzner\""),
    ("zone.registrar", "other", "zones.rs", "json!(\"other\")"),
    ("zone.registrar", "unknown", "zones.rs", "\"unknown\""),
    ("zone.status", "ok", "zones.rs", "json!(\"ok\")"),
];

/// Alternatives that nothing brings about, and why. The list only shrinks: an entry that is brought about fails.
const NOT_YET: &[(&str, &str, &str)] = &[
    ("image.os_version", "null", "every image has one: own images copy that of their server's image"),
    ("image.type", "temporary", "gone from the API since 2025, and what it was for was never documented"),
    ("iso.type", "null", "what it would mean is nowhere documented"),
    ("load_balancer.ingoing_traffic", "null", "traffic is always known"),
    ("load_balancer.outgoing_traffic", "null", "traffic is always known"),
    ("load_balancer.public_net.ipv4.dns_ptr", "null", "an IPv4 address has an entry always"),
    ("load_balancer.public_net.ipv4.ip", "null", "a load balancer has its addresses always"),
    ("load_balancer.public_net.ipv6.ip", "null", "a load balancer has its addresses always"),
    ("load_balancer.targets[].health_status[].detail", "unspecified", "what is simulated has a cause"),
    ("load_balancer.targets[].targets[].health_status[].detail", "unspecified", "what is simulated has a cause"),
    ("server.image", "null", "a server whose image is gone goes on showing it"),
    ("server.included_traffic", "null", "every offer includes some"),
    ("server.ingoing_traffic", "null", "traffic is always known"),
    ("server.outgoing_traffic", "null", "traffic is always known"),
    ("server.public_net.firewalls[].status", "pending", "a simulated firewall is in force at once"),
    ("server.status", "deleting", "seen with a latency profile; no test looks in the middle yet"),
    ("server.status", "migrating", "seen with a latency profile; no test looks in the middle yet"),
    ("server.status", "rebuilding", "seen with a latency profile; no test looks in the middle yet"),
    ("server.status", "starting", "seen with a latency profile; no test looks in the middle yet"),
    ("server.status", "stopping", "seen with a latency profile; no test looks in the middle yet"),
    ("server.status", "unknown", "a host that does not say comes with real hosts"),
    ("zone.primary_nameservers[].tsig_algorithm", "hmac-md5", "shown as it was given, like hmac-sha256"),
    ("zone.primary_nameservers[].tsig_algorithm", "hmac-sha1", "shown as it was given, like hmac-sha256"),
    ("zone.status", "error", "what is done to a zone is published at once"),
    ("zone.status", "updating", "what is done to a zone is published at once"),
    ("server_type.deprecated", "null", "it is false instead, as in every older document"),
    ("storage_box.server", "null", "known from the start: a storage box is made in the request's transaction"),
    ("storage_box.system", "null", "known from the start, as its server"),
    ("storage_box.username", "null", "known from the start, as its server"),
    ("storage_box.status", "initializing", "a storage box is made in the request's transaction"),
    ("storage_box.status", "locked", "whom the real service locks out, and why, is nowhere documented"),
    ("volume.status", "creating", "a simulated volume is made in the request's transaction"),
];

/// What the contracts can say of a resource: (`server.status`, `running`).
type Alternatives = BTreeSet<(String, String)>;

/// Everything that the answers of the table's resources can differ in, in any dialect.
fn demanded() -> Alternatives {
    let mut demanded = Alternatives::new();
    for dialect in Dialect::ALL {
        for operation in OPERATIONS.iter().filter(|operation| operation.path.matches('/').count() == 2) {
            let kind = operation.target;
            let in_path = operation.path.strip_prefix(&format!("/{}/", kind.plural()));
            let is_resource = in_path.is_some_and(|parameter| parameter.starts_with('{'));
            let Some(schema) = Contract::of(*dialect).resource(kind).filter(|_| is_resource) else { continue };
            let of_kind = schema.alternatives().into_iter();
            demanded.extend(of_kind.map(|(path, value)| (format!("{kind}.{path}"), value)));
        }
    }
    demanded
}

/// Notes what an object shows.
fn note(path: &str, value: &Value, seen: &mut Alternatives) {
    match value {
        Value::Null => drop(seen.insert((path.to_owned(), "null".to_owned()))),
        Value::Bool(flag) => drop(seen.insert((path.to_owned(), flag.to_string()))),
        Value::String(text) => drop(seen.insert((path.to_owned(), text.clone()))),
        Value::Array(items) => items.iter().for_each(|item| note(&format!("{path}[]"), item, seen)),
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| note(&format!("{path}.{name}"), member, seen));
        }
        Value::Number(_) => {}
    }
}

/// Notes every entry of the lists of a world.
async fn look(world: &World, seen: &mut Alternatives) {
    for kind in Kind::ALL {
        let list = format!("/{}?per_page=50", kind.plural());
        let more = if *kind == Kind::Image { "&include_deprecated=true" } else { "" };
        let answer = world.get(&format!("{list}{more}")).await;
        for entry in answer.json[kind.plural()].as_array().into_iter().flatten() {
            note(kind.singular(), entry, seen);
        }
    }
}

/// Load balancers with targets that are as they are not by themselves.
async fn balancers(world: &World, operator: &Operator, net: i64, seen: &mut Alternatives) {
    let mut web = server("behind");
    (web["networks"], web["labels"]) = (json!([net]), json!({"role": "web"}));
    let web = world.create("/servers", web).await;
    operator.does("PUT", "/dedicated_ips/203.0.113.7", Value::Null).await;
    let mut page = http(81);
    page["health_check"]["http"] = json!({"domain": null, "path": "/", "response": "fine", "tls": true});
    let mut secure = http(443);
    (secure["protocol"], secure["proxyprotocol"]) = (json!("https"), json!(true));
    secure["http"] = json!({"sticky_sessions": false, "redirect_http": true});
    let mut new = wanted("behind");
    new["algorithm"] = json!({"type": "least_connections"});
    (new["services"], new["network"]) = (json!([page, secure, tcp(22, 22)]), json!(net));
    new["targets"] = json!([
        {"type": "server", "server": {"id": web}, "use_private_ip": true},
        {"type": "label_selector", "label_selector": {"selector": "role=web"}, "use_private_ip": true},
        {"type": "label_selector", "label_selector": {"selector": "role"}},
        {"type": "label_selector", "label_selector": {"selector": "!role"}, "use_private_ip": true},
        {"type": "ip", "ip": {"ip": "203.0.113.7"}},
    ]);
    let id = world.create("/load_balancers", new).await;
    act(world, id, "change_protection", json!({"delete": true})).await.ok();
    let mut hidden = wanted("hidden");
    hidden["public_interface"] = json!(false);
    world.create("/load_balancers", hidden).await;
    for answer in [
        json!({"does": "answer", "status": 200}),
        json!({"does": "answer", "status": 503}),
        json!({"does": "hang"}),
        json!({"does": "drop"}),
        json!({"does": "refuse"}),
    ] {
        for (at, who) in [("server", json!(web)), ("ip", json!("203.0.113.7"))] {
            let mut tell = answer.clone();
            tell[at] = who;
            operator.does("PUT", "/guests", tell).await;
        }
        look(world, seen).await;
    }
    operator.does("PUT", "/guests", json!({"server": web, "does": "answer", "page": "fine"})).await;
    operator.does("PUT", "/guests", json!({"ip": "203.0.113.7", "does": "answer", "page": "fine"})).await;
    look(world, seen).await;
}

/// Storage boxes with everything and with nothing, also of a type without limits.
async fn storage_boxes(world: &World, operator: &Operator) {
    let endless = "[[storage_box_type]]\nid = 1400\nname = \"endless\"\ndescription = \"Endless\"\nsize = 1\n\
                   subaccounts_limit = 1\noffers = [{ at = [\"fsn1\"], hourly = \"1\", monthly = \"1\" }]\n";
    operator.does("POST", "/catalogue", json!({"overlay": endless})).await;
    let mut wanted = super::storage_boxes::storage_box("bare");
    (wanted["storage_box_type"], wanted["location"]) = (json!("endless"), json!("fsn1"));
    world.create("/storage_boxes", wanted).await;
    let mut wanted = super::storage_boxes::storage_box("full");
    wanted["access_settings"] = json!({"reachable_externally": true, "samba_enabled": true, "ssh_enabled": true,
        "webdav_enabled": true, "zfs_enabled": true});
    let full = world.create("/storage_boxes", wanted).await;
    let plan = json!({"max_snapshots": 1, "minute": 0, "hour": 0});
    for (verb, body) in [("enable_snapshot_plan", plan), ("change_protection", json!({"delete": true}))] {
        world.post(&format!("/storage_boxes/{full}/actions/{verb}"), body).await.ok();
    }
}

/// A world in which much is as it is not by itself.
async fn scene(dialect: Dialect, seen: &mut Alternatives) {
    let world = World::new(dialect).await;
    let operator = Operator::of(&world);
    operator.does("POST", "/clock/mode", json!({"mode": "manual"})).await;
    look(&world, seen).await;
    let first = world.create("/servers", server("a")).await;
    look(&world, seen).await;
    world.post(&format!("/servers/{first}/actions/poweroff"), json!({})).await.ok();
    world
        .post(&format!("/servers/{first}/actions/change_protection"), json!({"delete": true, "rebuild": true}))
        .await
        .ok();
    for id in [1, 2] {
        operator.does("PUT", &format!("/primary_ips/{id}/blocked"), json!({"blocked": true})).await;
    }
    world.create("/floating_ips", json!({"type": "ipv4", "server": first, "description": "for the first"})).await;
    world.create("/floating_ips", json!({"type": "ipv6", "home_location": "fsn1"})).await;
    if dialect != Dialect::D2018_04 {
        let mut bare = server("bare");
        bare["public_net"] = json!({"enable_ipv4": false, "enable_ipv6": false});
        bare["start_after_create"] = json!(false);
        world.create("/servers", bare).await;
        let free = json!({"name": "free", "type": "ipv4", "assignee_type": "server", "datacenter": "fsn1-dc14"});
        let placed = json!({"name": "free", "type": "ipv4", "assignee_type": "server", "location": "fsn1"});
        let has_location = !matches!(dialect, Dialect::D2023_07);
        world.create("/primary_ips", if has_location { placed } else { free }).await;
        let rule = |direction: &str, protocol: &str, port: Value| {
            let peers = if direction == "in" { "source_ips" } else { "destination_ips" };
            json!({"direction": direction, "protocol": protocol, "port": port, peers: ["0.0.0.0/0"]})
        };
        let rules = [
            rule("in", "tcp", json!("22")),
            rule("in", "udp", json!("any")),
            rule("in", "icmp", Value::Null),
            rule("out", "esp", Value::Null),
            rule("out", "gre", Value::Null),
        ];
        let to = json!([
            {"type": "server", "server": {"id": first}}, {"type": "label_selector", "label_selector": {"selector": "!none"}},
        ]);
        world.create("/firewalls", json!({"name": "wall", "rules": rules, "apply_to": to})).await;
        world.create("/volumes", json!({"name": "data", "size": 10, "location": "fsn1"})).await;
        world.create("/certificates", super::certificates::uploaded("ours")).await;
        let of_no_zone = json!({"name": "theirs", "type": "managed", "domain_names": ["example.org"]});
        world.create("/certificates", of_no_zone).await;
        operator.does("PUT", "/vswitches/7", Value::Null).await;
        let subnet =
            |kind: &str, vswitch: Value| json!({"type": kind, "network_zone": "eu-central", "vswitch_id": vswitch});
        let subnets = [subnet("cloud", Value::Null), subnet("server", Value::Null), subnet("vswitch", json!(7))];
        let net =
            json!({"name": "net", "ip_range": "10.0.0.0/16", "subnets": subnets, "expose_routes_to_vswitch": true});
        let net = world.create("/networks", net).await;
        world.post(&format!("/networks/{net}/actions/change_protection"), json!({"delete": true})).await.ok();
        world.create("/networks", json!({"name": "bare", "ip_range": "10.0.0.0/16"})).await;
        balancers(&world, &operator, net, seen).await;
    }
    if super::storage_boxes::WITH_BOXES.contains(&dialect) {
        storage_boxes(&world, &operator).await;
    }
    operator.does("POST", "/isos", json!({"project": "default", "description": "Our own"})).await;
    operator.does("PUT", "/stock", json!({"server_type": "cpx22", "location": "nbg1", "left": 0})).await;
    let now = json!({});
    for (kind, name) in [("server_type", "cpx32"), ("load_balancer_type", "lb31"), ("iso", "proxmox-ve_9.0-1.iso")] {
        operator.does("POST", "/catalogue/endings", json!({"kind": kind, "name": name, "when": now})).await;
    }
    operator.does("POST", "/catalogue/endings", json!({"kind": "image", "name": "debian-12", "when": now})).await;
    let overlay = "[[server_type]]\nname = \"cpx42\"\nstorage_type = \"network\"\n[[image]]\nname = \"debian-13\"\n\
                   os_flavor = \"unknown\"\nrapid_deploy = false\n";
    operator.does("POST", "/catalogue", json!({"overlay": overlay})).await;
    look(&world, seen).await;
    operator.does("POST", "/clock/advance", json!({"milliseconds": 100_i64 * 86_400_000})).await;
    let gone = world.see("/images/114690387").await;
    note("image", &gone["image"], seen);
    let action = world.see(&format!("/servers/{first}/actions")).await;
    action["actions"].as_array().unwrap().iter().for_each(|action| note("action", action, seen));
}

#[tokio::test]
async fn every_alternative_is_brought_about_or_excused() {
    let mut seen = Alternatives::new();
    for dialect in Dialect::ALL {
        scene(*dialect, &mut seen).await;
    }
    let demanded = demanded();
    assert!(demanded.len() > 50, "{demanded:?}");
    let elsewhere = |place: &str, value: &str| ELSEWHERE.iter().any(|(p, v, _, _)| (*p, *v) == (place, value));
    let excused = |place: &str, value: &str| NOT_YET.iter().any(|(p, v, _)| (*p, *v) == (place, value));
    let missing: Vec<_> = demanded
        .iter()
        .filter(|alternative| !seen.contains(*alternative))
        .filter(|(place, value)| !elsewhere(place, value) && !excused(place, value))
        .collect();
    assert!(missing.is_empty(), "nothing brings about: {missing:#?}");
    for (place, value, reason) in NOT_YET {
        let known = (String::from(*place), String::from(*value));
        assert!(demanded.contains(&known), "no contract has {place} = {value}");
        assert!(!seen.contains(&known) && !elsewhere(place, value), "{place} = {value} is brought about: {reason}");
    }
    for (place, value, file, words) in ELSEWHERE {
        assert!(demanded.contains(&(String::from(*place), String::from(*value))), "no contract has {place} = {value}");
        let text = std::fs::read_to_string(format!("{}/tests/cloud/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(text.contains(words), "{file} does not say {words}: {place} = {value}");
    }
}
