//! The suite that every host passes, on the Linux host: with guests that are files, with containers, with virtual machines.

mod common;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::bench::{Bench, Plan};
use common::fake::Files;
use wolke_host::conformance;
use wolke_host::{Architecture, Runtime};
use wolke_linux::image::{BootBy, ImageStore, Init, Manifest, Origin};

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

/// An image for guests that are files.
fn content() -> PathBuf {
    let store = ImageStore::new(std::env::temp_dir().join(format!("t-content-{}", std::process::id())));
    let slot = store.begin("content").unwrap();
    std::fs::write(slot.path.join("content"), "1").unwrap();
    let manifest = Manifest {
        origin: Origin::Built,
        sha256: String::new(),
        architecture: Architecture::X86,
        runtimes: vec![Runtime::Container],
        boot: BootBy::Firmware,
        init: Init::Busybox,
        cloud_init: false,
        min_disk_gb: 1,
        size_mb: 1,
    };
    store.commit(slot, &manifest).unwrap().path
}

#[test]
fn files() {
    let image = content();
    let plan = Plan {
        word: "f",
        runtime: Runtime::Container,
        engine: |_, _| std::sync::Arc::new(Files::default()),
        image: image.clone(),
        artefact: "content",
        network: false,
        memory_mb: 128,
        settle_ms: 1500,
    };
    conforms(&plan, 16, |_| true);
    std::fs::remove_dir_all(image.parent().unwrap().parent().unwrap()).unwrap();
}
