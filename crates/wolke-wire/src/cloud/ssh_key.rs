//! SSH keys (fact sheet §3.11).

use serde::{Deserialize, Serialize};

use super::{Labels, form};
use crate::{Id, Timestamp};

/// A public key of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SshKey {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// MD5 of the key, in hex with colons.
    pub fingerprint: String,
    /// The key as it was sent.
    pub public_key: String,
    /// Its labels.
    pub labels: Labels,
    /// When it was added.
    pub created: Timestamp,
}

/// The request of `POST /ssh_keys`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateSshKey {
    /// Its name.
    pub name: String,
    /// A line in the format of OpenSSH.
    pub public_key: String,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
}

/// The request of `PUT /ssh_keys/{id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateSshKey {
    /// The new name.
    pub name: Option<String>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}
