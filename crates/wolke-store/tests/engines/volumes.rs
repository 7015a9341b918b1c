//! Volumes, and the room that locations have for them.

use crate::common::Engine;
use crate::sample;
use wolke_domain::Error;
use wolke_store::volume_space::{self, Space};
use wolke_store::{invariant, label, project, resource, server, volume};
use wolke_wire::Kind;

crate::on_both_engines!(World: volumes, attached_volumes, broken_attachments_are_found, space);

fn volumes(engine: &Engine) {
    let project = engine.write(sample::project);
    let made = engine.write(move |tx| {
        let new = sample::volume(tx, project, "data", None)?;
        assert_eq!(volume::insert(tx, &new)?, 1);
        Ok(new)
    });
    let id = made.id;
    let stored = engine.read(move |tx| volume::expect(tx, project, id));
    assert_eq!((stored.rev, stored.generation, &stored.value), (1, 1, &made));
    assert_eq!(engine.read(move |tx| volume::get(tx, project + 1, id)), None, "another project's does not exist");
    let taken = engine.try_write(move |tx| {
        let other = sample::volume(tx, project, "data", None)?;
        volume::insert(tx, &other)
    });
    assert_eq!(taken, Err(Error::name_used()));
    // Another project may use the name.
    engine.write(|tx| {
        let stranger = project::insert(tx, "stranger")?.id;
        let other = sample::volume(tx, stranger, "data", None)?;
        volume::insert(tx, &other)
    });
    let renamed = engine.try_write(move |tx| {
        let other = sample::volume(tx, project, "other", None)?;
        volume::insert(tx, &other)?;
        let old = volume::expect(tx, project, other.id)?;
        volume::update(tx, &old, &volume::Volume { name: "data".into(), ..other })
    });
    assert_eq!(renamed, Err(Error::name_used()));
    let mut changed = made.clone();
    changed.name = "renamed".into();
    (changed.details.size_gb, changed.details.delete_protected) = (20, true);
    changed.details.labels = sample::labels(&[("c", "d")]);
    let (old, new) = (stored.clone(), changed.clone());
    engine.write(move |tx| volume::update(tx, &old, &new));
    let now = engine.read(move |tx| volume::expect(tx, project, id));
    assert_eq!((now.rev, now.generation, &now.value), (2, 2, &changed));
    let count = move |key, value| engine.read(move |tx| label::count_pair(tx, Kind::Volume, project, key, value));
    assert_eq!((count("a", "b"), count("c", "d")), (0, 1));
    let stale = engine.try_write(move |tx| volume::update(tx, &stored, &made));
    assert!(matches!(stale, Err(Error::Internal { .. })), "{stale:?}");
    engine.write(move |tx| resource::touch(tx, Kind::Volume, id));
    let now = engine.read(move |tx| volume::expect(tx, project, id));
    assert_eq!((now.rev, now.generation), (3, 2));
    assert!(engine.read(move |tx| resource::exists(tx, Kind::Volume, id)));
    engine.read(invariant::check);
    engine.write(move |tx| volume::delete(tx, &now.value));
    assert!(!engine.read(move |tx| resource::exists(tx, Kind::Volume, id)));
    assert_eq!((count("c", "d"), engine.read(move |tx| resource::count(tx, Kind::Volume, project))), (0, 0));
    engine.read(invariant::check);
}

fn attached_volumes(engine: &Engine) {
    let project = engine.write(sample::project);
    let (web, attached) = engine.write(move |tx| {
        let mut web = sample::server(tx, project, "web", &[])?;
        web.status = wolke_domain::server::Status::Off;
        server::insert(tx, &web)?;
        let mut attached = Vec::new();
        for (name, on) in [("b", Some(web.id)), ("free", None), ("a", Some(web.id))] {
            let new = sample::volume(tx, project, name, on)?;
            volume::insert(tx, &new)?;
            attached.extend(on.map(|_| new.id));
        }
        Ok((web.id, attached))
    });
    assert_eq!(engine.read(move |tx| volume::ids_of_server(tx, web)), attached, "in the order of their ids");
    let all = engine.read(move |tx| volume::of_server(tx, web));
    assert_eq!(all.iter().map(|stored| stored.value.id).collect::<Vec<_>>(), attached);
    assert!(all.iter().all(|stored| stored.value.details.attachment.is_some()));
    engine.read(invariant::check);
    let first = all[0].clone();
    engine.write(move |tx| {
        let mut new = first.value.clone();
        (new.server, new.details.attachment) = (None, None);
        volume::update(tx, &first, &new)
    });
    assert_eq!(engine.read(move |tx| volume::ids_of_server(tx, web)), attached[1..]);
    assert!(engine.read(|tx| volume::ids_of_server(tx, 999)).is_empty());
}

fn broken_attachments_are_found(engine: &Engine) {
    let project = engine.write(sample::project);
    engine.write(move |tx| {
        let new = sample::volume(tx, project, "lost", Some(999))?;
        volume::insert(tx, &new)
    });
    let Err(Error::Internal { internal }) = engine.db.read_blocking(invariant::check) else { panic!("not found") };
    assert!(internal.contains("ATTACHED_TO_NOTHING"), "{internal}");
}

fn space(engine: &Engine) {
    let take = |location, gb| engine.write(move |tx| volume_space::take(tx, location, gb));
    let left = || engine.read(volume_space::all);
    assert!(take(1, 1_000_000), "there is no end of it");
    assert_eq!(left(), []);
    engine.write(|tx| volume_space::set(tx, 2, Some(50)));
    engine.write(|tx| volume_space::set(tx, 1, Some(5)));
    engine.write(|tx| volume_space::set(tx, 1, Some(30)));
    assert_eq!(left(), [Space { location: 1, remaining_gb: 30 }, Space { location: 2, remaining_gb: 50 }]);
    assert!(take(1, 20));
    assert!(!take(1, 11), "that is more than is left");
    assert!(take(1, 10));
    assert!(!take(1, 1));
    engine.write(|tx| volume_space::give(tx, 1, 15));
    engine.write(|tx| volume_space::give(tx, 3, 15));
    assert_eq!(left(), [Space { location: 1, remaining_gb: 15 }, Space { location: 2, remaining_gb: 50 }]);
    engine.read(invariant::check);
    engine.write(|tx| volume_space::set(tx, 1, None));
    assert!(take(1, 1_000_000));
}
