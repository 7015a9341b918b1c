//! Real servers: this machine as the host of a location.

use crate::command::image;
use crate::config::{Linux, Settings};
use crate::directory::Directory;
use crate::failure::{Failure, Result};
use crate::installation::Installation;
use std::path::Path;
use std::sync::Arc;
use wolke_control::driver::{self, Claim, Driver, Parts, Running};
use wolke_control::operator::NewImage;
use wolke_domain::address::{DEFAULT_IPV4_POOLS, DEFAULT_IPV6_POOLS};
use wolke_domain::clock::ClockMode;
use wolke_host::{Architecture, Capacity, Host as _, Runtime};
use wolke_linux::host::identity::{self, Signs};
use wolke_linux::host::{LinuxHost, Options};
use wolke_linux::image::ImageStore;
use wolke_linux::net::NetOptions;
use wolke_store::{Race, clock, driven};
use wolke_wire::cloud::image::ImageType;
use wolke_wire::{Id, IdOrName};

/// Virtual CPUs that are handed out for each processor: most servers idle.
const CORES_OVERCOMMIT: u32 = 8;
/// Memory that is kept for the machine itself, in MiB: a part of all, and not less than the least.
const MEMORY_RESERVE_SHARE: u64 = 8;
const MEMORY_RESERVE_LEAST_MB: u64 = 1024;
/// Disk space is handed out so many times over: disks take what is written, not what they may grow to.
const DISK_OVERCOMMIT: u64 = 10;
/// How far world time may be from real time in a world with real servers, in milliseconds.
const CLOCK_APART_MS_MAX: i64 = 60_000;

/// Makes a location real if that is wished, and says so in a few words. Without the wish, hosts that were driven once are
/// known to be away.
///
/// # Errors
/// When the machine cannot be a host: what is missing, a location that does not exist, a clock that is not the wall's.
pub async fn begin(
    settings: &Settings,
    directory: &Directory,
    installation: &mut Installation,
) -> Result<Option<String>> {
    let Some(linux) = &settings.linux else {
        without(installation).await?;
        return Ok(None);
    };
    let location = location(installation, &linux.location)?;
    check_clock(installation, &linux.location).await?;
    let state = directory.path().join("linux");
    let name = linux.name.clone().unwrap_or_else(machine_name);
    let options = options(linux, &state, installation)?;
    let (db, core) = (Arc::clone(&installation.db), Arc::clone(&installation.core));
    let (clock, nudge) = (Arc::clone(&installation.clock), installation.nudge.clone());
    // Adopting what is there takes its time.
    let started = tokio::task::spawn_blocking(move || {
        let unfit = |e: wolke_host::HostError| Failure::new(format!("this machine cannot be a host: {e}"));
        let place = options.state.display().to_string();
        // Before anything begins to work there: whose servers are these?
        let Signs { identity, holds } = identity::signs(&options.state).map_err(unfit)?;
        let identity = identity.unwrap_or_default();
        let claim = Claim { location, name: name.clone(), identity, holds, place: place.clone() };
        driver::check(&db, &core, claim)?;
        let host = LinuxHost::open(options).map_err(unfit)?;
        let runtimes = host.facts().runtimes;
        let driver = Driver::new(Parts { db, core, clock, host: Box::new(host), location, name, place });
        Ok::<_, Failure>((Running::start(driver, nudge)?, runtimes))
    });
    let (driver, runtimes) = started.await.map_err(|e| Failure::new(format!("the host has failed: {e}")))??;
    installation.driver = Some(driver);
    order_images(settings, installation).await?;
    let words: Vec<&str> = runtimes.iter().map(|runtime| runtime.as_str()).collect();
    tracing::info!(location = linux.location, runtimes = words.join(", "), "servers of this location are real");
    Ok(Some(format!("servers in {} are real: {}", linux.location, described(linux))))
}

/// Whether this machine can do what is asked of it. Looks, and changes nothing.
///
/// # Errors
/// What is missing, and the command that installs it.
pub fn check(settings: &Settings) -> Result<()> {
    let Some(linux) = &settings.linux else { return Ok(()) };
    wolke_linux::doctor::require(&linux.choice, &image::layout(settings))
        .map_err(|why| Failure::new(format!("--host linux: {why}")))
}

/// Images that were built or added before there was a catalogue get their entries.
async fn order_images(settings: &Settings, installation: &Installation) -> Result<()> {
    let failed = |error: wolke_host::HostError| Failure::new(error.message);
    let store = ImageStore::new(image::layout(settings).images());
    for found in store.list().map_err(failed)? {
        let known = installation.core.catalogue().images.iter().any(|image| image.name == found.artefact);
        if known || wolke_host::ObjectKey::parse(&found.artefact).is_some() {
            continue;
        }
        let manifest = &found.manifest;
        let architecture = match manifest.architecture {
            Architecture::X86 => wolke_wire::cloud::Architecture::X86,
            Architecture::Arm => wolke_wire::cloud::Architecture::Arm,
        };
        let new = NewImage {
            kind: ImageType::System,
            name: found.artefact.clone(),
            description: found.artefact.clone(),
            os_flavor: image::UNKNOWN.into(),
            os_version: image::UNKNOWN.into(),
            architectures: vec![architecture],
            disk_size: manifest.min_disk_gb,
        };
        installation.control.add_image(new).await?;
        store.set_listed(&found.artefact, true).map_err(failed)?;
        tracing::info!(image = found.artefact, "the image can be ordered now");
    }
    Ok(())
}

/// `container for shared, machine for dedicated processors`.
fn described(linux: &Linux) -> String {
    let (shared, dedicated) = (linux.choice.shared, linux.choice.dedicated);
    if shared == dedicated {
        return plural(shared).to_owned();
    }
    format!("{} on shared, {} on dedicated processors", plural(shared), plural(dedicated))
}

const fn plural(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Simulated => "simulated",
        Runtime::Container => "containers",
        Runtime::Machine => "virtual machines",
    }
}

fn location(installation: &Installation, name: &str) -> Result<Id> {
    let catalogue = installation.core.catalogue();
    let found = catalogue.location(&IdOrName::from(name));
    found.map(|location| location.id).ok_or_else(|| {
        let known: Vec<&str> = catalogue.locations.iter().map(|location| location.name.as_str()).collect();
        Failure::usage(format!("linux_location: there is no location {name}; there are {}", known.join(", ")))
    })
}

/// Real machines live in real time.
async fn check_clock(installation: &Installation, location: &str) -> Result<()> {
    let (state, apart) =
        installation.db.read(|tx| Ok((clock::get(tx)?, tx.now().0.abs_diff(tx.facts().real_now.0)))).await?;
    if state.mode == ClockMode::Wall && apart <= CLOCK_APART_MS_MAX.unsigned_abs() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "servers in {location} cannot be real: the clock of this world was changed, and real machines live in real time; \
         use another data directory (--data DIR)"
    )))
}

/// The start of a process that drives no host: the servers of those that there are cannot be reached through it.
async fn without(installation: &Installation) -> Result<()> {
    let hosts = installation.db.read(driven::all).await?;
    for host in &hosts {
        tracing::warn!(
            host = host.name,
            "this world has a real host, and this process does not drive it (--host linux does): actions on its servers wait \
             for it and then fail, and no new ones can be made in its location"
        );
    }
    // Beside other processes one of them may drive it; then its own silence tells.
    if installation.db.is_shared() || hosts.is_empty() {
        return Ok(());
    }
    let part = move |tx: &mut dyn wolke_store::Tx| hosts.iter().try_for_each(|host| driven::part(tx, host.id));
    Ok(installation.db.write(vec![Race::Database], part).await?)
}

fn options(linux: &Linux, state: &Path, installation: &Installation) -> Result<Options> {
    crate::files::make_directory(state)?;
    // What is there is found by name, from wherever the program was started.
    let state = std::fs::canonicalize(state).map_err(|e| Failure::file("open", state, e))?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let processors = u32::try_from(processors).unwrap_or(u32::MAX);
    let memory_mb = match linux.memory_mb {
        Some(memory_mb) => u64::from(memory_mb),
        None => spare_memory_mb(&std::fs::read_to_string("/proc/meminfo").unwrap_or_default()),
    };
    let disk_gb = match linux.disk_gb {
        Some(disk_gb) => u64::from(disk_gb),
        None => total_disk_gb(&state)?.saturating_mul(DISK_OVERCOMMIT),
    };
    let (core, nudge) = (Arc::clone(&installation.core), installation.nudge.clone());
    let ranges = DEFAULT_IPV4_POOLS.iter().chain(DEFAULT_IPV6_POOLS);
    Ok(Options {
        state,
        net: NetOptions {
            namespace: linux.netns.clone(),
            ranges: ranges.map(|range| (*range).to_owned()).collect(),
            resolvers: linux.resolvers.clone(),
        },
        choice: linux.choice.clone(),
        capacity: Capacity {
            architecture: if cfg!(target_arch = "aarch64") { Architecture::Arm } else { Architecture::X86 },
            cores: linux.cores.unwrap_or_else(|| processors.saturating_mul(CORES_OVERCOMMIT)),
            memory_mb,
            disk_gb,
        },
        cores_max: linux.cores_max.unwrap_or(processors),
        unseal: Arc::new(move |secret| core.unseal_for_host(&secret.0)),
        clock: Arc::clone(&installation.clock),
        notify: Arc::new(move || nudge.poke()),
    })
}

/// What of the machine's memory can be handed out, from the text of `/proc/meminfo`.
fn spare_memory_mb(meminfo: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib: u64 = total.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    let mib = kib / 1024;
    mib.saturating_sub((mib / MEMORY_RESERVE_SHARE).max(MEMORY_RESERVE_LEAST_MB))
}

/// The whole of a file system, not what is free of it: disks that were handed out are counted elsewhere.
fn total_disk_gb(place: &Path) -> Result<u64> {
    let stat = rustix::fs::statvfs(place).map_err(|e| Failure::file("measure", place, e))?;
    Ok(stat.f_blocks.saturating_mul(stat.f_frsize) >> 30)
}

/// What the machine calls itself.
fn machine_name() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    if name.is_empty() { "linux".to_owned() } else { name.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::spare_memory_mb;

    #[test]
    fn a_part_of_the_memory_stays() {
        assert_eq!(spare_memory_mb("MemTotal:       24576000 kB\nMemFree: 1 kB\n"), 24_000 - 3_000);
        assert_eq!(spare_memory_mb("MemTotal:       2097152 kB\n"), 1024);
        assert_eq!(spare_memory_mb("nonsense"), 0);
    }
}
