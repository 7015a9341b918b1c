//! Values to store.

use std::collections::BTreeMap;
use wolke_domain::Result;
use wolke_domain::action::{Action, Status as ActionStatus, Target};
use wolke_domain::image::{Details as ImageDetails, Image, OWN_ID_MIN, Status as ImageStatus, Type};
use wolke_domain::primary_ip::Assignee;
use wolke_domain::server::{DETAILS_VERSION, Details, Server, Status};
use wolke_domain::volume::Attachment;
use wolke_store::firewall::{self, Firewall};
use wolke_store::floating_ip::{self, FloatingIp};
use wolke_store::load_balancer::{self, Details as BalancerDetails, LoadBalancer, PublicIp};
use wolke_store::primary_ip::{self, PrimaryIp};
use wolke_store::ssh_key::{self, SshKey};
use wolke_store::volume::{self, Volume};
use wolke_store::{Counter, Tx, address, project};
use wolke_wire::cloud::Architecture;
use wolke_wire::cloud::firewall::{Direction, Protocol, Rule};
use wolke_wire::cloud::load_balancer::AlgorithmType;
use wolke_wire::{Id, Kind, Timestamp};

/// Labels from pairs.
pub fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A project.
pub fn project(tx: &mut dyn Tx) -> Result<Id> {
    Ok(project::insert(tx, "default")?.id)
}

/// A server with a new id.
pub fn server(tx: &mut dyn Tx, project: Id, name: &str, pairs: &[(&str, &str)]) -> Result<Server> {
    let id = tx.next_id(Counter::Kind(Kind::Server))?;
    Ok(Server {
        id,
        project,
        name: name.to_owned(),
        created: Timestamp(1_000 + id),
        status: Status::Initializing,
        host: None,
        placement_group: None,
        details: Details {
            v: DETAILS_VERSION,
            server_type: 1,
            image: Some(1),
            location: 1,
            datacenter: 1,
            primary_disk_gb: 20,
            labels: labels(pairs),
            delete_protected: false,
            rebuild_protected: false,
            doomed: false,
            ssh_keys: Vec::new(),
            user_data_sealed: None,
            iso: None,
            rescue: None,
            rescue_epoch: 0,
            rebuild_epoch: 0,
            backup: None,
            moving: None,
            leaving: None,
            calendar: None,
        },
    })
}

/// A snapshot of a server, or a backup, with a new id.
pub fn image(tx: &mut dyn Tx, project: Id, kind: Type, server: Id) -> Result<Image> {
    let id = OWN_ID_MIN + tx.next_id(Counter::Kind(Kind::Image))?;
    Ok(Image {
        id,
        project,
        created: Timestamp(1_000 + id),
        kind,
        status: ImageStatus::Available,
        architecture: Architecture::X86,
        bound_to: (kind == Type::Backup).then_some(server),
        details: ImageDetails {
            v: 1,
            description: "a".into(),
            size_mb: Some(2_355),
            disk_gb: 40,
            from: server,
            from_name: "web-1".into(),
            os_flavor: "debian".into(),
            os_version: Some("12".into()),
            host: None,
            runtime: None,
            delete_protected: false,
            labels: labels(&[("a", "b")]),
        },
    })
}

/// A primary IP with a new id.
pub fn primary_ip(tx: &mut dyn Tx, project: Id, name: &str, ip: &str, assignee: Option<Assignee>) -> Result<PrimaryIp> {
    let id = tx.next_id(Counter::Kind(Kind::PrimaryIp))?;
    let details = primary_ip::Details {
        v: 1,
        location: 1,
        datacenter: Some(1),
        auto_delete: true,
        dns_ptr: BTreeMap::new(),
        delete_protected: false,
        blocked: false,
        labels: BTreeMap::new(),
    };
    let family = if ip.contains(':') { 6 } else { 4 };
    let (name, ip) = (name.to_owned(), ip.to_owned());
    Ok(PrimaryIp { id, project, name, created: Timestamp(5), ip, family, assignee, details })
}

/// A floating IP with a new id.
pub fn floating_ip(tx: &mut dyn Tx, project: Id, name: &str, ip: &str, server: Option<Id>) -> Result<FloatingIp> {
    let id = tx.next_id(Counter::Kind(Kind::FloatingIp))?;
    let details = floating_ip::Details {
        v: 1,
        home_location: 1,
        description: Some("web".into()),
        dns_ptr: BTreeMap::new(),
        delete_protected: false,
        blocked: false,
        labels: labels(&[("a", "b")]),
    };
    let family = if ip.contains(':') { 6 } else { 4 };
    let (name, ip) = (name.to_owned(), ip.to_owned());
    Ok(FloatingIp { id, project, name, created: Timestamp(5), ip, family, server, details })
}

/// An SSH key with a new id.
pub fn ssh_key(tx: &mut dyn Tx, project: Id, name: &str, fingerprint: &str) -> Result<SshKey> {
    let id = tx.next_id(Counter::Kind(Kind::SshKey))?;
    let details = ssh_key::Details { v: 1, public_key: "ssh-ed25519 AAAA".into(), labels: BTreeMap::new() };
    Ok(SshKey {
        id,
        project,
        name: name.to_owned(),
        created: Timestamp(7),
        fingerprint: fingerprint.to_owned(),
        details,
    })
}

/// A firewall with a new id and one rule.
pub fn firewall(tx: &mut dyn Tx, project: Id, name: &str) -> Result<Firewall> {
    let id = tx.next_id(Counter::Kind(Kind::Firewall))?;
    let rule = Rule {
        direction: Direction::In,
        protocol: Protocol::Icmp,
        port: None,
        source_ips: vec!["0.0.0.0/0".into()],
        destination_ips: Vec::new(),
        description: None,
    };
    let details = firewall::Details { v: 1, rules: vec![rule], labels: labels(&[("a", "b")]) };
    Ok(Firewall { id, project, name: name.to_owned(), created: Timestamp(3), details })
}

/// A volume with a new id, free or attached.
pub fn volume(tx: &mut dyn Tx, project: Id, name: &str, server: Option<Id>) -> Result<Volume> {
    let id = tx.next_id(Counter::Kind(Kind::Volume))?;
    let details = volume::Details {
        v: 1,
        size_gb: 10,
        format: Some("xfs".into()),
        attachment: server.map(|_| Attachment::new(Timestamp(8), true, 0)),
        delete_protected: false,
        labels: labels(&[("a", "b")]),
    };
    let (name, status) = (name.to_owned(), "available".to_owned());
    Ok(Volume { id, project, name, created: Timestamp(9), status, location: 1, server, details })
}

/// A running action with a new id.
pub fn action(tx: &mut dyn Tx, project: Id, command: &str, resources: &[Target]) -> Result<Action> {
    let id = tx.next_id(Counter::Kind(Kind::Action))?;
    Ok(Action {
        id,
        project,
        command: command.to_owned(),
        status: ActionStatus::Running,
        progress: 0,
        started: Timestamp(100 + id % 3),
        finished: None,
        failure: None,
        resources: resources.to_vec(),
    })
}

/// A load balancer with a new id and two primary IPs, without services and targets.
pub fn load_balancer(tx: &mut dyn Tx, project: Id, name: &str) -> Result<LoadBalancer> {
    let id = tx.next_id(Counter::Kind(Kind::LoadBalancer))?;
    for (pool, family, cidr) in [(71, 4, "198.18.0.0/24"), (72, 6, "2001:db8::/56")] {
        address::ensure_pool(tx, pool, family, cidr, 200)?;
        let ip = if family == 4 { format!("198.18.0.{id}") } else { format!("2001:db8:0:{id}::/64") };
        let own = primary_ip(tx, project, &format!("{name} {family}"), &ip, Some(Assignee::LoadBalancer(id)))?;
        primary_ip::insert(tx, &own)?;
        address::allocate(tx, family, Kind::PrimaryIp, own.id)?;
    }
    let details = BalancerDetails {
        v: 1,
        location: 1,
        load_balancer_type: 1,
        algorithm: AlgorithmType::RoundRobin,
        public_interface: true,
        ipv4: PublicIp { ip: format!("198.18.0.{id}") },
        ipv6: PublicIp { ip: format!("2001:db8:0:{id}::1") },
        services: Vec::new(),
        targets: Vec::new(),
        history: Vec::new(),
        delete_protected: false,
        labels: labels(&[("a", "b")]),
    };
    Ok(LoadBalancer { id, project, name: name.to_owned(), created: Timestamp(3), details })
}

/// Removes a load balancer with its primary IPs.
pub fn remove_load_balancer(tx: &mut dyn Tx, old: &LoadBalancer) -> Result<()> {
    load_balancer::delete(tx, old)?;
    for own in primary_ip::of_load_balancer(tx, old.id)? {
        primary_ip::delete(tx, &own.value)?;
        address::release(tx, Kind::PrimaryIp, own.value.id)?;
    }
    Ok(())
}
