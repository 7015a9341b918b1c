//! Sets of DNS records: life, records, protection, lists, what they refuse.

use super::zones::{WITH_ZONES, primary, soa};
use crate::common::{Answer, World};
use serde_json::{Value, json};
use wolke_wire::Dialect;

const ZONE: &str = "/zones/example.com";

async fn with_zone(dialect: Dialect) -> World {
    let world = World::new(dialect).await;
    world.create("/zones", primary("example.com")).await;
    world
}

fn set(name: &str, kind: &str, values: &[&str]) -> Value {
    json!({"name": name, "type": kind, "records": records(values)})
}

fn records(values: &[&str]) -> Value {
    values.iter().map(|value| json!({"value": value})).collect()
}

async fn make(world: &World, name: &str, kind: &str, values: &[&str]) {
    world.post(&format!("{ZONE}/rrsets"), set(name, kind, values)).await.ok();
}

async fn act(world: &World, path: &str, verb: &str, body: Value) -> Answer {
    world.post(&format!("{ZONE}/rrsets/{path}/actions/{verb}"), body).await
}

async fn seen(world: &World, path: &str) -> Value {
    world.see(&format!("{ZONE}/rrsets/{path}")).await["rrset"].clone()
}

async fn values(world: &World, path: &str) -> Vec<String> {
    let records = seen(world, path).await["records"].clone();
    records.as_array().unwrap().iter().map(|record| record["value"].as_str().unwrap().to_owned()).collect()
}

async fn count(world: &World) -> i64 {
    world.see(ZONE).await["zone"]["record_count"].as_i64().unwrap()
}

/// The ids of a list of sets.
async fn listed(world: &World, query: &str) -> Vec<String> {
    let list = world.see(&format!("{ZONE}/rrsets{query}")).await;
    list["rrsets"].as_array().unwrap().iter().map(|set| set["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_life() {
    for dialect in WITH_ZONES {
        let world = with_zone(dialect).await;
        let mut wanted = set("www", "A", &["201.118.10.11", "201.118.10.12"]);
        wanted["ttl"] = json!(300);
        wanted["labels"] = json!({"key": "value"});
        wanted["records"][0]["comment"] = json!("web server 1");
        let made = world.post(&format!("{ZONE}/rrsets"), wanted.clone()).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        let zone = world.see(ZONE).await["zone"].clone();
        assert_eq!(
            (&made["action"]["command"], &made["action"]["status"]),
            (&json!("create_rrset"), &json!("success"))
        );
        assert_eq!(made["action"]["resources"], json!([{"id": zone["id"], "type": "zone"}]));
        let expected = json!({"id": "www/A", "name": "www", "type": "A", "ttl": 300, "labels": {"key": "value"},
            "protection": {"change": false}, "zone": zone["id"], "records": [
                {"value": "201.118.10.11", "comment": "web server 1"}, {"value": "201.118.10.12", "comment": ""}]});
        assert_eq!(made["rrset"], expected);
        assert_eq!(seen(&world, "www/A").await, expected);
        assert_eq!(zone["record_count"], 6);
        let again = world.post(&format!("{ZONE}/rrsets"), wanted).await;
        again.refused(409, "uniqueness_error");
        assert_eq!(again.json["error"]["details"]["fields"], json!([{"name": "name"}, {"name": "type"}]));

        let path = format!("{ZONE}/rrsets/www/A");
        let updated = world.put(&path, json!({"labels": {"other": ""}})).await.ok();
        assert_eq!(updated["rrset"]["labels"], json!({"other": ""}));
        assert_eq!(world.put(&path, json!({})).await.ok(), updated, "a read");
        let ttl = act(&world, "www/A", "change_ttl", json!({"ttl": null})).await.ok();
        assert_eq!(ttl["action"]["command"], "change_rrset_ttl");
        assert_eq!(seen(&world, "www/A").await["ttl"], Value::Null);
        act(&world, "www/A", "change_ttl", json!({"ttl": 59})).await.wrong(&["ttl"]);
        act(&world, "www/A", "change_ttl", json!({})).await.wrong(&["ttl"]);
        let gone = world.delete(&path).await;
        assert_eq!(gone.status, 201);
        assert_eq!(gone.ok()["action"]["command"], "delete_rrset");
        assert_eq!(world.get(&path).await.refused(404, "not_found").message(), "RRSet 'www/A' not found");
        assert_eq!(count(&world).await, 4);
        for missing in ["www/A", "www/XYZ", "www%2Fx/A", "%00/A", "a+b/A"] {
            world.get(&format!("{ZONE}/rrsets/{missing}")).await.refused(404, "not_found");
            world.delete(&format!("{ZONE}/rrsets/{missing}")).await.refused(404, "not_found");
        }
        make(&world, "*", "A", &["192.0.2.1"]).await;
        assert_eq!(seen(&world, "%2A/A").await["id"], "*/A");
        assert_eq!(seen(&world, "%40/SOA").await["id"], "@/SOA");
    }
}

#[tokio::test]
async fn records_are_set_added_changed_and_removed() {
    let world = with_zone(Dialect::Compat).await;
    // Adding makes the set when it is missing.
    let added = act(&world, "www/A", "add_records", json!({"records": records(&["192.0.2.1"]), "ttl": 300})).await;
    assert_eq!((added.status, &added.json["action"]["command"]), (201, &json!("add_rrset_records")));
    assert_eq!(seen(&world, "www/A").await["ttl"], 300);
    act(&world, "www/A", "add_records", json!({"records": records(&["192.0.2.2"]), "ttl": 300})).await.ok();
    act(&world, "www/A", "add_records", json!({"records": records(&["192.0.2.3"])})).await.ok();
    assert_eq!(values(&world, "www/A").await, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    assert_eq!(count(&world).await, 7);
    act(&world, "www/A", "add_records", json!({"records": records(&["192.0.2.4"]), "ttl": 600})).await.wrong(&["ttl"]);
    let twice = json!({"records": records(&["192.0.2.9", "192.0.2.3"])});
    act(&world, "www/A", "add_records", twice).await.wrong(&["records[1].value"]);

    let set = act(&world, "www/A", "set_records", json!({"records": records(&["192.0.2.8", "192.0.2.7"])})).await.ok();
    assert_eq!(set["action"]["command"], "set_rrset_records");
    assert_eq!(values(&world, "www/A").await, ["192.0.2.8", "192.0.2.7"], "in the given order");
    act(&world, "web/A", "set_records", json!({"records": records(&["192.0.2.8"])})).await.refused(404, "not_found");

    let noted = json!({"records": [{"value": "192.0.2.7", "comment": "new"}]});
    let updated = act(&world, "www/A", "update_records", noted.clone()).await;
    assert_eq!((updated.status, &updated.json["action"]["command"]), (200, &json!("update_rrset_records")));
    assert_eq!(
        seen(&world, "www/A").await["records"],
        json!([{"value": "192.0.2.8", "comment": ""}, {"value": "192.0.2.7", "comment": "new"}])
    );
    act(&world, "www/A", "update_records", json!({"records": [{"value": "192.0.2.7", "comment": ""}]})).await.ok();
    assert_eq!(seen(&world, "www/A").await["records"][1]["comment"], "");
    let missing = json!({"records": [{"value": "192.0.2.99", "comment": "x"}]});
    let missing = act(&world, "www/A", "update_records", missing).await;
    assert_eq!(missing.refused(404, "not_found").message(), "record with value '192.0.2.99' not found");
    act(&world, "www/A", "update_records", json!({"records": [{"value": "192.0.2.7"}]}))
        .await
        .wrong(&["records[0].comment"]);

    let removed = act(&world, "www/A", "remove_records", json!({"records": records(&["192.0.2.8"])})).await.ok();
    assert_eq!(removed["action"]["command"], "remove_rrset_records");
    act(&world, "www/A", "remove_records", json!({"records": records(&["192.0.2.8"])})).await.refused(404, "not_found");
    act(&world, "www/A", "remove_records", json!({"records": records(&["192.0.2.7"])})).await.ok();
    world.get(&format!("{ZONE}/rrsets/www/A")).await.refused(404, "not_found");
    assert_eq!(count(&world).await, 4, "an empty set is none");
    for verb in ["set_records", "add_records", "remove_records", "update_records"] {
        act(&world, "@/NS", verb, json!({"records": []})).await.wrong(&["records"]);
        act(&world, "@/NS", verb, json!({})).await.wrong(&["records"]);
    }
    act(&world, "Www./A", "add_records", json!({"records": records(&["x"])}))
        .await
        .wrong(&["name", "records[0].value"]);
    act(&world, "www/XYZ", "add_records", json!({"records": records(&["x"])})).await.refused(404, "not_found");
}

#[tokio::test]
async fn what_a_set_cannot_be() {
    let world = with_zone(Dialect::Compat).await;
    let path = format!("{ZONE}/rrsets");
    world.post(&path, json!({})).await.wrong(&["name", "records", "type"]);
    for (name, kind, given, wrong) in [
        ("WWW", "A", &["192.0.2.1"][..], vec!["name"]),
        ("www.example.com", "A", &["192.0.2.1"], vec!["name"]),
        ("www.", "AAAA", &["192.0.2.1"], vec!["name", "records[0].value"]),
        ("\u{2709}", "A", &["192.0.2.1"], vec!["name"]),
        ("www", "A", &[], vec!["records"]),
        ("www", "A", &["192.0.2.1", "192.0.2.1"], vec!["records[1].value"]),
        ("www", "AAAA", &["2001:db8::1", "2001:0db8::1"], vec!["records[1].value"]),
        ("www", "TXT", &["not quoted"], vec!["records[0].value"]),
        ("www", "CNAME", &["a", "b"], vec!["records"]),
        ("@", "CNAME", &["a"], vec!["type"]),
        ("@", "DS", &["1 8 9 ab"], vec!["type"]),
        ("www", "SOA", &["a. b. 1 2 3 4 5"], vec!["type"]),
        ("www", "MX", &["10"], vec!["records[0].value"]),
    ] {
        world.post(&path, set(name, kind, given)).await.wrong(&wrong);
    }
    let mut deep = set("www", "A", &["192.0.2.1"]);
    deep["records"][0]["comment"] = json!("two\nlines");
    deep["labels"] = json!({"-": ""});
    world.post(&path, deep).await.wrong(&["labels.-", "records[0].comment"]);
    world.post(&path, set("@", "SOA", &["a. b. 1 2 3 4 5"])).await.refused(409, "uniqueness_error");

    // A CNAME stands alone, whichever comes first.
    make(&world, "www", "A", &["192.0.2.1"]).await;
    make(&world, "blog", "CNAME", &["www"]).await;
    let beside = world.post(&path, set("www", "CNAME", &["example.org."])).await;
    beside.wrong(&["type"]);
    assert!(beside.message().ends_with("cannot stand beside the RRSet of type A with the same name"));
    world.post(&path, set("blog", "TXT", &["\"x\""])).await.wrong(&["type"]);
    act(&world, "blog/A", "add_records", json!({"records": records(&["192.0.2.1"])})).await.wrong(&["type"]);
    act(&world, "blog/CNAME", "add_records", json!({"records": records(&["b"])})).await.wrong(&["records"]);
    act(&world, "blog/CNAME", "set_records", json!({"records": records(&["a", "b"])})).await.wrong(&["records"]);
    assert_eq!(listed(&world, "").await, ["@/NS", "@/SOA", "blog/CNAME", "www/A"]);
}

#[tokio::test]
async fn every_type_has_its_data() {
    let world = with_zone(Dialect::Compat).await;
    for (kind, value) in [
        ("A", "192.0.2.1"),
        ("AAAA", "fdd0:367a:0cb7::2"),
        ("CAA", "0 issue \"letsencrypt.org\""),
        ("CNAME", "example.org."),
        ("DS", "1 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        ("HINFO", "\"x86\" \"Linux\""),
        ("HTTPS", "1 . alpn=h2,h3"),
        ("MX", "10 mail.example.org."),
        ("NS", "ns1.example.org."),
        ("PTR", "host.example.org."),
        ("RP", "admin.example.org. ."),
        ("SRV", "0 5 5060 sip.example.org."),
        ("SVCB", "16 foo.example.org. port=53"),
        ("TLSA", "3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        ("TXT", "\"v=spf1 -all\" \"\u{1f36a}\""),
    ] {
        let name = format!("t-{}", kind.to_lowercase());
        make(&world, &name, kind, &[value]).await;
        assert_eq!(values(&world, &format!("{name}/{kind}")).await, [value], "as it was written");
        world.post(&format!("{ZONE}/rrsets"), set("bad", kind, &["\"\" ; ("])).await.wrong(&["records[0].value"]);
    }
}

#[tokio::test]
async fn the_serial_grows_with_the_data() {
    let world = with_zone(Dialect::Compat).await;
    let serial = async || soa(&world, "example.com").await.1;
    let first = serial().await;
    make(&world, "www", "A", &["192.0.2.1"]).await;
    assert_eq!(serial().await, first + 1);
    act(&world, "www/A", "change_ttl", json!({"ttl": 60})).await.ok();
    act(&world, "www/A", "add_records", json!({"records": records(&["192.0.2.2"])})).await.ok();
    act(&world, "www/A", "set_records", json!({"records": records(&["192.0.2.3"])})).await.ok();
    assert_eq!(serial().await, first + 4);
    act(&world, "www/A", "set_records", json!({"records": records(&["192.0.2.3"])})).await.ok();
    act(&world, "www/A", "update_records", json!({"records": [{"value": "192.0.2.3", "comment": "x"}]})).await.ok();
    act(&world, "www/A", "change_protection", json!({"change": true})).await.ok();
    world.put(&format!("{ZONE}/rrsets/www/A"), json!({"labels": {"a": "b"}})).await.ok();
    assert_eq!(serial().await, first + 4, "none of this is data");
    act(&world, "www/A", "change_protection", json!({"change": false})).await.ok();
    act(&world, "www/A", "remove_records", json!({"records": records(&["192.0.2.3"])})).await.ok();
    assert_eq!(serial().await, first + 5);

    // The client's serial is not taken over; everything else is (fact sheet §4.2).
    let value = "ns1.example.com. hostmaster.example.com. 0 3600 600 86400 300";
    act(&world, "@/SOA", "set_records", json!({"records": records(&[value])})).await.ok();
    assert_eq!(soa(&world, "example.com").await.0, value.replace(" 0 ", &format!(" {} ", first + 6)));
    act(&world, "@/SOA", "change_ttl", json!({"ttl": 600})).await.ok();
    assert_eq!(serial().await, first + 7);
    let second = json!({"records": records(&["a. b. 1 2 3 4 5"])});
    act(&world, "@/SOA", "add_records", second).await.wrong(&["records"]);
    let (whole, _) = soa(&world, "example.com").await;
    let empty = json!({"records": records(&[&whole])});
    act(&world, "@/SOA", "remove_records", empty).await.refused(422, "unsupported_error");
    world.delete(&format!("{ZONE}/rrsets/@/SOA")).await.refused(422, "unsupported_error");
}

#[tokio::test]
async fn protection() {
    let world = with_zone(Dialect::Compat).await;
    make(&world, "www", "A", &["192.0.2.1"]).await;
    let on = act(&world, "www/A", "change_protection", json!({"change": true})).await.ok();
    assert_eq!(on["action"]["command"], "change_rrset_protection");
    assert_eq!(seen(&world, "www/A").await["protection"], json!({"change": true}));
    act(&world, "www/A", "change_protection", json!({})).await.wrong(&["change"]);
    let two = json!({"records": [{"value": "192.0.2.1", "comment": ""}]});
    let delete = world.delete(&format!("{ZONE}/rrsets/www/A")).await;
    let mut refusals = vec![delete, act(&world, "www/A", "change_ttl", json!({"ttl": 60})).await];
    for verb in ["set_records", "add_records", "remove_records", "update_records"] {
        refusals.push(act(&world, "www/A", verb, two.clone()).await);
    }
    let zonefile = world.see(&format!("{ZONE}/zonefile")).await;
    refusals.push(world.post(&format!("{ZONE}/actions/import_zonefile"), zonefile).await);
    for refused in refusals {
        assert_eq!(refused.refused(423, "protected").message(), "RRSet(s) is/are change protected", "{}", refused.what);
    }
    // Labels are no part of what is protected, and neither is what the zone does to its serial.
    world.put(&format!("{ZONE}/rrsets/www/A"), json!({"labels": {"a": "b"}})).await.ok();
    act(&world, "@/SOA", "change_protection", json!({"change": true})).await.ok();
    make(&world, "other", "A", &["192.0.2.1"]).await;
    for path in ["www/A", "@/SOA"] {
        act(&world, path, "change_protection", json!({"change": false})).await.ok();
    }
    world.delete(&format!("{ZONE}/rrsets/www/A")).await.ok();
}

#[tokio::test]
async fn lists() {
    let world = with_zone(Dialect::Compat).await;
    for (name, kind, value) in
        [("www", "A", "192.0.2.1"), ("www", "AAAA", "2001:db8::1"), ("a", "A", "192.0.2.1"), ("a-b", "A", "192.0.2.1")]
    {
        let mut wanted = set(name, kind, &[value]);
        wanted["labels"] = json!({"name": name});
        world.post(&format!("{ZONE}/rrsets"), wanted).await.ok();
    }
    // Sets of another zone do not exist here.
    world.create("/zones", primary("example.org")).await;
    for (query, expected) in [
        ("", vec!["@/NS", "@/SOA", "a-b/A", "a/A", "www/A", "www/AAAA"]),
        ("?name=www", vec!["www/A", "www/AAAA"]),
        ("?type=SOA&type=AAAA", vec!["@/SOA", "www/AAAA"]),
        ("?name=www&type=A", vec!["www/A"]),
        ("?name=@&type=A", vec![]),
        ("?label_selector=name", vec!["a-b/A", "a/A", "www/A", "www/AAAA"]),
        ("?label_selector=name%21%3Dwww&type=A", vec!["a-b/A", "a/A"]),
        ("?label_selector=name+in+(a,www)&sort=id:desc", vec!["www/AAAA", "www/A", "a/A"]),
        ("?sort=id:desc&per_page=2", vec!["www/AAAA", "www/A"]),
        ("?sort=name:asc&per_page=2&page=2", vec!["a/A", "a-b/A"]),
        ("?sort=created:desc&sort=id&per_page=2&page=3", vec!["www/A", "www/AAAA"]),
    ] {
        assert_eq!(listed(&world, query).await, expected, "{query}");
    }
    let page = world.see(&format!("{ZONE}/rrsets?per_page=100")).await["meta"]["pagination"].clone();
    assert_eq!((&page["per_page"], &page["total_entries"]), (&json!(100), &json!(6)));
    world.get(&format!("{ZONE}/rrsets?per_page=101&type=X&sort=type")).await.wrong(&["per_page", "type", "sort"]);
    world.get("/zones?per_page=51").await.wrong(&["per_page"]);
}

#[tokio::test]
async fn a_list_shows_what_has_changed() {
    let world = with_zone(Dialect::Compat).await;
    let before = world.see(&format!("{ZONE}/rrsets")).await;
    make(&world, "www", "A", &["192.0.2.1"]).await;
    let after = world.see(&format!("{ZONE}/rrsets")).await;
    assert_ne!(before["rrsets"][1], after["rrsets"][1], "the serial");
    assert_eq!(after["rrsets"].as_array().unwrap().len(), 3);
    let zones = world.see("/zones").await;
    assert_eq!(zones["zones"][0]["record_count"], 5);
    act(&world, "www/A", "add_records", json!({"records": records(&["192.0.2.2"])})).await.ok();
    assert_eq!(world.see("/zones").await["zones"][0]["record_count"], 6);
}

/// A text record of so many strings of 255 letters; `tag` makes it another one.
fn long(tag: &str, strings: usize) -> String {
    let string = format!("\"{}\"", "a".repeat(255));
    format!("\"{tag}\" {}", vec![string; strings].join(" "))
}

#[tokio::test]
async fn sets_and_zones_are_bounded_in_bytes() {
    let world = with_zone(Dialect::Compat).await;
    let two = |name: &str| set(name, "TXT", &[&long("1", 247), &long("2", 247)]);
    for n in 0..32 {
        world.post(&format!("{ZONE}/rrsets"), two(&format!("t{n}"))).await.ok();
    }
    let full = world.post(&format!("{ZONE}/rrsets"), two("more")).await;
    full.refused(403, "resource_limit_exceeded");
    assert_eq!(full.json["error"]["details"]["limits"], json!([{"name": "zone_size_limit"}]));
    assert_eq!(count(&world).await, 68);
    // A set has a limit of its own, which three such records exceed, however they come.
    let three = set("more", "TXT", &[&long("1", 247), &long("2", 247), &long("3", 247)]);
    world.post(&format!("{ZONE}/rrsets"), three.clone()).await.wrong(&["records"]);
    act(&world, "t0/TXT", "set_records", json!({"records": three["records"]})).await.wrong(&["records"]);
    act(&world, "t0/TXT", "add_records", json!({"records": [three["records"][2]]})).await.wrong(&["records"]);
    // What is full can shrink, and then grow again.
    act(&world, "t0/TXT", "remove_records", json!({"records": [{"value": long("1", 247)}]})).await.ok();
    world.post(&format!("{ZONE}/rrsets"), two("more")).await.ok();
    world.delete(ZONE).await.ok();
}
