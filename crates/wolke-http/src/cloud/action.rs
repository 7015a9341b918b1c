//! Actions: the global list by ids, and those of a kind or of a resource (fact sheet §1.1, §1.3).

use crate::call::{Call, Reply};
use crate::error::ended;
use crate::listing::ACTION_SORT;
use wolke_control::{Filter, ListRequest};
use wolke_domain::{Error, Result};
use wolke_wire::paging::Page;
use wolke_wire::{Id, Kind};

/// Ids that one request may ask for; hcloud-go asks for 25 at a time.
pub const IDS_MAX: usize = 500;

/// `GET /actions`: those that are named, all in one answer; without a name everything in the project, in dialects before
/// 2025-01-30.
///
/// # Errors
/// `deprecated_api_endpoint`, `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let mut request = request(&call, None)?;
    if call.caller.dialect.lists_all_actions() {
        return call.answer_list(request).await;
    }
    if ids(&call)?.is_empty() {
        return Err(ended());
    }
    request.page = Page { page: 1, per_page: u32::try_from(IDS_MAX).unwrap_or(u32::MAX) };
    call.answer_list(request).await
}

/// `GET /{kind}/actions`.
///
/// # Errors
/// `invalid_input`.
pub async fn list_of_kind(call: Call) -> Result<Reply> {
    let request = request(&call, Some((call.operation.target, None)))?;
    call.answer_list(request).await
}

/// `GET /{kind}/{id}/actions`.
///
/// # Errors
/// `not_found`, `invalid_input`.
pub async fn list_of_resource(call: Call) -> Result<Reply> {
    let id = call.id();
    list_of(call, id).await
}

/// The actions of a resource whose id is known.
pub(super) async fn list_of(call: Call, id: Id) -> Result<Reply> {
    let request = request(&call, Some((call.operation.target, Some(id))))?;
    call.answer_list(request).await
}

/// `GET /{kind}/actions/{id}`.
///
/// # Errors
/// `not_found`.
pub async fn get_of_kind(call: Call) -> Result<Reply> {
    call.control.get_action_of(&call.caller, call.operation.target, None, call.id()).await.map(Reply::Json)
}

/// `GET /{kind}/{id}/actions/{action_id}`.
///
/// # Errors
/// `not_found`.
pub async fn get_of_resource(call: Call) -> Result<Reply> {
    let (kind, of, action) = (call.operation.target, call.id(), call.second_id());
    call.control.get_action_of(&call.caller, kind, Some(of), action).await.map(Reply::Json)
}

fn request(call: &Call, of: Option<(Kind, Option<Id>)>) -> Result<ListRequest> {
    let mut request = call.list_request(Kind::Action, ACTION_SORT, &["status"])?;
    let ids = ids(call)?;
    if !ids.is_empty() {
        request.filters.push(Filter::Number("id", ids));
    }
    request.of = of;
    Ok(request)
}

/// The ids of the query; the contract has checked their form.
fn ids(call: &Call) -> Result<Vec<Id>> {
    let ids: Vec<Id> = call.parameters("id").filter_map(|id| id.parse().ok()).collect();
    if ids.len() > IDS_MAX {
        return Err(Error::invalid("id", format!("must not be given more than {IDS_MAX} times")));
    }
    Ok(ids)
}
