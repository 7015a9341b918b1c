//! Hosts: room, desired objects by generation, observations and commands.

use crate::common::Engine;
use wolke_domain::placement::Need;
use wolke_store::driven::{self, Description};
use wolke_store::host::{self, HostKind, Object};
use wolke_wire::Id;

crate::on_both_engines!(World: room, desired_and_observed, commands, real_hosts, reports, usage);

const BOX: Description<'_> = Description { identity: "5eed", name: "box", facts: "{}" };
const ROOM: Need = Need { cores: 8, memory_mb: 16_384, disk_gb: 100 };

fn add(engine: &Engine) -> Id {
    engine.write(|tx| host::insert(tx, 1, HostKind::Simulated, &ROOM))
}

fn room(engine: &Engine) {
    let (first, second) = (add(engine), add(engine));
    let need = Need { cores: 2, memory_mb: 4_096, disk_gb: 40 };
    let fitting = || -> Vec<Id> {
        engine.read(move |tx| host::candidates(tx, 1, &need)).simulated.iter().map(|room| room.host).collect()
    };
    assert_eq!(fitting(), [first, second]);
    assert_eq!(engine.write(move |tx| host::take(tx, second, &need)), 1);
    assert_eq!(fitting(), [second, first], "the fullest first");
    assert_eq!(engine.write(move |tx| host::take(tx, second, &need)), 2);
    assert_eq!(fitting(), [first], "the disk is full");
    assert_eq!(engine.write(move |tx| host::take(tx, second, &need.returned())), 3);
    assert_eq!(fitting(), [second, first]);
    assert_eq!(engine.read(move |tx| host::candidates(tx, 2, &need)), host::Candidates::default());
    assert_eq!(engine.read(|tx| host::count_in(tx, 1, HostKind::Simulated)), 2);
    assert_eq!(engine.read(|tx| host::count_in(tx, 1, HostKind::Linux)), 0);
    assert!(engine.try_write(move |tx| host::take(tx, 99, &need)).is_err());
    assert_eq!(engine.read(host::list).len(), 2);
}

fn desired_and_observed(engine: &Engine) {
    let id = add(engine);
    let desire = |object: Id, tombstone: bool| {
        engine.write(move |tx| {
            let generation = host::take(tx, id, &Need::none())?;
            let wish = Object { generation, tombstone, spec: "{}".into(), ..Object::new(HostKind::Simulated) };
            host::desire(tx, id, "server", object, &wish).map(|()| generation)
        })
    };
    for object in 1..=3 {
        assert_eq!(desire(object, false), object);
    }
    assert_eq!(engine.read(move |tx| host::changed(tx, id, 1)).iter().map(|c| c.id).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(desire(2, true), 4);
    let changes = engine.read(move |tx| host::changed(tx, id, 3));
    assert_eq!(changes.iter().map(|c| (c.id, c.tombstone)).collect::<Vec<_>>(), [(2, true)]);
    engine.write(move |tx| {
        host::observe(tx, id, "server", 2, 4, "\"gone\"", Some("memory"))?;
        host::observe(tx, id, "server", 77, 4, "\"gone\"", None)
    });
    let object = engine.read(move |tx| host::object(tx, id, "server", 2)).unwrap();
    assert_eq!((object.observed_generation, object.observed.as_deref()), (4, Some("\"gone\"")));
    assert_eq!(object.sim.as_deref(), Some("memory"));
    engine.write(move |tx| {
        host::forget(tx, id, "server", 2)?;
        host::forget(tx, id, "server", 3)
    });
    let left: Vec<Id> = engine.read(move |tx| host::objects(tx, id)).iter().map(|c| c.id).collect();
    assert_eq!(left, [1, 3], "only what should be gone is forgotten");
    assert_eq!(engine.read(host::count_objects), 2);
}

fn commands(engine: &Engine) {
    let (id, other) = (add(engine), add(engine));
    engine.write(move |tx| {
        driven::command_issue(tx, (id, 5), ("server", 1), "reset")?;
        driven::command_issue(tx, (id, 5), ("server", 1), "another")?;
        driven::command_issue(tx, (id, 6), ("server", 2), "reboot")?;
        driven::command_issue(tx, (other, 5), ("server", 3), "elsewhere")
    });
    assert_eq!(engine.read(move |tx| driven::command(tx, id, 5)), Some(("reset".into(), None)));
    assert_eq!(engine.read(move |tx| driven::command(tx, other, 5)), Some(("elsewhere".into(), None)));
    let pending = |after| engine.read(move |tx| driven::commands_pending(tx, id, after));
    assert_eq!(pending(0), [(5, "reset".into()), (6, "reboot".into())]);
    let ends = engine.write(move |tx| {
        let first = driven::command_end(tx, id, 5, "done")?;
        Ok((first, driven::command_end(tx, id, 5, "again")?))
    });
    assert_eq!(ends, (Some(("server".into(), 1)), None), "an outcome is told once");
    assert_eq!(engine.read(move |tx| driven::command(tx, id, 5)), Some((String::new(), Some("done".into()))));
    assert_eq!((pending(0).len(), pending(6).len()), (1, 0));
    assert_eq!(engine.write(move |tx| driven::commands_sweep(tx, id)), 2, "no strand asks for them");
    assert_eq!(engine.read(move |tx| driven::command(tx, id, 6)), None);
    assert!(engine.read(move |tx| driven::command(tx, other, 5)).is_some());
}

fn real_hosts(engine: &Engine) {
    let need = Need { cores: 2, memory_mb: 4_096, disk_gb: 40 };
    let simulated = add(engine);
    let id = engine.write(|tx| driven::insert(tx, 1, BOX, &ROOM));
    let found = engine.read(move |tx| host::candidates(tx, 1, &need));
    let ids = |rooms: &[wolke_domain::placement::Room]| rooms.iter().map(|room| room.host).collect::<Vec<_>>();
    assert_eq!((ids(&found.real), ids(&found.simulated)), (vec![id], vec![simulated]));
    assert_eq!(engine.write(move |tx| host::take_on(tx, id, &need)), (1, HostKind::Linux));
    let grown = Need { cores: 1, memory_mb: 0, disk_gb: -10 };
    engine
        .write(move |tx| driven::describe(tx, id, Description { name: "crate", facts: "{\"more\":1}", ..BOX }, &grown));
    assert_eq!(engine.read(|tx| driven::by_name(tx, 1, "box")), None, "it has another name now");
    let known = engine.read(|tx| driven::by_name(tx, 1, "crate")).unwrap();
    assert_eq!(engine.read(|tx| driven::by_identity(tx, BOX.identity)).as_ref(), Some(&known));
    assert_eq!(engine.read(|tx| driven::by_identity(tx, "00")), None);
    let twin = Description { name: "twin", ..BOX };
    assert!(engine.try_write(move |tx| driven::insert(tx, 2, twin, &ROOM)).is_err(), "a host is in one place");
    assert_eq!((known.id, known.facts.as_str(), known.generation), (id, "{\"more\":1}", 1));
    assert_eq!(engine.read(|tx| driven::all(tx)), std::slice::from_ref(&known));
    let (kind, room) = engine.read(move |tx| host::room(tx, id));
    assert_eq!((kind, room), (HostKind::Linux, Need { cores: 7, memory_mb: 12_288, disk_gb: 50 }));
    assert_eq!(engine.read(|tx| driven::by_name(tx, 2, "crate")), None);
    engine.write(move |tx| driven::part(tx, id));
    assert_eq!(engine.read(move |tx| driven::seen(tx, id)).0, 0);
    engine.write(move |tx| driven::beat(tx, id));
    assert!(engine.read(move |tx| driven::seen(tx, id)).0 > 0);
}

fn reports(engine: &Engine) {
    let id = engine.write(|tx| driven::insert(tx, 1, BOX, &ROOM));
    engine.write(move |tx| {
        let generation = host::take(tx, id, &Need::none())?;
        let wish = Object { generation, spec: "{\"a\":1}".into(), ..Object::new(HostKind::Linux) };
        host::desire(tx, id, "server", 7, &wish)
    });
    let key = (id, "server", 7);
    let wished = engine.write(move |tx| driven::report(tx, key, 1, "\"off\"")).unwrap();
    assert_eq!((wished.generation, wished.tombstone, wished.spec.as_str()), (1, false, "{\"a\":1}"));
    assert_eq!(engine.write(move |tx| driven::report(tx, (id, "server", 8), 1, "\"off\"")), None);
    engine.write(move |tx| driven::rewrite(tx, key, 1, "{}"));
    engine.write(move |tx| driven::rewrite(tx, key, 2, "{\"no\":1}"));
    let object = engine.read(move |tx| host::object(tx, id, "server", 7)).unwrap();
    assert_eq!((object.spec.as_str(), object.observed.as_deref()), ("{}", Some("\"off\"")));
    assert!(object.on.is_real());
    assert!(engine.read(move |tx| driven::tombstones(tx, id)).is_empty());
    let present = |kind: &'static str| engine.read(move |tx| driven::present(tx, id, kind));
    assert_eq!((present("server"), present("image")), (1, 0));
    engine.write(move |tx| {
        let generation = host::take(tx, id, &Need::none())?;
        host::desire(tx, id, "server", 7, &Object { generation, tombstone: true, ..Object::new(HostKind::Linux) })
    });
    assert_eq!(engine.read(move |tx| driven::tombstones(tx, id)).len(), 1);
    assert_eq!(present("server"), 0, "what is to be gone is not counted");
}

fn usage(engine: &Engine) {
    use wolke_domain::metrics::{Counters, Measured, Traffic};
    use wolke_store::usage::{self, KEPT_MS};
    use wolke_wire::Timestamp;
    let now = engine.read(|tx| Ok(tx.now()));
    let sample = |at: Timestamp, run, bytes_out| Measured {
        at,
        run,
        counters: Counters { bytes_out, bytes_in: 1, ..Counters::default() },
    };
    let (old, older) = (now.plus_ms(-KEPT_MS - 1000), now.plus_ms(-KEPT_MS - 2000));
    let samples = [sample(older, 1, 100), sample(old, 1, 150), sample(now.plus_ms(-60_000), 2, 30), sample(now, 2, 70)];
    engine.write(move |tx| samples.iter().try_for_each(|sample| usage::note(tx, 7, sample)));
    engine.write(move |tx| usage::note(tx, 7, &sample(now, 2, 9_000)));
    let traffic = |from, to| engine.read(move |tx| usage::traffic(tx, 7, (from, to)));
    assert_eq!(traffic(Timestamp(0), now), Traffic { ingoing: 2, outgoing: 220 });
    assert_eq!(traffic(old, now), Traffic { ingoing: 1, outgoing: 70 });
    assert_eq!(engine.read(move |tx| usage::samples(tx, 7, (old.plus_ms(1), now))), samples[1..]);
    assert_eq!(engine.write(|tx| usage::prune(tx)), 1, "the newest old one is what the next period counts from");
    assert_eq!(traffic(old.plus_ms(1), now), Traffic { ingoing: 1, outgoing: 70 });
    engine.write(|tx| usage::forget(tx, 7));
    assert_eq!(traffic(Timestamp(0), now), Traffic::default());
}
