//! What can be ordered: locations, data centers, server types, images.

use crate::common::{World, ids, names};
use serde_json::json;
use wolke_wire::Dialect;

#[tokio::test]
async fn lists_and_their_entries_agree() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        for (path, kind) in [
            ("locations", "location"),
            ("datacenters", "datacenter"),
            ("server_types", "server_type"),
            ("images", "image"),
            ("isos", "iso"),
            ("load_balancer_types", "load_balancer_type"),
            ("storage_box_types", "storage_box_type"),
        ] {
            let gone = *dialect == Dialect::Newest && kind == "datacenter";
            let is_later = match kind {
                "load_balancer_type" => *dialect == Dialect::D2018_04,
                "storage_box_type" => matches!(*dialect, Dialect::D2018_04 | Dialect::D2023_07),
                _ => false,
            };
            if gone || is_later {
                continue;
            }
            let list = world.see(&format!("/{path}?per_page=50")).await;
            let entries = list[path].as_array().unwrap();
            assert!(entries.len() > 2, "{dialect} {path}");
            assert!(ids(&list[path]).is_sorted(), "{dialect} {path}");
            for entry in entries {
                assert_eq!(&world.see(&format!("/{path}/{}", entry["id"])).await[kind], entry, "{dialect}");
            }
            let name = entries[1]["name"].as_str().unwrap();
            let named = world.see(&format!("/{path}?name={name}")).await;
            assert!(names(&named[path]).iter().all(|n| n == name) && !named[path][0].is_null(), "{dialect} {path}");
            assert_eq!(world.see(&format!("/{path}?name=nothing")).await[path], json!([]));
            world.get(&format!("/{path}/999999999")).await.refused(404, "not_found");
        }
    }
}

#[tokio::test]
async fn locations_in_order() {
    let world = World::new(Dialect::Compat).await;
    let first = world.see("/locations").await;
    assert_eq!(first["meta"]["pagination"]["total_entries"], 6);
    let mut expected = names(&first["locations"]);
    assert_eq!(expected[0], "fsn1");
    expected.sort();
    assert_eq!(names(&world.see("/locations?sort=name").await["locations"]), expected);
    assert_eq!(names(&world.see("/locations?sort=name&per_page=2&page=2").await["locations"]), expected[2..4]);
}

#[tokio::test]
async fn datacenters_recommend_one_and_refuse_malformed_names() {
    for dialect in [Dialect::D2018_04, Dialect::D2023_07, Dialect::Compat] {
        let world = World::new(dialect).await;
        let list = world.see("/datacenters").await;
        assert!(ids(&list["datacenters"]).contains(&list["recommendation"].as_i64().unwrap()));
        for wrong in ["", "fsn1_dc14", "a%20b", "-"] {
            world.get(&format!("/datacenters?name={wrong}")).await.wrong(&["name"]);
        }
        assert_eq!(world.see("/datacenters?name=fsn1-dc99").await["datacenters"], json!([]));
    }
    let world = World::new(Dialect::Newest).await;
    for path in ["/datacenters", "/datacenters/4"] {
        let answer = world.get(path).await;
        answer.refused(410, "deprecated_api_endpoint");
        assert!(answer.json["error"]["details"]["announcement"].is_string());
    }
}

#[tokio::test]
async fn image_filters() {
    let world = World::new(Dialect::Compat).await;
    let list = async |query: &str| {
        world.see(&format!("/images?per_page=50&{query}")).await["images"].as_array().unwrap().clone()
    };
    let all = list("").await;
    assert_eq!(list("type=system&type=app").await.len(), all.len());
    assert_eq!(list("type=snapshot&type=backup").await.len(), 0);
    let arm = list("architecture=arm").await;
    assert!(!arm.is_empty() && arm.iter().all(|image| image["architecture"] == "arm"));
    assert_eq!(list("architecture=arm&architecture=x86").await.len(), all.len());
    assert_eq!(list("label_selector=a").await.len(), 0);
    assert_eq!(list("label_selector=!a").await.len(), all.len());
    assert_eq!(list("bound_to=1").await.len(), 0);
    assert!(list("include_deprecated=true").await.len() >= all.len());
    world.get("/images?architecture=mips&type=x&include_deprecated=1").await.wrong(&[
        "architecture",
        "type",
        "include_deprecated",
    ]);
    let names: Vec<_> =
        list("sort=name:desc&sort=id").await.iter().map(|i| i["name"].as_str().unwrap().to_owned()).collect();
    assert!(names.is_sorted_by(|a, b| a >= b));
}

#[tokio::test]
async fn iso_filters() {
    let world = World::new(Dialect::Compat).await;
    let list =
        async |query: &str| world.see(&format!("/isos?per_page=50&{query}")).await["isos"].as_array().unwrap().clone();
    let all = list("").await;
    assert!(
        all.iter().all(|iso| iso["name"].is_string() && iso["architecture"].is_string() && iso["type"] == "public")
    );
    let arm = list("architecture=arm").await;
    assert!(arm.len() > 2 && arm.iter().all(|iso| iso["architecture"] == "arm"));
    assert_eq!(list("architecture=arm&include_architecture_wildcard=true").await.len(), arm.len());
    assert_eq!(list("name=systemrescue-12.02-amd64.iso").await[0]["id"], 122_898);
    assert_eq!(list("sort=name:desc&sort=nonsense").await, all, "a sort that the list lacks is ignored");
    assert_eq!(
        list("include_architecture_wildcard=true").await.len(),
        list("").await.len(),
        "the CLI has it as a flag"
    );
    assert_eq!(
        list("architecture=arm&include_architecture_wildcard=True").await.len(),
        arm.len(),
        "as Python writes it"
    );
    world.get("/isos?include_architecture_wildcard=yes").await.wrong(&["include_architecture_wildcard"]);
    world.get("/isos?architecture=mips").await.wrong(&["architecture"]);
    let old = World::new(Dialect::D2023_07).await;
    old.get("/isos?architecture=mips").await.wrong(&["architecture"]);
    old.get("/images?architecture=mips").await.wrong(&["architecture"]);
    // Gone for long: not listed, readable by its id.
    assert!(!all.iter().any(|iso| iso["id"] == 4711));
    assert_eq!(world.see("/isos/4711").await["iso"]["deprecation"]["unavailable_after"], "2021-11-01T00:00:00+00:00");
    assert_eq!(old.see("/isos/4711").await["iso"]["deprecated"], "2021-11-01T00:00:00+00:00");
}

#[tokio::test]
async fn prices_in_every_dialect() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let prices = world.see("/pricing").await["pricing"].clone();
        assert_eq!((&prices["currency"], &prices["vat_rate"]), (&json!("EUR"), &json!("19.00")), "{dialect}");
        let types = world.see("/server_types?per_page=50").await;
        assert_eq!(ids(&prices["server_types"]), ids(&types["server_types"]), "{dialect}");
        assert_eq!(prices["server_types"][0]["prices"], types["server_types"][0]["prices"], "{dialect}");
        // Legacy members, always 0: the two old documents have them, and today's clients still read them.
        let old = matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07 | Dialect::Compat);
        assert_eq!(prices.get("traffic").is_some(), old, "{dialect}");
        if old {
            assert_eq!(prices["traffic"]["price_per_tb"]["net"], "0.0000000000", "{dialect}");
        }
        let expected = (*dialect == Dialect::Compat).then(|| json!(0));
        assert_eq!(types["server_types"][0].get("included_traffic"), expected.as_ref(), "{dialect}");
        assert_eq!(prices.get("primary_ips").is_some(), *dialect != Dialect::D2018_04, "{dialect}");
    }
}

#[tokio::test]
async fn load_balancer_types_say_when_they_end() {
    for (dialect, has) in [(Dialect::D2026_02, false), (Dialect::Compat, true), (Dialect::Newest, true)] {
        let world = World::new(dialect).await;
        let lb11 = world.see("/load_balancer_types/1").await["load_balancer_type"].clone();
        assert_eq!((&lb11["name"], &lb11["deprecated"]), (&json!("lb11"), &json!(null)));
        assert_eq!(lb11.get("deprecation").is_some(), has, "{dialect}");
    }
    World::new(Dialect::D2018_04).await.get("/load_balancer_types").await.refused(404, "not_found");
}

#[tokio::test]
async fn images_of_applications() {
    let world = World::new(Dialect::Compat).await;
    let apps = world.see("/images?type=app").await["images"].clone();
    assert!(names(&apps).contains(&"docker-ce".to_owned()));
    assert!(apps.as_array().unwrap().iter().all(|image| image["type"] == "app"));
    let mut wanted = crate::common::server("a");
    wanted["image"] = json!("docker-ce");
    let made = world.post("/servers", wanted).await.ok();
    assert_eq!(made["server"]["image"]["type"], "app");
    // To 2018, which has no word for them, they are system images.
    let old = World::new(Dialect::D2018_04).await;
    assert_eq!(old.see("/images?name=docker-ce").await["images"][0]["type"], "system");
}
