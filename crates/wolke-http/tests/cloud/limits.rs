//! Rate limits.

use crate::common::{Setup, World};
use wolke_wire::Dialect;

async fn limited(limit: Option<u32>) -> World {
    World::with(Setup { rate_limit: limit, ..Setup::new(Dialect::Compat) }).await
}

#[tokio::test]
async fn an_enforced_limit_refuses_and_refills() {
    let world = limited(Some(60)).await;
    for n in 1..=60 {
        let answer = world.get("/servers").await;
        assert_eq!((answer.status, answer.number("ratelimit-remaining")), (200, 60 - n));
        assert_eq!(answer.number("ratelimit-limit"), 60);
    }
    let refused = world.ask("POST", "/servers").send().await;
    refused.refused(429, "rate_limit_exceeded");
    assert_eq!(refused.number("ratelimit-remaining"), 0);
    let now = 1_795_219_200;
    assert_eq!(refused.number("ratelimit-reset"), now + 3600, "all are back in an hour");
    world.clock.advance(59_999);
    world.get("/servers").await.refused(429, "rate_limit_exceeded");
    world.clock.advance(1);
    world.get("/servers").await.ok();
    world.get("/servers").await.refused(429, "rate_limit_exceeded");
}

#[tokio::test]
async fn projects_and_addresses_are_counted_apart() {
    let world = limited(Some(3)).await;
    let stranger = world.stranger().await;
    for _ in 0..3 {
        world.ask("GET", "/nothing").token(None).send().await.refused(404, "not_found");
    }
    world.ask("GET", "/servers").token(None).send().await.refused(429, "rate_limit_exceeded");
    world.ask("GET", "/servers").token(Some("wrong")).send().await.refused(429, "rate_limit_exceeded");
    for _ in 0..3 {
        world.get("/servers").await.ok();
    }
    world.ask("GET", "/servers").token(Some(&world.reader)).send().await.refused(429, "rate_limit_exceeded");
    world.ask("GET", "/servers").token(Some(&stranger)).send().await.ok();
}

#[tokio::test]
async fn by_default_requests_are_counted_and_served() {
    let world = limited(None).await;
    for _ in 0..3700 {
        assert_eq!(world.get("/servers").await.status, 200);
    }
    let answer = world.get("/servers").await;
    assert_eq!((answer.number("ratelimit-limit"), answer.number("ratelimit-remaining")), (3600, 0));
    world.clock.advance(100_000);
    assert_eq!(world.get("/servers").await.number("ratelimit-remaining"), 99);
}
