//! Images, from the catalogue (fact sheet §3.9).

use crate::call::{Call, Reply};
use wolke_control::ImageFilter;
use wolke_domain::Result;
use wolke_wire::Kind;
use wolke_wire::cloud::Architecture;

/// `GET /images`.
///
/// # Errors
/// `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let (sort, page) = (call.sort(&["id", "name", "created"])?, call.page()?);
    // An id that is none matches nothing; dropped, it would match everything.
    let bound_to = call.parameters("bound_to").map(|id| id.parse().map_err(|_| not_an_id())).collect::<Result<_>>()?;
    let texts = |name| call.parameters(name).map(str::to_owned).collect();
    let filter = ImageFilter {
        name: call.parameter("name").map(str::to_owned),
        types: texts("type"),
        statuses: texts("status"),
        architectures: call.parameters("architecture").filter_map(Architecture::parse).collect(),
        bound_to,
        include_deprecated: call.parameter("include_deprecated") == Some("true"),
        selector: call.selector()?,
    };
    let list = call.control.list_images(&call.caller, &filter, &sort, page).await?;
    Ok(call.shape(Kind::Image.plural(), &list, page, b""))
}

fn not_an_id() -> wolke_domain::Error {
    wolke_domain::Error::invalid("bound_to", "must be an id")
}
