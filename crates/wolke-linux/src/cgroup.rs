//! Control groups, of version 1, 2 or both at once: found by name, made, emptied, frozen, removed.
//!
//! A container has three of them in every hierarchy, named from its server: `<name>.payload` (the container and its limits),
//! `<name>.monitor` (LXC's process beside it) and `<name>.pivot` (where that process ends). A virtual machine has one,
//! `<name>.machine`. They lie at the root of the hierarchies, so the end of the service that runs us does not touch them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Pid;
use sha2::{Digest, Sha256};
use wolke_domain::clock::Clock;

use crate::engine::Result;
use crate::process::{at, engine, kill, parse, until};

/// How long killed processes take to be gone, under load and with much memory to give back.
const EMPTY_MAX: Duration = Duration::from_secs(60);
/// How long a freezer takes to hold every process.
const FREEZE_MAX: Duration = Duration::from_secs(20);
/// The group of a virtual machine.
const MACHINE: &str = "machine";
/// The groups of a server.
const PARTS: [&str; 4] = ["payload", "monitor", "pivot", MACHINE];
/// The hierarchy of version 1 by which systemd knows what belongs to a service.
const SYSTEMD: &str = "name=systemd";
/// Bytes of the fingerprint of a state directory: two hosts on one machine may have servers of the same id.
const FINGERPRINT: usize = 4;

/// The hierarchies of this machine.
#[derive(Clone, Debug)]
pub(crate) struct Cgroups {
    /// Version 1: controllers (or `name=systemd`) and where they are mounted.
    legacy: Vec<(Vec<String>, PathBuf)>,
    /// Version 2, with the controllers that it carries.
    unified: Option<(PathBuf, Vec<String>)>,
}

impl Cgroups {
    /// Finds what is mounted.
    pub(crate) fn find() -> Result<Self> {
        let path = Path::new("/proc/self/mounts");
        let mounts = fs::read_to_string(path).map_err(at(path, "read"))?;
        let mut found = Self { legacy: Vec::new(), unified: None };
        for line in mounts.lines() {
            let mut fields = line.split(' ').skip(1);
            let (Some(place), Some(kind), Some(options)) = (fields.next(), fields.next(), fields.next()) else {
                continue;
            };
            let place = PathBuf::from(place);
            match kind {
                "cgroup" => found.legacy.push((options.split(',').map(str::to_owned).collect(), place)),
                "cgroup2" if found.unified.is_none() => {
                    let controllers = fs::read_to_string(place.join("cgroup.controllers")).unwrap_or_default();
                    found.unified = Some((place, controllers.split_whitespace().map(str::to_owned).collect()));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// Where a controller of version 1 is mounted.
    pub(crate) fn legacy(&self, controller: &str) -> Option<&Path> {
        let has = |options: &[String]| options.iter().any(|option| option == controller);
        self.legacy.iter().find(|(options, _)| has(options)).map(|(_, place)| place.as_path())
    }

    /// Whether version 2 carries a controller.
    pub(crate) fn unified(&self, controller: &str) -> bool {
        self.unified.as_ref().is_some_and(|(_, controllers)| controllers.iter().any(|has| has == controller))
    }

    fn roots(&self) -> impl Iterator<Item = &Path> {
        self.legacy
            .iter()
            .map(|(_, place)| place)
            .chain(self.unified.iter().map(|(place, _)| place))
            .map(PathBuf::as_path)
    }

    /// Every group of a container that there is, in every hierarchy.
    fn groups<'a>(&'a self, name: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
        let of = move |root: &Path| PARTS.map(|part| root.join(format!("{name}.{part}")));
        self.roots().flat_map(of).filter(|group| group.is_dir())
    }

    /// Whether anything of a container is there.
    pub(crate) fn any(&self, name: &str) -> bool {
        self.groups(name).next().is_some()
    }

    /// Whether a process is LXC's monitor of a container.
    pub(crate) fn is_monitor(pid: Pid, name: &str) -> bool {
        let groups = fs::read_to_string(format!("/proc/{}/cgroup", pid.as_raw_nonzero())).unwrap_or_default();
        let (monitor, pivot) = (format!("/{name}.monitor"), format!("/{name}.pivot"));
        groups.lines().filter_map(|line| line.splitn(3, ':').nth(2)).any(|group| {
            group == monitor || group == pivot || group.strip_prefix(&pivot).is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// Ends every process of a container and removes its groups.
    pub(crate) fn clear(&self, name: &str, clock: &dyn Clock) -> Result<()> {
        self.freeze(name, false, clock)?;
        let gone = until(clock, EMPTY_MAX, || {
            let groups: Vec<_> = self.groups(name).collect();
            let mut processes = BTreeSet::new();
            groups.iter().for_each(|group| collect(group, &mut processes));
            for pid in processes {
                if let Some(pid) = Pid::from_raw(pid) {
                    kill(pid)?;
                }
            }
            groups.iter().for_each(|group| remove(group));
            Ok(!self.any(name))
        })?;
        if gone { Ok(()) } else { Err(engine(format!("the control groups of {name} cannot be removed"))) }
    }

    /// Puts a process with all its threads into the group of a virtual machine, which may have so many bytes of memory where a
    /// controller counts them, or as many as before.
    pub(crate) fn enclose(&self, name: &str, pid: Pid, memory: Option<u64>) -> Result<()> {
        let group = format!("{name}.{MACHINE}");
        let mut places = Vec::new();
        if let Some(root) = self.legacy("memory") {
            places.push((root.join(&group), Some("memory.limit_in_bytes")));
        }
        places.extend(self.legacy(SYSTEMD).map(|root| (root.join(&group), None)));
        if let Some((root, _)) = &self.unified {
            let limit = self.unified("memory").then_some("memory.max");
            if limit.is_some() {
                // Groups have what their parent hands down.
                let path = root.join("cgroup.subtree_control");
                fs::write(&path, "+memory").map_err(at(&path, "written"))?;
            }
            places.push((root.join(&group), limit));
        }
        for (place, limit) in places {
            fs::create_dir_all(&place).map_err(at(&place, "made"))?;
            if let (Some(limit), Some(memory)) = (limit, memory) {
                let path = place.join(limit);
                fs::write(&path, memory.to_string()).map_err(at(&path, "written"))?;
            }
            let path = place.join("cgroup.procs");
            fs::write(&path, pid.as_raw_nonzero().to_string()).map_err(at(&path, "written"))?;
        }
        Ok(())
    }

    /// Stops every process of a container where it stands, or lets them go on. One that does not run has none.
    pub(crate) fn freeze(&self, name: &str, frozen: bool, clock: &dyn Clock) -> Result<()> {
        let Some((group, file, wish)) = self.freezer(name, frozen) else { return Ok(()) };
        let path = group.join(file);
        if let Err(error) = fs::write(&path, wish) {
            // It went away in between.
            return if group.is_dir() { Err(at(&path, "written")(error)) } else { Ok(()) };
        }
        if !frozen {
            return Ok(());
        }
        let held = until(clock, FREEZE_MAX, || Ok(!group.is_dir() || is_frozen(&group)))?;
        if held {
            return Ok(());
        }
        self.freeze(name, false, clock)?;
        Err(engine(format!("the processes of {name} cannot be held")))
    }

    fn freezer(&self, name: &str, frozen: bool) -> Option<(PathBuf, &'static str, &'static str)> {
        let payload = format!("{name}.payload");
        if let Some(root) = self.legacy("freezer") {
            let group = root.join(&payload);
            return group.is_dir().then_some((group, "freezer.state", if frozen { "FROZEN" } else { "THAWED" }));
        }
        let group = self.unified.as_ref().map(|(root, _)| root.join(&payload)).filter(|group| group.is_dir())?;
        Some((group, "cgroup.freeze", if frozen { "1" } else { "0" }))
    }

    /// The file that lets a container go on, and what is written to it.
    pub(crate) fn thaw(&self, name: &str) -> Option<(PathBuf, &'static str)> {
        self.freezer(name, false).map(|(group, file, word)| (group.join(file), word))
    }

    /// Every container whose name starts so goes on: a process that held one may have been killed.
    pub(crate) fn thaw_all(&self, prefix: &str, clock: &dyn Clock) -> Result<()> {
        let unified = self.unified.as_ref().map(|(root, _)| root.as_path());
        let Some(root) = self.legacy("freezer").or(unified) else { return Ok(()) };
        for entry in fs::read_dir(root).map_err(at(root, "read"))?.flatten() {
            let entry = entry.file_name().to_string_lossy().into_owned();
            if let Some(name) = entry.strip_suffix(".payload").filter(|name| name.starts_with(prefix)) {
                self.freeze(name, false, clock)?;
            }
        }
        Ok(())
    }

    /// Where processor time is counted, and the word before the number in that file; version 1 has none, and counts
    /// nanoseconds instead of microseconds.
    pub(crate) fn cpu(&self, name: &str) -> Option<(PathBuf, &'static str, u64)> {
        let payload = format!("{name}.payload");
        if let Some(root) = self.legacy("cpuacct") {
            return Some((root.join(payload).join("cpuacct.usage"), "", NANOS_PER_MS));
        }
        self.unified.as_ref().map(|(root, _)| (root.join(payload).join("cpu.stat"), "usage_usec", MICROS_PER_MS))
    }
}

/// The fingerprint of a state directory.
pub(crate) fn fingerprint(state: &Path) -> String {
    let state = fs::canonicalize(state).unwrap_or_else(|_| state.to_owned());
    let digest = Sha256::digest(state.as_os_str().as_encoded_bytes());
    digest.iter().take(FINGERPRINT).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// With what the names of all control groups of a host begin.
pub(crate) fn prefix(fingerprint: &str) -> String {
    format!("wolke-{fingerprint}")
}

/// Nanoseconds in a millisecond.
const NANOS_PER_MS: u64 = 1_000_000;
/// Microseconds in a millisecond.
const MICROS_PER_MS: u64 = 1_000;

fn is_frozen(group: &Path) -> bool {
    let state = fs::read_to_string(group.join("freezer.state")).unwrap_or_default();
    let events = fs::read_to_string(group.join("cgroup.events")).unwrap_or_default();
    state.trim() == "FROZEN" || events.lines().any(|line| line == "frozen 1")
}

fn children(group: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(group) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

fn collect(group: &Path, processes: &mut BTreeSet<i32>) {
    let listed = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    processes.extend(listed.lines().filter_map(parse).map(|pid| pid.as_raw_nonzero().get()));
    children(group).iter().for_each(|child| collect(child, processes));
}

/// From the leaves to the root; what still holds a process stays for the next look.
fn remove(group: &Path) {
    children(group).iter().for_each(|child| remove(child));
    let _ = fs::remove_dir(group);
}
