//! Making load balancers, with all that they can begin with.

use super::target::Adding;
use super::{WHAT, health, note, service, this};
use crate::action;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::place::in_location;
use crate::primary_ip::{self, Holder};
use crate::view::{Json, Shown};
use crate::{input, network, real};
use std::sync::Arc;
use wolke_domain::catalogue::{Catalogue, LoadBalancerType, Location};
use wolke_domain::load_balancer::reach::Ways;
use wolke_domain::load_balancer::{self as rules, Aim, Allowed, PER_REQUEST_MAX};
use wolke_domain::network::Seat;
use wolke_domain::primary_ip::{Assignee, first_address};
use wolke_domain::{Error, FieldError, Result, name};
use wolke_store::load_balancer::{Details, LoadBalancer, PublicIp};
use wolke_store::{Counter, Race, Tx, limit, load_balancer, network as networks};
use wolke_wire::cloud::load_balancer::{AlgorithmType, CreateLoadBalancer, CreatePublicNet, Service};
use wolke_wire::{ErrorCode, Id, Kind, Timestamp};

/// A request, as far as it can be read without looking anything up.
struct Checked {
    request: CreateLoadBalancer,
    services: Vec<Service>,
    targets: Vec<Aim>,
}

/// Reads each entry of a list; names what is wrong in any of them.
fn each<T, U>(
    list: &str,
    asked: &[T],
    wrong: &mut Vec<FieldError>,
    read: impl Fn(&str, &T) -> std::result::Result<U, Vec<FieldError>>,
) -> Vec<U> {
    if asked.len() > PER_REQUEST_MAX {
        wrong.push(FieldError::new(list, format!("must not have more than {PER_REQUEST_MAX} entries")));
        return Vec::new();
    }
    let one = |(position, asked)| read(&format!("{list}[{position}]."), asked).map_err(|faults| wrong.extend(faults));
    asked.iter().enumerate().map(one).filter_map(std::result::Result::ok).collect()
}

/// The primary IPs that it shall have: field, family, id.
fn named(request: &CreateLoadBalancer) -> [(&'static str, i64, Option<Id>); 2] {
    let CreatePublicNet { ipv4, ipv6 } = request.public_net.unwrap_or_default();
    [("public_net.ipv4", 4, ipv4), ("public_net.ipv6", 6, ipv6)]
}

fn check(request: CreateLoadBalancer) -> Result<Checked> {
    let mut wrong = input::wrong(name::resource_name, Some(&request.name), Some(&request.labels));
    let services = each("services", &request.services, &mut wrong, rules::service::make);
    let targets = each("targets", &request.targets, &mut wrong, rules::aim);
    match (&request.location, &request.network_zone) {
        (Some(_), Some(_)) => {
            wrong.push(FieldError::new("location", "must not be given together with network_zone"));
            wrong.push(FieldError::new("network_zone", "must not be given together with location"));
        }
        (None, None) => {
            wrong.extend(
                ["location", "network_zone"]
                    .map(|field| FieldError::new(field, "either location or network_zone is required")),
            );
        }
        _ => {}
    }
    if !request.public_interface {
        let named = named(&request).into_iter().filter(|(_, _, primary_ip)| primary_ip.is_some());
        let text = "must not be given while the public interface is disabled";
        wrong.extend(named.map(|(field, ..)| FieldError::new(field, text)));
    }
    input::refuse(wrong)?;
    Ok(Checked { request, services, targets })
}

/// The type that is asked for.
fn kind<'a>(catalogue: &'a Catalogue, request: &CreateLoadBalancer, now: Timestamp) -> Result<&'a LoadBalancerType> {
    let asked = &request.load_balancer_type;
    let found = catalogue.load_balancer_type(asked).filter(|kind| kind.is_listed(now));
    found.ok_or_else(|| Error::not_found_named(Kind::LoadBalancerType, &asked.to_string()))
}

/// Where it goes: the location that is asked for, or one of the zone where the type can be had: that of the first primary IP
/// that is named (`beside`), else the first.
fn place<'a>(
    catalogue: &'a Catalogue,
    kind: &LoadBalancerType,
    request: &CreateLoadBalancer,
    beside: Option<Id>,
    now: Timestamp,
) -> Result<&'a Location> {
    let is_offered =
        |location: &&Location| kind.offers.iter().any(|offer| offer.location == location.id && offer.is_orderable(now));
    let found = match (&request.location, &request.network_zone) {
        (Some(asked), _) => {
            let location = catalogue.location(asked);
            let missing = || Error::not_found_named(Kind::Location, &asked.to_string());
            Some(location.ok_or_else(missing)?).filter(is_offered)
        }
        (None, Some(zone)) => {
            let there = || catalogue.locations.iter().filter(|location| location.network_zone == *zone);
            if there().next().is_none() {
                return Err(Error::invalid("network_zone", "is no network zone"));
            }
            let mut offered = there().filter(is_offered).peekable();
            let first = offered.peek().copied();
            offered.find(|location| beside == Some(location.id)).or(first)
        }
        (None, None) => return Err(Error::internal("a load balancer without a place")),
    };
    found.ok_or_else(|| {
        let message = format!("load balancer type {} is not available in the requested location", kind.name);
        Error::refused(ErrorCode::ResourceUnavailable, message)
    })
}

/// Where the first primary IP is that is named.
fn beside(tx: &mut dyn Tx, project: Id, request: &CreateLoadBalancer) -> Result<Option<Id>> {
    match named(request).into_iter().find_map(|(.., primary_ip)| primary_ip) {
        Some(id) => Ok(Some(wolke_store::primary_ip::expect(tx, project, id)?.value.details.location)),
        None => Ok(None),
    }
}

/// Gives it its addresses, IPv4 first: the named primary IPs, else new ones that go when it goes.
fn public_ips(tx: &mut dyn Tx, core: &Core, holder: &Holder, request: &CreateLoadBalancer) -> Result<[PublicIp; 2]> {
    let mut public_ip = |(_, family, named): (_, i64, Option<Id>)| {
        let own = match named {
            Some(id) => primary_ip::take_for(tx, holder, id, family)?,
            None => primary_ip::make_for(tx, core, holder, family)?,
        };
        Ok(PublicIp { ip: first_address(&own.ip)? })
    };
    let [ipv4, ipv6] = named(request);
    Ok([public_ip(ipv4)?, public_ip(ipv6)?])
}

fn create(tx: &mut dyn Tx, core: &Core, project: Id, refuse: bool, asked: &Checked) -> Result<(Id, Id)> {
    let Checked { request, services, targets } = asked;
    let (catalogue, now) = (core.catalogue(), tx.now());
    let kind = kind(&catalogue, request, now)?;
    let beside = beside(tx, project, request)?;
    let location = place(&catalogue, kind, request, beside, now)?;
    real::check_location(core, location.id, WHAT)?;
    let allowed = Allowed::of(kind);
    rules::check_services(&allowed, services)?;
    // The least that they take, before anybody is looked up.
    rules::check_targets(&allowed, rules::places(targets, 0))?;
    rules::check_ports(services)?;
    service::check_certificates(tx, project, services.iter())?;
    let network = match request.network {
        Some(id) => Some(networks::expect(tx, project, id)?.value),
        None => None,
    };
    let id = tx.next_id(Counter::Kind(Kind::LoadBalancer))?;
    let holder = Holder { this: Assignee::LoadBalancer(id), project, place: in_location(&catalogue, location.id)? };
    let [ipv4, ipv6] = public_ips(tx, core, &holder, request)?;
    let ways = Ways { public: request.public_interface, network: request.network };
    let mut new = LoadBalancer {
        id,
        project,
        name: request.name.clone(),
        created: now.whole_second(),
        details: Details {
            v: 1,
            location: location.id,
            load_balancer_type: kind.id,
            algorithm: request.algorithm.map_or(AlgorithmType::RoundRobin, |algorithm| algorithm.kind),
            public_interface: request.public_interface,
            ipv4,
            ipv6,
            services: services.clone(),
            targets: Vec::new(),
            history: Vec::new(),
            delete_protected: false,
            labels: request.labels.clone(),
        },
    };
    if let Some(network) = &network {
        network::join(tx, network, this(id), (&location.network_zone, network::FIRST_SLOT), &Seat::default())?;
    }
    let mut adding = Adding { core, ways, refuse, allowed, selected: 0 };
    targets.iter().try_for_each(|aim| adding.add(tx, &mut new, aim))?;
    note(tx, &catalogue, &mut new)?;
    let number = load_balancer::insert(tx, &new)?;
    limit::check(tx, project, Kind::LoadBalancer, number)?;
    health::begin(tx, core, &new)?;
    let action = action::done(tx, project, "create_load_balancer", vec![this(id)])?.action;
    Ok((id, action))
}

impl Control {
    /// Makes a load balancer with its addresses, services, targets and network.
    ///
    /// # Errors
    /// `invalid_input`; `not_found` for type, location, primary IPs, network, servers and certificates; `primary_ip_assigned`,
    /// `primary_ip_version_mismatch`, `primary_ip_datacenter_mismatch`, `resource_locked`; `resource_unavailable`,
    /// `uniqueness_error`, `resource_limit_exceeded`, `source_port_already_used`, `unsupported_error` in real locations; those of
    /// joining the network and of each target.
    pub async fn create_load_balancer(&self, caller: &Caller, request: CreateLoadBalancer) -> Result<Json> {
        let asked = check(request)?;
        let (core, project, refuse) = (Arc::clone(&self.core), caller.project, self.options.refuse_contention);
        self.write_shown(caller, vec![Race::Project(project), Race::Addresses], move |tx| {
            let (id, action) = create(tx, &core, project, refuse, &asked)?;
            Ok(Shown::one(Kind::LoadBalancer, id).action(action))
        })
        .await
    }
}
