//! One link: from what there is to what it should be, as commands for `ip`. Nothing that is right is touched.
//!
//! Every link has the same gateway on it, so a guest's configuration does not depend on its neighbours, and one route per
//! address, so the kernel alone decides to whom a packet goes. What DHCP has to know when this process is new lies in the
//! kernel, too: the addresses are the routes, and the guest's hardware address is the alias of the device.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use wolke_wire::Id;

use super::show::{self, Device, Route};
use super::space::{Space, failed};
use super::{End, name};
use crate::engine::Result;

/// The gateway of every guest, as on the real service.
pub(super) const GATEWAY: Ipv4Addr = Ipv4Addr::new(172, 31, 1, 1);
/// The gateway of every guest for IPv6, with the prefix of the link.
const GATEWAY6: &str = "fe80::1/64";
/// The length of a guest's IPv6 network.
const IPV6_PREFIX: u8 = 64;
/// What stands before the guest's hardware address in the alias of a device.
const ALIAS: &str = "guest ";

/// What a link should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) server: Id,
    pub(super) mac: Mac,
    pub(super) end: End,
    /// Routed to the guest: its public address, or one of [`super::pool::LINK_LOCAL`].
    pub(super) ipv4: Ipv4Addr,
    pub(super) ipv6: Option<Ipv6Net>,
}

impl Wanted {
    /// The network in which the guest's address is.
    pub(super) fn network(address: Ipv6Addr) -> Ipv6Net {
        Ipv6Net::new_assert(address, IPV6_PREFIX).trunc()
    }

    fn routes(&self) -> Vec<IpNet> {
        std::iter::once(IpNet::from(IpAddr::from(self.ipv4))).chain(self.ipv6.map(IpNet::from)).collect()
    }
}

/// A link that there is.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) server: Id,
    pub(super) device: Device,
    /// The peer, while it is in the namespace and not in a container.
    peer: Option<Device>,
    routes: Vec<IpNet>,
}

impl Found {
    /// Puts one together from the devices and routes of the namespace.
    fn new(server: Id, device: Device, peer: Option<Device>, routes: &[Route]) -> Self {
        let own = routes.iter().filter(|route| route.is_set() && route.dev.as_deref() == Some(&*device.ifname));
        let routes = own.filter_map(Route::destination).collect();
        Self { server, device, peer, routes }
    }

    /// The hardware address that the guest should have.
    pub(super) fn mac(&self) -> Option<Mac> {
        Mac::parse(self.device.ifalias.as_ref()?.strip_prefix(ALIAS)?)
    }

    /// The IPv4 address that is routed to the guest.
    pub(super) fn ipv4(&self) -> Option<Ipv4Addr> {
        self.routes.iter().find_map(|route| match route {
            IpNet::V4(net) => Some(net.addr()),
            IpNet::V6(_) => None,
        })
    }

    /// The IPv6 network that is routed to the guest.
    pub(super) fn ipv6(&self) -> Option<Ipv6Net> {
        self.routes.iter().find_map(|route| match route {
            IpNet::V6(net) => Some(*net),
            IpNet::V4(_) => None,
        })
    }
}

/// A hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mac(pub(super) [u8; 6]);

impl Mac {
    /// `96:00:00:00:00:12`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2)?;
            *byte = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(Self(bytes))
    }
}

impl std::fmt::Display for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// The link of a server.
pub(super) fn look(space: &Space, server: Id) -> Result<Option<Found>> {
    let Some(device) = show::device(space.program("ip"), &name::device(server))? else {
        return Ok(None);
    };
    let peer = match &device.link {
        Some(peer) => show::device(space.program("ip"), peer)?,
        None => None,
    };
    let routes = show::routes(space.program("ip"), Some(&device.ifname))?;
    Ok(Some(Found::new(server, device, peer, &routes)))
}

/// All links.
pub(super) fn look_at_all(space: &Space) -> Result<Vec<Found>> {
    let devices = show::devices(space.program("ip"))?;
    let routes = show::routes(space.program("ip"), None)?;
    let links = devices.iter().filter_map(|device| {
        let server = name::server(&device.ifname).filter(|server| name::device(*server) == device.ifname)?;
        let peer = devices.iter().find(|other| Some(&other.ifname) == device.link.as_ref());
        Some(Found::new(server, device.clone(), peer.cloned(), &routes))
    });
    Ok(links.collect())
}

/// Makes the link what it should be, and returns it.
pub(super) fn ensure(space: &Space, wanted: &Wanted) -> Result<Found> {
    let found = look(space, wanted.server)?;
    let lines = plan(wanted, found.as_ref());
    if let (Some(found), true) = (found, lines.is_empty()) {
        return Ok(found);
    }
    show::batch(space.program("ip"), &lines)?;
    let made = look(space, wanted.server)?;
    made.filter(|made| plan(wanted, Some(made)).is_empty())
        .ok_or_else(|| failed(format!("{} does not become what it should be", name::device(wanted.server))))
}

/// Takes away every device of a server. A peer in a container goes with its other end.
pub(super) fn remove(space: &Space, server: Id) -> Result<()> {
    for device in [name::device(server), name::peer(server)] {
        match space.program("ip").args(["link", "delete", "dev", &device]).run() {
            Err(error) if !error.message.contains("Cannot find device") => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The commands that lead from what there is to what is wanted.
fn plan(wanted: &Wanted, found: Option<&Found>) -> Vec<String> {
    let device = name::device(wanted.server);
    let mut lines = Vec::new();
    let kind = match wanted.end {
        End::Tap => "tun",
        End::Veth => "veth",
    };
    let other_kind = found.is_some_and(|found| found.device.kind() != kind);
    if other_kind {
        lines.push(format!("link delete dev {device}"));
    }
    let found = found.filter(|_| !other_kind);
    match found {
        None => lines.extend(create(wanted, &device)),
        Some(found) => lines.extend(found.peer.as_ref().and_then(|peer| tidy(wanted, peer)).into_iter().flatten()),
    }
    let alias = format!("{ALIAS}{}", wanted.mac);
    if found.is_none_or(|found| found.device.ifalias.as_ref() != Some(&alias)) {
        lines.push(format!("link set dev {device} alias \"{alias}\""));
    }
    if found.is_none_or(|found| !found.device.is_up()) {
        // The gateway is the only address of the link: none is made from the hardware address.
        lines.push(format!("link set dev {device} addrgenmode none"));
        lines.push(format!("link set dev {device} up"));
    }
    let gateways = [IpNet::from(IpAddr::from(GATEWAY)).to_string(), GATEWAY6.to_owned()];
    let addresses: Vec<_> =
        found.iter().flat_map(|found| found.device.addresses()).map(|net| net.to_string()).collect();
    // The new first: with its last address a device loses its routes.
    let missing = gateways.iter().filter(|gateway| !addresses.contains(gateway));
    lines.extend(missing.map(|gateway| {
        let dad = if gateway.contains(':') { " nodad" } else { "" };
        format!("address add {gateway} dev {device}{dad}")
    }));
    let strange = addresses.iter().filter(|address| !gateways.contains(address));
    lines.extend(strange.map(|address| format!("address delete {address} dev {device}")));
    let routes = found.map(|found| found.routes.clone()).unwrap_or_default();
    let old = routes.iter().filter(|route| !wanted.routes().contains(route));
    lines.extend(old.map(|route| format!("route delete {route} dev {device}")));
    // An address that has been another server's comes over, whoever of the two is told first.
    let new = wanted.routes().into_iter().filter(|route| !routes.contains(route));
    lines.extend(new.map(|route| format!("route replace {route} dev {device}")));
    lines
}

fn create(wanted: &Wanted, device: &str) -> Vec<String> {
    match wanted.end {
        End::Tap => vec![format!("tuntap add dev {device} mode tap")],
        End::Veth => {
            let peer = name::peer(wanted.server);
            vec![format!("link add dev {device} type veth peer name {peer} address {}", wanted.mac)]
        }
    }
}

/// A peer that a container has given back: its name, its hardware address, and down, so that it has no address here.
fn tidy(wanted: &Wanted, peer: &Device) -> Option<Vec<String>> {
    let name = name::peer(wanted.server);
    let right = peer.ifname == name && peer.address == wanted.mac.to_string() && !peer.is_up();
    let set = |device: &str, what: String| format!("link set dev {device} {what}");
    (!right).then(|| {
        let mut lines = vec![set(&peer.ifname, "down".into())];
        if peer.ifname != name {
            lines.push(set(&peer.ifname, format!("name {name}")));
        }
        lines.push(set(&name, format!("address {}", wanted.mac)));
        lines
    })
}
