//! Making a zone: with nothing but its defaults, with sets, or from a zone file.

use super::{done, rrset, sealed};
use crate::action::Started;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::input;
use crate::view::{Json, Shown};
use std::sync::Arc;
use wolke_domain::zone::{RRSETS_MAX, Spec, TTL_DEFAULT, defaults, file, name, nameserver, rrset as rules, soa};
use wolke_domain::{FieldError, Result, label};
use wolke_store::zone::{Details, Zone};
use wolke_store::{Counter, Race, Tx, limit, rrset as sets, zone};
use wolke_wire::cloud::Labels;
use wolke_wire::cloud::zone::{CreateZone, Registrar, ZoneMode};
use wolke_wire::{Id, Kind};

/// What a request comes to.
#[derive(Debug)]
struct Plan {
    ttl: i64,
    sets: Vec<(Spec, Labels)>,
}

/// Everything that can be said of a request without looking anything up.
fn plan(request: &CreateZone) -> Result<Plan> {
    let mut wrong = input::wrong(name::zone_name, Some(&request.name), Some(&request.labels));
    let mut plan = Plan { ttl: request.ttl.unwrap_or(TTL_DEFAULT), sets: Vec::new() };
    match (request.mode, &request.zonefile) {
        (ZoneMode::Secondary, _) => wrong.extend(nameserver::check(&request.primary_nameservers)),
        (ZoneMode::Primary, Some(_)) if !request.rrsets.is_empty() => {
            for field in ["rrsets", "zonefile"] {
                wrong.push(FieldError::new(field, "rrsets and zonefile must not be given together"));
            }
        }
        // The names in a file cannot be read without a good name of the zone.
        (ZoneMode::Primary, Some(text)) if wrong.iter().all(|field| field.name != "name") => {
            match file::parse(text, &request.name, plan.ttl) {
                Ok(read) => {
                    plan.ttl = read.ttl.unwrap_or(plan.ttl);
                    plan.sets = read.rrsets.into_iter().map(|spec| (spec, Labels::new())).collect();
                }
                Err(messages) => wrong.push(FieldError { name: "zonefile".into(), messages }),
            }
        }
        (ZoneMode::Primary, Some(_)) => {}
        (ZoneMode::Primary, None) => wrong.extend(plan_sets(request, &mut plan)),
    }
    input::refuse(wrong)?;
    Ok(plan)
}

fn plan_sets(request: &CreateZone, plan: &mut Plan) -> Vec<FieldError> {
    if request.rrsets.len() > RRSETS_MAX {
        return vec![FieldError::new("rrsets", format!("must not have more than {RRSETS_MAX} entries"))];
    }
    let (mut wrong, mut specs) = (Vec::new(), Vec::new());
    for (position, asked) in request.rrsets.iter().enumerate() {
        let (spec, prefix) = (rrset::spec(asked), format!("rrsets[{position}]."));
        wrong.extend(rules::check(&spec, &request.name, &prefix));
        wrong.extend(label::validate(&asked.labels).into_iter().map(|mut field| {
            field.name.insert_str(0, &prefix);
            field
        }));
        specs.push(spec);
    }
    let together = rules::check_together(&specs).into_iter();
    wrong.extend(together.map(|(position, fault)| FieldError::new(format!("rrsets[{position}].name"), fault)));
    plan.sets = specs.into_iter().zip(request.rrsets.iter().map(|asked| asked.labels.clone())).collect();
    wrong
}

/// The sets of a new zone, with what it must have; its serial is the first of its day.
fn complete(mut sets: Vec<(Spec, Labels)>, serial: u32) -> Vec<(Spec, Labels)> {
    for default in defaults(serial) {
        match sets.iter_mut().find(|(spec, _)| spec.key() == default.key()) {
            Some((spec, _)) if spec.is_soa() => {
                for record in &mut spec.records {
                    record.value = soa::with_serial(&record.value, serial);
                }
            }
            Some(_) => {}
            None => sets.push((default, Labels::new())),
        }
    }
    sets
}

fn create(tx: &mut dyn Tx, core: &Core, project: Id, (request, plan): (&CreateZone, &Plan)) -> Result<(Id, Started)> {
    let nameservers = match request.mode {
        ZoneMode::Primary => Vec::new(),
        ZoneMode::Secondary => sealed(tx, core, &request.primary_nameservers)?,
    };
    let new = Zone {
        id: tx.next_id(Counter::Kind(Kind::Zone))?,
        project,
        name: request.name.clone(),
        created: tx.now().whole_second(),
        mode: request.mode.as_str().to_owned(),
        record_count: 0,
        details: Details {
            v: 1,
            ttl: plan.ttl,
            nameservers,
            delegation: None,
            registrar: Registrar::Other.as_str().to_owned(),
            delete_protected: false,
            labels: request.labels.clone(),
        },
    };
    let number = zone::insert(tx, &new)?;
    limit::check(tx, project, Kind::Zone, number)?;
    if request.mode == ZoneMode::Primary {
        let serial = soa::next(None, tx.now());
        let (_, all) = sets::insert(tx, &new, complete(plan.sets.clone(), serial))?;
        all.check()?;
    }
    Ok((new.id, done(tx, &new, "create_zone")?))
}

impl Control {
    /// Makes a zone.
    ///
    /// # Errors
    /// `invalid_input`, `uniqueness_error`, `resource_limit_exceeded`.
    pub async fn create_zone(&self, caller: &Caller, request: CreateZone) -> Result<Json> {
        // Before the transaction: nobody waits while a long file is read.
        let plan = plan(&request)?;
        let (core, project) = (Arc::clone(&self.core), caller.project);
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let (id, started) = create(tx, &core, project, (&request, &plan))?;
            Ok(Shown::one(Kind::Zone, id).action(started.action))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::{complete, plan};
    use serde_json::json;
    use wolke_domain::zone::{Record, Spec};
    use wolke_wire::cloud::Labels;
    use wolke_wire::cloud::rrset::RrsetType;

    #[test]
    fn everything_wrong_is_named_at_once() {
        let request = json!({"name": "Example.com", "mode": "primary", "labels": {"-": "x"}, "rrsets": [
            {"name": "a", "type": "A", "records": [{"value": "x"}], "labels": {"-a": ""}},
            {"name": "a", "type": "CNAME", "records": [{"value": "b"}]}]});
        let error = plan(&serde_json::from_value(request).unwrap()).err().unwrap().message();
        assert_eq!(
            error,
            "invalid input in fields 'name', 'labels.-', 'rrsets[0].records[0].value', 'rrsets[0].labels.-a', 'rrsets[1].name'"
        );
    }

    #[test]
    fn what_a_zone_must_have_is_added() {
        let keys = |sets: &[(Spec, Labels)]| sets.iter().map(|(spec, _)| spec.key()).collect::<Vec<_>>();
        assert_eq!(keys(&complete(Vec::new(), 7)), ["@/SOA", "@/NS"]);
        let soa = Record::new("a. b. 1 2 3 4 5");
        let own = Spec { name: "@".into(), kind: RrsetType::Soa, ttl: Some(60), records: vec![soa] };
        let sets = complete(vec![(own, Labels::new())], 7);
        assert_eq!(keys(&sets), ["@/SOA", "@/NS"]);
        assert_eq!(sets[0].0.records[0].value, "a. b. 7 2 3 4 5", "the serial is the zone's");
    }
}
