//! Which host a state directory is: a number that was drawn once and means nothing else. Databases know the host by it,
//! whatever machine it is in and whatever that is called.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use wolke_host::{HostError, ObjectKey, ObjectKind};

use super::memory::Home;
use super::{disk, file};
use crate::engine::Result;
use crate::layout::Layout;

/// Bytes of an identity: two hosts never draw the same.
const BYTES: usize = 16;
/// Where the kernel gives random numbers.
const RANDOM: &str = "/dev/urandom";

/// What a state directory says of its host while nobody has opened it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signs {
    /// The host's identity; none before it was opened for the first time.
    pub identity: Option<String>,
    /// Servers or snapshots are there, or are to be there.
    pub holds: bool,
}

/// Looks at a state directory, and changes nothing. One that does not exist is empty.
///
/// # Errors
/// [`HostError::ENGINE`] when it cannot be read.
pub fn signs(state: &Path) -> Result<Signs> {
    let layout = Layout::new(state.to_owned());
    Ok(Signs { identity: read(&layout)?, holds: holds(&layout)? })
}

/// The identity of this directory, drawn now if it has none. Only who holds its lock may ask.
pub(super) fn ensure(layout: &Layout) -> Result<String> {
    if let Some(identity) = read(layout)? {
        return Ok(identity);
    }
    let mut bytes = [0; BYTES];
    let drawn = File::open(RANDOM).and_then(|mut random| random.read_exact(&mut bytes));
    drawn.map_err(|error| file::failed("read", Path::new(RANDOM), &error))?;
    let identity: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    file::write(&layout.identity(), format!("{identity}\n").as_bytes())?;
    Ok(identity)
}

fn read(layout: &Layout) -> Result<Option<String>> {
    let path = layout.identity();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file::failed("read", &path, &error)),
    };
    let identity = text.trim_end();
    if identity.len() == 2 * BYTES && identity.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Some(identity.to_owned()));
    }
    // A new one would make a stranger of this host.
    let why =
        format!("{} is not what was written there: an identity has {} hexadecimal digits", path.display(), 2 * BYTES);
    Err(HostError::new(HostError::ENGINE, why))
}

fn holds(layout: &Layout) -> Result<bool> {
    for name in file::names(&layout.servers())? {
        let path = layout.servers().join(name);
        if path.is_dir() && (!disk::all(&path)?.is_empty() || is_wished(&path)?) {
            return Ok(true);
        }
    }
    let images: BTreeSet<String> = file::names(&layout.images())?.into_iter().collect();
    let is_snapshot = |name: &String| ObjectKey::parse(name).is_some_and(|key| key.kind == ObjectKind::Image);
    if images.iter().any(is_snapshot) {
        return Ok(true);
    }
    for name in file::names(&layout.wishes())? {
        if is_wished(&layout.wishes().join(name))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Something is desired in this directory of an object.
fn is_wished(path: &Path) -> Result<bool> {
    let home = Home { path: path.to_owned() };
    Ok(home.desired()?.is_some_and(|desired| !desired.is_tombstone()))
}
