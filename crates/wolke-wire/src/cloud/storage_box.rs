//! Storage boxes (fact sheet §4.3). Their snapshots: `storage_box/snapshot.rs`; further accounts: `storage_box/subaccount.rs`.

pub mod snapshot;
pub mod subaccount;

use serde::{Deserialize, Serialize};

use super::{DeleteProtection, Embed, Labels, Secret, form};
use crate::{Id, IdOrName, Timestamp};

text_enum! {
    /// How far a storage box is.
    StorageBoxStatus {
        /// It can be used.
        Active = "active",
        /// It is being made.
        Initializing = "initializing",
        /// Nobody can use it.
        Locked = "locked",
    }
}

/// Storage that is reached over the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StorageBox {
    /// Its id.
    pub id: Id,
    /// The name of its first account: `u1337`.
    pub username: Option<String>,
    /// How far it is.
    pub status: StorageBoxStatus,
    /// Its name.
    pub name: String,
    /// Its size.
    pub storage_box_type: Embed,
    /// Where it is.
    pub location: Embed,
    /// How its first account can be used.
    pub access_settings: AccessSettings,
    /// Where it is reached: `u1337.your-storagebox.de`.
    pub server: Option<String>,
    /// The system that it is on: `FSN1-BX355`.
    pub system: Option<String>,
    /// What it holds.
    pub stats: Stats,
    /// Its labels.
    pub labels: Labels,
    /// Whether deleting it is refused.
    pub protection: DeleteProtection,
    /// When snapshots are made of it.
    pub snapshot_plan: Option<SnapshotPlan>,
    /// When it was made.
    pub created: Timestamp,
}

/// How the first account of a storage box can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "the contract has an object of these booleans, each switched by itself: there is no state that they spell"
)]
pub struct AccessSettings {
    /// Also from outside of the provider's network.
    pub reachable_externally: bool,
    /// Over Samba.
    pub samba_enabled: bool,
    /// Over SSH.
    pub ssh_enabled: bool,
    /// Over WebDAV.
    pub webdav_enabled: bool,
    /// Whether the folder of snapshots is seen.
    pub zfs_enabled: bool,
}

/// A change of [`AccessSettings`]; also what a new storage box is asked to have. What is absent stays, or is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ChangeAccessSettings {
    /// Also from outside of the provider's network.
    pub reachable_externally: Option<bool>,
    /// Over Samba.
    pub samba_enabled: Option<bool>,
    /// Over SSH.
    pub ssh_enabled: Option<bool>,
    /// Over WebDAV.
    pub webdav_enabled: Option<bool>,
    /// Whether the folder of snapshots is seen.
    pub zfs_enabled: Option<bool>,
}

impl ChangeAccessSettings {
    /// The settings after the change.
    #[must_use]
    pub fn over(&self, old: AccessSettings) -> AccessSettings {
        AccessSettings {
            reachable_externally: self.reachable_externally.unwrap_or(old.reachable_externally),
            samba_enabled: self.samba_enabled.unwrap_or(old.samba_enabled),
            ssh_enabled: self.ssh_enabled.unwrap_or(old.ssh_enabled),
            webdav_enabled: self.webdav_enabled.unwrap_or(old.webdav_enabled),
            zfs_enabled: self.zfs_enabled.unwrap_or(old.zfs_enabled),
        }
    }
}

/// What a storage box holds, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Data and snapshots together.
    pub size: i64,
    /// Data.
    pub size_data: i64,
    /// What only snapshots hold.
    pub size_snapshots: i64,
}

/// When snapshots of a storage box are made by themselves, in UTC; also the request of `enable_snapshot_plan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotPlan {
    /// How many of them are kept.
    pub max_snapshots: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 23.
    pub hour: i64,
    /// Only on that day of the week, 1 (Monday) to 7.
    #[serde(default)]
    pub day_of_week: Option<i64>,
    /// Only on that day of the month, 1 to 31.
    #[serde(default)]
    pub day_of_month: Option<i64>,
}

/// The request of `POST /storage_boxes`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateStorageBox {
    /// Its name.
    pub name: String,
    /// Its size.
    pub storage_box_type: IdOrName,
    /// Where it shall be.
    pub location: IdOrName,
    /// The password of its first account.
    pub password: Secret,
    /// Public keys, as lines of OpenSSH, that open its first account.
    #[serde(default, deserialize_with = "form::null_default")]
    pub ssh_keys: Vec<String>,
    /// How its first account can be used.
    #[serde(default, deserialize_with = "form::null_default")]
    pub access_settings: ChangeAccessSettings,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
}

/// The request of `PUT /storage_boxes/{id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateStorageBox {
    /// The new name.
    pub name: Option<String>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}

/// The request of `POST /storage_boxes/{id}/actions/change_type`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeType {
    /// The new size.
    pub storage_box_type: IdOrName,
}

/// The request of `reset_password` and `reset_subaccount_password`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ResetPassword {
    /// The new password.
    pub password: Secret,
}

/// The request of `POST /storage_boxes/{id}/actions/rollback_snapshot`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RollbackSnapshot {
    /// The snapshot.
    pub snapshot: IdOrName,
}

#[cfg(test)]
mod tests {
    use super::{AccessSettings, ChangeAccessSettings, CreateStorageBox, SnapshotPlan};

    #[test]
    fn least_and_null_requests_take_defaults() {
        let least = r#"{"name":"a","storage_box_type":1333,"location":"fsn1","password":"p"}"#;
        let nulls = r#"{"name":"a","storage_box_type":1333,"location":"fsn1","password":"p","ssh_keys":null,
            "access_settings":null,"labels":null}"#;
        let least: CreateStorageBox = serde_json::from_str(least).unwrap();
        assert_eq!(serde_json::from_str::<CreateStorageBox>(nulls).unwrap(), least);
        assert_eq!(least.access_settings.over(AccessSettings::default()), AccessSettings::default());
        let plan: SnapshotPlan = serde_json::from_str(r#"{"max_snapshots":1,"minute":2,"hour":3}"#).unwrap();
        assert_eq!((plan.day_of_week, plan.day_of_month), (None, None));
    }

    #[test]
    fn changes_are_partial() {
        let change: ChangeAccessSettings = serde_json::from_str(r#"{"ssh_enabled":true,"zfs_enabled":null}"#).unwrap();
        let old = AccessSettings { zfs_enabled: true, webdav_enabled: true, ..AccessSettings::default() };
        assert_eq!(change.over(old), AccessSettings { ssh_enabled: true, ..old });
    }
}
