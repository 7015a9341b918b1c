//! How many resources of a kind a project may have.

use crate::{Error, Result};
use wolke_wire::Kind;

/// The largest limit that can be set.
pub const LIMIT_MAX: i64 = 10_000_000;

/// Every kind that has a limit, the limit's name in answers (`details.limits[].name`), and what it is for a project that
/// has none of its own: as for an account that has been raised a few times.
pub const LIMITS: [(Kind, &str, i64); 13] = [
    (Kind::Server, "server_limit", 1_000),
    (Kind::SshKey, "ssh_key_limit", 1_000),
    // Two for each server and each load balancer that there may be.
    (Kind::PrimaryIp, "primary_ip_limit", 3_000),
    (Kind::PlacementGroup, "placement_group_limit", 500),
    // Without backups, which their servers bound; asked when a snapshot is made, of a server or of a backup.
    (Kind::Image, "snapshot_limit", 3_000),
    (Kind::Volume, "volume_limit", 1_000),
    (Kind::Network, "network_limit", 500),
    (Kind::FloatingIp, "floating_ip_limit", 500),
    (Kind::Firewall, "firewall_limit", 500),
    (Kind::LoadBalancer, "load_balancer_limit", 500),
    (Kind::Certificate, "certificate_limit", 500),
    (Kind::Zone, "zone_limit", 500),
    (Kind::StorageBox, "storage_box_limit", 500),
];

/// The name and the default of a kind's limit.
#[must_use]
pub fn of(kind: Kind) -> Option<(&'static str, i64)> {
    LIMITS.iter().find(|(limited, ..)| *limited == kind).map(|(_, name, default)| (*name, *default))
}

/// The kind whose limit an operator means: `server_limit`, `server` or `servers`; `snapshot` is that of images.
#[must_use]
pub fn named(text: &str) -> Option<Kind> {
    let kind = |(kind, name, _): &(Kind, &str, i64)| {
        let bare = name.trim_end_matches("_limit");
        let plural = text.strip_suffix('s') == Some(bare);
        (text == *name || text == bare || plural || text == kind.plural()).then_some(*kind)
    };
    LIMITS.iter().find_map(kind)
}

/// Checks the number that a project has after an insert against its own limit, or else the default.
///
/// # Errors
/// `resource_limit_exceeded`, naming the limit.
pub fn check(kind: Kind, own: Option<i64>, number: i64) -> Result<()> {
    match of(kind) {
        Some((name, default)) if number > own.unwrap_or(default) => {
            Err(Error::LimitExceeded { limit: name.into(), message: format!("{} limit exceeded", kind.label()) })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_found_by_the_names_that_people_use() {
        for (kind, name, _) in LIMITS {
            let bare = name.trim_end_matches("_limit");
            for text in [name, bare, &format!("{bare}s"), kind.plural()] {
                assert_eq!(named(text), Some(kind), "{text}");
            }
        }
        for text in ["", "s", "limit", "server_limits_", "iso"] {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn an_own_limit_counts_for_more_than_the_default() {
        let default = of(Kind::Server).unwrap().1;
        assert!(check(Kind::Server, None, default).is_ok());
        assert!(check(Kind::Server, None, default + 1).is_err());
        assert!(check(Kind::Server, Some(default + 1), default + 1).is_ok());
        assert!(check(Kind::Server, Some(0), 1).is_err());
        assert!(check(Kind::Action, Some(0), 1).is_ok(), "no limit");
    }
}
