//! What a server's metadata service says, for who is not that server.

use super::{Admin, Refused};
use crate::metadata;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use std::sync::Arc;
use wolke_wire::Kind;

/// `GET /servers/{id}/metadata/{path}`: exactly what the server gets for `/{path}`.
pub async fn show(
    State(admin): State<Arc<Admin>>,
    Path((asked, path)): Path<(String, String)>,
    RawQuery(how): RawQuery,
) -> Result<Response, Refused> {
    let id = admin.find(Kind::Server, &asked, how.as_deref()).await?;
    let server = admin.control.metadata(id).await?;
    Ok(metadata::response(&server, &format!("/{path}")))
}
