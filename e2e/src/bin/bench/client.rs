//! The official command line client: what `hcloud server create` takes beside `hcloud server list`.

use crate::Bench;
use crate::report::{Row, Target};
use crate::start::median;
use e2e::api::{IMAGE, SERVER_TYPE};
use e2e::cli::Hcloud;
use e2e::prerequisite;
use e2e::process::Installation;
use std::time::Instant;

/// A create may take this many times what a list takes.
const RATIO: f64 = 1.5;

pub fn run(bench: &Bench) -> Vec<Row> {
    let Some(program) = prerequisite::hcloud("bench client") else { return Vec::new() };
    let installation = Installation::embedded_in(&bench.data);
    let server = installation.serve(&[]);
    let hcloud = Hcloud::new(program, &server, &installation.token());
    // Releases before 2024 wait a whole interval before they look at an action that has already ended.
    let poll: &[&str] = if hcloud.is_current() { &[] } else { &["--poll-interval", "1ms"] };
    let (mut creates, mut lists) = (Vec::new(), Vec::new());
    for number in 0..bench.size(21, 7) {
        let name = format!("s{number}");
        let create = ["server", "create", "--name", &name, "--type", SERVER_TYPE, "--image", IMAGE];
        creates.push(timed(&hcloud, &[&create, poll].concat()));
        lists.push(timed(&hcloud, &["server", "list"]));
    }
    let (create, list) = (median(&mut creates), median(&mut lists));
    let release = if hcloud.is_current() { "current release" } else { "Debian's 1.30, --poll-interval 1ms" };
    vec![
        Row::new(format!("hcloud server create (floor: server list; {release})"), create, "ms")
            .floor(list)
            .target(Target::AtMost(list * RATIO)),
    ]
}

/// Milliseconds of one command.
fn timed(hcloud: &Hcloud, args: &[&str]) -> f64 {
    let began = Instant::now();
    hcloud.ok(args);
    began.elapsed().as_secs_f64() * 1000.0
}
