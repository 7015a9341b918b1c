//! Images: those of the catalogue, snapshots and backups (fact sheet §3.9).

use crate::call::{Call, Reply};
use wolke_control::ImageFilter;
use wolke_domain::{Error, FieldError, Result};
use wolke_wire::selector::Selector;
use wolke_wire::{Id, Kind};

/// `GET /images`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let (sort, page) = (call.sort(&["id", "name", "created"])?, call.page()?);
    let (bound_to, selector) = bound_to_and_selector(&call)?;
    let texts = |name| call.parameters(name).map(str::to_owned).collect();
    let filter = ImageFilter {
        name: call.parameter("name").map(str::to_owned),
        types: texts("type"),
        statuses: texts("status"),
        architectures: call.architectures()?,
        bound_to,
        // 2018 cannot ask, and shows an image until its time is over (dialects A.7).
        include_deprecated: call.caller.dialect.lists_deprecated_images() || call.flag("include_deprecated"),
        selector,
    };
    let list = call.control.list_images(&call.caller, &filter, &sort, page).await?;
    Ok(call.shape(Kind::Image.plural(), &list, page, b""))
}

/// `PUT /images/{id}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_image(&call.caller, call.id(), update).await.map(Reply::Json)
}

/// `DELETE /images/{id}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    call.control.delete_image(&call.caller, call.id()).await.map(|()| Reply::Nothing)
}

/// `POST /images/{id}/actions/change_protection`.
///
/// # Errors
/// The application's.
pub async fn change_protection(mut call: Call) -> Result<Reply> {
    let change = call.request()?;
    call.control.change_image_protection(&call.caller, call.id(), change).await.map(Reply::Json)
}

/// `POST /servers/{id}/actions/create_image`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_image(&call.caller, call.id(), request).await.map(Reply::Json)
}

/// What images are bound to, and the selector: all that is wrong with both is told at once. An id that is none matches
/// nothing; dropped, it would match everything.
fn bound_to_and_selector(call: &Call) -> Result<(Vec<Id>, Selector)> {
    let ids: Option<Vec<Id>> = call.parameters("bound_to").map(|id| id.parse().ok()).collect();
    match (ids, call.selector()) {
        (Some(ids), selector) => Ok((ids, selector?)),
        (None, selector) => {
            let mut wrong = vec![FieldError::new("bound_to", "must be an id")];
            if let Err(Error::InvalidInput { fields, .. }) = selector {
                wrong.extend(fields);
            }
            Err(Error::invalid_fields(wrong))
        }
    }
}
