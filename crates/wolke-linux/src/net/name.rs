//! Names of devices: derived from ids, never longer than the kernel allows, and read back, so that listing replaces memory.
//!
//! ```text
//! wk42   wkp42                       server 42: the end in the namespace, and the peer that goes into a container
//! wkx00000001LY7 wkpx00000001LY7     ids beyond twelve digits: x and eleven digits to base 62
//! wolke0                             the uplink's end outside, of the namespace `wolke`
//! uplink                             its end inside
//! ```

use sha2::{Digest, Sha256};
use wolke_wire::Id;

/// The longest name of a device in bytes (IFNAMSIZ without its end).
const DEVICE_MAX: usize = 15;
/// What links begin with; the filters match it with a wildcard.
pub(super) const LINK: &str = "wk";
/// What stands after [`LINK`] for the peer.
const PEER: char = 'p';
/// What stands before digits to base 62.
const LARGE: char = 'x';
/// Ids below are written to base 10: `wkp` and twelve digits are the longest name.
const DECIMAL_END: u64 = 1_000_000_000_000;
/// Digits to base 62 that hold every id.
const LARGE_DIGITS: usize = 11;
/// The digits to base 62.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The uplink inside the namespace.
pub(super) const UPLINK: &str = "uplink";
/// Letters of the namespace's name in the uplink's, where it does not fit as a whole.
const UPLINK_LETTERS: usize = 6;

/// The end of a link in the namespace: the tap, or the veth.
pub(super) fn device(server: Id) -> String {
    format!("{LINK}{}", digits(server))
}

/// The peer of a veth.
pub(super) fn peer(server: Id) -> String {
    format!("{LINK}{PEER}{}", digits(server))
}

/// The server of a device, whichever end it is.
pub(super) fn server(device: &str) -> Option<Id> {
    let rest = device.strip_prefix(LINK)?;
    let digits = rest.strip_prefix(PEER).unwrap_or(rest);
    let id = match digits.strip_prefix(LARGE) {
        Some(large) => parse_large(large)?,
        None => digits.parse::<u64>().ok()?,
    }
    .cast_signed();
    // `wk007` is somebody else's.
    (self::device(id) == device || peer(id) == device).then_some(id)
}

/// The uplink's end outside: `<namespace>0` where that fits, else its first letters and a fingerprint.
pub(super) fn uplink(namespace: &str) -> String {
    if namespace.len() < DEVICE_MAX {
        return format!("{namespace}0");
    }
    let letters: String = namespace.chars().take(UPLINK_LETTERS).collect();
    format!("{letters}-{:08x}", fingerprint(namespace) >> 32)
}

/// A number that follows from a text and is different for most texts.
pub(super) fn fingerprint(text: &str) -> u64 {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(size_of::<u64>()).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn digits(server: Id) -> String {
    let mut rest = server.cast_unsigned();
    if rest < DECIMAL_END {
        return rest.to_string();
    }
    let mut digits = vec![LARGE];
    let base = ALPHABET.len() as u64;
    for _ in 0..LARGE_DIGITS {
        let digit = usize::try_from(rest % base).ok().and_then(|at| ALPHABET.get(at)).copied().unwrap_or(b'0');
        digits.insert(1, char::from(digit));
        rest /= base;
    }
    digits.into_iter().collect()
}

fn parse_large(text: &str) -> Option<u64> {
    text.bytes().try_fold(0_u64, |number, byte| {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        number.checked_mul(ALPHABET.len() as u64)?.checked_add(digit as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::{DEVICE_MAX, device, peer, server, uplink};

    #[test]
    fn names_fit_and_are_read_back() {
        assert_eq!((device(42).as_str(), peer(42).as_str()), ("wk42", "wkp42"));
        assert_eq!(device(999_999_999_999), "wk999999999999");
        assert_eq!(device(1_000_000_000_000), "wkx0000HbXm5a4");
        for id in [1, 42, 999_999_999_999, 1_000_000_000_000, i64::MAX] {
            for name in [device(id), peer(id)] {
                assert!(name.len() <= DEVICE_MAX, "{name}");
                assert_eq!(server(&name), Some(id), "{name}");
            }
        }
        for foreign in
            ["wk", "wkp", "wk007", "wk+1", "wkx1", "wkx0000000000A", "wlan0", "uplink", "wkxzzzzzzzzzzz", "wk-1"]
        {
            assert_eq!(server(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn uplinks_are_named_after_their_namespaces() {
        assert_eq!(uplink("wolke"), "wolke0");
        assert_eq!(uplink("fourteen-bytes"), "fourteen-bytes0");
        let (one, other) = (uplink("a-name-of-fifteen-bytes"), uplink("a-name-of-sixteen-bytes"));
        assert!(one.len() == DEVICE_MAX && one.starts_with("a-name-") && one != other, "{one} {other}");
    }
}
