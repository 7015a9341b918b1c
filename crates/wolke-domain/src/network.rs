//! Private networks: what a network is made of, and every rule about its ranges, routes and addresses as a pure function
//! (dialects D.1, fact sheet §3.5, §7).
//!
//! A network is one private range. Its subnets are parts of that range which do not overlap; servers and load balancers get
//! addresses of the subnets of their network zone. The first address of the *network* is the gateway of all of them.
//!
//! **Invariant:** a [`Plan`] that came out of these functions keeps every rule; each of them takes a plan and gives another
//! one, or says everything that is wrong.

mod address;
mod plan;
mod range;
mod route;
mod subnet;

pub use address::{
    ALIAS_IPS_MAX, Interface, MEMBERS_MAX, NETWORKS_PER_SERVER_MAX, Seat, aliases, assignable, free_slot, mac_address,
    overlap, requested,
};
pub use range::RESERVED;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use wolke_wire::Id;
use wolke_wire::cloud::network::SubnetType;

/// Subnets of one network at most, as the real service documents for its customers.
pub const SUBNETS_MAX: usize = 50;

/// Routes of one network at most, likewise.
pub const ROUTES_MAX: usize = 100;

/// What a network is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The whole range.
    #[serde(with = "text")]
    pub range: Ipv4Net,
    /// Its parts, in the order in which they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<Subnet>,
    /// Its routes, in the order in which they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
}

/// A part of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: SubnetType,
    /// Its range.
    #[serde(with = "text")]
    pub range: Ipv4Net,
    /// The network zone of its members.
    pub zone: String,
    /// The vSwitch, for the type of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vswitch: Option<Id>,
}

/// Where packets to a destination go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The destination.
    #[serde(with = "text")]
    pub destination: Ipv4Net,
    /// The next hop.
    pub gateway: Ipv4Addr,
}

impl Plan {
    /// The first address of the range: the gateway, which nobody else gets (fact sheet §7).
    #[must_use]
    pub fn first_address(&self) -> Ipv4Addr {
        range::first(&self.range)
    }

    /// Where members of a subnet send what is for others: the first address of the network, and of the subnet itself behind a
    /// vSwitch (fact sheet §3.5).
    #[must_use]
    pub fn gateway_of(&self, subnet: &Subnet) -> Ipv4Addr {
        if subnet.kind == SubnetType::Vswitch { range::first(&subnet.range) } else { self.first_address() }
    }

    /// The subnet that holds an address.
    #[must_use]
    pub fn subnet_with(&self, address: Ipv4Addr) -> Option<&Subnet> {
        self.subnets.iter().find(|subnet| subnet.range.contains(&address))
    }

    /// Whether an address is one of a dedicated server behind a vSwitch.
    #[must_use]
    pub fn has_behind_vswitch(&self, address: Ipv4Addr) -> bool {
        self.subnet_with(address).is_some_and(|subnet| subnet.vswitch.is_some())
    }
}

/// Ranges as text.
mod text {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::fmt::Display;
    use std::str::FromStr;

    pub fn serialize<T: Display, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(value)
    }

    pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(d: D) -> Result<T, D::Error>
    where
        T::Err: Display,
    {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Plan;
    use wolke_wire::cloud::network::{NewSubnet, Route, SubnetType};

    #[test]
    fn a_plan_is_stored_as_text_and_read_back() {
        let subnet = NewSubnet {
            kind: SubnetType::Vswitch,
            ip_range: Some("10.0.1.0/24".into()),
            network_zone: "eu-central".into(),
            vswitch_id: Some(7),
        };
        let route = Route { destination: "10.100.1.0/24".into(), gateway: "10.0.2.1".into() };
        let plan = Plan::new("10.0.0.0/16", &[subnet], &[route], &|_| true).unwrap();
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(
            text,
            r#"{"range":"10.0.0.0/16","subnets":[{"type":"vswitch","range":"10.0.1.0/24","zone":"eu-central","vswitch":7}],"routes":[{"destination":"10.100.1.0/24","gateway":"10.0.2.1"}]}"#
        );
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
        let bare = serde_json::from_str::<Plan>(r#"{"range":"192.168.0.0/24"}"#).unwrap();
        assert_eq!(bare.first_address().to_string(), "192.168.0.1");
    }
}
