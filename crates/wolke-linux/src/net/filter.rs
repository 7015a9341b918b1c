//! The filters of the namespace: one nft table. It is loaded as a whole, in one step, when there is none or an older one; servers
//! come and go as elements of its sets.
//!
//! ARP needs no filter: every link is routed and has one guest on it, so whatever a guest claims by ARP is noted for its own
//! link only, and routes alone decide to which link a packet goes. The same holds for neighbour discovery.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv6Net;
use serde_json::Value;

use super::name::{LINK, fingerprint};
use super::pool::{LINK_LOCAL, METADATA};
use super::space::{Space, failed};
use crate::engine::Result;

/// The port of the metadata listeners. Guests ask at port 80 and are redirected.
pub(super) const METADATA_PORT: u16 = 8775;
/// The table.
const TABLE: &str = "inet wolke";
/// A chain without rules whose name tells which rules these are.
const VERSION: &str = "rules_";

/// An address that a guest may send from, by its link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    /// The link.
    pub(super) device: String,
    /// The address.
    pub(super) address: Address,
}

/// What stands in one of the two sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Address {
    /// In `source4`.
    V4(Ipv4Addr),
    /// In `source6`: all of a network.
    V6(Ipv6Net),
}

impl fmt::Display for Source {
    /// As in `add element inet wolke …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::V4(address) => write!(f, "source4 {{ \"{}\" . {address} }}", self.device),
            Address::V6(network) => write!(f, "source6 {{ \"{}\" . {network} }}", self.device),
        }
    }
}

/// The rules. `LINK`, `METADATA`, `PORT` and `POOL` are replaced.
const RULES: &str = r#"
	counter forged4 { }
	counter forged6 { }
	counter refused { }

	set source4 { type ifname . ipv4_addr; }
	set source6 { type ifname . ipv6_addr; flags interval; }

	# Before connection tracking: what is forged leaves no trace in it.
	chain source {
		type filter hook prerouting priority raw; policy accept;
		iifname != "LINK*" accept
		iifname . ip saddr @source4 accept
		iifname . ip6 saddr @source6 accept
		# Without an address yet: DHCP, and whether an address is free.
		ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept
		ip saddr 0.0.0.0 drop
		ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, mld2-listener-report } accept
		# Of the link alone; the kernel never forwards it.
		ip6 saddr fe80::/10 ip6 daddr { fe80::/10, ff02::/16 } accept
		meta nfproto ipv4 counter name forged4 drop
		counter name forged6 drop
	}

	chain metadata {
		type nat hook prerouting priority dstnat; policy accept;
		iifname "LINK*" ip daddr METADATA tcp dport 80 redirect to :PORT
	}

	# What a guest may reach of the namespace itself.
	chain input {
		type filter hook input priority filter; policy accept;
		iifname "LINK*" jump guest
	}

	chain guest {
		ct state established,related accept
		udp sport 68 udp dport 67 accept
		ct status dnat tcp dport PORT accept
		meta l4proto { icmp, ipv6-icmp } accept
		counter name refused drop
	}

	# The place of firewalls: a chain per server, by a map of its link.
	chain forward {
		type filter hook forward priority filter; policy accept;
		# Addresses for the metadata service lead nowhere else.
		ip saddr POOL drop
		ip daddr POOL drop
		# Neither do the addresses of the link to the machine, nor the metadata service beside its port.
		# The machine may have asked first.
		iifname "LINK*" ip daddr 169.254.0.0/16 ct state != { established, related } counter name refused drop
	}
"#;

/// The rules are there, with exactly these sources; rules that are right are left alone, with their counters.
pub(super) fn open(space: &Space, sources: &BTreeSet<Source>) -> Result<()> {
    let Some(found) = look(space)? else {
        return load(space, sources);
    };
    change(space, &found, sources)
}

/// Leads from one set of sources to another, in one step.
pub(super) fn change(space: &Space, from: &BTreeSet<Source>, to: &BTreeSet<Source>) -> Result<()> {
    let remove = from.difference(to).map(|source| format!("delete element {TABLE} {source}\n"));
    let add = to.difference(from).map(|source| format!("add element {TABLE} {source}\n"));
    let text: String = remove.chain(add).collect();
    if text.is_empty() { Ok(()) } else { nft(space, text) }
}

/// What stands in the sets; `None` without our rules.
pub(super) fn look(space: &Space) -> Result<Option<BTreeSet<Source>>> {
    let text = match space.program("nft").args(["-json", "list", "table"]).args(TABLE.split(' ')).run() {
        Ok(text) => text,
        Err(error) if error.message.contains("No such file or directory") => return Ok(None),
        Err(error) => return Err(error),
    };
    let document: Value = serde_json::from_str(&text).map_err(|error| failed(format!("nft: {error}")))?;
    let entries = document.get("nftables").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let version = version();
    let current = |entry: &Value| entry.pointer("/chain/name").and_then(Value::as_str) == Some(&version);
    if !entries.iter().any(current) {
        return Ok(None);
    }
    Ok(Some(
        entries
            .iter()
            .filter_map(|entry| entry.pointer("/set/elem")?.as_array())
            .flatten()
            .filter_map(source)
            .collect(),
    ))
}

/// An element of a set, as nft writes it.
fn source(element: &Value) -> Option<Source> {
    let device = element.pointer("/concat/0")?.as_str()?.to_owned();
    let address = element.pointer("/concat/1")?;
    let address = match address.as_str() {
        Some(one) => one.parse().map(Address::V4).ok()?,
        None => {
            let part = |name: &str| address.pointer(&format!("/prefix/{name}"));
            let length = u8::try_from(part("len")?.as_u64()?).ok()?;
            Address::V6(Ipv6Net::new(part("addr")?.as_str()?.parse().ok()?, length).ok()?)
        }
    };
    Some(Source { device, address })
}

fn load(space: &Space, sources: &BTreeSet<Source>) -> Result<()> {
    let elements: String = sources.iter().map(|source| format!("add element {TABLE} {source}\n")).collect();
    let version = version();
    // Made, so that it can be deleted: the three steps are one transaction.
    let table = format!(
        "table {TABLE} {{ }}\ndelete table {TABLE}\ntable {TABLE} {{\n\tchain {version} {{ }}\n{}}}\n",
        rules()
    );
    nft(space, table + &elements)
}

fn rules() -> String {
    let rules = RULES.replace("LINK", LINK).replace("METADATA", &METADATA.to_string());
    rules.replace("PORT", &METADATA_PORT.to_string()).replace("POOL", &LINK_LOCAL.to_string())
}

fn version() -> String {
    format!("{VERSION}{:016x}", fingerprint(&rules()))
}

fn nft(space: &Space, text: String) -> Result<()> {
    space.program("nft").args(["-f", "-"]).input(text).run().map(drop)
}
