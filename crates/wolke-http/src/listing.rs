//! What lists have in common: parameters on the way in; entries, `meta` and `Link` on the way out.

use crate::body::Pieces;
use crate::call::{Call, Reply};
use bytes::Bytes;
use std::io::Write as _;
use wolke_control::{Filter, List, ListRequest};
use wolke_domain::{Error, Result};
use wolke_wire::Kind;
use wolke_wire::paging::Page;
use wolke_wire::selector::Selector;
use wolke_wire::sort::{SortKey, parse_sort};

/// Sort keys of every list of actions. Newer dialects refuse `progress` by their contract (fact sheet §1.1).
pub const ACTION_SORT: &[&str] = &["id", "command", "status", "progress", "started", "finished"];

impl Call {
    /// The page that is asked for.
    ///
    /// # Errors
    /// `invalid_input`, naming the parameter.
    pub fn page(&self) -> Result<Page> {
        Page::parse(self.parameter("page"), self.parameter("per_page"))
            .map_err(|e| Error::invalid(e.parameter, e.to_string()))
    }

    /// The order that is asked for.
    ///
    /// # Errors
    /// `invalid_input` on `sort`.
    pub fn sort(&self, fields: &'static [&'static str]) -> Result<Vec<SortKey>> {
        parse_sort(self.parameters("sort"), fields).map_err(|e| Error::invalid("sort", e.to_string()))
    }

    /// The label selector that is asked for.
    ///
    /// # Errors
    /// `invalid_input` on `label_selector`.
    pub fn selector(&self) -> Result<Selector> {
        match self.parameter("label_selector") {
            None => Ok(Selector::default()),
            Some(text) => Selector::parse(text).map_err(|e| Error::invalid("label_selector", e.to_string())),
        }
    }

    /// A list from the database, filtered by the parameters that are called like columns.
    ///
    /// # Errors
    /// As the parameters.
    pub fn list_request(
        &self,
        kind: Kind,
        sort: &'static [&'static str],
        columns: &[&'static str],
    ) -> Result<ListRequest> {
        let filters = columns.iter().filter_map(|column| {
            let values: Vec<String> = self.parameters(column).map(str::to_owned).collect();
            (!values.is_empty()).then_some(Filter::Text(column, values))
        });
        Ok(ListRequest {
            kind,
            of: None,
            filters: filters.collect(),
            selector: self.selector()?,
            sort: self.sort(sort)?,
            page: self.page()?,
        })
    }

    /// Reads a page from the database and shapes the answer.
    ///
    /// # Errors
    /// The application's.
    pub async fn answer_list(self, request: ListRequest) -> Result<Reply> {
        let (kind, page) = (request.kind, request.page);
        let list = self.control.list(&self.caller, request).await?;
        Ok(self.shape(kind.list_member(), &list, page, b""))
    }

    /// `{"servers": […], …, "meta": …}`. `more` is text of further members, each with a leading comma.
    #[must_use]
    pub fn shape(&self, key: &str, list: &List, page: Page, more: &[u8]) -> Reply {
        /// Room for everything beside the entries.
        const FRAME: usize = 256;
        let head = Bytes::from(format!("{{\"{key}\":["));
        let mut tail = Vec::with_capacity(more.len() + FRAME);
        tail.push(b']');
        tail.extend_from_slice(more);
        let mut link = None;
        if self.has_pages() {
            let meta = page.meta(list.total);
            tail.extend_from_slice(b",\"meta\":");
            if serde_json::to_writer(&mut tail, &meta).is_err() {
                // Numbers into memory: this cannot fail; an empty object keeps the answer well formed.
                let _ = tail.write_all(b"{}");
            }
            let base = format!("{}{}", self.origin, self.uri.path());
            link = Some(meta.link_header(&base, self.uri.query().unwrap_or_default()));
        }
        tail.push(b'}');
        Reply::Page { json: Pieces::new([head, list.entries.clone(), tail.into()]), link }
    }

    /// Whether the answer has `meta`: `GET /actions` lost it on 2025-01-30 (fact sheet §1.1).
    fn has_pages(&self) -> bool {
        self.contract.success().is_some_and(|schema| schema.member("meta").is_some())
    }
}
