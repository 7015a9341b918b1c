//! Addresses of members: which subnet, which address, which aliases (fact sheet §3.1, §7; dialects D.1).

use super::range::{self, RESERVED, overlaps};
use super::{Plan, Subnet};
use crate::{Error, FieldError, Result};
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use wolke_wire::Id;

/// Aliases that a member can have in one network, as the real service documents for its customers.
pub const ALIAS_IPS_MAX: usize = 5;

/// Networks that one server can be in, likewise.
pub const NETWORKS_PER_SERVER_MAX: usize = 3;

/// Members of one network at most: far beyond the real service, and still one answer.
pub const MEMBERS_MAX: i64 = 10_000;

/// The first bytes of the hardware addresses of private interfaces; the third counts down once the lower ones are used up
/// (fact sheet §7).
const MAC_PREFIX: [u8; 3] = [0x86, 0x00, 0xff];

/// A member in a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The network.
    pub network: Id,
    /// Which of the member's interfaces it is, from 1: the lowest that was free when it joined.
    pub slot: u32,
    /// The number of the interface among everybody's; 0 before it has one.
    pub number: i64,
    /// Its address.
    pub ip: Ipv4Addr,
    /// More addresses, in the order in which they were asked for.
    pub alias_ips: Vec<Ipv4Addr>,
}

/// What a new member asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seat {
    /// This address.
    pub ip: Option<Ipv4Addr>,
    /// In this subnet.
    pub range: Option<Ipv4Net>,
    /// With these aliases.
    pub alias_ips: Vec<Ipv4Addr>,
}

impl Seat {
    /// Checks a wish by itself.
    ///
    /// # Errors
    /// `invalid_input`, with everything that is wrong.
    pub fn parse(ip: Option<&str>, ip_range: Option<&str>, alias_ips: &[String]) -> Result<Self> {
        let mut fields = Vec::new();
        let ip = ip.and_then(|text| address("ip", text).map_err(|fault| fields.push(fault)).ok());
        let range = ip_range
            .and_then(|text| range::wrong("ip_range", range::parse(text)).map_err(|fault| fields.push(fault)).ok());
        let alias_ips = aliases(alias_ips).unwrap_or_else(|faults| {
            fields.extend(faults);
            Vec::new()
        });
        if let (Some(ip), Some(range)) = (ip, range)
            && !range.contains(&ip)
        {
            fields.push(FieldError::new("ip", format!("must lie inside ip_range, {range}")));
        }
        if let Some(at) = alias_ips.iter().position(|alias| Some(*alias) == ip) {
            fields.push(FieldError::new(format!("alias_ips[{at}]"), "must not be the same as ip"));
        }
        if fields.is_empty() { Ok(Self { ip, range, alias_ips }) } else { Err(Error::invalid_fields(fields)) }
    }
}

fn address(field: &str, text: &str) -> Result<Ipv4Addr, FieldError> {
    text.parse().map_err(|_| FieldError::new(field, "must be an IPv4 address"))
}

/// A list of aliases by itself: addresses, each once, not too many.
///
/// # Errors
/// Everything that is wrong.
pub fn aliases(texts: &[String]) -> Result<Vec<Ipv4Addr>, Vec<FieldError>> {
    if texts.len() > ALIAS_IPS_MAX {
        let message = format!("must not have more than {ALIAS_IPS_MAX} entries");
        return Err(vec![FieldError::new("alias_ips", message)]);
    }
    let (mut fields, mut seen) = (Vec::new(), BTreeSet::new());
    for (n, text) in texts.iter().enumerate() {
        let field = format!("alias_ips[{n}]");
        match address(&field, text) {
            Ok(alias) if seen.insert(alias) => {}
            Ok(_) => fields.push(FieldError::new(field, "is given twice")),
            Err(fault) => fields.push(fault),
        }
    }
    if fields.is_empty() { Ok(texts.iter().filter_map(|text| text.parse().ok()).collect()) } else { Err(fields) }
}

/// Whether two networks have an address in common: no server is in both (dialects D.1).
#[must_use]
pub fn overlap(a: &Plan, b: &Plan) -> bool {
    overlaps(&a.range, &b.range)
}

impl Plan {
    /// The subnets that a member in a zone can be in, in the order of the network: all of them, or the one that is asked for.
    pub fn subnets_for<'a>(&'a self, zone: &'a str, range: Option<Ipv4Net>) -> impl Iterator<Item = &'a Subnet> {
        self.subnets.iter().filter(move |subnet| {
            subnet.kind.is_for_members() && subnet.zone == zone && range.is_none_or(|range| range == subnet.range)
        })
    }

    /// Whether nobody gets an address of a subnet: the gateway, both ends of the subnet, and [`RESERVED`].
    #[must_use]
    pub fn is_reserved(&self, subnet: &Subnet, address: Ipv4Addr) -> bool {
        [self.first_address(), RESERVED, subnet.range.network(), subnet.range.broadcast()].contains(&address)
    }
}

/// The lowest address of a subnet, from one on, that a member could get if nobody had it: not reserved, and none of those that
/// are wanted otherwise. It tries no more than a few.
#[must_use]
pub fn assignable(plan: &Plan, subnet: &Subnet, unwanted: &[Ipv4Addr], from: Ipv4Addr) -> Option<Ipv4Addr> {
    let first = from.max(subnet.range.network());
    (u32::from(first)..=u32::from(subnet.range.broadcast()))
        .map(Ipv4Addr::from)
        .find(|address| !plan.is_reserved(subnet, *address) && !unwanted.contains(address))
}

/// The subnet of an address that a member in a zone asks for; none when it cannot have it, whoever else has it or not.
#[must_use]
pub fn requested<'a>(plan: &'a Plan, zone: &'a str, range: Option<Ipv4Net>, address: Ipv4Addr) -> Option<&'a Subnet> {
    plan.subnets_for(zone, range).find(|subnet| subnet.range.contains(&address) && !plan.is_reserved(subnet, address))
}

/// The lowest slot that none of a member's interfaces has.
#[must_use]
pub fn free_slot(interfaces: &[Interface]) -> u32 {
    let is_free = |slot: &u32| interfaces.iter().all(|interface| interface.slot != *slot);
    (1..).find(is_free).unwrap_or(u32::MAX)
}

/// The hardware address of a private interface, from its number: it stays the same for as long as the member stays.
#[must_use]
pub fn mac_address(number: i64) -> String {
    let [.., high, a, b, c] = number.to_be_bytes();
    let [x, y, z] = MAC_PREFIX;
    format!("{x:02x}:{y:02x}:{:02x}:{a:02x}:{b:02x}:{c:02x}", z.wrapping_sub(high))
}

#[cfg(test)]
mod tests {
    use super::super::Plan;
    use super::{ALIAS_IPS_MAX, Interface, Seat, assignable, free_slot, mac_address, overlap, requested};
    use crate::Error;
    use std::net::Ipv4Addr;
    use wolke_wire::cloud::network::{NewSubnet, SubnetType};

    fn plan(range: &str, subnets: &[(&str, &str, &str)]) -> Plan {
        let subnet = |(kind, range, zone): &(&str, &str, &str)| NewSubnet {
            kind: SubnetType::parse(kind).unwrap(),
            ip_range: Some((*range).into()),
            network_zone: (*zone).into(),
            vswitch_id: (*kind == "vswitch").then_some(1),
        };
        Plan::new(range, &subnets.iter().map(subnet).collect::<Vec<_>>(), &[], &|_| true).unwrap()
    }

    fn ip(text: &str) -> Ipv4Addr {
        text.parse().unwrap()
    }

    fn free(plan: &Plan, unwanted: &[&str], from: &str) -> Option<String> {
        let unwanted: Vec<_> = unwanted.iter().map(|text| ip(text)).collect();
        assignable(plan, &plan.subnets[0], &unwanted, ip(from)).map(|address| address.to_string())
    }

    #[test]
    fn the_lowest_assignable_address_is_found() {
        const ANY: &str = "0.0.0.0";
        let second = plan("10.0.0.0/16", &[("cloud", "10.0.1.0/24", "z")]);
        assert_eq!(free(&second, &[], ANY).unwrap(), "10.0.1.1", "the gateway is the network's, not the subnet's");
        assert_eq!(free(&second, &["10.0.1.1", "10.0.1.2", "10.0.1.4"], ANY).unwrap(), "10.0.1.3");
        assert_eq!(free(&second, &["10.0.1.3"], "10.0.1.3").unwrap(), "10.0.1.4");
        assert_eq!(free(&second, &[], "10.0.1.254").unwrap(), "10.0.1.254");
        assert_eq!(free(&second, &[], "10.0.1.255"), None, "the broadcast address");
        assert_eq!(free(&second, &[], "10.0.2.0"), None, "beyond the subnet");
        let first = plan("10.0.0.0/16", &[("cloud", "10.0.0.0/24", "z")]);
        assert_eq!(free(&first, &[], ANY).unwrap(), "10.0.0.2");
        let small = plan("10.0.0.0/24", &[("server", "10.0.0.0/30", "z")]);
        assert_eq!(free(&small, &[], ANY).unwrap(), "10.0.0.2");
        assert_eq!(free(&small, &["10.0.0.2"], ANY), None, "10.0.0.3 is the broadcast address");
        let public = plan("172.31.0.0/16", &[("cloud", "172.31.1.0/24", "z")]);
        assert_eq!(free(&public, &[], ANY).unwrap(), "172.31.1.2", "172.31.1.1 is the gateway of public interfaces");
    }

    #[test]
    fn members_are_in_subnets_of_their_zone() {
        let net = plan(
            "10.0.0.0/16",
            &[("vswitch", "10.0.1.0/24", "a"), ("cloud", "10.0.2.0/24", "b"), ("server", "10.0.3.0/24", "a")],
        );
        let ranges = |zone, range: Option<&str>| -> Vec<String> {
            let range = range.map(|text| text.parse().unwrap());
            net.subnets_for(zone, range).map(|subnet| subnet.range.to_string()).collect()
        };
        assert_eq!(ranges("a", None), ["10.0.3.0/24"]);
        assert_eq!(ranges("b", Some("10.0.2.0/24")), ["10.0.2.0/24"]);
        assert_eq!(ranges("a", Some("10.0.2.0/24")), Vec::<String>::new());
        assert_eq!(ranges("a", Some("10.0.1.0/24")), Vec::<String>::new(), "nobody of the cloud is behind a vSwitch");
        assert_eq!(ranges("c", None), Vec::<String>::new());
    }

    #[test]
    fn requested_addresses_are_in_a_subnet_and_not_reserved() {
        let net = plan("10.0.0.0/16", &[("cloud", "10.0.0.0/24", "a"), ("cloud", "10.0.2.0/24", "b")]);
        for good in ["10.0.0.2", "10.0.0.254"] {
            assert!(requested(&net, "a", None, ip(good)).is_some(), "{good}");
        }
        for bad in ["10.0.0.0", "10.0.0.1", "10.0.0.255", "10.0.1.1", "10.0.2.7", "192.168.0.7"] {
            assert!(requested(&net, "a", None, ip(bad)).is_none(), "{bad}");
        }
        assert!(requested(&net, "b", Some("10.0.2.0/24".parse().unwrap()), ip("10.0.2.7")).is_some());
        assert!(requested(&net, "b", Some("10.0.0.0/24".parse().unwrap()), ip("10.0.2.7")).is_none());
        let public = plan("172.31.0.0/16", &[("cloud", "172.31.1.0/24", "a")]);
        assert!(requested(&public, "a", None, ip("172.31.1.1")).is_none());
    }

    #[test]
    fn a_wish_says_everything_that_is_wrong() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let wrong = |ip, range, alias_ips: &[&str]| {
            let error = Seat::parse(ip, range, &texts(alias_ips)).unwrap_err();
            let Error::InvalidInput { fields, .. } = error else { panic!("{error}") };
            fields.into_iter().map(|field| field.name).collect::<Vec<_>>()
        };
        assert_eq!(wrong(Some("x"), Some("y"), &["z", "10.0.0.2"]), ["ip", "ip_range", "alias_ips[0]"]);
        assert_eq!(wrong(Some("10.0.1.2"), Some("10.0.0.0/24"), &[]), ["ip"]);
        assert_eq!(wrong(Some("10.0.0.2"), None, &["10.0.0.3", "10.0.0.2"]), ["alias_ips[1]"]);
        assert_eq!(wrong(None, None, &["10.0.0.3", "10.0.0.3"]), ["alias_ips[1]"]);
        assert_eq!(wrong(None, None, &["10.0.0.3"; ALIAS_IPS_MAX + 1]), ["alias_ips"]);
        let good = Seat::parse(None, Some("10.0.0.0/24"), &texts(&["10.0.0.9", "10.0.0.3"])).unwrap();
        assert_eq!(good.alias_ips, [ip("10.0.0.9"), ip("10.0.0.3")], "in the order in which they were asked for");
    }

    #[test]
    fn networks_overlap() {
        let net = |range| plan(range, &[]);
        assert!(overlap(&net("10.0.0.0/8"), &net("10.1.0.0/16")) && overlap(&net("10.1.0.0/16"), &net("10.0.0.0/8")));
        assert!(!overlap(&net("10.0.0.0/16"), &net("10.1.0.0/16")));
    }

    #[test]
    fn the_lowest_slot_is_given_again() {
        let at = |slot| Interface { network: 1, slot, number: 9, ip: ip("10.0.0.2"), alias_ips: Vec::new() };
        assert_eq!(free_slot(&[]), 1);
        assert_eq!(free_slot(&[at(1), at(2)]), 3);
        assert_eq!(free_slot(&[at(2), at(3)]), 1);
    }

    #[test]
    fn hardware_addresses_are_unique() {
        assert_eq!(mac_address(1), "86:00:ff:00:00:01");
        assert_eq!(mac_address(0x2a_7d_e1), "86:00:ff:2a:7d:e1");
        assert_eq!(mac_address(0x0100_0000), "86:00:fe:00:00:00");
    }
}
