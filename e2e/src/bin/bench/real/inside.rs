//! The process inside the namespace: creates servers and waits for SSH, ours and by hand in turns.

use super::by_hand::ByHand;
use super::{CASES, Case, succeed};
use e2e::api::{ACTION_LIMIT, delete_server, expect};
use e2e::folder::Folder;
use e2e::http::Client;
use e2e::process::{Installation, Wolke};
use e2e::wait::wait_for;
use serde_json::{Value, json};
use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The image that is made for tests, as an operator offers it.
const CATALOGUE: &str = r#"[[image]]
name = "tiny"
description = "Tiny"
os_flavor = "unknown"
os_version = "unknown"
disk_size = 1
created = "2026-01-01T00:00:00Z"
ids = { x86 = 900000001 }
"#;
/// How often each is measured.
const TIMES: (usize, usize) = (9, 3);
/// How long a guest may take: a machine that is busy makes everything four times slower (linux-host-facts).
const BOOT_LIMIT: Duration = Duration::from_secs(300);
/// How long one attempt to connect may take. Nobody answers for an address whose guest is not there yet.
const CONNECT: Duration = Duration::from_millis(100);
/// How long a server may take from the connection to its first word.
const BANNER: Duration = Duration::from_secs(5);
/// The port of SSH.
const SSH: u16 = 22;
/// What an SSH server says first.
const HELLO: &[u8] = b"SSH-2.0-";

/// `bench real-inside REPORT IMAGES NAMESPACE [--quick]`.
pub fn measure(args: &[String]) {
    let [report, images, namespace, rest @ ..] = args else { panic!("{}", super::INSIDE) };
    let times = if rest.is_empty() { TIMES.0 } else { TIMES.1 };
    let report = PathBuf::from(report);
    let key = Key::new(report.parent().expect("a folder"));
    // Where the guests by hand are, too: both on the same disk.
    let installation = Installation::embedded().with_images(Path::new(images));
    let catalogue = installation.data().join("tiny.toml");
    std::fs::write(&catalogue, CATALOGUE).expect("the catalogue");
    let catalogue = catalogue.to_str().expect("a path");
    let guests = format!("{namespace}-g");
    let linux = ["--host", "linux", "--linux-netns", &guests, "--linux-disk-gb", "1000", "--linux-memory-mb", "65536"];
    let server = installation.serve(&[&linux[..], &["--catalogue", catalogue]].concat());
    let token = installation.token();
    let ours = Ours { client: server.client(&token), key: &key };
    let measured = all(ours, images, &key, times);
    delete_namespace(server, &guests);
    std::fs::write(&report, measured.to_string()).expect("the report");
}

fn all(mut ours: Ours<'_>, images: &str, key: &Key, times: usize) -> Value {
    let created = json!({"name": "me", "public_key": key.public()});
    expect(ours.client.post("/v1/ssh_keys", &created), 201);
    let mut measured = json!({});
    for case in &CASES {
        let (mut own, mut by_hand, mut answered) = (Vec::new(), Vec::new(), Vec::new());
        let floor = ByHand { case, images: Path::new(images), key };
        for turn in 0..times {
            by_hand.push(floor.measure());
            let (answer, ssh) = ours.measure(case, turn);
            answered.push(answer);
            own.push(ssh);
            eprintln!("bench: {}: {ssh:.2} s, by hand {:.2} s", case.name, by_hand[turn]);
        }
        measured[case.name] = json!({"own": own, "by_hand": by_hand, "answered": answered});
    }
    measured
}

/// A server that has no servers any more goes, and what it keeps for them.
fn delete_namespace(mut server: Wolke, namespace: &str) {
    assert!(server.terminate().success());
    let _ = Command::new("ip").args(["netns", "delete", namespace]).stderr(Stdio::null()).status();
}

struct Ours<'a> {
    client: Client,
    key: &'a Key,
}

impl Ours<'_> {
    /// Seconds from the request to its answer, and to the end of a command over SSH.
    fn measure(&mut self, case: &Case, turn: usize) -> (f64, f64) {
        let body = json!({
            "name": format!("bench-{turn}"), "server_type": case.server_type, "image": case.image, "ssh_keys": ["me"],
        });
        let began = Instant::now();
        let answer = expect(self.client.post("/v1/servers", &body), 201);
        let answered = began.elapsed().as_secs_f64();
        let address = answer["server"]["public_net"]["ipv4"]["ip"].as_str().expect("an address");
        self.key.wait_for_command(address.parse().expect("an address"));
        let ssh = began.elapsed().as_secs_f64();
        let id = answer["server"]["id"].as_u64().expect("an id");
        let running = wait_for(ACTION_LIMIT, || {
            let server = expect(self.client.get(&format!("/v1/servers/{id}")), 200);
            (server["server"]["status"] == "running").then_some(())
        });
        assert!(running.is_some(), "the server answers and is not said to run");
        delete_server(&mut self.client, id);
        (answered, ssh)
    }
}

/// A key pair for SSH.
pub struct Key(Folder);

impl Key {
    fn new(parent: &Path) -> Self {
        let folder = Folder::new_in(parent, "key");
        let path = folder.path().join("key");
        succeed(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path));
        Key(folder)
    }

    /// The line for `authorized_keys`.
    pub fn public(&self) -> String {
        let line = std::fs::read_to_string(self.0.path().join("key.pub")).expect("the public key");
        line.trim().to_owned()
    }

    /// Returns when a command has run over SSH.
    ///
    /// # Panics
    /// When that takes too long.
    pub fn wait_for_command(&self, address: IpAddr) {
        let done = wait_for(BOOT_LIMIT, || (says_hello(address) && self.command(address)).then_some(()));
        assert!(done.is_some(), "no command over SSH at {address} after {} s", BOOT_LIMIT.as_secs());
    }

    fn command(&self, address: IpAddr) -> bool {
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "/dev/null", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"]);
        ssh.args(["-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=5", "-i"]).arg(self.0.path().join("key"));
        ssh.arg(format!("root@{address}")).arg("true");
        let status = ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.expect("ssh starts").success()
    }
}

/// Whether an SSH server is there, so that no time goes by in an `ssh` that waits for a guest that is not there yet.
fn says_hello(address: IpAddr) -> bool {
    let mut said = [0; HELLO.len()];
    TcpStream::connect_timeout(&SocketAddr::new(address, SSH), CONNECT)
        .and_then(|mut stream| stream.set_read_timeout(Some(BANNER)).and_then(|()| stream.read_exact(&mut said)))
        .is_ok_and(|()| said == HELLO)
}
