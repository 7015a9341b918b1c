//! What a host is: its runtimes, its size, its images.

use std::collections::BTreeSet;
use std::sync::Arc;

use wolke_host::{HostFacts, HostImage, ObjectKey};

use super::Options;
use super::core::Core;
use crate::engine::Engine;
use crate::image::Image;

/// The engines that this machine can use.
pub(super) fn engines(options: &Options) -> Vec<Arc<dyn Engine>> {
    let _ = options;
    Vec::new()
}

impl Core {
    pub(super) fn facts(&self) -> HostFacts {
        let images = self.store.list().unwrap_or_else(|error| {
            tracing::error!("the images cannot be listed: {error}");
            Vec::new()
        });
        HostFacts {
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
