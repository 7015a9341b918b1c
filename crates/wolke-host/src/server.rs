//! What a host has to know of a server, from its size to its first boot.
//!
//! **Invariant:** documents are forward tolerant: unknown fields are ignored, new fields have defaults, and a change that
//! an older host must not ignore raises [`SERVER_SPEC_VERSION`].

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};
use wolke_wire::Id;

use crate::policy::LatencyProfile;

/// The version of [`ServerSpec`] that this program writes and the newest that it accepts.
pub const SERVER_SPEC_VERSION: u32 = 1;

/// The processor's family, in the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// 64-bit x86.
    X86,
    /// 64-bit Arm.
    Arm,
}

/// The wished power state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// Running.
    On,
    /// Off at once, as if the plug were pulled; a gentle end is the command `Shutdown`.
    Off,
}

/// A text that must not be printed: sealed by the control plane or opaque to the host.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The image from which a disk is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRef {
    /// The image's id.
    pub id: Id,
    /// Its name; a snapshot has none and uses its description, for messages only.
    pub name: String,
    /// Whether a snapshot has made it. The artefact of such an image bears the id, any other the name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

impl ImageRef {
    /// What its artefact on a host is called: `image-1000000007`, `debian-12`.
    #[must_use]
    pub fn artefact(&self) -> String {
        if self.own { crate::ObjectKey::image(self.id).to_string() } else { self.name.clone() }
    }
}

/// How a machine is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runtime {
    /// Not at all: a simulated host remembers what would be.
    Simulated,
    /// An unprivileged system container (LXC).
    Container,
    /// A virtual machine (QEMU).
    Machine,
}

impl Runtime {
    /// The word for people and configuration files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simulated => "simulated",
            Self::Container => "container",
            Self::Machine => "machine",
        }
    }
}

/// From what a guest is booted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boot {
    /// Its disk.
    #[default]
    Disk,
    /// The disc in its drive.
    Iso,
    /// The rescue system.
    Rescue,
}

/// The wish that the next boot leads into the rescue system: the next of any sort (start, reset, reboot, start after a
/// rebuild, start after the host died), and exactly one per epoch. Later boots are normal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescue {
    /// Positive, and larger than that of any earlier wish of the server, withdrawn ones included. A host tells the
    /// newest one that it has consumed ([`crate::ObservedState::rescue_epoch`]).
    pub epoch: i64,
    /// Which system, in the contract's words: `linux64`, `linux32`.
    pub kind: String,
    /// Public key lines for root.
    #[serde(default)]
    pub ssh_keys: Vec<String>,
    /// The crypt(3) hash of root's password there.
    #[serde(default)]
    pub root_password_hash: Option<Secret>,
}

/// The public interface. IPv4 is a routed /32 with gateway 172.31.1.1, IPv6 a routed /64 with gateway fe80::1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicNic {
    /// Lower case, colon separated. Whoever writes it into YAML has to quote it (it may read as a base-60 number).
    pub mac: String,
    /// The address, if it has one.
    pub ipv4: Option<Ipv4Addr>,
    /// The network address of its /64, if it has one.
    pub ipv6: Option<Ipv6Addr>,
}

/// What the guest reads when it boots for the first time (or after a rebuild), over metadata service or seed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstBoot {
    /// Public key lines for root.
    #[serde(default)]
    pub ssh_keys: Vec<String>,
    /// User data, byte for byte.
    #[serde(default)]
    pub user_data: Option<Secret>,
    /// The crypt(3) hash of root's password; a clear password never reaches a host.
    #[serde(default)]
    pub root_password_hash: Option<Secret>,
}

/// The parts of a server that can change during its life and that make no new disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The host name that metadata and DHCP tell.
    pub name: String,
    /// The SMBIOS UUID. The SMBIOS serial is the server's id, from which cloud-init recognises the platform.
    pub uuid: String,
    /// The processor's family.
    pub architecture: Architecture,
    /// Virtual CPUs; takes effect at the next start.
    pub cores: u32,
    /// Memory in MiB; takes effect at the next start.
    pub memory_mb: u32,
    /// The public interface; without one the guest has none. Takes effect at the next start.
    #[serde(default)]
    pub public: Option<PublicNic>,
    /// What metadata tells as region: the network zone's name.
    #[serde(default)]
    pub region: String,
    /// What metadata tells as availability zone: the data center's name.
    #[serde(default)]
    pub availability_zone: String,
}

/// A server as a host needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSpec {
    /// At most [`SERVER_SPEC_VERSION`], else the host refuses it.
    pub version: u32,
    /// Name, size and interfaces.
    #[serde(flatten)]
    pub definition: Definition,
    /// How it is run: decided once, when it is placed. `None` leaves it to the host. A change is refused
    /// ([`crate::HostError::UNSUPPORTED`]): disks of one runtime are of no use to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    /// The size of the disk in GB; it only grows.
    pub disk_gb: u32,
    /// Read only when a disk is made: at creation and at rebuild.
    pub image: ImageRef,
    /// Raised by one to throw the disk away and make it anew from `image`. Counts as a wish for `power`, too.
    #[serde(default)]
    pub rebuild_epoch: i64,
    /// The wished power state.
    pub power: Power,
    /// Raised by one whenever somebody asks for on or off, even if `power` stays the same. A host brings `power`
    /// about once per epoch: a guest that has switched itself off stays off when only the server's name changes.
    #[serde(default)]
    pub power_epoch: i64,
    /// What the guest reads at first boot.
    #[serde(default)]
    pub first_boot: FirstBoot,
    /// The disc in the drive: booted from before the disk. Putting it in or taking it out needs no stop; it counts at
    /// the next boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iso: Option<ImageRef>,
    /// Leads the next boot into the rescue system, before disc and disk. A host that is too old to know it boots
    /// normally and never reports the epoch, so the version need not be raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescue: Option<Rescue>,
    /// Overrides the latency profile of a simulated host for this server. Real hosts take the time they take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulation: Option<LatencyProfile>,
}

impl ServerSpec {
    /// The same without user data and password hashes.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let first_boot =
            FirstBoot { ssh_keys: self.first_boot.ssh_keys.clone(), user_data: None, root_password_hash: None };
        let rescue = self.rescue.clone().map(|rescue| Rescue { root_password_hash: None, ..rescue });
        Self { first_boot, rescue, ..self.clone() }
    }
}
