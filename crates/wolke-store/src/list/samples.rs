//! Every shape of statement that lists compose, for the tests that prepare and explain them.

use super::compose::{Builder, Window};
use super::labelled::{drive, end_of_walk_statement, of_servers, selecting, subtract, walk};
use super::sets::Set;
use super::{ListQuery, actions};
use crate::value::Value;
use wolke_wire::Kind;
use wolke_wire::selector::{Selector, Term};
use wolke_wire::sort::{Direction, SortKey};

const FORWARD: Window = Window { offset: 0, limit: 25, reversed: false };
const BACKWARD: Window = Window { offset: 0, limit: 25, reversed: true };

/// Texts and parameters of all shapes.
#[must_use]
pub fn samples() -> Vec<(String, Vec<Value>)> {
    labelled()
        .into_iter()
        .chain(of_actions())
        .chain(of_images())
        .chain(of_primary_ips())
        .chain(of_zones())
        .chain(of_selections())
        .chain(of_storage_boxes())
        .map(Builder::finish)
        .collect()
}

fn query(kind: Kind, key: SortKey) -> ListQuery {
    ListQuery {
        kind,
        project: 1,
        filters: Vec::new(),
        of: None,
        selector: Selector::default(),
        sort: vec![key],
        offset: 0,
        limit: 25,
    }
}

fn keys(fields: &[&'static str]) -> Vec<SortKey> {
    let both = [Direction::Ascending, Direction::Descending];
    fields.iter().flat_map(|field| both.map(|direction| SortKey { field, direction })).collect()
}

fn labelled() -> Vec<Builder> {
    let pair = || ("env".to_owned(), "prod".to_owned());
    let values = || vec!["a".to_owned(), "b".to_owned()];
    let positive = [Term::Equals(pair().0, pair().1), Term::Exists(pair().0), Term::In(pair().0, values())];
    let negative = [Term::NotEquals(pair().0, pair().1), Term::NotExists(pair().0), Term::NotIn(pair().0, values())];
    let fields = [
        (Kind::Server, &["id", "name", "created"][..]),
        (Kind::SshKey, &["id", "name"]),
        (Kind::PrimaryIp, &["id", "created"]),
        (Kind::FloatingIp, &["id", "created"]),
        (Kind::Image, &["id", "created"]),
        (Kind::PlacementGroup, &["id", "name", "created"]),
        (Kind::Volume, &["id", "name", "created"]),
        (Kind::Firewall, &["id", "name", "created"]),
        (Kind::Network, &["id", "name", "created"]),
        (Kind::Certificate, &["id", "name", "created"]),
        (Kind::LoadBalancer, &["id", "name", "created"]),
        (Kind::Zone, &["id", "name", "created"]),
        (Kind::StorageBox, &["id", "name", "created", "size", "size_data"]),
    ];
    let mut all: Vec<Builder> = fields.iter().map(|(kind, _)| super::after_statement(*kind, 1, 1, 25)).collect();
    for (kind, key) in fields.iter().flat_map(|(kind, fields)| keys(fields).into_iter().map(|key| (*kind, key))) {
        let query = query(kind, key);
        all.push(walk(&query, &[], Some(&FORWARD), None));
        all.push(end_of_walk_statement(&query, &BACKWARD, 9));
        for term in positive.iter().chain(&negative) {
            for window in [None, Some(&FORWARD), Some(&BACKWARD)] {
                all.push(walk(&query, &[Set::new(term)], window, None));
            }
            all.push(walk(&query, &[Set::new(term)], Some(&FORWARD), Some(1.into())));
        }
        for term in &negative {
            let sets = [Set::new(term), Set::new(&negative[1])];
            for window in [&FORWARD, &BACKWARD] {
                all.push(subtract(&query, &sets[0], &sets[..1], 9, window));
                all.push(subtract(&query, &sets[0], &sets, 9, window));
            }
        }
        let others: Vec<Set<'_>> = negative.iter().chain(&positive[..1]).map(Set::new).collect();
        let others: Vec<&Set<'_>> = others.iter().collect();
        for term in &positive {
            for window in [None, Some(&FORWARD), Some(&BACKWARD)] {
                all.push(drive(&query, &Set::new(term), &[], window));
                all.push(drive(&query, &Set::new(term), &others, window));
            }
        }
    }
    all
}

/// What the list of images asks besides: with filters, and for times of creation.
fn of_images() -> Vec<Builder> {
    let filters = [("type", "backup"), ("status", "available"), ("architecture", "x86")];
    let filters = filters.into_iter().map(|(column, value)| (column, vec![Value::from(value)]));
    let filters: Vec<_> = filters.chain([("bound_to", vec![1.into(), 2.into()])]).collect();
    let mut all = vec![super::created_statement(Kind::Image, 1, &[1, 2])];
    for key in keys(&["id", "created"]) {
        for some in (0..filters.len()).map(|n| &filters[n..]) {
            let query = ListQuery { filters: some.to_vec(), ..query(Kind::Image, key) };
            all.extend([None, Some(&FORWARD), Some(&BACKWARD)].map(|window| walk(&query, &[], window, None)));
        }
    }
    all
}

/// Primary IPs by name and address, and without those of load balancers, which some dialects do not know.
fn of_primary_ips() -> Vec<Builder> {
    let name = || ("name", vec![Value::from("a")]);
    let ip = || ("ip", vec![Value::from("198.18.0.1")]);
    let of_others = || ("load_balancer", vec![Value::from(crate::primary_ip::NO_LOAD_BALANCER)]);
    let filters = [vec![name()], vec![ip()], vec![of_others()], vec![name(), of_others()], vec![ip(), of_others()]];
    let negative = Term::NotEquals("env".to_owned(), "prod".to_owned());
    let sets = [Set::new(&negative)];
    let mut all = Vec::new();
    for key in keys(&["id", "created"]) {
        for filters in &filters {
            let query = ListQuery { filters: filters.clone(), ..query(Kind::PrimaryIp, key) };
            for window in [None, Some(&FORWARD), Some(&BACKWARD)] {
                all.extend([walk(&query, &[], window, None), walk(&query, &sets, window, None)]);
            }
        }
    }
    all
}

/// Certificates by type, zones by mode, and the sets of a zone, which are never asked for without it.
fn of_zones() -> Vec<Builder> {
    let of_zone = || ("zone", vec![Value::from(1)]);
    let by_name = || ("name", vec![Value::from("www")]);
    let by_type = || ("type", vec![Value::from("A"), Value::from("AAAA")]);
    let filters = [
        vec![of_zone()],
        vec![of_zone(), by_name()],
        vec![of_zone(), by_type()],
        vec![of_zone(), by_name(), by_type()],
    ];
    let negative = Term::NotEquals("env".to_owned(), "prod".to_owned());
    let sets = [Set::new(&negative)];
    let windows = [None, Some(&FORWARD), Some(&BACKWARD)];
    let mut all = Vec::new();
    for key in keys(&["path", "name", "created"]) {
        for filters in &filters {
            let query = ListQuery { filters: filters.clone(), ..query(Kind::Rrset, key) };
            all.extend(windows.map(|window| walk(&query, &[], window, None)));
            all.extend(windows.map(|window| walk(&query, &sets, window, None)));
        }
    }
    for key in keys(&["id", "name", "created"]) {
        let filters = vec![("type", vec![Value::from("managed")])];
        let query = ListQuery { filters, ..query(Kind::Certificate, key) };
        all.extend(windows.map(|window| walk(&query, &[], window, None)));
    }
    for key in keys(&["id", "name", "created"]) {
        let filters = vec![("mode", vec![Value::from("primary")])];
        let query = ListQuery { filters, ..query(Kind::Zone, key) };
        all.extend(windows.map(|window| walk(&query, &[], window, None)));
    }
    all
}

/// What notes the servers that a selector matches: from a set of each sort, with others tested.
fn of_selections() -> Vec<Builder> {
    let (key, values) = ("env".to_owned(), vec!["a".to_owned(), "b".to_owned()]);
    let terms = [
        Term::Equals(key.clone(), "a".to_owned()),
        Term::Exists(key.clone()),
        Term::In(key.clone(), values),
        Term::NotEquals(key.clone(), "a".to_owned()),
        Term::NotExists(key),
    ];
    let some = |terms: &[Term]| selecting(&of_servers(1, 9), 1, &terms.iter().map(Set::new).collect::<Vec<_>>());
    let mut all = vec![some(&[])];
    all.extend((0..terms.len()).flat_map(|first| [some(&terms[first..=first]), some(&terms[first..])]));
    all
}

/// The snapshots and further accounts of a storage box, which are never asked for without it.
fn of_storage_boxes() -> Vec<Builder> {
    let negative = Term::NotEquals("env".to_owned(), "prod".to_owned());
    let sets = [Set::new(&negative)];
    let kinds = [
        (Kind::StorageBoxSnapshot, ("automatic", Value::from(1)), &["id", "name", "created"][..]),
        (Kind::StorageBoxSubaccount, ("username", Value::from("u1-sub1")), &["id", "created"]),
    ];
    let mut all = Vec::new();
    for (kind, (column, value), fields) in kinds {
        let more = [("name", vec![Value::from("a")]), (column, vec![value])];
        for key in keys(fields) {
            for some in 0..=more.len() {
                let mut filters = vec![("storage_box", vec![Value::from(1)])];
                filters.extend(more.iter().take(some).cloned());
                let query = ListQuery { filters, ..query(kind, key) };
                for window in [None, Some(&FORWARD), Some(&BACKWARD)] {
                    all.extend([walk(&query, &[], window, None), walk(&query, &sets, window, None)]);
                }
            }
        }
    }
    all
}

fn of_actions() -> Vec<Builder> {
    let statuses: [&[&str]; 5] =
        [&["running", "success", "error"], &["success"], &["running"], &["running", "error"], &["success", "error"]];
    let mut all = Vec::new();
    for key in keys(&["id", "command", "status", "progress", "started", "finished"]) {
        for of in [None, Some((Kind::Server, None)), Some((Kind::Server, Some(1)))] {
            for statuses in statuses {
                for with_ids in [false, true] {
                    let mut query = ListQuery { of, ..query(Kind::Action, key) };
                    query.filters.push(("status", statuses.iter().map(|s| Value::from(*s)).collect()));
                    if with_ids {
                        query.filters.push(("id", vec![1.into(), 2.into()]));
                    }
                    all.extend([1, i64::MAX].into_iter().flat_map(|total| actions::shapes(&query, total, &FORWARD)));
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::samples;

    #[test]
    fn parameters_appear_in_order() {
        for (sql, params) in samples() {
            let mut next = 1;
            for piece in sql.split('$').skip(1) {
                let digits: String = piece.chars().take_while(char::is_ascii_digit).collect();
                assert_eq!(digits, next.to_string(), "{sql}");
                next += 1;
            }
            assert_eq!(next - 1, params.len(), "{sql}");
        }
    }
}
