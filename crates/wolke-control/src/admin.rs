//! What the operator does: tokens, the simulation. Projects and the clock have modules of their own.

use crate::control::Control;
use crate::core::Simulation;
use wolke_domain::{Error, Result};
use wolke_store::project::Project;
use wolke_store::token::NewToken;
pub use wolke_store::token::Token;
use wolke_store::{Race, project, token};
use wolke_wire::{Dialect, ErrorCode, Id};

impl Control {
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
    /// `not_found` for the project; `conflict` while it is being deleted.
    pub async fn create_token(
        &self,
        project: &str,
        name: &str,
        writes: bool,
        dialect: Option<Dialect>,
    ) -> Result<(Token, String)> {
        let Project { id: project, name: called, ending, .. } = self.project(project).await?;
        if ending {
            return Err(Error::refused(ErrorCode::Conflict, format!("project '{called}' is being deleted")));
        }
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

    /// Deletes the tokens of projects that are gone or coming to their end: projects live in another database, and a process may
    /// die between the two.
    ///
    /// # Errors
    /// The engine's failure.
    pub(crate) async fn sweep_tokens(&self) -> Result<()> {
        let world = self.world.clone();
        // First the tokens: a project that is made meanwhile is not taken for gone.
        let with_tokens = self.root.read(move |tx| token::projects(tx, &world)).await?;
        let gone = self.db.read(move |tx| {
            let mut gone = Vec::new();
            for id in &with_tokens {
                if project::by_id(tx, *id)?.is_none_or(|project| project.ending) {
                    gone.push(*id);
                }
            }
            Ok(gone)
        });
        for id in gone.await? {
            let world = self.world.clone();
            self.root.write(vec![Race::Database], move |tx| token::delete_of_project(tx, &world, id)).await?;
        }
        Ok(())
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
        let known = self.db.read(move |tx| project::by_id(tx, id)).await?;
        if known.is_none_or(|project| project.ending) {
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

    /// Changes how simulated hosts behave from now on. Health checks follow with [`Control::pace_health_checks`].
    pub fn set_simulation(&self, simulation: Simulation) {
        self.core.set_simulation(simulation);
    }
}
