//! The network of guests: a namespace of its own, a routed link per server, DHCP and metadata.

use std::sync::Arc;

use wolke_host::PublicNic;
use wolke_wire::Id;
use wolke_wire::metadata::Metadata;

use crate::engine::Result;

/// Settings of the network.
#[derive(Clone, Debug)]
pub struct NetOptions {
    /// The namespace's name: `/run/netns/<name>`.
    pub namespace: String,
    /// The ranges that are routed from the machine into the namespace, as `198.18.0.0/15`; empty: the namespace has no way out.
    pub ranges: Vec<String>,
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

/// What the network asks about guests.
pub trait Guests: Send + Sync {
    /// What the metadata service tells this server.
    fn metadata(&self, server: Id) -> Option<Metadata>;

    /// The server has read everything that it reads at first boot.
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

/// The network of a host.
pub struct Net {}

impl Net {
    /// Makes the namespace as it should be, or adopts it, and serves the links that are there.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`].
    pub fn open(options: NetOptions, guests: Arc<dyn Guests>) -> Result<Self> {
        let _ = (options, guests);
        Ok(Self {})
    }

    /// The link of a server is as described: device, addresses, routes, filters, DHCP and metadata.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`].
    pub fn ensure(&self, server: Id, nic: &PublicNic, end: End) -> Result<Link> {
        let _ = (server, nic, end);
        todo!()
    }

    /// Nothing of the link is left.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`].
    pub fn remove(&self, server: Id) -> Result<()> {
        let _ = server;
        todo!()
    }

    /// The servers that have something here.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`].
    pub fn list(&self) -> Result<Vec<Id>> {
        todo!()
    }

    /// What went over a link; zeros without one.
    ///
    /// # Errors
    /// [`wolke_host::HostError::ENGINE`].
    pub fn counters(&self, server: Id) -> Result<LinkCounters> {
        let _ = server;
        todo!()
    }
}
