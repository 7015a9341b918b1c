//! Addresses that the operator blocks: they stay with their owners, who see it.

use super::Control;
use wolke_domain::{Error, Result};
use wolke_store::{Race, primary_ip, resource};
use wolke_wire::{Id, Kind};

/// An address and whether it is blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The primary IP's id.
    pub id: Id,
    /// The address.
    pub ip: String,
    /// Whether it is blocked.
    pub blocked: bool,
}

impl Control {
    /// Blocks the address of a primary IP, or lets it go.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn block_address(&self, id: Id, blocked: bool) -> Result<Blocked> {
        let missing = move || Error::not_found(Kind::PrimaryIp, id);
        let found = self.db.read(move |tx| primary_ip::of_anybody(tx, id)).await?.ok_or_else(missing)?;
        self.db
            .write(vec![Race::Project(found.value.project)], move |tx| {
                let old = primary_ip::of_anybody(tx, id)?.ok_or_else(missing)?;
                let mut new = old.value.clone();
                new.details.blocked = blocked;
                if new != old.value {
                    primary_ip::update(tx, &old, &new)?;
                    // The server that has it shows it, too.
                    if let Some(server) = new.assignee {
                        resource::touch(tx, Kind::Server, server)?;
                    }
                }
                Ok(Blocked { id, ip: new.ip, blocked })
            })
            .await
    }
}
