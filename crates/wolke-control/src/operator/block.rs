//! Addresses that the operator blocks: they stay with their owners, who see it.

use super::Control;
use wolke_domain::primary_ip::Assignee;
use wolke_domain::{Error, Result};
use wolke_store::{Race, Tx, floating_ip, primary_ip, resource};
use wolke_wire::{Id, Kind};

/// An address and whether it is blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The primary or floating IP's id.
    pub id: Id,
    /// The address.
    pub ip: String,
    /// Whether it is blocked.
    pub blocked: bool,
}

fn project_of(tx: &mut dyn Tx, kind: Kind, id: Id) -> Result<Id> {
    let found = match kind {
        Kind::PrimaryIp => primary_ip::of_anybody(tx, id)?.map(|stored| stored.value.project),
        Kind::FloatingIp => floating_ip::of_anybody(tx, id)?.map(|stored| stored.value.project),
        _ => None,
    };
    found.ok_or_else(|| Error::not_found(kind, id))
}

/// Blocks the address of a primary IP, or lets it go. The server or load balancer that has it shows it, too.
fn block_primary(tx: &mut dyn Tx, id: Id, blocked: bool) -> Result<String> {
    let old = primary_ip::of_anybody(tx, id)?.ok_or_else(|| Error::not_found(Kind::PrimaryIp, id))?;
    let mut new = old.value.clone();
    new.details.blocked = blocked;
    if new != old.value {
        primary_ip::update(tx, &old, &new)?;
        if let Some(holder) = new.assignee.map(Assignee::target) {
            resource::touch(tx, holder.kind, holder.id)?;
        }
    }
    Ok(new.ip)
}

/// Blocks a floating IP, or lets it go.
fn block_floating(tx: &mut dyn Tx, id: Id, blocked: bool) -> Result<String> {
    let old = floating_ip::of_anybody(tx, id)?.ok_or_else(|| Error::not_found(Kind::FloatingIp, id))?;
    let mut new = old.value.clone();
    new.details.blocked = blocked;
    if new != old.value {
        floating_ip::update(tx, &old, &new)?;
    }
    Ok(new.ip)
}

impl Control {
    /// Blocks the address of a primary or floating IP, or lets it go.
    ///
    /// # Errors
    /// `not_found`, also for any other kind.
    pub async fn block_address(&self, kind: Kind, id: Id, blocked: bool) -> Result<Blocked> {
        let project = self.db.read(move |tx| project_of(tx, kind, id)).await?;
        self.db
            .write(vec![Race::Project(project)], move |tx| {
                let ip = match kind {
                    Kind::FloatingIp => block_floating(tx, id, blocked)?,
                    _ => block_primary(tx, id, blocked)?,
                };
                Ok(Blocked { id, ip, blocked })
            })
            .await
    }
}
