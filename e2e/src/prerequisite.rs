//! What a test needs from outside, and what happens when it is not there.
//!
//! `cargo xtask test` finds or installs these and names them in the environment. Without them a test says
//! `SKIPPED name: reason` past the runner's capture (so that the closing sum counts it) and returns; with `CI=true` it fails.

use std::io::Write;
use std::path::PathBuf;

/// The official command line client, or `None` after saying that `test` is skipped.
pub fn hcloud(test: &str) -> Option<PathBuf> {
    named(test, "WOLKE_TEST_HCLOUD", "the hcloud command line client").map(PathBuf::from)
}

/// The command line client of 2023, or `None` after saying that `test` is skipped.
pub fn hcloud_old(test: &str) -> Option<PathBuf> {
    named(test, "WOLKE_TEST_HCLOUD_OLD", "the hcloud command line client of 2023").map(PathBuf::from)
}

/// Where a Python finds the official Python library, or `None` after saying that `test` is skipped.
pub fn hcloud_python(test: &str) -> Option<PathBuf> {
    named(test, "WOLKE_TEST_HCLOUD_PYTHON", "the official Python library").map(PathBuf::from)
}

/// Where a Python finds Ansible and the official collection, or `None` after saying that `test` is skipped.
pub fn ansible(test: &str) -> Option<PathBuf> {
    named(test, "WOLKE_TEST_ANSIBLE", "Ansible").map(PathBuf::from)
}

/// Where a Python finds schemathesis, or `None` after saying that `test` is skipped.
pub fn schemathesis(test: &str) -> Option<PathBuf> {
    named(test, "WOLKE_TEST_SCHEMATHESIS", "schemathesis").map(PathBuf::from)
}

/// The program around the official Go library (`e2e/hcloud-go`), or `None` after saying that `test` is skipped.
pub fn hcloud_go(test: &str) -> Option<PathBuf> {
    named(test, "WOLKE_TEST_HCLOUD_GO", "the program around the official Go library").map(PathBuf::from)
}

/// Where a Python finds the modules of Debian's cloud-init, or `None` after saying that `test` is skipped.
pub fn cloud_init(test: &str) -> Option<PathBuf> {
    named(test, "WOLKE_TEST_CLOUD_INIT", "cloud-init").map(PathBuf::from)
}

/// The folder of the npm package of noVNC, or `None` after saying that `test` is skipped.
pub fn novnc(test: &str) -> Option<PathBuf> {
    named(test, "WOLKE_TEST_NOVNC", "noVNC").map(PathBuf::from)
}

/// A Chromium that needs no screen, or `None` after saying that `test` is skipped.
pub fn chromium(test: &str) -> Option<PathBuf> {
    named(test, "WOLKE_TEST_CHROMIUM", "Chromium").map(PathBuf::from)
}

/// URL of a PostgreSQL superuser, or `None` after saying that `test` is skipped.
pub fn postgres(test: &str) -> Option<String> {
    named(test, "WOLKE_TEST_POSTGRES", "PostgreSQL")
}

/// The images that real servers are made from, or `None` after saying that `test` is skipped.
pub fn images(test: &str) -> Option<PathBuf> {
    named(test, "WOLKE_TEST_IMAGES", "the store of images for real servers").map(PathBuf::from)
}

fn named(test: &str, variable: &str, what: &str) -> Option<String> {
    if let Ok(value) = std::env::var(variable) {
        return Some(value);
    }
    let reason = format!("{what} is missing ({variable} is not set; `cargo xtask test` sets it)");
    assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{test}: {reason}, and CI=true allows no skip");
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED {test}: {reason}");
    None
}
