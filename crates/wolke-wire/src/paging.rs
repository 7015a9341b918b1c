//! Pages of lists: what is asked for, the `meta` object of the answer, and the `Link` header (RFC 8288).
//!
//! **Invariant:** `page` is at least 1 and `per_page` lies in 1..=[`PER_PAGE_MAX`], or what its list allows.

use serde::{Deserialize, Serialize};

/// Entries of a page when the request does not say (fact sheet §1.1).
pub const PER_PAGE_DEFAULT: u32 = 25;

/// The most entries that a page may have (fact sheet §1.1).
pub const PER_PAGE_MAX: u32 = 50;

/// The most entries of a page of the list of RRSets, the only one with longer pages (the 2026 document).
pub const PER_PAGE_MAX_OF_RRSETS: u32 = 100;

/// The largest page number that is accepted; larger ones cannot hold anything and would only strain arithmetic.
pub const PAGE_MAX: u32 = 1_000_000_000;

/// A page of a list, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    /// The number of the page, from 1.
    pub page: u32,
    /// How many entries a page holds, 1..=[`PER_PAGE_MAX`] except in lists that allow more.
    pub per_page: u32,
}

impl Default for Page {
    fn default() -> Self {
        Self { page: 1, per_page: PER_PAGE_DEFAULT }
    }
}

/// A paging parameter that is no number or out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PagingError {
    /// The parameter: `page` or `per_page`.
    pub parameter: &'static str,
    /// The largest accepted value; the smallest is 1.
    pub max: u32,
}

impl std::fmt::Display for PagingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "must be a number from 1 to {}", self.max)
    }
}

impl std::error::Error for PagingError {}

impl Page {
    /// Reads the two query parameters; an absent one takes its default.
    ///
    /// # Errors
    /// Names the first parameter that is no number or out of range.
    pub fn parse(page: Option<&str>, per_page: Option<&str>) -> Result<Self, PagingError> {
        Self::parse_within(page, per_page, PER_PAGE_MAX)
    }

    /// As [`Page::parse`], for a list whose pages may be longer.
    ///
    /// # Errors
    /// As [`Page::parse`].
    pub fn parse_within(page: Option<&str>, per_page: Option<&str>, longest: u32) -> Result<Self, PagingError> {
        let number = |parameter, text: Option<&str>, default, max| match text {
            None => Ok(default),
            Some(text) => {
                text.parse::<u32>().ok().filter(|value| (1..=max).contains(value)).ok_or(PagingError { parameter, max })
            }
        };
        Ok(Self {
            page: number("page", page, 1, PAGE_MAX)?,
            per_page: number("per_page", per_page, PER_PAGE_DEFAULT, longest)?,
        })
    }

    /// How many entries come before this page.
    #[must_use]
    pub const fn offset(self) -> u64 {
        (self.page as u64).saturating_sub(1) * self.per_page as u64
    }

    /// How many entries to read.
    #[must_use]
    pub const fn limit(self) -> u64 {
        self.per_page as u64
    }

    /// The answer's `meta` for a list of `total` entries.
    #[must_use]
    pub fn meta(self, total: u64) -> Meta {
        // An empty list still has one (empty) page.
        let last_page = total.div_ceil(u64::from(self.per_page.max(1))).max(1);
        let page = u64::from(self.page);
        Meta {
            pagination: Pagination {
                page,
                per_page: u64::from(self.per_page),
                // Behind the end, "previous" leads back to the last page that exists.
                previous_page: (page > 1).then(|| (page - 1).min(last_page)),
                next_page: (page < last_page).then_some(page + 1),
                last_page,
                total_entries: total,
            },
        }
    }
}

/// The `meta` member of a list answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Where the page stands in the list.
    pub pagination: Pagination,
}

/// `meta.pagination`. Clients stop at `next_page` null (fact sheet §1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pagination {
    /// The page that is shown.
    pub page: u64,
    /// Entries per page.
    pub per_page: u64,
    /// The page before, null on the first.
    pub previous_page: Option<u64>,
    /// The page after, null on the last.
    pub next_page: Option<u64>,
    /// The last page, at least 1.
    pub last_page: u64,
    /// Entries on all pages.
    pub total_entries: u64,
}

impl Meta {
    /// The `Link` header: `prev`, `next`, `last` and `first` where they exist.
    ///
    /// `base` is everything before the query (`http://127.0.0.1:4280/v1/servers`), `query` the raw query of the real
    /// request without `?`; its `page` is replaced and everything else kept byte for byte.
    #[must_use]
    pub fn link_header(&self, base: &str, query: &str) -> String {
        let p = &self.pagination;
        let rels = [("prev", p.previous_page), ("next", p.next_page), ("last", Some(p.last_page)), ("first", Some(1))];
        let mut header = String::new();
        for (rel, page) in rels {
            let Some(page) = page else { continue };
            if !header.is_empty() {
                header.push_str(", ");
            }
            header.push_str(&format!("<{base}?{}>; rel=\"{rel}\"", query_with_page(query, page)));
        }
        header
    }
}

/// The query with its `page` parameter replaced where it stood, or appended.
fn query_with_page(query: &str, page: u64) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut placed = false;
    for part in query.split('&').filter(|part| !part.is_empty()) {
        if part == "page" || part.starts_with("page=") {
            if !placed {
                parts.push(format!("page={page}"));
                placed = true;
            }
        } else {
            // `<` and `>` delimit the target of a link; a raw query may hold them.
            parts.push(part.replace('<', "%3C").replace('>', "%3E"));
        }
    }
    if !placed {
        parts.push(format!("page={page}"));
    }
    parts.join("&")
}

#[cfg(test)]
mod tests {
    use super::{Meta, PER_PAGE_MAX, Page, Pagination};

    #[test]
    fn defaults_and_bounds() {
        assert_eq!(Page::parse(None, None).unwrap(), Page { page: 1, per_page: 25 });
        assert_eq!(Page::parse(Some("3"), Some("50")).unwrap().offset(), 100);
        for (page, per_page, wrong) in [
            (Some("0"), None, "page"),
            (Some("x"), None, "page"),
            (Some("-1"), None, "page"),
            (Some("99999999999999999999"), None, "page"),
            (None, Some("0"), "per_page"),
            (None, Some("51"), "per_page"),
            (None, Some(""), "per_page"),
        ] {
            assert_eq!(Page::parse(page, per_page).unwrap_err().parameter, wrong, "{page:?} {per_page:?}");
        }
        let text = Page::parse(None, Some("51")).unwrap_err().to_string();
        assert_eq!(text, format!("must be a number from 1 to {PER_PAGE_MAX}"));
    }

    #[test]
    fn meta_at_the_ends() {
        let meta = |page, per_page, total| Page { page, per_page }.meta(total).pagination;
        let p = |page, previous_page, next_page, last_page, total_entries| Pagination {
            page,
            per_page: 25,
            previous_page,
            next_page,
            last_page,
            total_entries,
        };
        assert_eq!(meta(1, 25, 0), p(1, None, None, 1, 0));
        assert_eq!(meta(1, 25, 25), p(1, None, None, 1, 25));
        assert_eq!(meta(1, 25, 26), p(1, None, Some(2), 2, 26));
        assert_eq!(meta(2, 25, 60), p(2, Some(1), Some(3), 3, 60));
        assert_eq!(meta(3, 25, 60), p(3, Some(2), None, 3, 60));
        assert_eq!(meta(9, 25, 60), p(9, Some(3), None, 3, 60));
    }

    #[test]
    fn json_shape() {
        let text = serde_json::to_string(&Page { page: 1, per_page: 25 }.meta(1)).unwrap();
        assert_eq!(
            text,
            r#"{"pagination":{"page":1,"per_page":25,"previous_page":null,"next_page":null,"last_page":1,"total_entries":1}}"#
        );
    }

    #[test]
    fn links_keep_the_query() {
        let meta: Meta = Page { page: 2, per_page: 2 }.meta(5);
        assert_eq!(
            meta.link_header("http://h/v1/servers", "sort=name&page=2&per_page=2&label_selector=a%3Db"),
            "<http://h/v1/servers?sort=name&page=1&per_page=2&label_selector=a%3Db>; rel=\"prev\", \
             <http://h/v1/servers?sort=name&page=3&per_page=2&label_selector=a%3Db>; rel=\"next\", \
             <http://h/v1/servers?sort=name&page=3&per_page=2&label_selector=a%3Db>; rel=\"last\", \
             <http://h/v1/servers?sort=name&page=1&per_page=2&label_selector=a%3Db>; rel=\"first\""
        );
        let single = Page::default().meta(1);
        assert_eq!(
            single.link_header("http://h/v1/isos", ""),
            "<http://h/v1/isos?page=1>; rel=\"last\", <http://h/v1/isos?page=1>; rel=\"first\""
        );
    }
}
