//! Resolvers that guests are told: those that the operator names, or those of this machine, as far as a guest can reach them.
//!
//! The real service names its own, which make no sense elsewhere. What only listens on this machine (systemd's stub on
//! 127.0.0.53) is left out; the servers behind that stub are in a file of its own. A resolver that nobody can reach is worse than
//! none: every look-up in a guest waits for it.

use std::fs::File;
use std::io::{Read, Seek};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::space::failed;
use crate::engine::Result;

/// Resolvers that are told; more never help.
pub const RESOLVERS_MAX: usize = 3;
/// The files of this machine, in this order; the first that names a resolver that guests can reach counts.
const FILES: [&str; 2] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
/// Whether the machine forwards what guests send.
const FORWARDS: &str = "/proc/sys/net/ipv4/ip_forward";
/// The addresses of the machine.
const ADDRESSES: &str = "/proc/thread-self/net/fib_trie";

/// Which resolvers guests are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolvers {
    /// These, whether they can be reached or not; none, if it is empty.
    These(Vec<Ipv4Addr>),
    /// Those that the first of these files names, in the form of resolv.conf(5), if guests can reach them: the machine forwards
    /// for them, or it is one itself.
    Files(Vec<PathBuf>),
}

impl Resolvers {
    /// Those of this machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::Files(FILES.map(PathBuf::from).into())
    }
}

/// Answers which they are, for as long as the network is open.
pub(super) struct Teller {
    resolvers: Resolvers,
    machine: Option<Machine>,
}

impl Teller {
    /// Called by a thread in the namespace of the machine. Without a way out of the guests' namespace nothing of the machine can be
    /// reached.
    pub(super) fn new(resolvers: Resolvers, way_out: bool) -> Result<Self> {
        Ok(Self { resolvers, machine: way_out.then(Machine::open).transpose()? })
    }

    /// Read anew each time: they change with the networks of the machine.
    pub(super) fn tell(&self) -> Vec<Ipv4Addr> {
        let files = match &self.resolvers {
            Resolvers::These(named) => return named.iter().copied().take(RESOLVERS_MAX).collect(),
            Resolvers::Files(files) => files,
        };
        let Some(machine) = &self.machine else { return Vec::new() };
        let (forwards, own) = (machine.forwards(), machine.addresses());
        let read = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
        let reached = read.map(|text| {
            let named = parse(&text).into_iter().filter(|address| forwards || own.contains(address));
            named.take(RESOLVERS_MAX).collect::<Vec<_>>()
        });
        reached.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
    }
}

/// What is asked about the machine. The files were opened in its namespace, and speak of that whoever reads them.
struct Machine {
    forwards: Mutex<File>,
    addresses: Mutex<File>,
}

impl Machine {
    fn open() -> Result<Self> {
        let open = |path: &str| File::open(path).map(Mutex::new).map_err(|error| failed(format!("{path}: {error}")));
        Ok(Self { forwards: open(FORWARDS)?, addresses: open(ADDRESSES)? })
    }

    fn forwards(&self) -> bool {
        read(&self.forwards).trim() == "1"
    }

    fn addresses(&self) -> Vec<Ipv4Addr> {
        own_addresses(&read(&self.addresses))
    }
}

/// All of a file, again; nothing when that fails.
fn read(file: &Mutex<File>) -> String {
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    if read.is_ok() { text } else { String::new() }
}

/// The addresses of a machine, from the text of `fib_trie`: leaves, with what is known of each below.
fn own_addresses(trie: &str) -> Vec<Ipv4Addr> {
    let mut leaf: Option<Ipv4Addr> = None;
    let mut own = Vec::new();
    for line in trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.parse().ok();
        } else if line == "/32 host LOCAL" {
            own.extend(leaf);
        }
    }
    own
}

fn parse(text: &str) -> Vec<Ipv4Addr> {
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == "nameserver").then(|| words.next()?.parse::<Ipv4Addr>().ok()).flatten()
    });
    servers.filter(|address| !address.is_loopback() && !address.is_unspecified() && !address.is_link_local()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Resolvers, Teller, own_addresses, parse};
    use std::net::Ipv4Addr;

    #[test]
    fn only_what_guests_can_reach() {
        let text = "# a comment\nsearch example.com\nnameserver 127.0.0.53\nnameserver ::1\nnameserver\nnameserver 192.0.2.1 # x\n\
                    nameserver 192.0.2.2\nnameserver 169.254.1.1\n";
        assert_eq!(parse(text), [1, 2].map(|host| Ipv4Addr::new(192, 0, 2, host)));
        assert_eq!(parse("options edns0\n"), [] as [Ipv4Addr; 0]);
    }

    #[test]
    fn a_machine_knows_its_addresses() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 192.0.2.0\n        /24 link UNICAST\n\
                    Local:\n        |-- 127.0.0.0\n           /8 host LOCAL\n        |-- 127.0.0.1\n           /32 host LOCAL\n        \
                    |-- 192.0.2.7\n           /32 host LOCAL\n        |-- 192.0.2.255\n           /32 link BROADCAST\n";
        assert_eq!(own_addresses(trie), [Ipv4Addr::LOCALHOST, Ipv4Addr::new(192, 0, 2, 7)]);
    }

    #[test]
    fn what_was_named_is_told_and_nothing_of_a_machine_without_a_way_to_it() {
        let named: Vec<_> = (1..=4).map(|host| Ipv4Addr::new(192, 0, 2, host)).collect();
        assert_eq!(Teller::new(Resolvers::These(named.clone()), false).unwrap().tell(), named[..3]);
        assert_eq!(Teller::new(Resolvers::of_this_machine(), false).unwrap().tell(), [] as [Ipv4Addr; 0]);
    }
}
