//! Managed certificates: their issue, what it can fail at, and their renewal.

use super::certificates::{dialects, uploaded};
use super::operator::Operator;
use crate::common::{Setup, World, names, server};
use serde_json::{Value, json};
use wolke_control::clock::Jump;
use wolke_control::{Caller, Simulation};
use wolke_domain::certificate::ISSUE_CODES;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_wire::Dialect;

const DAY_MS: i64 = 86_400_000;

fn managed(name: &str, domains: &[&str]) -> Value {
    json!({"name": name, "type": "managed", "domain_names": domains})
}

/// A zone of the project, also where the dialect under test has none.
async fn zone(world: &World, body: Value) -> i64 {
    let project = world.control.project("default").await.unwrap().id;
    let caller = Caller { project, dialect: Dialect::Newest, operation: "" };
    let made = world.control.create_zone(&caller, serde_json::from_value(body).unwrap()).await.unwrap();
    serde_json::from_slice::<Value>(&made).unwrap()["zone"]["id"].as_i64().unwrap()
}

async fn world_with_zone(dialect: Dialect) -> World {
    let world = World::new(dialect).await;
    zone(&world, json!({"name": "example.com", "mode": "primary"})).await;
    world
}

async fn certificate(world: &World, id: i64) -> Value {
    world.see(&format!("/certificates/{id}")).await["certificate"].clone()
}

async fn retry(world: &World, id: i64) -> crate::common::Answer {
    world.ask("POST", &format!("/certificates/{id}/actions/retry")).send().await
}

/// Lets world time pass, and what is due on the way happen.
async fn jump(world: &World, ms: i64) {
    world.control.jump_clock(Jump::By(ms)).await.unwrap();
}

fn status(issuance: &str, renewal: &str) -> Value {
    json!({"issuance": issuance, "renewal": renewal, "error": null})
}

fn is_fingerprint(text: &Value) -> bool {
    let pairs: Vec<&str> = text.as_str().unwrap_or_default().split(':').collect();
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    pairs.len() == 32 && pairs.iter().all(|pair| pair.len() == 2 && pair.bytes().all(is_digit))
}

#[tokio::test]
async fn a_life() {
    for dialect in dialects() {
        let world = world_with_zone(dialect).await;
        let made = world.post("/certificates", managed("one", &["Example.com", "*.example.com"])).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        let action = &made["action"];
        assert_eq!(
            (&action["command"], &action["status"]),
            (&json!("create_certificate"), &json!("success")),
            "{dialect}"
        );
        assert_eq!(action["resources"], json!([{"id": 1, "type": "certificate"}]));
        let shown = &made["certificate"];
        assert_eq!(shown["status"], status("completed", "unavailable"), "{dialect}");
        assert_eq!((&shown["type"], &shown["used_by"]), (&json!("managed"), &json!([])));
        assert_eq!(shown["domain_names"], json!(["example.com", "*.example.com"]));
        assert_eq!(shown["not_valid_before"], "2026-11-21T00:00:00+00:00");
        assert_eq!(shown["not_valid_after"], "2027-02-18T23:59:59+00:00", "90 days, the last second counted");
        assert!(is_fingerprint(&shown["fingerprint"]), "{shown}");
        let pem = shown["certificate"].as_str().unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n") && !pem.contains("KEY"), "{pem}");
        assert_eq!(certificate(&world, 1).await, *shown);

        let of_certificate = world.see("/certificates/1/actions").await["actions"].clone();
        assert_eq!(of_certificate, json!([action]));
        let path = format!("/certificates/1/actions/{}", action["id"]);
        assert_eq!(world.see(&path).await["action"], *action);
        assert_eq!(retry(&world, 1).await.refused(422, "unsupported_error").message(), "certificate not retryable");
        assert_eq!(world.delete("/certificates/1").await.status, 204);
        world.get("/certificates/1").await.refused(404, "not_found");
        assert!(world.control.delete_project("default", false).await.is_err(), "there is a zone still");
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_deleted_one() {
    let world = World::with(Setup { certificates_need_zones: false, ..Setup::new(Dialect::Compat) }).await;
    let id = world.create("/certificates", managed("one", &["example.com"])).await;
    world.delete(&format!("/certificates/{id}")).await.ok();
    world.control.delete_project("default", false).await.unwrap();
}

fn slow(ms: u32) -> Setup {
    let profile = LatencyProfile::none().with(OperationKind::IssueCertificate, Policy::After { ms });
    let simulation = Simulation { profile, ..Simulation::default() };
    Setup { simulation, certificates_need_zones: false, ..Setup::new(Dialect::Compat) }
}

#[tokio::test]
async fn an_issue_under_way() {
    let world = World::with(slow(20_000)).await;
    let made = world.post("/certificates", managed("one", &["example.com"])).await.ok();
    let expected = json!({
        "id": 1, "name": "one", "labels": {}, "type": "managed", "certificate": null, "fingerprint": null,
        "created": "2026-11-21T00:00:00+00:00", "not_valid_before": null, "not_valid_after": null,
        "domain_names": ["example.com"], "status": status("pending", "unavailable"), "used_by": [],
    });
    assert_eq!(made["certificate"], expected);
    assert_eq!((&made["action"]["status"], &made["action"]["finished"]), (&json!("running"), &Value::Null));
    assert_eq!(retry(&world, 1).await.refused(422, "unsupported_error").message(), "certificate not retryable");
    let renamed = world.put("/certificates/1", json!({"name": "two"})).await.ok();
    assert_eq!(renamed["certificate"]["name"], "two");
    jump(&world, 20_000).await;
    let shown = certificate(&world, 1).await;
    assert_eq!((&shown["name"], &shown["status"]), (&json!("two"), &status("completed", "unavailable")));
    assert_eq!(shown["not_valid_before"], "2026-11-21T00:00:20+00:00");
}

/// The cloud controller manager names a certificate as soon as it has asked for it. The service waits for it (decision 0015).
#[tokio::test]
async fn a_load_balancer_waits_for_its_certificate() {
    const MINUTE: i64 = 60_000;
    let world = World::with(slow(600_000)).await;
    Operator::of(&world)
        .does(
            "POST",
            "/faults",
            json!({
                "operation": "create_certificate", "code": "ca_dns_validation_failed", "when": "during", "calls": 1,
            }),
        )
        .await;
    world.post("/certificates", managed("one", &["example.com"])).await.ok();
    let web = world.create("/servers", server("web")).await;
    let service = json!({"protocol": "https", "http": {"certificates": [1]}});
    let new = json!({
        "name": "b", "load_balancer_type": "lb11", "location": "fsn1", "services": [service],
        "targets": [{"type": "server", "server": {"id": web}}],
    });
    let balancer = world.create("/load_balancers", new).await;
    assert_eq!(certificate(&world, 1).await["used_by"], json!([{"id": balancer, "type": "load_balancer"}]));
    let sent =
        async || world.see(&format!("/load_balancers/{balancer}")).await["load_balancer"]["outgoing_traffic"].clone();
    jump(&world, 9 * MINUTE).await;
    assert_eq!(sent().await, json!(0), "nobody gets through without a certificate");
    jump(&world, 60 * MINUTE).await;
    assert_eq!(certificate(&world, 1).await["status"]["issuance"], "failed");
    assert_eq!(sent().await, json!(0), "its issue has failed");
    assert_eq!(retry(&world, 1).await.status, 201);
    jump(&world, 10 * MINUTE).await;
    assert_eq!(certificate(&world, 1).await["status"]["issuance"], "completed");
    jump(&world, 60 * MINUTE).await;
    assert!(sent().await.as_u64().unwrap() > 0, "it is there, and nobody had to change the load balancer");
    let service = world.see(&format!("/load_balancers/{balancer}")).await["load_balancer"]["services"][0].clone();
    assert_eq!(service["http"]["certificates"], json!([1]));
}

#[tokio::test]
async fn a_certificate_may_be_deleted_while_it_is_issued() {
    let world = World::with(slow(20_000)).await;
    let made = world.post("/certificates", managed("one", &["example.com"])).await.ok();
    assert_eq!(world.delete("/certificates/1").await.status, 204);
    jump(&world, 20_000).await;
    let action = world.see(&format!("/actions/{}", made["action"]["id"])).await["action"].clone();
    assert_eq!((&action["status"], &action["error"]["code"]), (&json!("error"), &json!("action_failed")));
    assert_eq!(action["error"]["message"], "the certificate was deleted");
    world.control.delete_project("default", false).await.unwrap();
}

#[tokio::test]
async fn where_contention_is_refused_work_locks_it() {
    let world = World::with(Setup { refuse_contention: true, ..slow(20_000) }).await;
    world.post("/certificates", managed("one", &["example.com"])).await.ok();
    world.delete("/certificates/1").await.refused(423, "locked");
    world.put("/certificates/1", json!({"name": "two"})).await.refused(423, "locked");
    jump(&world, 20_000).await;
    world.put("/certificates/1", json!({"name": "two"})).await.ok();
    assert_eq!(world.delete("/certificates/1").await.status, 204);
}

/// The issue fails with a code; gives the certificate's id.
async fn fails(world: &World, domains: &[&str], code: &str) -> i64 {
    let name = format!("c{}", world.commits());
    let made = world.post("/certificates", managed(&name, domains)).await.ok();
    let (action, shown) = (&made["action"], &made["certificate"]);
    assert_eq!((&action["status"], &action["error"]["code"]), (&json!("error"), &json!(code)), "{made}");
    let error = &shown["status"]["error"];
    assert_eq!(*error, action["error"]);
    let expected = json!({"issuance": "failed", "renewal": "unavailable", "error": error});
    assert_eq!(shown["status"], expected);
    assert_eq!((&shown["certificate"], &shown["fingerprint"]), (&Value::Null, &Value::Null));
    shown["id"].as_i64().unwrap()
}

/// A retry succeeds.
async fn succeeds(world: &World, id: i64) {
    let action = retry(world, id).await;
    assert_eq!(action.status, 201);
    let action = action.ok()["action"].clone();
    assert_eq!((&action["command"], &action["status"]), (&json!("issue_certificate"), &json!("success")), "{action}");
    assert_eq!(certificate(world, id).await["status"], status("completed", "unavailable"));
    let commands: Vec<Value> = world.see(&format!("/certificates/{id}/actions?sort=id")).await["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action["command"].clone())
        .collect();
    assert_eq!(commands, ["create_certificate", "issue_certificate"]);
}

#[tokio::test]
async fn every_domain_must_lie_in_a_zone() {
    for dialect in dialects() {
        let world = world_with_zone(dialect).await;
        let id = fails(&world, &["www.example.com", "www.example.org"], "dns_zone_not_found").await;
        let message = certificate(&world, id).await["status"]["error"]["message"].clone();
        assert_eq!(message, "DNS zone not found: 'www.example.org'", "{dialect}");
        zone(&world, json!({"name": "example.org", "mode": "primary"})).await;
        succeeds(&world, id).await;
    }
}

#[tokio::test]
async fn another_projects_zone_does_not_exist() {
    let world = world_with_zone(Dialect::Compat).await;
    let stranger = world.stranger().await;
    let ask = world.ask("POST", "/certificates").token(Some(&stranger)).json(&managed("one", &["example.com"]));
    assert_eq!(ask.send().await.ok()["action"]["error"]["code"], "dns_zone_not_found");
}

#[tokio::test]
async fn where_zones_are_optional_only_those_that_exist_count() {
    let world = World::with(Setup { certificates_need_zones: false, ..Setup::new(Dialect::Compat) }).await;
    let made = world.post("/certificates", managed("one", &["www.example.com"])).await.ok();
    assert_eq!(made["certificate"]["status"], status("completed", "unavailable"));
    let caa = json!([{"name": "@", "type": "CAA", "records": [{"value": "0 issue \"other.test\""}]}]);
    zone(&world, json!({"name": "example.com", "mode": "primary", "rrsets": caa})).await;
    fails(&world, &["www.example.com"], "caa_record_does_not_allow_ca").await;
}

#[tokio::test]
async fn a_secondary_zone_takes_no_proof() {
    let world = World::new(Dialect::Compat).await;
    let secondary =
        json!({"name": "example.com", "mode": "secondary", "primary_nameservers": [{"address": "198.51.100.1"}]});
    zone(&world, secondary).await;
    fails(&world, &["example.com"], "dns_zone_is_secondary_zone").await;
}

#[tokio::test]
async fn the_domain_must_be_delegated() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let zone = zone(&world, json!({"name": "example.com", "mode": "primary"})).await;
    let path = format!("/zones/{zone}/delegation");
    let code = "could_not_verify_domain_delegated_to_zone";
    operator.does("PUT", &path, json!({"registered": false})).await;
    let id = fails(&world, &["example.com"], code).await;
    operator.does("PUT", &path, json!({"registered": true, "nameservers": ["ns1.example.org"]})).await;
    fails(&world, &["example.com"], code).await;
    let own = ["hydrogen.ns.hetzner.com", "oxygen.ns.hetzner.com", "helium.ns.hetzner.de"];
    operator.does("PUT", &path, json!({"registered": true, "nameservers": own})).await;
    succeeds(&world, id).await;
}

#[tokio::test]
async fn records_of_the_zone_can_be_in_the_way() {
    let world = world_with_zone(Dialect::Compat).await;
    let set = async |name: &str, kind: &str, value: &str| {
        let body = json!({"name": name, "type": kind, "records": [{"value": value}]});
        world.post("/zones/example.com/rrsets", body).await.ok();
    };
    set("@", "CAA", "0 issue \"other.test\"").await;
    let forbidden = fails(&world, &["www.example.com"], "caa_record_does_not_allow_ca").await;
    set("www", "CAA", "0 issue \"letsencrypt.org\"").await;
    succeeds(&world, forbidden).await;
    set("_acme-challenge.www", "CNAME", "elsewhere.test.").await;
    let elsewhere = fails(&world, &["www.example.com"], "ca_dns_validation_failed").await;
    world.delete("/zones/example.com/rrsets/_acme-challenge.www/CNAME").await.ok();
    succeeds(&world, elsewhere).await;
    set("away", "NS", "ns1.example.org.").await;
    set("away", "CAA", "0 issue \"letsencrypt.org\"").await;
    fails(&world, &["a.away.example.com"], "ca_dns_validation_failed").await;
}

#[tokio::test]
async fn the_operator_brings_about_every_code() {
    for dialect in dialects() {
        let world = world_with_zone(dialect).await;
        let operator = Operator::of(&world);
        for code in ISSUE_CODES.iter().map(|code| code.as_str()) {
            let fault = |operation: &str| json!({"operation": operation, "code": code, "when": "during", "calls": 1});
            operator.does("POST", "/faults", fault("create_certificate")).await;
            let id = fails(&world, &["example.com"], code).await;
            operator.does("POST", "/faults", fault("certificate_retry")).await;
            let again = retry(&world, id).await.ok()["action"].clone();
            assert_eq!((&again["status"], &again["error"]["code"]), (&json!("error"), &json!(code)));
            assert_eq!(certificate(&world, id).await["status"]["issuance"], "failed");
            assert_eq!(operator.does("GET", "/faults", Value::Null).await, json!([]), "each was for one call");
            // The answer itself can be one of them as well.
            operator.does("POST", "/faults", json!({"operation": "certificate_retry", "code": code})).await;
            retry(&world, id).await.refused(422, code);
            operator.does("DELETE", "/faults", Value::Null).await;
            let ended = retry(&world, id).await.ok()["action"].clone();
            assert_eq!(ended["status"], "success");
        }
    }
}

#[tokio::test]
async fn a_fault_in_the_work_is_of_work() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    for (body, field) in [
        (json!({"operation": "create_ssh_key", "code": "action_failed", "when": "during"}), "when"),
        (json!({"operation": "*", "code": "ca_dns_validation_failed", "when": "during"}), "code"),
        (json!({"operation": "create_certificate", "code": "conflict", "when": "during"}), "code"),
        (json!({"operation": "renew_certificate", "code": "maintenance"}), "when"),
        (json!({"operation": "renew", "code": "maintenance"}), "operation"),
    ] {
        let (status, answer) = operator.ask("POST", "/faults", body).await;
        assert_eq!((status, &answer["error"]["details"]["fields"][0]["name"]), (422, &json!(field)), "{answer}");
    }
}

/// A world whose time is moved, with a certificate; the clock stands at its beginning.
async fn renewing() -> (World, Operator, Value) {
    let world = world_with_zone(Dialect::Compat).await;
    let operator = Operator::of(&world);
    operator.does("POST", "/clock/mode", json!({"mode": "manual"})).await;
    let made = world.post("/certificates", managed("one", &["example.com"])).await.ok()["certificate"].clone();
    (world, operator, made)
}

async fn advance(operator: &Operator, days: i64) {
    operator.does("POST", "/clock/advance", json!({"milliseconds": days * DAY_MS})).await;
}

#[tokio::test]
async fn a_renewal_under_way() {
    let world = World::with(slow(20_000)).await;
    world.post("/certificates", managed("one", &["example.com"])).await.ok();
    jump(&world, 20_000).await;
    let first = certificate(&world, 1).await;
    jump(&world, 60 * DAY_MS + 5_000).await;
    let renewing = certificate(&world, 1).await;
    assert_eq!(renewing["status"], status("completed", "pending"));
    assert_eq!(renewing["certificate"], first["certificate"], "the old one stays until there is a new one");
    retry(&world, 1).await.refused(422, "unsupported_error");
    jump(&world, 20_000).await;
    assert_ne!(certificate(&world, 1).await["certificate"], first["certificate"]);
}

#[tokio::test]
async fn a_renewal_comes_thirty_days_before_the_end() {
    let (world, operator, first) = renewing().await;
    advance(&operator, 52).await;
    assert_eq!(certificate(&world, 1).await, first);
    advance(&operator, 1).await;
    assert_eq!(certificate(&world, 1).await["status"], status("completed", "scheduled"));
    assert_eq!(retry(&world, 1).await.refused(422, "unsupported_error").message(), "certificate not retryable");
    advance(&operator, 7).await;
    let second = certificate(&world, 1).await;
    assert_eq!(second["status"], status("completed", "unavailable"));
    assert_ne!(second["fingerprint"], first["fingerprint"]);
    assert_ne!(second["certificate"], first["certificate"]);
    assert_eq!(
        second["not_valid_before"], "2027-01-19T23:59:59+00:00",
        "at the appointment, not at the end of the jump"
    );
    assert_eq!(second["not_valid_after"], "2027-04-19T23:59:58+00:00");
    for member in ["id", "name", "created", "domain_names", "labels", "type"] {
        assert_eq!(second[member], first[member]);
    }
    let commands = world.see("/certificates/1/actions?sort=id").await;
    assert_eq!(commands["actions"][1]["command"], "issue_certificate");
    advance(&operator, 60).await;
    assert_ne!(certificate(&world, 1).await["fingerprint"], second["fingerprint"], "and so on");
    assert_eq!(operator.does("GET", "/events", Value::Null).await, json!([]));
}

#[tokio::test]
async fn a_renewal_that_fails_is_told_and_tried_again() {
    let (world, operator, first) = renewing().await;
    let fault = json!({"operation": "renew_certificate", "code": "ca_too_many_duplicate_certificates", "when": "during", "message": "enough"});
    operator.does("POST", "/faults", fault).await;
    advance(&operator, 60).await;
    let failed = certificate(&world, 1).await;
    let error = json!({"code": "ca_too_many_duplicate_certificates", "message": "enough"});
    assert_eq!(failed["status"], json!({"issuance": "completed", "renewal": "failed", "error": error}));
    assert_eq!((&failed["fingerprint"], &failed["certificate"]), (&first["fingerprint"], &first["certificate"]));
    advance(&operator, 2).await;
    let events = operator.does("GET", "/events", Value::Null).await;
    let expected = |id: i64, at: &str| {
        json!({"id": id, "at": at, "event": "certificate_renewal_failed", "project": 1, "type": "certificate", "resource": 1,
            "name": "one", "code": "ca_too_many_duplicate_certificates", "message": "enough"})
    };
    assert_eq!(
        events,
        json!([
            expected(3, "2027-01-21T23:59:59+00:00"),
            expected(2, "2027-01-20T23:59:59+00:00"),
            expected(1, "2027-01-19T23:59:59+00:00"),
        ]),
        "once a day, the last first"
    );
    operator.does("DELETE", "/faults", Value::Null).await;
    let action = retry(&world, 1).await.ok()["action"].clone();
    assert_eq!((&action["command"], &action["status"]), (&json!("issue_certificate"), &json!("success")));
    let renewed = certificate(&world, 1).await;
    assert_eq!(renewed["status"], status("completed", "unavailable"));
    assert_ne!(renewed["fingerprint"], first["fingerprint"]);
    advance(&operator, 2).await;
    assert_eq!(certificate(&world, 1).await, renewed, "the appointment of before is off");
}

#[tokio::test]
async fn a_failed_renewal_mends_itself() {
    let (world, operator, first) = renewing().await;
    world.delete("/zones/example.com").await.ok();
    advance(&operator, 60).await;
    let failed = certificate(&world, 1).await["status"].clone();
    assert_eq!((&failed["renewal"], &failed["error"]["code"]), (&json!("failed"), &json!("dns_zone_not_found")));
    zone(&world, json!({"name": "example.com", "mode": "primary"})).await;
    advance(&operator, 1).await;
    let renewed = certificate(&world, 1).await;
    assert_eq!(renewed["status"], status("completed", "unavailable"));
    assert_ne!(renewed["fingerprint"], first["fingerprint"]);
}

#[tokio::test]
async fn the_authorities_are_two() {
    let world = world_with_zone(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let production = operator.does("GET", "/authorities/production", Value::Null).await;
    let staging = operator.does("GET", "/authorities/staging", Value::Null).await;
    assert_eq!(production, operator.does("GET", "/authorities/production", Value::Null).await, "it is made once");
    assert_ne!(production["certificate"], staging["certificate"]);
    for shown in [&production, &staging] {
        let text = shown["certificate"].as_str().unwrap();
        assert!(text.starts_with("-----BEGIN CERTIFICATE-----") && !text.contains("KEY"), "{text}");
    }
    assert_eq!(operator.ask("GET", "/authorities/other", Value::Null).await.0, 404);
    let mut wanted = managed("one", &["example.com"]);
    wanted["labels"] = json!({"HC-Use-Staging-CA": "true"});
    world.create("/certificates", wanted).await;
    world.create("/certificates", uploaded("two")).await;
    assert_eq!(names(&world.see("/certificates?label_selector=HC-Use-Staging-CA").await["certificates"]), ["one"]);
}
