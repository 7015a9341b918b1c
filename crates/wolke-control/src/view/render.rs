//! From rows and catalogue entries to the JSON of one dialect.

use super::View;
use wolke_domain::catalogue::Catalogue;
use wolke_domain::{Error, Result};
use wolke_store::{
    Tx, action, certificate, firewall, floating_ip, image, load_balancer, network, operator, placement_group,
    primary_ip, rrset, server, ssh_key, storage_box, storage_box_snapshot, storage_box_subaccount, strand, volume,
    zone,
};
use wolke_wire::contract::Contract;
use wolke_wire::{Dialect, Id, Kind, Timestamp, cloud};

/// Whether an object comes from the catalogue.
pub(super) const fn is_catalogue(kind: Kind, id: Id) -> bool {
    match kind {
        Kind::Location | Kind::Datacenter | Kind::ServerType | Kind::LoadBalancerType | Kind::StorageBoxType => true,
        Kind::Iso => !crate::operator::iso::is_private(id),
        Kind::Image => !wolke_domain::image::is_own(id),
        _ => false,
    }
}

/// The rev of a resource of the project; none when there is none.
pub(super) fn rev(tx: &mut dyn Tx, project: Id, kind: Kind, id: Id) -> Result<Option<i64>> {
    Ok(match kind {
        Kind::Server => server::rev(tx, project, id)?,
        Kind::SshKey => ssh_key::get(tx, project, id)?.map(|s| s.rev),
        Kind::PrimaryIp => primary_ip::get(tx, project, id)?.map(|s| s.rev),
        Kind::FloatingIp => floating_ip::get(tx, project, id)?.map(|s| s.rev),
        Kind::PlacementGroup => placement_group::get(tx, project, id)?.map(|s| s.rev),
        Kind::Volume => volume::get(tx, project, id)?.map(|s| s.rev),
        Kind::Firewall => firewall::get(tx, project, id)?.map(|s| s.rev),
        Kind::Network => network::get(tx, project, id)?.map(|s| s.rev),
        Kind::Certificate => certificate::get(tx, project, id)?.map(|s| s.rev),
        Kind::LoadBalancer => load_balancer::get(tx, project, id)?.map(|s| s.rev),
        Kind::Zone => zone::get(tx, project, id)?.map(|s| s.rev),
        Kind::Rrset => rrset::get(tx, project, id)?.map(|s| s.rev),
        Kind::StorageBox => storage_box::get(tx, project, id)?.map(|s| s.rev),
        Kind::StorageBoxSnapshot => storage_box_snapshot::get(tx, project, id)?.map(|s| s.rev),
        Kind::StorageBoxSubaccount => storage_box_subaccount::get(tx, project, id)?.map(|s| s.rev),
        Kind::Action => action::get(tx, project, id)?.map(|(rev, _)| rev),
        Kind::Image => image::rev(tx, project, id)?,
        Kind::Iso => operator::iso(tx, project, id)?.map(|(rev, _)| rev),
        _ => None,
    })
}

/// The rev of what stands inside another object: servers go on showing an image that was deleted.
pub(super) fn embedded_rev(tx: &mut dyn Tx, project: Id, kind: Kind, id: Id) -> Result<Option<i64>> {
    if kind == Kind::Image { image::shown_rev(tx, project, id) } else { rev(tx, project, kind, id) }
}

/// Renders an own fragment; none when there is no such object.
pub(super) fn render(tx: &mut dyn Tx, view: &View<'_>, kind: Kind, id: Id) -> Result<Option<Vec<u8>>> {
    let project = view.project;
    let value = match kind {
        Kind::Server => server_value(tx, view, id)?,
        Kind::SshKey => ssh_key::get(tx, project, id)?.map(|s| json(&crate::ssh_key::to_wire(&s.value))).transpose()?,
        Kind::PrimaryIp => match primary_ip::get(tx, project, id)? {
            Some(s) => {
                crate::primary_ip::to_wire(&s.value, &view.catalogue, view.dialect)?.as_ref().map(json).transpose()?
            }
            None => None,
        },
        Kind::FloatingIp => {
            floating_ip::get(tx, project, id)?.map(|s| json(&crate::floating_ip::to_wire(&s.value))).transpose()?
        }
        Kind::PlacementGroup => match placement_group::get(tx, project, id)? {
            Some(s) => {
                let members = placement_group::members(tx, id)?;
                Some(json(&crate::placement_group::to_wire(&s.value, &members)?)?)
            }
            None => None,
        },
        Kind::Firewall => match firewall::get(tx, project, id)? {
            Some(s) => {
                let applied = firewall::applied(tx, id, i64::MAX)?;
                Some(json(&crate::firewall::to_wire(&s.value, applied))?)
            }
            None => None,
        },
        Kind::Volume => match volume::get(tx, project, id)? {
            Some(s) => Some(json(&crate::volume::to_wire(&s.value)?)?),
            None => None,
        },
        Kind::Network => match network::get(tx, project, id)? {
            Some(s) => Some(json(&crate::network::to_wire(&s.value, &network::members(tx, id)?))?),
            None => None,
        },
        Kind::Certificate => match certificate::get(tx, project, id)? {
            Some(s) => Some(json(&crate::certificate::to_wire(&s.value, &certificate::users(tx, id)?)?)?),
            None => None,
        },
        Kind::LoadBalancer => match load_balancer::get(tx, project, id)? {
            Some(s) => Some(json(&crate::load_balancer::to_wire(tx, view, &s.value)?)?),
            None => None,
        },
        Kind::Zone => match zone::get(tx, project, id)? {
            Some(s) => Some(json(&crate::zone::to_wire(&s.value, &view.sealer)?)?),
            None => None,
        },
        Kind::Rrset => rrset::get(tx, project, id)?.map(|s| json(&crate::zone::rrset_to_wire(s.value))).transpose()?,
        Kind::StorageBox => {
            storage_box::get(tx, project, id)?.map(|s| json(&crate::storage_box::to_wire(&s.value))).transpose()?
        }
        Kind::StorageBoxSnapshot => storage_box_snapshot::get(tx, project, id)?
            .map(|s| json(&crate::storage_box::snapshot_to_wire(s.value)))
            .transpose()?,
        Kind::StorageBoxSubaccount => storage_box_subaccount::get(tx, project, id)?
            .map(|s| json(&crate::storage_box::subaccount_to_wire(s.value)))
            .transpose()?,
        Kind::Action => action::get(tx, project, id)?.map(|(_, a)| json(&crate::action::to_wire(&a))).transpose()?,
        Kind::Image if !is_catalogue(kind, id) => image::shown(tx, project, id)?
            .map(|(image, deleted)| json(&crate::image::to_wire(&image, deleted)))
            .transpose()?,
        Kind::Iso if !is_catalogue(kind, id) => {
            let now = tx.now();
            operator::iso(tx, project, id)?
                .map(|(_, iso)| json(&crate::operator::iso::to_wire(&iso, now)))
                .transpose()?
        }
        _ => catalogue_value(&view.catalogue, (tx.now(), view.dialect), kind, id)?,
    };
    value.map(|value| finish(value, kind, view.dialect)).transpose()
}

/// Renders an answer's type that is not (or no more) in the database.
pub(super) fn render_wire(wire: &impl serde::Serialize, kind: Kind, dialect: Dialect) -> Result<Vec<u8>> {
    finish(json(wire)?, kind, dialect)
}

/// Cuts the superset down to what the dialect has.
fn finish(mut value: serde_json::Value, kind: Kind, dialect: Dialect) -> Result<Vec<u8>> {
    if let Some(schema) = Contract::of(dialect).resource(kind) {
        schema.prune(&mut value);
    }
    adapt(&mut value, kind, dialect);
    serde_json::to_vec(&value).map_err(|e| Error::internal(format!("rendering {kind}: {e}")))
}

fn json(wire: &impl serde::Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(wire).map_err(|e| Error::internal(format!("rendering: {e}")))
}

fn server_value(tx: &mut dyn Tx, view: &View<'_>, id: Id) -> Result<Option<serde_json::Value>> {
    let Some(server) = server::get(tx, view.project, id)? else { return Ok(None) };
    let attached = crate::server::Attached::of(tx, &view.catalogue, id)?;
    let locked = strand::holder(tx, Kind::Server, id)?.is_some();
    let traffic = crate::server::traffic(tx, &view.real, &view.catalogue, &server.value)?;
    let wire = crate::server::to_wire(&server.value, attached, locked, traffic, &view.catalogue)?;
    json(&wire).map(Some)
}

fn catalogue_value(
    catalogue: &Catalogue,
    (now, dialect): (Timestamp, Dialect),
    kind: Kind,
    id: Id,
) -> Result<Option<serde_json::Value>> {
    match kind {
        Kind::Location => catalogue.location_by_id(id).map(|l| json(&cloud::location::Location::from(l))),
        Kind::Datacenter => catalogue.datacenter_by_id(id).map(|d| json(&catalogue.datacenter_to_wire(d, now))),
        Kind::ServerType => catalogue.server_type_by_id(id).map(|t| json(&t.to_wire(now))),
        Kind::LoadBalancerType => catalogue.load_balancer_type_by_id(id).map(|t| json(&t.to_wire(now))),
        Kind::StorageBoxType => catalogue.storage_box_type_by_id(id).map(|t| json(&t.to_wire(now))),
        Kind::Image => catalogue.image_by_id(id).map(|i| json(&image_value(i, now, dialect))),
        Kind::Iso => catalogue.iso_by_id(id).map(|i| json(&i.to_wire(now))),
        _ => None,
    }
    .transpose()
}

/// In 2018 `deprecated` is the day from which on an image is gone, later the day of the announcement (dialects A.7).
fn image_value(image: &wolke_domain::catalogue::Image, now: Timestamp, dialect: Dialect) -> cloud::image::Image {
    let mut wire = image.to_wire(now);
    if dialect.shows_end_as_image_deprecated() {
        wire.deprecated = wire.deprecation.map(|deprecation| deprecation.unavailable_after);
    }
    wire
}

/// Values that a dialect writes differently; membership was settled by pruning.
fn adapt(value: &mut serde_json::Value, kind: Kind, dialect: Dialect) {
    match kind {
        Kind::Server => adapt_public_net(value, dialect),
        Kind::Firewall if dialect.leaves_absent_ports_out() => leave_absent_ports_out(value),
        Kind::Image => {
            if dialect.has_old_os_flavors_only() {
                adapt_os_flavor(value);
            }
            if dialect.counts_apps_as_system() {
                adapt_image_of_2018(value);
            }
        }
        _ => {}
    }
}

fn leave_absent_ports_out(firewall: &mut serde_json::Value) {
    let rules = firewall.get_mut("rules").and_then(serde_json::Value::as_array_mut);
    for rule in rules.into_iter().flatten().filter_map(serde_json::Value::as_object_mut) {
        if rule.get("port").is_some_and(serde_json::Value::is_null) {
            rule.remove("port");
        }
    }
}

/// App images count as system images, and what can be used no more has no word of its own (dialects A.10).
fn adapt_image_of_2018(image: &mut serde_json::Value) {
    for (member, newer, older) in [("type", "app", "system"), ("status", "unavailable", "available")] {
        if let Some(value) = image.get_mut(member).filter(|value| *value == newer) {
            *value = older.into();
        }
    }
}

/// The flavors of 2018 and 2023; later ones are `unknown` to their clients.
const OLD_OS_FLAVORS: [&str; 5] = ["ubuntu", "centos", "debian", "fedora", "unknown"];

fn adapt_os_flavor(image: &mut serde_json::Value) {
    if let Some(flavor) = image.get_mut("os_flavor")
        && !flavor.as_str().is_some_and(|known| OLD_OS_FLAVORS.contains(&known))
    {
        *flavor = "unknown".into();
    }
}

fn adapt_public_net(server: &mut serde_json::Value, dialect: Dialect) {
    let Some(public) = server.get_mut("public_net") else { return };
    if dialect.ipv6_dns_ptr_null_when_empty()
        && let Some(entries) = public.get_mut("ipv6").and_then(|v| v.get_mut("dns_ptr"))
        && entries.as_array().is_some_and(Vec::is_empty)
    {
        *entries = serde_json::Value::Null;
    }
    if dialect.absent_public_net_as_object() {
        for (family, dns_ptr) in [("ipv4", serde_json::Value::from("")), ("ipv6", serde_json::Value::Null)] {
            if public.get(family).is_some_and(serde_json::Value::is_null) {
                public[family] = serde_json::json!({ "ip": "", "blocked": false, "dns_ptr": dns_ptr });
            }
        }
    }
}
