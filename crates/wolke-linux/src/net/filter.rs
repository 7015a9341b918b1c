//! The filters of the namespace: two nft tables, one of them for ARP alone. They are loaded as a whole, in one step, when there are
//! none or older ones; servers come and go as elements of their sets.
//!
//! Whatever a guest claims by ARP or neighbour discovery is noted for its own link only, and routes alone decide to which link a
//! packet goes. But there is one table of neighbours for all namespaces of a machine, small by default (1024), and one of
//! connections in ours: so what one link may put there is bounded.
//!
//! | what a guest does | what it fills | bound |
//! | --- | --- | --- |
//! | claims addresses by ARP | neighbours | its own address only |
//! | solicits from many addresses of its network | neighbours, until the kernel needs their room (5 s) | `SOLICITS` |
//! | sends to addresses of others' networks that nobody has | neighbours, for 3 s each | `STRANGERS` |
//! | begins connections | connections | `BEGUN` in a second, `FLOWS` at a time |

use std::collections::BTreeSet;
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
/// The table of ARP.
const ARP: &str = "arp wolke";
/// Sets with what a link has done lately, by its device.
const BY_LINK: [&str; 4] = ["solicits", "strangers", "begun", "flows"];
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

impl Source {
    /// The commands that add or delete it: as often as it stands in a set.
    fn commands(&self, verb: &str) -> String {
        let device = &self.device;
        match &self.address {
            Address::V4(address) => [TABLE, ARP]
                .map(|table| format!("{verb} element {table} source4 {{ \"{device}\" . {address} }}\n"))
                .concat(),
            Address::V6(network) => format!("{verb} element {TABLE} source6 {{ \"{device}\" . {network} }}\n"),
        }
    }
}

/// The rules for ARP. `LINK` is replaced.
const ARP_RULES: &str = r#"
	counter forged { }

	set source4 { type ifname . ipv4_addr; }

	chain input {
		type filter hook input priority filter; policy accept;
		iifname != "LINK*" accept
		# Whether an address is free.
		arp saddr ip 0.0.0.0 accept
		iifname . arp saddr ip @source4 accept
		counter name forged drop
	}
"#;

/// The rules. Words in capitals are replaced, see [`rules`].
const RULES: &str = r#"
	counter forged4 { }
	counter forged6 { }
	counter refused { }
	counter flooded { }
	counter crowded { }

	set source4 { type ifname . ipv4_addr; }
	set source6 { type ifname . ipv6_addr; flags interval; }

	# Addresses of guests that have shown themselves to their neighbour, which is us.
	set known6 { type ipv6_addr; flags dynamic,timeout; timeout KNOWN_FOR; size KNOWN_MAX; }
	set solicits { type ifname; flags dynamic; size LINKS_MAX; }
	set strangers { type ifname; flags dynamic; size LINKS_MAX; }
	set begun { type ifname; flags dynamic; size LINKS_MAX; }
	set flows { type ifname; flags dynamic; size LINKS_MAX; }

	# Before connection tracking: what is forged leaves no trace in it.
	chain source {
		type filter hook prerouting priority raw; policy accept;
		iifname != "LINK*" accept
		ip6 saddr != :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit } update @solicits { iifname limit rate over SOLICITS } counter name flooded drop
		iifname . ip6 saddr @source6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } update @known6 { ip6 saddr }
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

	# The first packet of each connection; it is tracked only if it gets through.
	chain flows {
		type filter hook prerouting priority mangle; policy accept;
		iifname "LINK*" ct status & confirmed == 0 jump first
	}

	chain first {
		update @begun { iifname limit rate over BEGUN } counter name flooded drop
		add @flows { iifname ct count over FLOWS } counter name crowded drop
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
		# Each of these makes us look for a neighbour that may not be there.
		iifname "LINK*" oifname "LINK*" ct status & confirmed == 0 ip6 daddr != @known6 update @strangers { iifname limit rate over STRANGERS } counter name flooded drop
	}
"#;

/// What is put in place of words in [`RULES`]: how much one link may cause, far above what guests do that mean no harm.
const LIMITS: [(&str, &str); 7] = [
    ("SOLICITS", "4/second burst 40 packets"),
    ("STRANGERS", "10/second burst 40 packets"),
    ("BEGUN", "500/second burst 5000 packets"),
    // Of 262,144 that the kernel tracks by default.
    ("FLOWS", "8192"),
    // The kernel asks a neighbour again within half a minute while it sends to him.
    ("KNOWN_FOR", "10m"),
    ("KNOWN_MAX", "65535"),
    ("LINKS_MAX", "65535"),
];

/// The rules are there, with exactly these sources; rules that are right are left alone, with their counters.
pub(super) fn open(space: &Space, sources: &BTreeSet<Source>) -> Result<()> {
    let Some(found) = look(space)? else {
        return load(space, sources);
    };
    change(space, &found, sources)
}

/// Leads from one set of sources to another, in one step.
pub(super) fn change(space: &Space, from: &BTreeSet<Source>, to: &BTreeSet<Source>) -> Result<()> {
    let remove = from.difference(to).map(|source| source.commands("delete"));
    let add = to.difference(from).map(|source| source.commands("add"));
    let text: String = remove.chain(add).collect();
    if text.is_empty() { Ok(()) } else { nft(space, text) }
}

/// Forgets what a link has done. It is gone, and its name never comes again.
pub(super) fn forget(space: &Space, device: &str) -> Result<()> {
    // Added, so that it can be deleted.
    let commands =
        |set: &str| ["add", "delete"].map(|verb| format!("{verb} element {TABLE} {set} {{ \"{device}\" }}\n")).concat();
    nft(space, BY_LINK.map(commands).concat())
}

/// What stands in the sets; `None` without our rules, or where the two tables do not agree.
pub(super) fn look(space: &Space) -> Result<Option<BTreeSet<Source>>> {
    let (Some(found), Some(arp)) = (sources(space, TABLE)?, sources(space, ARP)?) else { return Ok(None) };
    let is_four = |source: &&Source| matches!(source.address, Address::V4(_));
    let agree = found.iter().filter(is_four).eq(arp.iter());
    Ok(agree.then_some(found))
}

/// What stands in the sets of a table; `None` if there is no such table of this version.
fn sources(space: &Space, table: &str) -> Result<Option<BTreeSet<Source>>> {
    let text = match space.program("nft").args(["-json", "list", "table"]).args(table.split(' ')).run() {
        Ok(text) => text,
        Err(error) if error.message.contains("No such file or directory") => return Ok(None),
        Err(error) => return Err(error),
    };
    let document: Value = serde_json::from_str(&text).map_err(|error| failed(format!("nft: {error}")))?;
    let entries = document.get("nftables").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let version = version();
    let current = |entry: &Value| entry.pointer("/chain/name").and_then(Value::as_str) == Some(&version);
    let elements = entries.iter().filter_map(|entry| entry.pointer("/set/elem")?.as_array()).flatten();
    Ok(entries.iter().any(current).then(|| elements.filter_map(source).collect()))
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
    let elements: String = sources.iter().map(|source| source.commands("add")).collect();
    let version = version();
    // Made, so that it can be deleted: all of it is one transaction.
    let table = |table: &str, rules: &str| {
        format!("table {table} {{ }}\ndelete table {table}\ntable {table} {{\n\tchain {version} {{ }}\n{rules}}}\n")
    };
    nft(space, table(TABLE, &rules()) + &table(ARP, &arp_rules()) + &elements)
}

fn rules() -> String {
    let rules = RULES.replace("LINK*", &format!("{LINK}*")).replace("METADATA", &METADATA.to_string());
    let rules = rules.replace("PORT", &METADATA_PORT.to_string()).replace("POOL", &LINK_LOCAL.to_string());
    LIMITS.iter().fold(rules, |rules, (word, value)| rules.replace(word, value))
}

fn arp_rules() -> String {
    ARP_RULES.replace("LINK*", &format!("{LINK}*"))
}

fn version() -> String {
    format!("{VERSION}{:016x}", fingerprint(&(rules() + &arp_rules())))
}

fn nft(space: &Space, text: String) -> Result<()> {
    space.program("nft").args(["-f", "-"]).input(text).run().map(drop)
}
