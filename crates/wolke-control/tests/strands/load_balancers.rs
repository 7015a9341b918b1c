//! Load balancers beside real hosts, whose servers cannot be targets yet; and beside an operator who tells guests what to do.

use crate::common::{Engine, World, engines, world};
use crate::helpers::{block_on, drive, request};
use serde_json::json;
use wolke_control::Simulation;
use wolke_domain::load_balancer::health::Told;
use wolke_domain::{Error, Result};
use wolke_store::Db;
use wolke_store::guest::Who;
use wolke_strand::testing::{Disturbance, Drive};
use wolke_wire::{ErrorCode, Id, Kind};

fn read<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> T {
    serde_json::from_value(body).unwrap()
}

/// Makes a load balancer in a location.
fn make(world: &World, name: &str, location: &str, targets: serde_json::Value) -> Result<Id> {
    let body = json!({"name": name, "load_balancer_type": "lb11", "location": location, "targets": targets});
    let shown = block_on(world.control.create_load_balancer(&world.caller, read(body)))?;
    Ok(serde_json::from_slice::<serde_json::Value>(&shown).unwrap()["load_balancer"]["id"].as_i64().unwrap())
}

/// A real server is no target: not by its id, not by its labels, whichever comes first, and nothing is changed.
#[test]
fn real_servers_are_no_targets() {
    let world = block_on(world(&Engine::Driven(Box::new(Engine::Memory)), Simulation::default()));
    let create = |name: &str, label: &str| {
        let mut request = request(name);
        request.labels = [(label.to_owned(), "x".to_owned())].into();
        block_on(world.control.create_server(&world.caller, request))
    };
    let server = create("a", "real").unwrap().server;
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    let named = json!({"type": "server", "server": {"id": server}});
    let selected = |label: &str| json!({"type": "label_selector", "label_selector": {"selector": label}});
    let id = make(&world, "one", "nbg1", json!([selected("none")])).unwrap();
    let add = |target: &serde_json::Value| {
        block_on(world.control.add_load_balancer_target(&world.caller, id, read(target.clone()))).map(|_| ())
    };
    let relabel = json!({"labels": {"none": "x"}});
    let commits = world.db.commits();
    let refused = |outcome: Result<()>| {
        let error: Error = outcome.unwrap_err();
        let message = "a load balancer is not supported for servers in location fsn1, which are real";
        assert_eq!((error.code(), error.message()), (ErrorCode::UnsupportedError, message.to_owned()));
        assert_eq!(world.db.commits(), commits, "a refusal commits nothing");
    };
    refused(make(&world, "two", "fsn1", json!([])).map(|_| ()));
    refused(make(&world, "two", "nbg1", json!([named])).map(|_| ()));
    refused(make(&world, "two", "nbg1", json!([selected("other"), selected("real")])).map(|_| ()));
    refused(add(&named));
    refused(add(&selected("real")));
    // The load balancer was there first.
    refused(block_on(world.control.update_server(&world.caller, server, read(relabel))).map(|_| ()));
    refused(create("b", "none").map(|_| ()));
    add(&selected("other")).unwrap();
}

/// How often each of the racing sides writes.
const RACES: usize = 30;

fn retries(db: &Db) -> u64 {
    match db {
        Db::Postgres(db) => db.retries(),
        Db::Sqlite(_) => 0,
    }
}

/// What the operator tells a guest is seen at its load balancers, which clients change meanwhile. Both take turns before they
/// begin, so that nobody's transaction is run again; and no word and no name is lost.
#[test]
fn words_to_guests_and_changes_of_their_load_balancers_take_turns() {
    for engine in engines("words_to_guests_and_changes_of_their_load_balancers_take_turns") {
        let world = block_on(world(&engine, Simulation::default()));
        let server = block_on(world.control.create_server(&world.caller, request("web"))).unwrap().server;
        let named = json!([{"type": "server", "server": {"id": server}}]);
        let id = make(&world, "one", "fsn1", named).unwrap();
        let before = retries(&world.db);
        let tell = |who: &dyn Fn() -> Who| {
            for status in 0..RACES {
                let told = Told::Answer { status: 200 + status as u16, page: String::new() };
                block_on(world.control.tell_guest(who(), 80, told)).unwrap();
                if status + 1 < RACES {
                    block_on(world.control.untell_guest(who(), 80)).unwrap();
                }
            }
        };
        let rename = || {
            for n in 0..2 * RACES {
                let update = read(json!({"name": format!("n{n}"), "labels": {"n": n.to_string()}}));
                block_on(world.control.update_load_balancer(&world.caller, id, update)).unwrap();
            }
        };
        std::thread::scope(|threads| {
            threads.spawn(|| tell(&|| Who::Server(server)));
            threads.spawn(|| tell(&|| Who::Ip("192.0.2.1".into())));
            threads.spawn(rename);
        });
        let told = block_on(world.control.list_guest_answers()).unwrap();
        let last = Told::Answer { status: 200 + RACES as u16 - 1, page: String::new() };
        assert!(told.len() == 2 && told.iter().all(|answer| answer.told == last), "{told:?}");
        let shown = block_on(world.control.get(&world.caller, Kind::LoadBalancer, id)).unwrap();
        let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
        assert_eq!(shown["load_balancer"]["name"], format!("n{}", 2 * RACES - 1));
        let run_again = retries(&world.db) - before;
        assert!(run_again <= RACES as u64 / 10, "the locks before BEGIN keep conflicts away: {run_again} retries");
    }
}
