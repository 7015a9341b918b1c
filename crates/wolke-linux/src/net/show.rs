//! What `ip -json` says, as far as it matters here.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

use super::space::failed;
use crate::engine::Result;
use crate::program::Program;

/// A device with its addresses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Device {
    pub(super) ifindex: u32,
    pub(super) ifname: String,
    /// The peer of a veth by name, when it is in the same namespace.
    pub(super) link: Option<String>,
    /// The peer of a veth by number, when it is in another one.
    pub(super) link_index: Option<u32>,
    pub(super) flags: Vec<String>,
    /// The hardware address.
    pub(super) address: String,
    pub(super) ifalias: Option<String>,
    linkinfo: LinkInfo,
    addr_info: Vec<Address>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct LinkInfo {
    info_kind: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Address {
    local: Option<IpAddr>,
    prefixlen: u8,
}

impl Device {
    /// `veth`, `tun` …
    pub(super) fn kind(&self) -> &str {
        &self.linkinfo.info_kind
    }

    pub(super) fn is_up(&self) -> bool {
        self.flags.iter().any(|flag| flag == "UP")
    }

    /// Its addresses, each with the length of its prefix.
    pub(super) fn addresses(&self) -> impl Iterator<Item = IpNet> + '_ {
        self.addr_info.iter().filter_map(|info| IpNet::new(info.local?, info.prefixlen).ok())
    }
}

/// A route.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Route {
    #[serde(rename = "type")]
    pub(super) kind: String,
    dst: String,
    table: String,
    protocol: String,
    pub(super) dev: Option<String>,
    pub(super) gateway: Option<IpAddr>,
    /// Only to tell the family of a default route.
    pref: Option<String>,
}

impl Route {
    /// Where it leads to; the default route is everything of its family.
    pub(super) fn destination(&self) -> Option<IpNet> {
        if self.dst == "default" {
            let all = if self.pref.is_some() { "::/0" } else { "0.0.0.0/0" };
            return all.parse().ok();
        }
        self.dst.parse().ok().or_else(|| self.dst.parse::<IpAddr>().ok().map(IpNet::from))
    }

    /// Whether somebody has set it, and not the kernel for an address.
    pub(super) fn is_set(&self) -> bool {
        self.table == "main" && self.protocol != "kernel"
    }
}

impl std::fmt::Display for Route {
    /// As `ip route` shows it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.kind == "unicast" { String::new() } else { format!("{} ", self.kind) };
        write!(f, "{kind}{}", self.dst)?;
        if let Some(gateway) = self.gateway {
            write!(f, " via {gateway}")?;
        }
        if let Some(device) = &self.dev {
            write!(f, " dev {device}")?;
        }
        Ok(())
    }
}

/// Devices; `None` when the one that was asked for does not exist.
pub(super) fn device(ip: Program, name: &str) -> Result<Option<Device>> {
    match ip.args(["-json", "-details", "address", "show", "dev", name]).run() {
        Ok(text) => Ok(parse::<Device>(&text)?.into_iter().next()),
        Err(error) if error.message.contains("does not exist") => Ok(None),
        Err(error) => Err(error),
    }
}

/// All devices.
pub(super) fn devices(ip: Program) -> Result<Vec<Device>> {
    parse(&ip.args(["-json", "-details", "address", "show"]).run()?)
}

/// Routes of all tables and both families: of a device, or all.
pub(super) fn routes(ip: Program, device: Option<&str>) -> Result<Vec<Route>> {
    let ip = ip.args(["-json", "-details", "route", "show", "table", "all"]);
    let ip = device.into_iter().fold(ip, |ip, device| ip.args(["dev", device]));
    let mut routes: Vec<Route> = parse(&ip.run()?)?;
    // `ip` leaves out what was asked for.
    if let Some(device) = device {
        routes.iter_mut().for_each(|route| route.dev = Some(device.to_owned()));
    }
    Ok(routes)
}

/// Several commands at once; the first that fails ends them.
pub(super) fn batch(ip: Program, lines: &[String]) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let text = lines.join("\n") + "\n";
    ip.args(["-batch", "-"]).input(text).run().map(drop).map_err(|error| {
        let command =
            error.message.rsplit_once("Command failed -:").and_then(|(_, at)| at.trim().parse::<usize>().ok());
        let command = command.and_then(|line| lines.get(line.checked_sub(1)?));
        failed(command.map_or_else(|| error.message.clone(), |line| format!("ip {line}: {}", error.message)))
    })
}

/// `ip` writes an empty text for an empty list.
fn parse<T: for<'a> Deserialize<'a>>(text: &str) -> Result<Vec<T>> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(text).map_err(|error| failed(format!("ip says something unexpected: {error}")))
}
