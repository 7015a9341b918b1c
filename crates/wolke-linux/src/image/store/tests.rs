use std::path::PathBuf;

use super::ImageStore;
use crate::image::{BootBy, Init, Manifest, Origin};
use wolke_host::{Architecture, HostError, Runtime};

/// A directory that goes with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wolke-image-store-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn store(&self) -> ImageStore {
        ImageStore::new(self.0.join("images"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn manifest(size_mb: u64) -> Manifest {
    Manifest {
        origin: Origin::Built,
        sha256: "ab".repeat(32),
        architecture: Architecture::X86,
        runtimes: vec![Runtime::Container],
        boot: BootBy::Kernel { cmdline: "root=/dev/vda".into() },
        init: Init::Busybox,
        cloud_init: false,
        min_disk_gb: 1,
        size_mb,
    }
}

/// One more version of an artefact.
fn add(store: &ImageStore, artefact: &str, size_mb: u64) -> PathBuf {
    let slot = store.begin(artefact).unwrap();
    std::fs::write(slot.path.join("disk.qcow2"), b"disk").unwrap();
    store.commit(slot, &manifest(size_mb)).unwrap().path
}

fn entries(store: &ImageStore) -> Vec<String> {
    let mut found = Vec::new();
    for artefact in std::fs::read_dir(store.root()).into_iter().flatten().flatten() {
        for entry in std::fs::read_dir(artefact.path()).into_iter().flatten().flatten() {
            let path = entry.path();
            found.push(path.strip_prefix(store.root()).unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

#[test]
fn an_empty_store_has_nothing() {
    let scratch = Scratch::new("empty");
    let store = scratch.store();
    assert_eq!(store.find("tiny").unwrap(), None);
    assert!(store.list().unwrap().is_empty());
    store.sweep(&[]).unwrap();
    store.remove("tiny").unwrap();
    assert!(entries(&store).is_empty());
}

#[test]
fn a_version_appears_when_it_is_committed_and_the_newest_counts() {
    let scratch = Scratch::new("versions");
    let store = scratch.store();
    let slot = store.begin("tiny").unwrap();
    std::fs::write(slot.path.join("disk.qcow2"), b"disk").unwrap();
    assert_eq!(store.find("tiny").unwrap(), None);
    let first = store.commit(slot, &manifest(1)).unwrap();
    assert_eq!(first.path, store.root().join("tiny/1"));
    assert_eq!(store.find("tiny").unwrap().unwrap(), first);
    for number in 2..12 {
        assert_eq!(add(&store, "tiny", number), store.root().join(format!("tiny/{number}")));
    }
    // Numbers, not words: 11 is newer than 9.
    assert_eq!(store.find("tiny").unwrap().unwrap().manifest.size_mb, 11);
    assert_eq!(store.version(&first.path).unwrap(), first);
    add(&store, "debian-12", 5);
    let names: Vec<_> = store.list().unwrap().into_iter().map(|image| image.artefact).collect();
    assert_eq!(names, ["debian-12", "tiny"]);
}

#[test]
fn two_that_are_made_at_once_do_not_meet() {
    let scratch = Scratch::new("two");
    let (store, other) = (scratch.store(), scratch.store());
    let (first, second) = (store.begin("tiny").unwrap(), other.begin("tiny").unwrap());
    assert_ne!(first.path, second.path);
    assert_eq!(other.commit(second, &manifest(2)).unwrap().path, store.root().join("tiny/1"));
    assert_eq!(store.commit(first, &manifest(1)).unwrap().path, store.root().join("tiny/2"));
    let made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| add(&store, "tiny", 3))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(made.iter().collect::<std::collections::BTreeSet<_>>().len(), 8);
}

#[test]
fn sweeping_leaves_what_is_used_and_what_is_being_made() {
    let scratch = Scratch::new("sweep");
    let store = scratch.store();
    let (old, older, newest) = (add(&store, "tiny", 1), add(&store, "tiny", 2), add(&store, "tiny", 3));
    let slot = store.begin("tiny").unwrap();
    store.sweep(std::slice::from_ref(&old)).unwrap();
    assert_eq!(entries(&store), ["tiny/.1.new", "tiny/1", "tiny/3"]);
    assert_eq!(store.version(&older).unwrap_err().code, HostError::IMAGE_MISSING);
    store.remove("tiny").unwrap();
    assert_eq!(store.find("tiny").unwrap(), None);
    assert!(store.version(&newest).is_ok());
    store.sweep(std::slice::from_ref(&newest)).unwrap();
    assert_eq!(entries(&store), ["tiny/.1.new", "tiny/3"]);
    // A removed name may come back, as a new version.
    let back = store.commit(slot, &manifest(4)).unwrap();
    assert_eq!(back.path, store.root().join("tiny/4"));
    assert_eq!(store.find("tiny").unwrap(), Some(back));
    store.remove("tiny").unwrap();
    store.sweep(&[]).unwrap();
    assert!(!store.root().join("tiny").exists());
}

#[test]
fn what_was_given_up_or_killed_leaves_nothing() {
    let scratch = Scratch::new("killed");
    let store = scratch.store();
    let slot = store.begin("tiny").unwrap();
    std::fs::create_dir_all(slot.path.join("rootfs/etc")).unwrap();
    store.abandon(slot).unwrap();
    assert!(!store.root().join("tiny").exists());
    // Killed while it was made: the lock is free, the directory is there.
    let slot = store.begin("tiny").unwrap();
    let path = slot.path.clone();
    drop(slot);
    std::fs::write(path.join("manifest.json"), b"{").unwrap();
    // Killed between the two halves of a removal.
    std::fs::create_dir_all(store.root().join("tiny/.1.old/rootfs")).unwrap();
    // Not ours: hidden, but no version.
    std::fs::create_dir_all(store.root().join("debian-12/.keep")).unwrap();
    assert_eq!(store.find("tiny").unwrap(), None);
    store.sweep_begun().unwrap();
    assert_eq!(entries(&store), ["debian-12/.keep"]);
}

#[test]
fn a_removal_that_was_cut_short_is_none() {
    let scratch = Scratch::new("cut");
    let store = scratch.store();
    let (first, second) = (add(&store, "tiny", 1), add(&store, "tiny", 2));
    std::fs::write(first.join("removed"), b"").unwrap();
    assert_eq!(store.find("tiny").unwrap().unwrap().path, second);
    store.remove("tiny").unwrap();
    assert_eq!(store.find("tiny").unwrap(), None);
}

#[test]
fn names_and_strangers_do_no_harm() {
    let scratch = Scratch::new("names");
    let store = scratch.store();
    for bad in ["", "..", "../tiny", "/etc", ".x", "a/b"] {
        assert_eq!(store.begin(bad).unwrap_err().code, HostError::ENGINE, "{bad}");
        assert!(store.find(bad).is_err() && store.remove(bad).is_err(), "{bad}");
    }
    add(&store, "tiny", 1);
    std::fs::create_dir_all(store.root().join("tiny/007")).unwrap();
    std::fs::create_dir_all(store.root().join("tiny/x")).unwrap();
    std::fs::write(store.root().join("readme"), b"").unwrap();
    assert_eq!(store.find("tiny").unwrap().unwrap().manifest.size_mb, 1);
    store.sweep(&[]).unwrap();
    assert_eq!(entries(&store), ["tiny/007", "tiny/1", "tiny/x"]);
    // A version whose manifest nobody can read is an error, not the one before it.
    std::fs::write(store.root().join("tiny/1/manifest.json"), b"{").unwrap();
    assert_eq!(store.find("tiny").unwrap_err().code, HostError::ENGINE);
    assert_eq!(store.version(&store.root().join("tiny/1")).unwrap_err().code, HostError::IMAGE_MISSING);
}

#[test]
fn entries_of_the_catalogue_are_remembered() {
    let scratch = Scratch::new("listed");
    let store = scratch.store();
    assert!(!store.is_listed("tiny").unwrap());
    store.set_listed("tiny", false).unwrap();
    store.set_listed("tiny", true).unwrap();
    assert!(scratch.store().is_listed("tiny").unwrap() && !store.is_listed("debian-12").unwrap());
    assert!(store.list().unwrap().is_empty());
    store.set_listed("tiny", false).unwrap();
    assert!(!store.is_listed("tiny").unwrap());
}
