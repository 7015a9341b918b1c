//! The network of guests: a namespace of its own, a routed link per server, DHCP and metadata.
//!
//! ```text
//!  where wolke runs │ namespace "wolke"                        │ guests
//!  198.18.0.0/15 ─► wolke0 ═ uplink ─► route 198.18.0.1/32 ─► wk1 ═ tap ── QEMU
//!                   │                  route 198.18.0.2/32 ─► wk2 ═ wkp2 ─ container
//! ```
//!
//! Map: `name` (devices from ids), `pool` (addresses of our own), `space` (the namespace), `show` (what `ip` says), `uplink`,
//! `link`, `filter` (nft), `dhcp`, `metadata`, `resolvers`, `serve` (the thread of the latter three).
//!
//! **Invariants:** nothing of a guest is outside the namespace but the routes of whole ranges; the kernel is the only memory,
//! so a new process finds what its predecessor made, repairs what is half done, and touches nothing that is right.

mod dhcp;
mod filter;
mod link;
mod metadata;
mod name;
mod pool;
mod resolvers;
mod serve;
mod show;
mod space;
mod uplink;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wolke_host::PublicNic;
use wolke_wire::Id;
use wolke_wire::metadata::Metadata;

use crate::engine::Result;

pub use resolvers::{RESOLVERS_MAX, Resolvers};

use filter::{Address, Source};
use link::{Found, Mac, Wanted};
use pool::LINK_LOCAL;
use resolvers::Teller;
use serve::{Served, Servers};
use space::{Space, failed};

/// Settings of the network.
#[derive(Clone, Debug)]
pub struct NetOptions {
    /// The namespace's name: `/run/netns/<name>`.
    pub namespace: String,
    /// The ranges that are routed from the machine into the namespace, as `198.18.0.0/15`; empty: the namespace has no way out.
    pub ranges: Vec<String>,
    /// The resolvers that guests are told.
    pub resolvers: Resolvers,
}

/// What hangs on the guest's end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A tap device for QEMU.
    Tap,
    /// A veth peer that is moved into a container.
    Veth,
}

/// A link of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The device for the engine, inside the namespace: the tap, or the peer for the container.
    pub device: String,
    /// The hardware address of the guest.
    pub mac: String,
    /// The namespace's file, for `nsenter --net=`.
    pub namespace: std::path::PathBuf,
}

/// What the network asks about guests. It is asked by threads of its own, which may be kept waiting for a short time.
pub trait Guests: Send + Sync {
    /// What the metadata service tells this server.
    fn metadata(&self, server: Id) -> Option<Metadata>;

    /// Its host name, for DHCP.
    fn host_name(&self, server: Id) -> Option<String> {
        self.metadata(server).map(|metadata| metadata.hostname)
    }

    /// The server has read the summary to its end, and with it what is told once: the password of root. Told again whenever
    /// it reads it again.
    fn delivered(&self, server: Id);
}

/// Bytes and packets of a link, from the guest's point of view, since the link was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Bytes received by the guest.
    pub bytes_in: u64,
    /// Bytes sent by the guest.
    pub bytes_out: u64,
    /// Packets received by the guest.
    pub packets_in: u64,
    /// Packets sent by the guest.
    pub packets_out: u64,
}

/// The network of a host. Functions are called from threads of the namespace in which it was opened.
pub struct Net {
    space: Space,
    servers: Servers,
    links: Mutex<BTreeMap<Id, Held>>,
}

/// What is known of a link while this process lives.
#[derive(Clone, Debug)]
struct Held {
    /// Its IPv4 address, of whichever sort.
    ipv4: Option<Ipv4Addr>,
    /// Its elements in the filters' sets.
    sources: BTreeSet<Source>,
}

impl Held {
    fn has(&self, address: Address) -> bool {
        self.sources.iter().any(|source| source.address == address)
    }
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Net").field("space", &self.space).finish_non_exhaustive()
    }
}

impl Net {
    /// Makes the namespace as it should be, or adopts it, and serves the links that are there.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`]: a program fails, or the machine routes one of the ranges elsewhere.
    pub fn open(options: NetOptions, guests: Arc<dyn Guests>) -> Result<Self> {
        let space = Space::open(&options.namespace)?;
        let found = link::look_at_all(&space)?;
        let links: BTreeMap<_, _> = found.iter().map(|link| (link.server, held(link))).collect();
        // The filters first: what comes next opens the way to the guests.
        filter::open(&space, &links.values().flat_map(|held| held.sources.clone()).collect())?;
        uplink::ensure(&space, &options.ranges)?;
        let teller = Teller::new(options.resolvers, !options.ranges.is_empty())?;
        let servers = Servers::start(&space, guests, teller)?;
        for link in &found {
            // A link that is half made gets served when it is whole.
            if let Some(served) = served(link) {
                servers.serve(served)?;
            }
        }
        Ok(Self { space, servers, links: Mutex::new(links) })
    }

    /// The link of a server is as described: device, addresses, routes, filters, DHCP and metadata.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`].
    pub fn ensure(&self, server: Id, nic: &PublicNic, end: End) -> Result<Link> {
        let mac = Mac::parse(&nic.mac).ok_or_else(|| failed(format!("{:?} is not a hardware address", nic.mac)))?;
        let ipv4 = self.claim(server, nic.ipv4)?;
        let wanted = Wanted { server, mac, end, ipv4, ipv6: nic.ipv6.map(Wanted::network) };
        let link = link::ensure(&self.space, &wanted)?;
        self.filter(server, held(&link))?;
        let served = served(&link).ok_or_else(|| failed(format!("{} is not whole", link.device.ifname)))?;
        self.servers.serve(served)?;
        let device = match end {
            End::Tap => name::device(server),
            End::Veth => name::peer(server),
        };
        Ok(Link { device, mac: mac.to_string(), namespace: self.space.path().to_owned() })
    }

    /// Nothing of the link is left.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`].
    pub fn remove(&self, server: Id) -> Result<()> {
        self.servers.stop(server)?;
        link::remove(&self.space, server)?;
        self.filter(server, Held { ipv4: None, sources: BTreeSet::new() })?;
        filter::forget(&self.space, &name::device(server))?;
        self.lock().remove(&server);
        Ok(())
    }

    /// The servers that have something here.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`].
    pub fn list(&self) -> Result<Vec<Id>> {
        let servers: BTreeSet<_> =
            traffic(&self.space)?.iter().filter_map(|(device, _)| name::server(device)).collect();
        Ok(servers.into_iter().collect())
    }

    /// What went over a link; zeros without one.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`].
    pub fn counters(&self, server: Id) -> Result<LinkCounters> {
        let device = name::device(server);
        let found = traffic(&self.space)?.into_iter().find(|(name, _)| *name == device);
        Ok(found.map(|(_, counters)| counters).unwrap_or_default())
    }

    /// Packets to DHCP that were no requests, since this network was opened.
    #[must_use]
    pub fn malformed(&self) -> u64 {
        self.servers.malformed()
    }

    /// Ends serving; nothing else is to be called after it. The links stay, and with them the namespace, as long as there are any: guests outlive this process. With
    /// none left nothing remains: no uplink, no route, no namespace. Says whether that is so.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`].
    pub fn close(&self) -> Result<bool> {
        self.servers.end();
        if !self.space.exists() {
            return Ok(true);
        }
        let empty = self.list()?.is_empty();
        if empty {
            uplink::remove(&self.space)?;
            self.space.remove()?;
        }
        Ok(empty)
    }

    /// The IPv4 address that is routed to a server: its own, or one for its metadata alone, noted at once, so that no two
    /// servers get the same one.
    fn claim(&self, server: Id, public: Option<Ipv4Addr>) -> Result<Ipv4Addr> {
        let mut links = self.lock();
        let own = links.get(&server).and_then(|held| held.ipv4).filter(|own| LINK_LOCAL.contains(own));
        let taken = |address| links.values().any(|held| held.ipv4 == Some(address));
        let address = match (public, own) {
            (Some(address), _) | (None, Some(address)) => address,
            (None, None) => pool::link_local(server, &taken)?,
        };
        links.entry(server).or_insert_with(|| Held { ipv4: None, sources: BTreeSet::new() }).ipv4 = Some(address);
        Ok(address)
    }

    /// The filters let a server send from these addresses and no others, and nobody else from them: an address that moves is
    /// not its old owner's any more, even before he is told.
    fn filter(&self, server: Id, wanted: Held) -> Result<()> {
        let device = name::device(server);
        let theirs = |source: &Source| source.device == device || wanted.has(source.address);
        let known =
            self.lock().values().flat_map(|held| held.sources.iter().filter(|own| theirs(own)).cloned()).collect();
        if filter::change(&self.space, &known, &wanted.sources).is_err() {
            // Somebody else has changed them: what counts is what is there.
            let found = filter::look(&self.space)?.unwrap_or_default();
            let known = found.into_iter().filter(theirs).collect();
            filter::change(&self.space, &known, &wanted.sources)?;
        }
        let mut links = self.lock();
        links.values_mut().for_each(|held| held.sources.retain(|own| !theirs(own)));
        links.insert(server, wanted);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Id, Held>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn held(link: &Found) -> Held {
    let addresses = link.ipv4().map(Address::V4).into_iter().chain(link.ipv6().map(Address::V6));
    let sources = addresses.map(|address| Source { device: link.device.ifname.clone(), address }).collect();
    Held { ipv4: link.ipv4(), sources }
}

fn served(link: &Found) -> Option<Served> {
    let address = link.ipv4()?;
    Some(Served {
        server: link.server,
        device: link.device.ifname.clone(),
        ifindex: link.device.ifindex,
        lease: dhcp::Lease { mac: link.mac()?, address, public: !LINK_LOCAL.contains(&address) },
    })
}

/// The devices of the namespace with what went over them, from the guests' point of view.
fn traffic(space: &Space) -> Result<Vec<(String, LinkCounters)>> {
    let path = "/proc/thread-self/net/dev";
    let text = space.inside(|| std::fs::read_to_string(path).map_err(|error| failed(format!("{path}: {error}"))))?;
    let device = |line: &str| {
        let (name, numbers) = line.split_once(':')?;
        let numbers: Vec<u64> = numbers.split_whitespace().map_while(|number| number.parse().ok()).collect();
        // Eight of what the device received, then eight of what it sent: each begins with bytes and packets.
        let &[bytes_out, packets_out, _, _, _, _, _, _, bytes_in, packets_in, ..] = numbers.as_slice() else {
            return None;
        };
        Some((name.trim().to_owned(), LinkCounters { bytes_in, bytes_out, packets_in, packets_out }))
    };
    Ok(text.lines().filter_map(device).collect())
}
