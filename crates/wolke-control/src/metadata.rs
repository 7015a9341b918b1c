//! What a server's metadata service says, put together from the store.
//!
//! Asked by the server itself (a real host knows it by its source address) or by the operator: so the server is named by its
//! id alone, whosever it is.

use crate::control::Control;
use crate::core::Core;
use crate::server::public_nic;
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::network::mac_address;
use wolke_domain::server::Server;
use wolke_domain::{Error, Result};
use wolke_store::{Stored, Tx, network, primary_ip, server};
use wolke_wire::metadata::{Metadata, PrivateNetwork, PublicInterface};
use wolke_wire::{Id, Kind};

/// What user data is sealed for.
const USER_DATA: &str = "user_data";

impl Control {
    /// What a server may know of itself, its user data opened.
    ///
    /// # Errors
    /// `not_found`; internal when the user data was sealed with another key.
    pub async fn metadata(&self, id: Id) -> Result<Metadata> {
        let core = Arc::clone(&self.core);
        self.db
            .read(move |tx| {
                let found = server::by_id(tx, id)?.ok_or_else(|| Error::not_found(Kind::Server, id))?;
                let addresses = primary_ip::of_server(tx, id)?;
                let networks = private_networks(tx, &found.value)?;
                metadata(&core, &found.value, &addresses, networks)
            })
            .await
    }
}

/// The networks of a server, in the order of its interfaces.
fn private_networks(tx: &mut dyn Tx, server: &Server) -> Result<Vec<PrivateNetwork>> {
    let mut networks = Vec::new();
    for interface in network::interfaces(tx, Target::new(Kind::Server, server.id))? {
        let found = network::expect(tx, server.project, interface.network)?.value;
        let plan = &found.details.plan;
        let subnet = plan
            .subnet_with(interface.ip)
            .ok_or_else(|| Error::internal("a private address outside of all subnets"))?;
        networks.push(PrivateNetwork {
            ip: interface.ip,
            alias_ips: interface.alias_ips,
            interface_num: interface.slot,
            mac: mac_address(interface.number),
            network_id: found.id,
            network: plan.range.to_string(),
            subnet: subnet.range.to_string(),
            gateway: plan.gateway_of(subnet),
            network_name: found.name,
        });
    }
    Ok(networks)
}

fn metadata(
    core: &Core,
    server: &Server,
    addresses: &[Stored<primary_ip::PrimaryIp>],
    private_networks: Vec<PrivateNetwork>,
) -> Result<Metadata> {
    let details = &server.details;
    let missing = |what: &str| Error::internal(format!("server {}: {what} is not in the catalogue", server.id));
    let catalogue = core.catalogue();
    let location = catalogue.location_by_id(details.location).ok_or_else(|| missing("its location"))?;
    let datacenter = catalogue.datacenter_by_id(details.datacenter).ok_or_else(|| missing("its data center"))?;
    let public = public_nic(server.id, addresses);
    let sealed = details.user_data_sealed.as_deref();
    Ok(Metadata {
        instance_id: server.id,
        hostname: server.name.clone(),
        availability_zone: datacenter.name.clone(),
        region: location.network_zone.clone(),
        public: public.map(|nic| PublicInterface { mac: nic.mac, ipv4: nic.ipv4, ipv6: nic.ipv6 }),
        public_keys: details.ssh_keys.clone(),
        private_networks,
        user_data: sealed.map(|sealed| core.sealer.open(USER_DATA, sealed)).transpose()?,
        // Nobody logs in to a simulated server, and a real host has the hash by itself.
        root_password_hash: None,
    })
}
