//! Firewalls: which rules there can be, and which packets they let through (dialects D.1, fact sheet §3.6).
//!
//! Rules are kept in the words of the contract, canonical; what they mean is read from them when a packet is judged.

use crate::{Error, FieldError};
use ipnet::IpNet;
use std::net::IpAddr;
use wolke_wire::cloud::firewall::{Direction, Protocol, Rule};
use wolke_wire::{ErrorCode, Id};

/// The most rules of a firewall.
pub const RULES_MAX: usize = 50;
/// The most networks of a list of a rule.
pub const NETWORKS_MAX: usize = 100;
/// The most effective rules of a firewall: one for each network of each rule.
pub const EFFECTIVE_RULES_MAX: usize = 500;
/// The longest description of a rule, in characters.
pub const DESCRIPTION_LENGTH_MAX: usize = 255;
/// The most selectors of a firewall, and the most resources that one request names.
pub const RESOURCES_MAX: usize = 100;

/// The most firewalls of a server, named by them or selected by its labels (`apply_to_resources`).
pub const PER_SERVER_MAX: i64 = 5;
/// The most servers that a firewall names.
pub const SERVERS_MAX: i64 = 10_000;
/// The most servers that all selectors of a firewall match, each selector counted by itself: the firewall shows every one of
/// them. Whatever would bring one more is refused, a new selector as a server that is made or relabelled.
pub const SELECTED_MAX: i64 = 25_000;

/// The longest text of a selector, in bytes: it is part of an index.
pub const SELECTOR_BYTES_MAX: usize = 1024;

/// Ports of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// `any`.
    Any,
    /// `80`, `80-90`: first and last.
    Range(u16, u16),
}

impl Ports {
    /// Reads `any`, `80` or `80-90`. Ports begin at 1.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let port = |text: &str| {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
            if is_plain { text.parse::<u16>().ok() } else { None }
        };
        if text == "any" {
            return Some(Self::Any);
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (port(first)?, port(last)?);
        (first <= last).then_some(Self::Range(first, last))
    }

    fn holds(self, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Range(first, last) => (first..=last).contains(&port),
        }
    }
}

/// Checks rules and makes their networks canonical: `2a02:1234:10:0100::/64` becomes `2a02:1234:10:100::/64`.
///
/// # Errors
/// Every wrong field, as `rules[0].port`.
pub fn canonical(rules: &[Rule]) -> Result<Vec<Rule>, Vec<FieldError>> {
    if rules.len() > RULES_MAX {
        return Err(vec![FieldError::new("rules", format!("must not have more than {RULES_MAX} entries"))]);
    }
    let mut wrong = Vec::new();
    let checked: Vec<Rule> =
        rules.iter().enumerate().map(|(position, rule)| checked(position, rule, &mut wrong)).collect();
    if wrong.is_empty() && effective(&checked) > EFFECTIVE_RULES_MAX {
        let message = format!("must not make more than {EFFECTIVE_RULES_MAX} effective rules, one for each network");
        wrong.push(FieldError::new("rules", message));
    }
    if wrong.is_empty() { Ok(checked) } else { Err(wrong) }
}

fn effective(rules: &[Rule]) -> usize {
    rules.iter().map(|rule| rule.source_ips.len() + rule.destination_ips.len()).sum()
}

fn checked(position: usize, rule: &Rule, wrong: &mut Vec<FieldError>) -> Rule {
    let field = |name: &str| format!("rules[{position}].{name}");
    let has_ports = matches!(rule.protocol, Protocol::Tcp | Protocol::Udp);
    match (&rule.port, has_ports) {
        (None, true) => wrong.push(FieldError::new(field("port"), format!("is required for {}", rule.protocol))),
        (Some(_), false) => wrong.push(FieldError::new(field("port"), "can only be used with tcp and udp")),
        (Some(port), true) if Ports::parse(port).is_none() => {
            wrong.push(FieldError::new(field("port"), "must be a port, a range of ports such as 80-85, or any"));
        }
        _ => {}
    }
    let is_long = |text: &String| text.chars().count() > DESCRIPTION_LENGTH_MAX;
    if rule.description.as_ref().is_some_and(is_long) {
        let message = format!("must not be longer than {DESCRIPTION_LENGTH_MAX} characters");
        wrong.push(FieldError::new(field("description"), message));
    }
    let lists =
        [(&rule.source_ips, "source_ips", Direction::In), (&rule.destination_ips, "destination_ips", Direction::Out)];
    let [source_ips, destination_ips] = lists.map(|(texts, name, direction)| {
        if rule.direction == direction {
            networks(texts, &field(name), wrong)
        } else {
            none_of(texts, &field(name), direction, wrong)
        }
    });
    Rule { source_ips, destination_ips, ..rule.clone() }
}

/// The list that the rule's direction asks for.
fn networks(texts: &[String], field: &str, wrong: &mut Vec<FieldError>) -> Vec<String> {
    if texts.is_empty() {
        wrong.push(FieldError::new(field, "must name at least one network"));
    } else if texts.len() > NETWORKS_MAX {
        wrong.push(FieldError::new(field, format!("must not have more than {NETWORKS_MAX} entries")));
    }
    let mut canonical = Vec::with_capacity(texts.len());
    for (position, text) in texts.iter().enumerate().take(NETWORKS_MAX) {
        match network(text) {
            Ok(network) => canonical.push(network.to_string()),
            Err(message) => wrong.push(FieldError::new(format!("{field}[{position}]"), message)),
        }
    }
    canonical
}

/// The list of the other direction.
fn none_of(texts: &[String], field: &str, direction: Direction, wrong: &mut Vec<FieldError>) -> Vec<String> {
    if !texts.is_empty() {
        wrong.push(FieldError::new(field, format!("can only be used with direction {direction}")));
    }
    Vec::new()
}

fn network(text: &str) -> Result<IpNet, &'static str> {
    let network: IpNet = text.parse().map_err(|_| "must be a network in CIDR notation")?;
    if network.trunc() == network { Ok(network) } else { Err("must not have bits set behind its prefix") }
}

/// Where a packet goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// The public one.
    Public,
    /// That of a private network, which firewalls do not touch.
    Private,
}

/// The first packet of a conversation: what answers to it goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Where it goes through.
    pub interface: Interface,
    /// Seen from the server.
    pub direction: Direction,
    /// What it carries.
    pub protocol: Protocol,
    /// The other end.
    pub peer: IpAddr,
    /// The port that it is for; none where the protocol has no ports.
    pub port: Option<u16>,
}

/// Whether a server lets a packet through. `firewalls` are the rules of each firewall that is applied to it: they add up.
///
/// Without a firewall everything passes. With one, nothing comes in that no rule allows; as long as no rule is about what
/// goes out, all of that passes.
#[must_use]
pub fn allows<'a>(firewalls: impl IntoIterator<Item = &'a [Rule]>, packet: &Packet) -> bool {
    if packet.interface == Interface::Private {
        return true;
    }
    let (mut is_guarded, mut has_rules) = (false, false);
    for rules in firewalls {
        is_guarded = true;
        for rule in rules.iter().filter(|rule| rule.direction == packet.direction) {
            has_rules = true;
            if matches(rule, packet) {
                return true;
            }
        }
    }
    !is_guarded || (packet.direction == Direction::Out && !has_rules)
}

fn matches(rule: &Rule, packet: &Packet) -> bool {
    let peers = if rule.direction == Direction::In { &rule.source_ips } else { &rule.destination_ips };
    let has_peer = |text: &String| text.parse::<IpNet>().is_ok_and(|network| network.contains(&packet.peer));
    let has_port = match (rule.port.as_deref().and_then(Ports::parse), packet.port) {
        (None, _) => true,
        (Some(ports), Some(port)) => ports.holds(port),
        (Some(_), None) => false,
    };
    rule.protocol == packet.protocol && has_port && peers.iter().any(has_peer)
}

/// The refusal of a server that is not there, by the words of firewalls.
#[must_use]
pub fn resource_not_found(server: Id) -> Error {
    Error::refused(
        ErrorCode::FirewallResourceNotFound,
        format!("firewall resource not found: server with ID '{server}'"),
    )
}

/// The refusal of what the firewall is applied to already; `added` when the firewall is being made.
#[must_use]
pub fn already_applied(what: &str, added: bool) -> Error {
    if added {
        return Error::refused(ErrorCode::ServerAlreadyAdded, format!("{what} is named twice"));
    }
    Error::refused(ErrorCode::FirewallAlreadyApplied, format!("firewall is already applied to {what}"))
}

/// What a label selector has brought behind the firewall leaves it by its labels, or with the selector.
#[must_use]
pub fn managed_by_selector(server: Id) -> Error {
    let message = format!("server with ID '{server}' is managed by a label selector");
    Error::refused(ErrorCode::FirewallManagedByLabelSelector, message)
}

/// A server that has the most firewalls which it can have, and would get another one.
#[must_use]
pub fn too_many_firewalls(server: Id) -> Error {
    let message = format!("server with ID '{server}' cannot have more than {PER_SERVER_MAX} firewalls");
    Error::LimitExceeded { limit: "server_firewall_limit".into(), message }
}

/// A firewall that names the most servers which it can name.
#[must_use]
pub fn too_many_servers() -> Error {
    let message = format!("a firewall cannot be applied to more than {SERVERS_MAX} servers by their IDs");
    Error::LimitExceeded { limit: "firewall_server_limit".into(), message }
}

/// A firewall's selectors may match so many servers together, and no more.
///
/// # Errors
/// `resource_limit_exceeded`.
pub fn check_selected(servers: i64) -> Result<(), Error> {
    if servers <= SELECTED_MAX {
        return Ok(());
    }
    let message =
        format!("a firewall cannot have label selectors that match more than {SELECTED_MAX} servers together");
    Err(Error::LimitExceeded { limit: "firewall_selected_server_limit".into(), message })
}

/// A firewall that has more selectors than it can have.
#[must_use]
pub fn too_many_selectors() -> Error {
    let message = format!("a firewall cannot have more than {RESOURCES_MAX} label selectors");
    Error::LimitExceeded { limit: "firewall_label_selector_limit".into(), message }
}

/// Only what is applied to nothing can be deleted (fact sheet §6.4).
///
/// # Errors
/// `resource_in_use`.
pub fn check_unused(id: Id, is_applied: bool) -> Result<(), Error> {
    if is_applied {
        return Err(Error::refused(ErrorCode::ResourceInUse, format!("firewall with ID {id} is still in use")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(direction: Direction, protocol: Protocol, port: Option<&str>, peers: &[&str]) -> Rule {
        let peers: Vec<String> = peers.iter().map(|peer| (*peer).to_owned()).collect();
        let (source_ips, destination_ips) =
            if direction == Direction::In { (peers, Vec::new()) } else { (Vec::new(), peers) };
        Rule { direction, protocol, port: port.map(str::to_owned), source_ips, destination_ips, description: None }
    }

    fn ssh() -> Rule {
        rule(Direction::In, Protocol::Tcp, Some("22"), &["192.0.2.0/24", "2001:db8::/32"])
    }

    fn fields(rules: &[Rule]) -> Vec<String> {
        canonical(rules).unwrap_err().into_iter().map(|wrong| wrong.name).collect()
    }

    fn packet(direction: Direction, protocol: Protocol, peer: &str, port: Option<u16>) -> Packet {
        Packet { interface: Interface::Public, direction, protocol, peer: peer.parse().unwrap(), port }
    }

    #[test]
    fn ports() {
        assert_eq!(Ports::parse("any"), Some(Ports::Any));
        assert_eq!(Ports::parse("80"), Some(Ports::Range(80, 80)));
        assert_eq!(Ports::parse("1-65535"), Some(Ports::Range(1, 65_535)));
        for bad in ["", "0", "080", "65536", "80-", "-80", "90-80", "80-90-100", "80 - 90", "http", "ANY", "+80"] {
            assert_eq!(Ports::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn networks_become_canonical_and_keep_their_order() {
        let written = rule(
            Direction::In,
            Protocol::Icmp,
            None,
            &["2a02:1234:10:0100::/64", "Aaaa:BBBB::/32", "10.0.0.0/8", "0.0.0.0/0"],
        );
        let read = canonical(&[written]).unwrap();
        assert_eq!(read[0].source_ips, ["2a02:1234:10:100::/64", "aaaa:bbbb::/32", "10.0.0.0/8", "0.0.0.0/0"]);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let mut both = ssh();
        both.destination_ips = vec!["10.0.0.0/8".into()];
        assert_eq!(fields(&[ssh(), both]), ["rules[1].destination_ips"]);
        let mut out = ssh();
        out.direction = Direction::Out;
        assert_eq!(fields(&[out]), ["rules[0].source_ips", "rules[0].destination_ips"]);
        for (wrong, named) in [
            (rule(Direction::In, Protocol::Tcp, None, &["10.0.0.0/8"]), "rules[0].port"),
            (rule(Direction::In, Protocol::Udp, Some("x"), &["10.0.0.0/8"]), "rules[0].port"),
            (rule(Direction::In, Protocol::Icmp, Some("80"), &["10.0.0.0/8"]), "rules[0].port"),
            (rule(Direction::Out, Protocol::Gre, Some("any"), &["10.0.0.0/8"]), "rules[0].port"),
            (rule(Direction::In, Protocol::Icmp, None, &[]), "rules[0].source_ips"),
            (rule(Direction::In, Protocol::Icmp, None, &["10.0.0.0/8", "10.0.0.1"]), "rules[0].source_ips[1]"),
            (rule(Direction::Out, Protocol::Esp, None, &["10.0.0.1/8"]), "rules[0].destination_ips[0]"),
            (Rule { description: Some("x".repeat(256)), ..ssh() }, "rules[0].description"),
        ] {
            assert_eq!(fields(&[wrong]), [named]);
        }
        let many = |count: usize| -> Vec<String> { (0..count).map(|n| format!("10.0.{n}.0/24")).collect() };
        let wide = |count| Rule { source_ips: many(count), ..ssh() };
        assert!(canonical(&vec![ssh(); RULES_MAX]).is_ok());
        assert_eq!(fields(&vec![ssh(); RULES_MAX + 1]), ["rules"]);
        assert_eq!(fields(&[wide(NETWORKS_MAX + 1)]), ["rules[0].source_ips"]);
        assert!(canonical(&vec![wide(100); 5]).is_ok());
        assert_eq!(fields(&[vec![wide(100); 5], vec![ssh()]].concat()), ["rules"], "501 effective rules");
    }

    #[test]
    fn nothing_comes_in_that_no_rule_allows() {
        let knock = |peer, port| packet(Direction::In, Protocol::Tcp, peer, Some(port));
        let rules = [ssh()];
        let open: [&[Rule]; 0] = [];
        assert!(allows(open, &knock("203.0.113.9", 80)), "no firewall, no rules");
        assert!(!allows([&[] as &[Rule]], &knock("192.0.2.7", 22)), "a firewall without rules drops everything");
        assert!(allows([&rules[..]], &knock("192.0.2.7", 22)));
        assert!(allows([&rules[..]], &knock("2001:db8::1", 22)));
        assert!(!allows([&rules[..]], &knock("192.0.3.7", 22)), "another network");
        assert!(!allows([&rules[..]], &knock("192.0.2.7", 23)), "another port");
        assert!(
            !allows([&rules[..]], &packet(Direction::In, Protocol::Udp, "192.0.2.7", Some(22))),
            "another protocol"
        );
        let inside = Packet { interface: Interface::Private, ..knock("10.0.0.2", 80) };
        assert!(allows([&[] as &[Rule]], &inside), "private networks are not touched");
    }

    #[test]
    fn everything_goes_out_until_a_rule_is_about_that() {
        let call = |peer, port| packet(Direction::Out, Protocol::Tcp, peer, Some(port));
        let (inbound, outbound) = ([ssh()], [rule(Direction::Out, Protocol::Tcp, Some("80-90"), &["192.0.2.0/24"])]);
        assert!(allows([&inbound[..]], &call("203.0.113.9", 25)));
        assert!(allows([&inbound[..], &outbound], &call("192.0.2.7", 85)));
        assert!(!allows([&inbound[..], &outbound], &call("192.0.2.7", 25)));
        assert!(!allows([&outbound[..]], &call("203.0.113.9", 80)));
    }

    #[test]
    fn selectors_match_so_many_together() {
        assert_eq!(check_selected(SELECTED_MAX), Ok(()));
        let refused = check_selected(SELECTED_MAX + 1).unwrap_err();
        assert!(matches!(&refused, Error::LimitExceeded { limit, .. } if limit == "firewall_selected_server_limit"));
    }

    #[test]
    fn firewalls_add_up() {
        let web = [rule(Direction::In, Protocol::Tcp, Some("any"), &["0.0.0.0/0"])];
        let ping = [rule(Direction::In, Protocol::Icmp, None, &["0.0.0.0/0"])];
        let both = [&web[..], &ping[..]];
        assert!(allows(both, &packet(Direction::In, Protocol::Icmp, "203.0.113.9", None)));
        assert!(allows(both, &packet(Direction::In, Protocol::Tcp, "203.0.113.9", Some(443))));
        assert!(!allows(both, &packet(Direction::In, Protocol::Esp, "203.0.113.9", None)));
        assert!(!allows(both, &packet(Direction::In, Protocol::Tcp, "2001:db8::1", Some(443))), "IPv4 only");
    }
}
