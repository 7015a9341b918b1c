use super::health::{self, Guest, Met, Told, judge, status_matches};
use super::service::{change, make};
use super::{Aim, Allowed, Target, beyond, check_services, check_targets, places, port_used_twice, target};
use crate::FieldError;
use wolke_wire::cloud::load_balancer::{
    ChangeService, ChangeTarget, HealthCheckProtocol, HealthDetail, HealthStatus, Protocol, Service,
};

fn asked(json: &str) -> ChangeService {
    serde_json::from_str(json).unwrap()
}

fn made(json: &str) -> Service {
    make("", &asked(json)).unwrap()
}

fn names<T>(outcome: Result<T, Vec<FieldError>>) -> Vec<String> {
    outcome.err().unwrap_or_default().into_iter().map(|error| error.name).collect()
}

fn shown(service: &Service) -> serde_json::Value {
    serde_json::to_value(service).unwrap()
}

#[test]
fn protocols_have_their_defaults() {
    let tcp = r#"{"protocol":"tcp","listen_port":22,"destination_port":2222}"#;
    assert_eq!(
        shown(&made(tcp)),
        serde_json::json!({
            "protocol": "tcp", "listen_port": 22, "destination_port": 2222, "proxyprotocol": false,
            "health_check": {"protocol": "tcp", "port": 2222, "interval": 15, "timeout": 10, "retries": 3},
        })
    );
    let http = shown(&made(r#"{"protocol":"http"}"#));
    assert_eq!((&http["listen_port"], &http["destination_port"]), (&80.into(), &80.into()));
    assert_eq!(
        http["http"],
        serde_json::json!({
            "cookie_name": "HCLBSTICKY", "cookie_lifetime": 300, "certificates": [], "redirect_http": false,
            "sticky_sessions": false, "timeout_idle": 50,
        })
    );
    assert_eq!(
        http["health_check"],
        serde_json::json!({
            "protocol": "http", "port": 80, "interval": 15, "timeout": 10, "retries": 3,
            "http": {"domain": "", "path": "/", "response": "", "status_codes": ["2??", "3??"], "tls": false},
        })
    );
    let https = made(r#"{"protocol":"https","http":{"certificates":[3,1]}}"#);
    assert_eq!((https.listen_port, https.destination_port), (443, 80));
    assert_eq!(https.http.unwrap().certificates, [3, 1], "in the order in which they were given");
}

#[test]
fn all_that_is_wrong_is_told() {
    let wrong = |json: &str| names(make("services[0].", &asked(json)));
    assert_eq!(wrong("{}"), ["services[0].protocol"]);
    assert_eq!(wrong(r#"{"protocol":"tcp"}"#), ["services[0].listen_port", "services[0].destination_port"]);
    assert_eq!(
        wrong(r#"{"protocol":"http","listen_port":0,"http":{"redirect_http":true,"certificates":[1]}}"#),
        ["services[0].listen_port", "services[0].http.certificates", "services[0].http.redirect_http"]
    );
    let checks = r#"{"protocol":"http","health_check":{"port":70000,"interval":2,"timeout":61,"retries":0,
        "http":{"domain":"a b","path":"x","status_codes":["20"]}}}"#;
    assert_eq!(
        wrong(checks),
        ["port", "interval", "timeout", "retries", "http.domain", "http.path", "http.status_codes"]
            .map(|name| format!("services[0].health_check.{name}"))
    );
    let tcp = r#"{"protocol":"tcp","listen_port":1,"destination_port":1,"http":{"sticky_sessions":true},
        "health_check":{"http":{"path":"/x"}}}"#;
    assert_eq!(wrong(tcp), ["services[0].http", "services[0].health_check.http"]);
    assert_eq!(wrong(r#"{"protocol":"https","http":{"certificates":[1,1]}}"#), ["services[0].http.certificates"]);
    assert_eq!(wrong(r#"{"protocol":"http","http":{"cookie_name":"a b","cookie_lifetime":0}}"#).len(), 2);
}

#[test]
fn changes_keep_what_they_do_not_name() {
    let tcp = made(r#"{"protocol":"tcp","listen_port":80,"destination_port":8080,"proxyprotocol":true}"#);
    let http = change(&tcp, &asked(r#"{"protocol":"http"}"#)).unwrap();
    assert_eq!((http.protocol, http.destination_port, http.proxyprotocol), (Protocol::Http, 8080, true));
    assert_eq!(http.health_check, tcp.health_check, "the old health check stays");
    assert!(http.http.is_some());
    let checked = change(&http, &asked(r#"{"health_check":{"protocol":"http","http":{"domain":null}}}"#)).unwrap();
    assert_eq!(checked.health_check.protocol, HealthCheckProtocol::Http);
    assert_eq!(checked.health_check.http.as_ref().unwrap().domain, None);
    assert_eq!(checked.health_check.port, 8080);

    let https = made(r#"{"protocol":"https","http":{"certificates":[1],"redirect_http":true,"timeout_idle":60}}"#);
    let plain = change(&https, &asked(r#"{"protocol":"http"}"#)).unwrap().http.unwrap();
    assert_eq!((plain.certificates, plain.redirect_http, plain.timeout_idle), (vec![], false, 60));
    assert_eq!(change(&https, &asked(r#"{"protocol":"tcp"}"#)).unwrap().http, None);
    assert_eq!(names(change(&https, &asked(r#"{"destination_port":0}"#))), ["destination_port"]);
    assert_eq!(change(&https, &asked("{}")).unwrap(), https);
}

#[test]
fn targets_have_the_member_of_their_type() {
    let read = |json: &str| target("", &serde_json::from_str::<ChangeTarget>(json).unwrap());
    assert_eq!(read(r#"{"type":"server","server":{"id":4}}"#), Ok(Target::Server(4)));
    assert_eq!(
        read(r#"{"type":"label_selector","label_selector":{"selector":"a=b"},"use_private_ip":true}"#),
        Ok(Target::Selector("a=b".into()))
    );
    assert_eq!(read(r#"{"type":"ip","ip":{"ip":"203.0.113.7"}}"#), Ok(Target::Ip("203.0.113.7".into())));
    assert_eq!(names(read(r#"{"type":"ip"}"#)), ["ip"]);
    assert_eq!(names(read(r#"{"type":"ip","ip":{"ip":"x"},"server":{"id":1}}"#)), ["server", "ip.ip"]);
    assert_eq!(names(read(r#"{"type":"ip","ip":{"ip":"x"}}"#)), ["ip.ip"]);
    assert_eq!(names(read(r#"{"type":"ip","ip":{"ip":"203.0.113.7"},"use_private_ip":true}"#)), ["use_private_ip"]);
    let selector =
        |text: &str| names(read(&format!(r#"{{"type":"label_selector","label_selector":{{"selector":"{text}"}}}}"#)));
    assert_eq!(selector("a b"), ["label_selector.selector"]);
    assert_eq!(selector(""), ["label_selector.selector"]);
    let both = r#"{"type":"label_selector","label_selector":{"selector":"a b"},"server":{"id":1}}"#;
    assert_eq!(names(read(both)), ["server", "label_selector.selector"], "everything that is wrong is told");
}

#[test]
fn status_codes_match_patterns() {
    assert!(status_matches("2??", 204) && !status_matches("2??", 304));
    assert!(status_matches("4*", 404) && status_matches("*", 500) && status_matches("*4", 404));
    assert!(status_matches("200", 200) && !status_matches("200", 201) && !status_matches("2*", 302));
}

#[test]
fn checks_judge_what_a_guest_answers() {
    let service = made(r#"{"protocol":"http","health_check":{"http":{"response":"ok"}}}"#);
    let judged = |guest: Guest| {
        let health = judge(80, &service.health_check, &guest);
        (health.status, health.detail, health.http_status_code)
    };
    let answer = |status, page: &str| Guest::Answers { status, page: page.into() };
    assert_eq!(judged(answer(200, "all ok")), (HealthStatus::Healthy, None, None));
    let unhealthy = |detail, code| (HealthStatus::Unhealthy, Some(detail), code);
    assert_eq!(judged(answer(200, "")), unhealthy(HealthDetail::UnexpectedHttpContent, None));
    assert_eq!(judged(answer(503, "ok")), unhealthy(HealthDetail::UnexpectedHttpStatus, Some(503)));
    assert_eq!(judged(Guest::Silent), unhealthy(HealthDetail::Layer4Timeout, None));
    assert_eq!(judged(Guest::Blocked), unhealthy(HealthDetail::Layer4Timeout, None));
    assert_eq!(judged(Guest::NoWay), unhealthy(HealthDetail::Layer4NoConnection, None));
    let tcp = made(r#"{"protocol":"tcp","listen_port":1,"destination_port":1}"#);
    assert_eq!(judge(1, &tcp.health_check, &answer(500, "")).status, HealthStatus::Healthy, "TCP looks no further");
}

#[test]
fn the_first_obstacle_counts() {
    let told = Told::Answer { status: 503, page: "busy".into() };
    let met = Met { has_way: true, runs: true, is_let_in: true, told: None };
    assert_eq!(Guest::met(&met), Guest::well());
    assert_eq!(Guest::met(&Met { told: Some(&told), ..met }), Guest::Answers { status: 503, page: "busy".into() });
    assert_eq!(Guest::met(&Met { told: Some(&told), is_let_in: false, ..met }), Guest::Blocked);
    assert_eq!(Guest::met(&Met { runs: false, is_let_in: false, ..met }), Guest::Silent);
    assert_eq!(Guest::met(&Met { has_way: false, runs: false, ..met }), Guest::NoWay);
    for (told, guest) in [(Told::Refuse, Guest::NoWay), (Told::Drop, Guest::Silent), (Told::Hang, Guest::Mute)] {
        assert_eq!(Guest::met(&Met { told: Some(&told), ..met }), guest);
    }
    let http = made(r#"{"protocol":"http"}"#);
    assert_eq!(judge(80, &http.health_check, &Guest::Mute).detail, Some(HealthDetail::Layer7Timeout));
    let tcp = made(r#"{"protocol":"tcp","listen_port":1,"destination_port":1}"#);
    assert_eq!(judge(1, &tcp.health_check, &Guest::Mute).status, HealthStatus::Healthy);
}

#[test]
fn operators_say_what_can_be_answered() {
    assert_eq!(Told::Hang.check(), Ok(()));
    assert_eq!(Told::Answer { status: 200, page: String::new() }.check(), Ok(()));
    let wrong = Told::Answer { status: 99, page: "x".repeat(health::PAGE_BYTES_MAX + 1) }.check();
    assert_eq!(names(wrong), ["status", "page"]);
}

#[test]
fn types_have_limits() {
    let allowed = Allowed { services: 2, targets: 25, certificates: 1 };
    let https = made(r#"{"protocol":"https","http":{"certificates":[1]}}"#);
    let other = made(r#"{"protocol":"https","listen_port":8443,"http":{"certificates":[1]}}"#);
    assert_eq!(beyond(&allowed, &[https.clone(), other.clone()], 25), None, "one certificate in two services");
    assert_eq!(beyond(&allowed, &[], 26), Some("load_balancer_targets"));
    let more = made(r#"{"protocol":"https","listen_port":9443,"http":{"certificates":[2]}}"#);
    assert_eq!(beyond(&allowed, &[https.clone(), more.clone()], 0), Some("load_balancer_assigned_certificates"));
    assert_eq!(beyond(&allowed, &[https, other, more], 0), Some("load_balancer_services"));
}

#[test]
fn targets_take_places() {
    let aim = |to| Aim { to, use_private_ip: false };
    let (one, a, b) = (Target::Server(1), Target::Selector("a".into()), Target::Selector("b".into()));
    let all = [aim(one), aim(a), aim(b)];
    assert_eq!((places(&[], 0), places(&all[..1], 0), places(&all, 0)), (0, 1, 3), "selectors that match nobody");
    assert_eq!((places(&all, 2), places(&all, 9), places(&all[1..], 9)), (3, 10, 9));
    let allowed = Allowed { services: 1, targets: 10, certificates: 1 };
    assert_eq!(check_targets(&allowed, places(&all, 9)), Ok(()));
    let refused = check_targets(&allowed, places(&all, 10)).unwrap_err();
    assert_eq!(refused.message(), "load balancer targets limit exceeded");
    // Services are another matter.
    let https = made(r#"{"protocol":"https"}"#);
    assert_eq!(check_services(&allowed, std::slice::from_ref(&https)), Ok(()));
    let refused = check_services(&allowed, &[https.clone(), https]).unwrap_err();
    assert_eq!(refused.message(), "load balancer services limit exceeded");
}

#[test]
fn ports_are_taken_once() {
    let http = made(r#"{"protocol":"http"}"#);
    let redirecting = made(r#"{"protocol":"https","http":{"redirect_http":true}}"#);
    let second = made(r#"{"protocol":"https","listen_port":8443,"http":{"redirect_http":true}}"#);
    assert_eq!(port_used_twice(&[http.clone(), http.clone()]), Some(80));
    assert_eq!(port_used_twice(&[http, redirecting.clone()]), Some(80), "the redirect listens there");
    assert_eq!(port_used_twice(&[redirecting, second]), None);
}
