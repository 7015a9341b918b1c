//! From one plan to the next: what the operations do to a network.

use super::range::{self, wrong};
use super::subnet::{Wish, Zones};
use super::{Plan, ROUTES_MAX, Route, SUBNETS_MAX, Subnet};
use crate::{Error, FieldError, Result};
use ipnet::Ipv4Net;
use wolke_wire::cloud::network::{self as wire, NewSubnet};

/// What is said of a list that is too long.
fn too_many(field: &str, given: usize, most: usize) -> Option<FieldError> {
    (given > most).then(|| FieldError::new(field, format!("must not have more than {most} entries")))
}

impl Plan {
    /// The plan of a new network. `zones` knows the network zones.
    ///
    /// Subnets that name their range come first, so that those that do not get what is left.
    ///
    /// # Errors
    /// Everything that is wrong, by field: `ip_range`, `subnets[0].ip_range`, `routes[1].gateway`, ….
    pub fn new(
        ip_range: &str,
        subnets: &[NewSubnet],
        routes: &[wire::Route],
        zones: &dyn Fn(&str) -> bool,
    ) -> Result<Self, Vec<FieldError>> {
        let mut fields: Vec<FieldError> =
            [too_many("subnets", subnets.len(), SUBNETS_MAX), too_many("routes", routes.len(), ROUTES_MAX)]
                .into_iter()
                .flatten()
                .collect();
        if !fields.is_empty() {
            return Err(fields);
        }
        let range = wrong("ip_range", range::of_network(ip_range)).map_err(|fault| fields.push(fault)).ok();
        let wishes: Vec<(String, Option<Wish>)> = subnets
            .iter()
            .enumerate()
            .map(|(n, new)| {
                let prefix = format!("subnets[{n}].");
                let wish = Wish::parse(&prefix, new, zones).map_err(|faults| fields.extend(faults)).ok();
                (prefix, wish)
            })
            .collect();
        let wanted: Vec<(String, Option<Route>)> = routes
            .iter()
            .enumerate()
            .map(|(n, new)| {
                let prefix = format!("routes[{n}].");
                let route = Route::parse(&prefix, new).map_err(|faults| fields.extend(faults)).ok();
                (prefix, route)
            })
            .collect();
        // What is inside cannot be judged without the range.
        let Some(range) = range else { return Err(fields) };
        let mut plan = Self { range, subnets: Vec::new(), routes: Vec::new() };
        plan.take_all(&wishes, true, &mut fields);
        plan.add_all(&wanted, &mut fields);
        plan.take_all(&wishes, false, &mut fields);
        if fields.is_empty() { Ok(plan) } else { Err(fields) }
    }

    /// Adds the subnets of a new network that name their range, or those that do not.
    fn take_all(&mut self, wishes: &[(String, Option<Wish>)], named: bool, fields: &mut Vec<FieldError>) {
        let known = wishes.iter().filter_map(|(prefix, wish)| Some((prefix, wish.as_ref()?)));
        for (prefix, wish) in known.filter(|(_, wish)| wish.range.is_some() == named) {
            let taken = self.take(wish);
            fields.extend(wrong(&format!("{prefix}ip_range"), taken).err());
        }
    }

    /// Adds the routes of a new network.
    fn add_all(&mut self, routes: &[(String, Option<Route>)], fields: &mut Vec<FieldError>) {
        for (prefix, route) in routes.iter().filter_map(|(prefix, route)| Some((prefix, (*route)?))) {
            let faults = self.faults_of(prefix, &route);
            if faults.is_empty() {
                self.routes.push(route);
            }
            fields.extend(faults);
        }
    }

    /// With another subnet, whose range is given, too.
    ///
    /// # Errors
    /// `invalid_input`, with everything that is wrong; `resource_limit_exceeded`.
    pub fn with_subnet(&self, new: &NewSubnet, zones: Zones<'_>) -> Result<(Self, Ipv4Net)> {
        let wish = Wish::parse("", new, zones).map_err(Error::invalid_fields)?;
        if self.subnets.len() >= SUBNETS_MAX {
            return Err(Error::limit("network_subnet_limit", "subnet"));
        }
        let mut plan = self.clone();
        let range = wrong("ip_range", plan.take(&wish)).map_err(|fault| Error::invalid_fields(vec![fault]))?;
        Ok((plan, range))
    }

    /// Without a subnet, which is given, too.
    ///
    /// # Errors
    /// `invalid_input` for what is no range; `not_found`.
    pub fn without_subnet(&self, ip_range: &str) -> Result<(Self, Subnet)> {
        let range = wrong("ip_range", range::parse(ip_range)).map_err(|fault| Error::invalid_fields(vec![fault]))?;
        let mut plan = self.clone();
        let found = plan.subnets.iter().position(|subnet| subnet.range == range);
        let found = found.ok_or_else(|| Error::subnet_not_found(ip_range))?;
        let gone = plan.subnets.remove(found);
        Ok((plan, gone))
    }

    /// With another route.
    ///
    /// # Errors
    /// `invalid_input`, with everything that is wrong; `resource_limit_exceeded`.
    pub fn with_route(&self, new: &wire::Route) -> Result<Self> {
        let route = Route::parse("", new).map_err(Error::invalid_fields)?;
        if self.routes.len() >= ROUTES_MAX {
            return Err(Error::limit("network_route_limit", "route"));
        }
        let faults = self.faults_of("", &route);
        if !faults.is_empty() {
            return Err(Error::invalid_fields(faults));
        }
        let mut plan = self.clone();
        plan.routes.push(route);
        Ok(plan)
    }

    /// Without a route, which destination and gateway name together (fact sheet §3.5).
    ///
    /// # Errors
    /// `invalid_input` for what is no route; `not_found`.
    pub fn without_route(&self, old: &wire::Route) -> Result<Self> {
        let route = Route::parse("", old).map_err(Error::invalid_fields)?;
        let mut plan = self.clone();
        let found = plan.routes.iter().position(|other| *other == route);
        plan.routes.remove(found.ok_or_else(|| Error::route_not_found(&old.destination, &old.gateway))?);
        Ok(plan)
    }

    /// With a larger range. It begins where it began, so nothing that is there has to move (dialects D.1).
    ///
    /// # Errors
    /// `invalid_input`.
    pub fn with_range(&self, ip_range: &str) -> Result<Self> {
        let range =
            wrong("ip_range", range::of_network(ip_range)).map_err(|fault| Error::invalid_fields(vec![fault]))?;
        if range.network() != self.range.network() || range.prefix_len() >= self.range.prefix_len() {
            return Err(Error::invalid(
                "ip_range",
                format!("must extend {} and begin at the same address", self.range),
            ));
        }
        Ok(Self { range, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Plan, ROUTES_MAX, SUBNETS_MAX};
    use crate::FieldError;
    use wolke_wire::ErrorCode;
    use wolke_wire::cloud::network::{NewSubnet, Route, SubnetType};

    fn subnet(range: Option<&str>) -> NewSubnet {
        let ip_range = range.map(str::to_owned);
        NewSubnet { kind: SubnetType::Cloud, ip_range, network_zone: "eu-central".into(), vswitch_id: None }
    }

    fn route(destination: &str, gateway: &str) -> Route {
        Route { destination: destination.into(), gateway: gateway.into() }
    }

    fn names(fields: &[FieldError]) -> Vec<&str> {
        fields.iter().map(|field| field.name.as_str()).collect()
    }

    #[test]
    fn a_new_network_says_everything_that_is_wrong() {
        let zones = |zone: &str| zone == "eu-central";
        let wrong = Plan::new("8.0.0.0/8", &[subnet(Some("x")), subnet(None)], &[route("y", "z")], &zones).unwrap_err();
        assert_eq!(names(&wrong), ["ip_range", "subnets[0].ip_range", "routes[0].destination", "routes[0].gateway"]);
        let subnets = [subnet(Some("10.0.1.0/24")), subnet(Some("10.0.1.0/25")), subnet(Some("10.9.0.0/24"))];
        let routes = [route("10.0.1.0/24", "10.0.0.1"), route("10.100.0.0/16", "10.0.3.1")];
        let wrong = Plan::new("10.0.0.0/16", &subnets, &routes, &zones).unwrap_err();
        let expected = ["subnets[1].ip_range", "subnets[2].ip_range", "routes[0].destination", "routes[0].gateway"];
        assert_eq!(names(&wrong), expected);
    }

    #[test]
    fn ranges_that_are_asked_for_go_before_those_that_are_not() {
        let subnets = [subnet(None), subnet(Some("10.0.0.0/24")), subnet(None)];
        let plan = Plan::new("10.0.0.0/16", &subnets, &[route("10.0.2.0/24", "10.0.0.9")], &|_| true).unwrap();
        let ranges: Vec<String> = plan.subnets.iter().map(|subnet| subnet.range.to_string()).collect();
        assert_eq!(ranges, ["10.0.0.0/24", "10.0.1.0/24", "10.0.3.0/24"]);
    }

    #[test]
    fn lists_are_bounded() {
        let subnets: Vec<_> = (0..=SUBNETS_MAX).map(|n| subnet(Some(&format!("10.0.{n}.0/24")))).collect();
        let routes: Vec<_> = (0..=ROUTES_MAX).map(|n| route(&format!("10.100.{n}.0/24"), "10.0.0.9")).collect();
        let wrong = Plan::new("10.0.0.0/16", &subnets, &routes, &|_| true).unwrap_err();
        assert_eq!(names(&wrong), ["subnets", "routes"]);
        let full = Plan::new("10.0.0.0/16", &subnets[..SUBNETS_MAX], &routes[..ROUTES_MAX], &|_| true).unwrap();
        let subnet = full.with_subnet(&subnets[SUBNETS_MAX], &|_| true).unwrap_err();
        let route = full.with_route(&routes[ROUTES_MAX]).unwrap_err();
        assert_eq!([subnet.code(), route.code()], [ErrorCode::ResourceLimitExceeded; 2]);
    }

    #[test]
    fn a_range_only_grows_and_stays_where_it_begins() {
        let plan = Plan::new("10.0.0.0/24", &[subnet(Some("10.0.0.0/24"))], &[], &|_| true).unwrap();
        let wide = plan.with_range("10.0.0.0/16").unwrap();
        assert_eq!((wide.range.to_string(), &wide.subnets), ("10.0.0.0/16".to_owned(), &plan.subnets));
        assert_eq!(wide.with_range("10.0.0.0/8").unwrap().range.to_string(), "10.0.0.0/8");
        for bad in ["10.0.0.0/24", "10.0.0.0/16", "11.0.0.0/8", "x", "10.0.2.0/15", "192.168.0.0/16"] {
            assert_eq!(wide.with_range(bad).unwrap_err().code(), ErrorCode::InvalidInput, "{bad}");
        }
        let middle = Plan::new("10.1.0.0/16", &[], &[], &|_| true).unwrap();
        assert!(middle.with_range("10.0.0.0/8").unwrap_err().message().contains("begin at the same address"));
        assert!(plan.with_range("10.0.0.0/7").unwrap_err().message().contains("RFC 1918"));
    }

    #[test]
    fn subnets_and_routes_go_by_what_names_them() {
        let plan = Plan::new(
            "10.0.0.0/16",
            &[subnet(Some("10.0.1.0/24")), subnet(Some("10.0.2.0/24"))],
            &[route("10.100.0.0/16", "10.0.1.7")],
            &|_| true,
        );
        let plan = plan.unwrap();
        let (left, gone) = plan.without_subnet("10.0.1.0/24").unwrap();
        assert_eq!((left.subnets.len(), gone.range.to_string()), (1, "10.0.1.0/24".to_owned()));
        assert_eq!(plan.without_subnet("10.0.1.0/25").unwrap_err().code(), ErrorCode::NotFound);
        assert_eq!(plan.without_subnet("10.0.1.1/24").unwrap_err().code(), ErrorCode::InvalidInput);
        assert!(plan.without_route(&route("10.100.0.0/16", "10.0.1.7")).unwrap().routes.is_empty());
        let other = plan.without_route(&route("10.100.0.0/16", "10.0.1.8")).unwrap_err();
        assert_eq!(other.message(), "route to '10.100.0.0/16' via '10.0.1.8' not found");
        assert_eq!(plan.without_route(&route("x", "10.0.1.8")).unwrap_err().code(), ErrorCode::InvalidInput);
    }
}
