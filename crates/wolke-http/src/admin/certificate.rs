//! What the operator sees of certificates: the authorities that issue managed ones, and what happened to them.

use super::{Admin, Answer, Shown};
use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use wolke_control::operator as decided;
use wolke_domain::Error;
use wolke_domain::certificate::AuthorityName;
use wolke_wire::{Id, Timestamp};

/// An authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// `production` or `staging`.
    pub name: String,
    /// Its own certificate, in PEM: what people trust who trust it.
    pub certificate: String,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its id: later ones are greater.
    pub id: Id,
    /// When it happened, in world time.
    pub at: Timestamp,
    /// What: `certificate_renewal_failed`.
    pub event: decided::EventKind,
    /// The id of the project.
    pub project: Id,
    /// The kind of the resource.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub resource: Id,
    /// What it was called.
    pub name: String,
    /// Why: the contract's code.
    pub code: String,
    /// Why, for people.
    pub message: String,
}

fn event(event: decided::Event) -> Event {
    let decided::Event { id, at, what } = event;
    let decided::NewEvent { kind, project, resource, name, failure } = what;
    let (code, message) = (failure.code.to_string(), failure.message);
    Event { id, at, event: kind, project, kind: resource.kind.to_string(), resource: resource.id, name, code, message }
}

/// `GET /authorities/{name}`.
pub(super) async fn authority(State(admin): State<Arc<Admin>>, Path(text): Path<String>) -> Answer<Authority> {
    let missing = || Error::NotFound { message: format!("authority not found: '{text}'") };
    let name = AuthorityName::parse(&text).ok_or_else(missing)?;
    let certificate = admin.control.authority(name).await?;
    Ok(Shown(StatusCode::OK, Authority { name: text, certificate }))
}

/// `GET /events`.
pub(super) async fn events(State(admin): State<Arc<Admin>>) -> Answer<Vec<Event>> {
    let all = admin.control.list_events().await?;
    Ok(Shown(StatusCode::OK, all.into_iter().map(event).collect()))
}
