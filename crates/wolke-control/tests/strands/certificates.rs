//! Managed certificates: issued, failed at every step, tried again, renewed; and that TLS clients believe them.

use crate::common::{Engine, World, action_status, check_at_rest, engines, world_of};
use crate::helpers::{block_on, drive, ensure, slow, travel};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use serde_json::{Value, json};
use std::sync::Arc;
use wolke_control::Simulation;
use wolke_control::clock::Jump;
use wolke_domain::Result;
use wolke_domain::action::Status as ActionStatus;
use wolke_domain::certificate::AuthorityName;
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::{Tx, certificate, event, invariant, strand};
use wolke_strand::testing::{Disturbance, Drive, try_every_disturbance};
use wolke_wire::Id;
use wolke_wire::cloud::certificate::{Issuance, Renewal};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A world in which no domain needs a zone.
fn without_zones(engine: &Engine, simulation: Simulation) -> World {
    let mut core = crate::common::core(simulation);
    core.certificates_need_zones = false;
    block_on(world_of(engine, core))
}

/// Asks for a certificate; gives its id and the action's.
fn order(world: &World, domains: &[&str]) -> (Id, Id) {
    let request = parse(json!({"name": "cert", "type": "managed", "domain_names": domains}));
    let shown = block_on(world.control.create_certificate(&world.caller, request)).unwrap();
    let shown: Value = serde_json::from_slice(&shown).unwrap();
    (shown["certificate"]["id"].as_i64().unwrap(), shown["action"]["id"].as_i64().unwrap())
}

fn details(world: &World, id: Id) -> certificate::Details {
    let found = world.db.read_blocking(move |tx: &mut dyn Tx| certificate::by_id(tx, id)).unwrap();
    found.unwrap().value.details
}

fn calendars(world: &World) -> usize {
    let all = world.db.read_blocking(|tx: &mut dyn Tx| strand::all(tx)).unwrap();
    all.iter().filter(|strand| strand.kind == "certificate_calendar").count()
}

fn calm(world: &World) -> Drive<'_, wolke_control::Core> {
    Drive::new(&world.db, &world.core, Disturbance::None)
}

fn retry(world: &World, id: Id) -> Result<()> {
    block_on(world.control.retry_certificate(&world.caller, id)).map(|_| ())
}

/// Issued or not, and then deleted.
fn try_issue(engine: &Engine, disturbance: Disturbance, simulation: Simulation) -> Result<(usize, bool)> {
    let world = without_zones(engine, simulation);
    let (id, action) = order(&world, &["example.com"]);
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    drive(&world, &mut run)?;
    check_at_rest(&world.db)?;
    world.db.read_blocking(invariant::check)?;
    let details = details(&world, id);
    let managed = details.managed.unwrap();
    match action_status(&world.db, world.caller.project, action) {
        ActionStatus::Success => {
            ensure(managed.issuance == Issuance::Completed && details.issued.is_some(), "there is a certificate")?;
            ensure(calendars(&world) == 1, "which will be renewed")?;
        }
        _ => {
            ensure(managed.issuance == Issuance::Failed && details.issued.is_none(), "there is none, and it says so")?;
            ensure(managed.failure.is_some() && calendars(&world) == 0, "nobody tries again by himself")?;
            retry(&world, id)?;
            drive(&world, &mut calm(&world))?;
            ensure(self::details(&world, id).issued.is_some(), "a retry makes it good")?;
        }
    }
    block_on(world.control.delete_certificate(&world.caller, id))?;
    drive(&world, &mut calm(&world))?;
    ensure(calendars(&world) == 0, "the calendar goes with its certificate")?;
    check_at_rest(&world.db)?;
    block_on(world.control.delete_project("default", false))?;
    Ok((run.steps, run.disturbed))
}

fn taking_time() -> Simulation {
    let profile = slow().profile.with(OperationKind::IssueCertificate, Policy::After { ms: 20_000 });
    Simulation { profile, ..Simulation::default() }
}

#[test]
fn a_certificate_is_issued_or_says_why_not() {
    for engine in engines("a_certificate_is_issued_or_says_why_not") {
        let steps = try_every_disturbance(|d| try_issue(&engine, d, taking_time())).unwrap();
        assert!(steps >= 3, "{steps} steps");
    }
    try_every_disturbance(|d| try_issue(&Engine::Memory, d, Simulation::default())).unwrap();
}

fn try_renewal(engine: &Engine, disturbance: Disturbance) -> Result<(usize, bool)> {
    let world = without_zones(engine, taking_time());
    let (id, _) = order(&world, &["example.com"]);
    drive(&world, &mut calm(&world))?;
    let first = details(&world, id).issued.unwrap();
    let mut run = Drive::new(&world.db, &world.core, disturbance);
    travel(&world, &mut run, Jump::By(61 * DAY_MS))?;
    drive(&world, &mut run)?;
    let now = details(&world, id);
    let managed = now.managed.unwrap();
    if managed.renewal == Renewal::Failed {
        ensure(now.issued.as_ref() == Some(&first), "the old one stays")?;
        let told = world.db.read_blocking(|tx: &mut dyn Tx| event::list(tx))?;
        ensure(told.len() == 1 && told[0].what.resource.id == id, "the operator is told, once")?;
        travel(&world, &mut calm(&world), Jump::By(2 * DAY_MS))?;
        drive(&world, &mut calm(&world))?;
    }
    let now = details(&world, id);
    let managed = now.managed.unwrap();
    ensure(now.issued.is_some_and(|issued| issued.fingerprint != first.fingerprint), "it is another one")?;
    ensure(managed.issuance == Issuance::Completed && managed.renewal == Renewal::Unavailable, "all is well")?;
    ensure(calendars(&world) == 1, "one calendar")?;
    check_at_rest(&world.db)?;
    world.db.read_blocking(invariant::check)?;
    Ok((run.steps, run.disturbed))
}

#[test]
fn a_renewal_happens_whatever_happens() {
    for engine in engines("a_renewal_happens_whatever_happens") {
        let steps = try_every_disturbance(|d| try_renewal(&engine, d)).unwrap();
        assert!(steps >= 5, "{steps} steps");
    }
}

#[test]
fn an_authority_that_does_not_answer_is_given_up() {
    let profile = LatencyProfile::none().with(OperationKind::IssueCertificate, Policy::Stuck);
    let world = without_zones(&Engine::Memory, Simulation { profile, ..Simulation::default() });
    let (id, action) = order(&world, &["example.com"]);
    drive(&world, &mut calm(&world)).unwrap();
    assert_eq!(action_status(&world.db, world.caller.project, action), ActionStatus::Error);
    let failure = details(&world, id).managed.unwrap().failure.unwrap();
    assert_eq!(failure.code.as_str(), "timeout");
}

/// World time for TLS.
#[derive(Debug)]
struct WorldTime(UnixTime);

impl rustls::time_provider::TimeProvider for WorldTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

/// A handshake in memory, of a server with a certificate and a client that trusts a root.
fn handshake(world: &World, id: Id, root: &str, name: &str) -> std::result::Result<(), rustls::Error> {
    let sealed = world.db.read_blocking(move |tx: &mut dyn Tx| certificate::key(tx, id)).unwrap().unwrap();
    let key = world.core.sealer.open("certificate_key", &sealed).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let chain = details(world, id).issued.unwrap().chain;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes()).map(|one| one.unwrap()).collect();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let seconds = u64::try_from(world.now().0 / 1000).unwrap();
    let time = Arc::new(WorldTime(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))));
    let server =
        rustls::ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let server = server.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let client = rustls::ClientConfig::builder_with_details(provider, time).with_safe_default_protocol_versions();
    let client = client.unwrap().with_root_certificates(roots).with_no_client_auth();
    let mut server = rustls::ServerConnection::new(Arc::new(server)).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(client), name).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut text = Vec::new();
        client.write_tls(&mut text).unwrap();
        server.read_tls(&mut text.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut text = Vec::new();
        server.write_tls(&mut text).unwrap();
        client.read_tls(&mut text.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn clients_that_trust_the_authority_trust_what_it_issues() {
    let world = without_zones(&Engine::Memory, Simulation::default());
    let long = format!("{}.example.com", "a".repeat(60));
    let (id, _) = order(&world, &["example.com", "*.example.com", &long]);
    drive(&world, &mut calm(&world)).unwrap();
    let root = |name| block_on(world.control.authority(name)).unwrap();
    let (production, staging) = (root(AuthorityName::Production), root(AuthorityName::Staging));
    for name in ["example.com", "www.example.com", &long] {
        handshake(&world, id, &production, name).unwrap();
    }
    handshake(&world, id, &production, "example.org").unwrap_err();
    handshake(&world, id, &production, "a.b.example.com").unwrap_err();
    handshake(&world, id, &staging, "example.com").unwrap_err();
    travel(&world, &mut calm(&world), Jump::By(200 * DAY_MS)).unwrap();
    handshake(&world, id, &production, "example.com").unwrap();
}

/// A name that is too long for a common name stands in the alternative names alone.
#[test]
fn long_names_are_served() {
    let world = without_zones(&Engine::Memory, Simulation::default());
    let long = format!("{}.{}.example.com", "a".repeat(60), "b".repeat(60));
    let (id, _) = order(&world, &[&long]);
    drive(&world, &mut calm(&world)).unwrap();
    let root = block_on(world.control.authority(AuthorityName::Production)).unwrap();
    handshake(&world, id, &root, &long).unwrap();
}

/// What a strand issues can be uploaded again: chain, key and names fit each other.
#[test]
fn what_is_issued_can_be_uploaded() {
    let world = without_zones(&Engine::Memory, Simulation::default());
    let (id, _) = order(&world, &["example.com", "*.example.com"]);
    drive(&world, &mut calm(&world)).unwrap();
    let sealed = world.db.read_blocking(move |tx: &mut dyn Tx| certificate::key(tx, id)).unwrap().unwrap();
    assert!(!sealed.contains("PRIVATE"), "it is sealed");
    let key = world.core.sealer.open("certificate_key", &sealed).unwrap();
    let root = block_on(world.control.authority(AuthorityName::Production)).unwrap();
    let issued = details(&world, id).issued.unwrap();
    let chain = [issued.chain.as_str(), &root].concat();
    let request = json!({"name": "again", "certificate": chain, "private_key": key});
    let shown = block_on(world.control.create_certificate(&world.caller, parse(request))).unwrap();
    let shown: Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!(shown["certificate"]["fingerprint"], issued.fingerprint);
    assert_eq!(shown["certificate"]["domain_names"], json!(["example.com", "*.example.com"]));
}
