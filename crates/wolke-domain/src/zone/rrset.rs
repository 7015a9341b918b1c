//! Rules of sets: what may stand in one, what may stand beside another, and what adding and removing records make of one.

use super::{APEX, COMMENT_LENGTH_MAX, RECORDS_MAX, RRSET_BYTES_MAX, Record, Spec, TTL_MAX, TTL_MIN, data, name};
use crate::{Error, FieldError};
use std::collections::{BTreeMap, BTreeSet};
use wolke_wire::cloud::rrset::RrsetType;

/// Everything that is wrong with a set by itself. Fields are named below `prefix`: `rrsets[0].` or nothing.
#[must_use]
pub fn check(spec: &Spec, zone: &str, prefix: &str) -> Vec<FieldError> {
    let mut wrong: Vec<FieldError> =
        name::rrset_name(&format!("{prefix}name"), &spec.name, zone).err().into_iter().collect();
    if let Some(fault) = place_fault(&spec.name, spec.kind) {
        wrong.push(FieldError::new(format!("{prefix}type"), fault));
    }
    if spec.ttl.is_some_and(|ttl| !(TTL_MIN..=TTL_MAX).contains(&ttl)) {
        wrong.push(FieldError::new(format!("{prefix}ttl"), format!("must be a number from {TTL_MIN} to {TTL_MAX}")));
    }
    wrong.extend(check_records(spec.kind, &spec.records, zone, prefix));
    wrong.extend(check_number(spec.kind, spec.records.len(), prefix));
    wrong
}

/// What is wrong with a type at a name.
fn place_fault(name: &str, kind: RrsetType) -> Option<&'static str> {
    match (kind, name == APEX) {
        (RrsetType::Soa, false) => Some("SOA is possible for the name '@' only"),
        (RrsetType::Cname, true) => Some("CNAME is not possible for the name '@', which has other RRSets"),
        (RrsetType::Ds, true) => Some("DS is not possible for the name '@': it belongs to the parent zone"),
        _ => None,
    }
}

/// Everything that is wrong with records by themselves: each value, each comment, and values that are there twice.
#[must_use]
pub fn check_records(kind: RrsetType, records: &[Record], zone: &str, prefix: &str) -> Vec<FieldError> {
    if records.is_empty() {
        return vec![FieldError::new(format!("{prefix}records"), "must not be empty")];
    }
    if records.len() > RECORDS_MAX {
        return vec![FieldError::new(
            format!("{prefix}records"),
            format!("must not have more than {RECORDS_MAX} entries"),
        )];
    }
    // First, so that nobody waits for long texts to be read.
    if let Some(fault) = check_size(records, prefix) {
        return vec![fault];
    }
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (position, record) in records.iter().enumerate() {
        let field = |member: &str| format!("{prefix}records[{position}].{member}");
        match data::canonical(kind, &record.value, zone) {
            Err(fault) => wrong.push(FieldError::new(field("value"), fault)),
            Ok(canonical) => {
                if !seen.insert(canonical) {
                    wrong.push(FieldError::new(field("value"), "must not be given more than once"));
                }
            }
        }
        if let Some(fault) = comment_fault(&record.comment) {
            wrong.push(FieldError::new(field("comment"), fault));
        }
    }
    wrong
}

fn comment_fault(comment: &str) -> Option<String> {
    if comment.chars().count() > COMMENT_LENGTH_MAX {
        Some(format!("must not be longer than {COMMENT_LENGTH_MAX} characters"))
    } else if comment.chars().any(char::is_control) {
        Some("must not contain control characters".into())
    } else {
        None
    }
}

/// What is wrong with the number of records of a set.
#[must_use]
pub fn check_number(kind: RrsetType, number: usize, prefix: &str) -> Option<FieldError> {
    let single = matches!(kind, RrsetType::Cname | RrsetType::Soa);
    let fault = match number {
        2.. if single => format!("an RRSet of type {kind} must have exactly one record"),
        _ if number > RECORDS_MAX => format!("an RRSet must not have more than {RECORDS_MAX} records"),
        _ => return None,
    };
    Some(FieldError::new(format!("{prefix}records"), fault))
}

/// What is wrong with the size of the records of a set.
#[must_use]
pub fn check_size(records: &[Record], prefix: &str) -> Option<FieldError> {
    let bytes: usize = records.iter().map(|record| record.value.len() + record.comment.len()).sum();
    let fault = || format!("must not have more than {RRSET_BYTES_MAX} bytes of values and comments together");
    (bytes > RRSET_BYTES_MAX).then(|| FieldError::new(format!("{prefix}records"), fault()))
}

/// What is wrong with sets that shall stand together: the same set twice, or anything beside a CNAME (RFC 1034 §3.6.2).
/// As positions of sets and faults.
#[must_use]
pub fn check_together(specs: &[Spec]) -> Vec<(usize, String)> {
    let mut by_name: BTreeMap<&str, Vec<(usize, RrsetType)>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (position, spec) in specs.iter().enumerate() {
        let others = by_name.entry(&spec.name).or_default();
        if others.iter().any(|(_, kind)| *kind == spec.kind) {
            wrong.push((position, format!("the RRSet {} must not be given more than once", spec.key())));
        } else if let Some(fault) = conflict(spec.kind, others.iter().map(|(_, kind)| *kind)) {
            wrong.push((position, fault));
        }
        others.push((position, spec.kind));
    }
    wrong
}

/// What keeps a type from standing beside others at the same name.
pub fn conflict(kind: RrsetType, others: impl IntoIterator<Item = RrsetType>) -> Option<String> {
    let other =
        others.into_iter().find(|other| *other != kind && (kind == RrsetType::Cname || *other == RrsetType::Cname))?;
    Some(format!("an RRSet of type {kind} cannot stand beside the RRSet of type {other} with the same name"))
}

/// A set with more records.
///
/// # Errors
/// `invalid_input` for a value that is there already, and for too many.
pub fn add(spec: &Spec, more: &[Record], zone: &str) -> Result<Vec<Record>, Error> {
    let present: BTreeSet<String> = canonicals(spec.kind, &spec.records, zone).collect();
    let is_there =
        |record: &Record| data::canonical(spec.kind, &record.value, zone).is_ok_and(|c| present.contains(&c));
    let mut wrong: Vec<FieldError> = more
        .iter()
        .enumerate()
        .filter(|(_, record)| is_there(record))
        .map(|(position, _)| FieldError::new(format!("records[{position}].value"), "is in the RRSet already"))
        .collect();
    let records: Vec<Record> = spec.records.iter().chain(more).cloned().collect();
    wrong.extend(check_number(spec.kind, records.len(), ""));
    wrong.extend(check_size(&records, ""));
    if wrong.is_empty() { Ok(records) } else { Err(Error::invalid_fields(wrong)) }
}

/// A set without some records.
///
/// # Errors
/// `not_found` for a value that it does not have.
pub fn remove(spec: &Spec, gone: &[Record], zone: &str) -> Result<Vec<Record>, Error> {
    let places = places(spec, gone, zone)?;
    let stays = spec.records.iter().enumerate().filter(|(place, _)| !places.contains(place));
    Ok(stays.map(|(_, record)| record.clone()).collect())
}

/// A set with other comments.
///
/// # Errors
/// `not_found` for a value that it does not have; `invalid_input` for too long ones together.
pub fn comment(spec: &Spec, changes: &[Record], zone: &str) -> Result<Vec<Record>, Error> {
    let places = places(spec, changes, zone)?;
    let mut records = spec.records.clone();
    for (place, change) in places.into_iter().zip(changes) {
        if let Some(record) = records.get_mut(place) {
            record.comment.clone_from(&change.comment);
        }
    }
    match check_size(&records, "") {
        Some(fault) => Err(Error::invalid_fields(vec![fault])),
        None => Ok(records),
    }
}

/// Where in a set the records with some values stand.
fn places(spec: &Spec, wanted: &[Record], zone: &str) -> Result<Vec<usize>, Error> {
    let present: Vec<String> = canonicals(spec.kind, &spec.records, zone).collect();
    let place = |record: &Record| {
        let canonical = data::canonical(spec.kind, &record.value, zone).ok();
        let place = canonical.and_then(|canonical| present.iter().position(|one| *one == canonical));
        place.ok_or_else(|| Error::record_not_found(&record.value))
    };
    wanted.iter().map(place).collect()
}

fn canonicals<'a>(kind: RrsetType, records: &'a [Record], zone: &'a str) -> impl Iterator<Item = String> + 'a {
    records
        .iter()
        .map(move |record| data::canonical(kind, &record.value, zone).unwrap_or_else(|_| record.value.clone()))
}

/// Whether two sets are the same to whoever asks a nameserver.
#[must_use]
pub fn is_same_data(one: &Spec, other: &Spec, zone: &str) -> bool {
    let of = |spec: &Spec| canonicals(spec.kind, &spec.records, zone).collect::<BTreeSet<_>>();
    one.ttl == other.ttl && of(one) == of(other)
}

#[cfg(test)]
mod tests {
    use super::{add, check, check_together, comment, is_same_data, remove};
    use crate::zone::{Record, Spec};
    use wolke_wire::ErrorCode;
    use wolke_wire::cloud::rrset::RrsetType::{self, *};

    const ZONE: &str = "example.com";

    fn set(name: &str, kind: RrsetType, values: &[&str]) -> Spec {
        Spec { name: name.into(), kind, ttl: None, records: values.iter().copied().map(Record::new).collect() }
    }

    fn wrong(spec: &Spec) -> Vec<String> {
        check(spec, ZONE, "x.").into_iter().map(|field| field.name).collect()
    }

    #[test]
    fn sets_by_themselves() {
        assert!(wrong(&set("www", A, &["192.0.2.1", "192.0.2.2"])).is_empty());
        let mut many = set("WWW", A, &["192.0.2.1", "x", "192.0.2.1"]);
        many.ttl = Some(59);
        many.records[1].comment = "a\nb".into();
        assert_eq!(
            wrong(&many),
            ["x.name", "x.ttl", "x.records[1].value", "x.records[1].comment", "x.records[2].value"]
        );
        assert_eq!(
            wrong(&set("a", Aaaa, &["2001:db8::1", "2001:DB8:0::1"])),
            ["x.records[1].value"],
            "the same address"
        );
        assert_eq!(wrong(&set("a", A, &[])), ["x.records"]);
        assert_eq!(wrong(&set("a", Soa, &["a. b. 1 2 3 4 5"])), ["x.type"]);
        assert_eq!(wrong(&set("@", Cname, &["a"])), ["x.type"]);
        assert_eq!(wrong(&set("a", Cname, &["a", "b"])), ["x.records"]);
        let values: Vec<String> = (0..=500).map(|n| format!("\"{n}\"")).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        assert_eq!(wrong(&set("a", Txt, &values)), ["x.records", "x.records"]);
        assert!(wrong(&set("a", Txt, &values[..500])).is_empty());
    }

    #[test]
    fn a_cname_stands_alone() {
        let of = |sets: &[(&str, RrsetType)]| {
            let specs: Vec<Spec> = sets.iter().map(|(name, kind)| set(name, *kind, &[])).collect();
            check_together(&specs).into_iter().map(|(position, _)| position).collect::<Vec<_>>()
        };
        assert!(of(&[("a", A), ("a", Aaaa), ("b", Cname), ("c", Cname)]).is_empty());
        assert_eq!(of(&[("a", A), ("a", Cname)]), [1]);
        assert_eq!(of(&[("a", Cname), ("b", A), ("a", Txt)]), [2]);
        assert_eq!(of(&[("a", A), ("a", A)]), [1]);
    }

    #[test]
    fn records_come_and_go() {
        let two = set("www", A, &["192.0.2.1", "192.0.2.2"]);
        let more = add(&two, &[Record::new("192.0.2.3")], ZONE).unwrap();
        assert_eq!(more.len(), 3);
        let again = add(&two, &[Record::new("192.0.2.9"), Record::new("192.0.2.2")], ZONE).unwrap_err();
        assert_eq!(again.message(), "invalid input in field 'records[1].value': is in the RRSet already");
        assert_eq!(remove(&two, &[Record::new("192.0.2.1")], ZONE).unwrap(), [Record::new("192.0.2.2")]);
        assert!(remove(&two, &two.records, ZONE).unwrap().is_empty());
        assert_eq!(remove(&two, &[Record::new("192.0.2.7")], ZONE).unwrap_err().code(), ErrorCode::NotFound);
        let names = set("@", Ns, &["NS1.example.com."]);
        assert!(remove(&names, &[Record::new("ns1")], ZONE).unwrap().is_empty(), "the same name");
        let noted = Record { value: "192.0.2.2".into(), comment: "web".into() };
        assert_eq!(comment(&two, std::slice::from_ref(&noted), ZONE).unwrap(), [Record::new("192.0.2.1"), noted]);
        assert_eq!(comment(&two, &[Record::new("x")], ZONE).unwrap_err().code(), ErrorCode::NotFound);
    }

    #[test]
    fn a_set_is_bounded_in_bytes() {
        let long = |n: usize, length: usize| Record { value: format!("\"{n}\""), comment: "\u{e4}".repeat(length) };
        let records: Vec<Record> = (0..65).map(|n| long(n, 1000)).collect();
        let wide = Spec { records: records.clone(), ..set("a", Txt, &[]) };
        assert_eq!(wrong(&wide), Vec::<String>::new(), "65 comments of 2000 bytes");
        let more: Vec<Record> = (65..68).map(|n| long(n, 1000)).collect();
        assert_eq!(add(&wide, &more, ZONE).unwrap_err().code(), ErrorCode::InvalidInput);
        assert_eq!(wrong(&Spec { records: [records, more].concat(), ..wide.clone() }), ["x.records"]);
        let full = add(&wide, &[long(65, 150)], ZONE).unwrap();
        assert_eq!(
            comment(&Spec { records: full, ..wide }, &[long(65, 1000)], ZONE).unwrap_err().code(),
            ErrorCode::InvalidInput
        );
    }

    #[test]
    fn comments_are_no_data() {
        let (one, mut other) = (set("a", A, &["192.0.2.1", "192.0.2.2"]), set("a", A, &["192.0.2.2", "192.0.2.1"]));
        other.records[0].comment = "x".into();
        assert!(is_same_data(&one, &other, ZONE));
        other.ttl = Some(60);
        assert!(!is_same_data(&one, &other, ZONE));
    }
}
