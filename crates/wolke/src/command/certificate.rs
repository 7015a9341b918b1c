//! `wolke ca`, `wolke events`.

use super::name_projects;
use crate::cli::{Format, Output};
use crate::failure::{Failure, Result};
use crate::output::{self, Column, print};
use crate::reach::Access;
use http::Method;
use wolke_domain::certificate::AuthorityName;

const EVENTS: &[Column] = &[
    ("ID", "id"),
    ("AT", "at"),
    ("EVENT", "event"),
    ("PROJECT", "project"),
    ("TYPE", "type"),
    ("RESOURCE", "resource"),
    ("NAME", "name"),
    ("CODE", "code"),
    ("MESSAGE", "message"),
];

/// Prints the certificate of an authority.
pub(super) async fn authority(access: &Access, staging: bool) -> Result<()> {
    let name = if staging { AuthorityName::Staging } else { AuthorityName::Production };
    let shown = access.call(Method::GET, &format!("/authorities/{}", name.as_str()), None).await?;
    let certificate = shown["certificate"].as_str();
    output::exactly(certificate.ok_or_else(|| Failure::new("the answer holds no certificate"))?)
}

/// Prints what has happened; for people with the names of projects.
pub(super) async fn events(access: &Access, output: Output) -> Result<()> {
    let mut events = access.call(Method::GET, "/events", None).await?;
    if output.format == Format::Table {
        name_projects(&mut events, &access.call(Method::GET, "/projects", None).await?);
    }
    print(output.format, &events, EVENTS)
}
