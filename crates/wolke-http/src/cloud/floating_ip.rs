//! Floating IPs (fact sheet §3.3).

use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::Kind;

/// `GET /floating_ips`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let request = call.list_request(Kind::FloatingIp, &["id", "created"], &["name"])?;
    call.answer_list(request).await
}

/// `POST /floating_ips`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_floating_ip(&call.caller, request).await.map(Reply::Json)
}

/// `PUT /floating_ips/{id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_floating_ip(&call.caller, call.id(), update).await.map(Reply::Json)
}

/// `DELETE /floating_ips/{id}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    call.control.delete_floating_ip(&call.caller, call.id()).await.map(|()| Reply::Nothing)
}

/// `POST /floating_ips/{id}/actions/assign`.
///
/// # Errors
/// The application's.
pub async fn assign(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.assign_floating_ip(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /floating_ips/{id}/actions/unassign`.
///
/// # Errors
/// The application's.
pub async fn unassign(call: Call) -> Result<Reply> {
    call.control.unassign_floating_ip(&call.caller, call.id()).await.map(Reply::Json)
}

/// `POST /floating_ips/{id}/actions/change_dns_ptr`.
///
/// # Errors
/// The application's.
pub async fn change_dns_ptr(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.change_floating_ip_dns_ptr(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /floating_ips/{id}/actions/change_protection`.
///
/// # Errors
/// The application's.
pub async fn change_protection(mut call: Call) -> Result<Reply> {
    let change = call.request()?;
    call.control.change_floating_ip_protection(&call.caller, call.id(), change).await.map(Reply::Json)
}
