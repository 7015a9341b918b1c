//! The vSwitches of dedicated servers that networks can be coupled with. There are no dedicated servers here that would have one, so
//! the operator says which there are.

use super::Control;
use wolke_domain::{Error, Result};
use wolke_store::Race;
pub use wolke_store::vswitch::Vswitch;
use wolke_wire::{ErrorCode, ID_MAX, Id};

/// VSwitches that can be known at the same time.
const VSWITCHES_MAX: usize = 10_000;

fn not_found(id: Id) -> Error {
    Error::NotFound { message: format!("vSwitch with ID '{id}' not found") }
}

impl Control {
    /// All vSwitches that are known, by id.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_vswitches(&self) -> Result<Vec<Vswitch>> {
        self.db.read(wolke_store::vswitch::list).await
    }

    /// Makes a vSwitch known; one that is known already stays as it is.
    ///
    /// # Errors
    /// `invalid_input` for what cannot be an id; `resource_limit_exceeded`.
    pub async fn add_vswitch(&self, id: Id) -> Result<Vswitch> {
        if !(1..=ID_MAX).contains(&id) {
            return Err(Error::invalid("id", format!("must lie between 1 and {ID_MAX}")));
        }
        self.db
            .write(vec![Race::Database], move |tx| {
                if let Some(known) = wolke_store::vswitch::get(tx, id)? {
                    return Ok(known);
                }
                if wolke_store::vswitch::list(tx)?.len() >= VSWITCHES_MAX {
                    return Err(Error::limit("vswitch_limit", "vSwitch"));
                }
                wolke_store::vswitch::insert(tx, id)?;
                Ok(Vswitch { id, network: None })
            })
            .await
    }

    /// Forgets a vSwitch.
    ///
    /// # Errors
    /// `not_found`; `resource_in_use` while a network is coupled with it.
    pub async fn remove_vswitch(&self, id: Id) -> Result<()> {
        self.db
            .write(vec![Race::Database], move |tx| {
                if wolke_store::vswitch::delete(tx, id)? {
                    return Ok(());
                }
                Err(match wolke_store::vswitch::get(tx, id)? {
                    Some(Vswitch { network: Some(network), .. }) => {
                        let message = format!("vSwitch with ID '{id}' is coupled with network with ID '{network}'");
                        Error::refused(ErrorCode::ResourceInUse, message)
                    }
                    _ => not_found(id),
                })
            })
            .await
    }
}
