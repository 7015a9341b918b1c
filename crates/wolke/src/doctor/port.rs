//! Whether a server could listen where it is told to, and who does already.

use super::{Check, Patient};
use crate::{env, files};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;

const NAME: &str = "port";
/// The state of a listening socket in the kernel's tables.
const LISTENING: &str = "0A";
/// The last port that needs a privilege.
const PRIVILEGED_MAX: u16 = 1023;

pub(super) fn check(patient: &Patient<'_>) -> Check {
    let listen = patient.settings.listen;
    let elsewhere = "choose another with --listen ADDR:PORT (port 0 takes a free one)";
    let endpoint = files::read(&patient.directory.endpoint()).ok().flatten().filter(|_| patient.is_running);
    if endpoint.as_deref() == Some(env::url(listen).as_str()) {
        return Check::ok(NAME, format!("{listen} is taken by the server that runs here"));
    }
    if let Err(failure) = patient.settings.check_listen() {
        return Check::fail(NAME, failure.text, "--listen 127.0.0.1:4280, or --insecure-listen");
    }
    let beside = endpoint.map(|url| format!("; the server that runs here listens on {url}")).unwrap_or_default();
    match TcpListener::bind(listen) {
        Ok(_) if listen.port() == 0 => Check::ok(NAME, format!("a free one is taken at the start{beside}")),
        Ok(_) => Check::ok(NAME, format!("{listen} is free{beside}")),
        Err(e) if e.kind() == ErrorKind::AddrInUse => {
            let holder =
                holder(Path::new("/proc"), listen.port()).map_or_else(String::new, |holder| format!(" by {holder}"));
            Check::fail(NAME, format!("{listen} is taken{holder}"), format!("stop that, or {elsewhere}"))
        }
        Err(e) if e.kind() == ErrorKind::PermissionDenied && listen.port() <= PRIVILEGED_MAX => {
            let fix = format!(
                "use a port above {PRIVILEGED_MAX}, or: sysctl net.ipv4.ip_unprivileged_port_start={}",
                listen.port()
            );
            Check::fail(NAME, format!("{listen} needs a privilege: {e}"), fix)
        }
        Err(e) if e.kind() == ErrorKind::AddrNotAvailable => {
            Check::fail(NAME, format!("{} is no address of this machine", listen.ip()), elsewhere)
        }
        Err(e) => Check::fail(NAME, format!("cannot listen on {listen}: {e}"), elsewhere),
    }
}

/// The process that listens on a port, as far as the kernel lets us see: `nginx (pid 42)`.
fn holder(proc: &Path, port: u16) -> Option<String> {
    let tables = ["net/tcp", "net/tcp6"].map(|name| std::fs::read_to_string(proc.join(name)).unwrap_or_default());
    let socket = tables.iter().flat_map(|table| table.lines().skip(1)).find_map(|line| listening(line, port))?;
    let target = format!("socket:[{socket}]");
    for process in std::fs::read_dir(proc).ok()?.flatten() {
        let name = process.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let handles = std::fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        let mut links = handles.filter_map(|handle| std::fs::read_link(handle.path()).ok());
        if links.any(|link| link.to_str() == Some(&target)) {
            let command = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (pid {pid})", command.trim()));
        }
    }
    None
}

/// The inode of a line's socket, if that listens on the port (proc_net_tcp of the kernel's documentation).
fn listening(line: &str, port: u16) -> Option<&str> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let (_, local) = fields.get(1)?.rsplit_once(':')?;
    let is_it = fields.get(3) == Some(&LISTENING) && u16::from_str_radix(local, 16) == Ok(port);
    is_it.then(|| fields.get(9).copied()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{holder, listening};
    use std::path::Path;

    #[test]
    fn lines_of_the_kernel() {
        let line = "   0: 0100007F:10B8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 4711 1 0 100 0";
        assert_eq!(listening(line, 4280), Some("4711"));
        assert_eq!(listening(line, 4281), None);
        assert_eq!(listening(&line.replace(" 0A ", " 01 "), 4280), None);
        assert_eq!(listening("", 1), None);
    }

    #[test]
    fn a_holder_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = holder(Path::new("/proc"), listener.local_addr().unwrap().port()).unwrap();
        assert!(found.ends_with(&format!("(pid {})", std::process::id())), "{found}");
    }
}
