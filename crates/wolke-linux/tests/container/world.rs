//! A host's directory with real containers in it, which leaves nothing behind, whatever happens to the test.
#![allow(clippy::unwrap_used, reason = "a test helper fails the test")]

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wolke_domain::clock::Clock;
use wolke_host::plan::Guest;
use wolke_host::{Architecture, Definition};
use wolke_linux::container::Containers;
use wolke_linux::engine::{Boot, Engine};
use wolke_linux::image::{Image, ImageStore, Manifest, Origin};
use wolke_linux::layout::{Layout, ServerDir};
use wolke_linux::net::Link;
use wolke_wire::Timestamp;
use wolke_wire::metadata::Metadata;

/// Whatever a guest does, it has done by then on a busy machine.
const PATIENCE: Duration = Duration::from_secs(150);
/// Programs without which nothing here runs.
const PROGRAMS: [&str; 4] = ["/usr/bin/lxc-start", "/usr/bin/nsenter", "/usr/bin/unshare", "/usr/sbin/mkfs.ext4"];

struct RealClock;

#[expect(clippy::disallowed_methods, reason = "these tests run real programs in real time")]
impl Clock for RealClock {
    fn wall(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp(i64::try_from(since.as_millis()).unwrap())
    }

    fn monotonic_ms(&self) -> i64 {
        self.wall().0
    }
}

/// Says past the runner's capture that a test is skipped; with `CI=true` it fails.
#[expect(clippy::disallowed_methods, reason = "a test learns from its environment what it may use")]
fn skip(test: &str, reason: &str) {
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{test}: {reason}");
    writeln!(std::io::stderr().lock(), "SKIPPED {test}: {reason}").unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a test learns from its environment what it may use")]
fn images() -> Option<PathBuf> {
    std::env::var("WOLKE_TEST_IMAGES").ok().map(PathBuf::from)
}

/// An image that the tests were given.
fn image(artefact: &str) -> Option<Image> {
    ImageStore::new(images()?).find(artefact).unwrap()
}

/// A host's directory.
pub struct World {
    pub layout: Layout,
    pub containers: Containers,
    namespace: Option<String>,
    servers: AtomicI64,
}

impl World {
    /// With the image that this test runs, or `None` after saying that it is skipped.
    pub fn with(test: &str, artefact: &str) -> Option<(Self, Image)> {
        if !rustix::process::geteuid().is_root() {
            skip(test, "containers need root");
            return None;
        }
        if let Some(missing) = PROGRAMS.iter().find(|program| !Path::new(program).exists()) {
            skip(test, &format!("{missing} is missing"));
            return None;
        }
        let Some(image) = image(artefact) else {
            skip(test, &format!("the image {artefact} is missing (WOLKE_TEST_IMAGES; `cargo xtask test` sets it)"));
            return None;
        };
        let directory = std::env::temp_dir().join(format!("wolke-container-{test}-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("servers")).unwrap();
        // Nobody but root may enter: containers must not need to.
        std::os::unix::fs::chown(&directory, Some(0), Some(0)).unwrap();
        run("chmod", &["700", directory.to_str().unwrap()]);
        let layout = Layout::new(directory);
        let containers = Containers::open(&layout, Arc::new(RealClock)).unwrap();
        Some((Self { layout, containers, namespace: None, servers: AtomicI64::new(0) }, image))
    }

    /// Another process of the host, so to speak.
    pub fn reopened(&self) -> Containers {
        Containers::open(&self.layout, Arc::new(RealClock)).unwrap()
    }

    /// A server with a disk of this image.
    pub fn server(&self, image: &Image, size_gb: u32) -> Server<'_> {
        let id = self.servers.fetch_add(1, Ordering::SeqCst) + 1;
        let dir = self.layout.server(id);
        let disk = dir.path.join("disk-0");
        std::fs::create_dir_all(&disk).unwrap();
        self.containers.fill_disk(&disk, image, size_gb).unwrap();
        let definition = Definition {
            name: format!("web-{id}"),
            uuid: format!("00000000-1111-4222-8333-{id:012}"),
            architecture: Architecture::X86,
            cores: 1,
            memory_mb: 256,
            public: None,
            region: "eu-central".into(),
            availability_zone: "fsn1-dc14".into(),
        };
        Server { world: self, dir, disk, image: image.clone(), definition, link: None, metadata: None }
    }

    /// An image of what a server's disk holds now.
    pub fn snapshot(&self, server: &Server<'_>, artefact: &str) -> Image {
        let store = ImageStore::new(self.layout.images());
        let slot = store.begin(artefact).unwrap();
        let size_mb = self.containers.snapshot(&server.dir, &server.disk, &server.image, &slot, &|| true).unwrap();
        assert!(size_mb > 0);
        let origin = Origin::Snapshot { server: server.dir.id };
        store.commit(slot, &Manifest { origin, size_mb, ..server.image.manifest.clone() }).unwrap()
    }

    /// A network namespace of its own with a pair of devices for a server.
    pub fn link(&mut self, id: i64) -> Link {
        let name = format!("t-container-{}", fingerprint(self.layout.state()));
        if self.namespace.is_none() {
            run("ip", &["netns", "add", &name]);
            self.namespace = Some(name.clone());
        }
        let (host, device) = (format!("wk{id}"), format!("wkp{id}"));
        let mac = format!("96:00:00:00:00:{id:02x}");
        run("ip", &["-n", &name, "link", "add", &host, "type", "veth", "peer", "name", &device, "address", &mac]);
        run("ip", &["-n", &name, "link", "set", &host, "up"]);
        Link { device, mac, namespace: Path::new("/run/netns").join(name) }
    }

    /// Holds the processes of a server, as a snapshot does, or lets them go.
    pub fn hold(&self, server: &Server<'_>, held: bool) {
        let (file, words) = self.freezer(server);
        std::fs::write(&file, words[usize::from(held)]).unwrap();
        wait("the freezer", || self.is_held(server) == held);
    }

    /// Whether its processes stand still.
    pub fn is_held(&self, server: &Server<'_>) -> bool {
        let (file, words) = self.freezer(server);
        std::fs::read_to_string(file).unwrap().trim() == words[1]
    }

    fn freezer(&self, server: &Server<'_>) -> (PathBuf, [&'static str; 2]) {
        let group = format!("wolke-{}-{}.payload", fingerprint(self.layout.state()), server.dir.id);
        let legacy = Path::new("/sys/fs/cgroup/freezer").join(&group).join("freezer.state");
        if legacy.exists() {
            return (legacy, ["THAWED", "FROZEN"]);
        }
        (Path::new("/sys/fs/cgroup").join(group).join("cgroup.freeze"), ["0", "1"])
    }

    /// Fails unless nothing is left of any server but files.
    pub fn assert_clean(&self) {
        let state = self.layout.state().to_str().unwrap();
        let loops = run("losetup", &["--list", "--noheadings", "--output", "BACK-FILE"]);
        assert!(!loops.contains(state), "loop devices: {loops}");
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        assert!(!mounts.contains(state), "mounts: {mounts}");
        for hierarchy in std::fs::read_dir("/sys/fs/cgroup").unwrap().flatten() {
            let Ok(groups) = std::fs::read_dir(hierarchy.path()) else { continue };
            for group in groups.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()) {
                assert!(!self.owns(&group), "control group {}/{group}", hierarchy.path().display());
            }
        }
        let processes = run("ps", &["-e", "-o", "args"]);
        let mine = processes.lines().find(|line| line.contains(state) || self.owns(line));
        assert_eq!(mine, None, "processes");
    }

    /// Whether a name is made from this host's fingerprint.
    fn owns(&self, text: &str) -> bool {
        text.contains(&format!("wolke-{}-", fingerprint(self.layout.state())))
            || text.contains(&format!("lxc-{}", fingerprint(self.layout.state())))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for entry in std::fs::read_dir(self.layout.servers()).unwrap().flatten() {
            if let Ok(id) = entry.file_name().to_string_lossy().parse() {
                let server = self.layout.server(id);
                let _ = self.containers.stop(&server);
                let _ = self.containers.release_disk(&server, &server.path);
            }
        }
        if let Some(namespace) = &self.namespace {
            run("ip", &["netns", "delete", namespace]);
        }
        let _ = std::fs::remove_dir_all(self.layout.state());
    }
}

/// The same fingerprint as the host takes of its directory.
fn fingerprint(state: &Path) -> String {
    let sum = String::from_utf8(
        Command::new("sh").args(["-c", "printf %s \"$1\" | sha256sum", "sh"]).arg(state).output().unwrap().stdout,
    );
    sum.unwrap()[..8].to_owned()
}

/// A server of a world.
pub struct Server<'a> {
    pub world: &'a World,
    pub dir: ServerDir,
    pub disk: PathBuf,
    pub image: Image,
    pub definition: Definition,
    pub link: Option<Link>,
    pub metadata: Option<Metadata>,
}

impl Server<'_> {
    pub fn boot(&self) -> Boot<'_> {
        Boot {
            definition: &self.definition,
            disk: &self.disk,
            image: &self.image,
            link: self.link.as_ref(),
            metadata: self.metadata.as_ref(),
        }
    }

    pub fn start(&self) {
        self.world.containers.start(&self.dir, &self.boot()).unwrap();
        assert_eq!(self.guest(), Guest::Running);
    }

    pub fn stop(&self) {
        self.world.containers.stop(&self.dir).unwrap();
        assert_eq!(self.guest(), Guest::Off);
    }

    pub fn guest(&self) -> Guest {
        self.world.containers.guest(&self.dir).unwrap()
    }

    pub fn monitor(&self) -> i32 {
        std::fs::read_to_string(self.dir.run().join("pid")).unwrap().trim().parse().unwrap()
    }

    /// The first process of the container, once it runs the container's own program.
    pub fn init(&self) -> i32 {
        let (mut found, monitor) = (0, self.monitor());
        wait("the init", || {
            let children =
                std::fs::read_to_string(format!("/proc/{monitor}/task/{monitor}/children")).unwrap_or_default();
            found = children.split_whitespace().next().and_then(|pid| pid.parse().ok()).unwrap_or(0);
            let program = |pid| std::fs::read_link(format!("/proc/{pid}/exe")).ok();
            found > 0 && program(found).is_some() && program(found) != program(monitor)
        });
        found
    }

    /// Runs a shell command as the container's root, and says what it wrote and whether it succeeded.
    pub fn try_inside(&self, script: &str) -> (String, bool) {
        self.init();
        let monitor = self.monitor().to_string();
        let top = std::fs::read_to_string(self.dir.run().join("top")).unwrap();
        let path = format!("{top}/lxc-{}", fingerprint(self.world.layout.state()));
        let output = Command::new("nsenter")
            .args([
                "--mount",
                "--net",
                "--target",
                &monitor,
                "--",
                "env",
                "-i",
                "PATH=/usr/sbin",
                "/usr/bin/lxc-attach",
            ])
            .args(["--name", &self.dir.name(), "--lxcpath", &path, "--clear-env"])
            .args(["--set-var", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "--", "/bin/sh", "-c", script])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (said(&output), output.status.success())
    }

    /// The same for a command that succeeds.
    pub fn inside(&self, script: &str) -> String {
        let (said, succeeded) = self.try_inside(script);
        assert!(succeeded, "{script}: {said}");
        said
    }

    /// A command in the container that nobody waits for.
    pub fn leave_inside(&self, script: &str) {
        self.try_inside(&format!("({script}) >/dev/null 2>&1 &"));
    }

    pub fn wait_for(&self, guest: Guest) {
        wait(&format!("{guest:?}"), || self.guest() == guest);
    }
}

/// Whether this kernel lets us grow a mounted ext4: it asks for `CAP_SYS_RESOURCE`.
pub fn may_grow_live() -> bool {
    const CAP_SYS_RESOURCE: u32 = 24;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    u64::from_str_radix(effective.trim(), 16).unwrap() >> CAP_SYS_RESOURCE & 1 == 1
}

/// Kills a process at once.
pub fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// Waits for a level.
#[expect(clippy::disallowed_methods, reason = "these tests run real programs in real time")]
pub fn wait(what: &str, mut reached: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !reached() {
        assert!(begun.elapsed() < PATIENCE, "{what} has not come");
        let tick = rustix::event::Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        let _ = rustix::event::poll(&mut [], Some(&tick));
    }
    begun.elapsed()
}

/// Runs a program that succeeds and returns what it wrote.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).process_group(0).output().unwrap();
    let said = said(&output);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    said
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
