//! Projects.

use super::types::{Emptying, Limit, NewProject, Project, SetLimits};
use super::{Admin, Answer, Refused, Shown, request};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use std::sync::Arc;
use wolke_control::operator::LimitView;
use wolke_control::project::{Project as Known, Remainder};
use wolke_domain::Error;

/// `GET /projects`.
pub async fn list(State(admin): State<Arc<Admin>>) -> Answer<Vec<Project>> {
    let projects = admin.control.list_projects().await?;
    Ok(Shown(StatusCode::OK, projects.into_iter().map(project).collect()))
}

/// `POST /projects`.
pub async fn create(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Project> {
    let new: NewProject = request(body).await?;
    let made = admin.control.create_project(&new.name).await?;
    Ok(Shown(StatusCode::CREATED, project(made)))
}

fn project(known: Known) -> Project {
    let Known { id, name, created, ending: deleting } = known;
    Project { id, name, created, deleting }
}

/// `DELETE /projects/{name}`: with `everything=true` also one that is not empty. It is listed until it is gone, which is waited
/// for a while: 202 says that it takes longer, and what is left.
pub async fn delete(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
    RawQuery(how): RawQuery,
) -> Result<Response, Refused> {
    let everything = match how.as_deref().unwrap_or_default() {
        "" | "everything=false" => false,
        "everything=true" => true,
        _ => return Err(Error::invalid("everything", "must be true or false").into()),
    };
    let ending = admin.control.delete_project(&name, everything).await?;
    Ok(match admin.control.project_gone(&ending).await? {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Remainder { message, held }) => {
            Shown(StatusCode::ACCEPTED, Emptying { message, left: held.into_iter().collect() }).into_response()
        }
    })
}

/// `GET /projects/{name}/limits`.
pub async fn limits(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Answer<Vec<Limit>> {
    let limits = admin.control.project_limits(&name).await?;
    Ok(Shown(StatusCode::OK, limits.into_iter().map(limit).collect()))
}

/// `PUT /projects/{name}/limits`.
pub async fn set_limits(State(admin): State<Arc<Admin>>, Path(name): Path<String>, body: Body) -> Answer<Vec<Limit>> {
    let changes: SetLimits = request(body).await?;
    let limits = admin.control.set_project_limits(&name, changes.into_iter().collect()).await?;
    Ok(Shown(StatusCode::OK, limits.into_iter().map(limit).collect()))
}

fn limit(view: LimitView) -> Limit {
    let LimitView { name, limit, default, used } = view;
    Limit { name: name.to_owned(), limit, default, used }
}
