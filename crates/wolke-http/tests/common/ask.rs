//! One request and its answer, both held against the contract.

use super::world::World;
use axum::body::{Body, Bytes};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::sync::LazyLock;
use tower::ServiceExt as _;
use wolke_http::operation::{Operation, Verb};
use wolke_http::route::Routes;
use wolke_wire::Dialect;
use wolke_wire::contract::OperationContract;

static ROUTES: LazyLock<Routes> = LazyLock::new(Routes::new);

/// A request under construction.
pub struct Ask<'a> {
    world: &'a World,
    request: http::request::Builder,
    method: String,
    path: String,
    token: Option<String>,
    body: Vec<u8>,
}

impl<'a> Ask<'a> {
    pub fn new(world: &'a World, method: &str, path: &str) -> Self {
        Self {
            world,
            request: Request::builder().header("host", "wolke.test:4280"),
            method: method.into(),
            path: path.into(),
            token: Some(world.token.clone()),
            body: Vec::new(),
        }
    }

    /// Another token, or none.
    pub fn token(mut self, token: Option<&str>) -> Self {
        self.token = token.map(str::to_owned);
        self
    }

    /// A header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// A JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body(body.to_string()).header("content-type", "application/json")
    }

    /// Any body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it, checks everything that holds of all answers, and gives the answer.
    pub async fn send(self) -> Answer {
        let (answer, faults) = self.send_and_look().await;
        assert!(faults.is_empty(), "{}: {faults:#?}", answer.what);
        answer
    }

    /// Sends it; gives the answer, and what should hold of all answers and does not hold of this one.
    pub async fn send_and_look(self) -> (Answer, Vec<String>) {
        let Self { world, request, method, path, token, body } = self;
        let what = format!("{} {method} {path}", world.setup.dialect);
        let mut request = request.method(method.as_str()).uri(format!("/v1{path}"));
        if let Some(token) = &token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let commits = world.commits();
        let sent = request.body(Body::from(body.clone())).unwrap();
        let response = world.router.clone().oneshot(sent).await.unwrap();
        let (parts, received) = response.into_parts();
        let received = received.collect().await.unwrap().to_bytes();
        let mut faults = Vec::new();
        let json = match received.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&received).unwrap_or_else(|error| {
                faults.push(format!("the answer is no JSON: {error}"));
                Value::Null
            }),
        };
        let status = parts.status.as_u16();
        let answer = Answer { what, status, headers: parts.headers, json, bytes: received };
        answer.check_headers(answer.bytes.is_empty() && method != "HEAD", &mut faults);
        if (400..500).contains(&answer.status) && world.commits() != commits {
            faults.push("a refusal has committed".into());
        }
        check_contract(world, &answer, &method, &path, &body, &mut faults);
        (answer, faults)
    }
}

/// How much of an answer is printed beside what is wrong with it, in characters.
const SHOWN_MAX: usize = 2000;

/// Newer values that stay visible in older dialects, where their clients read the member as any string (dialects A.10).
fn is_known(dialect: Dialect, path: &str, message: &str) -> bool {
    let old = matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07);
    let flavor = old && path.ends_with("os_flavor");
    flavor || (dialect == Dialect::D2018_04 && path.ends_with("cpu_type") && message.starts_with("'dedicated'"))
}

/// The table's operation at a path, if the dialect has it.
fn operation(world: &World, method: &str, path: &str) -> Option<(&'static Operation, &'static OperationContract)> {
    let verb = Verb::of(&method.parse().unwrap())?;
    let (route, _) = ROUTES.find(path.split('?').next().unwrap())?;
    ROUTES.operation(route, verb, world.setup.dialect)
}

fn check_contract(world: &World, answer: &Answer, method: &str, path: &str, body: &[u8], faults: &mut Vec<String>) {
    let shown = || answer.json.to_string().chars().take(SHOWN_MAX).collect::<String>();
    let Some((operation, contract)) = operation(world, method, path) else {
        if answer.status < 400 || (answer.code().is_none() && method != "HEAD") {
            faults.push(format!("what the contract lacks was answered: {} {}", answer.status, shown()));
        }
        return;
    };
    if method != "HEAD" {
        let mut violations = contract.check_response(answer.status, &answer.json);
        violations.retain(|violation| !is_known(world.setup.dialect, &violation.path, &violation.message));
        if !violations.is_empty() {
            faults.push(format!("the answer breaks the contract: {violations:#?} in {}", shown()));
        }
    }
    if answer.status < 300 {
        let sent = serde_json::from_slice(body).unwrap_or(Value::Null);
        if !contract.check_request(&sent).is_ok() {
            faults.push("a request that breaks the contract was granted".into());
        }
        world.succeeded.lock().unwrap().push((operation.id, world.restarts));
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// What was asked.
    pub what: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null when there was none.
    pub json: Value,
    /// The body as it came.
    pub bytes: Bytes,
}

impl Answer {
    /// The body of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {} {}", self.what, self.status, self.json);
        self.json
    }

    /// The error's code.
    pub fn code(&self) -> Option<&str> {
        self.json["error"]["code"].as_str()
    }

    /// The error's message.
    pub fn message(&self) -> &str {
        self.json["error"]["message"].as_str().unwrap_or_default()
    }

    /// Must be a refusal.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status, self.code()), (status, Some(code)), "{}: {}", self.what, self.json);
        self
    }

    /// Must be `invalid_input` in exactly these fields.
    #[track_caller]
    pub fn wrong(&self, fields: &[&str]) -> &Self {
        self.refused(422, "invalid_input");
        let named = self.json["error"]["details"]["fields"].as_array().unwrap();
        let mut named: Vec<&str> = named.iter().map(|field| field["name"].as_str().unwrap()).collect();
        named.sort_unstable();
        let mut fields = fields.to_vec();
        fields.sort_unstable();
        assert_eq!(named, fields, "{}: {}", self.what, self.json);
        self
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// A header as a number.
    pub fn number(&self, name: &str) -> i64 {
        self.header(name).unwrap_or_else(|| panic!("{}: no {name}", self.what)).parse().unwrap()
    }

    fn check_headers(&self, is_empty: bool, faults: &mut Vec<String>) {
        let mut demand = |holds: bool, what: &str| {
            if !holds {
                faults.push(format!("{what}: {:?}", self.headers));
            }
        };
        let correlation = self.header("x-correlation-id").unwrap_or_default();
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        demand(!correlation.is_empty() && correlation.bytes().all(is_hex), "no correlation id");
        let number = |name| self.header(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(-1);
        let (limit, remaining) = (number("ratelimit-limit"), number("ratelimit-remaining"));
        demand((0..=limit).contains(&remaining) && number("ratelimit-reset") > 0, "no rate limit");
        let kind = self.header("content-type");
        demand(kind.is_some_and(|kind| kind.starts_with("application/json")) != is_empty, "the content type");
        demand(kind.is_none() == is_empty, "the content type of nothing");
    }
}
