//! Requests and what they are answered.

use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, Message, MessageType, Opcode, OptionCode};
use dhcproto::{Decodable, Decoder, Encodable, Encoder};

use super::{Lease, Mac, Told, Verdict, answer, parse};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 5);
const OTHER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 6);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(172, 31, 1, 1);
const MAC: Mac = Mac([0x96, 0, 0, 0, 0, 1]);

fn lease() -> Lease {
    Lease { mac: MAC, address: ADDRESS, public: true }
}

fn request(kind: MessageType, options: impl IntoIterator<Item = DhcpOption>) -> Message {
    let none = Ipv4Addr::UNSPECIFIED;
    let mut message = Message::new_with_id(7, none, none, none, none, &MAC.0);
    message.opts_mut().insert(DhcpOption::MessageType(kind));
    options.into_iter().for_each(|option| drop(message.opts_mut().insert(option)));
    message
}

fn bytes(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut Encoder::new(&mut bytes)).unwrap();
    bytes
}

fn answered(request: &Message, lease: &Lease) -> (Message, Ipv4Addr) {
    let told = Told { host_name: Some("web-1".into()), resolvers: vec![[192, 0, 2, 53].into()] };
    let request = parse(&bytes(request)).unwrap();
    let Verdict::Answer(bytes, to) = answer(&request, lease, &told) else { panic!("no answer") };
    assert!(bytes.len() >= 300 && to.port() == 68, "{} {to}", bytes.len());
    (Message::decode(&mut Decoder::new(&bytes)).unwrap(), *to.ip())
}

fn verdict(request: &Message) -> Verdict {
    answer(&parse(&bytes(request)).unwrap(), &lease(), &Told::default())
}

#[test]
fn an_address_is_offered_and_given_for_ever() {
    let client = DhcpOption::ClientIdentifier(vec![1, 2, 3]);
    let wish = DhcpOption::RequestedIpAddress(ADDRESS);
    for (kind, options, expected) in [
        (MessageType::Discover, vec![client.clone()], MessageType::Offer),
        (MessageType::Request, vec![client.clone(), wish, DhcpOption::ServerIdentifier(GATEWAY)], MessageType::Ack),
    ] {
        let (reply, to) = answered(&request(kind, options), &lease());
        assert_eq!(
            (reply.opcode(), reply.xid(), reply.yiaddr(), to),
            (Opcode::BootReply, 7, ADDRESS, Ipv4Addr::BROADCAST)
        );
        assert_eq!(reply.chaddr(), MAC.0);
        assert_eq!(reply.opts().msg_type(), Some(expected));
        let routes = vec![
            ("172.31.1.1/32".parse().unwrap(), Ipv4Addr::UNSPECIFIED),
            ("169.254.169.254/32".parse().unwrap(), GATEWAY),
            ("0.0.0.0/0".parse().unwrap(), GATEWAY),
        ];
        for option in [
            client.clone(),
            DhcpOption::AddressLeaseTime(u32::MAX),
            DhcpOption::SubnetMask(Ipv4Addr::BROADCAST),
            DhcpOption::Router(vec![GATEWAY]),
            DhcpOption::ServerIdentifier(GATEWAY),
            DhcpOption::ClasslessStaticRoute(routes),
            DhcpOption::Hostname("web-1".into()),
            DhcpOption::DomainNameServer(vec![[192, 0, 2, 53].into()]),
        ] {
            assert_eq!(reply.opts().get(OptionCode::from(&option)), Some(&option));
        }
    }
}

#[test]
fn a_server_without_address_learns_the_way_to_its_metadata_alone() {
    let lease = Lease { address: [169, 254, 64, 9].into(), public: false, ..lease() };
    let (reply, _) = answered(&request(MessageType::Discover, []), &lease);
    assert_eq!(reply.yiaddr(), lease.address);
    let routes = vec![
        ("172.31.1.1/32".parse().unwrap(), Ipv4Addr::UNSPECIFIED),
        ("169.254.169.254/32".parse().unwrap(), GATEWAY),
    ];
    let option = reply.opts().get(OptionCode::ClasslessStaticRoute);
    assert_eq!(option, Some(&DhcpOption::ClasslessStaticRoute(routes)));
    assert_eq!(reply.opts().get(OptionCode::Router), None);
    assert_eq!(reply.opts().get(OptionCode::DomainNameServer), None);
}

#[test]
fn a_client_that_uses_its_address_is_answered_there() {
    let mut renewal = request(MessageType::Request, []);
    renewal.set_ciaddr(ADDRESS);
    let (reply, to) = answered(&renewal, &lease());
    assert_eq!((reply.opts().msg_type(), to), (Some(MessageType::Ack), ADDRESS));
    let mut inform = request(MessageType::Inform, []);
    inform.set_ciaddr(ADDRESS);
    let (reply, to) = answered(&inform, &lease());
    assert_eq!((reply.opts().msg_type(), reply.yiaddr(), to), (Some(MessageType::Ack), Ipv4Addr::UNSPECIFIED, ADDRESS));
    assert_eq!(reply.opts().get(OptionCode::AddressLeaseTime), None);
}

#[test]
fn another_address_is_refused() {
    let (reply, to) = answered(&request(MessageType::Request, [DhcpOption::RequestedIpAddress(OTHER)]), &lease());
    assert_eq!((reply.opts().msg_type(), reply.yiaddr()), (Some(MessageType::Nak), Ipv4Addr::UNSPECIFIED));
    assert_eq!(to, Ipv4Addr::BROADCAST);
}

#[test]
fn what_is_not_for_us_is_left_alone() {
    let other_server = DhcpOption::ServerIdentifier(OTHER);
    let elsewhere = request(MessageType::Request, [other_server, DhcpOption::RequestedIpAddress(ADDRESS)]);
    let mut relayed = request(MessageType::Discover, []);
    relayed.set_giaddr(OTHER);
    let mut stranger = request(MessageType::Discover, []);
    stranger.set_chaddr(&[0x96, 0, 0, 0, 0, 2]);
    let mut inform = request(MessageType::Inform, []);
    inform.set_ciaddr(OTHER);
    for ignored in [elsewhere, relayed, stranger, inform, request(MessageType::Release, [])] {
        assert_eq!(verdict(&ignored), Verdict::Nothing, "{ignored:?}");
    }
    assert_eq!(verdict(&request(MessageType::Request, [])), Verdict::Malformed);
}

/// Whatever a guest sends is read without harm: every prefix, and every byte replaced by some others.
#[test]
fn damaged_packets_do_no_harm() {
    let options = [
        DhcpOption::RequestedIpAddress(ADDRESS),
        DhcpOption::ClientIdentifier(vec![1; 20]),
        DhcpOption::ParameterRequestList(vec![OptionCode::Router, OptionCode::ClasslessStaticRoute]),
        DhcpOption::Hostname("a".repeat(200)),
        DhcpOption::ClasslessStaticRoute(vec![("10.0.0.0/8".parse().unwrap(), GATEWAY)]),
    ];
    let whole = bytes(&request(MessageType::Request, options));
    let read = |packet: &[u8]| parse(packet).map(|message| answer(&message, &lease(), &Told::default()));
    for end in 0..whole.len() {
        read(&whole[..end]);
    }
    for at in 0..whole.len() {
        for byte in [0, 1, 16, 17, 33, 52, 82, 119, 120, 121, 124, 127, 128, 200, 254, 255] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            read(&damaged);
        }
    }
    let mut long_address = whole.clone();
    long_address[2] = 200;
    assert_eq!(parse(&long_address), None);
    assert_eq!(parse(&[]), None);
}
