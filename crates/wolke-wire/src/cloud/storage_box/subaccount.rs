//! Further accounts of storage boxes (fact sheet §4.3).

use serde::{Deserialize, Serialize};

use crate::cloud::{Labels, Secret, form};
use crate::{Id, Timestamp};

/// A further account of a storage box: it sees its home directory and what is below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subaccount {
    /// Its id.
    pub id: Id,
    /// The storage box.
    pub storage_box: Id,
    /// Its name.
    pub name: String,
    /// The name to log in with: `u1337-sub1`.
    pub username: String,
    /// The folder that it sees.
    pub home_directory: String,
    /// Where it is reached: `u1337-sub1.your-storagebox.de`.
    pub server: String,
    /// How it can be used.
    pub access_settings: SubaccountAccessSettings,
    /// For people.
    pub description: String,
    /// Its labels.
    pub labels: Labels,
    /// When it was made.
    pub created: Timestamp,
}

/// How a further account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "the contract has an object of these booleans, each switched by itself: there is no state that they spell"
)]
pub struct SubaccountAccessSettings {
    /// Also from outside of the provider's network.
    pub reachable_externally: bool,
    /// Without changing anything.
    pub readonly: bool,
    /// Over Samba.
    pub samba_enabled: bool,
    /// Over SSH.
    pub ssh_enabled: bool,
    /// Over WebDAV.
    pub webdav_enabled: bool,
}

/// A change of [`SubaccountAccessSettings`]; also what a new one is asked to have. What is absent stays, or is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ChangeSubaccountAccessSettings {
    /// Also from outside of the provider's network.
    pub reachable_externally: Option<bool>,
    /// Without changing anything.
    pub readonly: Option<bool>,
    /// Over Samba.
    pub samba_enabled: Option<bool>,
    /// Over SSH.
    pub ssh_enabled: Option<bool>,
    /// Over WebDAV.
    pub webdav_enabled: Option<bool>,
}

impl ChangeSubaccountAccessSettings {
    /// The settings after the change.
    #[must_use]
    pub fn over(&self, old: SubaccountAccessSettings) -> SubaccountAccessSettings {
        SubaccountAccessSettings {
            reachable_externally: self.reachable_externally.unwrap_or(old.reachable_externally),
            readonly: self.readonly.unwrap_or(old.readonly),
            samba_enabled: self.samba_enabled.unwrap_or(old.samba_enabled),
            ssh_enabled: self.ssh_enabled.unwrap_or(old.ssh_enabled),
            webdav_enabled: self.webdav_enabled.unwrap_or(old.webdav_enabled),
        }
    }
}

/// The request of `POST /storage_boxes/{id}/subaccounts`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateSubaccount {
    /// Its name; that to log in with when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// The folder that it shall see.
    pub home_directory: String,
    /// Its password.
    pub password: Secret,
    /// For people.
    #[serde(default, deserialize_with = "form::null_default")]
    pub description: String,
    /// How it can be used.
    #[serde(default, deserialize_with = "form::null_default")]
    pub access_settings: ChangeSubaccountAccessSettings,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
}

/// The request of `PUT /storage_boxes/{id}/subaccounts/{subaccount_id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateSubaccount {
    /// The new name.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}

/// The request of `POST /storage_boxes/{id}/subaccounts/{subaccount_id}/actions/change_home_directory`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeHomeDirectory {
    /// The folder that it shall see.
    pub home_directory: String,
}
