//! Checksums of files.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

/// How much is read at once.
const BUFFER: usize = 1 << 16;

/// Copies all bytes; returns their number and their SHA-256 in hexadecimal.
pub fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<(u64, String)> {
    let (mut hasher, mut buffer, mut size) = (Sha256::new(), vec![0; BUFFER], 0);
    loop {
        let count = match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            count => count?,
        };
        let read = buffer.get(..count).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        hasher.update(read);
        to.write_all(read)?;
        size += read.len() as u64;
    }
    Ok((size, hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::copy;

    #[test]
    fn what_is_copied_is_what_is_counted() {
        let mut to = Vec::new();
        let (size, sha256) = copy(&b"abc"[..], &mut to).unwrap();
        assert_eq!((size, to.as_slice()), (3, &b"abc"[..]));
        assert_eq!(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
