//! What all resources share: revs, counts and lookups by name, each a statement per table.

use crate::load_balancer::{self, balanced};
use crate::load_balancer_health::{self, watched};
use crate::stmt::{Stmt, statements};
use crate::tx::Tx;
use crate::{floating_ip, primary_ip, server, storage_box, zone};
use wolke_domain::image::is_own;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind};

/// A value as it stands in the database, with its two counters (design §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<T> {
    /// Changes of what the resource shows.
    pub rev: i64,
    /// Lost-update lock.
    pub generation: i64,
    /// The value.
    pub value: T,
}

statements! { "resource";
    TOUCH_SERVER = concat!("UPDATE servers SET rev = rev + 1 WHERE id = $1", balanced!());
    TOUCH_PRIMARY_IP = "UPDATE primary_ips SET rev = rev + 1 WHERE id = $1";
    TOUCH_FLOATING_IP = "UPDATE floating_ips SET rev = rev + 1 WHERE id = $1";
    TOUCH_PLACEMENT_GROUP = "UPDATE placement_groups SET rev = rev + 1 WHERE id = $1";
    TOUCH_IMAGE = "UPDATE images SET rev = rev + 1 WHERE id = $1";
    TOUCH_NETWORK = "UPDATE networks SET rev = rev + 1 WHERE id = $1";
    TOUCH_SSH_KEY = "UPDATE ssh_keys SET rev = rev + 1 WHERE id = $1";
    TOUCH_FIREWALL = "UPDATE firewalls SET rev = rev + 1 WHERE id = $1";
    TOUCH_LOAD_BALANCER = concat!("UPDATE load_balancers SET rev = rev + 1 WHERE id = $1", watched!());
    TOUCH_VOLUME = "UPDATE volumes SET rev = rev + 1 WHERE id = $1";
    TOUCH_CERTIFICATE = "UPDATE certificates SET rev = rev + 1 WHERE id = $1";
    TOUCH_ZONE = "UPDATE zones SET rev = rev + 1 WHERE id = $1";
    TOUCH_RRSET = "UPDATE rrsets SET rev = rev + 1 WHERE id = $1";
    TOUCH_STORAGE_BOX = "UPDATE storage_boxes SET rev = rev + 1 WHERE id = $1";
    TOUCH_STORAGE_BOX_SNAPSHOT = "UPDATE storage_box_snapshots SET rev = rev + 1 WHERE id = $1";
    TOUCH_STORAGE_BOX_SUBACCOUNT = "UPDATE storage_box_subaccounts SET rev = rev + 1 WHERE id = $1";
    SERVER = "SELECT id FROM servers WHERE id = $1";
    PRIMARY_IP = "SELECT id FROM primary_ips WHERE id = $1";
    FLOATING_IP = "SELECT id FROM floating_ips WHERE id = $1";
    PLACEMENT_GROUP = "SELECT id FROM placement_groups WHERE id = $1";
    IMAGE = "SELECT id FROM images WHERE id = $1";
    NETWORK = "SELECT id FROM networks WHERE id = $1";
    SSH_KEY = "SELECT id FROM ssh_keys WHERE id = $1";
    FIREWALL = "SELECT id FROM firewalls WHERE id = $1";
    LOAD_BALANCER = "SELECT id FROM load_balancers WHERE id = $1";
    VOLUME = "SELECT id FROM volumes WHERE id = $1";
    CERTIFICATE = "SELECT id FROM certificates WHERE id = $1";
    ZONE = "SELECT id FROM zones WHERE id = $1";
    RRSET = "SELECT id FROM rrsets WHERE id = $1";
    STORAGE_BOX = "SELECT id FROM storage_boxes WHERE id = $1";
    STORAGE_BOX_SNAPSHOT = "SELECT id FROM storage_box_snapshots WHERE id = $1";
    STORAGE_BOX_SUBACCOUNT = "SELECT id FROM storage_box_subaccounts WHERE id = $1";
    COUNT_ADD = "INSERT INTO resource_count (kind, project, n) VALUES ($1, $2, $3)
        ON CONFLICT (kind, project) DO UPDATE SET n = resource_count.n + excluded.n RETURNING n";
    COUNT_GET = "SELECT n FROM resource_count WHERE kind = $1 AND project = $2";
    COUNTS = "SELECT kind, n FROM resource_count WHERE project = $1 AND n > 0 ORDER BY kind";
}

/// How to touch a resource and how to ask for it; none for what is of the catalogue, which is there and never changes.
///
/// # Errors
/// Internal for a kind that nobody has entered here: what it shows would never be rendered anew.
fn row_of(kind: Kind, id: Id) -> Result<Option<(&'static Stmt, &'static Stmt)>> {
    Ok(Some(match kind {
        Kind::Server => (&TOUCH_SERVER, &SERVER),
        Kind::PrimaryIp => (&TOUCH_PRIMARY_IP, &PRIMARY_IP),
        Kind::FloatingIp => (&TOUCH_FLOATING_IP, &FLOATING_IP),
        Kind::PlacementGroup => (&TOUCH_PLACEMENT_GROUP, &PLACEMENT_GROUP),
        Kind::Network => (&TOUCH_NETWORK, &NETWORK),
        Kind::SshKey => (&TOUCH_SSH_KEY, &SSH_KEY),
        Kind::Firewall => (&TOUCH_FIREWALL, &FIREWALL),
        Kind::LoadBalancer => (&TOUCH_LOAD_BALANCER, &LOAD_BALANCER),
        Kind::Volume => (&TOUCH_VOLUME, &VOLUME),
        Kind::Certificate => (&TOUCH_CERTIFICATE, &CERTIFICATE),
        Kind::Zone => (&TOUCH_ZONE, &ZONE),
        Kind::Rrset => (&TOUCH_RRSET, &RRSET),
        Kind::StorageBox => (&TOUCH_STORAGE_BOX, &STORAGE_BOX),
        Kind::StorageBoxSnapshot => (&TOUCH_STORAGE_BOX_SNAPSHOT, &STORAGE_BOX_SNAPSHOT),
        Kind::StorageBoxSubaccount => (&TOUCH_STORAGE_BOX_SUBACCOUNT, &STORAGE_BOX_SUBACCOUNT),
        Kind::Image if is_own(id) => (&TOUCH_IMAGE, &IMAGE),
        Kind::Image
        | Kind::Iso
        | Kind::ServerType
        | Kind::LoadBalancerType
        | Kind::StorageBoxType
        | Kind::Location
        | Kind::Datacenter => return Ok(None),
        unknown => return Err(Error::internal(format!("a {unknown} has no row to touch or to ask for"))),
    }))
}

/// Bumps the rev of whatever `kind` and `id` name, because what it shows has changed (design §4: both ends of an edge).
/// Kinds of the catalogue never change and are ignored. A server's load balancers show how it is: they are bumped with it.
///
/// # Errors
/// Internal for a kind that has no revs; the engine's failure.
pub fn touch(tx: &mut dyn Tx, kind: Kind, id: Id) -> Result<()> {
    match row_of(kind, id)? {
        Some((touch, _)) if kind == Kind::Server => {
            let touched = tx.query_one(touch, &[id.into()])?;
            load_balancer::touch_if(tx, id, touched)
        }
        Some((touch, _)) if kind == Kind::LoadBalancer => load_balancer_health::touch(tx, touch, &[id.into()]),
        Some((touch, _)) => tx.execute(touch, &[id.into()]).map(|_| ()),
        None => Ok(()),
    }
}

/// Whether a resource is there, whosever it is. What is of the catalogue always is.
///
/// # Errors
/// Internal for a kind that has no rows; the engine's failure.
pub fn exists(tx: &mut dyn Tx, kind: Kind, id: Id) -> Result<bool> {
    match row_of(kind, id)? {
        Some((_, ask)) => Ok(tx.query_one(ask, &[id.into()])?.is_some()),
        None => Ok(true),
    }
}

/// How to ask for a resource of a project, and who has a name there: of the kinds that the operator speaks of.
fn of_project(kind: Kind) -> Result<(&'static Stmt, &'static Stmt)> {
    Ok(match kind {
        Kind::Server => (&server::GET, &server::NAME_TAKEN),
        Kind::PrimaryIp => (&primary_ip::GET, &primary_ip::NAME_TAKEN),
        Kind::FloatingIp => (&floating_ip::GET, &floating_ip::NAME_TAKEN),
        Kind::Zone => (&zone::GET, &zone::BY_NAME),
        Kind::StorageBox => (&storage_box::GET, &storage_box::NAME_TAKEN),
        other => return Err(Error::internal(format!("nobody asks for a {other} by its name"))),
    })
}

/// Whether a project has a resource.
///
/// # Errors
/// Internal for a kind that the operator does not speak of; the engine's failure.
pub fn is_in_project(tx: &mut dyn Tx, kind: Kind, project: Id, id: Id) -> Result<bool> {
    let (get, _) = of_project(kind)?;
    Ok(tx.query_one(get, &[project.into(), id.into()])?.is_some())
}

/// The id of the resource of a project that has a name.
///
/// # Errors
/// As [`is_in_project`].
pub fn named(tx: &mut dyn Tx, kind: Kind, project: Id, name: &str) -> Result<Option<Id>> {
    let (_, by_name) = of_project(kind)?;
    let mut params = vec![project.into(), name.into()];
    if kind != Kind::Zone {
        // Nobody is left out.
        params.push(0.into());
    }
    tx.query_one(by_name, &params)?.map(|row| row.int(0)).transpose()
}

/// Whether something is a row that can be touched and worked on, and no part of the catalogue.
///
/// # Errors
/// Internal for a kind that has no rows.
pub fn has_row(kind: Kind, id: Id) -> Result<bool> {
    Ok(row_of(kind, id)?.is_some())
}

/// Adds `by` to the number of resources of a kind in a project and returns the new number.
///
/// # Errors
/// The engine's failure.
pub fn count_add(tx: &mut dyn Tx, kind: Kind, project: Id, by: i64) -> Result<i64> {
    let row = tx.query_one(&COUNT_ADD, &[kind.singular().into(), project.into(), by.into()])?;
    row.ok_or_else(|| Error::internal("a count answered nothing"))?.int(0)
}

/// How many resources of a kind a project has.
///
/// # Errors
/// The engine's failure.
pub fn count(tx: &mut dyn Tx, kind: Kind, project: Id) -> Result<i64> {
    let row = tx.query_one(&COUNT_GET, &[kind.singular().into(), project.into()])?;
    row.map_or(Ok(0), |r| r.int(0))
}

/// What a project holds: (kind's singular, number), empty when it is empty.
///
/// # Errors
/// The engine's failure.
pub fn counts(tx: &mut dyn Tx, project: Id) -> Result<Vec<(String, i64)>> {
    let rows = tx.query(&COUNTS, &[project.into()])?;
    rows.iter().map(|r| Ok((r.text(0)?.to_owned(), r.int(1)?))).collect()
}
