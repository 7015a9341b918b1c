//! Floating IPs: written, read back, refused, released with their server, and what the invariants say of them.

use crate::common::Engine;
use crate::sample;
use wolke_domain::Error;
use wolke_store::{address, floating_ip, invariant, label, resource, server};
use wolke_wire::Kind;

crate::on_both_engines!(World: a_life, servers_let_go_of_them, invariants_know_them);

fn a_life(engine: &Engine) {
    let project = engine.write(sample::project);
    let made = engine.write(move |tx| {
        let new = sample::floating_ip(tx, project, "web", "198.18.0.1", None)?;
        assert_eq!(floating_ip::insert(tx, &new)?, 1);
        Ok(new)
    });
    let id = made.id;
    let stored = engine.read(move |tx| floating_ip::expect(tx, project, id));
    assert_eq!((stored.rev, stored.generation, &stored.value), (1, 1, &made));
    assert_eq!(engine.read(move |tx| floating_ip::of_anybody(tx, id)), Some(stored.clone()));
    assert_eq!(engine.read(move |tx| floating_ip::get(tx, project + 1, id)), None, "another project's does not exist");
    let counted = move |tx: &mut dyn wolke_store::Tx| label::count_pair(tx, Kind::FloatingIp, project, "a", "b");
    assert_eq!(engine.read(counted), 1);

    let taken = engine.try_write(move |tx| {
        let other = sample::floating_ip(tx, project, "web", "198.18.0.2", None)?;
        floating_ip::insert(tx, &other)
    });
    assert_eq!(taken, Err(Error::name_used()));
    let doubled = engine.try_write(move |tx| {
        let other = sample::floating_ip(tx, project, "other", "198.18.0.1", None)?;
        floating_ip::insert(tx, &other)
    });
    assert!(matches!(doubled, Err(Error::Internal { .. })), "one address twice is a bug: {doubled:?}");
    let renamed = engine.try_write(move |tx| {
        let other = sample::floating_ip(tx, project, "mail", "198.18.0.2", None)?;
        floating_ip::insert(tx, &other)?;
        let old = floating_ip::expect(tx, project, other.id)?;
        let mut wish = other;
        wish.name = "web".into();
        floating_ip::update(tx, &old, &wish)
    });
    assert_eq!(renamed, Err(Error::name_used()));

    let mut changed = made.clone();
    (changed.name, changed.server) = ("www".into(), Some(9));
    changed.details.description = None;
    changed.details.labels = sample::labels(&[("c", "d")]);
    let (old, new) = (stored.clone(), changed.clone());
    engine.write(move |tx| floating_ip::update(tx, &old, &new));
    let now = engine.read(move |tx| floating_ip::expect(tx, project, id));
    assert_eq!((now.rev, now.generation, &now.value), (2, 2, &changed));
    let stale = engine.try_write(move |tx| floating_ip::update(tx, &stored, &made));
    assert!(matches!(stale, Err(Error::Internal { .. })), "a stale write changes nothing: {stale:?}");
    engine.write(move |tx| resource::touch(tx, Kind::FloatingIp, id));
    assert_eq!(engine.read(move |tx| floating_ip::expect(tx, project, id)).rev, 3);
    assert!(engine.read(move |tx| resource::exists(tx, Kind::FloatingIp, id)));

    engine.write(move |tx| floating_ip::delete(tx, &changed));
    assert_eq!(engine.read(move |tx| floating_ip::get(tx, project, id)), None);
    assert!(!engine.read(move |tx| resource::exists(tx, Kind::FloatingIp, id)));
    assert_eq!(engine.read(move |tx| resource::counts(tx, project)), []);
}

fn servers_let_go_of_them(engine: &Engine) {
    let project = engine.write(sample::project);
    let ids = engine.write(move |tx| {
        let mut ids = Vec::new();
        for (n, holder) in [(1, Some(9)), (2, Some(9)), (3, Some(8)), (4, None)] {
            let new = sample::floating_ip(tx, project, &format!("f{n}"), &format!("198.18.0.{n}"), holder)?;
            floating_ip::insert(tx, &new)?;
            ids.push(new.id);
        }
        Ok(ids)
    });
    assert_eq!(engine.read(|tx| floating_ip::of_server(tx, 9)), ids[..2]);
    engine.write(|tx| floating_ip::release(tx, 9));
    assert!(engine.read(|tx| floating_ip::of_server(tx, 9)).is_empty());
    assert_eq!(engine.read(|tx| floating_ip::of_server(tx, 8)), [ids[2]]);
    let seen: Vec<_> = ids
        .into_iter()
        .map(|id| engine.read(move |tx| floating_ip::expect(tx, project, id)))
        .map(|stored| (stored.value.server, stored.rev))
        .collect();
    assert_eq!(seen, [(None, 2), (None, 2), (Some(8), 1), (None, 1)], "who loses its server shows it");
}

fn invariants_know_them(engine: &Engine) {
    let broken = |text: &str| {
        let Err(Error::Internal { internal }) = engine.db.read_blocking(invariant::check) else { panic!("not found") };
        assert!(internal.contains(text), "{internal}");
    };
    let project = engine.write(sample::project);
    let made = engine.write(move |tx| {
        address::ensure_pool(tx, 1, 4, "198.18.0.0/30", 3)?;
        let new = sample::floating_ip(tx, project, "web", "198.18.0.1", None)?;
        floating_ip::insert(tx, &new)?;
        Ok(new)
    });
    broken("OWNER_WITHOUT_ADDRESS");
    let id = made.id;
    engine.write(move |tx| address::allocate(tx, 4, Kind::FloatingIp, id));
    engine.read(invariant::check);
    let assigned = |server| {
        move |tx: &mut dyn wolke_store::Tx| {
            let old = floating_ip::expect(tx, project, id)?;
            let mut new = old.value.clone();
            new.server = server;
            floating_ip::update(tx, &old, &new)
        }
    };
    engine.write(assigned(Some(77)));
    broken("FLOATING_TO_NOBODY");
    engine.write(assigned(None));
    engine.write(move |tx| floating_ip::delete(tx, &made));
    broken("ADDRESS_WITHOUT_OWNER");
    engine.write(move |tx| address::release(tx, Kind::FloatingIp, id));
    engine.read(invariant::check);
    // A server of another project is nobody.
    let other = engine.write(move |tx| {
        let other = wolke_store::project::insert(tx, "other")?.id;
        let foreign = sample::server(tx, other, "theirs", &[])?;
        server::insert(tx, &foreign)?;
        server::set_status(tx, foreign.id, wolke_domain::server::Status::Off, None)?;
        let new = sample::floating_ip(tx, project, "web", "198.18.0.1", Some(foreign.id))?;
        floating_ip::insert(tx, &new)?;
        address::allocate(tx, 4, Kind::FloatingIp, new.id)
    });
    assert_eq!(other.position, 1);
    broken("FLOATING_TO_NOBODY");
}
