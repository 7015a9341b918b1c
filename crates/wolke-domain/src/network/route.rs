//! Which routes a network can have.
//!
//! Destinations are private ranges, with one exception: `0.0.0.0/0`. The documents do not name it, but whoever lets servers
//! without public addresses out through another one uses it, and the real service takes it. The longest prefix wins, so a default
//! route overlaps nothing.

use super::range::{self, RESERVED, overlaps, wrong};
use super::{Plan, Route};
use crate::FieldError;
use std::net::Ipv4Addr;
use wolke_wire::cloud::network as wire;
use wolke_wire::cloud::network::SubnetType;

impl Route {
    /// Checks a route by itself. `prefix` stands before the names of fields: `routes[0].`.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub(super) fn parse(prefix: &str, new: &wire::Route) -> Result<Self, Vec<FieldError>> {
        let destination = wrong(&format!("{prefix}destination"), destination(&new.destination));
        let gateway = wrong(
            &format!("{prefix}gateway"),
            new.gateway.parse::<Ipv4Addr>().map_err(|_| "must be an IPv4 address".to_owned()),
        );
        match (destination, gateway) {
            (Ok(destination), Ok(gateway)) => Ok(Self { destination, gateway }),
            (destination, gateway) => Err(destination.err().into_iter().chain(gateway.err()).collect()),
        }
    }

    /// Whether it is for everything that no other route is for.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.destination.prefix_len() == 0
    }
}

fn destination(text: &str) -> Result<ipnet::Ipv4Net, String> {
    let net = range::parse(text)?;
    if net.prefix_len() == 0 || range::is_private(&net) { Ok(net) } else { Err(range::NOT_PRIVATE.to_owned()) }
}

impl Plan {
    /// What is wrong with a new route in this network: with its destination, and with its gateway.
    pub(super) fn faults_of(&self, prefix: &str, route: &Route) -> Vec<FieldError> {
        let destination = self.fault_of_destination(route).map(|m| FieldError::new(format!("{prefix}destination"), m));
        let gateway = self.fault_of_gateway(route.gateway).map(|m| FieldError::new(format!("{prefix}gateway"), m));
        destination.into_iter().chain(gateway).collect()
    }

    fn fault_of_destination(&self, new: &Route) -> Option<String> {
        let wanted = &new.destination;
        if new.is_default() {
            let taken = self.routes.iter().any(Route::is_default);
            return taken.then(|| "overlaps the destination of another route, 0.0.0.0/0".to_owned());
        }
        if let Some(subnet) = self.subnets.iter().find(|subnet| overlaps(&subnet.range, wanted)) {
            return Some(format!("overlaps the subnet {}", subnet.range));
        }
        let mut others = self.routes.iter().filter(|other| !other.is_default());
        if let Some(other) = others.find(|other| overlaps(&other.destination, wanted)) {
            return Some(format!("overlaps the destination of another route, {}", other.destination));
        }
        let reserved = [self.first_address(), RESERVED];
        reserved
            .into_iter()
            .find(|address| wanted.contains(address))
            .map(|address| format!("contains {address}, which is reserved"))
    }

    fn fault_of_gateway(&self, gateway: Ipv4Addr) -> Option<String> {
        if !self.range.contains(&gateway) {
            return Some(format!("must lie inside the range of the network, {}", self.range));
        }
        if [self.range.network(), self.first_address(), RESERVED].contains(&gateway) {
            return Some(format!("must not be {gateway}, which is reserved"));
        }
        let mut behind = self.subnets.iter().filter(|subnet| subnet.kind == SubnetType::Vswitch);
        behind.any(|subnet| subnet.range.contains(&gateway)).then(|| "must not be behind a vSwitch".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Plan;
    use wolke_wire::cloud::network::{NewSubnet, Route, SubnetType};

    fn network(range: &str) -> Plan {
        let subnet = |kind, range: &str, vswitch_id| NewSubnet {
            kind,
            ip_range: Some(range.into()),
            network_zone: "eu-central".into(),
            vswitch_id,
        };
        let base = range.rsplit_once(".0.0/").unwrap().0;
        let subnets = [
            subnet(SubnetType::Cloud, &format!("{base}.1.0/24"), None),
            subnet(SubnetType::Vswitch, &format!("{base}.2.0/24"), Some(1)),
        ];
        Plan::new(range, &subnets, &[], &|_| true).unwrap()
    }

    fn route(destination: &str, gateway: &str) -> Route {
        Route { destination: destination.into(), gateway: gateway.into() }
    }

    fn refused(plan: &Plan, (destination, gateway): (&str, &str), field: &str, words: &str) {
        let message = plan.with_route(&route(destination, gateway)).unwrap_err().message();
        assert!(
            message.contains(&format!("'{field}'")) && message.contains(words),
            "{destination} {gateway}: {message}"
        );
    }

    #[test]
    fn destinations_are_private_or_everything() {
        let net = network("10.0.0.0/16");
        for good in ["10.100.1.0/24", "192.168.0.0/16", "172.16.0.0/16", "10.1.2.3/32", "0.0.0.0/0"] {
            assert!(net.with_route(&route(good, "10.0.1.7")).is_ok(), "{good}");
        }
        for bad in ["8.8.8.0/24", "0.0.0.0/1", "172.0.0.0/8", "100.64.0.0/10"] {
            refused(&net, (bad, "10.0.1.7"), "destination", "RFC 1918");
        }
        refused(&net, ("10.100.1.7/24", "10.0.1.7"), "destination", "must begin at its network address: 10.100.1.0/24");
        refused(&net, ("x", "10.0.1.7"), "destination", "CIDR");
        assert_eq!(
            net.with_route(&route("x", "y")).unwrap_err().message(),
            "invalid input in fields 'destination', 'gateway'"
        );
    }

    #[test]
    fn destinations_overlap_nothing() {
        let net = network("10.0.0.0/16").with_route(&route("10.100.0.0/16", "10.0.1.7")).unwrap();
        refused(&net, ("10.0.1.128/25", "10.0.1.7"), "destination", "overlaps the subnet 10.0.1.0/24");
        refused(&net, ("10.0.2.0/24", "10.0.1.7"), "destination", "overlaps the subnet 10.0.2.0/24");
        refused(&net, ("10.100.0.0/16", "10.0.1.8"), "destination", "overlaps the destination of another route");
        refused(&net, ("10.100.1.0/24", "10.0.1.7"), "destination", "10.100.0.0/16");
        refused(&net, ("10.0.0.0/28", "10.0.1.7"), "destination", "contains 10.0.0.1, which is reserved");
        refused(&net, ("172.31.0.0/16", "10.0.1.7"), "destination", "contains 172.31.1.1, which is reserved");
        let net = net.with_route(&route("0.0.0.0/0", "10.0.1.7")).unwrap();
        refused(&net, ("0.0.0.0/0", "10.0.1.8"), "destination", "another route, 0.0.0.0/0");
        assert!(net.with_route(&route("192.168.0.0/24", "10.0.1.7")).is_ok());
    }

    #[test]
    fn gateways_are_addresses_of_the_network() {
        let net = network("10.0.0.0/16");
        for good in ["10.0.1.1", "10.0.77.1", "10.0.0.2"] {
            assert!(net.with_route(&route("10.100.0.0/16", good)).is_ok(), "{good}: no subnet need have it");
        }
        for bad in ["10.1.0.1", "192.168.0.1"] {
            refused(&net, ("10.100.0.0/16", bad), "gateway", "must lie inside the range of the network, 10.0.0.0/16");
        }
        for bad in ["10.0.0.0", "10.0.0.1"] {
            refused(&net, ("10.100.0.0/16", bad), "gateway", "which is reserved");
        }
        refused(&net, ("10.100.0.0/16", "10.0.2.9"), "gateway", "must not be behind a vSwitch");
        refused(&net, ("10.100.0.0/16", "::1"), "gateway", "must be an IPv4 address");
        let around = network("172.31.0.0/16");
        let around = around.without_subnet("172.31.1.0/24").unwrap().0;
        refused(&around, ("10.100.0.0/16", "172.31.1.1"), "gateway", "172.31.1.1, which is reserved");
    }
}
