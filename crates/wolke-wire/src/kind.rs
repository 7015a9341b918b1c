//! The kinds of resources, by their contract names.

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $singular:literal / $plural:literal : $label:literal),* $(,)?) => {
        /// A kind of resource. The text form is the contract's singular (`resources[].type` of an action).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind { $($(#[$doc])* $variant),* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),*];
            /// The contract's singular: `ssh_key`; also what is stored in the database.
            #[must_use] pub const fn singular(self) -> &'static str { match self { $(Kind::$variant => $singular),* } }
            /// The contract's plural, which is also the path segment: `ssh_keys`.
            #[must_use] pub const fn plural(self) -> &'static str { match self { $(Kind::$variant => $plural),* } }
            /// How messages to people name it: `SSH Key`.
            #[must_use] pub const fn label(self) -> &'static str { match self { $(Kind::$variant => $label),* } }
            /// The inverse of [`Kind::singular`].
            #[must_use] pub fn from_singular(text: &str) -> Option<Kind> { match text { $($singular => Some(Kind::$variant),)* _ => None } }
        }
    };
}

kinds! {
    /// A long-running operation.
    Action = "action" / "actions" : "action",
    /// A virtual machine or container.
    Server = "server" / "servers" : "server",
    /// A public key of a project.
    SshKey = "ssh_key" / "ssh_keys" : "SSH key",
    /// A public address that outlives or accompanies a server.
    PrimaryIp = "primary_ip" / "primary_ips" : "primary IP",
    /// A public address that moves between servers.
    FloatingIp = "floating_ip" / "floating_ips" : "floating IP",
    /// A disk image.
    Image = "image" / "images" : "image",
    /// A CD image.
    Iso = "iso" / "isos" : "ISO",
    /// A size of server.
    ServerType = "server_type" / "server_types" : "server type",
    /// A size of load balancer.
    LoadBalancerType = "load_balancer_type" / "load_balancer_types" : "load balancer type",
    /// A place.
    Location = "location" / "locations" : "location",
    /// A data center inside a location.
    Datacenter = "datacenter" / "datacenters" : "datacenter",
    /// A block device.
    Volume = "volume" / "volumes" : "volume",
    /// A private network.
    Network = "network" / "networks" : "network",
    /// A firewall.
    Firewall = "firewall" / "firewalls" : "firewall",
    /// A load balancer.
    LoadBalancer = "load_balancer" / "load_balancers" : "load balancer",
    /// An X.509 certificate.
    Certificate = "certificate" / "certificates" : "certificate",
    /// A group of servers spread over hosts.
    PlacementGroup = "placement_group" / "placement_groups" : "placement group",
    /// A DNS zone.
    Zone = "zone" / "zones" : "zone",
    /// A set of records of a DNS zone. Inside the house only: the contract calls it by zone, name and type.
    Rrset = "rrset" / "rrsets" : "RRSet",
    /// A storage box.
    StorageBox = "storage_box" / "storage_boxes" : "storage box",
    /// A size of storage box.
    StorageBoxType = "storage_box_type" / "storage_box_types" : "storage box type",
    /// What a storage box held at a point in time.
    StorageBoxSnapshot = "storage_box_snapshot" / "storage_box_snapshots" : "storage box snapshot",
    /// A further account of a storage box.
    StorageBoxSubaccount = "storage_box_subaccount" / "storage_box_subaccounts" : "storage box subaccount",
}

impl Kind {
    /// The member of an answer that holds one of it: the singular, which below a storage box leaves its name out.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::StorageBoxSnapshot => "snapshot",
            Self::StorageBoxSubaccount => "subaccount",
            _ => self.singular(),
        }
    }

    /// The member of an answer that holds a list of it.
    #[must_use]
    pub const fn list_member(self) -> &'static str {
        match self {
            Self::StorageBoxSnapshot => "snapshots",
            Self::StorageBoxSubaccount => "subaccounts",
            _ => self.plural(),
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.singular())
    }
}
