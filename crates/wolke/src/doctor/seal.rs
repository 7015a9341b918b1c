//! The key that secrets are sealed with: is it there, is it private, is it the right one.

use super::databases::Databases;
use super::{Check, Patient};
use crate::env::shell_word;
use crate::seal_key::SealKey;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const NAME: &str = "seal key";
/// The bits that let others than the owner at a file.
const OTHERS: u32 = 0o077;

pub(super) fn check(patient: &Patient<'_>, databases: &Databases) -> Check {
    if patient.settings.ephemeral {
        return Check::ok(NAME, "drawn at every start and kept nowhere");
    }
    let named = patient.settings.seal_key.as_deref();
    let file = named.map_or_else(|| patient.directory.file("seal.key"), Path::to_owned);
    let shown = file.display();
    let known = Databases::known(&databases.root).and_then(|root| root.seal_key.as_deref());
    match std::fs::metadata(&file) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return missing(&file, named.is_some(), known),
        Err(e) => {
            return Check::fail(NAME, format!("{shown} cannot be read: {e}"), "name another with --seal-key FILE");
        }
        Ok(metadata) if metadata.permissions().mode() & OTHERS != 0 => {
            let mode = metadata.permissions().mode() & 0o777;
            let message = format!("{shown} has mode {mode:04o}: others can read every secret");
            return Check::fail(NAME, message, format!("chmod 600 {}", shell_word(&shown.to_string())));
        }
        Ok(_) => {}
    }
    let right = match known {
        Some(known) => format!("copy the right one there (fingerprint {known}), or name it with --seal-key FILE"),
        None => "remove it: the next start makes one".to_owned(),
    };
    let key = SealKey::load(&file, false).and_then(|key| key.bytes().map(|_| key));
    match (key, known) {
        (Err(failure), _) => Check::fail(NAME, failure.text, right),
        (Ok(key), Some(known)) if key.fingerprint() != known => {
            let message = format!("{shown} is of another installation: the database's secrets are sealed with {known}");
            Check::fail(NAME, message, right)
        }
        (Ok(key), _) => Check::ok(NAME, format!("{shown}, fingerprint {}", key.fingerprint())),
    }
}

fn missing(file: &Path, is_named: bool, known: Option<&str>) -> Check {
    let shown = file.display();
    match known {
        Some(known) => Check::fail(
            NAME,
            format!("there is no {shown}, and the database's secrets are sealed with the key {known}"),
            "copy seal.key from the installation's data directory or a copy of it, or name it with --seal-key FILE",
        ),
        None if is_named => Check::fail(
            NAME,
            format!("there is no {shown}"),
            "name a file that is there, or drop --seal-key: the first start makes a key in the data directory",
        ),
        None => Check::ok(NAME, format!("the first `wolke serve` makes {shown}")),
    }
}
