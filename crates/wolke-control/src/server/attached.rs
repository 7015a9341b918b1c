//! What hangs on a server: what its answer shows of other resources, and what lets go of it when it goes.
//!
//! **Invariant:** whoever changes one of these edges touches both of its ends in the same transaction (design §4).

use crate::core::Core;
use crate::{firewall, load_balancer, network, primary_ip, volume};
use wolke_domain::Result;
use wolke_domain::action::Target;
use wolke_domain::catalogue::Catalogue;
use wolke_domain::primary_ip::Assignee;
use wolke_domain::server::Server;
use wolke_store::Tx;
use wolke_store::primary_ip::PrimaryIp;
use wolke_wire::cloud::server::{PrivateNet, ServerFirewall};
use wolke_wire::{Id, Kind};

/// What other resources a server shows, in the order in which it shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attached {
    /// Primary IPs.
    pub addresses: Vec<PrimaryIp>,
    /// Floating IPs that are assigned to it.
    pub floating_ips: Vec<Id>,
    /// Firewalls on its public interfaces.
    pub firewalls: Vec<ServerFirewall>,
    /// Its private interfaces.
    pub private_net: Vec<PrivateNet>,
    /// Volumes.
    pub volumes: Vec<Id>,
    /// Load balancers that use it as a target, named or selected.
    pub load_balancers: Vec<Id>,
}

impl Attached {
    /// As it stands now.
    ///
    /// # Errors
    /// The engine's failure.
    pub(crate) fn of(tx: &mut dyn Tx, catalogue: &Catalogue, server: Id) -> Result<Self> {
        let addresses =
            wolke_store::primary_ip::of_server(tx, server)?.into_iter().map(|stored| stored.value).collect();
        let floating_ips = wolke_store::floating_ip::of_server(tx, server)?;
        let private_net = network::private_net(tx, server)?;
        let firewalls = firewall::of_server(tx, server)?;
        let volumes = wolke_store::volume::ids_of_server(tx, server)?;
        let load_balancers = load_balancer::of_server(tx, catalogue, server)?;
        Ok(Self { addresses, floating_ips, firewalls, private_net, volumes, load_balancers })
    }
}

/// Takes everything off a server that goes.
///
/// # Errors
/// The engine's failure.
pub(super) fn release(tx: &mut dyn Tx, core: &Core, server: &Server) -> Result<()> {
    load_balancer::release_of_server(tx, core, server.id)?;
    wolke_store::firewall::forget_server(tx, server.id)?;
    volume::release_of_server(tx, server.id)?;
    network::release(tx, Target::new(Kind::Server, server.id))?;
    wolke_store::floating_ip::release(tx, server.id)?;
    primary_ip::release_of(tx, Assignee::Server(server.id))
}
