//! Entries of the catalogue that the operator adds and takes away while servers use them.

use super::operator::Operator;
use crate::common::{Setup, World, server};
use serde_json::{Value, json};
use wolke_wire::Dialect;

const LAB: &str = r#"
[[location]]
id = 90
name = "lab1"
description = "Lab"
country = "DE"
city = "Lab"
latitude = 1.0
longitude = 1.0
network_zone = "eu-central"
included_traffic = 20.0
price_per_tb_traffic = "1.00"
[[datacenter]]
id = 90
name = "lab1-dc1"
description = "Lab 1"
location = "lab1"
[[server_type]]
id = 900
name = "own1"
description = "Own 1"
category = "regular_purpose"
cores = 1
memory = 2.0
disk = 40
cpu_type = "shared"
architecture = "x86"
offers = [{ at = ["lab1"], hourly = "0.01", monthly = "5.00" }]
[[iso]]
id = 77
name = "own.iso"
description = "Own"
"#;

const LAB_GONE: &str = r#"
[[server_type]]
name = "own1"
remove = true
[[datacenter]]
name = "lab1-dc1"
remove = true
[[location]]
name = "lab1"
remove = true
[[server_type]]
name = "cpx22"
remove = true
[[image]]
name = "debian-12"
remove = true
"#;

fn own_app() -> Value {
    json!({"type": "app", "name": "own-app", "description": "Our app", "os_flavor": "debian",
        "os_version": "13", "architectures": ["x86"], "disk_size": 7})
}

/// One server of what the operator has added, and one of what was there before.
async fn two_servers(world: &World, operator: &Operator) -> (i64, i64) {
    operator.does("POST", "/catalogue", json!({"overlay": LAB})).await;
    operator.does("POST", "/catalogue/images", own_app()).await;
    let wanted = json!({"name": "own", "server_type": "own1", "image": "own-app", "location": "lab1"});
    let own = world.create("/servers", wanted).await;
    world.post(&format!("/servers/{own}/actions/attach_iso"), json!({"iso": "own.iso"})).await.ok();
    (own, world.create("/servers", server("usual")).await)
}

/// Everything that shows what is gone, and what lists have.
async fn everything(world: &World, servers: (i64, i64)) -> Vec<bool> {
    let own = world.see(&format!("/servers/{}", servers.0)).await["server"].clone();
    let usual = world.see(&format!("/servers/{}", servers.1)).await["server"].clone();
    assert_eq!((&own["server_type"]["name"], &own["iso"]["name"]), (&json!("own1"), &json!("own.iso")));
    assert_eq!((&own["image"]["name"], &usual["image"]["name"]), (&json!("own-app"), &json!("debian-12")));
    assert_eq!(world.see("/servers").await["servers"].as_array().unwrap().len(), 2);
    let actions = world.see(&format!("/servers/{}/actions", servers.0)).await["actions"].clone();
    assert!(actions.as_array().unwrap().iter().any(|action| action["command"] == "attach_iso"));
    let mut listed = Vec::new();
    for (list, name) in [
        ("server_types", "own1"),
        ("server_types", "cpx22"),
        ("locations", "lab1"),
        ("datacenters", "lab1-dc1"),
        ("isos", "own.iso"),
        ("images", "own-app"),
        ("images", "debian-12"),
    ] {
        let answer = world.get(&format!("/{list}?name={name}")).await;
        if list == "datacenters" && answer.status == 410 {
            // The newest dialect has none; they go with their locations.
            listed.push(listed[2]);
            continue;
        }
        listed.push(!answer.ok()[list].as_array().unwrap().is_empty());
    }
    world.see("/pricing").await;
    listed
}

#[tokio::test]
async fn what_is_removed_is_still_shown_where_it_is_used() {
    for dialect in Dialect::ALL {
        let mut world = World::with(Setup { on_disk: true, ..Setup::new(*dialect) }).await;
        let operator = Operator::of(&world);
        let servers = two_servers(&world, &operator).await;
        assert_eq!(everything(&world, servers).await, [true; 7], "{dialect}");
        let image = world.see(&format!("/servers/{}", servers.0)).await["server"]["image"]["id"].clone();
        for entry in ["image/own-app", "iso/own.iso"] {
            operator.does("DELETE", &format!("/catalogue/entries/{entry}"), Value::Null).await;
            assert_eq!(operator.ask("DELETE", &format!("/catalogue/entries/{entry}"), Value::Null).await.0, 404);
        }
        operator.does("POST", "/catalogue", json!({"overlay": LAB_GONE})).await;
        assert_eq!(everything(&world, servers).await, [false; 7], "{dialect}");
        world = world.restart().await;
        let operator = Operator::of(&world);
        assert_eq!(everything(&world, servers).await, [false; 7], "{dialect}");
        for path in ["/server_types/900", "/server_types/109", "/locations/90", "/datacenters/90", "/isos/77"] {
            let answer = world.get(path).await;
            assert!(answer.status == 200 || (answer.status == 410 && path == "/datacenters/90"), "{}", answer.json);
        }
        assert_eq!(world.see(&format!("/images/{image}")).await["image"]["id"], image);
        // The name goes to another one: the old one is still the old one.
        operator.does("POST", "/catalogue/images", own_app()).await;
        let new = world.see("/images?name=own-app").await["images"][0]["id"].clone();
        let shown = world.see(&format!("/servers/{}", servers.0)).await["server"]["image"]["id"].clone();
        assert!(new != image && shown == image, "{dialect}: {new} {image} {shown}");
        let taken = json!({"overlay": "[[image]]\nname = \"own-app\"\nids = { x86 = 5 }\n"});
        assert_eq!(operator.ask("POST", "/catalogue", taken).await.0, 422, "its id would be unknown");
        operator.does("DELETE", "/catalogue/entries/server_type/cpx22", Value::Null).await;
        world.create("/servers", json!({"name": "again", "server_type": "cpx22", "image": "own-app"})).await;
    }
}

#[tokio::test]
async fn what_is_removed_cannot_be_ordered() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let (own, usual) = two_servers(&world, &operator).await;
    let image = world.see(&format!("/servers/{own}")).await["server"]["image"]["id"].clone();
    for entry in ["image/own-app", "iso/own.iso"] {
        operator.does("DELETE", &format!("/catalogue/entries/{entry}"), Value::Null).await;
    }
    operator.does("POST", "/catalogue", json!({"overlay": LAB_GONE})).await;
    for (member, gone) in [
        ("server_type", json!("cpx22")),
        ("server_type", json!(900)),
        ("image", json!("debian-12")),
        ("image", image.clone()),
        ("location", json!("lab1")),
        ("datacenter", json!("lab1-dc1")),
    ] {
        let mut wanted = json!({"name": "new", "server_type": "cpx32", "image": "debian-13"});
        wanted[member] = gone;
        let answer = world.post("/servers", wanted).await;
        assert_eq!(answer.status, 404, "{member}: {}", answer.json);
    }
    let act = |id: i64, command: &str, body: Value| {
        let path = format!("/servers/{id}/actions/{command}");
        let world = &world;
        async move { world.ask("POST", &path).json(&body).send().await }
    };
    act(own, "rebuild", json!({"image": image})).await.refused(404, "not_found");
    act(usual, "attach_iso", json!({"iso": "own.iso"})).await.refused(404, "not_found");
    for id in [own, usual] {
        assert_eq!(act(id, "create_image", json!({"type": "snapshot"})).await.ok()["image"]["status"], "available");
        act(id, "rebuild", json!({"image": "debian-13"})).await.ok();
        act(id, "poweroff", json!({})).await.ok();
        act(id, "change_type", json!({"server_type": "own1", "upgrade_disk": false})).await.refused(404, "not_found");
    }
    act(own, "change_type", json!({"server_type": "cpx32", "upgrade_disk": false}))
        .await
        .refused(422, "invalid_server_type");
    act(usual, "change_type", json!({"server_type": "cpx32", "upgrade_disk": false})).await.ok();
    act(own, "poweron", json!({})).await.ok();
    for id in [own, usual] {
        world.delete(&format!("/servers/{id}")).await.ok();
    }
    assert_eq!(world.see("/servers").await["servers"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_location_without_a_data_center_is_refused() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let location = LAB.split("[[datacenter]]").next().unwrap();
    let (status, wrong) = operator.ask("POST", "/catalogue", json!({"overlay": location})).await;
    assert_eq!(status, 422, "{wrong}");
    assert!(wrong["error"]["message"].as_str().unwrap().contains("lab1"), "{wrong}");
}

#[tokio::test]
async fn an_entry_does_not_grow_by_what_is_taken_back() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let when = json!({"announced": "2026-12-01T00:00:00Z", "unavailable_after": "2027-01-01T00:00:00Z"});
    for when in [&when, &Value::Null].into_iter().cycle().take(40) {
        let ending = json!({"kind": "server_type", "name": "cpx22", "location": "nbg1", "when": when});
        operator.does("POST", "/catalogue/endings", ending).await;
    }
    let changes = operator.does("GET", "/catalogue", Value::Null).await;
    assert_eq!(changes[0]["change"]["offers"].as_array().unwrap().len(), 1, "{changes}");
}
