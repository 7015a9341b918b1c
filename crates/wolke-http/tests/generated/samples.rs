//! Texts and numbers by the name of the member that holds them: what people write there, and what nobody should.

use crate::dice::Dice;

/// A text that the rules of a member of this name are likely to take; none where any will do. `fresh` is a number that was
/// not used before.
pub fn text(name: &str, parent: &str, fresh: u64, dice: &mut Dice) -> Option<String> {
    let octet = dice.below(250) + 2;
    let of = |texts: &[&str], dice: &mut Dice| Some((*dice.pick(texts)).to_owned());
    match name {
        "name" if parent == "zone" => Some(format!("zone{fresh}.com")),
        "name" if parent == "rrset" || parent == "rrsets" => of(&["@", "www", "*", "a.b", "_sip._tcp", "mail"], dice),
        "name" | "username" => Some(format!("name-{fresh}")),
        "public_key" => Some(crate::common::public_key((fresh % 256) as u8)),
        "ip_range" if parent == "network" => {
            of(&["10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/12", "10.0.0.0/16", "10.0.0.0/20"], dice)
        }
        "ip_range" => Some(format!("10.0.{octet}.0/24")),
        "destination" => Some(format!("10.100.{octet}.0/24")),
        "gateway" => Some(format!("10.0.0.{octet}")),
        "ip" | "alias_ips" => Some(format!("10.0.{}.{octet}", dice.below(8))),
        "address" => Some(format!("203.0.113.{octet}")),
        "source_ips" | "destination_ips" => of(&["0.0.0.0/0", "::/0", "10.0.0.0/8", "2001:db8::/32"], dice),
        "dns_ptr" | "domain" | "domain_names" => Some(format!("host{octet}.example.com")),
        "port" => of(&["22", "80-443", "any", "1-65535"], dice),
        "network_zone" => of(&["eu-central", "eu-central", "eu-central", "us-east"], dice),
        "selector" | "label_selector" => of(&["env=prod", "env", "!env", "env in (prod,test)", "env!=prod,role"], dice),
        "user_data" => of(&["#cloud-config\n", "#!/bin/sh\ntrue\n"], dice),
        "format" => of(&["ext4", "xfs"], dice),
        "password" => Some(format!("Correct-Horse-{fresh}-battery")),
        "path" | "home_directory" => of(&["/", "/healthz", "home/backup", "a"], dice),
        "cookie_name" => Some("HCLBSTICKY".into()),
        "response" => Some("ok".into()),
        "status_codes" => of(&["2??", "200", "30?"], dice),
        "tsig_key" => Some("c2VjcmV0".into()),
        "tsig_algorithm" => of(&["hmac-sha256", "hmac-sha1", "hmac-md5"], dice),
        "comment" | "description" => of(&["", "what it is for", "größer"], dice),
        "zonefile" => Some(zone_file(octet)),
        "value" => Some(record("A", dice)),
        "step" => of(&["60", "1", "3600"], dice),
        "start" => of(&["2026-11-20T23:00:00Z", "2026-11-20T00:00:00+00:00"], dice),
        "end" => of(&["2026-11-21T00:00:00Z", "2026-11-20T23:59:59Z"], dice),
        _ => None,
    }
}

fn zone_file(octet: usize) -> String {
    format!(
        "$TTL 3600\n@ IN SOA hydrogen.ns.hetzner.com. dns.hetzner.com. 2026112100 86400 10800 3600000 3600\n\
         @ IN A 192.0.2.{octet}\nwww 300 IN CNAME @\n"
    )
}

/// The data of a record of this type.
pub fn record(kind: &str, dice: &mut Dice) -> String {
    let octet = dice.below(250) + 2;
    match kind {
        "AAAA" => format!("2001:db8::{octet}"),
        "CAA" => "0 issue \"ca.example\"".into(),
        "CNAME" | "NS" | "PTR" => format!("host{octet}.example.com."),
        "DS" => format!("{octet} 8 2 {}", "ab".repeat(32)),
        "HINFO" => "\"PC\" \"Linux\"".into(),
        "HTTPS" | "SVCB" => "1 . alpn=\"h2\"".into(),
        "MX" => format!("{octet} mail.example.com."),
        "RP" => "admin.example.com. txt.example.com.".into(),
        "SOA" => "hydrogen.ns.hetzner.com. dns.hetzner.com. 2026112100 86400 10800 3600000 3600".into(),
        "SRV" => format!("1 1 {octet} sip.example.com."),
        "TLSA" => format!("3 1 1 {}", "cd".repeat(32)),
        "TXT" => format!("\"v=spf1 -all {octet}\""),
        _ => format!("192.0.2.{octet}"),
    }
}

/// A number that the rules of a member of this name are likely to take.
pub fn number(name: &str, dice: &mut Dice) -> Option<i64> {
    let from = |first: usize, count: usize, dice: &mut Dice| Some((first + dice.below(count)) as i64);
    match name {
        "size" => from(10, 90, dice),
        "ttl" => from(60, 86_400, dice),
        "vswitch_id" => Some(crate::drive::VSWITCH),
        "listen_port" | "destination_port" | "port" => from(1, 65_535, dice),
        "interval" => from(3, 57, dice),
        "timeout" => from(1, 59, dice),
        "retries" => from(1, 5, dice),
        "cookie_lifetime" => from(30, 3000, dice),
        "hour" => from(0, 24, dice),
        "minute" => from(0, 60, dice),
        "day_of_week" => from(1, 7, dice),
        "day_of_month" => from(1, 31, dice),
        "max_snapshots" => from(1, 10, dice),
        "page" => from(1, 3, dice),
        "per_page" => from(1, 50, dice),
        _ => None,
    }
}

/// Texts that pass every schema of a plain string and few rules.
const ODD: [&str; 66] = [
    "",
    " ",
    "  a",
    "a ",
    "-",
    "--",
    "-a",
    "a-",
    ".",
    "..",
    "a..b",
    ".a",
    "a.",
    "_",
    "*",
    "@",
    "/",
    "//",
    "../../etc/passwd",
    "a/b",
    "\\",
    "'",
    "\"",
    "';--",
    "%",
    "%00",
    "%zz",
    "${x}",
    "{{x}}",
    "<a>",
    "\n",
    "\t",
    "\r\n",
    "a\u{1b}[0m",
    "\u{7f}",
    "\u{feff}",
    "\u{2028}",
    "\u{202e}x",
    "e\u{301}",
    "İ",
    "ß",
    "ﬀ",
    "１２",
    "𝟏",
    "😀",
    "👩‍👩‍👧",
    "null",
    "true",
    "0",
    "-1",
    "007",
    "1e9",
    "9007199254740993",
    "99999999999999999999",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.0/33",
    "10.0.0.1/8",
    "::ffff:10.0.0.1",
    "fe80::1%eth0",
    "255.255.255.255",
    "224.0.0.1",
    "65536",
    "443-80",
    "xn--",
    "2026-02-30T00:00:00Z",
];

/// More of them, which are long or come from nowhere.
pub fn odd(dice: &mut Dice) -> String {
    match dice.below(10) {
        0 => "a".repeat(dice.pick(&[63, 64, 128, 129, 253, 254, 255, 256, 1024, 32_768, 70_000]).to_owned()),
        1 => "ä".repeat(dice.pick(&[32, 64, 128, 255, 300]).to_owned()),
        2 => format!("{}.com", "a".repeat(63)),
        3 => vec!["a"; dice.pick(&[4, 127, 128, 200]).to_owned()].join("."),
        4 => vec!["a=b"; dice.pick(&[4, 40, 400]).to_owned()].join(","),
        5 => {
            let odd = [
                "9999-12-31T23:59:60Z",
                "0000-01-01T00:00:00Z",
                "+275760-09-13T00:00:00Z",
                "2026-11-21",
                "1",
                "P1D",
                "2026-11-20T23:59:59.999999999999Z",
                "2026-11-20T23:00:00+23:59",
                "-009999-01-01T00:00:00Z",
            ];
            (*dice.pick(&odd)).to_owned()
        }
        6 => {
            let random =
                |dice: &mut Dice| char::from_u32(dice.below(0x11_0000) as u32).filter(|c| *c != '\0').unwrap_or('x');
            (0..dice.below(20)).map(|_| random(dice)).collect()
        }
        _ => (*dice.pick(&ODD)).to_owned(),
    }
}
