//! Installations (a data directory, perhaps a PostgreSQL database) and the server processes that run on them.
//!
//! A process dies with its owner: tests leave nothing running. Its log is printed when a start fails.

use crate::folder::Folder;
use crate::http::Client;
use crate::wait::wait_for;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc;
use std::time::Duration;

/// How long a server may take until it says where it listens.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long a server may take to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// The server's program: `WOLKE_BIN`, else the development build, built once when needed.
pub fn wolke_binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY
        .get_or_init(|| {
            if let Some(path) = std::env::var_os("WOLKE_BIN") {
                return path.into();
            }
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let built = Command::new(cargo).args(["build", "--quiet", "-p", "wolke"]).stdin(Stdio::null()).status();
            assert!(built.is_ok_and(|status| status.success()), "cargo build -p wolke failed");
            // This test's own program is target/debug/deps/NAME-HASH.
            let own = std::env::current_exe().expect("path of this test");
            let folder = own.ancestors().nth(2).expect("target folder");
            folder.join("wolke")
        })
        .clone()
}

/// A data directory and the settings that every process on it shares.
pub struct Installation {
    folder: Folder,
    database: Option<String>,
    /// Runs the program instead of it, with the same arguments: in a network namespace, say.
    through: Option<PathBuf>,
}

impl Installation {
    /// A fresh, empty installation on the embedded engine.
    pub fn embedded() -> Self {
        Installation { folder: Folder::new("data"), database: None, through: None }
    }

    /// A fresh, empty installation on the embedded engine, in a folder of its own inside `parent`.
    pub fn embedded_in(parent: &Path) -> Self {
        Installation { folder: Folder::new_in(parent, "data"), database: None, through: None }
    }

    /// An installation whose data directory is fresh and whose database is the PostgreSQL database at `url`.
    pub fn on_postgres(url: &str) -> Self {
        Installation { folder: Folder::new("data"), database: Some(url.to_owned()), through: None }
    }

    /// The same installation, whose commands are run by a script that gets the arguments.
    pub fn through(self, script: PathBuf) -> Self {
        Installation { through: Some(script), ..self }
    }

    /// The same installation, whose real host has these images. Images never change, so hard links are copies; on another
    /// file system the files are copied.
    ///
    /// # Panics
    /// When they cannot be copied.
    pub fn with_images(self, images: &Path) -> Self {
        let store = self.data().join("linux");
        std::fs::create_dir_all(&store).unwrap_or_else(|error| panic!("{}: {error}", store.display()));
        let copied = |how: &str| {
            let _ = std::fs::remove_dir_all(store.join("images"));
            Command::new("cp").arg(how).arg(images).arg(store.join("images")).stderr(Stdio::null()).status()
        };
        let done = ["-al", "-a"].into_iter().any(|how| copied(how).is_ok_and(|status| status.success()));
        assert!(done, "{} cannot be copied to {}", images.display(), store.display());
        self
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The PostgreSQL database, if it is on one.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// `wolke COMMAND --data DIR [--database URL] ARGS…`, not yet started.
    pub fn command(&self, command: &[&str], args: &[&str]) -> Command {
        let mut wolke = Command::new(self.through.clone().unwrap_or_else(wolke_binary));
        wolke.args(command).arg("--data").arg(self.data());
        if let Some(url) = &self.database {
            wolke.args(["--database", url]);
        }
        wolke.args(args).stdin(Stdio::null());
        // What the developer has set for a real account must not reach the server or the client under test.
        for name in ["HCLOUD_TOKEN", "HCLOUD_ENDPOINT", "HCLOUD_CONTEXT", "HCLOUD_CONFIG"] {
            wolke.env_remove(name);
        }
        wolke
    }

    /// Runs a `wolke` command to its end and returns its standard output.
    ///
    /// # Panics
    /// When it fails; with what it said.
    pub fn run(&self, command: &[&str], args: &[&str]) -> String {
        let output = self.command(command, args).output().expect("wolke starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "wolke {command:?} {args:?}: {}: {said}", output.status);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The read-write token of the project `default`, from `wolke env`.
    pub fn token(&self) -> String {
        let said = self.run(&["env"], &[]);
        let line = said.lines().find_map(|line| line.strip_prefix("export HCLOUD_TOKEN="));
        line.unwrap_or_else(|| panic!("no token in {said:?}")).trim_matches(['\'', '"']).to_owned()
    }

    /// Lets the project `default` have more servers than projects may have by themselves. A server must run.
    pub fn raise_limits(&self) {
        self.run(&["project", "limits"], &["default", "server=1000000", "primary_ip=2000000"]);
    }

    /// Starts a server on a free loopback port and waits until it says where it listens.
    pub fn serve(&self, args: &[&str]) -> Wolke {
        let mut command = self.command(&["serve"], &["--listen", "127.0.0.1:0"]);
        Wolke::spawn(command.args(args), &self.folder.path().join("log"))
    }

    /// The end of the server's log, for the message of a failing test.
    pub fn log(&self) -> String {
        tail(&std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default())
    }
}

/// Finds `http://ADDRESS:PORT` in the line that a server prints when it is ready.
fn address_in(line: &str) -> Option<SocketAddr> {
    let rest = &line[line.find("http://")? + "http://".len()..];
    let end = rest.find(|c: char| !(c.is_ascii_hexdigit() || ".:[]".contains(c))).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// The last lines of a log.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// A running server.
pub struct Wolke {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Wolke {
    /// Starts any server that prints `http://ADDRESS:PORT` when it is ready, and waits for that line.
    ///
    /// # Panics
    /// When it does not get ready; with the end of its log.
    pub fn spawn(command: &mut Command, log: &Path) -> Wolke {
        let stderr = std::fs::File::options().create(true).append(true).open(log).expect("log file");
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().expect("the server starts");
        let stdout = child.stdout.take().expect("standard output is piped");
        let (lines, received) = mpsc::channel();
        // Reads on to the end, so that the server never blocks on a full pipe.
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(lines.send(line)))
        });
        let line = received.recv_timeout(START_LIMIT);
        let Some(address) = line.as_deref().ok().and_then(address_in) else {
            let _ = child.kill();
            let _ = child.wait();
            let log = std::fs::read_to_string(log).unwrap_or_default();
            panic!("the server said no address ({line:?}); its log ends:\n{}", tail(&log));
        };
        Wolke { child, address }
    }

    /// The endpoint that clients are given.
    pub fn endpoint(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// A client with a connection of its own.
    pub fn client(&self, token: &str) -> Client {
        Client::new(self.address, token)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, and waits until the process is gone.
    pub fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// SIGTERM, and the status it ends with.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn terminate(&mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -TERM {pid}");
        wait_for(STOP_LIMIT, || self.child.try_wait().expect("wait")).expect("the server ends after SIGTERM")
    }
}

impl Drop for Wolke {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_address_in_the_ready_line() {
        let seen = address_in("wolke listens on http://127.0.0.1:4280, data in x").map(|address| address.to_string());
        assert_eq!(seen.as_deref(), Some("127.0.0.1:4280"));
        assert_eq!(address_in("http://[::1]:80/v1").map(|address| address.port()), Some(80));
        assert_eq!(address_in("starting"), None);
    }
}
