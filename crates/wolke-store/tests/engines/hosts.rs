//! Hosts: room, desired objects by generation, observations and commands.

use crate::common::Engine;
use wolke_domain::placement::Need;
use wolke_store::host::{self, Object};
use wolke_wire::Id;

crate::on_both_engines!(World: room, desired_and_observed, commands);

const ROOM: Need = Need { cores: 8, memory_mb: 16_384, disk_gb: 100 };

fn add(engine: &Engine) -> Id {
    engine.write(|tx| host::insert(tx, 1, "sim", &ROOM))
}

fn room(engine: &Engine) {
    let (first, second) = (add(engine), add(engine));
    let need = Need { cores: 2, memory_mb: 4_096, disk_gb: 40 };
    let fitting = || -> Vec<Id> {
        engine.read(move |tx| host::candidates(tx, 1, "sim", &need)).iter().map(|room| room.host).collect()
    };
    assert_eq!(fitting(), [first, second]);
    assert_eq!(engine.write(move |tx| host::take(tx, second, &need)), 1);
    assert_eq!(fitting(), [second, first], "the fullest first");
    assert_eq!(engine.write(move |tx| host::take(tx, second, &need)), 2);
    assert_eq!(fitting(), [first], "the disk is full");
    assert_eq!(engine.write(move |tx| host::take(tx, second, &need.returned())), 3);
    assert_eq!(fitting(), [second, first]);
    assert!(engine.read(move |tx| host::candidates(tx, 2, "sim", &need)).is_empty());
    assert_eq!(engine.read(|tx| host::count_in(tx, 1, "sim")), 2);
    assert_eq!(engine.read(|tx| host::count_in(tx, 1, "linux")), 0);
    assert!(engine.try_write(move |tx| host::take(tx, 99, &need)).is_err());
    assert_eq!(engine.read(host::list).len(), 2);
}

fn desired_and_observed(engine: &Engine) {
    let id = add(engine);
    let desire = |object: Id, tombstone: bool| {
        engine.write(move |tx| {
            let generation = host::take(tx, id, &Need::none())?;
            let wish =
                Object { generation, tombstone, spec: "{}".into(), observed_generation: 0, observed: None, sim: None };
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
    let id = add(engine);
    engine.write(move |tx| {
        host::command_issue(tx, 5, id, "server", 1, "reset")?;
        host::command_issue(tx, 5, id, "server", 1, "another")
    });
    assert_eq!(engine.read(|tx| host::command(tx, 5)), Some(("reset".into(), None)));
    engine.write(|tx| {
        host::command_end(tx, 5, "done")?;
        host::command_end(tx, 5, "again")
    });
    assert_eq!(engine.read(|tx| host::command(tx, 5)), Some(("reset".into(), Some("done".into()))));
    engine.write(|tx| host::command_delete(tx, 5));
    assert_eq!(engine.read(|tx| host::command(tx, 5)), None);
}
