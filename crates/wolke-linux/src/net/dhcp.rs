//! DHCP: what a guest is told, as a pure function of its request and its lease (RFC 2131, 2132, 3442, 6842).
//!
//! A guest gets one address, for ever, with no network around it: the gateway is reached on the link, everything else over the
//! gateway. Guests without a public address are told the way to the metadata service and nothing else.

use std::net::{Ipv4Addr, SocketAddrV4};

use dhcproto::v4::{DhcpOption, Flags, HType, Message, MessageType, Opcode, OptionCode};
use dhcproto::{Decodable, Decoder, Encodable, Encoder};
use ipnet::Ipv4Net;

use super::link::{GATEWAY, Mac};
use super::pool::METADATA;
use super::resolvers::RESOLVERS_MAX;

/// Where servers listen.
pub(super) const SERVER_PORT: u16 = 67;
/// Where clients listen.
const CLIENT_PORT: u16 = 68;
/// The longest request that is read in bytes: what fits into a frame.
pub(super) const MESSAGE_MAX: usize = 1500;
/// Shorter answers are filled up: clients that know BOOTP drop them (RFC 1542 2.1).
const MESSAGE_MIN: usize = 300;
/// Where the length of the hardware address stands in a request.
const HLEN_AT: usize = 2;
/// A lease without end.
const FOR_EVER: u32 = u32::MAX;

/// What a guest has leased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    /// To whom.
    pub(super) mac: Mac,
    /// Its address.
    pub(super) address: Ipv4Addr,
    /// Whether that leads anywhere but to the metadata service.
    pub(super) public: bool,
}

/// What a guest is told besides.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Its name.
    pub(super) host_name: Option<String>,
    /// Resolvers.
    pub(super) resolvers: Vec<Ipv4Addr>,
}

/// What to do about a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Send this.
    Answer(Vec<u8>, SocketAddrV4),
    /// It is not for us, or needs no answer.
    Nothing,
    /// It is no request.
    Malformed,
}

/// Reads a request; `None` when it is none.
pub(super) fn parse(packet: &[u8]) -> Option<Message> {
    // The decoder believes this length later on.
    if packet.get(HLEN_AT).copied().map(usize::from) != Some(size_of::<Mac>()) {
        return None;
    }
    let message = Message::decode(&mut Decoder::new(packet)).ok()?;
    (message.opcode() == Opcode::BootRequest && message.htype() == HType::Eth && message.opts().msg_type().is_some())
        .then_some(message)
}

/// What a guest is answered.
pub(super) fn answer(request: &Message, lease: &Lease, told: &Told) -> Verdict {
    let Some(kind) = request.opts().msg_type() else { return Verdict::Malformed };
    // Of somebody behind the guest, or through a relay: neither is on this link.
    if request.chaddr() != lease.mac.0 || !request.giaddr().is_unspecified() {
        return Verdict::Nothing;
    }
    match kind {
        MessageType::Discover => reply(request, lease, MessageType::Offer, told),
        MessageType::Request => match (server(request), wish(request)) {
            (Some(other), _) if other != GATEWAY => Verdict::Nothing,
            (_, Some(wish)) if wish == lease.address => reply(request, lease, MessageType::Ack, told),
            (_, Some(_)) => refusal(request),
            (_, None) => Verdict::Malformed,
        },
        MessageType::Inform if request.ciaddr() == lease.address => reply(request, lease, MessageType::Ack, told),
        _ => Verdict::Nothing,
    }
}

fn server(request: &Message) -> Option<Ipv4Addr> {
    match request.opts().get(OptionCode::ServerIdentifier) {
        Some(DhcpOption::ServerIdentifier(server)) => Some(*server),
        _ => None,
    }
}

/// The address that a client wants: named, or already in use.
fn wish(request: &Message) -> Option<Ipv4Addr> {
    match request.opts().get(OptionCode::RequestedIpAddress) {
        Some(DhcpOption::RequestedIpAddress(address)) => Some(*address),
        _ => Some(request.ciaddr()).filter(|address| !address.is_unspecified()),
    }
}

fn reply(request: &Message, lease: &Lease, kind: MessageType, told: &Told) -> Verdict {
    let informed = request.opts().msg_type() == Some(MessageType::Inform);
    let mut message = head(request, kind);
    message.set_ciaddr(request.ciaddr());
    if !informed {
        message.set_yiaddr(lease.address);
        message.opts_mut().insert(DhcpOption::AddressLeaseTime(FOR_EVER));
    }
    let options = message.opts_mut();
    options.insert(DhcpOption::SubnetMask(Ipv4Addr::BROADCAST));
    options.insert(DhcpOption::ClasslessStaticRoute(routes(lease)));
    if lease.public {
        // For clients that do not know classless routes; the others have to ignore it.
        options.insert(DhcpOption::Router(vec![GATEWAY]));
        if !told.resolvers.is_empty() {
            options.insert(DhcpOption::DomainNameServer(told.resolvers.iter().copied().take(RESOLVERS_MAX).collect()));
        }
    }
    if let Some(name) = &told.host_name {
        options.insert(DhcpOption::Hostname(name.clone()));
    }
    // Only who has the address already can be reached by it.
    let uses = request.ciaddr() == lease.address;
    send(&message, if uses { lease.address } else { Ipv4Addr::BROADCAST })
}

fn refusal(request: &Message) -> Verdict {
    let mut message = head(request, MessageType::Nak);
    message.opts_mut().insert(DhcpOption::Message("the address is not yours".into()));
    send(&message, Ipv4Addr::BROADCAST)
}

fn head(request: &Message, kind: MessageType) -> Message {
    let none = Ipv4Addr::UNSPECIFIED;
    let mut message = Message::new_with_id(request.xid(), none, none, none, none, request.chaddr());
    message.set_opcode(Opcode::BootReply).set_htype(HType::Eth);
    message.set_flags(Flags::from(u16::from(request.flags())));
    let options = message.opts_mut();
    options.insert(DhcpOption::MessageType(kind));
    options.insert(DhcpOption::ServerIdentifier(GATEWAY));
    if let Some(client) = request.opts().get(OptionCode::ClientIdentifier) {
        options.insert(client.clone());
    }
    message
}

/// The way to the gateway first: the others lead over it.
fn routes(lease: &Lease) -> Vec<(Ipv4Net, Ipv4Addr)> {
    let mut routes = vec![(Ipv4Net::from(GATEWAY), Ipv4Addr::UNSPECIFIED), (Ipv4Net::from(METADATA), GATEWAY)];
    if lease.public {
        routes.push((Ipv4Net::default(), GATEWAY));
    }
    routes
}

fn send(message: &Message, to: Ipv4Addr) -> Verdict {
    let mut bytes = Vec::new();
    if message.encode(&mut Encoder::new(&mut bytes)).is_err() {
        return Verdict::Malformed;
    }
    bytes.resize(bytes.len().max(MESSAGE_MIN), 0);
    Verdict::Answer(bytes, SocketAddrV4::new(to, CLIENT_PORT))
}

#[cfg(test)]
mod tests;
