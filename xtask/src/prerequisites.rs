//! What the tests need beside Rust, found or installed: PostgreSQL and the `hcloud` command line client.
//!
//! Tests learn where these are from environment variables (`WOLKE_TEST_POSTGRES`, `WOLKE_TEST_HCLOUD`). A prerequisite that
//! cannot be had is named; its tests then print `SKIPPED`, and fail instead where `CI=true`.

pub mod hcloud;
pub mod postgres;

use crate::shell::{in_ci, is_root, quiet};
use std::process::Command;

/// What tests get through their environment. Dropping it stops the private PostgreSQL.
pub struct Prerequisites {
    postgres: Option<postgres::Cluster>,
    hcloud: Option<hcloud::Hcloud>,
    missing: Vec<String>,
}

impl Prerequisites {
    /// Finds or installs everything and starts a private PostgreSQL. Says on standard error what it found.
    pub fn set_up() -> Self {
        let mut missing = Vec::new();
        let hcloud = match hcloud::find_or_install() {
            Ok(hcloud) => {
                eprintln!("xtask: hcloud: {}", hcloud.origin);
                Some(hcloud)
            }
            Err(reason) => {
                missing.push(format!("hcloud: {reason}"));
                None
            }
        };
        let postgres = match postgres::Cluster::start() {
            Ok(cluster) => {
                eprintln!("xtask: PostgreSQL: private cluster at {}", cluster.url);
                Some(cluster)
            }
            Err(reason) => {
                missing.push(format!("PostgreSQL: {reason}"));
                None
            }
        };
        for line in &missing {
            eprintln!("xtask: MISSING {line}");
        }
        Prerequisites { postgres, hcloud, missing }
    }

    /// True when nothing is missing.
    pub fn complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// True when the run may go on: everything is there, or it is a developer's machine where skips are allowed.
    pub fn acceptable(&self) -> bool {
        self.missing.is_empty() || !in_ci()
    }

    /// Hands what was found to a command that runs tests.
    pub fn hand_to(&self, command: &mut Command) {
        if let Some(cluster) = &self.postgres {
            command.env("WOLKE_TEST_POSTGRES", &cluster.url);
        }
        if let Some(hcloud) = &self.hcloud {
            command.env("WOLKE_TEST_HCLOUD", &hcloud.path);
        }
    }
}

/// Runs apt-get, which asks nothing. An error names why it could not (no root, no apt, no such package).
fn apt_get(args: &[&str]) -> Result<(), String> {
    if !is_root() {
        return Err("installing needs root".into());
    }
    quiet(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive")).map(|_| ())
}
