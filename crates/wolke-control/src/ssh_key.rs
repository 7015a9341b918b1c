//! SSH keys: operations and view.

use crate::control::{Caller, Control};
use crate::input;
use crate::view::{Json, Shown};
use wolke_domain::ssh_key::PublicKey;
use wolke_domain::{Error, Result, name};
use wolke_store::ssh_key::{Details, SshKey};
use wolke_store::{Counter, Race, Tx, limit, ssh_key};
use wolke_wire::cloud::ssh_key as wire;
use wolke_wire::{Id, Kind};

/// An SSH key as the contract shows it.
pub(crate) fn to_wire(key: &SshKey) -> wire::SshKey {
    wire::SshKey {
        id: key.id,
        name: key.name.clone(),
        fingerprint: key.fingerprint.clone(),
        public_key: key.details.public_key.clone(),
        labels: key.details.labels.clone(),
        created: key.created,
    }
}

impl Control {
    /// Adds a key.
    ///
    /// # Errors
    /// `invalid_input`; `uniqueness_error` on `public_key` when the key is there under any name.
    pub async fn create_ssh_key(&self, caller: &Caller, request: wire::CreateSshKey) -> Result<Json> {
        let mut fields = input::wrong(name::resource_name, Some(&request.name), Some(&request.labels));
        let parsed = PublicKey::parse(&request.public_key);
        fields.extend(parsed.as_ref().err().cloned());
        let fingerprint = match parsed {
            Ok(key) if fields.is_empty() => key.fingerprint(),
            _ => return Err(Error::invalid_fields(fields)),
        };
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let new = SshKey {
                id: tx.next_id(Counter::Kind(Kind::SshKey))?,
                project,
                name: request.name.clone(),
                created: tx.now().whole_second(),
                fingerprint: fingerprint.clone(),
                details: Details { v: 1, public_key: request.public_key.clone(), labels: request.labels.clone() },
            };
            let number = ssh_key::insert(tx, &new)?;
            limit::check(tx, project, Kind::SshKey, number)?;
            Ok(Shown::one(Kind::SshKey, new.id))
        })
        .await
    }

    /// Changes name and labels.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`.
    pub async fn update_ssh_key(&self, caller: &Caller, id: Id, update: wire::UpdateSshKey) -> Result<Json> {
        input::refuse(input::wrong(name::resource_name, update.name.as_deref(), update.labels.as_ref()))?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let old = ssh_key::expect(tx, project, id)?;
            let mut new = old.value.clone();
            input::set(&mut new.name, update.name.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
            if new != old.value {
                ssh_key::update(tx, &old, &new)?;
            }
            Ok(Shown::one(Kind::SshKey, id))
        })
        .await
    }

    /// Removes a key; servers made with it keep it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn delete_ssh_key(&self, caller: &Caller, id: Id) -> Result<()> {
        let project = caller.project;
        self.db
            .write(vec![Race::Project(project)], move |tx| {
                let old = ssh_key::expect(tx, project, id)?;
                ssh_key::delete(tx, &old.value)
            })
            .await
    }
}

/// Removes an SSH key.
pub(crate) fn remove(tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
    let old = ssh_key::expect(tx, project, id)?;
    ssh_key::delete(tx, &old.value)
}
