//! Private networks, and how servers join them (fact sheet §3.5).

use crate::call::{Call, Reply};
use wolke_control::network::MembersRequest;
use wolke_domain::Result;
use wolke_wire::Kind;
use wolke_wire::cloud::network::{MemberStatus, MemberType};

/// `GET /networks`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let request = call.list_request(Kind::Network, &["id", "name", "created"], &["name"])?;
    call.answer_list(request).await
}

/// `POST /networks`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_network(&call.caller, request).await.map(Reply::Json)
}

/// `PUT /networks/{id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_network(&call.caller, call.id(), update).await.map(Reply::Json)
}

/// `DELETE /networks/{id}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    call.control.delete_network(&call.caller, call.id()).await.map(|()| Reply::Nothing)
}

/// `GET /networks/{id}/members`.
///
/// # Errors
/// `invalid_input`; the application's.
pub async fn members(call: Call) -> Result<Reply> {
    let page = call.page()?;
    let request = MembersRequest {
        kinds: call.parameters("type").filter_map(MemberType::parse).collect(),
        statuses: call.parameters("status").filter_map(MemberStatus::parse).collect(),
        subnets: call.parameters("subnet").map(str::to_owned).collect(),
        sort: call.sort(&["id", "type", "status", "ip"])?,
    };
    let list = call.control.list_network_members(&call.caller, call.id(), request, page).await?;
    Ok(call.shape("members", &list, page, b""))
}

/// `POST /networks/{id}/actions/add_subnet`.
///
/// # Errors
/// The application's.
pub async fn add_subnet(mut call: Call) -> Result<Reply> {
    let new = call.request()?;
    call.control.add_subnet(&call.caller, call.id(), new).await.map(Reply::Json)
}

/// `POST /networks/{id}/actions/delete_subnet`.
///
/// # Errors
/// The application's.
pub async fn delete_subnet(mut call: Call) -> Result<Reply> {
    let old = call.request()?;
    call.control.delete_subnet(&call.caller, call.id(), old).await.map(Reply::Json)
}

/// `POST /networks/{id}/actions/add_route`.
///
/// # Errors
/// The application's.
pub async fn add_route(mut call: Call) -> Result<Reply> {
    let new = call.request()?;
    call.control.add_route(&call.caller, call.id(), new).await.map(Reply::Json)
}

/// `POST /networks/{id}/actions/delete_route`.
///
/// # Errors
/// The application's.
pub async fn delete_route(mut call: Call) -> Result<Reply> {
    let old = call.request()?;
    call.control.delete_route(&call.caller, call.id(), old).await.map(Reply::Json)
}

/// `POST /networks/{id}/actions/change_ip_range`.
///
/// # Errors
/// The application's.
pub async fn change_ip_range(mut call: Call) -> Result<Reply> {
    let wanted = call.request()?;
    call.control.change_network_range(&call.caller, call.id(), wanted).await.map(Reply::Json)
}

/// `POST /networks/{id}/actions/change_protection`.
///
/// # Errors
/// The application's.
pub async fn change_protection(mut call: Call) -> Result<Reply> {
    let change = call.request()?;
    call.control.change_network_protection(&call.caller, call.id(), change).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/attach_to_network`.
///
/// # Errors
/// The application's.
pub async fn attach(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.attach_to_network(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/detach_from_network`.
///
/// # Errors
/// The application's.
pub async fn detach(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.detach_from_network(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/change_alias_ips`.
///
/// # Errors
/// The application's.
pub async fn change_alias_ips(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.change_alias_ips(&call.caller, call.id(), request).await.map(Reply::Json)
}
