//! Certificates: uploaded ones, and managed ones for a domain of a zone.

use e2e::api::{actions_in, expect, wait_action};
use e2e::flow::{Flow, names};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A certificate or key of nobody (`crates/wolke-control/tests/certificates`).
fn file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/wolke-control/tests/certificates");
    folder.join(name).display().to_string()
}

fn describe(flow: &Flow, name: &str) -> Value {
    flow.hcloud.json(&["certificate", "describe", name])
}

fn upload(flow: &Flow, name: &str, (certificate, key): (&str, &str)) {
    let (certificate, key) = (file(certificate), file(key));
    flow.hcloud.ok(&["certificate", "create", "--name", name, "--cert-file", &certificate, "--key-file", &key]);
}

#[test]
fn uploaded_certificates() {
    let Some(mut flow) = Flow::start("uploaded_certificates") else { return };
    upload(&flow, "web", ("rsa.pem", "rsa.pkcs1.key"));
    let web = describe(&flow, "web");
    assert_eq!(web["domain_names"], json!(["example.com", "www.example.com"]));
    assert_eq!((&web["type"], &web["status"]), (&json!("uploaded"), &Value::Null));
    let (certificate, key) = (file("rsa.pem"), file("p256.sec1.key"));
    let mismatch = ["certificate", "create", "--name", "bad", "--cert-file", &certificate, "--key-file", &key];
    flow.hcloud.refused(&mismatch, "invalid_input");
    upload(&flow, "other", ("p256.pem", "p256.pkcs8.key"));
    flow.hcloud.refused(&["certificate", "update", "other", "--name", "web"], "uniqueness_error");
    flow.hcloud.ok(&["certificate", "add-label", "web", "a=b"]);
    flow.hcloud.ok(&["certificate", "update", "web", "--name", "renamed"]);
    assert_eq!(names(&flow.hcloud.json(&["certificate", "list", "--selector", "a=b"])), ["renamed"]);
    flow.restart();
    assert_eq!(describe(&flow, "renamed")["fingerprint"], web["fingerprint"]);
    if flow.hcloud.is_current() {
        flow.hcloud.refused(&["certificate", "retry", "renamed"], "unsupported_error");
    }
    for name in ["renamed", "other"] {
        flow.hcloud.ok(&["certificate", "delete", name]);
    }
    flow.ends_empty();
}

#[test]
fn managed_certificates() {
    let Some(flow) = Flow::start("managed_certificates") else { return };
    let create = |name: &'static str| {
        [
            "certificate",
            "create",
            "--name",
            name,
            "--type",
            "managed",
            "--domain",
            "www.example.com",
            "--domain",
            "example.com",
        ]
    };
    let failed = flow.hcloud.fail(&create("early"));
    assert!(failed.contains("DNS zone not found"), "{failed}");
    let early = describe(&flow, "early");
    assert_eq!((&early["status"]["issuance"], &early["certificate"]), (&json!("failed"), &Value::Null));

    let mut api = flow.server.client(&flow.token);
    expect(api.post("/v1/zones", &json!({"name": "example.com", "mode": "primary"})), 201);
    let retried = expect(api.post(&format!("/v1/certificates/{}/actions/retry", early["id"]), &Value::Null), 201);
    for action in actions_in(&retried) {
        assert_eq!(wait_action(&mut api, action)["status"], "success");
    }
    flow.hcloud.ok(&create("web"));
    for name in ["early", "web"] {
        let shown = describe(&flow, name);
        assert_eq!(
            shown["status"],
            json!({"issuance": "completed", "renewal": "unavailable", "error": null}),
            "{shown}"
        );
        assert_eq!(shown["domain_names"], json!(["www.example.com", "example.com"]));
    }

    let first = describe(&flow, "web")["fingerprint"].clone();
    let authority = flow.installation.run(&["ca"], &[]);
    assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"), "{authority}");
    assert_ne!(authority, flow.installation.run(&["ca"], &["--staging"]));
    let no_more = ["ca_dns_validation_failed", "--operation", "renew_certificate", "--during"];
    flow.installation.run(&["fault", "add"], &no_more);
    flow.installation.run(&["clock", "advance"], &["60d"]);
    let failed = describe(&flow, "web");
    assert_eq!((&failed["status"]["renewal"], &failed["fingerprint"]), (&json!("failed"), &first), "{failed}");
    let events = flow.installation.run(&["events"], &[]);
    assert_eq!(events.matches("certificate_renewal_failed").count(), 2, "{events}");
    flow.installation.run(&["fault", "clear"], &[]);
    flow.installation.run(&["clock", "advance"], &["2d"]);
    assert_ne!(describe(&flow, "web")["fingerprint"], first);

    for name in ["early", "web"] {
        flow.hcloud.ok(&["certificate", "delete", name]);
    }
    expect(api.delete("/v1/zones/example.com"), 201);
    flow.ends_empty();
}
