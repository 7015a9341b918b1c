//! The ways from a load balancer to its targets: which there must be when a target is named (fact sheet §3.7).
//!
//! What is asked for here must hold when a target is added. Later a server may lose its address or leave the network; then
//! its health says so ([`super::health`]).

use super::{Aim, Target};
use crate::Error;
use std::net::IpAddr;
use wolke_wire::{ErrorCode, Id};

/// How a load balancer reaches others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// Whether its public interface is on.
    pub public: bool,
    /// The private network that it is in.
    pub network: Option<Id>,
}

/// How a server can be reached by a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerEnd {
    /// It has a public IPv4 address.
    pub has_ipv4: bool,
    /// It is in the load balancer's private network.
    pub in_network: bool,
}

impl Ways {
    /// Checks that a server can be a target. What the 2023 document says in place of two of the codes is the contract's business
    /// (`contract/errors.json`).
    ///
    /// # Errors
    /// `load_balancer_not_attached_to_network`, `server_not_attached_to_network`; `load_balancer_public_interface_disabled`,
    /// `missing_ipv4`.
    pub fn check_server(&self, id: Id, end: ServerEnd, use_private_ip: bool) -> Result<(), Error> {
        self.check_way(use_private_ip)?;
        if use_private_ip && !end.in_network {
            let message = format!("server with ID '{id}' is not attached to the network of the load balancer");
            return Err(Error::refused(ErrorCode::ServerNotAttachedToNetwork, message));
        }
        if !use_private_ip && !end.has_ipv4 {
            return Err(Error::refused(ErrorCode::MissingIpv4, format!("server with ID '{id}' has no public IPv4")));
        }
        Ok(())
    }

    /// Checks that there is a way to servers at all: what a label selector needs.
    ///
    /// # Errors
    /// `load_balancer_not_attached_to_network`, `load_balancer_public_interface_disabled`.
    pub fn check_way(&self, use_private_ip: bool) -> Result<(), Error> {
        match use_private_ip {
            true if self.network.is_none() => Err(not_attached()),
            false if !self.public => {
                // Word for word (fact sheet §6.4).
                let message = "load balancer public interface is disabled, cannot add target using public IP";
                Err(Error::refused(ErrorCode::LoadBalancerPublicInterfaceDisabled, message))
            }
            _ => Ok(()),
        }
    }

    /// Checks that an address can be a target.
    ///
    /// # Errors
    /// `cloud_resource_ip_not_allowed`, `ip_not_owned`; for an address of a vSwitch `load_balancer_not_attached_to_network`,
    /// else `load_balancer_public_interface_disabled`.
    pub fn check_ip(&self, ip: IpAddr, whose: Whose) -> Result<(), Error> {
        match whose {
            Whose::Cloud => {
                let message = format!("IP '{ip}' belongs to a cloud resource, which can only be a target by itself");
                Err(Error::refused(ErrorCode::CloudResourceIpNotAllowed, message))
            }
            Whose::Dedicated => self.check_way(is_private(ip)),
            Whose::Nobody if is_private(ip) && self.network.is_none() => Err(not_attached()),
            Whose::Nobody => Err(Error::refused(
                ErrorCode::IpNotOwned,
                format!("IP '{ip}' is not owned by the owner of the project"),
            )),
        }
    }

    /// Checks that the public interface can be switched off.
    ///
    /// # Errors
    /// `load_balancer_not_attached_to_network`, `targets_without_use_private_ip`.
    pub fn check_private_only(&self, targets: &[Aim]) -> Result<(), Error> {
        if self.network.is_none() {
            return Err(not_attached());
        }
        if targets.iter().all(is_reached_privately) {
            return Ok(());
        }
        let message = "load balancer has targets that do not use their private IP";
        Err(Error::refused(ErrorCode::TargetsWithoutUsePrivateIp, message))
    }
}

/// Whose an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A resource's of this cloud.
    Cloud,
    /// A dedicated server's, public or behind a vSwitch.
    Dedicated,
    /// Nobody's that is known.
    Nobody,
}

/// Whether the way to a target is the private network.
#[must_use]
pub fn is_reached_privately(aim: &Aim) -> bool {
    match &aim.to {
        Target::Ip(ip) => ip.parse().is_ok_and(is_private),
        Target::Server(_) | Target::Selector(_) => aim.use_private_ip,
    }
}

/// Whether an address is one of private networks (RFC 1918).
#[must_use]
pub fn is_private(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.is_private())
}

/// A load balancer that is in no network.
#[must_use]
pub fn not_attached() -> Error {
    let message = "load balancer is not attached to a network";
    Error::refused(ErrorCode::LoadBalancerNotAttachedToNetwork, message)
}

/// A load balancer that is in a network already: one is the most.
#[must_use]
pub fn already_attached(network: Id) -> Error {
    let message = format!("load balancer is already attached to network with ID '{network}'");
    Error::refused(ErrorCode::LoadBalancerAlreadyAttached, message)
}

/// Checks that a target is not one already. A server is one, whatever the way to it.
///
/// # Errors
/// `target_already_defined`.
pub fn check_new(targets: &[Aim], to: &Target) -> Result<(), Error> {
    if targets.iter().any(|known| known.to == *to) {
        return Err(Error::refused(ErrorCode::TargetAlreadyDefined, format!("{} is already a target", name(to))));
    }
    Ok(())
}

/// A target that a load balancer has not.
#[must_use]
pub fn no_such_target(to: &Target) -> Error {
    Error::NotFound { message: format!("load balancer target not found: {}", name(to)) }
}

/// A service that a load balancer has not.
#[must_use]
pub fn no_such_service(listen_port: i64) -> Error {
    Error::NotFound { message: format!("load balancer service with listen port '{listen_port}' not found") }
}

fn name(target: &Target) -> String {
    match target {
        Target::Server(id) => format!("server with ID '{id}'"),
        Target::Selector(text) => format!("label selector '{text}'"),
        Target::Ip(ip) => format!("IP '{ip}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWHERE: Ways = Ways { public: false, network: None };
    const PUBLIC: Ways = Ways { public: true, network: None };
    const PRIVATE: Ways = Ways { public: false, network: Some(3) };

    fn code<T: std::fmt::Debug>(outcome: Result<T, Error>) -> ErrorCode {
        match outcome {
            Err(Error::Refused { code, .. }) => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn servers_need_both_ends_of_a_way() {
        let end = |has_ipv4, in_network| ServerEnd { has_ipv4, in_network };
        assert_eq!(PUBLIC.check_server(1, end(true, false), false), Ok(()));
        assert_eq!(PRIVATE.check_server(1, end(false, true), true), Ok(()));
        assert_eq!(code(PUBLIC.check_server(1, end(false, false), false)), ErrorCode::MissingIpv4);
        assert_eq!(code(PUBLIC.check_server(1, end(true, true), true)), ErrorCode::LoadBalancerNotAttachedToNetwork);
        assert_eq!(code(PRIVATE.check_server(1, end(true, false), true)), ErrorCode::ServerNotAttachedToNetwork);
        let disabled = PRIVATE.check_server(1, end(true, true), false);
        assert_eq!(
            disabled.as_ref().unwrap_err().message(),
            "load balancer public interface is disabled, cannot add target using public IP"
        );
        assert_eq!(code(disabled), ErrorCode::LoadBalancerPublicInterfaceDisabled);
    }

    #[test]
    fn addresses_are_those_of_dedicated_servers() {
        let (public, private) = ("203.0.113.7".parse().unwrap(), "10.0.1.7".parse().unwrap());
        assert_eq!(PUBLIC.check_ip(public, Whose::Dedicated), Ok(()));
        assert_eq!(PRIVATE.check_ip(private, Whose::Dedicated), Ok(()));
        assert_eq!(code(PUBLIC.check_ip(public, Whose::Cloud)), ErrorCode::CloudResourceIpNotAllowed);
        assert_eq!(code(PUBLIC.check_ip(public, Whose::Nobody)), ErrorCode::IpNotOwned);
        assert_eq!(code(PUBLIC.check_ip(private, Whose::Nobody)), ErrorCode::LoadBalancerNotAttachedToNetwork);
        assert_eq!(code(PRIVATE.check_ip(private, Whose::Nobody)), ErrorCode::IpNotOwned);
        assert_eq!(code(PRIVATE.check_ip(public, Whose::Dedicated)), ErrorCode::LoadBalancerPublicInterfaceDisabled);
    }

    #[test]
    fn without_a_public_interface_all_ways_are_private() {
        let aim = |to, use_private_ip| Aim { to, use_private_ip };
        let private = [aim(Target::Server(1), true), aim(Target::Ip("10.0.0.7".into()), false)];
        assert_eq!(PRIVATE.check_private_only(&private), Ok(()));
        assert_eq!(code(NOWHERE.check_private_only(&[])), ErrorCode::LoadBalancerNotAttachedToNetwork);
        for public in [aim(Target::Selector("a".into()), false), aim(Target::Ip("203.0.113.7".into()), false)] {
            assert_eq!(code(PRIVATE.check_private_only(&[public])), ErrorCode::TargetsWithoutUsePrivateIp);
        }
    }

    #[test]
    fn a_target_is_one_once() {
        let known = [Aim { to: Target::Server(1), use_private_ip: true }];
        assert_eq!(check_new(&known, &Target::Server(2)), Ok(()));
        assert_eq!(code(check_new(&known, &Target::Server(1))), ErrorCode::TargetAlreadyDefined);
    }
}
