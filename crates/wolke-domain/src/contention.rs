//! Contention: what may not even wait its turn behind work that is under way (design §5).
//!
//! Work on one resource queues, first come first served; an installation that refuses contention answers `locked` for all of
//! it. The table here holds in both: a pair is in it when what was asked for would find something else than the caller
//! means by the time its turn comes. The snapshot of a disk that is being thrown away is not the snapshot that was
//! wanted. Delete is legal always, except while a delete is under way.

/// A running command of a server or storage box, and what is refused while it runs.
const REFUSED: &[(&str, &[&str])] = &[
    // A storage box makes one thing at a time (fact sheet §4.3).
    ("create_snapshot", &["create_snapshot", "create_subaccount"]),
    ("create_subaccount", &["create_snapshot", "create_subaccount"]),
    // The disk is read from the first block to the last; nothing may replace it or carry it away.
    ("create_image", &["rebuild_server", "change_server_type"]),
    // The disk, its password and all that is on it are about to be others.
    ("rebuild_server", &["create_image", "rebuild_server", "change_server_type", "reset_password"]),
    // The machine is on its way to another size, or to another host with its disk.
    ("change_server_type", &["create_image", "rebuild_server", "change_server_type", "reset_password"]),
];

/// Whether a command that is asked for is refused with `locked` while another one runs on the same resource.
#[must_use]
pub fn is_refused(running: &str, asked: &str) -> bool {
    running == "delete_server"
        || REFUSED.iter().any(|(command, refused)| *command == running && refused.contains(&asked))
}

#[cfg(test)]
mod tests {
    use super::is_refused;

    #[test]
    fn a_delete_lets_nothing_in_and_is_let_in_everywhere_else() {
        for asked in ["delete_server", "start_server", "rebuild_server", "attach_iso"] {
            assert!(is_refused("delete_server", asked), "{asked}");
        }
        for running in ["create_server", "start_server", "create_image", "rebuild_server", "change_server_type"] {
            assert!(!is_refused(running, "delete_server"), "{running}");
        }
    }

    #[test]
    fn work_on_the_disk_excludes_other_work_on_the_disk() {
        assert!(is_refused("create_image", "rebuild_server") && is_refused("rebuild_server", "create_image"));
        assert!(is_refused("rebuild_server", "reset_password") && is_refused("change_server_type", "rebuild_server"));
        assert!(is_refused("rebuild_server", "rebuild_server"));
    }

    #[test]
    fn what_only_follows_waits() {
        for (running, asked) in [
            ("create_server", "stop_server"),
            ("start_server", "stop_server"),
            ("create_image", "create_image"),
            ("create_image", "start_server"),
            ("rebuild_server", "reboot_server"),
            ("change_server_type", "start_server"),
        ] {
            assert!(!is_refused(running, asked), "{running} {asked}");
        }
    }
}
