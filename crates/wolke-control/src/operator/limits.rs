//! How many resources of each kind a project may have, and has.

use super::Control;
use wolke_domain::error::FieldError;
use wolke_domain::limit::{LIMIT_MAX, LIMITS, named};
use wolke_domain::{Error, Result};
use wolke_store::{Race, Tx, limit, project};
use wolke_wire::Id;

/// A limit of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitView {
    /// The limit, as answers name it: `server_limit`.
    pub name: &'static str,
    /// How many there may be.
    pub limit: i64,
    /// How many there may be in a project that has no limit of its own.
    pub default: i64,
    /// How many there are.
    pub used: i64,
}

impl Control {
    /// All limits of a project.
    ///
    /// # Errors
    /// `not_found` for the project.
    pub async fn project_limits(&self, name: &str) -> Result<Vec<LimitView>> {
        let project = self.project(name).await?.id;
        self.db.read(move |tx| views(tx, project)).await
    }

    /// Gives a project limits of its own, or takes them away: pairs of a limit's name and a number, or none for the default.
    /// What is above a new limit stays.
    ///
    /// # Errors
    /// `not_found` for the project; `invalid_input` naming each limit that is unknown or out of range.
    pub async fn set_project_limits(&self, name: &str, changes: Vec<(String, Option<i64>)>) -> Result<Vec<LimitView>> {
        let (mut wanted, mut wrong) = (Vec::new(), Vec::new());
        for (text, value) in changes {
            match named(&text) {
                None => wrong.push(FieldError::new(&text, "no limit has this name")),
                Some(_) if value.is_some_and(|value| !(0..=LIMIT_MAX).contains(&value)) => {
                    wrong.push(FieldError::new(&text, format!("must be between 0 and {LIMIT_MAX}")));
                }
                Some(kind) => wanted.push((kind, value)),
            }
        }
        if !wrong.is_empty() {
            return Err(Error::invalid_fields(wrong));
        }
        let (project, gone) = (self.project(name).await?.id, format!("project '{name}' not found"));
        self.db
            .write(vec![Race::Project(project)], move |tx| {
                if project::by_id(tx, project)?.is_none() {
                    return Err(Error::NotFound { message: gone.clone() });
                }
                for (kind, value) in &wanted {
                    limit::set(tx, project, *kind, *value)?;
                }
                views(tx, project)
            })
            .await
    }
}

fn views(tx: &mut dyn Tx, project: Id) -> Result<Vec<LimitView>> {
    let view = |(kind, name, default)| {
        let limit = limit::get(tx, project, kind)?.unwrap_or(default);
        Ok(LimitView { name, limit, default, used: limit::used(tx, project, kind)? })
    };
    LIMITS.into_iter().map(view).collect()
}
