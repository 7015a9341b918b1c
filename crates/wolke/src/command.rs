//! The operator's commands. Each asks the admin API, whoever serves it, and prints the answer.

mod certificate;
mod clock;
pub mod config;
pub mod image;
pub mod metadata;
mod operator;
mod project;
pub mod sim;
mod storage_box;
mod token;

use crate::cli::{OfProject, Verb};
use crate::config::Settings;
use crate::directory::Lock;
use crate::failure::{Failure, Result};
use crate::reach::Access;
use serde::Serialize;
use serde_json::Value;

/// Runs a command to its end.
///
/// # Errors
/// When it is refused, or there is nobody to ask.
pub async fn run(settings: &Settings, verb: &Verb) -> Result<((), Option<Lock>)> {
    let access = Access::open(settings, verb.name()).await?;
    let outcome = match verb {
        Verb::Project(verb) => project::run(&access, verb).await,
        Verb::Token(verb) => token::run(&access, verb).await,
        Verb::Clock(verb) => clock::run(&access, verb).await,
        Verb::Sim(verb) => sim::run(&access, verb).await,
        Verb::Catalogue(verb) => operator::catalogue(&access, verb).await,
        Verb::Iso(verb) => operator::iso(&access, verb).await,
        Verb::Address(verb) => operator::address(&access, verb).await,
        Verb::Vswitch(verb) => operator::vswitch(&access, verb).await,
        Verb::StorageBox(verb) => storage_box::run(&access, verb).await,
        Verb::DedicatedIp(verb) => operator::dedicated_ip(&access, verb).await,
        Verb::Guest(verb) => operator::guest(&access, verb).await,
        Verb::Fault(verb) => operator::fault(&access, verb).await,
        Verb::Events(output) => certificate::events(&access, *output).await,
        Verb::Ca { staging } => certificate::authority(&access, *staging).await,
        Verb::Metadata { server, child, of } => metadata::run(&access, (server, of), child.as_deref()).await,
        // Those that need no control plane do not come here.
        Verb::Serve(_)
        | Verb::Env { .. }
        | Verb::Config { .. }
        | Verb::Doctor { .. }
        | Verb::Image(_)
        | Verb::Completions { .. }
        | Verb::Man { .. } => Ok(()),
    };
    let lock = access.close().await;
    outcome.map(|()| ((), lock))
}

/// A request of the admin API as JSON.
fn body(request: &impl Serialize) -> Result<Value> {
    serde_json::to_value(request).map_err(|e| Failure::new(format!("cannot write the request: {e}")))
}

/// Puts the names of projects in place of their ids; those of projects that are gone stay.
fn name_projects(rows: &mut Value, projects: &Value) {
    let name = |id: &Value| projects.as_array()?.iter().find(|project| project["id"] == *id)?.get("name").cloned();
    for row in rows.as_array_mut().into_iter().flatten() {
        if let Some(name) = name(&row["project"]) {
            row["project"] = name;
        }
    }
}

/// The path to a part of a resource that was named by its id or its name.
fn path_to(collection: &str, (asked, of): (&str, &OfProject), part: &str) -> String {
    let query = of.project.as_deref().map(|project| format!("?project={}", segment(project))).unwrap_or_default();
    format!("/{collection}/{}/{part}{query}", segment(asked))
}

/// A text as one segment of a path.
fn segment(text: &str) -> String {
    use std::fmt::Write as _;
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn any_text_is_one_segment() {
        assert_eq!(segment("my-project_1.x~"), "my-project_1.x~");
        assert_eq!(segment("a/b c?ü%"), "a%2Fb%20c%3F%C3%BC%25");
    }
}
