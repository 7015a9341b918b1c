//! A host of its own for each case: a state directory, a network namespace if it needs one, and engines with faults.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use wolke_domain::clock::Clock;
use wolke_host::conformance::Harness;
use wolke_host::plan::Guest;
use wolke_host::server::SERVER_SPEC_VERSION;
use wolke_host::{
    Architecture, Capacity, Definition, FirstBoot, Host, HostError, ImageRef, ObjectKey, Power, PublicNic, Runtime,
    RuntimeChoice, Secret, ServerSpec,
};
use wolke_linux::engine::{Boot, Engine};
use wolke_linux::host::{LinuxHost, Options, Parts};
use wolke_linux::image::{Image, ImageStore};
use wolke_linux::layout::{Layout, ServerDir};
use wolke_linux::net::{Guests, Net, NetOptions, Resolvers};
use wolke_wire::Timestamp;

use super::clock::RealClock;
use super::fake;
use super::faults::{Faults, Faulty};
use super::leak;

/// What user data and hashes look like when they are sealed.
pub const SEALED: &str = "sealed:";
/// The secret in every spec, and what the conformance suite sets as password: it must not rest anywhere.
const SECRET: &str = "hunter2";
/// How often the power button of a guest is pressed that is to go off, and how often it is looked at in between.
const PRESSES: usize = 60;
const LOOKS: usize = 10;
/// The image that comes late.
const LATE: &str = "late";

/// What a bench is made of.
#[derive(Clone)]
pub struct Plan {
    /// The word that tells benches of tests apart, short.
    pub word: &'static str,
    /// How servers are run.
    pub runtime: Runtime,
    /// The engine below a state directory.
    pub engine: fn(&Layout, Arc<dyn Clock>) -> Arc<dyn Engine>,
    /// The version of an image from which servers are made.
    pub image: PathBuf,
    /// Its name.
    pub artefact: &'static str,
    /// Whether servers have a public interface.
    pub network: bool,
    /// MiB of memory of a server.
    pub memory_mb: u32,
    /// How long what must not happen is waited for.
    pub settle_ms: i64,
}

/// Rings when the host has something to tell.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    rings: Condvar,
}

/// A host and its surroundings.
pub struct Bench {
    pub plan: Plan,
    pub layout: Layout,
    pub faults: Arc<Faults>,
    pub engine: Arc<dyn Engine>,
    pub clock: Arc<dyn Clock>,
    namespace: String,
    bell: Arc<Bell>,
    host: Option<LinuxHost>,
}

/// The host that a case gets.
struct Lent<'a>(&'a mut LinuxHost);

impl Bench {
    pub fn new(plan: Plan) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("t-{}-{}-{number}", plan.word, std::process::id());
        let home = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&home).unwrap();
        let layout = Layout::new(home);
        let clock: Arc<dyn Clock> = Arc::new(RealClock::default());
        let engine = (plan.engine)(&layout, Arc::clone(&clock));
        let mut bench = Self {
            layout,
            faults: Arc::default(),
            engine,
            clock,
            namespace: name,
            bell: Arc::default(),
            host: None,
            plan,
        };
        let artefact = bench.plan.artefact;
        bench.provide(artefact);
        bench.host = Some(bench.open().unwrap());
        bench
    }

    pub fn options(&self) -> Options {
        let bell = Arc::clone(&self.bell);
        Options {
            state: self.layout.state().to_owned(),
            net: NetOptions {
                namespace: self.namespace.clone(),
                ranges: Vec::new(),
                resolvers: Resolvers::These(Vec::new()),
            },
            choice: RuntimeChoice::always(self.plan.runtime),
            capacity: Capacity { architecture: Architecture::X86, cores: 8, memory_mb: 8192, disk_gb: 100 },
            cores_max: 4,
            unseal: Arc::new(|sealed| Ok(sealed.0.strip_prefix(SEALED).unwrap_or_default().chars().rev().collect())),
            clock: Arc::clone(&self.clock),
            notify: Arc::new(move || {
                *bell.rung.lock().unwrap() = true;
                bell.rings.notify_all();
            }),
        }
    }

    /// Another process that opens the same.
    pub fn open(&self) -> Result<LinuxHost, HostError> {
        let faulty = Faulty { inner: Arc::clone(&self.engine), faults: Arc::clone(&self.faults) };
        let hooks = Arc::clone(&self.faults) as _;
        LinuxHost::with(self.options(), Parts { engines: vec![Arc::new(faulty)], hooks, network: self.plan.network })
    }

    pub fn close(&mut self) {
        self.host = None;
    }

    pub fn linux(&mut self) -> &mut LinuxHost {
        self.host.as_mut().unwrap()
    }

    fn store(&self) -> ImageStore {
        ImageStore::new(self.layout.images())
    }

    /// Puts the image of this bench into the store under a name.
    fn provide(&self, artefact: &str) {
        let store = self.store();
        let image = ImageStore::new(PathBuf::from("/")).version(&self.plan.image).unwrap();
        let slot = store.begin(artefact).unwrap();
        let copied = Command::new("cp").arg("-a").arg(self.plan.image.join(".")).arg(&slot.path).status().unwrap();
        assert!(copied.success());
        store.commit(slot, &image.manifest).unwrap();
    }

    /// Every file of the state directory that is a memory of the host.
    pub fn memories(&self) -> Vec<(PathBuf, String)> {
        let homes = [self.layout.servers(), self.layout.wishes()].into_iter().flat_map(|path| entries(&path));
        let files =
            homes.flat_map(|home| entries(&home)).filter(|path| path.extension().is_some_and(|is| is == "json"));
        files.filter_map(|path| std::fs::read_to_string(&path).ok().map(|text| (path, text))).collect()
    }

    fn assert_no_secret_rests(&self) {
        for (path, text) in self.memories() {
            assert!(!text.contains(SECRET), "a secret rests in {}: {text}", path.display());
        }
    }

    fn image(&self, artefact: &str) -> Image {
        self.store().find(artefact).unwrap().unwrap()
    }

    fn scrap_network(&self) {
        struct Nobody;
        impl Guests for Nobody {
            fn metadata(&self, _: i64) -> Option<wolke_wire::metadata::Metadata> {
                None
            }
            fn delivered(&self, _: i64) {}
        }
        let net = Net::open(self.options().net, Arc::new(Nobody)).unwrap();
        for server in net.list().unwrap() {
            net.remove(server).unwrap();
        }
        assert!(net.close().unwrap());
    }

    /// Ends what a failed case has left running.
    fn scrap(&self) {
        for home in entries(&self.layout.servers()) {
            let Some(id) = home.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok()) else {
                continue;
            };
            let server = self.layout.server(id);
            let _ = self.engine.stop(&server);
            for disk in entries(&home).into_iter().filter(|path| path.is_dir() && !path.ends_with("run")) {
                let _ = self.engine.release_disk(&server, &disk);
            }
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        *self.faults.effects.lock().unwrap() = None;
        self.host = None;
        self.scrap();
        if self.plan.network {
            self.scrap_network();
        }
        let left = leak::of(self.layout.state(), &self.namespace);
        if !std::thread::panicking() {
            assert!(left.is_empty(), "left on the machine: {left:?}");
        }
        let _ = std::fs::remove_dir_all(self.layout.state());
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default()
}

/// A sealed text that [`Options::unseal`] opens.
pub fn seal(text: &str) -> Secret {
    Secret(format!("{SEALED}{}", text.chars().rev().collect::<String>()))
}

/// The processes that run a guest: those that name its directory, and their children.
fn processes(server: &ServerDir) -> Vec<i32> {
    let name = server.path.to_str().unwrap();
    let all: Vec<i32> =
        entries(Path::new("/proc")).iter().filter_map(|path| path.file_name()?.to_str()?.parse().ok()).collect();
    let reads = |pid: &i32, file: &str| std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    // What runs a container names nothing, but is written down.
    let written = std::fs::read_to_string(server.run().join("pid")).ok().and_then(|pid| pid.trim().parse().ok());
    let names = |pid: &i32| String::from_utf8_lossy(&reads(pid, "cmdline")).contains(&format!("{name}/"));
    let named: Vec<i32> = all.iter().copied().filter(|pid| Some(*pid) == written || names(pid)).collect();
    let children = all.iter().copied().filter(|pid| {
        let stat = String::from_utf8_lossy(&reads(pid, "stat")).into_owned();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        parent.is_some_and(|parent: i32| named.contains(&parent))
    });
    named.iter().copied().chain(children).collect()
}

impl Harness for Bench {
    fn host(&mut self) -> Box<dyn Host + '_> {
        Box::new(Lent(self.linux()))
    }

    fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    fn advance(&mut self, ms: i64) {
        let time = Duration::from_millis(u64::try_from(ms).unwrap());
        let rung = self.bell.rung.lock().unwrap();
        let (mut rung, _) = self.bell.rings.wait_timeout_while(rung, time, |rung| !*rung).unwrap();
        *rung = false;
    }

    fn settle_ms(&self) -> i64 {
        self.plan.settle_ms
    }

    fn keeps_commands(&self) -> bool {
        false
    }

    fn restart(&mut self) {
        self.host = None;
        self.assert_no_secret_rests();
        self.host = Some(self.open().unwrap());
    }

    fn spec(&self) -> ServerSpec {
        let public = PublicNic {
            mac: "96:00:00:00:00:01".into(),
            ipv4: Some([198, 18, 0, 4].into()),
            ipv6: Some(std::net::Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 0, 0, 0, 0)),
        };
        let definition = Definition {
            name: "web-1".into(),
            uuid: "6f1c7f3e-0000-4000-8000-000000000001".into(),
            architecture: Architecture::X86,
            cores: 1,
            memory_mb: self.plan.memory_mb,
            public: self.plan.network.then_some(public),
            region: "eu-central".into(),
            availability_zone: "fsn1-dc14".into(),
        };
        ServerSpec {
            version: SERVER_SPEC_VERSION,
            definition,
            runtime: Some(self.plan.runtime),
            disk_gb: 1,
            image: ImageRef { id: 1, name: self.plan.artefact.into(), own: false },
            rebuild_epoch: 0,
            power: Power::On,
            power_epoch: 1,
            first_boot: FirstBoot { user_data: Some(seal(SECRET)), ..FirstBoot::default() },
            iso: None,
            rescue: None,
            simulation: None,
        }
    }

    fn crash_after(&mut self, operations: Option<u32>) {
        *self.faults.effects.lock().unwrap() = operations;
    }

    fn missing_image(&self) -> ImageRef {
        ImageRef { id: 404, name: LATE.into(), own: false }
    }

    fn iso(&self) -> ImageRef {
        ImageRef { id: 77, name: "debian-12-netinst".into(), own: false }
    }

    fn provide_image(&mut self) {
        self.provide(LATE);
    }

    fn set_disk_full(&mut self, full: bool) {
        self.faults.disk_full.store(full, Ordering::SeqCst);
    }

    fn set_ignores_shutdown(&mut self, ignores: bool) {
        self.faults.ignores_shutdown.store(ignores, Ordering::SeqCst);
    }

    fn set_no_guest_agent(&mut self, none: bool) {
        self.faults.no_agent.store(none, Ordering::SeqCst);
    }

    fn guest_powers_off(&mut self, key: ObjectKey) {
        let server = self.layout.server(key.id);
        // A guest that is still booting has no ear for the button.
        for _ in 0..PRESSES {
            self.engine.press_power(&server).unwrap();
            for _ in 0..LOOKS {
                if self.engine.guest(&server).unwrap() == Guest::Off {
                    return;
                }
                std::thread::park_timeout(Duration::from_millis(200));
            }
        }
        panic!("the guest does not go off");
    }

    fn guest_dies(&mut self, key: ObjectKey) {
        let server = self.layout.server(key.id);
        let guest = fake::guest(&server);
        if guest.exists() {
            return std::fs::write(guest, fake::LOST).unwrap();
        }
        let processes = processes(&server);
        assert!(!processes.is_empty(), "the guest has no processes");
        for pid in processes {
            let pid = rustix::process::Pid::from_raw(pid).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }

    fn plant_stray(&mut self, key: ObjectKey) {
        let server = self.layout.server(key.id);
        let image = self.image(self.plan.artefact);
        let disk = server.path.join("disk-0");
        std::fs::create_dir_all(&disk).unwrap();
        self.engine.fill_disk(&disk, &image, 1).unwrap();
        let version = image.path.strip_prefix(self.layout.images()).unwrap();
        let spec = self.spec();
        let document = serde_json::json!({
            "image": spec.image, "version": version, "size_gb": 1, "epoch": 0, "runtime": self.plan.runtime,
        });
        std::fs::write(disk.join("disk.json"), document.to_string()).unwrap();
        let definition = Definition { public: None, ..spec.definition };
        let boot = Boot { definition: &definition, disk: &disk, image: &image, link: None, metadata: None };
        self.engine.start(&server, &boot).unwrap();
    }
}

mod lent {
    //! A host by reference is a host.

    use super::Lent;
    use wolke_domain::Result;
    use wolke_host::{Artefact, Delta, Digest, Host, HostFacts, ObjectKey, Poll, Report, Resync};
    use wolke_wire::Timestamp;

    impl Host for Lent<'_> {
        fn facts(&self) -> HostFacts {
            self.0.facts()
        }
        fn apply(&mut self, delta: &Delta, now: Timestamp) -> Result<Vec<Report>> {
            self.0.apply(delta, now)
        }
        fn resync(&mut self, whole: &Resync, now: Timestamp) -> Result<Vec<Report>> {
            self.0.resync(whole, now)
        }
        fn digest(&mut self) -> Result<Digest> {
            self.0.digest()
        }
        fn list(&mut self, after: Option<ObjectKey>, limit: usize) -> Result<Vec<Artefact>> {
            self.0.list(after, limit)
        }
        fn look(&mut self, key: ObjectKey, now: Timestamp) -> Result<Vec<Report>> {
            self.0.look(key, now)
        }
        fn poll(&mut self, now: Timestamp) -> Result<Poll> {
            self.0.poll(now)
        }
    }
}
