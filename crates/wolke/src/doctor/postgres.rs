//! PostgreSQL: is it there, may we work in it, is there room for our connections.

use super::databases::Databases;
use super::{Check, Patient, one_line};
use crate::failure::Failure;
use crate::installation;
use wolke_domain::Error;
use wolke_store::inspect::{Schema, Server};
use wolke_store::migrate::Role;
use wolke_store::postgres::{CONNECTIONS_DEFAULT, inspect};

const NAME: &str = "postgresql";
/// The oldest major version that its makers still mend.
const MAJOR_MIN: i64 = 14;
/// The encoding that texts need.
const ENCODING: &str = "UTF8";
/// Connections of one process at most: workers and a listener, for the root and for the world.
const CONNECTIONS: i64 = 2 * (CONNECTIONS_DEFAULT as i64 + 1);
/// How far the clocks may be apart, in milliseconds.
const APART_MS: i64 = 2_000;

/// Looks at the server, adds what was found to the checks, and returns the databases.
pub(super) fn check(patient: &Patient<'_>, url: &str, checks: &mut Vec<Check>) -> Databases {
    let (root, world) = (installation::schema(Role::Root), installation::schema(Role::World));
    match inspect(url, &[(&root, Role::Root), (&world, Role::World)], &patient.real) {
        Err(error) => {
            checks.push(unreachable(&error));
            Databases { root: Err(error.clone()), world: Err(error) }
        }
        Ok((server, schemas)) => {
            checks.extend(judge(&server, &schemas, patient.is_running));
            let mut found = schemas.into_iter().map(|schema| Some(schema.inspected));
            Databases { root: Ok(found.next().flatten()), world: Ok(found.next().flatten()) }
        }
    }
}

/// The URL is not repeated: it may hold a password.
fn unreachable(error: &Error) -> Check {
    let fix = match error {
        Error::Unavailable { .. } => {
            "start it (pg_isready says whether it runs), or correct --database (WOLKE_DATABASE)"
        }
        _ => {
            "correct --database (WOLKE_DATABASE), or create role and database: createuser wolke; createdb --owner wolke wolke"
        }
    };
    Check::fail(NAME, one_line(&Failure::from(error.clone()).text), fix)
}

fn judge(server: &Server, schemas: &[Schema], is_running: bool) -> Vec<Check> {
    vec![version(server), rights(server, schemas), encoding(server), clocks(server), connections(server, is_running)]
}

fn version(server: &Server) -> Check {
    let Server { version, database, user, .. } = server;
    if server.is_standby {
        let message = format!("{version}, database {database}: a standby, which cannot be written");
        return Check::fail(NAME, message, "name the primary in --database, or promote this one: SELECT pg_promote()");
    }
    if server.major < MAJOR_MIN {
        let message = format!("{version} is no longer maintained");
        return Check::warning(NAME, message, format!("upgrade to PostgreSQL {MAJOR_MIN} or newer: pg_upgrade"));
    }
    Check::ok(NAME, format!("{version}, database {database}, as {user}"))
}

fn rights(server: &Server, schemas: &[Schema]) -> Check {
    const NAME: &str = "rights";
    let Server { database, user, .. } = server;
    if let Some(schema) = schemas.iter().find(|schema| !schema.may_use) {
        let name = &schema.name;
        let message = format!("{user} may not use the schema {name}");
        return Check::fail(
            NAME,
            message,
            format!("as its owner: ALTER SCHEMA {name} OWNER TO \"{user}\", and its tables"),
        );
    }
    let is_new = schemas.iter().any(|schema| schema.inspected.schema == 0);
    if is_new && !server.may_create {
        let message = format!("{user} may not make schemas in {database}, and they are not there yet");
        let fix = format!("as its owner: GRANT CREATE ON DATABASE \"{database}\" TO \"{user}\"");
        return Check::fail(NAME, message, fix);
    }
    Check::ok(NAME, if is_new { "schemas can be made" } else { "the schemas can be used" })
}

fn encoding(server: &Server) -> Check {
    const NAME: &str = "encoding";
    if server.encoding == ENCODING {
        return Check::ok(NAME, ENCODING);
    }
    let message = format!("the database {} has {}: names and labels need {ENCODING}", server.database, server.encoding);
    Check::fail(NAME, message, format!("make another: createdb --encoding {ENCODING} --template template0 NAME"))
}

fn clocks(server: &Server) -> Check {
    const NAME: &str = "database clock";
    let apart = server.ahead_ms;
    if apart.abs() <= APART_MS {
        return Check::ok(NAME, format!("{} ms from the machine's", apart.abs()));
    }
    let where_ = if apart > 0 { "ahead of" } else { "behind" };
    let message =
        format!("{} s {where_} the machine's: timestamps are the database's, the log's are not", apart.abs() / 1000);
    Check::warning(NAME, message, "timedatectl set-ntp true on both machines")
}

fn connections(server: &Server, is_running: bool) -> Check {
    const NAME: &str = "connections";
    let Server { connections, connections_max, .. } = server;
    let free = connections_max - connections;
    // A running process has some of its own already, and can live with them.
    if free < CONNECTIONS && !is_running {
        let message = format!("{connections} of {connections_max} are in use, and a process wants up to {CONNECTIONS}");
        let fix =
            format!("ALTER SYSTEM SET max_connections = {}; and restart PostgreSQL", connections_max + 2 * CONNECTIONS);
        return match free {
            ..=1 => Check::fail(NAME, message, fix),
            _ => Check::warning(NAME, message, fix),
        };
    }
    Check::ok(NAME, format!("{connections} of {connections_max} are in use; a process wants up to {CONNECTIONS}"))
}

#[cfg(test)]
mod tests {
    use super::{judge, unreachable};
    use crate::doctor::{Check, Grade};
    use wolke_domain::Error;
    use wolke_store::inspect::{Inspected, Schema, Server};

    fn server() -> Server {
        Server {
            version: "16.1".into(),
            major: 16,
            encoding: "UTF8".into(),
            database: "wolke".into(),
            user: "me".into(),
            may_create: true,
            is_standby: false,
            connections_max: 97,
            connections: 5,
            ahead_ms: 12,
        }
    }

    fn schema(number: i64, may_use: bool) -> Schema {
        let inspected = Inspected { schema: number, clock: None, seal_key: None };
        Schema { name: "wolke_root".into(), may_use, inspected }
    }

    /// The names and grades of what is not fine.
    fn found(server: &Server, schema: Schema) -> Vec<(&'static str, Grade)> {
        let checks = judge(server, &[schema], false);
        assert!(checks.iter().all(|check: &Check| (check.status == Grade::Ok) == check.fix.is_none()));
        checks.iter().filter(|check| check.status != Grade::Ok).map(|check| (check.name, check.status)).collect()
    }

    #[test]
    fn each_lack_is_found() {
        assert_eq!(found(&server(), schema(0, true)), []);
        let old = Server { major: 13, ..server() };
        assert_eq!(found(&old, schema(2, true)), [("postgresql", Grade::Warning)]);
        let standby = Server { is_standby: true, ..server() };
        assert_eq!(found(&standby, schema(2, true)), [("postgresql", Grade::Fail)]);
        let poor = Server { may_create: false, ..server() };
        assert_eq!(found(&poor, schema(0, true)), [("rights", Grade::Fail)]);
        assert_eq!(found(&poor, schema(2, true)), [], "there is nothing to make");
        assert_eq!(found(&server(), schema(2, false)), [("rights", Grade::Fail)]);
        let latin = Server { encoding: "LATIN1".into(), ..server() };
        assert_eq!(found(&latin, schema(0, true)), [("encoding", Grade::Fail)]);
        let late = Server { ahead_ms: -5_000, ..server() };
        assert_eq!(found(&late, schema(0, true)), [("database clock", Grade::Warning)]);
        let busy = Server { connections: 90, ..server() };
        assert_eq!(found(&busy, schema(0, true)), [("connections", Grade::Warning)]);
        let full = Server { connections: 97, ..server() };
        assert_eq!(found(&full, schema(0, true)), [("connections", Grade::Fail)]);
    }

    #[test]
    fn one_that_is_not_there() {
        let check = unreachable(&Error::Unavailable { internal: "cannot connect\n to it".into() });
        assert_eq!((check.status, check.message.as_str()), (Grade::Fail, "cannot connect to it"));
    }
}
