//! Certificates, their keys, the authorities that issue them, and what the operator is told.

use crate::common::Engine;
use crate::sample;
use wolke_domain::action::{Failure, Target};
use wolke_domain::certificate::{AuthorityName, Managed};
use wolke_domain::{Error, Result};
use wolke_store::authority::{self, Authority};
use wolke_store::certificate::{self, Certificate, Details, Issued};
use wolke_store::event::{self, EVENTS_MAX, EventKind, NewEvent};
use wolke_store::{Counter, Tx, invariant, label, project, resource};
use wolke_wire::{ErrorCode, Id, Kind, Timestamp};

crate::on_both_engines!(World: certificates, keys, broken_ones_are_found, users, authorities, events);

fn made(tx: &mut dyn Tx, project: Id, name: &str) -> Result<Certificate> {
    let issued = Issued {
        chain: "PEM".into(),
        fingerprint: "AB".into(),
        not_before: Timestamp(1_000),
        not_after: Timestamp(2_000),
    };
    let details = Details {
        v: 1,
        domain_names: vec!["example.com".into()],
        issued: Some(issued),
        managed: None,
        labels: sample::labels(&[("a", "b")]),
    };
    let id = tx.next_id(Counter::Kind(Kind::Certificate))?;
    Ok(Certificate { id, project, name: name.into(), created: Timestamp(5), kind: "uploaded".into(), details })
}

fn insert(tx: &mut dyn Tx, project: Id, name: &str) -> Result<Certificate> {
    let new = made(tx, project, name)?;
    certificate::insert(tx, &new)?;
    certificate::put_key(tx, new.id, "sealed")?;
    Ok(new)
}

fn certificates(engine: &Engine) {
    let project = engine.write(sample::project);
    let one = engine.write(move |tx| insert(tx, project, "one"));
    let id = one.id;
    let stored = engine.read(move |tx| certificate::expect(tx, project, id));
    assert_eq!((stored.rev, stored.generation, &stored.value), (1, 1, &one));
    assert_eq!(engine.read(move |tx| certificate::by_id(tx, id)), Some(stored.clone()));
    assert_eq!(engine.read(move |tx| certificate::get(tx, project + 1, id)), None, "another project's does not exist");
    assert_eq!(engine.try_write(move |tx| insert(tx, project, "one")), Err(Error::name_used()));
    engine.write(|tx| {
        let stranger = project::insert(tx, "stranger")?.id;
        insert(tx, stranger, "one")
    });
    let renamed = engine.try_write(move |tx| {
        let other = insert(tx, project, "two")?;
        let old = certificate::expect(tx, project, other.id)?;
        certificate::update(tx, &old, &Certificate { name: "one".into(), ..other })
    });
    assert_eq!(renamed, Err(Error::name_used()));
    let mut changed = one.clone();
    changed.name = "renamed".into();
    changed.details.labels = sample::labels(&[("c", "d")]);
    let (old, new) = (stored.clone(), changed.clone());
    engine.write(move |tx| certificate::update(tx, &old, &new));
    let now = engine.read(move |tx| certificate::expect(tx, project, id));
    assert_eq!((now.rev, now.generation, &now.value), (2, 2, &changed));
    let count = move |key, value| engine.read(move |tx| label::count_pair(tx, Kind::Certificate, project, key, value));
    assert_eq!((count("a", "b"), count("c", "d")), (0, 1));
    let stale = engine.try_write(move |tx| certificate::update(tx, &stored, &one));
    assert!(matches!(stale, Err(Error::Internal { .. })), "{stale:?}");
    engine.write(move |tx| resource::touch(tx, Kind::Certificate, id));
    assert_eq!(engine.read(move |tx| certificate::expect(tx, project, id)).rev, 3);
    assert!(engine.read(move |tx| resource::exists(tx, Kind::Certificate, id)));
    engine.read(invariant::check);
    engine.write(move |tx| certificate::delete(tx, &now.value));
    assert!(!engine.read(move |tx| resource::exists(tx, Kind::Certificate, id)));
    assert_eq!((count("c", "d"), engine.read(move |tx| resource::count(tx, Kind::Certificate, project))), (0, 0));
    engine.read(invariant::check);
}

fn keys(engine: &Engine) {
    let project = engine.write(sample::project);
    let id = engine.write(move |tx| insert(tx, project, "one")).id;
    let key = move || engine.read(move |tx| certificate::key(tx, id));
    assert_eq!(key().as_deref(), Some("sealed"));
    engine.write(move |tx| certificate::put_key(tx, id, "renewed"));
    assert_eq!(key().as_deref(), Some("renewed"));
    engine.write(move |tx| {
        let old = certificate::expect(tx, project, id)?;
        certificate::delete(tx, &old.value)
    });
    assert_eq!(key(), None, "it goes with its certificate");
}

fn broken_ones_are_found(engine: &Engine) {
    let project = engine.write(sample::project);
    let id = engine.write(move |tx| {
        let new = made(tx, project, "without a key")?;
        certificate::insert(tx, &new)?;
        Ok(new.id)
    });
    let complaint = || match engine.db.read_blocking(invariant::check) {
        Err(Error::Internal { internal }) => internal,
        other => panic!("{other:?}"),
    };
    assert!(complaint().contains("CERTIFICATE_WITHOUT_KEY"));
    engine.write(move |tx| {
        certificate::put_key(tx, id, "sealed")?;
        let old = certificate::expect(tx, project, id)?;
        let mut new = old.value.clone();
        new.details.managed = Some(Managed::default());
        certificate::update(tx, &old, &new)
    });
    assert!(complaint().contains("ISSUED_BY_NOBODY"));
}

fn users(engine: &Engine) {
    let project = engine.write(sample::project);
    let id = engine.write(move |tx| insert(tx, project, "one")).id;
    assert!(engine.read(move |tx| certificate::users(tx, id)).is_empty());
    engine.write(move |tx| {
        for balancer in [9, 7] {
            let sql = "INSERT INTO load_balancer_certificates (load_balancer, certificate) VALUES ($1, $2) RETURNING certificate";
            tx.query_composed(sql, &[balancer.into(), id.into()])?;
        }
        Ok(())
    });
    assert_eq!(engine.read(move |tx| certificate::users(tx, id)), [7, 9]);
}

fn authorities(engine: &Engine) {
    let get = |name| engine.read(move |tx| authority::get(tx, name));
    let one = Authority { certificate: "PEM".into(), sealed: "sealed".into() };
    let new = one.clone();
    engine.write(move |tx| authority::insert(tx, AuthorityName::Staging, &new));
    assert_eq!((get(AuthorityName::Staging), get(AuthorityName::Production)), (Some(one.clone()), None));
    let twice = engine.try_write(move |tx| authority::insert(tx, AuthorityName::Staging, &one));
    assert!(twice.is_err(), "an authority is for ever");
}

fn events(engine: &Engine) {
    let new = |name: String| NewEvent {
        kind: EventKind::CertificateRenewalFailed,
        project: 1,
        resource: Target::new(Kind::Certificate, 2),
        name,
        failure: Failure::new(ErrorCode::DnsZoneNotFound, "gone"),
    };
    engine.write(move |tx| (0..EVENTS_MAX + 5).try_for_each(|n| event::insert(tx, &new(n.to_string()))));
    let all = engine.read(event::list);
    assert_eq!(all.len() as i64, EVENTS_MAX, "the oldest have gone");
    assert_eq!(all[0].what, new((EVENTS_MAX + 4).to_string()), "the last first");
    assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id));
}
