//! Pages, filters, selectors, order, links.

use crate::common::{World, ids, names, public_key, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

async fn many(world: &World, number: usize) {
    for n in 0..number {
        let mut wanted = server(&format!("s{n:02}"));
        wanted["labels"] = json!({"even": (n % 2 == 0).to_string(), "tier": (["a", "b", "c"][n % 3])});
        if n % 5 == 0 {
            wanted["labels"]["special"] = json!("");
        }
        wanted["start_after_create"] = json!(n % 4 != 0);
        world.post("/servers", wanted).await.ok();
        world.clock.advance(1000 * (n as i64 % 2));
    }
}

#[tokio::test]
async fn sixty_servers_in_pages() {
    let world = World::new(Dialect::Compat).await;
    many(&world, 60).await;
    let first = world.see("/servers").await;
    assert_eq!(first["servers"].as_array().unwrap().len(), 25);
    let pagination = |page: u64, previous: Value, next: Value, per_page: u64, last: u64| {
        json!({"page": page, "per_page": per_page, "previous_page": previous, "next_page": next, "last_page": last,
            "total_entries": 60})
    };
    assert_eq!(first["meta"]["pagination"], pagination(1, Value::Null, json!(2), 25, 3));
    let mut all = Vec::new();
    for page in 1..=2 {
        let page = world.see(&format!("/servers?page={page}&per_page=50")).await;
        all.extend(ids(&page["servers"]));
    }
    assert_eq!(all.len(), 60);
    assert!(all.is_sorted());
    let last = world.see("/servers?page=3").await;
    assert_eq!(last["meta"]["pagination"], pagination(3, json!(2), Value::Null, 25, 3));
    assert_eq!(last["servers"].as_array().unwrap().len(), 10);
    let beyond = world.see("/servers?page=9").await;
    assert_eq!(beyond["meta"]["pagination"], pagination(9, json!(3), Value::Null, 25, 3));
    assert_eq!(beyond["servers"], json!([]));
}

#[tokio::test]
async fn links_lead_through_the_pages() {
    let world = World::new(Dialect::Compat).await;
    many(&world, 6).await;
    let answer = world.get("/servers?per_page=2&page=2&sort=name:desc&label_selector=tier").await;
    let link = answer.header("link").unwrap();
    let base = "http://wolke.test:4280/v1/servers?per_page=2";
    let rest = "&sort=name:desc&label_selector=tier";
    assert_eq!(
        link,
        format!(
            "<{base}&page=1{rest}>; rel=\"prev\", <{base}&page=3{rest}>; rel=\"next\", \
             <{base}&page=3{rest}>; rel=\"last\", <{base}&page=1{rest}>; rel=\"first\""
        )
    );
    assert_eq!(names(&answer.ok()["servers"]), ["s03", "s02"]);
    let behind_tls = world.ask("GET", "/servers").header("x-forwarded-proto", "https").send().await;
    assert!(behind_tls.header("link").unwrap().starts_with("<https://wolke.test:4280/v1/servers?page=1>"));
    assert!(world.get("/servers/1").await.header("link").is_none());
}

#[tokio::test]
async fn filters_and_selectors() {
    let world = World::new(Dialect::Compat).await;
    many(&world, 12).await;
    let list = async |query: &str| names(&world.see(&format!("/servers?{query}")).await["servers"]);
    assert_eq!(list("name=s03").await, ["s03"]);
    assert_eq!(list("name=s").await, Vec::<String>::new());
    assert_eq!(list("status=off").await, ["s00", "s04", "s08"]);
    assert_eq!(list("status=off&status=running").await.len(), 12);
    assert_eq!(list("status=off&name=s04").await, ["s04"]);
    for (selector, expected) in [
        ("tier=a", vec!["s00", "s03", "s06", "s09"]),
        ("tier==a,even=true", vec!["s00", "s06"]),
        ("special", vec!["s00", "s05", "s10"]),
        ("special=", vec!["s00", "s05", "s10"]),
        ("!special,tier=b,even!=true", vec!["s01", "s07"]),
        ("tier in (a,b),special", vec!["s00", "s10"]),
        ("tier notin (a, b),even=true", vec!["s02", "s08"]),
        ("nothing!=x,tier=c,!special,even", vec!["s02", "s08", "s11"]),
        ("", vec!["s00", "s01", "s02", "s03", "s04", "s05", "s06", "s07", "s08", "s09", "s10", "s11"]),
    ] {
        let encoded = selector.replace(' ', "%20").replace('=', "%3D").replace(',', "%2C");
        assert_eq!(list(&format!("label_selector={encoded}")).await, expected, "{selector}");
        let total = world.see(&format!("/servers?per_page=1&label_selector={encoded}")).await;
        assert_eq!(total["meta"]["pagination"]["total_entries"], expected.len(), "{selector}");
    }
    assert_eq!(list("label_selector=tier+in+(a)").await.len(), 4, "a plus is a space");
}

#[tokio::test]
async fn orders() {
    let world = World::new(Dialect::Compat).await;
    many(&world, 6).await;
    let list = async |query: &str| names(&world.see(&format!("/servers?{query}")).await["servers"]);
    assert_eq!(list("sort=name:desc").await, ["s05", "s04", "s03", "s02", "s01", "s00"]);
    assert_eq!(list("sort=id:desc&per_page=2").await, ["s05", "s04"]);
    // Servers come in pairs of the same age: s00 s01 | s02 s03 | s04 s05.
    assert_eq!(list("sort=created:desc&sort=name").await, ["s04", "s05", "s02", "s03", "s00", "s01"]);
    assert_eq!(list("sort=created&sort=name:desc").await, ["s01", "s00", "s03", "s02", "s05", "s04"]);
    assert_eq!(list("sort=created:asc&sort=id:desc&page=2&per_page=2").await, ["s03", "s02"]);
}

#[tokio::test]
async fn wrong_parameters() {
    let world = World::new(Dialect::Compat).await;
    for (query, fields) in [
        ("page=0", vec!["page"]),
        ("per_page=51", vec!["per_page"]),
        ("page=x&per_page=-1&sort=color&status=happy", vec!["page", "per_page", "sort", "status"]),
        ("sort=name:up", vec!["sort"]),
        ("sort=", vec!["sort"]),
        ("label_selector=a%3D%3D%3Db", vec!["label_selector"]),
        ("label_selector=a%20in%20(", vec!["label_selector"]),
        ("label_selector=a,,b", vec!["label_selector"]),
        ("status=off&status=on", vec!["status"]),
    ] {
        world.get(&format!("/servers?{query}")).await.wrong(&fields);
    }
    world.see("/servers?unknown=1&sort_by=x&id=zzz&fingerprint=1").await;
    let flood = "x&".repeat(2000);
    world.get(&format!("/servers?{flood}")).await.refused(422, "invalid_input");
}

#[tokio::test]
async fn every_list_has_pages() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        world.create("/ssh_keys", json!({"name": "k", "public_key": public_key(1)})).await;
        let id = world.create("/servers", server("a")).await;
        world.create("/floating_ips", json!({"type": "ipv4", "home_location": "fsn1"})).await;
        let mut paths = vec!["/servers", "/ssh_keys", "/locations", "/server_types", "/images", "/floating_ips"];
        let actions = format!("/servers/{id}/actions");
        paths.push(&actions);
        if *dialect != Dialect::Newest {
            paths.push("/datacenters");
        }
        if *dialect != Dialect::D2018_04 {
            paths.push("/primary_ips");
        }
        for path in paths {
            let answer = world.get(&format!("{path}?page=1&per_page=1")).await;
            assert!(answer.header("link").is_some_and(|link| link.contains("rel=\"last\"")), "{dialect} {path}");
            let answer = answer.ok();
            assert_eq!(answer["meta"]["pagination"]["per_page"], 1, "{dialect} {path}");
            assert!(answer["meta"]["pagination"]["total_entries"].as_u64().unwrap() > 0, "{dialect} {path}");
            world.get(&format!("{path}?per_page=51")).await.wrong(&["per_page"]);
        }
    }
}
