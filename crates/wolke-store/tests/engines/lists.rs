//! List pages against a naive model: every selector, order and page over labelled servers.

use crate::common::Engine;
use crate::sample;
use std::collections::BTreeMap;
use wolke_domain::server::Server;
use wolke_store::list::{Limits, ListQuery, page, page_within};
use wolke_store::{project, server};
use wolke_wire::selector::{Selector, Term};
use wolke_wire::sort::{Direction, SortKey};
use wolke_wire::{Id, Kind, Timestamp};

crate::on_both_engines!(World: pages_equal_the_model, beyond_the_end);

const SERVERS: usize = 60;
const SELECTORS: [&str; 24] = [
    "",
    "env=a",
    "env=",
    "env!=a",
    "env",
    "!env",
    "env in (a,b)",
    "env in (b,b,nowhere)",
    "env notin (a,b)",
    "env notin (nowhere)",
    "nowhere",
    "!nowhere",
    "env=a,tier=b",
    "env,!tier",
    "env!=a,tier notin (b),zone",
    "env in (a,c),env!=c",
    "env=a,env=b",
    "env!=a,env!=b",
    "env,env!=a",
    "env in (a,b),env notin (b,c),tier",
    "!env,tier!=b",
    "env!=a,tier!=b",
    "env notin (a,c),!tier,zone!=c",
    "env!=a,tier notin (nowhere),zone in (a,b,c)",
];

/// A small generator: the same servers on every run and on both engines.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn labels(&mut self) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        for key in ["env", "tier", "zone"] {
            if let Some(value) = ["a", "b", "c", ""].get(self.roll(6) as usize) {
                labels.insert(key.to_owned(), (*value).to_owned());
            }
        }
        labels
    }
}

/// Labelled servers of a project and of another one, then some relabelled and some deleted.
fn fill(engine: &Engine) -> (Id, Vec<Server>) {
    engine.write(|tx| {
        let mut dice = Dice(42);
        let (project, other) = (sample::project(tx)?, project::insert(tx, "other")?.id);
        let mut all = Vec::new();
        for n in 0..SERVERS + 20 {
            let owner = if n % 4 == 3 { other } else { project };
            // Upper and lower case, so that the order of bytes differs from the order of people.
            let name = format!("{}{}-{n}", ["a", "B", "c", "Z"][dice.roll(4) as usize], dice.roll(100));
            let mut new = sample::server(tx, owner, &name, &[])?;
            new.created = Timestamp(1_000 + dice.roll(8) as i64);
            new.details.labels = dice.labels();
            server::insert(tx, &new)?;
            all.push(new);
        }
        for changed in all.iter_mut().step_by(5) {
            let old = server::expect(tx, changed.project, changed.id)?;
            changed.details.labels = dice.labels();
            server::update(tx, &old, changed)?;
        }
        for gone in all.split_off(SERVERS + 10) {
            server::delete(tx, &gone)?;
        }
        all.retain(|s| s.project == project);
        Ok((project, all))
    })
}

fn matches(labels: &BTreeMap<String, String>, selector: &Selector) -> bool {
    selector.terms.iter().all(|term| match term {
        Term::Equals(key, value) => labels.get(key) == Some(value),
        Term::NotEquals(key, value) => labels.get(key) != Some(value),
        Term::Exists(key) => labels.contains_key(key),
        Term::NotExists(key) => !labels.contains_key(key),
        Term::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
        Term::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
    })
}

/// The order as the contract has it: by the keys, then by id in the direction of the last key.
fn sorted(mut servers: Vec<&Server>, sort: &[SortKey]) -> Vec<Id> {
    let last = sort.last().map_or(Direction::Ascending, |key| key.direction);
    let tie = SortKey { field: "id", direction: last };
    servers.sort_by(|a, b| {
        let by = |key: &SortKey| {
            let order = match key.field {
                "name" => a.name.as_bytes().cmp(b.name.as_bytes()),
                "created" => a.created.cmp(&b.created),
                _ => a.id.cmp(&b.id),
            };
            if key.direction == Direction::Descending { order.reverse() } else { order }
        };
        sort.iter().chain([&tie]).map(by).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    servers.into_iter().map(|s| s.id).collect()
}

fn sorts() -> Vec<Vec<SortKey>> {
    let both = [Direction::Ascending, Direction::Descending];
    let mut all = vec![Vec::new()];
    for direction in both {
        all.extend(["id", "name", "created"].map(|field| vec![SortKey { field, direction }]));
        for second in both {
            let created = SortKey { field: "created", direction };
            all.push(vec![created, SortKey { field: "name", direction: second }]);
            all.push(vec![created, SortKey { field: "id", direction: second }]);
        }
    }
    all
}

/// As they are; a walk that goes only so far, then a drive or a merge; nothing but whole walks where no index gives the order.
const LIMITS: [Limits; 3] =
    [Limits { walk: 8_000, drive: 6_000 }, Limits { walk: 16, drive: 0 }, Limits { walk: 0, drive: 0 }];

fn pages_equal_the_model(engine: &Engine) {
    let (project, all) = fill(engine);
    assert_eq!(LIMITS[0], Limits::default());
    engine.read(move |tx| {
        for text in SELECTORS {
            let selector = Selector::parse(text).unwrap();
            let found: Vec<&Server> = all.iter().filter(|s| matches(&s.details.labels, &selector)).collect();
            for sort in sorts() {
                let model = sorted(found.clone(), &sort);
                for (limit, limits) in [(7, &LIMITS[0]), (50, &LIMITS[0]), (4, &LIMITS[1]), (9, &LIMITS[2])] {
                    // One page beyond the end, too.
                    for offset in (0..=model.len() + limit).step_by(limit) {
                        let query = ListQuery {
                            kind: Kind::Server,
                            project,
                            filters: Vec::new(),
                            of: None,
                            selector: selector.clone(),
                            sort: sort.clone(),
                            offset: offset as i64,
                            limit: limit as i64,
                        };
                        let got = page_within(tx, &query, limits)?;
                        let ids: Vec<Id> = got.entries.iter().map(|e| e.0).collect();
                        let expected: Vec<Id> = model.iter().skip(offset).take(limit).copied().collect();
                        assert_eq!(got.total, model.len() as i64, "'{text}'");
                        assert_eq!(ids, expected, "'{text}' {sort:?} {offset}+{limit} {limits:?}");
                    }
                }
            }
        }
        Ok(())
    });
}

fn beyond_the_end(engine: &Engine) {
    let (project, all) = fill(engine);
    let name = all[3].name.clone();
    let query = ListQuery {
        kind: Kind::Server,
        project,
        filters: vec![("name", vec![name.into(), "nobody".into()])],
        of: None,
        selector: Selector::default(),
        sort: Vec::new(),
        offset: 0,
        limit: 25,
    };
    let asked = query.clone();
    let got = engine.read(move |tx| page(tx, &asked));
    assert_eq!((got.total, got.entries[0].0), (1, all[3].id));
    let asked = ListQuery { offset: 25, ..query };
    let got = engine.read(move |tx| page(tx, &asked));
    assert_eq!((got.total, got.entries.len()), (1, 0));
}
