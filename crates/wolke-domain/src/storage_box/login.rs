//! Who gets into a storage box, and what they may do there: what the access settings are about.

use wolke_wire::cloud::storage_box::AccessSettings;
use wolke_wire::cloud::storage_box::subaccount::SubaccountAccessSettings;

/// A way into a storage box that its access settings switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// SSH, and what goes over it.
    Ssh,
    /// Samba.
    Samba,
    /// WebDAV.
    Webdav,
}

/// What an account opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "one for each switch of the access settings, which are independent: every combination of them can be asked for"
)]
pub struct Doors {
    /// From outside of the provider's network.
    pub external: bool,
    /// Over SSH.
    pub ssh: bool,
    /// Over Samba.
    pub samba: bool,
    /// Over WebDAV.
    pub webdav: bool,
    /// Nothing can be changed.
    pub readonly: bool,
    /// The folder of the snapshots is seen.
    pub snapshots: bool,
}

impl From<&AccessSettings> for Doors {
    fn from(settings: &AccessSettings) -> Self {
        Self {
            external: settings.reachable_externally,
            ssh: settings.ssh_enabled,
            samba: settings.samba_enabled,
            webdav: settings.webdav_enabled,
            readonly: false,
            snapshots: settings.zfs_enabled,
        }
    }
}

impl From<&SubaccountAccessSettings> for Doors {
    fn from(settings: &SubaccountAccessSettings) -> Self {
        Self {
            external: settings.reachable_externally,
            ssh: settings.ssh_enabled,
            samba: settings.samba_enabled,
            webdav: settings.webdav_enabled,
            readonly: settings.readonly,
            snapshots: false,
        }
    }
}

/// Somebody who wants in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// How.
    pub way: Way,
    /// From outside of the provider's network.
    pub is_external: bool,
    /// To change something.
    pub writes: bool,
    /// Whether what they have shown, a password or a key, is the account's.
    pub is_known: bool,
}

/// Why somebody does not get in, in the order in which it is found out; none when they do.
#[must_use]
pub fn refusal(doors: &Doors, attempt: &Attempt) -> Option<&'static str> {
    let is_open = match attempt.way {
        Way::Ssh => doors.ssh,
        Way::Samba => doors.samba,
        Way::Webdav => doors.webdav,
    };
    if attempt.is_external && !doors.external {
        return Some("not reachable externally");
    }
    if !is_open {
        return Some(match attempt.way {
            Way::Ssh => "SSH is not enabled",
            Way::Samba => "Samba is not enabled",
            Way::Webdav => "WebDAV is not enabled",
        });
    }
    if !attempt.is_known {
        return Some("wrong password or key");
    }
    (attempt.writes && doors.readonly).then_some("read-only")
}

#[cfg(test)]
mod tests {
    use super::{Attempt, Doors, Way, refusal};
    use wolke_wire::cloud::storage_box::AccessSettings;
    use wolke_wire::cloud::storage_box::subaccount::SubaccountAccessSettings;

    const IN: Attempt = Attempt { way: Way::Ssh, is_external: false, writes: true, is_known: true };

    #[test]
    fn everything_is_shut_at_first() {
        let doors = Doors::from(&AccessSettings::default());
        for (way, why) in [(Way::Ssh, "SSH"), (Way::Samba, "Samba"), (Way::Webdav, "WebDAV")] {
            assert!(refusal(&doors, &Attempt { way, ..IN }).unwrap().starts_with(why));
        }
    }

    #[test]
    fn each_door_is_its_own() {
        let settings = SubaccountAccessSettings { ssh_enabled: true, readonly: true, ..Default::default() };
        let doors = Doors::from(&settings);
        assert_eq!(refusal(&doors, &Attempt { writes: false, ..IN }), None);
        assert_eq!(refusal(&doors, &IN), Some("read-only"));
        assert_eq!(refusal(&doors, &Attempt { is_external: true, ..IN }), Some("not reachable externally"));
        assert_eq!(refusal(&doors, &Attempt { is_known: false, ..IN }), Some("wrong password or key"));
        assert!(refusal(&doors, &Attempt { way: Way::Samba, ..IN }).is_some());
    }
}
