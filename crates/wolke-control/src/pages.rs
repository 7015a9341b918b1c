//! Joined pages of lists, kept as long as nothing on them has changed.
//!
//! A list reads (id, rev) of its page from the database. When these are what they were the last time the same question was
//! asked, and what stands inside them and changes by itself is what it was, so is every byte of the page. On an engine that only this process writes to, even that read is left out while
//! nothing was committed. Nothing is invalidated; what differs is joined anew.

use crate::listing::ListRequest;
use crate::view::{Embedded, Moment};
use bytes::Bytes;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use wolke_store::list::ListPage;
use wolke_wire::{Dialect, Id};

/// Bytes of all pages together.
const PAGES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What an entry costs besides its text and its question.
const ENTRY_BYTES: usize = 1024;
/// The longest question whose page is kept: one of that many values is hardly asked twice.
const QUESTION_BYTES_MAX: usize = 4 * 1024;

/// A question: who asks what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub project: Id,
    pub dialect: Dialect,
    pub request: ListRequest,
}

impl Question {
    /// What a question costs, roughly: its text as a debugger sees it is a little longer than what it holds.
    fn bytes(&self) -> usize {
        let mut counter = Counter(0);
        // A counter takes everything.
        let _ = write!(counter, "{:?}", self.request);
        counter.0
    }
}

/// Counts what is written.
struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

struct Answer {
    /// What it costs, with its question.
    bytes: usize,
    entries: Vec<(Id, i64)>,
    total: u64,
    json: Bytes,
    seen: Seen,
    embedded: Embedded,
}

/// When a page was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How many commits there had been before; none on an engine with other writers.
    pub commits: Option<u64>,
    /// What else its entries depend on.
    pub moment: Moment,
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

    /// The page of a question and its total, if nothing was committed since it was read.
    pub fn unchanged(&self, question: &Question, seen: Seen) -> Option<(Bytes, u64)> {
        let kept = self.kept();
        let answer = kept.answers.get(question)?;
        (seen.commits.is_some() && answer.seen == seen).then(|| (answer.json.clone(), answer.total))
    }

    /// What stands inside the page that was kept for a question.
    pub fn embedded(&self, question: &Question) -> Embedded {
        self.kept().answers.get(question).map(|answer| answer.embedded.clone()).unwrap_or_default()
    }

    /// The page of a question, if these are still its entries and what stands inside them. It holds from `seen` on.
    pub fn get(&self, question: &Question, found: &ListPage, seen: Seen, embedded: &Embedded) -> Option<Bytes> {
        let mut kept = self.kept();
        let answer = kept.answers.get_mut(question)?;
        if answer.entries != found.entries || answer.seen.moment != seen.moment || answer.embedded != *embedded {
            return None;
        }
        (answer.total, answer.seen) = (total(found), seen);
        Some(answer.json.clone())
    }

    /// Keeps a page.
    pub fn put(&self, question: Question, found: ListPage, json: &Bytes, seen: Seen, embedded: Embedded) {
        let asked = question.bytes();
        if asked > QUESTION_BYTES_MAX {
            return;
        }
        let entries = std::mem::size_of_val(found.entries.as_slice());
        let bytes = json.len() + std::mem::size_of_val(embedded.as_slice()) + entries + asked + ENTRY_BYTES;
        let mut kept = self.kept();
        if kept.bytes + bytes > PAGES_BYTES_MAX {
            *kept = Kept::default();
        }
        if bytes <= PAGES_BYTES_MAX {
            kept.bytes += bytes;
            let (total, json) = (total(&found), json.clone());
            let answer = Answer { bytes, total, entries: found.entries, json, seen, embedded };
            if let Some(old) = kept.answers.insert(question, answer) {
                kept.bytes -= old.bytes;
            }
        }
    }
}

/// The total of a page as the answer shows it.
pub(crate) fn total(found: &ListPage) -> u64 {
    u64::try_from(found.total).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{PAGES_BYTES_MAX, Pages, QUESTION_BYTES_MAX, Question, Seen};
    use crate::listing::{Filter, ListRequest};
    use crate::view::{Moment, ServersMoment};
    use bytes::Bytes;
    use wolke_store::list::ListPage;
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

    fn at(commits: Option<u64>, hour: i64) -> Seen {
        Seen { commits, moment: Moment { offers: 0, servers: ServersMoment { catalogue: 0, hour } } }
    }

    fn found(entries: &[(i64, i64)]) -> ListPage {
        ListPage { total: 7, entries: entries.to_vec() }
    }

    #[test]
    fn a_page_holds_as_long_as_its_entries() {
        let pages = Pages::default();
        pages.put(question(1), found(&[(1, 1), (2, 5)]), &Bytes::from_static(b"x"), at(None, 0), Vec::new());
        assert!(pages.get(&question(1), &found(&[(1, 1), (2, 5)]), at(None, 0), &Vec::new()).is_some());
        for changed in [&[(1, 1), (2, 6)][..], &[(1, 1)], &[(2, 5), (1, 1)]] {
            assert!(pages.get(&question(1), &found(changed), at(None, 0), &Vec::new()).is_none());
        }
        assert!(pages.get(&question(2), &found(&[(1, 1), (2, 5)]), at(None, 0), &Vec::new()).is_none());
        assert!(pages.unchanged(&question(1), at(None, 0)).is_none(), "others may have written");
    }

    #[test]
    fn without_a_commit_nothing_has_changed() {
        let pages = Pages::default();
        pages.put(question(1), found(&[(1, 1)]), &Bytes::from_static(b"x"), at(Some(4), 0), Vec::new());
        assert_eq!(pages.unchanged(&question(1), at(Some(4), 0)), Some((Bytes::from_static(b"x"), 7)));
        assert!(pages.unchanged(&question(1), at(Some(5), 0)).is_none());
        // Read again after the fifth commit, which has changed something else.
        assert!(pages.get(&question(1), &found(&[(1, 1)]), at(Some(5), 0), &Vec::new()).is_some());
        assert!(pages.unchanged(&question(1), at(Some(5), 0)).is_some());
    }

    #[test]
    fn a_page_holds_as_long_as_what_stands_inside() {
        let (pages, entries) = (Pages::default(), found(&[(1, 1)]));
        let snapshot = |rev| vec![(Kind::Image, 1_000_000_001, rev)];
        pages.put(question(1), entries.clone(), &Bytes::from_static(b"x"), at(Some(4), 0), snapshot(3));
        assert_eq!(pages.embedded(&question(1)), snapshot(3));
        assert!(pages.embedded(&question(2)).is_empty());
        assert!(pages.get(&question(1), &entries, at(Some(5), 0), &snapshot(4)).is_none());
        assert!(pages.get(&question(1), &entries, at(Some(5), 0), &Vec::new()).is_none());
        assert!(pages.unchanged(&question(1), at(Some(5), 0)).is_none(), "what was refused is not confirmed");
        assert!(pages.get(&question(1), &entries, at(Some(5), 0), &snapshot(3)).is_some());
    }

    fn of_names(length: usize, number: u32) -> Question {
        let mut question = question(1);
        question.request.filters = vec![Filter::Text("name", vec![format!("{number:0length$}")])];
        question
    }

    #[test]
    fn questions_are_paid_for() {
        let pages = Pages::default();
        let put = |question| pages.put(question, found(&[]), &Bytes::new(), at(None, 0), Vec::new());
        put(of_names(QUESTION_BYTES_MAX, 0));
        assert!(pages.kept().answers.is_empty(), "a long one is not kept");
        (0..10_000).for_each(|number| put(of_names(QUESTION_BYTES_MAX / 2, number)));
        assert!(pages.kept().answers.len() <= PAGES_BYTES_MAX / (QUESTION_BYTES_MAX / 2));
        // What is put again is not paid for twice.
        let pages = Pages::default();
        for _ in 0..2 {
            pages.put(question(1), found(&[(1, 1)]), &Bytes::from_static(b"x"), at(None, 0), Vec::new());
        }
        let kept = pages.kept();
        assert_eq!(kept.bytes, kept.answers.values().map(|answer| answer.bytes).sum::<usize>());
    }

    #[test]
    fn is_bounded() {
        let pages = Pages::default();
        for page in 0..200 {
            pages.put(question(page), found(&[]), &Bytes::from(vec![0; 100_000]), at(None, 0), Vec::new());
        }
        let kept = pages.kept();
        assert!(kept.answers.values().map(|a| a.json.len()).sum::<usize>() <= PAGES_BYTES_MAX);
        assert!(!kept.answers.is_empty());
    }
}
