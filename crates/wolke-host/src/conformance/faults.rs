//! What a host cannot do: it says so by name, does not get stuck, and goes on when the reason is gone.

use super::{Bench, Case, Verdict, expect_sound};
use crate::host::Feature;
use crate::object::{Desired, HostError, PowerState};
use crate::server::{Architecture, Rescue, Runtime, SERVER_SPEC_VERSION, ServerSpec};

pub(super) const CASES: &[Case] = &[
    ("missing_image_is_told_and_retried", missing_image),
    ("full_disk_is_told_and_retried", full_disk),
    ("failed_create_can_be_deleted", failed_create_can_be_deleted),
    ("too_large_is_refused", too_large),
    ("other_architecture_is_refused", other_architecture),
    ("newer_spec_is_refused", newer_spec),
    ("what_the_host_lacks_is_refused", lacking),
    ("another_runtime_is_refused", another_runtime),
];

fn missing_image(bench: &mut Bench<'_>) -> Verdict {
    let mut spec = bench.harness.spec();
    spec.image = bench.harness.missing_image();
    let desired = bench.desire(1, &spec);
    bench.fail(&desired, HostError::IMAGE_MISSING)?;
    bench.fail(&desired, HostError::IMAGE_MISSING)?;
    bench.harness.provide_image();
    bench.reach(&desired, PowerState::Running).and_then(|observed| expect_sound(&observed))
}

fn full_disk(bench: &mut Bench<'_>) -> Verdict {
    bench.harness.set_disk_full(true);
    let spec = bench.harness.spec();
    let desired = bench.desire(1, &spec);
    bench.fail(&desired, HostError::DISK_FULL)?;
    bench.harness.set_disk_full(false);
    bench.reach(&desired, PowerState::Running).and_then(|observed| expect_sound(&observed))
}

fn failed_create_can_be_deleted(bench: &mut Bench<'_>) -> Verdict {
    bench.harness.set_disk_full(true);
    let spec = bench.harness.spec();
    let desired = bench.desire(1, &spec);
    bench.fail(&desired, HostError::DISK_FULL)?;
    let tombstone = Desired::absent(desired.key, bench.next());
    bench.reach(&tombstone, PowerState::Absent).and_then(|observed| expect_sound(&observed))
}

fn too_large(bench: &mut Bench<'_>) -> Verdict {
    let mut spec = bench.harness.spec();
    spec.definition.cores = bench.harness.host().facts().capacity.cores.saturating_add(1);
    let desired = bench.desire(1, &spec);
    bench.fail(&desired, HostError::CAPACITY)
}

fn other_architecture(bench: &mut Bench<'_>) -> Verdict {
    let mut spec = bench.harness.spec();
    spec.definition.architecture = match spec.definition.architecture {
        Architecture::X86 => Architecture::Arm,
        Architecture::Arm => Architecture::X86,
    };
    let desired = bench.desire(1, &spec);
    bench.fail(&desired, HostError::CAPACITY)
}

fn newer_spec(bench: &mut Bench<'_>) -> Verdict {
    let mut spec = bench.harness.spec();
    spec.version = SERVER_SPEC_VERSION + 1;
    let desired = bench.desire(1, &spec);
    bench.fail(&desired, HostError::UNSUPPORTED_SPEC)
}

/// A boot source that the host does not have is told, and withdrawn it is as if it had never been asked for.
fn lacking(bench: &mut Bench<'_>) -> Verdict {
    let (spec, key) = bench.running(1)?;
    let features = bench.harness.host().facts().features;
    let rescue = Rescue { epoch: 1, kind: "linux64".into(), ssh_keys: vec![], root_password_hash: None };
    let wishes: [(Feature, ServerSpec); 2] = [
        (Feature::Rescue, ServerSpec { rescue: Some(rescue), ..spec.clone() }),
        (Feature::Disc, ServerSpec { iso: Some(bench.harness.iso()), ..spec.clone() }),
    ];
    for (feature, wish) in wishes {
        if features.contains(&feature) {
            continue;
        }
        let desired = bench.desire(1, &wish);
        bench.fail(&desired, HostError::UNSUPPORTED)?;
        bench.stays(key, PowerState::Running)?;
        let withdrawn = bench.desire(1, &spec);
        bench.reach(&withdrawn, PowerState::Running).and_then(|observed| expect_sound(&observed))?;
    }
    Ok(())
}

/// Disks of one runtime are of no use to another. A simulated host has one runtime and does not care.
fn another_runtime(bench: &mut Bench<'_>) -> Verdict {
    if bench.harness.host().facts().runtimes.contains(&Runtime::Simulated) {
        return Ok(());
    }
    let (mut spec, key) = bench.running(1)?;
    for other in [Runtime::Container, Runtime::Machine, Runtime::Simulated] {
        if bench.harness.spec().runtime == Some(other) {
            continue;
        }
        spec.runtime = Some(other);
        let desired = bench.desire(1, &spec);
        bench.fail(&desired, HostError::UNSUPPORTED)?;
    }
    bench.stays(key, PowerState::Running)
}
