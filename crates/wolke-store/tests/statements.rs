//! Every statement of the house on both engines: it prepares, both agree on its shape, and it finds its rows by an index.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "test code: a failure may panic, and which PostgreSQL to use is told by the environment"
)]

mod common;

use common::{Engine, Place};
use postgres::types::Type;
use std::collections::BTreeSet;
use wolke_store::migrate::Role;
use wolke_store::{invariant_statements, list, root_statements, world_statements};

/// Statements that read a whole table or index, and why they may. The list only shrinks: an entry that no engine needs any
/// more fails the test.
const SCANS: &[(&str, &str)] = &[
    ("action::RUNNING", "an invariant of tests and the simulator; no request reads it"),
    ("address::BALANCE", "an invariant of tests and the simulator; a row per pool"),
    ("address::FRESH", "a handful of pools"),
    ("address::OLDEST_FREE", "a handful of pools; of the free addresses it reads one"),
    ("address::POOLS", "a handful of pools"),
    (
        "driven::ALL",
        "a handful of real hosts, read when the operator or a host has changed something; an index holds just them",
    ),
    ("host::COUNT", "an invariant of tests and the simulator; no request reads it"),
    ("host::LIST", "for operators; bounded by its LIMIT"),
    ("project::DELETE_COUNTS", "deleting a project is rare; a few rows per project"),
    ("resource::COUNTS", "asked before a project is deleted; a few rows per project"),
    ("strand::ALL", "for operators and invariants; bounded by its LIMIT"),
    ("strand::ANY_LEASE", "once, at the start of the embedded engine"),
    ("strand::FREE_LEASES", "once, at the start of the embedded engine"),
    ("strand::LOCKS", "for operators and invariants; bounded by its LIMIT"),
    ("token::WORLDS", "a handful of worlds"),
];

/// Names and texts of all statements of a database; what [`list`] composes is named `list`.
fn statements(role: Role) -> Vec<(String, String)> {
    let named = match role {
        Role::Root => root_statements(),
        Role::World => world_statements(),
    };
    let named = named.into_iter().map(|s| (s.name.to_owned(), s.sql.to_owned()));
    let composed = list::samples().into_iter().map(|(sql, _)| ("list".to_owned(), sql));
    named.chain(composed.filter(|_| role == Role::World)).collect()
}

struct Sqlite {
    _engine: Engine,
    connection: rusqlite::Connection,
}

impl Sqlite {
    fn new(role: Role) -> Self {
        let engine = Engine::sqlite(role);
        let Place::File(path) = &engine.place else { panic!("not a file") };
        let connection = rusqlite::Connection::open(path).unwrap();
        Self { _engine: engine, connection }
    }

    /// Numbers of columns and parameters.
    fn shape(&self, name: &str, sql: &str) -> (usize, usize) {
        let statement = self.connection.prepare(sql).unwrap_or_else(|e| panic!("{name} on SQLite: {e}"));
        (statement.column_count(), statement.parameter_count())
    }

    /// The tables (or their aliases) that the plan walks from end to end.
    fn scans(&self, sql: &str) -> Vec<String> {
        let mut plan = self.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let nulls = vec![rusqlite::types::Null; plan.parameter_count()];
        let details = plan.query_map(rusqlite::params_from_iter(nulls), |row| row.get::<_, String>(3)).unwrap();
        // A subquery that was found by index is read to its end, as are rows that the statement spells out: no scan of a table.
        let scanned = details.filter_map(|d| d.unwrap().strip_prefix("SCAN ").map(str::to_owned));
        let own = |table: &str| {
            table.starts_with("driver") || table.starts_with("CONSTANT") || table.ends_with("-ROW VALUES CLAUSE")
        };
        scanned.filter(|table| !own(table)).collect()
    }
}

struct Postgres {
    _engine: Engine,
    client: postgres::Client,
}

impl Postgres {
    fn new(test: &str, role: Role) -> Option<Self> {
        let engine = Engine::postgres(test, role)?;
        let Place::Schema(url, schema) = &engine.place else { panic!("not a schema") };
        let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
        // As the driver sets it; a generic plan is the one that holds whatever the parameters are.
        let settings = format!(
            "SET search_path TO \"{schema}\"; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan"
        );
        client.batch_execute(&settings).unwrap();
        Some(Self { _engine: engine, client })
    }

    fn shape(&mut self, name: &str, sql: &str) -> (usize, usize) {
        let statement = self.client.prepare(sql).unwrap_or_else(|e| panic!("{name} on PostgreSQL: {e:?}"));
        let simple = |ty: &Type| [Type::INT8, Type::TEXT, Type::BYTEA].contains(ty);
        for column in statement.columns() {
            assert!(simple(column.type_()), "{name}: column {} is {}", column.name(), column.type_());
        }
        for (index, ty) in statement.params().iter().enumerate() {
            assert!(simple(ty), "{name}: parameter ${} is {ty}", index + 1);
        }
        (statement.columns().len(), statement.params().len())
    }

    /// The scan nodes of the plan that no index condition bounds.
    fn scans(&mut self, sql: &str, params: usize) -> Vec<String> {
        let nulls = if params == 0 { String::new() } else { format!("({})", vec!["NULL"; params].join(", ")) };
        self.client.batch_execute(&format!("DEALLOCATE ALL; PREPARE explained AS {sql}")).unwrap();
        let messages = self.client.simple_query(&format!("EXPLAIN (COSTS OFF) EXECUTE explained{nulls}")).unwrap();
        let lines: Vec<String> = messages
            .iter()
            .filter_map(|message| match message {
                postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            })
            .collect();
        unbounded(&lines)
    }
}

/// The lines of scan nodes that have no condition on an index among the lines that belong to them.
fn unbounded(plan: &[String]) -> Vec<String> {
    let is_node = |line: &str| line.contains("->") || !line.starts_with(' ');
    let own = |line: &str| line.contains("Subquery Scan") || line.contains("Values Scan");
    let reads = |line: &str| line.contains("Scan") && line.contains(" on ") && !own(line);
    let mut found = Vec::new();
    for (index, line) in plan.iter().enumerate().filter(|(_, line)| is_node(line) && reads(line)) {
        let own = plan[index + 1..].iter().take_while(|line| !is_node(line));
        // A bitmap heap scan reads what the bitmap index scan below it has found; that one must have the condition.
        let bounded = line.contains("Bitmap Heap") || own.into_iter().any(|line| line.contains("Index Cond"));
        if !bounded {
            found.push(line.trim().to_owned());
        }
    }
    found
}

fn check_parameters_appear_in_order(name: &str, sql: &str) -> usize {
    let mut highest = 0;
    for piece in sql.split('$').skip(1) {
        let digits: String = piece.chars().take_while(char::is_ascii_digit).collect();
        let number: usize = digits.parse().unwrap();
        assert!(number <= highest + 1, "{name}: ${number} appears before ${}", highest + 1);
        highest = highest.max(number);
    }
    highest
}

#[test]
fn names_are_unique() {
    for role in [Role::Root, Role::World] {
        let names: Vec<_> = statements(role).into_iter().map(|s| s.0).filter(|name| name != "list").collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}

#[test]
fn both_engines_agree_on_shape() {
    for role in [Role::Root, Role::World] {
        let sqlite = Sqlite::new(role);
        let mut postgres = Postgres::new("both_engines_agree_on_shape", role);
        let free_to_scan = invariant_statements().iter().map(|s| (s.name.to_owned(), s.sql.to_owned()));
        for (name, sql) in statements(role).into_iter().chain(free_to_scan.filter(|_| role == Role::World)) {
            let params = check_parameters_appear_in_order(&name, &sql);
            let shape = sqlite.shape(&name, &sql);
            assert_eq!(shape.1, params, "{name}");
            if let Some(postgres) = &mut postgres {
                assert_eq!(postgres.shape(&name, &sql), shape, "{name}: columns and parameters: {sql}");
            }
        }
    }
}

#[test]
fn rows_are_found_by_index() {
    let mut needed = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut complete = true;
    for role in [Role::Root, Role::World] {
        let sqlite = Sqlite::new(role);
        let mut postgres = Postgres::new("rows_are_found_by_index", role);
        complete &= postgres.is_some();
        for (name, sql) in statements(role) {
            let params = check_parameters_appear_in_order(&name, &sql);
            let mut scans = sqlite.scans(&sql);
            scans.extend(postgres.iter_mut().flat_map(|p| p.scans(&sql, params)));
            if !scans.is_empty() {
                if !SCANS.iter().any(|(allowed, _)| *allowed == name) {
                    wrong.push(format!("{name}: {scans:?}: {sql}"));
                }
                needed.insert(name);
            }
        }
    }
    assert!(wrong.is_empty(), "scans that are not on the list:\n{}", wrong.join("\n"));
    if complete {
        let stale: Vec<_> = SCANS.iter().filter(|(name, _)| !needed.contains(*name)).collect();
        assert!(stale.is_empty(), "the list may shrink: {stale:?}");
    }
}

#[test]
fn a_scan_is_recognised() {
    let plan = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(unbounded(&plan("Limit\n  ->  Seq Scan on a\n        Filter: (b = $1)")), ["->  Seq Scan on a"]);
    assert_eq!(unbounded(&plan("Index Scan using i on a\n  Filter: (b = $1)")), ["Index Scan using i on a"]);
    assert!(unbounded(&plan("Index Scan using i on a\n  Index Cond: (b = $1)\n  Filter: c")).is_empty());
}
