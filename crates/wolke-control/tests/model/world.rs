//! What happens around requests: strands go on, hosts are slow, processes die.

use crate::system::System;
use proptest::prelude::{BoxedStrategy, Just, Strategy};
use proptest::prop_oneof;
use serde_json::Value;
use wolke_control::Simulation;
use wolke_domain::Result;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_strand::testing::Disturbance;

/// How long a slow host takes for anything, in milliseconds.
const SLOW_MS: u32 = 4_000;
/// Strands that may be due at once, when one of them shall be hit.
const STRANDS: usize = 3;

#[derive(Clone)]
pub enum Step {
    /// Everything goes on to its end.
    Rest,
    /// One step of every strand that is due.
    Strands(Disturbance),
    /// The process dies; a new one has only the databases.
    Restart,
    /// The process dies in the middle of strands' steps, and the next one carries on.
    Crash(Disturbance),
    /// Whether hosts take their time.
    Slow(bool),
    /// Time passes, in milliseconds.
    Time(u16),
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rest => write!(f, "everything comes to rest"),
            Self::Strands(Disturbance::None) => write!(f, "one step of each strand"),
            Self::Strands(disturbance) => write!(f, "one step of each strand, {disturbance:?}"),
            Self::Restart => write!(f, "restart"),
            Self::Crash(disturbance) => write!(f, "crash in a step: {disturbance:?}"),
            Self::Slow(true) => write!(f, "hosts become slow"),
            Self::Slow(false) => write!(f, "hosts become fast"),
            Self::Time(ms) => write!(f, "{ms} ms pass"),
        }
    }
}

pub fn any() -> BoxedStrategy<Step> {
    let crash =
        prop_oneof![(0..STRANDS).prop_map(Disturbance::CrashBefore), (0..STRANDS).prop_map(Disturbance::CrashAfter),];
    let disturbance = prop_oneof![3 => Just(Disturbance::None), 1 => Just(Disturbance::RepeatEverything)];
    prop_oneof![
        6 => Just(Step::Rest),
        5 => disturbance.prop_map(Step::Strands),
        2 => crash.prop_map(Step::Crash),
        1 => Just(Step::Restart),
        1 => proptest::bool::ANY.prop_map(Step::Slow),
        1 => (0..6_000_u16).prop_map(Step::Time),
    ]
    .boxed()
}

/// Everything takes this long.
fn slow() -> LatencyProfile {
    [OperationKind::Create, OperationKind::Start, OperationKind::Stop, OperationKind::Delete, OperationKind::Change]
        .into_iter()
        .fold(LatencyProfile::none(), |profile, kind| profile.with(kind, Policy::After { ms: SLOW_MS }))
}

impl Step {
    pub async fn perform(&self, system: &mut System) -> Result<Value> {
        match self {
            Self::Rest => system.rest()?,
            Self::Strands(disturbance) => system.step(*disturbance)?,
            Self::Restart => system.restart().await,
            Self::Crash(disturbance) => {
                system.step(*disturbance)?;
                system.restart().await;
            }
            Self::Slow(is_slow) => {
                system.checks_take_time |= *is_slow;
                let profile = if *is_slow { slow() } else { LatencyProfile::none() };
                system.control.set_simulation(Simulation { profile, ..Simulation::default() });
            }
            Self::Time(ms) => system.clock.advance(i64::from(*ms)),
        }
        Ok(Value::Null)
    }
}
