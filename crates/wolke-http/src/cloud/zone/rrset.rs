//! Sets of DNS records (fact sheet §4.2).

use crate::call::{Call, Reply};
use wolke_control::zone::{AskedRrset, RrsetChange};
use wolke_control::{Filter, ListRequest};
use wolke_domain::{Error, Result};
use wolke_wire::Kind;
use wolke_wire::cloud::rrset::{AddRecords, ChangeProtection, ChangeRrsetTtl, NewRecords, UpdateRecords};
use wolke_wire::paging::{PER_PAGE_MAX_OF_RRSETS, Page};
use wolke_wire::sort::{Direction, SortKey};

impl Call {
    /// The set that the path names.
    fn rrset(&self) -> AskedRrset {
        AskedRrset { zone: self.zone(), name: self.name(1).to_owned(), kind: self.name(2).to_owned() }
    }

    /// Does something to the set that the path names.
    async fn change_rrset(self, change: RrsetChange) -> Result<Reply> {
        self.control.change_rrset(&self.caller, self.rrset(), change).await.map(Reply::Json)
    }
}

/// `GET /zones/{id_or_name}/rrsets`. The id of a set is its name and type, and by it sets are ordered unless they are asked
/// for otherwise.
///
/// # Errors
/// `not_found`, `incorrect_zone_mode`, `invalid_input`.
pub async fn list(call: Call) -> Result<Reply> {
    let mut sort = call.sort(&["id", "name", "created"])?;
    for key in sort.iter_mut().filter(|key| key.field == "id") {
        key.field = "path";
    }
    if sort.is_empty() {
        sort.push(SortKey { field: "path", direction: Direction::Ascending });
    }
    let texts = |name: &'static str| call.parameters(name).map(str::to_owned).collect::<Vec<_>>();
    let filters = ["name", "type"].into_iter().map(|name| Filter::Text(name, texts(name)));
    let mut filters: Vec<Filter> =
        filters.filter(|filter| !matches!(filter, Filter::Text(_, all) if all.is_empty())).collect();
    let page = Page::parse_within(call.parameter("page"), call.parameter("per_page"), PER_PAGE_MAX_OF_RRSETS)
        .map_err(|e| Error::invalid(e.parameter, e.to_string()))?;
    let selector = call.selector()?;
    let zone = call.control.zone_of_rrsets(&call.caller, call.zone()).await?;
    filters.push(Filter::Number("zone", vec![zone]));
    call.answer_list(ListRequest { kind: Kind::Rrset, of: None, filters, selector, sort, page }).await
}

/// `POST /zones/{id_or_name}/rrsets`.
///
/// # Errors
/// The application's.
pub async fn create(mut call: Call) -> Result<Reply> {
    let request = call.request()?;
    call.control.create_rrset(&call.caller, call.zone(), request).await.map(Reply::Json)
}

/// `GET /zones/{id_or_name}/rrsets/{rr_name}/{rr_type}`.
///
/// # Errors
/// The application's.
pub async fn get(call: Call) -> Result<Reply> {
    call.control.get_rrset(&call.caller, call.rrset()).await.map(Reply::Json)
}

/// `PUT /zones/{id_or_name}/rrsets/{rr_name}/{rr_type}`.
///
/// # Errors
/// The application's.
pub async fn update(mut call: Call) -> Result<Reply> {
    let update = call.request()?;
    call.control.update_rrset(&call.caller, call.rrset(), update).await.map(Reply::Json)
}

/// `DELETE /zones/{id_or_name}/rrsets/{rr_name}/{rr_type}`.
///
/// # Errors
/// The application's.
pub async fn delete(call: Call) -> Result<Reply> {
    call.change_rrset(RrsetChange::Delete).await
}

/// `POST …/actions/change_protection`.
///
/// # Errors
/// The application's.
pub async fn change_protection(mut call: Call) -> Result<Reply> {
    let ChangeProtection { change } = call.request()?;
    call.change_rrset(RrsetChange::Protect(change)).await
}

/// `POST …/actions/change_ttl`.
///
/// # Errors
/// The application's.
pub async fn change_ttl(mut call: Call) -> Result<Reply> {
    let ChangeRrsetTtl { ttl } = call.request()?;
    call.change_rrset(RrsetChange::Ttl(ttl)).await
}

/// `POST …/actions/set_records`.
///
/// # Errors
/// The application's.
pub async fn set_records(mut call: Call) -> Result<Reply> {
    let NewRecords { records } = call.request()?;
    call.change_rrset(RrsetChange::Set(records)).await
}

/// `POST …/actions/add_records`.
///
/// # Errors
/// The application's.
pub async fn add_records(mut call: Call) -> Result<Reply> {
    let AddRecords { records, ttl } = call.request()?;
    call.change_rrset(RrsetChange::Add(records, ttl)).await
}

/// `POST …/actions/remove_records`.
///
/// # Errors
/// The application's.
pub async fn remove_records(mut call: Call) -> Result<Reply> {
    let NewRecords { records } = call.request()?;
    call.change_rrset(RrsetChange::Remove(records)).await
}

/// `POST …/actions/update_records`.
///
/// # Errors
/// The application's.
pub async fn update_records(mut call: Call) -> Result<Reply> {
    let UpdateRecords { records } = call.request()?;
    call.change_rrset(RrsetChange::Comment(records)).await
}
