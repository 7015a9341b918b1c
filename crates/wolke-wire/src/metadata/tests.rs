//! Golden documents.

use super::{CHILDREN, Metadata, PrivateNetwork, PublicInterface};

fn server() -> Metadata {
    Metadata {
        instance_id: 18,
        hostname: "web-1".into(),
        availability_zone: "hel1-dc2".into(),
        region: "eu-central".into(),
        public: Some(PublicInterface {
            // To base 60 this is a number.
            mac: "96:00:00:00:00:12".into(),
            ipv4: Some([198, 18, 0, 1].into()),
            ipv6: Some("2001:db8:1:1::".parse().unwrap()),
        }),
        public_keys: vec!["ssh-ed25519 AAAA+/= me@host: \"x\"".into()],
        private_networks: Vec::new(),
        user_data: None,
        root_password_hash: None,
    }
}

#[test]
fn the_summary() {
    let expected = r##"availability-zone: hel1-dc2
hostname: web-1
instance-id: 18
local-ipv4: ''
network-config:
  config:
  - mac_address: '96:00:00:00:00:12'
    name: eth0
    subnets:
    - ipv4: true
      type: dhcp
    - address: '2001:db8:1:1::1/64'
      gateway: 'fe80::1'
      ipv6: true
      type: static
    type: physical
  version: 1
public-ipv4: 198.18.0.1
public-keys:
- 'ssh-ed25519 AAAA+/= me@host: "x"'
region: eu-central
vendor_data: "#cloud-config\ndisable_root: false\nfqdn: web-1\nmanage_etc_hosts: true\n"
"##;
    assert_eq!(server().summary(), expected);
}

#[test]
fn a_server_without_addresses_and_keys() {
    let bare = Metadata { public: None, public_keys: Vec::new(), ..server() };
    let summary = bare.summary();
    for part in ["network-config:\n  config: []\n  version: 1\n", "public-ipv4: ''\n", "public-keys: []\n"] {
        assert!(summary.contains(part), "{part} in {summary}");
    }
    assert_eq!(bare.child("public-ipv4"), None);
}

#[test]
fn children_are_bare() {
    let server = server();
    let said: Vec<_> = CHILDREN.iter().map(|name| server.child(name).unwrap()).collect();
    assert_eq!(said, ["web-1", "18", "198.18.0.1", "[]\n", "hel1-dc2", "eu-central"]);
    assert_eq!(server.child("password"), None);
}

#[test]
fn private_networks() {
    let attached = PrivateNetwork {
        ip: [10, 0, 0, 2].into(),
        alias_ips: vec![[10, 0, 0, 3].into(), [10, 0, 0, 4].into()],
        interface_num: 1,
        mac: "86:00:00:00:00:10".into(),
        network_id: 7,
        network_name: "no".into(),
        network: "10.0.0.0/8".into(),
        subnet: "10.0.0.0/24".into(),
        gateway: [10, 0, 0, 1].into(),
    };
    let expected = "- ip: 10.0.0.2\n  alias_ips: [10.0.0.3, 10.0.0.4]\n  interface_num: 1\n  \
                    mac_address: '86:00:00:00:00:10'\n  network_id: 7\n  network_name: 'no'\n  network: 10.0.0.0/8\n  \
                    subnet: 10.0.0.0/24\n  gateway: 10.0.0.1\n";
    let server = Metadata { private_networks: vec![attached], ..server() };
    assert_eq!(server.child("private-networks").as_deref(), Some(expected));
    assert!(!server.summary().contains("10.0.0"), "the summary has all but the private networks");
}

#[test]
fn paths_lead_to_answers() {
    let server = Metadata { user_data: Some("#!/bin/sh\n\t\u{fc}".into()), ..server() };
    assert_eq!(server.answer("/hetzner/v1/metadata"), Some(server.summary()));
    assert_eq!(server.answer("/hetzner/v1/metadata/instance-id").as_deref(), Some("18"));
    assert_eq!(server.answer("/hetzner/v1/userdata"), server.user_data);
    for nowhere in ["/", "/hetzner/v1/metadata/", "/hetzner/v1/metadatahostname", "/hetzner/v1/metadata/nothing"] {
        assert_eq!(server.answer(nowhere), None, "{nowhere}");
    }
}

#[test]
fn a_password_of_root() {
    let server = Metadata { root_password_hash: Some("$6$salt$hash".into()), ..server() };
    let expected = "#cloud-config\nchpasswd:\n  expire: false\n  users:\n  - name: root\n    password: '$6$salt$hash'\n    \
                    type: hash\ndisable_root: false\nfqdn: web-1\nmanage_etc_hosts: true\nssh_pwauth: true\n";
    assert_eq!(server.nocloud().vendor_data, expected);
    assert!(server.summary().contains("chpasswd"));
    assert!(!format!("{server:?}{:?}", server.nocloud()).contains("salt"));
}

#[test]
fn a_seed() {
    let seed = Metadata { user_data: Some("hello".into()), ..server() }.nocloud();
    let meta_data = r#"instance-id: '18'
local-hostname: web-1
public-keys:
- 'ssh-ed25519 AAAA+/= me@host: "x"'
"#;
    let network_config = r"config:
- mac_address: '96:00:00:00:00:12'
  name: eth0
  subnets:
  - ipv4: true
    type: dhcp
  - address: '2001:db8:1:1::1/64'
    gateway: 'fe80::1'
    ipv6: true
    type: static
  type: physical
version: 1
";
    let vendor_data = "#cloud-config\ndisable_root: false\nfqdn: web-1\nmanage_etc_hosts: true\n";
    let expected = [
        ("meta-data", meta_data),
        ("user-data", "hello"),
        ("vendor-data", vendor_data),
        ("network-config", network_config),
    ];
    assert_eq!(seed.files(), expected);
}
