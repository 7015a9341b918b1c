//! Zone files: what is read, what is refused, and that what is written reads as the same.

use super::{lacks, parse, print, seconds};
use crate::zone::{Record, Spec, defaults};
use proptest::prelude::*;
use wolke_wire::cloud::rrset::RrsetType::{self, *};

const ZONE: &str = "example.com";

/// Sets as lines: `name type ttl [value ; comment | …]`.
fn read(text: &str) -> Result<Vec<String>, Vec<String>> {
    let show = |spec: &Spec| {
        let records: Vec<String> = spec.records.iter().map(|r| format!("{};{}", r.value, r.comment)).collect();
        format!("{} {:?} {}", spec.key(), spec.ttl, records.join(" | "))
    };
    parse(text, ZONE, 3600).map(|file| file.rrsets.iter().map(show).collect())
}

#[test]
fn the_example_of_the_document() {
    let text = "$ORIGIN\texample.com.\n$TTL\t3600\n\n\
        @\tIN\tSOA\thydrogen.ns.hetzner.com. dns.hetzner.com. 2024010100 86400 10800 3600000 3600\n\n\
        @\tIN\t10800\tNS\thydrogen.ns.hetzner.com. ; Some comment.\n\
        @\tIN\t10800\tNS\toxygen.ns.hetzner.com.\n@\tIN\t10800\tNS\thelium.ns.hetzner.de.\n";
    let file = parse(text, ZONE, 60).unwrap();
    assert_eq!((file.ttl, file.rrsets.len()), (Some(3600), 2));
    assert_eq!(file.rrsets[1].ttl, Some(10_800));
    assert_eq!(file.rrsets[1].records[0].comment, "Some comment.");
    assert!(lacks(&file.rrsets, ZONE).is_empty());
    assert_eq!(print(ZONE, 3600, &file.rrsets), text);
}

#[test]
fn what_rfc_1035_allows() {
    let text = "@\tSOA\ta b ( 1 ; serial\n\t2 3\n\t4 5 ) ; all of it\n\n\
        $origin Example.COM.\n$TTL 1h\n; alone\n\
        @ 300 IN CAA 0 issue \"letsencrypt.org\"\n\
        @\tIN 600\ta\t192.0.2.1\n\t 600 A 192.0.2.2 ; second\n\
        WWW.example.com.\tIN\tCNAME\texample.com.\n\
        in 60 TXT plain \"quoted; (text)\"\n\
        60 IN A 192.0.2.3\n\
        a 1d12h AAAA 2001:db8::1\r\n";
    assert_eq!(
        read(text).unwrap(),
        [
            "@/SOA None a b 1 2 3 4 5;all of it",
            "@/CAA Some(300) 0 issue \"letsencrypt.org\";",
            "@/A Some(600) 192.0.2.1; | 192.0.2.2;second",
            "www/CNAME None example.com.;",
            "in/TXT Some(60) \"plain\" \"quoted; (text)\";",
            "60/A None 192.0.2.3;",
            "a/AAAA Some(129600) 2001:db8::1;",
        ]
    );
    assert_eq!(read("a 60 A 192.0.2.1\na A 192.0.2.2\n$TTL 60").unwrap(), ["a/A Some(60) 192.0.2.1; | 192.0.2.2;"]);
}

#[test]
fn what_is_refused() {
    for (text, why) in [
        ("a A 192.0.2.1 x", "line 1 has more than A data"),
        ("\n\na A 192.0.2", "line 3 has no valid IPv4"),
        (" A 192.0.2.1", "line 1 has no name"),
        ("a", "has no type"),
        ("a IN", "has no type"),
        ("a CH TXT x", "class other than IN"),
        ("a SPF \"x\"", "type that is not supported: 'SPF'"),
        ("a TYPE65534 \\# 0", "not supported"),
        ("a 60 60 A 192.0.2.1", "not supported"),
        ("a 59 A 192.0.2.1", "TTL out of range"),
        ("a 2147483648 A 192.0.2.1", "TTL out of range"),
        ("a.example.org. A 192.0.2.1", "not in the zone"),
        ("a_b.*.c A 192.0.2.1", "first part"),
        ("$ORIGIN example.org.", "not the zone"),
        ("$ORIGIN example.com", "not the zone"),
        ("$ORIGIN", "exactly one value"),
        ("$TTL soon", "no time"),
        ("$TTL 10", "out of range"),
        ("$TTL 60\n$TTL 61", "another $TTL"),
        ("$INCLUDE /etc/passwd", "not supported: '$INCLUDE'"),
        ("$GENERATE 1-2 a A 192.0.2.$", "not supported"),
        ("a A ( 192.0.2.1", "without a ')'"),
        ("a TXT \"x", "does not end"),
        ("a A 192.0.2.1\na A 192.0.2.1", "more than once"),
        ("a 60 A 192.0.2.1\na A 192.0.2.2", "different TTLs"),
        ("a A 192.0.2.1\na CNAME b", "line 2: an RRSet of type CNAME cannot stand beside"),
        ("@ CNAME b", "not possible for the name '@'"),
        ("@ SOA a b 1 2 3 4 5\n@ SOA a b 2 2 3 4 5", "exactly one record"),
        ("www SOA a b 1 2 3 4 5", "'@' only"),
    ] {
        let faults = read(text).unwrap_err();
        assert!(faults.iter().any(|fault| fault.contains(why)), "{text}: {faults:?}");
    }
    let faults = read("a A x\nb A y\nc A 192.0.2.1").unwrap_err();
    assert_eq!(faults.len(), 2, "every fault is told: {faults:?}");
    assert_eq!(read(&"a A x\n".repeat(100)).unwrap_err().len(), super::FAULTS_MAX);
    // After a name that is refused, a line without one belongs to nobody.
    assert_eq!(read("x.example.org. A 192.0.2.1\n A 192.0.2.2").unwrap_err().len(), 2);
}

#[test]
fn what_an_import_needs() {
    let of = |text: &str| lacks(&parse(text, ZONE, 60).unwrap().rrsets, ZONE).len();
    assert_eq!(of(""), 4);
    assert_eq!(of("@ SOA a b 1 2 3 4 5\n@ NS OXYGEN.ns.hetzner.com.\n@ NS ns.example.org."), 2);
    assert!(lacks(&defaults(1), ZONE).is_empty());
}

#[test]
fn times() {
    for (text, expected) in [("60", Some(60)), ("1h", Some(3600)), ("1W2d3H4m5s", Some(788_645)), ("1h30", Some(3630))]
    {
        assert_eq!(seconds(text), expected, "{text}");
    }
    for wrong in ["", "h", "1x", "-1", "1.5", "99999999999999999999", "99999999999999999w"] {
        assert_eq!(seconds(wrong), None, "{wrong}");
    }
}

/// Values of a type as people write them.
fn values(kind: RrsetType) -> BoxedStrategy<String> {
    let name = || {
        prop_oneof!["[a-z][a-z0-9-]{0,8}[a-z0-9]", "([a-z_]{1,8}\\.){1,3}", Just("@".to_owned()), Just(".".to_owned())]
    };
    let string = || "\"([ !#-\\[\\]-~\u{e4}\u{1f36a}]|\\\\\"|\\\\\\\\|\\\\0[0-9]{2}){0,40}\"";
    let number = || any::<u16>();
    match kind {
        A => any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()).boxed(),
        Aaaa => any::<std::net::Ipv6Addr>().prop_map(|ip| ip.to_string()).boxed(),
        Caa => ("(0|128)", "[a-z0-9.-]{1,1}[a-z0-9]{0,9}\\.[a-z]{2,3}")
            .prop_map(|(f, d)| format!("{f} contactemail \"{d}\""))
            .boxed(),
        Cname | Ns | Ptr => name().boxed(),
        Ds => (number(), "[0-9A-Fa-f]{64}").prop_map(|(n, hex)| format!("{n} 13 2 {hex}")).boxed(),
        Hinfo => (string(), "[A-Z]{1,5}").prop_map(|(a, b)| format!("{a} {b}")).boxed(),
        Https | Svcb => {
            (1_u16.., name(), number()).prop_map(|(p, n, port)| format!("{p} {n} alpn=\"h2,h3\" port={port}")).boxed()
        }
        Mx => (number(), name()).prop_map(|(n, name)| format!("{n} {name}")).boxed(),
        Rp => (name(), name()).prop_map(|(a, b)| format!("{a} {b}")).boxed(),
        Soa => (name(), name(), any::<u32>()).prop_map(|(a, b, n)| format!("{a} {b} {n} 1 2 3 {n}")).boxed(),
        Srv => (number(), number(), number(), name()).prop_map(|(a, b, c, n)| format!("{a} {b} {c} {n}")).boxed(),
        Tlsa => "[0-9a-f]{64}".prop_map(|hex| format!("3 1 1 {hex}")).boxed(),
        Txt => prop::collection::vec(string(), 1..4).prop_map(|strings| strings.join(" ")).boxed(),
    }
}

fn set() -> impl Strategy<Value = Spec> {
    let kinds = prop::sample::select(RrsetType::ALL);
    let comment = "([!-~\u{e4}]([ -~]{0,20}[!-~])?)?";
    let name = prop_oneof![Just("@".to_owned()), "(\\*\\.)?[a-z_0-9-]{1,10}(\\.[a-z0-9]{1,5}){0,2}"];
    (kinds, name, prop::option::of(60_i64..100_000)).prop_flat_map(move |(kind, name, ttl)| {
        let record = (values(kind), comment).prop_map(|(value, comment)| Record { value, comment });
        let records = prop::collection::vec(record, 1..4);
        let name = if kind == Soa { "@".to_owned() } else { name };
        records.prop_map(move |records| Spec { name: name.clone(), kind, ttl, records })
    })
}

proptest! {
    /// What is written reads as the same, value by value and comment by comment; sets that are refused alone are left out.
    #[test]
    fn files_round_trip(sets in prop::collection::vec(set(), 0..12), ttl in 60_i64..100_000) {
        let mut zone: Vec<Spec> = Vec::new();
        for set in sets {
            let alone = crate::zone::rrset::check(&set, ZONE, "").is_empty();
            zone.push(set);
            if !alone || !crate::zone::rrset::check_together(&zone).is_empty() {
                zone.pop();
            }
        }
        let text = print(ZONE, ttl, &zone);
        let read = parse(&text, ZONE, 1).map_err(|faults| TestCaseError::fail(format!("{faults:?} in\n{text}")))?;
        prop_assert_eq!(read.ttl, Some(ttl));
        prop_assert_eq!(print(ZONE, ttl, &read.rrsets), &text[..]);
        let mut read = read.rrsets;
        let order = |spec: &Spec| spec.key();
        read.sort_by_key(order);
        zone.sort_by_key(order);
        prop_assert_eq!(read, zone);
    }

    /// Most of what the generator makes is a set; else the property above would say nothing.
    #[test]
    fn generated_values_are_valid(set in set()) {
        let mut set = set;
        set.records.truncate(1);
        if set.name == "@" && matches!(set.kind, Cname | Ds) {
            set.name = "a".into();
        }
        let wrong = crate::zone::rrset::check(&set, ZONE, "");
        prop_assert!(wrong.is_empty(), "{:?} {:?}", set, wrong);
    }

    /// Whatever stands in a file, reading it ends and says something.
    #[test]
    fn anything_is_read_or_refused(text in "[ -~\n\t\"\\\\;()$@\u{e4}]{0,200}") {
        let _ = parse(&text, ZONE, 60);
    }
}
