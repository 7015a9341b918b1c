//! Real locations: which hosts there are, what they can run, and the refusals of what they cannot.
//!
//! What a host has said of itself is read with what the operator has decided (`operator.rs`), so nobody spends a statement on
//! it. A location is real as soon as a host is known there; a server is real when its own host is.

use crate::core::Core;
use crate::hosts;
use crate::image::Source;
use crate::place::Place;
use wolke_domain::catalogue::{Catalogue, ServerType};
use wolke_domain::image::is_own;
use wolke_domain::placement::Need;
use wolke_domain::server::Server;
use wolke_domain::{Error, Result};
use wolke_host::{Feature, HostFacts, Runtime, RuntimeChoice};
use wolke_store::driven::{self, RealHost};
use wolke_store::{Tx, host, image};
use wolke_wire::Id;
use wolke_wire::cloud::Architecture;
use wolke_wire::cloud::server_type::CpuType;

/// Real time without a sign of life from a host's driver after which it counts as away, in milliseconds: several beats.
pub const AWAY_MS: i64 = 60_000;

/// The images that `wolke image build` can make on a host.
const BUILT_IMAGES: [&str; 2] = ["debian-12", "tiny"];

/// A host that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Real {
    pub host: Id,
    pub location: Id,
    pub facts: HostFacts,
}

/// The real hosts of a world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RealHosts(Vec<Real>);

impl RealHosts {
    /// Hosts from their rows. One whose description this release cannot read is left out, loudly.
    pub(crate) fn of(rows: &[RealHost]) -> Self {
        let read = |row: &RealHost| match serde_json::from_str(&row.facts) {
            Ok(facts) => Some(Real { host: row.id, location: row.location, facts }),
            Err(error) => {
                tracing::error!(host = row.id, name = row.name, %error, "what a host says of itself cannot be read");
                None
            }
        };
        Self(rows.iter().filter_map(read).collect())
    }

    /// The host that makes a location real.
    pub(crate) fn in_location(&self, location: Id) -> Option<&Real> {
        self.0.iter().find(|real| real.location == location)
    }

    /// A host by its id.
    pub(crate) fn get(&self, host: Id) -> Option<&Real> {
        self.0.iter().find(|real| real.host == host)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The runtime that a new server of a type gets on a host; none where that is left to the host.
pub(crate) fn runtime_on(core: &Core, host: Id, server_type: Id) -> Option<Runtime> {
    let (real, catalogue) = (core.real(), core.catalogue());
    let server_type = catalogue.server_type_by_id(server_type)?;
    real.get(host).map(|real| runtime(&real.facts.choice, server_type))
}

/// How a server is run on its real host.
fn present_runtime(tx: &mut dyn Tx, real: &Real, server: Id) -> Result<Option<Runtime>> {
    Ok(hosts::server_spec(tx, real.host, server)?.and_then(|(_, spec)| spec.runtime))
}

/// The runtime of servers of a type.
pub(crate) fn runtime(choice: &RuntimeChoice, server_type: &ServerType) -> Runtime {
    choice.of(&server_type.name, server_type.cpu_type == CpuType::Dedicated)
}

pub(crate) fn location_name(catalogue: &Catalogue, location: Id) -> String {
    catalogue.location_by_id(location).map_or_else(|| location.to_string(), |found| found.name.clone())
}

/// Why a host can never run a type; none when it can.
fn beyond(facts: &HostFacts, server_type: &ServerType) -> Option<String> {
    let capacity = &facts.capacity;
    let architecture = match server_type.architecture {
        Architecture::X86 => wolke_host::Architecture::X86,
        Architecture::Arm => wolke_host::Architecture::Arm,
    };
    if architecture != capacity.architecture {
        return Some("it has another architecture".into());
    }
    let chosen = runtime(&facts.choice, server_type);
    if !facts.runtimes.contains(&chosen) {
        return Some(format!("it would be a {}, and the host can run none", noun(chosen)));
    }
    let limits = [
        ("cores", u64::from(server_type.cores), u64::from(facts.cores_max)),
        ("MiB of memory", u64::from(server_type.memory_mb()), capacity.memory_mb),
        ("GB of disk", u64::from(server_type.disk), capacity.disk_gb),
    ];
    let over = limits.into_iter().find(|(_, needs, has)| needs > has);
    over.map(|(what, needs, has)| format!("it needs {needs} {what}, and {has} are the most that the host gives"))
}

/// What a host has too little of just now; none when there is room. Servers that are off keep theirs.
fn lacking(free: &Need, server_type: &ServerType) -> Option<String> {
    let needs = [
        ("cores", i64::from(server_type.cores), free.cores),
        ("MiB of memory", i64::from(server_type.memory_mb()), free.memory_mb),
        ("GB of disk", i64::from(server_type.disk), free.disk_gb),
    ];
    let short = needs.into_iter().find(|(_, needs, free)| needs > free);
    short.map(|(what, needs, free)| format!("it needs {needs} {what}, and {} are left", free.max(0)))
}

/// The places of these where a type can run at all.
///
/// # Errors
/// `resource_unavailable` when none is left.
pub(crate) fn able(core: &Core, server_type: &ServerType, places: &[Place]) -> Result<Vec<Place>> {
    let real = core.real();
    if real.is_empty() {
        return Ok(places.to_vec());
    }
    let mut refusal = None;
    let mut able = Vec::new();
    for place in places {
        match real.in_location(place.location).and_then(|real| beyond(&real.facts, server_type)) {
            None => able.push(*place),
            Some(why) => {
                let location = location_name(&core.catalogue(), place.location);
                refusal.get_or_insert(Error::type_beyond_host(&server_type.name, &location, &why));
            }
        }
    }
    match refusal {
        Some(refusal) if able.is_empty() => Err(refusal),
        _ => Ok(able),
    }
}

/// Checks that a new server of this type and image can be made in a place, as far as its host is concerned.
///
/// # Errors
/// `resource_unavailable` when the host is away; `unsupported_error` when it lacks the image.
pub(crate) fn check_create(
    tx: &mut dyn Tx,
    core: &Core,
    (location, project): (Id, Id),
    server_type: &ServerType,
    source: &Source,
) -> Result<()> {
    let real = core.real();
    let Some(real) = real.in_location(location) else { return Ok(()) };
    let away = tx.facts().real_now.plus_ms(-AWAY_MS);
    if driven::seen(tx, real.host)? < away {
        return Err(Error::host_away(&location_name(&core.catalogue(), location)));
    }
    let (_, free) = host::room(tx, real.host)?;
    if let Some(why) = lacking(&free, server_type) {
        return Err(Error::type_without_room(&server_type.name, &location_name(&core.catalogue(), location), &why));
    }
    let runtime = runtime(&real.facts.choice, server_type);
    check_source(tx, core, (real, runtime), project, (source, i64::from(server_type.disk)))
}

/// Checks that the disk of a server can be made anew from an image.
///
/// # Errors
/// `unsupported_error` when its host lacks the image.
pub(crate) fn check_rebuild(tx: &mut dyn Tx, core: &Core, server: &Server, source: &Source) -> Result<()> {
    let real = core.real();
    let Some(real) = server.host.and_then(|on| real.get(on)) else { return Ok(()) };
    let Some(runtime) = present_runtime(tx, real, server.id)? else { return Ok(()) };
    check_source(tx, core, (real, runtime), server.project, (source, server.details.primary_disk_gb))
}

fn check_source(
    tx: &mut dyn Tx,
    core: &Core,
    (real, runtime): (&Real, Runtime),
    project: Id,
    (source, disk_gb): (&Source, i64),
) -> Result<()> {
    let location = || location_name(&core.catalogue(), real.location);
    let word = noun(runtime);
    if is_own(source.id) {
        let made = image::get(tx, project, source.id)?.map(|image| image.value.details);
        let fits =
            made.is_some_and(|made| made.host == Some(real.host) && made.runtime.as_deref() == Some(runtime.as_str()));
        return if fits { Ok(()) } else { Err(Error::image_of_other_host(source.id, &location(), word)) };
    }
    let Some(images) = &real.facts.images else { return Ok(()) };
    let name = source.reference().artefact();
    match images.iter().find(|image| image.name == name && image.runtimes.contains(&runtime)) {
        Some(image) if i64::from(image.min_disk_gb) > disk_gb => {
            let message = format!("needs a disk of at least {} GB here; this one has {disk_gb} GB", image.min_disk_gb);
            Err(Error::invalid("image", message))
        }
        Some(_) => Ok(()),
        None => {
            let command = if BUILT_IMAGES.contains(&name.as_str()) {
                format!("wolke image build {name}")
            } else {
                format!("wolke image add {name} FILE")
            };
            Err(Error::image_not_on_host(&name, &location(), word, &command))
        }
    }
}

/// A runtime as people call what runs in it.
pub(crate) const fn noun(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Simulated => "simulated machine",
        Runtime::Container => "container",
        Runtime::Machine => "virtual machine",
    }
}

/// The real host that a server is on, or will be on where it is not placed yet.
fn place_of<'a>(real: &'a RealHosts, server: &Server) -> Option<&'a Real> {
    match server.host {
        Some(on) => real.get(on),
        None => real.in_location(server.details.location),
    }
}

/// Checks that a server's host can do what is asked for.
///
/// # Errors
/// `unsupported_error`, naming it.
pub(crate) fn check_feature(core: &Core, server: &Server, feature: Feature) -> Result<()> {
    let real = core.real();
    let Some(real) = place_of(&real, server) else { return Ok(()) };
    if real.facts.features.contains(&feature) {
        return Ok(());
    }
    let what = match feature {
        Feature::Rescue => "the rescue system",
        Feature::Disc => "attaching an ISO",
        Feature::Console => "the console",
    };
    Err(Error::not_on_real_servers(what, &location_name(&core.catalogue(), real.location)))
}

/// Checks that servers of a location are simulated, where something is wanted that real hosts cannot do yet.
///
/// # Errors
/// `unsupported_error`, naming it.
pub(crate) fn check_location(core: &Core, location: Id, what: &str) -> Result<()> {
    match core.real().in_location(location) {
        Some(_) => Err(Error::not_on_real_servers(what, &location_name(&core.catalogue(), location))),
        None => Ok(()),
    }
}

/// Checks that a server is simulated, for what real ones cannot do yet.
///
/// # Errors
/// `unsupported_error`, naming `what`.
pub(crate) fn check_simulated(core: &Core, server: &Server, what: &str) -> Result<()> {
    let real = core.real();
    match place_of(&real, server) {
        Some(real) => Err(Error::not_on_real_servers(what, &location_name(&core.catalogue(), real.location))),
        None => Ok(()),
    }
}

/// Checks that a server can have a type, where it is.
///
/// # Errors
/// `resource_unavailable` for one that its host cannot run; `unsupported_error` for one that is run in another way there.
pub(crate) fn check_change(tx: &mut dyn Tx, core: &Core, server: &Server, wanted: &ServerType) -> Result<()> {
    let real = core.real();
    let Some(real) = server.host.and_then(|on| real.get(on)) else { return Ok(()) };
    let location = || location_name(&core.catalogue(), real.location);
    if let Some(why) = beyond(&real.facts, wanted) {
        return Err(Error::type_beyond_host(&wanted.name, &location(), &why));
    }
    let chosen = self::runtime(&real.facts.choice, wanted);
    match present_runtime(tx, real, server.id)? {
        Some(present) if present != chosen => {
            Err(Error::other_runtime(&wanted.name, &location(), (noun(chosen), noun(present))))
        }
        _ => Ok(()),
    }
}
