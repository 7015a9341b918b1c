//! Who holds the data directory.

use super::{Check, Patient};

const NAME: &str = "lock";

pub(super) fn check(patient: &Patient<'_>) -> Check {
    let directory = patient.directory.path().display();
    let again = "run wolke doctor again in a moment";
    match (patient.directory.holder(), patient.is_running) {
        (Err(failure), _) => Check::fail(NAME, failure.text, "name another directory with --data DIR"),
        (Ok(Some(holder)), true) => Check::ok(NAME, format!("{directory} is held by {holder}, which answers")),
        (Ok(None), true) => {
            Check::ok(NAME, format!("{directory} is not held, and a server beside others answers there"))
        }
        (Ok(None), false) => Check::ok(NAME, format!("nobody holds {directory}")),
        (Ok(Some(holder)), false) if holder.starts_with("wolke serve") => {
            let kill = match pid(&holder) {
                Some(pid) => format!("; if it stays so: kill {pid}"),
                None => String::new(),
            };
            let message =
                format!("{directory} is held by {holder}, which does not answer: it starts, stops or is stuck");
            Check::warning(NAME, message, format!("{again}{kill}"))
        }
        (Ok(Some(holder)), false) => Check::warning(NAME, format!("{directory} is held by {holder}"), again),
    }
}

/// The process id in `wolke serve (pid 42)`.
fn pid(holder: &str) -> Option<u32> {
    holder.rsplit_once("(pid ")?.1.strip_suffix(')')?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn pids() {
        assert_eq!(super::pid("wolke serve --ephemeral (pid 42)"), Some(42));
        assert_eq!(super::pid("another process"), None);
    }
}
