//! `wolke project`.

use super::{body, segment};
use crate::cli::ProjectVerb;
use crate::failure::{Failure, Result};
use crate::output::{Column, print};
use crate::reach::Access;
use http::Method;
use serde_json::Value;
use wolke_http::admin::types::{Emptying, NewProject, SetLimits};

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

/// Deletes a project. The answer comes when it is gone, or says what is left after a while: then it goes on without us.
async fn delete(access: &Access, name: &str, everything: bool) -> Result<()> {
    let query = if everything { "?everything=true" } else { "" };
    let answer = access.call(Method::DELETE, &format!("/projects/{}{query}", segment(name)), None).await?;
    gone(answer)
}

/// Whether the answer to a deletion says that the project is gone.
fn gone(answer: Value) -> Result<()> {
    if answer.is_null() {
        return Ok(());
    }
    let Emptying { message, .. } =
        serde_json::from_value(answer).map_err(|e| Failure::new(format!("the server answered with nonsense: {e}")))?;
    Err(Failure::new(format!("{message}; `wolke project list` shows it until it is gone")))
}

#[cfg(test)]
mod tests {
    use super::gone;
    use serde_json::{Value, json};

    #[test]
    fn a_project_that_is_not_gone_yet_is_a_failure_that_says_so() {
        assert_eq!(gone(Value::Null), Ok(()));
        let late =
            gone(json!({"message": "project 'a' is still being emptied: it holds 1 server", "left": {"server": 1}}));
        let text = late.unwrap_err().text;
        assert_eq!(
            text,
            "project 'a' is still being emptied: it holds 1 server; `wolke project list` shows it until it is gone"
        );
        assert!(gone(json!("?")).unwrap_err().text.contains("nonsense"));
    }
}
