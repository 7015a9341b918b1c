//! The namespace: a file under `/run/netns` that outlives this process, its switches, and threads that enter it.
//!
//! A socket stays in the namespace in which it was made, and a thread is in one for itself: so what has to happen inside and
//! is no program is done by a thread that has entered.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use wolke_host::HostError;

use crate::engine::Result;
use crate::program::Program;

/// Where named namespaces lie.
const DIRECTORY: &str = "/run/netns";
/// What `statfs` says of a namespace's file (linux/magic.h).
const NSFS_MAGIC: u64 = 0x6e73_6673;
/// The longest name of a namespace in bytes; no reason but that it is a name.
const NAME_MAX: usize = 64;
/// Where the switches of a thread's own namespace are.
const SYSCTL: &str = "/proc/sys/net";
/// The switches inside, in this order: `forwarding` resets others.
const SWITCHES: [(&str, &str); 15] = [
    ("ipv4/ip_forward", "1"),
    // Sources are checked by the filters, which count what they drop.
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    // The gateway is the same on every link: each answers for its own addresses only.
    ("ipv4/conf/all/arp_ignore", "1"),
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/conf/default/send_redirects", "0"),
    ("ipv4/conf/all/accept_redirects", "0"),
    ("ipv4/conf/default/accept_redirects", "0"),
    ("ipv6/conf/all/forwarding", "1"),
    ("ipv6/conf/default/forwarding", "1"),
    ("ipv6/conf/all/accept_ra", "0"),
    ("ipv6/conf/default/accept_ra", "0"),
    // A link has two ends and no stranger: nobody else can have its addresses.
    ("ipv6/conf/all/accept_dad", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/all/accept_redirects", "0"),
];

/// A named network namespace.
#[derive(Clone, Debug)]
pub(super) struct Space {
    name: String,
    path: PathBuf,
}

impl Space {
    /// Makes the namespace, or adopts it, and sets its switches where they differ.
    pub(super) fn open(name: &str) -> Result<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > NAME_MAX || name.starts_with(['.', '-']) || !name.chars().all(plain) {
            return Err(failed(format!(
                "{name:?} cannot be the name of a network namespace: up to {NAME_MAX} letters, digits, '.', '_' and '-'"
            )));
        }
        let space = Self { name: name.to_owned(), path: Path::new(DIRECTORY).join(name) };
        if !space.exists() {
            // The file without its mount: whoever made it died half way.
            match std::fs::remove_file(&space.path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed(format!("{}: {error}", space.path.display())));
                }
                _ => Program::new("ip").args(["netns", "add", name]).run()?,
            };
        }
        space.inside(set_switches)?;
        space.program("ip").args(["link", "set", "lo", "up"]).run()?;
        Ok(space)
    }

    /// Whether it is there.
    pub(super) fn exists(&self) -> bool {
        // The type of the field differs between architectures.
        rustix::fs::statfs(&self.path).is_ok_and(|found| u64::try_from(found.f_type) == Ok(NSFS_MAGIC))
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A program inside.
    pub(super) fn program(&self, name: &str) -> Program {
        Program::in_namespace(&self.path, name)
    }

    /// The calling thread is inside from now on.
    pub(super) fn enter(&self) -> Result<()> {
        let entered = File::open(&self.path)
            .and_then(|file| Ok(move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?));
        entered.map_err(|error| failed(format!("cannot enter {}: {error}", self.path.display())))
    }

    /// Does something inside, in a thread of its own.
    pub(super) fn inside<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, || {
                self.enter()?;
                work()
            });
            let thread = thread.map_err(|error| failed(format!("cannot start a thread: {error}")))?;
            thread.join().unwrap_or_else(|_| Err(failed(format!("work in {} has panicked", self.path.display()))))
        })
    }

    /// Takes the name away. What is inside goes with the last that uses it.
    pub(super) fn remove(&self) -> Result<()> {
        if self.exists() {
            Program::new("ip").args(["netns", "delete", &self.name]).run()?;
        }
        Ok(())
    }
}

fn set_switches() -> Result<()> {
    for (switch, value) in SWITCHES {
        let path = Path::new(SYSCTL).join(switch);
        let set = std::fs::read_to_string(&path).and_then(|found| {
            // Writing `ip_forward` resets others even when it changes nothing.
            if found.trim() == value { Ok(()) } else { std::fs::write(&path, value) }
        });
        set.map_err(|error| failed(format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

/// The namespace of the calling thread, as a number.
pub(super) fn own() -> Result<u64> {
    let path = "/proc/thread-self/ns/net";
    rustix::fs::stat(path).map(|found| found.st_ino).map_err(|error| failed(format!("{path}: {error}")))
}

pub(super) fn failed(message: impl Into<String>) -> HostError {
    HostError::new(HostError::ENGINE, message)
}
