//! What a server's metadata service says, for who is not that server.

use super::{Admin, Refused};
use crate::metadata;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;
use wolke_domain::Error;
use wolke_wire::Kind;

/// `GET /servers/{id}/metadata/{path}`: exactly what the server gets for `/{path}`.
pub async fn show(
    State(admin): State<Arc<Admin>>,
    Path((id, path)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let no_such = || Error::not_found_named(Kind::Server, &id);
    let server = admin.control.metadata(id.parse().map_err(|_| no_such())?).await?;
    Ok(metadata::response(&server, &format!("/{path}")))
}
