//! `wolke project`.

use super::{body, segment};
use crate::cli::ProjectVerb;
use crate::failure::{Failure, Result};
use crate::output::{Column, print};
use crate::reach::Access;
use http::Method;
use serde_json::Value;
use std::time::Duration;
use wolke_http::admin::types::{NewProject, SetLimits};

/// How often, and how many times, a command looks whether a project is gone.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS: u32 = 600;

const COLUMNS: &[Column] = &[("ID", "id"), ("NAME", "name"), ("CREATED", "created")];

const LIMITS: &[Column] = &[("LIMIT", "name"), ("MAY HAVE", "limit"), ("DEFAULT", "default"), ("HAS", "used")];

pub(super) async fn run(access: &Access, verb: &ProjectVerb) -> Result<()> {
    match verb {
        ProjectVerb::List(output) => {
            let projects = access.call(Method::GET, "/projects", None).await?;
            print(output.format, &projects, COLUMNS)
        }
        ProjectVerb::Create { name, output } => {
            let new = body(&NewProject { name: name.clone() })?;
            let project = access.call(Method::POST, "/projects", Some(&new)).await?;
            print(output.format, &project, COLUMNS)
        }
        ProjectVerb::Limits { name, changes, output } => {
            let path = format!("/projects/{}/limits", segment(name));
            let limits = if changes.is_empty() {
                access.call(Method::GET, &path, None).await?
            } else {
                let changes: SetLimits = changes.iter().cloned().collect();
                access.call(Method::PUT, &path, Some(&body(&changes)?)).await?
            };
            print(output.format, &limits, LIMITS)
        }
        ProjectVerb::Delete { name, everything } => delete(access, name, *everything).await,
    }
}

/// Deletes a project and waits until it is gone, which what it holds may take.
async fn delete(access: &Access, name: &str, everything: bool) -> Result<()> {
    let query = if everything { "?everything=true" } else { "" };
    access.call(Method::DELETE, &format!("/projects/{}{query}", segment(name)), None).await?;
    let is_there =
        |projects: &Value| projects.as_array().is_some_and(|all| all.iter().any(|each| each["name"] == name));
    for _ in 0..LOOKS {
        if !is_there(&access.call(Method::GET, "/projects", None).await?) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(Failure::new(format!("project '{name}' is being deleted; `wolke project list` shows it until it is gone")))
}
