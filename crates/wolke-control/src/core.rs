//! What strand steps and operations share: the catalogue, address pools, the sealer and the simulation's settings.

use crate::operator::Operator;
use crate::real::RealHosts;
use std::sync::{Arc, PoisonError, RwLock};
use wolke_domain::action::{Failure, Target};
use wolke_domain::address::{Ipv4Pools, Ipv6Pools};
use wolke_domain::catalogue::Catalogue;
use wolke_domain::{Error, Result};
use wolke_host::{LatencyProfile, SimFaults};
use wolke_store::seal::Sealer;
use wolke_store::{Tx, action, resource};
use wolke_strand::{Application, Frame, Heard, Registry};
use wolke_wire::ErrorCode;

/// How simulated hosts behave; changed while running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// The pace of simulated work.
    pub profile: LatencyProfile,
    /// What is broken.
    pub faults: SimFaults,
    /// Hosts that a location makes on demand at most. A lower number takes none away that is there: with 0 no machine goes
    /// anywhere else than where there is room already.
    pub hosts_per_location: u32,
}

impl Default for Simulation {
    fn default() -> Self {
        let hosts_per_location = wolke_domain::placement::HOSTS_PER_LOCATION;
        Self { profile: LatencyProfile::default(), faults: SimFaults::default(), hosts_per_location }
    }
}

/// What steps and operations share.
pub struct Core {
    /// Where public IPv4 addresses come from.
    pub ipv4: Ipv4Pools,
    /// Where public IPv6 networks come from.
    pub ipv6: Ipv6Pools,
    /// Whether managed certificates are issued only for domains that lie in a DNS zone of their project.
    pub certificates_need_zones: bool,
    /// Seals secrets at rest.
    pub sealer: Arc<Sealer>,
    simulation: RwLock<Arc<Simulation>>,
    pub(crate) operator: Operator,
}

impl Core {
    /// A core with default pools.
    ///
    /// # Errors
    /// Internal, when the built-in pools are broken.
    pub fn new(sealer: Arc<Sealer>, simulation: Simulation) -> Result<Self> {
        use wolke_domain::address::{DEFAULT_IPV4_POOLS, DEFAULT_IPV6_POOLS};
        let pool = |e: wolke_domain::address::PoolError| Error::internal(format!("address pool: {e}"));
        Ok(Self {
            ipv4: Ipv4Pools::parse(DEFAULT_IPV4_POOLS).map_err(pool)?,
            ipv6: Ipv6Pools::parse(DEFAULT_IPV6_POOLS).map_err(pool)?,
            certificates_need_zones: true,
            sealer,
            simulation: RwLock::new(Arc::new(simulation)),
            operator: Operator::default(),
        })
    }

    /// With the operator's catalogue file, as [`Operator::with_file`] has read it.
    pub fn set_operator(&mut self, operator: Operator) {
        self.operator = operator;
    }

    /// Opens what was sealed for a host: user data, or the hash of a root password.
    ///
    /// # Errors
    /// Internal, when it was sealed with another key.
    pub fn unseal_for_host(&self, sealed: &str) -> Result<String> {
        // Which of them it is, is part of the seal.
        let purposes = [crate::server::USER_DATA_SEAL, crate::server::PASSWORD_SEAL];
        let mut opened = purposes.into_iter().map(|purpose| self.sealer.open(purpose, sealed));
        opened.find(Result::is_ok).unwrap_or_else(|| Err(Error::internal("a secret for a host cannot be opened")))
    }

    /// What can be ordered now.
    #[must_use]
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.operator.catalogue()
    }

    /// The real hosts, as far as this process has heard of them.
    pub(crate) fn real(&self) -> Arc<RealHosts> {
        Arc::clone(&self.operator.decided().real)
    }

    /// How simulated hosts behave now.
    #[must_use]
    pub fn simulation(&self) -> Arc<Simulation> {
        Arc::clone(&self.simulation.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes how simulated hosts behave from now on.
    pub fn set_simulation(&self, simulation: Simulation) {
        *self.simulation.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(simulation);
    }
}

impl Application for Core {
    fn registry() -> &'static Registry<Self> {
        &crate::server::REGISTRY
    }

    fn begin(&self, tx: &mut dyn Tx, heard: Heard) -> Result<()> {
        self.operator.keep_up(tx, heard)
    }

    fn ended(&self, tx: &mut dyn Tx, frame: &Frame, unlocked: &[Target]) -> Result<()> {
        for id in frame.action.iter().chain(&frame.also) {
            action::end(tx, *id, frame.failure.as_ref())?;
        }
        crate::project::wake(tx, frame.project)?;
        // `locked` is part of what a resource shows.
        unlocked.iter().try_for_each(|target| resource::touch(tx, target.kind, target.id))
    }

    fn timed_out(&self, step: &str) -> Failure {
        Failure::new(ErrorCode::Timeout, format!("timed out while waiting ({step})"))
    }

    fn gave_up(&self, error: &Error) -> Failure {
        Failure::action(error.message())
    }
}
