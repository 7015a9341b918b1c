//! A machine of our own for one test: a network namespace in which server, client and SSH run, with images and a key.

use e2e::cli::Hcloud;
use e2e::folder::Folder;
use e2e::leak;
use e2e::prerequisite;
use e2e::process::{Installation, Wolke, wolke_binary};
use e2e::wait::wait_for;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a guest may take until SSH answers: a Debian boots in half a minute without virtualisation, and in four times
/// that under load (linux-host-facts).
pub const BOOT_LIMIT: Duration = Duration::from_secs(400);
/// How long the guests of a test that failed may take to go.
const CLEAR_LIMIT: Duration = Duration::from_secs(60);
/// How long one look over SSH may take, in seconds.
const SSH_SECONDS: u32 = 20;
/// Small servers, and the image that boots in seconds: an operator adds what he wants to his catalogue.
const CATALOGUE: &str = include_str!("catalogue.toml");

/// What the host hands out: guests take what they use, and that is little.
const ROOM: [&str; 4] = ["--linux-disk-gb", "1000", "--linux-memory-mb", "65536"];

/// One at a time: each compares the whole machine with what it was before.
static ONE: Mutex<()> = Mutex::new(());
/// Tells apart the namespaces of one process.
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// Everything that a test of real servers stands on.
pub struct Stage {
    pub installation: Installation,
    pub wolke: Wolke,
    pub hcloud: Hcloud,
    pub token: String,
    scripts: Folder,
    namespace: Namespace,
    before: Option<leak::Machine>,
    /// Until the machine was compared with what it was.
    one: Option<MutexGuard<'static, ()>>,
}

impl Stage {
    /// Starts everything, or says that `test` is skipped.
    pub fn start(test: &str) -> Option<Self> {
        let (program, images) = (prerequisite::hcloud(test)?, prerequisite::images(test)?);
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let before = leak::Machine::now();
        let namespace = Namespace::new();
        let scripts = Folder::new("real");
        let wolke = script(&scripts, &namespace, &wolke_binary());
        let installation = Installation::embedded().through(wolke).with_images(&images);
        let catalogue = scripts.path().join("catalogue.toml");
        std::fs::write(&catalogue, CATALOGUE).unwrap();
        run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(scripts.path().join("key")));
        let wolke = serve(&installation, &namespace, &scripts);
        let token = installation.token();
        let hcloud = Hcloud::new(script(&scripts, &namespace, &program), &wolke, &token);
        let stage =
            Stage { installation, wolke, hcloud, token, scripts, namespace, before: Some(before), one: Some(one) };
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

    /// The id of a server.
    pub fn id(&self, name: &str) -> String {
        self.describe(name)["id"].as_i64().unwrap().to_string()
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

    /// Asks the API directly: status and answer.
    pub fn api(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut curl = self.inside("curl");
        curl.args(["-s", "-X", method, "-H", "Content-Type: application/json", "-w", "\n%{http_code}", "-H"]);
        curl.arg(format!("Authorization: Bearer {}", self.token));
        if !body.is_null() {
            curl.args(["-d", &body.to_string()]);
        }
        let output = curl.arg(format!("{}{path}", self.wolke.endpoint())).output().expect("curl starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let (answer, status) = said.rsplit_once('\n').unwrap_or(("", &said));
        let answer = serde_json::from_str(answer).unwrap_or(Value::Null);
        (status.parse().unwrap_or_else(|_| panic!("{method} {path}: {output:?}")), answer)
    }

    /// Waits until an action has ended, and returns it.
    pub fn ended(&self, action: &Value) -> Value {
        let path = format!("/actions/{}", action["id"]);
        let ended = wait_for(BOOT_LIMIT, || {
            let (status, answer) = self.api("GET", &path, &Value::Null);
            assert_eq!(status, 200, "{path}: {answer}");
            (answer["action"]["status"] != "running").then(|| answer["action"].clone())
        });
        ended.unwrap_or_else(|| panic!("{path} is stuck: {action}\n{}", self.installation.log()))
    }

    /// Waits until SSH answers at an address.
    pub fn reachable(&self, address: &str) {
        let mut last = None;
        let seen = wait_for(BOOT_LIMIT, || {
            let output = self.try_ssh(address, "true");
            let done = output.status.success().then_some(());
            last = Some(output);
            done
        });
        let said = last.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
        assert!(seen.is_some(), "no SSH at {address}: {said:?}\n{}", self.installation.log());
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
        let mut ssh = self.ssh_command();
        ssh.args(["-o", "BatchMode=yes", "-i"]).arg(self.key()).arg(format!("root@{address}")).arg(command);
        ssh.output().expect("ssh starts")
    }

    /// The same with a password instead of the key.
    pub fn try_ssh_with_password(&self, address: &str, password: &str, command: &str) -> Output {
        let ask = self.scripts.path().join("ask");
        executable(&ask, "#!/bin/sh\nprintf '%s\\n' \"$WOLKE_E2E_PASSWORD\"\n");
        let mut ssh = self.ssh_command();
        ssh.args(["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"]);
        ssh.args(["-o", "PreferredAuthentications=password"]).arg(format!("root@{address}")).arg(command);
        ssh.env("SSH_ASKPASS", ask).env("SSH_ASKPASS_REQUIRE", "force").env("WOLKE_E2E_PASSWORD", password);
        ssh.output().expect("ssh starts")
    }

    fn ssh_command(&self) -> Command {
        let mut ssh = self.inside("ssh");
        ssh.args(["-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]);
        ssh.args(["-o", "LogLevel=ERROR", "-o", &format!("ConnectTimeout={SSH_SECONDS}")]);
        // A guest that is killed says no goodbye.
        ssh.args(["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=6"]).stdin(Stdio::null());
        ssh
    }

    /// A program in the namespace of the test.
    pub fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.namespace.0)).args(["--", program]);
        command
    }

    /// The QEMU of a server. By what it was started with: other installations may run servers of the same id.
    pub fn emulator(&self, name: &str) -> u32 {
        let directory = self.state().join("servers").join(self.id(name));
        let directory = directory.to_str().unwrap();
        let numbers = std::fs::read_dir("/proc").unwrap().flatten();
        let mut numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let found = numbers.find(|id| {
            let command = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            command.starts_with(b"qemu-system") && String::from_utf8_lossy(&command).contains(directory)
        });
        found.unwrap_or_else(|| panic!("{name} has no QEMU"))
    }

    /// Where the host keeps what it has.
    pub fn state(&self) -> PathBuf {
        self.installation.data().join("linux")
    }

    /// Starts `wolke` again, after it was killed.
    pub fn serve_again(&mut self) {
        self.wolke = serve(&self.installation, &self.namespace, &self.scripts);
        let program = prerequisite::hcloud("serve_again").unwrap();
        self.hcloud = Hcloud::new(script(&self.scripts, &self.namespace, &program), &self.wolke, &self.token);
    }

    /// Deletes servers, and waits until they are gone: clients of 2023 do not.
    pub fn delete(&self, names: &[&str]) {
        for name in names {
            self.hcloud.ok(&["server", "delete", name]);
        }
        let is_there = |server: &Value| names.iter().any(|name| server["name"] == *name);
        let gone = wait_for(BOOT_LIMIT, || {
            let listed = self.hcloud.json(&["server", "list"]);
            (!listed.as_array().unwrap().iter().any(is_there)).then_some(())
        });
        assert!(gone.is_some(), "{names:?} are still there\n{}", self.installation.log());
    }

    /// Asserts that nothing is left: in the project, and on the machine once the server has stopped.
    pub fn ends_empty(mut self) {
        for list in [&["server", "list"][..], &["primary-ip", "list"], &["image", "list", "-t", "snapshot"]] {
            assert_eq!(self.hcloud.json(list), json!([]), "{list:?}");
        }
        let left = |folder: &str| names(&self.state().join(folder));
        let gone = wait_for(BOOT_LIMIT, || left("servers").is_empty().then_some(()));
        assert!(gone.is_some(), "directories of servers are left: {:?}", left("servers"));
        let own: Vec<String> = left("images").into_iter().filter(|name| name.starts_with("image-")).collect();
        assert!(own.is_empty(), "artefacts of snapshots are left: {own:?}");
        let status = self.wolke.terminate();
        assert!(status.success(), "{status}\n{}", self.installation.log());
        // The next test begins when this one has looked.
        let (before, _one) = (self.before.take().unwrap(), self.one.take());
        drop(self);
        before.expect_same();
    }

    /// Deletes every server, as far as that is possible.
    fn clear(&self) -> Option<()> {
        let ask = |method: &str, path: &str| -> Option<Value> {
            let mut curl = self.inside("curl");
            curl.args(["-s", "-X", method, "-H", &format!("Authorization: Bearer {}", self.token)]);
            let output = curl.arg(format!("{}{path}", self.wolke.endpoint())).output().ok()?;
            serde_json::from_slice(&output.stdout).ok()
        };
        wait_for(CLEAR_LIMIT, || {
            let servers = ask("GET", "/servers")?["servers"].as_array()?.clone();
            for server in &servers {
                ask("DELETE", &format!("/servers/{}", server["id"]));
            }
            servers.is_empty().then_some(())
        })
    }
}

impl Drop for Stage {
    /// A test that failed leaves no guests for those that come after it.
    fn drop(&mut self) {
        if std::thread::panicking() && self.clear().is_none() {
            eprintln!("guests of a test that failed are left, below {}", self.state().display());
        }
    }
}

/// The names in a directory that no process is still working on.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// A network namespace of this test, and the one that `wolke` makes for its guests. A test that failed leaves guests behind, whose
/// end this is not; but no name stays taken.
struct Namespace(String);

impl Namespace {
    fn new() -> Self {
        let name = format!("wolke-e2e-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        run(Command::new("ip").args(["netns", "add", &name]));
        run(Command::new("ip").args(["-n", &name, "link", "set", "lo", "up"]));
        Namespace(name)
    }

    fn of_guests(&self) -> String {
        format!("{}-g", self.0)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        for name in [self.of_guests(), self.0.clone()] {
            let _ = Command::new("ip").args(["netns", "delete", &name]).stderr(Stdio::null()).status();
        }
    }
}

/// `wolke serve --host linux` in a namespace, whose guests live in a second one.
fn serve(installation: &Installation, namespace: &Namespace, scripts: &Folder) -> Wolke {
    let catalogue = scripts.path().join("catalogue.toml");
    let more = ["--catalogue", catalogue.to_str().unwrap()];
    let args = ["--host", "linux", "--linux-netns", &namespace.of_guests()];
    installation.serve(&[&args[..], &ROOM, &more].concat())
}

/// A script that runs a program in the namespace.
fn script(folder: &Folder, namespace: &Namespace, program: &Path) -> PathBuf {
    let path = folder.path().join(program.file_name().unwrap());
    let text = format!("#!/bin/sh\nexec nsenter --net=/run/netns/{} -- {} \"$@\"\n", namespace.0, program.display());
    executable(&path, &text);
    path
}

fn executable(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a program that must succeed.
pub fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
}
