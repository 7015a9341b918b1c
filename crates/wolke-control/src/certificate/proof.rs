//! What the zones of a project say about the domains of a certificate.

use crate::core::Core;
use wolke_domain::Error;
use wolke_domain::Result;
use wolke_domain::action::Failure;
use wolke_domain::certificate::validation::{self, Sets, Zone};
use wolke_domain::zone::delegation;
use wolke_store::{Tx, rrset, zone};
use wolke_wire::Id;
use wolke_wire::cloud::zone::ZoneMode;

/// Why the authority cannot issue for these domains, if it cannot: the first that it fails at.
pub(super) fn refusal(tx: &mut dyn Tx, core: &Core, project: Id, domains: &[String]) -> Result<Option<Failure>> {
    for domain in domains {
        let found = find(tx, project, domain)?;
        if found.is_none() && !core.certificates_need_zones {
            continue;
        }
        let sets = match &found {
            Some((id, zone)) => sets(tx, *id, domain, &zone.name)?,
            None => Sets::new(),
        };
        if let Err(failure) = validation::check(domain, found.as_ref().map(|(_, zone)| zone), &sets) {
            return Ok(Some(failure));
        }
    }
    Ok(None)
}

/// The zone of the project that a domain lies in.
fn find(tx: &mut dyn Tx, project: Id, domain: &str) -> Result<Option<(Id, Zone)>> {
    for name in validation::zones(domain) {
        if let Some(found) = zone::by_name(tx, project, name)? {
            let unknown = || Error::internal(format!("zone {}: unknown mode", found.value.id));
            let mode = ZoneMode::parse(&found.value.mode).ok_or_else(unknown)?;
            let delegation = delegation::status(found.value.details.delegation.as_ref());
            return Ok(Some((found.value.id, Zone { name: found.value.name, mode, delegation })));
        }
    }
    Ok(None)
}

fn sets(tx: &mut dyn Tx, zone: Id, domain: &str, name: &str) -> Result<Sets> {
    let mut sets = Sets::new();
    for (name, kind) in validation::wanted(domain, name) {
        if let Some(found) = rrset::find(tx, zone, &name, kind)? {
            sets.insert((name, kind), found.value.spec.records);
        }
    }
    Ok(sets)
}
