//! Volumes: their rules, and the servers that have them.

use super::operator::Operator;
use crate::common::{Answer, Setup, World, ids, names, server};
use serde_json::{Value, json};
use std::time::Duration;
use wolke_control::Simulation;
use wolke_domain::console::Drive;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_wire::Dialect;

/// The dialects that have volumes.
fn dialects() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.iter().copied().filter(|dialect| *dialect != Dialect::D2018_04)
}

fn wanted(name: &str) -> Value {
    json!({"name": name, "size": 10, "location": "fsn1"})
}

fn with(mut request: Value, member: &str, value: Value) -> Value {
    request[member] = value;
    request
}

/// A server in the location of the volumes.
async fn placed(world: &World, name: &str) -> i64 {
    world.create("/servers", with(server(name), "location", json!("fsn1"))).await
}

async fn act(world: &World, id: i64, verb: &str, body: Value) -> Answer {
    world.post(&format!("/volumes/{id}/actions/{verb}"), body).await
}

async fn attach(world: &World, id: i64, server: i64) -> Answer {
    act(world, id, "attach", json!({"server": server})).await
}

async fn volume(world: &World, id: i64) -> Value {
    world.see(&format!("/volumes/{id}")).await["volume"].clone()
}

/// The volumes that a server shows, by itself and in the list.
async fn of_server(world: &World, id: i64) -> Value {
    let shown = world.see(&format!("/servers/{id}")).await["server"]["volumes"].clone();
    let list = world.see("/servers").await["servers"].clone();
    let listed = list.as_array().unwrap().iter().find(|entry| entry["id"] == id).unwrap();
    assert_eq!(listed["volumes"], shown, "a list and a single view show the same");
    shown
}

#[tokio::test]
async fn a_life() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let new = with(with(wanted("one"), "labels", json!({"a": "b"})), "format", json!("ext4"));
        let made = world.post("/volumes", new).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        let volume = &made["volume"];
        let id = volume["id"].as_i64().unwrap();
        assert_eq!((&volume["size"], &volume["server"], &volume["format"]), (&json!(10), &Value::Null, &json!("ext4")));
        assert_eq!((&volume["status"], &volume["location"]["name"]), (&json!("available"), &json!("fsn1")));
        assert_eq!(volume["linux_device"], format!("/dev/disk/by-id/scsi-0HC_Volume_{id}"));
        assert_eq!((&volume["protection"], &volume["labels"]), (&json!({"delete": false}), &json!({"a": "b"})));
        assert_eq!(
            (&made["action"]["command"], &made["action"]["status"]),
            (&json!("create_volume"), &json!("success"))
        );
        assert_eq!(made["action"]["resources"], json!([{"id": id, "type": "volume"}]));
        assert_eq!(made["next_actions"], json!([]));
        let path = format!("/volumes/{id}");
        assert_eq!(&world.see(&path).await["volume"], volume);
        world.create("/volumes", wanted("two")).await;
        for (query, expected) in [
            ("", vec!["one", "two"]),
            ("?name=two", vec!["two"]),
            ("?name=three", vec![]),
            ("?status=available", vec!["one", "two"]),
            ("?status=creating", vec![]),
            ("?status=creating&status=available&name=one", vec!["one"]),
            ("?label_selector=a", vec!["one"]),
            ("?label_selector=a%21%3Db", vec!["two"]),
            ("?sort=name:desc", vec!["two", "one"]),
            ("?sort=created:desc", vec!["two", "one"]),
            ("?page=2&per_page=1", vec!["two"]),
        ] {
            let list = world.see(&format!("/volumes{query}")).await;
            assert_eq!(names(&list["volumes"]), expected, "{dialect} {query}");
        }
        world.get("/volumes?sort=size").await.wrong(&["sort"]);
        world.get("/volumes?status=gone").await.wrong(&["status"]);
        let taken = world.post("/volumes", wanted("one")).await;
        assert_eq!(taken.refused(409, "uniqueness_error").message(), "name is already used");
        world.put(&path, json!({"name": "two"})).await.refused(409, "uniqueness_error");
        let renamed = world.put(&path, json!({"name": "uno", "labels": {"c": "d"}})).await.ok();
        assert_eq!((&renamed["volume"]["name"], &renamed["volume"]["labels"]), (&json!("uno"), &json!({"c": "d"})));
        assert_eq!(world.delete(&path).await.status, 204);
        world.get(&path).await.refused(404, "not_found");
        world.delete(&path).await.refused(404, "not_found");
        assert_eq!(names(&world.see("/volumes").await["volumes"]), ["two"]);
    }
}

/// 2023 asks for a name in every update, later documents do not.
#[tokio::test]
async fn an_update_without_a_name() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let id = world.create("/volumes", wanted("one")).await;
        let answer = world.put(&format!("/volumes/{id}"), json!({"labels": {"a": "b"}})).await;
        if dialect == Dialect::D2023_07 {
            answer.wrong(&["name"]);
        } else {
            assert_eq!(answer.ok()["volume"]["labels"], json!({"a": "b"}));
        }
        let wrong = with(wanted("two"), "labels", json!({"a": 1}));
        world.post("/volumes", wrong).await.wrong(&["labels.a"]);
    }
    let old = World::new(Dialect::D2018_04).await;
    for path in ["/volumes", "/volumes/1", "/volumes/1/actions"] {
        old.get(path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn wrong_requests() {
    let world = World::new(Dialect::Compat).await;
    world.post("/volumes", json!({})).await.wrong(&["name", "size"]);
    world.post("/volumes", json!({"name": "a", "size": 10})).await.wrong(&["location"]);
    let all = json!({"name": "-a", "size": 9, "format": "btrfs", "automount": true});
    world.post("/volumes", all).await.wrong(&["name", "size", "format", "automount", "location"]);
    for (member, value) in [
        ("name", json!("a".repeat(65))),
        ("name", json!("a b")),
        ("name", json!("")),
        ("name", json!(7)),
        ("size", json!(10_241)),
        ("size", json!(10.5)),
        ("size", json!("10")),
        ("size", json!(-10)),
        ("format", json!("")),
        ("automount", json!(true)),
        ("automount", json!("yes")),
        ("server", json!(0)),
        ("server", json!("1")),
    ] {
        world.post("/volumes", with(wanted("a"), member, value)).await.wrong(&[member]);
    }
    world
        .post("/volumes", with(wanted("a"), "labels", json!({"hetzner.cloud/a": "b"})))
        .await
        .refused(422, "invalid_input");
    world.post("/volumes", with(wanted("a"), "location", json!("nowhere"))).await.refused(404, "not_found");
    world.post("/volumes", with(wanted("a"), "server", json!(999))).await.refused(404, "not_found");
    let id = placed(&world, "web").await;
    let elsewhere = with(with(wanted("a"), "location", json!("hel1")), "server", json!(id));
    world.post("/volumes", elsewhere).await.wrong(&["location"]);
    assert_eq!(world.see("/volumes").await["volumes"], json!([]), "nothing is left of what was refused");
    // Ids of locations do as well as names, and false is no wish to mount.
    for (name, location) in [("b", json!(1)), ("c", json!("1"))] {
        let made = with(with(wanted(name), "location", location), "automount", json!(false));
        assert_eq!(world.post("/volumes", made).await.ok()["volume"]["location"]["name"], "fsn1");
    }
    let path = format!("/volumes/{}", world.create("/volumes", wanted("d")).await);
    let wrong = json!({"name": "no spaces", "labels": {"-a-": "x"}});
    assert_eq!(
        world.put(&path, wrong).await.refused(422, "invalid_input").json["error"]["details"]["fields"][0]["name"],
        "name"
    );
}

#[tokio::test]
async fn both_ends_show_an_attachment() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let web = placed(&world, "web").await;
        let first = world.create("/volumes", wanted("first")).await;
        assert_eq!(of_server(&world, web).await, json!([]));
        let attached = attach(&world, first, web).await.ok()["action"].clone();
        assert_eq!((&attached["command"], &attached["status"]), (&json!("attach_volume"), &json!("success")));
        let both = json!([{"id": web, "type": "server"}, {"id": first, "type": "volume"}]);
        assert_eq!(attached["resources"], both);
        let made = world.post("/volumes", json!({"name": "second", "size": 20, "server": web, "format": "xfs"})).await;
        let made = made.ok();
        let second = made["volume"]["id"].as_i64().unwrap();
        assert_eq!((&made["volume"]["server"], &made["volume"]["location"]["name"]), (&json!(web), &json!("fsn1")));
        let both_second = json!([{"id": web, "type": "server"}, {"id": second, "type": "volume"}]);
        assert_eq!(made["action"]["resources"], both_second);
        assert_eq!(made["next_actions"].as_array().unwrap().len(), 1);
        let next = &made["next_actions"][0];
        assert_eq!((&next["command"], &next["resources"]), (&json!("attach_volume"), &both_second));
        assert_eq!(of_server(&world, web).await, json!([first, second]));
        assert_eq!(volume(&world, first).await["server"], web);

        let gone = world.delete(&format!("/volumes/{first}")).await;
        let message = format!("volume with ID '{first}' is still attached to a server");
        assert_eq!(gone.refused(422, "service_error").message(), message);

        let detached =
            world.ask("POST", &format!("/volumes/{first}/actions/detach")).send().await.ok()["action"].clone();
        assert_eq!((&detached["command"], &detached["resources"]), (&json!("detach_volume"), &both));
        assert_eq!(of_server(&world, web).await, json!([second]));
        let shown = volume(&world, first).await;
        assert_eq!(shown["server"], Value::Null);
        assert_eq!(shown["linux_device"], format!("/dev/disk/by-id/scsi-0HC_Volume_{first}"));
        let idle = act(&world, first, "detach", json!({})).await.ok()["action"]["resources"].clone();
        assert_eq!(idle, json!([{"id": first, "type": "volume"}]), "a free one has nothing to be taken off");

        // A server that goes leaves its volumes.
        world.delete(&format!("/servers/{web}")).await.ok();
        assert_eq!(volume(&world, second).await["server"], Value::Null);
        assert_eq!(world.see("/volumes").await["volumes"][1]["server"], Value::Null);
        assert_eq!(world.delete(&format!("/volumes/{second}")).await.status, 204);
    }
}

#[tokio::test]
async fn attaching_has_rules() {
    let world = World::new(Dialect::Compat).await;
    let (web, other) = (placed(&world, "web").await, placed(&world, "other").await);
    let far = world.create("/servers", with(server("far"), "location", json!("hel1"))).await;
    let id = world.create("/volumes", wanted("data")).await;
    act(&world, id, "attach", json!({})).await.wrong(&["server"]);
    act(&world, id, "attach", json!({"server": web, "automount": 1})).await.wrong(&["automount"]);
    attach(&world, id, 999).await.refused(404, "not_found");
    attach(&world, 999, web).await.refused(404, "not_found");
    attach(&world, id, far).await.wrong(&["server"]);
    attach(&world, id, web).await.ok();
    for again in [web, other] {
        attach(&world, id, again).await.refused(422, "volume_already_attached");
    }
    assert_eq!(volume(&world, id).await["server"], web);

    // What another project owns does not exist.
    let stranger = world.stranger().await;
    let foreign = world.ask("POST", "/volumes").token(Some(&stranger)).json(&wanted("x")).send().await.ok();
    let foreign = foreign["volume"]["id"].as_i64().unwrap();
    attach(&world, foreign, web).await.refused(404, "not_found");
    world.get(&format!("/volumes/{foreign}")).await.refused(404, "not_found");
    world.post("/servers", with(server("b"), "volumes", json!([foreign]))).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_server_has_sixteen_volumes() {
    let world = World::new(Dialect::Compat).await;
    let web = placed(&world, "web").await;
    let on_web = |n: i64| json!({"name": format!("v{n}"), "size": 10, "server": web});
    let mut all = Vec::new();
    for n in 0..16 {
        all.push(world.create("/volumes", on_web(n)).await);
    }
    assert_eq!(of_server(&world, web).await, json!(all));
    world.post("/volumes", on_web(16)).await.refused(422, "limit_exceeded_error");
    let free = world.create("/volumes", wanted("free")).await;
    attach(&world, free, web).await.refused(422, "limit_exceeded_error");
    act(&world, all[3], "detach", json!({})).await.ok();
    attach(&world, free, web).await.ok();
    all.remove(3);
    all.push(free);
    assert_eq!(of_server(&world, web).await, json!(all));
}

#[tokio::test]
async fn a_server_is_created_with_volumes() {
    for dialect in dialects() {
        let world = World::new(dialect).await;
        let mut volumes = Vec::new();
        for (name, location) in [("a", "hel1"), ("b", "hel1"), ("near", "fsn1")] {
            volumes.push(world.create("/volumes", with(wanted(name), "location", json!(location))).await);
        }
        let [a, b, near] = volumes[..] else { panic!() };
        // Nobody says where: beside its volumes.
        let made = world.post("/servers", with(server("web"), "volumes", json!([b, a]))).await.ok();
        let (web, shown) = (made["server"]["id"].as_i64().unwrap(), made["server"]["volumes"].clone());
        assert_eq!(shown, json!([a, b]));
        assert_eq!(world.see(&format!("/volumes/{a}")).await["volume"]["location"]["name"], "hel1");
        let next: Vec<&str> =
            made["next_actions"].as_array().unwrap().iter().map(|next| next["command"].as_str().unwrap()).collect();
        assert_eq!(next, ["attach_volume", "attach_volume", "start_server"], "{dialect}");
        assert_eq!(
            made["next_actions"][0]["resources"],
            json!([{"id": web, "type": "server"}, {"id": b, "type": "volume"}])
        );
        assert_eq!(made["next_actions"][2]["status"], "success");
        assert_eq!(of_server(&world, web).await, json!([a, b]));

        // A failing part refuses the whole and leaves nothing.
        let late = |volumes: Value| with(server("late"), "volumes", volumes);
        // No document has the word that today's clients act on.
        let is_document = matches!(dialect, Dialect::D2023_07 | Dialect::D2026_02);
        let attached = if is_document { "service_error" } else { "volume_already_attached" };
        world.post("/servers", late(json!([a]))).await.refused(422, attached);
        world.post("/servers", late(json!([near, 999]))).await.refused(404, "not_found");
        world.post("/servers", late(json!([near, near]))).await.wrong(&["volumes[1]"]);
        let elsewhere = with(late(json!([near])), "location", json!("hel1"));
        world.post("/servers", elsewhere).await.wrong(&["volumes[0]"]);
        world.post("/servers", with(server("late"), "automount", json!(true))).await.wrong(&["automount"]);
        assert_eq!(names(&world.see("/servers").await["servers"]), ["web"]);
        assert_eq!(volume(&world, near).await["server"], Value::Null);
        // Not started, it has nothing else to do.
        let off = with(late(json!([near])), "start_after_create", json!(false));
        let made = world.post("/servers", off).await.ok();
        assert_eq!(made["next_actions"].as_array().unwrap().len(), 1);
        assert_eq!((&made["server"]["status"], &made["server"]["volumes"]), (&json!("off"), &json!([near])));
    }
}

#[tokio::test]
async fn more_volumes_than_a_server_can_have_refuse_it() {
    let world = World::new(Dialect::Compat).await;
    let mut all = Vec::new();
    for n in 0..17 {
        all.push(world.create("/volumes", wanted(&format!("v{n}"))).await);
    }
    world.post("/servers", with(server("web"), "volumes", json!(all))).await.refused(422, "limit_exceeded_error");
    assert_eq!(world.see("/servers").await["servers"], json!([]));
    all.pop();
    let web = world.create("/servers", with(server("web"), "volumes", json!(all))).await;
    assert_eq!(of_server(&world, web).await, json!(all));
}

/// A create whose machine cannot be made gives the volumes back.
#[tokio::test]
async fn a_server_that_fails_lets_its_volumes_go() {
    let mut setup = Setup::new(Dialect::Compat);
    setup.simulation.hosts_per_location = 0;
    let world = World::with(setup).await;
    let id = world.create("/volumes", wanted("data")).await;
    let made = world.post("/servers", with(server("web"), "volumes", json!([id]))).await.ok();
    assert_eq!((&made["action"]["status"], &made["server"]["volumes"]), (&json!("error"), &json!([id])));
    assert_eq!(volume(&world, id).await["server"], Value::Null);
    assert_eq!(world.delete(&format!("/volumes/{id}")).await.status, 204);
}

#[tokio::test]
async fn volumes_only_grow() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/volumes", wanted("data")).await;
    let resize = async |size: Value| act(&world, id, "resize", json!({"size": size})).await;
    for wrong in [json!(10), json!(9), json!(10_241), json!(10.5), json!(-1), json!(1e300), json!("20"), Value::Null] {
        resize(wrong).await.wrong(&["size"]);
    }
    assert_eq!(volume(&world, id).await["size"], 10);
    let action = resize(json!(20)).await.ok()["action"].clone();
    assert_eq!((&action["command"], &action["status"]), (&json!("resize_volume"), &json!("success")));
    assert_eq!(action["resources"], json!([{"id": id, "type": "volume"}]));
    assert_eq!(volume(&world, id).await["size"], 20);
    // Attached just as well.
    let web = placed(&world, "web").await;
    attach(&world, id, web).await.ok();
    resize(json!(10_240)).await.ok();
    assert_eq!(volume(&world, id).await["size"], 10_240);
    act(&world, 999, "resize", json!({"size": 20})).await.refused(404, "not_found");
}

#[tokio::test]
async fn protection() {
    let world = World::new(Dialect::Compat).await;
    let id = world.create("/volumes", wanted("data")).await;
    let change = async |body: Value| act(&world, id, "change_protection", body).await.ok()["action"].clone();
    let action = change(json!({"delete": true})).await;
    assert_eq!(
        (&action["command"], &action["resources"]),
        (&json!("change_protection"), &json!([{"id": id, "type": "volume"}]))
    );
    assert_eq!(volume(&world, id).await["protection"]["delete"], true);
    let refused = world.delete(&format!("/volumes/{id}")).await;
    assert_eq!(refused.refused(423, "protected").message(), "volume deletion is protected");
    change(json!({})).await;
    assert_eq!(volume(&world, id).await["protection"]["delete"], true, "what is absent stays");
    // An attached one names its server, too.
    let web = placed(&world, "web").await;
    attach(&world, id, web).await.ok();
    let action = change(json!({"delete": false})).await;
    assert_eq!(action["resources"], json!([{"id": web, "type": "server"}, {"id": id, "type": "volume"}]));
    act(&world, id, "detach", json!({})).await.ok();
    assert_eq!(world.delete(&format!("/volumes/{id}")).await.status, 204);
}

#[tokio::test]
async fn a_location_runs_full() {
    let world = World::with(Setup { on_disk: true, ..Setup::new(Dialect::Compat) }).await;
    let operator = Operator::of(&world);
    let limit = |left: Value| json!({"location": "fsn1", "left_gb": left});
    assert_eq!(operator.does("GET", "/volume_space", Value::Null).await, json!([]));
    let stays = world.create("/volumes", wanted("before")).await;
    operator.does("PUT", "/volume_space", limit(json!(35))).await;
    let data = world.create("/volumes", wanted("data")).await;
    let left = async |operator: &Operator| operator.does("GET", "/volume_space", Value::Null).await;
    assert_eq!(left(&operator).await, json!([{"location": "fsn1", "left_gb": 25}]));
    act(&world, data, "resize", json!({"size": 36})).await.refused(422, "no_space_left_in_location");
    act(&world, data, "resize", json!({"size": 30})).await.ok();
    let full = world.post("/volumes", wanted("late")).await;
    assert_eq!(full.refused(422, "no_space_left_in_location").message(), "there is no space left in location fsn1");
    // What is refused after it has taken room gives it back with the transaction.
    operator.does("PUT", "/volume_space", limit(json!(10))).await;
    world.post("/volumes", wanted("data")).await.refused(409, "uniqueness_error");
    world.create("/volumes", with(wanted("elsewhere"), "location", json!("hel1"))).await;

    let world = world.restart().await;
    let operator = Operator::of(&world);
    assert_eq!(left(&operator).await[0]["left_gb"], 10);
    world.delete(&format!("/volumes/{data}")).await;
    world.delete(&format!("/volumes/{stays}")).await;
    assert_eq!(left(&operator).await[0]["left_gb"], 50);
    operator.does("PUT", "/volume_space", limit(json!(0))).await;
    world.post("/volumes", wanted("late")).await.refused(422, "no_space_left_in_location");
    operator.does("PUT", "/volume_space", limit(Value::Null)).await;
    assert_eq!(left(&operator).await, json!([]));
    world.create("/volumes", wanted("late")).await;
    for (wrong, status) in [
        (json!({"location": "nowhere", "left_gb": 1}), 404),
        (json!({"location": "fsn1", "left_gb": -1}), 422),
        (json!({"location": "fsn1", "left": 1}), 422),
    ] {
        assert_eq!(operator.ask("PUT", "/volume_space", wrong.clone()).await.0, status, "{wrong}");
    }
}

/// A server that is on its way out neither gets nor gives; its volumes are free when it is gone.
#[tokio::test]
async fn a_server_that_goes_is_locked() {
    let world = World::with(Setup { settle: Duration::from_millis(500), ..Setup::new(Dialect::Compat) }).await;
    let made = world.post("/servers", with(server("web"), "location", json!("fsn1"))).await.ok();
    let web = made["server"]["id"].as_i64().unwrap();
    let has = world.create("/volumes", with(wanted("has"), "server", json!(web))).await;
    let free = world.create("/volumes", wanted("free")).await;
    let profile = LatencyProfile::none().with(OperationKind::Delete, Policy::Stuck);
    world.control.set_simulation(Simulation { profile, ..Simulation::default() });
    world.delete(&format!("/servers/{web}")).await.ok();
    attach(&world, free, web).await.refused(423, "locked");
    act(&world, has, "detach", json!({})).await.refused(423, "locked");
    world.post("/volumes", with(wanted("new"), "server", json!(web))).await.refused(423, "locked");
    world.delete(&format!("/volumes/{has}")).await.refused(422, "service_error");
    act(&world, has, "resize", json!({"size": 11})).await.ok();
}

/// Where contention is refused, a busy server is locked; elsewhere a volume need not wait for it.
#[tokio::test]
async fn contention() {
    for refuse_contention in [false, true] {
        let mut setup = Setup { refuse_contention, ..Setup::new(Dialect::Compat) };
        setup.simulation.profile = LatencyProfile::none().with(OperationKind::Create, Policy::Stuck);
        setup.settle = Duration::ZERO;
        let world = World::with(setup).await;
        let web = placed(&world, "web").await;
        let id = world.create("/volumes", wanted("data")).await;
        let answer = attach(&world, id, web).await;
        if refuse_contention {
            assert_eq!(answer.refused(423, "locked").message(), "server is locked by another action");
        } else {
            assert_eq!(answer.ok()["action"]["status"], "success");
            assert_eq!(of_server(&world, web).await, json!([id]));
        }
    }
}

/// What `automount` does: the guest says so on its console, until its disk is made anew.
#[tokio::test]
async fn automounted_volumes_are_on_the_console() {
    let world = World::new(Dialect::Compat).await;
    let formatted = |name: &str| with(wanted(name), "format", json!("ext4"));
    let early = world.create("/volumes", formatted("early")).await;
    let create = with(with(server("web"), "volumes", json!([early])), "automount", json!(true));
    let web = world.create("/servers", create).await;
    world.clock.advance(60_000);
    let late = world.create("/volumes", formatted("late")).await;
    act(&world, late, "attach", json!({"server": web, "automount": true})).await.ok();
    let plain = world.create("/volumes", with(formatted("plain"), "server", json!(web))).await;
    let blank = with(with(wanted("blank"), "server", json!(web)), "automount", json!(true));
    let blank = world.create("/volumes", blank).await;
    let drives = async || world.control.console_machine(web).await.unwrap().unwrap().0.volumes;
    let of = |drives: &[Drive]| drives.iter().map(|drive| (drive.id, drive.mounted)).collect::<Vec<_>>();
    let found = drives().await;
    assert_eq!(of(&found), [(early, true), (late, true), (plain, false), (blank, false)]);
    assert!(found[0].after_ms <= 0 && found[1].after_ms >= 60_000, "{found:?}");
    world.post(&format!("/servers/{web}/actions/rebuild"), json!({"image": "debian-12"})).await.ok();
    assert!(drives().await.iter().all(|drive| !drive.mounted), "the new disk was told nothing");
    assert_eq!(of_server(&world, web).await, json!([early, late, plain, blank]), "they stay attached");
    act(&world, early, "detach", json!({})).await.ok();
    assert_eq!(drives().await.len(), 3);
}

#[tokio::test]
async fn histories() {
    let world = World::new(Dialect::Compat).await;
    let web = placed(&world, "web").await;
    let id = world.create("/volumes", wanted("data")).await;
    attach(&world, id, web).await.ok();
    act(&world, id, "resize", json!({"size": 20})).await.ok();
    let commands = async |path: &str| {
        let list = world.see(&format!("{path}/actions?sort=id")).await["actions"].clone();
        let commands: Vec<String> =
            list.as_array().unwrap().iter().map(|a| a["command"].as_str().unwrap().to_owned()).collect();
        (commands, ids(&list))
    };
    let (of_volume, all) = commands(&format!("/volumes/{id}")).await;
    assert_eq!(of_volume, ["create_volume", "attach_volume", "resize_volume"]);
    assert_eq!(commands("/volumes").await.1, all);
    assert!(commands(&format!("/servers/{web}")).await.0.contains(&"attach_volume".to_owned()));
    for path in [format!("/volumes/{id}/actions/{}", all[1]), format!("/volumes/actions/{}", all[1])] {
        assert_eq!(world.see(&path).await["action"]["command"], "attach_volume");
    }
    world.get("/volumes/999/actions").await.refused(404, "not_found");
    world
        .ask("POST", "/volumes")
        .token(Some(&world.reader))
        .json(&wanted("x"))
        .send()
        .await
        .refused(401, "token_readonly");
}
