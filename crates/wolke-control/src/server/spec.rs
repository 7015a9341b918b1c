//! From a server to what its host has to know of it.

use crate::core::Core;
use crate::image;
use std::net::{Ipv4Addr, Ipv6Addr};
use wolke_domain::server::Server;
use wolke_domain::{Error, Result};
use wolke_host::server::SERVER_SPEC_VERSION;
use wolke_host::{Definition, FirstBoot, Power, PublicNic, Secret, ServerSpec};
use wolke_store::primary_ip::PrimaryIp;
use wolke_store::{Stored, Tx};
use wolke_wire::Id;
use wolke_wire::cloud::Architecture;

/// The first bytes of the addresses of public interfaces: locally administered, so that no vendor owns them.
const MAC_PREFIX: [u8; 2] = [0x96, 0x00];

/// The spec of a server that is switched off.
pub(super) fn spec(
    tx: &mut dyn Tx,
    core: &Core,
    server: &Server,
    addresses: &[Stored<PrimaryIp>],
) -> Result<ServerSpec> {
    let details = &server.details;
    let missing = |what: &str| Error::internal(format!("server {}: {what} is not in the catalogue", server.id));
    let catalogue = core.catalogue();
    let kind = catalogue.server_type_by_id(details.server_type).ok_or_else(|| missing("its type"))?;
    let image = match details.image {
        Some(id) => image::source_of(tx, &catalogue, server.project, id)?,
        None => None,
    };
    let image = image.ok_or_else(|| missing("its image"))?;
    let datacenter = catalogue.datacenter_by_id(details.datacenter).ok_or_else(|| missing("its data center"))?;
    let location = catalogue.location_by_id(details.location).ok_or_else(|| missing("its location"))?;
    Ok(ServerSpec {
        version: SERVER_SPEC_VERSION,
        definition: Definition {
            name: server.name.clone(),
            uuid: uuid(server.id),
            architecture: match kind.architecture {
                Architecture::X86 => wolke_host::Architecture::X86,
                Architecture::Arm => wolke_host::Architecture::Arm,
            },
            cores: kind.cores,
            memory_mb: kind.memory_mb(),
            public: public_nic(server.id, addresses),
            region: location.network_zone.clone(),
            availability_zone: datacenter.name.clone(),
        },
        runtime: None,
        disk_gb: u32::try_from(details.primary_disk_gb).map_err(|_| missing("a disk of that size"))?,
        image: image.reference(),
        rebuild_epoch: 0,
        power: Power::Off,
        power_epoch: 0,
        first_boot: FirstBoot {
            ssh_keys: details.ssh_keys.clone(),
            user_data: details.user_data_sealed.clone().map(Secret),
            // Whoever makes the disk puts it in: it is in no details.
            root_password_hash: None,
        },
        iso: None,
        rescue: None,
        simulation: None,
    })
}

/// The public interface: with whatever addresses the server has now.
pub(crate) fn public_nic(server: Id, addresses: &[Stored<PrimaryIp>]) -> Option<PublicNic> {
    let ipv4 = addresses.iter().find(|a| a.value.family == 4).and_then(|a| a.value.ip.parse::<Ipv4Addr>().ok());
    let ipv6 = addresses.iter().find(|a| a.value.family == 6).and_then(|a| {
        let (network, _) = a.value.ip.split_once('/')?;
        network.parse::<Ipv6Addr>().ok()
    });
    (ipv4.is_some() || ipv6.is_some()).then(|| PublicNic { mac: mac(server), ipv4, ipv6 })
}

/// The address of the public interface: from the server's id, so that it stays the same for life.
fn mac(server: Id) -> String {
    let [.., a, b, c, d] = server.to_be_bytes();
    let [x, y] = MAC_PREFIX;
    format!("{x:02x}:{y:02x}:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

/// The SMBIOS UUID: the id in a UUID of version 8 (RFC 9562 §5.8).
fn uuid(server: Id) -> String {
    format!("00000000-0000-8000-8000-{:012x}", server & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::{mac, uuid};

    #[test]
    fn identities_follow_the_id() {
        assert_eq!(mac(0x0102_0304), "96:00:01:02:03:04");
        assert_eq!(uuid(255), "00000000-0000-8000-8000-0000000000ff");
    }
}
