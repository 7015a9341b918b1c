//! Projects: the starting point of every query. They are the operator's: clients do not see them.

mod ending;

use crate::control::Control;
pub(crate) use ending::{PROGRAM, wake};
use wolke_domain::{Error, Result, name};
pub use wolke_store::project::Project;
use wolke_store::{Db, Race, project, resource, token};
use wolke_wire::{ErrorCode, Id, Kind};

/// Makes a project, unless one of that name is there.
///
/// # Errors
/// The engine's failure.
pub async fn ensure_project(db: &Db, name: &str) -> Result<Project> {
    let wanted = name.to_owned();
    if let Some(found) = db.read(move |tx| project::by_name(tx, &wanted)).await? {
        return Ok(found);
    }
    let wanted = name.to_owned();
    db.write(vec![Race::Database], move |tx| match project::by_name(tx, &wanted)? {
        Some(found) => Ok(found),
        None => project::insert(tx, &wanted),
    })
    .await
}

/// A project that was told to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Its id.
    id: Id,
    /// Its name.
    name: String,
    /// The strand that empties it; none of one that was empty.
    strand: Option<Id>,
}

/// What a project that is being emptied still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remainder {
    /// That it does, in words.
    pub message: String,
    /// How many resources of each kind, by the kind's singular.
    pub held: Vec<(String, i64)>,
}

impl Control {
    /// All projects.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_projects(&self) -> Result<Vec<Project>> {
        self.db.read(project::list).await
    }

    /// A project by its name.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn project(&self, name: &str) -> Result<Project> {
        let wanted = name.to_owned();
        self.db.read(move |tx| project::expect_named(tx, &wanted)).await
    }

    /// Makes a project.
    ///
    /// # Errors
    /// `invalid_input`, `uniqueness_error`.
    pub async fn create_project(&self, new_name: &str) -> Result<Project> {
        name::resource_name("name", new_name).map_err(|e| Error::invalid_fields(vec![e]))?;
        let wanted = new_name.to_owned();
        self.db.write(vec![Race::Database], move |tx| project::insert(tx, &wanted)).await
    }

    /// Deletes a project with its tokens and its history. One that holds something is refused, unless `everything` is to go
    /// with it: then it is gone for clients at once, and a strand empties it ([`Control::project_gone`] waits for that).
    ///
    /// # Errors
    /// `not_found`; `conflict` naming what it still holds.
    pub async fn delete_project(&self, name: &str, everything: bool) -> Result<Ending> {
        let Project { id, .. } = match self.project(name).await {
            // Perhaps a process has died before it deleted the tokens.
            Err(gone @ Error::NotFound { .. }) => return self.sweep_tokens().await.and(Err(gone)),
            found => found?,
        };
        let gone = format!("project '{name}' not found");
        let strand = self
            .db
            .write(vec![Race::Database, Race::Project(id)], move |tx| {
                if project::by_id(tx, id)?.is_none() {
                    return Err(Error::NotFound { message: gone.clone() });
                }
                if let Some(strand) = project::ending(tx, id)? {
                    return Ok(Some(strand));
                }
                let held = resource::counts(tx, id)?;
                let is_empty = held.is_empty() && !project::has_strands(tx, id)?;
                match everything {
                    _ if is_empty => project::delete(tx, id).map(|()| None),
                    true => ending::begin(tx, id).map(Some),
                    false => {
                        Err(Error::refused(ErrorCode::Conflict, format!("the project is not empty: {}", holds(&held))))
                    }
                }
            })
            .await?;
        // The tokens live in another database. Dying in between leaves tokens that lead nowhere: they are refused, and deleted with
        // the next start or the next attempt.
        let world = self.world.clone();
        self.root.write(vec![Race::Database], move |tx| token::delete_of_project(tx, &world, id)).await?;
        Ok(Ending { id, name: name.to_owned(), strand })
    }

    /// Waits until a project that was told to go is gone, at most [`Options::emptying`](crate::Options::emptying); returns
    /// what it holds then, none when it is gone.
    ///
    /// # Errors
    /// `conflict` when it could not be emptied and stays.
    pub async fn project_gone(&self, ending: &Ending) -> Result<Option<Remainder>> {
        let Ending { id, name, strand } = ending;
        let (id, Some(strand)) = (*id, *strand) else { return Ok(None) };
        // Whether it has ended or not: the look says what has become of the project.
        let _ = self.worker.end(strand, self.options.emptying).await;
        let found = self.db.read(move |tx| Ok((project::by_id(tx, id)?, resource::counts(tx, id)?))).await?;
        match found {
            (None, _) => Ok(None),
            (Some(Project { ending: true, .. }), held) => {
                let message = format!("project '{name}' is still being emptied: {}", holds(&held));
                Ok(Some(Remainder { message, held }))
            }
            (Some(_), held) => {
                let message = format!("project '{name}' could not be emptied and stays: {}", holds(&held));
                Err(Error::refused(ErrorCode::Conflict, message))
            }
        }
    }
}

/// What a project holds, in words.
fn holds(held: &[(String, i64)]) -> String {
    let counted = |(kind, n): &(String, i64)| {
        let label = match Kind::from_singular(kind) {
            Some(kind) => kind.label(),
            None => kind,
        };
        format!("{n} {label}{}", if *n == 1 { "" } else { "s" })
    };
    match held {
        [] => "work is under way in it".into(),
        held => format!("it holds {}", held.iter().map(counted).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn what_a_project_holds_is_said_in_words() {
        let held = [("primary_ip".to_owned(), 3), ("server".to_owned(), 1)];
        assert_eq!(holds(&held), "it holds 3 primary IPs, 1 server");
        assert_eq!(holds(&[]), "work is under way in it");
    }
}
