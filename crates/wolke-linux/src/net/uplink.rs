//! The uplink: a veth pair between the namespace and the one in which `wolke` runs, and the routes of the ranges over it.
//!
//! Without ranges there is none. Everything of it that is outside hangs on its one device there and goes with it.

use std::net::IpAddr;

use ipnet::IpNet;

use super::link::GATEWAY;
use super::name;
use super::pool::{Pair, RESERVED};
use super::show::{self, Device, Route};
use super::space::{self, Space, failed};
use crate::engine::Result;
use crate::program::Program;

/// The uplink is as it should be for these ranges.
pub(super) fn ensure(space: &Space, ranges: &[String]) -> Result<()> {
    let ranges = parse(ranges)?;
    if ranges.is_empty() {
        return remove(space);
    }
    let outside = name::uplink(space.name());
    let around = show::routes(Program::new("ip"), None)?;
    check(&ranges, &around, &outside)?;
    let device = match adopt(space, &outside)? {
        Some(device) => device,
        None => create(space, &outside)?,
    };
    let taken = around.iter().filter(|route| route.dev.as_ref() != Some(&outside)).filter_map(Route::destination);
    let pair = match device.addresses().find_map(Pair::with_outside) {
        Some(pair) => pair,
        None => Pair::choose(space.name(), &taken.collect::<Vec<_>>())?,
    };
    let families = [false, true].map(|six| ranges.iter().any(|range| is_six(range) == six));
    let gateway = |six: bool, end: (ipnet::Ipv4Net, ipnet::Ipv6Net)| -> IpAddr {
        if six { end.1.addr().into() } else { end.0.addr().into() }
    };
    let ends = |end: (ipnet::Ipv4Net, ipnet::Ipv6Net)| -> Vec<IpNet> {
        let four = families[0].then(|| vec![end.0.into()]);
        let six = families[1].then(|| vec![end.1.into(), Pair::of_link(end).into()]);
        four.into_iter().chain(six).flatten().collect()
    };
    let over: Vec<_> = ranges.iter().map(|range| (*range, gateway(is_six(range), pair.inside))).collect();
    let lines = plan(&device, &ends(pair.outside), &over, &around);
    show::batch(Program::new("ip"), &lines)?;

    let within = show::routes(space.program("ip"), None)?;
    let device = show::device(space.program("ip"), name::UPLINK)?.ok_or_else(|| failed("the uplink has vanished"))?;
    let all = ["0.0.0.0/0", "::/0"].map(|all| all.parse::<IpNet>());
    let back = all.into_iter().flatten().filter(|all| families[usize::from(is_six(all))]);
    let back: Vec<_> = back.map(|all| (all, gateway(is_six(&all), pair.outside))).collect();
    let mut lines = plan(&device, &ends(pair.inside), &back, &within);
    lines.extend(unreachable(&ranges, &within));
    show::batch(space.program("ip"), &lines)
}

/// Nothing of the uplink is left, outside or inside.
pub(super) fn remove(space: &Space) -> Result<()> {
    let outside = name::uplink(space.name());
    if adopt(space, &outside)?.is_some() {
        Program::new("ip").args(["link", "delete", "dev", &outside]).run()?;
    }
    let lines: Vec<_> = unreachable(&[], &show::routes(space.program("ip"), None)?);
    show::batch(space.program("ip"), &lines)
}

/// The outer end of the uplink that is there. What is left of another one, by a death half way or from a namespace of the same
/// name that is gone, is removed.
fn adopt(space: &Space, outside: &str) -> Result<Option<Device>> {
    let outer = show::device(Program::new("ip"), outside)?;
    let inner = show::device(space.program("ip"), name::UPLINK)?;
    let (here, there) = aliases(space)?;
    if let (Some(outer), Some(inner)) = (&outer, &inner)
        && outer.link_index == Some(inner.ifindex)
        && inner.link_index == Some(outer.ifindex)
        && inner.ifalias.as_ref() == Some(&there)
        && outer.ifalias.as_ref() == Some(&here)
    {
        return Ok(Some(outer.clone()));
    }
    if inner.is_some() {
        space.program("ip").args(["link", "delete", "dev", name::UPLINK]).run()?;
    }
    match show::device(Program::new("ip"), outside)? {
        Some(other) if other.ifalias.as_ref() != Some(&here) => Err(failed(format!(
            "this machine has a device {outside} that is not the uplink of the namespace {}: rename it, or name the \
             namespace differently",
            space.name()
        ))),
        Some(_) => Program::new("ip").args(["link", "delete", "dev", outside]).run().map(|_| None),
        None => Ok(None),
    }
}

/// How the ends are marked: whose they are, and where the other one is.
fn aliases(space: &Space) -> Result<(String, String)> {
    Ok((format!("wolke uplink of {}", space.name()), format!("wolke uplink to {}", space::own()?)))
}

fn create(space: &Space, outside: &str) -> Result<Device> {
    let (here, there) = aliases(space)?;
    // Marked inside, where nobody else is, then moved out: a death half way leaves nothing that is not known as ours.
    let lines = [
        format!("link add dev {} type veth peer name {outside}", name::UPLINK),
        format!("link set dev {} alias \"{there}\"", name::UPLINK),
        format!("link set dev {outside} alias \"{here}\""),
    ];
    let _ = space.program("ip").args(["link", "delete", "dev", outside]).succeeds()?;
    show::batch(space.program("ip"), &lines)?;
    let own = rustix::fs::readlink("/proc/thread-self", Vec::new()).map_err(|error| failed(error.to_string()))?;
    let own = own.to_string_lossy().rsplit('/').next().unwrap_or_default().to_owned();
    space.program("ip").args(["link", "set", "dev", outside, "netns", &own]).run()?;
    show::device(Program::new("ip"), outside)?.ok_or_else(|| failed(format!("{outside} has vanished")))
}

/// What is missing at one end, and what is too much: addresses and routes over it.
fn plan(device: &Device, addresses: &[IpNet], over: &[(IpNet, IpAddr)], routes: &[Route]) -> Vec<String> {
    let name = &device.ifname;
    let mut lines = Vec::new();
    if !device.is_up() {
        // No address is made from the hardware address. A move to another namespace forgets this.
        lines.push(format!("link set dev {name} addrgenmode none"));
        lines.push(format!("link set dev {name} up"));
    }
    let found: Vec<_> = device.addresses().collect();
    // The new first: with its last address a device loses its routes.
    let missing = addresses.iter().filter(|address| !found.contains(address));
    lines.extend(missing.map(|address| {
        let dad = if is_six(address) { " nodad" } else { "" };
        format!("address add {address} dev {name}{dad}")
    }));
    let strange = found.iter().filter(|address| !addresses.contains(address));
    lines.extend(strange.map(|address| format!("address delete {address} dev {name}")));
    let own: Vec<_> = routes.iter().filter(|route| route.is_set() && route.dev.as_ref() == Some(name)).collect();
    let right = |route: &Route, (to, gateway): &(IpNet, IpAddr)| {
        route.destination() == Some(*to) && route.gateway == Some(*gateway)
    };
    let strange = own.iter().filter(|route| !over.iter().any(|wanted| right(route, wanted)));
    lines.extend(strange.filter_map(|route| route.destination()).map(|to| format!("route delete {to} dev {name}")));
    let missing = over.iter().filter(|wanted| !own.iter().any(|route| right(route, wanted)));
    lines.extend(missing.map(|(to, gateway)| format!("route replace {to} via {gateway} dev {name}")));
    lines
}

/// Addresses of the ranges that no guest has end here: else they would go out by the default route and come back.
fn unreachable(ranges: &[IpNet], routes: &[Route]) -> Vec<String> {
    let found: Vec<_> = routes.iter().filter(|route| route.is_set() && route.kind == "unreachable").collect();
    let found: Vec<_> = found.into_iter().filter_map(Route::destination).collect();
    let strange = found.iter().filter(|range| !ranges.contains(range));
    let missing = ranges.iter().filter(|range| !found.contains(range));
    let strange = strange.map(|range| format!("route delete unreachable {range}"));
    strange.chain(missing.map(|range| format!("route add unreachable {range}"))).collect()
}

fn is_six(net: &IpNet) -> bool {
    matches!(net, IpNet::V6(_))
}

fn parse(ranges: &[String]) -> Result<Vec<IpNet>> {
    let range = |text: &String| {
        let net: IpNet = text.parse().map_err(|_| failed(format!("{text:?} is not a range such as 198.18.0.0/15")))?;
        if net != net.trunc() {
            return Err(failed(format!("{text} is not a range: {} is", net.trunc())));
        }
        let own = [IpNet::from(IpAddr::from(GATEWAY)), RESERVED.into()];
        match own.iter().find(|own| own.contains(&net) || net.contains(*own)) {
            Some(own) => {
                Err(failed(format!("the range {net} contains or touches {own}, which the guests' network needs")))
            }
            None => Ok(net),
        }
    };
    ranges.iter().map(range).collect()
}

/// No range is routed elsewhere by this machine, as a whole or in part.
fn check(ranges: &[IpNet], around: &[Route], uplink: &str) -> Result<()> {
    let others = around.iter().filter(|route| route.dev.as_deref() != Some(uplink));
    let others = others.filter_map(|route| Some((route, route.destination()?)));
    for (route, destination) in others {
        if let Some(range) = ranges.iter().find(|range| range.contains(&destination)) {
            return Err(failed(format!(
                "the range {range} is not free: this machine has a route `{route}`; remove it or take another range"
            )));
        }
    }
    Ok(())
}
