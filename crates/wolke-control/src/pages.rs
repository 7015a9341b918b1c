//! Joined pages of lists, kept as long as nothing on them has changed.
//!
//! A list always reads (id, rev) of its page from the database. When these are what they were the last time the same
//! question was asked, so is every byte of the page. Nothing is invalidated; what differs is joined anew.

use crate::listing::ListRequest;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use wolke_wire::{Dialect, Id};

/// Bytes of all pages together.
const PAGES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What an entry costs besides its text.
const ENTRY_BYTES: usize = 1024;

/// A question: who asks what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub project: Id,
    pub dialect: Dialect,
    pub request: ListRequest,
}

struct Answer {
    entries: Vec<(Id, i64)>,
    json: Bytes,
}

/// The pages. When they are too many, all go: they are cheap to join from fragments.
#[derive(Default)]
pub(crate) struct Pages {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    answers: HashMap<Question, Answer>,
    bytes: usize,
}

impl Pages {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The page of a question, if these are still its entries.
    pub fn get(&self, question: &Question, entries: &[(Id, i64)]) -> Option<Bytes> {
        let kept = self.kept();
        let answer = kept.answers.get(question)?;
        (answer.entries == entries).then(|| answer.json.clone())
    }

    /// Keeps a page.
    pub fn put(&self, question: Question, entries: Vec<(Id, i64)>, json: &Bytes) {
        let bytes = json.len() + ENTRY_BYTES;
        let mut kept = self.kept();
        if kept.bytes + bytes > PAGES_BYTES_MAX {
            *kept = Kept::default();
        }
        if bytes <= PAGES_BYTES_MAX {
            kept.bytes += bytes;
            if let Some(old) = kept.answers.insert(question, Answer { entries, json: json.clone() }) {
                kept.bytes -= old.json.len() + ENTRY_BYTES;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGES_BYTES_MAX, Pages, Question};
    use crate::listing::ListRequest;
    use bytes::Bytes;
    use wolke_wire::paging::Page;
    use wolke_wire::selector::Selector;
    use wolke_wire::{Dialect, Kind};

    fn question(page: u32) -> Question {
        let request = ListRequest {
            kind: Kind::Server,
            of: None,
            filters: Vec::new(),
            selector: Selector::default(),
            sort: Vec::new(),
            page: Page { page, per_page: 25 },
        };
        Question { project: 1, dialect: Dialect::Compat, request }
    }

    #[test]
    fn a_page_holds_as_long_as_its_entries() {
        let pages = Pages::default();
        pages.put(question(1), vec![(1, 1), (2, 5)], &Bytes::from_static(b"x"));
        assert!(pages.get(&question(1), &[(1, 1), (2, 5)]).is_some());
        for changed in [&[(1, 1), (2, 6)][..], &[(1, 1)], &[(2, 5), (1, 1)]] {
            assert!(pages.get(&question(1), changed).is_none());
        }
        assert!(pages.get(&question(2), &[(1, 1), (2, 5)]).is_none());
    }

    #[test]
    fn is_bounded() {
        let pages = Pages::default();
        for page in 0..200 {
            pages.put(question(page), Vec::new(), &Bytes::from(vec![0; 100_000]));
        }
        let kept = pages.kept();
        assert!(kept.answers.values().map(|a| a.json.len()).sum::<usize>() <= PAGES_BYTES_MAX);
        assert!(!kept.answers.is_empty());
    }
}
