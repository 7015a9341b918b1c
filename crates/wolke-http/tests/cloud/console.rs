//! Consoles: tickets, and the websocket behind them.

use crate::common::vnc::{Served, Vnc};
use crate::common::{World, server};
use serde_json::{Value, json};
use wolke_store::console::{TICKET_MS, TICKETS_PER_SERVER_MAX};
use wolke_wire::Dialect;

/// A world with a server.
async fn with_server(dialect: Dialect) -> (World, i64) {
    let world = World::new(dialect).await;
    let id = world.create("/servers", server("web-1")).await;
    // Its boot is over.
    world.clock.advance(60_000);
    (world, id)
}

async fn request(world: &World, id: i64) -> (String, String) {
    let answer = world.post(&format!("/servers/{id}/actions/request_console"), Value::Null).await.ok();
    let text = |key: &str| answer[key].as_str().unwrap().to_owned();
    (text("wss_url"), text("password"))
}

/// An open console whose client has shown its password.
async fn enter(world: &World, served: &Served, id: i64) -> Vnc {
    let (url, password) = request(world, id).await;
    let mut vnc = served.open(&url).await.ok().unwrap();
    assert_eq!(vnc.log_in(&password).await.unwrap(), "web-1");
    vnc
}

/// What a request is answered that names no host and comes over no connection that could be upgraded.
async fn status(world: &World, url: &str, method: &str) -> u16 {
    use tower::ServiceExt as _;
    let path = url.trim_start_matches("ws://wolke.test:4280");
    let bearer = format!("Bearer {}", world.token);
    let request = http::Request::builder().method(method).uri(path).header("authorization", bearer);
    let request = request.body(axum::body::Body::empty()).unwrap();
    world.router.clone().oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn the_answer_holds_a_finished_action_a_url_and_a_password() {
    for dialect in Dialect::ALL {
        let (world, id) = with_server(*dialect).await;
        let path = format!("/servers/{id}/actions/request_console");
        let answer = world.post(&path, Value::Null).await;
        assert_eq!(answer.status, 201);
        let answer = answer.ok();
        assert_eq!(answer["action"]["command"], "request_console");
        assert_eq!((&answer["action"]["status"], &answer["action"]["progress"]), (&json!("success"), &json!(100)));
        assert_eq!(answer["action"]["resources"], json!([{"id": id, "type": "server"}]));
        assert_ne!(answer["action"]["finished"], Value::Null);
        let url = answer["wss_url"].as_str().unwrap();
        let token = url.strip_prefix("ws://wolke.test:4280/console/").unwrap();
        assert_eq!((token.len(), answer["password"].as_str().unwrap().len()), (64, 8));
        let secure = world.ask("POST", &path).header("x-forwarded-proto", "https").send().await.ok();
        assert!(secure["wss_url"].as_str().unwrap().starts_with("wss://wolke.test:4280/console/"), "{secure}");
        assert_ne!(secure["password"], answer["password"]);
    }
}

#[tokio::test]
async fn every_state_has_a_console_but_not_every_caller() {
    let (world, id) = with_server(Dialect::Compat).await;
    let path = format!("/servers/{id}/actions/request_console");
    world.post(&format!("/servers/{id}/actions/poweroff"), Value::Null).await.ok();
    request(&world, id).await;
    world.ask("POST", &path).token(Some(&world.reader)).send().await.refused(401, "token_readonly");
    let stranger = world.stranger().await;
    world.ask("POST", &path).token(Some(&stranger)).send().await.refused(404, "not_found");
    world.post("/servers/4711/actions/request_console", Value::Null).await.refused(404, "not_found");
    let commits = world.commits();
    assert_eq!(status(&world, &format!("/v1{path}"), "POST").await, 422, "there is no host to lead to");
    assert_eq!(world.commits(), commits);
}

#[tokio::test]
async fn a_ticket_opens_once_for_a_minute() {
    let (world, id) = with_server(Dialect::Compat).await;
    let served = Served::new(&world);
    let (url, password) = request(&world, id).await;
    let commits = world.commits();
    assert_eq!(status(&world, &url, "GET").await, 400, "no websocket");
    assert_eq!(status(&world, &url, "POST").await, 405);
    assert_eq!(world.commits(), commits, "and no ticket spent on that");
    let mut vnc = served.open(&url).await.ok().unwrap();
    assert_eq!(served.open(&url).await.err(), Some(403), "used");
    assert_eq!(vnc.log_in(&password).await.unwrap(), "web-1");

    let (url, _) = request(&world, id).await;
    world.clock.advance(TICKET_MS);
    assert_eq!(served.open(&url).await.err(), Some(403), "expired");
    let unknown = format!("ws://wolke.test:4280/console/{}", "x".repeat(64));
    assert_eq!(served.open(&unknown).await.err(), Some(404));
    assert_eq!(served.open("ws://wolke.test:4280/console/a/b").await.err(), Some(404));

    // Every ticket of the last minute counts, up to a limit.
    let (oldest, _) = request(&world, id).await;
    world.clock.advance(1);
    for _ in 0..TICKETS_PER_SERVER_MAX {
        request(&world, id).await;
    }
    assert_eq!(served.open(&oldest).await.err(), Some(404), "replaced");
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_spends_the_ticket() {
    let (world, id) = with_server(Dialect::Compat).await;
    let served = Served::new(&world);
    let (url, password) = request(&world, id).await;
    let mut vnc = served.open(&url).await.ok().unwrap();
    assert_eq!(vnc.log_in("wrong").await.unwrap_err(), "wrong password");
    assert_eq!(vnc.closed().await, "wrong password");
    assert_eq!(served.open(&url).await.err(), Some(403), "no second guess");
    let (_, other) = request(&world, id).await;
    assert_ne!(password, other);
}

#[tokio::test]
async fn power_and_keys_show_live() {
    let (world, id) = with_server(Dialect::Compat).await;
    let served = Served::new(&world);
    let mut vnc = enter(&world, &served, id).await;
    let black = vec![0, 0, 0, 0];
    let white = vec![255, 255, 255, 0];
    let prompt = vnc.picture(false).await;
    assert!(prompt.contains(&white) && !prompt.contains(&black), "{prompt:?}");
    for key in "root".bytes() {
        vnc.press(u32::from(key)).await;
        assert!(vnc.picture(true).await.len() >= 2, "an echo");
    }
    world.post(&format!("/servers/{id}/actions/poweroff"), Value::Null).await.ok();
    assert_eq!(vnc.picture(true).await.into_iter().collect::<Vec<_>>(), [black], "dark");
    world.post(&format!("/servers/{id}/actions/poweron"), Value::Null).await.ok();
    // The first line of the boot; time stands still.
    let boot = vnc.picture(true).await;
    assert!(boot.len() > 1 && !boot.contains(&white), "{boot:?}");
    world.clock.advance(60_000);
    assert!(vnc.picture(true).await.contains(&white), "the prompt again");
    world.delete(&format!("/servers/{id}")).await.ok();
    assert_eq!(vnc.closed().await, "the server is gone");
}

#[tokio::test]
async fn what_is_no_vnc_is_sent_away() {
    let (world, id) = with_server(Dialect::Compat).await;
    let served = Served::new(&world);
    let (url, _) = request(&world, id).await;
    let mut vnc = served.open(&url).await.ok().unwrap();
    vnc.say(b"GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(vnc.closed().await, "this is no RFB client");
    let mut vnc = enter(&world, &served, id).await;
    vnc.say_text("hello").await;
    assert_eq!(vnc.closed().await, "RFB is binary");
    // Larger than any message may be.
    let mut vnc = enter(&world, &served, id).await;
    vnc.say(&[6; 60 << 10]).await;
    assert_eq!(vnc.closed().await, "the clipboard is too long");
}

#[tokio::test]
async fn consoles_of_a_server_are_limited_and_end_with_the_process() {
    let (world, id) = with_server(Dialect::Compat).await;
    let served = Served::new(&world);
    let mut open = Vec::new();
    let (url, refused) = loop {
        let (url, _) = request(&world, id).await;
        match served.open(&url).await {
            Ok(vnc) => open.push(vnc),
            Err(status) => break (url, status),
        }
    };
    assert_eq!((open.len(), refused), (8, 503));
    drop(open.pop());
    // The place comes back when the server has noticed; the ticket is still good.
    let mut again = served.open(&url).await;
    for _ in 0..1_000 {
        if again.is_ok() {
            break;
        }
        tokio::task::yield_now().await;
        again = served.open(&url).await;
    }
    open.push(again.ok().unwrap());
    served.stop().await;
    for vnc in &mut open {
        assert_eq!(vnc.closed().await, "the server is stopping");
    }
}
