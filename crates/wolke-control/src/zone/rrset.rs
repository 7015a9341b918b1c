//! Sets of records: operations and view. Every change of what a nameserver would answer makes the zone's serial grow.

use super::{bump_serial, check_mode, done};
use crate::action::Started;
use crate::control::{Caller, Control};
use crate::input;
use crate::view::{Json, Shown};
use wolke_domain::zone::{Record, Spec, rrset as rules, soa};
use wolke_domain::{Error, FieldError, Result, label};
use wolke_store::rrset::Rrset;
use wolke_store::zone::Zone;
use wolke_store::{Race, Stored, Tx, rrset, zone};
use wolke_wire::cloud::rrset::{self as wire, RrsetType};
use wolke_wire::cloud::zone::ZoneMode;
use wolke_wire::{Id, IdOrName, Kind};

/// A set as a path names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedRrset {
    /// The zone.
    pub zone: IdOrName,
    /// The name of the set.
    pub name: String,
    /// Its type; whatever the client wrote.
    pub kind: String,
}

/// What is done to a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RrsetChange {
    /// It goes.
    Delete,
    /// It can be changed no more, or again.
    Protect(bool),
    /// Another TTL, or the zone's.
    Ttl(Option<i64>),
    /// Other records.
    Set(Vec<wire::NewRecord>),
    /// More records; a set that is not there is made.
    Add(Vec<wire::NewRecord>, Option<i64>),
    /// Fewer records; a set without any goes.
    Remove(Vec<wire::NewRecord>),
    /// Other comments.
    Comment(Vec<wire::Record>),
}

impl RrsetChange {
    /// The command of its action (fact sheet §4.2).
    const fn command(&self) -> &'static str {
        match self {
            Self::Delete => "delete_rrset",
            Self::Protect(_) => "change_rrset_protection",
            Self::Ttl(_) => "change_rrset_ttl",
            Self::Set(_) => "set_rrset_records",
            Self::Add(..) => "add_rrset_records",
            Self::Remove(_) => "remove_rrset_records",
            Self::Comment(_) => "update_rrset_records",
        }
    }

    /// The records that it names.
    fn records(&self) -> Option<Vec<Record>> {
        match self {
            Self::Set(all) | Self::Add(all, _) | Self::Remove(all) => Some(records(all)),
            Self::Comment(all) => {
                let record = |one: &wire::Record| Record { value: one.value.clone(), comment: one.comment.clone() };
                Some(all.iter().map(record).collect())
            }
            Self::Delete | Self::Protect(_) | Self::Ttl(_) => None,
        }
    }
}

/// A set as the contract shows it.
pub(crate) fn to_wire(set: Rrset) -> wire::Rrset {
    let record = |record: Record| wire::Record { value: record.value, comment: record.comment };
    wire::Rrset {
        id: set.spec.key(),
        name: set.spec.name,
        kind: set.spec.kind,
        ttl: set.spec.ttl,
        labels: set.labels,
        protection: wire::ChangeProtection { change: set.is_protected },
        records: set.spec.records.into_iter().map(record).collect(),
        zone: set.zone,
    }
}

fn records(all: &[wire::NewRecord]) -> Vec<Record> {
    all.iter().map(|one| Record { value: one.value.clone(), comment: one.comment.clone() }).collect()
}

/// A set that a request asks for.
pub(super) fn spec(asked: &wire::CreateRrset) -> Spec {
    Spec { name: asked.name.clone(), kind: asked.kind, ttl: asked.ttl, records: records(&asked.records) }
}

fn expect_zone(tx: &mut dyn Tx, project: Id, asked: &IdOrName) -> Result<Zone> {
    let zone = zone::expect(tx, project, asked)?.value;
    check_mode(&zone, ZoneMode::Primary)?;
    Ok(zone)
}

fn find(tx: &mut dyn Tx, zone: &Zone, asked: &AskedRrset) -> Result<Stored<Rrset>> {
    let found = match RrsetType::parse(&asked.kind) {
        Some(kind) => rrset::find(tx, zone.id, &asked.name, kind)?,
        None => None,
    };
    found.ok_or_else(|| Error::rrset_not_found(&asked.name, &asked.kind))
}

/// Inserts a new set, which may stand beside those that are there.
fn insert(tx: &mut dyn Tx, zone: &Zone, spec: Spec, labels: &wolke_wire::cloud::Labels) -> Result<Id> {
    let mut wrong = rules::check(&spec, &zone.name, "");
    wrong.extend(label::validate(labels));
    let beside = rrset::types(tx, zone.id, &spec.name)?;
    let is_possible = wrong.iter().all(|field| field.name != "type");
    if is_possible
        && !beside.contains(&spec.kind)
        && let Some(fault) = rules::conflict(spec.kind, beside)
    {
        wrong.push(FieldError::new("type", fault));
    }
    input::refuse(wrong)?;
    let (ids, all) = rrset::insert(tx, zone, vec![(spec, labels.clone())])?;
    all.check()?;
    bump_serial(tx, zone)?;
    ids.first().copied().ok_or_else(|| Error::internal("a new RRSet has no id"))
}

/// Applies a change to a set that is there.
fn apply(tx: &mut dyn Tx, zone: &Zone, old: &Stored<Rrset>, change: &RrsetChange) -> Result<()> {
    let mut new = old.value.clone();
    if let RrsetChange::Protect(protect) = change {
        new.is_protected = *protect;
        return if new == old.value { Ok(()) } else { rrset::update(tx, old, &new).map(|_| ()) };
    }
    if old.value.is_protected {
        return Err(Error::rrset_protected());
    }
    let (spec, asked) = (&old.value.spec, change.records().unwrap_or_default());
    if change.records().is_some() {
        let mut wrong = rules::check_records(spec.kind, &asked, &zone.name, "");
        if matches!(change, RrsetChange::Set(_)) {
            wrong.extend(rules::check_number(spec.kind, asked.len(), ""));
        }
        input::refuse(wrong)?;
    }
    match change {
        RrsetChange::Delete => new.spec.records.clear(),
        RrsetChange::Ttl(ttl) => new.spec.ttl = *ttl,
        RrsetChange::Set(_) => new.spec.records = with_own_serial(spec, asked),
        RrsetChange::Add(_, ttl) => {
            new.spec.ttl = agreed_ttl(spec.ttl, *ttl)?;
            new.spec.records = rules::add(spec, &asked, &zone.name)?;
        }
        RrsetChange::Remove(_) => new.spec.records = rules::remove(spec, &asked, &zone.name)?,
        RrsetChange::Comment(_) => new.spec.records = rules::comment(spec, &asked, &zone.name)?,
        RrsetChange::Protect(_) => {}
    }
    write(tx, zone, old, &new)
}

fn write(tx: &mut dyn Tx, zone: &Zone, old: &Stored<Rrset>, new: &Rrset) -> Result<()> {
    if new.spec.records.is_empty() {
        if old.value.spec.is_soa() {
            return Err(Error::soa_stays());
        }
        rrset::delete(tx, &old.value)?;
        return bump_serial(tx, zone);
    }
    if *new != old.value
        && let Some(all) = rrset::update(tx, old, new)?
    {
        all.check()?;
    }
    if rules::is_same_data(&old.value.spec, &new.spec, &zone.name) { Ok(()) } else { bump_serial(tx, zone) }
}

/// The serial of a zone is its own: what a client writes in its place is not taken over (fact sheet §4.2).
fn with_own_serial(old: &Spec, mut records: Vec<Record>) -> Vec<Record> {
    if old.is_soa()
        && let Some(serial) = old.records.first().and_then(|record| soa::serial(&record.value))
    {
        for record in &mut records {
            record.value = soa::with_serial(&record.value, serial);
        }
    }
    records
}

/// The TTL of a set to which records are added: theirs must be the one that it has.
fn agreed_ttl(old: Option<i64>, given: Option<i64>) -> Result<Option<i64>> {
    match (old, given) {
        (Some(old), Some(given)) if old != given => {
            Err(Error::invalid("ttl", format!("must be the TTL of the RRSet, which is {old}")))
        }
        (old, given) => Ok(old.or(given)),
    }
}

impl Control {
    /// The id of a zone whose sets a path names.
    ///
    /// # Errors
    /// `not_found`, `incorrect_zone_mode`.
    pub async fn zone_of_rrsets(&self, caller: &Caller, asked: IdOrName) -> Result<Id> {
        let project = caller.project;
        self.db.read(move |tx| Ok(expect_zone(tx, project, &asked)?.id)).await
    }

    /// A set.
    ///
    /// # Errors
    /// `not_found`, `incorrect_zone_mode`.
    pub async fn get_rrset(&self, caller: &Caller, asked: AskedRrset) -> Result<Json> {
        let project = caller.project;
        let id = self
            .db
            .read(move |tx| {
                let zone = expect_zone(tx, project, &asked.zone)?;
                Ok(find(tx, &zone, &asked)?.value.id)
            })
            .await?;
        self.get(caller, Kind::Rrset, id).await
    }

    /// Makes a set.
    ///
    /// # Errors
    /// `not_found`, `incorrect_zone_mode`, `invalid_input`, `uniqueness_error`, `resource_limit_exceeded`.
    pub async fn create_rrset(&self, caller: &Caller, asked: IdOrName, request: wire::CreateRrset) -> Result<Json> {
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let zone = expect_zone(tx, project, &asked)?;
            let id = insert(tx, &zone, spec(&request), &request.labels)?;
            Ok(Shown::one(Kind::Rrset, id).action(done(tx, &zone, "create_rrset")?.action))
        })
        .await
    }

    /// Changes the labels of a set, protected or not: they are no part of what is protected.
    ///
    /// # Errors
    /// `not_found`, `incorrect_zone_mode`, `invalid_input`.
    pub async fn update_rrset(&self, caller: &Caller, asked: AskedRrset, update: wire::UpdateRrset) -> Result<Json> {
        input::refuse(update.labels.as_ref().map(label::validate).unwrap_or_default())?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let zone = expect_zone(tx, project, &asked.zone)?;
            let old = find(tx, &zone, &asked)?;
            let mut new = old.value.clone();
            input::set(&mut new.labels, update.labels.as_ref());
            if new != old.value
                && let Some(all) = rrset::update(tx, &old, &new)?
            {
                all.check()?;
            }
            Ok(Shown::one(Kind::Rrset, new.id))
        })
        .await
    }

    /// Does something to a set and shows the action that says so.
    ///
    /// # Errors
    /// `not_found`, `incorrect_zone_mode`, `invalid_input`, `protected`; `unsupported_error` for the end of an SOA set.
    pub async fn change_rrset(&self, caller: &Caller, asked: AskedRrset, change: RrsetChange) -> Result<Json> {
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| change_rrset(tx, project, &asked, &change))
            .await?;
        self.show_started(caller, started).await
    }
}

fn change_rrset(tx: &mut dyn Tx, project: Id, asked: &AskedRrset, change: &RrsetChange) -> Result<Started> {
    let zone = expect_zone(tx, project, &asked.zone)?;
    let missing = match (find(tx, &zone, asked), change, RrsetType::parse(&asked.kind)) {
        (Ok(old), ..) => {
            apply(tx, &zone, &old, change)?;
            None
        }
        (Err(Error::NotFound { .. }), RrsetChange::Add(all, ttl), Some(kind)) => {
            Some(Spec { name: asked.name.clone(), kind, ttl: *ttl, records: records(all) })
        }
        (Err(error), ..) => return Err(error),
    };
    if let Some(spec) = missing {
        insert(tx, &zone, spec, &wolke_wire::cloud::Labels::new())?;
    }
    done(tx, &zone, change.command())
}
