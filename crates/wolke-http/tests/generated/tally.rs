//! What was sent, what came of it, and what should not have.

use crate::common::Answer;
use crate::drive::Course;
use crate::plan::Planned;
use crate::request::Request;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// So many failures are shown in full.
const SHOWN_MAX: usize = 25;
/// So much of a body is shown, in bytes.
const BODY_SHOWN: usize = 3000;
/// So much of a refusal's message tells it from others, in characters.
const WHY_MAX: usize = 90;
/// So many reasons of an operation are listed.
const REASONS_SHOWN: usize = 5;

/// How often an operation was asked, and what came of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// Requests that keep to the contract.
    pub valid: usize,
    /// Requests that do not.
    pub broken: usize,
    /// Valid requests with a success.
    pub granted: usize,
}

impl Count {
    /// Counts a request by its answer's status.
    pub fn note(&mut self, is_valid: bool, status: u16) {
        self.valid += usize::from(is_valid);
        self.broken += usize::from(!is_valid);
        self.granted += usize::from(is_valid && status < 300);
    }

    pub fn add(&mut self, other: Self) {
        self.valid += other.valid;
        self.broken += other.broken;
        self.granted += other.granted;
    }
}

/// Something that must not be.
pub struct Failure {
    /// What makes it the same as another one: operation and first fault.
    key: String,
    text: String,
}

/// The books of one or more worlds.
#[derive(Default)]
pub struct Tally {
    /// By operation and dialect.
    pub counts: BTreeMap<(&'static str, &'static str), Count>,
    /// By way to break a request.
    pub ways: BTreeMap<&'static str, usize>,
    /// Why valid requests were refused, without the numbers.
    pub refusals: BTreeMap<(&'static str, &'static str), BTreeMap<String, usize>>,
    /// By operation, dialect and error code.
    pub codes: BTreeMap<(&'static str, &'static str, String), usize>,
    /// Answers of a new process that were held against those of the old one.
    pub compared: usize,
    /// What strangers asked for by the ids of others and was not found.
    pub hidden: usize,
    /// How often they asked.
    pub asked_by_strangers: usize,
    pub sent: usize,
    pub failures: Vec<Failure>,
    /// Of all requests and answers.
    pub digest: u64,
    /// The request that is under way, counted from 0.
    pub number: usize,
}

impl Failure {
    /// A request and its answer as text.
    pub fn describe(request: &Request, answer: &Answer) -> String {
        let Request { method, path, who, content_type, body, .. } = request;
        let body = String::from_utf8_lossy(body);
        let shorten = |text: &str| text.chars().take(BODY_SHOWN).collect::<String>();
        let path = shorten(path);
        let body = format!("{} ({} bytes)", shorten(&body).escape_debug(), body.len());
        let answered = shorten(&answer.json.to_string());
        format!(
            "{method} {path}\n  token: {who:?}, content type: {content_type:?}\n  body: {body}\n  answer: {} {answered}",
            answer.status
        )
    }
}

impl Tally {
    pub fn count(&mut self, planned: &Planned, request: &Request, answer: &Answer) {
        let status = answer.status;
        self.sent += 1;
        let dialect = planned.contract.dialect.name();
        let count = self.counts.entry((planned.operation.id, dialect)).or_default();
        count.note(request.broken.is_none(), status);
        if let Some(way) = request.broken.or(request.edge) {
            *self.ways.entry(way).or_default() += 1;
        }
        if let Some(code) = answer.code() {
            *self.codes.entry((planned.operation.id, dialect, code.to_owned())).or_default() += 1;
        }
        if status >= 400 && request.broken.is_none() {
            let why = answer.message().chars().filter(|c| !c.is_ascii_digit()).take(WHY_MAX).collect();
            *self.refusals.entry((planned.operation.id, dialect)).or_default().entry(why).or_default() += 1;
        }
    }

    /// Adds a request and its answer to the digest.
    pub fn digest(&mut self, request: &Request, answer: &Answer) {
        let mut hasher = DefaultHasher::new();
        let Request { method, path, body, .. } = request;
        (self.digest, method, path, body, answer.status, answer.json.to_string()).hash(&mut hasher);
        self.digest = hasher.finish();
    }

    pub fn fail(&mut self, course: Course, planned: &Planned, request: &Request, answer: &Answer, faults: Vec<String>) {
        let Course { seed, world, dialect, .. } = course;
        let id = planned.operation.id;
        let replay = format!("cargo xtask fuzz-api --seed {seed} --world {world} --n {}", self.number + 1);
        let told = Failure::describe(request, answer);
        let text = format!("{id} in {dialect}: {}\n  {told}\n  again: {replay}", faults.join("\n  "));
        let first: String = faults[0].chars().filter(|c| !c.is_ascii_digit()).take(120).collect();
        self.failures.push(Failure { key: format!("{id} {first}"), text });
    }

    /// Something is wrong with the whole world.
    pub fn fail_world(&mut self, course: Course, what: &str) {
        let Course { seed, world, dialect, requests, .. } = course;
        let replay = format!("cargo xtask fuzz-api --seed {seed} --world {world} --n {requests}");
        let text = format!("after all requests in {dialect}: {what}\n  again: {replay}");
        self.failures.push(Failure { key: what.chars().take(60).collect(), text });
    }

    pub fn add(&mut self, other: Tally) {
        other.counts.into_iter().for_each(|(key, count)| self.counts.entry(key).or_default().add(count));
        other.ways.into_iter().for_each(|(way, count)| *self.ways.entry(way).or_default() += count);
        other.codes.into_iter().for_each(|(key, count)| *self.codes.entry(key).or_default() += count);
        for (operation, reasons) in other.refusals {
            let sums = self.refusals.entry(operation).or_default();
            reasons.into_iter().for_each(|(why, count)| *sums.entry(why).or_default() += count);
        }
        self.compared += other.compared;
        self.hidden += other.hidden;
        self.asked_by_strangers += other.asked_by_strangers;
        self.sent += other.sent;
        self.digest ^= other.digest;
        self.failures.extend(other.failures);
    }

    /// One failure of each sort, and how many there were; empty when there is none.
    pub fn report(&self) -> String {
        let mut sorts: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        for failure in &self.failures {
            sorts.entry(&failure.key).or_insert((0, &failure.text)).0 += 1;
        }
        let mut text = String::new();
        for (count, one) in sorts.values().take(SHOWN_MAX) {
            let _ = writeln!(text, "\n{count} times: {one}");
        }
        if sorts.len() > SHOWN_MAX {
            let _ = writeln!(text, "\nand {} more sorts", sorts.len() - SHOWN_MAX);
        }
        text
    }

    /// One line for each operation, with the usual reasons for which it refused what keeps to the contract.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let mut refusals: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for ((operation, _), reasons) in &self.refusals {
            let sums = refusals.entry(operation).or_default();
            reasons.iter().for_each(|(why, count)| *sums.entry(why).or_default() += count);
        }
        for (operation, Count { valid, broken, granted }) in self.by_operation() {
            let _ = writeln!(text, "{operation}: {granted} of {valid} valid ones granted, {broken} broken");
            text += &reasons(refusals.get(operation).into_iter().flatten().map(|(why, count)| (*why, *count)));
        }
        text
    }

    /// Why an operation refused valid requests in a dialect.
    pub fn reasons(&self, operation: &'static str, dialect: &'static str) -> String {
        let all = self.refusals.get(&(operation, dialect)).into_iter().flatten();
        reasons(all.map(|(why, count)| (why.as_str(), *count)))
    }

    /// The sums of an operation over all dialects.
    pub fn by_operation(&self) -> BTreeMap<&'static str, Count> {
        let mut sums: BTreeMap<&'static str, Count> = BTreeMap::new();
        for ((operation, _), count) in &self.counts {
            sums.entry(operation).or_default().add(*count);
        }
        sums
    }
}

/// The usual reasons, one line for each.
fn reasons<'a>(all: impl Iterator<Item = (&'a str, usize)>) -> String {
    let mut all: Vec<(&str, usize)> = all.collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    all.iter().take(REASONS_SHOWN).fold(String::new(), |mut text, (why, count)| {
        let _ = writeln!(text, "    {count} {why}");
        text
    })
}
