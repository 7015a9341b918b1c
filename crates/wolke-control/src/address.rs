//! Public addresses: taken out of the pools for whoever will show them.

use crate::core::Core;
use wolke_domain::{Error, Result};
use wolke_store::{Tx, address};
use wolke_wire::cloud::primary_ip::IpType;
use wolke_wire::{Id, Kind};

/// The number that the store keeps of a family.
pub(crate) const fn family(kind: IpType) -> i64 {
    match kind {
        IpType::Ipv4 => 4,
        IpType::Ipv6 => 6,
    }
}

/// The inverse of [`family`].
pub(crate) const fn ip_type(family: i64) -> IpType {
    if family == 4 { IpType::Ipv4 } else { IpType::Ipv6 }
}

/// Gives an address of a family to a new resource, as text: one IPv4 address, or a /64. Races for [`wolke_store::Race::Addresses`].
///
/// # Errors
/// `resource_unavailable` when there is none left.
pub(crate) fn allocate(tx: &mut dyn Tx, core: &Core, family: i64, kind: Kind, owner: Id) -> Result<String> {
    let position = address::allocate(tx, family, kind, owner)?.position;
    let index = u64::try_from(position).unwrap_or(u64::MAX);
    let text = match family {
        4 => core.ipv4.nth(index).map(|ip| ip.to_string()),
        _ => core.ipv6.nth(index).map(|net| net.to_string()),
    };
    text.ok_or_else(|| Error::internal(format!("no IPv{family} address at position {position}")))
}
