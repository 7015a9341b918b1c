//! Snapshots and backups: their life, and what servers go on showing of them.

use crate::common::Engine;
use crate::sample;
use wolke_domain::Error;
use wolke_domain::image::{Image, Status, Type};
use wolke_domain::server::{Server, Status as ServerStatus};
use wolke_store::list::{self, ListQuery};
use wolke_store::value::Value;
use wolke_store::{Stored, image, invariant, label, resource, server};
use wolke_wire::selector::Selector;
use wolke_wire::{Id, Kind};

crate::on_both_engines!(World: a_life, deleted_ones_are_shown_as_long_as_a_server_shows_them, backups_of_a_server, lists, broken_worlds_are_noticed);

fn snapshot(engine: &Engine) -> (Server, Image) {
    engine.write(|tx| {
        let project = sample::project(tx)?;
        let mut server = sample::server(tx, project, "web-1", &[])?;
        server.status = ServerStatus::Off;
        server::insert(tx, &server)?;
        let new = sample::image(tx, project, Type::Snapshot, server.id)?;
        assert_eq!(image::insert(tx, &new)?, 1);
        Ok((server, new))
    })
}

fn get(engine: &Engine, of: &Image) -> Option<Stored<Image>> {
    let (project, id) = (of.project, of.id);
    engine.read(move |tx| image::get(tx, project, id))
}

fn delete(engine: &Engine, of: &Image) {
    let (project, id) = (of.project, of.id);
    engine.write(move |tx| {
        let old = image::expect(tx, project, id)?;
        image::delete(tx, &old)
    });
}

fn a_life(engine: &Engine) {
    let (_, made) = snapshot(engine);
    let (project, id) = (made.project, made.id);
    let stored = get(engine, &made).unwrap();
    assert_eq!((stored.rev, stored.generation, &stored.value), (1, 1, &made));
    assert_eq!(engine.read(move |tx| image::get(tx, project + 1, id)), None, "another project's does not exist");
    assert_eq!(engine.read(move |tx| image::shown(tx, project + 1, id)), None);
    assert_eq!(engine.read(move |tx| label::count_pair(tx, Kind::Image, project, "a", "b")), 1);

    let mut changed = made.clone();
    changed.status = Status::Creating;
    changed.details.description = "b".into();
    changed.details.labels.clear();
    let (stale, new) = (stored.clone(), changed.clone());
    engine.write(move |tx| image::update(tx, &stored, &new));
    let now = get(engine, &made).unwrap();
    assert_eq!((now.rev, &now.value), (2, &changed));
    assert_eq!(engine.read(move |tx| label::count_key(tx, Kind::Image, project, "a")), 0);
    let lost = engine.try_write(move |tx| image::update(tx, &stale, &changed));
    assert!(matches!(lost, Err(Error::Internal { .. })), "{lost:?}");

    engine.write(move |tx| resource::touch(tx, Kind::Image, id));
    assert_eq!(engine.read(move |tx| image::rev(tx, project, id)), Some(3));
    assert!(engine.read(move |tx| resource::exists(tx, Kind::Image, id)));
    assert!(engine.read(|tx| resource::exists(tx, Kind::Image, 1)), "the catalogue's always exist");
    delete(engine, &made);
    assert_eq!(get(engine, &made), None);
    assert!(!engine.read(move |tx| resource::exists(tx, Kind::Image, id)));
    assert_eq!(engine.read(move |tx| image::shown(tx, project, id)), None, "no server shows it");
    assert_eq!(engine.read(move |tx| resource::count(tx, Kind::Image, project)), 0);
}

fn deleted_ones_are_shown_as_long_as_a_server_shows_them(engine: &Engine) {
    let (_, made) = snapshot(engine);
    let (project, id) = (made.project, made.id);
    let servers = engine.write(move |tx| {
        let mut servers = Vec::new();
        for name in ["a", "b"] {
            let mut new = sample::server(tx, project, name, &[])?;
            (new.details.image, new.status) = (Some(id), ServerStatus::Running);
            server::insert(tx, &new)?;
            servers.push(new);
        }
        Ok(servers)
    });
    assert!(!engine.read(move |tx| image::is_in_use(tx, id)));
    let a = servers[0].id;
    engine.write(move |tx| server::set_status(tx, a, ServerStatus::Initializing, None));
    assert!(engine.read(move |tx| image::is_in_use(tx, id)), "it is being made from it");
    engine.write(move |tx| server::set_status(tx, a, ServerStatus::Rebuilding, None));
    assert!(!engine.read(move |tx| image::is_in_use(tx, id)), "it is what is thrown away");
    engine.write(move |tx| server::set_building(tx, a, Some(id)));
    assert!(engine.read(move |tx| image::is_in_use(tx, id)), "it is what the new disk is made of");
    engine.write(move |tx| server::set_building(tx, a, None));
    assert!(!engine.read(move |tx| image::is_in_use(tx, id)));
    engine.write(move |tx| server::set_status(tx, a, ServerStatus::Off, None));

    delete(engine, &made);
    assert_eq!(get(engine, &made), None);
    let shown = engine.read(move |tx| image::shown(tx, project, id)).unwrap();
    assert_eq!(shown.0, made);
    assert!(shown.1.is_some(), "it has a time of deletion");
    assert_eq!(engine.read(move |tx| image::shown_rev(tx, project, id)), Some(2));
    engine.read(invariant::check);

    // One is made anew from another image, the other goes.
    engine.write(move |tx| {
        let old = server::expect(tx, project, a)?;
        let mut new = old.value.clone();
        new.details.image = Some(1);
        server::update(tx, &old, &new)
    });
    assert!(engine.read(move |tx| image::shown(tx, project, id)).is_some());
    let last = servers[1].clone();
    engine.write(move |tx| server::delete(tx, &last));
    assert_eq!(engine.read(move |tx| image::shown(tx, project, id)), None);
    assert_eq!(engine.read(move |tx| image::shown_rev(tx, project, id)), None);
    engine.read(invariant::check);
}

fn backups_of_a_server(engine: &Engine) {
    let (server, made) = snapshot(engine);
    let (project, server) = (made.project, server.id);
    let ids = engine.write(move |tx| {
        let mut ids = Vec::new();
        for _ in 0..3 {
            let new = sample::image(tx, project, Type::Backup, server)?;
            image::insert(tx, &new)?;
            ids.push(new.id);
        }
        Ok(ids)
    });
    let of = move |engine: &Engine| -> Vec<Id> {
        engine.read(move |tx| image::backups(tx, server)).iter().map(|b| b.value.id).collect()
    };
    assert_eq!(of(engine), ids);
    let second = ids[1];
    engine.write(move |tx| {
        let old = image::expect(tx, project, second)?;
        let mut new = old.value.clone();
        new.convert();
        image::update(tx, &old, &new)
    });
    assert_eq!(of(engine), [ids[0], ids[2]]);
    engine.read(invariant::check);
}

fn lists(engine: &Engine) {
    let (server, made) = snapshot(engine);
    let (project, server) = (made.project, server.id);
    let backup = engine.write(move |tx| {
        let new = sample::image(tx, project, Type::Backup, server)?;
        image::insert(tx, &new)?;
        Ok(new.id)
    });
    let page = |filters: &[(&'static str, Value)], selector: &str| {
        let query = ListQuery {
            kind: Kind::Image,
            project,
            filters: filters.iter().map(|(column, value)| (*column, vec![value.clone()])).collect(),
            of: None,
            selector: Selector::parse(selector).unwrap(),
            sort: Vec::new(),
            offset: 0,
            limit: 25,
        };
        let found = engine.read(move |tx| list::page(tx, &query));
        assert_eq!(found.total as usize, found.entries.len());
        found.entries.iter().map(|(id, _)| *id).collect::<Vec<Id>>()
    };
    assert_eq!(page(&[], ""), [made.id, backup]);
    assert_eq!(page(&[("type", "snapshot".into())], ""), [made.id]);
    assert_eq!(page(&[("bound_to", server.into())], ""), [backup]);
    assert!(page(&[("type", "snapshot".into()), ("bound_to", server.into())], "").is_empty());
    assert!(page(&[("status", "creating".into())], "").is_empty());
    assert_eq!(page(&[("architecture", "x86".into())], "a=b"), [made.id, backup]);
    assert!(page(&[], "a!=b").is_empty());
    let ids = [made.id, backup];
    let mut created = engine.read(move |tx| list::created(tx, Kind::Image, project, &ids));
    created.sort();
    assert_eq!(created.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids);
    assert_eq!(created[0].1, made.created);
}

fn broken_worlds_are_noticed(engine: &Engine) {
    let (_, made) = snapshot(engine);
    let (project, id) = (made.project, made.id);
    let broken = |change: fn(&mut Image)| {
        let outcome = engine.try_write(move |tx| {
            let old = image::expect(tx, project, id)?;
            let mut new = old.value.clone();
            change(&mut new);
            image::update(tx, &old, &new)?;
            invariant::check(tx)
        });
        outcome.unwrap_err().to_string()
    };
    assert!(broken(|image| image.status = Status::Creating).contains("CREATING_WITHOUT_WORK"));
    assert!(broken(|image| image.kind = Type::Backup).contains("BACKUP_OF_NOBODY"));
    assert!(broken(|image| image.bound_to = Some(1)).contains("BACKUP_OF_NOBODY"));
    let outcome = engine.try_write(move |tx| {
        let mut new = sample::server(tx, project, "x", &[])?;
        (new.details.image, new.status) = (Some(id + 1), ServerStatus::Off);
        server::insert(tx, &new)?;
        invariant::check(tx)
    });
    assert!(outcome.unwrap_err().to_string().contains("SHOWS_NO_IMAGE"));
}
