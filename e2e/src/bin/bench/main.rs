//! Benchmarks of the release build, each figure beside its floor in the same run: `cargo xtask bench [--quick] [GROUP…]`.
//!
//! Prints a table and writes `target/bench.json`. Groups: start, list, create, many, environment, client, real. The server's data lies beside the
//! build, on a real disk, because synced commits are what costs.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper fails its test, a benchmark its run; both run programs in real time"
)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what it prints is what it is for")]

mod client;
mod create;
mod environment;
mod list;
mod load;
mod many;
mod mixed;
mod real;
mod report;
mod start;

use e2e::process::Wolke;
use report::Row;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Settings of a run.
pub struct Bench {
    /// Small sizes: to try the benchmark, not to judge the server.
    quick: bool,
    /// Folder of this program: `wolke` and `floor` lie beside it.
    programs: PathBuf,
    /// Where data directories are made.
    data: PathBuf,
}

impl Bench {
    /// One of two sizes.
    fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// A program built in the same run.
    fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Starts the bare axum server; `page` is the file that it serves.
    fn floor(&self, page: Option<&Path>) -> Wolke {
        let mut command = Command::new(self.program("floor"));
        command.args(page).stdin(Stdio::null());
        Wolke::spawn(&mut command, &self.data.join("floor.log"))
    }
}

/// Measures one group of figures.
type Group = fn(&Bench) -> Vec<Row>;

const GROUPS: &[(&str, Group)] = &[
    ("start", start::run),
    ("list", list::run),
    ("create", create::run),
    ("many", many::run),
    ("environment", environment::run),
    ("client", client::run),
    ("real", real::run),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == real::INSIDE) {
        real::measure(&args[1..]);
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&str> = args.iter().map(String::as_str).filter(|arg| !arg.starts_with("--")).collect();
    let own = std::env::current_exe().expect("path of this program");
    let programs = own.parent().expect("its folder").to_path_buf();
    let target = programs.parent().expect("the target folder").to_path_buf();
    let bench = Bench { quick: args.iter().any(|arg| arg == "--quick"), data: target.join("bench-data"), programs };
    std::fs::create_dir_all(&bench.data).expect("data folder");

    let mut rows = Vec::new();
    for (name, group) in GROUPS.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        eprintln!("bench: {name}");
        rows.extend(group(&bench));
    }
    println!("{}", report::table(&rows));
    let machine = json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "quick": bench.quick,
        "system": std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
    });
    let file = target.join("bench.json");
    report::write(&file, &rows, machine).expect("bench.json");
    let _ = std::fs::remove_dir_all(&bench.data);
    println!("written to {}", file.display());
    ExitCode::SUCCESS
}
