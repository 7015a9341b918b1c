//! Networks, who has which of their addresses, and vSwitches.

use crate::common::Engine;
use crate::sample;
use std::net::Ipv4Addr;
use wolke_domain::action::Target;
use wolke_domain::network::{Interface, Plan};
use wolke_domain::server::Status;
use wolke_domain::{Error, Result};
use wolke_store::network::{self, Details, Network};
use wolke_store::{Counter, Tx, invariant, resource, server, vswitch};
use wolke_wire::{ErrorCode, Id, Kind, Timestamp};

crate::on_both_engines!(World: networks, memberships, aliases, the_same_address_twice, members_are_listed, free_addresses, networks_in_common, vswitches, invariants_are_asked);

pub fn sample(tx: &mut dyn Tx, project: Id, name: &str, pairs: &[(&str, &str)]) -> Result<Network> {
    let id = tx.next_id(Counter::Kind(Kind::Network))?;
    let plan = Plan::new("10.0.0.0/16", &[], &[], &|_| true).map_err(Error::invalid_fields)?;
    let labels = sample::labels(pairs);
    let details = Details { v: 1, plan, expose_routes_to_vswitch: false, delete_protected: false, labels };
    Ok(Network { id, project, name: name.to_owned(), created: Timestamp(1_000 + id), details })
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

pub fn seat(network: Id, slot: u32, own: &str, alias_ips: &[&str]) -> Interface {
    let alias_ips = alias_ips.iter().map(|text| ip(text)).collect();
    Interface { network, slot, number: 0, ip: ip(own), alias_ips }
}

/// A project with two networks.
fn two(engine: &Engine) -> (Id, Id, Id) {
    engine.write(|tx| {
        let project = sample::project(tx)?;
        let (a, b) = (sample(tx, project, "a", &[])?, sample(tx, project, "b", &[])?);
        network::insert(tx, &a)?;
        network::insert(tx, &b)?;
        Ok((project, a.id, b.id))
    })
}

fn attach(engine: &Engine, member: Target, new: Interface) -> Result<Interface> {
    engine.try_write(move |tx| network::attach(tx, member, new.clone()))
}

fn networks(engine: &Engine) {
    let project = engine.write(sample::project);
    let made = engine.write(move |tx| {
        let new = sample(tx, project, "net", &[("env", "prod")])?;
        assert_eq!(network::insert(tx, &new)?, 1);
        Ok(new)
    });
    let id = made.id;
    let stored = engine.read(move |tx| network::expect(tx, project, id));
    assert_eq!((stored.rev, stored.generation, &stored.value), (1, 1, &made));
    assert_eq!(engine.read(move |tx| network::get(tx, project + 1, id)), None, "another project's does not exist");
    let taken = engine.try_write(move |tx| {
        let other = sample(tx, project, "net", &[])?;
        network::insert(tx, &other)
    });
    assert_eq!(taken, Err(Error::name_used()));
    let mut changed = made.clone();
    changed.name = "renamed".into();
    changed.details.plan = made.details.plan.with_range("10.0.0.0/8").unwrap();
    changed.details.labels = sample::labels(&[("env", "dev")]);
    let (old, new) = (stored, changed.clone());
    engine.write(move |tx| network::update(tx, &old, &new));
    engine.write(move |tx| resource::touch(tx, Kind::Network, id));
    let stored = engine.read(move |tx| network::expect(tx, project, id));
    assert_eq!((stored.rev, stored.generation, &stored.value), (3, 2, &changed));
    assert!(engine.read(move |tx| resource::exists(tx, Kind::Network, id)));
    engine.read(invariant::check);
    engine.write(move |tx| network::delete(tx, &changed));
    assert!(!engine.read(move |tx| resource::exists(tx, Kind::Network, id)));
    assert_eq!(engine.read(move |tx| resource::counts(tx, project)), []);
}

fn memberships(engine: &Engine) {
    let (_, a, b) = two(engine);
    let (one, balancer) = (Target::new(Kind::Server, 7), Target::new(Kind::LoadBalancer, 7));
    let first = attach(engine, one, seat(a, 1, "10.0.1.1", &["10.0.1.9", "10.0.1.8"])).unwrap();
    let second = attach(engine, one, seat(b, 2, "10.0.1.1", &[])).unwrap();
    attach(engine, balancer, seat(a, 1, "10.0.1.2", &[])).unwrap();
    assert_ne!(first.number, second.number);
    assert_eq!(engine.read(move |tx| network::interfaces(tx, one)), [first.clone(), second.clone()]);
    assert_eq!(engine.read(move |tx| network::interface(tx, one, b)), Some(second.clone()));
    assert_eq!(engine.read(move |tx| network::interface(tx, balancer, b)), None);
    assert_eq!(engine.read(move |tx| network::members(tx, a)), [balancer, one], "a server is no load balancer");
    assert_eq!(engine.read(move |tx| network::member_count(tx, a)), 2, "aliases are no members");
    let taken = |from: &str, to: &str| {
        let range = ip(from)..=ip(to);
        engine.read(move |tx| network::taken(tx, a, range.clone()))
    };
    assert_eq!(taken("10.0.1.0", "10.0.1.8"), [ip("10.0.1.1"), ip("10.0.1.2"), ip("10.0.1.8")]);
    assert!(taken("10.0.2.0", "10.0.2.255").is_empty());
    assert!(engine.read(move |tx| network::is_used(tx, a, ip("10.0.1.9")..=ip("10.0.1.9"))));
    assert!(!engine.read(move |tx| network::is_used(tx, b, ip("10.0.1.2")..=ip("10.0.1.255"))));

    assert!(engine.write(move |tx| network::detach(tx, one, a)));
    assert!(!engine.write(move |tx| network::detach(tx, one, a)));
    assert_eq!(engine.read(move |tx| network::interfaces(tx, one)), [second]);
    assert!(engine.read(move |tx| network::has_interface(tx, one)));
    assert!(engine.write(move |tx| network::detach(tx, one, b)));
    assert!(!engine.read(move |tx| network::has_interface(tx, one)));
    assert!(engine.read(move |tx| network::has_interface(tx, balancer)));
}

fn aliases(engine: &Engine) {
    let (_, a, _) = two(engine);
    let (one, two) = (Target::new(Kind::Server, 7), Target::new(Kind::Server, 8));
    let first = attach(engine, one, seat(a, 1, "10.0.1.1", &["10.0.1.9", "10.0.1.8"])).unwrap();
    attach(engine, two, seat(a, 1, "10.0.1.2", &[])).unwrap();
    let change = |alias_ips: &[&str]| {
        let changed = Interface { number: first.number, ..seat(a, 1, "10.0.1.1", alias_ips) };
        engine.try_write(move |tx| network::replace_aliases(tx, one, &changed))
    };
    change(&["10.0.1.8", "10.0.1.7"]).unwrap();
    let seen = || engine.read(move |tx| network::interface(tx, one, a)).unwrap().alias_ips;
    assert_eq!(seen(), [ip("10.0.1.8"), ip("10.0.1.7")]);
    for taken in ["10.0.1.2", "10.0.1.1"] {
        let refused = change(&["10.0.1.6", taken]).unwrap_err();
        assert_eq!(refused, Error::ip_not_available(ip(taken)));
    }
    assert_eq!(seen(), [ip("10.0.1.8"), ip("10.0.1.7")], "a refusal changes nothing");
    change(&[]).unwrap();
    assert!(seen().is_empty());
}

fn the_same_address_twice(engine: &Engine) {
    let (_, a, b) = two(engine);
    let (one, two) = (Target::new(Kind::Server, 7), Target::new(Kind::LoadBalancer, 8));
    attach(engine, one, seat(a, 1, "10.0.1.1", &["10.0.1.2"])).unwrap();
    for own in ["10.0.1.1", "10.0.1.2"] {
        let refused = attach(engine, two, seat(a, 1, own, &[])).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::IpNotAvailable, "{own}");
    }
    attach(engine, two, seat(b, 1, "10.0.1.1", &[])).unwrap();
    let twice = attach(engine, one, seat(a, 2, "10.0.1.3", &[]));
    assert!(matches!(twice, Err(Error::Internal { .. })), "a member is in a network once: {twice:?}");
}

fn members_are_listed(engine: &Engine) {
    let (project, a, _) = two(engine);
    let id = engine.write(move |tx| {
        let mut new = sample::server(tx, project, "web", &[])?;
        new.status = Status::Off;
        server::insert(tx, &new)?;
        Ok(new.id)
    });
    attach(engine, Target::new(Kind::Server, id), seat(a, 1, "10.0.1.2", &["10.0.1.9", "10.0.1.3"])).unwrap();
    attach(engine, Target::new(Kind::LoadBalancer, id), seat(a, 1, "10.0.1.1", &[])).unwrap();
    let listed = engine.read(move |tx| network::members_with_addresses(tx, a));
    let shown: Vec<_> = listed.iter().map(|m| (m.target.kind, m.ip, m.alias_ips.len(), m.status)).collect();
    let expected =
        [(Kind::LoadBalancer, ip("10.0.1.1"), 0, None), (Kind::Server, ip("10.0.1.2"), 2, Some(Status::Off))];
    assert_eq!(shown, expected);
    assert_eq!(listed[1].alias_ips, [ip("10.0.1.9"), ip("10.0.1.3")]);
}

fn vswitches(engine: &Engine) {
    let couple = |id: Id, network: Id| engine.try_write(move |tx| vswitch::couple(tx, id, network));
    assert_eq!(couple(42, 1), Err(Error::vswitch_not_found()));
    engine.write(|tx| vswitch::insert(tx, 42));
    engine.write(|tx| vswitch::insert(tx, 42));
    engine.write(|tx| vswitch::insert(tx, 7));
    couple(42, 1).unwrap();
    assert_eq!(couple(42, 2), Err(Error::vswitch_used()));
    assert_eq!(couple(42, 1), Err(Error::vswitch_used()));
    let all = engine.read(vswitch::list);
    assert_eq!(all.iter().map(|v| (v.id, v.network)).collect::<Vec<_>>(), [(7, None), (42, Some(1))]);
    assert!(!engine.write(|tx| vswitch::delete(tx, 42)), "it is used");
    engine.write(|tx| vswitch::release(tx, 42));
    couple(42, 2).unwrap();
    couple(7, 2).unwrap();
    engine.write(|tx| vswitch::release_all(tx, 2));
    assert!(engine.write(|tx| vswitch::delete(tx, 42)) && !engine.write(|tx| vswitch::delete(tx, 42)));
    assert_eq!(engine.read(|tx| vswitch::get(tx, 7)).unwrap().network, None);
}

fn invariants_are_asked(engine: &Engine) {
    let (_, a, _) = two(engine);
    engine.read(invariant::check);
    attach(engine, Target::new(Kind::Server, 7), seat(a, 1, "10.0.1.1", &[])).unwrap();
    let Err(Error::Internal { internal }) = engine.db.read_blocking(invariant::check) else { panic!("not found") };
    assert!(internal.contains("MEMBER_OF_NO_NETWORK"), "nobody is in a network: {internal}");
    engine.write(move |tx| network::detach(tx, Target::new(Kind::Server, 7), a));
    engine.write(|tx| {
        vswitch::insert(tx, 42)?;
        vswitch::couple(tx, 42, 99)
    });
    let Err(Error::Internal { internal }) = engine.db.read_blocking(invariant::check) else { panic!("not found") };
    assert!(internal.contains("VSWITCH_OF_NO_NETWORK"), "{internal}");
}

/// Addresses are taken and given back in a disorder that is the same each time; what is said to be free is.
fn free_addresses(engine: &Engine) {
    /// The addresses that are played with: more than fit at once are never wanted.
    const SPAN: u32 = 24;
    let (project, a, b) = two(engine);
    let servers: Vec<Id> = engine.write(move |tx| {
        let make = |n| {
            let mut new = sample::server(tx, project, &format!("s{n}"), &[])?;
            new.status = Status::Off;
            server::insert(tx, &new)?;
            Ok(new.id)
        };
        (0..6).map(make).collect()
    });
    let at = |offset: u32| Ipv4Addr::from(u32::from(ip("10.0.1.0")) + offset);
    // The other network's addresses are its own.
    attach(engine, Target::new(Kind::Server, servers[0]), seat(b, 2, "10.0.1.3", &[])).unwrap();
    let mut seed = 7_u32;
    let mut dice = move |sides: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) % sides
    };
    for _ in 0..80 {
        let member = Target::new(Kind::Server, servers[dice(6) as usize]);
        let (own, aliases) = (at(dice(SPAN)), (0..dice(4)).map(|_| at(dice(SPAN))).collect::<Vec<_>>());
        let new = Interface { network: a, slot: 1, number: 0, ip: own, alias_ips: aliases };
        match engine.read(move |tx| network::interface(tx, member, a)) {
            Some(_) if dice(2) == 0 => assert!(engine.write(move |tx| network::detach(tx, member, a))),
            Some(old) => {
                let changed = Interface { alias_ips: new.alias_ips, ..old };
                // Refused where one of them is taken, or named twice.
                drop(engine.try_write(move |tx| network::replace_aliases(tx, member, &changed)));
            }
            None => drop(attach(engine, member, new)),
        }
        let (all, members) = (ip("10.0.0.0")..=ip("10.0.255.255"), engine.read(move |tx| network::members(tx, a)));
        let taken = engine.read(move |tx| network::taken(tx, a, all.clone()));
        for offset in 0..=SPAN {
            let expected = (offset..).map(at).find(|address| !taken.contains(address));
            assert_eq!(engine.read(move |tx| network::free_from(tx, a, at(offset))), expected, "{taken:?}");
        }
        assert_eq!(engine.read(move |tx| network::member_count(tx, a)), members.len() as i64);
        engine.read(invariant::check);
    }
    let last = Ipv4Addr::BROADCAST;
    assert_eq!(engine.read(move |tx| network::free_from(tx, a, last)), Some(last));
    let one = servers[0];
    let rev = |engine: &Engine| engine.read(move |tx| server::rev(tx, project, one)).unwrap();
    let before = rev(engine);
    engine.write(move |tx| {
        network::detach_all(tx, b)?;
        network::detach_all(tx, a)
    });
    assert!(rev(engine) > before, "who is taken out is touched");
    assert_eq!(engine.read(move |tx| network::free_from(tx, a, at(0))), Some(at(0)));
    assert_eq!(engine.read(move |tx| network::member_count(tx, a)), 0);
    engine.read(invariant::check);
}

fn networks_in_common(engine: &Engine) {
    let (_, a, b) = two(engine);
    let (one, two, other) =
        (Target::new(Kind::Server, 7), Target::new(Kind::Server, 8), Target::new(Kind::LoadBalancer, 9));
    for (member, network, address) in
        [(one, a, "10.0.1.1"), (two, a, "10.0.1.2"), (other, a, "10.0.1.3"), (two, b, "10.0.1.2"), (one, b, "10.0.1.1")]
    {
        attach(engine, member, seat(network, u32::try_from(network).unwrap(), address, &[])).unwrap();
    }
    assert_eq!(engine.read(move |tx| network::shared(tx, a)), [(b, one)], "one of them");
    engine.write(move |tx| network::detach(tx, one, a));
    assert_eq!(engine.read(move |tx| network::shared(tx, a)), [(b, two)]);
    engine.write(move |tx| network::detach(tx, two, b));
    assert_eq!(engine.read(move |tx| network::shared(tx, a)), []);
}
