//! The network of guests on this machine, as root: guests are ends of veth pairs in namespaces of their own, and the world
//! outside is one, too, so that nothing shows in the machine's own namespace.

#![expect(clippy::unwrap_used, reason = "what fails, fails the test, in helpers, too")]

#[path = "net/world.rs"]
mod world;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use wolke_linux::net::{End, Resolvers};
use world::{Guest, RANGE, RANGE6, World, nic};

/// How long a packet may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a datagram is waited for before it is sent again.
const SPELL: Duration = Duration::from_secs(2);
/// A port of guests.
const PORT: u16 = 4000;

#[test]
fn a_guest_gets_its_lease_and_its_metadata() {
    World::run("lease", |world| {
        let net = world.open(&[RANGE, RANGE6]);
        let link = net.ensure(1, &nic(1), End::Veth).unwrap();
        assert_eq!((link.device.as_str(), link.mac.as_str()), ("wkp1", "96:00:00:00:00:01"));
        let guest = world.guest(1);
        let lease = guest.lease();
        let said = |name: &str| lease.get(name).map(String::as_str);
        assert_eq!(said("ip"), Some("198.18.0.1"));
        assert_eq!(said("subnet"), Some("255.255.255.255"));
        assert_eq!(said("router"), Some("172.31.1.1"));
        assert_eq!(said("serverid"), Some("172.31.1.1"));
        assert_eq!(said("lease"), Some("4294967295"));
        assert_eq!(said("hostname"), Some("guest-1"));
        assert_eq!(
            said("staticroutes"),
            Some("172.31.1.1/32 0.0.0.0 169.254.169.254/32 172.31.1.1 0.0.0.0/0 172.31.1.1")
        );

        assert_eq!(guest.curl("metadata/instance-id").unwrap(), b"1");
        assert!(guest.curl("metadata/nothing").is_err(), "a 404 fails");
        assert_eq!(guest.curl("userdata").unwrap(), world.metadata(1).user_data.unwrap().into_bytes());
        assert!(world.delivered().is_empty(), "the summary has not been read");
        assert_eq!(guest.curl("metadata").unwrap(), world.metadata(1).summary().into_bytes());
        world.until("the first boot is told", || world.delivered() == [1]);

        // Of the namespace itself a guest reaches nothing but these, however it asks.
        let to_gateway =
            guest.inside(|| TcpStream::connect_timeout(&"172.31.1.1:8775".parse().unwrap(), Duration::from_secs(1)));
        assert!(to_gateway.is_err());
        assert!(world.counter("refused") > 0);
        world.until("the gateway answers by IPv4", || guest.pings("172.31.1.1"));
        world.until("the gateway answers", || guest.pings("fe80::1%wkp1"));
    });
}

#[test]
fn each_link_is_told_of_its_own_server() {
    World::run("whose", |world| {
        let net = world.open(&[]);
        for server in [1, 2] {
            net.ensure(server, &nic(server), End::Veth).unwrap();
            let guest = world.guest(server);
            guest.lease();
            assert_eq!(guest.curl("metadata/instance-id").unwrap(), server.to_string().into_bytes());
        }
    });
}

#[test]
fn a_guest_without_ipv4_reaches_its_metadata_and_nothing_else_by_it() {
    World::run("six", |world| {
        let net = world.open(&[RANGE, RANGE6]);
        net.ensure(1, &nic(1), End::Veth).unwrap();
        net.ensure(2, &wolke_host::PublicNic { ipv4: None, ..nic(2) }, End::Veth).unwrap();
        let (other, guest) = (world.guest(1), world.guest(2));
        other.lease();
        let lease = guest.lease();
        assert!(lease["ip"].starts_with("169.254."), "{lease:?}");
        assert_eq!(lease["staticroutes"], "172.31.1.1/32 0.0.0.0 169.254.169.254/32 172.31.1.1");
        assert_eq!(lease.get("router"), None);
        assert_eq!(guest.curl("metadata/instance-id").unwrap(), b"2");
        guest.address6();
        other.address6();
        world.until("one guest reaches the other", || guest.pings("2001:db8:0:1::1"));
        // Opened again it keeps what it has.
        drop(net);
        let net = world.open(&[RANGE, RANGE6]);
        net.ensure(2, &wolke_host::PublicNic { ipv4: None, ..nic(2) }, End::Veth).unwrap();
        assert_eq!(guest.curl("metadata/instance-id").unwrap(), b"2");
    });
}

#[test]
fn guests_reach_each_other_and_the_world_but_not_under_a_false_name() {
    World::run("forged", |world| {
        let net = world.open(&[RANGE, RANGE6]);
        for server in [1, 2] {
            net.ensure(server, &nic(server), End::Veth).unwrap();
        }
        let (one, two) = (world.guest(1), world.guest(2));
        for guest in [&one, &two] {
            guest.lease();
            guest.address6();
        }
        for (own, forged, to) in
            [("198.18.0.1", "198.18.0.99", "198.18.0.2"), ("2001:db8:0:1::1", "2001:db8:0:2::9", "2001:db8:0:2::1")]
        {
            let (own, forged, to) = (own.parse().unwrap(), forged.parse().unwrap(), to.parse().unwrap());
            let six = if one.add_address(forged) { "forged6" } else { "forged4" };
            let heard = two.inside(|| UdpSocket::bind(SocketAddr::new(to, PORT)).unwrap());
            heard.set_read_timeout(Some(SPELL)).unwrap();
            let senders = [forged, own].map(|from| one.inside(|| UdpSocket::bind(SocketAddr::new(from, 0)).unwrap()));
            let before = world.counter(six);
            let mut text = [0; 64];
            // Nobody promises that a datagram arrives: on a slow machine a neighbour may have been asked in vain. That one
            // under the false name does not is promised for every one.
            world.until("the genuine one arrives", || {
                for (socket, from) in senders.iter().zip([forged, own]) {
                    socket.send_to(from.to_string().as_bytes(), SocketAddr::new(to, PORT)).unwrap();
                }
                let Ok((length, from)) = heard.recv_from(&mut text) else { return false };
                assert_eq!(
                    (&text[..length], from.ip()),
                    (own.to_string().as_bytes(), own),
                    "only the genuine one arrives"
                );
                true
            });
            // More than one: whoever asks for a neighbour asks under the false name, too.
            world.until("the forged one is counted", || world.counter(six) > before);
            // Nor does one arrive late.
            while let Ok((length, from)) = heard.recv_from(&mut text) {
                assert_eq!(
                    (&text[..length], from.ip()),
                    (own.to_string().as_bytes(), own),
                    "only the genuine one arrives"
                );
            }
        }
        // The world outside, there and back.
        for to in ["198.18.0.2", "2001:db8:0:2::1"] {
            world.until("an echo comes back", || world.pings(to).is_ok());
            // The way back does not depend on what the way there has taught: each try begins without it.
            world.until("an echo comes back to whom nobody knows", || {
                world.forget_neighbours();
                world.pings(to).is_ok()
            });
        }
        // An address of the range that nobody has goes nowhere, and not round in circles.
        let lost = world.pings("198.18.7.7").unwrap_err();
        assert!(!lost.message.contains("exceeded"), "{lost}");
        let counters = net.counters(1).unwrap();
        assert!(counters.bytes_out > 0 && counters.packets_in > 0, "{counters:?}");
        assert_eq!(net.counters(3).unwrap(), Default::default());
    });
}

#[test]
fn a_new_process_adopts_what_runs() {
    World::run("adopt", |world| {
        let net = world.open(&[RANGE, RANGE6]);
        net.ensure(1, &nic(1), End::Veth).unwrap();
        net.ensure(5, &nic(5), End::Tap).unwrap();
        let guest = world.guest(1);
        guest.lease();
        let mut connection = Connection::new(&guest);
        connection.talk();
        let before = world.state();
        // Neither sockets nor threads are left, as after a death; everything else is.
        drop(net);
        world.nothing_runs();
        connection.talk();
        let net = world.open(&[RANGE, RANGE6]);
        assert_eq!(world.state(), before, "nothing is touched");
        connection.talk();
        assert_eq!(guest.curl("metadata/instance-id").unwrap(), b"1", "served before anybody asked for it");
        assert_eq!(guest.lease()["ip"], "198.18.0.1");
        assert_eq!(net.list().unwrap(), [1, 5]);
        net.ensure(1, &nic(1), End::Veth).unwrap();
        net.ensure(5, &nic(5), End::Tap).unwrap();
        assert_eq!(world.state(), before, "nothing is touched");
        connection.talk();
    });
}

#[test]
fn addresses_change_exactly() {
    World::run("change", |world| {
        let net = world.open(&[RANGE, RANGE6]);
        net.ensure(1, &nic(1), End::Veth).unwrap();
        let guest = world.guest(1);
        guest.lease();
        let other = wolke_host::PublicNic { ipv4: Some(Ipv4Addr::new(198, 18, 0, 77)), ipv6: None, ..nic(1) };
        net.ensure(1, &other, End::Veth).unwrap();
        let state = world.state();
        assert!(
            state.contains("198.18.0.77") && !state.contains("198.18.0.1 ") && !state.contains("2001:db8:0:1:"),
            "{state}"
        );
        // The old address is no longer the guest's; the new one comes by DHCP.
        guest.flush();
        assert_eq!(guest.lease()["ip"], "198.18.0.77");
        assert_eq!(guest.curl("metadata/instance-id").unwrap(), b"1");
        // The old one goes to another server, and nobody loses what is his.
        net.ensure(2, &wolke_host::PublicNic { ipv4: Some(Ipv4Addr::new(198, 18, 0, 1)), ..nic(2) }, End::Veth)
            .unwrap();
        let second = world.guest(2);
        assert_eq!(second.lease()["ip"], "198.18.0.1");
        net.ensure(1, &nic(1), End::Veth).unwrap();
        net.ensure(2, &nic(2), End::Veth).unwrap();
        for (guest, own) in [(&guest, "198.18.0.1"), (&second, "198.18.0.2")] {
            guest.flush();
            assert_eq!(guest.lease()["ip"], own);
        }
        // Whose address is taken cannot use it from then on, told or not.
        net.ensure(2, &wolke_host::PublicNic { ipv4: Some(Ipv4Addr::new(198, 18, 0, 1)), ..nic(2) }, End::Veth)
            .unwrap();
        assert!(!world.state().contains("\"wk1\" . 198.18.0.1"));
    });
}

#[test]
fn removing_leaves_nothing() {
    World::run("remove", |world| {
        let before = world.outside();
        let net = world.open(&[RANGE, RANGE6]);
        let empty = world.state();
        let large = i64::MAX - 1;
        net.ensure(1, &nic(1), End::Veth).unwrap();
        net.ensure(large, &nic(2), End::Tap).unwrap();
        let _guest = world.guest(1);
        assert_eq!(net.list().unwrap(), [1, large]);
        // Another runtime: another device of the same name.
        net.ensure(large, &nic(2), End::Veth).unwrap();
        for server in [1, large, 1] {
            net.remove(server).unwrap();
        }
        assert_eq!(net.list().unwrap(), [] as [i64; 0]);
        assert_eq!(world.state(), empty);
        assert_eq!(world.sockets(), 0);
        assert!(net.close().unwrap());
        world.nothing_runs();
        assert_eq!(world.outside(), before);
        assert!(!world.has_namespace());
    });
}

#[test]
fn a_network_with_servers_outlives_its_closing() {
    World::run("close", |world| {
        let net = world.open(&[RANGE]);
        net.ensure(1, &nic(1), End::Tap).unwrap();
        assert!(!net.close().unwrap());
        let net = world.open(&[RANGE]);
        assert_eq!(net.list().unwrap(), [1]);
        net.remove(1).unwrap();
        // Without ranges there is no way out, and the old one goes.
        drop(net);
        let net = world.open(&[]);
        assert!(!world.outside().contains("198.18") && !world.outside().contains(": "), "{}", world.outside());
        assert!(net.close().unwrap());
    });
}

#[test]
fn half_done_work_is_repaired() {
    World::run("repair", |world| {
        let net = world.open(&[RANGE, RANGE6]);
        net.ensure(1, &nic(1), End::Veth).unwrap();
        let whole = world.state();
        let inside = |program: &str, line: &str| world.inside(program).args(line.split(' ')).run().unwrap();
        inside("ip", "address delete 172.31.1.1/32 dev wk1");
        inside("ip", "route add 198.18.0.9 dev wk1");
        inside("ip", "route delete default");
        inside("ip", "link set wkp1 name left0");
        inside("nft", "flush set inet wolke source6");
        world.program("ip").args("route delete 198.18.0.0/15".split(' ')).run().unwrap();
        net.ensure(1, &nic(1), End::Veth).unwrap();
        drop(net);
        let net = world.open(&[RANGE, RANGE6]);
        net.ensure(1, &nic(1), End::Veth).unwrap();
        assert_eq!(world.state(), whole);
        // The rules gone as a whole, and the uplink, too.
        drop(net);
        inside("nft", "delete table inet wolke");
        drop(world.open(&[RANGE, RANGE6]));
        inside("nft", "delete table arp wolke");
        inside("ip", "link delete uplink");
        drop(world.open(&[RANGE, RANGE6]));
        // Devices have new numbers and hardware addresses; all that hangs on them is as before.
        let without_devices = |state: &str| {
            let lines = state.lines().filter(|line| !line.contains("link/ether"));
            let mut lines: Vec<_> =
                lines.map(|line| line.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned()).collect();
            lines.sort();
            lines
        };
        assert_eq!(without_devices(&world.state()), without_devices(&whole));
    });
}

#[test]
fn a_container_that_takes_its_peer_along_gets_another_one() {
    World::run("vanish", |world| {
        let net = world.open(&[RANGE]);
        net.ensure(1, &nic(1), End::Veth).unwrap();
        world.guest(1).lease();
        world.end_guests();
        world.until("the link has vanished", || net.list().unwrap().is_empty());
        net.ensure(1, &nic(1), End::Veth).unwrap();
        let guest = world.guest(1);
        assert_eq!(guest.lease()["ip"], "198.18.0.1");
        assert_eq!(guest.curl("metadata/instance-id").unwrap(), b"1");
    });
}

#[test]
fn many_at_once() {
    World::run("many", |world| {
        let net = world.open(&[RANGE, RANGE6]);
        let empty = world.state();
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let (net, namespace) = (&net, world.outer());
                scope.spawn(move || {
                    world::enter(&namespace);
                    for server in (worker..40).step_by(4) {
                        let nic = nic(server + 1);
                        // Every other one without IPv4: their addresses must not meet.
                        let nic = wolke_host::PublicNic { ipv4: nic.ipv4.filter(|_| server % 2 == 0), ..nic };
                        net.ensure(server + 1, &nic, End::Tap).unwrap();
                    }
                });
            }
        });
        assert_eq!(net.list().unwrap(), (1..=40).collect::<Vec<_>>());
        let state = world.state();
        // For the filters of packets, and for those of ARP.
        assert_eq!(state.matches("\" . 169.254.").count(), 2 * 20, "{state}");
        drop(net);
        let net = world.open(&[RANGE, RANGE6]);
        assert_eq!(world.state(), state);
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let (net, namespace) = (&net, world.outer());
                scope.spawn(move || {
                    world::enter(&namespace);
                    (worker..40).step_by(4).for_each(|server| net.remove(server + 1).unwrap());
                });
            }
        });
        assert_eq!(world.state(), empty);
        assert_eq!(world.sockets(), 0);
    });
}

#[test]
fn a_range_that_is_routed_elsewhere_is_refused() {
    World::run("clash", |world| {
        world.program("ip").args("link add dev other type veth peer name other1".split(' ')).run().unwrap();
        world.program("ip").args("link set other up".split(' ')).run().unwrap();
        world.program("ip").args("route add 198.18.4.0/24 dev other".split(' ')).run().unwrap();
        let refused = world.try_open(&[RANGE]).unwrap_err();
        let expected = "the range 198.18.0.0/15 is not free: this machine has a route `198.18.4.0/24 dev other`; remove it or \
                        take another range";
        assert_eq!(refused.message, expected);
        for (range, part) in [("172.16.0.0/12", "172.31.1.1/32"), ("198.18.0.1/15", "198.18.0.0/15"), ("x", "\"x\"")] {
            let refused = world.try_open(&[range]).unwrap_err();
            assert!(refused.message.contains(part), "{refused}");
        }
    });
}

#[test]
fn guests_are_told_resolvers_that_they_can_reach() {
    World::run("resolvers", |world| {
        let file = world.file("resolv.conf");
        std::fs::write(&file, "nameserver 127.0.0.53\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n").unwrap();
        let of_file = || Resolvers::Files(vec![file.clone()]);
        let forwards = |yes: bool| {
            std::fs::write("/proc/sys/net/ipv4/ip_forward", u8::from(yes).to_string()).unwrap();
        };
        let told = |guest: &Guest| guest.lease().get("dns").cloned();
        let net = world.open_with(&[RANGE], of_file()).unwrap();
        net.ensure(1, &nic(1), End::Veth).unwrap();
        let guest = world.guest(1);
        // Nothing that guests send leaves this machine.
        forwards(false);
        assert_eq!(told(&guest), None);
        // The machine itself is reached.
        world.program("ip").args("address add 192.0.2.54/32 dev lo".split(' ')).run().unwrap();
        assert_eq!(told(&guest).as_deref(), Some("192.0.2.54"));
        forwards(true);
        assert_eq!(told(&guest).as_deref(), Some("192.0.2.53 192.0.2.54"), "what holds now, and not at the start");
        drop(net);
        // Without ranges there is no way to anything.
        drop(world.open_with(&[], of_file()).inspect(|_| assert_eq!(told(&guest), None)).unwrap());
        let named = Resolvers::These(vec![Ipv4Addr::new(198, 51, 100, 1), Ipv4Addr::new(198, 51, 100, 2)]);
        drop(
            world
                .open_with(&[], named)
                .inspect(|_| assert!(told(&guest).unwrap() == "198.51.100.1 198.51.100.2"))
                .unwrap(),
        );
    });
}

/// The most that one link may have under way at a time: the burst, and what follows while it is looked at.
const STRANGERS: usize = 200;

#[test]
fn a_guest_cannot_fill_the_table_of_neighbours() {
    World::run("neighbours", |world| {
        let net = world.open(&[RANGE, RANGE6]);
        let guests = [1, 2].map(|server| {
            net.ensure(server, &nic(server), End::Veth).unwrap();
            let guest = world.guest(server);
            guest.lease();
            guest.address6();
            guest
        });
        let [one, two] = &guests;
        // Under an address that is not its own it is nobody's neighbour, and has none.
        let forged = Ipv4Addr::new(198, 18, 0, 99);
        one.add_address(forged.into());
        let asks = ["arping", "-c", "2", "-w", "3", "-I", "wkp1", "-s", "198.18.0.99", "172.31.1.1"];
        assert!(!one.program("busybox").args(asks).succeeds().unwrap(), "it is answered");
        assert!(world.counter_of("arp", "forged") > 0);
        assert!(!world.neighbours("wk1").iter().any(|line| line.contains("198.18.0.99")));
        assert!(
            one.program("busybox")
                .args(["arping", "-c", "5", "-f", "-w", "30", "-I", "wkp1", "172.31.1.1"])
                .succeeds()
                .unwrap()
        );

        // Neighbours of somebody else, who are not there.
        world.until("one guest reaches the other", || one.pings("2001:db8:0:2::1"));
        let socket = one.inside(|| UdpSocket::bind("[2001:db8:0:1::1]:0").unwrap());
        for host in 0..600_u16 {
            let nobody = Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0xdead, host);
            socket.send_to(b"x", (nobody, PORT)).unwrap();
        }
        let sought = world.neighbours("wk2").len();
        assert!((10..STRANGERS).contains(&sought), "{sought}");
        assert!(world.counter("flooded") > 300);
        // Whom he knows he reaches all the same.
        assert!(one.pings("2001:db8:0:2::1"));

        // Solicitations from every address of its network.
        let before = world.counter("flooded");
        one.inside(|| {
            std::fs::write("/proc/sys/net/ipv6/ip_nonlocal_bind", "1").unwrap();
            solicit(600);
        });
        let claimed = world.neighbours("wk1").len();
        assert!((10..STRANGERS).contains(&claimed), "{claimed}");
        assert!(world.counter("flooded") - before > 300);
        // Nobody else is slower for it.
        world.until("the gateway answers the other", || two.pings("fe80::1%wkp2"));
        net.remove(1).unwrap();
        assert!(!world.inside("nft").args("list table inet wolke".split(' ')).run().unwrap().contains("\"wk1\""));
    });
}

/// Sends a neighbour solicitation (RFC 4861 4.3) to the gateway from each of so many addresses of the first guest's network.
fn solicit(count: u16) {
    use socket2::{Domain, Protocol, Socket, Type};
    let gateway: Ipv6Addr = "fe80::1".parse().unwrap();
    let scope: u32 = std::fs::read_to_string("/proc/thread-self/net/if_inet6")
        .unwrap()
        .lines()
        .filter(|line| line.ends_with(" wkp1"))
        .find_map(|line| u32::from_str_radix(line.split_whitespace().nth(1)?, 16).ok())
        .unwrap();
    let to = std::net::SocketAddrV6::new(gateway, 0, 0, scope);
    // Type, code, checksum (the kernel's), reserved; the target; whose hardware address it comes from.
    let head = [135, 0, 0, 0, 0, 0, 0, 0];
    let packet = [&head[..], &gateway.octets(), &[1, 1, 0x96, 0, 0, 0, 0, 1]].concat();
    for host in 0..count {
        let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6)).unwrap();
        socket.set_unicast_hops_v6(255).unwrap();
        let from = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0xbeef, host);
        socket.bind(&std::net::SocketAddrV6::new(from, 0, 0, 0).into()).unwrap();
        socket.send_to(&packet, &to.into()).unwrap();
    }
}

/// How many connections one guest may have, as the rules say.
const FLOWS: usize = 8192;

#[test]
fn a_guest_cannot_fill_the_table_of_connections() {
    World::run("flows", |world| {
        let net = world.open(&[RANGE, RANGE6]);
        let guests = [1, 2].map(|server| {
            net.ensure(server, &nic(server), End::Veth).unwrap();
            let guest = world.guest(server);
            guest.lease();
            guest
        });
        let [one, two] = &guests;
        let mut connection = Connection::new(one);
        let socket = one.inside(|| UdpSocket::bind("198.18.0.1:0").unwrap());
        let flood = || (1..u16::MAX).for_each(|port| drop(socket.send_to(b"x", ("198.18.0.2", port))));
        flood();
        let at_once = world.connections();
        assert!((1000..FLOWS).contains(&at_once), "{at_once} at once");
        world.until("no more at a time", || {
            flood();
            world.counter("crowded") > 0
        });
        let in_time = world.connections();
        // The other's own, and those that are just ending.
        assert!((FLOWS / 2..FLOWS + 500).contains(&in_time), "{in_time} in time");
        // What it has goes on, and others begin what they like.
        connection.talk();
        let heard = one.inside(|| UdpSocket::bind(("198.18.0.1", PORT)).unwrap());
        heard.set_read_timeout(Some(SPELL)).unwrap();
        let other = two.inside(|| UdpSocket::bind("198.18.0.2:0").unwrap());
        world.until("another guest is heard", || {
            other.send_to(b"x", ("198.18.0.1", PORT)).unwrap();
            heard.recv_from(&mut [0; 8]).is_ok()
        });
        // One way only, but one connection: it is no flood.
        let before = world.counter("flooded");
        for _ in 0..2000 {
            other.send_to(b"x", ("198.18.0.1", 9)).unwrap();
        }

        assert_eq!(world.counter("flooded"), before);
    });
}

#[test]
fn what_is_no_request_is_counted() {
    World::run("malformed", |world| {
        let net = world.open(&[]);
        net.ensure(1, &nic(1), End::Veth).unwrap();
        let guest = world.guest(1);
        guest.lease();
        let socket = guest.inside(|| UdpSocket::bind((Ipv4Addr::new(198, 18, 0, 1), 68)).unwrap());
        for packet in [&[][..], &[1; 3], &[1, 1, 200, 0], &[255; 1400]] {
            socket.send_to(packet, "172.31.1.1:67").unwrap();
        }
        world.until("they are counted", || net.malformed() == 4);
        guest.flush();
        assert_eq!(guest.lease()["ip"], "198.18.0.1");
    });
}

/// A connection from the world outside to a guest.
struct Connection {
    outside: TcpStream,
    guest: TcpStream,
}

impl Connection {
    fn new(guest: &Guest) -> Self {
        let listener = guest.inside(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, PORT)).unwrap());
        let outside = TcpStream::connect_timeout(&"198.18.0.1:4000".parse().unwrap(), PATIENCE).unwrap();
        let (guest, _) = listener.accept().unwrap();
        for end in [&outside, &guest] {
            end.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        Self { outside, guest }
    }

    fn talk(&mut self) {
        let mut heard = [0; 5];
        self.outside.write_all(b"hello").unwrap();
        self.guest.read_exact(&mut heard).unwrap();
        self.guest.write_all(&heard).unwrap();
        self.outside.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"hello");
    }
}
