//! What a host is: its runtimes, its size, its images.

use std::collections::BTreeSet;
use std::sync::Arc;

use wolke_host::{HostError, HostFacts, HostImage, ObjectKey, Runtime};

use super::Options;
use super::core::Core;
use crate::container::Containers;
use crate::engine::{Engine, Result};
use crate::image::{Image, ImageStore, need};
use crate::layout::Layout;
use crate::machine::Machines;

/// Programs without which no server has a network.
const NETWORK: &[&str] = &["ip", "nft", "nsenter"];
/// Programs without which there are no virtual machines.
const MACHINES: &[&str] = &["qemu-system-x86_64", "qemu-img"];

/// Programs without which there are no containers.
const CONTAINERS: &[&str] = &["lxc-start", "lxc-usernsexec", "mkfs.ext4", "losetup", "mount", "unshare"];

/// The engines that this machine can use. What is chosen for servers has to be among them.
pub(super) fn engines(options: &Options) -> Result<Vec<Arc<dyn Engine>>> {
    need::all(NETWORK)?;
    let layout = Layout::new(options.state.clone());
    let mut engines: Vec<Arc<dyn Engine>> = Vec::new();
    let choice = &options.choice;
    let chosen = [choice.shared, choice.dedicated].into_iter().chain(choice.types.values().copied());
    let chosen: BTreeSet<Runtime> = chosen.collect();
    match need::all(MACHINES) {
        Ok(()) => {
            let images = ImageStore::new(layout.images());
            engines.push(Arc::new(Machines::open(&layout, images, Arc::clone(&options.clock))?));
        }
        Err(error) if chosen.contains(&Runtime::Machine) => return Err(error),
        Err(error) => tracing::info!("no virtual machines here: {}", error.message),
    }
    match need::all(CONTAINERS) {
        Ok(()) => engines.push(Arc::new(Containers::open(&layout, Arc::clone(&options.clock))?)),
        Err(error) if chosen.contains(&Runtime::Container) => return Err(error),
        Err(error) => tracing::info!("no containers here: {}", error.message),
    }
    match chosen.iter().find(|runtime| !engines.iter().any(|engine| engine.runtime() == **runtime)) {
        None => Ok(engines),
        Some(runtime) => {
            let why = format!("this machine cannot run servers as a {}", runtime.as_str());
            Err(HostError::new(HostError::UNSUPPORTED, why))
        }
    }
}

impl Core {
    pub(super) fn facts(&self) -> HostFacts {
        let images = self.store.list().unwrap_or_else(|error| {
            tracing::error!("the images cannot be listed: {error}");
            Vec::new()
        });
        HostFacts {
            identity: self.identity.clone(),
            runtimes: self.engines.iter().map(|engine| engine.runtime()).collect(),
            choice: self.options.choice.clone(),
            capacity: self.options.capacity,
            cores_max: self.options.cores_max,
            features: BTreeSet::new(),
            images: Some(images.iter().filter(|image| !is_snapshot(image)).map(as_fact).collect()),
        }
    }
}

/// What snapshots have made has objects of its own.
fn is_snapshot(image: &Image) -> bool {
    ObjectKey::parse(&image.artefact).is_some()
}

fn as_fact(image: &Image) -> HostImage {
    HostImage {
        name: image.artefact.clone(),
        runtimes: image.manifest.runtimes.clone(),
        min_disk_gb: image.manifest.min_disk_gb,
    }
}
