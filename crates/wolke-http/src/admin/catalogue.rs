//! The catalogue as the operator sees it: all of it, and what was changed while the cloud runs.

use super::{Admin, Answer, Refused, Shown, request};
use axum::body::Body;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use wolke_control::operator as decided;
use wolke_domain::Error;
use wolke_wire::cloud::Architecture;
use wolke_wire::cloud::image::ImageType;
use wolke_wire::{Kind, Timestamp};

/// An entry with what was changed of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// `server_type`, `image`, …
    pub kind: Kind,
    /// The entry's name.
    pub name: String,
    /// What differs, in the form of the catalogue's file.
    pub change: Map<String, Value>,
}

/// The request of `POST /catalogue`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// An overlay in TOML.
    pub overlay: String,
}

/// The request of `POST /catalogue/endings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// `server_type`, `load_balancer_type`, `image`, `iso`.
    pub kind: Kind,
    /// The entry's name.
    pub name: String,
    /// Only there; everywhere when null.
    #[serde(default)]
    pub location: Option<String>,
    /// When it ends; null takes an end back.
    pub when: Option<When>,
}

/// When something ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Now when null.
    #[serde(default)]
    pub announced: Option<Timestamp>,
    /// 90 days after the announcement when null.
    #[serde(default)]
    pub unavailable_after: Option<Timestamp>,
}

/// The request of `POST /catalogue/images`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewImage {
    /// `system` or `app`.
    #[serde(rename = "type")]
    pub kind: ImageType,
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// `ubuntu`.
    pub os_flavor: String,
    /// `24.04`.
    pub os_version: String,
    /// One image for each.
    pub architectures: Vec<Architecture>,
    /// The smallest disk that it fits on, in GB.
    pub disk_size: u32,
}

fn entry(entry: decided::Entry) -> Entry {
    Entry { kind: entry.kind, name: entry.name, change: entry.change }
}

fn kind(text: &str) -> Result<Kind, Refused> {
    let known = Kind::ALL.iter().copied().find(|kind| kind.singular() == text || kind.plural() == text);
    Ok(known.ok_or_else(|| Error::NotFound { message: format!("the catalogue has no '{text}'") })?)
}

/// `GET /catalogue/entries/{kind}`.
pub(super) async fn show(State(admin): State<Arc<Admin>>, Path(text): Path<String>) -> Answer<Vec<Value>> {
    Ok(Shown(StatusCode::OK, admin.control.show_catalogue(kind(&text)?).await?))
}

/// `GET /catalogue`: what was changed while the cloud runs.
pub(super) async fn changes(State(admin): State<Arc<Admin>>) -> Answer<Vec<Entry>> {
    let all = admin.control.list_catalogue_changes().await?;
    Ok(Shown(StatusCode::OK, all.into_iter().map(entry).collect()))
}

/// `POST /catalogue`.
pub(super) async fn apply(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Vec<Entry>> {
    let Apply { overlay } = request(body).await?;
    let changed = admin.control.apply_catalogue(&overlay).await?;
    Ok(Shown(StatusCode::OK, changed.into_iter().map(entry).collect()))
}

/// `DELETE /catalogue/entries/{kind}/{name}`.
pub(super) async fn reset(
    State(admin): State<Arc<Admin>>,
    Path((text, name)): Path<(String, String)>,
) -> Result<StatusCode, Refused> {
    admin.control.reset_catalogue(kind(&text)?, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /catalogue/endings`.
pub(super) async fn end(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Entry> {
    let Ending { kind, name, location, when } = request(body).await?;
    let when = when.map(|when| decided::When { announced: when.announced, unavailable_after: when.unavailable_after });
    let ended = admin.control.end_entry(decided::Ending { kind, name, location, when }).await?;
    Ok(Shown(StatusCode::OK, entry(ended)))
}

/// `POST /catalogue/images`.
pub(super) async fn add_image(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Entry> {
    let NewImage { kind, name, description, os_flavor, os_version, architectures, disk_size } = request(body).await?;
    let new = decided::NewImage { kind, name, description, os_flavor, os_version, architectures, disk_size };
    Ok(Shown(StatusCode::CREATED, entry(admin.control.add_image(new).await?)))
}
