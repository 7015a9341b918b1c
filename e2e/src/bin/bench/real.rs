//! Real servers: from the request for one to the first command over SSH, beside the same guest started by hand.
//!
//! The floor is what somebody does who knows LXC and QEMU well (`real/*.sh`): the same image under the same kind of overlay, a link with DHCP
//! and metadata, the same seed for cloud-init, the same sizes, and no control plane. Both are measured in turns, so that
//! whatever else the machine does falls on both. Everything is in a network namespace, in which a second process of this
//! program measures, because a process cannot move.

mod by_hand;
mod inside;

use crate::Bench;
use crate::report::{Row, Target};
use crate::start::median;
use e2e::prerequisite;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};

pub use inside::measure;

/// What ours may take, as a multiple of the floor.
const RATIO: f64 = 1.5;
/// The name under which the second process is started.
pub const INSIDE: &str = "real-inside";

/// One kind of guest that is measured.
pub struct Case {
    name: &'static str,
    image: &'static str,
    server_type: &'static str,
    is_machine: bool,
}

/// All of them. Shared processors are containers, dedicated ones virtual machines.
pub const CASES: [Case; 3] = [
    Case {
        name: "create to SSH: container, Debian 12 with cloud-init",
        image: "debian-12",
        server_type: "cx23",
        is_machine: false,
    },
    Case {
        name: "create to SSH: container, tiny, without cloud-init",
        image: "tiny",
        server_type: "cx23",
        is_machine: false,
    },
    Case {
        name: "create to SSH: virtual machine, tiny, without KVM",
        image: "tiny",
        server_type: "ccx13",
        is_machine: true,
    },
];

pub fn run(bench: &Bench) -> Vec<Row> {
    let Some(images) = prerequisite::images("bench real") else { return Vec::new() };
    let name = format!("wolke-bench-{}", std::process::id());
    let namespace = Namespace::new(&name);
    let report = bench.data.join("real.json");
    let mut inside = Command::new("nsenter");
    inside.arg(format!("--net=/run/netns/{}", namespace.0)).arg("--").arg(bench.program("bench")).arg(INSIDE);
    inside.arg(&report).arg(&images).arg(&namespace.0).args(bench.quick.then_some("--quick"));
    let status = inside.stdin(Stdio::null()).stdout(Stdio::null()).status().expect("nsenter");
    assert!(status.success(), "the measurement failed: {status}");
    let measured: Value = serde_json::from_slice(&std::fs::read(&report).expect("the report")).expect("JSON");
    CASES.iter().map(|case| row(case, &measured[case.name])).collect()
}

fn row(case: &Case, measured: &Value) -> Row {
    let seconds =
        |who: &str| -> Vec<f64> { measured[who].as_array().into_iter().flatten().filter_map(Value::as_f64).collect() };
    let (mut own, mut floor) = (seconds("own"), seconds("by_hand"));
    let (own_median, floor_median) = (median(&mut own), median(&mut floor));
    Row::new(case.name, own_median, "s")
        .floor(floor_median)
        .target(Target::AtMost(floor_median * RATIO))
        .details(json!({"seconds": own, "by_hand_seconds": floor, "answered_seconds": measured["answered"]}))
}

/// A network namespace that goes with its owner.
struct Namespace(String);

impl Namespace {
    fn new(name: &str) -> Self {
        succeed(Command::new("ip").args(["netns", "add", name]));
        succeed(Command::new("ip").args(["-n", name, "link", "set", "lo", "up"]));
        Namespace(name.to_owned())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

/// Runs a program that must succeed.
pub fn succeed(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
}

/// The directory of the newest version of an image.
pub fn newest(images: &Path, image: &str) -> std::path::PathBuf {
    let versions = std::fs::read_dir(images.join(image)).unwrap_or_else(|error| panic!("image {image}: {error}"));
    let numbers = versions.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok());
    images.join(image).join(numbers.max().expect("a version").to_string())
}
