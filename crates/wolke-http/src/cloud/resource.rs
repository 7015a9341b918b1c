//! What all kinds have in common.

use crate::call::{Call, Reply};
use wolke_domain::Result;

/// `GET /{kind}/{id}`.
///
/// # Errors
/// `not_found`.
pub async fn get(call: Call) -> Result<Reply> {
    call.control.get(&call.caller, call.operation.target, call.id()).await.map(Reply::Json)
}
