//! What the operator does, seen by clients.

use crate::common::{Setup, World, names, server};
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt as _;
use wolke_http::admin::{Admin, router, types};
use wolke_wire::Dialect;

/// The admin API of a world.
pub struct Operator(Router);

impl Operator {
    pub fn of(world: &World) -> Self {
        let (dialect, endpoint) = (world.setup.dialect, "http://127.0.0.1:1".into());
        let status = types::Status { version: "0".into(), engine: "memory".into(), endpoint, dialect, pid: 1 };
        Self(router(Arc::new(Admin { control: Arc::clone(&world.control), status })))
    }

    pub async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        let response = self.0.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() })
    }

    #[track_caller]
    fn done((status, body): (u16, Value)) -> Value {
        assert!((200..300).contains(&status), "{status} {body}");
        body
    }

    /// What must succeed.
    pub async fn does(&self, method: &str, path: &str, body: Value) -> Value {
        Self::done(self.ask(method, path, body).await)
    }
}

fn in_nuremberg(name: &str) -> Value {
    let mut wanted = server(name);
    wanted["location"] = json!("nbg1");
    wanted
}

async fn is_available(world: &World) -> bool {
    let shown = world.see("/server_types/109").await["server_type"]["locations"].clone();
    let here = shown.as_array().unwrap().iter().find(|place| place["name"] == "nbg1").unwrap();
    let center = world.see("/datacenters/2").await["datacenter"]["server_types"]["available"].clone();
    let listed = center.as_array().unwrap().contains(&json!(109));
    assert_eq!(listed, here["available"] == true);
    listed
}

#[tokio::test]
async fn stock_counts_down_and_up() {
    let mut world = World::with(Setup { on_disk: true, ..Setup::new(Dialect::Compat) }).await;
    let operator = Operator::of(&world);
    let left = async |operator: &Operator| operator.does("GET", "/stock", Value::Null).await[0]["left"].clone();
    let limit = |left: Value| json!({"server_type": "cpx22", "location": "nbg1", "left": left});
    operator.does("PUT", "/stock", limit(json!(2))).await;
    assert!(is_available(&world).await);
    let first = world.create("/servers", in_nuremberg("a")).await;
    assert_eq!(left(&operator).await, 1);
    assert!(is_available(&world).await);
    world.create("/servers", in_nuremberg("b")).await;
    assert_eq!(left(&operator).await, 0);
    assert!(!is_available(&world).await);
    world.post("/servers", in_nuremberg("c")).await.refused(412, "resource_unavailable");
    let elsewhere = world.post("/servers", server("d")).await.ok();
    assert_eq!(elsewhere["server"]["location"]["name"], "fsn1");
    // What is refused after it has taken one, gives it back with the transaction.
    operator.does("PUT", "/stock", limit(json!(1))).await;
    world.post("/servers", in_nuremberg("a")).await.refused(409, "uniqueness_error");
    assert_eq!(left(&operator).await, 1);
    operator.does("PUT", "/stock", limit(json!(0))).await;

    world = world.restart().await;
    let operator = Operator::of(&world);
    assert!(!is_available(&world).await);
    world.delete(&format!("/servers/{first}")).await.ok();
    assert_eq!(left(&operator).await, 1);
    assert!(is_available(&world).await);
    world.create("/servers", in_nuremberg("e")).await;
    operator.does("PUT", "/stock", limit(Value::Null)).await;
    assert_eq!(operator.does("GET", "/stock", Value::Null).await, json!([]));
    assert!(is_available(&world).await);
    world.create("/servers", in_nuremberg("f")).await;
    for (wrong, status) in [
        (json!({"server_type": "cpx99", "location": "nbg1", "left": 1}), 404),
        (json!({"server_type": "cpx22", "location": "ash", "left": 1}), 422),
        (json!({"server_type": "cpx22", "location": "nbg1", "left": -1}), 422),
    ] {
        assert_eq!(operator.ask("PUT", "/stock", wrong.clone()).await.0, status, "{wrong}");
    }
}

#[tokio::test]
async fn a_server_that_fails_gives_its_stock_back_once() {
    let mut setup = Setup::new(Dialect::Compat);
    setup.simulation.hosts_per_location = 0;
    let world = World::with(setup).await;
    let operator = Operator::of(&world);
    operator.does("PUT", "/stock", json!({"server_type": "cpx22", "location": "nbg1", "left": 5})).await;
    let made = world.post("/servers", in_nuremberg("a")).await.ok();
    let action = world.see(&format!("/actions/{}", made["action"]["id"])).await;
    assert_eq!(action["action"]["status"], "error");
    assert_eq!(operator.does("GET", "/stock", Value::Null).await[0]["left"], 5);
}

#[tokio::test]
async fn the_catalogue_changes_while_it_runs() {
    let mut world = World::with(Setup { on_disk: true, ..Setup::new(Dialect::Compat) }).await;
    let operator = Operator::of(&world);
    let overlay = "[[server_type]]\nname = \"cpx22\"\nmemory = 5.5\n[[iso]]\nid = 77\nname = \"own.iso\"\ndescription = \"Own\"\n";
    operator.does("POST", "/catalogue", json!({"overlay": overlay})).await;
    let server = world.create("/servers", server("a")).await;
    assert_eq!(world.see("/server_types/109").await["server_type"]["memory"], 5.5);
    assert_eq!(world.see(&format!("/servers/{server}")).await["server"]["server_type"]["memory"], 5.5);
    assert_eq!(world.see("/servers").await["servers"][0]["server_type"]["memory"], 5.5);
    // For any architecture: shown without a filter, and where wildcards are asked for.
    let named = |list: &Value| names(&list["isos"]).contains(&"own.iso".to_owned());
    assert!(named(&world.see("/isos").await));
    assert!(!named(&world.see("/isos?architecture=arm").await));
    assert!(named(&world.see("/isos?architecture=arm&include_architecture_wildcard=true").await));

    world = world.restart().await;
    let operator = Operator::of(&world);
    assert_eq!(world.see("/server_types/109").await["server_type"]["memory"], 5.5);
    assert_eq!(operator.does("GET", "/catalogue", Value::Null).await.as_array().unwrap().len(), 2);
    operator.does("DELETE", "/catalogue/entries/server_type/cpx22", Value::Null).await;
    assert_eq!(world.see("/servers").await["servers"][0]["server_type"]["memory"], 4);
    assert_eq!(operator.ask("DELETE", "/catalogue/entries/server_type/cpx22", Value::Null).await.0, 404);
    let (status, wrong) =
        operator.ask("POST", "/catalogue", json!({"overlay": "[[server_type]]\nname = \"x\"\n"})).await;
    assert_eq!((status, &wrong["error"]["code"]), (422, &json!("invalid_input")));
    assert!(wrong["error"]["message"].as_str().unwrap().contains("server_type 'x'"), "{wrong}");
    assert_eq!(operator.does("GET", "/catalogue", Value::Null).await.as_array().unwrap().len(), 1);
    let all = operator.does("GET", "/catalogue/entries/server_types", Value::Null).await;
    assert_eq!(all[0]["name"], "cx11", "what lists hide is shown to the operator");
    assert_eq!(operator.ask("GET", "/catalogue/entries/servers", Value::Null).await.0, 422);
    assert_eq!(operator.ask("GET", "/catalogue/entries/nonsense", Value::Null).await.0, 404);
}

#[tokio::test]
async fn types_end_by_world_time() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    operator.does("POST", "/clock/mode", json!({"mode": "manual"})).await;
    let when = json!({"announced": "2026-12-01T00:00:00Z", "unavailable_after": "2027-01-01T00:00:00Z"});
    let ending = json!({"kind": "server_type", "name": "cpx22", "location": "nbg1", "when": when});
    operator.does("POST", "/catalogue/endings", ending).await;
    operator.does("POST", "/catalogue/endings", json!({"kind": "server_type", "name": "cpx12", "when": when})).await;
    operator
        .does("POST", "/catalogue/endings", json!({"kind": "load_balancer_type", "name": "lb31", "when": when}))
        .await;
    operator
        .does("POST", "/catalogue/endings", json!({"kind": "iso", "name": "proxmox-ve_9.0-1.iso", "when": when}))
        .await;
    let announced = json!({"announced": "2026-12-01T00:00:00Z"});
    operator.does("POST", "/catalogue/endings", json!({"kind": "image", "name": "debian-12", "when": announced})).await;

    let shown = async || {
        let type_of = world.see("/server_types/109").await["server_type"].clone();
        let nbg1 = type_of["locations"].as_array().unwrap().iter().find(|l| l["name"] == "nbg1").unwrap().clone();
        let cpx12 = world.see("/server_types/108").await["server_type"].clone();
        let listed = async |path: &str, name: &str| {
            !world.see(&format!("/{path}?name={name}")).await[path.split('?').next().unwrap()]
                .as_array()
                .unwrap()
                .is_empty()
        };
        json!({
            "nbg1": [!nbg1["deprecation"].is_null(), nbg1["available"]],
            "cpx12": [!cpx12["deprecation"].is_null(), cpx12["deprecated"], listed("server_types", "cpx12").await],
            "lb31": [!world.see("/load_balancer_types/3").await["load_balancer_type"]["deprecated"].is_null(),
                listed("load_balancer_types", "lb31").await],
            "iso": [!world.see("/isos/118013").await["iso"]["deprecation"].is_null(), listed("isos", "proxmox-ve_9.0-1.iso").await],
            "image": [world.see("/images/114690387").await["image"]["status"], listed("images", "debian-12").await],
        })
    };
    let before = json!({"nbg1": [false, true], "cpx12": [false, false, true], "lb31": [false, true], "iso": [false, true],
        "image": ["available", true]});
    assert_eq!(shown().await, before);
    operator.does("POST", "/clock/set", json!({"now": "2026-12-01T00:00:00Z"})).await;
    let announced = json!({"nbg1": [true, true], "cpx12": [true, true, true], "lb31": [true, true], "iso": [true, true],
        "image": ["available", false]});
    assert_eq!(shown().await, announced);
    let on_demand = world.see("/images?name=debian-12&include_deprecated=true").await;
    assert_eq!(on_demand["images"].as_array().unwrap().len(), 2);
    let mut small = in_nuremberg("small");
    small["server_type"] = json!("cpx12");
    world.create("/servers", small.clone()).await;
    operator.does("POST", "/clock/set", json!({"now": "2027-01-01T00:00:00Z"})).await;
    let ended = json!({"nbg1": [true, false], "cpx12": [true, true, false], "lb31": [true, false], "iso": [true, false],
        "image": ["available", false]});
    assert_eq!(shown().await, ended);
    world.post("/servers", in_nuremberg("b")).await.refused(412, "resource_unavailable");
    small["name"] = json!("again");
    world.post("/servers", small).await.wrong(&["server_type"]);
    operator.does("POST", "/clock/set", json!({"now": "2027-03-01T00:00:00Z"})).await;
    assert_eq!(shown().await["image"], json!(["unavailable", false]));
    assert_eq!(world.see("/images?name=debian-12&include_deprecated=true").await["images"], json!([]));
    world.post("/servers", server("c")).await.refused(412, "resource_unavailable");
    let back = json!({"kind": "server_type", "name": "cpx22", "location": "nbg1", "when": null});
    operator.does("POST", "/catalogue/endings", back).await;
    assert_eq!(shown().await["nbg1"], json!([false, true]));
    for wrong in [
        json!({"kind": "image", "name": "debian-12", "when": {"unavailable_after": "2027-05-01T00:00:00Z"}}),
        json!({"kind": "server_type", "name": "cpx22", "location": "ash", "when": {}}),
        json!({"kind": "iso", "name": "proxmox-ve_9.0-1.iso", "location": "fsn1", "when": {}}),
        json!({"kind": "location", "name": "fsn1", "when": {}}),
        json!({"kind": "server_type", "name": "cpx22", "when": {"unavailable_after": "2020-01-01T00:00:00Z"}}),
    ] {
        assert_eq!(operator.ask("POST", "/catalogue/endings", wrong.clone()).await.0, 422, "{wrong}");
    }
}

#[tokio::test]
async fn private_isos_belong_to_a_project() {
    for dialect in Dialect::ALL {
        let mut world = World::with(Setup { on_disk: true, ..Setup::new(*dialect) }).await;
        let operator = Operator::of(&world);
        let new = json!({"project": "default", "description": "Our own", "architecture": "arm"});
        let id = operator.does("POST", "/isos", new).await["id"].as_i64().unwrap();
        let stranger = world.stranger().await;
        world = world.restart().await;
        let operator = Operator::of(&world);
        let shown = world.see(&format!("/isos/{id}")).await["iso"].clone();
        assert_eq!((&shown["type"], &shown["name"]), (&json!("private"), &Value::Null), "{dialect}");
        let listed = async || {
            let list = world.see("/isos?per_page=50").await;
            list["isos"].as_array().unwrap().iter().any(|iso| iso["id"] == id)
        };
        assert!(listed().await);
        let others = world.ask("GET", "/isos?per_page=50").token(Some(&stranger)).send().await.ok();
        assert!(!others["isos"].as_array().unwrap().iter().any(|iso| iso["id"] == id));
        world.ask("GET", &format!("/isos/{id}")).token(Some(&stranger)).send().await.refused(404, "not_found");
        operator.does("DELETE", &format!("/isos/{id}"), Value::Null).await;
        assert!(!listed().await);
        let removed = world.see(&format!("/isos/{id}")).await["iso"].clone();
        assert!(removed["deprecation"].is_object() || removed["deprecated"].is_string(), "{dialect}");
        assert_eq!(operator.ask("DELETE", "/isos/1", Value::Null).await.0, 404);
        let nobody = json!({"project": "nobody", "description": "x"});
        assert_eq!(operator.ask("POST", "/isos", nobody).await.0, 404);
        assert_eq!(operator.ask("POST", "/isos", json!({"project": "default", "description": ""})).await.0, 422);
        operator.does("DELETE", "/projects/stranger", Value::Null).await;
    }
}

#[tokio::test]
async fn images_are_added() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let new = json!({"type": "app", "name": "own-app", "description": "Our app", "os_flavor": "debian",
        "os_version": "13", "architectures": ["x86", "arm"], "disk_size": 7});
    operator.does("POST", "/catalogue/images", new.clone()).await;
    let images = world.see("/images?name=own-app").await["images"].clone();
    assert_eq!((images.as_array().unwrap().len(), &images[0]["type"]), (2, &json!("app")));
    let mut wanted = server("a");
    wanted["image"] = json!("own-app");
    let made = world.post("/servers", wanted).await.ok();
    assert_eq!(made["server"]["image"]["id"], images[0]["id"]);
    let actions = world.see(&format!("/images/{}/actions", images[0]["id"])).await;
    assert_eq!(actions["actions"][0]["command"], "create_server");
    assert_eq!(operator.ask("POST", "/catalogue/images", new.clone()).await.0, 409);
    let mut wrong = new;
    (wrong["name"], wrong["architectures"]) = (json!("other"), json!([]));
    assert_eq!(operator.ask("POST", "/catalogue/images", wrong).await.0, 422);
}

#[tokio::test]
async fn addresses_are_blocked() {
    for dialect in Dialect::ALL {
        let world = World::new(*dialect).await;
        let operator = Operator::of(&world);
        let id = world.create("/servers", server("a")).await;
        let net = async || world.see(&format!("/servers/{id}")).await["server"]["public_net"].clone();
        assert_eq!((&net().await["ipv4"]["blocked"], &net().await["ipv6"]["blocked"]), (&json!(false), &json!(false)));
        let list = world.see("/servers").await;
        operator.does("PUT", "/primary_ips/1/blocked", json!({"blocked": true})).await;
        assert_eq!((&net().await["ipv4"]["blocked"], &net().await["ipv6"]["blocked"]), (&json!(true), &json!(false)));
        assert_ne!(world.see("/servers").await, list);
        if *dialect != Dialect::D2018_04 {
            assert_eq!(world.see("/primary_ips/1").await["primary_ip"]["blocked"], true);
        }
        operator.does("PUT", "/primary_ips/1/blocked", json!({"blocked": false})).await;
        assert_eq!(net().await["ipv4"]["blocked"], false);
        assert_eq!(operator.ask("PUT", "/primary_ips/99/blocked", json!({"blocked": true})).await.0, 404);
    }
}

#[tokio::test]
async fn maintenance_of_one_operation_and_of_all() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let one = json!({"operation": "create_server", "code": "maintenance", "message": "back at noon"});
    operator.does("POST", "/faults", one).await;
    let answer = world.post("/servers", server("a")).await;
    answer.refused(403, "maintenance");
    assert_eq!(answer.message(), "back at noon");
    world.see("/servers").await;
    operator.does("POST", "/faults", json!({"operation": "*", "code": "maintenance"})).await;
    world.get("/servers").await.refused(403, "maintenance");
    assert_eq!(operator.does("DELETE", "/faults", Value::Null).await["cleared"], 2);
    world.create("/servers", server("a")).await;
}

#[tokio::test]
async fn faults_are_counted_drawn_and_come_after_the_work() {
    let mut world = World::with(Setup { on_disk: true, ..Setup::new(Dialect::Compat) }).await;
    let operator = Operator::of(&world);
    operator.does("POST", "/faults", json!({"operation": "list_servers", "code": "bad_gateway", "calls": 3})).await;
    world.get("/servers").await.refused(502, "bad_gateway");
    world = world.restart().await;
    let operator = Operator::of(&world);
    assert_eq!(operator.does("GET", "/faults", Value::Null).await[0]["calls"], 2);
    world.get("/servers").await.refused(502, "bad_gateway");
    world.get("/servers").await.refused(502, "bad_gateway");
    world.see("/servers").await;
    assert_eq!(operator.does("GET", "/faults", Value::Null).await, json!([]));

    let after = json!({"operation": "create_server", "code": "timeout", "when": "after", "calls": 1});
    operator.does("POST", "/faults", after).await;
    world.post("/servers", server("done")).await.refused(504, "timeout");
    assert_eq!(names(&world.see("/servers").await["servers"]), ["done"]);

    let drawn = json!({"operation": "list_servers", "code": "unavailable", "permille": 300, "seed": 7});
    let id = operator.does("POST", "/faults", drawn).await["id"].clone();
    let mut struck = 0;
    for _ in 0..100 {
        struck += usize::from(world.get("/servers").await.status == 503);
    }
    assert!((15..45).contains(&struck), "{struck}");
    assert_eq!(operator.ask("DELETE", &format!("/faults/{id}"), Value::Null).await.0, 204);
    assert_eq!(operator.ask("DELETE", &format!("/faults/{id}"), Value::Null).await.0, 404);
    world.see("/servers").await;
    for wrong in [
        json!({"operation": "nonsense", "code": "timeout"}),
        json!({"operation": "get_server", "code": "nonsense"}),
        json!({"operation": "get_server", "code": "placement_error"}),
        json!({"operation": "get_server", "code": "conflict", "when": "after"}),
        json!({"operation": "get_server", "code": "conflict", "calls": 0}),
    ] {
        assert_eq!(operator.ask("POST", "/faults", wrong.clone()).await.0, 422, "{wrong}");
    }
}

#[tokio::test]
async fn the_operator_names_things_by_id_or_by_name() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let id = world.create("/servers", server("web")).await;
    let digits = world.create("/servers", server(&(id + 1000).to_string())).await;
    let storage_box =
        json!({"name": "backups", "storage_box_type": "bx11", "location": "fsn1", "password": "Sw4n-lake-7-bridges"});
    let backups = world.create("/storage_boxes", storage_box).await;
    let ip = json!({"name": "front", "type": "ipv4", "assignee_type": "server", "location": "fsn1"});
    let front = world.create("/primary_ips", ip).await;
    let floating = world.create("/floating_ips", json!({"name": "f", "type": "ipv4", "home_location": "fsn1"})).await;
    let zone = world.create("/zones", json!({"name": "example.com", "mode": "primary"})).await;

    let told = operator.does("PUT", "/guests", json!({"server": "web", "does": "refuse"})).await;
    assert_eq!(told["server"], id);
    operator.does("DELETE", "/guests", json!({"server": id.to_string(), "project": "default"})).await;
    let told = operator.does("PUT", "/guests", json!({"server": (id + 1000).to_string(), "does": "drop"})).await;
    assert_eq!(told["server"], digits, "a name may consist of digits, where no id does");
    assert_eq!(operator.does("PUT", "/storage_boxes/backups/content", json!({})).await["id"], backups);
    let block = json!({"blocked": true});
    assert_eq!(operator.does("PUT", "/primary_ips/front/blocked", block.clone()).await["id"], front);
    assert_eq!(operator.does("PUT", "/floating_ips/f/blocked?project=default", block.clone()).await["id"], floating);
    let delegation = json!({"registered": true, "nameservers": ["ns1.example.net"]});
    assert_eq!(operator.does("PUT", "/zones/example.com/delegation", delegation).await["id"], zone);

    // Another project gives the same name.
    let stranger = world.stranger().await;
    let theirs = world.ask("POST", "/servers").token(Some(&stranger)).json(&server("web")).send().await.ok();
    let theirs = theirs["server"]["id"].clone();
    let (status, answer) = operator.ask("PUT", "/guests", json!({"server": "web", "does": "refuse"})).await;
    assert_eq!(status, 422);
    assert_eq!(
        answer["error"]["details"]["fields"],
        json!([{"name": "project", "messages": ["is needed: there is a server 'web' in each of the projects 'default', 'stranger'"]}])
    );
    let told = operator.does("PUT", "/guests", json!({"server": "web", "project": "stranger", "does": "refuse"})).await;
    assert_eq!(told["server"], theirs);
    assert_eq!(operator.does("PUT", "/guests", json!({"server": id, "does": "hang"})).await["server"], id);
    for (method, path, body, expected, message) in [
        ("PUT", "/guests", json!({"server": "nobody", "does": "drop"}), 404, "server not found: 'nobody'"),
        ("PUT", "/guests", json!({"server": 99, "does": "drop"}), 404, "server with ID '99' not found"),
        ("PUT", "/guests", json!({"server": id, "project": "stranger", "does": "drop"}), 404, "server with ID"),
        ("PUT", "/guests", json!({"server": "web", "project": "x", "does": "drop"}), 404, "project 'x' not found"),
        ("PUT", "/guests", json!({"ip": "192.0.2.1", "project": "default", "does": "drop"}), 422, "'project'"),
        ("PUT", "/primary_ips/back/blocked", block.clone(), 404, "primary IP not found: 'back'"),
        ("PUT", "/primary_ips/front/blocked?projekt=default", block.clone(), 422, "'projekt'"),
        ("GET", "/servers/nobody/metadata/hetzner/v1/metadata", Value::Null, 404, "server not found: 'nobody'"),
        ("GET", "/servers/web/metadata/hetzner/v1/metadata", Value::Null, 422, "'project'"),
    ] {
        let (status, answer) = operator.ask(method, path, body).await;
        let said = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(status == expected && said.contains(message), "{path}: {status} {answer}");
    }
}
