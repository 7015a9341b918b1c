//! What everything costs (fact sheet §3.13).

use crate::call::{Call, Reply};
use wolke_domain::Result;

/// `GET /pricing`.
///
/// # Errors
/// The engine's failure.
pub async fn get(call: Call) -> Result<Reply> {
    call.control.pricing(&call.caller).await.map(Reply::Json)
}
