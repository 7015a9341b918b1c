//! What a test needs of the machine: it says by name what it skips, and fails when nothing may be skipped.

use std::io::Write;
use std::path::{Path, PathBuf};

#[expect(clippy::disallowed_methods, reason = "a test learns from its environment what it may use")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Says past the runner's capture that a test is skipped; with `CI=true` it fails.
pub fn skip(test: &str, reason: &str) {
    assert_ne!(variable("CI").as_deref(), Some("true"), "{test}: {reason}");
    writeln!(std::io::stderr().lock(), "SKIPPED {test}: {reason}").unwrap();
}

/// Root, programs, and the directory of the images that tests are given.
pub fn images(test: &str, artefact: &str, programs: &[&str]) -> Option<PathBuf> {
    if !rustix::process::geteuid().is_root() {
        skip(test, "it needs root");
        return None;
    }
    if let Some(missing) = programs.iter().find(|program| !is_installed(program)) {
        skip(test, &format!("the program {missing} is missing"));
        return None;
    }
    let images = variable("WOLKE_TEST_IMAGES").map(PathBuf::from);
    let Some(images) = images.filter(|images| images.join(artefact).is_dir()) else {
        skip(test, &format!("the image {artefact} is missing (WOLKE_TEST_IMAGES; `cargo xtask test` sets it)"));
        return None;
    };
    Some(images)
}

fn is_installed(program: &str) -> bool {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|directory| Path::new(directory).join(program).exists())
}
