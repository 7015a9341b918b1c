//! Servers (fact sheet §3.1).

use super::metrics::metrics_request;
use crate::call::{Call, Reply};
use crate::console;
use wolke_control::server::PowerVerb;
use wolke_domain::{Error, Result};
use wolke_wire::Kind;
use wolke_wire::cloud::metrics::MetricType;

/// `GET /servers`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let request = call.list_request(Kind::Server, &["id", "name", "created"], &["name", "status"])?;
    call.answer_list(request).await
}

/// `POST /servers`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    let created = call.control.create_server(&call.caller, request).await?;
    call.control.show_created(&call.caller, created).await.map(Reply::Json)
}

/// `PUT /servers/{id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_server(&call.caller, call.id(), update).await.map(Reply::Json)
}

/// `DELETE /servers/{id}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    let started = call.control.delete_server(&call.caller, call.id()).await?;
    call.control.show_started(&call.caller, started).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/change_protection`.
///
/// # Errors
/// The application's.
pub async fn change_protection(mut call: Call) -> Result<Reply> {
    let change = call.request()?;
    call.control.change_server_protection(&call.caller, call.id(), change).await.map(Reply::Json)
}

/// `GET /servers/{id}/metrics`.
///
/// # Errors
/// `not_found`, `invalid_input`.
pub async fn metrics(call: Call) -> Result<Reply> {
    let request = metrics_request(&call, MetricType::parse)?;
    call.control.server_metrics(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/enable_backup`.
///
/// # Errors
/// The application's.
pub async fn enable_backup(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    let started = call.control.enable_server_backup(&call.caller, call.id(), request).await?;
    call.control.show_started(&call.caller, started).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/disable_backup`.
///
/// # Errors
/// The application's.
pub async fn disable_backup(call: Call) -> Result<Reply> {
    let started = call.control.disable_server_backup(&call.caller, call.id()).await?;
    call.control.show_started(&call.caller, started).await.map(Reply::Json)
}

async fn power(call: Call, verb: PowerVerb) -> Result<Reply> {
    let started = call.control.power_server(&call.caller, call.id(), verb).await?;
    call.control.show_started(&call.caller, started).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/poweron`.
///
/// # Errors
/// The application's.
pub async fn poweron(call: Call) -> Result<Reply> {
    power(call, PowerVerb::Start).await
}

/// `POST /servers/{id}/actions/poweroff`.
///
/// # Errors
/// The application's.
pub async fn poweroff(call: Call) -> Result<Reply> {
    power(call, PowerVerb::Stop).await
}

/// `POST /servers/{id}/actions/reboot`.
///
/// # Errors
/// The application's.
pub async fn reboot(call: Call) -> Result<Reply> {
    power(call, PowerVerb::Reboot).await
}

/// `POST /servers/{id}/actions/reset`.
///
/// # Errors
/// The application's.
pub async fn reset(call: Call) -> Result<Reply> {
    power(call, PowerVerb::Reset).await
}

/// `POST /servers/{id}/actions/shutdown`.
///
/// # Errors
/// The application's.
pub async fn shutdown(call: Call) -> Result<Reply> {
    power(call, PowerVerb::Shutdown).await
}

/// `POST /servers/{id}/actions/request_console`.
///
/// # Errors
/// The application's; `invalid_input` when the request names no host that the URL could lead to.
pub async fn request_console(call: Call) -> Result<Reply> {
    let origin = call.origin.strip_prefix("http").ok_or_else(|| Error::InvalidInput {
        fields: Vec::new(),
        message: Some("the request has no Host header, so there is no address for the console".into()),
    })?;
    let ticket = call.control.request_console(&call.caller, call.id()).await?;
    // `http` becomes `ws`, and `https` behind a proxy `wss`.
    let url = format!("ws{origin}{}{}", console::PREFIX, ticket.token.expose());
    call.control.show_console(&call.caller, ticket, url).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/rebuild`.
///
/// # Errors
/// The application's.
pub async fn rebuild(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    let (started, password) = call.control.rebuild_server(&call.caller, call.id(), request).await?;
    call.control.show_started_with_password(&call.caller, started, password).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/change_type`.
///
/// # Errors
/// The application's.
pub async fn change_type(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    let started = call.control.change_server_type(&call.caller, call.id(), request).await?;
    call.control.show_started(&call.caller, started).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/enable_rescue`.
///
/// # Errors
/// The application's.
pub async fn enable_rescue(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    let (started, password) = call.control.enable_server_rescue(&call.caller, call.id(), request).await?;
    call.control.show_started_with_password(&call.caller, started, Some(password)).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/disable_rescue`.
///
/// # Errors
/// The application's.
pub async fn disable_rescue(call: Call) -> Result<Reply> {
    let started = call.control.disable_server_rescue(&call.caller, call.id()).await?;
    call.control.show_started(&call.caller, started).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/reset_password`.
///
/// # Errors
/// The application's.
pub async fn reset_password(call: Call) -> Result<Reply> {
    let (started, password) = call.control.reset_server_password(&call.caller, call.id()).await?;
    call.control.show_started_with_password(&call.caller, started, Some(password)).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/attach_iso`.
///
/// # Errors
/// The application's.
pub async fn attach_iso(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    let started = call.control.attach_iso(&call.caller, call.id(), request).await?;
    call.control.show_started(&call.caller, started).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/detach_iso`.
///
/// # Errors
/// The application's.
pub async fn detach_iso(call: Call) -> Result<Reply> {
    let started = call.control.detach_iso(&call.caller, call.id()).await?;
    call.control.show_started(&call.caller, started).await.map(Reply::Json)
}
