//! `wolke catalogue`, `wolke iso`, `wolke address`, `wolke vswitch`, `wolke dedicated-ip`, `wolke guest`,
//! `wolke fault`.

use super::{body, path_to, segment};
use crate::cli::{
    AddressVerb, AtPort, CatalogueVerb, DedicatedIpVerb, FaultVerb, Format, GuestVerb, IsoVerb, NewImage, Output,
    VswitchVerb,
};
use crate::failure::{Failure, Result};
use crate::output::{self, Column, print};
use crate::reach::Access;
use http::Method;
use serde_json::{Value, json};
use wolke_http::admin::operator::{Block, NewIso, Stock, VolumeSpace};

const ENTRIES: &[Column] = &[("ID", "id"), ("NAME", "name"), ("DESCRIPTION", "description"), ("ENDS", "ends")];
const CHANGES: &[Column] = &[("KIND", "kind"), ("NAME", "name"), ("CHANGE", "change")];
const STOCK: &[Column] = &[("SERVER TYPE", "server_type"), ("LOCATION", "location"), ("LEFT", "left")];
const SPACE: &[Column] = &[("LOCATION", "location"), ("LEFT (GB)", "left_gb")];
const ISOS: &[Column] = &[
    ("ID", "id"),
    ("PROJECT", "project"),
    ("DESCRIPTION", "description"),
    ("ARCHITECTURE", "architecture"),
    ("ENDS", "ends"),
];
const VSWITCHES: &[Column] = &[("ID", "id"), ("NETWORK", "network")];
const DEDICATED_IPS: &[Column] = &[("IP", "ip")];
const GUESTS: &[Column] =
    &[("SERVER", "server"), ("IP", "ip"), ("PORT", "port"), ("DOES", "does"), ("STATUS", "status"), ("PAGE", "page")];
const FAULTS: &[Column] = &[
    ("ID", "id"),
    ("OPERATION", "operation"),
    ("CODE", "code"),
    ("CALLS", "calls"),
    ("PERMILLE", "permille"),
    ("WHEN", "when"),
    ("MESSAGE", "message"),
];

pub(super) async fn catalogue(access: &Access, verb: &CatalogueVerb) -> Result<()> {
    match verb {
        CatalogueVerb::Show { kind, output } => {
            let entries = access.call(Method::GET, &format!("/catalogue/entries/{kind}"), None).await?;
            show(with_ends(entries, *output), *output, ENTRIES)
        }
        CatalogueVerb::Changes(output) => show(access.call(Method::GET, "/catalogue", None).await?, *output, CHANGES),
        CatalogueVerb::Apply { file, output } => {
            let overlay = std::fs::read_to_string(file).map_err(|e| Failure::file("read", file, e))?;
            let changed = access.call(Method::POST, "/catalogue", Some(&json!({ "overlay": overlay }))).await;
            // The server does not know where the text is from.
            let changed = changed.map_err(|e| Failure::new(format!("{}: {}", file.display(), e.text)))?;
            show(changed, *output, CHANGES)
        }
        CatalogueVerb::Reset { kind, name } => {
            let path = format!("/catalogue/entries/{kind}/{}", segment(name));
            access.call(Method::DELETE, &path, None).await.map(|_| ())
        }
        CatalogueVerb::Deprecate { kind, name, location, announced, unavailable_after, output } => {
            let when = json!({ "announced": announced, "unavailable_after": unavailable_after });
            let ending = json!({ "kind": kind, "name": name, "location": location, "when": when });
            show(access.call(Method::POST, "/catalogue/endings", Some(&ending)).await?, *output, CHANGES)
        }
        CatalogueVerb::Undeprecate { kind, name, location, output } => {
            let ending = json!({ "kind": kind, "name": name, "location": location, "when": null });
            show(access.call(Method::POST, "/catalogue/endings", Some(&ending)).await?, *output, CHANGES)
        }
        CatalogueVerb::AddImage(new) => add_image(access, new).await,
        CatalogueVerb::Stock { server_type, location, left, unlimited, output } => {
            let of = server_type.as_ref().zip(location.as_ref());
            match of {
                Some((server_type, location)) if left.is_some() || *unlimited => {
                    let set = Stock { server_type: server_type.clone(), location: location.clone(), left: *left };
                    show(access.call(Method::PUT, "/stock", Some(&body(&set)?)).await?, *output, STOCK)
                }
                Some(_) => Err(Failure::usage("say --left N or --unlimited")),
                None => show(access.call(Method::GET, "/stock", None).await?, *output, STOCK),
            }
        }
        CatalogueVerb::VolumeSpace { location, left, unlimited, output } => match location {
            Some(location) if left.is_some() || *unlimited => {
                let set = VolumeSpace { location: location.clone(), left_gb: *left };
                show(access.call(Method::PUT, "/volume_space", Some(&body(&set)?)).await?, *output, SPACE)
            }
            Some(_) => Err(Failure::usage("say --left GB or --unlimited")),
            None => show(access.call(Method::GET, "/volume_space", None).await?, *output, SPACE),
        },
    }
}

async fn add_image(access: &Access, new: &NewImage) -> Result<()> {
    let description = new.description.as_ref().unwrap_or(&new.name);
    let image = json!({
        "type": new.kind, "name": new.name, "description": description, "os_flavor": new.os_flavor,
        "os_version": new.os_version, "architectures": new.architectures, "disk_size": new.disk_size,
    });
    show(access.call(Method::POST, "/catalogue/images", Some(&image)).await?, new.output, CHANGES)
}

pub(super) async fn iso(access: &Access, verb: &IsoVerb) -> Result<()> {
    match verb {
        IsoVerb::List(output) => {
            let isos = access.call(Method::GET, "/isos", None).await?;
            show(with_ends(isos, *output), *output, ISOS)
        }
        IsoVerb::Add { description, project, architecture, output } => {
            let architecture = architecture.as_deref().and_then(wolke_wire::cloud::Architecture::parse);
            let new = NewIso { project: project.clone(), description: description.clone(), architecture };
            show(access.call(Method::POST, "/isos", Some(&body(&new)?)).await?, *output, ISOS)
        }
        IsoVerb::Remove { id } => access.call(Method::DELETE, &format!("/isos/{id}"), None).await.map(|_| ()),
    }
}

pub(super) async fn address(access: &Access, verb: &AddressVerb) -> Result<()> {
    let (address, blocked) = match verb {
        AddressVerb::Block(address) => (address, true),
        AddressVerb::Unblock(address) => (address, false),
    };
    let kind = if address.floating { "floating_ips" } else { "primary_ips" };
    let path = path_to(kind, (&address.ip, &address.of), "blocked");
    access.call(Method::PUT, &path, Some(&body(&Block { blocked })?)).await.map(|_| ())
}

pub(super) async fn vswitch(access: &Access, verb: &VswitchVerb) -> Result<()> {
    match verb {
        VswitchVerb::List(output) => show(access.call(Method::GET, "/vswitches", None).await?, *output, VSWITCHES),
        VswitchVerb::Add { id } => access.call(Method::PUT, &format!("/vswitches/{id}"), None).await.map(|_| ()),
        VswitchVerb::Remove { id } => access.call(Method::DELETE, &format!("/vswitches/{id}"), None).await.map(|_| ()),
    }
}

pub(super) async fn dedicated_ip(access: &Access, verb: &DedicatedIpVerb) -> Result<()> {
    let path = |ip: &std::net::IpAddr| format!("/dedicated_ips/{}", segment(&ip.to_string()));
    match verb {
        DedicatedIpVerb::List(output) => {
            show(access.call(Method::GET, "/dedicated_ips", None).await?, *output, DEDICATED_IPS)
        }
        DedicatedIpVerb::Add { ip } => access.call(Method::PUT, &path(ip), None).await.map(|_| ()),
        DedicatedIpVerb::Remove { ip } => access.call(Method::DELETE, &path(ip), None).await.map(|_| ()),
    }
}

pub(super) async fn guest(access: &Access, verb: &GuestVerb) -> Result<()> {
    let at = |at: &AtPort| json!({ "server": at.server, "project": at.project, "ip": at.ip, "port": at.port });
    let (place, does) = match verb {
        GuestVerb::List(output) => return show(access.call(Method::GET, "/guests", None).await?, *output, GUESTS),
        GuestVerb::Forget(place) => return access.call(Method::DELETE, "/guests", Some(&at(place))).await.map(|_| ()),
        GuestVerb::Answer { at: place, .. } => (place, "answer"),
        GuestVerb::Refuse(place) => (place, "refuse"),
        GuestVerb::Drop(place) => (place, "drop"),
        GuestVerb::Hang(place) => (place, "hang"),
    };
    let mut tell = at(place);
    tell["does"] = does.into();
    if let GuestVerb::Answer { status, page, .. } = verb {
        (tell["status"], tell["page"]) = (json!(status), json!(page));
    }
    access.call(Method::PUT, "/guests", Some(&tell)).await.map(|_| ())
}

pub(super) async fn fault(access: &Access, verb: &FaultVerb) -> Result<()> {
    match verb {
        FaultVerb::List(output) => show(access.call(Method::GET, "/faults", None).await?, *output, FAULTS),
        FaultVerb::Add { code, operation, message, calls, permille, seed, after, during, output } => {
            let when = match (after, during) {
                (true, _) => "after",
                (_, true) => "during",
                _ => "before",
            };
            let new = json!({
                "operation": operation, "code": code, "message": message, "calls": calls, "permille": permille,
                "seed": seed, "when": when,
            });
            show(access.call(Method::POST, "/faults", Some(&new)).await?, *output, FAULTS)
        }
        FaultVerb::Remove { id } => access.call(Method::DELETE, &format!("/faults/{id}"), None).await.map(|_| ()),
        FaultVerb::Clear => {
            let cleared = access.call(Method::DELETE, "/faults", None).await?;
            output::line(&format!("{} ended", cleared["cleared"]))
        }
    }
}

fn show(value: Value, output: Output, columns: &[Column]) -> Result<()> {
    print(output.format, &value, columns)
}

/// For people: when entries end, as a column.
fn with_ends(mut entries: Value, output: Output) -> Value {
    if output.format == Format::Table {
        for entry in entries.as_array_mut().into_iter().flatten() {
            let ends = entry["deprecation"]["unavailable_after"].clone();
            entry["ends"] = ends;
        }
    }
    entries
}
