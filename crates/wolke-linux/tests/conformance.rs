//! The suite that every host passes, on the Linux host: with guests that are files, with containers, with virtual machines.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a harness that fails is a test that fails")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::bench::{Bench, Plan};
use common::fake;
use common::need;
use wolke_host::Runtime;
use wolke_host::conformance;
use wolke_linux::container::Containers;
use wolke_linux::image::ImageStore;
use wolke_linux::machine::Machines;
use wolke_linux::machine::acceleration::Choice;

/// Runs cases side by side, each on a host of its own.
fn conforms(plan: &Plan, side_by_side: usize, filter: impl Fn(&str) -> bool) {
    let names: Vec<_> = conformance::names().filter(|name| filter(name)).collect();
    assert!(!names.is_empty());
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..side_by_side {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let run = || conformance::run(|| Bench::new(plan.clone()), |case| case == *name);
                    let mut told = match std::panic::catch_unwind(run) {
                        Ok(failures) => failures.iter().map(ToString::to_string).collect(),
                        Err(_) => vec![format!("{name}: panicked")],
                    };
                    all.lock().unwrap().append(&mut told);
                }
            });
        }
    });
    let told = all.into_inner().unwrap();
    assert!(told.is_empty(), "{} of {} cases:\n{}", told.len(), names.len(), told.join("\n"));
}

/// The newest version of an image among those that tests are given.
fn version(images: &Path, artefact: &str) -> PathBuf {
    ImageStore::new(images.to_owned()).find(artefact).unwrap().unwrap().path
}

/// A few boots of each kind: what differs from containers is the engine, not the host.
const OF_MACHINES: &[&str] = &[
    "create_runs",
    "size_and_address_change_while_off",
    "disk_grows_and_never_shrinks",
    "rebuild_of_running_runs_again",
    "guest_powers_itself_off",
    "guest_that_died_with_the_machine_starts_again",
    "running_guests_outlive_the_agent",
    "ignored_shutdown_stays_running_and_can_be_stopped",
    "reset_and_reboot_end_running",
    "snapshot_outlives_a_power_off",
    "image_is_kept_and_servers_are_made_of_it",
    "password_while_running",
    "strays_found_at_start_are_removed",
    "crash_during_rebuild",
    "crash_during_delete",
];

#[test]
fn machines() {
    let programs = ["qemu-system-x86_64", "qemu-img", "ip", "nft", "nsenter"];
    let Some(images) = need::images("conformance of machines", "tiny", &programs) else { return };
    let plan = Plan {
        word: "m",
        runtime: Runtime::Machine,
        engine: |layout, clock| {
            std::sync::Arc::new(Machines::with(layout, ImageStore::new(layout.images()), clock, Choice::Tcg).unwrap())
        },
        image: version(&images, "tiny"),
        artefact: "tiny",
        network: true,
        memory_mb: 128,
        settle_ms: 6000,
    };
    assert!(OF_MACHINES.iter().all(|name| conformance::names().any(|known| known == *name)));
    conforms(&plan, 2, |name| OF_MACHINES.contains(&name));
}

#[test]
fn containers() {
    let programs = ["lxc-start", "lxc-usernsexec", "mkfs.ext4", "losetup", "unshare", "ip", "nft", "nsenter"];
    let Some(images) = need::images("conformance of containers", "tiny", &programs) else { return };
    let plan = Plan {
        word: "c",
        runtime: Runtime::Container,
        engine: |layout, clock| std::sync::Arc::new(Containers::open(layout, clock).unwrap()),
        image: version(&images, "tiny"),
        artefact: "tiny",
        network: true,
        memory_mb: 128,
        settle_ms: 3000,
    };
    conforms(&plan, 4, |_| true);
}

#[test]
fn files() {
    conforms(&fake::plan(&fake::content("conformance")), 16, |_| true);
}
