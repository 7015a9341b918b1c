//! Projects that go with all that they hold. The clients go on in a new one.

use super::*;

/// The moves of this noun.
pub const MOVES: &[Move] = &[("end_project", 1, |sim| Box::pin(sim.end_project()))];

impl Simulator {
    async fn end_project(&mut self) -> Result<String> {
        if !self.dice.once_in(4) {
            return Ok("not now".to_owned());
        }
        let all = self.control.list_projects().await?;
        let old = all.iter().find(|project| project.id == self.caller.project);
        let old = old.ok_or_else(|| Error::internal("the project is lost"))?;
        self.control.delete_project(&old.name, true).await?;
        self.caller.project = self.control.create_project(&format!("p{}", old.id)).await?.id;
        self.model = Model::default();
        Ok(format!("{} with everything", old.name))
    }

    /// Those that could not be emptied for a day have stayed.
    pub(super) async fn end_projects_again(&self) -> Result<()> {
        for project in self.control.list_projects().await? {
            if project.id != self.caller.project && !project.ending {
                self.control.delete_project(&project.name, true).await?;
            }
        }
        Ok(())
    }
}

/// At the end only one project is there.
pub async fn check_ended(control: &Control) -> Result<()> {
    match &control.list_projects().await?[..] {
        [_] => Ok(()),
        all => Err(Error::internal(format!("projects are left: {all:?}"))),
    }
}
