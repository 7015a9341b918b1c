//! Resolvers that guests are told: those of this machine, as far as a guest could reach them.
//!
//! The real service names its own, which make no sense elsewhere. What only listens on this machine (systemd's stub on
//! 127.0.0.53) is left out; the servers behind that stub are in a file of its own.

use std::net::Ipv4Addr;

use super::dhcp::RESOLVERS_MAX;

/// The files, in this order; the first that names a reachable resolver counts.
const FILES: [&str; 2] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

/// Read anew each time: they change with the networks of the machine.
pub(super) fn of_this_machine() -> Vec<Ipv4Addr> {
    let read = FILES.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    read.map(|text| parse(&text)).find(|found| !found.is_empty()).unwrap_or_default()
}

fn parse(text: &str) -> Vec<Ipv4Addr> {
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == "nameserver").then(|| words.next()?.parse::<Ipv4Addr>().ok()).flatten()
    });
    let reachable =
        servers.filter(|address| !address.is_loopback() && !address.is_unspecified() && !address.is_link_local());
    reachable.take(RESOLVERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_what_guests_can_reach() {
        let text = "# a comment\nsearch example.com\nnameserver 127.0.0.53\nnameserver ::1\nnameserver\nnameserver 192.0.2.1 # x\n\
                    nameserver 192.0.2.2\nnameserver 169.254.1.1\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n";
        assert_eq!(parse(text), [1, 2, 3].map(|host| std::net::Ipv4Addr::new(192, 0, 2, host)));
        assert_eq!(parse("options edns0\n"), [] as [std::net::Ipv4Addr; 0]);
    }
}
