//! How long simulated work takes, and how it fails: one policy per kind of operation.
//!
//! **Invariant:** a policy is a pure function of time, seed and object: the same run spreads its latencies the same way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wolke_wire::{Id, Timestamp};

use crate::host::mix;
use crate::object::HostError;
use crate::work::{self, Work};

/// The kinds of operations that a policy tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Making the disk of a new server.
    Create,
    /// Making the disk anew.
    Rebuild,
    /// Growing the disk.
    Resize,
    /// Changing name, size or interfaces.
    Change,
    /// Switching on.
    Start,
    /// Switching off hard.
    Stop,
    /// The guest's way to off after the power button; [`Policy::Stuck`] is a guest that ignores it.
    Shutdown,
    /// The guest's reboot.
    Reboot,
    /// The reset button.
    Reset,
    /// Removing everything.
    Delete,
    /// Making an image of the disk.
    Snapshot,
    /// Setting root's password through the guest agent.
    SetPassword,
    /// Issuing a managed certificate: no host's work, but the authority's.
    IssueCertificate,
}

/// How one operation goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "snake_case", deny_unknown_fields)]
pub enum Policy {
    /// It takes no time.
    #[default]
    Immediate,
    /// It takes this much world time.
    After {
        /// Milliseconds.
        ms: u32,
    },
    /// It takes a time between two bounds, spread evenly by the seed.
    Between {
        /// At least so many milliseconds.
        min_ms: u32,
        /// At most so many milliseconds.
        max_ms: u32,
    },
    /// It is done when it has been looked at so often.
    AfterLooks {
        /// Looks.
        n: u32,
    },
    /// It never ends.
    Stuck,
    /// It fails the first time for each object, then takes no time.
    FailOnce {
        /// The error's code.
        code: String,
        /// The error's message.
        message: String,
    },
    /// It always fails.
    FailAlways {
        /// The error's code.
        code: String,
        /// The error's message.
        message: String,
    },
}

/// Where an operation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It can be completed now.
    Ready,
    /// It ends at this world time.
    Until(#[serde(with = "crate::millis")] Timestamp),
    /// It ends after so many more looks.
    Looks(u32),
    /// It never ends.
    Never,
    /// It has failed.
    Failed(HostError),
}

/// What a policy needs to know of the operation that begins.
#[derive(Clone, Copy, Debug)]
pub struct Beginning {
    /// World time.
    pub now: Timestamp,
    /// The seed of the spread.
    pub seed: u64,
    /// The id of what it is done to.
    pub id: Id,
    /// The kind of operation.
    pub kind: OperationKind,
    /// The generation or the command that asked for it.
    pub cause: i64,
    /// Whether this kind has failed on this object before.
    pub failed_before: bool,
}

impl Policy {
    /// How an operation begins under this policy.
    #[must_use]
    pub fn begin(&self, beginning: &Beginning) -> Progress {
        match self {
            Self::Immediate | Self::After { ms: 0 } | Self::AfterLooks { n: 0 } => Progress::Ready,
            Self::After { ms } => Progress::Until(beginning.now.plus_ms(i64::from(*ms))),
            Self::Between { min_ms, max_ms } => {
                Progress::Until(beginning.now.plus_ms(i64::from(spread(beginning, *min_ms, *max_ms))))
            }
            Self::AfterLooks { n } => Progress::Looks(*n),
            Self::Stuck => Progress::Never,
            Self::FailOnce { .. } if beginning.failed_before => Progress::Ready,
            Self::FailOnce { code, message } | Self::FailAlways { code, message } => {
                Progress::Failed(HostError::new(code, message))
            }
        }
    }
}

impl Progress {
    /// Whether the operation can be completed: `skip_time` ends what only waits for time (clock mode `instant`).
    #[must_use]
    pub fn is_over(&self, now: Timestamp, skip_time: bool) -> bool {
        match self {
            Self::Ready => true,
            Self::Until(due) => skip_time || *due <= now,
            Self::Looks(left) => *left == 0,
            Self::Never | Self::Failed(_) => false,
        }
    }

    /// Counts one look.
    pub fn look(&mut self) {
        if let Self::Looks(left) = self {
            *left = left.saturating_sub(1);
        }
    }
}

/// An even spread over `min..=max`, fixed by seed, object, kind and cause.
fn spread(beginning: &Beginning, min_ms: u32, max_ms: u32) -> u32 {
    let object = mix(beginning.seed ^ beginning.id.cast_unsigned());
    let hash = mix(mix(object ^ beginning.cause.cast_unsigned()) ^ beginning.kind as u64);
    even(hash, min_ms, max_ms)
}

/// Where a number falls in `min..=max`.
fn even(hash: u64, min_ms: u32, max_ms: u32) -> u32 {
    let width = u64::from(max_ms.saturating_sub(min_ms)) + 1;
    // Multiply and shift instead of a remainder, which would favour the low values.
    let offset = (u128::from(hash) * u128::from(width)) >> 64;
    min_ms.saturating_add(u32::try_from(offset).unwrap_or(0))
}

/// A policy for each kind of work; what is not named takes no time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LatencyProfile(pub BTreeMap<Work, Policy>);

impl LatencyProfile {
    /// The names of the presets.
    pub const PRESETS: &'static [&'static str] = &["none", "realistic"];

    /// Everything takes no time.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// What was observed on the real service (fact sheet §3.1: create 10–30 s, delete about 11 s); the others are estimates
    /// of the same order. Those of actions that need no machine stand in [`crate::work::ACTIONS`].
    #[must_use]
    pub fn realistic() -> Self {
        let between = |min_ms, max_ms| Policy::Between { min_ms, max_ms };
        let machines = [
            (OperationKind::Create, between(10_000, 30_000)),
            (OperationKind::Rebuild, between(10_000, 30_000)),
            (OperationKind::Resize, between(5_000, 10_000)),
            (OperationKind::Change, between(1_000, 2_000)),
            (OperationKind::Start, between(3_000, 5_000)),
            (OperationKind::Stop, between(2_000, 4_000)),
            (OperationKind::Shutdown, between(3_000, 8_000)),
            (OperationKind::Reboot, between(5_000, 10_000)),
            (OperationKind::Reset, between(1_000, 2_000)),
            (OperationKind::Delete, between(10_500, 11_500)),
            (OperationKind::Snapshot, between(20_000, 60_000)),
            (OperationKind::SetPassword, between(1_000, 2_000)),
            (OperationKind::IssueCertificate, between(5_000, 20_000)),
        ];
        let machines = machines.map(|(kind, policy)| (Work::Machine(kind), policy));
        Self(machines.into_iter().chain(work::realistic()).collect())
    }

    /// A preset by its name.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::none()),
            "realistic" => Some(Self::realistic()),
            _ => None,
        }
    }

    /// The policy of a kind, if it is named.
    #[must_use]
    pub fn get(&self, kind: OperationKind) -> Option<&Policy> {
        self.0.get(&Work::Machine(kind))
    }

    /// Whether anything takes world time. What fails or gets stuck is broken, not slow.
    #[must_use]
    pub fn takes_time(&self) -> bool {
        let takes_time = |policy: &Policy| match policy {
            Policy::After { ms } => *ms > 0,
            Policy::Between { max_ms, .. } => *max_ms > 0,
            _ => false,
        };
        self.0.values().any(takes_time)
    }

    /// The same with one policy set.
    #[must_use]
    pub fn with(mut self, work: impl Into<Work>, policy: Policy) -> Self {
        self.0.insert(work.into(), policy);
        self
    }

    /// Whether actions that need no machine may take time.
    #[must_use]
    pub fn has_actions(&self) -> bool {
        // Sorted: machines' work comes first.
        self.0.last_key_value().is_some_and(|(work, _)| matches!(work, Work::Action(_)))
    }

    /// How long the action of this id takes that waits for `work`, in milliseconds: nothing where the policy is about
    /// something else than time. Spread by the id, as the work of machines is.
    #[must_use]
    pub fn action_ms(&self, work: Option<Work>, action: Id) -> i64 {
        match work.and_then(|work| self.0.get(&work)) {
            Some(Policy::After { ms }) => i64::from(*ms),
            Some(Policy::Between { min_ms, max_ms }) => {
                i64::from(even(mix(mix(action.cast_unsigned())), *min_ms, *max_ms))
            }
            _ => 0,
        }
    }

    /// Checks that every action is given a time and nothing else.
    ///
    /// # Errors
    /// The name of the first that is not.
    pub fn check(&self) -> Result<(), &'static str> {
        work::untimed(&self.0).map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::{Beginning, LatencyProfile, OperationKind, Policy, Progress};
    use wolke_wire::Timestamp;

    fn beginning(id: i64) -> Beginning {
        Beginning { now: Timestamp(1000), seed: 7, id, kind: OperationKind::Create, cause: 1, failed_before: false }
    }

    #[test]
    fn spread_stays_in_bounds_and_repeats() {
        let policy = Policy::Between { min_ms: 10, max_ms: 13 };
        let mut seen = [0_u32; 4];
        for id in 1..=400 {
            let progress = policy.begin(&beginning(id));
            assert_eq!(progress, policy.begin(&beginning(id)));
            let Progress::Until(due) = progress else { panic!("{progress:?}") };
            seen[usize::try_from(due.0 - 1010).unwrap()] += 1;
        }
        assert!(seen.iter().all(|count| (60..=140).contains(count)), "{seen:?}");
    }

    #[test]
    fn fail_once_fails_once() {
        let policy = Policy::FailOnce { code: "x".into(), message: "y".into() };
        assert!(matches!(policy.begin(&beginning(1)), Progress::Failed(_)));
        assert_eq!(policy.begin(&Beginning { failed_before: true, ..beginning(1) }), Progress::Ready);
    }

    #[test]
    fn skipping_time_ends_waits_and_nothing_else() {
        let now = Timestamp(0);
        assert!(Progress::Until(Timestamp(5)).is_over(now, true));
        assert!(!Progress::Until(Timestamp(5)).is_over(Timestamp(4), false));
        assert!(Progress::Until(Timestamp(5)).is_over(Timestamp(5), false));
        assert!(!Progress::Never.is_over(now, true));
        let mut looks = Progress::Looks(2);
        looks.look();
        assert!(!looks.is_over(now, true));
        looks.look();
        assert!(looks.is_over(now, false));
    }

    #[test]
    fn what_is_broken_is_not_slow() {
        let with = |policy| LatencyProfile::none().with(OperationKind::Start, policy).takes_time();
        assert!(!LatencyProfile::none().takes_time() && LatencyProfile::realistic().takes_time());
        assert!(with(Policy::After { ms: 1 }) && with(Policy::Between { min_ms: 0, max_ms: 1 }));
        assert!(
            ![Policy::Immediate, Policy::After { ms: 0 }, Policy::AfterLooks { n: 2 }, Policy::Stuck]
                .into_iter()
                .any(with)
        );
    }

    #[test]
    fn profiles_are_configuration() {
        let text = "create = { policy = \"after\", ms = 1500 }\nshutdown = { policy = \"stuck\" }\n";
        let profile: LatencyProfile = toml::from_str(text).unwrap();
        let expected = LatencyProfile::none()
            .with(OperationKind::Create, Policy::After { ms: 1500 })
            .with(OperationKind::Shutdown, Policy::Stuck);
        assert_eq!(profile, expected);
        assert!(toml::from_str::<LatencyProfile>("create = { policy = \"after\", sm = 1 }").is_err());
        assert!(toml::from_str::<LatencyProfile>("creat = { policy = \"stuck\" }").is_err());
        for name in LatencyProfile::PRESETS {
            let preset = LatencyProfile::preset(name).unwrap();
            let json = serde_json::to_string(&preset).unwrap();
            assert_eq!(serde_json::from_str::<LatencyProfile>(&json).unwrap(), preset);
        }
    }
}
