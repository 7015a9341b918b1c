//! Opening a host: whose it is, what lies there, and the threads that work on it.
//!
//! **Invariant:** one process per state directory and per network namespace; both locks go with the process, however it
//! ends.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use rustix::fs::{FlockOperation, flock};
use wolke_host::{HostError, ObjectKey, ObjectKind};

use super::core::Core;
use super::registry::{Registry, recall};
use super::{Hooks, Options, file, identity};
use crate::engine::{Engine, Result};
use crate::layout::{Layout, STATE_MAX};
use crate::net::{Guests, Net};

/// Threads that bring objects to what is desired: a start waits for programs, not for a processor.
const WORKERS: usize = 8;
/// Threads that talk to guest agents, which may not answer.
const AGENTS: usize = 4;
/// Threads that copy disks, which keep processors and disks busy.
const SNAPSHOTS: usize = 2;

/// Where processes say that they use a network namespace: its name is known to the whole machine.
const RUN: &str = "/run/wolke";

/// How often a lock is tried for whose file goes in that moment.
const LOCK_TRIES: usize = 10;

/// What keeps others away for as long as it lives.
pub(super) struct Locks {
    _state: Lock,
    _namespace: Option<Lock>,
}

/// One of them: a file that is locked while it is there.
struct Lock {
    path: PathBuf,
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Who waits for this file finds that it is not the one of that name any more. A directory that is not empty stays.
        let _ = std::fs::remove_file(&self.path);
        if let Some(directory) = self.path.parent().filter(|directory| *directory == Path::new(RUN)) {
            let _ = std::fs::remove_dir(directory);
        }
        // Not by closing it: a program that is just being started may hold the file for a moment longer.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// A host in its parts.
pub(super) struct Opened {
    pub(super) core: Arc<Core>,
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) locks: Locks,
}

/// Engines adopt what runs, so they are made when nobody else has it.
pub(super) fn open(
    options: Options,
    hooks: Arc<dyn Hooks>,
    network: bool,
    engines: impl FnOnce(&Options) -> Result<Vec<Arc<dyn Engine>>>,
) -> Result<Opened> {
    let length = options.state.as_os_str().len();
    if length > STATE_MAX {
        let why =
            format!("the state directory's path has {length} bytes, and sockets below it leave room for {STATE_MAX}");
        return Err(HostError::new(HostError::UNSUPPORTED, why));
    }
    if !options.state.is_absolute() {
        return Err(HostError::new(HostError::UNSUPPORTED, "the state directory's path has to be absolute"));
    }
    let layout = Layout::new(options.state.clone());
    for directory in [layout.state().to_owned(), layout.images(), layout.servers(), layout.wishes()] {
        file::directory(&directory)?;
    }
    let locks = lock(&layout, &options, network)?;
    let identity = identity::ensure(&layout)?;
    let engines = engines(&options)?;
    let registry = Arc::new(Registry::new(layout.clone(), Arc::clone(&options.unseal)));
    discover(&registry, &layout)?;
    let guests: Arc<dyn Guests> = Arc::clone(&registry) as _;
    let net = network.then(|| Net::open(options.net.clone(), guests)).transpose()?;
    if let Some(net) = &net {
        for id in net.list()? {
            registry.ensure(ObjectKey::server(id)).lock().link = true;
        }
    }
    let core = Arc::new(Core::new((options, identity), (engines, hooks), net, registry));
    core.sweep();
    for entry in core.registry.all() {
        core.refresh(&entry);
        core.work.push(entry.key);
    }
    let threads = threads(&core)?;
    Ok(Opened { core, threads, locks })
}

fn lock(layout: &Layout, options: &Options, network: bool) -> Result<Locks> {
    let state = hold(&layout.lock(), "the state directory")?;
    let namespace = if network {
        let path = Path::new(RUN).join(format!("{}.lock", options.net.namespace));
        Some(hold(&path, "the network namespace")?)
    } else {
        None
    };
    Ok(Locks { _state: state, _namespace: namespace })
}

/// Locks the file of this name.
fn hold(path: &Path, what: &str) -> Result<Lock> {
    for _ in 0..LOCK_TRIES {
        if let Some(directory) = path.parent() {
            file::directory(directory)?;
        }
        let open = File::options().create(true).truncate(false).write(true).open(path);
        let mut file = match open {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(file::failed("opened", path, &error)),
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let holder = std::fs::read_to_string(path).unwrap_or_default();
                let holder = holder.trim();
                let why = format!("{what} is used by another process ({}, locked by process {holder})", path.display());
                return Err(HostError::new(HostError::ENGINE, why));
            }
            Err(error) => return Err(file::failed("locked", path, &error.into())),
        }
        // Its holder may have removed it in between: then it keeps nobody away.
        let same = |held: &std::fs::Metadata, named: &std::fs::Metadata| held.ino() == named.ino();
        if file.metadata().is_ok_and(|held| std::fs::metadata(path).is_ok_and(|named| same(&held, &named))) {
            // For whoever finds it locked; nothing depends on it.
            let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
            return Ok(Lock { path: path.to_owned(), file });
        }
    }
    Err(HostError::new(HostError::ENGINE, format!("{} comes and goes and cannot be locked", path.display())))
}

/// Loads what is remembered, and what lies there without being remembered.
fn discover(registry: &Registry, layout: &Layout) -> Result<()> {
    let servers = file::names(&layout.servers())?.into_iter().filter_map(|name| {
        let id = name.parse().ok().filter(|id| *id > 0)?;
        (layout.server(id).path.file_name()?.to_str()? == name).then_some(ObjectKey::server(id))
    });
    let images = file::names(&layout.wishes())?.into_iter();
    let images = images.filter_map(|name| ObjectKey::parse(&name).filter(|key| key.kind == ObjectKind::Image));
    for key in servers.chain(images) {
        recall(&mut registry.ensure(key).lock())?;
    }
    Ok(())
}

fn threads(core: &Arc<Core>) -> Result<Vec<JoinHandle<()>>> {
    let mut threads = Vec::new();
    let mut spawn = |name: &str, body: fn(&Core)| -> Result<()> {
        let core = Arc::clone(core);
        let thread = Builder::new().name(name.into()).spawn(move || body(&core));
        let failed = |error| HostError::new(HostError::ENGINE, format!("a thread cannot be started: {error}"));
        thread.map(|thread| threads.push(thread)).map_err(failed)
    };
    for _ in 0..WORKERS {
        spawn("host-worker", Core::serve)?;
    }
    for _ in 0..AGENTS {
        spawn("host-agent", Core::serve_agents)?;
    }
    for _ in 0..SNAPSHOTS {
        spawn("host-snapshot", Core::serve_snapshots)?;
    }
    spawn("host-supervisor", Core::supervise)?;
    Ok(threads)
}
