//! Real hosts, from the control plane's side: what is written reaches the host through its driver, and what the host reports
//! reaches the API. The other files run their trials on a driven host, too; here is what only such a host can do.

use crate::common::{Engine, World, action_status, check_at_rest, engines, host_objects, rooms_are_whole, world};
use wolke_control::Simulation;
use wolke_control::server::PowerVerb;
use wolke_domain::Result;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::server::Status;
use wolke_host::{GuestEvent, LatencyProfile, ObjectKey, OperationKind, Policy, Usage};
use wolke_store::{driven, server, strand};
use wolke_strand::testing::{Disturbance, Drive};
use wolke_wire::{ErrorCode, Id};

use crate::helpers::{block_on, drive, ensure, rename, request, running, slow, spec_of, status};

fn on(engine: &Engine) -> Engine {
    Engine::Driven(Box::new(engine.clone()))
}

fn memory() -> Engine {
    on(&Engine::Memory)
}

fn settle(world: &World) {
    drive(world, &mut Drive::new(&world.db, &world.core, Disturbance::None)).unwrap();
}

fn host_of(world: &World, id: Id) -> Id {
    world
        .db
        .read_blocking(move |tx: &mut dyn wolke_store::Tx| Ok(server::by_id(tx, id)?.unwrap().value.host.unwrap()))
        .unwrap()
}

/// Commands that are known of a host, whether or not they have ended.
fn commands_of(world: &World, host: Id) -> usize {
    let known = move |tx: &mut dyn wolke_store::Tx| {
        let newest = driven::generation(tx, host)?;
        let known = (1..=newest).map(|id| Ok(driven::command(tx, host, id)?.is_some()));
        Ok(known.collect::<Result<Vec<_>>>()?.into_iter().filter(|known| *known).count())
    };
    world.db.read_blocking(known).unwrap()
}

fn power(world: &World, id: Id, verb: PowerVerb) {
    let action = block_on(world.control.power_server(&world.caller, id, verb)).unwrap().action;
    settle(world);
    assert_eq!(action_status(&world.db, world.caller.project, action), ActionStatus::Success, "{verb:?}");
}

#[test]
fn a_life() {
    for engine in engines("a_life") {
        for simulation in [Simulation::default(), slow()] {
            let (world, id) = running(&on(&engine), simulation);
            assert_eq!(world.machine().holds(), [ObjectKey::server(id)]);
            let off = [PowerVerb::Stop, PowerVerb::Shutdown];
            for verb in off {
                power(&world, id, verb);
                assert_eq!(status(&world, id), Some(Status::Off));
                power(&world, id, PowerVerb::Start);
                assert_eq!(status(&world, id), Some(Status::Running));
            }
            power(&world, id, PowerVerb::Reset);
            rename(&world, id, "b");
            settle(&world);
            power(&world, id, PowerVerb::Reboot);
            assert_eq!(status(&world, id), Some(Status::Running));
            let host = host_of(&world, id);
            block_on(world.control.delete_server(&world.caller, id)).unwrap();
            settle(&world);
            world.turn().unwrap();
            assert_eq!((status(&world, id), host_objects(&world.db)), (None, 0));
            assert!(world.machine().holds().is_empty() && rooms_are_whole(&world.db));
            block_on(world.pass(120_000));
            assert_eq!(commands_of(&world, host), 0, "nobody asks for their outcomes any more");
        }
    }
}

/// What is told to the host stays told when its driver dies at any moment: commands run once all the same.
#[test]
fn a_driver_that_dies_is_replaced() {
    for engine in engines("a_driver_that_dies_is_replaced") {
        let (world, id) = running(&on(&engine), Simulation::default());
        for verb in [PowerVerb::Reset, PowerVerb::Stop, PowerVerb::Start, PowerVerb::Reboot] {
            world.kill_driver();
            let action = block_on(world.control.power_server(&world.caller, id, verb)).unwrap().action;
            let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
            run.until_idle().unwrap();
            assert_eq!(action_status(&world.db, world.caller.project, action), ActionStatus::Running);
            world.start_driver();
            drive(&world, &mut run).unwrap();
            assert_eq!(action_status(&world.db, world.caller.project, action), ActionStatus::Success, "{verb:?}");
        }
        let before = world.machine().resyncs();
        world.kill_driver();
        world.start_driver();
        settle(&world);
        assert_eq!((world.machine().resyncs(), status(&world, id)), (before + 1, Some(Status::Running)));
        let commands = world.machine().commands();
        let distinct: std::collections::BTreeSet<_> = commands.iter().collect();
        assert_eq!(distinct.len(), 2, "a reset and a reboot: {commands:?}");
    }
}

#[test]
fn a_guest_that_goes_off_by_itself_shows() {
    for engine in engines("a_guest_that_goes_off_by_itself_shows") {
        let (world, id) = running(&on(&engine), Simulation::default());
        let rev = |world: &World| {
            let project = world.caller.project;
            world.db.read_blocking(move |tx: &mut dyn wolke_store::Tx| server::rev(tx, project, id)).unwrap().unwrap()
        };
        let before = rev(&world);
        world.machine().guest_event(id, GuestEvent::PowersOff, world.now());
        world.turn().unwrap();
        assert_eq!(status(&world, id), Some(Status::Off));
        assert!(rev(&world) > before, "whoever has seen it running sees it again");
        rename(&world, id, "b");
        settle(&world);
        assert_eq!(status(&world, id), Some(Status::Off), "a new name starts nothing");
        power(&world, id, PowerVerb::Start);
        assert_eq!(status(&world, id), Some(Status::Running));
    }
}

/// A change while a strand holds the server is not lost when that strand does not look at the machine.
#[test]
fn a_guest_that_goes_off_during_other_work_shows_afterwards() {
    let profile = LatencyProfile::none().with(OperationKind::Snapshot, Policy::After { ms: 20_000 });
    let (world, id) = running(&memory(), Simulation { profile, ..Simulation::default() });
    let request = serde_json::from_value(serde_json::json!({"type": "snapshot"})).unwrap();
    block_on(world.control.create_image(&world.caller, id, request)).unwrap();
    let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
    run.until_idle().unwrap();
    world.turn().unwrap();
    world.machine().guest_event(id, GuestEvent::PowersOff, world.now());
    world.turn().unwrap();
    assert!(world.db.read_blocking(|tx: &mut dyn wolke_store::Tx| Ok(!strand::all(tx)?.is_empty())).unwrap());
    drive(&world, &mut run).unwrap();
    world.turn().unwrap();
    assert_eq!(status(&world, id), Some(Status::Off));
}

/// Every action ends, also that of a host that nobody drives.
#[test]
fn a_host_that_is_away_ends_actions_and_takes_no_servers() {
    for engine in engines("a_host_that_is_away_ends_actions_and_takes_no_servers") {
        let (world, id) = running(&on(&engine), Simulation::default());
        world.kill_driver();
        let action = block_on(world.control.power_server(&world.caller, id, PowerVerb::Reset)).unwrap().action;
        let mut run = Drive::new(&world.db, &world.core, Disturbance::None);
        for _ in 0..40 {
            run.until_idle().unwrap();
            block_on(world.pass(60_000));
        }
        assert_eq!(action_status(&world.db, world.caller.project, action), ActionStatus::Error);
        check_at_rest(&world.db).unwrap();
        if !world.db.is_shared() {
            // There the clock of the database goes on by itself, and is not a test's to move.
            let refused = block_on(world.control.create_server(&world.caller, request("late"))).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::ResourceUnavailable);
            assert_eq!(refused.message(), "the host of location fsn1 is not running");
        }
        // Once it is back it does not do what was given up.
        world.start_driver();
        settle(&world);
        let commands = world.machine().commands();
        assert!(commands.is_empty() || status(&world, id) == Some(Status::Running), "{commands:?}");
        block_on(world.control.create_server(&world.caller, request("b"))).unwrap();
        settle(&world);
    }
}

/// A process that ends in good order says so: nothing is placed from then on.
#[test]
fn a_driver_says_goodbye() {
    let world = block_on(world(&memory(), Simulation::default()));
    world.driven.as_ref().unwrap().driver.lock().unwrap().as_ref().unwrap().part().unwrap();
    let refused = block_on(world.control.create_server(&world.caller, request("a"))).unwrap_err();
    assert_eq!(refused.message(), "the host of location fsn1 is not running");
    assert_eq!(host_objects(&world.db), 0);
    // Elsewhere servers are simulated, as ever.
    let body = serde_json::json!({"name": "a", "server_type": "cpx22", "image": "debian-12", "location": "nbg1"});
    block_on(world.control.create_server(&world.caller, serde_json::from_value(body).unwrap())).unwrap();
    settle(&world);
}

/// The host's room, what it runs and with what follow from what it says of itself.
#[test]
fn a_host_describes_itself() {
    use wolke_host::{HostImage, Runtime};
    let world = block_on(world(&memory(), Simulation::default()));
    let create = |body: serde_json::Value| {
        block_on(world.control.create_server(&world.caller, serde_json::from_value(body).unwrap()))
            .map(|made| made.server)
    };
    let of = |kind: &str, image: &str| serde_json::json!({"name": "a", "server_type": kind, "image": image, "location": "fsn1"});
    world.machine().describe(|facts| {
        facts.runtimes = vec![Runtime::Container];
        facts.choice.shared = Runtime::Container;
        facts.choice.dedicated = Runtime::Machine;
        facts.capacity.memory_mb = 100 * 1024;
        facts.cores_max = 8;
        let image = |name: &str, runtimes: &[Runtime]| HostImage {
            name: name.into(),
            runtimes: runtimes.into(),
            min_disk_gb: 5,
        };
        facts.images =
            Some(vec![image("debian-12", &[Runtime::Container]), image("ubuntu-24.04", &[Runtime::Machine])]);
    });
    block_on(world.pass(10_000));
    let refusal = |body| {
        let commits = world.db.commits();
        let refused = create(body).unwrap_err();
        assert_eq!(world.db.commits(), commits, "a refusal commits nothing");
        (refused.code(), refused.message())
    };
    let (code, message) = refusal(of("cpx22", "ubuntu-24.04"));
    assert_eq!(code, ErrorCode::UnsupportedError);
    assert_eq!(
        message,
        "image ubuntu-24.04 is not on the host of location fsn1 as one for a container: bring it there with \
         `wolke image add ubuntu-24.04 FILE`"
    );
    let (code, message) = refusal(of("ccx13", "debian-12"));
    assert_eq!(code, ErrorCode::ResourceUnavailable);
    assert!(message.ends_with("it would be a virtual machine, and the host can run none"), "{message}");
    world.machine().describe(|facts| facts.runtimes.push(Runtime::Machine));
    block_on(world.pass(10_000));
    let (code, message) = refusal(of("ccx13", "debian-12"));
    assert_eq!(code, ErrorCode::UnsupportedError);
    assert!(message.contains("a virtual machine") && message.contains("`wolke image build debian-12`"), "{message}");
    let (code, message) = refusal(of("ccx43", "ubuntu-24.04"));
    assert_eq!(code, ErrorCode::ResourceUnavailable);
    assert!(message.ends_with("it needs 16 cores, and 8 are the most that the host gives"), "{message}");
    let (code, message) = refusal(of("cax11", "debian-12"));
    assert_eq!((code, message.ends_with("it has another architecture")), (ErrorCode::ResourceUnavailable, true));
}

/// What cannot be had of a real server is named, and changes nothing.
#[test]
fn what_is_not_supported_is_refused() {
    use wolke_host::Runtime;
    let (world, id) = running(&memory(), Simulation::default());
    let present = spec_of(&world, id).runtime;
    assert_eq!(present, Some(Runtime::Simulated), "as its host has said, and kept");
    world.machine().describe(|facts| {
        facts.features.clear();
        facts.runtimes.push(Runtime::Machine);
        facts.choice.types.insert("cpx32".into(), Runtime::Machine);
    });
    block_on(world.pass(10_000));
    let body = serde_json::json!({"type": "ipv4", "home_location": "fsn1"});
    block_on(world.control.create_floating_ip(&world.caller, serde_json::from_value(body).unwrap())).unwrap();
    let floating = || serde_json::from_value(serde_json::json!({"type": "ipv4", "server": id})).unwrap();
    let assign = wolke_wire::cloud::floating_ip::AssignFloatingIp { server: Some(id) };
    let commits = world.db.commits();
    let rescue = serde_json::from_value(serde_json::json!({})).unwrap();
    let iso = serde_json::from_value(serde_json::json!({"iso": "FreeBSD-14.3-RELEASE-amd64-dvd1.iso"})).unwrap();
    let caller = &world.caller;
    let refused = [
        block_on(world.control.enable_server_rescue(caller, id, rescue)).map(|_| ()),
        block_on(world.control.attach_iso(caller, id, iso)).map(|_| ()),
        block_on(world.control.request_console(caller, id)).map(|_| ()),
        block_on(world.control.assign_floating_ip(caller, 1, assign)).map(|_| ()),
        block_on(world.control.create_floating_ip(caller, floating())).map(|_| ()),
    ];
    let assigning = "assigning a floating IP";
    let messages = ["the rescue system", "attaching an ISO", "the console", assigning, assigning];
    for (refused, what) in refused.into_iter().zip(messages) {
        let refused = refused.unwrap_err();
        let message = format!("{what} is not supported for servers in location fsn1, which are real");
        assert_eq!((refused.code(), refused.message()), (ErrorCode::UnsupportedError, message));
    }
    assert_eq!(world.db.commits(), commits);
    power(&world, id, PowerVerb::Stop);
    let change = serde_json::from_value(serde_json::json!({"server_type": "cpx32", "upgrade_disk": false})).unwrap();
    let refused = block_on(world.control.change_server_type(caller, id, change)).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::UnsupportedError);
    assert!(refused.message().starts_with("server type cpx32 is a virtual machine in location fsn1"), "{refused}");
    let clock = [
        block_on(world.control.advance_clock(1_000)).map(|_| ()),
        block_on(world.control.set_clock_mode(wolke_domain::clock::ClockMode::Manual, 1_000)).map(|_| ()),
    ];
    for refused in clock {
        assert!(refused.unwrap_err().message().starts_with("this world has a real host (box)"));
    }
}

/// Snapshots stay where their disks are, and leave nothing once they are deleted.
#[test]
fn snapshots_are_kept_by_their_host() {
    for engine in engines("snapshots_are_kept_by_their_host") {
        let (world, id) = running(&on(&engine), Simulation::default());
        let request = || serde_json::from_value(serde_json::json!({"type": "snapshot"})).unwrap();
        let image = |world: &World| {
            let json = block_on(world.control.create_image(&world.caller, id, request())).unwrap();
            settle(world);
            serde_json::from_slice::<serde_json::Value>(&json).unwrap()["image"]["id"].as_i64().unwrap()
        };
        let made = image(&world);
        let wished = |kind: &'static str| {
            let host = host_of(&world, id);
            let objects =
                world.db.read_blocking(move |tx: &mut dyn wolke_store::Tx| wolke_store::host::objects(tx, host));
            objects
                .unwrap()
                .into_iter()
                .filter(|object| object.kind == kind)
                .map(|object| object.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(wished("image"), [made]);
        let from = |location: &str| {
            let body =
                serde_json::json!({"name": location, "server_type": "cpx22", "image": made, "location": location});
            block_on(world.control.create_server(&world.caller, serde_json::from_value(body).unwrap()))
                .map(|made| made.server)
        };
        let copy = from("fsn1").unwrap();
        settle(&world);
        assert_eq!(status(&world, copy), Some(Status::Running));
        from("nbg1").unwrap();
        settle(&world);
        block_on(world.control.delete_image(&world.caller, made)).unwrap();
        settle(&world);
        world.turn().unwrap();
        assert!(wished("image").is_empty(), "the server that shows it keeps nothing there");
    }
}

/// The hash of the first boot's password stays sealed, reaches the host, and goes once the guest must have read it.
#[test]
fn the_hash_of_a_password_is_delivered_and_erased() {
    let (world, id) = running(&memory(), Simulation::default());
    let hash = |world: &World| spec_of(world, id).first_boot.root_password_hash;
    let sealed = hash(&world).expect("no keys were given");
    assert!(!sealed.0.contains("$6$"), "{}", sealed.0);
    block_on(world.pass(60_000));
    assert!(hash(&world).is_some(), "its first boot may not have read it yet");
    block_on(world.pass(11 * 60_000));
    assert_eq!(hash(&world), None);
    rename(&world, id, "b");
    settle(&world);
    assert_eq!((status(&world, id), hash(&world)), (Some(Status::Running), None));
    let rebuild = serde_json::from_value(serde_json::json!({"image": "debian-12"})).unwrap();
    block_on(world.control.rebuild_server(&world.caller, id, rebuild)).unwrap();
    settle(&world);
    assert!(hash(&world).is_some(), "a new disk has a new password");
}

#[test]
fn what_was_measured_shows() {
    let (world, id) = running(&memory(), Simulation::default());
    let metrics = |world: &World| {
        let (start, end) = (world.now().plus_ms(-10 * 60_000), world.now());
        let types = vec![wolke_wire::cloud::metrics::MetricType::Cpu];
        let request = wolke_control::server::ServerMetricsRequest { types, start, end, step: Some(60.0) };
        let json = block_on(world.control.server_metrics(&world.caller, id, request)).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        json["metrics"]["time_series"]["cpu"]["values"].as_array().unwrap().clone()
    };
    assert!(metrics(&world).is_empty(), "nothing was measured");
    let mut cpu_ms = 0;
    for minute in 0..70 {
        cpu_ms += 6_000;
        let key = ObjectKey::server(id);
        let (at, bytes_out) = (world.now(), minute * 1_000_000);
        let zero = Usage {
            key,
            at,
            run: 1,
            cpu_ms,
            disk_read_ops: 0,
            disk_write_ops: 0,
            disk_read_bytes: 0,
            disk_write_bytes: 0,
            bytes_in: 0,
            bytes_out,
            packets_in: 0,
            packets_out: 0,
        };
        world.machine().measure(zero);
        world.machine().measure(Usage { at: at.plus_ms(1), ..zero });
        block_on(world.pass(60_000));
    }
    let shown = metrics(&world);
    assert!(shown.len() >= 9, "{shown:?}");
    assert!(shown.iter().all(|sample| sample[1] == "10"), "a tenth of a processor: {shown:?}");
    let json = block_on(world.control.get(&world.caller, wolke_wire::Kind::Server, id)).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let sent = json["server"]["outgoing_traffic"].as_u64().unwrap();
    assert_eq!(
        sent, 69_000_000,
        "as of the last sample: what is measured is not rounded to hours, as what is simulated is"
    );
    assert_eq!(json["server"]["ingoing_traffic"], 0);
}

/// A host that has lost what it was told is told again.
#[test]
fn what_a_host_has_lost_is_noticed() -> Result<()> {
    let (world, id) = running(&memory(), Simulation::default());
    let before = world.machine().resyncs();
    for _ in 0..4 {
        block_on(world.pass(61_000));
    }
    ensure(world.machine().resyncs() == before, "what agrees is left alone")?;
    world.machine().lose(id);
    for _ in 0..3 {
        block_on(world.pass(61_000));
    }
    ensure(world.machine().resyncs() == before + 1, "the digest tells")?;
    settle(&world);
    ensure(world.machine().holds() == [ObjectKey::server(id)], "it is there again")
}

/// An address that a server has lost while it was off is not its own any more before it starts again.
#[test]
fn a_lost_address_is_told_at_once() {
    for engine in engines("a_lost_address_is_told_at_once") {
        let (world, id) = running(&on(&engine), Simulation::default());
        power(&world, id, PowerVerb::Stop);
        let before = spec_of(&world, id).definition.public.unwrap();
        let read = move |tx: &mut dyn wolke_store::Tx| wolke_store::primary_ip::of_server(tx, id);
        let addresses = world.db.read_blocking(read).unwrap();
        let ipv4 = addresses.iter().find(|address| address.value.family == 4).unwrap().value.id;
        block_on(world.control.unassign_primary_ip(&world.caller, ipv4)).unwrap();
        let after = spec_of(&world, id).definition.public.unwrap();
        assert_eq!((after.ipv4, after.ipv6, after.mac == before.mac), (None, before.ipv6, true));
        let assign = serde_json::from_value(serde_json::json!({"assignee_type": "server", "assignee_id": id})).unwrap();
        block_on(world.control.assign_primary_ip(&world.caller, ipv4, assign)).unwrap();
        power(&world, id, PowerVerb::Start);
        assert_eq!(spec_of(&world, id).definition.public, Some(before));
        assert_eq!(status(&world, id), Some(Status::Running));
    }
}
