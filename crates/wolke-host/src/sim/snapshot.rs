//! How large the image of a simulated disk is.

use wolke_wire::Id;

use crate::host::mix;
use crate::object::ObjectKey;

/// No image is smaller than this (MiB), unless its disk is: a system alone takes as much.
const SMALLEST_MB: u64 = 300;

/// The share of a disk that an image takes, in thousandths: what is empty is not stored.
const SHARE: std::ops::RangeInclusive<u64> = 30..=200;

/// MiB of one GB of disk.
const MB_PER_GB: u64 = 1024;

/// The size of an image in MiB, fixed by seed, object, image and disk: a repetition finds the same.
pub(super) fn size_mb(seed: u64, key: ObjectKey, image: Id, disk_gb: u32) -> u64 {
    let disk_mb = u64::from(disk_gb) * MB_PER_GB;
    let hash = mix(mix(mix(seed) ^ key.id.cast_unsigned()) ^ image.cast_unsigned());
    let share = SHARE.start() + hash % (SHARE.end() - SHARE.start() + 1);
    (disk_mb * share / 1000).max(SMALLEST_MB).min(disk_mb)
}

#[cfg(test)]
mod tests {
    use super::{MB_PER_GB, SMALLEST_MB, size_mb};
    use crate::object::ObjectKey;

    #[test]
    fn sizes_are_plausible_and_repeat() {
        let mut seen = std::collections::BTreeSet::new();
        for image in 1..=500 {
            let size = size_mb(7, ObjectKey::server(3), image, 40);
            assert_eq!(size, size_mb(7, ObjectKey::server(3), image, 40));
            assert!((40 * MB_PER_GB * 3 / 100..=40 * MB_PER_GB / 5).contains(&size), "{size}");
            seen.insert(size);
        }
        assert!(seen.len() > 100, "hardly any spread: {seen:?}");
        assert_ne!(size_mb(7, ObjectKey::server(3), 1, 40), size_mb(8, ObjectKey::server(3), 1, 40));
        assert_ne!(size_mb(7, ObjectKey::server(3), 1, 40), size_mb(7, ObjectKey::server(4), 1, 40));
    }

    #[test]
    fn no_image_is_smaller_than_a_system_or_larger_than_its_disk() {
        assert_eq!(size_mb(0, ObjectKey::server(1), 1, 1), SMALLEST_MB);
        assert_eq!(size_mb(0, ObjectKey::server(1), 1, 0), 0);
        assert!(size_mb(0, ObjectKey::server(1), 1, u32::MAX) <= u64::from(u32::MAX) * MB_PER_GB);
    }
}
