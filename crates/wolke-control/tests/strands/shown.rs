//! What a request has made is in its answer: whatever others do to it meanwhile, and nothing of what was undone.

use crate::common::{engines, world};
use crate::helpers::block_on;
use std::sync::atomic::{AtomicBool, Ordering};
use wolke_control::Simulation;
use wolke_control::view::Shown;
use wolke_domain::Error;
use wolke_store::{Race, placement_group};
use wolke_wire::cloud::placement_group::CreatePlacementGroup;
use wolke_wire::{ErrorCode, Kind};

fn group(name: &str) -> CreatePlacementGroup {
    serde_json::from_value(serde_json::json!({"name": name, "type": "spread"})).unwrap()
}

fn shown(json: &[u8]) -> (i64, String) {
    let value: serde_json::Value = serde_json::from_slice(json).unwrap();
    let group = &value["placement_group"];
    (group["id"].as_i64().unwrap(), group["name"].as_str().unwrap().to_owned())
}

/// What a transaction has shown that was undone afterwards is shown to nobody: the next change gets the same rev.
#[test]
fn what_is_undone_is_not_cached() {
    for engine in engines("what_is_undone_is_not_cached") {
        let world = block_on(world(&engine, Simulation::default()));
        let (caller, project) = (world.caller, world.caller.project);
        let made = block_on(world.control.create_placement_group(&caller, group("one"))).unwrap();
        let (id, _) = shown(&made);
        let undone = world.control.write_shown(&caller, vec![Race::Project(project)], move |tx| {
            let old = placement_group::expect(tx, project, id)?;
            let mut new = old.value.clone();
            new.name = "undone".into();
            placement_group::update(tx, &old, &new)?;
            // The group is rendered, and then the answer fails.
            Ok(Shown::one(Kind::PlacementGroup, id).action(999_999))
        });
        assert_eq!(block_on(undone).map_err(|error| error.code()), Err(ErrorCode::NotFound));
        let update = serde_json::from_value(serde_json::json!({"name": "two"})).unwrap();
        let changed = block_on(world.control.update_placement_group(&caller, id, update)).unwrap();
        assert_eq!(shown(&changed), (id, "two".to_owned()));
        let seen = block_on(world.control.get(&caller, Kind::PlacementGroup, id)).unwrap();
        assert_eq!(shown(&seen), (id, "two".to_owned()));
    }
}

/// Who makes something is told what it is, though somebody else deletes whatever he sees.
#[test]
fn creates_are_answered_while_others_delete() {
    /// How many are made.
    const EACH: i64 = 60;
    for engine in engines("creates_are_answered_while_others_delete") {
        let world = block_on(world(&engine, Simulation::default()));
        let is_over = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for id in 1..=EACH {
                    while let Err(error) = block_on(world.control.delete_placement_group(&world.caller, id)) {
                        assert!(matches!(error, Error::NotFound { .. }), "{error}");
                        if is_over.load(Ordering::SeqCst) {
                            break;
                        }
                        std::thread::yield_now();
                    }
                }
            });
            for number in 1..=EACH {
                let name = format!("g{number}");
                let made = block_on(world.control.create_placement_group(&world.caller, group(&name)));
                assert_eq!(shown(&made.unwrap()).1, name);
            }
            is_over.store(true, Ordering::SeqCst);
        });
    }
}

fn firewall_name(json: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(json).unwrap();
    value["firewall"]["name"].as_str().unwrap().to_owned()
}

/// Who changes what may be large is told what it has become, though somebody deletes it as soon as he sees that.
#[test]
fn changes_are_answered_while_others_delete() {
    /// How many are changed.
    const EACH: usize = 40;
    for engine in engines("changes_are_answered_while_others_delete") {
        let world = block_on(world(&engine, Simulation::default()));
        let caller = &world.caller;
        let ids: Vec<i64> = (0..EACH)
            .map(|number| {
                let request = serde_json::json!({"name": format!("f{number}"), "labels": {"a": "b"}, "rules": []});
                let made = world.control.create_firewall(caller, serde_json::from_value(request).unwrap());
                let made: serde_json::Value = serde_json::from_slice(&block_on(made).unwrap()).unwrap();
                made["firewall"]["id"].as_i64().unwrap()
            })
            .collect();
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for id in &ids {
                    let seen = || block_on(world.control.get(caller, Kind::Firewall, *id)).unwrap();
                    while !firewall_name(&seen()).starts_with("changed") {
                        std::thread::yield_now();
                    }
                    block_on(world.control.delete_firewall(caller, *id)).unwrap();
                }
            });
            for id in &ids {
                let update = serde_json::json!({"name": format!("changed{id}")});
                let update = serde_json::from_value(update).unwrap();
                let answer = block_on(world.control.update_firewall(caller, *id, update)).unwrap();
                assert_eq!(firewall_name(&answer), format!("changed{id}"));
            }
        });
    }
}

/// What is gone is shown as any other, cut to the dialect.
#[test]
fn what_is_gone_is_shown_by_the_contract() {
    for engine in engines("what_is_gone_is_shown_by_the_contract") {
        let world = block_on(world(&engine, Simulation::default()));
        let wire = serde_json::json!({"id": 7, "name": "gone", "beyond": 1});
        let json = block_on(world.control.show_gone(&world.caller, Kind::Firewall, wire)).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(value, serde_json::json!({"firewall": {"id": 7, "name": "gone"}}));
    }
}
