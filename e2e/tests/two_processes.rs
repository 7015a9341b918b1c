//! Two servers on one PostgreSQL database serve one project at once: no double address, no lost update, no starved writer, both
//! see the same, and one finishes what the other had begun when it was killed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests fail by panicking"
)]

use e2e::api::{actions_in, delete_server, expect, list_all, server_body, wait_success};
use e2e::database;
use e2e::http::Client;
use e2e::prerequisite;
use e2e::process::{Installation, Wolke};
use e2e::truth;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

/// Writers at once, half on each process.
const WRITERS: usize = 16;
/// Servers that each writer creates. It deletes every second one.
const SERVERS_EACH: usize = 12;
/// Updates that each of the two updaters sends to one server.
const UPDATES: usize = 40;
/// The slowest writer may need this many times what the median writer needs.
const STARVED: f64 = 3.0;
/// No single request may take longer than this.
const REQUEST_LIMIT: Duration = Duration::from_secs(20);

/// Two processes on one database, with a data directory each.
struct Pair {
    installations: [Installation; 2],
    servers: [Wolke; 2],
    token: String,
}

impl Pair {
    fn start(test: &str) -> Option<Self> {
        Self::start_with(test, &[])
    }

    /// Starts both with the same further arguments.
    fn start_with(test: &str, args: &[&str]) -> Option<Self> {
        let url = database::create(&prerequisite::postgres(test)?, test);
        let installations = [Installation::on_postgres(&url), Installation::on_postgres(&url)];
        let first = installations[0].serve(args);
        let token = installations[0].token();
        // What one process has sealed the other has to open.
        let key = installations[0].data().join("seal.key");
        let key = ["--seal-key", key.to_str().expect("a path that is text")];
        let second = installations[1].serve(&[args, &key].concat());
        Some(Pair { installations, servers: [first, second], token })
    }

    /// A client of one of the two (any number; odd and even).
    fn client(&self, number: usize) -> Client {
        self.servers[number % 2].client(&self.token)
    }
}

/// Addresses that are in use now, by address. A second holder is a double.
type Holders = Mutex<BTreeMap<String, String>>;

#[test]
fn sixteen_writers_share_one_pool() {
    let Some(pair) = Pair::start("sixteen_writers") else { return };
    let holders: Holders = Mutex::default();
    let start = Barrier::new(WRITERS);
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (pair, holders, start) = (&pair, &holders, &start);
                scope.spawn(move || {
                    start.wait();
                    let began = Instant::now();
                    write(writer, &mut pair.client(writer), &mut pair.client(writer + 1), holders);
                    began.elapsed()
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().expect("a writer failed")).collect()
    });

    let lists: Vec<Vec<Value>> = (0..2).map(|n| list_all(&mut pair.client(n), "/v1/servers", "servers")).collect();
    assert_eq!(lists[0], lists[1], "both processes see the same");
    assert_eq!(lists[0].len(), WRITERS * SERVERS_EACH / 2);
    let addresses = list_all(&mut pair.client(0), "/v1/primary_ips", "primary_ips");
    let unique: BTreeSet<_> = addresses.iter().filter_map(|ip| ip["ip"].as_str()).collect();
    assert_eq!((unique.len(), addresses.len()), (lists[0].len() * 2, lists[0].len() * 2));

    times.sort();
    let (median, slowest) = (times[WRITERS / 2].as_secs_f64(), times[WRITERS - 1].as_secs_f64());
    assert!(slowest <= median * STARVED, "a writer starved: median {median:.2} s, slowest {slowest:.2} s");

    for (number, server) in lists[0].iter().enumerate() {
        delete_server(&mut pair.client(number), server["id"].as_u64().unwrap());
    }
    assert_eq!(list_all(&mut pair.client(1), "/v1/primary_ips", "primary_ips"), Vec::<Value>::new());
}

/// One writer: creates through `own`, looks and updates through `other`, deletes every second one through `own`.
fn write(writer: usize, own: &mut Client, other: &mut Client, holders: &Holders) {
    for number in 0..SERVERS_EACH {
        let name = format!("w{writer}n{number}");
        let created = timed(|| expect(own.post("/v1/servers", &server_body(&name)), 201));
        let id = created["server"]["id"].as_u64().unwrap();
        let address = created["server"]["public_net"]["ipv4"]["ip"].as_str().unwrap().to_owned();
        let holder = holders.lock().unwrap().insert(address.clone(), name.clone());
        assert_eq!(holder, None, "{address} was handed out twice");
        wait_success(other, &created);

        let labels = json!({"writer": writer.to_string(), "number": number.to_string()});
        timed(|| expect(other.put(&format!("/v1/servers/{id}"), &json!({"labels": labels})), 200));
        let seen = timed(|| expect(own.get(&format!("/v1/servers/{id}")), 200));
        assert_eq!(seen["server"]["labels"], labels, "an update through one process is seen through the other");

        if number % 2 == 1 {
            // Forgotten before the delete is sent: from then on another server may get the address.
            holders.lock().unwrap().remove(&address);
            let deleted = timed(|| expect(own.delete(&format!("/v1/servers/{id}")), 200));
            assert_eq!(actions_in(&deleted).len(), 1);
            wait_success(other, &deleted);
        }
    }
}

/// Runs one request and asserts that it did not take too long.
fn timed<T>(request: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let answer = request();
    assert!(began.elapsed() < REQUEST_LIMIT, "a request took {:?}", began.elapsed());
    answer
}

#[test]
fn no_update_is_lost() {
    let Some(pair) = Pair::start("no_update_is_lost") else { return };
    let created = expect(pair.client(0).post("/v1/servers", &server_body("shared")), 201);
    wait_success(&mut pair.client(0), &created);
    let path = format!("/v1/servers/{}", created["server"]["id"]);
    // One process changes only the name, the other only the labels: neither may write back what it did not mean to change.
    let (mut names, mut labels) = (pair.client(0), pair.client(1));
    std::thread::scope(|scope| {
        let path = &path;
        scope.spawn(move || {
            for number in 1..=UPDATES {
                let answer = expect(names.put(path, &json!({"name": format!("n{number}")})), 200);
                assert_eq!(answer["server"]["name"], format!("n{number}"));
            }
        });
        scope.spawn(move || {
            for number in 1..=UPDATES {
                let wanted = json!({"n": number.to_string()});
                let answer = expect(labels.put(path, &json!({"labels": wanted})), 200);
                assert_eq!(answer["server"]["labels"], wanted);
            }
        });
    });
    for number in 0..2 {
        let seen = expect(pair.client(number).get(&path), 200);
        assert_eq!(seen["server"]["name"], format!("n{UPDATES}"));
        assert_eq!(seen["server"]["labels"], json!({"n": UPDATES.to_string()}));
    }
}

#[test]
fn one_name_goes_to_one_writer() {
    let Some(pair) = Pair::start("one_name") else { return };
    let start = Barrier::new(WRITERS);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (mut client, start) = (pair.client(writer), &start);
                scope.spawn(move || {
                    start.wait();
                    client.post("/v1/servers", &server_body("the-one")).expect("an answer").status
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().expect("a writer failed")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), WRITERS - 1, "{statuses:?}");
}

#[test]
fn one_finishes_what_the_killed_one_had_begun() {
    // Work takes time, and answers don't wait for it: so there is some in every state when the process dies.
    let args = ["--settle", "0", "--latency", "realistic"];
    let Some(mut pair) = Pair::start_with("one_finishes", &args) else { return };
    pair.installations[0].run(&["clock", "mode"], &["scaled", "--rate", "100"]);
    let begun: Vec<Value> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let mut client = pair.client(0);
                scope.spawn(move || expect(client.post("/v1/servers", &server_body(&format!("b{writer}"))), 201))
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().expect("a writer failed")).collect()
    });
    pair.servers[0].kill();
    let mut client = pair.client(1);
    for answer in &begun {
        wait_success(&mut client, answer);
        delete_server(&mut client, answer["server"]["id"].as_u64().unwrap());
    }
    assert_eq!(list_all(&mut client, "/v1/primary_ips", "primary_ips"), Vec::<Value>::new());
    assert!(pair.servers[1].terminate().success());
    truth::check(&pair.installations[1]).unwrap();
    truth::check_at_rest(&pair.installations[1]).unwrap();
}
