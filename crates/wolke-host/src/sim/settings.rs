//! The knobs of a simulated host.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wolke_wire::Id;

use crate::host::Capacity;
use crate::policy::LatencyProfile;
use crate::server::Architecture;

/// What is broken about a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimFaults {
    /// Images that are not there.
    #[serde(default)]
    pub missing_images: BTreeSet<Id>,
    /// No disk can be made or grown.
    #[serde(default)]
    pub disk_full: bool,
    /// No guest agent answers in any guest: passwords cannot be set.
    #[serde(default)]
    pub no_guest_agent: bool,
}

/// How a simulated host behaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SimSettings {
    /// The pace of its work; a server's own profile takes precedence per kind.
    pub profile: LatencyProfile,
    /// Work that only takes time takes none (clock mode `instant`).
    pub skip_time: bool,
    /// The seed from which latencies are spread.
    pub seed: u64,
    /// Its size.
    pub capacity: Capacity,
    /// What is broken.
    pub faults: SimFaults,
    /// Dies, with what it has done so far written down, when one [`super::SimHost`] is about to execute more than this
    /// many operations: the harness for crashes between any two of them.
    pub crash_after: Option<u32>,
}

impl Default for SimSettings {
    /// Immediate, sound, and large enough for the largest server type.
    fn default() -> Self {
        let capacity = Capacity { architecture: Architecture::X86, cores: 256, memory_mb: 1 << 20, disk_gb: 20_000 };
        Self {
            profile: LatencyProfile::none(),
            skip_time: false,
            seed: 0,
            capacity,
            faults: SimFaults::default(),
            crash_after: None,
        }
    }
}

/// What happens to a guest without the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestEvent {
    /// It switches itself off.
    PowersOff,
    /// The machine below it loses power and comes back: a guest that ran has to be started again, and what was under
    /// way, running or not, is interrupted.
    HostDies,
}
