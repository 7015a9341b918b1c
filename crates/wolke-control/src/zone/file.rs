//! Zone files in and out.

use super::{check_mode, done};
use crate::action::Started;
use crate::control::{Caller, Control};
use crate::view::Json;
use wolke_domain::zone::{APEX, file, soa};
use wolke_domain::{Error, FieldError, Result};
use wolke_store::zone::Zone;
use wolke_store::{Stored, Tx, rrset as sets, zone};
use wolke_wire::IdOrName;
use wolke_wire::cloud::Labels;
use wolke_wire::cloud::rrset::RrsetType;
use wolke_wire::cloud::zone::{ImportZonefile, ZoneMode, Zonefile};

impl Control {
    /// A zone as a file.
    ///
    /// # Errors
    /// `not_found`, `incorrect_zone_mode`.
    pub async fn export_zonefile(&self, caller: &Caller, asked: IdOrName) -> Result<Json> {
        let project = caller.project;
        let zonefile = self
            .db
            .read(move |tx| {
                let zone = zone::expect(tx, project, &asked)?.value;
                check_mode(&zone, ZoneMode::Primary)?;
                let all: Vec<_> = sets::of_zone(tx, zone.id)?.into_iter().map(|set| set.value.spec).collect();
                Ok(file::print(&zone.name, zone.details.ttl, &all))
            })
            .await?;
        serde_json::to_vec(&Zonefile { zonefile }).map_err(|e| Error::internal(format!("rendering a zone file: {e}")))
    }

    /// Replaces all sets of a zone by those of a file, and its TTL by the file's `$TTL`.
    ///
    /// # Errors
    /// `not_found`, `incorrect_zone_mode`, `invalid_input`; `protected` when one of the sets is; `conflict` when the zone was
    /// changed while its file was read.
    pub async fn import_zonefile(&self, caller: &Caller, asked: IdOrName, request: ImportZonefile) -> Result<Json> {
        let project = caller.project;
        let known = {
            let asked = asked.clone();
            self.db.read(move |tx| Ok(zone::expect(tx, project, &asked)?.value)).await?
        };
        check_mode(&known, ZoneMode::Primary)?;
        // Before the transaction: nobody waits while a long file is read.
        let read = read(&known, &request.zonefile)?;
        self.change_zone(caller, asked, move |tx, old| {
            // What the file means depends on these two alone, and a zone's name is given again when it is deleted.
            if (old.value.id, old.value.details.ttl) != (known.id, known.details.ttl) {
                return Err(Error::zone_changed());
            }
            import(tx, old, read.clone())
        })
        .await
    }
}

/// A file for a zone, which has what every zone must have.
fn read(zone: &Zone, text: &str) -> Result<file::Zonefile> {
    let refused = |messages| Error::invalid_fields(vec![FieldError { name: "zonefile".into(), messages }]);
    let read = file::parse(text, &zone.name, zone.details.ttl).map_err(refused)?;
    let lacks = file::lacks(&read.rrsets, &zone.name);
    if lacks.is_empty() { Ok(read) } else { Err(refused(lacks)) }
}

fn import(tx: &mut dyn Tx, old: &Stored<Zone>, mut read: file::Zonefile) -> Result<Started> {
    let zone = &old.value;
    if sets::any_protected(tx, zone.id)? {
        return Err(Error::rrset_protected());
    }
    let before = sets::find(tx, zone.id, APEX, RrsetType::Soa)?;
    let before = before.as_ref().and_then(|set| set.value.spec.records.first());
    let serial = soa::next(before.and_then(|record| soa::serial(&record.value)), tx.now());
    for record in read.rrsets.iter_mut().filter(|spec| spec.is_soa()).flat_map(|spec| &mut spec.records) {
        record.value = soa::with_serial(&record.value, serial);
    }
    let mut new = zone.clone();
    new.details.ttl = read.ttl.unwrap_or(new.details.ttl);
    zone::update(tx, old, &new)?;
    sets::delete_all(tx, zone)?;
    let (_, all) = sets::insert(tx, zone, read.rrsets.into_iter().map(|spec| (spec, Labels::new())).collect())?;
    all.check()?;
    done(tx, zone, "import_zonefile")
}
