//! Writes archives in the form of the kernel's initial file system: cpio, "newc" (kernel documentation,
//! `driver-api/early-userspace/buffer-format`).

use std::io::{self, Write};

/// File type bits of a directory.
const DIRECTORY: u32 = 0o040_000;
/// File type bits of a file.
const REGULAR: u32 = 0o100_000;
/// File type bits of a character device.
const CHARACTER: u32 = 0o020_000;
/// Names and contents begin at multiples of this.
const ALIGN: usize = 4;
/// The bytes of a header.
const HEADER: usize = 110;
/// The name that ends an archive.
const TRAILER: &str = "TRAILER!!!";

/// An archive that is being written. Everything in it belongs to root.
pub struct Archive<W> {
    to: W,
    number: u32,
}

impl<W: Write> Archive<W> {
    pub const fn new(to: W) -> Self {
        Self { to, number: 0 }
    }

    pub fn directory(&mut self, name: &str) -> io::Result<()> {
        self.entry(name, DIRECTORY | 0o755, (0, 0), &[])
    }

    pub fn file(&mut self, name: &str, mode: u32, content: &[u8]) -> io::Result<()> {
        self.entry(name, REGULAR | mode, (0, 0), content)
    }

    /// A character device with its major and minor number.
    pub fn device(&mut self, name: &str, mode: u32, device: (u32, u32)) -> io::Result<()> {
        self.entry(name, CHARACTER | mode, device, &[])
    }

    /// Ends the archive.
    pub fn finish(mut self) -> io::Result<W> {
        self.number = 0;
        self.entry(TRAILER, 0, (0, 0), &[])?;
        Ok(self.to)
    }

    fn entry(&mut self, name: &str, mode: u32, device: (u32, u32), content: &[u8]) -> io::Result<()> {
        let size = u32::try_from(content.len()).map_err(io::Error::other)?;
        let name_size = u32::try_from(name.len() + 1).map_err(io::Error::other)?;
        self.number += 1;
        let links = if mode & DIRECTORY == 0 { 1 } else { 2 };
        // inode, mode, owner, group, links, time, size, device, device of a special file, size of the name, checksum
        let fields = [self.number, mode, 0, 0, links, 0, size, 0, 0, device.0, device.1, name_size, 0]
            .map(|n| format!("{n:08X}"));
        write!(self.to, "070701{}{name}\0", fields.concat())?;
        self.pad(HEADER + name.len() + 1)?;
        self.to.write_all(content)?;
        self.pad(content.len())
    }

    fn pad(&mut self, written: usize) -> io::Result<()> {
        self.to.write_all(&[0; ALIGN][..written.next_multiple_of(ALIGN) - written])
    }
}

#[cfg(test)]
mod tests {
    use super::Archive;

    #[test]
    fn an_archive_has_the_form_that_the_kernel_reads() {
        let mut archive = Archive::new(Vec::new());
        archive.directory("bin").unwrap();
        archive.file("bin/x", 0o755, b"hello").unwrap();
        archive.device("dev/console", 0o600, (5, 1)).unwrap();
        let bytes = archive.finish().unwrap();
        assert_eq!(bytes.len() % 4, 0);
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("07070100000001000041ED"), "{text}");
        assert_eq!(text.matches("070701").count(), 4);
        assert!(text.contains("00000005000000000000000000000000000000000000000600000000bin/x\0hello\0\0\0"), "{text}");
        assert!(text.contains("0000000500000001"), "{text}");
        assert!(text.ends_with("TRAILER!!!\0\0\0\0"), "{text}");
    }
}
