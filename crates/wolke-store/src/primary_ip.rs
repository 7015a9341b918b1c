//! Primary IPs.
//!
//! **Invariant:** one has at most one assignee, a server or a load balancer, each in a column of its own: ids of different
//! kinds may be the same number. A load balancer has one of each family as long as it exists (decision 0019).

use crate::named::{self, Head, Named, OWN, common};
use crate::resource::Stored;
use crate::selection;
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::Result;
use wolke_domain::primary_ip::Assignee;
use wolke_wire::{Id, Kind, Timestamp};

statements! { "primary_ip";
    INSERT = "INSERT INTO primary_ips (id, project, name, created, ip, family, assignee, load_balancer, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, 1, $9) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc, ip, family, assignee, load_balancer FROM primary_ips WHERE project = $1 AND id = $2";
    OF_ANYBODY = "SELECT id, project, name, created, rev, generation, doc, ip, family, assignee, load_balancer FROM primary_ips WHERE id = $1";
    OF_SERVER = "SELECT id, project, name, created, rev, generation, doc, ip, family, assignee, load_balancer FROM primary_ips WHERE assignee = $1 ORDER BY family";
    OF_LOAD_BALANCER = "SELECT id, project, name, created, rev, generation, doc, ip, family, assignee, load_balancer FROM primary_ips
        WHERE load_balancer = $1 AND load_balancer > 0 ORDER BY family";
    NAME_TAKEN = "SELECT id FROM primary_ips WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE primary_ips SET name = $1, assignee = $2, load_balancer = $3, rev = rev + 1, generation = generation + 1, doc = $4 WHERE id = $5 AND generation = $6";
    DELETE = "DELETE FROM primary_ips WHERE id = $1";
}

/// What stands in the column of load balancers where none has the primary IP.
pub const NO_LOAD_BALANCER: Id = 0;

/// A primary IP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryIp {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub project: Id,
    /// Unique in the project.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// The address, or the /64 with its prefix length.
    pub ip: String,
    /// 4 or 6.
    pub family: i64,
    /// Who has it.
    pub assignee: Option<Assignee>,
    /// The rest.
    pub details: Details,
}

/// The part of a primary IP that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// Location id.
    pub location: Id,
    /// Data center id; none: the first of the location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacenter: Option<Id>,
    /// Goes when its assignee goes.
    pub auto_delete: bool,
    /// Reverse DNS entries by address; an IPv4 without one shows the default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dns_ptr: BTreeMap<String, String>,
    /// May not be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_protected: bool,
    /// The operator has blocked it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocked: bool,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Named for PrimaryIp {
    common!(Kind::PrimaryIp);

    fn read(head: Head<String, Details>, row: &Row) -> Result<Self> {
        let Head { id, project, name, created, details } = head;
        Ok(Self {
            id,
            project,
            name,
            created,
            details,
            ip: row.text(OWN)?.to_owned(),
            family: row.int(OWN + 1)?,
            assignee: match (row.opt_int(OWN + 2)?, row.int(OWN + 3)?) {
                (Some(server), _) => Some(Assignee::Server(server)),
                (None, NO_LOAD_BALANCER) => None,
                (None, balancer) => Some(Assignee::LoadBalancer(balancer)),
            },
        })
    }

    fn columns(&self) -> Vec<Value> {
        let [server, load_balancer] = held_by(self.assignee);
        vec![(&self.ip).into(), self.family.into(), server, load_balancer]
    }

    fn changing(&self) -> Vec<Value> {
        let [server, load_balancer] = held_by(self.assignee);
        vec![(&self.name).into(), server, load_balancer]
    }
}

/// The columns of an assignee.
fn held_by(assignee: Option<Assignee>) -> [Value; 2] {
    let (server, load_balancer) = match assignee {
        None => (None, NO_LOAD_BALANCER),
        Some(Assignee::Server(id)) => (Some(id), NO_LOAD_BALANCER),
        Some(Assignee::LoadBalancer(id)) => (None, id),
    };
    [server.into(), load_balancer.into()]
}

named::functions!(PrimaryIp: get, expect);

/// Inserts a primary IP with its labels; returns how many the project now has.
///
/// # Errors
/// `name is already used`.
pub fn insert(tx: &mut dyn Tx, new: &PrimaryIp) -> Result<i64> {
    let number = named::insert(tx, new)?;
    changed_hands(tx, None, new.assignee)?;
    Ok(number)
}

/// A primary IP, whosever it is: for the operator.
///
/// # Errors
/// The engine's failure.
pub fn of_anybody(tx: &mut dyn Tx, id: Id) -> Result<Option<Stored<PrimaryIp>>> {
    named::one(tx, &OF_ANYBODY, &[id.into()])
}

/// The primary IPs of a server: at most one per family, IPv4 first.
///
/// # Errors
/// The engine's failure.
pub fn of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Stored<PrimaryIp>>> {
    named::all(tx, &OF_SERVER, &[server.into()])
}

/// The primary IPs of a load balancer: one per family, IPv4 first.
///
/// # Errors
/// The engine's failure.
pub fn of_load_balancer(tx: &mut dyn Tx, balancer: Id) -> Result<Vec<Stored<PrimaryIp>>> {
    named::all(tx, &OF_LOAD_BALANCER, &[balancer.into()])
}

/// The primary IPs of a server or load balancer: at most one per family, IPv4 first.
///
/// # Errors
/// The engine's failure.
pub fn of_assignee(tx: &mut dyn Tx, assignee: Assignee) -> Result<Vec<Stored<PrimaryIp>>> {
    match assignee {
        Assignee::Server(server) => of_server(tx, server),
        Assignee::LoadBalancer(balancer) => of_load_balancer(tx, balancer),
    }
}

/// Writes a changed primary IP back: everything but its address.
///
/// # Errors
/// `name is already used`; internal when somebody else has changed the row since it was read.
pub fn update(tx: &mut dyn Tx, old: &Stored<PrimaryIp>, new: &PrimaryIp) -> Result<()> {
    named::update(tx, old, new)?;
    changed_hands(tx, old.value.assignee, new.assignee)
}

/// Whether a server has a public interface is asked by firewalls that select it.
fn changed_hands(tx: &mut dyn Tx, old: Option<Assignee>, new: Option<Assignee>) -> Result<()> {
    if old == new {
        return Ok(());
    }
    let servers = old.into_iter().chain(new).filter_map(Assignee::server);
    servers.into_iter().try_for_each(|server| selection::interfaces_changed(tx, server))
}

/// Removes a primary IP and its labels. Its address is released by [`crate::address::release`].
///
/// # Errors
/// The engine's failure.
pub fn delete(tx: &mut dyn Tx, old: &PrimaryIp) -> Result<()> {
    named::delete(tx, old)?;
    changed_hands(tx, old.assignee, None)
}
