//! Firewalls, their selectors, and the servers behind them.

use crate::common::Engine;
use crate::sample;
use wolke_domain::Error;
use wolke_domain::primary_ip::Assignee;
use wolke_domain::server::Status;
use wolke_store::firewall::{self, Added, Removed};
use wolke_store::{Tx, invariant, primary_ip, resource, selection, server};
use wolke_wire::{Id, Kind};

crate::on_both_engines!(World: firewalls, edges, public_interfaces_alone, too_many, broken_edges_are_found);

fn firewalls(engine: &Engine) {
    let project = engine.write(sample::project);
    let made = engine.write(move |tx| {
        let new = sample::firewall(tx, project, "web")?;
        assert_eq!(firewall::insert(tx, &new)?, 1);
        Ok(new)
    });
    let id = made.id;
    let stored = engine.read(move |tx| firewall::expect(tx, project, id));
    assert_eq!((stored.rev, stored.generation, &stored.value), (1, 1, &made));
    assert_eq!(engine.read(move |tx| firewall::get(tx, project + 1, id)), None, "another project's does not exist");
    let taken = engine.try_write(move |tx| {
        let other = sample::firewall(tx, project, "web")?;
        firewall::insert(tx, &other)
    });
    assert_eq!(taken, Err(Error::name_used()));
    let mut changed = made.clone();
    changed.name = "mail".into();
    changed.details.rules.clear();
    let (old, new) = (stored.clone(), changed.clone());
    engine.write(move |tx| firewall::update(tx, &old, &new));
    let now = engine.read(move |tx| firewall::expect(tx, project, id));
    assert_eq!((now.rev, now.generation, &now.value), (2, 2, &changed));
    let stale = engine.try_write(move |tx| firewall::update(tx, &stored, &made));
    assert!(matches!(stale, Err(Error::Internal { .. })), "{stale:?}");
    engine.write(move |tx| resource::touch(tx, Kind::Firewall, id));
    assert_eq!(engine.read(move |tx| firewall::expect(tx, project, id)).rev, 3);
    assert!(engine.read(move |tx| resource::exists(tx, Kind::Firewall, id)));
    engine.read(invariant::check);
    engine.write(move |tx| firewall::delete(tx, &now.value));
    assert!(!engine.read(move |tx| resource::exists(tx, Kind::Firewall, id)));
    engine.read(invariant::check);
}

/// A project with a firewall and two servers with labels.
fn scene(tx: &mut dyn Tx) -> wolke_domain::Result<(Id, Id, [Id; 2])> {
    let project = sample::project(tx)?;
    let new = sample::firewall(tx, project, "web")?;
    firewall::insert(tx, &new)?;
    let mut made = [0; 2];
    for (position, name) in ["a", "b"].into_iter().enumerate() {
        let mut server = sample::server(tx, project, name, &[("env", "prod"), ("tier", name)])?;
        server.status = Status::Off;
        server::insert(tx, &server)?;
        made[position] = server.id;
    }
    Ok((project, new.id, made))
}

/// Gives a server a public address.
fn publish(tx: &mut dyn Tx, project: Id, server: Id) -> wolke_domain::Result<primary_ip::PrimaryIp> {
    let on = Some(Assignee::Server(server));
    let new = sample::primary_ip(tx, project, &format!("ip-{server}"), &format!("192.0.2.{server}"), on)?;
    primary_ip::insert(tx, &new)?;
    Ok(new)
}

fn edges(engine: &Engine) {
    let (project, id, [a, b]) = engine.write(scene);
    engine.write(move |tx| {
        publish(tx, project, a)?;
        publish(tx, project, b)?;
        Ok(())
    });
    let rev = |server: Id| engine.read(move |tx| server::rev(tx, project, server)).unwrap();
    let before = (rev(a), rev(b));
    engine.write(move |tx| {
        assert!(!firewall::is_applied(tx, id)?);
        let added = |matched: i64, reached: Vec<Id>| Some(Added { matched, reached });
        let one = firewall::add_selector(tx, (project, id), "env=prod", 1)?;
        assert_eq!(one, added(2, vec![a]), "the first of them");
        assert_eq!(firewall::add_selector(tx, (project, id), "env=prod", 9)?, None, "it is there");
        assert_eq!(firewall::add_selector(tx, (project, id), "tier=b", 9)?, added(1, vec![b]));
        assert_eq!(selection::matched(tx, (Kind::Firewall, id)), Ok(3), "one of them by two selectors");
        assert!(firewall::add_server(tx, id, b)?);
        assert!(!firewall::add_server(tx, id, b)?, "it is there");
        Ok(())
    });
    assert_eq!((rev(a), rev(b)), (before.0 + 1, before.1 + 2), "once for each selector");
    let applied = engine.read(move |tx| firewall::applied(tx, id, 9));
    assert_eq!(applied.servers, [b]);
    let selectors: Vec<_> = applied.selectors.into_iter().map(|one| (one.selector, one.servers)).collect();
    assert_eq!(selectors, [("env=prod".to_owned(), vec![a, b]), ("tier=b".to_owned(), vec![b])]);
    assert_eq!(engine.read(move |tx| firewall::of_server(tx, b)), [id], "once, though it came in three ways");
    assert!(engine.read(move |tx| firewall::is_applied(tx, id)));
    engine.write(move |tx| {
        let all = vec![a, b];
        assert_eq!(firewall::remove_selector(tx, id, "env=prod")?, Some(Removed { matched: all, left: vec![a] }));
        assert_eq!(firewall::remove_selector(tx, id, "env=prod")?, None);
        assert!(!firewall::remove_server(tx, id, a)?);
        assert!(firewall::remove_server(tx, id, b)?);
        assert_eq!(firewall::of_server(tx, b)?, [id], "still selected");
        assert!(selection::selects(tx, (Kind::Firewall, id), b)? && !selection::selects(tx, (Kind::Firewall, id), a)?);
        assert_eq!(firewall::remove_selector(tx, id, "tier=b")?, Some(Removed { matched: vec![b], left: vec![b] }));
        assert!(firewall::add_server(tx, id, b)?);
        firewall::forget_server(tx, b)
    });
    assert_eq!(engine.read(move |tx| firewall::of_server(tx, b)), [] as [Id; 0]);
    assert!(!engine.read(move |tx| firewall::is_applied(tx, id)));
}

/// A firewall that selects a server guards it as long as it has a public interface, and is touched when that changes.
fn public_interfaces_alone(engine: &Engine) {
    let (project, id, [a, _]) = engine.write(scene);
    engine.write(move |tx| firewall::add_selector(tx, (project, id), "env=prod", 9));
    let shown = |engine: &Engine| {
        let rev = engine.read(move |tx| firewall::expect(tx, project, id)).rev;
        let selected = engine.read(move |tx| firewall::applied(tx, id, 9)).selectors.remove(0).servers;
        (rev, selected, engine.read(move |tx| firewall::of_server(tx, a)))
    };
    assert_eq!(shown(engine), (1, vec![], vec![]));
    assert!(engine.read(move |tx| selection::selects(tx, (Kind::Firewall, id), a)));
    let address = engine.write(move |tx| publish(tx, project, a));
    assert_eq!(shown(engine), (2, vec![a], vec![id]));
    let address = engine.read(move |tx| primary_ip::expect(tx, project, address.id));
    engine.write(move |tx| {
        primary_ip::update(tx, &address, &primary_ip::PrimaryIp { assignee: None, ..address.value.clone() })
    });
    assert_eq!(shown(engine), (3, vec![], vec![]));
    assert!(engine.read(move |tx| firewall::is_applied(tx, id)), "a selector that guards nobody is a use, too");
}

fn too_many(engine: &Engine) {
    let (project, id, [a, b]) = engine.write(scene);
    engine.write(move |tx| {
        for name in ["v", "w", "x", "y"] {
            let other = sample::firewall(tx, project, name)?;
            firewall::insert(tx, &other)?;
            firewall::add_server(tx, other.id, b)?;
        }
        firewall::add_selector(tx, (project, id), "env", 9)?;
        firewall::add_server(tx, id, b)
    });
    let overloaded = |max: i64| engine.read(move |tx| firewall::overloaded(tx, id, "env", max));
    assert_eq!((overloaded(5), overloaded(4), overloaded(0)), (None, Some(b), Some(a)));
    assert_eq!(engine.read(move |tx| firewall::count_of_server(tx, b)), 5, "in two ways behind one of them");
    let more = |max: i64| engine.read(move |tx| firewall::has_more_servers_than(tx, id, max));
    assert_eq!((more(0), more(1)), (true, false));
    engine.read(invariant::check);
    engine.write(move |tx| {
        let other = sample::firewall(tx, project, "z")?;
        firewall::insert(tx, &other)?;
        firewall::add_server(tx, other.id, b)
    });
    let Err(Error::Internal { internal }) = engine.db.read_blocking(invariant::check) else { panic!("not found") };
    assert!(internal.contains("TOO_MANY_FIREWALLS"), "{internal}");
}

fn broken_edges_are_found(engine: &Engine) {
    let (project, id, [a, _]) = engine.write(scene);
    engine.read(invariant::check);
    engine.write(move |tx| selection::add(tx, project, (Kind::Firewall, 999), "env"));
    let Err(Error::Internal { internal }) = engine.db.read_blocking(invariant::check) else { panic!("not found") };
    assert!(internal.contains("SELECTION_OF_NOBODY"), "{internal}");
    engine.write(move |tx| {
        selection::forget(tx, (Kind::Firewall, 999))?;
        firewall::add_server(tx, id, a)?;
        firewall::add_server(tx, id, 999)
    });
    let Err(Error::Internal { internal }) = engine.db.read_blocking(invariant::check) else { panic!("not found") };
    assert!(internal.contains("BEHIND_A_FIREWALL"), "{internal}");
}
