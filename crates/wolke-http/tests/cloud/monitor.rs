//! Health, readiness, counters and the listing of operations.

use crate::common::World;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use wolke_wire::Dialect;

async fn text(world: &World, path: &str) -> (u16, String) {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn for_whoever_watches() {
    let world = World::new(Dialect::Compat).await;
    world.see("/servers").await;
    world.get("/nothing").await;
    assert_eq!(text(&world, "/healthz").await, (200, "ok\n".into()));
    assert_eq!(text(&world, "/readyz").await, (200, "ok\n".into()));
    let (_, metrics) = text(&world, "/metrics").await;
    assert!(metrics.contains("wolke_http_requests_total{operation=\"list_servers\",status=\"200\"} 1\n"), "{metrics}");
    assert!(metrics.contains("wolke_http_requests_total{operation=\"none\",status=\"404\"} 1\n"), "{metrics}");
    assert!(!metrics.contains("wolke_store_commits_total 0\n"), "{metrics}");
    let (status, listing) = text(&world, "/v1/openapi.json").await;
    let listing: serde_json::Value = serde_json::from_str(&listing).unwrap();
    assert_eq!((status, &listing["paths"]["/servers/{id}"]["delete"]["x-action"]), (200, &"delete_server".into()));
    assert_eq!(text(&world, "/").await.0, 404);
}
