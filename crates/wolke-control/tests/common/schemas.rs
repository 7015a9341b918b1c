//! PostgreSQL schemas for trials. A trial needs a fresh world, and making sixty tables takes longer than the trial itself: so
//! a schema is emptied and used again by the next trial of its test, and dropped with the test.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use wolke_store::Db;
use wolke_store::migrate::Role;
use wolke_store::postgres::{Open, PostgresDb};

use super::{TestClock, off_runtime};

/// Connections of a world under test: its strands are driven one by one.
const CONNECTIONS: usize = 2;

/// Trials kill no database, so none of their commits waits for the disk.
const WITHOUT_SYNC: &str = "options=-c%20synchronous_commit%3Doff";

static NUMBERS: AtomicI64 = AtomicI64::new(0);

/// The schemas of one test.
#[derive(Debug)]
pub struct Schemas {
    url: String,
    free: Mutex<Vec<String>>,
}

impl Schemas {
    /// None yet, in the database with this URL.
    pub fn new(url: &str) -> Arc<Self> {
        let mark = if url.contains('?') { '&' } else { '?' };
        Arc::new(Self { url: format!("{url}{mark}{WITHOUT_SYNC}"), free: Mutex::default() })
    }

    /// A world as a first start finds it.
    pub fn open(self: &Arc<Self>, clock: &Arc<TestClock>) -> (Arc<Db>, Schema) {
        let used = self.free.lock().unwrap().pop();
        let name = used.clone().unwrap_or_else(|| {
            format!("wolke_trial_{}_{}", std::process::id(), NUMBERS.fetch_add(1, Ordering::SeqCst))
        });
        if used.is_some() {
            self.run(&emptied(&name));
        }
        let open = Open {
            url: self.url.clone(),
            schema: name.clone(),
            role: Role::World,
            clock: clock.clone(),
            seed: "world".into(),
            on_commit: Arc::new(|_| {}),
            connections: CONNECTIONS,
        };
        let db = PostgresDb::open(open).unwrap();
        if used.is_none() {
            self.run(&kept(&name));
        }
        (Arc::new(Db::Postgres(db)), Schema { of: Arc::clone(self), name })
    }

    fn run(&self, sql: &str) {
        off_runtime(|| {
            let mut client = ::postgres::Client::connect(&self.url, ::postgres::NoTls).unwrap();
            client.batch_execute(sql).unwrap();
        });
    }
}

impl Drop for Schemas {
    fn drop(&mut self) {
        for name in std::mem::take(self.free.get_mut().unwrap()) {
            self.run(&format!("SET lock_timeout = 5000; DROP SCHEMA IF EXISTS {name}, {name}_first CASCADE"));
        }
    }
}

/// A schema in use; the next trial gets it when this one is over.
pub struct Schema {
    of: Arc<Schemas>,
    name: String,
}

impl Drop for Schema {
    fn drop(&mut self) {
        self.of.free.lock().unwrap().push(std::mem::take(&mut self.name));
    }
}

/// Runs `body` for each `table` of a schema.
fn for_each_table(name: &str, body: &str) -> String {
    format!(
        "DO $$ DECLARE t text; BEGIN
           FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '{name}' LOOP {body} END LOOP;
         END $$;"
    )
}

/// Keeps what a new world holds beside it.
fn kept(name: &str) -> String {
    let copy = format!("EXECUTE format('CREATE TABLE {name}_first.%I AS TABLE {name}.%I', t, t);");
    format!("CREATE SCHEMA {name}_first; {}", for_each_table(name, &copy))
}

/// Makes a used world a new one. References are not looked at meanwhile, so that the order of the tables does not matter.
fn emptied(name: &str) -> String {
    let refill = format!(
        "EXECUTE format('DELETE FROM {name}.%I', t);
         EXECUTE format('INSERT INTO {name}.%I SELECT * FROM {name}_first.%I', t, t);"
    );
    format!("BEGIN; SET LOCAL session_replication_role = replica; {} COMMIT;", for_each_table(name, &refill))
}
