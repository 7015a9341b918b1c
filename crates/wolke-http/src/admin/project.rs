//! Projects.

use super::types::{NewProject, Project};
use super::{Admin, Answer, Refused, Shown, request};
use axum::body::Body;
use axum::extract::{Path, State};
use http::StatusCode;
use std::sync::Arc;

/// `GET /projects`.
pub async fn list(State(admin): State<Arc<Admin>>) -> Answer<Vec<Project>> {
    let projects = admin.control.list_projects().await?;
    let shown = projects.into_iter().map(|p| Project { id: p.id, name: p.name, created: p.created });
    Ok(Shown(StatusCode::OK, shown.collect()))
}

/// `POST /projects`.
pub async fn create(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Project> {
    let new: NewProject = request(body).await?;
    let made = admin.control.create_project(&new.name).await?;
    Ok(Shown(StatusCode::CREATED, Project { id: made.id, name: made.name, created: made.created }))
}

/// `DELETE /projects/{name}`.
pub async fn delete(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Result<StatusCode, Refused> {
    admin.control.delete_project(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
