//! Uploaded certificates, and what all certificates have in common.

use crate::common::pem::{EXPIRED, INTERMEDIATE, P256, P256_KEY, P384, P384_KEY, RSA, RSA_KEY};
use crate::common::{World, ids, names};
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// The dialects that have certificates.
pub fn dialects() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.iter().copied().filter(|dialect| *dialect != Dialect::D2018_04)
}

/// A certificate with who has signed it.
fn chain() -> String {
    [RSA, INTERMEDIATE].concat()
}

pub fn uploaded(name: &str) -> Value {
    json!({"name": name, "certificate": chain(), "private_key": RSA_KEY})
}

fn with(mut request: Value, member: &str, value: Value) -> Value {
    request[member] = value;
    request
}

#[tokio::test]
async fn a_life() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let made = world.post("/certificates", with(uploaded("one"), "labels", json!({"a": "b"}))).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        assert_eq!(made["action"], Value::Null, "{dialect}");
        assert!(made.as_object().unwrap().contains_key("action"), "{dialect}: null, not left out");
        let expected = json!({
            "id": 1, "name": "one", "labels": {"a": "b"}, "type": "uploaded",
            "certificate": chain(), "created": "2026-11-21T00:00:00+00:00",
            "not_valid_before": "2026-01-01T00:00:00+00:00", "not_valid_after": "2076-01-01T00:00:00+00:00",
            "domain_names": ["example.com", "www.example.com"],
            "fingerprint": "9F:38:2E:9C:EB:5F:43:E8:AF:BF:6F:A1:69:07:FD:A0:BD:08:16:DA:41:84:F9:86:48:95:15:72:75:CC:A1:8D",
            "status": null, "used_by": [],
        });
        assert_eq!(made["certificate"], expected, "{dialect}");
        assert_eq!(world.see("/certificates/1").await["certificate"], expected);
        assert_eq!(world.see("/certificates").await["certificates"], json!([expected]));
        assert_eq!(world.see("/certificates/1/actions").await["actions"], json!([]), "only managed ones have any");

        let changed = world.put("/certificates/1", json!({"name": "two", "labels": {"c": "d"}})).await.ok();
        assert_eq!(
            (&changed["certificate"]["name"], &changed["certificate"]["labels"]),
            (&json!("two"), &json!({"c": "d"}))
        );
        assert_eq!(world.see("/certificates/1").await["certificate"], changed["certificate"]);
        assert_eq!(world.put("/certificates/1", json!({})).await.ok()["certificate"], changed["certificate"]);

        assert_eq!(world.delete("/certificates/1").await.status, 204);
        for answer in [
            world.get("/certificates/1").await,
            world.delete("/certificates/1").await,
            world.put("/certificates/1", json!({"name": "x"})).await,
            world.ask("POST", "/certificates/1/actions/retry").send().await,
            world.get("/certificates/1/actions").await,
        ] {
            assert_eq!(answer.refused(404, "not_found").message(), "certificate with ID '1' not found");
        }
        assert_eq!(world.see("/certificates").await["certificates"], json!([]));
    }
}

#[tokio::test]
async fn every_sort_of_key_and_names_where_there_are_some() {
    let world = World::new(Dialect::Compat).await;
    let of = |certificate: &str, key: &str| json!({"name": key, "type": "uploaded", "certificate": certificate, "private_key": key});
    let mut seen = Vec::new();
    for (position, (certificate, key)) in [(P256, P256_KEY), (P384, P384_KEY), (RSA, RSA_KEY)].into_iter().enumerate() {
        let request = with(of(certificate, key), "name", json!(format!("c{position}")));
        seen.push(world.post("/certificates", request).await.ok()["certificate"]["domain_names"].clone());
    }
    assert_eq!(seen, [json!(["*.named.example"]), json!([]), json!(["example.com", "www.example.com"])]);
}

#[tokio::test]
async fn a_private_key_is_never_shown() {
    let world = World::new(Dialect::Compat).await;
    let made = world.post("/certificates", uploaded("one")).await.ok().to_string();
    let refused =
        world.post("/certificates", with(uploaded("two"), "private_key", json!(P256_KEY))).await.json.to_string();
    for shown in [made, refused, world.see("/certificates").await.to_string()] {
        assert!(!shown.contains("PRIVATE KEY") && !shown.contains("private_key\":"), "{shown}");
    }
}

#[tokio::test]
async fn everything_wrong_is_named_at_once() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let ask = async |body: Value| world.post("/certificates", body).await;
        ask(json!({"name": "a"})).await.wrong(&["certificate", "private_key"]);
        ask(json!({"name": " ", "labels": {"-": "x"}, "certificate": "x", "private_key": "y", "domain_names": ["a.com"]}))
            .await
            .wrong(&["certificate", "domain_names", "labels.-", "name", "private_key"]);
        ask(with(uploaded("a"), "private_key", json!(P256_KEY))).await.wrong(&["private_key"]);
        ask(with(uploaded("a"), "certificate", json!([INTERMEDIATE, RSA].concat()))).await.wrong(&["certificate"]);
        let leaked = with(uploaded("a"), "certificate", json!([RSA, RSA_KEY].concat()));
        ask(leaked).await.wrong(&["certificate"]);
        let expired = ask(json!({"name": "a", "certificate": EXPIRED, "private_key": P256_KEY})).await;
        assert!(expired.wrong(&["certificate"]).message().contains("has expired at 2020-01-01"), "{}", expired.json);
        ask(json!({"name": "a", "type": "managed"})).await.wrong(&["domain_names"]);
        ask(with(with(uploaded("a"), "type", json!("managed")), "domain_names", json!(["a.com", "b", "a.com"])))
            .await
            .wrong(&["certificate", "domain_names[1]", "domain_names[2]", "private_key"]);
        ask(json!({"name": "a", "type": "other"})).await.wrong(&["type"]);
        assert_eq!(world.see("/certificates").await["certificates"], json!([]));
    }
}

#[tokio::test]
async fn names_are_unique_in_a_project() {
    let world = World::new(Dialect::Compat).await;
    let stranger = world.stranger().await;
    world.create("/certificates", uploaded("one")).await;
    let second = world.create("/certificates", uploaded("two")).await;
    let taken = world.post("/certificates", uploaded("one")).await;
    assert_eq!(taken.refused(409, "uniqueness_error").message(), "name is already used");
    let managed = json!({"name": "one", "type": "managed", "domain_names": ["example.com"]});
    world.post("/certificates", managed).await.refused(409, "uniqueness_error");
    world.put(&format!("/certificates/{second}"), json!({"name": "one"})).await.refused(409, "uniqueness_error");
    world.put(&format!("/certificates/{second}"), json!({"name": " "})).await.wrong(&["name"]);

    let theirs = world.ask("POST", "/certificates").token(Some(&stranger)).json(&uploaded("one")).send().await.ok();
    let path = format!("/certificates/{}", theirs["certificate"]["id"]);
    world.get(&path).await.refused(404, "not_found");
    world.delete(&path).await.refused(404, "not_found");
    assert_eq!(world.see("/certificates").await["meta"]["pagination"]["total_entries"], 2);
}

#[tokio::test]
async fn lists_are_filtered_and_sorted() {
    let world = World::new(Dialect::Compat).await;
    for (name, tier) in [("b", "x"), ("a", "y"), ("c", "x")] {
        world.create("/certificates", with(uploaded(name), "labels", json!({"tier": tier}))).await;
    }
    let managed = json!({"name": "m", "type": "managed", "domain_names": ["example.com"]});
    world.create("/certificates", managed).await;
    for (query, expected) in [
        ("", &["b", "a", "c", "m"][..]),
        ("?sort=name", &["a", "b", "c", "m"]),
        ("?sort=name:desc", &["m", "c", "b", "a"]),
        ("?sort=created:desc&sort=id:desc", &["m", "c", "a", "b"]),
        ("?name=a", &["a"]),
        ("?name=none", &[]),
        ("?type=managed", &["m"]),
        ("?type=uploaded", &["b", "a", "c"]),
        ("?type=uploaded&type=managed", &["b", "a", "c", "m"]),
        ("?label_selector=tier%3Dx", &["b", "c"]),
        ("?label_selector=!tier", &["m"]),
        ("?per_page=2&page=2", &["c", "m"]),
    ] {
        assert_eq!(names(&world.see(&format!("/certificates{query}")).await["certificates"]), expected, "{query}");
    }
    world.get("/certificates?type=other").await.wrong(&["type"]);
    world.get("/certificates?sort=type").await.wrong(&["sort"]);
    assert_eq!(ids(&world.see("/certificates?per_page=1").await["certificates"]), [1]);
}

#[tokio::test]
async fn what_is_uploaded_cannot_be_tried_again() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let id = world.create("/certificates", uploaded("one")).await;
        let refused = world.ask("POST", &format!("/certificates/{id}/actions/retry")).send().await;
        assert_eq!(refused.refused(422, "unsupported_error").message(), "certificate not retryable");
    }
}

#[tokio::test]
async fn readers_only_read() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/certificates", uploaded("one")).await;
    let path = format!("/certificates/{id}");
    for (method, path) in [
        ("PUT", path.clone()),
        ("DELETE", path.clone()),
        ("POST", "/certificates".into()),
        ("POST", format!("{path}/actions/retry")),
    ] {
        world.ask(method, &path).token(Some(&world.reader)).send().await.refused(401, "token_readonly");
    }
    world.ask("GET", &path).token(Some(&world.reader)).send().await.ok();
}

/// What keeps a certificate: services of load balancers, for as long as they name it.
#[tokio::test]
async fn what_a_load_balancer_uses_stays() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let (first, second) = (
            world.create("/certificates", uploaded("one")).await,
            world.create("/certificates", uploaded("two")).await,
        );
        let users = async |id: i64| world.see(&format!("/certificates/{id}")).await["certificate"]["used_by"].clone();
        let service = |certificates: Value| {
            json!({"protocol": "https", "listen_port": 443, "destination_port": 80, "proxyprotocol": false,
                "http": {"certificates": certificates, "cookie_name": "HCLBSTICKY", "cookie_lifetime": 300},
                "health_check": {"protocol": "http", "port": 80, "interval": 15, "timeout": 10, "retries": 3,
                    "http": {"domain": "", "path": "/", "response": "", "status_codes": ["2??"], "tls": false}}})
        };
        let balancer = json!({"name": "lb", "load_balancer_type": "lb11", "location": "fsn1",
            "algorithm": {"type": "round_robin"}, "services": [service(json!([first]))]});
        let made = world.post("/load_balancers", balancer).await.ok();
        let id = &made["load_balancer"]["id"];
        let used = json!([{"id": id, "type": "load_balancer"}]);
        assert_eq!((users(first).await, users(second).await), (used.clone(), json!([])), "{dialect}");
        let refused = world.delete(&format!("/certificates/{first}")).await;
        let message = format!("certificate with ID {first} is still in use");
        assert_eq!(refused.refused(422, "resource_in_use").message(), message);
        let path = format!("/load_balancers/{id}/actions/update_service");
        world.post(&path, service(json!([second]))).await.ok();
        assert_eq!((users(first).await, users(second).await), (json!([]), used), "{dialect}");
        assert_eq!(world.delete(&format!("/certificates/{first}")).await.status, 204);
        world.delete(&format!("/load_balancers/{id}")).await.ok();
        assert_eq!(users(second).await, json!([]));
        assert_eq!(world.delete(&format!("/certificates/{second}")).await.status, 204);
    }
}
