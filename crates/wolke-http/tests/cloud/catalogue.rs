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
        ] {
            if *dialect == Dialect::Newest && kind == "datacenter" {
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
    assert_eq!(list("type=system").await.len(), all.len());
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
