//! What the tests need beside Rust, found or installed: PostgreSQL and the official clients.
//!
//! Tests learn where these are from environment variables (`WOLKE_TEST_POSTGRES`, `WOLKE_TEST_HCLOUD`,
//! `WOLKE_TEST_HCLOUD_OLD`, `WOLKE_TEST_HCLOUD_GO`, `WOLKE_TEST_HCLOUD_PYTHON`, `WOLKE_TEST_ANSIBLE`,
//! `WOLKE_TEST_SCHEMATHESIS`, `WOLKE_TEST_CLOUD_INIT`,
//! `WOLKE_TEST_NOVNC`, `WOLKE_TEST_CHROMIUM`, `WOLKE_TEST_IMAGES`). A prerequisite that cannot be had is named; its tests then print `SKIPPED`, and
//! fail instead where `CI=true`.

mod chromium;
mod cloud_init;
mod debian;
pub mod hcloud;
mod novnc;
pub mod postgres;
mod python;
pub mod real_hosts;

use crate::shell::{in_ci, is_root, quiet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What tests get through their environment. Dropping it stops the private PostgreSQL.
pub struct Prerequisites {
    postgres: Option<postgres::Cluster>,
    clients: Clients,
    images: Option<PathBuf>,
    missing: Vec<String>,
}

impl Prerequisites {
    /// Finds or installs everything and starts a private PostgreSQL. Says on standard error what it found.
    pub fn set_up() -> Self {
        let mut missing = Vec::new();
        let clients = Clients::set_up(&mut missing);
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
        if let Err(reason) = real_hosts::install() {
            missing.push(format!("real servers: {reason}"));
        }
        for line in &missing {
            eprintln!("xtask: MISSING {line}");
        }
        Prerequisites { postgres, clients, images: None, missing }
    }

    /// Builds what needs the program under test: the images of real servers.
    pub fn build_with(&mut self, wolke: &Path) {
        match real_hosts::install().and_then(|()| real_hosts::images(wolke)) {
            Ok(images) => self.images = Some(images),
            Err(reason) => {
                eprintln!("xtask: MISSING images of real servers: {reason}");
                self.missing.push(format!("images of real servers: {reason}"));
            }
        }
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
        if let Some(images) = &self.images {
            command.env("WOLKE_TEST_IMAGES", images);
        }
        self.clients.hand_to(command);
    }
}

/// The official clients, as far as they are to be had.
pub struct Clients {
    hcloud: Option<hcloud::Hcloud>,
    old_hcloud: Option<hcloud::Hcloud>,
    library: Option<PathBuf>,
    python: Option<PathBuf>,
    ansible: Option<PathBuf>,
    schemathesis: Option<PathBuf>,
    cloud_init: Option<PathBuf>,
    novnc: Option<PathBuf>,
    chromium: Option<PathBuf>,
}

impl Clients {
    /// Finds, installs or builds the clients; adds what is not to be had to `missing`.
    pub fn set_up(missing: &mut Vec<String>) -> Self {
        let mut note = |what: &str, reason: String| missing.push(format!("{what}: {reason}"));
        let hcloud = hcloud::find_or_install().map_err(|reason| note("hcloud", reason)).ok();
        let old_hcloud = hcloud::find_or_unpack_old().map_err(|reason| note("hcloud of 2023", reason)).ok();
        for hcloud in [&hcloud, &old_hcloud].into_iter().flatten() {
            eprintln!("xtask: hcloud: {}", hcloud.origin);
        }
        let library = hcloud::build_library_flow().map_err(|reason| note("hcloud-go", reason)).ok();
        let python = python::library().map_err(|reason| note("hcloud-python", reason)).ok();
        let ansible = python::ansible().map_err(|reason| note("Ansible", reason)).ok();
        let schemathesis = python::schemathesis().map_err(|reason| note("schemathesis", reason)).ok();
        let cloud_init = cloud_init::unpack().map_err(|reason| note("cloud-init", reason)).ok();
        let novnc = novnc::unpack().map_err(|reason| note("noVNC", reason)).ok();
        let chromium = chromium::find_or_install().map_err(|reason| note("Chromium", reason)).ok();
        Clients { hcloud, old_hcloud, library, python, ansible, schemathesis, cloud_init, novnc, chromium }
    }

    /// Names what was found in a command's environment.
    pub fn hand_to(&self, command: &mut Command) {
        let path = |hcloud: &Option<hcloud::Hcloud>| hcloud.as_ref().map(|hcloud| hcloud.path.clone());
        let found = [
            ("WOLKE_TEST_HCLOUD", path(&self.hcloud)),
            ("WOLKE_TEST_HCLOUD_OLD", path(&self.old_hcloud)),
            ("WOLKE_TEST_HCLOUD_GO", self.library.clone()),
            ("WOLKE_TEST_HCLOUD_PYTHON", self.python.clone()),
            ("WOLKE_TEST_ANSIBLE", self.ansible.clone()),
            ("WOLKE_TEST_SCHEMATHESIS", self.schemathesis.clone()),
            ("WOLKE_TEST_CLOUD_INIT", self.cloud_init.clone()),
            ("WOLKE_TEST_NOVNC", self.novnc.clone()),
            ("WOLKE_TEST_CHROMIUM", self.chromium.clone()),
        ];
        command.envs(found.into_iter().filter_map(|(name, path)| path.map(|path| (name, path))));
    }
}

/// Runs apt-get, which asks nothing. An error names why it could not (no root, no apt, no such package).
fn apt_get(args: &[&str]) -> Result<(), String> {
    if !is_root() {
        return Err("installing needs root".into());
    }
    quiet(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive")).map(|_| ())
}
