//! The pure rules of volumes (dialects D.1, fact sheet §3.4).

use crate::{Error, FieldError, Result};
use serde::{Deserialize, Serialize};
use wolke_wire::{ErrorCode, Id, Timestamp};

/// The smallest volume, in GB.
pub const SIZE_GB_MIN: i64 = 10;
/// The largest volume, in GB.
pub const SIZE_GB_MAX: i64 = 10_240;
/// The longest name, in characters.
pub const NAME_LENGTH_MAX: usize = 64;
/// Volumes that can be attached to one server (fact sheet §3.4).
pub const PER_SERVER_MAX: usize = 16;
/// The file systems that a volume can be made with.
pub const FORMATS: [&str; 2] = ["xfs", "ext4"];

/// How a volume hangs on its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Since when, in world time.
    pub since: Timestamp,
    /// The server's `rebuild_epoch` when it was told to mount the volume: the next rebuild throws that away with the rest of
    /// the disk. None when it was not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mounted_in: Option<i64>,
}

impl Attachment {
    /// A new one. Without `automount` nobody mounts the volume.
    #[must_use]
    pub fn new(since: Timestamp, automount: bool, rebuild_epoch: i64) -> Self {
        Self { since, mounted_in: automount.then_some(rebuild_epoch) }
    }

    /// Whether the system on the server's disk mounts a volume with this file system: one without has nothing to mount.
    #[must_use]
    pub fn is_mounted(&self, format: Option<&str>, rebuild_epoch: i64) -> bool {
        format.is_some() && self.mounted_in == Some(rebuild_epoch)
    }
}

/// The name of a volume: letters, digits and `-_.`, the first and the last a letter or digit.
///
/// # Errors
/// The field with what a name looks like.
pub fn name(field: &str, text: &str) -> Result<(), FieldError> {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let is_known = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let fits = bytes.len() <= NAME_LENGTH_MAX && bytes.iter().all(is_known);
    if fits && is_edge(bytes.first()) && is_edge(bytes.last()) {
        return Ok(());
    }
    Err(FieldError::new(
        field,
        format!(
            "must be 1 to {NAME_LENGTH_MAX} letters, digits, '-', '_' and '.', of which the first and the last is a letter or digit"
        ),
    ))
}

/// A size in GB.
///
/// # Errors
/// `size` with its range.
pub fn check_size(size: i64) -> Result<(), FieldError> {
    if (SIZE_GB_MIN..=SIZE_GB_MAX).contains(&size) {
        return Ok(());
    }
    Err(FieldError::new("size", format!("must be between {SIZE_GB_MIN} and {SIZE_GB_MAX}")))
}

/// A size in GB that came as any number.
///
/// # Errors
/// `size`, when it is no whole number or out of range.
pub fn whole_size(size: f64) -> Result<i64, FieldError> {
    if size.fract() != 0.0 {
        return Err(FieldError::new("size", "must be a whole number of GB"));
    }
    // Sizes beyond the integers become the nearest one, which is out of range as well.
    #[allow(clippy::cast_possible_truncation, reason = "whole, and saturating where it is out of range")]
    let size = size as i64;
    check_size(size).map(|()| size)
}

/// Volumes only grow.
///
/// # Errors
/// `invalid_input` on `size`.
pub fn check_growth(current: i64, wanted: i64) -> Result<()> {
    if wanted > current {
        return Ok(());
    }
    Err(Error::invalid("size", format!("must be greater than the current size of {current} GB")))
}

/// A file system.
///
/// # Errors
/// `format` with what there is.
pub fn check_format(format: &str) -> Result<(), FieldError> {
    if FORMATS.contains(&format) {
        return Ok(());
    }
    Err(FieldError::new("format", format!("must be one of {}", FORMATS.join(", "))))
}

/// What must hold before a volume is attached to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish<'a> {
    /// The volume.
    pub volume: Id,
    /// The server that has it already.
    pub has: Option<Id>,
    /// Where it lives.
    pub location: Id,
    /// Where the server stands.
    pub server_location: Id,
    /// Volumes that the server has.
    pub attached: usize,
    /// The field that names one of the two.
    pub field: &'a str,
}

/// Whether a volume can be attached.
///
/// # Errors
/// `volume_already_attached`, also for the same server; `invalid_input` for a server of another location;
/// `limit_exceeded_error` when the server has as many as it can.
pub fn check_attach(wish: &Wish<'_>) -> Result<()> {
    if wish.has.is_some() {
        let message = format!("volume with ID '{}' is already attached to a server", wish.volume);
        return Err(Error::refused(ErrorCode::VolumeAlreadyAttached, message));
    }
    if wish.location != wish.server_location {
        return Err(Error::invalid(wish.field, "volume and server must be in the same location"));
    }
    if wish.attached >= PER_SERVER_MAX {
        let message = format!("a server cannot have more than {PER_SERVER_MAX} volumes");
        return Err(Error::refused(ErrorCode::LimitExceededError, message));
    }
    Ok(())
}

/// Only what is attached to nothing can be deleted. Code and words are the real service's.
///
/// # Errors
/// `service_error`.
pub fn check_detached(id: Id, server: Option<Id>) -> Result<()> {
    match server {
        None => Ok(()),
        Some(_) => {
            let message = format!("volume with ID '{id}' is still attached to a server");
            Err(Error::refused(ErrorCode::ServiceError, message))
        }
    }
}

/// The refusal of a size for which a location has no room left.
#[must_use]
pub fn no_space_left(location: &str) -> Error {
    Error::refused(ErrorCode::NoSpaceLeftInLocation, format!("there is no space left in location {location}"))
}

/// The path under which a guest finds a volume. It does not change while the volume lives.
#[must_use]
pub fn linux_device(id: Id) -> String {
    format!("/dev/disk/by-id/scsi-0HC_Volume_{id}")
}

/// Where a guest that was told to mount a volume does so.
#[must_use]
pub fn mount_point(id: Id) -> String {
    format!("/mnt/HC_Volume_{id}")
}

#[cfg(test)]
mod tests {
    use super::{
        Attachment, NAME_LENGTH_MAX, PER_SERVER_MAX, SIZE_GB_MAX, SIZE_GB_MIN, Wish, check_attach, check_detached,
        check_format, check_growth, check_size, name, whole_size,
    };
    use wolke_wire::{ErrorCode, Timestamp};

    #[test]
    fn names() {
        for good in ["a", "7", "database-storage", "a_b.c", "A--9", &"a".repeat(NAME_LENGTH_MAX)] {
            assert!(name("name", good).is_ok(), "{good}");
        }
        let long = "a".repeat(NAME_LENGTH_MAX + 1);
        for bad in ["", "-a", "a-", ".", "a b", "ä", "a/b", "a_", long.as_str()] {
            assert_eq!(name("name", bad).unwrap_err().name, "name", "{bad}");
        }
    }

    #[test]
    fn sizes() {
        for good in [SIZE_GB_MIN, 42, SIZE_GB_MAX] {
            assert!(check_size(good).is_ok());
        }
        for bad in [i64::MIN, -10, 0, SIZE_GB_MIN - 1, SIZE_GB_MAX + 1, i64::MAX] {
            assert_eq!(check_size(bad).unwrap_err().name, "size");
        }
        assert_eq!(whole_size(20.0), Ok(20));
        for bad in [20.5, 9.999, -20.0, 1e300, f64::INFINITY, f64::NAN] {
            assert_eq!(whole_size(bad).unwrap_err().name, "size", "{bad}");
        }
        assert!(check_growth(10, 11).is_ok());
        for wanted in [10, 9] {
            assert_eq!(check_growth(10, wanted).unwrap_err().code(), ErrorCode::InvalidInput);
        }
    }

    #[test]
    fn formats() {
        assert!(check_format("xfs").is_ok() && check_format("ext4").is_ok());
        for bad in ["", "XFS", "btrfs"] {
            assert_eq!(check_format(bad).unwrap_err().messages, ["must be one of xfs, ext4"]);
        }
    }

    #[test]
    fn attaching() {
        let free = Wish { volume: 1, has: None, location: 1, server_location: 1, attached: 0, field: "server" };
        let code = |wish: Wish<'_>| check_attach(&wish).unwrap_err().code();
        assert_eq!(check_attach(&Wish { attached: PER_SERVER_MAX - 1, ..free }), Ok(()));
        assert_eq!(code(Wish { attached: PER_SERVER_MAX, ..free }), ErrorCode::LimitExceededError);
        assert_eq!(code(Wish { has: Some(7), ..free }), ErrorCode::VolumeAlreadyAttached);
        assert_eq!(code(Wish { server_location: 2, ..free }), ErrorCode::InvalidInput);
        assert_eq!(check_detached(1, None), Ok(()));
        let refused = check_detached(5, Some(1)).unwrap_err();
        assert_eq!(refused.message(), "volume with ID '5' is still attached to a server");
    }

    #[test]
    fn a_rebuild_forgets_mounts() {
        let told = Attachment::new(Timestamp(1), true, 3);
        assert!(told.is_mounted(Some("xfs"), 3));
        assert!(!told.is_mounted(Some("xfs"), 4), "the disk is another");
        assert!(!told.is_mounted(None, 3), "there is nothing to mount");
        assert!(!Attachment::new(Timestamp(1), false, 3).is_mounted(Some("xfs"), 3));
    }
}
