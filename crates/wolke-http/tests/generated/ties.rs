//! Members that belong together, by shape: what a plain object must look like to have a chance with the rules.

use crate::broken::plain;
use crate::pool::{self, Thing, Wanted};
use crate::samples;
use crate::value::{Maker, Place};
use serde_json::{Map, Value, json};

/// Places of which an object names one.
const PLACES: [&str; 6] = ["location", "datacenter", "home_location", "network_zone", "server", "assignee_id"];

type Members = Map<String, Value>;

/// Makes the members of an object fit each other.
pub fn tie(maker: &mut Maker<'_>, schema: &Value, members: &mut Members) {
    let known = |name: &str| schema["properties"].get(name);
    by_type(maker, schema, members);
    if known("direction").is_some() {
        rule(members);
    }
    if known("records").is_some() {
        records(maker, members);
    }
    one_place(maker, schema, members);
    if known("automount").is_some() && !members.contains_key("server") && !members.contains_key("volumes") {
        members.remove("automount");
    }
    if known("private_key").is_some() {
        certificate(maker, schema, members);
    }
    if known("zonefile").is_some() && known("mode").is_some() {
        zone(maker, schema, members);
    }
    if known("image").is_some() && known("server_type").is_some() {
        machine(maker, members);
    }
    if let (Some(subnets), false) = (known("subnets"), members.contains_key("subnets")) {
        members.insert("subnets".into(), maker.value(subnets, Place { name: "subnets", parent: "" }));
    }
    if known("zonefile").is_some() && known("name").is_none() {
        zone_file(maker, members);
    }
    if known("enable_ipv4").is_some() {
        let disabled = |family: &str| members.get(&format!("enable_{family}")) == Some(&json!(false));
        let gone: Vec<&str> = ["ipv4", "ipv6"].into_iter().filter(|family| disabled(family)).collect();
        gone.iter().for_each(|family| drop(members.remove(*family)));
    }
    if known("tsig_key").is_some() && members.contains_key("tsig_key") != members.contains_key("tsig_algorithm") {
        members.remove("tsig_key");
        members.remove("tsig_algorithm");
    }
    if known("vswitch_id").is_some() {
        match members.get("type").is_some_and(|kind| kind == "vswitch") {
            true => drop(members.insert("vswitch_id".into(), json!(crate::drive::VSWITCH))),
            false => drop(members.remove("vswitch_id")),
        }
    }
}

/// Often a body names something that its subject has: a route, a service, a target.
pub fn part(maker: &mut Maker<'_>, schema: &Value, wanted: Wanted<'_>, members: &mut Members) {
    let known = maker.subject.map(|subject| pool::parts(subject, wanted)).unwrap_or_default();
    if wanted.required.is_empty() || known.is_empty() || maker.dice.percent(30) {
        return;
    }
    let part = *maker.dice.pick(&known);
    members.retain(|name, _| part.get(name).is_none_or(|value| !value.is_null()));
    for (name, _) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = part.get(name).filter(|value| !value.is_null()) {
            members.insert(name.clone(), value.clone());
        }
    }
}

/// Type and image of one architecture.
fn machine(maker: &mut Maker<'_>, members: &mut Members) {
    let Some(kind) = maker.pool.thing("server_type", maker.dice).cloned() else { return };
    let fits = |image: &Thing| image.get("architecture") == kind.get("architecture");
    let Some(image) = maker.pool.fitting("image", maker.dice, fits) else { return };
    // A name means the image of the type's architecture, also where a document knows no architectures.
    let name = image.get("name").filter(|name| name.is_string()).unwrap_or(&image["id"]);
    members.insert("image".into(), name.clone());
    members.insert("server_type".into(), kind["id"].clone());
}

/// `type` says which of the other members counts, where they are called like its values.
fn by_type(maker: &mut Maker<'_>, schema: &Value, members: &mut Members) {
    let values = plain(&schema["properties"]["type"])["enum"].as_array().cloned().unwrap_or_default();
    let names: Vec<&str> =
        values.iter().filter_map(Value::as_str).filter(|v| schema["properties"].get(*v).is_some()).collect();
    if names.is_empty() {
        return;
    }
    let wanted = *maker.dice.pick(&names);
    members.retain(|name, _| !names.contains(&name.as_str()));
    members.insert("type".into(), json!(wanted));
    let mut value = Value::Null;
    while value.is_null() {
        value = maker.value(&schema["properties"][wanted], Place { name: wanted, parent: "" });
    }
    members.insert(wanted.into(), value);
}

/// A rule of a firewall: peers by direction, ports by protocol.
fn rule(members: &mut Members) {
    let inbound = members.get("direction").is_some_and(|direction| direction == "in");
    let (peers, others) = if inbound { ("source_ips", "destination_ips") } else { ("destination_ips", "source_ips") };
    members.remove(others);
    members.entry(peers).or_insert_with(|| json!(["0.0.0.0/0", "::/0"]));
    if members.get("protocol").is_some_and(|protocol| protocol == "tcp" || protocol == "udp") {
        members.insert("port".into(), json!("80-443"));
    } else {
        members.remove("port");
    }
}

/// Records have the data of their type.
fn records(maker: &mut Maker<'_>, members: &mut Members) {
    let kind = members
        .get("type")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .or_else(|| maker.subject?.get("type")?.as_str().map(str::to_owned));
    let kind = kind.unwrap_or_else(|| "A".into());
    let mut values = Vec::new();
    let Some(records) = members.get_mut("records").and_then(Value::as_array_mut) else { return };
    for record in records.iter_mut() {
        let own = maker
            .subject
            .filter(|_| maker.dice.percent(50))
            .and_then(|subject| pool::said(subject, "value", maker.dice));
        record["value"] = own.unwrap_or_else(|| Value::from(samples::record(&kind, maker.dice)));
        values.push(record["value"].clone());
    }
    let mut at = 0;
    records.retain(|record| {
        at += 1;
        !values[..at - 1].contains(&record["value"])
    });
}

fn one_place(maker: &mut Maker<'_>, schema: &Value, members: &mut Members) {
    let known: Vec<&str> = PLACES.into_iter().filter(|name| schema["properties"].get(*name).is_some()).collect();
    if known.len() > 1 {
        let chosen = *maker.dice.pick(&known);
        known.iter().for_each(|name| drop(members.remove(*name)));
        let value = maker.value(&schema["properties"][chosen], Place { name: chosen, parent: "" });
        if !value.is_null() {
            members.insert(chosen.into(), value);
        }
    }
}

/// Uploaded ones have a chain and its key, managed ones names.
fn certificate(maker: &mut Maker<'_>, schema: &Value, members: &mut Members) {
    let managed = schema["properties"].get("type").is_some() && maker.dice.percent(50);
    for name in ["type", "certificate", "private_key", "domain_names"] {
        members.remove(name);
    }
    if managed {
        members.insert("type".into(), json!("managed"));
        let names = maker.value(&schema["properties"]["domain_names"], Place { name: "domain_names", parent: "" });
        members.insert("domain_names".into(), names);
    } else {
        let (certificate, key) = *maker.dice.pick(&crate::fixtures::PAIRS);
        members.insert("certificate".into(), json!(certificate));
        members.insert("private_key".into(), json!(key));
    }
}

/// A zone's file with the nameservers that the zone has.
fn zone_file(maker: &mut Maker<'_>, members: &mut Members) {
    let assigned = maker.subject.map(|zone| pool::all_said(zone, "assigned")).unwrap_or_default();
    let servers: String = assigned.iter().filter_map(Value::as_str).map(|name| format!("@ IN NS {name}\n")).collect();
    if let Some(Value::String(file)) = members.get_mut("zonefile") {
        file.push_str(&servers);
    }
}

/// Primary ones have records or a file, secondary ones nameservers.
fn zone(maker: &mut Maker<'_>, schema: &Value, members: &mut Members) {
    // A secondary one can do little.
    if members.get("mode").is_some_and(|mode| mode == "secondary") && maker.dice.percent(50) {
        members.remove("rrsets");
        members.remove("zonefile");
        let place = Place { name: "primary_nameservers", parent: "" };
        let servers = maker.value(&schema["properties"]["primary_nameservers"], place);
        members.insert("primary_nameservers".into(), servers);
    } else {
        members.insert("mode".into(), json!("primary"));
        members.remove("primary_nameservers");
        if members.contains_key("rrsets") {
            members.remove("zonefile");
        }
    }
}
