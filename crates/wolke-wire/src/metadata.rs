//! What a server's metadata service says: `/hetzner/v1/metadata` with its children, and `/hetzner/v1/userdata`.
//!
//! Facts: dialects D.1 ("Metadata service"), and what cloud-init's Hetzner data source reads: `instance-id`, `hostname`,
//! `network-config`, `public-keys` and `vendor_data` of the summary; its newer releases read `private-networks`, too.
//!
//! **Invariants:** every YAML 1.1 and 1.2 parser reads texts as texts (addresses of interfaces, which may look like numbers
//! to base 60, are always quoted); children are bare: no quotes, no line break at the end.

mod nocloud;
mod yaml;

pub use nocloud::NoCloud;

use crate::Id;
use std::net::{Ipv4Addr, Ipv6Addr};
use yaml::Yaml;

/// The path of the summary.
pub const METADATA_PATH: &str = "/hetzner/v1/metadata";
/// The path of the user data.
pub const USERDATA_PATH: &str = "/hetzner/v1/userdata";
/// Everything is text: the summary for people and parsers, the children for scripts, user data for whoever wrote it.
pub const CONTENT_TYPE: &str = "text/plain; charset=utf-8";
/// The children of the summary.
pub const CHILDREN: [&str; 6] =
    ["hostname", "instance-id", "public-ipv4", "private-networks", "availability-zone", "region"];

/// The interface that carries the public addresses.
const PUBLIC_INTERFACE: &str = "eth0";
/// The prefix length of a server's IPv6 network.
const IPV6_PREFIX: u8 = 64;
/// Where servers send IPv6 (linux-host-facts; the same for each).
const IPV6_GATEWAY: &str = "fe80::1";
/// The format of `network-config`.
const NETWORK_CONFIG_VERSION: i64 = 1;
/// The user whom keys and the password are for.
const ROOT: &str = "root";
/// The address that a server gives itself in its /64.
const IPV6_HOST_PART: u128 = 1;

/// What the metadata service knows of a server.
#[derive(Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The server's id.
    pub instance_id: Id,
    /// Its name.
    pub hostname: String,
    /// The name of its data center.
    pub availability_zone: String,
    /// The network zone of its location.
    pub region: String,
    /// Its public interface; none when it has no public address.
    pub public: Option<PublicInterface>,
    /// Public keys for root, whole lines.
    pub public_keys: Vec<String>,
    /// Networks that it is attached to, in the order of its interfaces.
    pub private_networks: Vec<PrivateNetwork>,
    /// User data, byte for byte.
    pub user_data: Option<String>,
    /// The crypt(3) hash of root's first password; a real host has it, for servers without keys.
    pub root_password_hash: Option<String>,
}

/// The public interface of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicInterface {
    /// Its hardware address.
    pub mac: String,
    /// The IPv4 address, configured by DHCP.
    pub ipv4: Option<Ipv4Addr>,
    /// The first address of the IPv6 /64: `2001:db8::`.
    pub ipv6: Option<Ipv6Addr>,
}

/// A server in a private network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateNetwork {
    /// The server's address.
    pub ip: Ipv4Addr,
    /// Further addresses.
    pub alias_ips: Vec<Ipv4Addr>,
    /// The number of the interface, from 1.
    pub interface_num: u32,
    /// Its hardware address.
    pub mac: String,
    /// The network's id.
    pub network_id: Id,
    /// The network's name.
    pub network_name: String,
    /// The network's range: `10.0.0.0/8`.
    pub network: String,
    /// The range of the subnet: `10.0.0.0/24`.
    pub subnet: String,
    /// Where other subnets are reached.
    pub gateway: Ipv4Addr,
}

impl std::fmt::Debug for Metadata {
    /// Without user data and password, which are secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metadata").field("instance_id", &self.instance_id).finish_non_exhaustive()
    }
}

impl Metadata {
    /// What a server is told at a path, as [`CONTENT_TYPE`]. None is a 404. It may hold secrets: nobody keeps it.
    ///
    /// User data is given byte for byte, as an empty text where there is none: cloud-init takes anything but a success for
    /// a service that is not ready yet, and would ask again for minutes.
    #[must_use]
    pub fn answer(&self, path: &str) -> Option<String> {
        match path {
            METADATA_PATH => Some(self.summary()),
            USERDATA_PATH => Some(self.user_data.clone().unwrap_or_default()),
            _ => self.child(path.strip_prefix(METADATA_PATH)?.strip_prefix('/')?),
        }
    }

    /// A child of the summary by its name. None for a name that is none, and for the public IPv4 address of a server that
    /// has none: a script that asks with `curl --fail` learns of it.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<String> {
        match name {
            "hostname" => Some(self.hostname.clone()),
            "instance-id" => Some(self.instance_id.to_string()),
            "public-ipv4" => self.public_ipv4().map(|address| address.to_string()),
            "private-networks" => Some(self.private_networks()),
            "availability-zone" => Some(self.availability_zone.clone()),
            "region" => Some(self.region.clone()),
            _ => None,
        }
    }

    /// The summary, in YAML: all children but the private networks, and what cloud-init configures the guest with.
    #[must_use]
    pub fn summary(&self) -> String {
        let public_ipv4 = self.public_ipv4().map(|address| address.to_string()).unwrap_or_default();
        let keys = self.public_keys.iter().map(Yaml::text).collect();
        Yaml::Map(vec![
            ("availability-zone", Yaml::text(&self.availability_zone)),
            ("hostname", Yaml::text(&self.hostname)),
            ("instance-id", Yaml::Int(self.instance_id)),
            // Empty on the real service, too: the addresses in private networks have a child of their own.
            ("local-ipv4", Yaml::text("")),
            ("network-config", self.network_config()),
            ("public-ipv4", Yaml::text(public_ipv4)),
            ("public-keys", Yaml::List(keys)),
            ("region", Yaml::text(&self.region)),
            ("vendor_data", Yaml::text(self.vendor_data())),
        ])
        .to_string()
    }

    /// The private networks, in YAML: a list, empty where there is none.
    #[must_use]
    pub fn private_networks(&self) -> String {
        Yaml::List(self.private_networks.iter().map(private_network).collect()).to_string()
    }

    fn public_ipv4(&self) -> Option<Ipv4Addr> {
        self.public.as_ref().and_then(|public| public.ipv4)
    }

    /// The network in version 1 of cloud-init's format. Resolvers come with the DHCP lease.
    fn network_config(&self) -> Yaml {
        let interfaces = self.public.iter().map(|public| {
            let ipv4 = public.ipv4.map(|_| Yaml::Map(vec![("ipv4", Yaml::Bool(true)), ("type", Yaml::text("dhcp"))]));
            Yaml::Map(vec![
                ("mac_address", Yaml::text(&public.mac)),
                ("name", Yaml::text(PUBLIC_INTERFACE)),
                ("subnets", Yaml::List(ipv4.into_iter().chain(public.ipv6.map(ipv6_subnet)).collect())),
                ("type", Yaml::text("physical")),
            ])
        });
        Yaml::Map(vec![("config", Yaml::List(interfaces.collect())), ("version", Yaml::Int(NETWORK_CONFIG_VERSION))])
    }

    /// What the provider adds to the user's own data: the host name, that keys are root's (images of distributions disable
    /// root; linux-host-facts), and root's password, with which SSH has to let somebody in.
    fn vendor_data(&self) -> String {
        let mut config = vec![
            ("disable_root", Yaml::Bool(false)),
            ("fqdn", Yaml::text(&self.hostname)),
            ("manage_etc_hosts", Yaml::Bool(true)),
        ];
        if let Some(hash) = &self.root_password_hash {
            config.insert(0, ("chpasswd", password(hash)));
            config.push(("ssh_pwauth", Yaml::Bool(true)));
        }
        format!("#cloud-config\n{}", Yaml::Map(config))
    }
}

/// Sets root's password. cloud-init takes a list of users, and hashes by their type, since 22.3.
fn password(hash: &str) -> Yaml {
    let user = vec![("name", Yaml::text(ROOT)), ("password", Yaml::text(hash)), ("type", Yaml::text("hash"))];
    Yaml::Map(vec![("expire", Yaml::Bool(false)), ("users", Yaml::List(vec![Yaml::Map(user)]))])
}

fn ipv6_subnet(network: Ipv6Addr) -> Yaml {
    let own = Ipv6Addr::from(u128::from(network) | IPV6_HOST_PART);
    Yaml::Map(vec![
        ("address", Yaml::text(format!("{own}/{IPV6_PREFIX}"))),
        ("gateway", Yaml::text(IPV6_GATEWAY)),
        ("ipv6", Yaml::Bool(true)),
        ("type", Yaml::text("static")),
    ])
}

fn private_network(attached: &PrivateNetwork) -> Yaml {
    let address = |ip: &Ipv4Addr| Yaml::text(ip.to_string());
    Yaml::Map(vec![
        ("ip", address(&attached.ip)),
        ("alias_ips", Yaml::Flow(attached.alias_ips.iter().map(address).collect())),
        ("interface_num", Yaml::Int(attached.interface_num.into())),
        ("mac_address", Yaml::text(&attached.mac)),
        ("network_id", Yaml::Int(attached.network_id)),
        ("network_name", Yaml::text(&attached.network_name)),
        ("network", Yaml::text(&attached.network)),
        ("subnet", Yaml::text(&attached.subnet)),
        ("gateway", address(&attached.gateway)),
    ])
}

#[cfg(test)]
mod tests;
