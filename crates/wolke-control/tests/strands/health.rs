//! Health checks that take time: verdicts survive crashes, jumps of the clock, and other processes.

use crate::common::{Engine, World, check_at_rest, control, engines, memory};
use crate::helpers::{block_on, drive, ensure, remove, running, travel};
use serde_json::{Value, json};
use wolke_control::Simulation;
use wolke_control::clock::Jump;
use wolke_control::server::PowerVerb;
use wolke_domain::Result;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::migrate::Role;
use wolke_store::{Tx, invariant, load_balancer_health as kept, strand};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::{Id, Kind};

/// Seconds.
const S: i64 = 1_000;

/// Checks take time, and nothing else here.
fn slow_checks() -> Simulation {
    let profile = LatencyProfile::none().with(OperationKind::Snapshot, Policy::After { ms: 1_000 });
    Simulation { profile, ..Simulation::default() }
}

fn read<T: serde::de::DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).unwrap()
}

/// A load balancer that checks its one server every 10 s, twice.
fn make(world: &World, server: Id) -> Id {
    let check = json!({"protocol": "tcp", "port": 80, "interval": 10, "timeout": 5, "retries": 2});
    let service = json!({"protocol": "tcp", "listen_port": 80, "destination_port": 80, "health_check": check});
    let target = json!({"type": "server", "server": {"id": server}});
    let body = json!({"name": "lb", "load_balancer_type": "lb11", "location": "fsn1", "services": [service], "targets": [target]});
    let shown = block_on(world.control.create_load_balancer(&world.caller, read(body))).unwrap();
    serde_json::from_slice::<Value>(&shown).unwrap()["load_balancer"]["id"].as_i64().unwrap()
}

/// What is shown of the target: through the cache, which must say what a fresh rendering says.
fn shown(world: &World, id: Id) -> Result<String> {
    let json = block_on(world.control.get(&world.caller, Kind::LoadBalancer, id))?;
    let (control, caller) = (world.control.clone(), world.caller);
    world.db.read_blocking(move |tx: &mut dyn Tx| {
        control.check_fragment(tx, &caller, Kind::LoadBalancer, id)?;
        control.check_health(tx, caller.project, id)
    })?;
    let json: Value = serde_json::from_slice(&json).unwrap();
    Ok(json["load_balancer"]["targets"][0]["health_status"][0]["status"].as_str().unwrap().to_owned())
}

fn calm(world: &World) -> Drive<'_, wolke_control::Core> {
    Drive::new(&world.db, &world.core, Disturbance::None)
}

fn power(world: &World, server: Id, on: bool) -> Result<()> {
    let verb = if on { PowerVerb::Start } else { PowerVerb::Stop };
    block_on(world.control.power_server(&world.caller, server, verb))?;
    drive(world, &mut calm(world))
}

fn calendars(world: &World) -> usize {
    let all = world.db.read_blocking(|tx: &mut dyn Tx| strand::all(tx)).unwrap();
    all.iter().filter(|strand| strand.kind == "load_balancer_calendar").count()
}

/// Unknown, healthy, unhealthy and healthy again, disturbed somewhere on the way.
fn try_life(engine: &Engine, disturbance: Disturbance) -> Result<(usize, bool)> {
    let (world, server) = running(engine, slow_checks());
    let id = make(&world, server);
    ensure(shown(&world, id)? == "unknown", "nobody has checked yet")?;
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    // A failure is made good within a minute.
    let mut wait = |ms: i64| -> Result<()> {
        travel(&world, &mut run, Jump::By(ms))?;
        run.until_idle()
    };
    wait(90 * S)?;
    ensure(shown(&world, id)? == "healthy", "enough checks found it well")?;
    power(&world, server, false)?;
    ensure(shown(&world, id)? == "healthy", "nobody has noticed")?;
    wait(90 * S)?;
    ensure(shown(&world, id)? == "unhealthy", "enough checks have failed")?;
    power(&world, server, true)?;
    ensure(shown(&world, id)? == "unhealthy", "nobody has noticed that either")?;
    wait(90 * S)?;
    ensure(shown(&world, id)? == "healthy", "it is well again")?;
    check_at_rest(&world.db)?;
    world.db.read_blocking(invariant::check)?;
    ensure(calendars(&world) == 1, "one calendar, whatever happened")?;
    remove(&world, server)?;
    let of = world.db.read_blocking(move |tx: &mut dyn Tx| kept::of(tx, id))?;
    ensure(of.is_empty(), "what is known of a server goes with it")?;
    block_on(world.control.delete_load_balancer(&world.caller, id))?;
    drive(&world, &mut calm(&world))?;
    ensure(calendars(&world) == 0, "the calendar goes with its load balancer")?;
    world.db.read_blocking(invariant::check)?;
    ensure(check_at_rest(&world.db)? == 0, "nothing is left over")?;
    block_on(world.control.delete_project("default", false))?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn verdicts_come_whatever_happens() {
    for engine in engines("verdicts_come_whatever_happens") {
        let steps = try_every_disturbance(|d| try_life(&engine, d)).unwrap_or_else(|e| panic!("{engine:?}: {e}"));
        assert!(steps >= 3, "{steps} steps");
    }
}

/// Time that jumps in one go: what would have been found on the way was found.
#[test]
fn time_in_one_go() {
    for engine in engines("time_in_one_go") {
        let (world, server) = running(&engine, slow_checks());
        let id = make(&world, server);
        block_on(world.control.advance_clock(20 * S)).unwrap();
        calm(&world).until_idle().unwrap();
        assert_eq!(shown(&world, id).unwrap(), "healthy");
        power(&world, server, false).unwrap();
        // Nobody has looked when it comes back: four checks have begun, and two were over and enough.
        block_on(world.control.advance_clock(40 * S)).unwrap();
        power(&world, server, true).unwrap();
        assert_eq!(shown(&world, id).unwrap(), "unhealthy");
        block_on(world.control.advance_clock(20 * S)).unwrap();
        calm(&world).until_idle().unwrap();
        assert_eq!(shown(&world, id).unwrap(), "healthy");
    }
}

/// A second process on the same database: verdicts are those of the rows; and of two paces the last that was set counts.
#[test]
fn two_processes() {
    for engine in engines("two_processes") {
        let (world, server) = running(&engine, slow_checks());
        let id = make(&world, server);
        let caller = world.caller;
        let second = |simulation: Simulation| {
            let root = memory(Role::Root, &world.clock, "second");
            block_on(control(&world.clock, root, &world.db, simulation))
        };
        let says = |control: &wolke_control::Control| {
            let json = block_on(control.get(&caller, Kind::LoadBalancer, id)).unwrap();
            let json: Value = serde_json::from_slice(&json).unwrap();
            json["load_balancer"]["targets"][0]["health_status"][0]["status"].as_str().unwrap().to_owned()
        };
        let (same, core) = second(slow_checks());
        assert_eq!(says(&same), "unknown");
        // Either of them keeps the calendar.
        let mut run = Drive::new(&world.db, &core, Disturbance::None);
        travel(&world, &mut run, Jump::By(20 * S)).unwrap();
        run.until_idle().unwrap();
        assert_eq!([says(&same), shown(&world, id).unwrap()], ["healthy", "healthy"]);
        power(&world, server, false).unwrap();
        let (other, _) = second(Simulation::default());
        assert_eq!([says(&other), says(&same), shown(&world, id).unwrap()], ["unhealthy", "unhealthy", "unhealthy"]);
        calm(&world).until_idle().unwrap();
        assert_eq!(calendars(&world), 0, "without time there is nothing to keep");
        block_on(same.pace_health_checks()).unwrap();
        assert_eq!([says(&other), says(&same)], ["unhealthy", "unhealthy"]);
        assert_eq!(calendars(&world), 1);
        power(&world, server, true).unwrap();
        assert_eq!([says(&other), says(&same)], ["unhealthy", "unhealthy"]);
        world.db.read_blocking(invariant::check).unwrap();
    }
}
