//! Address pools: nothing twice, balanced books, exhaustion, and reuse in the order of release.

use crate::common::Engine;
use std::collections::HashSet;
use wolke_domain::Error;
use wolke_store::address::{self, Allocated};
use wolke_wire::{ErrorCode, Id, Kind};

crate::on_both_engines!(World: drained_in_order, released_first_is_reused_first, families_are_apart);

fn pools(engine: &Engine) {
    engine.write(|tx| {
        address::ensure_pool(tx, 1, 4, "198.18.0.0/30", 3)?;
        address::ensure_pool(tx, 2, 4, "100.64.0.0/30", 2)?;
        address::ensure_pool(tx, 3, 6, "2001:db8::/62", 2)?;
        address::ensure_pool(tx, 1, 4, "198.18.0.0/30", 3)
    });
}

fn take(engine: &Engine, family: i64, owner: Id) -> Result<Allocated, Error> {
    engine.try_write(move |tx| address::allocate(tx, family, Kind::PrimaryIp, owner))
}

fn release(engine: &Engine, owner: Id) {
    engine.write(move |tx| address::release(tx, Kind::PrimaryIp, owner));
}

fn drained_in_order(engine: &Engine) {
    pools(engine);
    let mut seen = HashSet::new();
    for owner in 0..5 {
        let got = take(engine, 4, owner).unwrap();
        assert_eq!(got.cidr, if owner < 3 { "198.18.0.0/30" } else { "100.64.0.0/30" });
        assert!(seen.insert((got.cidr, got.position)));
    }
    let Err(Error::Refused { code, .. }) = take(engine, 4, 5) else { panic!("there is a sixth address") };
    assert_eq!(code, ErrorCode::ResourceUnavailable);
    assert_eq!(engine.read(address::check_balance), 5);
    let cursors: Vec<_> = engine.read(address::pools).iter().map(|p| p.cursor).collect();
    assert_eq!(cursors, [3, 2, 0]);
}

fn released_first_is_reused_first(engine: &Engine) {
    pools(engine);
    let first: Vec<Allocated> = (0..5).map(|owner| take(engine, 4, owner).unwrap()).collect();
    release(engine, 4);
    release(engine, 2);
    release(engine, 0);
    release(engine, 0);
    assert_eq!(engine.read(address::check_balance), 2);
    // The first pool first, and in it the longest released first.
    assert_eq!(take(engine, 4, 10).unwrap(), first[2]);
    assert_eq!(take(engine, 4, 11).unwrap(), first[0]);
    assert_eq!(take(engine, 4, 12).unwrap(), first[4]);
    assert!(take(engine, 4, 13).is_err());
    assert_eq!(engine.read(address::check_balance), 5);
    // A load balancer has one of each family, and no more.
    take(engine, 6, 10).unwrap();
    let twice = take(engine, 6, 10);
    assert!(matches!(twice, Err(Error::Internal { .. })), "one owner has one address of a pool: {twice:?}");
}

fn families_are_apart(engine: &Engine) {
    pools(engine);
    for owner in 0..2 {
        assert_eq!(take(engine, 6, owner).unwrap().cidr, "2001:db8::/62");
    }
    release(engine, 0);
    release(engine, 1);
    for owner in 10..15 {
        take(engine, 4, owner).unwrap();
    }
    assert!(take(engine, 4, 15).is_err(), "what the other family has released is none of it");
    assert_eq!(take(engine, 6, 16).unwrap().position, 0);
}
