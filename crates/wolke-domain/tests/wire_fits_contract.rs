//! The wire types against the contract: what they write, spliced and pruned, has every member that a dialect's document
//! demands in the type that it demands, and what the contract accepts as a request they can read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test, helpers included")]

use serde_json::{Value, json};
use wolke_domain::catalogue::Catalogue;
use wolke_wire::cloud::action::{Action, ActionResource, ActionStatus};
use wolke_wire::cloud::error::ActionError;
use wolke_wire::cloud::firewall::{AppliedTo, Direction, Firewall, Protocol, ResourceType, Rule};
use wolke_wire::cloud::floating_ip::{AssignFloatingIp, CreateFloatingIp, FloatingIp, UpdateFloatingIp};
use wolke_wire::cloud::iso::{Iso, IsoType};
use wolke_wire::cloud::network::{CreateNetwork, Network, Route, Subnet, SubnetType};
use wolke_wire::cloud::primary_ip::{AssigneeType, CreatePrimaryIp, IpType, PrimaryIp};
use wolke_wire::cloud::server::{CreateServer, PrivateNet, PublicIpv4, PublicIpv6, PublicNet, Server, ServerStatus};
use wolke_wire::cloud::ssh_key::SshKey;
use wolke_wire::cloud::volume::{CreateVolume, Volume, VolumeStatus};
use wolke_wire::cloud::{self, Deprecation, DnsPtr, Embed, Labels};
use wolke_wire::contract::Contract;
use wolke_wire::{Dialect, Kind, Timestamp};

/// 2026-11-21T00:00:00Z.
const NOW: Timestamp = Timestamp(1_795_219_200_000);

/// Puts the catalogue's objects where markers stand.
fn splice(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((kind, id)) = text.strip_prefix('\0').and_then(|marker| marker.split_once(':')) {
                *value = catalogue_object(Kind::from_singular(kind).unwrap(), id.parse().unwrap());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(splice),
        Value::Object(members) => members.values_mut().for_each(splice),
        _ => {}
    }
}

fn catalogue_object(kind: Kind, id: i64) -> Value {
    let c = Catalogue::builtin();
    let mut value = match kind {
        Kind::Location => json!(cloud::location::Location::from(c.location_by_id(id).unwrap())),
        Kind::Datacenter => json!(c.datacenter_to_wire(c.datacenter_by_id(id).unwrap(), NOW)),
        Kind::ServerType => json!(c.server_type_by_id(id).unwrap().to_wire(NOW)),
        Kind::LoadBalancerType => json!(c.load_balancer_type_by_id(id).unwrap().to_wire(NOW)),
        Kind::Image => json!(c.image_by_id(id).unwrap().to_wire(NOW)),
        Kind::Iso => json!(c.iso_by_id(id).unwrap().to_wire(NOW)),
        other => panic!("nothing embeds {other}"),
    };
    splice(&mut value);
    value
}

fn fits(kind: Kind, value: &impl serde::Serialize) {
    let mut value = json!(value);
    splice(&mut value);
    for dialect in Dialect::ALL {
        let Some(schema) = Contract::of(*dialect).resource(kind) else { continue };
        let mut pruned = value.clone();
        schema.prune(&mut pruned);
        let violations: Vec<String> =
            schema.check_strictly(&pruned).into_iter().map(|v| format!("{}: {}", v.path, v.message)).collect();
        let unexpected: Vec<_> = violations.iter().filter(|text| !is_known(*dialect, text)).collect();
        assert!(unexpected.is_empty(), "{dialect} {kind}: {unexpected:?}");
    }
}

/// Where older documents have no word for what newer state holds. Not the types' business but the renderer's, or left
/// as it is because to every client of that time the field is a string (dialects A.10).
fn is_known(dialect: Dialect, violation: &str) -> bool {
    let old = matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07);
    let is_2018 = dialect == Dialect::D2018_04;
    // Flavors that came after 2023: alma, rocky, opensuse.
    (old && violation.starts_with("os_flavor: "))
        || (is_2018 && violation.starts_with("cpu_type: 'dedicated'"))
        // App images count as system images there, and what cannot be used any more has no word.
        || (is_2018 && (violation.starts_with("type: 'app'") || violation.starts_with("status: 'unavailable'")))
        // Absent public addresses are null here and an object with empty fields in 2018.
        || (is_2018 && violation.starts_with("public_net.ipv") && violation.ends_with("must not be null"))
}

#[test]
fn the_whole_catalogue() {
    let c = Catalogue::builtin();
    c.locations.iter().for_each(|l| fits(Kind::Location, &cloud::location::Location::from(l)));
    c.datacenters.iter().for_each(|d| fits(Kind::Datacenter, &c.datacenter_to_wire(d, NOW)));
    c.server_types.iter().for_each(|t| fits(Kind::ServerType, &t.to_wire(NOW)));
    c.load_balancer_types.iter().for_each(|t| fits(Kind::LoadBalancerType, &t.to_wire(NOW)));
    c.images.iter().for_each(|i| fits(Kind::Image, &i.to_wire(NOW)));
    c.isos.iter().for_each(|i| fits(Kind::Iso, &i.to_wire(NOW)));
    let private = Iso {
        id: 1_000_000_001,
        name: None,
        description: "rescue of our own".into(),
        kind: IsoType::Private,
        deprecated: Some(NOW),
        deprecation: Some(Deprecation { announced: NOW, unavailable_after: NOW }),
        architecture: None,
    };
    fits(Kind::Iso, &private);
}

#[test]
fn prices() {
    let prices = json!({ "pricing": Catalogue::builtin().pricing_to_wire(NOW) });
    for dialect in Dialect::ALL {
        let schema = Contract::of(*dialect).operation("get_pricing").unwrap().success().unwrap();
        let mut pruned = prices.clone();
        schema.prune(&mut pruned);
        let violations = schema.check_strictly(&pruned);
        assert!(violations.is_empty(), "{dialect}: {violations:?}");
    }
}

fn labels() -> Labels {
    [("environment".to_owned(), "prod".to_owned()), ("empty".to_owned(), String::new())].into()
}

fn server(public_net: PublicNet) -> Server {
    Server {
        id: 42,
        name: "web".into(),
        status: ServerStatus::Running,
        created: Timestamp(1_700_000_000_123),
        public_net,
        private_net: vec![PrivateNet {
            network: 7,
            ip: "10.0.1.1".into(),
            alias_ips: vec!["10.0.1.9".into()],
            mac_address: "86:00:ff:00:00:01".into(),
        }],
        server_type: Embed(Kind::ServerType, 109),
        location: Embed(Kind::Location, 1),
        datacenter: Embed(Kind::Datacenter, 4),
        image: Some(Embed(Kind::Image, 161_547_269)),
        iso: None,
        rescue_enabled: false,
        locked: false,
        backup_window: None,
        outgoing_traffic: Some(0),
        ingoing_traffic: Some(0),
        included_traffic: Some(21_990_232_555_520),
        protection: cloud::server::ServerProtection::default(),
        labels: labels(),
        volumes: vec![],
        load_balancers: vec![],
        primary_disk_size: 80,
        placement_group: None,
    }
}

#[test]
fn resources() {
    let ptr = DnsPtr { ip: "2001:db8:1:1::1".into(), dns_ptr: "a.example.com".into() };
    fits(Kind::Server, &server(PublicNet::default()));
    fits(
        Kind::Server,
        &server(PublicNet {
            ipv4: Some(PublicIpv4 { id: 1, ip: "198.18.0.1".into(), blocked: false, dns_ptr: "a.example.com".into() }),
            ipv6: Some(PublicIpv6 {
                id: 2,
                ip: "2001:db8:1:1::/64".into(),
                blocked: false,
                dns_ptr: vec![ptr.clone()],
            }),
            ..PublicNet::default()
        }),
    );
    let key = ("k".to_owned(), "b7:2f:30:a0:2f:6c:58:6c:21:04:58:61:ba:06:3b:2f".to_owned());
    let public_key = "ssh-ed25519 AAAA".to_owned();
    fits(
        Kind::SshKey,
        &SshKey { id: 1, name: key.0, fingerprint: key.1, public_key, labels: labels(), created: Timestamp(0) },
    );
    fits(
        Kind::PrimaryIp,
        &PrimaryIp {
            id: 1,
            name: "primary_ip-1".into(),
            ip: "2001:db8:1:1::/64".into(),
            kind: IpType::Ipv6,
            assignee_id: None,
            assignee_type: AssigneeType::Server,
            auto_delete: true,
            blocked: false,
            dns_ptr: vec![ptr],
            location: Embed(Kind::Location, 3),
            datacenter: Embed(Kind::Datacenter, 3),
            protection: cloud::DeleteProtection::default(),
            labels: labels(),
            created: Timestamp(0),
        },
    );
    let server = cloud::firewall::ResourceId { id: 42 };
    let selector = cloud::firewall::LabelSelector { selector: "env=prod".into() };
    let applied = cloud::firewall::AppliedResource { kind: ResourceType::Server, server };
    let named = AppliedTo {
        kind: ResourceType::Server,
        server: Some(server),
        label_selector: None,
        applied_to_resources: None,
    };
    let matched = AppliedTo {
        kind: ResourceType::LabelSelector,
        server: None,
        label_selector: Some(selector),
        applied_to_resources: Some(vec![applied]),
    };
    let rule = Rule {
        direction: Direction::In,
        protocol: Protocol::Tcp,
        port: Some("80-85".into()),
        source_ips: vec!["0.0.0.0/0".into()],
        destination_ips: vec![],
        description: None,
    };
    let (rules, applied_to) = (vec![rule], vec![named, matched]);
    let name = "web".to_owned();
    fits(Kind::Firewall, &Firewall { id: 1, name, labels: labels(), created: Timestamp(0), rules, applied_to });
    for (server, format) in [(None, None), (Some(42), Some("ext4".to_owned()))] {
        fits(
            Kind::Volume,
            &Volume {
                id: 1,
                name: "data".into(),
                created: Timestamp(0),
                server,
                location: Embed(Kind::Location, 1),
                size: 10,
                linux_device: "/dev/disk/by-id/scsi-0HC_Volume_1".into(),
                protection: cloud::DeleteProtection::default(),
                labels: labels(),
                status: VolumeStatus::Available,
                format,
            },
        );
    }
    for (family, ip, holder) in [(IpType::Ipv4, "198.18.0.7", Some(42)), (IpType::Ipv6, "2001:db8:1:2::/64", None)] {
        fits(
            Kind::FloatingIp,
            &FloatingIp {
                id: 1,
                name: "floating-ip-1".into(),
                description: holder.map(|_| "web".into()),
                ip: ip.into(),
                kind: family,
                server: holder,
                dns_ptr: vec![DnsPtr { ip: "198.18.0.7".into(), dns_ptr: "a.example.com".into() }],
                home_location: Embed(Kind::Location, 3),
                blocked: false,
                protection: cloud::DeleteProtection::default(),
                labels: labels(),
                created: Timestamp(0),
            },
        );
    }
    for (status, finished, error) in [
        (ActionStatus::Running, None, None),
        (ActionStatus::Success, Some(Timestamp(1)), None),
        (ActionStatus::Error, Some(Timestamp(1)), Some(("action_failed", "Action failed"))),
    ] {
        fits(
            Kind::Action,
            &Action {
                id: 7,
                command: "create_server".into(),
                status,
                progress: 100,
                started: Timestamp(0),
                finished,
                resources: vec![ActionResource { id: 42, kind: Kind::Server }],
                error: error.map(|(code, message)| ActionError { code: code.into(), message: message.into() }),
            },
        );
    }
}

#[test]
fn networks() {
    let subnet = |kind, vswitch_id| Subnet {
        kind,
        ip_range: "10.0.1.0/24".into(),
        network_zone: "eu-central".into(),
        gateway: "10.0.0.1".into(),
        vswitch_id,
    };
    let subnets = [(SubnetType::Cloud, None), (SubnetType::Server, None), (SubnetType::Vswitch, Some(7))];
    let network = Network {
        id: 1,
        name: "net".into(),
        ip_range: "10.0.0.0/16".into(),
        subnets: subnets.into_iter().map(|(kind, vswitch)| subnet(kind, vswitch)).collect(),
        routes: vec![Route { destination: "10.100.0.0/16".into(), gateway: "10.0.1.1".into() }],
        servers: vec![42],
        load_balancers: vec![43],
        protection: cloud::DeleteProtection::default(),
        labels: labels(),
        created: Timestamp(0),
        expose_routes_to_vswitch: true,
    };
    fits(Kind::Network, &network);
    let body = json!({
        "name": "a", "ip_range": "10.0.0.0/16", "labels": null, "expose_routes_to_vswitch": null, "routes": null,
        "subnets": [{"type": "cloud", "network_zone": "eu-central", "ip_range": null, "vswitch_id": null}],
    });
    for dialect in [Dialect::D2023_07, Dialect::Compat] {
        assert!(Contract::of(dialect).operation("create_network").unwrap().check_request(&body).is_ok(), "{dialect}");
    }
    let request: CreateNetwork = serde_json::from_value(body).unwrap();
    assert!(request.labels.is_empty() && request.routes.is_empty() && !request.expose_routes_to_vswitch);
    assert_eq!((request.subnets.len(), &request.subnets[0].ip_range), (1, &None));
}

/// Labels are any pairs wherever they can be given, also where a document shows them by an example.
#[test]
fn labels_are_open_in_every_dialect() {
    let created = ["create_network", "create_server", "create_load_balancer", "create_volume", "create_floating_ip"];
    let changed = ["update_network", "update_server", "update_volume", "server_create_image", "create_ssh_key"];
    for dialect in Dialect::ALL.iter().filter(|dialect| **dialect != Dialect::D2018_04) {
        for id in created.into_iter().chain(changed) {
            let operation = Contract::of(*dialect).operation(id).unwrap();
            let mut body = json!({"labels": {"environment": "prod"}});
            operation.request.as_ref().unwrap().prune(&mut body);
            assert_eq!(body, json!({"labels": {"environment": "prod"}}), "{dialect} {id}");
        }
    }
}

#[test]
fn certificates() {
    use cloud::certificate::{Certificate, CertificateError, CertificateStatus, CertificateType, CreateCertificate};
    use cloud::certificate::{Issuance, Renewal, User};
    let error = CertificateError { code: "dns_zone_not_found".into(), message: "gone".into() };
    let mut certificate = Certificate {
        id: 1,
        name: "a".into(),
        labels: labels(),
        kind: CertificateType::Managed,
        certificate: None,
        created: Timestamp(0),
        not_valid_before: None,
        not_valid_after: None,
        domain_names: vec!["example.com".into()],
        fingerprint: None,
        status: None,
        used_by: vec![User { id: 7, kind: Kind::LoadBalancer }],
    };
    fits(Kind::Certificate, &certificate);
    for (issuance, renewal) in Issuance::ALL.iter().flat_map(|one| Renewal::ALL.iter().map(move |other| (*one, *other)))
    {
        certificate.status = Some(CertificateStatus { issuance, renewal, error: Some(error.clone()) });
        fits(Kind::Certificate, &certificate);
    }
    let text = Some("text".to_owned());
    (certificate.certificate, certificate.fingerprint) = (text.clone(), text);
    (certificate.not_valid_before, certificate.not_valid_after) = (Some(Timestamp(0)), Some(Timestamp(1)));
    fits(Kind::Certificate, &certificate);
    let body = json!({"name": "a", "type": "managed", "domain_names": ["example.com"], "labels": {"a": "b"}});
    for dialect in [Dialect::D2023_07, Dialect::Compat] {
        assert!(
            Contract::of(dialect).operation("create_certificate").unwrap().check_request(&body).is_ok(),
            "{dialect}"
        );
    }
    serde_json::from_value::<CreateCertificate>(body).unwrap();
}

#[test]
fn load_balancers() {
    use cloud::load_balancer::{
        Algorithm, AlgorithmType, ChangeService, ChangeTarget, CreateLoadBalancer, HealthDetail, HealthStatus,
        LoadBalancer, PrivateNet, PublicAddress, PublicNet, Target, TargetHealth, TargetIp, TargetSelector,
        TargetServer, TargetType,
    };
    let public = |ip: &str, id: Option<i64>, dns_ptr: Option<&str>| {
        let (ip, dns_ptr) = (Some(ip.to_owned()), dns_ptr.map(str::to_owned));
        PublicAddress { id, ip, blocked: false, dns_ptr }
    };
    let service = |body: Value| -> cloud::load_balancer::Service {
        wolke_domain::load_balancer::service::make("", &serde_json::from_value::<ChangeService>(body).unwrap()).unwrap()
    };
    let services = vec![
        service(json!({"protocol": "tcp", "listen_port": 22, "destination_port": 22})),
        service(json!({"protocol": "http"})),
        service(json!({"protocol": "https", "http": {"certificates": [7], "redirect_http": true}})),
    ];
    let health = |status, detail, http_status_code| {
        let listen_port = 80;
        Some(vec![TargetHealth { listen_port, status, detail, http_status_code }])
    };
    let none = || Target {
        kind: TargetType::Server,
        server: None,
        label_selector: None,
        ip: None,
        use_private_ip: None,
        health_status: None,
        targets: None,
    };
    let server = |health_status| Target {
        server: Some(TargetServer { id: 42 }),
        use_private_ip: Some(true),
        health_status,
        ..none()
    };
    let mut targets: Vec<Target> = HealthStatus::ALL.iter().map(|status| server(health(*status, None, None))).collect();
    targets.extend(
        HealthDetail::ALL.iter().map(|detail| server(health(HealthStatus::Unhealthy, Some(*detail), Some(503)))),
    );
    let selected = Some(vec![server(health(HealthStatus::Healthy, None, None))]);
    let label_selector = Some(TargetSelector { selector: "env=prod".into() });
    let (kind, use_private_ip) = (TargetType::LabelSelector, Some(false));
    targets.push(Target { kind, label_selector, use_private_ip, targets: selected, ..none() });
    let (kind, ip) = (TargetType::Ip, Some(TargetIp { ip: "203.0.113.7".into() }));
    targets.push(Target { kind, ip, health_status: health(HealthStatus::Healthy, None, None), ..none() });
    for (id, kind) in [None, Some(3)].into_iter().zip(AlgorithmType::ALL) {
        fits(
            Kind::LoadBalancer,
            &LoadBalancer {
                id: 1,
                name: "lb".into(),
                public_net: PublicNet {
                    enabled: true,
                    ipv4: public("198.18.0.1", id, Some("lb.example.com")),
                    ipv6: public("2001:db8::1", id, None),
                },
                private_net: vec![PrivateNet { network: 7, ip: "10.0.0.2".into() }],
                location: Embed(Kind::Location, 1),
                load_balancer_type: Embed(Kind::LoadBalancerType, 1),
                protection: cloud::DeleteProtection::default(),
                labels: labels(),
                created: NOW,
                services: services.clone(),
                targets: targets.clone(),
                algorithm: Algorithm { kind: *kind },
                outgoing_traffic: id.map(|_| 1),
                ingoing_traffic: id.map(|_| 1),
                included_traffic: 21_990_232_555_520,
            },
        );
    }
    let target = json!({"type": "label_selector", "label_selector": {"selector": "a=b"}, "use_private_ip": true});
    let body = json!({
        "name": "lb", "load_balancer_type": "lb11", "network_zone": "eu-central", "algorithm": {"type": "round_robin"},
        "services": services, "targets": [target], "labels": {"a": "b"}, "network": 7, "public_interface": false,
    });
    for dialect in [Dialect::D2023_07, Dialect::D2026_02, Dialect::Newest, Dialect::Compat] {
        for (operation, body) in [("create_load_balancer", &body), ("load_balancer_add_target", &target)] {
            let checked = Contract::of(dialect).operation(operation).unwrap().check_request(body);
            assert!(checked.is_ok(), "{dialect} {operation}");
        }
    }
    serde_json::from_value::<CreateLoadBalancer>(body).unwrap();
    serde_json::from_value::<ChangeTarget>(target).unwrap();
}

#[test]
fn zones_and_sets() {
    use cloud::rrset::{ChangeProtection, Record, Rrset, RrsetType};
    use cloud::zone::{
        AuthoritativeNameservers, DelegationStatus, Nameserver, Registrar, TsigAlgorithm, Zone, ZoneMode,
    };
    let signed = Nameserver {
        address: "2001:db8::1".into(),
        port: 5353,
        tsig_algorithm: Some(TsigAlgorithm::HmacSha256),
        tsig_key: Some(cloud::Secret::new("c2VjcmV0".into())),
    };
    let plain = Nameserver { tsig_algorithm: None, tsig_key: None, ..signed.clone() };
    for (mode, checked) in [(ZoneMode::Primary, None), (ZoneMode::Secondary, Some(NOW))] {
        for status in DelegationStatus::ALL {
            let authoritative_nameservers = AuthoritativeNameservers {
                assigned: vec!["hydrogen.ns.hetzner.com.".into()],
                delegated: Vec::new(),
                delegation_last_check: checked,
                delegation_status: *status,
            };
            fits(
                Kind::Zone,
                &Zone {
                    id: 1,
                    name: "example.com".into(),
                    created: NOW,
                    mode,
                    ttl: 3600,
                    labels: labels(),
                    protection: cloud::DeleteProtection::default(),
                    primary_nameservers: vec![signed.clone(), plain.clone()],
                    authoritative_nameservers,
                    registrar: Registrar::Other,
                    status: cloud::zone::ZoneStatus::Ok,
                    record_count: 4,
                },
            );
        }
    }
    for (kind, ttl) in RrsetType::ALL.iter().zip([None, Some(60)].into_iter().cycle()) {
        let records = vec![Record { value: "v".into(), comment: String::new() }];
        let (id, protection) = (format!("www/{kind}"), ChangeProtection { change: true });
        let name = "www".to_owned();
        fits(Kind::Rrset, &Rrset { id, name, kind: *kind, ttl, labels: labels(), protection, records, zone: 1 });
    }
}

#[test]
fn accepted_requests_can_be_read() {
    let contract = Contract::of(Dialect::Compat);
    let accepted = |operation: &str, body: &Value| {
        let report = contract.operation(operation).unwrap().check_request(body);
        assert!(report.is_ok() && report.unknown == 0, "{body}: {report:?}");
    };
    let body = json!({
        "name": "a", "server_type": "cpx22", "image": 1, "location": "1", "start_after_create": null,
        "ssh_keys": ["k", 4], "user_data": "#cloud-config", "labels": {"a": ""}, "automount": false,
        "volumes": [1], "networks": [2], "firewalls": [{"firewall": 3}], "placement_group": 4,
        "public_net": {"enable_ipv4": false, "enable_ipv6": true, "ipv4": null, "ipv6": 5}
    });
    accepted("create_server", &body);
    let request: CreateServer = serde_json::from_value(body).unwrap();
    assert!(request.start_after_create && !request.public_net.enable_ipv4);
    assert_eq!((request.placement_group, request.public_net.ipv6), (Some(4), Some(5)));
    let body = json!({"name": "a", "size": 10, "location": 1, "server": 2, "automount": true, "format": "xfs"});
    accepted("create_volume", &body);
    let request: CreateVolume = serde_json::from_value(body).unwrap();
    assert_eq!((request.size, request.server, request.automount), (10, Some(2), true));
    let body = json!({
        "name": "a.com", "mode": "secondary", "ttl": null, "labels": null, "zonefile": null,
        "primary_nameservers": [{"address": "192.0.2.1", "port": null, "tsig_algorithm": null, "tsig_key": null}],
        "rrsets": [{"name": "@", "type": "A", "ttl": null, "records": [{"value": "192.0.2.1", "comment": null}]}]
    });
    accepted("create_zone", &body);
    let request: cloud::zone::CreateZone = serde_json::from_value(body).unwrap();
    assert_eq!((request.ttl, request.primary_nameservers[0].port, request.rrsets[0].ttl), (None, 53, None));
    let body = json!({"name": "a", "type": "ipv4", "location": "fsn1", "auto_delete": null, "assignee_id": null});
    accepted("create_primary_ip", &body);
    let request: CreatePrimaryIp = serde_json::from_value(body).unwrap();
    assert_eq!((request.kind, request.assignee_type, request.auto_delete), (IpType::Ipv4, None, false));
    let body = json!({"type": "ipv6", "server": null, "home_location": "3", "description": null, "labels": {"a": ""}});
    accepted("create_floating_ip", &body);
    let request: CreateFloatingIp = serde_json::from_value(body).unwrap();
    assert_eq!((request.kind, request.server, request.name), (IpType::Ipv6, None, None));
    let body = json!({"name": "a", "description": null});
    accepted("update_floating_ip", &body);
    assert_eq!(serde_json::from_value::<UpdateFloatingIp>(body).unwrap().description, Some(None));
    let body = json!({"server": null});
    accepted("floating_ip_assign", &body);
    assert_eq!(serde_json::from_value::<AssignFloatingIp>(body).unwrap().server, None);
}
