//! Which operations there are (dialects A.2, A.3; fact sheet §2).

use super::marked;
use crate::common::{World, ids, server};
use serde_json::json;
use wolke_http::table::OPERATIONS;
use wolke_wire::Dialect;
use wolke_wire::contract::Contract;

/// A path with a number for every parameter.
fn filled(template: &str) -> String {
    let segments = template.split('/').map(|segment| if segment.starts_with('{') { "1" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// What the document of a dialect does not have is not there, and what has ended says so: no other answer.
#[tokio::test]
async fn what_a_document_lacks_is_not_found() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let mut absent = 0;
        for operation in OPERATIONS {
            let path = filled(operation.path);
            match Contract::of(*dialect).operation(operation.id) {
                Some(contract) if contract.ended.is_some() => {
                    world.get(&path).await.refused(410, "deprecated_api_endpoint");
                }
                Some(_) => {}
                None => {
                    absent += 1;
                    let answer = world.ask(operation.verb.as_str(), &path).send().await;
                    answer.refused(404, "not_found");
                    assert_eq!(answer.message(), "the requested API endpoint does not exist", "{dialect} {path}");
                }
            }
        }
        assert_eq!(absent > 0, !matches!(dialect, Dialect::Compat | Dialect::Newest), "{dialect}: {absent}");
    }
}

/// One operation of each group that came or went, by hand: the contract cannot hide them here.
#[tokio::test]
async fn operations_that_came_and_went() {
    for (path, row) in [
        ("/servers", "XXXXX"),
        ("/pricing", "XXXXX"),
        ("/primary_ips", "-XXXX"),
        ("/placement_groups", "-XXXX"),
        ("/volumes", "-XXXX"),
        ("/networks", "-XXXX"),
        ("/firewalls", "-XXXX"),
        ("/load_balancer_types", "-XXXX"),
        ("/servers/actions", "--XXX"),
        ("/primary_ips/actions", "--XXX"),
        ("/zones", "--XXX"),
        ("/datacenters", "XXXX "),
    ] {
        for (dialect, has) in marked(row) {
            let answer = World::new(dialect).await.get(path).await;
            assert_eq!(answer.status, if has { 200 } else { 404 }, "{dialect} {path}");
        }
    }
}

/// In 2018 it has no filter by id, either; where it works only by id it has lost order, filter and pages.
#[tokio::test]
async fn the_list_of_all_actions() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let made = world.post("/servers", server("a")).await.ok();
        let (id, action) = (&made["server"]["id"], made["action"]["id"].as_i64().unwrap());
        world.post(&format!("/servers/{id}/actions/reset"), json!({})).await.ok();
        let all = ids(&world.see(&format!("/actions?id={action}")).await["actions"]);
        assert_eq!(all.len(), if *dialect == Dialect::D2018_04 { 3 } else { 1 }, "{dialect}");
        let by_id = world.see(&format!("/actions?id={action}&per_page=1&status=error")).await;
        let has_pages = matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07);
        assert_eq!(by_id.get("meta").is_some(), has_pages, "{dialect}");
        assert_eq!(
            by_id["actions"].as_array().unwrap().is_empty(),
            has_pages,
            "{dialect}: a filter where there is one"
        );
    }
}
