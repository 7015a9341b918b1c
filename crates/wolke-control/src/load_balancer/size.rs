//! Changing the type of a load balancer.

use super::{allowed, selected};
use crate::control::{Caller, Control};
use crate::view::Json;
use wolke_domain::load_balancer::{Allowed, beyond, places};
use wolke_domain::{Error, Result};
use wolke_wire::cloud::load_balancer::ChangeLoadBalancerType;
use wolke_wire::{ErrorCode, Id, Kind};

fn invalid(name: &str, why: &str) -> Error {
    Error::refused(ErrorCode::InvalidLoadBalancerType, format!("load balancer type {name} {why}"))
}

impl Control {
    /// Changes the type; the one that it has is no change.
    ///
    /// # Errors
    /// `not_found`, also for the type; `invalid_load_balancer_type` for one that is gone, not offered here, or too small for
    /// what the load balancer holds.
    pub async fn change_load_balancer_type(
        &self,
        caller: &Caller,
        id: Id,
        request: ChangeLoadBalancerType,
    ) -> Result<Json> {
        self.change_load_balancer(caller, id, "change_load_balancer_type", move |tx, core, new| {
            let (catalogue, asked) = (core.catalogue(), &request.load_balancer_type);
            let missing = || Error::not_found_named(Kind::LoadBalancerType, &asked.to_string());
            let kind = catalogue.load_balancer_type(asked).ok_or_else(missing)?;
            if kind.id == new.details.load_balancer_type {
                return Ok(Vec::new());
            }
            let (now, location) = (tx.now(), new.details.location);
            let is_offered = kind.offers.iter().any(|offer| offer.location == location && offer.is_orderable(now));
            if !kind.is_listed(now) || !is_offered {
                return Err(invalid(&kind.name, "is not available in the location of the load balancer"));
            }
            let (before, after) = (allowed(core, new)?, Allowed::of(kind));
            // With room for as many as before nobody is left out who is not now; servers may have joined beyond that.
            let targets = match after.targets < before.targets {
                true => places(&new.details.targets, selected(tx, &after, new)?),
                false => 0,
            };
            if let Some(limit) = beyond(&after, &new.details.services, targets) {
                return Err(invalid(&kind.name, &format!("is too small: {} limit exceeded", limit.replace('_', " "))));
            }
            new.details.load_balancer_type = kind.id;
            Ok(Vec::new())
        })
        .await
    }
}
