//! Volumes (fact sheet §3.4).

use serde::{Deserialize, Serialize};

use super::{DeleteProtection, Embed, Labels, form};
use crate::{Id, IdOrName, Timestamp};

text_enum! {
    /// How far a volume is.
    VolumeStatus {
        /// It is being made.
        Creating = "creating",
        /// It can be used.
        Available = "available",
    }
}

/// A block device that outlives servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// The server that it is attached to.
    pub server: Option<Id>,
    /// Where it lives.
    pub location: Embed,
    /// In GB.
    pub size: i64,
    /// The path under which a guest finds it.
    pub linux_device: String,
    /// Whether deleting it is refused.
    pub protection: DeleteProtection,
    /// Its labels.
    pub labels: Labels,
    /// How far it is.
    pub status: VolumeStatus,
    /// The file system that it was made with; null when none was asked for.
    pub format: Option<String>,
}

/// The request of `POST /volumes`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateVolume {
    /// Its name.
    pub name: String,
    /// In GB.
    pub size: i64,
    /// Where it shall live. May be left out where a server says it.
    #[serde(default)]
    pub location: Option<IdOrName>,
    /// The server that it is attached to at once.
    #[serde(default)]
    pub server: Option<Id>,
    /// Whether the server's system mounts it; only together with `server`.
    #[serde(default, deserialize_with = "form::null_default")]
    pub automount: bool,
    /// The file system that it is made with: `xfs` or `ext4`.
    #[serde(default)]
    pub format: Option<String>,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
}

/// The request of `PUT /volumes/{id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateVolume {
    /// The new name.
    pub name: Option<String>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}

/// The request of `POST /volumes/{id}/actions/attach`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct AttachVolume {
    /// The server that it is attached to.
    pub server: Id,
    /// Whether the server's system mounts it.
    #[serde(default, deserialize_with = "form::null_default")]
    pub automount: bool,
}

/// The request of `POST /volumes/{id}/actions/resize`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct ResizeVolume {
    /// The new size in GB. The schema allows fractions here, the rules do not.
    pub size: f64,
}

/// The request of `POST /volumes/{id}/actions/change_protection`. What is absent stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ChangeVolumeProtection {
    /// Whether deleting is refused.
    pub delete: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::{ChangeVolumeProtection, CreateVolume, ResizeVolume};
    use crate::IdOrName;

    #[test]
    fn least_and_null_requests_take_defaults() {
        let least: CreateVolume = serde_json::from_str(r#"{"name":"a","size":10}"#).unwrap();
        let nulls =
            r#"{"name":"a","size":10,"location":null,"server":null,"automount":null,"format":null,"labels":null}"#;
        assert_eq!(serde_json::from_str::<CreateVolume>(nulls).unwrap(), least);
        assert!(!least.automount && least.location.is_none());
        let placed: CreateVolume = serde_json::from_str(r#"{"name":"a","size":10,"location":"fsn1"}"#).unwrap();
        assert_eq!(placed.location, Some(IdOrName::from("fsn1")));
    }

    #[test]
    fn sizes_may_be_written_with_a_point() {
        for (json, size) in [(r#"{"size":20}"#, 20.0), (r#"{"size":20.5}"#, 20.5)] {
            assert_eq!(serde_json::from_str::<ResizeVolume>(json).unwrap(), ResizeVolume { size });
        }
        assert_eq!(serde_json::from_str::<ChangeVolumeProtection>("{}").unwrap().delete, None);
    }
}
