//! Services of load balancers.

use super::allowed;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::view::Json;
use std::collections::BTreeSet;
use wolke_domain::load_balancer as balancers;
use wolke_domain::load_balancer::reach::no_such_service;
use wolke_domain::load_balancer::service as rules;
use wolke_domain::{Error, Result};
use wolke_store::load_balancer::LoadBalancer;
use wolke_store::{Tx, certificate};
use wolke_wire::Id;
use wolke_wire::cloud::load_balancer::{ChangeService, DeleteService, Service};

/// Checks that services name certificates of the project.
///
/// # Errors
/// `not_found` for the first that is none.
pub(super) fn check_certificates<'a>(
    tx: &mut dyn Tx,
    project: Id,
    services: impl Iterator<Item = &'a Service>,
) -> Result<()> {
    // One that is not issued yet may be named (decision 0015): the cloud controller manager does not wait for it.
    let named: BTreeSet<Id> =
        services.filter_map(|service| service.http.as_ref()).flat_map(|http| &http.certificates).copied().collect();
    named.into_iter().try_for_each(|id| certificate::expect(tx, project, id).map(|_| ()))
}

/// Checks services that have changed, all together.
fn check(core: &Core, balancer: &LoadBalancer) -> Result<()> {
    let services = &balancer.details.services;
    balancers::check_ports(services)?;
    balancers::check_services(&allowed(core, balancer)?, services)
}

/// Where a service stands among those of a load balancer.
fn position(balancer: &LoadBalancer, listen_port: i64) -> Result<usize> {
    let found = balancer.details.services.iter().position(|service| i64::from(service.listen_port) == listen_port);
    found.ok_or_else(|| no_such_service(listen_port))
}

impl Control {
    /// Adds a service.
    ///
    /// # Errors
    /// `not_found`, also for a certificate; `invalid_input`, `source_port_already_used`, `resource_limit_exceeded`.
    pub async fn add_load_balancer_service(&self, caller: &Caller, id: Id, request: ChangeService) -> Result<Json> {
        let service = rules::make("", &request).map_err(Error::invalid_fields)?;
        let project = caller.project;
        self.change_load_balancer(caller, id, "add_service", move |tx, core, new| {
            check_certificates(tx, project, std::iter::once(&service))?;
            new.details.services.push(service.clone());
            check(core, new)?;
            Ok(Vec::new())
        })
        .await
    }

    /// Changes the service that listens on a port; what is absent stays.
    ///
    /// # Errors
    /// `not_found`, also for the service and a certificate; `invalid_input`, `source_port_already_used`,
    /// `resource_limit_exceeded`.
    pub async fn update_load_balancer_service(&self, caller: &Caller, id: Id, request: ChangeService) -> Result<Json> {
        let Some(port) = request.listen_port else { return Err(Error::invalid("listen_port", "is required")) };
        let project = caller.project;
        self.change_load_balancer(caller, id, "update_service", move |tx, core, new| {
            let at = position(new, port)?;
            let old = &new.details.services[at];
            let changed = rules::change(old, &request).map_err(Error::invalid_fields)?;
            check_certificates(tx, project, std::iter::once(&changed))?;
            new.details.services[at] = changed;
            check(core, new)?;
            Ok(Vec::new())
        })
        .await
    }

    /// Removes the service that listens on a port.
    ///
    /// # Errors
    /// `not_found`, also for the service.
    pub async fn delete_load_balancer_service(&self, caller: &Caller, id: Id, request: DeleteService) -> Result<Json> {
        self.change_load_balancer(caller, id, "delete_service", move |_, _, new| {
            let at = position(new, request.listen_port)?;
            new.details.services.remove(at);
            Ok(Vec::new())
        })
        .await
    }
}
