//! Start-up and size: exec to the first 200 on an existing database, idle memory, the binary.

use crate::Bench;
use crate::report::{Row, Target};
use e2e::http::Client;
use e2e::process::{Installation, Wolke};
use std::path::Path;
use std::time::Instant;

/// Milliseconds that a start may take beyond the floor's.
const START_ABOVE_FLOOR_MS: f64 = 5.0;
/// Idle resident memory, MiB.
const IDLE_MIB: f64 = 15.0;
/// Size of the stripped binary, MB (10^6 bytes).
const BINARY_MB: f64 = 15.0;

pub fn run(bench: &Bench) -> Vec<Row> {
    let runs = bench.size(21, 5);
    let installation = Installation::embedded_in(&bench.data);
    // The first start makes the database; it is not measured.
    assert!(installation.serve(&[]).terminate().success());
    let token = installation.token();

    let (mut own, mut floor) = (Vec::new(), Vec::new());
    let (mut own_memory, mut floor_memory) = (0.0, 0.0);
    for _ in 0..runs {
        let began = Instant::now();
        let mut server = installation.serve(&[]);
        first_200(&mut server.client(&token), "/v1/locations");
        own.push(began.elapsed().as_secs_f64() * 1000.0);
        own_memory = memory_mib(&server);
        assert!(server.terminate().success());

        let began = Instant::now();
        let server = bench.floor(None);
        first_200(&mut server.client(""), "/");
        floor.push(began.elapsed().as_secs_f64() * 1000.0);
        floor_memory = memory_mib(&server);
    }
    let (own, floor) = (median(&mut own), median(&mut floor));
    let size = |name: &str| size_mb(&bench.program(name));
    vec![
        Row::new("exec to first 200, existing database", own, "ms")
            .floor(floor)
            .target(Target::AtMost(floor + START_ABOVE_FLOOR_MS)),
        Row::new("idle resident memory", own_memory, "MiB").floor(floor_memory).target(Target::AtMost(IDLE_MIB)),
        Row::new("stripped binary", size("wolke"), "MB").floor(size("floor")).target(Target::AtMost(BINARY_MB)),
    ]
}

fn first_200(client: &mut Client, path: &str) {
    let answer = client.get(path).expect("an answer");
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

/// Resident memory of a server now, MiB, as the kernel counts it.
pub fn memory_mib(server: &Wolke) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches("kB").trim().parse::<f64>().expect("a number") / 1024.0
}

fn size_mb(file: &Path) -> f64 {
    std::fs::metadata(file).expect("the program").len() as f64 / 1e6
}

/// The middle value.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
