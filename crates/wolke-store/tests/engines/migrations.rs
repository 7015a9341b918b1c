//! Databases of earlier releases: what they hold is still there when a newer one opens them.

use crate::common::{Engine, Place, file_place, schema_place};
use crate::sample;
use std::collections::BTreeMap;
use wolke_domain::primary_ip::Assignee;
use wolke_domain::zone::{Record, Spec};
use wolke_store::migrate::{Role, for_postgres, for_sqlite};
use wolke_store::primary_ip::{self, Details, PrimaryIp};
use wolke_store::{
    Counter, address, firewall, invariant, label, load_balancer, load_balancer_health, network, rrset, selection, zone,
};
use wolke_wire::cloud::rrset::RrsetType;
use wolke_wire::{Id, Kind, Timestamp};

/// The last schema in which firewalls kept selectors of their own.
const OWN_SELECTORS: i64 = 5;

/// Two firewalls with three selectors and servers that came by them, by name, or in both ways; another selection that was
/// there already; addresses
/// in networks, and zones whose sets nobody has counted.
const EARLIER: &str = "
    INSERT INTO project (id, name, created) VALUES (1, 'p', 5);
    INSERT INTO resource_count (kind, project, n) VALUES ('server', 1, 3), ('firewall', 1, 2), ('zone', 1, 2), ('network', 1, 2);
    INSERT INTO counter (name, next) VALUES ('selection', 8), ('rrset', 3);
    INSERT INTO servers (id, project, name, created, status, host, rev, generation, doc) VALUES
        (1, 1, 'a', 5, 'off', NULL, 1, 1, '{}'), (2, 1, 'b', 5, 'off', NULL, 1, 1, '{}'), (3, 1, 'c', 5, 'off', NULL, 1, 1, '{}');
    INSERT INTO firewalls (id, project, name, created, rev, generation, doc) VALUES (1, 1, 'f', 5, 1, 1, '{}'), (2, 1, 'g', 5, 1, 1, '{}');
    INSERT INTO selection (id, project, kind, owner, selector) VALUES (7, 1, 'load_balancer', 1, 'env');
    INSERT INTO firewall_selectors (project, firewall, selector) VALUES (1, 1, 'env=prod'), (1, 2, 'env=prod'), (1, 1, 'a');
    INSERT INTO firewall_servers (firewall, via, server) VALUES (1, 'env=prod', 1), (1, 'env=prod', 2), (1, '', 2), (2, 'env=prod', 3), (2, '', 1);
    INSERT INTO networks (id, project, name, created, rev, generation, doc) VALUES (1, 1, 'n', 5, 1, 1, '{}'), (2, 1, 'm', 5, 1, 1, '{}');
    INSERT INTO network_addresses (network, ip, kind, member, position, slot, interface) VALUES (1, 100, 'server', 1, 0, 1, 1),
        (1, 101, 'server', 1, 1, 1, 1), (1, 104, 'server', 1, 2, 1, 1), (1, 102, 'server', 2, 0, 1, 2), (2, 103, 'server', 2, 0, 2, 3);
    INSERT INTO zones (id, project, name, created, mode, record_count, rev, generation, doc) VALUES
        (1, 1, 'example.com', 5, 'primary', 3, 1, 1, '{\"v\":1,\"ttl\":3600,\"registrar\":\"other\"}'), (2, 1, 'example.org', 5, 'secondary', 0, 1, 1, '{}');
    INSERT INTO rrsets (id, project, zone, path, name, type, created, protected, size, records, rev, generation, doc) VALUES
        (1, 1, 1, '@/SOA', '@', 'SOA', 5, 0, 1, '[{\"v\":\"a. b. 1 2 3 4 5\"}]', 1, 1, '{\"v\":1}'),
        (2, 1, 1, 'a/TXT', 'a', 'TXT', 5, 0, 2, '[{\"v\":\"ä\"},{\"v\":\"b\"}]', 1, 1, '{\"v\":1,\"labels\":{\"a\":\"b\"}}');
    INSERT INTO label (kind, project, key, value, id) VALUES ('rrset', 1, 'a', 'b', 2);
    INSERT INTO label_count (kind, project, key, value, n) VALUES ('rrset', 1, 'a', 'b', 1);
    INSERT INTO label_key_count (kind, project, key, n) VALUES ('rrset', 1, 'a', 1);";

/// A world of an earlier schema with rows in it.
fn make(place: &Place, schema: i64, rows: &str) {
    let migrations = Role::World.migrations().iter().filter(|migration| migration.number <= schema);
    match place {
        Place::File(path) => {
            let connection = rusqlite::Connection::open(path).unwrap();
            migrations.for_each(|migration| connection.execute_batch(&for_sqlite(migration.sql)).unwrap());
            connection.execute_batch(rows).unwrap();
            connection.pragma_update(None, "user_version", schema).unwrap();
        }
        Place::Schema(url, name) => {
            let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
            let version = format!(
                "CREATE SCHEMA \"{name}\"; SET search_path TO \"{name}\"; CREATE TABLE schema_version (version BIGINT NOT NULL);
                 INSERT INTO schema_version (version) VALUES ({schema});"
            );
            client.batch_execute(&version).unwrap();
            migrations.for_each(|migration| client.batch_execute(&for_postgres(migration.sql)).unwrap());
            client.batch_execute(rows).unwrap();
        }
    }
}

fn selectors_become_selections(place: Place) {
    make(&place, OWN_SELECTORS, EARLIER);
    let engine = Engine::at(place, Role::World);
    // Whose the selector is came with this schema: load balancer 1. The first id of a counter may make PostgreSQL begin anew, and
    // skip what was taken before.
    engine.write(|tx| tx.next_id(Counter::Kind(Kind::PrimaryIp)));
    engine.write(|tx| {
        let owner = sample::load_balancer(tx, 1, "lb")?;
        load_balancer::insert(tx, &owner)
    });
    engine.read(invariant::check);
    let of = |firewall: Id| {
        let found = engine.read(move |tx| selection::of_owner(tx, (Kind::Firewall, firewall)));
        found.into_iter().map(|one| (one.id, one.selector, one.servers)).collect::<Vec<_>>()
    };
    assert_eq!(of(1), [(8, "a".to_owned(), vec![]), (9, "env=prod".to_owned(), vec![1, 2])]);
    assert_eq!(of(2), [(10, "env=prod".to_owned(), vec![3])]);
    let named = |id: Id| engine.read(move |tx| firewall::applied(tx, id, i64::MAX)).servers;
    assert_eq!((named(1), named(2)), (vec![2], vec![1]));
    let kept = engine.read(|tx| selection::of_owner(tx, (Kind::LoadBalancer, 1)));
    assert_eq!(kept.iter().map(|one| one.id).collect::<Vec<_>>(), [7]);
    // The next one gets an id of its own.
    engine.write(|tx| selection::add(tx, 1, (Kind::Firewall, 2), "new"));
    assert_eq!(of(2)[1].0, 11);
    // Which addresses are free is known, and who is a member.
    let free = |from: u32| engine.read(move |tx| network::free_from(tx, 1, from.into())).map(u32::from);
    assert_eq!([99, 100, 103, 104, 105].map(free), [99, 103, 103, 105, 105].map(Some));
    assert_eq!(engine.read(|tx| network::member_count(tx, 1)), 2);
    // A zone's sets were counted in bytes: ä has two of them.
    let set = Spec { name: "www".into(), kind: RrsetType::A, ttl: None, records: vec![Record::new("192.0.2.1")] };
    let all = engine.write(move |tx| {
        let zone = zone::get(tx, 1, 1)?.unwrap();
        Ok(rrset::insert(tx, &zone.value, vec![(set.clone(), BTreeMap::new())])?.1)
    });
    assert_eq!(all.sets, 3);
    engine.read(invariant::check);
    // The labels that its sets had before are found when it goes.
    engine.write(|tx| {
        let zone = zone::get(tx, 1, 1)?.unwrap().value;
        rrset::delete_all(tx, &zone)?;
        zone::delete(tx, &zone)?;
        invariant::check(tx)
    });
    assert_eq!(engine.read(|tx| label::count_pair(tx, Kind::Rrset, 1, "a", "b")), 0);
}

/// Without a selector nothing is counted.
fn nothing_becomes_nothing(place: Place) {
    make(&place, OWN_SELECTORS, "INSERT INTO project (id, name, created) VALUES (1, 'p', 5);");
    let engine = Engine::at(place, Role::World);
    engine.write(|tx| selection::add(tx, 1, (Kind::LoadBalancer, 2), "new"));
    let found = engine.read(|tx| selection::of_owner(tx, (Kind::LoadBalancer, 2)));
    assert_eq!(found.iter().map(|one| one.id).collect::<Vec<_>>(), [1]);
}

/// The last schema in which load balancers had addresses of their own, and no health check took time.
const OWN_ADDRESSES: i64 = 6;

/// Two load balancers, one with reverse DNS entries of both addresses; a server's primary IP whose name is the one that a new
/// one would get; an address that is free again.
const BALANCED: &str = r#"
    INSERT INTO project (id, name, created) VALUES (1, 'p', 5), (2, 'q', 5);
    INSERT INTO resource_count (kind, project, n) VALUES ('primary_ip', 1, 1), ('load_balancer', 1, 1), ('load_balancer', 2, 1), ('server', 1, 1);
    INSERT INTO counter (name, next) VALUES ('primary_ip', 5), ('load_balancer', 9);
    INSERT INTO servers (id, project, name, created, status, host, rev, generation, doc) VALUES (3, 1, 'a', 5, 'off', NULL, 1, 1, '{}');
    INSERT INTO address_pool (id, family, cidr, capacity, cursor, released) VALUES (1, 4, '198.18.0.0/24', 9, 4, 1), (2, 6, '2001:db8::/56', 9, 2, 0);
    INSERT INTO address (pool, position, kind, owner) VALUES (1, 0, 'primary_ip', 4), (1, 1, 'load_balancer', 3), (1, 3, 'load_balancer', 8),
        (2, 0, 'load_balancer', 3), (2, 1, 'load_balancer', 8);
    INSERT INTO address_free (pool, turn, position) VALUES (1, 1, 2);
    INSERT INTO primary_ips (id, project, name, created, ip, family, assignee, rev, generation, doc) VALUES
        (4, 1, 'primary_ip-6', 5, '198.18.0.1', 4, 3, 1, 1, '{"v":1,"location":1,"datacenter":4,"auto_delete":true}');
    INSERT INTO load_balancers (id, project, name, created, rev, generation, doc) VALUES
        (3, 1, 'one', 7, 1, 1, '{"v":1,"location":2,"load_balancer_type":1,"algorithm":"round_robin","public_interface":true,"ipv4":{"ip":"198.18.0.2"},"ipv6":{"ip":"2001:db8::1"},"dns_ptr":{"198.18.0.2":"a.example.com","2001:db8::1":"b.example.com"}}'),
        (8, 2, 'two', 8, 1, 1, '{"v":1,"location":1,"load_balancer_type":1,"algorithm":"round_robin","public_interface":false,"ipv4":{"ip":"198.18.0.4"},"ipv6":{"ip":"2001:db8:0:1::1"}}');
"#;

/// Load balancers keep their addresses, which are primary IPs from now on.
fn addresses_become_primary_ips(place: Place) {
    make(&place, OWN_ADDRESSES, BALANCED);
    let engine = Engine::at(place, Role::World);
    engine.read(invariant::check);
    let of = |balancer: Id| {
        let found = engine.read(move |tx| primary_ip::of_load_balancer(tx, balancer));
        found.into_iter().map(|stored| stored.value).collect::<Vec<_>>()
    };
    let entries = |pairs: &[(&str, &str)]| sample::labels(pairs);
    let expected = |id: Id, project: Id, name: &str, ip: &str, created: i64, balancer: Id| PrimaryIp {
        id,
        project,
        name: name.to_owned(),
        created: Timestamp(created),
        ip: ip.to_owned(),
        family: if ip.contains(':') { 6 } else { 4 },
        assignee: Some(Assignee::LoadBalancer(balancer)),
        details: Details {
            v: 1,
            location: if project == 1 { 2 } else { 1 },
            datacenter: None,
            auto_delete: true,
            dns_ptr: BTreeMap::new(),
            delete_protected: false,
            blocked: false,
            labels: BTreeMap::new(),
        },
    };
    let mut four = expected(5, 1, "primary_ip-5", "198.18.0.2", 7, 3);
    four.details.dns_ptr = entries(&[("198.18.0.2", "a.example.com")]);
    let mut six = expected(6, 1, "primary_ip-6-of-load-balancer-3", "2001:db8::/64", 7, 3);
    six.details.dns_ptr = entries(&[("2001:db8::1", "b.example.com")]);
    assert_eq!(of(3), [four, six]);
    let four = expected(7, 2, "primary_ip-7", "198.18.0.4", 8, 8);
    assert_eq!(of(8), [four, expected(8, 2, "primary_ip-8", "2001:db8:0:1::/64", 8, 8)]);
    // A server has the number of a load balancer, and keeps its own.
    assert_eq!(engine.read(|tx| primary_ip::of_server(tx, 3)).len(), 1);
    // The next one gets an id and an address of its own, and the load balancers go like any others.
    engine.write(|tx| {
        let made = sample::primary_ip(tx, 1, "next", "198.18.0.5", None)?;
        assert_eq!((made.id, address::allocate(tx, 4, Kind::PrimaryIp, made.id)?.position), (9, 4));
        primary_ip::insert(tx, &made)
    });
    // Checks of what is there take no time, until somebody wants them to.
    assert_eq!(engine.read(|tx| load_balancer_health::of_pace(tx, false, 0, 9)), [(3, 1), (8, 2)]);
    engine.write(|tx| load_balancer_health::begin(tx, 3, 7));
    assert_eq!(engine.read(|tx| load_balancer_health::of_pace(tx, true, 0, 9)), [(3, 1)]);
    for (project, id) in [(1, 3), (2, 8)] {
        engine.write(move |tx| {
            let old = load_balancer::expect(tx, project, id)?;
            sample::remove_load_balancer(tx, &old.value)
        });
    }
    engine.read(invariant::check);
}

/// Without load balancers nothing is made.
fn no_addresses_become_nothing(place: Place) {
    make(&place, OWN_ADDRESSES, "INSERT INTO project (id, name, created) VALUES (1, 'p', 5);");
    let engine = Engine::at(place, Role::World);
    engine.read(invariant::check);
    assert_eq!(engine.write(|tx| sample::primary_ip(tx, 1, "first", "198.18.0.1", None)).id, 1);
}

#[test]
fn addresses_become_primary_ips_on_sqlite() {
    addresses_become_primary_ips(file_place());
    no_addresses_become_nothing(file_place());
}

#[test]
fn addresses_become_primary_ips_on_postgres() {
    for case in [addresses_become_primary_ips, no_addresses_become_nothing] {
        if let Some(place) = schema_place("addresses_become_primary_ips_on_postgres") {
            case(place);
        }
    }
}

#[test]
fn selectors_become_selections_on_sqlite() {
    selectors_become_selections(file_place());
    nothing_becomes_nothing(file_place());
}

#[test]
fn selectors_become_selections_on_postgres() {
    for case in [selectors_become_selections, nothing_becomes_nothing] {
        if let Some(place) = schema_place("selectors_become_selections_on_postgres") {
            case(place);
        }
    }
}
