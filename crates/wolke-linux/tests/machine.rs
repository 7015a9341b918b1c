//! Virtual machines, for real: guests are booted, switched, killed and copied.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a harness that fails is a test that fails, and says what it skips"
)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wolke_domain::clock::Clock;
use wolke_host::plan::Guest;
use wolke_host::{Architecture, Definition, HostError};
use wolke_linux::engine::{Boot, Engine, Reboot};
use wolke_linux::image::{BootBy, Image, ImageStore, Manifest, Origin};
use wolke_linux::layout::{Layout, ServerDir};
use wolke_linux::machine::Machines;
use wolke_linux::machine::acceleration::Choice;
use wolke_wire::Timestamp;

/// How long a guest may take for anything: it boots in four seconds, and in sixty on a machine with work for ten.
const PATIENCE: Duration = Duration::from_secs(300);
/// Bytes of a GB, as disks are counted.
const GIB: u64 = 1 << 30;
/// How long its agent may take for one answer before it is asked again.
const ANSWER: Duration = Duration::from_secs(5);
/// Numbers the conversations with agents.
static TURN: AtomicU32 = AtomicU32::new(1);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(100);

struct RealClock(Instant);

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "the clock that the machines take their time from")]
    fn wall(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp(i64::try_from(since.as_millis()).unwrap())
    }

    fn monotonic_ms(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "a clock that starts with the test")]
fn now() -> Instant {
    Instant::now()
}

/// A state directory with machines; what runs in it ends with it.
struct Bench {
    state: PathBuf,
    layout: Layout,
    base: Image,
    machines: Machines,
}

impl Bench {
    /// `None` where the tests' image is missing, which is said, and fails in CI.
    fn new(test: &str) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "the test command hands its findings over like this")]
        let (images, ci) = (std::env::var("WOLKE_TEST_IMAGES"), std::env::var("CI"));
        let Ok(images) = images else {
            assert_ne!(ci.as_deref(), Ok("true"), "{test}: no images");
            eprintln!("SKIPPED {test}: WOLKE_TEST_IMAGES names no store of images");
            return None;
        };
        let state = std::env::temp_dir().join(format!("wolke-machine-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&state).unwrap();
        let layout = Layout::new(state.clone());
        let base = ImageStore::new(PathBuf::from(images)).find("tiny").unwrap().expect("the image tiny");
        let machines = open(&layout);
        Some(Self { state, layout, base, machines })
    }

    /// As after a `kill -9` of the whole host.
    fn reopen(&mut self) {
        self.machines = open(&self.layout);
    }

    fn server(&self, id: i64) -> ServerDir {
        let server = self.layout.server(id);
        std::fs::create_dir_all(&server.path).unwrap();
        server
    }

    /// A server with a fresh disk.
    fn made(&self, id: i64, image: &Image) -> (ServerDir, PathBuf) {
        let server = self.server(id);
        let disk = server.path.join("disk-0");
        std::fs::create_dir(&disk).unwrap();
        self.machines.fill_disk(&disk, image, 1).unwrap();
        (server, disk)
    }

    fn start(&self, server: &ServerDir, disk: &Path, image: &Image) {
        let definition = definition();
        let boot = Boot { definition: &definition, disk, image, link: None, metadata: None };
        self.machines.start(server, &boot).unwrap();
    }

    /// Runs a shell command in the guest as soon as its agent answers, and returns what it says.
    fn inside(&self, server: &ServerDir, command: &str) -> String {
        let execute = json!({ "execute": "guest-exec", "arguments": {
            "path": "/bin/sh", "arg": ["-c", command], "capture-output": true } });
        let mut pid = None;
        self.wait(command, || {
            pid = agent(server, &execute).and_then(|answer| answer["pid"].as_i64());
            pid.is_some()
        });
        let status = json!({ "execute": "guest-exec-status", "arguments": { "pid": pid } });
        let mut said = String::new();
        self.wait(command, || {
            let Some(answer) = agent(server, &status).filter(|answer| answer["exited"] == true) else { return false };
            said =
                String::from_utf8(STANDARD.decode(answer["out-data"].as_str().unwrap_or_default()).unwrap()).unwrap();
            true
        });
        said.trim().to_owned()
    }

    /// The number that the guest's kernel has thrown for this boot.
    fn boot(&self, server: &ServerDir) -> String {
        self.inside(server, "cat /proc/sys/kernel/random/boot_id")
    }

    /// Waits for these words on the guest's console.
    fn reads(&self, server: &ServerDir, words: &str) {
        let mut seen = String::new();
        self.wait(words, || {
            seen.push_str(&self.machines.console(server).unwrap_or_default());
            seen.contains(words)
        });
    }

    fn wait(&self, what: &str, mut level: impl FnMut() -> bool) {
        let begin = now();
        while !level() {
            assert!(begin.elapsed() < PATIENCE, "never came to be: {what}");
            let (_sender, receiver) = std::sync::mpsc::channel::<()>();
            let _ = receiver.recv_timeout(LOOK);
        }
    }

    /// Makes an image of a server's disk.
    fn snapshot(&self, server: &ServerDir, disk: &Path, base: &Image, artefact: &str) -> Image {
        let store = ImageStore::new(self.layout.images());
        let slot = store.begin(artefact).unwrap();
        let size_mb = self.machines.snapshot(server, disk, base, &slot, &|| true).unwrap();
        assert!((1..1024).contains(&size_mb), "{size_mb}");
        let manifest = Manifest { origin: Origin::Snapshot { server: server.id }, size_mb, ..base.manifest.clone() };
        let image = store.commit(slot, &manifest).unwrap();
        let info = Command::new("qemu-img").arg("info").arg(image.path.join("disk.qcow2")).output().unwrap();
        let info = String::from_utf8(info.stdout).unwrap();
        assert!(!info.contains("backing file"), "a snapshot stands alone: {info}");
        image
    }

    fn pid(&self, server: &ServerDir) -> u32 {
        std::fs::read_to_string(server.run().join("pid")).unwrap().trim().parse().unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for id in 1..10 {
            let _ = self.machines.stop(&self.layout.server(id));
        }
        let _ = std::fs::remove_dir_all(&self.state);
    }
}

fn open(layout: &Layout) -> Machines {
    Machines::with(layout, ImageStore::new(layout.images()), Arc::new(RealClock(now())), Choice::Tcg).unwrap()
}

fn definition() -> Definition {
    Definition {
        name: "guest".into(),
        uuid: "3f8a1c52-0c3e-4c0e-9c5e-0b1f4ad0e001".into(),
        architecture: Architecture::X86,
        cores: 1,
        memory_mb: 192,
        public: None,
        region: String::new(),
        availability_zone: String::new(),
    }
}

/// The same image, told to boot into a shell that nothing reaches: no drivers, no agent, no power button.
fn deaf(image: &Image) -> Image {
    let mut image = image.clone();
    image.manifest.boot = BootBy::Kernel { cmdline: "console=ttyS0 quiet rdinit=/bin/busybox -- sh".into() };
    image
}

/// Asks the guest agent, as far as one answers in time. What it has to say to earlier questions is passed over.
fn agent(server: &ServerDir, question: &Value) -> Option<Value> {
    let socket = UnixStream::connect(server.run().join("agent")).ok()?;
    socket.set_read_timeout(Some(ANSWER)).unwrap();
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    writeln!(&socket, "{}", json!({ "execute": "guest-sync", "arguments": { "id": turn } })).ok()?;
    let mut lines = BufReader::new(&socket).lines().map_while(Result::ok);
    lines.find(|line| serde_json::from_str::<Value>(line).is_ok_and(|answer| answer["return"] == turn))?;
    // It is there: from here on it is given all the time that it needs.
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    writeln!(&socket, "{question}").ok()?;
    serde_json::from_str::<Value>(&lines.next()?).ok()?.get_mut("return").map(Value::take)
}

#[test]
fn a_machine_lives() {
    let Some(mut bench) = Bench::new("a_machine_lives") else { return };
    let image = bench.base.clone();
    let (server, disk) = bench.made(1, &image);
    assert_eq!(bench.machines.guest(&server).unwrap(), Guest::Off, "never started");
    bench.start(&server, &disk, &image);
    assert_eq!(bench.machines.guest(&server).unwrap(), Guest::Running);
    let pid = bench.pid(&server);
    bench.start(&server, &disk, &image);
    assert_eq!(bench.pid(&server), pid, "a machine that runs is left alone");
    let first = bench.boot(&server);
    let serial = bench.inside(&server, "cat /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_serial");
    assert_eq!(serial, "Hetzner\n1");

    // It grows under the guest.
    assert_eq!(bench.inside(&server, "blockdev --getsize64 /dev/vda"), GIB.to_string());
    bench.machines.grow_disk(&server, &disk, 2).unwrap();
    bench.wait("grown", || bench.inside(&server, "blockdev --getsize64 /dev/vda") == (2 * GIB).to_string());

    // A password, over the agent.
    bench.machines.set_password(&server, "$6$salt$hash").unwrap();
    assert!(bench.inside(&server, "grep ^root /etc/shadow").starts_with("root:$6$salt$hash:"));

    // It has used something, and the counters only grow.
    let counted = bench.machines.counters(&server).unwrap();
    assert!(counted.cpu_ms > 0 && counted.disk_read_ops > 0 && counted.disk_write_ops > 0, "{counted:?}");
    assert!(counted.disk_read_bytes > 0 && counted.disk_write_bytes > 0, "{counted:?}");

    // A reboot with an agent, one by the power button, and a reset.
    let definition = definition();
    let boot = Boot { definition: &definition, disk: &disk, image: &image, link: None, metadata: None };
    bench.machines.reboot(&server, &boot).unwrap();
    let second = bench.boot(&server);
    assert_ne!(first, second);
    let orphan = json!({ "execute": "guest-exec", "arguments": { "path": "/usr/bin/killall", "arg": ["qemu-ga"] } });
    agent(&server, &orphan);
    bench.wait("no agent", || agent(&server, &json!({ "execute": "guest-ping" })).is_none());
    bench.machines.reboot(&server, &boot).unwrap();
    let third = bench.boot(&server);
    assert_ne!(second, third);
    bench.machines.reset(&server, &boot).unwrap();
    assert_ne!(third, bench.boot(&server));
    let more = bench.machines.counters(&server).unwrap();
    assert!(more.cpu_ms > counted.cpu_ms && more.disk_read_ops > counted.disk_read_ops, "{counted:?} {more:?}");
    assert_eq!(bench.pid(&server), pid, "the same machine all along");

    // Off by itself, and nobody watched.
    bench.machines.press_power(&server).unwrap();
    bench.wait("off", || bench.machines.guest(&server).unwrap() == Guest::Off);
    bench.reopen();
    assert_eq!(bench.machines.guest(&server).unwrap(), Guest::Off);
    assert_eq!(bench.machines.counters(&server).unwrap().cpu_ms, 0);
    // The reset button wakes it up.
    bench.machines.reset(&server, &boot).unwrap();
    assert_eq!(bench.machines.guest(&server).unwrap(), Guest::Running);

    // Killed.
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    bench.wait("lost", || bench.machines.guest(&server).unwrap() == Guest::Lost);
    bench.reopen();
    assert_eq!(bench.machines.guest(&server).unwrap(), Guest::Lost);
    for _ in 0..2 {
        bench.machines.stop(&server).unwrap();
        assert_eq!(bench.machines.guest(&server).unwrap(), Guest::Off);
        assert!(!server.run().exists());
    }
}

#[test]
fn a_guest_that_does_not_listen() {
    let Some(bench) = Bench::new("a_guest_that_does_not_listen") else { return };
    let image = deaf(&bench.base);
    let (server, disk) = bench.made(1, &image);
    bench.start(&server, &disk, &image);
    bench.reads(&server, "# ");
    let password = bench.machines.set_password(&server, "$6$salt$hash").unwrap_err();
    assert_eq!(password.code, HostError::GUEST_AGENT, "{password}");
    let definition = definition();
    let boot = Boot { definition: &definition, disk: &disk, image: &image, link: None, metadata: None };
    assert_eq!(bench.machines.reboot(&server, &boot).unwrap(), Reboot::Asked);
    assert_eq!(bench.machines.guest(&server).unwrap(), Guest::Running);
    let pid = bench.pid(&server);
    bench.machines.stop(&server).unwrap();
    // Its parent, the first process, takes a moment to bury it.
    bench.wait("buried", || !Path::new(&format!("/proc/{pid}")).exists());
    assert!(!server.run().exists());
    assert_eq!(bench.machines.guest(&server).unwrap(), Guest::Off);
}

#[test]
fn disks_are_copied() {
    let Some(mut bench) = Bench::new("disks_are_copied") else { return };
    let image = bench.base.clone();
    let (server, disk) = bench.made(1, &image);
    bench.start(&server, &disk, &image);

    // While it runs, at a point in time at which its file systems rest: what was written is on the disk.
    bench.inside(&server, "echo one > /root/mark");
    let running = bench.snapshot(&server, &disk, &image, "image-1");
    assert_eq!(bench.machines.guest(&server).unwrap(), Guest::Running);
    assert_eq!(bench.inside(&server, "echo two > /root/mark; cat /root/mark"), "two");

    // What a killed wolke has left in QEMU goes, and is no obstacle.
    let left = bench.state.join("left.qcow2");
    leave_a_job(&server, &left);
    assert!(agent(&server, &json!({ "execute": "guest-fsfreeze-freeze" })).is_some());
    std::fs::write(server.run().join("frozen"), "").unwrap();
    bench.reopen();
    assert!(!server.run().join("frozen").exists());
    assert_eq!(agent(&server, &json!({ "execute": "guest-fsfreeze-status" })), Some(json!("thawed")));
    std::fs::remove_file(&left).unwrap();
    bench.snapshot(&server, &disk, &image, "image-2");
    leave_a_job(&server, &left);
    bench.snapshot(&server, &disk, &image, "image-3");

    // A snapshot gives way to a stop, or is complete before.
    bench.inside(&server, "sync");
    let store = ImageStore::new(bench.layout.images());
    let slot = store.begin("image-4").unwrap();
    std::thread::scope(|scope| {
        let copy = scope.spawn(|| bench.machines.snapshot(&server, &disk, &image, &slot, &|| true));
        bench.wait("begun", || slot.path.join("disk.qcow2").exists());
        bench.machines.stop(&server).unwrap();
        assert_eq!(bench.machines.guest(&server).unwrap(), Guest::Off);
        if let Err(error) = copy.join().unwrap() {
            assert_eq!(error.code, HostError::ENGINE, "{error}");
        }
    });
    store.abandon(slot).unwrap();

    // Off, and a machine from each.
    let off = bench.snapshot(&server, &disk, &image, "image-5");
    let copies = [(2, &running, "one"), (3, &off, "two")].map(|(id, image, mark)| {
        let (server, disk) = bench.made(id, image);
        bench.start(&server, &disk, image);
        (server, mark)
    });
    for (copy, mark) in copies {
        assert_eq!(bench.inside(&copy, "cat /root/mark"), mark);
    }
}

#[test]
fn a_machine_is_nobody_and_on_its_own() {
    let Some(mut bench) = Bench::new("a_machine_is_nobody_and_on_its_own") else { return };
    let image = deaf(&bench.base);
    let mut users = Vec::new();
    for id in [1, 2] {
        let (server, disk) = bench.made(id, &image);
        bench.start(&server, &disk, &image);
        let pid = bench.pid(&server);
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
        let status = read("status");
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        let ids = [of("Uid:"), of("Gid:"), of("Groups:")].concat();
        assert!(ids.iter().all(|id| *id == ids[0]) && ids[0].parse::<u32>().unwrap() > 1_000_000_000, "{status}");
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(u64::from_str_radix(&of(set)[0], 16).unwrap(), 0, "{status}");
        }
        assert_eq!((of("NoNewPrivs:")[0].as_str(), of("Seccomp:")[0].as_str()), ("1", "2"));
        users.push(ids[0].clone());

        // Nobody ends it by ending a service, and its memory is bounded.
        let groups = read("cgroup");
        let own = format!("-{id}.machine");
        let group = |of: &str| groups.lines().find(|line| line.split(':').nth(1) == Some(of)).map(str::to_owned);
        for hierarchy in ["name=systemd", ""] {
            assert!(group(hierarchy).is_none_or(|line| line.ends_with(&own)), "{groups}");
        }
        let limit = limit_of(&groups);
        assert_eq!(limit, (192 + 512) << 20, "the guest's memory and what QEMU needs itself");
        bench.reopen();
        assert_eq!(bench.machines.guest(&server).unwrap(), Guest::Running);
        bench.machines.stop(&server).unwrap();
        let left = Command::new("find").args(["/sys/fs/cgroup", "-name", &format!("wolke-*{own}")]).output().unwrap();
        let name =
            groups.lines().find_map(|line| line.rsplit_once('/').filter(|(_, name)| name.ends_with(&own))).unwrap().1;
        assert!(!String::from_utf8_lossy(&left.stdout).contains(name), "a control group is left");
    }
    assert_ne!(users[0], users[1], "each is somebody else");
}

/// The memory that a process may have, by its control groups.
fn limit_of(groups: &str) -> u64 {
    let path = |line: &str| line.splitn(3, ':').nth(2).unwrap().to_owned();
    let legacy = groups.lines().find(|line| line.split(':').nth(1) == Some("memory")).map(path);
    let file = match legacy {
        Some(path) => format!("/sys/fs/cgroup/memory{path}/memory.limit_in_bytes"),
        None => format!(
            "/sys/fs/cgroup{}/memory.max",
            groups.lines().find(|line| line.starts_with("0::")).map(path).unwrap()
        ),
    };
    std::fs::read_to_string(file).unwrap().trim().parse().unwrap()
}

/// Begins a snapshot that goes on for ever, and leaves.
fn leave_a_job(server: &ServerDir, to: &Path) {
    assert!(
        Command::new("qemu-img").args(["create", "-q", "-f", "qcow2"]).arg(to).arg("1G").status().unwrap().success()
    );
    // Its QEMU is nobody.
    std::fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    let socket = UnixStream::connect(server.run().join("job")).unwrap();
    let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
    let path = to.display();
    for command in [
        r#"{"execute":"qmp_capabilities"}"#.to_owned(),
        format!(
            r#"{{"execute":"blockdev-add","arguments":{{"driver":"qcow2","node-name":"snapshot","file":{{"driver":"file","filename":"{path}"}}}}}}"#
        ),
        r#"{"execute":"blockdev-backup","arguments":{"job-id":"snapshot","device":"disk","target":"snapshot","sync":"full","speed":1}}"#
            .to_owned(),
    ] {
        writeln!(&socket, "{command}").unwrap();
        let answer = lines.find(|line| line.as_ref().unwrap().contains(r#""return": {}"#));
        assert!(answer.is_some(), "{command}");
    }
}
