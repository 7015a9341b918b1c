//! A world of namespaces for one test: outside, the network under test, and guests. Everything goes when it ends, however
//! it ends.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use wolke_host::{HostError, PublicNic};
use wolke_linux::net::{Guests, Net, NetOptions, Resolvers};
use wolke_linux::program::Program;
use wolke_wire::Id;
use wolke_wire::metadata::{Metadata, PublicInterface};

/// Addresses of guests.
pub const RANGE: &str = "198.18.0.0/15";
/// IPv6 addresses of guests.
pub const RANGE6: &str = "2001:db8::/32";
/// How long something may take to become true.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// What these tests need.
const PROGRAMS: [&str; 5] = ["ip", "nft", "nsenter", "busybox", "curl"];
/// Configures a guest as its lease says, and notes what it said.
const SCRIPT: &str = r#"#!/bin/sh
[ "$1" = bound ] || exit 0
env > "$SAID"
ip address add "$ip/32" dev "$interface"
set -- $staticroutes
while [ $# -ge 2 ]; do
    if [ "$2" = 0.0.0.0 ]; then ip route add "$1" dev "$interface"; else ip route add "$1" via "$2" dev "$interface"; fi
    shift 2
done
"#;

/// The public interface of the n-th server.
pub fn nic(server: Id) -> PublicNic {
    let number = u8::try_from(server).unwrap();
    PublicNic {
        mac: format!("96:00:00:00:00:{number:02x}"),
        ipv4: Some(Ipv4Addr::new(198, 18, 0, number)),
        ipv6: Some(Ipv6Addr::new(0x2001, 0xdb8, 0, number.into(), 0, 0, 0, 0)),
    }
}

#[derive(Default)]
struct Known {
    delivered: Mutex<Vec<Id>>,
}

impl Guests for Known {
    fn metadata(&self, server: Id) -> Option<Metadata> {
        let nic = nic(server);
        Some(Metadata {
            instance_id: server,
            hostname: format!("guest-{server}"),
            availability_zone: "local-dc1".into(),
            region: "local".into(),
            public: Some(PublicInterface { mac: nic.mac, ipv4: nic.ipv4, ipv6: nic.ipv6 }),
            public_keys: vec!["ssh-ed25519 AAAA someone".into()],
            private_networks: Vec::new(),
            user_data: Some(format!("#!/bin/sh\n# \u{fc}\t\r\n\0{}", "x".repeat(30_000))),
            root_password_hash: Some("$6$salt$hash".into()),
        })
    }

    fn delivered(&self, server: Id) {
        self.delivered.lock().unwrap().push(server);
    }
}

/// Namespaces of one test.
pub struct World {
    outer: String,
    inner: String,
    guests: Mutex<Vec<String>>,
    directory: PathBuf,
    known: Arc<Known>,
}

impl World {
    /// Runs a test in a thread in its own world, unless this machine cannot.
    pub fn run(test: &str, body: impl FnOnce(&World) + Send) {
        if let Some(missing) = missing() {
            return skip(test, &missing);
        }
        let name = format!("t-net-{}-{test}", std::process::id());
        let directory = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&directory).unwrap();
        let outer = format!("{name}-o");
        Program::new("ip").args(["netns", "add", &outer]).run().unwrap();
        let world = World { outer, inner: name, guests: Mutex::default(), directory, known: Arc::default() };
        let path = path(&world.outer);
        std::thread::scope(|scope| {
            let run = || {
                enter(&path);
                world.program("ip").args(["link", "set", "lo", "up"]).run().unwrap();
                body(&world);
            };
            let thread = std::thread::Builder::new().name(test.into()).spawn_scoped(scope, run).unwrap();
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        });
    }

    pub fn open(&self, ranges: &[&str]) -> Net {
        self.try_open(ranges).unwrap()
    }

    pub fn try_open(&self, ranges: &[&str]) -> Result<Net, HostError> {
        self.open_with(ranges, Resolvers::These(Vec::new()))
    }

    pub fn open_with(&self, ranges: &[&str], resolvers: Resolvers) -> Result<Net, HostError> {
        let ranges = ranges.iter().map(|&range| range.to_owned()).collect();
        let options = NetOptions { namespace: self.inner.clone(), ranges, resolvers };
        Net::open(options, Arc::clone(&self.known) as Arc<dyn Guests>)
    }

    /// A file of this test.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Gives the peer of a server's link to a guest of its own.
    pub fn guest(&self, server: Id) -> Guest {
        let name = format!("{}-{server}", self.inner);
        Program::new("ip").args(["netns", "add", &name]).run().unwrap();
        self.guests.lock().unwrap().push(name.clone());
        let device = format!("wkp{server}");
        self.inside("ip").args(["link", "set", &device, "netns", &name]).run().unwrap();
        let guest = Guest { server, namespace: path(&name), device, directory: self.directory.clone() };
        guest.program("ip").args(["link", "set", "lo", "up"]).run().unwrap();
        guest.program("ip").args(["link", "set", &guest.device, "up"]).run().unwrap();
        guest
    }

    /// Ends every guest, as when a container is killed: its devices end with its namespace.
    pub fn end_guests(&self) {
        for name in self.guests.lock().unwrap().drain(..) {
            Program::new("ip").args(["netns", "delete", &name]).run().unwrap();
        }
    }

    /// The file of the world outside, for threads of the test.
    pub fn outer(&self) -> PathBuf {
        path(&self.outer)
    }

    pub fn metadata(&self, server: Id) -> Metadata {
        self.known.metadata(server).unwrap()
    }

    pub fn delivered(&self) -> Vec<Id> {
        self.known.delivered.lock().unwrap().clone()
    }

    /// A program in the world outside.
    #[expect(clippy::unused_self, reason = "the thread of the test is in it")]
    pub fn program(&self, name: &str) -> Program {
        Program::new(name)
    }

    /// One echo from an address, asked for in the world outside.
    pub fn pings(&self, to: &str) -> Result<String, HostError> {
        self.program("busybox").args(["ping", "-c1", "-W10", to]).run()
    }

    /// A program in the network under test.
    pub fn inside(&self, name: &str) -> Program {
        Program::in_namespace(&path(&self.inner), name)
    }

    /// The network under test knows the hardware address of nobody. Neighbours that come and go make `ip` fail.
    pub fn forget_neighbours(&self) {
        for family in ["-4", "-6"] {
            let flush = || self.inside("ip").args([family, "neigh", "flush", "all"]).succeeds().unwrap();
            self.until("neighbours are forgotten", flush);
        }
    }

    pub fn has_namespace(&self) -> bool {
        path(&self.inner).exists()
    }

    /// A counter of the filters.
    pub fn counter(&self, name: &str) -> u64 {
        self.counter_of("inet", name)
    }

    /// A counter of the filters of a family.
    pub fn counter_of(&self, family: &str, name: &str) -> u64 {
        let text = self.inside("nft").args(["list", "counter", family, "wolke", name]).run().unwrap();
        let (_, after) = text.split_once("packets ").unwrap();
        after.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Everything in the namespace that has a state, but counters and what sets in and fades by itself.
    pub fn state(&self) -> String {
        let lines = ["-details link", "address", "route show table all", "-6 route show table all"];
        let shown = lines.iter().map(|line| self.inside("ip").args(["-oneline"]).args(line.split(' ')).run().unwrap());
        let state: String = shown.collect();
        // Without what links have done lately.
        let rules = self.inside("nft").args(["-s", "-t", "list", "ruleset"]).run().unwrap();
        let sets = ["inet wolke source4", "inet wolke source6", "arp wolke source4"];
        let sets = sets.map(|set| self.inside("nft").args(["list", "set"]).args(set.split(' ')).run().unwrap());
        lasting(&state) + &rules + &sets.concat() + &self.outside()
    }

    /// Devices, addresses and routes in the world outside, but its loopback device.
    pub fn outside(&self) -> String {
        let lines = ["link", "address", "route show table all", "-6 route show table all"];
        let shown: String =
            lines.iter().map(|line| Program::new("ip").arg("-oneline").args(line.split(' ')).run().unwrap()).collect();
        let own = |line: &&str| !line.contains(" lo") && !line.contains("anycast") && !line.contains("multicast");
        lasting(&shown).lines().filter(own).map(|line| format!("{line}\n")).collect()
    }

    /// Whom the network under test has for neighbours on a link, or looks for, in lines.
    pub fn neighbours(&self, device: &str) -> Vec<String> {
        let shown =
            |family| self.inside("ip").args([family, "neigh", "show", "nud", "all", "dev", device]).run().unwrap();
        ["-4", "-6"].map(shown).concat().lines().filter(|line| !line.contains("NOARP")).map(str::to_owned).collect()
    }

    /// How many connections the network under test tracks.
    pub fn connections(&self) -> usize {
        let count = || std::fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_count").unwrap();
        within(&path(&self.inner), count).trim().parse().unwrap()
    }

    /// Sockets in the network under test.
    pub fn sockets(&self) -> usize {
        let read = |kind: &str| std::fs::read_to_string(format!("/proc/thread-self/net/{kind}")).unwrap();
        let text = within(&path(&self.inner), || ["udp", "tcp"].map(read));
        text.iter().map(|text| text.lines().count() - 1).sum()
    }

    /// No thread and no socket of the network is left.
    pub fn nothing_runs(&self) {
        let own = std::fs::metadata(path(&self.inner)).map(|found| std::os::unix::fs::MetadataExt::ino(&found)).ok();
        let threads = std::fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok).filter(|task| {
            let space =
                std::fs::metadata(task.path().join("ns/net")).map(|found| std::os::unix::fs::MetadataExt::ino(&found));
            own.is_some() && space.ok() == own
        });
        assert_eq!(threads.count(), 0);
        if self.has_namespace() {
            assert_eq!(self.sockets(), 0);
        }
    }

    /// Waits until something is true.
    #[expect(clippy::unused_self, reason = "reads well")]
    pub fn until(&self, what: &str, is: impl FnMut() -> bool) {
        until(what, is);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let guests = self.guests.get_mut().unwrap();
        for name in guests.iter().chain([&self.inner, &self.outer]) {
            if path(name).exists() {
                let _ = Program::new("ip").args(["netns", "delete", name]).run();
            }
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[expect(clippy::disallowed_methods, reason = "these tests run real programs in real time")]
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "not in time: {what}");
        let _ = never.recv_timeout(LOOK_AGAIN);
    }
}

/// Without what follows the carrier, which the kernel looks at when it has time: flags, states, and routes of its own.
fn lasting(shown: &str) -> String {
    let lines = shown.lines().filter(|line| !line.contains("table local"));
    let line = |line: &str| {
        let flags = line.find('<').zip(line.find('>'));
        let line = flags.map_or(line.to_owned(), |(from, to)| format!("{}{}", &line[..from], &line[to + 1..]));
        let line = line.replace(" linkdown", "");
        ["UP", "DOWN", "LOWERLAYERDOWN"].iter().fold(line, |line, state| line.replace(&format!(" state {state} "), " "))
            + "\n"
    };
    lines.map(line).collect()
}

/// A guest: a namespace with the peer of a link in it.
pub struct Guest {
    server: Id,
    namespace: PathBuf,
    device: String,
    directory: PathBuf,
}

impl Guest {
    pub fn program(&self, name: &str) -> Program {
        Program::in_namespace(&self.namespace, name)
    }

    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        within(&self.namespace, work)
    }

    /// Whether an address sends an echo.
    pub fn pings(&self, to: &str) -> bool {
        self.program("busybox").args(["ping", "-c1", "-W10", to]).succeeds().unwrap()
    }

    /// Asks for a lease and uses it; what the client was told.
    pub fn lease(&self) -> BTreeMap<String, String> {
        use std::os::unix::fs::PermissionsExt;
        self.flush();
        let (script, said) = (self.directory.join(format!("{}.sh", self.server)), self.directory.join("said"));
        std::fs::write(&script, SCRIPT).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let client = self.program("env").arg(format!("SAID={}", said.display())).args(["busybox", "udhcpc", "-i"]);
        let client =
            client.arg(&self.device).args(["-f", "-q", "-n", "-t", "10", "-T", "2", "-O", "staticroutes", "-s"]);
        client.arg(&script).run().unwrap();
        let text = std::fs::read_to_string(&said).unwrap();
        text.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect()
    }

    /// Forgets its IPv4 addresses.
    pub fn flush(&self) {
        self.program("ip").args(["-4", "address", "flush", "dev", &self.device]).run().unwrap();
    }

    /// Takes the first address of its IPv6 network.
    pub fn address6(&self) {
        self.take6(&format!("2001:db8:0:{}::1", self.server), 64);
        self.program("ip").args(["route", "add", "default", "via", "fe80::1", "dev", &self.device]).run().unwrap();
    }

    /// Takes an address that is not its own; whether it is IPv6.
    pub fn add_address(&self, address: IpAddr) -> bool {
        let address = match address {
            IpAddr::V4(four) => four,
            IpAddr::V6(six) => {
                self.take6(&six.to_string(), 128);
                return true;
            }
        };
        self.program("ip").args(["address", "add", &address.to_string(), "dev", &self.device]).run().unwrap();
        false
    }

    /// Has an IPv6 address. The kernel listens for its neighbours and takes packets to it only some time after `ip` has
    /// returned, in a thread that has to wait for all others that change networks; until then they are lost.
    fn take6(&self, address: &str, prefix: u8) {
        let add = ["address", "add", &format!("{address}/{prefix}"), "dev", &self.device, "nodad"];
        self.program("ip").args(add).run().unwrap();
        let taken = || {
            let table = ["-6", "-oneline", "route", "show", "table", "local", "dev", &self.device];
            let routes = self.program("ip").args(table).run().unwrap();
            routes.lines().any(|line| line.starts_with(&format!("local {address} ")))
        };
        until("the kernel takes packets to an address", taken);
    }

    /// Asks the metadata service.
    pub fn curl(&self, path: &str) -> Result<Vec<u8>, HostError> {
        let url = format!("http://169.254.169.254/hetzner/v1/{path}");
        let text = self.program("curl").args(["--fail", "--silent", "--show-error", "--max-time", "30", &url]).run();
        text.map(String::into_bytes)
    }
}

#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "a skipped test says so, and in CI it fails")]
fn skip(test: &str, missing: &str) {
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "{test} needs {missing}");
    eprintln!("SKIPPED {test}: it needs {missing}");
}

fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("root".into());
    }
    let there = |program: &&str| {
        ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|at| Path::new(at).join(program).exists())
    };
    PROGRAMS.iter().find(|program| !there(program)).map(|program| format!("the program {program}"))
}

fn path(namespace: &str) -> PathBuf {
    Path::new("/run/netns").join(namespace)
}

/// The calling thread is in a namespace from now on.
pub fn enter(namespace: &Path) {
    let file = File::open(namespace).unwrap();
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
}

fn within<T: Send>(namespace: &Path, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            enter(namespace);
            work()
        });
        thread.join().unwrap()
    })
}
