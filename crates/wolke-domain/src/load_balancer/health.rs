//! Health checks of services: how they are asked for, and what they find (fact sheet §3.7, dialects D.1).

use super::service::{PORTS, number};
use crate::FieldError;
use serde::{Deserialize, Serialize};
use wolke_wire::cloud::load_balancer::{
    ChangeHealthCheck, ChangeHealthCheckHttp, HealthCheck, HealthCheckHttp, HealthCheckProtocol, HealthDetail,
    HealthStatus, Protocol, TargetHealth,
};

/// Seconds between two checks, seconds that one may take, and failures that count, when nothing is said.
const INTERVAL_S: u32 = 15;
const TIMEOUT_S: u32 = 10;
const RETRIES: u32 = 3;
/// What they may be.
const INTERVALS_S: std::ops::RangeInclusive<i64> = 3..=60;
const TIMEOUTS_S: std::ops::RangeInclusive<i64> = 1..=60;
const RETRIES_ALLOWED: std::ops::RangeInclusive<i64> = 1..=5;
/// Status codes that are well when nothing is said.
const STATUS_CODES: [&str; 2] = ["2??", "3??"];
/// Patterns of status codes of one check.
const STATUS_CODES_MAX: usize = 32;
/// The longest domain, path and expected text.
const TEXT_LENGTH_MAX: usize = 1_024;

/// The health check of a new service: of its protocol, at the targets' port.
pub(super) fn make(
    at: &str,
    service: Protocol,
    destination_port: u16,
    asked: Option<&ChangeHealthCheck>,
    errors: &mut Vec<FieldError>,
) -> HealthCheck {
    let default = if service == Protocol::Tcp { HealthCheckProtocol::Tcp } else { HealthCheckProtocol::Http };
    let fresh = HealthCheck {
        protocol: asked.and_then(|asked| asked.protocol).unwrap_or(default),
        port: destination_port,
        interval: INTERVAL_S,
        timeout: TIMEOUT_S,
        retries: RETRIES,
        http: None,
    };
    changed(at, fresh, asked, errors)
}

/// A changed health check: what is absent stays.
pub(super) fn change(
    old: &HealthCheck,
    asked: Option<&ChangeHealthCheck>,
    errors: &mut Vec<FieldError>,
) -> HealthCheck {
    changed("", old.clone(), asked, errors)
}

fn changed(
    at: &str,
    mut check: HealthCheck,
    asked: Option<&ChangeHealthCheck>,
    errors: &mut Vec<FieldError>,
) -> HealthCheck {
    let nothing = ChangeHealthCheck::default();
    let asked = asked.unwrap_or(&nothing);
    let field = |name: &str| format!("{at}health_check.{name}");
    check.protocol = asked.protocol.unwrap_or(check.protocol);
    if let Some(port) = asked.port {
        check.port = number(&field("port"), port, PORTS, errors);
    }
    if let Some(seconds) = asked.interval {
        check.interval = number(&field("interval"), seconds, INTERVALS_S, errors);
    }
    if let Some(seconds) = asked.timeout {
        check.timeout = number(&field("timeout"), seconds, TIMEOUTS_S, errors);
    }
    if let Some(retries) = asked.retries {
        check.retries = number(&field("retries"), retries, RETRIES_ALLOWED, errors);
    }
    if check.protocol == HealthCheckProtocol::Tcp {
        if asked.http.as_ref().is_some_and(|http| *http != ChangeHealthCheckHttp::default()) {
            errors.push(FieldError::new(field("http"), "is only possible with protocol http"));
        }
        check.http = None;
        return check;
    }
    let mut http = check.http.take().unwrap_or_else(|| HealthCheckHttp {
        domain: Some(String::new()),
        path: "/".to_owned(),
        response: String::new(),
        status_codes: STATUS_CODES.map(str::to_owned).to_vec(),
        tls: false,
    });
    if let Some(asked) = &asked.http {
        change_http(&field("http."), &mut http, asked, errors);
    }
    check.http = Some(http);
    check
}

fn change_http(at: &str, http: &mut HealthCheckHttp, asked: &ChangeHealthCheckHttp, errors: &mut Vec<FieldError>) {
    let mut text = |name: &str, value: &str, is_well: bool, rule: &str| {
        if !is_well {
            errors.push(FieldError::new(format!("{at}{name}"), rule));
        } else if value.len() > TEXT_LENGTH_MAX {
            let rule = format!("must not be longer than {TEXT_LENGTH_MAX} bytes");
            errors.push(FieldError::new(format!("{at}{name}"), rule));
        }
    };
    if let Some(domain) = &asked.domain {
        let value = domain.as_deref().unwrap_or_default();
        let is_well = !value.contains(|c: char| c.is_whitespace() || c == '%' || c == '\\');
        text("domain", value, is_well, "must not hold white space, '%' or '\\'");
        http.domain.clone_from(domain);
    }
    if let Some(path) = &asked.path {
        let is_well = path.starts_with('/') && !path.contains(char::is_whitespace);
        text("path", path, is_well, "must begin with '/' and not hold white space");
        http.path.clone_from(path);
    }
    if let Some(response) = &asked.response {
        text("response", response, true, "");
        http.response.clone_from(response);
    }
    if let Some(codes) = &asked.status_codes {
        let is_well = (1..=STATUS_CODES_MAX).contains(&codes.len()) && codes.iter().all(|code| is_status_pattern(code));
        text("status_codes", "", is_well, "must be patterns of status codes such as 200, 2?? or 4*");
        http.status_codes.clone_from(codes);
    }
    http.tls = asked.tls.unwrap_or(http.tls);
}

/// Digits, `?` for one of them and `*` for any number, that some code of three digits can match.
fn is_status_pattern(pattern: &str) -> bool {
    let fixed = pattern.chars().filter(|c| *c != '*').count();
    let has_star = pattern.contains('*');
    let known = pattern.chars().all(|c| c.is_ascii_digit() || c == '?' || c == '*');
    known && !pattern.is_empty() && pattern.len() <= 5 && if has_star { fixed <= 3 } else { fixed == 3 }
}

/// Whether a status code matches a pattern.
#[must_use]
pub fn status_matches(pattern: &str, code: u16) -> bool {
    fn matches(pattern: &[u8], code: &[u8]) -> bool {
        match (pattern.split_first(), code.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) if matches(rest, code) => true,
            (Some((b'*', _)), Some((_, rest))) => matches(pattern, rest),
            (Some((b'?', pattern)), Some((_, code))) => matches(pattern, code),
            (Some((wanted, pattern)), Some((got, code))) => wanted == got && matches(pattern, code),
            _ => false,
        }
    }
    matches(pattern.as_bytes(), code.to_string().as_bytes())
}

/// What a target answers to whoever connects: what is simulated of its guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guest {
    /// There is no way to it: it has no address there, or nobody knows it.
    NoWay,
    /// It is off: nobody answers.
    Silent,
    /// A firewall drops what comes for this port.
    Blocked,
    /// It takes connections and then says nothing.
    Mute,
    /// It takes connections and answers requests.
    Answers {
        /// With this status code.
        status: u16,
        /// And this page.
        page: String,
    },
}

/// What the operator has told a simulated guest to do at a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case")]
pub enum Told {
    /// Nothing listens there.
    Refuse,
    /// What comes is dropped.
    Drop,
    /// Connections are taken, requests never answered.
    Hang,
    /// Requests are answered.
    Answer {
        /// With this status code.
        status: u16,
        /// And this page.
        page: String,
    },
}

/// The longest page that a guest can be told to answer, in bytes.
pub const PAGE_BYTES_MAX: usize = 4_096;
/// Status codes that it can be told to answer.
pub const STATUSES: std::ops::RangeInclusive<u16> = 100..=599;

impl Told {
    /// Checks what an operator says.
    ///
    /// # Errors
    /// The wrong fields.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let Self::Answer { status, page } = self else { return Ok(()) };
        let mut wrong = Vec::new();
        if !STATUSES.contains(status) {
            let text = format!("must be between {} and {}", STATUSES.start(), STATUSES.end());
            wrong.push(FieldError::new("status", text));
        }
        if page.len() > PAGE_BYTES_MAX {
            wrong.push(FieldError::new("page", format!("must not be longer than {PAGE_BYTES_MAX} bytes")));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// A target as a load balancer meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Met<'a> {
    /// Both have an interface on the way between them.
    pub has_way: bool,
    /// Its machine runs.
    pub runs: bool,
    /// Its firewalls let in what comes for the port.
    pub is_let_in: bool,
    /// What the operator has told it.
    pub told: Option<&'a Told>,
}

impl Guest {
    /// What comes of how a target is met: the first obstacle on the way.
    #[must_use]
    pub fn met(met: &Met<'_>) -> Self {
        match met {
            Met { has_way: false, .. } => Self::NoWay,
            Met { runs: false, .. } => Self::Silent,
            Met { is_let_in: false, .. } => Self::Blocked,
            Met { told: Some(Told::Refuse), .. } => Self::NoWay,
            Met { told: Some(Told::Drop), .. } => Self::Silent,
            Met { told: Some(Told::Hang), .. } => Self::Mute,
            Met { told: Some(Told::Answer { status, page }), .. } => {
                Self::Answers { status: *status, page: page.clone() }
            }
            Met { told: None, .. } => Self::well(),
        }
    }

    /// One that is well and that nobody has told to answer anything else.
    #[must_use]
    pub fn well() -> Self {
        Self::Answers { status: 200, page: String::new() }
    }
}

/// What a check of a service finds at a target. Where checks take no time that is the verdict at once; else they come to it
/// when they have found it often enough ([`super::verdict`]).
#[must_use]
pub fn judge(listen_port: u16, check: &HealthCheck, guest: &Guest) -> TargetHealth {
    let fault = match (guest, &check.http) {
        (Guest::NoWay, _) => Some((HealthDetail::Layer4NoConnection, None)),
        (Guest::Silent | Guest::Blocked, _) => Some((HealthDetail::Layer4Timeout, None)),
        (Guest::Answers { .. } | Guest::Mute, None) => None,
        (Guest::Mute, Some(_)) => Some((HealthDetail::Layer7Timeout, None)),
        (Guest::Answers { status, page }, Some(http)) => {
            if !http.status_codes.iter().any(|pattern| status_matches(pattern, *status)) {
                Some((HealthDetail::UnexpectedHttpStatus, Some(*status)))
            } else if http.response.is_empty() || page.contains(&http.response) {
                None
            } else {
                Some((HealthDetail::UnexpectedHttpContent, None))
            }
        }
    };
    let status = if fault.is_some() { HealthStatus::Unhealthy } else { HealthStatus::Healthy };
    let (detail, http_status_code) = fault.map_or((None, None), |(detail, code)| (Some(detail), code));
    TargetHealth { listen_port, status, detail, http_status_code }
}
