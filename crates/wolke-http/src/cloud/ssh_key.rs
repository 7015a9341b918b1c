//! SSH keys (fact sheet §3.11).

use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::Kind;

/// `GET /ssh_keys`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let request = call.list_request(Kind::SshKey, &["id", "name"], &["name", "fingerprint"])?;
    call.answer_list(request).await
}

/// `POST /ssh_keys`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_ssh_key(&call.caller, request).await.map(Reply::Json)
}

/// `PUT /ssh_keys/{id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_ssh_key(&call.caller, call.id(), update).await.map(Reply::Json)
}

/// `DELETE /ssh_keys/{id}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    call.control.delete_ssh_key(&call.caller, call.id()).await.map(|()| Reply::Nothing)
}
