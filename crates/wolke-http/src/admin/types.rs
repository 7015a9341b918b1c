//! Requests and answers of the admin API.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wolke_domain::clock::ClockMode;
use wolke_host::{LatencyProfile, SimFaults};
use wolke_wire::{Dialect, Id, Timestamp};

/// What runs here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// `sqlite`, `memory` or `postgresql`.
    pub engine: String,
    /// Where clients reach the Cloud API: `http://127.0.0.1:4280`.
    pub endpoint: String,
    /// The dialect of tokens without one of their own.
    pub dialect: Dialect,
    /// The process id.
    pub pid: u32,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it is being emptied, to be gone then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleting: bool,
}

/// A project that is still being emptied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emptying {
    /// For people.
    pub message: String,
    /// How many resources of each kind it still holds, by the kind's singular.
    pub left: BTreeMap<String, i64>,
}

/// The request of `POST /projects`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    /// Its name.
    pub name: String,
}

/// How many resources of a kind a project may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// The limit, as answers name it: `server_limit`.
    pub name: String,
    /// How many there may be.
    pub limit: i64,
    /// How many there may be in a project that has no limit of its own.
    pub default: i64,
    /// How many there are.
    pub used: i64,
}

/// The request of `PUT /projects/{name}/limits`: by the limit's name a number, or null for the default. What is absent stays.
pub type SetLimits = BTreeMap<String, Option<i64>>;

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: Id,
    /// What its owner calls it.
    pub name: String,
    /// The id of its project.
    pub project: Id,
    /// Read-write, or read-only.
    pub writes: bool,
    /// Its dialect, where it differs from the server's.
    pub dialect: Option<Dialect>,
    /// When it was made.
    pub created: Timestamp,
}

/// The request of `POST /tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// The name of its project.
    pub project: String,
    /// What its owner calls it.
    pub name: String,
    /// Read-write, or read-only.
    pub writes: bool,
    /// A dialect of its own.
    #[serde(default)]
    pub dialect: Option<Dialect>,
}

/// The request of `POST /tokens/find`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindToken {
    /// The secret that somebody has.
    pub secret: String,
}

impl std::fmt::Debug for FindToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FindToken(…)")
    }
}

/// The answer of `POST /tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedToken {
    /// What was made.
    pub token: Token,
    /// The secret; it is stored nowhere and cannot be shown again.
    pub secret: String,
}

/// The clock of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// World time now.
    pub now: Timestamp,
    /// How it moves.
    pub mode: ClockMode,
    /// World milliseconds per real second, in mode `scaled`.
    pub rate_permille: i64,
}

/// The clock after a jump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jumped {
    /// Where it ended.
    #[serde(flatten)]
    pub clock: Clock,
    /// How often it stopped on the way, its end included.
    pub stops: u32,
    /// What did not go as it should.
    pub warning: Option<String>,
}

/// The request of `POST /clock/mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetClockMode {
    /// How it shall move.
    pub mode: ClockMode,
    /// World milliseconds per real second; as fast as real time when absent.
    #[serde(default = "real_time")]
    pub rate_permille: i64,
}

const fn real_time() -> i64 {
    1000
}

/// The request of `POST /clock/set`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetClock {
    /// World time; not in the past.
    pub now: Timestamp,
}

/// The request of `POST /clock/advance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdvanceClock {
    /// How far, in milliseconds.
    pub milliseconds: i64,
}

/// How simulated hosts behave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulation {
    /// The name of the latency preset, when the profile is one.
    pub preset: Option<String>,
    /// The pace of simulated work.
    pub profile: LatencyProfile,
    /// What is broken.
    pub faults: SimFaults,
    /// Hosts that a location makes on demand at most.
    pub hosts_per_location: u32,
}

/// The request of `PUT /simulation`; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetSimulation {
    /// A latency preset by its name; excludes `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// A pace of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<LatencyProfile>,
    /// What shall be broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<SimFaults>,
    /// Hosts that a location shall make at most; those that are there stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts_per_location: Option<u32>,
}
