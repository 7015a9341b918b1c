//! What the operator calls a resource: by its id, or by its name in any project.

use super::Control;
use wolke_domain::{Error, Result};
use wolke_store::{Tx, project, resource};
use wolke_wire::{Id, IdOrName, Kind};

/// How many projects a message names in which something of a name was found.
const NAMED_MAX: usize = 5;

/// What the operator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its id, or its name.
    pub what: IdOrName,
    /// The project that it is in; all of them, if none.
    pub project: Option<String>,
}

/// The id of a resource that the operator asks for: an id is one before it is a name.
fn find(tx: &mut dyn Tx, kind: Kind, Asked { what, project }: &Asked) -> Result<Id> {
    let projects = match project {
        Some(name) => vec![project::expect_named(tx, name)?],
        None => Vec::new(),
    };
    if let Some(id) = what.id() {
        let is_there = match projects.first() {
            Some(one) => resource::is_in_project(tx, kind, one.id, id)?,
            None => resource::exists(tx, kind, id)?,
        };
        if is_there {
            return Ok(id);
        }
    }
    let missing = || match what.id() {
        Some(id) => Error::not_found(kind, id),
        None => Error::not_found_named(kind, &what.to_string()),
    };
    let name = what.name().ok_or_else(missing)?;
    let projects = if project.is_some() { projects } else { project::list(tx)? };
    let mut found = Vec::new();
    for one in projects {
        if let Some(id) = resource::named(tx, kind, one.id, name)? {
            found.push((id, one.name));
        }
    }
    match found.as_slice() {
        [(id, _)] => Ok(*id),
        [] => Err(missing()),
        several => Err(Error::invalid("project", ambiguous(kind, name, several))),
    }
}

fn ambiguous(kind: Kind, name: &str, found: &[(Id, String)]) -> String {
    let mut projects: Vec<String> = found.iter().take(NAMED_MAX).map(|(_, project)| format!("'{project}'")).collect();
    if found.len() > NAMED_MAX {
        projects.push(format!("{} more", found.len() - NAMED_MAX));
    }
    format!("is needed: there is a {} '{name}' in each of the projects {}", kind.label(), projects.join(", "))
}

impl Control {
    /// The id of a resource that the operator asks for.
    ///
    /// # Errors
    /// `not_found`, also for the project; `invalid_input` on `project` for a name that several projects have given.
    pub async fn find(&self, kind: Kind, asked: Asked) -> Result<Id> {
        self.db.read(move |tx| find(tx, kind, &asked)).await
    }
}

#[cfg(test)]
mod tests {
    use super::{NAMED_MAX, ambiguous};
    use wolke_wire::Kind;

    #[test]
    fn a_message_names_few_projects() {
        let found: Vec<_> = (0..NAMED_MAX as i64 + 2).map(|n| (n, format!("p{n}"))).collect();
        assert_eq!(
            ambiguous(Kind::Server, "web", &found[..2]),
            "is needed: there is a server 'web' in each of the projects 'p0', 'p1'"
        );
        assert!(ambiguous(Kind::Server, "web", &found).ends_with("'p4', 2 more"));
    }
}
