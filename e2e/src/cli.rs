//! The official `hcloud` command line client against a server under test.

use crate::process::Wolke;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Pause between two looks at an action. The client's own default makes every watched action take half a second.
const POLL_INTERVAL: &str = "20ms";

/// The client with one token.
pub struct Hcloud {
    program: PathBuf,
    endpoint: String,
    token: String,
    /// Releases since 2024 print errors as `message (code, correlation id)`; older ones without the id.
    prints_correlation: bool,
}

impl Hcloud {
    /// The client at `program`, speaking to `server` with `token`.
    pub fn new(program: PathBuf, server: &Wolke, token: &str) -> Self {
        let mut hcloud =
            Hcloud { program, endpoint: server.endpoint(), token: token.to_owned(), prints_correlation: false };
        let version = hcloud.output(&["version"]);
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        // Debian's builds (1.30 and 1.39) name no version at all, and both are older than the correlation id.
        hcloud.prints_correlation = version.contains(|c: char| c.is_ascii_digit());
        hcloud
    }

    /// The same client with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Hcloud { token: token.to_owned(), program: self.program.clone(), endpoint: self.endpoint.clone(), ..*self }
    }

    /// True for releases since 2024; false for Debian's 1.30 and 1.39.
    pub fn is_current(&self) -> bool {
        self.prints_correlation
    }

    /// The command with its environment, not yet started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).stdin(Stdio::null());
        command.env("HCLOUD_TOKEN", &self.token).env("HCLOUD_ENDPOINT", &self.endpoint).env_remove("HCLOUD_CONTEXT");
        // The developer's own contexts must not matter: a home without anything in it.
        let home = std::env::temp_dir().join("wolke-e2e-no-such-home");
        command.env_remove("HCLOUD_CONFIG").env("XDG_CONFIG_HOME", &home).env("HOME", &home);
        command
    }

    fn output(&self, args: &[&str]) -> Output {
        let args = [&["--poll-interval", POLL_INTERVAL], args].concat();
        self.command(&args).output().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()))
    }

    /// Runs a command that must succeed. Returns its standard output.
    ///
    /// # Panics
    /// When it fails; with what it said.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "hcloud {}: {}\n{out}{err}", args.join(" "), output.status);
        out.into_owned()
    }

    /// Runs a command with JSON output. Old releases print `null` for an empty list; that is an empty list here.
    pub fn json(&self, args: &[&str]) -> Value {
        let mut args = args.to_vec();
        args.extend(["-o", "json"]);
        let out = self.ok(&args);
        match serde_json::from_str(&out) {
            Ok(Value::Null) => Value::Array(Vec::new()),
            Ok(value) => value,
            Err(error) => panic!("hcloud {}: {error} in {out:?}", args.join(" ")),
        }
    }

    /// Runs a command that must fail. Returns what it said on standard error.
    ///
    /// # Panics
    /// When it succeeds.
    pub fn fail(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let out = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success(), "hcloud {} succeeded: {out}", args.join(" "));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Runs a command that the API must refuse with that code: `message (code, correlation id)`.
    ///
    /// # Panics
    /// When it succeeds, or fails in another form.
    pub fn refused(&self, args: &[&str], code: &str) {
        let said = self.fail(args);
        assert!(is_api_error(&said, code, self.prints_correlation), "hcloud {}: {said}", args.join(" "));
    }
}

/// True when the text holds `message (code)` or `message (code, hex)`; the latter is required where `with_id`.
fn is_api_error(said: &str, code: &str, with_id: bool) -> bool {
    let Some((message, rest)) = said.split_once(&format!(" ({code}")) else {
        return false;
    };
    let Some((id, _)) = rest.split_once(')') else {
        return false;
    };
    let message = message.trim_start_matches("hcloud:").trim();
    let hex = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    let id_fits = id.strip_prefix(", ").map_or(id.is_empty() && !with_id, hex);
    !message.is_empty() && id_fits
}

#[cfg(test)]
mod tests {
    use super::is_api_error;

    #[test]
    fn knows_the_form_of_an_error() {
        let said = "hcloud: name is already used (uniqueness_error, 2f9a)";
        assert!(is_api_error(said, "uniqueness_error", true));
        assert!(!is_api_error(said, "protected", true));
        assert!(!is_api_error("hcloud: x (protected)", "protected", true));
        assert!(is_api_error("hcloud: x (protected)", "protected", false));
        assert!(!is_api_error("hcloud: x (protected, 2F)", "protected", true));
        assert!(!is_api_error("hcloud: (protected)", "protected", false));
    }
}
