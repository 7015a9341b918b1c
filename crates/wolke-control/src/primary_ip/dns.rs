//! Reverse DNS entries of primary IPs, which are those of their servers and load balancers, too.

use crate::action;
use crate::control::{Caller, Control};
use crate::view::Json;
use wolke_domain::Result;
use wolke_domain::action::Target;
use wolke_domain::primary_ip::Assignee;
use wolke_domain::reverse_dns::Change;
use wolke_store::primary_ip::PrimaryIp;
use wolke_store::{Race, Stored, Tx, primary_ip, resource};
use wolke_wire::cloud::ChangeDnsPtr;
use wolke_wire::{Id, Kind};

/// Changes an entry of a primary IP that its address belongs to. Both ends show it.
pub(crate) fn change_entry(tx: &mut dyn Tx, old: &Stored<PrimaryIp>, change: &Change) -> Result<()> {
    let mut new = old.value.clone();
    change.apply(&mut new.details.dns_ptr)?;
    if new == old.value {
        return Ok(());
    }
    primary_ip::update(tx, old, &new)?;
    new.assignee.map(Assignee::target).map_or(Ok(()), |holder| resource::touch(tx, holder.kind, holder.id))
}

impl Control {
    /// Changes a reverse DNS entry of a primary IP.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for an address that is not its own or a name that is none; `resource_limit_exceeded`
    /// when the network has too many.
    pub async fn change_primary_ip_dns_ptr(&self, caller: &Caller, id: Id, request: ChangeDnsPtr) -> Result<Json> {
        let change = Change::check(&request)?;
        let (owner, project) = (*caller, caller.project);
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = super::expect(tx, &owner, id)?;
                change.check_within(&old.value.ip, Kind::PrimaryIp)?;
                change_entry(tx, &old, &change)?;
                action::done(tx, project, "change_dns_ptr", vec![Target::new(Kind::PrimaryIp, id)])
            })
            .await?;
        self.show_started(caller, started).await
    }
}
