//! A request of the Cloud API from its head to its answer: one function, its steps in order.
//!
//! Correlation id → token → rate limit → path → dialect → method → scope → the operator's faults → ids, query and body
//! against the contract → handler. A path that leads nowhere is `not_found` with or without a token; everything behind a path asks for one.

use crate::api::Api;
use crate::call::{Call, Reply};
use crate::caught::Caught;
use crate::error::{check, ended, no_route, not_yet, refusal};
use crate::operation::{Operation, RateClass, Verb};
use crate::query;
use crate::rate::{Source, Standing};
use crate::read;
use crate::route::{Parameter, Parameters, Route};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, LINK};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use wolke_control::Caller;
use wolke_domain::fault::When;
use wolke_domain::{Error, Result};
use wolke_wire::contract::{Contract, OperationContract};
use wolke_wire::{Dialect, ErrorCode, ID_MAX, Id, Kind};

/// The header that ties an answer to the log.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How much of a path parameter is repeated in a message, in characters.
const ECHO_MAX: usize = 64;

/// The longest name in a path, in bytes; that of a zone has at most 253.
const NAME_BYTES_MAX: usize = 255;

/// Where a connection comes from; [`crate::server`] puts it into every request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// What is known of a request so far; read by the log and the headers, whatever becomes of it.
#[derive(Default)]
struct Trail {
    token: Option<Id>,
    project: Option<Id>,
    dialect: Dialect,
    operation: Option<&'static Operation>,
    contract: Option<&'static OperationContract>,
    standing: Option<Standing>,
    allow: Option<String>,
}

/// What a token leads to, as far as this path needs it.
struct Holder {
    project: Id,
    dialect: Dialect,
    writes: bool,
}

/// Answers a request of the Cloud API.
pub async fn handle(State(api): State<Arc<Api>>, request: Request) -> Response {
    let correlation = api.correlations.next();
    let begun = api.clock.monotonic_ms();
    let (parts, body) = request.into_parts();
    let mut trail = Trail { dialect: api.settings.dialect, ..Trail::default() };
    let outcome = match Caught::new(answer(&api, &parts, body, &mut trail)).await {
        Some(outcome) => outcome,
        None => {
            api.metrics.panic();
            Err(Error::internal("the handler panicked"))
        }
    };
    if let Err(error @ (Error::Internal { .. } | Error::Unavailable { .. })) = &outcome {
        tracing::error!(correlation = format_args!("{correlation:016x}"), error = %error, "request failed");
    }
    let mut response = respond(outcome, &trail);
    put_headers(&mut response, correlation, &trail);
    let duration_ms = api.clock.monotonic_ms() - begun;
    let operation = trail.operation.map(|operation| operation.id);
    api.metrics.request(operation, response.status().as_u16(), duration_ms);
    tracing::info!(
        method = %parts.method,
        path = parts.uri.path(),
        status = response.status().as_u16(),
        duration_ms,
        token = trail.token,
        project = trail.project,
        operation,
        correlation = format_args!("{correlation:016x}"),
        "request"
    );
    response
}

/// Everything between the head and the answer.
async fn answer(api: &Arc<Api>, parts: &Parts, body: Body, trail: &mut Trail) -> Result<Reply> {
    let holder = authenticate(api, parts, trail).await?;
    let verb = Verb::of(&parts.method);
    count(api, parts, verb, trail)?;
    let path = parts.uri.path().strip_prefix(crate::PREFIX).unwrap_or_default();
    let Some((route, parameters)) = api.routes.find(path) else {
        // Strangers are not worth the reading of a contract.
        return Err(if holder.is_some() { nowhere(verb, path, trail.dialect) } else { no_route() });
    };
    let holder = holder.ok_or_else(|| Error::refused(ErrorCode::Unauthorized, "unable to authenticate"))?;
    let (operation, contract) = find(api, (route, path), verb, parts, trail)?;
    if contract.ended.is_some() {
        return Err(ended());
    }
    if operation.mutating() && !holder.writes {
        let forbidden = holder.dialect.readonly_token_is_forbidden();
        let code = if forbidden { ErrorCode::Forbidden } else { ErrorCode::TokenReadonly };
        return Err(Error::refused(code, "the token is read-only"));
    }
    api.control.refresh_operator().await?;
    let fault = api.control.fault(operation.id, operation.target).await?;
    if let Some((When::Before, error)) = fault {
        return Err(error);
    }
    let (ids, names) = (ids(parameters)?, names(parameters)?);
    let query = query(contract, parts)?;
    let body = if operation.mutating() { checked_body(api, contract, body).await? } else { Value::Null };
    let call = Call {
        control: Arc::clone(&api.control),
        caller: Caller { project: holder.project, dialect: holder.dialect, operation: operation.id },
        operation,
        contract,
        ids,
        names,
        query,
        body,
        origin: origin(parts),
        uri: parts.uri.clone(),
    };
    let reply = (operation.handler)(call).await?;
    // The work is done, and the client is not to know.
    fault.map_or(Ok(reply), |(_, error)| Err(error))
}

/// The holder of the token in the `Authorization` header; none without one that leads anywhere.
async fn authenticate(api: &Api, parts: &Parts, trail: &mut Trail) -> Result<Option<Holder>> {
    let Some(secret) = parts.headers.get(AUTHORIZATION).and_then(bearer) else { return Ok(None) };
    let Some(token) = api.control.authenticate(secret).await? else { return Ok(None) };
    trail.token = Some(token.id);
    trail.project = Some(token.project);
    trail.dialect = token.dialect.unwrap_or(api.settings.dialect);
    Ok(Some(Holder { project: token.project, dialect: trail.dialect, writes: token.writes }))
}

/// The token of `Bearer TOKEN`; the scheme is case-insensitive (RFC 9110 §11.1).
fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Counts the request, known or not, against its project or its source address (dialects D.1).
fn count(api: &Api, parts: &Parts, verb: Option<Verb>, trail: &mut Trail) -> Result<()> {
    let source = match trail.project {
        Some(project) => Source::Project(project),
        None => {
            Source::address(parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0))
        }
    };
    let class = if verb == Some(Verb::Get) { RateClass::Read } else { RateClass::Write };
    let standing = api.rates.count(source, class.cost(), api.clock.wall());
    trail.standing = Some(standing);
    if standing.exceeded {
        let message = format!("limit of {} requests per hour reached", standing.limit);
        return Err(Error::refused(ErrorCode::RateLimitExceeded, message));
    }
    Ok(())
}

/// The operation on a route. What the dialect has and this server has not yet is not there, rather than not allowed.
fn find(
    api: &Api,
    (route, path): (&Route, &str),
    verb: Option<Verb>,
    parts: &Parts,
    trail: &mut Trail,
) -> Result<(&'static Operation, &'static OperationContract)> {
    let dialect = trail.dialect;
    if let Some((operation, contract)) = verb.and_then(|verb| api.routes.operation(route, verb, dialect)) {
        trail.operation = Some(operation);
        trail.contract = Some(contract);
        return Ok((operation, contract));
    }
    let allowed = api.routes.allowed(route, dialect);
    // The name of an action stands where a GET has an action's id: one that is unknown does not exist.
    let is_action = verb == Some(Verb::Post) && route.template.ends_with("/actions/{action_id}");
    if allowed.is_empty() {
        return Err(no_route());
    }
    if is_action || is_documented(verb, path, dialect) {
        return Err(nowhere(verb, path, dialect));
    }
    trail.allow = Some(allowed.join(", "));
    let message = format!("method {} is not allowed here", parts.method);
    Err(Error::refused(ErrorCode::MethodNotAllowed, message))
}

/// Says of a path that leads nowhere whether it will once.
fn nowhere(verb: Option<Verb>, path: &str, dialect: Dialect) -> Error {
    if is_documented(verb, path, dialect) { not_yet() } else { no_route() }
}

fn is_documented(verb: Option<Verb>, path: &str, dialect: Dialect) -> bool {
    verb.is_some_and(|verb| Contract::of(dialect).documents(verb.as_str(), path))
}

/// The ids of the path. What is no id names nothing, and clients that hold a name in their hands ask that way.
fn ids(parameters: Parameters<'_>) -> Result<[Id; crate::route::PARAMETERS_MAX]> {
    let mut ids = [0; crate::route::PARAMETERS_MAX];
    let parameters = parameters.into_iter().flatten().filter_map(|(parameter, text)| match parameter {
        Parameter::Id(kind) => Some((kind, text)),
        Parameter::Name => None,
    });
    for (slot, (kind, text)) in ids.iter_mut().zip(parameters) {
        *slot = id(text).ok_or_else(|| no_such(kind, text))?;
    }
    Ok(ids)
}

/// The names of the path. Nothing is called by a text that no name can be.
fn names(parameters: Parameters<'_>) -> Result<Vec<String>> {
    let names = parameters.into_iter().flatten().filter(|(parameter, _)| *parameter == Parameter::Name);
    let names: Vec<String> = names.map(|(_, text)| query::decode_path(text)).collect();
    let is_none = |name: &String| name.len() > NAME_BYTES_MAX || name.contains('\0');
    if names.iter().any(is_none) {
        return Err(Error::NotFound { message: "the path names nothing that exists".into() });
    }
    Ok(names)
}

fn id(text: &str) -> Option<Id> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|id| (1..=ID_MAX).contains(id))
}

fn no_such(kind: Kind, text: &str) -> Error {
    let text: String = query::decode(text).chars().take(ECHO_MAX).collect();
    Error::NotFound { message: format!("{} with ID '{text}' not found", kind.label()) }
}

/// The documented pairs of the query, checked; what the dialect does not document is ignored.
fn query(contract: &OperationContract, parts: &Parts) -> Result<query::Pairs> {
    let mut pairs = query::parse(parts.uri.query().unwrap_or_default()).ok_or_else(|| Error::InvalidInput {
        fields: Vec::new(),
        message: Some(format!("the query has more than {} parameters", query::PAIRS_MAX)),
    })?;
    pairs.retain(|(name, _)| contract.query.iter().any(|parameter| parameter.name == *name));
    check(contract.check_query(&pairs))?;
    Ok(pairs)
}

/// Operations whose message about wrong fields is compared word for word: it names them and says no more (fact sheet §6.4).
const NAMED_WITHOUT_REASONS: &[&str] = &["load_balancer_change_algorithm"];

/// The body, checked; members that the dialect does not document are counted and cut off.
async fn checked_body(api: &Api, contract: &OperationContract, body: Body) -> Result<Value> {
    let mut body = read::json(body).await?;
    let report = contract.check_request(&body);
    if report.unknown > 0 {
        api.metrics.unknown_members(report.unknown);
    }
    let is_bare = NAMED_WITHOUT_REASONS.contains(&contract.id.as_str());
    check(report.violations).map_err(|error| if is_bare { error.without_reasons() } else { error })?;
    match &contract.request {
        None => Ok(Value::Null),
        Some(schema) => {
            if report.unknown > 0 {
                schema.prune(&mut body);
            }
            schema.without_nulls(&mut body);
            Ok(body)
        }
    }
}

/// Scheme and authority as the client wrote them. Behind TLS the proxy is asked; empty, and so relative, without a host.
fn origin(parts: &Parts) -> String {
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(HOST.as_str()).or_else(|| parts.uri.authority().map(http::uri::Authority::as_str));
    let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
    host.map_or_else(String::new, |host| format!("{scheme}://{host}"))
}

/// The response without the headers that every one has.
fn respond(outcome: Result<Reply>, trail: &Trail) -> Response {
    let success = trail
        .contract
        .map_or(StatusCode::OK, |contract| StatusCode::from_u16(contract.success_status()).unwrap_or(StatusCode::OK));
    match outcome {
        Ok(Reply::Json(json)) => with_json(success, Body::from(json)),
        Ok(Reply::Page { json, link }) => {
            let mut response = with_json(success, Body::new(json));
            // The link repeats the request's own bytes; what is no header value is left out.
            if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
                response.headers_mut().insert(LINK, link);
            }
            response
        }
        Ok(Reply::Nothing) => with_status(success, Body::empty()),
        Err(error) => {
            let operation = trail.operation.map_or("", |operation| operation.id);
            let refusal = refusal(&error, operation, trail.dialect);
            let json = serde_json::to_vec(&refusal.envelope).unwrap_or_default();
            let mut response = with_json(refusal.status, Body::from(json));
            if let Some(allow) = trail.allow.as_ref().and_then(|allow| HeaderValue::try_from(allow).ok()) {
                response.headers_mut().insert(ALLOW, allow);
            }
            response
        }
    }
}

fn with_status(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn with_json(status: StatusCode, json: Body) -> Response {
    let mut response = with_status(status, json);
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

fn put_headers(response: &mut Response, correlation: u64, trail: &Trail) {
    let headers = response.headers_mut();
    if let Ok(correlation) = HeaderValue::try_from(format!("{correlation:016x}")) {
        headers.insert(CORRELATION_ID, correlation);
    }
    if let Some(standing) = trail.standing {
        headers.insert(RATE_LIMIT, HeaderValue::from(standing.limit));
        headers.insert(RATE_REMAINING, HeaderValue::from(standing.remaining));
        headers.insert(RATE_RESET, HeaderValue::from(standing.reset));
    }
}
