//! Load balancers, their edges, and who is touched.

use crate::common::Engine;
use crate::sample;
use wolke_domain::Error;
use wolke_domain::load_balancer::health::Told;
use wolke_domain::load_balancer::{Aim, Target};
use wolke_domain::primary_ip::Assignee;
use wolke_domain::server::Status;
use wolke_store::guest::{self, Answer, Who};
use wolke_store::load_balancer::{self, LoadBalancer};
use wolke_store::primary_ip::{self, PrimaryIp};
use wolke_store::{Tx, address, dedicated_ip, firewall, invariant, label, resource, selection, server};
use wolke_wire::{Id, Kind};

crate::on_both_engines!(World: a_life, edges_follow_the_document, both_ends_are_touched, firewalls_touch, servers_are_met,
    guests_and_addresses, broken_edges_are_found);

/// A change of a server.
type Change<'a> = &'a dyn Fn(&Engine, Id);

fn aim(to: Target) -> Aim {
    Aim { to, use_private_ip: false }
}

fn made(engine: &Engine, project: Id, name: &'static str) -> LoadBalancer {
    engine.write(move |tx| {
        let new = sample::load_balancer(tx, project, name)?;
        load_balancer::insert(tx, &new)?;
        Ok(new)
    })
}

fn web(engine: &Engine, project: Id, name: &'static str, pairs: &'static [(&'static str, &'static str)]) -> Id {
    engine.write(move |tx| {
        let mut new = sample::server(tx, project, name, pairs)?;
        new.status = Status::Off;
        server::insert(tx, &new)?;
        Ok(new.id)
    })
}

/// Sets the targets of a load balancer.
fn aimed(engine: &Engine, project: Id, id: Id, targets: Vec<Target>) {
    engine.write(move |tx| {
        let old = load_balancer::expect(tx, project, id)?;
        let mut new = old.value.clone();
        new.details.targets = targets.iter().cloned().map(aim).collect();
        load_balancer::update(tx, &old, &new)
    });
}

fn rev(engine: &Engine, project: Id, id: Id) -> i64 {
    engine.read(move |tx| load_balancer::expect(tx, project, id)).rev
}

fn rev_of_server(engine: &Engine, project: Id, id: Id) -> i64 {
    engine.read(move |tx| server::rev(tx, project, id)).unwrap()
}

fn a_life(engine: &Engine) {
    let project = engine.write(sample::project);
    let one = made(engine, project, "one");
    let id = one.id;
    let again = engine.try_write(move |tx| {
        let mut new = sample::load_balancer(tx, project, "one")?;
        new.id = 99;
        load_balancer::insert(tx, &new)
    });
    assert_eq!(again, Err(Error::name_used()));
    let counted = move |tx: &mut dyn Tx| label::count_pair(tx, Kind::LoadBalancer, project, "a", "b");
    assert_eq!(engine.read(counted), 1);
    let stored = engine.read(move |tx| load_balancer::expect(tx, project, id));
    assert_eq!((stored.value, stored.rev, stored.generation), (one.clone(), 1, 1));
    engine.write(move |tx| resource::touch(tx, Kind::LoadBalancer, id));
    assert_eq!(rev(engine, project, id), 2);
    let two = made(engine, project, "two").id;
    let renamed = engine.try_write(move |tx| {
        let old = load_balancer::expect(tx, project, two)?;
        load_balancer::update(tx, &old, &LoadBalancer { name: "one".into(), ..old.value.clone() })
    });
    assert_eq!(renamed, Err(Error::name_used()));
    assert!(engine.read(move |tx| load_balancer::get(tx, project + 1, id)).is_none());
    assert!(engine.read(move |tx| resource::exists(tx, Kind::LoadBalancer, id)));
    engine.write(move |tx| sample::remove_load_balancer(tx, &one));
    assert!(!engine.read(move |tx| resource::exists(tx, Kind::LoadBalancer, id)));
    assert_eq!(engine.read(counted), 1, "the other one's");
    engine.read(invariant::check);
}

fn edges_follow_the_document(engine: &Engine) {
    let project = engine.write(sample::project);
    let (a, b) = (web(engine, project, "a", &[("env", "prod")]), web(engine, project, "b", &[]));
    let (one, two) = (made(engine, project, "one").id, made(engine, project, "two").id);
    let of = |server: Id| {
        let named = engine.read(move |tx| load_balancer::ids_naming_server(tx, server));
        let selected = engine.read(move |tx| selection::of_server(tx, server)).into_iter().map(|by| by.owner);
        named.into_iter().chain(selected).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let ip = || Target::Ip("203.0.113.7".into());
    aimed(engine, project, one, vec![Target::Server(b), Target::Selector("env=prod".into()), ip()]);
    aimed(engine, project, two, vec![Target::Server(a), Target::Selector("env".into()), ip()]);
    assert_eq!((of(a), of(b)), (vec![one, two], vec![one]));
    assert_eq!(engine.read(|tx| load_balancer::of_ip(tx, "203.0.113.7")), [one, two]);
    assert_eq!(engine.read(|tx| load_balancer::projects_of_ip(tx, "203.0.113.7")), [project], "once");
    assert_eq!(engine.read(|tx| load_balancer::projects_of_ip(tx, "203.0.113.8")), [] as [Id; 0]);
    let named: Vec<Id> =
        engine.read(move |tx| load_balancer::naming_server(tx, a)).into_iter().map(|found| found.value.id).collect();
    assert_eq!(named, [two]);
    assert_eq!(engine.read(move |tx| load_balancer::selected(tx, one, 9)), [("env=prod".to_owned(), a)]);
    assert_eq!(engine.read(move |tx| load_balancer::selected_from(tx, one, (1, 9))), []);
    assert_eq!(engine.read(move |tx| selection::matched(tx, (Kind::LoadBalancer, one))), 1);
    engine.read(invariant::check);
    aimed(engine, project, two, vec![Target::Selector("!env".into())]);
    assert_eq!((of(a), of(b)), (vec![one], vec![one, two]));
    assert_eq!(engine.read(|tx| load_balancer::of_ip(tx, "203.0.113.7")), [one]);
    engine.write(move |tx| {
        let old = load_balancer::expect(tx, project, one)?;
        sample::remove_load_balancer(tx, &old.value)
    });
    assert_eq!((of(a), of(b)), (vec![], vec![two]));
    assert!(engine.read(move |tx| selection::of_owner(tx, (Kind::LoadBalancer, one))).is_empty());
    engine.read(invariant::check);
}

fn both_ends_are_touched(engine: &Engine) {
    let project = engine.write(sample::project);
    let (named, selected) = (web(engine, project, "a", &[]), web(engine, project, "b", &[("env", "prod")]));
    let stranger = web(engine, project, "c", &[]);
    let (id, other) = (made(engine, project, "one").id, made(engine, project, "two").id);
    let before = [named, selected, stranger].map(|id| rev_of_server(engine, project, id));
    aimed(engine, project, id, vec![Target::Server(named), Target::Selector("env=prod".into())]);
    let after = [named, selected, stranger].map(|id| rev_of_server(engine, project, id));
    assert!(after[0] > before[0] && after[1] > before[1] && after[2] == before[2]);
    // Whatever bumps a server bumps its load balancers, and no others.
    let touches = |server: Id, change: Change<'_>| {
        let (mine, theirs) = (rev(engine, project, id), rev(engine, project, other));
        change(engine, server);
        assert_eq!(rev(engine, project, other), theirs);
        rev(engine, project, id) > mine
    };
    let ways: [Change<'_>; 3] = [
        &|engine, server| engine.write(move |tx| resource::touch(tx, Kind::Server, server)),
        &|engine, server| engine.write(move |tx| server::set_status(tx, server, Status::Off, None)),
        &|engine, server| {
            engine.write(move |tx| {
                let old = server::expect(tx, project, server)?;
                server::update(tx, &old, &old.value.clone())
            });
        },
    ];
    for way in ways {
        assert!(touches(named, way) && touches(selected, way) && !touches(stranger, way));
    }
    let gone = engine.try_write(|tx| server::set_status(tx, 4711, Status::Off, None));
    assert!(matches!(gone, Err(Error::Internal { .. })), "{gone:?}");
}

fn firewalls_touch(engine: &Engine) {
    let project = engine.write(sample::project);
    let server = web(engine, project, "a", &[("env", "prod")]);
    let (named, selecting, other) =
        (made(engine, project, "one").id, made(engine, project, "two").id, made(engine, project, "three").id);
    aimed(engine, project, named, vec![Target::Server(server)]);
    aimed(engine, project, selecting, vec![Target::Selector("env".into())]);
    let wall = |name: &'static str| {
        engine.write(move |tx| {
            let new = sample::firewall(tx, project, name)?;
            firewall::insert(tx, &new)?;
            Ok(new.id)
        })
    };
    let (by_name, by_labels, idle) = (wall("a"), wall("b"), wall("c"));
    engine.write(move |tx| firewall::add_server(tx, by_name, server));
    let revs = || [named, selecting, other].map(|id| rev(engine, project, id));
    let before = revs();
    engine.write(move |tx| selection::add(tx, project, (Kind::Firewall, by_labels), "env=prod"));
    let joined = revs();
    assert!(joined[0] > before[0] && joined[1] > before[1] && joined[2] == before[2]);
    for (firewall, reaches) in [(by_name, true), (by_labels, true), (idle, false)] {
        let before = revs();
        engine.write(move |tx| load_balancer::touch_behind(tx, firewall));
        let after = revs();
        assert_eq!([after[0] > before[0], after[1] > before[1], after[2] > before[2]], [reaches, reaches, false]);
    }
}

fn servers_are_met(engine: &Engine) {
    let project = engine.write(sample::project);
    let id = made(engine, project, "one").id;
    let (named, first) = (web(engine, project, "a", &[]), web(engine, project, "b", &[("env", "prod")]));
    let second = web(engine, project, "c", &[("env", "prod")]);
    aimed(engine, project, id, vec![Target::Server(named), Target::Selector("env".into())]);
    engine.write(move |tx| {
        guest::set(tx, &Answer { who: Who::Server(first), port: 80, told: Told::Drop })?;
        server::set_status(tx, named, Status::Running, None)
    });
    let met = |limit: i64| engine.read(move |tx| load_balancer::servers(tx, id, Some(7), limit));
    assert_eq!(met(0).into_keys().collect::<Vec<_>>(), [named]);
    assert_eq!(met(1).into_keys().collect::<Vec<_>>(), [named, first]);
    let all = met(9);
    assert_eq!(all.keys().copied().collect::<Vec<_>>(), [named, first, second]);
    assert_eq!((all[&named].status, all[&named].is_told, all[&first].is_told), (Status::Running, false, true));
    assert!(!all[&named].has_ipv4 && !all[&named].in_network);
}

fn guests_and_addresses(engine: &Engine) {
    let project = engine.write(sample::project);
    let server = web(engine, project, "a", &[]);
    let says = |status: u16| Told::Answer { status, page: "x".into() };
    let ip = || Who::Ip("203.0.113.7".into());
    engine.write(move |tx| {
        for (who, port, told) in
            [(Who::Server(server), 80, says(200)), (Who::Server(server), 80, says(503)), (ip(), 0, Told::Hang)]
        {
            guest::set(tx, &Answer { who, port, told })?;
        }
        Ok(())
    });
    let of = |who: Who| engine.read(move |tx| guest::of(tx, &who));
    assert_eq!(of(Who::Server(server)), [Answer { who: Who::Server(server), port: 80, told: says(503) }]);
    assert_eq!(of(ip()).len(), 1);
    assert_eq!(engine.read(|tx| guest::list(tx, 9)).len(), 2);
    let more = |max: i64| engine.read(move |tx| guest::has_more_than(tx, max));
    assert_eq!((more(1), more(2)), (true, false));
    assert!(!engine.write(move |tx| guest::unset(tx, &Who::Server(server), 81)));
    engine.write(move |tx| {
        let old = server::expect(tx, project, server)?;
        server::delete(tx, &old.value)
    });
    assert_eq!(engine.read(|tx| guest::list(tx, 9)).len(), 1, "a server's go with it");
    assert!(engine.write(move |tx| guest::unset(tx, &ip(), 0)));

    assert!(engine.write(|tx| dedicated_ip::insert(tx, "203.0.113.7")));
    assert!(!engine.write(|tx| dedicated_ip::insert(tx, "203.0.113.7")));
    assert!(engine.read(|tx| dedicated_ip::is_known(tx, "203.0.113.7")));
    assert_eq!(engine.read(|tx| dedicated_ip::list(tx, 9)), ["203.0.113.7"]);
    let more = |max: i64| engine.read(move |tx| dedicated_ip::has_more_than(tx, max));
    assert_eq!((more(0), more(1)), (true, false));
    assert!(engine.write(|tx| dedicated_ip::delete(tx, "203.0.113.7")));
    assert!(!engine.write(|tx| dedicated_ip::delete(tx, "203.0.113.7")));
}

fn broken_edges_are_found(engine: &Engine) {
    let project = engine.write(sample::project);
    let id = made(engine, project, "one").id;
    engine.read(invariant::check);
    aimed(engine, project, id, vec![Target::Server(4711)]);
    let found = engine.try_write(invariant::check).unwrap_err();
    assert!(found.to_string().contains("TARGET_OF_NOTHING"), "{found}");
    aimed(engine, project, id, vec![]);
    engine.write(move |tx| selection::add(tx, project, (Kind::LoadBalancer, id + 1), "env"));
    let found = engine.try_write(invariant::check).unwrap_err();
    assert!(found.to_string().contains("SELECTION_OF_NO_BALANCER"), "{found}");
    let found = engine.try_write(move |tx| {
        let own = primary_ip::of_load_balancer(tx, id)?.remove(0).value;
        address::release(tx, Kind::PrimaryIp, own.id)?;
        invariant::check(tx)
    });
    let found = found.unwrap_err();
    assert!(found.to_string().contains("OWNER_WITHOUT_ADDRESS"), "{found}");
    let found = engine.try_write(move |tx| {
        let own = primary_ip::of_load_balancer(tx, id)?.remove(0);
        primary_ip::update(tx, &own, &PrimaryIp { assignee: None, ..own.value.clone() })?;
        invariant::check(tx)
    });
    assert!(found.unwrap_err().to_string().contains("OWNER_WITHOUT_ADDRESS"));
    let found = engine.try_write(move |tx| {
        let nobody = Some(Assignee::LoadBalancer(id + 1));
        let own = sample::primary_ip(tx, project, "astray", "198.18.0.99", nobody)?;
        primary_ip::insert(tx, &own)?;
        address::allocate(tx, 4, Kind::PrimaryIp, own.id)?;
        invariant::check(tx)
    });
    assert!(found.unwrap_err().to_string().contains("BALANCES_FOR_NOBODY"));
}
