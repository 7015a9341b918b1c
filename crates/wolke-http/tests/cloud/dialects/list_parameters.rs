//! Parameters of lists (dialects A.4; fact sheet §1.1).

use super::{marked, views};
use crate::common::{World, ids, names, public_key, server};
use serde_json::json;
use wolke_wire::Dialect;

/// A query that only those refuse who read it. `per_page` shows that the others did not refuse it for something else.
async fn is_read(world: &World, list: &str, query: &str) -> bool {
    let answer = world.get(&format!("/{list}?{query}&per_page=50")).await;
    if answer.status == 422 {
        answer.wrong(&[query.split('=').next().unwrap()]);
        return true;
    }
    answer.ok();
    false
}

#[tokio::test]
async fn parameters_that_a_list_lacks_are_ignored() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("a")).await;
    let image = world.see(&format!("/servers/{id}")).await["server"]["image"]["id"].clone();
    let (of_server, of_image) = (format!("servers/{id}/actions"), format!("images/{image}/actions"));
    let views = views(&world).await;
    for (list, query, row) in [
        ("servers", "label_selector=a%3D%3D%3Db", "-XXXX"),
        ("servers", "sort=color", "-XXXX"),
        ("servers", "status=happy", "-XXXX"),
        (&of_server, "status=happy", "XXXXX"),
        (&of_server, "sort=color", "XXXXX"),
        (&of_image, "status=happy", "-XXXX"),
        (&of_image, "sort=color", "XXXXX"),
        ("floating_ips", "label_selector=a%3D%3D%3Db", "-XXXX"),
        ("floating_ips", "sort=color", "-XXXX"),
        ("ssh_keys", "label_selector=a%3D%3D%3Db", "-XXXX"),
        ("ssh_keys", "sort=color", "-XXXX"),
        ("images", "sort=color", "XXXXX"),
        ("images", "type=nonsense", "XXXXX"),
        ("images", "status=nonsense", "-XXXX"),
        ("images", "architecture=mips", "-XXXX"),
        ("images", "include_deprecated=perhaps", "-XXXX"),
        ("images", "label_selector=a%3D%3D%3Db", "-XXXX"),
        ("isos", "architecture=mips", "-XXXX"),
        ("isos", "include_architecture_wildcard=perhaps", "-XXXX"),
        ("locations", "sort=color", "--XXX"),
        ("datacenters", "sort=color", "--XX "),
        ("datacenters", "name=no_name", "XXXX "),
        ("networks", "sort=color", " -XXX"),
        ("server_types", "sort=color", "-----"),
        ("isos", "sort=color", "-----"),
    ] {
        for (dialect, has) in marked(row) {
            let view = views.iter().find(|view| view.setup.dialect == dialect).unwrap();
            assert_eq!(is_read(view, list, query).await, has, "{dialect} {list} {query}");
        }
    }
}

/// What is not read does not filter, and what is read does.
#[tokio::test]
async fn filters_that_only_some_have() {
    let world = World::new(Dialect::Compat).await;
    world.create("/ssh_keys", json!({"name": "b", "public_key": public_key(1), "labels": {"n": "1"}})).await;
    world.create("/ssh_keys", json!({"name": "a", "public_key": public_key(2)})).await;
    let mut labelled = server("b");
    labelled["labels"] = json!({"n": "1"});
    world.create("/servers", labelled).await;
    world.create("/servers", server("a")).await;
    for name in ["b", "a"] {
        world.create("/floating_ips", json!({"name": name, "type": "ipv4", "home_location": "fsn1"})).await;
        world.create("/networks", json!({"name": name, "ip_range": "10.0.0.0/16"})).await;
    }
    for view in views(&world).await {
        let dialect = view.setup.dialect;
        let is_2018 = dialect == Dialect::D2018_04;
        let list = async |list: &str, query: &str| names(&view.see(&format!("/{list}?{query}")).await[list]);
        for kind in ["servers", "ssh_keys"] {
            let chosen = list(kind, "label_selector=n").await;
            assert_eq!(chosen, if is_2018 { vec!["b", "a"] } else { vec!["b"] }, "{dialect} {kind}");
            let sorted = list(kind, "sort=name").await;
            assert_eq!(sorted, if is_2018 { ["b", "a"] } else { ["a", "b"] }, "{dialect} {kind}");
            assert_eq!(list(kind, "name=a").await, ["a"], "{dialect} {kind}");
        }
        assert_eq!(list("servers", "status=off").await.len(), if is_2018 { 2 } else { 0 }, "{dialect}");
        let floating = view.see("/floating_ips?name=a").await;
        assert_eq!(floating["floating_ips"].as_array().unwrap().len(), if is_2018 { 2 } else { 1 }, "{dialect}");
        let descending = list("locations", "sort=name:desc").await;
        let is_sorted = descending.is_sorted_by(|a, b| a >= b);
        assert_eq!(is_sorted, !matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07), "{dialect}: {descending:?}");
        if !is_2018 {
            let sorted = list("networks", "sort=name").await;
            assert_eq!(sorted, if dialect == Dialect::D2023_07 { ["b", "a"] } else { ["a", "b"] }, "{dialect}");
        }
    }
}

#[tokio::test]
async fn filters_of_images_and_isos() {
    let world = World::new(Dialect::Compat).await;
    for view in views(&world).await {
        let dialect = view.setup.dialect;
        let is_2018 = dialect == Dialect::D2018_04;
        let number = async |list: &str, query: &str| {
            let answer = view.see(&format!("/{list}?per_page=50&{query}")).await;
            answer[list].as_array().unwrap().len()
        };
        for (list, query) in [
            ("images", "architecture=arm"),
            ("images", "status=creating"),
            ("images", "label_selector=a"),
            ("isos", "architecture=arm"),
        ] {
            assert_eq!(number(list, query).await == number(list, "").await, is_2018, "{dialect} {list} {query}");
        }
        assert!(number("images", "type=system").await > 0, "{dialect}");
        assert_eq!(number("images", "type=snapshot&type=backup").await, 0, "{dialect}: the key repeats");
        // There are no apps in 2018, so nobody can ask for them.
        let apps = view.get("/images?type=app").await;
        if is_2018 {
            apps.wrong(&["type"]);
        } else {
            assert!(!apps.ok()["images"].as_array().unwrap().is_empty(), "{dialect}");
        }
        // `unavailable` is a state since 2023, and a filter since 2025.
        let unavailable = view.get("/images?status=unavailable").await;
        if dialect == Dialect::D2023_07 {
            unavailable.wrong(&["status"]);
        } else {
            unavailable.ok();
        }
    }
}

#[tokio::test]
async fn actions_by_progress() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("a")).await;
    for view in views(&world).await {
        let dialect = view.setup.dialect;
        let path = format!("/servers/{id}/actions?sort=progress:desc");
        if matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07) {
            assert_eq!(ids(&view.see(&path).await["actions"]).len(), 2, "{dialect}");
        } else {
            view.get(&path).await.wrong(&["sort"]);
        }
    }
}

/// Types of metrics stand in one value, joined by commas, in every dialect (dialects A.4, D.3).
#[tokio::test]
async fn types_of_metrics_are_one_value() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/servers", server("a")).await;
    world.clock.advance(60 * 60 * 1000);
    for view in views(&world).await {
        let period = "start=2026-11-21T00:00:00Z&end=2026-11-21T01:00:00Z";
        let seen = view.see(&format!("/servers/{id}/metrics?type=cpu,disk&{period}")).await;
        let series = seen["metrics"]["time_series"].as_object().unwrap();
        assert_eq!(series.len(), 5, "{}: {series:?}", view.setup.dialect);
        let sample = &series["cpu"]["values"][0];
        assert!(sample[0].is_number() && sample[1].is_string(), "{}: {sample}", view.setup.dialect);
    }
}
