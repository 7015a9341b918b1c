//! What load balancers find at their targets: answers of simulated guests, and addresses of dedicated servers.

use super::{Admin, Answer, Refused, Shown, request};
use axum::body::Body;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use wolke_control::operator::Asked;
use wolke_control::operator::{GuestAnswer, Who};
use wolke_domain::load_balancer::health::Told;
use wolke_domain::{Error, FieldError};
use wolke_wire::{Id, IdOrName, Kind};

/// What a guest does at a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// Nothing listens there.
    Refuse,
    /// What comes is dropped.
    Drop,
    /// Connections are taken, requests never answered.
    Hang,
    /// Requests are answered.
    Answer,
}

/// What a guest was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// The server.
    pub server: Option<Id>,
    /// Or the address of a dedicated server.
    pub ip: Option<String>,
    /// The port that is checked; 0 for all that it was not told about.
    pub port: u16,
    /// What it does.
    pub does: Does,
    /// With `answer`: the status code.
    pub status: Option<u16>,
    /// With `answer`: the page.
    pub page: Option<String>,
}

/// The request of `PUT /guests`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tell {
    /// The server, by its id or its name; excludes `ip`.
    #[serde(default)]
    pub server: Option<IdOrName>,
    /// The project of the server.
    #[serde(default)]
    pub project: Option<String>,
    /// The address of a dedicated server; excludes `server`.
    #[serde(default)]
    pub ip: Option<String>,
    /// The port that is checked; 0 for all that it was not told about.
    #[serde(default)]
    pub port: u16,
    /// What it does.
    pub does: Does,
    /// With `answer`: the status code.
    #[serde(default)]
    pub status: Option<u16>,
    /// With `answer`: the page.
    #[serde(default)]
    pub page: Option<String>,
}

/// The request of `DELETE /guests`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Untold {
    /// The server, by its id or its name; excludes `ip`.
    #[serde(default)]
    pub server: Option<IdOrName>,
    /// The project of the server.
    #[serde(default)]
    pub project: Option<String>,
    /// The address of a dedicated server; excludes `server`.
    #[serde(default)]
    pub ip: Option<String>,
    /// The port.
    #[serde(default)]
    pub port: u16,
}

/// The address of a dedicated server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DedicatedIp {
    /// The address.
    pub ip: String,
}

async fn who(
    admin: &Admin,
    (server, project): (Option<IdOrName>, Option<String>),
    ip: Option<String>,
) -> Result<Who, Error> {
    let wrong = |message: &str| {
        let fields = ["server", "ip"].map(|field| FieldError::new(field, message));
        Err(Error::invalid_fields(fields.into()))
    };
    match (server, ip) {
        (Some(what), None) => Ok(Who::Server(admin.control.find(Kind::Server, Asked { what, project }).await?)),
        (None, Some(_)) if project.is_some() => Err(Error::invalid("project", "is only possible with server")),
        (None, Some(ip)) => Ok(Who::Ip(ip)),
        (Some(_), Some(_)) => wrong("must not be given together"),
        (None, None) => wrong("one of the two is required"),
    }
}

/// What it is told. A status and a page belong to answers.
fn told(does: Does, status: Option<u16>, page: Option<String>) -> Result<Told, Error> {
    let told = match does {
        Does::Answer => return Ok(Told::Answer { status: status.unwrap_or(200), page: page.unwrap_or_default() }),
        Does::Refuse => Told::Refuse,
        Does::Drop => Told::Drop,
        Does::Hang => Told::Hang,
    };
    let given = [("status", status.is_some()), ("page", page.is_some())];
    let wrong: Vec<FieldError> = given
        .into_iter()
        .filter(|(_, is_given)| *is_given)
        .map(|(field, _)| FieldError::new(field, "is only possible with answer"))
        .collect();
    if wrong.is_empty() { Ok(told) } else { Err(Error::invalid_fields(wrong)) }
}

fn shown(GuestAnswer { who, port, told }: GuestAnswer) -> Guest {
    let (server, ip) = match who {
        Who::Server(id) => (Some(id), None),
        Who::Ip(ip) => (None, Some(ip)),
    };
    let (does, status, page) = match told {
        Told::Refuse => (Does::Refuse, None, None),
        Told::Drop => (Does::Drop, None, None),
        Told::Hang => (Does::Hang, None, None),
        Told::Answer { status, page } => (Does::Answer, Some(status), Some(page)),
    };
    Guest { server, ip, port, does, status, page }
}

/// `GET /guests`.
pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Answer<Vec<Guest>> {
    let all = admin.control.list_guest_answers().await?;
    Ok(Shown(StatusCode::OK, all.into_iter().map(shown).collect()))
}

/// `PUT /guests`.
pub(super) async fn tell(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Guest> {
    let Tell { server, project, ip, port, does, status, page } = request(body).await?;
    let told = told(does, status, page)?;
    let answer = admin.control.tell_guest(who(&admin, (server, project), ip).await?, port, told).await?;
    Ok(Shown(StatusCode::OK, shown(answer)))
}

/// `DELETE /guests`.
pub(super) async fn untell(State(admin): State<Arc<Admin>>, body: Body) -> Result<StatusCode, Refused> {
    let Untold { server, project, ip, port } = request(body).await?;
    admin.control.untell_guest(who(&admin, (server, project), ip).await?, port).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /dedicated_ips`.
pub(super) async fn list_ips(State(admin): State<Arc<Admin>>) -> Answer<Vec<DedicatedIp>> {
    let all = admin.control.list_dedicated_ips().await?;
    Ok(Shown(StatusCode::OK, all.into_iter().map(|ip| DedicatedIp { ip }).collect()))
}

/// `PUT /dedicated_ips/{ip}`.
pub(super) async fn add_ip(State(admin): State<Arc<Admin>>, Path(ip): Path<String>) -> Answer<DedicatedIp> {
    Ok(Shown(StatusCode::OK, DedicatedIp { ip: admin.control.add_dedicated_ip(&ip).await? }))
}

/// `DELETE /dedicated_ips/{ip}`.
pub(super) async fn remove_ip(State(admin): State<Arc<Admin>>, Path(ip): Path<String>) -> Result<StatusCode, Refused> {
    admin.control.remove_dedicated_ip(&ip).await?;
    Ok(StatusCode::NO_CONTENT)
}
