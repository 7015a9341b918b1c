//! Fresh PostgreSQL databases beside the one that the test command provides.

use std::sync::atomic::{AtomicU32, Ordering};

/// Tells apart the databases of one process.
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// Makes an empty database on the server of `url` and returns its URL. It goes away with the private cluster.
///
/// # Panics
/// When PostgreSQL refuses.
pub fn create(url: &str, purpose: &str) -> String {
    let name = format!("{purpose}_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    let mut client = postgres::Client::connect(url, postgres::NoTls).expect("PostgreSQL answers");
    client.batch_execute(&format!("CREATE DATABASE {name}")).expect("CREATE DATABASE");
    let (server, _) = url.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{name}")
}
