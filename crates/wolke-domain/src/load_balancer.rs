//! The pure rules of load balancers (fact sheet §3.7, dialects D.1): services, targets and the ways to them, health, and what a
//! type allows.

pub mod health;
pub mod reach;
pub mod service;
pub mod serving;
pub mod verdict;

#[cfg(test)]
mod tests;

use crate::catalogue::LoadBalancerType;
use crate::{Error, FieldError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use wolke_wire::ErrorCode;
use wolke_wire::cloud::load_balancer::{ChangeTarget, Service, TargetType};
use wolke_wire::selector::Selector;

/// What a target is. Also what is stored of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A server.
    Server(wolke_wire::Id),
    /// Whichever servers have the labels.
    Selector(String),
    /// An address of a dedicated server.
    Ip(String),
}

/// A target, and the way to it. Also what is stored of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aim {
    /// What it is.
    pub to: Target,
    /// Whether servers are reached through the private network; never with an address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub use_private_ip: bool,
}

/// The longest selector, in bytes.
pub const SELECTOR_BYTES_MAX: usize = 1_024;
/// Targets and services that one request may name.
pub const PER_REQUEST_MAX: usize = 200;

/// Reads a target of a request with the way to it. Fields of errors begin with `at`.
///
/// # Errors
/// Every wrong field.
pub fn aim(at: &str, asked: &ChangeTarget) -> Result<Aim, Vec<FieldError>> {
    target(at, asked).map(|to| Aim { to, use_private_ip: asked.use_private_ip.unwrap_or(false) })
}

/// Reads a target of a request: exactly the member of its type, and well formed. Fields of errors begin with `at`.
///
/// # Errors
/// Every wrong field.
pub fn target(at: &str, asked: &ChangeTarget) -> Result<Target, Vec<FieldError>> {
    let mut errors = Vec::new();
    let given = [
        (TargetType::Server, "server", asked.server.is_some()),
        (TargetType::LabelSelector, "label_selector", asked.label_selector.is_some()),
        (TargetType::Ip, "ip", asked.ip.is_some()),
    ];
    for (kind, name, is_given) in given {
        let message = match (kind == asked.kind, is_given) {
            (true, false) => format!("is required with type {name}"),
            (false, true) => format!("is not possible with type {}", asked.kind),
            _ => continue,
        };
        errors.push(FieldError::new(format!("{at}{name}"), message));
    }
    if asked.kind == TargetType::Ip && asked.use_private_ip == Some(true) {
        errors.push(FieldError::new(format!("{at}use_private_ip"), "is not possible with type ip"));
    }
    // What stands there beside the member of the type has been named above.
    let read = match asked.kind {
        TargetType::Server => asked.server.as_ref().map(|server| Ok(Target::Server(server.id))),
        TargetType::LabelSelector => asked.label_selector.as_ref().map(|by| selector(&by.selector)),
        TargetType::Ip => asked.ip.as_ref().map(|by| match by.ip.parse::<std::net::IpAddr>() {
            Ok(ip) => Ok(Target::Ip(ip.to_string())),
            Err(_) => Err(("ip.ip", "must be an IP address".to_owned())),
        }),
    };
    let Some(read) = read else { return Err(errors) };
    if let Err((field, message)) = &read {
        errors.push(FieldError::new(format!("{at}{field}"), message.clone()));
    }
    match read {
        Ok(target) if errors.is_empty() => Ok(target),
        _ => Err(errors),
    }
}

fn selector(text: &str) -> Result<Target, (&'static str, String)> {
    const FIELD: &str = "label_selector.selector";
    match Selector::parse(text) {
        Ok(selector) if selector.terms.is_empty() => Err((FIELD, "must not be empty".to_owned())),
        Ok(_) if text.len() > SELECTOR_BYTES_MAX => {
            Err((FIELD, format!("must not be longer than {SELECTOR_BYTES_MAX} bytes")))
        }
        Ok(_) => Ok(Target::Selector(text.to_owned())),
        Err(error) => Err((FIELD, error.to_string())),
    }
}

/// What a type of load balancer allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Services.
    pub services: usize,
    /// Targets, those of label selectors counted one by one.
    pub targets: usize,
    /// Certificates of all services, each counted once.
    pub certificates: usize,
}

impl Allowed {
    /// What a type of the catalogue allows.
    #[must_use]
    pub fn of(kind: &LoadBalancerType) -> Self {
        let number = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            services: number(kind.max_services),
            targets: number(kind.max_targets),
            certificates: number(kind.max_assigned_certificates),
        }
    }
}

/// How many places targets take: whoever is named takes one, and so does each of the servers that the selectors match
/// (`selected`, counted selector by selector). A selector that matches nobody takes a place, too, where no other fills it.
#[must_use]
pub fn places(targets: &[Aim], selected: usize) -> usize {
    let selectors = targets.iter().filter(|aim| matches!(aim.to, Target::Selector(_))).count();
    targets.len().max((targets.len() - selectors).saturating_add(selected))
}

/// Checks that services stay within a type, whatever the targets are: servers may have joined beyond what it allows.
///
/// # Errors
/// `resource_limit_exceeded`, naming the first limit that they go beyond.
pub fn check_services(allowed: &Allowed, services: &[Service]) -> Result<(), Error> {
    check_within(allowed, services, 0)
}

/// Checks that targets stay within a type; `places` as of [`places`].
///
/// # Errors
/// `resource_limit_exceeded`.
pub fn check_targets(allowed: &Allowed, places: usize) -> Result<(), Error> {
    check_within(allowed, &[], places)
}

fn check_within(allowed: &Allowed, services: &[Service], targets: usize) -> Result<(), Error> {
    let Some(limit) = beyond(allowed, services, targets) else { return Ok(()) };
    Err(Error::limit(limit, &limit.replace('_', " ")))
}

/// Checks that no two services listen on one port.
///
/// # Errors
/// `source_port_already_used`.
pub fn check_ports(services: &[Service]) -> Result<(), Error> {
    let Some(port) = port_used_twice(services) else { return Ok(()) };
    Err(Error::refused(ErrorCode::SourcePortAlreadyUsed, format!("source port {port} is already used")))
}

/// The first limit of a type that services and targets go beyond: its name in the contract's details.
#[must_use]
pub fn beyond(allowed: &Allowed, services: &[Service], targets: usize) -> Option<&'static str> {
    let certificates: BTreeSet<_> =
        services.iter().filter_map(|service| service.http.as_ref()).flat_map(|http| &http.certificates).collect();
    let used = [
        ("load_balancer_services", services.len(), allowed.services),
        ("load_balancer_targets", targets, allowed.targets),
        ("load_balancer_assigned_certificates", certificates.len(), allowed.certificates),
    ];
    used.into_iter().find(|(_, used, allowed)| used > allowed).map(|(name, _, _)| name)
}

/// A port on which two services would listen, with port 80 taken by a redirect; none when all differ.
#[must_use]
pub fn port_used_twice(services: &[Service]) -> Option<u16> {
    let mut seen = BTreeSet::new();
    let redirects = services.iter().filter(|service| service.http.as_ref().is_some_and(|http| http.redirect_http));
    // Several redirects share port 80, no service of another kind does.
    let redirect = redirects.take(1).map(|_| 80);
    services.iter().map(|service| service.listen_port).chain(redirect).find(|port| !seen.insert(*port))
}
