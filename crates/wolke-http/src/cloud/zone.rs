//! DNS zones (fact sheet §4.2). Their sets of records: `zone/rrset.rs`.

pub mod rrset;

use super::action;
use crate::call::{Call, Reply};
use wolke_domain::Result;
use wolke_wire::{IdOrName, Kind};

impl Call {
    /// The zone that the path names.
    #[must_use]
    pub fn zone(&self) -> IdOrName {
        IdOrName::from(self.name(0))
    }
}

/// `GET /zones`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let request = call.list_request(Kind::Zone, &["id", "name", "created"], &["name", "mode"])?;
    call.answer_list(request).await
}

/// `POST /zones`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_zone(&call.caller, request).await.map(Reply::Json)
}

/// `GET /zones/{id_or_name}`.
///
/// # Errors
/// `not_found`.
pub async fn get(call: Call) -> Result<Reply> {
    call.control.get_zone(&call.caller, call.zone()).await.map(Reply::Json)
}

/// `PUT /zones/{id_or_name}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_zone(&call.caller, call.zone(), update).await.map(Reply::Json)
}

/// `DELETE /zones/{id_or_name}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    call.control.delete_zone(&call.caller, call.zone()).await.map(Reply::Json)
}

/// `GET /zones/{id_or_name}/actions`.
///
/// # Errors
/// `not_found`, `invalid_input`.
pub async fn list_actions(call: Call) -> Result<Reply> {
    let id = call.control.zone_id(&call.caller, call.zone()).await?;
    action::list_of(call, id).await
}

/// `GET /zones/{id_or_name}/actions/{action_id}`.
///
/// # Errors
/// `not_found`.
pub async fn get_action(call: Call) -> Result<Reply> {
    let id = call.control.zone_id(&call.caller, call.zone()).await?;
    call.control.get_action_of(&call.caller, Kind::Zone, Some(id), call.id()).await.map(Reply::Json)
}

/// `POST /zones/{id_or_name}/actions/change_primary_nameservers`.
///
/// # Errors
/// The application's.
pub async fn change_primary_nameservers(mut call: Call) -> Result<Reply> {
    let change = call.request()?;
    call.control.change_primary_nameservers(&call.caller, call.zone(), change).await.map(Reply::Json)
}

/// `POST /zones/{id_or_name}/actions/change_protection`.
///
/// # Errors
/// The application's.
pub async fn change_protection(mut call: Call) -> Result<Reply> {
    let change = call.request()?;
    call.control.change_zone_protection(&call.caller, call.zone(), change).await.map(Reply::Json)
}

/// `POST /zones/{id_or_name}/actions/change_ttl`.
///
/// # Errors
/// The application's.
pub async fn change_ttl(mut call: Call) -> Result<Reply> {
    let change = call.request()?;
    call.control.change_zone_ttl(&call.caller, call.zone(), change).await.map(Reply::Json)
}

/// `POST /zones/{id_or_name}/actions/import_zonefile`.
///
/// # Errors
/// The application's.
pub async fn import_zonefile(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.import_zonefile(&call.caller, call.zone(), request).await.map(Reply::Json)
}

/// `GET /zones/{id_or_name}/zonefile`.
///
/// # Errors
/// The application's.
pub async fn export_zonefile(call: Call) -> Result<Reply> {
    call.control.export_zonefile(&call.caller, call.zone()).await.map(Reply::Json)
}
