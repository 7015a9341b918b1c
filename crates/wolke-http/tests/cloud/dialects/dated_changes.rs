//! Where clients in use today disagree with the newest API, `compat` serves both (fact sheet §0.2), and each dated change since 2023
//! holds on both of its sides (§2). Members, parameters and rules have their tests in the files beside this one.

use super::{marked, views};
use crate::common::{World, ids, server};
use serde_json::json;
use wolke_wire::Dialect;

/// Ansible reads the data center of a server and of a primary IP; newer clients read the location.
#[tokio::test]
async fn location_and_data_center() {
    let world = World::new(Dialect::Compat).await;
    let mut wanted = server("a");
    wanted["location"] = json!("hel1");
    let made = world.post("/servers", wanted).await.ok();
    let (id, ip) = (&made["server"]["id"], &made["server"]["public_net"]["ipv4"]["id"]);
    for view in views(&world).await {
        let dialect = view.setup.dialect;
        let (has_center, has_location) =
            (dialect != Dialect::Newest, !matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07));
        for (kind, path) in [("server", format!("/servers/{id}")), ("primary_ip", format!("/primary_ips/{ip}"))] {
            if kind == "primary_ip" && dialect == Dialect::D2018_04 {
                continue;
            }
            let seen = view.see(&path).await[kind].clone();
            assert_eq!(
                seen.get("datacenter").is_some_and(|center| center["name"] == "hel1-dc2"),
                has_center,
                "{dialect}"
            );
            assert_eq!(seen.get("location").is_some_and(|place| place["name"] == "hel1"), has_location, "{dialect}");
        }
    }
}

/// The list of data centers is served until it ended in October 2026; `compat` keeps it, with all six.
#[tokio::test]
async fn data_centers() {
    for (dialect, has) in marked("XXXX-") {
        let world = World::new(dialect).await;
        for path in ["/datacenters?per_page=50", "/datacenters/4"] {
            let answer = world.get(path).await;
            if has {
                answer.ok();
            } else {
                answer.refused(410, "deprecated_api_endpoint");
                assert!(answer.json["error"]["details"]["announcement"].is_string());
            }
        }
        if has {
            assert_eq!(ids(&world.see("/datacenters").await["datacenters"]).len(), 6, "{dialect}");
        }
    }
}

/// Networks have members of their own since the autumn of 2026.
#[tokio::test]
async fn members_of_networks() {
    for (dialect, has) in marked(" --XX") {
        let world = World::new(dialect).await;
        let network = world.create("/networks", json!({"name": "n", "ip_range": "10.0.0.0/16"})).await;
        let answer = world.get(&format!("/networks/{network}/members")).await;
        if has {
            assert_eq!(answer.ok()["members"], json!([]), "{dialect}");
        } else {
            answer.refused(404, "not_found");
        }
    }
}

/// Taking a firewall off what it is not applied to was an error until August 2025.
#[tokio::test]
async fn removing_an_absent_firewall() {
    for (dialect, is_refused) in marked(" X---") {
        let world = World::new(dialect).await;
        let id = world.create("/servers", server("a")).await;
        let firewall = world.create("/firewalls", json!({"name": "f"})).await;
        let body = json!({"remove_from": [{"type": "server", "server": {"id": id}}]});
        let answer = world.post(&format!("/firewalls/{firewall}/actions/remove_from_resources"), body).await;
        if is_refused {
            answer.refused(422, "firewall_already_removed");
        } else {
            answer.ok();
        }
    }
}

/// A token speaks its own dialect, whatever the server speaks, and two tokens of one project two of them.
#[tokio::test]
async fn each_token_speaks_its_own() {
    let world = World::new(Dialect::Newest).await;
    let id = world.create("/servers", server("a")).await;
    for (view, has) in views(&world).await.iter().zip([true, true, true, true, false]) {
        assert_eq!(view.see(&format!("/servers/{id}")).await["server"].get("datacenter").is_some(), has);
        assert_eq!(view.get("/datacenters").await.status, if has { 200 } else { 410 });
    }
}
