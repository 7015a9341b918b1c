//! Firewalls, their selectors, and the servers behind them.

use crate::common::Engine;
use crate::sample;
use wolke_domain::Error;
use wolke_domain::server::Status;
use wolke_store::firewall::{self, DIRECT, Edge};
use wolke_store::{Tx, invariant, resource, server};
use wolke_wire::{Id, Kind};

crate::on_both_engines!(World: firewalls, edges, broken_edges_are_found);

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

/// A project with a firewall and two servers.
fn scene(tx: &mut dyn Tx) -> wolke_domain::Result<(Id, Id, [Id; 2])> {
    let project = sample::project(tx)?;
    let new = sample::firewall(tx, project, "web")?;
    firewall::insert(tx, &new)?;
    let mut made = [0; 2];
    for (position, name) in ["a", "b"].into_iter().enumerate() {
        let mut server = sample::server(tx, project, name, &[])?;
        server.status = Status::Off;
        server::insert(tx, &server)?;
        made[position] = server.id;
    }
    Ok((project, new.id, made))
}

fn edges(engine: &Engine) {
    let (project, id, [a, b]) = engine.write(scene);
    let edge = move |via: &str, server| Edge { firewall: id, via: via.to_owned(), server };
    engine.write(move |tx| {
        assert!(firewall::add_selector(tx, project, id, "env=prod")?);
        assert!(!firewall::add_selector(tx, project, id, "env=prod")?, "it is there");
        assert!(firewall::add_server(tx, &edge("env=prod", b))?);
        assert!(firewall::add_server(tx, &edge("env=prod", a))?);
        assert!(firewall::add_server(tx, &edge(DIRECT, b))?);
        assert!(!firewall::add_server(tx, &edge(DIRECT, b))?, "it is there");
        Ok(())
    });
    let all = [edge(DIRECT, b), edge("env=prod", a), edge("env=prod", b)];
    assert_eq!(engine.read(move |tx| firewall::servers(tx, id)), all);
    assert_eq!(engine.read(move |tx| firewall::of_server(tx, b)), [edge(DIRECT, b), edge("env=prod", b)]);
    assert_eq!(engine.read(move |tx| firewall::selectors(tx, project, id)), ["env=prod"]);
    let of_project = engine.read(move |tx| firewall::selectors_of_project(tx, project));
    assert_eq!(of_project, [(id, "env=prod".to_owned())]);
    engine.read(invariant::check);
    engine.write(move |tx| {
        assert!(firewall::remove_selector(tx, project, id, "env=prod")?);
        assert!(!firewall::remove_selector(tx, project, id, "env=prod")?);
        assert!(!firewall::remove_server(tx, &edge(DIRECT, a))?);
        Ok(())
    });
    assert_eq!(engine.read(move |tx| firewall::servers(tx, id)), [edge(DIRECT, b)]);
    assert_eq!(engine.read(move |tx| server::expect(tx, project, a)).rev, 2, "it has lost its firewall");
    engine.write(move |tx| firewall::forget_server(tx, b));
    assert_eq!(engine.read(move |tx| firewall::servers(tx, id)), []);
}

fn broken_edges_are_found(engine: &Engine) {
    let (_, id, [a, _]) = engine.write(scene);
    engine.read(invariant::check);
    engine.write(move |tx| firewall::add_server(tx, &Edge { firewall: id, via: "no=selector".into(), server: a }));
    let Err(Error::Internal { internal }) = engine.db.read_blocking(invariant::check) else { panic!("not found") };
    assert!(internal.contains("BEHIND_NO_SELECTOR"), "{internal}");
    engine.write(move |tx| {
        firewall::forget_server(tx, a)?;
        firewall::add_server(tx, &Edge { firewall: id, via: DIRECT.into(), server: 999 })
    });
    let Err(Error::Internal { internal }) = engine.db.read_blocking(invariant::check) else { panic!("not found") };
    assert!(internal.contains("BEHIND_A_FIREWALL"), "{internal}");
}
