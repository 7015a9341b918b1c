//! What a file is that somebody wants to be an image, by its first bytes; never by its name, and never by asking a program
//! that would follow what the file says.

use wolke_host::HostError;

use crate::engine::Result;

/// So much of a file is looked at.
pub const HEAD: usize = 4096;
/// The largest disk, in GB.
const DISK_GB_MAX: u64 = 10_000;
/// Bytes of a GB.
const GB: u64 = 1 << 30;
/// Where a disk that firmware boots from bears its mark, and the mark.
const BOOT_MARK: (usize, &[u8]) = (510, &[0x55, 0xaa]);
/// Where a tar archive bears its mark, and the mark.
const TAR_MARK: (usize, &[u8]) = (257, b"ustar");
/// How compressed files begin, and what tar calls that, which is also the name of a program.
const COMPRESSED: [(&[u8], &str, &str); 3] =
    [(&[0x1f, 0x8b], "--gzip", "gzip"), (b"\xfd7zXZ\0", "--xz", "xz"), (&[0x28, 0xb5, 0x2f, 0xfd], "--zstd", "zstd")];
/// How disks of other programs begin.
const STRANGERS: [(&[u8], &str); 4] =
    [(b"KDMV", "VMDK"), (b"vhdxfile", "VHDX"), (b"conectix", "VHD"), (b"<<< Oracle VM VirtualBox", "VDI")];

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A disk of QEMU, of so many GB.
    Qcow2(u32),
    /// The bytes of a disk, as they are.
    Raw,
    /// A root file system: what tar has to be told, and the program that unpacks it.
    Tar(Option<(&'static str, &'static str)>),
}

/// Tells what a file is by its head.
///
/// # Errors
/// [`HostError::UNSUPPORTED`]: what it is instead, or what is dangerous about it.
pub fn detect(head: &[u8]) -> Result<Format> {
    let has = |(at, mark): (usize, &[u8])| head.get(at..at + mark.len()) == Some(mark);
    if head.starts_with(b"QFI\xfb") {
        return qcow2(head).map(Format::Qcow2);
    }
    if let Some((_, name)) = STRANGERS.iter().find(|(mark, _)| head.starts_with(mark)) {
        return Err(refused(format!("it is a disk in the format {name}: convert it with qemu-img convert -O qcow2")));
    }
    if let Some((_, option, program)) = COMPRESSED.iter().find(|(mark, _, _)| head.starts_with(mark)) {
        return Ok(Format::Tar(Some((option, program))));
    }
    if has(TAR_MARK) {
        return Ok(Format::Tar(None));
    }
    if has(BOOT_MARK) {
        return Ok(Format::Raw);
    }
    Err(refused("it is neither qcow2, nor a raw disk with a boot sector, nor a tar archive".into()))
}

/// The size in GB, rounded up, of a disk of QEMU that stands on its own (QEMU's `docs/interop/qcow2.txt`).
fn qcow2(head: &[u8]) -> Result<u32> {
    let long = |at: usize| -> Result<u64> {
        let bytes = head.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u64::from_be_bytes).ok_or_else(|| refused("it is cut short".into()))
    };
    let (version, backing, size, encryption) = (long(0)? & 0xffff_ffff, long(8)?, long(24)?, long(32)? >> 32);
    if !matches!(version, 2 | 3) {
        return Err(refused(format!("it is qcow2 of version {version}")));
    }
    if backing != 0 {
        return Err(refused("it stands on another file, which could be any file of this machine".into()));
    }
    // Bit 2 of the features that a reader must know: the data is in another file.
    if version == 3 && long(72)? & 4 != 0 {
        return Err(refused("its data is in another file, which could be any file of this machine".into()));
    }
    if encryption != 0 {
        return Err(refused("it is encrypted".into()));
    }
    size_gb(size)
}

/// The size of a disk in GB, rounded up.
///
/// # Errors
/// [`HostError::UNSUPPORTED`] for one that no server could have.
pub fn size_gb(bytes: u64) -> Result<u32> {
    let size = bytes.div_ceil(GB);
    let size = (1..=DISK_GB_MAX).contains(&size).then(|| u32::try_from(size).ok()).flatten();
    size.ok_or_else(|| refused(format!("a disk has between 1 and {DISK_GB_MAX} GB")))
}

pub(super) fn refused(why: String) -> HostError {
    HostError::new(HostError::UNSUPPORTED, why)
}

#[cfg(test)]
mod tests {
    use super::{Format, HEAD, detect};

    fn qcow2(changes: &[(usize, &[u8])]) -> Vec<u8> {
        let mut head = vec![0; HEAD];
        let own: [(usize, &[u8]); 3] = [(0, b"QFI\xfb"), (7, &[3]), (24, &(3_u64 << 30).to_be_bytes())];
        for (at, bytes) in own.iter().chain(changes) {
            head[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        head
    }

    #[test]
    fn files_are_known_by_their_first_bytes() {
        assert_eq!(detect(&qcow2(&[])).unwrap(), Format::Qcow2(3));
        assert_eq!(detect(&qcow2(&[(24, &(1_u64 << 30 | 1).to_be_bytes())])).unwrap(), Format::Qcow2(2));
        assert_eq!(detect(&[0x1f, 0x8b, 8]).unwrap(), Format::Tar(Some(("--gzip", "gzip"))));
        let mut head = vec![0; HEAD];
        head[257..262].copy_from_slice(b"ustar");
        assert_eq!(detect(&head).unwrap(), Format::Tar(None));
        let mut head = vec![0; HEAD];
        head[510..512].copy_from_slice(&[0x55, 0xaa]);
        assert_eq!(detect(&head).unwrap(), Format::Raw);
    }

    #[test]
    fn what_is_dangerous_or_unknown_is_refused() {
        let name: &[u8] = &[1];
        for (head, why) in [
            (qcow2(&[(15, name)]), "stands on another file"),
            (qcow2(&[(79, &[4])]), "data is in another file"),
            (qcow2(&[(35, name)]), "encrypted"),
            (qcow2(&[(7, &[4])]), "version 4"),
            (qcow2(&[(24, &[0xff])]), "between 1 and"),
            (qcow2(&[])[..40].to_vec(), "cut short"),
            (b"QFI\xfb".to_vec(), "cut short"),
            (b"KDMV".to_vec(), "VMDK"),
            (b"hello".to_vec(), "neither"),
            (Vec::new(), "neither"),
        ] {
            let said = detect(&head).unwrap_err().message;
            assert!(said.contains(why), "{said}: {why}");
        }
    }
}
