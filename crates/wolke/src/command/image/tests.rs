//! Images that are ordered: entries of the catalogue come and go with them, with and without a server.

use super::{entry, is_installed, layout, run, shown, withdraw};
use crate::cli::ImageVerb;
use crate::reach::Access;
use crate::testing::Folder;
use crate::tests::{serving, settings};
use http::Method;
use serde_json::json;
use wolke_host::{Architecture, Runtime};
use wolke_linux::image::{BootBy, Image, ImageStore, Init, Manifest, Origin};

/// An image of that name, with nothing in it.
fn made(store: &ImageStore, name: &str) -> Image {
    let slot = store.begin(name).unwrap();
    let manifest = Manifest {
        origin: Origin::Added,
        sha256: "ab".repeat(32),
        architecture: Architecture::X86,
        runtimes: vec![Runtime::Container, Runtime::Machine],
        boot: BootBy::Firmware,
        init: Init::Systemd,
        cloud_init: true,
        min_disk_gb: 2,
        size_mb: 700,
    };
    store.commit(slot, &manifest).unwrap()
}

/// The names of the catalogue's images.
async fn names(access: &Access) -> Vec<String> {
    let entries = access.call(Method::GET, "/catalogue/entries/image", None).await.unwrap();
    entries.as_array().unwrap().iter().filter_map(|e| Some(e["name"].as_str()?.to_owned())).collect()
}

#[test]
fn an_image_is_shown_with_all_that_one_asks_about() {
    let folder = Folder::new();
    let settings = settings(&folder, &[]);
    let store = ImageStore::new(layout(&settings).images());
    let image = made(&store, "our-app");
    assert!(image.path.starts_with(settings.data.join("linux/images/our-app")));
    let expected = json!({
        "name": "our-app", "version": "1", "runtimes": ["container", "machine"], "architecture": "x86", "min_disk_gb": 2,
        "size_mb": 700, "from": "added", "sha256": "ab".repeat(32), "cloud_init": true,
    });
    assert_eq!(shown(&image), expected);
}

#[test]
fn an_entry_of_the_catalogue_comes_and_goes_with_its_image() {
    let folder = Folder::new();
    let settings = settings(&folder, &[]);
    let store = ImageStore::new(layout(&settings).images());
    let (ours, known) = (made(&store, "our-app"), made(&store, "debian-12"));
    serving(&settings, async |_| {
        assert!(is_installed(&settings).await);
        let access = Access::open(&settings, "image").await.unwrap();
        assert!(access.is_server());
        for _ in 0..2 {
            entry(&access, &store, &ours, ("debian", "12")).await.unwrap();
            entry(&access, &store, &known, ("debian", "12")).await.unwrap();
        }
        let all = names(&access).await;
        assert_eq!(all.iter().filter(|name| *name == "our-app").count(), 1, "{all:?}");
        assert!(store.is_listed("our-app").unwrap() && !store.is_listed("debian-12").unwrap());
    });
    // No server runs: the database is opened for a moment.
    run(&settings, &ImageVerb::Remove { name: "our-app".into() }).unwrap();
    run(&settings, &ImageVerb::Remove { name: "debian-12".into() }).unwrap();
    assert!(store.list().unwrap().is_empty() && !store.is_listed("our-app").unwrap());
    serving(&settings, async |_| {
        let access = Access::open(&settings, "image").await.unwrap();
        let changes = access.call(Method::GET, "/catalogue", None).await.unwrap();
        assert!(changes.as_array().unwrap().iter().all(|c| c["change"]["remove"] == true), "{changes}");
        assert!(names(&access).await.iter().any(|name| name == "debian-12"));
        withdraw(&access, "never-there").await.unwrap();
    });
    let again = run(&settings, &ImageVerb::Remove { name: "our-app".into() }).unwrap_err();
    assert!(again.text.starts_with("there is no image our-app"), "{again:?}");
}

#[test]
fn without_an_installation_nothing_is_made() {
    let folder = Folder::new();
    let settings = settings(&folder, &[]);
    run(&settings, &ImageVerb::List(crate::cli::Output::default())).unwrap();
    assert!(!settings.data.exists());
}
