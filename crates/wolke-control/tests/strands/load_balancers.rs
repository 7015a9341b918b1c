//! Load balancers beside real hosts, whose servers cannot be targets yet.

use crate::common::{Engine, World, world};
use crate::helpers::{block_on, drive, request};
use serde_json::json;
use wolke_control::Simulation;
use wolke_domain::{Error, Result};
use wolke_strand::testing::{Disturbance, Drive};
use wolke_wire::{ErrorCode, Id};

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
