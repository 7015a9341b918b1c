//! The planner: from what there is and what is desired to the operations in between.
//!
//! **Invariants:** pure. Every operation is an "ensure": executing it twice is executing it once. Every operation leaves a
//! trace in [`Current`], so that after any prefix of a plan (a host that died) planning again yields the rest. An object that is as desired yields an empty plan.

mod current;

use serde::{Deserialize, Serialize};

pub use current::{BootSources, Current, Disk, Guest};

use crate::object::{Desired, HostError, Spec, Wish};
use crate::policy::OperationKind;
use crate::server::{ImageRef, Power, SERVER_SPEC_VERSION, ServerSpec};

/// No plan is longer: stop, disk, definition, start, commit. Bounds the loop of an executor.
pub const PLAN_MAX: usize = 5;

/// One step from what there is to what is desired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Operation {
    /// There is a disk of this epoch, made from this image. An older one is replaced in one step. Images are brought to
    /// a host before (the control plane waits for them); one that is not there fails the operation.
    CreateDisk {
        /// The image.
        image: ImageRef,
        /// Its size in GB.
        size_gb: u32,
        /// The rebuild epoch.
        epoch: i64,
    },
    /// The disk has at least this size.
    GrowDisk {
        /// Its size in GB.
        size_gb: u32,
    },
    /// Definition, interfaces, boot sources and metadata are as desired. A running machine takes most of it at its next start.
    Define,
    /// It runs, booted from [`Current::next_boot`]; a rescue epoch is consumed with the boot.
    Start,
    /// It does not run, and what a machine that died has left behind is cleared away.
    Stop,
    /// Interfaces, metadata and definition are gone.
    Undefine,
    /// The disk is gone.
    DeleteDisk,
    /// This generation is written down as applied.
    Commit {
        /// The generation.
        generation: i64,
        /// The epochs whose power wish is fulfilled.
        settled: Option<(i64, i64)>,
    },
}

impl Operation {
    /// The kind for which a policy can be set; `None` for what takes no time anywhere.
    #[must_use]
    pub const fn kind(&self, current: &Current) -> Option<OperationKind> {
        match self {
            Self::CreateDisk { .. } if current.disk.is_some() => Some(OperationKind::Rebuild),
            Self::CreateDisk { .. } => Some(OperationKind::Create),
            Self::GrowDisk { .. } => Some(OperationKind::Resize),
            // A definition that is new belongs to the creation.
            Self::Define if current.definition.is_some() => Some(OperationKind::Change),
            Self::Start => Some(OperationKind::Start),
            Self::Stop => Some(OperationKind::Stop),
            Self::DeleteDisk => Some(OperationKind::Delete),
            Self::Define | Self::Undefine | Self::Commit { .. } => None,
        }
    }

    /// Whether the disk that there was is lost by it.
    #[must_use]
    pub const fn ends_disk(&self) -> bool {
        matches!(self, Self::CreateDisk { .. } | Self::DeleteDisk)
    }

    /// What there is once the operation is complete.
    pub fn complete(&self, desired: &Desired, current: &mut Current) {
        match self {
            Self::CreateDisk { image, size_gb, epoch } => {
                current.disk = Some(Disk { image: image.id, size_gb: *size_gb, epoch: *epoch });
            }
            Self::GrowDisk { size_gb } => {
                if let Some(disk) = &mut current.disk {
                    disk.size_gb = disk.size_gb.max(*size_gb);
                }
            }
            Self::Define => {
                current.definition = desired.server_spec().map(|spec| spec.definition.clone());
                current.sources = desired.server_spec().map(BootSources::of).unwrap_or_default();
                current.defined = desired.generation;
            }
            // A start that is repeated after it had its effect boots nothing.
            Self::Start if current.guest == Guest::Running => {}
            Self::Start => current.boot(),
            Self::Stop => current.halt(Guest::Off),
            Self::Undefine => {
                current.definition = None;
                current.defined = 0;
                current.sources = BootSources::default();
            }
            Self::DeleteDisk => current.disk = None,
            Self::Commit { generation, settled } => {
                current.generation = *generation;
                current.settled = *settled;
            }
        }
        if current.is_absent() {
            current.rescue_epoch = 0;
        }
    }
}

/// The operations from `current` to `desired`, in order. Refusing what is older than accepted is the caller's part.
///
/// # Errors
/// When no operation can lead there: an unknown spec, or a disk that would have to shrink.
pub fn plan(current: &Current, desired: &Desired) -> Result<Vec<Operation>, HostError> {
    let mut operations = Vec::new();
    let settled = match &desired.wish {
        Wish::Absent => {
            plan_absent(current, &mut operations);
            None
        }
        Wish::Present(Spec::Server(spec)) => {
            plan_server(current, spec, desired.generation, &mut operations)?;
            Some((spec.power_epoch, spec.rebuild_epoch))
        }
        // A snapshot makes it, and nothing else is to be done about it.
        Wish::Present(Spec::Image) => None,
        Wish::Present(Spec::Unknown) => {
            return Err(HostError::new(HostError::UNSUPPORTED_SPEC, "the host does not know this kind of object"));
        }
    };
    if current.generation != desired.generation || current.settled != settled {
        operations.push(Operation::Commit { generation: desired.generation, settled });
    }
    Ok(operations)
}

/// The guest first, the disk last: what can be reached must not outlive what it runs on.
fn plan_absent(current: &Current, operations: &mut Vec<Operation>) {
    if current.guest != Guest::Off {
        operations.push(Operation::Stop);
    }
    if current.definition.is_some() {
        operations.push(Operation::Undefine);
    }
    if current.disk.is_some() {
        operations.push(Operation::DeleteDisk);
    }
}

fn plan_server(
    current: &Current,
    spec: &ServerSpec,
    generation: i64,
    operations: &mut Vec<Operation>,
) -> Result<(), HostError> {
    if spec.version > SERVER_SPEC_VERSION {
        return Err(HostError::new(HostError::UNSUPPORTED_SPEC, "the spec is newer than the host"));
    }
    let fresh = current.disk.as_ref().is_none_or(|disk| disk.epoch < spec.rebuild_epoch);
    let settled = current.settled == Some((spec.power_epoch, spec.rebuild_epoch));
    let mut running = current.guest == Guest::Running;
    // Off comes first, so that what only takes effect at a start is there when it next starts.
    if current.guest != Guest::Off && (fresh || (!settled && spec.power == Power::Off)) {
        operations.push(Operation::Stop);
        running = false;
    }
    plan_disk(current, spec, fresh, operations)?;
    let defined = current.definition.as_ref() == Some(&spec.definition) && current.sources == BootSources::of(spec);
    if current.defined != generation || !defined {
        operations.push(Operation::Define);
    }
    let wanted = fresh || !settled || current.guest == Guest::Lost;
    if wanted && spec.power == Power::On && !running {
        operations.push(Operation::Start);
    }
    Ok(())
}

fn plan_disk(
    current: &Current,
    spec: &ServerSpec,
    fresh: bool,
    operations: &mut Vec<Operation>,
) -> Result<(), HostError> {
    if fresh {
        let (image, size_gb, epoch) = (spec.image.clone(), spec.disk_gb, spec.rebuild_epoch);
        operations.push(Operation::CreateDisk { image, size_gb, epoch });
        return Ok(());
    }
    match &current.disk {
        Some(disk) if disk.size_gb > spec.disk_gb => {
            Err(HostError::new(HostError::DISK_SHRINK, "a disk cannot become smaller"))
        }
        Some(disk) if disk.size_gb < spec.disk_gb => {
            operations.push(Operation::GrowDisk { size_gb: spec.disk_gb });
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
