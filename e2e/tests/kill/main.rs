//! The kill script: `kill -9` in the middle of concurrent creates and deletes, again and again, on the same data.
//!
//! After every restart: what was acknowledged holds, every action ends, nothing stays locked, and addresses and servers
//! match one to one. Beside the API, the database itself is asked (`truth`): right after every kill, since an invariant holds after
//! every commit, and at the end. A round ends after a number of acknowledgements and not after a time, so that slow machines do as much.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod ledger;

use e2e::api::{create_server, delete_server, list_all, server_body, wait_action};
use e2e::database;
use e2e::http::Client;
use e2e::prerequisite;
use e2e::process::{Installation, Wolke};
use e2e::truth;
use e2e::wait::wait_for;
use ledger::{Entry, Ledger, State};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

/// Kills on each engine.
const ROUNDS: usize = 50;
/// How the server of a round is started, in turns. Answers that do not wait let kills hit work that nobody waits for; work that
/// takes time is hit between its steps.
const MANNERS: [&[&str]; 3] = [&[], &["--settle", "0"], &["--settle", "0", "--latency", "realistic"]];
/// World seconds per real second: realistic latencies are of half a minute. A host's deadline must stay far away.
const RATE: &str = "100";
/// Writers at once.
const WRITERS: u64 = 4;
/// A round is killed after 1 to this many acknowledgements.
const MOST_ACKNOWLEDGEMENTS: u64 = 60;
/// Bound of a writer's loop, beyond what it can reach before the kill.
const MOST_OPERATIONS: u64 = 400;
/// A writer with more servers than this deletes.
const FEW: usize = 4;
/// How long a restarted server may take to finish what it finds.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);
/// How long a writer may be silent before the round counts as stuck.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);

#[test]
fn fifty_kills_lose_nothing() {
    run(&Installation::embedded());
}

#[test]
fn fifty_kills_on_postgres_lose_nothing() {
    let Some(url) = prerequisite::postgres("fifty_kills_on_postgres_lose_nothing") else { return };
    run(&Installation::on_postgres(&database::create(&url, "kill")));
}

fn run(installation: &Installation) {
    let mut ledger = Ledger::default();
    for (round, manner) in MANNERS.iter().cycle().take(ROUNDS).enumerate() {
        let mut server = installation.serve(manner);
        let token = installation.token();
        if round == 0 {
            installation.run(&["clock", "mode"], &["scaled", "--rate", RATE]);
        }
        verify(&mut server.client(&token), &mut ledger, &format!("round {round}, after the restart"));
        write_and_kill(&mut server, &token, &mut ledger, round);
        truth::check(installation).unwrap_or_else(|error| panic!("round {round}, after the kill: {error}"));
    }
    let mut server = installation.serve(&[]);
    let mut client = server.client(&installation.token());
    verify(&mut client, &mut ledger, "at the end");
    assert!(ledger.acknowledged > ROUNDS as u64, "the rounds did some work: {} acknowledgements", ledger.acknowledged);
    for entry in ledger.entries.values() {
        delete_server(&mut client, entry.id.unwrap());
    }
    assert_eq!(list_all(&mut client, "/v1/servers", "servers"), Vec::<Value>::new());
    assert_eq!(list_all(&mut client, "/v1/primary_ips", "primary_ips"), Vec::<Value>::new(), "leaked addresses");
    let id = create_server(&mut client, "afterwards");
    delete_server(&mut client, id);
    assert!(server.terminate().success(), "{}", installation.log());
    for (what, check) in [("invariants", truth::check as fn(&_) -> _), ("rest", truth::check_at_rest)] {
        check(installation).unwrap_or_else(|error| panic!("{what}, at the end: {error}"));
    }
}

/// The checks of the database must be able to fail.
#[test]
fn what_is_wrong_in_the_database_is_seen() {
    let installation = Installation::embedded();
    let mut server = installation.serve(&[]);
    create_server(&mut server.client(&installation.token()), "victim");
    assert!(server.terminate().success());
    truth::check(&installation).unwrap();
    truth::check_at_rest(&installation).unwrap();
    let world = rusqlite::Connection::open(installation.data().join("worlds/main.db")).unwrap();
    // A strand that is not there, for a start.
    world.pragma_update(None, "foreign_keys", false).unwrap();
    let break_it = |sql: &str| assert_eq!(world.execute(sql, []).unwrap(), 1, "{sql}");
    break_it("INSERT INTO strand_lock (kind, resource, position, strand) VALUES ('server', 1, 1, 999)");
    assert!(truth::check(&installation).unwrap_err().to_string().contains("LOCK_WITHOUT_STRAND"));
    assert!(truth::check_at_rest(&installation).is_err());
    break_it("DELETE FROM strand_lock");
    break_it("DELETE FROM address WHERE owner = (SELECT MIN(owner) FROM address)");
    assert!(truth::check(&installation).is_err(), "an address is gone");
}

/// Lets the writers work until the round's number of acknowledgements is reached, then kills the server under them.
fn write_and_kill(server: &mut Wolke, token: &str, ledger: &mut Ledger, round: usize) {
    let target = 1 + ledger::scatter(round as u64) % MOST_ACKNOWLEDGEMENTS;
    let shares = ledger.split(WRITERS);
    let (acknowledged, received) = channel();
    let results: Vec<Ledger> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .zip(shares)
            .map(|(writer, share)| {
                let (client, acknowledged) = (server.client(token), acknowledged.clone());
                scope.spawn(move || write(client, share, &format!("r{round}w{writer}"), &acknowledged))
            })
            .collect();
        drop(acknowledged);
        for _ in 0..target {
            received.recv_timeout(SILENCE_LIMIT).expect("writers are acknowledged");
        }
        server.kill();
        writers.into_iter().map(|writer| writer.join().expect("a writer failed")).collect()
    });
    for result in results {
        ledger.merge(result);
    }
}

/// One writer: creates and deletes until the connection breaks. Writes down every intention before it is sent.
fn write(mut client: Client, mut ledger: Ledger, prefix: &str, acknowledged: &Sender<()>) -> Ledger {
    for number in 0..MOST_OPERATIONS {
        let deleting = ledger.existing().len() > FEW || number % 3 == 2;
        let done = match ledger.existing().first().filter(|_| deleting) {
            Some(name) => delete(&mut client, &mut ledger, name),
            None => create(&mut client, &mut ledger, &format!("{prefix}n{number}")),
        };
        if done.is_err() {
            break;
        }
        ledger.acknowledged += 1;
        // Nobody counts any more once the kill is under way.
        let _ = acknowledged.send(());
    }
    ledger
}

fn create(client: &mut Client, ledger: &mut Ledger, name: &str) -> std::io::Result<()> {
    ledger.entries.insert(name.to_owned(), Entry { id: None, state: State::CreateSent });
    let answer = client.post("/v1/servers", &server_body(name))?;
    assert_eq!(answer.status, 201, "create {name}: {}", String::from_utf8_lossy(&answer.body));
    let answer = answer.json();
    let id = answer["server"]["id"].as_u64();
    ledger.entries.insert(name.to_owned(), Entry { id, state: State::Exists });
    ledger.note_actions(name, &answer);
    Ok(())
}

fn delete(client: &mut Client, ledger: &mut Ledger, name: &str) -> std::io::Result<()> {
    let id = ledger.entries[name].id;
    ledger.entries.insert(name.to_owned(), Entry { id, state: State::DeleteSent });
    let answer = client.delete(&format!("/v1/servers/{}", id.unwrap()))?;
    assert_eq!(answer.status, 200, "delete {name}: {}", String::from_utf8_lossy(&answer.body));
    ledger.entries.insert(name.to_owned(), Entry { id, state: State::DeleteAcknowledged });
    ledger.note_actions(name, &answer.json());
    Ok(())
}

/// Compares what the server says with the ledger, and brings the ledger to what is now certain.
fn verify(client: &mut Client, ledger: &mut Ledger, when: &str) {
    for (id, name) in std::mem::take(&mut ledger.actions) {
        let action = wait_action(client, id);
        let may_fail = ledger.may_fail(&name, action["command"].as_str().unwrap_or_default());
        assert!(action["status"] == "success" || may_fail, "{when}: {name}: {action}");
    }
    // Actions whose acknowledgement never arrived end too.
    let quiet = wait_for(SETTLE_LIMIT, || {
        let running = client.get("/v1/servers/actions?status=running").expect("GET actions");
        assert_eq!(running.status, 200);
        running.json()["actions"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
    assert!(quiet.is_some(), "{when}: actions still run");

    let servers = list_all(client, "/v1/servers", "servers");
    for server in &servers {
        assert_eq!(server["locked"], false, "{when}: {server}");
        assert_eq!(server["status"], "running", "{when}: {server}");
    }
    ledger.settle(&servers, when);
    verify_addresses(&servers, &list_all(client, "/v1/primary_ips", "primary_ips"), when);
}

/// Every address belongs to exactly one listed server, and every server has its two.
fn verify_addresses(servers: &[Value], addresses: &[Value], when: &str) {
    let mut expected = BTreeSet::new();
    for server in servers {
        for family in ["ipv4", "ipv6"] {
            let net = &server["public_net"][family];
            let text = net["ip"].as_str().unwrap_or_else(|| panic!("{when}: no {family} in {server}"));
            assert!(
                expected.insert((net["id"].as_u64(), text.to_owned(), server["id"].as_u64())),
                "{when}: double {net}"
            );
        }
    }
    let seen: BTreeSet<_> = addresses
        .iter()
        .map(|ip| (ip["id"].as_u64(), ip["ip"].as_str().unwrap_or_default().to_owned(), ip["assignee_id"].as_u64()))
        .collect();
    assert_eq!(seen, expected, "{when}: addresses and servers do not match");
    let texts: BTreeSet<_> = addresses.iter().map(|ip| ip["ip"].as_str()).collect();
    assert_eq!(texts.len(), addresses.len(), "{when}: an address was handed out twice");
}
