//! Load balancers (fact sheet §3.7).

use super::metrics::metrics_request;
use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::Kind;
use wolke_wire::cloud::metrics::BalancerMetricType;

/// `GET /load_balancers`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let request = call.list_request(Kind::LoadBalancer, &["id", "name", "created"], &["name"])?;
    call.answer_list(request).await
}

/// `POST /load_balancers`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_load_balancer(&call.caller, request).await.map(Reply::Json)
}

/// `PUT /load_balancers/{id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_load_balancer(&call.caller, call.id(), update).await.map(Reply::Json)
}

/// `DELETE /load_balancers/{id}`: with the action since 2026-10-05, with nothing before.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    let action = call.control.delete_load_balancer(&call.caller, call.id()).await?;
    Ok(if call.contract.success().is_some() { Reply::Json(action) } else { Reply::Nothing })
}

/// `GET /load_balancers/{id}/metrics`.
///
/// # Errors
/// `not_found`, `invalid_input`.
pub async fn metrics(call: Call) -> Result<Reply> {
    let request = metrics_request(&call, BalancerMetricType::parse)?;
    call.control.load_balancer_metrics(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/add_service`.
///
/// # Errors
/// The application's.
pub async fn add_service(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.add_load_balancer_service(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/update_service`.
///
/// # Errors
/// The application's.
pub async fn update_service(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.update_load_balancer_service(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/delete_service`.
///
/// # Errors
/// The application's.
pub async fn delete_service(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.delete_load_balancer_service(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/add_target`.
///
/// # Errors
/// The application's.
pub async fn add_target(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.add_load_balancer_target(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/remove_target`.
///
/// # Errors
/// The application's.
pub async fn remove_target(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.remove_load_balancer_target(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/attach_to_network`.
///
/// # Errors
/// The application's.
pub async fn attach_to_network(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.attach_load_balancer(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/detach_from_network`.
///
/// # Errors
/// The application's.
pub async fn detach_from_network(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.detach_load_balancer(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/change_algorithm`.
///
/// # Errors
/// The application's.
pub async fn change_algorithm(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.change_load_balancer_algorithm(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/change_dns_ptr`.
///
/// # Errors
/// The application's.
pub async fn change_dns_ptr(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.change_load_balancer_dns_ptr(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/change_protection`.
///
/// # Errors
/// The application's.
pub async fn change_protection(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.change_load_balancer_protection(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/change_type`.
///
/// # Errors
/// The application's.
pub async fn change_type(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.change_load_balancer_type(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/enable_public_interface`.
///
/// # Errors
/// The application's.
pub async fn enable_public_interface(call: Call) -> Result<Reply> {
    call.control.enable_public_interface(&call.caller, call.id()).await.map(Reply::Json)
}

/// `POST /load_balancers/{id}/actions/disable_public_interface`.
///
/// # Errors
/// The application's.
pub async fn disable_public_interface(call: Call) -> Result<Reply> {
    call.control.disable_public_interface(&call.caller, call.id()).await.map(Reply::Json)
}
