//! `wolke image`: the images of this machine, and their entries in the catalogue.
//!
//! An image that the catalogue does not have gets an entry, so that servers can be ordered with it; that entry goes with it.
//! Building takes minutes: the control plane is only asked when it is done.

use super::segment;
use crate::cli::{ImageVerb, NewFile, Output};
use crate::config::Settings;
use crate::directory::{Directory, Lock};
use crate::failure::{Failure, Result};
use crate::output::{self, Column, print};
use crate::reach::{self, Access};
use http::Method;
use serde_json::{Value, json};
use wolke_host::{Architecture, HostError};
use wolke_linux::image::{self, Addition, Image, ImageStore, Origin, Recipe};
use wolke_linux::layout::Layout;

/// The distribution and release of an image of which nobody has told.
pub const UNKNOWN: &str = "unknown";
const IMAGES: &[Column] = &[
    ("NAME", "name"),
    ("VERSION", "version"),
    ("RUNTIMES", "runtimes"),
    ("ARCHITECTURE", "architecture"),
    ("DISK (GB)", "min_disk_gb"),
    ("SIZE (MB)", "size_mb"),
    ("FROM", "from"),
];

/// Where a data directory keeps what belongs to real servers.
pub fn layout(settings: &Settings) -> Layout {
    let state = Directory::persistent(settings).path().join("linux");
    // Programs that work on it change their directory.
    Layout::new(std::path::absolute(&state).unwrap_or(state))
}

/// Runs a command to its end. Blocks, and must not be called on a runtime.
///
/// # Errors
/// When it is refused.
pub fn run(settings: &Settings, verb: &ImageVerb) -> Result<()> {
    let store = ImageStore::new(layout(settings).images());
    let mut progress = |line: &str| output::remark(line);
    match verb {
        ImageVerb::List(output) => {
            let images = store.list().map_err(failed)?;
            show(&images.iter().map(shown).collect::<Vec<_>>().into(), *output)
        }
        ImageVerb::Build { name, mirrors, output } => {
            let recipe = Recipe::named(name, mirrors.clone());
            let recipe = recipe.ok_or_else(|| Failure::usage(format!("there is no recipe for {name}")))?;
            Directory::persistent(settings).make()?;
            let image = image::build(&store, &recipe, &mut progress).map_err(failed)?;
            reach::briefly(list(settings, &store, &image, (UNKNOWN, UNKNOWN)))?;
            show(&shown(&image), *output)
        }
        ImageVerb::Add(new) => {
            Directory::persistent(settings).make()?;
            let image = image::add(&store, &new.name, &addition(new), &mut progress).map_err(failed)?;
            reach::briefly(list(settings, &store, &image, (&new.os_flavor, &new.os_version)))?;
            show(&shown(&image), new.output)
        }
        ImageVerb::Remove { name } => {
            if store.find(name).map_err(failed)?.is_none() {
                return Err(Failure::new(format!(
                    "there is no image {name}: `wolke image list` shows those that are here"
                )));
            }
            if store.is_listed(name).map_err(failed)? {
                reach::briefly(unlist(settings, name))?;
                store.set_listed(name, false).map_err(failed)?;
            }
            store.remove(name).map_err(failed)
        }
    }
}

fn addition(new: &NewFile) -> Addition {
    let architecture = new.architecture.as_deref().map(|word| match word {
        "arm" => Architecture::Arm,
        _ => Architecture::X86,
    });
    Addition { file: new.file.clone(), sha256: new.sha256.clone(), architecture }
}

/// Gives an image an entry of the catalogue, unless it has one.
async fn list(
    settings: &Settings,
    store: &ImageStore,
    image: &Image,
    system: (&str, &str),
) -> Result<((), Option<Lock>)> {
    if !is_installed(settings).await {
        let name = &image.artefact;
        let hint = "`wolke serve` makes an installation, and `wolke catalogue add-image` an entry";
        output::remark(&format!("{name} is here, and nothing is installed yet that could order it: {hint}"));
        return Ok(((), None));
    }
    let access = Access::open(settings, "image").await?;
    let outcome = entry(&access, store, image, system).await;
    let lock = access.close().await;
    let lacks =
        |error: Failure| Failure::new(format!("{} is here, but not in the catalogue: {}", image.artefact, error.text));
    outcome.map(|()| ((), lock)).map_err(lacks)
}

async fn entry(access: &Access, store: &ImageStore, image: &Image, (flavor, version): (&str, &str)) -> Result<()> {
    let entries = access.call(Method::GET, "/catalogue/entries/image", None).await?;
    if entries.as_array().into_iter().flatten().any(|entry| entry["name"] == image.artefact.as_str()) {
        return Ok(());
    }
    let new = json!({
        "type": "system", "name": image.artefact, "description": image.artefact, "os_flavor": flavor, "os_version": version,
        "architectures": [image.manifest.architecture], "disk_size": image.manifest.min_disk_gb,
    });
    access.call(Method::POST, "/catalogue/images", Some(&new)).await?;
    store.set_listed(&image.artefact, true).map_err(failed)
}

/// Takes the entry of an image back that was made for it.
async fn unlist(settings: &Settings, name: &str) -> Result<((), Option<Lock>)> {
    if !is_installed(settings).await {
        return Ok(((), None));
    }
    let access = Access::open(settings, "image").await?;
    let outcome = withdraw(&access, name).await;
    let lock = access.close().await;
    outcome.map(|()| ((), lock))
}

async fn withdraw(access: &Access, name: &str) -> Result<()> {
    let changes = access.call(Method::GET, "/catalogue", None).await?;
    // Somebody may have been faster.
    if !changes.as_array().into_iter().flatten().any(|c| c["kind"] == "image" && c["name"] == name) {
        return Ok(());
    }
    access.call(Method::DELETE, &format!("/catalogue/entries/image/{}", segment(name)), None).await.map(|_| ())
}

/// Whether there is a catalogue to change.
async fn is_installed(settings: &Settings) -> bool {
    settings.database.is_some() || Directory::of(settings).is_installed() || reach::server(settings).await.is_some()
}

fn shown(image: &Image) -> Value {
    let manifest = &image.manifest;
    let runtimes: Vec<_> = manifest.runtimes.iter().map(|runtime| runtime.as_str()).collect();
    let from = match &manifest.origin {
        Origin::Built => "built".to_owned(),
        Origin::Added => "added".to_owned(),
        Origin::Snapshot { server } => format!("snapshot of server {server}"),
    };
    json!({
        "name": image.artefact,
        "version": image.path.file_name().map(|name| name.to_string_lossy()),
        "runtimes": runtimes,
        "architecture": manifest.architecture,
        "min_disk_gb": manifest.min_disk_gb,
        "size_mb": manifest.size_mb,
        "from": from,
        "sha256": manifest.sha256,
        "cloud_init": manifest.cloud_init,
    })
}

/// A table shows the runtimes as words.
fn show(images: &Value, output: Output) -> Result<()> {
    let mut images = images.clone();
    if output.format == crate::cli::Format::Table {
        let rows = match &mut images {
            Value::Array(rows) => rows.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        for row in rows {
            let words: Vec<_> = row["runtimes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            row["runtimes"] = words.join(", ").into();
        }
    }
    print(output.format, &images, IMAGES)
}

fn failed(error: HostError) -> Failure {
    Failure::new(error.message)
}

#[cfg(test)]
mod tests;
