//! Firewalls beside real hosts, whose servers cannot have any yet.

use crate::common::{Engine, world};
use crate::helpers::{block_on, drive, request};
use serde_json::json;
use wolke_control::Simulation;
use wolke_domain::{Error, Result};
use wolke_store::{Tx, selection};
use wolke_strand::testing::{Disturbance, Drive};
use wolke_wire::{ErrorCode, Id, Kind};

fn read<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> T {
    serde_json::from_value(body).unwrap()
}

/// A real server gets no firewall: not by its id, not by its labels, whichever comes first, and nothing is changed.
#[test]
fn real_servers_have_no_firewalls() {
    let world = block_on(world(&Engine::Driven(Box::new(Engine::Memory)), Simulation::default()));
    let caller = &world.caller;
    let create = |name: &str, label: &str| {
        let mut request = request(name);
        request.labels = [(label.to_owned(), "x".to_owned())].into();
        block_on(world.control.create_server(caller, request))
    };
    let server = create("a", "real").unwrap().server;
    drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
    let make = |name: &str, to: serde_json::Value| -> Result<Id> {
        let body = json!({"name": name, "rules": [], "apply_to": to});
        let shown = block_on(world.control.create_firewall(caller, read(body)))?;
        Ok(serde_json::from_slice::<serde_json::Value>(&shown).unwrap()["firewall"]["id"].as_i64().unwrap())
    };
    let named = json!({"type": "server", "server": {"id": server}});
    let selected = |label: &str| json!({"type": "label_selector", "label_selector": {"selector": label}});
    let id = make("one", json!([selected("none")])).unwrap();
    let apply = |to: serde_json::Value| {
        block_on(world.control.apply_firewall(caller, id, read(json!({"apply_to": [to]})))).map(|_| ())
    };
    let commits = world.db.commits();
    let refused = |outcome: Result<()>| {
        let error: Error = outcome.unwrap_err();
        let message = "a firewall is not supported for servers in location fsn1, which are real";
        assert_eq!((error.code(), error.message()), (ErrorCode::UnsupportedError, message.to_owned()));
        assert_eq!(world.db.commits(), commits, "a refusal commits nothing");
    };
    refused(make("two", json!([named])).map(|_| ()));
    refused(make("two", json!([selected("other"), selected("real")])).map(|_| ()));
    refused(apply(named.clone()));
    refused(apply(selected("real")));
    // The firewall was there first.
    let relabel = json!({"labels": {"none": "x"}});
    refused(block_on(world.control.update_server(caller, server, read(relabel))).map(|_| ()));
    refused(create("b", "none").map(|_| ()));
    apply(selected("other")).unwrap();
    let owners = world.db.read_blocking(move |tx: &mut dyn Tx| selection::matched(tx, (Kind::Firewall, id)));
    assert_eq!(owners, Ok(0));
}
