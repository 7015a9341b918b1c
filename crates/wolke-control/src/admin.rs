//! What the operator does: projects, tokens, the simulation. The clock has a module of its own.

use crate::control::Control;
use crate::core::Simulation;
use wolke_domain::{Error, Result, name};
use wolke_store::project::Project;
use wolke_store::token::NewToken;
pub use wolke_store::token::Token;
use wolke_store::{Db, Race, project, resource, token};
use wolke_wire::{Dialect, ErrorCode, Id, Kind};

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
        let found = self.db.read(move |tx| project::by_name(tx, &wanted)).await?;
        found.ok_or_else(|| Error::NotFound { message: format!("project '{name}' not found") })
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

    /// Deletes an empty project with its tokens and its history.
    ///
    /// # Errors
    /// `not_found`; `resource_in_use`-like `conflict` text naming what it still holds.
    pub async fn delete_project(&self, name: &str) -> Result<()> {
        let Project { id, .. } = self.project(name).await?;
        let gone = format!("project '{name}' not found");
        self.db
            .write(vec![Race::Database, Race::Project(id)], move |tx| {
                if project::by_id(tx, id)?.is_none() {
                    return Err(Error::NotFound { message: gone.clone() });
                }
                let held = resource::counts(tx, id)?;
                if !held.is_empty() || project::has_strands(tx, id)? {
                    return Err(Error::refused(ErrorCode::Conflict, not_empty(&held)));
                }
                project::delete(tx, id)
            })
            .await?;
        // The tokens live in another database. Dying in between leaves tokens that lead nowhere: they are refused.
        let world = self.world.clone();
        self.root.write(vec![Race::Database], move |tx| token::delete_of_project(tx, &world, id)).await.map(|_| ())
    }

    /// All tokens, without their secrets.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_tokens(&self) -> Result<Vec<Token>> {
        self.root.read(token::list).await
    }

    /// Makes a token; its secret is returned this once.
    ///
    /// # Errors
    /// `not_found` for the project.
    pub async fn create_token(
        &self,
        project: &str,
        name: &str,
        writes: bool,
        dialect: Option<Dialect>,
    ) -> Result<(Token, String)> {
        let project = self.project(project).await?.id;
        let new = NewToken { world: self.world.clone(), project, name: name.to_owned(), writes, dialect };
        self.root.write(vec![Race::Database], move |tx| token::insert(tx, &new)).await
    }

    /// Deletes a token.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn delete_token(&self, id: Id) -> Result<()> {
        let deleted = self.root.write(vec![Race::Database], move |tx| token::delete(tx, id)).await?;
        if deleted { Ok(()) } else { Err(Error::NotFound { message: format!("token with ID '{id}' not found") }) }
    }

    /// What a token leads to; none when it leads nowhere.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn authenticate(&self, secret: &str) -> Result<Option<Token>> {
        let hash = token::hash(secret);
        if let Some(known) = self.tokens.get(&hash) {
            return Ok(Some(known));
        }
        let asked = hash.clone();
        let epoch = self.tokens.epoch();
        let found = self.root.read(move |tx| token::by_hash(tx, &asked)).await?;
        let Some(found) = found.filter(|token| token.world == self.world) else { return Ok(None) };
        let id = found.project;
        if self.db.read(move |tx| project::by_id(tx, id)).await?.is_none() {
            return Ok(None);
        }
        self.tokens.put(epoch, hash, &found);
        Ok(Some(found))
    }

    /// How simulated hosts behave.
    #[must_use]
    pub fn simulation(&self) -> Simulation {
        (*self.core.simulation()).clone()
    }

    /// Changes how simulated hosts behave from now on.
    pub fn set_simulation(&self, simulation: Simulation) {
        self.core.set_simulation(simulation);
    }
}

/// Why a project cannot be deleted: what it holds, by the contract's singular.
fn not_empty(held: &[(String, i64)]) -> String {
    let counted = |(kind, n): &(String, i64)| {
        let label = match Kind::from_singular(kind) {
            Some(kind) => kind.label(),
            None => kind,
        };
        format!("{n} {label}{}", if *n == 1 { "" } else { "s" })
    };
    match held {
        [] => "the project is not empty: work is under way in it".into(),
        held => {
            format!("the project is not empty: it holds {}", held.iter().map(counted).collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::not_empty;

    #[test]
    fn what_a_project_holds_is_said_in_words() {
        let held = [("primary_ip".to_owned(), 3), ("server".to_owned(), 1)];
        assert_eq!(not_empty(&held), "the project is not empty: it holds 3 primary IPs, 1 server");
        assert_eq!(not_empty(&[]), "the project is not empty: work is under way in it");
    }
}
