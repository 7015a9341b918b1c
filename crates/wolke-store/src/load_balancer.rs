//! Load balancers, and the edges that follow from what they hold.
//!
//! **Invariant:** the servers, addresses, certificates and label selectors that a load balancer's document names stand in
//! `load_balancer_servers`, `load_balancer_ips`, `load_balancer_certificates` and [`crate::selection`], which [`insert`],
//! [`update`] and [`delete`] keep so; both ends of what changes there are touched.
//!
//! What a load balancer shows of a target's health follows from the server. So whoever bumps the rev of a server bumps that of
//! its load balancers (`balanced`, [`touch_of_server`]). Where checks take time it follows a little later
//! ([`load_balancer_health`]).

use crate::load_balancer_health::{self, watched};
use crate::named::{self, Head, Named, common};
use crate::resource::{self, Stored};
use crate::selection;
use crate::stmt::{Stmt, statements};
use crate::tx::Tx;
use crate::value::Row;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use wolke_domain::load_balancer::serving::Serving;
use wolke_domain::load_balancer::{Aim, Target};
use wolke_domain::server::Status;
use wolke_domain::{Error, Result};
use wolke_wire::cloud::load_balancer::{AlgorithmType, Service};
use wolke_wire::{Id, Kind, Timestamp};

/// What an UPDATE of a row of `servers` ends with, to say whether the server is a target: its only column is for
/// [`touch_if`].
macro_rules! balanced {
    () => {
        " RETURNING CAST(CASE WHEN EXISTS (SELECT 1 FROM load_balancer_servers t WHERE t.server = servers.id)
            OR EXISTS (SELECT 1 FROM selected d, selection n WHERE d.server = servers.id AND n.id = d.selection AND n.kind = 'load_balancer')
            THEN 1 ELSE 0 END AS BIGINT)"
    };
}
pub(crate) use balanced;

/// What a load balancer has to know of a server: id, status, whether it has a public IPv4 address, its own address in a
/// network, whether the operator has told it what to answer. The network comes first among the parameters.
macro_rules! met {
    ($which:literal) => {
        concat!(
            "SELECT s.id, s.status, CAST(CASE WHEN EXISTS (SELECT 1 FROM primary_ips p WHERE p.assignee = s.id AND p.family = 4) THEN 1 ELSE 0 END AS BIGINT),
            CAST(CASE WHEN EXISTS (SELECT 1 FROM network_addresses a WHERE a.kind = 'server' AND a.member = s.id AND a.network = $1) THEN 1 ELSE 0 END AS BIGINT),
            CAST(CASE WHEN (SELECT MIN(g.port) FROM guest_answers g WHERE g.server = s.id) IS NOT NULL THEN 1 ELSE 0 END AS BIGINT)
            FROM servers s WHERE ",
            $which
        )
    };
}

statements! { "load_balancer";
    INSERT = "INSERT INTO load_balancers (id, project, name, created, rev, generation, doc)
        VALUES ($1, $2, $3, $4, 1, 1, $5) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc FROM load_balancers WHERE project = $1 AND id = $2";
    BY_ID = "SELECT id, project, name, created, rev, generation, doc FROM load_balancers WHERE id = $1";
    NAME_TAKEN = "SELECT id FROM load_balancers WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE load_balancers SET name = $1, rev = rev + 1, generation = generation + 1, doc = $2 WHERE id = $3 AND generation = $4";
    DELETE = "DELETE FROM load_balancers WHERE id = $1";
    SERVER_ADD = "INSERT INTO load_balancer_servers (load_balancer, server) VALUES ($1, $2)";
    SERVER_REMOVE = "DELETE FROM load_balancer_servers WHERE load_balancer = $1 AND server = $2";
    CERTIFICATE_ADD = "INSERT INTO load_balancer_certificates (load_balancer, certificate) VALUES ($1, $2)";
    CERTIFICATE_REMOVE = "DELETE FROM load_balancer_certificates WHERE load_balancer = $1 AND certificate = $2";
    IP_ADD = "INSERT INTO load_balancer_ips (ip, load_balancer) VALUES ($1, $2)";
    IP_REMOVE = "DELETE FROM load_balancer_ips WHERE ip = $1 AND load_balancer = $2";
    OF_IP = "SELECT load_balancer FROM load_balancer_ips WHERE ip = $1 ORDER BY load_balancer";
    PROJECTS_OF_IP = "SELECT DISTINCT b.project FROM load_balancer_ips i, load_balancers b WHERE i.ip = $1 AND b.id = i.load_balancer ORDER BY b.project";
    NAMING_SERVER = "SELECT load_balancer FROM load_balancer_servers WHERE server = $1 ORDER BY load_balancer";
    TOUCH_OF_SERVER = concat!("UPDATE load_balancers SET rev = rev + 1 WHERE id IN (SELECT t.load_balancer FROM load_balancer_servers t WHERE t.server = $1
        UNION SELECT n.owner FROM selected d, selection n WHERE d.server = $2 AND n.id = d.selection AND n.kind = 'load_balancer')", watched!());
    NAMING_SELECTED = "SELECT DISTINCT t.load_balancer FROM selected e, load_balancer_servers t WHERE e.selection = $1 AND t.server = e.server ORDER BY t.load_balancer";
    /// From the load balancers' selectors on, of which there are few or none: CROSS JOIN keeps SQLite from turning that around.
    SELECTING_SELECTED = "SELECT DISTINCT n.owner FROM selection m, selection n WHERE m.id = $1 AND n.project = m.project AND n.kind = 'load_balancer'
        AND EXISTS (SELECT 1 FROM selected d CROSS JOIN selected e WHERE d.selection = n.id AND e.selection = m.id AND e.server = d.server) ORDER BY n.owner";
    NAMING_BEHIND = "SELECT DISTINCT t.load_balancer FROM firewall_servers f, load_balancer_servers t WHERE f.firewall = $1 AND t.server = f.server ORDER BY t.load_balancer";
    SELECTING_BEHIND = "SELECT DISTINCT n.owner FROM firewalls w, selection n WHERE w.id = $1 AND n.project = w.project AND n.kind = 'load_balancer'
        AND EXISTS (SELECT 1 FROM selected d CROSS JOIN firewall_servers f WHERE d.selection = n.id AND f.firewall = w.id AND f.server = d.server) ORDER BY n.owner";
    FIREWALL_SELECTIONS = "SELECT id FROM selection WHERE kind = 'firewall' AND owner = $1 ORDER BY id";
    MET_NAMED = met!("s.id IN (SELECT t.server FROM load_balancer_servers t WHERE t.load_balancer = $2)");
    MET_SELECTED = met!("s.id IN (SELECT d.server FROM selection n, selected d WHERE n.kind = 'load_balancer' AND n.owner = $2 AND d.selection = n.id ORDER BY n.id, d.server LIMIT $3)");
    SELECTED = "SELECT n.selector, d.server FROM selection n, selected d WHERE n.kind = 'load_balancer' AND n.owner = $1 AND d.selection = n.id ORDER BY n.id, d.server LIMIT $2 OFFSET $3";
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Unique in the project.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// The rest.
    pub details: Details,
}

/// A public address of a load balancer: that of its primary IP ([`crate::primary_ip::of_load_balancer`]), which never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicIp {
    /// The address: one, also of IPv6.
    pub ip: String,
}

/// The part of a load balancer that nothing searches, or that the tables of its edges repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// Location id.
    pub location: Id,
    /// The id of its type.
    pub load_balancer_type: Id,
    /// How connections are spread.
    pub algorithm: AlgorithmType,
    /// Whether it can be reached at its public addresses.
    pub public_interface: bool,
    /// Its IPv4 address.
    pub ipv4: PublicIp,
    /// Its IPv6 address.
    pub ipv6: PublicIp,
    /// What it offers, in the order in which it came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// Where connections go, in the order in which they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Aim>,
    /// What it did: metrics and traffic follow from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Serving>,
    /// May not be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_protected: bool,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Details {
    fn servers(&self) -> BTreeSet<Id> {
        let server = |aim: &Aim| if let Target::Server(id) = aim.to { Some(id) } else { None };
        self.targets.iter().filter_map(server).collect()
    }

    fn ips(&self) -> BTreeSet<String> {
        let ip = |aim: &Aim| if let Target::Ip(ip) = &aim.to { Some(ip.clone()) } else { None };
        self.targets.iter().filter_map(ip).collect()
    }

    fn selectors(&self) -> Vec<String> {
        let selector = |aim: &Aim| if let Target::Selector(text) = &aim.to { Some(text.clone()) } else { None };
        self.targets.iter().filter_map(selector).collect()
    }

    /// The certificates that services name.
    #[must_use]
    pub fn certificates(&self) -> BTreeSet<Id> {
        self.services
            .iter()
            .filter_map(|service| service.http.as_ref())
            .flat_map(|http| &http.certificates)
            .copied()
            .collect()
    }
}

/// A server as a load balancer meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetServer {
    /// The server.
    pub id: Id,
    /// What it is doing.
    pub status: Status,
    /// It has a public IPv4 address.
    pub has_ipv4: bool,
    /// It is in the network that was asked about.
    pub in_network: bool,
    /// The operator has told it what to answer ([`crate::guest`]).
    pub is_told: bool,
}

impl Named for LoadBalancer {
    common!(Kind::LoadBalancer);

    fn read(head: Head<String, Details>, _: &Row) -> Result<Self> {
        let Head { id, project, name, created, details } = head;
        Ok(Self { id, project, name, created, details })
    }
}

named::functions!(LoadBalancer: get, expect);

/// Inserts a load balancer with its labels and edges; returns how many the project now has.
///
/// # Errors
/// `name is already used`; those of [`selection::add`].
pub fn insert(tx: &mut dyn Tx, new: &LoadBalancer) -> Result<i64> {
    let number = named::insert(tx, new)?;
    keep_edges(tx, new, None, Some(&new.details))?;
    Ok(number)
}

/// Writes a changed load balancer back, with its name, labels and edges.
///
/// # Errors
/// `name is already used`; those of [`selection::add`]; internal when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<LoadBalancer>, new: &LoadBalancer) -> Result<()> {
    named::update(tx, old, new)?;
    load_balancer_health::wake(tx, new.id)?;
    keep_edges(tx, new, Some(&old.value.details), Some(&new.details))
}

/// Removes a load balancer, its labels and its edges. Its networks and primary IPs are the caller's to release.
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &LoadBalancer) -> Result<()> {
    keep_edges(tx, old, Some(&old.details), None)?;
    load_balancer_health::end(tx, old.id)?;
    named::delete(tx, old)
}

/// Brings the tables of edges from one document to another one, and touches the other ends.
fn keep_edges(tx: &mut dyn Tx, of: &LoadBalancer, old: Option<&Details>, new: Option<&Details>) -> Result<()> {
    let servers = |details: Option<&Details>| details.map(Details::servers).unwrap_or_default();
    let (before, after) = (servers(old), servers(new));
    for (changed, stmt) in [(before.difference(&after), &SERVER_REMOVE), (after.difference(&before), &SERVER_ADD)] {
        for server in changed {
            tx.execute_one(stmt, &[of.id.into(), (*server).into()])?;
            resource::touch(tx, Kind::Server, *server)?;
        }
    }
    let ips = |details: Option<&Details>| details.map(Details::ips).unwrap_or_default();
    let (before, after) = (ips(old), ips(new));
    for (changed, stmt) in [(before.difference(&after), &IP_REMOVE), (after.difference(&before), &IP_ADD)] {
        for ip in changed {
            tx.execute_one(stmt, &[ip.into(), of.id.into()])?;
        }
    }
    let certificates = |details: Option<&Details>| details.map(Details::certificates).unwrap_or_default();
    let (before, after) = (certificates(old), certificates(new));
    for (changed, stmt) in
        [(before.difference(&after), &CERTIFICATE_REMOVE), (after.difference(&before), &CERTIFICATE_ADD)]
    {
        for certificate in changed {
            tx.execute_one(stmt, &[of.id.into(), (*certificate).into()])?;
            resource::touch(tx, Kind::Certificate, *certificate)?;
        }
    }
    let selectors = |details: Option<&Details>| details.map(Details::selectors).unwrap_or_default();
    let (before, after) = (selectors(old), selectors(new));
    let owner = (Kind::LoadBalancer, of.id);
    for text in before.iter().filter(|text| !after.contains(text)) {
        selection::remove(tx, owner, text)?;
    }
    for text in after.iter().filter(|text| !before.contains(text)) {
        selection::add(tx, of.project, owner, text)?;
    }
    Ok(())
}

/// The ids of the load balancers that name a server as a target, ascending.
///
/// # Errors
/// The engine's failure.
pub fn ids_naming_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Id>> {
    tx.query(&NAMING_SERVER, &[server.into()])?.iter().map(|row| row.int(0)).collect()
}

/// A load balancer that a selection names as its owner.
///
/// # Errors
/// Internal when there is none.
pub fn selecting(tx: &mut dyn Tx, id: Id) -> Result<LoadBalancer> {
    let balancer: Option<Stored<LoadBalancer>> = named::one(tx, &BY_ID, &[id.into()])?;
    balancer.map(|found| found.value).ok_or_else(|| Error::internal("a selection of no load balancer"))
}

/// A load balancer, whosever it is: for what happens to what it uses.
///
/// # Errors
/// The engine's failure.
pub fn by_id(tx: &mut dyn Tx, id: Id) -> Result<Option<Stored<LoadBalancer>>> {
    named::one(tx, &BY_ID, &[id.into()])
}

/// The load balancers that name a server as a target, by id.
///
/// # Errors
/// The engine's failure.
pub fn naming_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Stored<LoadBalancer>>> {
    let rows = tx.query(&NAMING_SERVER, &[server.into()])?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let balancer = by_id(tx, row.int(0)?)?;
        found.push(balancer.ok_or_else(|| Error::internal("a target of no load balancer"))?);
    }
    Ok(found)
}

/// The load balancers that have an address as a target, by id.
///
/// # Errors
/// The engine's failure.
pub fn of_ip(tx: &mut dyn Tx, ip: &str) -> Result<Vec<Id>> {
    tx.query(&OF_IP, &[ip.into()])?.iter().map(|row| row.int(0)).collect()
}

/// The projects of [`of_ip`].
///
/// # Errors
/// The engine's failure.
pub fn projects_of_ip(tx: &mut dyn Tx, ip: &str) -> Result<Vec<Id>> {
    tx.query(&PROJECTS_OF_IP, &[ip.into()])?.iter().map(|row| row.int(0)).collect()
}

/// Bumps the revs of a server's load balancers, because what they show of it may have changed.
///
/// # Errors
/// The engine's failure.
pub fn touch_of_server(tx: &mut dyn Tx, server: Id) -> Result<()> {
    load_balancer_health::touch(tx, &TOUCH_OF_SERVER, &[server.into(), server.into()])
}

/// As [`touch_of_server`], when an UPDATE that ends with [`balanced`] has said that there are any.
pub(crate) fn touch_if(tx: &mut dyn Tx, server: Id, updated: Option<Row>) -> Result<()> {
    match updated {
        Some(row) if row.flag(0)? => touch_of_server(tx, server),
        _ => Ok(()),
    }
}

/// Bumps the revs of the load balancers of all servers that a selector matches.
pub(crate) fn touch_of_selected(tx: &mut dyn Tx, selection: Id) -> Result<()> {
    touch_each(tx, &[&NAMING_SELECTED, &SELECTING_SELECTED], selection)
}

/// Bumps the revs of the load balancers of all servers behind a firewall, named or selected, whose rules are others now.
///
/// # Errors
/// The engine's failure.
pub fn touch_behind(tx: &mut dyn Tx, firewall: Id) -> Result<()> {
    touch_each(tx, &[&NAMING_BEHIND, &SELECTING_BEHIND], firewall)?;
    for row in tx.query(&FIREWALL_SELECTIONS, &[firewall.into()])? {
        touch_of_selected(tx, row.int(0)?)?;
    }
    Ok(())
}

/// Bumps each of the load balancers that statements find.
fn touch_each(tx: &mut dyn Tx, stmts: &[&Stmt], id: Id) -> Result<()> {
    let mut found = BTreeSet::new();
    for stmt in stmts {
        for row in tx.query(stmt, &[id.into()])? {
            found.insert(row.int(0)?);
        }
    }
    found.into_iter().try_for_each(|balancer| resource::touch(tx, Kind::LoadBalancer, balancer))
}

fn met(row: &Row) -> Result<MetServer> {
    let status = row.text(1)?;
    Ok(MetServer {
        id: row.int(0)?,
        status: Status::parse(status).ok_or_else(|| Error::internal(format!("unknown server status {status}")))?,
        has_ipv4: row.flag(2)?,
        in_network: row.flag(3)?,
        is_told: row.flag(4)?,
    })
}

/// The servers that a load balancer names, and at most so many of those that it selects, as it meets them. `network`: its
/// private one.
///
/// # Errors
/// The engine's failure.
pub fn servers(tx: &mut dyn Tx, id: Id, network: Option<Id>, selected_max: i64) -> Result<BTreeMap<Id, MetServer>> {
    // No network has this id.
    let network = network.unwrap_or(0);
    let mut rows = tx.query(&MET_NAMED, &[network.into(), id.into()])?;
    if selected_max > 0 {
        rows.extend(tx.query(&MET_SELECTED, &[network.into(), id.into(), selected_max.into()])?);
    }
    rows.iter().map(|row| met(row).map(|server| (server.id, server))).collect()
}

/// The first of the servers that a load balancer selects, with the selector: in the order in which it got the selectors, then
/// of the servers' ids.
///
/// # Errors
/// The engine's failure.
pub fn selected(tx: &mut dyn Tx, id: Id, limit: i64) -> Result<Vec<(String, Id)>> {
    selected_from(tx, id, (0, limit))
}

/// As [`selected`], so many from a position on.
///
/// # Errors
/// The engine's failure.
pub fn selected_from(tx: &mut dyn Tx, id: Id, (offset, limit): (i64, i64)) -> Result<Vec<(String, Id)>> {
    let rows = tx.query(&SELECTED, &[id.into(), limit.into(), offset.into()])?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}
