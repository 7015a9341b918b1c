//! Zone files in and out.

use super::zones::{WITH_ZONES, primary, soa};
use crate::common::{Setup, World};
use serde_json::{Value, json};
use std::future::{Future as _, poll_fn};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use wolke_control::Caller;
use wolke_store::{Scope, Tx, project, zone};
use wolke_wire::{Dialect, ErrorCode, IdOrName};

const AUTHORITY: &str = "@\tSOA\thydrogen.ns.hetzner.com. dns.hetzner.com. 2025032100 86400 10800 3600000 3600\n\n\
    @\tNS\thydrogen.ns.hetzner.com.\n@\tNS\toxygen.ns.hetzner.com.\n@\tNS\thelium.ns.hetzner.de.\n\n";

const RECORDS: &str = "$ORIGIN\texample.com.\n$TTL\t3600\n\n@ 300 IN CAA 0 issue \"letsencrypt.org\"\n\n\
    @\t600\tIN\tA\t192.168.254.2\n@\t600\tIN\tA\t192.168.254.3\n\n\
    www\tIN\tCNAME\texample.com. ; for people\n\nanything\tIN\tTXT\t\"some value\"\n";

async fn sets(world: &World) -> Value {
    world.see("/zones/example.com/rrsets").await["rrsets"].clone()
}

async fn import(world: &World, text: &str) -> crate::common::Answer {
    world.post("/zones/example.com/actions/import_zonefile", json!({"zonefile": text})).await
}

async fn export(world: &World) -> String {
    world.see("/zones/example.com/zonefile").await["zonefile"].as_str().unwrap().to_owned()
}

/// What a set shows, without what every one has.
fn brief(sets: &Value) -> Vec<(String, Value, usize)> {
    let brief = |set: &Value| {
        (set["id"].as_str().unwrap().to_owned(), set["ttl"].clone(), set["records"].as_array().unwrap().len())
    };
    sets.as_array().unwrap().iter().map(brief).collect()
}

#[tokio::test]
async fn a_zone_is_made_from_a_file() {
    for dialect in WITH_ZONES {
        let world = World::new(dialect).await;
        let mut wanted = primary("example.com");
        wanted["ttl"] = json!(600);
        wanted["zonefile"] = json!(RECORDS);
        let made = world.post("/zones", wanted).await.ok();
        // What every zone must have is added; the file's default TTL is the zone's.
        assert_eq!((&made["zone"]["record_count"], &made["zone"]["ttl"]), (&json!(9), &json!(3600)));
        let sets = sets(&world).await;
        let expected =
            [("@/A", json!(600), 2), ("@/CAA", json!(300), 1), ("@/NS", Value::Null, 3), ("@/SOA", Value::Null, 1)];
        let more = [("anything/TXT", Value::Null, 1), ("www/CNAME", Value::Null, 1)];
        let expected: Vec<_> = expected.into_iter().chain(more).map(|(id, ttl, n)| (id.to_owned(), ttl, n)).collect();
        assert_eq!(brief(&sets), expected, "{dialect}");
        assert_eq!(sets[5]["records"], json!([{"value": "example.com.", "comment": "for people"}]));
    }
}

#[tokio::test]
async fn an_import_replaces_everything() {
    let world = World::new(Dialect::Compat).await;
    world.create("/zones", primary("example.com")).await;
    let old = json!({"name": "old", "type": "A", "labels": {"a": "b"}, "records": [{"value": "192.0.2.1"}]});
    world.post("/zones/example.com/rrsets", old).await.ok();
    world.post("/zones/example.com/actions/change_ttl", json!({"ttl": 60})).await.ok();
    let (_, before) = soa(&world, "example.com").await;
    let done = import(&world, &format!("{AUTHORITY}{RECORDS}")).await;
    assert_eq!((done.status, &done.json["action"]["command"]), (201, &json!("import_zonefile")));
    let zone = world.see("/zones/example.com").await["zone"].clone();
    assert_eq!((&zone["ttl"], &zone["record_count"]), (&json!(3600), &json!(9)));
    world.get("/zones/example.com/rrsets/old/A").await.refused(404, "not_found");
    assert_eq!(world.see("/zones/example.com/rrsets?label_selector=a").await["rrsets"], json!([]));
    assert_eq!(soa(&world, "example.com").await.1, before + 1, "the serial goes on growing, whatever the file says");
    // Without a $TTL the zone keeps its own.
    world.post("/zones/example.com/actions/change_ttl", json!({"ttl": 60})).await.ok();
    import(&world, AUTHORITY).await.ok();
    assert_eq!(world.see("/zones/example.com").await["zone"]["ttl"], 60);
}

/// What the CLI's own suite does: export, a line more, import (fact sheet §4.2).
#[tokio::test]
async fn what_was_exported_can_be_imported() {
    let world = World::new(Dialect::Compat).await;
    world.create("/zones", primary("example.com")).await;
    import(&world, &format!("{AUTHORITY}{RECORDS}")).await.ok();
    let (text, before) = (export(&world).await, sets(&world).await);
    assert!(text.starts_with("$ORIGIN\texample.com.\n$TTL\t3600\n\n@\tIN\tSOA\thydrogen.ns.hetzner.com. "), "{text}");
    assert!(text.contains("\n@\tIN\t600\tA\t192.168.254.2\n"), "{text}");
    assert!(text.contains("\nwww\tIN\tCNAME\texample.com. ; for people\n"), "{text}");
    import(&world, &text).await.ok();
    let mut after = sets(&world).await;
    after[3] = before[3].clone();
    assert_eq!(after, before, "all but the serial");
    import(&world, &format!("{text}\nfoobar\tIN\tA\t192.168.0.2\n")).await.ok();
    let added = world.see("/zones/example.com/rrsets/foobar/A").await["rrset"].clone();
    assert_eq!((&added["ttl"], &added["records"][0]["value"]), (&Value::Null, &json!("192.168.0.2")));
}

#[tokio::test]
async fn wrong_files_change_nothing() {
    let world = World::new(Dialect::Compat).await;
    world.create("/zones", primary("example.com")).await;
    let before = sets(&world).await;
    for (text, why) in [
        ("", "lacks the SOA record of the zone"),
        (
            "@ SOA a b 1 2 3 4 5\n@ NS ns.example.org.",
            "lacks the NS record of the assigned nameserver helium.ns.hetzner.de.",
        ),
        ("$ORIGIN example.org.", "line 1 has an $ORIGIN that is not the zone"),
        ("a A 192.0.2.1\na CNAME b", "line 2: an RRSet of type CNAME cannot stand beside"),
        ("a 1 A x", "line 1 has a TTL out of range"),
        ("a CH A 192.0.2.1", "class other than IN"),
        ("a (", "without a ')'"),
    ] {
        let refused = import(&world, text).await;
        refused.wrong(&["zonefile"]);
        let messages = refused.json["error"]["details"]["fields"][0]["messages"].to_string();
        assert!(messages.contains(why), "{text}: {messages}");
    }
    let many = import(&world, "a A x\nb A y\n").await;
    assert_eq!(many.json["error"]["details"]["fields"][0]["messages"].as_array().unwrap().len(), 2, "all at once");
    world.post("/zones/example.com/actions/import_zonefile", json!({})).await.wrong(&["zonefile"]);
    assert_eq!(sets(&world).await, before);
    let mut wanted = primary("example.org");
    wanted["zonefile"] = json!("a A x");
    world.post("/zones", wanted).await.wrong(&["zonefile"]);
    let mut unnamed = primary("EXAMPLE.org");
    unnamed["zonefile"] = json!("a A 192.0.2.1");
    world.post("/zones", unnamed).await.wrong(&["name"]);
}

/// The TTL by which a file was read is not the zone's any more when its sets come: who imports it tries again.
#[tokio::test]
async fn a_zone_that_changes_while_its_file_is_read() {
    /// How long anything here may take before the test gives up.
    const PATIENCE: Duration = Duration::from_secs(30);
    let mut setup = Setup::new(Dialect::Compat);
    setup.on_disk = true;
    let world = World::with(setup).await;
    let id = world.create("/zones", primary("example.com")).await;
    let text = format!("{}{RECORDS}", AUTHORITY);
    let find = |tx: &mut dyn Tx| Ok(project::by_name(tx, "default")?.unwrap().id);
    let project = world.control.db().read_blocking(find).unwrap();
    let (began, begins) = channel::<()>();
    let (go, goes) = channel::<()>();
    let goes = Mutex::new(goes);
    // Holds the writer until the import has read the zone and the file, and waits behind it.
    let control = Arc::clone(&world.control);
    let other = std::thread::spawn(move || {
        control.db().write_blocking(Scope::new(), move |tx: &mut dyn Tx| {
            began.send(()).unwrap();
            goes.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            let old = zone::get(tx, project, id)?.unwrap();
            let mut new = old.value.clone();
            new.details.ttl = 60;
            zone::update(tx, &old, &new)
        })
    });
    begins.recv_timeout(PATIENCE).unwrap();
    let caller = Caller { project, dialect: Dialect::Compat, operation: "" };
    let request = serde_json::from_value(json!({"zonefile": text})).unwrap();
    let mut under_way = Box::pin(world.control.import_zonefile(&caller, IdOrName::Id(id), request));
    let once = poll_fn(|context| Poll::Ready(under_way.as_mut().poll(context))).await;
    assert!(once.is_pending(), "{once:?}");
    go.send(()).unwrap();
    let outcome = under_way.await.map_err(|error| (error.code(), error.message()));
    let changed = "the zone was changed by another request";
    assert_eq!(outcome.err(), Some((ErrorCode::Conflict, changed.to_owned())));
    other.join().unwrap().unwrap();
    assert_eq!(world.see("/zones/example.com").await["zone"]["ttl"], 60);
    assert_eq!(sets(&world).await.as_array().unwrap().len(), 2, "nothing of the file came");
    import(&world, &text).await.ok();
    assert_eq!(sets(&world).await.as_array().unwrap().len(), 6);
}
