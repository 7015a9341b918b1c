//! One world and the requests that it gets.

use crate::broken;
use crate::common::{Answer, Setup, World};
use crate::crawl;
use crate::dice::Dice;
use crate::plan::{Plan, Planned, Segment};
use crate::pool::Pool;
use crate::request::{self, Expect, Request, Who};
use crate::tally::{Count, Failure, Tally};
use std::collections::BTreeMap;
use wolke_control::clock::Jump;
use wolke_domain::clock::ClockMode;
use wolke_http::operation::Verb;
use wolke_store::invariant;
use wolke_store::tx::Tx;

/// The vSwitch that networks can be coupled with.
pub const VSWITCH: i64 = 7;
/// The project that is not ours gets so many requests for things of its own.
const FOREIGN_REQUESTS: usize = 40;
/// The clock moves by less than this between two requests, in milliseconds: timers of days stay where they are.
const PAUSE_MS: usize = 50;
/// Of a noun with fewer things than that more are made before one is asked for, so many times of a hundred.
const LEAST: usize = 4;
const MAKE_PERCENT: u32 = 70;
/// What was never granted gets plain requests first, so many.
const WANTED_TRIES: usize = 3;
/// Of a hundred valid requests so many have a value at the edge of its rules.
const EDGE_PERCENT: u32 = 35;
/// In every so many worlds of a dialect all operations are asked by those who may not.
const TOKENS_EVERY: u64 = 5;
/// After so many requests the clock jumps, by one of these.
const JUMP_EVERY: usize = 150;
const JUMPS_MS: [i64; 4] = [1000, 3_600_000, 86_400_000, 8 * 86_400_000];
/// Operations that make something come so much more often, or nothing would be left to work on.
const CREATES: usize = 2;

/// What a world is to get.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    pub seed: u64,
    /// The number of the world; its requests depend on nothing else.
    pub world: u64,
    pub dialect: wolke_wire::Dialect,
    pub requests: usize,
    /// Whether the last request is shown with its answer.
    pub shows_last: bool,
}

impl Course {
    /// Whether days pass between requests: backups are made, plans run, what is announced ends.
    fn jumps(&self) -> bool {
        self.world % 3 == 2
    }

    /// Whether a new process must show what the old one has shown.
    fn restarts(&self) -> bool {
        self.world < wolke_wire::Dialect::ALL.len() as u64
    }

    /// Whether every operation is also asked by those who may not.
    fn tries_tokens(&self) -> bool {
        (self.world / wolke_wire::Dialect::ALL.len() as u64) % TOKENS_EVERY == 1
    }
}

/// A world under way.
pub struct Drive<'a> {
    pub course: Course,
    pub plan: &'a Plan,
    pub world: World,
    /// The token of another project.
    stranger: String,
    /// What answers have shown of our project, and of the other one.
    pub pool: Pool,
    pub foreign: Pool,
    pub dice: Dice,
    pub fresh: u64,
    /// What each operation has had of our own requests.
    turns: BTreeMap<&'static str, Count>,
    pub tally: Tally,
}

/// Sends a world its requests.
pub async fn drive(course: Course, plan: &Plan) -> Tally {
    let mut setup = Setup::new(course.dialect);
    setup.refuse_contention = course.world % 2 == 1;
    setup.on_disk = course.restarts();
    let world = World::with(setup).await;
    if course.jumps() {
        world.control.set_clock_mode(ClockMode::Manual, 1000).await.unwrap();
    }
    world.control.add_vswitch(VSWITCH).await.unwrap();
    let stranger = world.stranger().await;
    let (pool, foreign) = (Pool::default(), Pool::default());
    let dice = Dice::new(course.seed, course.world);
    let tally = Tally::default();
    let turns = BTreeMap::new();
    let mut drive = Drive { course, plan, world, stranger, pool, foreign, dice, fresh: 0, turns, tally };
    drive.look_around().await;
    drive.scenes().await;
    drive.populate_the_other_project().await;
    let (half, all) = (course.requests / 2, course.requests);
    drive.requests(0, half).await;
    if course.restarts() {
        drive = drive.restart().await;
    }
    drive.requests(half, all).await;
    if course.tries_tokens() {
        drive.everybody_else().await;
    }
    drive.last_look().await;
    drive.tally
}

impl<'a> Drive<'a> {
    /// Reads every list, so that the catalogue is known.
    async fn look_around(&mut self) {
        for planned in self.plan.roots() {
            let path = planned.contract.path.clone();
            let seen = self.world.get(&path).await.json;
            self.pool.learn(self.plan, &seen);
            self.foreign.learn(self.plan, &seen);
        }
    }

    /// The project that is not ours gets things of its own. Nothing of it counts as a turn.
    async fn populate_the_other_project(&mut self) {
        let creates: Vec<&Planned> = self.plan.operations.iter().filter(|planned| is_create(planned)).collect();
        for _ in 0..FOREIGN_REQUESTS {
            let planned = *self.dice.pick(&creates);
            let draft = request::draft(self.plan, planned, &self.foreign, &mut self.dice, &mut self.fresh, false);
            let request = Request { who: Who::Stranger, ..draft.request(planned) };
            let answer = self.ask(planned, &request).await;
            if answer.status < 300 {
                self.foreign.learn(self.plan, &answer.json);
            }
        }
    }

    /// The requests from `from` up to `to`.
    async fn requests(&mut self, from: usize, to: usize) {
        let mut deck: Vec<&Planned> = Vec::new();
        for number in from..to {
            if self.course.jumps() && number % JUMP_EVERY == JUMP_EVERY - 1 {
                let jump = *self.dice.pick(&JUMPS_MS);
                self.world.control.jump_clock(Jump::By(jump)).await.unwrap();
            }
            if deck.is_empty() {
                deck = new_deck(self.plan, &mut self.dice);
            }
            let Some(planned) = deck.pop() else { return };
            let planned = self.missing(planned).unwrap_or(planned);
            self.tally.number = number;
            let (request, answer) = self.turn(planned).await;
            if self.course.shows_last && number + 1 == self.course.requests {
                println!("{}", Failure::describe(&request, &answer));
            }
        }
    }

    /// One request for an operation: valid and broken ones take turns, but what this world has never granted is tried first.
    async fn turn(&mut self, planned: &'a Planned) -> (Request, Answer) {
        let turns = self.turns.entry(planned.operation.id).or_default();
        let is_wanted = turns.granted == 0 && turns.valid < WANTED_TRIES;
        let is_valid = is_wanted || turns.valid <= turns.broken;
        let draft = request::draft(self.plan, planned, &self.pool, &mut self.dice, &mut self.fresh, is_wanted);
        let parameters = draft.parameters.clone();
        let is_edge = is_valid && !is_wanted && self.dice.percent(EDGE_PERCENT);
        let edge = match is_edge {
            true => {
                let draft = request::draft(self.plan, planned, &self.pool, &mut self.dice, &mut self.fresh, true);
                broken::edge(self.plan, planned, draft, &self.foreign, (&mut self.dice, &mut self.fresh))
            }
            false => None,
        };
        let request = match (edge, is_valid) {
            (Some(edge), _) => edge,
            (None, true) => draft.request(planned),
            (None, false) => {
                let ways = &self.tally.ways;
                broken::request(self.plan, planned, draft, &self.foreign, ways, &mut self.dice)
            }
        };
        let answer = self.ask(planned, &request).await;
        let turns = self.turns.entry(planned.operation.id).or_default();
        turns.note(is_valid, answer.status);
        self.learn(planned, &request, &parameters, &answer);
        (request, answer)
    }

    /// Sends a request and judges the answer.
    pub async fn ask(&mut self, planned: &Planned, request: &Request) -> Answer {
        let (answer, faults) = self.send(request).await;
        self.judge(planned, request, &answer, faults);
        answer
    }

    /// What makes things of a noun that an operation needs and of which there are too few. The operation's turn comes again.
    fn missing(&mut self, planned: &Planned) -> Option<&'a Planned> {
        let plan = self.plan;
        let nouns = planned.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(_, noun) => Some(noun.as_str()),
            Segment::Text(_) => None,
        });
        let mut rare = nouns.filter(|noun| self.pool.count(noun) < LEAST).filter_map(|noun| plan.create(noun));
        rare.next().filter(|_| self.dice.percent(MAKE_PERCENT))
    }

    async fn send(&mut self, request: &Request) -> (Answer, Vec<String>) {
        self.world.clock.advance(self.dice.below(PAUSE_MS) as i64);
        let mut ask = self.world.ask(&request.method, &request.path).body(request.body.clone());
        if let Some(kind) = request.content_type {
            ask = ask.header("content-type", kind);
        }
        ask = match request.who {
            Who::Writer => ask,
            Who::Reader => ask.token(Some(&self.world.reader)),
            Who::Stranger => ask.token(Some(&self.stranger)),
            Who::Nobody => ask.token(None),
            Who::Unknown => ask.token(Some("nobody-has-this-token")),
            Who::NoScheme => ask.token(None).header("authorization", "Basic dTpw"),
        };
        let commits = self.world.commits();
        let (answer, mut faults) = ask.send_and_look().await;
        let only_looks = ["GET", "HEAD"].contains(&request.method.as_str());
        if (only_looks || answer.status >= 400) && self.world.commits() != commits {
            faults.push("what looks or is refused has committed".into());
        }
        (answer, faults)
    }

    fn judge(&mut self, planned: &Planned, request: &Request, answer: &Answer, mut faults: Vec<String>) {
        if answer.status >= 500 {
            faults.push("a failure of the server".into());
        }
        let fields = answer.json["error"]["details"]["fields"].to_string();
        if request.broken.is_none() && fields.contains("has the wrong type") {
            faults.push(format!("what keeps to the contract could not be read: {fields}"));
        }
        faults.extend(unexpected(&request.expect, request, answer));
        self.tally.count(planned, request, answer);
        self.tally.digest(request, answer);
        if !faults.is_empty() {
            self.tally.fail(self.course, planned, request, answer, faults);
        }
    }

    fn learn(&mut self, planned: &Planned, request: &Request, parameters: &[String], answer: &Answer) {
        if !matches!(request.who, Who::Writer | Who::Reader) {
            return;
        }
        if answer.status < 300 {
            self.pool.learn(self.plan, &answer.json);
        }
        let is_gone = answer.status == 404 && request.broken.is_none();
        let is_deleted = answer.status < 300 && planned.operation.verb == Verb::Delete;
        let noun = planned.segments.iter().rev().find_map(|segment| match segment {
            Segment::Parameter(_, noun) => Some(noun.as_str()),
            Segment::Text(_) => None,
        });
        if let Some(noun) = noun.filter(|_| is_gone || is_deleted) {
            let first = planned.segments.iter().filter_map(|segment| match segment {
                Segment::Parameter(_, noun) => Some(noun.as_str()),
                Segment::Text(_) => None,
            });
            let at = first.into_iter().position(|one| one == noun).unwrap_or_default();
            if let Some(text) = parameters.get(at) {
                self.pool.forget(noun, text);
            }
        }
    }

    /// A new process with cold caches shows what the old one has shown, to the byte.
    async fn restart(mut self) -> Self {
        self.last_look().await;
        let (before, granted) = crawl::everything(&self.world, self.plan).await;
        for (operation, times) in granted {
            let count = self.tally.counts.entry((operation, self.course.dialect.name())).or_default();
            (count.valid, count.granted) = (count.valid + times, count.granted + times);
        }
        self.world = self.world.restart().await;
        let (after, _) = crawl::everything(&self.world, self.plan).await;
        self.tally.compared += before.len();
        for fault in crawl::differences(&before, &after) {
            self.tally.fail_world(self.course, &fault);
        }
        self
    }

    /// Nothing is left in the middle, and the rows keep to what must always hold.
    async fn last_look(&mut self) {
        for planned in self.plan.roots() {
            let asks_running =
                planned.contract.query.iter().any(|q| q.name == "status" && q.values.iter().any(|v| **v == *"running"));
            if asks_running && planned.contract.path.ends_with("/actions") {
                let seen = self.world.see(&format!("{}?status=running", planned.contract.path)).await;
                if seen["actions"] != serde_json::json!([]) {
                    self.tally.fail_world(self.course, &format!("still running: {}", seen["actions"]));
                }
            }
        }
        let checked = self.world.control.db().read_blocking(|tx: &mut dyn Tx| invariant::check(tx));
        if let Err(error) = checked {
            self.tally.fail_world(self.course, &format!("an invariant is broken: {error}"));
        }
        if self
            .world
            .api
            .metrics
            .render(0)
            .lines()
            .any(|line| line.contains("panics_total") && !line.ends_with(" 0") && !line.starts_with('#'))
        {
            self.tally.fail_world(self.course, "a handler panicked");
        }
    }
}

/// Every operation, in an order of chance; what makes things more than once.
fn new_deck<'a>(plan: &'a Plan, dice: &mut Dice) -> Vec<&'a Planned> {
    let times = |planned: &&Planned| if is_create(planned) { CREATES } else { 1 };
    let mut deck: Vec<&Planned> =
        plan.operations.iter().flat_map(|one| std::iter::repeat_n(one, times(&one))).collect();
    dice.shuffle(&mut deck);
    deck
}

fn is_create(planned: &Planned) -> bool {
    planned.operation.id.starts_with("create_") && planned.contract.ended.is_none()
}

/// Whether a refusal names a field, or one that it stands in: where the whole is out of place, nobody looks at its parts.
fn is_told(answer: &Answer, field: &str) -> bool {
    let fields = answer.json["error"]["details"]["fields"].as_array();
    let stands_in =
        |name: &str| field.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    fields.into_iter().flatten().filter_map(|one| one["name"].as_str()).any(stands_in)
}

/// How an answer differs from what must come of its request.
fn unexpected(expect: &Expect, request: &Request, answer: &Answer) -> Option<String> {
    let is_invalid = answer.status == 422 && answer.code() == Some("invalid_input");
    let names = |field: &str| {
        let fields = answer.json["error"]["details"]["fields"].as_array();
        fields.is_some_and(|fields| fields.iter().any(|one| one["name"] == field))
    };
    let holds = match expect {
        Expect::Anything => true,
        Expect::Refused => answer.status >= 400,
        Expect::Status(statuses) => statuses.contains(&answer.status),
        Expect::Field(field) => is_invalid && names(field),
        Expect::Rule(field) => answer.status >= 400 && (!is_invalid || is_told(answer, field)),
        Expect::NotBlamed(field) => !is_invalid || !names(field),
    };
    let why = request.broken.or(request.edge).unwrap_or("nothing is wrong with it");
    (!holds).then(|| format!("{why}: expected {expect:?}, came {}", answer.status))
}
