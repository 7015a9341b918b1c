//! The key of secrets at rest: a file beside the database, or wherever `--seal-key` says. The embedded engine draws tokens and
//! passwords with it, too, so that a copy of the databases alone gives none of them away.
//!
//! The root database remembers the key's fingerprint, so that no process seals with a key that others cannot open.

use crate::failure::{Failure, Result};
use crate::files;
use std::path::{Path, PathBuf};
use wolke_domain::Error;
use wolke_store::seal::{KEY_LENGTH, Sealer};
use wolke_store::{Db, Race, Tx, migrate, random, token};

/// Where the root database keeps the fingerprint.
const META: &str = migrate::SEAL_KEY;
/// Hexadecimal digits of a fingerprint: enough to tell keys apart, useless for guessing one.
const FINGERPRINT_LENGTH: usize = 16;

/// A key and where it came from.
pub struct SealKey {
    hex: String,
    file: Option<PathBuf>,
    /// Made by this process just now.
    is_new: bool,
}

impl SealKey {
    /// A key that lives as long as this process.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn ephemeral() -> Result<Self> {
        Ok(Self { hex: draw()?, file: None, is_new: true })
    }

    /// Whether it was drawn by this process: no database knows it yet.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// The key in `file`, if there is such a file.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn find(file: &Path) -> Result<Option<Self>> {
        Ok(files::read(file)?.map(|hex| Self { hex, file: Some(file.to_owned()), is_new: false }))
    }

    /// The key in `file`; drawn for it when it is missing and `make` allows it. [`SealKey::keep`] writes it.
    ///
    /// # Errors
    /// When the file is missing and may not be made.
    pub fn load(file: &Path, make: bool) -> Result<Self> {
        if let Some(found) = Self::find(file)? {
            return Ok(found);
        }
        if !make {
            let file = file.display();
            return Err(Failure::new(format!("there is no seal key {file}: --seal-key names a file that is there")));
        }
        Ok(Self { hex: draw()?, file: Some(file.to_owned()), is_new: true })
    }

    /// Writes a key that was drawn, or yields to one that another process has written meanwhile. Before anything is sealed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(self) -> Result<Self> {
        let Some(file) = self.file.as_ref().filter(|_| self.is_new) else { return Ok(self) };
        if let Some(found) = Self::find(file)? {
            return Ok(found);
        }
        files::write(file, &self.hex)?;
        Ok(self)
    }

    /// The key itself: for the sealer, and for the randomness of the embedded engine.
    ///
    /// # Errors
    /// When it is no key.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        bytes(&self.hex).filter(|key| key.len() == KEY_LENGTH).ok_or_else(|| {
            let file = self.file.as_deref().unwrap_or(Path::new("the seal key")).display();
            Failure::new(format!("{file} holds no seal key: expected {} hexadecimal digits", KEY_LENGTH * 2))
        })
    }

    /// The sealer with this key.
    ///
    /// # Errors
    /// When it is no key.
    pub fn sealer(&self) -> Result<Sealer> {
        Ok(Sealer::new(&self.bytes()?)?)
    }

    /// Tells keys apart without giving them away.
    pub fn fingerprint(&self) -> String {
        let mut text = token::hash(&format!("wolke seal key {}", self.hex));
        text.truncate(FINGERPRINT_LENGTH);
        text
    }

    /// The fingerprint of the key that the root database was sealed with.
    ///
    /// # Errors
    /// The engine's failure.
    pub fn known(tx: &mut dyn Tx) -> wolke_domain::Result<Option<String>> {
        migrate::meta(tx, META)
    }

    /// Compares with the key that the database knows, or makes this one known. A key that was made in vain is removed.
    ///
    /// # Errors
    /// When the database was sealed with another key.
    pub async fn check(&self, root: &Db) -> Result<()> {
        let own = self.fingerprint();
        let known = match root.read(|tx| Self::known(tx)).await? {
            Some(known) => known,
            None => {
                let own = own.clone();
                let claim = root.write(vec![Race::Database], move |tx| match Self::known(tx)? {
                    Some(known) => Ok(known),
                    None => migrate::set_meta(tx, META, &own).map(|()| own.clone()),
                });
                claim.await?
            }
        };
        if known == own {
            return Ok(());
        }
        let Some(file) = &self.file else { return Err(Error::internal("a fresh database knows a seal key").into()) };
        if self.is_new {
            let _ = std::fs::remove_file(file);
        }
        Err(Failure::new(format!(
            "the secrets in this database are sealed with another key than {}: copy seal.key from the data directory of \
             the process that made the database, or name it with --seal-key FILE (expected fingerprint {known})",
            file.display()
        )))
    }
}

fn draw() -> Result<String> {
    random::system_seed().map_err(|e| Failure::new(format!("the system has no randomness: {e}")))
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}
