//! Which subnets a network can have.

use super::range::{self, overlaps, wrong};
use super::{Plan, Subnet};
use crate::FieldError;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use wolke_wire::Id;
use wolke_wire::cloud::network::{NewSubnet, SubnetType};

/// The longest prefix of a subnet (dialects D.1).
const SUBNET_PREFIX_MAX: u8 = 30;

/// The prefix of a subnet whose range is not asked for (dialects D.1).
const DEFAULT_PREFIX: u8 = 24;

/// Addresses of a range with [`DEFAULT_PREFIX`].
const DEFAULT_SIZE: u64 = 1 << (32 - DEFAULT_PREFIX);

/// Answers whether there is a network zone of a name.
pub(super) type Zones<'a> = &'a dyn Fn(&str) -> bool;

/// A subnet that is asked for, as far as it can be checked by itself.
pub(super) struct Wish {
    kind: SubnetType,
    /// The first free range of the default size when none.
    pub range: Option<Ipv4Net>,
    zone: String,
    vswitch: Option<Id>,
}

impl Wish {
    /// Checks a subnet by itself. `prefix` stands before the names of fields: `subnets[0].`.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn parse(prefix: &str, new: &NewSubnet, zones: Zones<'_>) -> Result<Self, Vec<FieldError>> {
        let field = |name: &str| format!("{prefix}{name}");
        let mut fields = Vec::new();
        let range = match new.ip_range.as_deref().map(|text| wrong(&field("ip_range"), of_subnet(text))) {
            Some(Err(fault)) => {
                fields.push(fault);
                None
            }
            Some(Ok(range)) => Some(range),
            None => None,
        };
        if !zones(&new.network_zone) {
            fields.push(FieldError::new(field("network_zone"), format!("'{}' is no network zone", new.network_zone)));
        }
        match (new.kind == SubnetType::Vswitch, new.vswitch_id) {
            (true, None) => {
                fields.push(FieldError::new(field("vswitch_id"), "is required for subnets of type vswitch"));
            }
            (false, Some(_)) => {
                fields.push(FieldError::new(field("vswitch_id"), "can only be used with subnets of type vswitch"));
            }
            _ => {}
        }
        let wish = Self { kind: new.kind, range, zone: new.network_zone.clone(), vswitch: new.vswitch_id };
        if fields.is_empty() { Ok(wish) } else { Err(fields) }
    }
}

fn of_subnet(text: &str) -> Result<Ipv4Net, String> {
    let net = range::parse(text)?;
    if net.prefix_len() > SUBNET_PREFIX_MAX {
        return Err(format!("must be a /{SUBNET_PREFIX_MAX} or larger"));
    }
    Ok(net)
}

/// What a subnet cannot share addresses with.
enum Obstacle {
    Subnet(Ipv4Net),
    Destination(Ipv4Net),
    Gateway(Ipv4Addr),
}

impl Obstacle {
    fn range(&self) -> Ipv4Net {
        match self {
            Self::Subnet(range) | Self::Destination(range) => *range,
            Self::Gateway(address) => Ipv4Net::from(*address),
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Subnet(range) => format!("overlaps the subnet {range}"),
            Self::Destination(range) => format!("overlaps the destination of a route, {range}"),
            Self::Gateway(address) => format!("contains the gateway of a route, {address}"),
        }
    }
}

impl Plan {
    /// What is in the way of a subnet: other subnets, destinations of routes, and for one behind a vSwitch the gateways of
    /// routes (dialects D.1). A default route is in nobody's way.
    fn obstacle(&self, kind: SubnetType, wanted: &Ipv4Net) -> Option<Obstacle> {
        let subnet = self.subnets.iter().map(|subnet| subnet.range).find(|range| overlaps(range, wanted));
        let destinations = self.routes.iter().filter(|route| !route.is_default()).map(|route| route.destination);
        let destination = || destinations.into_iter().find(|range| overlaps(range, wanted));
        let gateway = || {
            let mut gateways = self.routes.iter().map(|route| route.gateway);
            gateways.find(|gateway| kind == SubnetType::Vswitch && wanted.contains(gateway))
        };
        subnet
            .map(Obstacle::Subnet)
            .or_else(|| destination().map(Obstacle::Destination))
            .or_else(|| gateway().map(Obstacle::Gateway))
    }

    /// The first free range of the default size.
    fn first_free(&self, kind: SubnetType) -> Option<Ipv4Net> {
        let end = u64::from(u32::from(self.range.broadcast()));
        let mut at = u64::from(u32::from(self.range.network()));
        while at + DEFAULT_SIZE - 1 <= end {
            let address = Ipv4Addr::from(u32::try_from(at).ok()?);
            let candidate = Ipv4Net::new(address, DEFAULT_PREFIX).ok()?;
            let Some(obstacle) = self.obstacle(kind, &candidate) else { return Some(candidate) };
            // Behind it: however large it is, it is looked at once.
            let last = u64::from(u32::from(obstacle.range().broadcast()));
            at = (last / DEFAULT_SIZE + 1) * DEFAULT_SIZE;
        }
        None
    }

    /// Adds a subnet and gives its range.
    ///
    /// # Errors
    /// What is wrong with the range that is asked for; that none of the default size is free.
    pub(super) fn take(&mut self, wish: &Wish) -> Result<Ipv4Net, String> {
        let range = match wish.range {
            None => self
                .first_free(wish.kind)
                .ok_or_else(|| format!("is required: no /{DEFAULT_PREFIX} is free in {}", self.range))?,
            Some(range) if !self.range.contains(&range) => {
                return Err(format!("must lie inside the range of the network, {}", self.range));
            }
            Some(range) => match self.obstacle(wish.kind, &range) {
                Some(obstacle) => return Err(obstacle.message()),
                None => range,
            },
        };
        self.subnets.push(Subnet { kind: wish.kind, range, zone: wish.zone.clone(), vswitch: wish.vswitch });
        Ok(range)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Plan;
    use crate::Error;
    use wolke_wire::cloud::network::{NewSubnet, Route, SubnetType};

    fn subnet(range: Option<&str>) -> NewSubnet {
        NewSubnet {
            kind: SubnetType::Cloud,
            ip_range: range.map(str::to_owned),
            network_zone: "eu-central".into(),
            vswitch_id: None,
        }
    }

    fn vswitch(range: &str) -> NewSubnet {
        NewSubnet { kind: SubnetType::Vswitch, vswitch_id: Some(1), ..subnet(Some(range)) }
    }

    fn plan(range: &str, subnets: &[&str], routes: &[(&str, &str)]) -> Plan {
        let subnets: Vec<_> = subnets.iter().map(|range| subnet(Some(range))).collect();
        let route = |(to, via): &(&str, &str)| Route { destination: (*to).into(), gateway: (*via).into() };
        Plan::new(range, &subnets, &routes.iter().map(route).collect::<Vec<_>>(), &|_| true).unwrap()
    }

    /// The range of the added subnet, or the message.
    fn add(plan: &Plan, new: &NewSubnet) -> Result<String, String> {
        match plan.with_subnet(new, &|zone| zone == "eu-central") {
            Ok((_, range)) => Ok(range.to_string()),
            Err(error) => Err(error.message()),
        }
    }

    fn refused(plan: &Plan, new: &NewSubnet, field: &str, words: &str) {
        let message = add(plan, new).unwrap_err();
        assert!(message.contains(&format!("'{field}'")) && message.contains(words), "{message}");
    }

    #[test]
    fn a_subnet_lies_inside_the_network_and_apart_from_others() {
        let net = plan("10.0.0.0/16", &["10.0.1.0/24"], &[]);
        for outside in ["10.1.0.0/24", "10.0.0.0/8", "192.168.0.0/24"] {
            refused(&net, &subnet(Some(outside)), "ip_range", "must lie inside the range of the network, 10.0.0.0/16");
        }
        for overlapping in ["10.0.1.0/24", "10.0.0.0/23", "10.0.1.128/25", "10.0.0.0/16"] {
            refused(&net, &subnet(Some(overlapping)), "ip_range", "overlaps the subnet 10.0.1.0/24");
        }
        assert_eq!(add(&net, &subnet(Some("10.0.2.0/24"))).unwrap(), "10.0.2.0/24");
        assert_eq!(add(&plan("10.0.0.0/24", &[], &[]), &subnet(Some("10.0.0.0/24"))).unwrap(), "10.0.0.0/24");
    }

    #[test]
    fn a_subnet_is_at_least_a_30_and_well_formed() {
        let net = plan("10.0.0.0/16", &[], &[]);
        assert!(add(&net, &subnet(Some("10.0.1.4/30"))).is_ok());
        refused(&net, &subnet(Some("10.0.1.4/31")), "ip_range", "must be a /30 or larger");
        refused(&net, &subnet(Some("10.0.1.4/24")), "ip_range", "must begin at its network address: 10.0.1.0/24");
        refused(&net, &subnet(Some("rubbish")), "ip_range", "CIDR");
    }

    #[test]
    fn a_subnet_keeps_off_destinations_of_routes() {
        let net = plan("10.0.0.0/8", &[], &[("10.100.0.0/16", "10.0.1.1"), ("0.0.0.0/0", "10.0.1.1")]);
        refused(&net, &subnet(Some("10.100.7.0/24")), "ip_range", "overlaps the destination of a route, 10.100.0.0/16");
        assert!(add(&net, &subnet(Some("10.101.0.0/24"))).is_ok(), "a default route is in nobody's way");
        assert!(add(&net, &subnet(Some("10.0.1.0/24"))).is_ok(), "gateways may be in subnets");
    }

    #[test]
    fn a_vswitch_subnet_needs_a_vswitch_and_no_gateway_of_a_route() {
        let net = plan("10.0.0.0/16", &[], &[("10.100.0.0/16", "10.0.1.7")]);
        refused(&net, &vswitch("10.0.1.0/24"), "ip_range", "contains the gateway of a route, 10.0.1.7");
        let (behind, _) = net.with_subnet(&vswitch("10.0.2.0/24"), &|_| true).unwrap();
        assert!(behind.has_behind_vswitch("10.0.2.7".parse().unwrap()));
        assert!(!behind.has_behind_vswitch("10.0.3.7".parse().unwrap()));
        assert!(!net.has_behind_vswitch("10.0.2.7".parse().unwrap()));
        let without = NewSubnet { vswitch_id: None, ..vswitch("10.0.2.0/24") };
        refused(&net, &without, "vswitch_id", "is required");
        let needless = NewSubnet { vswitch_id: Some(1), ..subnet(Some("10.0.2.0/24")) };
        refused(&net, &needless, "vswitch_id", "only be used");
    }

    #[test]
    fn zones_are_known() {
        let net = plan("10.0.0.0/16", &[], &[]);
        let nowhere = NewSubnet { network_zone: "moon".into(), ..subnet(Some("10.0.9.9/24")) };
        let error = net.with_subnet(&nowhere, &|zone| zone == "eu-central").unwrap_err();
        let Error::InvalidInput { fields, .. } = error else { panic!("{error}") };
        let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["ip_range", "network_zone"], "everything wrong at once");
    }

    #[test]
    fn without_a_range_the_first_free_24_is_taken() {
        let first =
            |range: &str, subnets: &[&str], routes: &[(&str, &str)]| add(&plan(range, subnets, routes), &subnet(None));
        assert_eq!(first("10.0.0.0/16", &[], &[]).unwrap(), "10.0.0.0/24");
        assert_eq!(first("10.0.0.0/16", &["10.0.0.0/24", "10.0.1.128/25"], &[]).unwrap(), "10.0.2.0/24");
        assert_eq!(first("10.0.0.0/8", &["10.0.0.0/9"], &[]).unwrap(), "10.128.0.0/24");
        assert_eq!(
            first("10.0.0.0/16", &["10.0.0.0/24"], &[("10.0.1.0/25", "10.0.0.9")]).unwrap(),
            "10.0.2.0/24",
            "destinations are not free"
        );
        for full in [first("10.0.0.0/24", &["10.0.0.0/30"], &[]), first("10.0.0.0/16", &["10.0.0.0/16"], &[])] {
            assert!(full.unwrap_err().contains("'ip_range': is required: no /24 is free"));
        }
        let behind = NewSubnet { ip_range: None, ..vswitch("10.0.0.0/24") };
        let net = plan("10.0.0.0/16", &[], &[("10.100.0.0/16", "10.0.0.9")]);
        assert_eq!(add(&net, &behind).unwrap(), "10.0.1.0/24", "gateways of routes are not behind a vSwitch");
        let top = plan("192.168.255.0/24", &[], &[]);
        assert_eq!(add(&top, &subnet(None)).unwrap(), "192.168.255.0/24");
    }
}
