//! Floating IPs.

use crate::named::{self, Head, Named, OWN, common};
use crate::resource::Stored;
use crate::stmt::statements;
use crate::tx::Tx;
use crate::value::{Row, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::Result;
use wolke_wire::{Id, Kind, Timestamp};

statements! { "floating_ip";
    INSERT = "INSERT INTO floating_ips (id, project, name, created, ip, family, server, rev, generation, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 1, $8) ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc, ip, family, server FROM floating_ips WHERE project = $1 AND id = $2";
    OF_ANYBODY = "SELECT id, project, name, created, rev, generation, doc, ip, family, server FROM floating_ips WHERE id = $1";
    OF_SERVER = "SELECT id FROM floating_ips WHERE server = $1 ORDER BY id";
    NAME_TAKEN = "SELECT id FROM floating_ips WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE floating_ips SET name = $1, server = $2, rev = rev + 1, generation = generation + 1, doc = $3 WHERE id = $4 AND generation = $5";
    RELEASE = "UPDATE floating_ips SET server = NULL, rev = rev + 1, generation = generation + 1 WHERE server = $1";
    DELETE = "DELETE FROM floating_ips WHERE id = $1";
}

/// A floating IP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloatingIp {
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
    /// The server that has it.
    pub server: Option<Id>,
    /// The rest.
    pub details: Details,
}

/// The part of a floating IP that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// Location id.
    pub home_location: Id,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
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

impl Named for FloatingIp {
    common!(Kind::FloatingIp);

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
            server: row.opt_int(OWN + 2)?,
        })
    }

    fn columns(&self) -> Vec<Value> {
        vec![(&self.ip).into(), self.family.into(), self.server.into()]
    }

    fn changing(&self) -> Vec<Value> {
        vec![(&self.name).into(), self.server.into()]
    }
}

named::functions!(FloatingIp: insert, get, expect, update, delete);

/// A floating IP, whosever it is: for the operator.
///
/// # Errors
/// The engine's failure.
pub fn of_anybody(tx: &mut dyn Tx, id: Id) -> Result<Option<Stored<FloatingIp>>> {
    named::one(tx, &OF_ANYBODY, &[id.into()])
}

/// The floating IPs of a server, by id.
///
/// # Errors
/// The engine's failure.
pub fn of_server(tx: &mut dyn Tx, server: Id) -> Result<Vec<Id>> {
    tx.query(&OF_SERVER, &[server.into()])?.iter().map(|row| row.int(0)).collect()
}

/// Takes all floating IPs from a server that goes: they stay, free.
///
/// # Errors
/// The engine's failure.
pub fn release(tx: &mut dyn Tx, server: Id) -> Result<()> {
    tx.execute(&RELEASE, &[server.into()]).map(|_| ())
}
