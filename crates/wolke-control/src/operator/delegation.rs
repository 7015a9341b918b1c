//! What the parent zones of DNS zones say: nobody asks the real ones, so the operator tells it.

use super::Control;
use crate::input;
use wolke_domain::zone::delegation::{self, Delegation};
use wolke_domain::{Error, Result};
use wolke_store::{Race, zone};
use wolke_wire::cloud::zone::{DelegationStatus, Registrar};
use wolke_wire::{Id, Kind};

/// What a parent zone shall say from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelegation {
    /// Whether the domain is registered.
    pub is_registered: bool,
    /// The nameservers that it names.
    pub nameservers: Vec<String>,
    /// Who the domain is registered with.
    pub registrar: Option<Registrar>,
}

/// What a zone shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegated {
    /// The zone's id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// What follows.
    pub status: DelegationStatus,
    /// The nameservers that its parent names.
    pub nameservers: Vec<String>,
    /// Who it is registered with.
    pub registrar: Registrar,
}

impl Control {
    /// Tells what the parent of a zone says; it counts as asked now.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`.
    pub async fn delegate_zone(&self, id: Id, told: NewDelegation) -> Result<Delegated> {
        let mut wrong = Vec::new();
        let nameservers = delegation::nameservers(&told.nameservers).unwrap_or_else(|faults| {
            wrong = faults;
            Vec::new()
        });
        if !told.is_registered && !nameservers.is_empty() {
            wrong.push(wolke_domain::FieldError::new("nameservers", "a domain that is not registered has none"));
        }
        input::refuse(wrong)?;
        let registrar = match told.registrar {
            Some(registrar) => registrar,
            None if told.is_registered => Registrar::Other,
            None => Registrar::Unknown,
        };
        let missing = move || Error::not_found(Kind::Zone, id);
        let found = self.db.read(move |tx| zone::of_anybody(tx, id)).await?.ok_or_else(missing)?;
        self.db
            .write(vec![Race::Project(found.value.project)], move |tx| {
                let old = zone::of_anybody(tx, id)?.ok_or_else(missing)?;
                let checked = tx.now().whole_second();
                let found = Delegation { checked, is_registered: told.is_registered, nameservers: nameservers.clone() };
                let status = delegation::status(Some(&found));
                let mut new = old.value.clone();
                new.details.delegation = Some(found);
                new.details.registrar = registrar.as_str().to_owned();
                zone::update(tx, &old, &new)?;
                Ok(Delegated { id, name: new.name, status, nameservers: nameservers.clone(), registrar })
            })
            .await
    }
}
