//! What is on the machine beside files: processes, links, routes, filters, namespaces, mounts, loop devices, cgroups. Taken
//! before and after, it tells what a test has left behind.
//!
//! The whole machine is compared, not what bears our names: what is leaked under another name is a leak, too.

use crate::wait::wait_for;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long the kernel may take to tear down what has no owner any more: namespaces and cgroups go in the background.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);
/// The flag of a kernel thread in `/proc/PID/stat`.
const KERNEL_THREAD: u64 = 0x0020_0000;
/// What asks the kernel about the network of the namespace that the test runs in.
const ASKED: [&[&str]; 7] = [
    &["ip", "-br", "link"],
    &["ip", "-br", "address"],
    &["ip", "-4", "route", "show", "table", "all"],
    &["ip", "-6", "route", "show", "table", "all"],
    &["ip", "-4", "rule"],
    &["ip", "-6", "rule"],
    &["nft", "list", "ruleset"],
];
/// Settings that concern the machine as a whole.
const SETTINGS: [&str; 6] = [
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv6/conf/all/forwarding",
    "/proc/sys/net/ipv4/conf/all/rp_filter",
    "/proc/sys/net/ipv4/conf/default/rp_filter",
    "/proc/sys/net/ipv4/conf/all/proxy_arp",
    "/proc/sys/net/ipv6/conf/all/proxy_ndp",
];
/// Where programs that run guests keep files outside the data directory.
const FOLDERS: [&str; 8] =
    ["/run/netns", "/run/lxc", "/run/lock/lxc", "/run/wolke", "/var/lib/lxc", "/var/log/lxc", "/etc/lxc", "/dev/shm"];
/// Words in the command lines of what runs or serves guests, and in the names of their control groups.
const ENGINES: [&str; 4] = ["wolke", "qemu", "lxc", "nsenter"];
/// From here on user ids are those of containers.
const CONTAINERS_FROM: u32 = 1_000_000_000;
/// The depth to which these are looked into.
const DEPTH: u32 = 6;

/// What there is, as lines for people.
pub struct Machine {
    processes: Vec<Process>,
    rest: BTreeSet<String>,
}

#[derive(Clone, PartialEq, Eq)]
struct Process {
    id: u64,
    parent: u64,
    /// In clock ticks since the machine was started: ids are used again.
    started: u64,
    command: String,
}

/// Programs that have our names in their command lines, and that run beside a test because somebody builds.
const BUILDERS: [&str; 4] = ["cargo", "rustc", "rustdoc", "clippy-driver"];

/// Whether a process may belong to a host of ours: people and other programs of the machine go on with their own work.
fn is_of_a_host(process: &Process) -> bool {
    let program = process.command.split_whitespace().next().unwrap_or_default();
    if program.rsplit('/').next().is_some_and(|name| BUILDERS.contains(&name)) {
        return false;
    }
    let user = std::fs::metadata(format!("/proc/{}", process.id)).map(|process| process.uid());
    ENGINES.iter().any(|name| process.command.contains(name)) || user.is_ok_and(|user| user >= CONTAINERS_FROM)
}

impl Machine {
    /// What there is now.
    pub fn now() -> Self {
        let mut rest = BTreeSet::new();
        for asked in ASKED {
            for line in said_by(asked).lines().filter(|line| !line.trim().is_empty()) {
                rest.insert(format!("{}: {}", asked.join(" "), without_time(line)));
            }
        }
        for setting in SETTINGS {
            let value = std::fs::read_to_string(setting).unwrap_or_default();
            rest.insert(format!("{setting} is {}", value.trim()));
        }
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        rest.extend(mounts.lines().filter_map(mount));
        rest.extend(loops());
        folders(Path::new("/sys/fs/cgroup"), u32::MAX, &mut |path, is_folder| {
            let name = path.to_string_lossy();
            // Others start and end programs, too.
            if is_folder && ENGINES.iter().any(|engine| name.contains(engine)) {
                rest.insert(format!("cgroup {name}"));
            }
        });
        for folder in FOLDERS {
            folders(Path::new(folder), DEPTH, &mut |path, _| {
                rest.insert(format!("file {}", path.display()));
            });
        }
        Machine { processes: processes(), rest }
    }

    /// What has appeared or gone since; empty when nothing has.
    pub fn differences(&self) -> Vec<String> {
        let now = Machine::now();
        let appeared = now.rest.difference(&self.rest).map(|line| format!("appeared: {line}"));
        let gone = self.rest.difference(&now.rest).map(|line| format!("gone: {line}"));
        let processes = self.daemons_among(&now.processes).into_iter().filter(is_of_a_host);
        let processes = processes.map(|process| format!("appeared: process {}: {}", process.id, process.command));
        appeared.chain(gone).chain(processes).collect()
    }

    /// Asserts that the machine is what it was. What goes in the background has time to go.
    ///
    /// # Panics
    /// When something is left, with what it is.
    pub fn expect_same(&self) {
        if wait_for(SETTLE_LIMIT, || self.differences().is_empty().then_some(())).is_none() {
            panic!("the machine is not what it was:\n{}", self.differences().join("\n"));
        }
    }

    /// Processes that were not there before, except those of others: what descends from a process that was there before
    /// and that is not above us is somebody else's business, as is what our parent runs beside us.
    fn daemons_among(&self, now: &[Process]) -> Vec<Process> {
        let was_there = |process: &Process| self.processes.contains(process);
        let find = |id: u64| now.iter().find(|process| process.id == id);
        let above = |id: u64| std::iter::successors(find(id), |process| find(process.parent));
        let ours: BTreeSet<u64> = above(u64::from(std::process::id())).map(|process| process.id).collect();
        let of_others = |process: &&Process| {
            above(process.parent).find(|above| was_there(above)).is_some_and(|above| !ours.contains(&above.id))
        };
        let me = find(u64::from(std::process::id()));
        let beside = |process: &&Process| {
            let is_sibling = |above: &Process| me.is_some_and(|me| above.parent == me.parent && above.id != me.id);
            me.is_some_and(|me| me.parent > 1) && above(process.id).any(is_sibling)
        };
        let is_ours = |process: &&Process| !was_there(process) && !of_others(process) && !beside(process);
        now.iter().filter(is_ours).cloned().collect()
    }
}

/// Every process that is a program, and no zombie.
fn processes() -> Vec<Process> {
    let numbers = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter_map(process).collect()
}

fn process(id: u64) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in brackets may hold anything: what follows the last bracket is fields 3 and up.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let (state, parent, flags, started) = (fields.first()?, number(4)?, number(9)?, number(22)?);
    if flags & KERNEL_THREAD != 0 || *state == "Z" {
        return None;
    }
    let command = std::fs::read(format!("/proc/{id}/cmdline")).ok()?;
    let command = String::from_utf8_lossy(&command).replace('\0', " ").trim().to_owned();
    Some(Process { id, parent, started, command })
}

/// What a program says; nothing when it is not there, because what it lists is not there either.
fn said_by(words: &[&str]) -> String {
    let output = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// A route without the time that it has left, and without what a counter has counted.
fn without_time(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let skipped = |at: usize| {
        let is = |at: usize, names: &[&str]| words.get(at).is_some_and(|word| names.contains(word));
        is(at, &["expires"]) || at > 0 && is(at - 1, &["expires", "packets", "bytes"])
    };
    (0..words.len()).filter(|at| !skipped(*at)).map(|at| words[at]).collect::<Vec<_>>().join(" ")
}

/// Where what is mounted.
fn mount(line: &str) -> Option<String> {
    let (place, what) = line.split_once(" - ")?;
    let place = place.split(' ').nth(4)?;
    let mut what = what.split(' ');
    Some(format!("mount {place}: {} of {}", what.next()?, what.next()?))
}

/// Loop devices that stand on a file.
fn loops() -> impl Iterator<Item = String> {
    let devices = std::fs::read_dir("/sys/block").into_iter().flatten().flatten();
    devices.filter_map(|device| {
        let file = std::fs::read_to_string(device.path().join("loop/backing_file")).ok()?;
        Some(format!("{}: {}", device.file_name().to_string_lossy(), file.trim()))
    })
}

/// Visits everything below a folder.
fn folders(folder: &Path, depth: u32, visit: &mut dyn FnMut(&Path, bool)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        visit(&entry.path(), is_folder);
        if is_folder && depth > 1 {
            folders(&entry.path(), depth - 1, visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Machine, mount, without_time};
    use crate::wait::wait_for;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    #[test]
    fn a_daemon_is_seen_and_seen_gone() {
        let before = Machine::now();
        // Children of ours: whatever runs guests and was not stopped is a leak; other programs are not our business.
        let start = |name: &str| Command::new("sleep").arg0(name).arg("4711").stdin(Stdio::null()).spawn().unwrap();
        let mut children = [start("lxc-of-a-test"), start("program-of-a-test")];
        let is_seen = |name: &str| before.differences().iter().any(|line| line.ends_with(&format!(": {name} 4711")));
        // A program that has just been started has no command line for a moment.
        let seen = wait_for(Duration::from_secs(20), || is_seen("lxc-of-a-test").then_some(()));
        assert!(seen.is_some(), "{:?}", before.differences());
        assert!(!is_seen("program-of-a-test"), "{:?}", before.differences());
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert!(!is_seen("lxc-of-a-test"));
    }

    #[test]
    fn lines_are_without_what_changes_by_itself() {
        assert_eq!(
            without_time("default via fe80::1 dev eth0 expires 1790sec pref medium"),
            "default via fe80::1 dev eth0 pref medium"
        );
        assert_eq!(without_time("counter packets 3 bytes 180 drop"), "counter packets bytes drop");
        let line = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        assert_eq!(mount(line).as_deref(), Some("mount /mnt2: ext3 of /dev/root"));
    }
}
