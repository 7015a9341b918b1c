//! Private networks, and who has which of their addresses.
//!
//! How many members a network has, and which address is free, is kept (`member_count`, `network_run`): joining reads
//! neither the members nor their addresses.

use crate::load_balancer_health::{self, watched};
use crate::named::{self, Head, Named, common};
use crate::network_run;
use crate::stmt::statements;
use crate::tx::{Counter, Tx};
use crate::value::Row;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use wolke_domain::action::Target;
use wolke_domain::network::{Interface, Plan};
use wolke_domain::server::Status;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

statements! { "network";
    INSERT = "INSERT INTO networks (id, project, name, created, member_count, rev, generation, doc) VALUES ($1, $2, $3, $4, 0, 1, 1, $5)
        ON CONFLICT (project, name) DO NOTHING";
    GET = "SELECT id, project, name, created, rev, generation, doc FROM networks WHERE project = $1 AND id = $2";
    NAME_TAKEN = "SELECT id FROM networks WHERE project = $1 AND name = $2 AND id <> $3";
    UPDATE = "UPDATE networks SET name = $1, rev = rev + 1, generation = generation + 1, doc = $2 WHERE id = $3 AND generation = $4";
    DELETE = "DELETE FROM networks WHERE id = $1";
    MEMBERS = "SELECT kind, member FROM network_addresses WHERE network = $1 AND position = 0 ORDER BY kind, member";
    MEMBER_COUNT = "SELECT member_count FROM networks WHERE id = $1";
    COUNT_MEMBER = "UPDATE networks SET member_count = member_count + $1 WHERE id = $2";
    /// Networks of members of this one, with a member.
    SHARED = "SELECT b.network, b.kind, MIN(b.member) FROM network_addresses a, network_addresses b WHERE a.network = $1 AND a.position = 0
        AND b.kind = a.kind AND b.member = a.member AND b.position = 0 AND b.network <> a.network GROUP BY b.network, b.kind ORDER BY b.network, b.kind";
    TOUCH_SERVERS = "UPDATE servers SET rev = rev + 1 WHERE id IN (SELECT a.member FROM network_addresses a WHERE a.network = $1
        AND a.kind = 'server' AND a.position = 0)";
    TOUCH_BALANCERS = concat!("UPDATE load_balancers SET rev = rev + 1 WHERE id IN (SELECT a.member FROM network_addresses a WHERE a.network = $1
        AND a.kind = 'load_balancer' AND a.position = 0)", watched!());
    ADDRESSES = "SELECT a.kind, a.member, a.ip, a.position, CASE WHEN a.kind = 'server' THEN (SELECT s.status FROM servers s WHERE s.id = a.member) END
        FROM network_addresses a WHERE a.network = $1 ORDER BY a.kind, a.member, a.position";
    OF_MEMBER = "SELECT network, ip, slot, interface FROM network_addresses WHERE kind = $1 AND member = $2 ORDER BY slot, position";
    INTERFACE = "SELECT network, ip, slot, interface FROM network_addresses WHERE kind = $1 AND member = $2 AND network = $3 ORDER BY position";
    ANY_INTERFACE = "SELECT member FROM network_addresses WHERE kind = $1 AND member = $2 LIMIT 1";
    TAKEN = "SELECT ip FROM network_addresses WHERE network = $1 AND ip >= $2 AND ip <= $3 ORDER BY ip";
    ANY_TAKEN = "SELECT ip FROM network_addresses WHERE network = $1 AND ip >= $2 AND ip <= $3 LIMIT 1";
    TAKE = "INSERT INTO network_addresses (network, ip, kind, member, position, slot, interface) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (network, ip) DO NOTHING";
    GIVE_ALIASES = "DELETE FROM network_addresses WHERE kind = $1 AND member = $2 AND network = $3 AND position > 0 RETURNING ip";
    GIVE = "DELETE FROM network_addresses WHERE kind = $1 AND member = $2 AND network = $3 RETURNING ip";
    GIVE_ALL = "DELETE FROM network_addresses WHERE network = $1";
}

/// A private network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
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

/// The part of a network that nothing searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The document's version.
    pub v: u32,
    /// Range, subnets and routes.
    pub plan: Plan,
    /// Dedicated servers behind a vSwitch learn the routes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expose_routes_to_vswitch: bool,
    /// May not be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_protected: bool,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A member of a network with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The server or load balancer.
    pub target: Target,
    /// Its address.
    pub ip: Ipv4Addr,
    /// More addresses, in their order.
    pub alias_ips: Vec<Ipv4Addr>,
    /// What a server is doing; none for anything else.
    pub status: Option<Status>,
}

impl Named for Network {
    common!(Kind::Network);

    fn read(head: Head<String, Details>, _: &Row) -> Result<Self> {
        let Head { id, project, name, created, details } = head;
        Ok(Self { id, project, name, created, details })
    }
}

named::functions!(Network: insert, get, expect, update, delete);

fn target(row: &Row) -> Result<Target> {
    member(row, 0)
}

/// The kind of a member in a column, and its id in the next.
fn member(row: &Row, column: usize) -> Result<Target> {
    let kind = row.text(column)?;
    let kind = Kind::from_singular(kind).ok_or_else(|| Error::internal(format!("unknown kind of member {kind}")))?;
    Ok(Target::new(kind, row.int(column + 1)?))
}

fn address(row: &Row, column: usize) -> Result<Ipv4Addr> {
    let number = row.int(column)?;
    u32::try_from(number).map(Ipv4Addr::from).map_err(|_| Error::internal(format!("{number} is no IPv4 address")))
}

fn number(address: Ipv4Addr) -> i64 {
    i64::from(u32::from(address))
}

/// The members of a network, by kind and id.
///
/// # Errors
/// The engine's failure.
pub fn members(tx: &mut dyn Tx, network: Id) -> Result<Vec<Target>> {
    tx.query(&MEMBERS, &[network.into()])?.iter().map(target).collect()
}

/// How many members a network has.
///
/// # Errors
/// The engine's failure.
pub fn member_count(tx: &mut dyn Tx, network: Id) -> Result<i64> {
    tx.query_one(&MEMBER_COUNT, &[network.into()])?.map_or(Ok(0), |row| row.int(0))
}

/// The members of a network with their addresses, by kind and id.
///
/// # Errors
/// The engine's failure.
pub fn members_with_addresses(tx: &mut dyn Tx, network: Id) -> Result<Vec<Member>> {
    let mut members: Vec<Member> = Vec::new();
    for row in tx.query(&ADDRESSES, &[network.into()])? {
        let (target, ip) = (target(&row)?, address(&row, 2)?);
        match members.last_mut() {
            Some(member) if row.int(3)? > 0 => member.alias_ips.push(ip),
            _ => {
                let status = row.opt_text(4)?.and_then(Status::parse);
                members.push(Member { target, ip, alias_ips: Vec::new(), status });
            }
        }
    }
    Ok(members)
}

/// The interfaces of rows that come interface by interface, own address first.
fn interfaces_of(rows: &[Row]) -> Result<Vec<Interface>> {
    let mut interfaces: Vec<Interface> = Vec::new();
    for row in rows {
        let (ip, number) = (address(row, 1)?, row.int(3)?);
        match interfaces.last_mut() {
            Some(interface) if interface.number == number => interface.alias_ips.push(ip),
            _ => {
                let slot =
                    u32::try_from(row.int(2)?).map_err(|_| Error::internal("an interface of impossible number"))?;
                interfaces.push(Interface { network: row.int(0)?, slot, number, ip, alias_ips: Vec::new() });
            }
        }
    }
    Ok(interfaces)
}

/// The interfaces of a member, in the order of their slots.
///
/// # Errors
/// The engine's failure.
pub fn interfaces(tx: &mut dyn Tx, member: Target) -> Result<Vec<Interface>> {
    interfaces_of(&tx.query(&OF_MEMBER, &[member.kind.singular().into(), member.id.into()])?)
}

/// A member's place in one network.
///
/// # Errors
/// The engine's failure.
pub fn interface(tx: &mut dyn Tx, member: Target, network: Id) -> Result<Option<Interface>> {
    let rows = tx.query(&INTERFACE, &[member.kind.singular().into(), member.id.into(), network.into()])?;
    Ok(interfaces_of(&rows)?.pop())
}

/// Whether a member is in any network.
///
/// # Errors
/// The engine's failure.
pub fn has_interface(tx: &mut dyn Tx, member: Target) -> Result<bool> {
    Ok(tx.query_one(&ANY_INTERFACE, &[member.kind.singular().into(), member.id.into()])?.is_some())
}

/// The taken addresses of a part of a network, ascending.
///
/// # Errors
/// The engine's failure.
pub fn taken(tx: &mut dyn Tx, network: Id, range: RangeInclusive<Ipv4Addr>) -> Result<Vec<Ipv4Addr>> {
    let [from, to] = [*range.start(), *range.end()].map(number);
    tx.query(&TAKEN, &[network.into(), from.into(), to.into()])?.iter().map(|row| address(row, 0)).collect()
}

/// Whether somebody has an address of a part of a network.
///
/// # Errors
/// The engine's failure.
pub fn is_used(tx: &mut dyn Tx, network: Id, range: RangeInclusive<Ipv4Addr>) -> Result<bool> {
    let [from, to] = [*range.start(), *range.end()].map(number);
    Ok(tx.query_one(&ANY_TAKEN, &[network.into(), from.into(), to.into()])?.is_some())
}

/// Gives addresses to an interface, from a position on.
fn take(tx: &mut dyn Tx, member: Target, interface: &Interface, from: usize) -> Result<()> {
    let all = std::iter::once(&interface.ip).chain(&interface.alias_ips).enumerate().skip(from);
    for (position, ip) in all {
        let params = [
            interface.network.into(),
            number(*ip).into(),
            member.kind.singular().into(),
            member.id.into(),
            (position as i64).into(),
            i64::from(interface.slot).into(),
            interface.number.into(),
        ];
        if tx.execute(&TAKE, &params)? == 0 {
            return Err(Error::ip_not_available(*ip));
        }
        network_run::take(tx, interface.network, number(*ip))?;
    }
    Ok(())
}

/// Makes a member of a network, with the next number of an interface. Both ends show it: the caller touches them.
///
/// # Errors
/// `ip_not_available`.
pub fn attach(tx: &mut dyn Tx, member: Target, new: Interface) -> Result<Interface> {
    let new = Interface { number: tx.next_id(Counter::Interface)?, ..new };
    take(tx, member, &new, 0)?;
    tx.execute_one(&COUNT_MEMBER, &[1.into(), new.network.into()])?;
    Ok(new)
}

/// Addresses of rows are free again.
fn give(tx: &mut dyn Tx, network: Id, rows: &[Row]) -> Result<()> {
    rows.iter().try_for_each(|row| network_run::give(tx, network, row.int(0)?))
}

/// Gives a member other aliases. Both ends show it: the caller touches them.
///
/// # Errors
/// `ip_not_available`.
pub fn replace_aliases(tx: &mut dyn Tx, member: Target, changed: &Interface) -> Result<()> {
    let params = [member.kind.singular().into(), member.id.into(), changed.network.into()];
    let gone = tx.query(&GIVE_ALIASES, &params)?;
    give(tx, changed.network, &gone)?;
    take(tx, member, changed, 1)
}

/// Takes a member out of a network; false when it was not in. Both ends show it: the caller touches them.
///
/// # Errors
/// The engine's failure.
pub fn detach(tx: &mut dyn Tx, member: Target, network: Id) -> Result<bool> {
    let params = [member.kind.singular().into(), member.id.into(), network.into()];
    let gone = tx.query(&GIVE, &params)?;
    if gone.is_empty() {
        return Ok(false);
    }
    give(tx, network, &gone)?;
    tx.execute_one(&COUNT_MEMBER, &[(-1).into(), network.into()])?;
    Ok(true)
}

/// Takes all members out of a network that goes, and touches them.
///
/// # Errors
/// The engine's failure.
pub fn detach_all(tx: &mut dyn Tx, network: Id) -> Result<()> {
    tx.execute(&TOUCH_SERVERS, &[network.into()])?;
    touch_balancers(tx, network)?;
    let members = member_count(tx, network)?;
    tx.execute(&GIVE_ALL, &[network.into()])?;
    network_run::give_all(tx, network)?;
    tx.execute_one(&COUNT_MEMBER, &[(-members).into(), network.into()])
}

/// Bumps the revs of a network's load balancers, because what they show of it may have changed.
///
/// # Errors
/// The engine's failure.
pub fn touch_balancers(tx: &mut dyn Tx, network: Id) -> Result<()> {
    load_balancer_health::touch(tx, &TOUCH_BALANCERS, &[network.into()])
}

/// The other networks that members of a network are in, each with one such member of each kind.
///
/// # Errors
/// The engine's failure.
pub fn shared(tx: &mut dyn Tx, network: Id) -> Result<Vec<(Id, Target)>> {
    let rows = tx.query(&SHARED, &[network.into()])?;
    rows.iter().map(|row| Ok((row.int(0)?, member(row, 1)?))).collect()
}

/// The lowest address of a network from one on that nobody has; none beyond the last of all addresses.
///
/// # Errors
/// The engine's failure.
pub fn free_from(tx: &mut dyn Tx, network: Id, from: Ipv4Addr) -> Result<Option<Ipv4Addr>> {
    let free = network_run::free_from(tx, network, number(from))?;
    Ok(u32::try_from(free).ok().map(Ipv4Addr::from))
}
