//! Services of load balancers: defaults, what each protocol has, and partial changes (fact sheet §3.7, dialects D.1).

use super::health;
use crate::FieldError;
use wolke_wire::cloud::load_balancer::{ChangeService, ChangeServiceHttp, Protocol, Service, ServiceHttp};

/// The ports that there are.
pub const PORTS: std::ops::RangeInclusive<i64> = 1..=65_535;
/// The ports of a service of HTTP or HTTPS that names none, and of the targets of both.
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
/// The cookie of sticky sessions when none is named.
pub const COOKIE_NAME: &str = "HCLBSTICKY";
/// How long it lasts when nothing is said, in seconds.
pub const COOKIE_LIFETIME_S: u32 = 300;
/// How long it may last, in seconds: a year.
const COOKIE_LIFETIMES_S: std::ops::RangeInclusive<i64> = 1..=31_536_000;
/// The longest name of a cookie.
const COOKIE_NAME_LENGTH_MAX: usize = 64;
/// After how many seconds without traffic a connection is closed when nothing is said.
pub const IDLE_TIMEOUT_S: u32 = 50;
/// What it may be, in seconds.
const IDLE_TIMEOUTS_S: std::ops::RangeInclusive<i64> = 1..=3_600;

/// A new service, with the defaults of its protocol. Fields of errors begin with `at`, such as `services[0].`.
///
/// # Errors
/// Every wrong field.
pub fn make(at: &str, asked: &ChangeService) -> Result<Service, Vec<FieldError>> {
    let mut errors = Vec::new();
    let Some(protocol) = asked.protocol else {
        return Err(vec![FieldError::new(format!("{at}protocol"), "is required")]);
    };
    let (listen, destination) = match protocol {
        Protocol::Tcp => (None, None),
        Protocol::Http => (Some(HTTP_PORT), Some(HTTP_PORT)),
        Protocol::Https => (Some(HTTPS_PORT), Some(HTTP_PORT)),
    };
    let mut port = |field: &str, asked: Option<i64>, default: Option<u16>| match (asked, default) {
        (Some(asked), _) => number(&format!("{at}{field}"), asked, PORTS, &mut errors),
        (None, Some(default)) => default,
        (None, None) => {
            errors.push(FieldError::new(format!("{at}{field}"), "is required with protocol tcp"));
            0
        }
    };
    let listen_port = port("listen_port", asked.listen_port, listen);
    let destination_port = port("destination_port", asked.destination_port, destination);
    let http = http(at, protocol, None, asked.http.as_ref(), &mut errors);
    let health_check = health::make(at, protocol, destination_port, asked.health_check.as_ref(), &mut errors);
    let proxyprotocol = asked.proxyprotocol.unwrap_or(false);
    let service = Service { protocol, listen_port, destination_port, proxyprotocol, http, health_check };
    if errors.is_empty() { Ok(service) } else { Err(errors) }
}

/// A changed service: what is absent stays. After a change of the protocol the health check is what it was, and HTTP gets its
/// defaults or goes (fact sheet §3.7).
///
/// # Errors
/// Every wrong field.
pub fn change(old: &Service, asked: &ChangeService) -> Result<Service, Vec<FieldError>> {
    let mut errors = Vec::new();
    let protocol = asked.protocol.unwrap_or(old.protocol);
    let destination_port = asked
        .destination_port
        .map_or(old.destination_port, |port| number("destination_port", port, PORTS, &mut errors));
    let http = http("", protocol, old.http.as_ref(), asked.http.as_ref(), &mut errors);
    let health_check = health::change(&old.health_check, asked.health_check.as_ref(), &mut errors);
    let proxyprotocol = asked.proxyprotocol.unwrap_or(old.proxyprotocol);
    let listen_port = old.listen_port;
    let service = Service { protocol, listen_port, destination_port, proxyprotocol, http, health_check };
    if errors.is_empty() { Ok(service) } else { Err(errors) }
}

/// A number within bounds; what is returned for a wrong one is never used.
pub(super) fn number<T: TryFrom<i64> + Default>(
    field: &str,
    asked: i64,
    allowed: std::ops::RangeInclusive<i64>,
    errors: &mut Vec<FieldError>,
) -> T {
    if !allowed.contains(&asked) {
        let text = format!("must be between {} and {}", allowed.start(), allowed.end());
        errors.push(FieldError::new(field, text));
    }
    T::try_from(asked).unwrap_or_default()
}

/// The part that only HTTP and HTTPS have.
fn http(
    at: &str,
    protocol: Protocol,
    old: Option<&ServiceHttp>,
    asked: Option<&ChangeServiceHttp>,
    errors: &mut Vec<FieldError>,
) -> Option<ServiceHttp> {
    if protocol == Protocol::Tcp {
        if asked.is_some_and(|asked| *asked != ChangeServiceHttp::default()) {
            errors.push(FieldError::new(format!("{at}http"), "is only possible with protocol http or https"));
        }
        return None;
    }
    let mut http = old.cloned().unwrap_or_else(|| ServiceHttp {
        cookie_name: COOKIE_NAME.to_owned(),
        cookie_lifetime: COOKIE_LIFETIME_S,
        certificates: Vec::new(),
        redirect_http: false,
        sticky_sessions: false,
        timeout_idle: IDLE_TIMEOUT_S,
    });
    if protocol == Protocol::Http {
        // What belongs to TLS goes with it.
        http.certificates.clear();
        http.redirect_http = false;
    }
    if let Some(asked) = asked {
        change_http(at, protocol, &mut http, asked, errors);
    }
    Some(http)
}

fn change_http(
    at: &str,
    protocol: Protocol,
    http: &mut ServiceHttp,
    asked: &ChangeServiceHttp,
    errors: &mut Vec<FieldError>,
) {
    let field = |name: &str| format!("{at}http.{name}");
    if let Some(name) = &asked.cookie_name {
        if !is_cookie_name(name) {
            let text = format!("must be 1 to {COOKIE_NAME_LENGTH_MAX} characters that a cookie's name may have");
            errors.push(FieldError::new(field("cookie_name"), text));
        }
        http.cookie_name.clone_from(name);
    }
    if let Some(seconds) = asked.cookie_lifetime {
        http.cookie_lifetime = number(&field("cookie_lifetime"), seconds, COOKIE_LIFETIMES_S, errors);
    }
    if let Some(seconds) = asked.timeout_idle {
        http.timeout_idle = number(&field("timeout_idle"), seconds, IDLE_TIMEOUTS_S, errors);
    }
    http.sticky_sessions = asked.sticky_sessions.unwrap_or(http.sticky_sessions);
    let only_https = |name: &str| FieldError::new(field(name), "is only possible with protocol https");
    if let Some(certificates) = &asked.certificates {
        if protocol != Protocol::Https && !certificates.is_empty() {
            errors.push(only_https("certificates"));
        }
        let mut seen = std::collections::BTreeSet::new();
        if !certificates.iter().all(|id| seen.insert(*id)) {
            errors.push(FieldError::new(field("certificates"), "must not name one twice"));
        }
        http.certificates.clone_from(certificates);
    }
    if let Some(redirect) = asked.redirect_http {
        if protocol != Protocol::Https && redirect {
            errors.push(only_https("redirect_http"));
        }
        http.redirect_http = redirect;
    }
}

/// A token of RFC 6265 §4.1.1.
fn is_cookie_name(name: &str) -> bool {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    (1..=COOKIE_NAME_LENGTH_MAX).contains(&name.len()) && name.chars().all(is_token)
}
