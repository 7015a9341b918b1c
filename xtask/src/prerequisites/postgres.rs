//! A private PostgreSQL cluster in a temporary folder: started for one run, gone after it, even when the run fails.
//!
//! Durability stays on (`fsync`), because the tests are about what survives. Loopback and a unix socket in the
//! cluster's own folder only; `trust` is safe there. As root the server runs as an unprivileged user, since PostgreSQL
//! refuses root.

use super::apt_get;
use crate::shell::{is_root, quiet, which};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a fresh cluster may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long a cluster may take to stop before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// Pause between two looks at a level that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Where Debian keeps the server's programs, one folder per major release.
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";
/// Connections the cluster allows: several processes with a pool each, times parallel tests.
const MAX_CONNECTIONS: u32 = 200;

/// A running cluster. Dropping it stops the server and removes its folder.
pub struct Cluster {
    /// `postgres://` URL of a database that a superuser may use and create others beside.
    pub url: String,
    server: Child,
    folder: PathBuf,
}

impl Cluster {
    /// Finds (or installs) PostgreSQL, makes a cluster and waits until it answers.
    pub fn start() -> Result<Self, String> {
        let programs = find_or_install()?;
        let folder = std::env::temp_dir().join(format!("wolke-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let started = Self::start_in(&programs, &folder);
        if started.is_err() {
            let _ = std::fs::remove_dir_all(&folder);
        }
        started
    }

    fn start_in(programs: &Path, folder: &Path) -> Result<Self, String> {
        let user = unprivileged_user()?;
        if let Some(user) = &user {
            quiet(Command::new("chown").arg(format!("{}:{}", user.uid, user.gid)).arg(folder))?;
        }
        let data = folder.join("data");
        quiet(as_user(user.as_ref(), &programs.join("initdb")).current_dir(folder).arg("-D").arg(&data).args([
            "-U",
            "wolke",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
        ]))?;
        let port = free_port()?;
        let log = std::fs::File::create(folder.join("log")).map_err(|error| error.to_string())?;
        let log_too = log.try_clone().map_err(|error| error.to_string())?;
        let server = as_user(user.as_ref(), &programs.join("postgres"))
            .current_dir(folder)
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder)
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-N", &MAX_CONNECTIONS.to_string()])
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            .spawn()
            .map_err(|error| format!("postgres: {error}"))?;
        let mut cluster = Cluster {
            url: format!("postgres://wolke@127.0.0.1:{port}/postgres"),
            server,
            folder: folder.to_path_buf(),
        };
        cluster.wait_until_ready(programs, port)?;
        Ok(cluster)
    }

    fn wait_until_ready(&mut self, programs: &Path, port: u16) -> Result<(), String> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let mut ask = Command::new(programs.join("pg_isready"));
            let answer = quiet(ask.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]));
            if answer.is_ok() {
                return Ok(());
            }
            let ended = self.server.try_wait().map_err(|error| error.to_string())?;
            if ended.is_some() || Instant::now() > deadline {
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(format!("the private cluster did not start: {}", log.trim()));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's "fast shutdown": sessions are cut, the checkpoint is written.
        let _ = quiet(Command::new("kill").args(["-INT", &self.server.id().to_string()]));
        let deadline = Instant::now() + STOP_LIMIT;
        while matches!(self.server.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.server.kill();
                let _ = self.server.wait();
                break;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The user that the server runs as when this process is root.
struct User {
    uid: String,
    gid: String,
}

/// `None` when this process is unprivileged itself; else `postgres` where it exists, or `nobody`.
fn unprivileged_user() -> Result<Option<User>, String> {
    if !is_root() {
        return Ok(None);
    }
    let id = |flag: &str, name: &str| quiet(Command::new("id").args([flag, name])).map(|text| text.trim().to_owned());
    for name in ["postgres", "nobody"] {
        if let (Ok(uid), Ok(gid)) = (id("-u", name), id("-g", name)) {
            return Ok(Some(User { uid, gid }));
        }
    }
    Err("PostgreSQL refuses to run as root, and there is no user postgres or nobody".into())
}

/// A command that runs a program as that user and, where `setpriv` exists, ends with this process: a killed run leaves no
/// server behind.
fn as_user(user: Option<&User>, program: &Path) -> Command {
    if which("setpriv").is_none() && user.is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    if let Some(user) = user {
        command.args(["--reuid", &user.uid, "--regid", &user.gid, "--clear-groups"]);
    }
    command.args(["--pdeathsig", "INT", "--"]).arg(program);
    command
}

/// The folder with `initdb`, `postgres` and `pg_isready`; installs Debian's package when there is none.
fn find_or_install() -> Result<PathBuf, String> {
    if let Some(folder) = find() {
        return Ok(folder);
    }
    // The package would otherwise create and start a cluster of its own.
    let settings = Path::new("/etc/postgresql-common/createcluster.conf");
    if is_root() && !settings.exists() {
        let _ = std::fs::create_dir_all("/etc/postgresql-common");
        let _ = std::fs::write(settings, "create_main_cluster = false\n");
    }
    eprintln!("xtask: installing PostgreSQL");
    apt_get(&["-q", "update"])?;
    // dpkg would otherwise ask whether to keep the settings that were just written.
    let keep_settings = ["-o", "Dpkg::Options::=--force-confold"];
    apt_get(&[&["-q", "install", "-y", "--no-install-recommends"], &keep_settings[..], &["postgresql"]].concat())?;
    find().ok_or_else(|| "installed, but initdb is nowhere to be found".into())
}

/// Looks on `PATH`, then in Debian's folder (newest release first).
fn find() -> Option<PathBuf> {
    let complete =
        |folder: &PathBuf| ["initdb", "postgres", "pg_isready"].iter().all(|name| folder.join(name).is_file());
    let on_path = which("initdb").and_then(|file| file.parent().map(Path::to_path_buf));
    let mut releases: Vec<(u32, PathBuf)> = std::fs::read_dir(DEBIAN_FOLDER)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    releases.sort();
    on_path.into_iter().chain(releases.into_iter().rev().map(|(_, folder)| folder)).find(complete)
}

/// A port that is free now. PostgreSQL cannot choose one itself; a collision shows as "did not start".
fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.port())
}
