//! The test binaries that cargo builds, as it names them itself.

use crate::shell::cargo;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A test binary.
#[derive(Debug, PartialEq, Eq)]
pub struct Binary {
    /// The package that it belongs to.
    pub package: String,
    /// The name of its target: that of the package for unit tests, else that of the file or folder in `tests/`.
    pub target: String,
    /// The program.
    pub program: PathBuf,
    /// The folder of the package, in which cargo runs its tests.
    pub folder: PathBuf,
}

/// Builds the test binaries of a selection (arguments of `cargo test`), with the compiler's complaints shown. None when that
/// fails.
pub fn build(selection: &[String]) -> Option<Vec<Binary>> {
    let mut command = cargo();
    command.args(["test", "--no-run", "--message-format", "json-render-diagnostics"]).args(selection);
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| eprintln!("xtask: cargo: {error}")).ok()?;
    let lines = BufReader::new(child.stdout.take()?).lines().map_while(Result::ok);
    let binaries = lines.filter_map(|line| artifact(&line)).collect();
    child.wait().is_ok_and(|status| status.success()).then_some(binaries)
}

/// The test binary that a line of cargo's messages is about.
fn artifact(line: &str) -> Option<Binary> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?;
    Some(Binary {
        package: folder.file_name()?.to_str()?.to_owned(),
        target: message["target"]["name"].as_str()?.to_owned(),
        program: message["executable"].as_str()?.into(),
        folder: folder.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Binary, artifact};

    #[test]
    fn only_test_binaries_count() {
        let line = |reason: &str, test: bool| {
            format!(
                r#"{{"reason":"{reason}","manifest_path":"/a/crates/wolke-http/Cargo.toml","target":{{"name":"cloud"}},
                "profile":{{"test":{test}}},"executable":"/a/target/debug/deps/cloud-1"}}"#
            )
        };
        let binary = Binary {
            package: "wolke-http".into(),
            target: "cloud".into(),
            program: "/a/target/debug/deps/cloud-1".into(),
            folder: "/a/crates/wolke-http".into(),
        };
        assert_eq!(artifact(&line("compiler-artifact", true)), Some(binary));
        assert_eq!(artifact(&line("compiler-artifact", false)), None);
        assert_eq!(artifact(&line("build-script-executed", true)), None);
        assert_eq!(artifact("not of cargo"), None);
    }
}
