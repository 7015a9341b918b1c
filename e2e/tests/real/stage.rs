//! A machine of our own for one test: a network namespace in which server, client and SSH run, with images and a key.

use e2e::cli::Hcloud;
use e2e::folder::Folder;
use e2e::leak;
use e2e::prerequisite;
use e2e::process::{Installation, Wolke, wolke_binary};
use e2e::wait::wait_for;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a guest may take until SSH answers: a Debian boots in half a minute without virtualisation, and in four times
/// that under load (linux-host-facts).
pub const BOOT_LIMIT: Duration = Duration::from_secs(300);
/// How long one look over SSH may take, in seconds.
const SSH_SECONDS: u32 = 20;

/// One at a time: each compares the whole machine with what it was before.
static ONE: Mutex<()> = Mutex::new(());

/// Everything that a test of real servers stands on.
pub struct Stage {
    pub installation: Installation,
    pub wolke: Wolke,
    pub hcloud: Hcloud,
    token: String,
    scripts: Folder,
    namespace: String,
    before: leak::Machine,
    _one: MutexGuard<'static, ()>,
}

impl Stage {
    /// Starts everything, or says that `test` is skipped.
    pub fn start(test: &str) -> Option<Self> {
        let (program, images) = (prerequisite::hcloud(test)?, prerequisite::images(test)?);
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let before = leak::Machine::now();
        let namespace = format!("wolke-e2e-{}", std::process::id());
        run(Command::new("ip").args(["netns", "add", &namespace]));
        run(Command::new("ip").args(["-n", &namespace, "link", "set", "lo", "up"]));
        let scripts = Folder::new("real");
        let installation = Installation::embedded().through(script(&scripts, &namespace, &wolke_binary()));
        let store = installation.data().join("linux");
        std::fs::create_dir_all(&store).unwrap();
        // Images never change, so hard links are copies. On another file system the files are copied.
        let links = Command::new("cp").arg("-al").arg(&images).arg(store.join("images")).output().unwrap();
        if !links.status.success() {
            let _ = std::fs::remove_dir_all(store.join("images"));
            run(Command::new("cp").arg("-a").arg(&images).arg(store.join("images")));
        }
        run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(scripts.path().join("key")));
        let wolke = serve(&installation, &namespace);
        let token = installation.token();
        let hcloud = Hcloud::new(script(&scripts, &namespace, &program), &wolke, &token);
        let stage = Stage { installation, wolke, hcloud, token, scripts, namespace, before, _one: one };
        let key = stage.key().with_extension("pub");
        stage.hcloud.ok(&["ssh-key", "create", "--name", "me", "--public-key-from-file", key.to_str().unwrap()]);
        Some(stage)
    }

    fn key(&self) -> PathBuf {
        self.scripts.path().join("key")
    }

    /// Creates a server with the key and waits until SSH answers.
    pub fn create(&self, name: &str, server_type: &str, image: &str, more: &[&str]) -> String {
        let mut args =
            vec!["server", "create", "--name", name, "--type", server_type, "--image", image, "--ssh-key", "me"];
        args.extend(["--location", "fsn1"]);
        args.extend(more);
        self.hcloud.ok(&args);
        let address = self.address(name);
        self.reachable(&address);
        address
    }

    /// The public IPv4 address of a server.
    pub fn address(&self, name: &str) -> String {
        self.describe(name)["public_net"]["ipv4"]["ip"].as_str().unwrap().to_owned()
    }

    /// What the client says of a server.
    pub fn describe(&self, name: &str) -> Value {
        self.hcloud.json(&["server", "describe", name])
    }

    /// Waits until a server has this status.
    pub fn wait_status(&self, name: &str, status: &str) {
        let seen = wait_for(BOOT_LIMIT, || (self.describe(name)["status"] == status).then_some(()));
        assert!(seen.is_some(), "{name} is not {status}: {}\n{}", self.describe(name), self.installation.log());
    }

    /// Waits until SSH answers at an address.
    pub fn reachable(&self, address: &str) {
        let seen = wait_for(BOOT_LIMIT, || self.try_ssh(address, "true").status.success().then_some(()));
        let said = String::from_utf8_lossy(&self.try_ssh(address, "true").stderr).into_owned();
        assert!(seen.is_some(), "no SSH at {address}: {said}\n{}", self.installation.log());
    }

    /// Runs a command as root on a server, and returns what it printed.
    pub fn ssh(&self, address: &str, command: &str) -> String {
        let output = self.try_ssh(address, command);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ssh {address} {command}: {}: {said}", output.status);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The same, whatever comes of it.
    pub fn try_ssh(&self, address: &str, command: &str) -> Output {
        let mut ssh = self.inside("ssh");
        ssh.args(["-F", "/dev/null", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"]);
        ssh.args(["-o", "UserKnownHostsFile=/dev/null", "-o", &format!("ConnectTimeout={SSH_SECONDS}")]);
        ssh.arg("-i").arg(self.key()).arg(format!("root@{address}")).arg(command);
        ssh.stdin(Stdio::null()).output().expect("ssh starts")
    }

    /// A program in the namespace of the test.
    pub fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.namespace)).args(["--", program]);
        command
    }

    /// Starts `wolke` again, after it was killed.
    pub fn serve_again(&mut self) {
        self.wolke = serve(&self.installation, &self.namespace);
        let program = prerequisite::hcloud("serve_again").unwrap();
        self.hcloud = Hcloud::new(script(&self.scripts, &self.namespace, &program), &self.wolke, &self.token);
    }

    /// Asserts that nothing is left: in the project, and on the machine once the server has stopped.
    pub fn ends_empty(mut self) {
        for list in [&["server", "list"][..], &["primary-ip", "list"], &["image", "list", "-t", "snapshot"]] {
            assert_eq!(self.hcloud.json(list), Value::Array(Vec::new()), "{list:?}");
        }
        let servers = std::fs::read_dir(self.installation.data().join("linux/servers")).into_iter().flatten();
        assert_eq!(servers.count(), 0, "directories of servers are left");
        let status = self.wolke.terminate();
        assert!(status.success(), "{status}\n{}", self.installation.log());
        run(Command::new("ip").args(["netns", "delete", &self.namespace]));
        let Stage { before, installation, scripts, .. } = self;
        drop((installation, scripts));
        before.expect_same();
    }
}

/// `wolke serve --host linux` in a namespace, whose guests live in a second one.
fn serve(installation: &Installation, namespace: &str) -> Wolke {
    installation.serve(&["--host", "linux", "--linux-netns", &format!("{namespace}-g")])
}

/// A script that runs a program in the namespace.
fn script(folder: &Folder, namespace: &str, program: &Path) -> PathBuf {
    let path = folder.path().join(program.file_name().unwrap());
    let text = format!("#!/bin/sh\nexec nsenter --net=/run/netns/{namespace} -- {} \"$@\"\n", program.display());
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Runs a program that must succeed.
pub fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
}
