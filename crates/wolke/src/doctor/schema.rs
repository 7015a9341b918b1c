//! Whether this program can work on the databases as they are.

use super::databases::{Databases, Found};
use super::{Check, Patient, one_line};
use crate::env::shell_word;
use crate::failure::Failure;
use wolke_store::migrate::Role;

const NAME: &str = "schema";

pub(super) fn check(patient: &Patient<'_>, databases: &Databases) -> Check {
    if patient.settings.ephemeral {
        return Check::ok(NAME, "the databases are made in memory at every start");
    }
    let all = [(Role::Root, "root", &databases.root), (Role::World, "world", &databases.world)];
    for (role, name, found) in all {
        if let Some(wrong) = wrong(patient, role, name, found) {
            return wrong;
        }
    }
    let schemas = all.map(|(_, _, found)| Databases::known(found).map_or(0, |inspected| inspected.schema));
    if let [0, 0] = schemas {
        return Check::ok(NAME, "there are no databases yet: the first `wolke serve` makes them");
    }
    if patient.settings.database.is_none() && schemas[0] > 0 && matches!(databases.world, Ok(None)) {
        let world = patient.directory.database(Role::World);
        let message = format!("the world database {} is gone: its resources are in no other file", world.display());
        return Check::fail(NAME, message, crate::directory::WORLD_GONE_FIX);
    }
    for ((role, name, _), schema) in all.iter().zip(schemas) {
        if schema < role.newest() {
            let message =
                format!("the {name} database has schema {schema}: the next start migrates it to {}", role.newest());
            return Check::warning(NAME, message, copy_first(patient));
        }
    }
    Check::ok(NAME, format!("root {}, world {}: what this release works with", schemas[0], schemas[1]))
}

/// What makes a start impossible.
fn wrong(patient: &Patient<'_>, role: Role, name: &str, found: &Found) -> Option<Check> {
    match found {
        Err(error) => {
            // What keeps PostgreSQL from answering is a check of its own.
            if patient.settings.database.is_some() {
                return Some(Check::warning(NAME, "not known: PostgreSQL does not answer", "see postgresql above"));
            }
            let text = one_line(&Failure::from(error.clone()).text);
            let fix = "restore the data directory from a copy, or start anew in another one with --data DIR";
            Some(Check::fail(NAME, format!("the {name} database cannot be read: {text}"), fix))
        }
        Ok(Some(inspected)) if inspected.schema > role.newest() => {
            let message = format!(
                "the {name} database has schema {}, and wolke {} knows up to {}",
                inspected.schema,
                env!("CARGO_PKG_VERSION"),
                role.newest()
            );
            Some(Check::fail(NAME, message, "use the newer release of wolke that has written it"))
        }
        _ => None,
    }
}

/// A migration cannot be taken back.
fn copy_first(patient: &Patient<'_>) -> String {
    match &patient.settings.database {
        Some(_) => "there is no way back: pg_dump --schema 'wolke_*' first".to_owned(),
        None => {
            let path = patient.directory.path().display().to_string();
            format!("there is no way back: cp -a {} {} first", shell_word(&path), shell_word(&format!("{path}.before")))
        }
    }
}
