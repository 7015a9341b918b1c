//! Values by what the rules say of them beyond the schemas: what stands just inside, and what is surely outside (fact sheet
//! §1.1, §3, §4.2, §4.3; dialects D.1). A member's name, and what it belongs to, say which rules it has.

use crate::common::{pem, public_key};
use crate::dice::Dice;
use serde_json::{Value, json};

/// What the rules of a value are about: each is one way to break a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Name,
    Label,
    Range,
    Address,
    Ports,
    Domain,
    Record,
    ZoneFile,
    Key,
    Password,
    Selector,
    Number,
    Text,
}

/// The rules of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    HostName,
    VolumeName,
    ZoneName,
    SetName,
    OtherName,
    LabelValue,
    NetworkRange,
    SubnetRange,
    Destination,
    Private,
    Cidr,
    RulePorts,
    Port,
    ReverseName,
    CertificateName,
    RecordData,
    ZoneFile,
    PublicKey,
    Certificate,
    PrivateKey,
    Password,
    Selector,
    VolumeSize,
    Ttl,
    UserData,
    RuleDescription,
    CheckDomain,
}

impl Sort {
    /// The rules of a member of this name. The parent of a member of the body itself is what the operation is about.
    pub fn of(operation: &str, parent: &str, name: &str) -> Option<Self> {
        Some(match (name, parent) {
            // What answers show and requests only repeat.
            (_, "health_status") => return None,
            (_, "labels") => Self::LabelValue,
            ("name", "server") => Self::HostName,
            ("name", "volume") => Self::VolumeName,
            ("name", "zone") => Self::ZoneName,
            ("name", "rrset" | "rrsets") => Self::SetName,
            // Left out, it is the account's own name; what an empty one is nobody says.
            ("name", "subaccount") => return None,
            ("name", _) => Self::OtherName,
            ("ip_range", "network") if operation == "create_network" => Self::NetworkRange,
            ("ip_range", _) => Self::SubnetRange,
            ("destination", _) => Self::Destination,
            ("gateway" | "alias_ips", _) => Self::Private,
            ("ip", "server" | "load_balancer") if operation.ends_with("attach_to_network") => Self::Private,
            ("source_ips" | "destination_ips", _) => Self::Cidr,
            ("port", "rules") => Self::RulePorts,
            ("listen_port" | "destination_port", _) | ("port", "health_check" | "primary_nameservers") => Self::Port,
            ("dns_ptr", _) => Self::ReverseName,
            ("domain_names", _) => Self::CertificateName,
            ("value", "records") => Self::RecordData,
            ("zonefile", _) => Self::ZoneFile,
            ("public_key", _) => Self::PublicKey,
            ("certificate", "certificate") => Self::Certificate,
            ("private_key", _) => Self::PrivateKey,
            ("password", _) => Self::Password,
            ("selector", _) => Self::Selector,
            ("size", "volume") => Self::VolumeSize,
            ("ttl", _) => Self::Ttl,
            ("user_data", _) => Self::UserData,
            ("description", "rules") => Self::RuleDescription,
            ("domain", "http") => Self::CheckDomain,
            _ => return None,
        })
    }

    pub fn family(self) -> Family {
        match self {
            Self::HostName | Self::VolumeName | Self::ZoneName | Self::SetName | Self::OtherName => Family::Name,
            Self::LabelValue => Family::Label,
            Self::NetworkRange | Self::SubnetRange | Self::Cidr | Self::Destination => Family::Range,
            Self::Private => Family::Address,
            Self::RulePorts | Self::Port => Family::Ports,
            Self::ReverseName | Self::CertificateName | Self::CheckDomain => Family::Domain,
            Self::RecordData => Family::Record,
            Self::ZoneFile => Family::ZoneFile,
            Self::PublicKey | Self::Certificate | Self::PrivateKey => Family::Key,
            Self::Password => Family::Password,
            Self::Selector => Family::Selector,
            Self::VolumeSize | Self::Ttl => Family::Number,
            Self::UserData | Self::RuleDescription => Family::Text,
        }
    }

    /// A value that these rules surely refuse. `kind` is the type of the record.
    pub fn bad(self, kind: &str, dice: &mut Dice) -> Value {
        let long = |length: usize| "a".repeat(length);
        let of = |texts: &[&str], dice: &mut Dice| json!(*dice.pick(texts));
        let or = |texts: &[&str], more: String, dice: &mut Dice| match dice.below(texts.len() + 1) {
            0 => json!(more),
            at => json!(texts[at - 1]),
        };
        match self {
            Self::HostName => {
                or(&["", " ", "-a", "a-", "a..b", ".a", "a b", "a_b", "ä", "a\n", "a/b", "😀"], long(64), dice)
            }
            Self::VolumeName => or(&["", "-a", "a-", "a b", "ä", "a/b", "a\n"], long(65), dice),
            Self::ZoneName => or(
                &["", "com", "A.com", "a.com.", ".com", "a..com", "ä.com", "a b.com", "-a.com", "xn--.com", "1.2.3.4"],
                format!("{}.com", long(64)),
                dice,
            ),
            Self::SetName => or(&["", "a.", "A", ".a", "a..b", "ä", "a b", "a/b", "xn--zzzzzzzzzz-"], long(64), dice),
            Self::OtherName => or(&["", " ", "a\nb", "\u{1b}[0m", "\u{7f}"], long(256), dice),
            Self::LabelValue => or(&["-", "a-", ".a", "a b", "a/b", "ä", "a=b", "a\n"], long(64), dice),
            Self::NetworkRange => of(
                &["10.0.0.0", "10.0.0.0/33", "8.8.8.0/24", "10.0.0.0/25", "fd00::/8", "10.0.0/8", "x", "172.32.0.0/16"],
                dice,
            ),
            Self::SubnetRange => of(&["10.0.0.0", "10.0.0.0/33", "fd00::/64", "10.0.0/24", "x"], dice),
            Self::Destination => of(&["10.0.0.0", "10.0.0.0/33", "fd00::/64", "x", ""], dice),
            Self::Private => of(&["x", "10.0.0.256", "::1", "10.0.0", "10.0.0.1/24", " 10.0.0.2"], dice),
            Self::Cidr => of(
                &["", "x", "10.0.0.0/33", "::/129", "1.2.3/24", "10.0.0.0/-1", "10.0.0.0/8 ", "1.2.3.4/", "a::g/64"],
                dice,
            ),
            Self::RulePorts => of(
                &["", "0", "65536", "80-", "-80", "443-80", "80-443-500", "http", " 80", "80–90", "1-65536", "0x50"],
                dice,
            ),
            Self::Port => json!(*dice.pick(&[0, -1, 65_536, i64::from(u32::MAX)])),
            Self::ReverseName => or(
                &["", "a..b", "-a.com", "a b", "ä.com", "a_b.com", "a.com/x", "http://a.com"],
                vec!["a"; 128].join("."),
                dice,
            ),
            Self::CertificateName => {
                of(&["", "*", "*.*.com", "a.*.com", "1.2.3.4", "a b.com", "http://a.com", "a..com", "com"], dice)
            }
            Self::RecordData => bad_record(kind, dice),
            Self::ZoneFile => of(
                &[
                    "@ IN A",
                    "$TTL x",
                    "a IN TXT \"open",
                    "@ IN SOA (",
                    "@ 3600 IN A 1.2.3.4.5",
                    "www IN NOTYPE x",
                    "$INCLUDE /etc/passwd",
                    "@ IN MX mail",
                    "a..b IN A 1.2.3.4",
                    "x IN CNAME y\nx IN A 1.2.3.4",
                ],
                dice,
            ),
            Self::PublicKey => of(
                &[
                    "",
                    "ssh-rsa",
                    "ssh-ed25519 AAAA",
                    "-----BEGIN PUBLIC KEY-----",
                    "ssh-ed25519 *** a",
                    "ssh-foo AAAA a",
                ],
                dice,
            ),
            Self::Certificate => match dice.below(5) {
                0 => json!(pem::P384_KEY),
                1 => json!(pem::RSA[..pem::RSA.len() / 2]),
                2 => json!(format!("{}{}", pem::INTERMEDIATE, pem::RSA)),
                _ => of(&["x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"], dice),
            },
            Self::PrivateKey => match dice.below(4) {
                // Of a certificate that no request has.
                0 => json!(pem::P384),
                1 => json!(pem::RSA_KEY[..pem::RSA_KEY.len() / 2]),
                _ => of(&["x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"], dice),
            },
            Self::Password => or(
                &["", "Ab1-", "abcdefghijk1-", "ABCDEFGHIJK1-", "Abcdefghijkl-", "Abcdefghijkl1"],
                format!("Ab1-{}", long(125)),
                dice,
            ),
            Self::Selector => of(&["a in (", "!!a", "a=b=c", "=b", "a in b", "a,,b", "a b", "(", "a!b", "ä"], dice),
            Self::VolumeSize => json!(*dice.pick(&[9, 0, -1, 10_241, 1_i64 << 40])),
            Self::Ttl => json!(*dice.pick(&[59, 0, -1, 1_i64 << 31])),
            Self::UserData => json!(long(32 * 1024 + 1)),
            Self::RuleDescription => json!(long(256)),
            Self::CheckDomain => of(&["a b", "100%", "a\\b"], dice),
        }
    }

    /// A value at the edge of these rules, which they take; none where what else stands in the request decides.
    pub fn good(self, operation: &str, kind: &str, fresh: u64, dice: &mut Dice) -> Option<Value> {
        let of = |texts: &[&str], dice: &mut Dice| Some(json!(*dice.pick(texts)));
        // As long as may be, and never twice the same.
        let filled = |length: usize| format!("{fresh:0>length$}");
        match self {
            Self::HostName => match dice.below(4) {
                0 => Some(json!(filled(63))),
                1 => Some(json!(format!("{}.{}", filled(63), vec!["a"; 94].join(".")))),
                2 => Some(json!(format!("A--{fresh}.Example.COM"))),
                _ => Some(json!(fresh.to_string())),
            },
            Self::VolumeName => match dice.below(3) {
                0 => Some(json!(filled(64))),
                1 => Some(json!(format!("A_.-{fresh}"))),
                _ => Some(json!(fresh.to_string())),
            },
            Self::ZoneName => match dice.below(4) {
                0 => Some(json!(format!("{}.com", filled(63)))),
                1 => Some(json!(format!("z{fresh}.xn--p1ai"))),
                2 => Some(json!(format!("a--{fresh}.co.uk"))),
                _ => Some(json!(format!("{fresh}.com"))),
            },
            Self::SetName => match dice.below(4) {
                0 => Some(json!(filled(63))),
                1 => Some(json!(format!("*.{fresh}.a"))),
                2 => Some(json!(format!("_sip._tcp.n{fresh}"))),
                _ => Some(json!(format!("xn--mnchen-3ya.n{fresh}"))),
            },
            Self::OtherName => match dice.below(4) {
                0 => Some(json!(filled(255))),
                1 => Some(json!(format!("Größe (№ {fresh}) 日本 😀"))),
                2 => Some(json!(format!("../{fresh}'\"<&>%00"))),
                _ => Some(json!(fresh.to_string())),
            },
            Self::LabelValue => match dice.below(3) {
                0 => Some(json!(filled(63))),
                1 => Some(json!("")),
                _ => Some(json!("A._-.z")),
            },
            Self::NetworkRange => of(
                &[
                    "10.0.0.0/8",
                    "10.255.255.0/24",
                    "172.16.0.0/12",
                    "172.31.255.0/24",
                    "192.168.0.0/16",
                    "192.168.255.0/24",
                ],
                dice,
            ),
            Self::Cidr => of(
                &[
                    "0.0.0.0/0",
                    "::/0",
                    "255.255.255.255/32",
                    "2001:DB8::/32",
                    "2a02:1234:10:0100::/64",
                    "2001:db8:0:0:0:0:0:1/128",
                    "fe80::/10",
                    "::1/128",
                    "0.0.0.0/32",
                ],
                dice,
            ),
            Self::RulePorts => of(&["1", "65535", "1-65535", "80-80", "any", "65534-65535"], dice),
            Self::ReverseName => match dice.below(3) {
                0 => Some(json!(format!("{}.example.com", filled(63)))),
                1 => Some(json!(vec!["a"; 127].join("."))),
                _ => of(&["A.Example.COM", "xn--mnchen-3ya.de", "1.2"], dice),
            },
            Self::CertificateName => of(&["*.example.com", "xn--mnchen-3ya.de", "A.Example.COM", "a.b.c.d.com"], dice),
            Self::RecordData if ["create_zone_rrset", "zone_rrset_set_records"].contains(&operation) => {
                good_record(kind, dice)
            }
            Self::ZoneFile if operation == "create_zone" => Some(json!(zone_file(fresh, dice))),
            Self::PublicKey => Some(json!(public_key((fresh % 256) as u8))),
            Self::Password => match dice.below(3) {
                0 => Some(json!(format!("Ab1-{}", filled(124)))),
                1 => Some(json!(format!("Äb°{}", filled(9)))),
                _ => of(&["Ab1-56789012", "aB9^°!§$%/()=?+#-.,;:~*@{}_&", "ßß1A-aaaaaaa"], dice),
            },
            Self::Selector => of(&SELECTORS, dice),
            Self::VolumeSize if operation == "create_volume" => Some(json!(*dice.pick(&[10, 10_240, 11]))),
            Self::Ttl if operation != "zone_rrset_add_records" => Some(json!(*dice.pick(&[60, 2_147_483_647]))),
            Self::UserData => Some(json!(filled(32 * 1024))),
            Self::RuleDescription => Some(json!("ä".repeat(255))),
            _ => None,
        }
    }
}

/// Selectors in every form (fact sheet §1.1, dialects D.1).
pub const SELECTORS: [&str; 14] = [
    "env",
    "!env",
    "env=prod",
    "env==prod",
    "env!=prod",
    "env=",
    "env in (prod,test)",
    "env notin (prod)",
    "env in (prod, test) , role",
    " env , !role ",
    "example.com/a=1",
    "HC-Use-Staging-CA=true",
    "a._-9=b._-8",
    "env,env,env!=x,b notin (a,b,c)",
];

/// Data that a record of this type cannot have.
fn bad_record(kind: &str, dice: &mut Dice) -> Value {
    let texts: &[&str] = match kind {
        "A" => &["", "x", "1.2.3", "::1", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 5.6.7.8"],
        "AAAA" => &["", "1.2.3.4", ":::", "g::", "1::2::3", "2001:db8::/32"],
        "CAA" => &["", "0 issue", "256 issue \"a\"", "x issue \"a\"", "0 is-sue \"a\""],
        "CNAME" | "NS" | "PTR" => &["", "a b", "a..b.", "..", "a.b. c."],
        "DS" => &["", "1 8 2", "70000 8 2 abab", "1 8 2 xyz"],
        "HINFO" => &["", "\"one\"", "\"a\" \"b\" \"c\"", "\"open"],
        "HTTPS" | "SVCB" => &["", "1", "70000 .", "1 . alpn=\"h2", "x ."],
        "MX" => &["", "mail.example.com.", "70000 a.", "-1 a.", "10 a b"],
        "RP" => &["", "a.", "a. b. c."],
        "SRV" => &["", "1 1 80", "1 1 70000 a.", "x 1 1 a."],
        "TLSA" => &["", "3 1 1", "300 1 1 cdcd", "3 1 1 xy"],
        "TXT" => &["\"open", "\"a\" \"", "\"\\999\""],
        _ => &[""],
    };
    json!(*dice.pick(texts))
}

/// Data at the edges of what a record of this type can have.
fn good_record(kind: &str, dice: &mut Dice) -> Option<Value> {
    let texts: &[&str] = match kind {
        "A" => &["0.0.0.0", "255.255.255.255", "192.0.2.1"],
        "AAAA" => &["::", "::1", "::ffff:192.0.2.1", "2001:DB8:0:0:0:0:0:1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        "CAA" => &["0 issue \";\"", "128 issuewild \"ca.example; a=b\"", "0 iodef \"mailto:a@example.com\""],
        "CNAME" | "PTR" => &["example.com.", "a", "xn--mnchen-3ya.de.", "_x.example.com."],
        "HINFO" => &["\"PC\" \"Linux\"", "\"a b\" \"\\\"\""],
        "MX" => &["0 mail.example.com.", "65535 a", "0 ."],
        "SRV" => &["0 0 0 .", "65535 65535 65535 a.example.com."],
        "TXT" => &[
            "\"\"",
            "\"a\\\"b\\\\c\"",
            "\"one\" \"two\"",
            "\"\\195\\164\"",
            "\"v=DKIM1; k=rsa; p=MIGf/+=\"",
            "\"a;b\"",
        ],
        _ => return None,
    };
    Some(json!(*dice.pick(texts)))
}

/// A zone file with what makes files hard: origins, continuation, comments, quoting, names and times left out.
fn zone_file(fresh: u64, dice: &mut Dice) -> String {
    let mut file = String::from("; made of parts\n$TTL 3600\n");
    let parts = [
        "@\tIN\tSOA\thydrogen.ns.hetzner.com. dns.hetzner.com. (\n  2026112100 ; serial\n  86400 10800 3600000 3600 )\n",
        "www 300 IN A 192.0.2.1\n    IN AAAA 2001:db8::1\n",
        "txt IN TXT \"a ; b\" \"c\\\"d\" ( \"more\"\n \"lines\" )\n",
        "* IN CNAME www\n",
        "_sip._tcp 60 IN SRV 1 1 5060 sip\n",
        "mail A 192.0.2.9\n@ MX 10 mail\n",
        "caa IN 300 CAA 0 issue \"ca.example\"\n",
        "\n\r\n; nothing\n",
    ];
    for part in parts {
        if dice.percent(70) {
            file += part;
        }
    }
    file + &format!("last{fresh} IN TXT \"{fresh}\"\n")
}
