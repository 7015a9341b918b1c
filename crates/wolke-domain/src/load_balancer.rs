//! The pure rules of load balancers (fact sheet §3.7, dialects D.1): services, health, and what a type allows.

pub mod health;
pub mod service;

#[cfg(test)]
mod tests;

use crate::FieldError;
use std::collections::BTreeSet;
use wolke_wire::cloud::load_balancer::{ChangeTarget, Service, TargetType};
use wolke_wire::selector::Selector;

/// What a target of a request is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A server.
    Server(wolke_wire::Id),
    /// Whichever servers have the labels.
    Selector(String),
    /// An address of a dedicated server.
    Ip(String),
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
    let read = match (&asked.server, &asked.label_selector, &asked.ip) {
        (Some(server), _, _) => Ok(Target::Server(server.id)),
        (None, Some(by), _) => match Selector::parse(&by.selector) {
            Ok(selector) if selector.terms.is_empty() => {
                Err(("label_selector.selector", "must not be empty".to_owned()))
            }
            Ok(_) => Ok(Target::Selector(by.selector.clone())),
            Err(error) => Err(("label_selector.selector", error.to_string())),
        },
        (None, None, Some(by)) => match by.ip.parse::<std::net::IpAddr>() {
            Ok(ip) => Ok(Target::Ip(ip.to_string())),
            Err(_) => Err(("ip.ip", "must be an IP address".to_owned())),
        },
        (None, None, None) => return Err(errors),
    };
    if let Err((field, message)) = &read {
        errors.push(FieldError::new(format!("{at}{field}"), message.clone()));
    }
    match read {
        Ok(target) if errors.is_empty() => Ok(target),
        _ => Err(errors),
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
