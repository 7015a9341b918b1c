//! Images on a host: which one a disk gets, which ones snapshots have made, and which ones nobody needs any more.

use std::path::PathBuf;

use wolke_host::plan::Operation;
use wolke_host::{HostError, ObjectKey, Runtime, ServerSpec};

use super::core::Core;
use super::object::Entry;
use crate::engine::Result;
use crate::image::Image;

impl Core {
    /// The image of a new disk; it stays until [`Core::images`] forgets the claim.
    pub(super) fn claim(&self, key: ObjectKey, spec: &ServerSpec, runtime: Runtime) -> Result<Image> {
        let artefact = spec.image.artefact();
        let missing = |why: &str| HostError::new(HostError::IMAGE_MISSING, format!("image {artefact} {why}"));
        let mut claims = self.images();
        let image = self.store.find(&artefact)?.ok_or_else(|| missing("is not on the host"))?;
        if image.manifest.architecture != spec.definition.architecture {
            return Err(missing("is there for another architecture only"));
        }
        if !image.manifest.runtimes.contains(&runtime) {
            return Err(missing(&format!("cannot be run as a {}", runtime.as_str())));
        }
        if image.manifest.min_disk_gb > spec.disk_gb {
            let needs = format!("image {artefact} needs a disk of {} GB", image.manifest.min_disk_gb);
            return Err(HostError::new(HostError::UNSUPPORTED, needs));
        }
        claims.insert(key, image.path.clone());
        Ok(image)
    }

    /// What an operation does to an image that a snapshot has made.
    pub(super) fn execute_image(&self, entry: &Entry, operation: &Operation) -> Result<()> {
        if *operation == Operation::DeleteDisk {
            let claims = self.images();
            self.store.remove(&entry.key.to_string())?;
            drop(claims);
            self.sweep();
        }
        Ok(())
    }

    /// Removes versions that nobody needs any more. What cannot be removed now is removed the next time.
    pub(super) fn sweep(&self) {
        let claims = self.images();
        let swept = self.standing().and_then(|mut versions| {
            versions.extend(claims.values().cloned());
            let versions: Vec<PathBuf> = versions;
            self.store.sweep(&versions)
        });
        if let Err(error) = swept {
            tracing::warn!("images that nobody needs cannot be removed: {error}");
        }
    }
}
