//! Load balancers in private networks, and their public interface.

use super::{this, ways};
use crate::control::{Caller, Control};
use crate::network;
use crate::view::Json;
use wolke_domain::action::Target;
use wolke_domain::load_balancer::reach;
use wolke_domain::network::Seat;
use wolke_domain::{Error, Result};
use wolke_store::{network as networks, resource};
use wolke_wire::cloud::load_balancer::{AttachToNetwork, DetachFromNetwork};
use wolke_wire::{Id, Kind};

/// The network as an action names it beside the load balancer.
fn in_network(network: Id) -> Vec<Target> {
    vec![Target::new(Kind::Network, network)]
}

impl Control {
    /// Attaches a load balancer to its network: it can be in one.
    ///
    /// # Errors
    /// `invalid_input`; `not_found` for either; `load_balancer_already_attached`, `ip_not_available`, `no_subnet_available`,
    /// `resource_limit_exceeded`.
    pub async fn attach_load_balancer(&self, caller: &Caller, id: Id, request: AttachToNetwork) -> Result<Json> {
        let seat = Seat::parse(request.ip.as_deref(), request.ip_range.as_deref(), &[])?;
        let project = caller.project;
        self.change_load_balancer(caller, id, "attach_to_network", move |tx, core, new| {
            let network = networks::expect(tx, project, request.network)?.value;
            if let Some(other) = ways(tx, new)?.network {
                return Err(reach::already_attached(other));
            }
            let zone = network::zone(&core.catalogue(), new.details.location)?;
            network::join(tx, &network, this(id), (&zone, network::FIRST_SLOT), &seat)?;
            Ok(in_network(network.id))
        })
        .await
    }

    /// Detaches a load balancer from its network. Targets that it reaches there stay, unhealthy.
    ///
    /// # Errors
    /// `not_found` for either and when it is not attached.
    pub async fn detach_load_balancer(&self, caller: &Caller, id: Id, request: DetachFromNetwork) -> Result<Json> {
        let project = caller.project;
        self.change_load_balancer(caller, id, "detach_from_network", move |tx, _, _| {
            let network = networks::expect(tx, project, request.network)?.value.id;
            if !networks::detach(tx, this(id), network)? {
                return Err(Error::not_attached(Kind::LoadBalancer, network));
            }
            resource::touch(tx, Kind::LoadBalancer, id)?;
            resource::touch(tx, Kind::Network, network)?;
            Ok(in_network(network))
        })
        .await
    }

    /// Switches the public interface on; nothing changes when it is on.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn enable_public_interface(&self, caller: &Caller, id: Id) -> Result<Json> {
        self.change_load_balancer(caller, id, "enable_public_interface", |_, _, new| {
            new.details.public_interface = true;
            Ok(Vec::new())
        })
        .await
    }

    /// Switches the public interface off; the addresses stay.
    ///
    /// # Errors
    /// `not_found`, `load_balancer_not_attached_to_network`, `targets_without_use_private_ip`.
    pub async fn disable_public_interface(&self, caller: &Caller, id: Id) -> Result<Json> {
        self.change_load_balancer(caller, id, "disable_public_interface", |tx, _, new| {
            ways(tx, new)?.check_private_only(&new.details.targets)?;
            new.details.public_interface = false;
            Ok(Vec::new())
        })
        .await
    }
}
