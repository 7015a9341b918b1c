//! `wolke token`.

use super::{body, name_projects};
use crate::cli::{Format, TokenVerb};
use crate::failure::{Failure, Result};
use crate::output::{self, Column, print};
use crate::reach::Access;
use http::Method;
use serde_json::Value;
use wolke_http::admin::types::NewToken;
use wolke_wire::{Dialect, Id};

const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("NAME", "name"),
    ("PROJECT", "project"),
    ("ACCESS", "access"),
    ("DIALECT", "dialect"),
    ("CREATED", "created"),
];

pub(super) async fn run(access: &Access, verb: &TokenVerb) -> Result<()> {
    match verb {
        TokenVerb::List(output) => {
            let tokens = access.call(Method::GET, "/tokens", None).await?;
            match output.format {
                Format::Json => print(output.format, &tokens, COLUMNS),
                Format::Table => {
                    let projects = access.call(Method::GET, "/projects", None).await?;
                    print(output.format, &for_people(tokens, &projects), COLUMNS)
                }
            }
        }
        TokenVerb::Create { project, name, read_only, dialect, output } => {
            let name = name.clone().unwrap_or_default();
            let dialect = dialect.as_deref().and_then(Dialect::parse);
            let new = NewToken { project: project.clone(), name, writes: !read_only, dialect };
            let made = access.call(Method::POST, "/tokens", Some(&body(&new)?)).await?;
            match output.format {
                Format::Json => print(output.format, &made, &[]),
                // Nothing but the secret on standard output, so that it can be assigned as it is.
                Format::Table => {
                    output::remark(&format!("token {} is shown this once", made["token"]["id"]));
                    output::line(made["secret"].as_str().unwrap_or_default())
                }
            }
        }
        TokenVerb::Delete { token } => {
            let id = find(&access.call(Method::GET, "/tokens", None).await?, token)?;
            access.call(Method::DELETE, &format!("/tokens/{id}"), None).await.map(|_| ())
        }
    }
}

/// The id of the token that is meant: that of the id, else the only one of the name.
fn find(tokens: &Value, asked: &str) -> Result<Id> {
    let all = || tokens.as_array().into_iter().flatten();
    let id_of = |token: &Value| token["id"].as_i64();
    if let Some(id) = all().filter_map(id_of).find(|id| asked.parse() == Ok(*id)) {
        return Ok(id);
    }
    let named: Vec<_> = all().filter(|token| token["name"] == asked).filter_map(id_of).collect();
    match named.as_slice() {
        [id] => Ok(*id),
        [] => Err(Failure::new(format!("there is no token '{asked}': `wolke token list` shows all"))),
        several => {
            let ids: Vec<_> = several.iter().map(ToString::to_string).collect();
            Err(Failure::new(format!("several tokens are called '{asked}': name one by its id, {}", ids.join(" or "))))
        }
    }
}

/// Tokens with the names of their projects and words for what they may do.
fn for_people(mut tokens: Value, projects: &Value) -> Value {
    name_projects(&mut tokens, projects);
    for token in tokens.as_array_mut().into_iter().flatten() {
        token["access"] = if token["writes"] == true { "read-write" } else { "read-only" }.into();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::{find, for_people};
    use serde_json::json;

    #[test]
    fn a_token_is_meant_by_its_id_or_its_name() {
        let tokens =
            json!([{"id": 1, "name": "ci"}, {"id": 2, "name": "1"}, {"id": 3, "name": "x"}, {"id": 4, "name": "x"}]);
        let found = |asked: &str| find(&tokens, asked).map_err(|failure| failure.text);
        assert_eq!((found("ci"), found("1"), found("4")), (Ok(1), Ok(1), Ok(4)));
        assert!(found("x").unwrap_err().contains("3 or 4"));
        assert!(found("y").is_err() && found("0").is_err() && found("").is_err());
    }

    #[test]
    fn ids_become_names() {
        let tokens = json!([{"id": 1, "project": 7, "writes": true}, {"id": 2, "project": 8, "writes": false}]);
        let shown = for_people(tokens, &json!([{"id": 7, "name": "default"}]));
        assert_eq!(shown[0]["project"], "default");
        assert_eq!(shown[1]["project"], 8, "a project that is gone keeps its id");
        assert_eq!((&shown[0]["access"], &shown[1]["access"]), (&json!("read-write"), &json!("read-only")));
    }
}
