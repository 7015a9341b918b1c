//! Servers, primary IPs, SSH keys and projects: written, read back, refused and removed.

use crate::common::Engine;
use crate::sample;
use wolke_domain::primary_ip::Assignee;
use wolke_domain::server::Status;
use wolke_domain::{Error, Result};
use wolke_store::{Tx, invariant, label, primary_ip, project, resource, server, ssh_key};
use wolke_wire::Kind;

crate::on_both_engines!(World: servers, stale_writes_change_nothing, labels_are_counted, primary_ips, ssh_keys, projects, touch, invariants_are_asked, every_kind_is_asked_about);

fn servers(engine: &Engine) {
    let made = engine.write(|tx| {
        let project = sample::project(tx)?;
        let new = sample::server(tx, project, "web-1", &[("env", "prod")])?;
        assert_eq!(server::insert(tx, &new)?, 1);
        Ok(new)
    });
    let (id, project) = (made.id, made.project);
    let stored = engine.read(move |tx| server::expect(tx, project, id));
    assert_eq!((stored.rev, stored.generation, &stored.value), (1, 1, &made));
    assert_eq!(engine.read(move |tx| server::get(tx, project + 1, id)), None, "another project's does not exist");

    let mut changed = made.clone();
    (changed.name, changed.status, changed.host) = ("web-2".into(), Status::Running, Some(7));
    changed.details.labels = sample::labels(&[("env", "dev"), ("tier", "1")]);
    let new = changed.clone();
    engine.write(move |tx| server::update(tx, &stored, &new));
    let stored = engine.read(move |tx| server::by_id(tx, id)).unwrap();
    assert_eq!((stored.rev, stored.generation, &stored.value), (2, 2, &changed));

    let taken = engine.try_write(move |tx| {
        let other = sample::server(tx, project, "web-2", &[])?;
        server::insert(tx, &other)
    });
    assert_eq!(taken, Err(Error::name_used()));
    let renamed = engine.try_write(move |tx| {
        let other = sample::server(tx, project, "web-3", &[])?;
        server::insert(tx, &other)?;
        let stored = server::expect(tx, project, other.id)?;
        let mut wish = other;
        wish.name = "web-2".into();
        server::update(tx, &stored, &wish)
    });
    assert_eq!(renamed, Err(Error::name_used()));

    let old = changed.clone();
    engine.write(move |tx| server::delete(tx, &old));
    assert_eq!(engine.read(move |tx| server::by_id(tx, id)), None);
    assert_eq!(engine.read(move |tx| resource::counts(tx, project)), []);
}

fn stale_writes_change_nothing(engine: &Engine) {
    let (project, id) = engine.write(|tx| {
        let project = sample::project(tx)?;
        let new = sample::server(tx, project, "a", &[])?;
        server::insert(tx, &new)?;
        Ok((project, new.id))
    });
    let stale = engine.read(move |tx| server::expect(tx, project, id));
    let change = |name: &'static str| {
        let old = stale.clone();
        move |tx: &mut dyn Tx| -> Result<()> {
            let mut new = old.value.clone();
            new.name = name.into();
            server::update(tx, &old, &new)
        }
    };
    engine.write(change("b"));
    assert!(matches!(engine.try_write(change("c")), Err(Error::Internal { .. })));
    assert_eq!(engine.read(move |tx| server::expect(tx, project, id)).value.name, "b");
}

fn labels_are_counted(engine: &Engine) {
    let (project, first) = engine.write(|tx| {
        let project = sample::project(tx)?;
        let first = sample::server(tx, project, "a", &[("env", "prod"), ("empty", "")])?;
        let second = sample::server(tx, project, "b", &[("env", "prod")])?;
        let third = sample::server(tx, project, "c", &[("env", "dev")])?;
        for new in [&first, &second, &third] {
            server::insert(tx, new)?;
        }
        Ok((project, first.id))
    });
    let count = move |key: &'static str, value: &'static str| {
        engine.read(move |tx| label::count_pair(tx, Kind::Server, project, key, value))
    };
    let keyed = move |key: &'static str| engine.read(move |tx| label::count_key(tx, Kind::Server, project, key));
    assert_eq!((count("env", "prod"), count("env", "dev"), count("empty", ""), count("env", "")), (2, 1, 1, 0));
    assert_eq!((keyed("env"), keyed("empty"), keyed("none")), (3, 1, 0));
    engine.write(move |tx| {
        let old = server::expect(tx, project, first)?;
        let mut new = old.value.clone();
        new.details.labels = sample::labels(&[("env", "dev")]);
        server::update(tx, &old, &new)
    });
    assert_eq!((count("env", "prod"), count("env", "dev"), keyed("env"), keyed("empty")), (1, 2, 3, 0));
    engine.write(move |tx| {
        let old = server::expect(tx, project, first)?;
        server::delete(tx, &old.value)
    });
    assert_eq!((count("env", "dev"), keyed("env")), (1, 2));
    assert_eq!(engine.read(move |tx| resource::count(tx, Kind::Server, project)), 2);
}

fn primary_ips(engine: &Engine) {
    let project = engine.write(sample::project);
    let (server, balancer) = (Assignee::Server(9), Assignee::LoadBalancer(9));
    let (four, six) = engine.write(move |tx| {
        let six = sample::primary_ip(tx, project, "six", "2001:db8::/64", Some(server))?;
        let four = sample::primary_ip(tx, project, "four", "198.18.0.1", Some(server))?;
        primary_ip::insert(tx, &six)?;
        assert_eq!(primary_ip::insert(tx, &four)?, 2);
        Ok((four, six))
    });
    let families: Vec<_> = engine.read(|tx| primary_ip::of_server(tx, 9)).into_iter().map(|s| s.value).collect();
    assert_eq!(families, [four.clone(), six]);
    // The load balancer with the number of the server has others.
    let own = engine.write(move |tx| {
        let own = sample::primary_ip(tx, project, "balanced", "198.18.0.9", Some(balancer))?;
        primary_ip::insert(tx, &own)?;
        Ok(own)
    });
    let of = |assignee: Assignee| {
        let found = engine.read(move |tx| primary_ip::of_assignee(tx, assignee));
        found.into_iter().map(|stored| stored.value.id).collect::<Vec<_>>()
    };
    assert_eq!((of(server).len(), of(balancer)), (2, vec![own.id]));
    let second = engine.try_write(move |tx| {
        let other = sample::primary_ip(tx, project, "second", "198.18.0.8", Some(balancer))?;
        primary_ip::insert(tx, &other)
    });
    assert!(matches!(second, Err(Error::Internal { .. })), "one of a family: {second:?}");
    engine.write(move |tx| {
        let old = primary_ip::expect(tx, project, own.id)?;
        let free = primary_ip::PrimaryIp { assignee: None, ..old.value.clone() };
        primary_ip::update(tx, &old, &free)?;
        assert_eq!(primary_ip::expect(tx, project, own.id)?.value.assignee, None);
        primary_ip::delete(tx, &free)
    });
    let taken = engine.try_write(move |tx| {
        let other = sample::primary_ip(tx, project, "four", "198.18.0.2", None)?;
        primary_ip::insert(tx, &other)
    });
    assert_eq!(taken, Err(Error::name_used()));
    let doubled = engine.try_write(move |tx| {
        let other = sample::primary_ip(tx, project, "other", "198.18.0.1", None)?;
        primary_ip::insert(tx, &other)
    });
    assert!(matches!(doubled, Err(Error::Internal { .. })), "one address twice is a bug: {doubled:?}");
    let id = four.id;
    engine.write(move |tx| {
        let old = primary_ip::expect(tx, project, id)?;
        let mut new = old.value.clone();
        (new.name, new.assignee) = ("free".into(), None);
        primary_ip::update(tx, &old, &new)
    });
    let stored = engine.read(move |tx| primary_ip::expect(tx, project, id));
    assert_eq!((stored.value.name.as_str(), stored.value.assignee, stored.rev), ("free", None, 2));
    engine.write(move |tx| primary_ip::delete(tx, &stored.value));
    assert_eq!(engine.read(move |tx| primary_ip::get(tx, project, id)), None);
}

fn ssh_keys(engine: &Engine) {
    let project = engine.write(sample::project);
    let made = engine.write(move |tx| {
        let new = sample::ssh_key(tx, project, "laptop", "aa:bb")?;
        ssh_key::insert(tx, &new)?;
        Ok(new)
    });
    let insert = |name: &'static str, fingerprint: &'static str| {
        engine.try_write(move |tx| {
            let new = sample::ssh_key(tx, project, name, fingerprint)?;
            ssh_key::insert(tx, &new)
        })
    };
    assert_eq!(insert("laptop", "cc:dd"), Err(Error::name_used()));
    for name in ["laptop", "other"] {
        let Err(Error::NotUnique { fields, .. }) = insert(name, "aa:bb") else { panic!("one key twice") };
        assert_eq!(fields, ["public_key"]);
    }
    assert_eq!(insert("other", "cc:dd"), Ok(2));
    let stored = engine.read(move |tx| ssh_key::by_name(tx, project, "laptop")).unwrap();
    assert_eq!(stored.value, made);
    let mut new = made.clone();
    new.name = "desk".into();
    let old = stored.clone();
    engine.write(move |tx| ssh_key::update(tx, &old, &new));
    assert_eq!(engine.read(move |tx| ssh_key::by_name(tx, project, "laptop")), None);
    engine.write(move |tx| ssh_key::delete(tx, &made));
    assert_eq!(engine.read(move |tx| resource::counts(tx, project)), [("ssh_key".to_owned(), 1)]);
}

fn projects(engine: &Engine) {
    let made = engine.write(|tx| project::insert(tx, "default"));
    assert_eq!(made.id, 1, "ids start at one");
    assert_eq!(engine.read(|tx| project::by_name(tx, "default")), Some(made.clone()));
    assert_eq!(engine.try_write(|tx| project::insert(tx, "default")), Err(Error::name_used()));
    let second = engine.write(|tx| project::insert(tx, "second"));
    assert_eq!(engine.read(project::list), [made, second.clone()]);
    engine.write(move |tx| {
        assert!(!project::has_strands(tx, second.id)?);
        project::delete(tx, second.id)
    });
    assert_eq!(engine.read(move |tx| project::by_id(tx, second.id)), None);
}

fn touch(engine: &Engine) {
    let (project, id) = engine.write(|tx| {
        let project = sample::project(tx)?;
        let new = sample::server(tx, project, "a", &[])?;
        server::insert(tx, &new)?;
        Ok((project, new.id))
    });
    engine.write(move |tx| {
        resource::touch(tx, Kind::Location, 1)?;
        resource::touch(tx, Kind::Server, id)
    });
    let stored = engine.read(move |tx| server::expect(tx, project, id));
    assert_eq!((stored.rev, stored.generation), (2, 1), "what it shows has changed, its own row has not");
}

fn invariants_are_asked(engine: &Engine) {
    let project = engine.write(sample::project);
    engine.read(invariant::check);
    engine.write(move |tx| {
        let new = sample::server(tx, project, "a", &[("env", "prod")])?;
        server::insert(tx, &new)
    });
    let Err(Error::Internal { internal }) = engine.db.read_blocking(invariant::check) else { panic!("not found") };
    assert!(internal.contains("UNSETTLED_STATUS"), "an initializing server that nobody works on: {internal}");
}

/// A count or a label of any kind is held against its rows, and a kind that is not known to the questions is told.
fn every_kind_is_asked_about(engine: &Engine) {
    let project = engine.write(sample::project);
    let broken = |what: &str| {
        let Err(Error::Internal { internal }) = engine.db.read_blocking(invariant::check) else {
            panic!("not found: {what}")
        };
        internal
    };
    for kind in Kind::ALL.iter().copied() {
        engine.write(move |tx| resource::count_add(tx, kind, project, 1));
        let told = broken(kind.singular());
        assert!(told.contains("WRONG_COUNT") || told.contains("UNKNOWN_COUNT"), "{kind}: {told}");
        engine.write(move |tx| resource::count_add(tx, kind, project, -1));
        engine.read(invariant::check);
        let pair = sample::labels(&[("a", "b")]);
        let (none, gone) = (sample::labels(&[]), pair.clone());
        engine.write(move |tx| label::replace(tx, kind, project, 77, &sample::labels(&[]), &pair));
        let told = broken(kind.singular());
        assert!(told.contains("LABEL_OF_NOBODY") || told.contains("UNKNOWN_LABEL"), "{kind}: {told}");
        engine.write(move |tx| label::replace(tx, kind, project, 77, &gone, &none));
    }
    // What can be touched can be asked for; nothing else passes in silence.
    for kind in Kind::ALL.iter().copied() {
        let touched = engine.try_write(move |tx| resource::touch(tx, kind, 77));
        let there = engine.db.read_blocking(move |tx| resource::exists(tx, kind, 77));
        assert_eq!(touched.is_ok(), there.is_ok(), "{kind}");
    }
    let unknown = engine.try_write(|tx| resource::touch(tx, Kind::Action, 1));
    assert!(matches!(unknown, Err(Error::Internal { .. })), "actions have no revs that others move");
}
