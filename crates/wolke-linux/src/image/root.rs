//! A look into an unpacked root file system that may be anybody's: links in it never lead out of it, and nothing of it runs.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use wolke_host::{Architecture, HostError};

use super::Init;
use super::format::refused;
use super::store::failed;
use crate::engine::Result;

/// How a program of Linux begins, and where it says for which processor it is (ELF specification, `e_machine`).
const ELF: (&[u8], usize) = (b"\x7fELF", 18);
/// What it says there.
const PROCESSORS: [(u16, Architecture); 2] = [(62, Architecture::X86), (183, Architecture::Arm)];
/// The initial file system that belongs to a kernel, by distributions.
const INITIAL: [(&str, &str); 3] = [("initrd.img-", ""), ("initramfs-", ".img"), ("initramfs-", "")];

/// The root of a system.
pub struct Root {
    directory: File,
    path: PathBuf,
}

impl Root {
    pub fn open(path: &Path) -> Result<Self> {
        let directory = File::open(path).map_err(|error| failed(path, &error))?;
        Ok(Self { directory, path: path.to_owned() })
    }

    /// Opens a file of the system as the system itself would find it; none when it has none there.
    fn file(&self, name: &str) -> Result<Option<File>> {
        // A pipe would block, a device is not read: neither is a file.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        match openat2(&self.directory, name, flags, Mode::empty(), resolve) {
            Ok(found) => {
                let file = File::from(found);
                let is_file = file.metadata().map_err(|error| self.failed(name, &error))?.is_file();
                Ok(is_file.then_some(file))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(self.failed(name, &error.into())),
        }
    }

    pub fn has(&self, name: &str) -> Result<bool> {
        self.file(name).map(|file| file.is_some())
    }

    /// Its init, and the processor that runs it where the init is a program and no script.
    pub fn init(&self) -> Result<(Init, Option<Architecture>)> {
        let mut file =
            self.file("sbin/init")?.ok_or_else(|| refused("it has no /sbin/init: it is no system".into()))?;
        let mut head = Vec::new();
        let read = Read::by_ref(&mut file).take(64).read_to_end(&mut head);
        read.map_err(|error| self.failed("sbin/init", &error))?;
        let name = self.name_of(&file)?;
        let init = match name.as_str() {
            name if name.contains("systemd") => Init::Systemd,
            name if name.contains("busybox") => Init::Busybox,
            other => return Err(refused(format!("its init is {other}; systemd and busybox are known"))),
        };
        let number = head.get(ELF.1..ELF.1 + 2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes);
        let of = |number: u16| PROCESSORS.iter().find(|(known, _)| *known == number).map(|(_, of)| *of);
        match number.filter(|_| head.starts_with(ELF.0)) {
            Some(number) => {
                let unknown = || refused("it is for a processor that no server has".into());
                of(number).map(|of| (init, Some(of))).ok_or_else(unknown)
            }
            None => Ok((init, None)),
        }
    }

    /// Copies its newest kernel and the initial file system of that; says whether it has both.
    pub fn copy_kernel(&self, to: &Path) -> Result<bool> {
        let mut versions = self.kernels()?;
        versions.sort_by_key(|version| natural(version));
        while let Some(version) = versions.pop() {
            let Some(kernel) = self.file(&format!("boot/vmlinuz-{version}"))? else { continue };
            for (before, after) in INITIAL {
                if let Some(initial) = self.file(&format!("boot/{before}{version}{after}"))? {
                    copy(kernel, &to.join("vmlinuz"))?;
                    copy(initial, &to.join("initrd"))?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The versions of its kernels.
    fn kernels(&self) -> Result<Vec<String>> {
        let boot = self.path.join("boot");
        // A directory, not a link to one, which could lead anywhere.
        if !boot.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            return Ok(Vec::new());
        }
        let names = std::fs::read_dir(&boot).and_then(|entries| {
            let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
            names.filter_map(io::Result::transpose).collect::<io::Result<Vec<_>>>()
        });
        let names = names.map_err(|error| failed(&boot, &error))?;
        Ok(names.iter().filter_map(|name| name.strip_prefix("vmlinuz-")).map(str::to_owned).collect())
    }

    /// The last part of the name under which an open file is known.
    fn name_of(&self, file: &File) -> Result<String> {
        use std::os::fd::AsRawFd as _;
        let link = format!("/proc/self/fd/{}", file.as_raw_fd());
        let path = std::fs::read_link(&link).map_err(|error| self.failed(&link, &error))?;
        Ok(path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
    }

    fn failed(&self, name: &str, error: &io::Error) -> HostError {
        failed(&self.path.join(name), error)
    }
}

fn copy(mut from: File, to: &Path) -> Result<()> {
    let copied = File::create(to).and_then(|mut file| io::copy(&mut from, &mut file));
    copied.map(|_| ()).map_err(|error| failed(to, &error))
}

/// A version in parts that compare as people read them: 6.10 is newer than 6.9.
fn natural(version: &str) -> Vec<(u64, String)> {
    let part = |part: &str| {
        let text = part.trim_start_matches(|c: char| c.is_ascii_digit());
        (part[..part.len() - text.len()].parse().unwrap_or(0), text.to_owned())
    };
    version.split(['.', '-', '+', '~', '_']).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn versions_compare_as_people_read_them() {
        let mut versions = ["6.10.1-1", "6.9.0-2", "6.1.0-9-cloud-amd64", "6.1.0-56-cloud-amd64", "virt"];
        versions.sort_by_key(|version| natural(version));
        assert_eq!(versions, ["virt", "6.1.0-9-cloud-amd64", "6.1.0-56-cloud-amd64", "6.9.0-2", "6.10.1-1"]);
    }
}
