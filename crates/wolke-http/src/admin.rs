//! The operator's API, for the unix socket: projects, tokens, the clock, the simulation.
//!
//! Whoever can open the socket (mode 0600) may do everything: there is no token. JSON in and out; errors have the envelope
//! of the Cloud API. The types in [`types`] serve the binary's client, too.
//!
//! Servers, storage boxes, addresses and zones are named in a path by their id or by their name; `?project=NAME` says which, where
//! several projects have given the name.
//!
//! | route | does |
//! | --- | --- |
//! | `GET /status` | what runs here |
//! | `GET` `POST /projects`, `DELETE /projects/{name}` | projects; 202 says what is left of one that is still being emptied |
//! | `GET` `PUT /projects/{name}/limits` | how much a project may have |
//! | `GET` `POST /tokens`, `DELETE /tokens/{id}` | tokens; a secret is shown once |
//! | `POST /tokens/find` | what a secret opens: the token, or null |
//! | `GET /clock`, `POST /clock/mode` `/clock/set` `/clock/advance` | world time |
//! | `GET /servers/{id}/metadata/{path}` | what the metadata service tells that server at `/{path}` |
//! | `GET` `PUT /simulation` | how simulated hosts behave |
//! | `GET /catalogue/entries/{kind}` | all entries of a kind, as clients see them |
//! | `GET` `POST /catalogue`, `DELETE /catalogue/entries/{kind}/{name}` | entries that are changed at run time |
//! | `POST /catalogue/endings`, `POST /catalogue/images` | deprecations; new system and app images |
//! | `GET` `PUT /stock` | how many servers of a type a location has left |
//! | `GET` `PUT /volume_space` | how many GB of volumes a location has left |
//! | `GET` `POST /isos`, `DELETE /isos/{id}` | private ISOs of projects |
//! | `PUT /primary_ips/{id}/blocked`, `PUT /floating_ips/{id}/blocked` | blocks an address, or lets it go |
//! | `GET /vswitches`, `PUT` `DELETE /vswitches/{id}` | vSwitches that networks can be coupled with |
//! | `GET` `PUT` `DELETE /guests` | what simulated guests answer to health checks of load balancers |
//! | `GET /dedicated_ips`, `PUT` `DELETE /dedicated_ips/{ip}` | addresses that load balancers may have as targets |
//! | `PUT /zones/{id}/delegation` | what the parent zone says of a DNS zone |
//! | `GET /authorities/{name}` | the certificate of an authority that issues managed certificates |
//! | `GET /events` | what nobody else would see: renewals of certificates that have failed |
//! | `PUT /storage_boxes/{id}/content` | what a storage box holds; a request that says nothing only looks |
//! | `POST /storage_boxes/logins` | whether somebody would get into a storage box |
//! | `GET` `POST` `DELETE /faults`, `DELETE /faults/{id}` | answers that operations give instead of their own, and ends of the work that they begin |

mod asked;
pub mod catalogue;
pub mod certificate;
mod clock;
pub mod guest;
mod metadata;
pub mod operator;
mod project;
mod simulation;
pub mod storage_box;
mod token;
pub mod types;

use crate::error::{no_route, refusal};
use crate::read;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use types::Status;
use wolke_control::Control;
use wolke_domain::Error;
use wolke_wire::{Dialect, ErrorCode};

/// The state of the admin API.
pub struct Admin {
    /// The application.
    pub control: Arc<Control>,
    /// What runs here.
    pub status: Status,
}

/// The routes of the admin API.
pub fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/projects", get(project::list).post(project::create))
        .route("/projects/{name}", delete(project::delete))
        .route("/projects/{name}/limits", get(project::limits).put(project::set_limits))
        .route("/tokens", get(token::list).post(token::create))
        .route("/tokens/find", post(token::find))
        .route("/tokens/{id}", delete(token::delete))
        .route("/clock", get(clock::show))
        .route("/clock/mode", post(clock::set_mode))
        .route("/clock/set", post(clock::set))
        .route("/clock/advance", post(clock::advance))
        .route("/servers/{id}/metadata/{*path}", get(metadata::show))
        .route("/simulation", get(simulation::show).put(simulation::set))
        .route("/catalogue", get(catalogue::changes).post(catalogue::apply))
        .route("/catalogue/endings", post(catalogue::end))
        .route("/catalogue/images", post(catalogue::add_image))
        .route("/catalogue/entries/{kind}", get(catalogue::show))
        .route("/catalogue/entries/{kind}/{name}", delete(catalogue::reset))
        .route("/stock", get(operator::list_stock).put(operator::set_stock))
        .route("/volume_space", get(operator::list_volume_space).put(operator::set_volume_space))
        .route("/isos", get(operator::list_isos).post(operator::create_iso))
        .route("/isos/{id}", delete(operator::remove_iso))
        .route("/primary_ips/{id}/blocked", put(operator::block))
        .route("/floating_ips/{id}/blocked", put(operator::block_floating_ip))
        .route("/vswitches", get(operator::list_vswitches))
        .route("/vswitches/{id}", put(operator::add_vswitch).delete(operator::remove_vswitch))
        .route("/guests", get(guest::list).put(guest::tell).delete(guest::untell))
        .route("/dedicated_ips", get(guest::list_ips))
        .route("/dedicated_ips/{ip}", put(guest::add_ip).delete(guest::remove_ip))
        .route("/zones/{id}/delegation", put(operator::delegate))
        .route("/authorities/{name}", get(certificate::authority))
        .route("/events", get(certificate::events))
        .route("/storage_boxes/logins", post(storage_box::login))
        .route("/storage_boxes/{id}/content", put(storage_box::set_content))
        .route("/faults", get(operator::list_faults).post(operator::create_fault).delete(operator::clear_faults))
        .route("/faults/{id}", delete(operator::delete_fault))
        .fallback(async || Refused(no_route()))
        .method_not_allowed_fallback(async || {
            Refused(Error::refused(ErrorCode::MethodNotAllowed, "the method is not allowed here"))
        })
        .with_state(admin)
}

async fn status(State(admin): State<Arc<Admin>>) -> Answer<Status> {
    Ok(Shown(StatusCode::OK, admin.status.clone()))
}

/// What handlers give.
type Answer<T> = Result<Shown<T>, Refused>;

/// A status with a JSON body.
struct Shown<T>(StatusCode, T);

impl<T: Serialize> IntoResponse for Shown<T> {
    fn into_response(self) -> Response {
        respond(self.0, &self.1)
    }
}

/// An error as the envelope.
struct Refused(Error);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if matches!(self.0, Error::Internal { .. } | Error::Unavailable { .. }) {
            tracing::error!(error = %self.0, "admin request failed");
        }
        let mut refusal = refusal(&self.0, "", Dialect::Newest);
        // Operators are told the code itself: what stands for it where a document lacks it is for clients.
        refusal.envelope.error.code = self.0.code();
        respond(refusal.status, &refusal.envelope)
    }
}

fn respond(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = Response::new(Body::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The body as a request type. Unlike clients of the Cloud API, the operator is told of members that do not exist.
async fn request<T: DeserializeOwned>(body: Body) -> Result<T, Refused> {
    let value = read::json(body).await?;
    let wrong = |e: serde_json::Error| Error::InvalidInput { fields: Vec::new(), message: Some(e.to_string()) };
    Ok(serde_json::from_value(value).map_err(wrong)?)
}
