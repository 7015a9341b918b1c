//! `wolke project`.

use super::{body, segment};
use crate::cli::ProjectVerb;
use crate::failure::Result;
use crate::output::{Column, print};
use crate::reach::Access;
use http::Method;
use wolke_http::admin::types::NewProject;

const COLUMNS: &[Column] = &[("ID", "id"), ("NAME", "name"), ("CREATED", "created")];

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
        ProjectVerb::Delete { name } => {
            access.call(Method::DELETE, &format!("/projects/{}", segment(name)), None).await.map(|_| ())
        }
    }
}
