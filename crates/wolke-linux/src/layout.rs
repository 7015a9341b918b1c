//! Where things are: every path of a host follows from its state directory and an id.
//!
//! ```text
//! <state>/images/<artefact>/<version>/   manifest.json disk.qcow2 rootfs/ vmlinuz initrd
//! <state>/servers/<id>/                  memory.json desired.json (0600) run/ disk-<epoch>/
//! <state>/servers/<id>/run/              sockets, process ids, logs: what one run leaves behind
//! <state>/wishes/image-<id>/             memory.json desired.json: what is wished of an image that a snapshot makes
//! <state>/identity                       which host this is: drawn once
//! <state>/lock                           held by the process that uses the directory
//! ```

use std::path::{Path, PathBuf};

use wolke_wire::Id;

/// The longest state directory: sockets have to fit into 108 bytes below it.
pub const STATE_MAX: usize = 60;

/// The directories of a host.
#[derive(Clone, Debug)]
pub struct Layout {
    state: PathBuf,
}

impl Layout {
    /// Below this directory.
    #[must_use]
    pub fn new(state: PathBuf) -> Self {
        Self { state }
    }

    /// Everything that it keeps.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The images.
    #[must_use]
    pub fn images(&self) -> PathBuf {
        self.state.join("images")
    }

    /// The servers.
    #[must_use]
    pub fn servers(&self) -> PathBuf {
        self.state.join("servers")
    }

    /// What is remembered of images that snapshots make.
    #[must_use]
    pub fn wishes(&self) -> PathBuf {
        self.state.join("wishes")
    }

    /// What is remembered of one of them.
    #[must_use]
    pub fn image_wish(&self, id: Id) -> PathBuf {
        self.wishes().join(wolke_host::ObjectKey::image(id).to_string())
    }

    /// The file whose lock says that a process uses the directory.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    /// The file that says which host this is.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.state.join("identity")
    }

    /// One server.
    #[must_use]
    pub fn server(&self, id: Id) -> ServerDir {
        ServerDir { id, path: self.servers().join(id.to_string()) }
    }
}

/// The directory of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerDir {
    /// The server.
    pub id: Id,
    /// Its directory.
    pub path: PathBuf,
}

impl ServerDir {
    /// What one run leaves behind; the engine makes and removes it.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        self.path.join("run")
    }

    /// Under which name engines know it: `wolke-42`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("wolke-{}", self.id)
    }
}
