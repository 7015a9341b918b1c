//! `wolke project`.

use super::{body, segment};
use crate::cli::ProjectVerb;
use crate::failure::Result;
use crate::output::{Column, print};
use crate::reach::Access;
use http::Method;
use wolke_http::admin::types::{NewProject, SetLimits};

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
        ProjectVerb::Delete { name } => {
            access.call(Method::DELETE, &format!("/projects/{}", segment(name)), None).await.map(|_| ())
        }
    }
}
