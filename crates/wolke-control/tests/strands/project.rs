//! Projects that go with all that they hold.

use crate::common::{
    Engine, START_MS, TestClock, World, check_at_rest, control, engines, host_objects, memory, rooms_are_whole, world,
};
use serde_json::{Value, json};
use wolke_control::Simulation;
use wolke_domain::Result;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::migrate::Role;
use wolke_store::{Race, Tx, invariant, list, project, resource, server as servers, strand};
use wolke_strand::run_chain;
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::selector::Selector;
use wolke_wire::{Id, Kind};

use crate::helpers::{block_on, drive, ensure, request, slow};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGW3RfrgCZeMBuVjTCVqDmbhbXLXOM5Yl5h6T7qj9yOs";

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// One of everything, in use and protected.
fn fill(world: &World) {
    let (control, caller) = (&world.control, &world.caller);
    let id = |shown: &[u8], kind: &str| serde_json::from_slice::<Value>(shown).unwrap()[kind]["id"].as_i64().unwrap();
    let server = block_on(async {
        control.create_ssh_key(caller, parse(json!({"name": "key", "public_key": KEY}))).await.unwrap();
        let subnet = json!({"type": "cloud", "ip_range": "10.0.1.0/24", "network_zone": "eu-central"});
        let net = json!({"name": "net", "ip_range": "10.0.0.0/16", "subnets": [subnet]});
        let net = id(&control.create_network(caller, parse(net)).await.unwrap(), "network");
        let group = json!({"name": "group", "type": "spread"});
        let group = id(&control.create_placement_group(caller, parse(group)).await.unwrap(), "placement_group");
        let selects = json!([{"type": "label_selector", "label_selector": {"selector": "a=b"}}]);
        control.create_firewall(caller, parse(json!({"name": "wall", "apply_to": selects}))).await.unwrap();
        let zone = json!({"name": "example.com", "mode": "primary",
            "rrsets": [{"name": "www", "type": "A", "records": [{"value": "192.0.2.1"}]}]});
        control.create_zone(caller, parse(zone)).await.unwrap();
        let managed = json!({"name": "managed", "type": "managed", "domain_names": ["www.example.com"]});
        control.create_certificate(caller, parse(managed)).await.unwrap();
        let volume = json!({"name": "data", "size": 10, "location": "fsn1"});
        let volume = id(&control.create_volume(caller, parse(volume)).await.unwrap(), "volume");
        let protect = json!({"delete": true});
        let boxed =
            json!({"name": "backups", "storage_box_type": "bx11", "location": "fsn1", "password": "1-secret-PASSW0RD"});
        let boxed = id(&control.create_storage_box(caller, parse(boxed)).await.unwrap(), "storage_box");
        control.create_storage_box_snapshot(caller, boxed, parse(json!({"labels": {"a": "b"}}))).await.unwrap();
        let account = json!({"home_directory": "a", "password": "1-secret-PASSW0RD", "labels": {"a": "b"}});
        control.create_storage_box_subaccount(caller, boxed, parse(account)).await.unwrap();
        let plan = json!({"max_snapshots": 1, "minute": 0, "hour": 0});
        control.enable_snapshot_plan(caller, boxed, parse(plan)).await.unwrap();
        control.change_storage_box_protection(caller, boxed, parse(protect.clone())).await.unwrap();
        control.change_volume_protection(caller, volume, parse(protect.clone())).await.unwrap();
        control.change_network_protection(caller, net, parse(protect)).await.unwrap();
        let server = json!({"name": "web", "server_type": "cpx22", "image": "debian-12", "location": "fsn1",
            "labels": {"a": "b"}, "networks": [net], "volumes": [volume], "placement_group": group,
            "ssh_keys": ["key"]});
        let server = control.create_server(caller, parse(server)).await.unwrap().server;
        control.create_floating_ip(caller, parse(json!({"type": "ipv4", "server": server}))).await.unwrap();
        let balancer = json!({"name": "lb", "load_balancer_type": "lb11", "location": "fsn1", "network": net,
        "services": [{"protocol": "http"}], "targets": [
            {"type": "server", "server": {"id": server}, "use_private_ip": true},
            {"type": "label_selector", "label_selector": {"selector": "a=b"}},
        ]});
        let balancer = control.create_load_balancer(caller, parse(balancer)).await.unwrap();
        let protect = parse(json!({"delete": true}));
        control.change_load_balancer_protection(caller, id(&balancer, "load_balancer"), protect).await.unwrap();
        let ip = json!({"name": "spare", "type": "ipv4", "assignee_type": "server", "location": "fsn1"});
        control.create_primary_ip(caller, parse(ip)).await.unwrap();
        server
    });
    drive(world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    let image = parse(json!({"type": "snapshot"}));
    block_on(world.control.create_image(&world.caller, server, image)).unwrap();
}

fn is_there(world: &World) -> bool {
    !block_on(world.control.list_projects()).unwrap().is_empty()
}

fn try_end(engine: &Engine, disturbance: Disturbance, simulation: Simulation) -> Result<(usize, bool)> {
    let world = block_on(world(engine, simulation));
    fill(&world);
    ensure(block_on(world.control.delete_project("default", false)).is_err(), "it is not empty")?;
    block_on(world.control.delete_project("default", true))?;
    // Whoever asks again is not refused.
    block_on(world.control.delete_project("default", true))?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    if matches!(disturbance, Disturbance::FailAt(_)) && run.disturbed && is_there(&world) {
        block_on(world.control.delete_project("default", true))?;
        drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None))?;
    }
    ensure(!is_there(&world), "the project is gone")?;
    ensure(check_at_rest(&world.db)? == 0 && host_objects(&world.db) == 0, "nothing is left over")?;
    ensure(rooms_are_whole(&world.db), "the hosts have their room back")?;
    world.db.read_blocking(invariant::check)?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn everything_goes() {
    for engine in engines("everything_goes") {
        try_every_disturbance(|d| try_end(&engine, d, Simulation::default())).unwrap();
    }
    try_every_disturbance(|d| try_end(&Engine::Memory, d, slow())).unwrap();
}

/// A host that does not let go at first is asked again, and meanwhile nobody uses the project.
#[test]
fn a_server_that_does_not_go_is_asked_again() {
    let failing = Policy::FailOnce { code: "action_failed".into(), message: "not today".into() };
    let profile = LatencyProfile::none().with(OperationKind::Delete, failing);
    let world = block_on(world(&Engine::Memory, Simulation { profile, ..Simulation::default() }));
    fill(&world);
    block_on(world.control.delete_project("default", true)).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    run.until_idle().unwrap();
    let projects = block_on(world.control.list_projects()).unwrap();
    assert!(projects.iter().all(|project| project.ending) && projects.len() == 1, "{projects:?}");
    assert!(block_on(world.control.create_token("default", "late", true, None)).is_err());
    drive(&world, &mut run).unwrap();
    assert!(!is_there(&world));
}

/// Runs every strand that is due once, as a worker does: a chain to its end is one transaction.
fn chains(world: &World) {
    let due = world.db.write_blocking(vec![Race::Claims], |tx: &mut dyn Tx| {
        strand::free_leases(tx)?;
        strand::claim(tx)
    });
    for due in due.unwrap() {
        let core = world.core.clone();
        let chain = move |tx: &mut dyn Tx| run_chain(tx, &*core, due.id, due.lease);
        world.db.write_blocking(due.scope.clone(), chain).unwrap();
    }
}

fn count(world: &World, kind: Kind) -> i64 {
    let project = world.caller.project;
    world.db.read_blocking(move |tx: &mut dyn Tx| resource::count(tx, kind, project)).unwrap()
}

#[test]
fn a_transaction_removes_one_batch() {
    const GROUPS: i64 = 230;
    const ZONES: i64 = 3;
    let world = block_on(world(&Engine::Memory, Simulation::default()));
    block_on(async {
        for n in 0..GROUPS {
            let new = parse(json!({"name": format!("group-{n}"), "type": "spread"}));
            world.control.create_placement_group(&world.caller, new).await.unwrap();
        }
        for n in 0..ZONES {
            let new = parse(json!({"name": format!("example-{n}.com"), "mode": "primary"}));
            world.control.create_zone(&world.caller, new).await.unwrap();
        }
        world.control.delete_project("default", true).await.unwrap();
    });
    let held = || (count(&world, Kind::PlacementGroup), count(&world, Kind::Zone));
    let mut seen = vec![held()];
    while is_there(&world) {
        chains(&world);
        seen.push(held());
        assert!(seen.len() < 20, "{seen:?}");
    }
    assert_eq!(seen, [(230, 3), (130, 3), (30, 3), (0, 3), (0, 2), (0, 1), (0, 0), (0, 0)]);
}

/// Every server of a project is asked, however many are on a host that does not let go.
#[test]
fn who_does_not_go_keeps_nobody() {
    const SERVERS: usize = 103;
    let stuck = LatencyProfile::none().with(OperationKind::Delete, Policy::Stuck);
    let world = block_on(world(&Engine::Memory, Simulation { profile: stuck, ..Simulation::default() }));
    for n in 0..SERVERS {
        block_on(world.control.create_server(&world.caller, request(&format!("web-{n}")))).unwrap();
    }
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    run.until_idle().unwrap();
    block_on(world.control.delete_project("default", true)).unwrap();
    let project = world.caller.project;
    let asked = || {
        let read = move |tx: &mut dyn Tx| {
            let query = list::ListQuery {
                kind: Kind::Server,
                project,
                filters: Vec::new(),
                of: None,
                selector: Selector::default(),
                sort: Vec::new(),
                offset: 0,
                limit: i64::MAX,
            };
            let ids: Vec<Id> = list::page(tx, &query)?.entries.into_iter().map(|(id, _)| id).collect();
            let mut asked = 0;
            for id in ids {
                asked += usize::from(servers::by_id(tx, id)?.is_some_and(|server| server.value.details.doomed));
            }
            Ok(asked)
        };
        world.db.read_blocking(read).unwrap()
    };
    run.until_idle().unwrap();
    assert_eq!(asked(), 100);
    block_on(world.pass(61_000));
    run.until_idle().unwrap();
    assert_eq!(asked(), SERVERS);
    world.control.set_simulation(Simulation::default());
    // What hangs is waited for a quarter of an hour, and then asked again.
    block_on(world.pass(16 * 60_000));
    drive(&world, &mut run).unwrap();
    assert!(!is_there(&world));
}

/// A project is given up after a day in which nothing has gone, and not before.
#[test]
fn a_day_counts_from_the_last_that_went() {
    const MINUTE_MS: i64 = 60_000;
    const HOUR_MS: i64 = 60 * MINUTE_MS;
    let fails = Policy::FailAlways { code: "action_failed".into(), message: "not today".into() };
    let fails = || Simulation {
        profile: LatencyProfile::none().with(OperationKind::Delete, fails.clone()),
        ..Simulation::default()
    };
    let world = block_on(world(&Engine::Memory, fails()));
    let server = |name| block_on(world.control.create_server(&world.caller, request(name))).unwrap().server;
    let (one, _two) = (server("one"), server("two"));
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    run.until_idle().unwrap();
    block_on(world.control.delete_project("default", true)).unwrap();
    run.until_idle().unwrap();
    let mut pass = |ms| {
        block_on(world.pass(ms));
        run.until_idle().unwrap();
        block_on(world.control.list_projects()).unwrap()[0].ending
    };
    assert!(pass(20 * HOUR_MS));
    world.control.set_simulation(Simulation::default());
    block_on(world.control.delete_server(&world.caller, one)).unwrap();
    assert!(pass(1) && count(&world, Kind::Server) == 1);
    world.control.set_simulation(fails());
    // Just before the end of the first day, so that the strand wakes for it.
    assert!(pass(4 * HOUR_MS - MINUTE_MS / 2));
    assert!(pass(MINUTE_MS));
    assert!(pass(19 * HOUR_MS));
    assert!(pass(HOUR_MS - MINUTE_MS - 1), "half a minute is left of the day since one went");
    assert!(!pass(MINUTE_MS));
}

/// A process that dies between the databases leaves tokens: the next one finds them, and so does whoever asks again.
#[test]
fn tokens_of_projects_that_are_gone_go() {
    let clock = TestClock::at(START_MS);
    let (root, db) = (memory(Role::Root, &clock, "root"), memory(Role::World, &clock, "world"));
    let start = || block_on(control(&clock, root.clone(), &db, Simulation::default())).0;
    let names = |control: &wolke_control::Control| -> Vec<String> {
        block_on(control.list_tokens()).unwrap().into_iter().map(|token| token.name).collect()
    };
    let first = start();
    let make = |name: &str| {
        let made = block_on(first.create_project(name)).unwrap().id;
        block_on(first.create_token(name, name, true, None)).unwrap();
        made
    };
    let vanish = |id: Id| db.write_blocking(Vec::new(), move |tx: &mut dyn Tx| project::delete(tx, id)).unwrap();
    make("stays");
    vanish(make("one"));
    assert!(block_on(first.delete_project("one", false)).is_err());
    assert_eq!(names(&first), ["stays"]);
    vanish(make("two"));
    assert_eq!(names(&first), ["stays", "two"]);
    assert_eq!(names(&start()), ["stays"]);
}
