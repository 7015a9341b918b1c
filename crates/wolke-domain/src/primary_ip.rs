//! The pure rules of primary IPs (fact sheet §3.2, dialects D.1).

use crate::action::Target;
use crate::server::{Server, Status};
use crate::{Error, FieldError, Result};
use std::net::Ipv6Addr;
use wolke_wire::{ErrorCode, Id, Kind};

/// The name of a primary IP that was made together with a server or load balancer.
#[must_use]
pub fn default_name(id: Id) -> String {
    format!("primary_ip-{id}")
}

/// Delete protection and deletion together with the assignee exclude each other.
///
/// # Errors
/// The field that was asked to change: `delete` or `auto_delete`.
pub fn check_protection(field: &'static str, protected: bool, auto_delete: bool) -> Result<(), FieldError> {
    if protected && auto_delete {
        Err(FieldError::new(field, "delete protection is only possible while auto_delete is false"))
    } else {
        Ok(())
    }
}

/// Addresses and the placement group change while a server stands still: it is off, and nobody works on it.
///
/// # Errors
/// `server_not_stopped`; `locked` while work on it is under way or queued.
pub fn check_stopped(server: &Server, is_busy: bool) -> Result<()> {
    if server.status != Status::Off {
        return Err(Error::refused(ErrorCode::ServerNotStopped, "server must be powered off"));
    }
    if is_busy || server.details.doomed { Err(Error::locked(Kind::Server)) } else { Ok(()) }
}

/// The refusal of a second address of a family on one server.
#[must_use]
pub fn has_family(family: i64) -> Error {
    let code = if family == 4 { ErrorCode::ServerHasIpv4 } else { ErrorCode::ServerHasIpv6 };
    Error::refused(code, format!("server already has an IPv{family} address"))
}

/// Who has a primary IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignee {
    /// A server.
    Server(Id),
    /// A load balancer, which keeps it as long as it exists (decision 0019).
    LoadBalancer(Id),
}

impl Assignee {
    /// It as a resource.
    #[must_use]
    pub const fn target(self) -> Target {
        match self {
            Self::Server(id) => Target::new(Kind::Server, id),
            Self::LoadBalancer(id) => Target::new(Kind::LoadBalancer, id),
        }
    }

    /// Its id, when it is a server.
    #[must_use]
    pub const fn server(self) -> Option<Id> {
        match self {
            Self::Server(id) => Some(id),
            Self::LoadBalancer(_) => None,
        }
    }
}

/// A primary IP, as a new server or load balancer that shall have it meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its id.
    pub id: Id,
    /// 4 or 6.
    pub family: i64,
    /// Where it is.
    pub location: Id,
    /// Who has it.
    pub assignee: Option<Assignee>,
    /// The operator has blocked it.
    pub blocked: bool,
}

impl Offered {
    /// Checks that a new server or load balancer in a location can have it as its address of a family.
    ///
    /// # Errors
    /// `primary_ip_version_mismatch`, `primary_ip_assigned`, `primary_ip_datacenter_mismatch`; for a load balancer
    /// `resource_locked` while it is blocked.
    pub fn check(&self, by: Assignee, family: i64, location: Id) -> Result<()> {
        let refused = |code, text| Err(Error::refused(code, format!("primary IP with ID '{}' {text}", self.id)));
        if self.family != family {
            return refused(ErrorCode::PrimaryIpVersionMismatch, "has another IP version");
        }
        if self.assignee.is_some() {
            return refused(ErrorCode::PrimaryIpAssigned, "is already assigned");
        }
        if self.location != location {
            return refused(ErrorCode::PrimaryIpDatacenterMismatch, "is in another location");
        }
        if self.blocked && by.server().is_none() {
            return refused(ErrorCode::ResourceLocked, "is blocked");
        }
        Ok(())
    }
}

/// The refusal to take a primary IP from its load balancer, which keeps it as long as it exists (decision 0019).
#[must_use]
pub fn stays_with_load_balancer(id: Id, balancer: Id) -> Error {
    let message = format!(
        "primary IP with ID '{id}' stays assigned to the load balancer with ID '{balancer}' as long as that exists"
    );
    Error::refused(ErrorCode::UnsupportedError, message)
}

/// The one address that a load balancer has of a primary IP: itself, or the first of its IPv6 network.
///
/// # Errors
/// Internal for a network of another kind.
pub fn first_address(ip: &str) -> Result<String> {
    let Some((start, _)) = ip.split_once('/') else { return Ok(ip.to_owned()) };
    let start: Ipv6Addr = start.parse().map_err(|_| Error::internal(format!("{ip} is no IPv6 network")))?;
    Ok(Ipv6Addr::from(u128::from(start) | 1).to_string())
}

#[cfg(test)]
mod tests {
    use super::{Assignee, Offered, check_protection, first_address, has_family};
    use wolke_wire::ErrorCode;

    #[test]
    fn a_load_balancer_has_one_address() {
        assert_eq!(first_address("198.18.0.1").unwrap(), "198.18.0.1");
        assert_eq!(first_address("2001:db8:1:2::/64").unwrap(), "2001:db8:1:2::1");
        assert!(first_address("198.18.0.0/24").is_err());
    }

    #[test]
    fn what_a_new_assignee_can_have() {
        let free = Offered { id: 7, family: 4, location: 1, assignee: None, blocked: false };
        let code = |offered: Offered, by| offered.check(by, 4, 1).map_err(|error| error.code());
        let (server, balancer) = (Assignee::Server(1), Assignee::LoadBalancer(1));
        for by in [server, balancer] {
            assert_eq!(code(free, by), Ok(()));
            assert_eq!(code(Offered { family: 6, ..free }, by), Err(ErrorCode::PrimaryIpVersionMismatch));
            assert_eq!(code(Offered { assignee: Some(balancer), ..free }, by), Err(ErrorCode::PrimaryIpAssigned));
            assert_eq!(code(Offered { location: 2, ..free }, by), Err(ErrorCode::PrimaryIpDatacenterMismatch));
        }
        let blocked = Offered { blocked: true, ..free };
        assert_eq!(code(blocked, server), Ok(()));
        assert_eq!(code(blocked, balancer), Err(ErrorCode::ResourceLocked));
    }

    #[test]
    fn protection_excludes_auto_delete() {
        assert_eq!(check_protection("delete", true, true).unwrap_err().name, "delete");
        assert!(check_protection("delete", true, false).is_ok());
        assert!(check_protection("auto_delete", false, true).is_ok());
    }

    #[test]
    fn families_have_codes_of_their_own() {
        assert_eq!(has_family(4).code(), ErrorCode::ServerHasIpv4);
        assert_eq!(has_family(6).code(), ErrorCode::ServerHasIpv6);
    }
}
