//! DNS zones: operations and view. Making one: `zone/create.rs`; zone files: `zone/file.rs`; sets of records:
//! `zone/rrset.rs`.
//!
//! What is done to a zone is done in the request's transaction: there is no nameserver to wait for, so its status is always
//! `ok` (decision 0012).

mod create;
mod file;
mod rrset;

use crate::action::{self, Started};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::input;
use crate::view::{Json, Shown};
pub(crate) use rrset::to_wire as rrset_to_wire;
pub use rrset::{AskedRrset, RrsetChange};
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::zone::{APEX, ASSIGNED_NAMESERVERS, delegation, nameserver, soa};
use wolke_domain::{Error, Result, label};
use wolke_store::seal::Sealer;
use wolke_store::zone::{Nameserver, Zone};
use wolke_store::{Race, Stored, Tx, rrset as sets, zone};
use wolke_wire::cloud::zone as wire;
use wolke_wire::cloud::{DeleteProtection, Secret, rrset::RrsetType};
use wolke_wire::{Dialect, Id, IdOrName, Kind};

/// What TSIG keys are sealed for.
const TSIG_SEAL: &str = "tsig_key";

/// A zone as the contract shows it.
pub(crate) fn to_wire(zone: &Zone, sealer: &Sealer) -> Result<wire::Zone> {
    let unknown = |what: &str| Error::internal(format!("zone {}: unknown {what}", zone.id));
    let details = &zone.details;
    let nameserver = |one: &Nameserver| {
        let (algorithm, key) = match &one.tsig {
            None => (None, None),
            Some((algorithm, sealed)) => {
                let algorithm = wire::TsigAlgorithm::parse(algorithm).ok_or_else(|| unknown("TSIG algorithm"))?;
                (Some(algorithm), Some(Secret::new(sealer.open(TSIG_SEAL, sealed)?)))
            }
        };
        Ok(wire::Nameserver { address: one.address.clone(), port: one.port, tsig_algorithm: algorithm, tsig_key: key })
    };
    Ok(wire::Zone {
        id: zone.id,
        name: zone.name.clone(),
        created: zone.created,
        mode: wire::ZoneMode::parse(&zone.mode).ok_or_else(|| unknown("mode"))?,
        ttl: details.ttl,
        labels: details.labels.clone(),
        protection: DeleteProtection { delete: details.delete_protected },
        primary_nameservers: details.nameservers.iter().map(nameserver).collect::<Result<_>>()?,
        authoritative_nameservers: wire::AuthoritativeNameservers {
            assigned: ASSIGNED_NAMESERVERS.map(str::to_owned).into(),
            delegated: details.delegation.as_ref().map(|found| found.nameservers.clone()).unwrap_or_default(),
            delegation_last_check: details.delegation.as_ref().map(|found| found.checked),
            delegation_status: delegation::status(details.delegation.as_ref()),
        },
        registrar: wire::Registrar::parse(&details.registrar).ok_or_else(|| unknown("registrar"))?,
        status: wire::ZoneStatus::Ok,
        record_count: zone.record_count,
    })
}

/// Nameservers as they are stored: their keys sealed.
fn sealed(tx: &mut dyn Tx, core: &Core, all: &[wire::Nameserver]) -> Result<Vec<Nameserver>> {
    let mut nonces = tx.random("tsig_seal");
    let mut store = |one: &wire::Nameserver| {
        let tsig = match (one.tsig_algorithm, &one.tsig_key) {
            (Some(algorithm), Some(key)) => {
                Some((algorithm.as_str().to_owned(), core.sealer.seal(&mut *nonces, TSIG_SEAL, key.expose())?))
            }
            _ => None,
        };
        Ok(Nameserver { address: one.address.clone(), port: one.port, tsig })
    };
    all.iter().map(&mut store).collect()
}

/// Refuses what only zones of the other mode can do (fact sheet §4.2).
fn check_mode(zone: &Zone, wanted: wire::ZoneMode) -> Result<()> {
    if zone.mode == wanted.as_str() { Ok(()) } else { Err(Error::incorrect_zone_mode(&zone.mode)) }
}

/// Says to whoever copies the zone that it has changed: its serial grows.
fn bump_serial(tx: &mut dyn Tx, zone: &Zone) -> Result<()> {
    let missing = || Error::internal(format!("zone {} has no SOA record", zone.id));
    let old = sets::find(tx, zone.id, APEX, RrsetType::Soa)?.ok_or_else(missing)?;
    let mut new = old.value.clone();
    let record = new.spec.records.first_mut().ok_or_else(missing)?;
    record.value = soa::with_serial(&record.value, soa::next(soa::serial(&record.value), tx.now()));
    sets::update(tx, &old, &new).map(|_| ())
}

/// An action on a zone that is done.
fn done(tx: &mut dyn Tx, zone: &Zone, command: &str) -> Result<Started> {
    action::done(tx, zone.project, command, vec![Target::new(Kind::Zone, zone.id)])
}

impl Control {
    /// The id of a zone that a path names.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn zone_id(&self, caller: &Caller, asked: IdOrName) -> Result<Id> {
        let project = caller.project;
        self.db.read(move |tx| Ok(zone::expect(tx, project, &asked)?.value.id)).await
    }

    /// A zone, by its id or name.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn get_zone(&self, caller: &Caller, asked: IdOrName) -> Result<Json> {
        let id = self.zone_id(caller, asked).await?;
        self.get(caller, Kind::Zone, id).await
    }

    /// Changes the labels of a zone.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`.
    pub async fn update_zone(&self, caller: &Caller, asked: IdOrName, update: wire::UpdateZone) -> Result<Json> {
        input::refuse(update.labels.as_ref().map(label::validate).unwrap_or_default())?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let old = zone::expect(tx, project, &asked)?;
            let mut new = old.value.clone();
            input::set(&mut new.details.labels, update.labels.as_ref());
            if new != old.value {
                zone::update(tx, &old, &new)?;
            }
            Ok(Shown::one(Kind::Zone, new.id))
        })
        .await
    }

    /// Deletes a zone with everything in it.
    ///
    /// # Errors
    /// `not_found`; `protected`, also by a set of it (fact sheet §4.2).
    pub async fn delete_zone(&self, caller: &Caller, asked: IdOrName) -> Result<Json> {
        self.change_zone(caller, asked, |tx, old| {
            if old.value.details.delete_protected {
                return Err(Error::delete_protected(Kind::Zone));
            }
            if sets::any_protected(tx, old.value.id)? {
                return Err(Error::rrset_protected());
            }
            remove(tx, old.value.project, old.value.id)?;
            done(tx, &old.value, "delete_zone")
        })
        .await
    }

    /// Switches delete protection.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn change_zone_protection(
        &self,
        caller: &Caller,
        asked: IdOrName,
        change: wire::ChangeZoneProtection,
    ) -> Result<Json> {
        self.change_zone(caller, asked, move |tx, old| {
            let mut new = old.value.clone();
            new.details.delete_protected = change.delete.unwrap_or(new.details.delete_protected);
            if new != old.value {
                zone::update(tx, old, &new)?;
            }
            done(tx, &new, "change_protection")
        })
        .await
    }

    /// Changes the TTL of sets that have none of their own.
    ///
    /// # Errors
    /// `not_found`; `incorrect_zone_mode` where the dialect has it for secondary zones.
    pub async fn change_zone_ttl(&self, caller: &Caller, asked: IdOrName, change: wire::ChangeZoneTtl) -> Result<Json> {
        let dialect = caller.dialect;
        self.change_zone(caller, asked, move |tx, old| change_ttl(tx, old, change.ttl, dialect)).await
    }

    /// Replaces the nameservers that a secondary zone is transferred from.
    ///
    /// # Errors
    /// `not_found`, `incorrect_zone_mode`, `invalid_input`.
    pub async fn change_primary_nameservers(
        &self,
        caller: &Caller,
        asked: IdOrName,
        change: wire::ChangePrimaryNameservers,
    ) -> Result<Json> {
        let core = Arc::clone(&self.core);
        self.change_zone(caller, asked, move |tx, old| {
            check_mode(&old.value, wire::ZoneMode::Secondary)?;
            input::refuse(nameserver::check(&change.primary_nameservers))?;
            let mut new = old.value.clone();
            new.details.nameservers = sealed(tx, &core, &change.primary_nameservers)?;
            zone::update(tx, old, &new)?;
            done(tx, &new, "change_primary_nameservers")
        })
        .await
    }

    /// Does something to a zone and shows the action that says so.
    async fn change_zone<F>(&self, caller: &Caller, asked: IdOrName, change: F) -> Result<Json>
    where
        F: Fn(&mut dyn Tx, &Stored<Zone>) -> Result<Started> + Send + Sync + 'static,
    {
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = zone::expect(tx, project, &asked)?;
                change(tx, &old)
            })
            .await?;
        self.show_started(caller, started).await
    }
}

fn change_ttl(tx: &mut dyn Tx, old: &Stored<Zone>, ttl: i64, dialect: Dialect) -> Result<Started> {
    let is_primary = check_mode(&old.value, wire::ZoneMode::Primary);
    if !dialect.changes_ttl_of_secondary_zones() {
        is_primary.clone()?;
    }
    let mut new = old.value.clone();
    new.details.ttl = ttl;
    if new != old.value {
        zone::update(tx, old, &new)?;
        if is_primary.is_ok() {
            bump_serial(tx, &new)?;
        }
    }
    done(tx, &new, "change_ttl")
}

/// Removes a zone with everything in it.
pub(crate) fn remove(tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
    let old = zone::expect(tx, project, &IdOrName::Id(id))?;
    sets::delete_all(tx, &old.value)?;
    zone::delete(tx, &old.value)
}
