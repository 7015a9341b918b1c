//! `wolke storage-box`.

use super::{body, path_to};
use crate::cli::StorageBoxVerb;
use crate::failure::{Failure, Result};
use crate::output::{Column, print};
use crate::reach::Access;
use http::Method;
use serde_json::{Value, json};
use std::io::BufRead as _;
use std::path::Path;
use wolke_http::admin::storage_box::SetContent;

const CONTENT: &[Column] = &[
    ("ID", "id"),
    ("NAME", "name"),
    ("DATA (BYTES)", "size_data"),
    ("SNAPSHOTS (BYTES)", "size_snapshots"),
    ("FOLDERS", "folders"),
];
const LOGIN: &[Column] = &[("GRANTED", "granted"), ("HOME DIRECTORY", "home_directory"), ("REASON", "reason")];

pub(super) async fn run(access: &Access, verb: &StorageBoxVerb) -> Result<()> {
    match verb {
        StorageBoxVerb::Fill { storage_box, of, bytes, rewritten, folders, empty, removed, output } => {
            let folders = (*empty || !folders.is_empty()).then(|| folders.clone());
            let content = SetContent { bytes: *bytes, rewritten: *rewritten, folders, removed: removed.clone() };
            let path = path_to("storage_boxes", (storage_box, of), "content");
            print(output.format, &access.call(Method::PUT, &path, Some(&body(&content)?)).await?, CONTENT)
        }
        StorageBoxVerb::Login { username, via, public_key, external, write, output } => {
            let (member, shown) = match public_key {
                Some(file) => ("public_key", key(file)?),
                None => ("password", password()?),
            };
            let mut login = json!({ "username": username, "via": via, "external": external, "write": write });
            login[member] = shown.into();
            let outcome = access.call(Method::POST, "/storage_boxes/logins", Some(&login)).await?;
            print(output.format, &outcome, LOGIN)?;
            match outcome["reason"].as_str() {
                Some(reason) if outcome["granted"] == Value::Bool(false) => {
                    Err(Failure::new(format!("{username} does not get in: {reason}")))
                }
                _ => Ok(()),
            }
        }
    }
}

fn key(file: &Path) -> Result<String> {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::file("read", file, e))?;
    Ok(text.trim().to_owned())
}

/// The first line of the standard input: what stands in a command line, others can see.
fn password() -> Result<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|e| Failure::new(format!("cannot read the password from the standard input: {e}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
