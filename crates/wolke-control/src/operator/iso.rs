//! Private ISOs: seen by one project only, without a name, given by the operator (dialects D.1).

use super::Control;
use crate::core::Core;
use wolke_domain::catalogue::shown;
use wolke_domain::image::OWN_ID_MIN;
use wolke_domain::{Error, Result};
use wolke_store::operator::{self, PrivateIso, PrivateIsoDetails};
use wolke_store::project::Project;
use wolke_store::{Counter, Race, Tx};
use wolke_wire::cloud::iso as wire;
use wolke_wire::cloud::{Architecture, Deprecation};
use wolke_wire::{ErrorCode, Id, IdOrName, Kind, Timestamp};

/// Private ISOs that a project can have.
const ISOS_MAX: usize = 1000;
/// The longest description, in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 255;

/// What a new private ISO shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIso {
    /// The name of the project that sees it.
    pub project: String,
    /// For people.
    pub description: String,
    /// The instruction set; any when none.
    pub architecture: Option<Architecture>,
}

/// Whether an id is that of a private ISO.
pub(crate) const fn is_private(id: Id) -> bool {
    id >= OWN_ID_MIN
}

/// A private ISO as the contract shows it.
pub(crate) fn to_wire(iso: &PrivateIso, now: Timestamp) -> wire::Iso {
    let deprecation = shown(iso.details.deprecation, now);
    wire::Iso {
        id: iso.id,
        name: None,
        description: iso.details.description.clone(),
        kind: wire::IsoType::Private,
        deprecated: deprecation.map(|deprecation| deprecation.unavailable_after),
        deprecation,
        architecture: iso.details.architecture,
    }
}

/// Whether lists show a private ISO, and servers can be given it.
pub(crate) fn is_usable(iso: &PrivateIso, now: Timestamp) -> bool {
    iso.details.deprecation.is_none_or(|deprecation| deprecation.unavailable_after > now)
}

/// The ISO that a request names, to be put into the drive of a server of a project.
///
/// # Errors
/// `not_found`; `resource_unavailable` for one that is gone; `invalid_input` for another instruction set.
pub(crate) fn attachable(
    tx: &mut dyn Tx,
    core: &Core,
    project: Id,
    asked: &IdOrName,
    architecture: Architecture,
) -> Result<Id> {
    let (now, catalogue) = (tx.now(), core.catalogue());
    let private = match asked.id().filter(|id| is_private(*id)) {
        Some(id) => operator::iso(tx, project, id)?.map(|(_, iso)| iso),
        None => None,
    };
    let (id, usable, built_for) = match (&private, catalogue.iso(asked)) {
        (Some(iso), _) => (iso.id, is_usable(iso, now), iso.details.architecture),
        (None, Some(iso)) => (iso.id, iso.is_usable(now), iso.architecture),
        (None, None) => return Err(Error::not_found_named(Kind::Iso, &asked.to_string())),
    };
    if !usable {
        return Err(Error::refused(ErrorCode::ResourceUnavailable, format!("ISO {asked} is deprecated")));
    }
    if built_for.is_some_and(|built_for| built_for != architecture) {
        return Err(Error::invalid("iso", "its architecture differs from the server's"));
    }
    Ok(id)
}

impl Control {
    /// All private ISOs, each with its project.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_private_isos(&self) -> Result<Vec<PrivateIso>> {
        self.db.read(operator::isos).await
    }

    /// Gives a project an ISO.
    ///
    /// # Errors
    /// `not_found` for the project; `invalid_input`; `resource_limit_exceeded`.
    pub async fn create_private_iso(&self, new: NewIso) -> Result<PrivateIso> {
        let Project { id: project, .. } = self.project(&new.project).await?;
        if new.description.is_empty() || new.description.chars().count() > DESCRIPTION_CHARACTERS_MAX {
            let message = format!("must have between 1 and {DESCRIPTION_CHARACTERS_MAX} characters");
            return Err(Error::invalid("description", message));
        }
        let made = self
            .db
            .write(vec![Race::Database, Race::Project(project)], move |tx| {
                if operator::isos_of_project(tx, project)?.len() >= ISOS_MAX {
                    let message = format!("the project has {ISOS_MAX} private ISOs already");
                    return Err(Error::LimitExceeded { limit: "iso_limit".into(), message });
                }
                let (description, architecture) = (new.description.clone(), new.architecture);
                let details = PrivateIsoDetails { v: 1, description, architecture, deprecation: None };
                let iso = PrivateIso { id: OWN_ID_MIN + tx.next_id(Counter::Operator)?, project, details };
                operator::insert_iso(tx, &iso)?;
                Ok(iso)
            })
            .await?;
        self.operator_changed().await?;
        Ok(made)
    }

    /// Takes an ISO from its project: it leaves the list and can no longer be attached. Drives that hold it keep it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn remove_private_iso(&self, id: Id) -> Result<PrivateIso> {
        let removed = self
            .db
            .write(vec![Race::Database], move |tx| {
                let mut iso = operator::iso_of_anybody(tx, id)?.ok_or_else(|| Error::not_found(Kind::Iso, id))?;
                let now = tx.now().whole_second();
                iso.details.deprecation.get_or_insert(Deprecation { announced: now, unavailable_after: now });
                operator::update_iso(tx, &iso)?;
                Ok(iso)
            })
            .await?;
        self.operator_changed().await?;
        Ok(removed)
    }
}
