//! How simulated hosts behave.

use super::types::{SetSimulation, Simulation};
use super::{Admin, Answer, Shown, request};
use axum::body::Body;
use axum::extract::State;
use http::StatusCode;
use std::sync::Arc;
use wolke_domain::placement::HOSTS_PER_LOCATION;
use wolke_domain::{Error, Result};
use wolke_host::LatencyProfile;

/// `GET /simulation`.
pub async fn show(State(admin): State<Arc<Admin>>) -> Answer<Simulation> {
    Ok(Shown(StatusCode::OK, shown(admin.control.simulation())))
}

/// `PUT /simulation`.
pub async fn set(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Simulation> {
    let set: SetSimulation = request(body).await?;
    let mut next = admin.control.simulation();
    if let Some(profile) = profile(&set)? {
        next.profile = profile;
    }
    if let Some(faults) = set.faults {
        next.faults = faults;
    }
    if let Some(hosts) = set.hosts_per_location {
        if hosts > HOSTS_PER_LOCATION {
            return Err(Error::invalid("hosts_per_location", format!("must not exceed {HOSTS_PER_LOCATION}")).into());
        }
        next.hosts_per_location = hosts;
    }
    admin.control.set_simulation(next);
    admin.control.pace_health_checks().await?;
    Ok(Shown(StatusCode::OK, shown(admin.control.simulation())))
}

fn profile(set: &SetSimulation) -> Result<Option<LatencyProfile>> {
    match (&set.preset, &set.profile) {
        (Some(_), Some(_)) => Err(Error::invalid("preset", "must not be given together with profile")),
        (Some(name), None) => LatencyProfile::preset(name).map(Some).ok_or_else(|| {
            Error::invalid("preset", format!("must be one of '{}'", LatencyProfile::PRESETS.join("', '")))
        }),
        (None, Some(profile)) => match profile.check() {
            Ok(()) => Ok(Some(profile.clone())),
            Err(action) => {
                let message = "is done in its answer: give it a duration, or let it fail with a fault (during)";
                Err(Error::invalid(format!("profile.{action}"), message))
            }
        },
        (None, None) => Ok(None),
    }
}

fn shown(simulation: wolke_control::Simulation) -> Simulation {
    let is_it = |name: &&&str| LatencyProfile::preset(name).as_ref() == Some(&simulation.profile);
    let preset = LatencyProfile::PRESETS.iter().find(is_it).map(|name| (*name).to_owned());
    let hosts_per_location = simulation.hosts_per_location;
    Simulation { preset, profile: simulation.profile, faults: simulation.faults, hosts_per_location }
}
