//! Which configuration files count, and where the data directory is.
//!
//! `--config FILE` (or `WOLKE_CONFIG`) alone when it is given. Else the user's file, `$XDG_CONFIG_HOME/wolke/wolke.toml` or
//! `~/.config/wolke/wolke.toml`, and over it `wolke.toml` in the data directory, each if it is there.

use super::list::CONFIG_VARIABLE;
use super::overlay::Overlay;
use super::settings::Settings;
use crate::failure::{Failure, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The name of configuration files.
const FILE_NAME: &str = "wolke.toml";

/// Lays everything over each other and reads it.
///
/// # Errors
/// For anything unknown or malformed, with its name, its place and the fix.
pub fn resolve(
    flags: &BTreeMap<&'static str, String>,
    config: Option<&Path>,
    environment: &BTreeMap<String, String>,
) -> Result<Settings> {
    let upper = {
        let mut upper = Overlay::from_environment(environment)?;
        upper.lay(Overlay::from_flags(flags));
        upper
    };
    let mut overlay = Overlay::defaults();
    let variable = environment.get(CONFIG_VARIABLE).filter(|text| !text.is_empty()).map(PathBuf::from);
    if let Some(file) = config.map(Path::to_owned).or(variable) {
        overlay.lay(Overlay::from_file(&file)?);
        overlay.lay(upper);
        let data = data_directory(&overlay, environment)?;
        return Settings::read(&overlay, data);
    }
    if let Some(file) = home(environment, "XDG_CONFIG_HOME", ".config").map(|folder| folder.join(FILE_NAME))
        && file.is_file()
    {
        overlay.lay(Overlay::from_file(&file)?);
    }
    let mut so_far = overlay.clone();
    so_far.lay(upper.clone());
    let data = data_directory(&so_far, environment)?;
    let file = data.join(FILE_NAME);
    if file.is_file() {
        let inner = Overlay::from_file(&file)?;
        if inner.get("data").is_some() {
            let text = format!("data in {} has no effect there: remove it, the file was found by it", file.display());
            return Err(Failure::usage(text));
        }
        overlay.lay(inner);
    }
    overlay.lay(upper);
    Settings::read(&overlay, data)
}

/// A directory of ours below one of the XDG base directories. Relative ones are ignored, as their specification asks.
fn home(environment: &BTreeMap<String, String>, variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home)))?;
    Some(base.join("wolke"))
}

fn data_directory(overlay: &Overlay, environment: &BTreeMap<String, String>) -> Result<PathBuf> {
    if let Some(value) = overlay.get("data") {
        if value.text.is_empty() {
            return Err(Failure::usage(format!("{value} is empty: name a directory")));
        }
        return Ok(PathBuf::from(&value.text));
    }
    home(environment, "XDG_DATA_HOME", ".local/share")
        .ok_or_else(|| Failure::usage("there is no home directory to keep data in: name a directory with --data DIR"))
}
