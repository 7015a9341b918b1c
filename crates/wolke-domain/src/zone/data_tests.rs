//! Data of records, type by type.

use super::canonical;
use wolke_wire::cloud::rrset::RrsetType::{self, *};

fn read(kind: RrsetType, value: &str) -> Result<String, String> {
    canonical(kind, value, "example.com")
}

#[test]
fn values_mean_something() {
    let sha256 = "ab".repeat(32);
    for (kind, value, expected) in [
        (A, "192.0.2.1", "192.0.2.1"),
        (Aaaa, "FDD0:367a:0cb7::2", "fdd0:367a:cb7::2"),
        (Caa, "0 issue \"letsencrypt.org\"", "0 issue \"letsencrypt.org\""),
        (Caa, "128 ISSUEWILD ;", ""),
        (Caa, "0 issue \";\"", "0 issue \";\""),
        (Caa, "0 issue \"\"", "0 issue \"\""),
        (
            Caa,
            "0 issue \"ca.example; accounturi=https://a/1; b=c\"",
            "0 issue \"ca.example; accounturi=https://a/1; b=c\"",
        ),
        (Caa, "0 iodef mailto:a@example.com", "0 iodef \"mailto:a@example.com\""),
        (Caa, "1 tbs Unknown", "1 tbs \"Unknown\""),
        (Cname, "Example.COM.", "example.com."),
        (Ns, "ns1", "ns1.example.com."),
        (Ptr, "@", "example.com."),
        (
            Ds,
            "60485 5 1 2BB183AF5F22588179A53B0A 98631FAD1A292118",
            "60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118",
        ),
        (Hinfo, "PC-Intel \"Linux 6\"", "\"PC-Intel\" \"Linux 6\""),
        (Mx, "010 mail", "10 mail.example.com."),
        (Mx, "0 .", "0 ."),
        (Rp, "admin.example.com. .", "admin.example.com. ."),
        (Soa, "a. b. 1 2 3 4 4294967295", "a. b. 1 2 3 4 4294967295"),
        (Srv, "0 5 5060 sip", "0 5 5060 sip.example.com."),
        (Tlsa, &format!("3 1 1 {sha256}"), &format!("3 1 1 {sha256}")),
        (Txt, r#""v=spf1 -all" "a\"b\\\010""#, r#""v=spf1 -all" "a\"b\\\010""#),
        (Txt, "\"\u{e4}\"", "\"\\195\\164\""),
        (Txt, r#""""#, r#""""#),
    ] {
        if expected.is_empty() {
            assert!(read(kind, value).is_err(), "{kind} {value}: a semicolon begins a comment");
        } else {
            assert_eq!(read(kind, value).as_deref(), Ok(expected), "{kind} {value}");
        }
    }
}

#[test]
fn what_is_wrong_is_told() {
    let (long, too_long) = (format!("\"{}\"", "a".repeat(255)), format!("\"{}\"", "a".repeat(256)));
    assert!(read(Txt, &long).is_ok());
    for (kind, value, why) in [
        (A, "", "lacks the IPv4 address"),
        (A, " 192.0.2.1", "white space"),
        (A, "192.0.2.256", "IPv4"),
        (A, "192.0.2.01", "IPv4"),
        (A, "::1", "IPv4"),
        (A, "192.0.2.1 192.0.2.2", "more than A data"),
        (Aaaa, "192.0.2.1", "IPv6"),
        (Aaaa, "fe80::1%eth0", "IPv6"),
        (Caa, "0 issue", "lacks the value"),
        (Caa, "256 issue \"a.b\"", "flags"),
        (Caa, "0 is-sue \"a.b\"", "tag"),
        (Caa, "0 issue \"a b\"", "'issue'"),
        (Caa, "0 issuewild \"a.b; c\"", "'issuewild'"),
        (Caa, "0 iodef \"example.com\"", "URL"),
        (Cname, "a b", "more than CNAME data"),
        (Cname, "a..b.", "parts"),
        (Ns, "\"a.\"", "quoted"),
        (Ds, "1 8 2 abcd", "32 bytes"),
        (Ds, "1 8 9 abc", "pairs"),
        (Ds, "65536 8 2 ab", "key tag"),
        (Hinfo, "a", "operating system"),
        (Mx, "mail.example.com.", "preference"),
        (Mx, "+1 mail", "preference"),
        (Rp, "a.", "lacks"),
        (Soa, "a. b. 1 2 3 4", "minimum"),
        (Soa, "a. b. 1 2 3 4 4294967296", "minimum"),
        (Srv, "0 5 65536 sip", "port"),
        (Srv, "0 5 sip", "port"),
        (Tlsa, "4 1 1 ab", "usage"),
        (Tlsa, "3 1 2 ab", "64 bytes"),
        (Txt, "plain", "double quotes"),
        (Txt, "\"a\" b", "double quotes"),
        (Txt, "\"a", "does not end"),
        (Txt, &too_long, "255"),
        (Txt, "\"a\nb\"", "quoted string"),
    ] {
        let fault = read(kind, value).unwrap_err();
        assert!(fault.contains(why), "{kind} {value}: {fault}");
    }
}
