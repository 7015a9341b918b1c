//! What each operation does to the machine. Every one is an "ensure".

use std::path::{Path, PathBuf};

use wolke_host::plan::{Guest, Operation};
use wolke_host::{Definition, Desired, HostError, ObjectKind, Report, Runtime, ServerSpec, Verb};
use wolke_wire::metadata::Metadata;

use super::core::Core;
use super::disk::{self, DiskFile, Found};
use super::file;
use super::object::{Entry, Object};
use crate::engine::{Boot, Reboot, Result};
use crate::image::Image;
use crate::layout::ServerDir;
use crate::net::{End, Guests, Link};

/// Whatever a boot needs, owned.
struct BootContext {
    definition: Definition,
    disk: Found,
    image: Image,
    link: Option<Link>,
    metadata: Option<Metadata>,
}

impl BootContext {
    fn boot(&self) -> Boot<'_> {
        Boot {
            definition: &self.definition,
            disk: &self.disk.path,
            image: &self.image,
            link: self.link.as_ref(),
            metadata: self.metadata.as_ref(),
        }
    }
}

/// What a command of the lane of power has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pressed {
    /// The power button was pressed.
    Button,
    /// The guest was asked to reboot, and has not done so yet.
    Asked,
    /// The guest has booted anew.
    Booted,
}

impl Core {
    /// What a host cannot do at all, whatever is tried.
    pub(super) fn admit(&self, object: &Object, desired: &Desired) -> Result<()> {
        let Some(spec) = desired.server_spec() else { return Ok(()) };
        let unsupported = |why: String| Err(HostError::new(HostError::UNSUPPORTED, why));
        // A spec that is too new has its own answer, from the planner.
        if spec.version > wolke_host::server::SERVER_SPEC_VERSION {
            return Ok(());
        }
        if spec.iso.is_some() {
            return unsupported("this host has no discs".into());
        }
        if spec.rescue.is_some() {
            return unsupported("this host has no rescue system".into());
        }
        let wanted = self.runtime_of(object, spec);
        match object.memory.runtime {
            Some(runtime) if runtime != wanted => unsupported(format!(
                "the server is run as a {} and cannot become a {}",
                runtime.as_str(),
                wanted.as_str()
            )),
            _ => self.engine(wanted).map(drop),
        }
    }

    /// How a server is run: as its spec says, as before, or as the host likes.
    fn runtime_of(&self, object: &Object, spec: &ServerSpec) -> Runtime {
        spec.runtime.or(object.memory.runtime).unwrap_or(self.options.choice.shared)
    }

    pub(super) fn execute(&self, entry: &Entry, desired: &Desired, operation: &Operation) -> Result<()> {
        if entry.key.kind == ObjectKind::Image {
            return self.execute_image(entry, operation);
        }
        let directory = self.layout.server(entry.key.id);
        match operation {
            Operation::CreateDisk { size_gb, epoch, .. } => {
                self.create_disk(entry, &directory, spec_of(desired)?, (*size_gb, *epoch))
            }
            Operation::GrowDisk { size_gb } => self.grow_disk(&directory, *size_gb, spec_of(desired)?),
            Operation::Define => self.define(entry, spec_of(desired)?),
            Operation::Start => self.start(entry, &directory, spec_of(desired)?),
            Operation::Stop => self.stop(entry, &directory),
            Operation::Undefine => self.unlink(entry),
            Operation::DeleteDisk => {
                self.release(entry, &directory, None)?;
                self.sweep();
                Ok(())
            }
            Operation::Commit { .. } => self.tidy(entry, &directory, desired),
        }
    }

    fn create_disk(
        &self,
        entry: &Entry,
        directory: &ServerDir,
        spec: &ServerSpec,
        (size_gb, epoch): (u32, i64),
    ) -> Result<()> {
        self.options.capacity.admits(spec)?;
        self.spare("a disk")?;
        let runtime = self.runtime_of(&entry.lock(), spec);
        let engine = self.engine(runtime)?;
        let image = self.claim(entry.key, spec, runtime)?;
        let filling = disk::filling(&directory.path, epoch);
        let made = || -> Result<()> {
            self.scrap(directory, &filling, Some(runtime))?;
            file::directory(&filling)?;
            engine.fill_disk(&filling, &image, size_gb)?;
            let version = image.path.strip_prefix(self.store.root()).unwrap_or(&image.path).to_owned();
            let file = DiskFile { image: spec.image.clone(), version, size_gb, epoch, runtime };
            let found = Found { path: filling.clone(), file };
            found.write()?;
            file::rename(&filling, &disk::path(&directory.path, epoch))
        };
        let made = made();
        if made.is_err()
            && let Err(error) = self.scrap(directory, &filling, Some(runtime))
        {
            tracing::warn!(key = %entry.key, "what became no disk cannot be removed: {error}");
        }
        self.images().remove(&entry.key);
        made?;
        entry.lock().memory.runtime = Some(runtime);
        self.release(entry, directory, Some(epoch))?;
        let mut object = entry.lock();
        if object.home.first_password()?.is_some_and(|kept| kept.epoch < epoch) {
            object.home.forget_password()?;
        }
        // From now on the disk is what metadata speaks of.
        object.memory.current.disk = disk::find(&directory.path)?.map(|found| found.file.as_disk());
        drop(object);
        self.sweep();
        Ok(())
    }

    fn grow_disk(&self, directory: &ServerDir, size_gb: u32, spec: &ServerSpec) -> Result<()> {
        self.options.capacity.admits(spec)?;
        let mut found = self.disk_of(directory)?;
        self.engine(found.file.runtime)?.grow_disk(directory, &found.path, size_gb)?;
        found.file.size_gb = found.file.size_gb.max(size_gb);
        found.write()
    }

    /// A guest that is off gets its interface at once, one that runs at its next start: addresses change under nobody.
    fn define(&self, entry: &Entry, spec: &ServerSpec) -> Result<()> {
        self.admit_size(entry, spec)?;
        let (guest, runtime) = {
            let object = entry.lock();
            (object.memory.current.guest, self.runtime_of(&object, spec))
        };
        if guest == Guest::Running { Ok(()) } else { self.link(entry, &spec.definition, runtime).map(drop) }
    }

    /// The interface of a server is as defined; without one there is none.
    fn link(&self, entry: &Entry, definition: &Definition, runtime: Runtime) -> Result<Option<Link>> {
        let Some(nic) = &definition.public else {
            return self.unlink(entry).map(|()| None);
        };
        let Some(net) = &self.net else {
            return Err(HostError::new(HostError::UNSUPPORTED, "this host has no network"));
        };
        let end = if runtime == Runtime::Container { End::Veth } else { End::Tap };
        entry.lock().link = true;
        net.ensure(entry.key.id, nic, end).map(Some)
    }

    fn unlink(&self, entry: &Entry) -> Result<()> {
        if let Some(net) = &self.net {
            net.remove(entry.key.id)?;
        }
        entry.lock().link = false;
        Ok(())
    }

    fn start(&self, entry: &Entry, directory: &ServerDir, spec: &ServerSpec) -> Result<()> {
        let (guest, runtime) = {
            let object = entry.lock();
            (object.memory.current.guest, self.runtime_of(&object, spec))
        };
        let engine = self.engine(runtime)?;
        if guest == Guest::Lost {
            engine.stop(directory)?;
        }
        {
            let mut object = entry.lock();
            first_boot(&object)?;
            object.memory.started = Some(spec.definition.clone());
            object.memory.switch();
            let now = self.now();
            object.meter.start(now);
            self.save(&mut object)?;
            // What the first minute is measured from.
            self.outbox.push(entry.key, Report::Usage(object.meter.usage(entry.key, now)));
        }
        let context = self.boot_context(entry, directory, &spec.definition)?;
        engine.start(directory, &context.boot())
    }

    fn boot_context(&self, entry: &Entry, directory: &ServerDir, definition: &Definition) -> Result<BootContext> {
        let found = self.disk_of(directory)?;
        let image = self.store.version(&self.store.root().join(&found.file.version))?;
        let link = self.link(entry, definition, found.file.runtime)?;
        let metadata = self.registry.metadata(entry.key.id);
        Ok(BootContext { definition: definition.clone(), disk: found, image, link, metadata })
    }

    fn disk_of(&self, directory: &ServerDir) -> Result<Found> {
        disk::find(&directory.path)?.ok_or_else(|| HostError::new(HostError::NO_DISK, "the server has no disk"))
    }

    fn stop(&self, entry: &Entry, directory: &ServerDir) -> Result<()> {
        self.measure(entry);
        let runtime = {
            let mut object = entry.lock();
            object.memory.switch();
            object.memory.runtime
        };
        self.engines_of(runtime).into_iter().try_for_each(|engine| engine.stop(directory))
    }

    /// Removes all disks but the one of this epoch.
    fn release(&self, entry: &Entry, directory: &ServerDir, keep: Option<i64>) -> Result<()> {
        let runtime = entry.lock().memory.runtime;
        let keep = keep.map(|epoch| disk::path(&directory.path, epoch));
        for path in disk::all(&directory.path)? {
            if keep.as_ref() != Some(&path) {
                self.scrap(directory, &path, runtime)?;
            }
        }
        Ok(())
    }

    fn scrap(&self, directory: &ServerDir, path: &Path, runtime: Option<Runtime>) -> Result<()> {
        if !path.exists() {
            return Ok(());
        }
        // What it was made for counts, where that can still be read.
        let own = disk::document(path).ok().flatten().map(|file| file.runtime);
        for engine in self.engines_of(own.or(runtime)) {
            engine.release_disk(directory, path)?;
        }
        file::remove_all(path)
    }

    /// What a host that died in between has left beside is gone; of a server that is gone, everything.
    fn tidy(&self, entry: &Entry, directory: &ServerDir, desired: &Desired) -> Result<()> {
        if !desired.is_tombstone() {
            let kept = entry.lock().memory.current.disk.as_ref().map(|disk| disk.epoch);
            return if kept.is_some() { self.release(entry, directory, kept) } else { Ok(()) };
        }
        self.unlink(entry)?;
        let runtime = entry.lock().memory.runtime;
        for engine in self.engines_of(runtime) {
            engine.stop(directory)?;
        }
        self.release(entry, directory, None)?;
        let mut object = entry.lock();
        object.home.clear()?;
        object.leftovers = false;
        object.meter = super::meter::Meter::default();
        object.memory.runtime = None;
        object.memory.started = None;
        object.memory.delivered = None;
        Ok(())
    }

    /// The effect of a command of the lane of power.
    pub(super) fn pressed(&self, entry: &Entry, verb: &Verb) -> Result<Pressed> {
        let directory = self.layout.server(entry.key.id);
        let (runtime, definition) = {
            let object = entry.lock();
            let defined = object.memory.started.clone().or_else(|| object.memory.current.definition.clone());
            (object.memory.runtime, defined)
        };
        let unknown = || HostError::new(HostError::ENGINE, "nobody remembers how the server was started");
        let engine = self.engine(runtime.ok_or_else(unknown)?)?;
        if *verb == Verb::Shutdown {
            return engine.press_power(&directory).map(|()| Pressed::Button);
        }
        self.measure(entry);
        let context = self.boot_context(entry, &directory, &definition.ok_or_else(unknown)?)?;
        if *verb == Verb::Reset {
            return engine.reset(&directory, &context.boot()).map(|()| Pressed::Booted);
        }
        Ok(match engine.reboot(&directory, &context.boot())? {
            Reboot::Done => Pressed::Booted,
            Reboot::Asked => Pressed::Asked,
        })
    }

    /// The versions on which disks stand, in directories of servers.
    pub(super) fn standing(&self) -> Result<Vec<PathBuf>> {
        let mut versions = Vec::new();
        for name in file::names(&self.layout.servers())? {
            for directory in disk::all(&self.layout.servers().join(name))? {
                if let Some(file) = disk::document(&directory)? {
                    versions.push(self.store.root().join(file.version));
                }
            }
        }
        Ok(versions)
    }
}

/// Forgets the password of a first boot that is over.
fn first_boot(object: &Object) -> Result<()> {
    let Some(kept) = object.home.first_password()? else { return Ok(()) };
    let epoch = object.memory.current.disk.as_ref().map(|disk| disk.epoch);
    let delivered = object.memory.delivered.is_some_and(|delivered| delivered >= kept.epoch);
    if delivered || epoch.is_some_and(|epoch| kept.epoch < epoch) { object.home.forget_password() } else { Ok(()) }
}

fn spec_of(desired: &Desired) -> Result<&ServerSpec> {
    desired.server_spec().ok_or_else(|| HostError::new(HostError::ENGINE, "the wish is not one for a server"))
}
