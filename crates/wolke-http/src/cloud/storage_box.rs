//! Storage boxes (fact sheet §4.3). Their snapshots and further accounts: the files of these names.

pub mod snapshot;
pub mod subaccount;

use crate::call::{Call, Reply};
use wolke_control::{Filter, ListRequest};
use wolke_domain::Result;
use wolke_domain::storage_box::LISTED_MAX;
use wolke_wire::Kind;
use wolke_wire::paging::Page;
use wolke_wire::sort::SortKey;

/// The orders of the contract and the columns that hold them. It calls the second of the sizes by a name that only snapshots
/// have (decision 0016).
const SIZES: [(&str, &str); 2] = [("stats.size", "size"), ("stats.size_filesystem", "size_data")];

/// What is listed where the query names no folder.
const TOP: &str = ".";

impl Call {
    /// Everything of a kind that the storage box of the path has, as the contract lists it: without pages.
    async fn list_of_storage_box(self, kind: Kind, sort: Vec<SortKey>, mut filters: Vec<Filter>) -> Result<Reply> {
        let selector = self.selector()?;
        for name in ["name", "username"] {
            let values: Vec<String> = self.parameters(name).map(str::to_owned).collect();
            if !values.is_empty() {
                filters.push(Filter::Text(name, values));
            }
        }
        filters.push(Filter::Number("storage_box", vec![self.id()]));
        self.control.check_storage_box(&self.caller, self.id()).await?;
        let page = Page { page: 1, per_page: LISTED_MAX };
        self.answer_list(ListRequest { kind, of: None, filters, selector, sort, page }).await
    }
}

/// `GET /storage_boxes`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let fields = &["id", "name", "created", "stats.size", "stats.size_filesystem"];
    let mut request = call.list_request(Kind::StorageBox, fields, &["name"])?;
    for key in &mut request.sort {
        if let Some((_, column)) = SIZES.iter().find(|(name, _)| *name == key.field) {
            key.field = column;
        }
    }
    call.answer_list(request).await
}

/// `POST /storage_boxes`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_storage_box(&call.caller, request).await.map(Reply::Json)
}

/// `PUT /storage_boxes/{id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_storage_box(&call.caller, call.id(), update).await.map(Reply::Json)
}

/// `DELETE /storage_boxes/{id}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    call.control.delete_storage_box(&call.caller, call.id()).await.map(Reply::Json)
}

/// `GET /storage_boxes/{id}/folders`.
///
/// # Errors
/// The application's.
pub async fn folders(call: Call) -> Result<Reply> {
    let path = call.parameter("path").unwrap_or(TOP);
    call.control.list_storage_box_folders(&call.caller, call.id(), path).await.map(Reply::Json)
}

/// `POST /storage_boxes/{id}/actions/change_protection`.
///
/// # Errors
/// The application's.
pub async fn change_protection(mut call: Call) -> Result<Reply> {
    let change = call.request()?;
    call.control.change_storage_box_protection(&call.caller, call.id(), change).await.map(Reply::Json)
}

/// `POST /storage_boxes/{id}/actions/change_type`.
///
/// # Errors
/// The application's.
pub async fn change_type(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.change_storage_box_type(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /storage_boxes/{id}/actions/reset_password`.
///
/// # Errors
/// The application's.
pub async fn reset_password(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.reset_storage_box_password(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// `POST /storage_boxes/{id}/actions/update_access_settings`.
///
/// # Errors
/// The application's.
pub async fn update_access_settings(mut call: Call) -> Result<Reply> {
    let change = call.request()?;
    call.control.update_storage_box_access_settings(&call.caller, call.id(), change).await.map(Reply::Json)
}

/// `POST /storage_boxes/{id}/actions/enable_snapshot_plan`.
///
/// # Errors
/// The application's.
pub async fn enable_snapshot_plan(mut call: Call) -> Result<Reply> {
    let wish = call.request()?;
    call.control.enable_snapshot_plan(&call.caller, call.id(), wish).await.map(Reply::Json)
}

/// `POST /storage_boxes/{id}/actions/disable_snapshot_plan`.
///
/// # Errors
/// The application's.
pub async fn disable_snapshot_plan(call: Call) -> Result<Reply> {
    call.control.disable_snapshot_plan(&call.caller, call.id()).await.map(Reply::Json)
}

/// `POST /storage_boxes/{id}/actions/rollback_snapshot`.
///
/// # Errors
/// The application's.
pub async fn rollback_snapshot(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.rollback_storage_box(&call.caller, call.id(), request).await.map(Reply::Json)
}
