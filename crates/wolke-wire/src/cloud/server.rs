//! Servers (fact sheet §3.1).

use serde::{Deserialize, Serialize};

use super::{DnsPtr, Embed, Labels, Secret, form};
use crate::{Id, IdOrName, Timestamp};

text_enum! {
    /// What a server is doing.
    ServerStatus {
        /// Powered on.
        Running = "running",
        /// Being made.
        Initializing = "initializing",
        /// On its way to `running`.
        Starting = "starting",
        /// On its way to `off`.
        Stopping = "stopping",
        /// Powered off.
        Off = "off",
        /// Being deleted.
        Deleting = "deleting",
        /// Moving to another host.
        Migrating = "migrating",
        /// Getting a new disk from an image.
        Rebuilding = "rebuilding",
        /// The host does not say.
        Unknown = "unknown",
    }
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Server {
    /// Its id.
    pub id: Id,
    /// Its name, which is also its host name.
    pub name: String,
    /// What it is doing.
    pub status: ServerStatus,
    /// When it was made.
    pub created: Timestamp,
    /// Its public side.
    pub public_net: PublicNet,
    /// Its private networks.
    pub private_net: Vec<PrivateNet>,
    /// Its size.
    pub server_type: Embed,
    /// Where it stands.
    pub location: Embed,
    /// Legacy: where it stands.
    pub datacenter: Embed,
    /// What it was made from; null when that image is gone for good.
    pub image: Option<Embed>,
    /// The ISO in its drive.
    pub iso: Option<Embed>,
    /// Whether the next boot goes into the rescue system.
    pub rescue_enabled: bool,
    /// Whether an action runs on it.
    pub locked: bool,
    /// `22-02`; null without backups.
    pub backup_window: Option<String>,
    /// Bytes out in this month.
    pub outgoing_traffic: Option<u64>,
    /// Bytes in in this month.
    pub ingoing_traffic: Option<u64>,
    /// Bytes out that cost nothing.
    pub included_traffic: Option<u64>,
    /// What is refused.
    pub protection: ServerProtection,
    /// Its labels.
    pub labels: Labels,
    /// Attached volumes.
    pub volumes: Vec<Id>,
    /// Load balancers that it is a target of.
    pub load_balancers: Vec<Id>,
    /// The size of its own disk in GB.
    pub primary_disk_size: u32,
    /// Its placement group.
    pub placement_group: Option<Embed>,
}

/// `server.protection`. Both always have the same value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerProtection {
    /// Deleting is refused.
    pub delete: bool,
    /// Rebuilding is refused.
    pub rebuild: bool,
}

/// `server.public_net`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PublicNet {
    /// Null without one.
    pub ipv4: Option<PublicIpv4>,
    /// Null without one.
    pub ipv6: Option<PublicIpv6>,
    /// Assigned floating IPs.
    pub floating_ips: Vec<Id>,
    /// Applied firewalls.
    pub firewalls: Vec<ServerFirewall>,
}

/// `server.public_net.ipv4`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicIpv4 {
    /// The primary IP's id.
    pub id: Id,
    /// The address.
    pub ip: String,
    /// Whether the operator blocked it.
    pub blocked: bool,
    /// Reverse DNS.
    pub dns_ptr: String,
}

/// `server.public_net.ipv6`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicIpv6 {
    /// The primary IP's id.
    pub id: Id,
    /// The network: `2001:db8:1:2::/64`.
    pub ip: String,
    /// Whether the operator blocked it.
    pub blocked: bool,
    /// Reverse DNS.
    pub dns_ptr: Vec<DnsPtr>,
}

text_enum! {
    /// Whether a firewall is in force.
    FirewallStatus {
        /// It is.
        Applied = "applied",
        /// It will be.
        Pending = "pending",
    }
}

/// A firewall on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ServerFirewall {
    /// The firewall's id.
    pub id: Id,
    /// Whether it is in force.
    pub status: FirewallStatus,
}

/// A private network of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrivateNet {
    /// The network's id.
    pub network: Id,
    /// The address.
    pub ip: String,
    /// More addresses, in the order in which they were asked for.
    pub alias_ips: Vec<String>,
    /// The interface's address.
    pub mac_address: String,
}

/// The request of `POST /servers`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateServer {
    /// Its name.
    pub name: String,
    /// Its size.
    pub server_type: IdOrName,
    /// What it is made from.
    pub image: IdOrName,
    /// Where it shall stand; excludes `datacenter`.
    #[serde(default)]
    pub location: Option<IdOrName>,
    /// Legacy: where it shall stand.
    #[serde(default)]
    pub datacenter: Option<IdOrName>,
    /// Whether it is started when made.
    #[serde(default = "form::yes", deserialize_with = "form::null_true")]
    pub start_after_create: bool,
    /// Who may log in; without keys a root password is made.
    #[serde(default, deserialize_with = "form::null_default")]
    pub ssh_keys: Vec<IdOrName>,
    /// For cloud-init. May hold secrets.
    #[serde(default)]
    pub user_data: Option<Secret>,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
    /// Whether the guest mounts the volumes; only together with `volumes`.
    #[serde(default)]
    pub automount: Option<bool>,
    /// Volumes to attach.
    #[serde(default, deserialize_with = "form::null_default")]
    pub volumes: Vec<Id>,
    /// Networks to attach to.
    #[serde(default, deserialize_with = "form::null_default")]
    pub networks: Vec<Id>,
    /// Firewalls to apply.
    #[serde(default, deserialize_with = "form::null_default")]
    pub firewalls: Vec<CreateServerFirewall>,
    /// Placement group to join.
    #[serde(default)]
    pub placement_group: Option<Id>,
    /// Its public side.
    #[serde(default, deserialize_with = "form::null_default")]
    pub public_net: CreateServerPublicNet,
}

/// A firewall in [`CreateServer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateServerFirewall {
    /// The firewall's id.
    pub firewall: Id,
}

/// `public_net` of [`CreateServer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct CreateServerPublicNet {
    /// Whether it has a public IPv4 address.
    #[serde(default = "form::yes", deserialize_with = "form::null_true")]
    pub enable_ipv4: bool,
    /// Whether it has a public IPv6 network.
    #[serde(default = "form::yes", deserialize_with = "form::null_true")]
    pub enable_ipv6: bool,
    /// The primary IP to take; a new one when absent.
    #[serde(default)]
    pub ipv4: Option<Id>,
    /// The primary IP to take; a new one when absent.
    #[serde(default)]
    pub ipv6: Option<Id>,
}

impl Default for CreateServerPublicNet {
    fn default() -> Self {
        Self { enable_ipv4: true, enable_ipv6: true, ipv4: None, ipv6: None }
    }
}

/// The answer of `POST /servers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateServerResponse {
    /// What was made.
    pub server: Embed,
    /// Making it.
    pub action: Embed,
    /// What follows; absent in 2018.
    pub next_actions: Vec<Embed>,
    /// Null when a key was given.
    pub root_password: Option<Secret>,
}

/// The request of `PUT /servers/{id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdateServer {
    /// The new name.
    pub name: Option<String>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}

/// The request of `POST /servers/{id}/actions/enable_backup`: 2018 could choose the window.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct EnableServerBackup {
    /// Four hours of UTC: `22-02`.
    pub backup_window: Option<String>,
}

/// The request of `POST /servers/{id}/actions/change_protection`. Given values must agree (fact sheet §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ChangeServerProtection {
    /// Whether deleting is refused.
    pub delete: Option<bool>,
    /// Whether rebuilding is refused.
    pub rebuild: Option<bool>,
}

/// The request of `POST /servers/{id}/actions/rebuild`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Rebuild {
    /// What the disk is made from.
    pub image: IdOrName,
    /// For cloud-init, instead of what the server was created with. Since 2026. May hold secrets.
    #[serde(default)]
    pub user_data: Option<Secret>,
}

/// The request of `POST /servers/{id}/actions/change_type`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeServerType {
    /// The new size.
    pub server_type: IdOrName,
    /// Whether the disk grows to the new type's. 2018 could leave it open: then it grows.
    #[serde(default = "form::yes", deserialize_with = "form::null_true")]
    pub upgrade_disk: bool,
}

text_enum! {
    /// A rescue system.
    RescueType {
        /// Linux for 64 bits.
        Linux64 = "linux64",
        /// Linux for 32 bits: until 2024.
        Linux32 = "linux32",
        /// FreeBSD: in 2018.
        Freebsd64 = "freebsd64",
    }
}

impl RescueType {
    /// Whether SSH keys can be brought along (dialects A.6).
    #[must_use]
    pub const fn takes_keys(self) -> bool {
        matches!(self, Self::Linux64 | Self::Linux32)
    }
}

/// The request of `POST /servers/{id}/actions/enable_rescue`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EnableRescue {
    /// Which system: `linux64` unless another is asked for.
    #[serde(default, rename = "type")]
    pub kind: Option<RescueType>,
    /// Who may log in: ids of keys, which hcloud-python declares as texts.
    #[serde(default, deserialize_with = "form::null_default")]
    pub ssh_keys: Vec<IdOrName>,
}

impl EnableRescue {
    /// The system that is asked for.
    #[must_use]
    pub fn system(&self) -> RescueType {
        self.kind.unwrap_or(RescueType::Linux64)
    }
}

/// The request of `POST /servers/{id}/actions/attach_iso`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AttachIso {
    /// The disc.
    pub iso: IdOrName,
}

#[cfg(test)]
mod tests {
    use super::{CreateServer, CreateServerPublicNet};
    use crate::IdOrName;

    #[test]
    fn least_and_null_requests_take_defaults() {
        let least = r#"{"name":"a","server_type":"cpx22","image":1}"#;
        let nulls = r#"{"name":"a","server_type":"cpx22","image":1,"start_after_create":null,"labels":null,
            "ssh_keys":null,"public_net":null,"volumes":null,"user_data":null,"unknown":[1]}"#;
        let least: CreateServer = serde_json::from_str(least).unwrap();
        assert!(least.start_after_create);
        assert_eq!(least.image, IdOrName::Id(1));
        assert_eq!(least.public_net, CreateServerPublicNet::default());
        assert_eq!(serde_json::from_str::<CreateServer>(nulls).unwrap(), least);
    }

    #[test]
    fn public_net_switches() {
        let json = r#"{"name":"a","server_type":2,"image":"3","ssh_keys":["k",4,"5"],"firewalls":[{"firewall":38}],
            "public_net":{"enable_ipv4":false,"ipv6":9}}"#;
        let request: CreateServer = serde_json::from_str(json).unwrap();
        assert_eq!(
            request.public_net,
            CreateServerPublicNet { enable_ipv4: false, enable_ipv6: true, ipv4: None, ipv6: Some(9) }
        );
        assert_eq!(request.ssh_keys, [IdOrName::from("k"), IdOrName::Id(4), IdOrName::from("5")]);
        assert_eq!(request.firewalls[0].firewall, 38);
    }
}
