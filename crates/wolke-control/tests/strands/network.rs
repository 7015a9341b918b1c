//! Servers in private networks: made, failed at every step, deleted; and what real hosts cannot do yet.

use crate::common::{Engine, World, action_status, check_at_rest, engines, host_objects, world};
use std::net::Ipv4Addr;
use wolke_control::Simulation;
use wolke_domain::Result;
use wolke_domain::action::Status as ActionStatus;
use wolke_store::{Tx, network};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::{ErrorCode, Id};

use crate::helpers::{block_on, drive, ensure, request, running, slow, status};

/// A network with one subnet.
fn make_network(world: &World) -> Id {
    let body = serde_json::json!({"name": "net", "ip_range": "10.0.0.0/16",
        "subnets": [{"type": "cloud", "ip_range": "10.0.1.0/24", "network_zone": "eu-central"}]});
    let request = serde_json::from_value(body).unwrap();
    let shown = block_on(world.control.create_network(&world.caller, request)).unwrap();
    serde_json::from_slice::<serde_json::Value>(&shown).unwrap()["network"]["id"].as_i64().unwrap()
}

/// The addresses of a network that somebody has.
fn taken(world: &World, net: Id) -> Vec<Ipv4Addr> {
    let all = Ipv4Addr::UNSPECIFIED..=Ipv4Addr::BROADCAST;
    world.db.read_blocking(move |tx: &mut dyn Tx| network::taken(tx, net, all.clone())).unwrap()
}

/// Made in a network, failed or not, and deleted: its address is its own for as long as it is there.
fn try_life(engine: &Engine, disturbance: Disturbance, simulation: Simulation) -> Result<(usize, bool)> {
    let world = block_on(world(engine, simulation));
    let net = make_network(&world);
    let mut request = request("a");
    request.networks = vec![net];
    let created = block_on(world.control.create_server(&world.caller, request))?;
    ensure(created.next_actions.len() == 2, "attached, then started")?;
    let attached = action_status(&world.db, world.caller.project, created.next_actions[0]);
    ensure(attached == ActionStatus::Success, "attaching needs no machine")?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    check_at_rest(&world.db)?;
    if status(&world, created.server).is_some() {
        ensure(taken(&world, net) == [Ipv4Addr::new(10, 0, 1, 1)], "its address is taken")?;
        block_on(world.control.delete_server(&world.caller, created.server))?;
        drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None))?;
    }
    ensure(taken(&world, net).is_empty() && host_objects(&world.db) == 0, "nothing is left behind")?;
    check_at_rest(&world.db)?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn a_life_in_a_network() {
    for engine in engines("a_life_in_a_network") {
        try_every_disturbance(|d| try_life(&engine, d, Simulation::default())).unwrap();
        try_every_disturbance(|d| try_life(&engine, d, slow())).unwrap();
    }
}

/// The network goes while the server is on its way in, and the server stays.
#[test]
fn a_network_may_go_while_a_server_is_made() {
    for engine in engines("a_network_may_go_while_a_server_is_made") {
        let world = block_on(world(&engine, slow()));
        let net = make_network(&world);
        let mut request = request("a");
        request.networks = vec![net];
        let created = block_on(world.control.create_server(&world.caller, request)).unwrap();
        block_on(world.control.delete_network(&world.caller, net)).unwrap();
        drive(&world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
        let project = world.caller.project;
        assert_eq!(action_status(&world.db, project, created.action), ActionStatus::Success);
        assert!(status(&world, created.server).is_some());
    }
}

#[test]
fn real_servers_have_no_networks_yet() {
    let (world, id) = running(&Engine::Driven(Box::new(Engine::Memory)), Simulation::default());
    let net = make_network(&world);
    let commits = world.db.commits();
    let attach = serde_json::from_value(serde_json::json!({"network": net})).unwrap();
    let mut create = request("b");
    create.networks = vec![net];
    let refused = [
        block_on(world.control.attach_to_network(&world.caller, id, attach)).map(|_| ()),
        block_on(world.control.create_server(&world.caller, create)).map(|_| ()),
    ];
    for refused in refused {
        let refused = refused.unwrap_err();
        let message = "attaching to a network is not supported for servers in location fsn1, which are real";
        assert_eq!((refused.code(), refused.message()), (ErrorCode::UnsupportedError, message.to_owned()));
    }
    assert_eq!((world.db.commits(), taken(&world, net)), (commits, Vec::new()));
}
