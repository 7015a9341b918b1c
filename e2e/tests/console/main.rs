//! The console with the viewer that people have: noVNC, in headless Chromium.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod viewer;

use e2e::api::{create_server, expect, wait_success};
use e2e::http::Client;
use e2e::prerequisite;
use e2e::process::{Installation, Wolke};
use serde_json::{Value, json};
use std::path::Path;
use viewer::{Viewer, number};

const ENTER: u32 = 0xff0d;

/// Where the screenshot of a test is left for people to look at.
fn screenshot(test: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.png"))
}

struct Flow {
    installation: Installation,
    server: Wolke,
    client: Client,
    id: u64,
}

impl Flow {
    /// A server process with one server.
    fn start() -> Self {
        let installation = Installation::embedded();
        let server = installation.serve(&["--log-level", "debug"]);
        let mut client = server.client(&installation.token());
        let id = create_server(&mut client, "web-1");
        Flow { installation, server, client, id }
    }

    fn act(&mut self, action: &str) -> Value {
        let answer = expect(self.client.post(&format!("/v1/servers/{}/actions/{action}", self.id), &json!({})), 201);
        wait_success(&mut self.client, &answer);
        answer
    }

    /// A ticket: URL and password.
    fn ticket(&mut self) -> (String, String) {
        let answer = self.act("request_console");
        let text = |key: &str| answer[key].as_str().unwrap().to_owned();
        (text("wss_url"), text("password"))
    }

    /// Stops the server, and makes sure that its log holds no secret.
    fn end(mut self, secrets: &[&str]) {
        assert!(self.server.terminate().success());
        let log = std::fs::read_to_string(self.installation.data().with_file_name("log")).unwrap();
        assert!(log.contains("console opened"), "{log}");
        for secret in secrets {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }
}

#[test]
fn novnc_shows_the_machine() {
    let test = "novnc_shows_the_machine";
    let (Some(novnc), Some(chromium)) = (prerequisite::novnc(test), prerequisite::chromium(test)) else { return };
    let mut flow = Flow::start();
    let (url, password) = flow.ticket();
    let viewer = Viewer::open(&novnc, &chromium, (&url, &password), &screenshot(test));
    let shown = viewer.sees("a connection", |seen| seen["connected"] == true && seen["name"] == "web-1");
    assert_eq!(shown["failure"], Value::Null);
    // The prompt is white, which no line of a boot is.
    let prompt = viewer.sees("a prompt", |seen| number(seen, "white") > 100);
    viewer.types("root".chars().map(u32::from));
    let echo = viewer.sees("what was typed", |seen| number(seen, "ink") > number(&prompt, "ink") + 100);
    viewer.types([ENTER]);
    viewer.sees("a second prompt", |seen| number(seen, "ink") > number(&echo, "ink") + 100);

    flow.act("poweroff");
    viewer.sees("a dark screen", |seen| seen["lit"] == 0 && seen["connected"] == true);
    flow.act("poweron");
    viewer.sees("a boot", |seen| number(seen, "lit") == 640 * 400 && number(seen, "ink") > 100);
    viewer.sees("a prompt again", |seen| number(seen, "white") > 100);
    // The same prompt as the first: what was typed went with the boot.
    viewer.sees("an empty prompt", |seen| seen["ink"] == prompt["ink"]);

    let size = viewer.take_screenshot();
    assert!(size > 4096, "an empty picture: {size} bytes");
    let token = url.rsplit('/').next().unwrap();
    flow.end(&[token, &password]);
}

#[test]
fn novnc_reports_a_wrong_password_and_a_used_ticket() {
    let test = "novnc_reports_a_wrong_password_and_a_used_ticket";
    let (Some(novnc), Some(chromium)) = (prerequisite::novnc(test), prerequisite::chromium(test)) else { return };
    let mut flow = Flow::start();
    let (url, password) = flow.ticket();
    let wrong = Viewer::open(&novnc, &chromium, (&url, "wrong"), &screenshot(test));
    let seen = wrong.sees("a refusal", |seen| seen["failure"] != Value::Null);
    assert_eq!((&seen["failure"], &seen["connected"]), (&json!("wrong password"), &json!(false)));
    drop(wrong);

    let used = Viewer::open(&novnc, &chromium, (&url, &password), &screenshot(test));
    let seen = used.sees("a broken connection", |seen| seen["closed"] != Value::Null);
    assert_eq!((&seen["closed"], &seen["connected"]), (&json!("broken"), &json!(false)));
    flow.end(&[&password]);
}
