//! What storage boxes hold, and who would get in: what programs do to real ones, the operator does to these.

use super::{Admin, Answer, Shown, request};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use wolke_control::storage_box as boxes;
use wolke_domain::Error;
use wolke_domain::storage_box::login::Way;
use wolke_wire::cloud::Secret;
use wolke_wire::{Id, Kind};

/// The request of `PUT /storage_boxes/{id}/content`; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetContent {
    /// Bytes of data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<i64>,
    /// How many of the bytes that stay are written anew: snapshots keep the old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rewritten: Option<i64>,
    /// All folders; the home directories of subaccounts are there anyway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folders: Option<Vec<String>>,
    /// Folders that go, with those below them; excludes `folders`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
}

/// What a storage box holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Bytes of data.
    pub size_data: i64,
    /// Bytes that only snapshots hold.
    pub size_snapshots: i64,
    /// All its folders.
    pub folders: Vec<String>,
}

/// The request of `POST /storage_boxes/logins`: a password or a public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The name of an account: `u500001`, `u500001-sub1`.
    pub username: String,
    /// How.
    pub via: Way,
    /// The password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// The public key, as a line of OpenSSH.
    #[serde(default)]
    pub public_key: Option<String>,
    /// From outside of the provider's network.
    #[serde(default)]
    pub external: bool,
    /// To change something.
    #[serde(default)]
    pub write: bool,
}

/// Whether somebody got in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether.
    pub granted: bool,
    /// Why not.
    pub reason: Option<String>,
    /// The folder that they see; empty for all.
    pub home_directory: String,
    /// Whether they see the folder of the snapshots.
    pub sees_snapshots: bool,
}

/// `PUT /storage_boxes/{id}/content`.
pub(super) async fn set_content(
    State(admin): State<Arc<Admin>>,
    Path(asked): Path<String>,
    RawQuery(how): RawQuery,
    body: Body,
) -> Answer<Content> {
    let SetContent { bytes, rewritten, folders, removed } = request(body).await?;
    let content = boxes::Content { bytes, rewritten, folders, removed };
    let id = admin.find(Kind::StorageBox, &asked, how.as_deref()).await?;
    let found = admin.control.fill_storage_box(id, content).await?;
    let boxes::Filled { id, name, size_data, size_snapshots, folders } = found;
    Ok(Shown(StatusCode::OK, Content { id, name, size_data, size_snapshots, folders }))
}

/// `POST /storage_boxes/logins`.
pub(super) async fn login(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Outcome> {
    let Login { username, via, password, public_key, external, write } = request(body).await?;
    if password.is_some() == public_key.is_some() {
        return Err(Error::invalid("password", "either a password or a public key is needed").into());
    }
    let login = boxes::Login { username, way: via, password, public_key, is_external: external, writes: write };
    let boxes::Attempted { refusal, home_directory, sees_snapshots } =
        admin.control.try_storage_box_login(login).await?;
    let granted = refusal.is_none();
    Ok(Shown(StatusCode::OK, Outcome { granted, reason: refusal, home_directory, sees_snapshots }))
}
