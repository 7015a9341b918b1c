//! Firewalls (fact sheet §3.6).

use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::Kind;

/// `GET /firewalls`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let request = call.list_request(Kind::Firewall, &["id", "name", "created"], &["name"])?;
    call.answer_list(request).await
}

/// `POST /firewalls`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_firewall(&call.caller, request).await.map(Reply::Json)
}

/// `PUT /firewalls/{id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_firewall(&call.caller, call.id(), update).await.map(Reply::Json)
}

/// `DELETE /firewalls/{id}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    call.control.delete_firewall(&call.caller, call.id()).await.map(|()| Reply::Nothing)
}

/// `POST /firewalls/{id}/actions/set_rules`.
///
/// # Errors
/// The application's.
pub async fn set_rules(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.set_firewall_rules(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /firewalls/{id}/actions/apply_to_resources`.
///
/// # Errors
/// The application's.
pub async fn apply_to_resources(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.apply_firewall(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /firewalls/{id}/actions/remove_from_resources`.
///
/// # Errors
/// The application's.
pub async fn remove_from_resources(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.remove_firewall(&call.caller, call.id(), request).await.map(Reply::Json)
}
