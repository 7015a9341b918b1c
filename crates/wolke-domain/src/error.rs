//! The one error of the domain. It knows nothing of HTTP; each API maps it once (design §8).
//!
//! One constructor per wording, so that a text exists once.

use wolke_wire::{ErrorCode, Id, Kind};

/// What `wolke-domain`, `wolke-store` and `wolke-control` return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A field of the request and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's path: `public_net.ipv4`, `ssh_keys[0]`.
    pub name: String,
    /// What is wrong, lower case, no full stop.
    pub messages: Vec<String>,
}

impl FieldError {
    /// One field with one message.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), messages: vec![message.into()] }
    }
}

/// Why an operation was refused or failed. `Display` is the internal text, for logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Something named by the caller does not exist for it.
    #[error("not found: {message}")]
    NotFound {
        /// In the words of the question.
        message: String,
    },
    /// The request is well formed and wrong.
    #[error("invalid input: {fields:?}")]
    InvalidInput {
        /// Every offending field.
        fields: Vec<FieldError>,
        /// The whole message, where the real service has a wording of its own.
        message: Option<String>,
    },
    /// A name or key is taken.
    #[error("not unique: {message}")]
    NotUnique {
        /// The message shown.
        message: String,
        /// The fields that collide.
        fields: Vec<String>,
    },
    /// A limit of the project is reached.
    #[error("resource limit exceeded: {limit}")]
    LimitExceeded {
        /// The limit's name (`details.limits[].name`).
        limit: String,
        /// The message shown.
        message: String,
    },
    /// Any other refusal, by its code.
    #[error("{code}: {message}")]
    Refused {
        /// The contract's code.
        code: ErrorCode,
        /// The message shown.
        message: String,
    },
    /// The store or a host could not do it now; the same call may succeed later.
    #[error("unavailable: {internal}")]
    Unavailable {
        /// For the log only.
        internal: String,
    },
    /// A bug or broken data. Shown as a correlation id only.
    #[error("internal: {internal}")]
    Internal {
        /// For the log only.
        internal: String,
    },
}

impl Error {
    /// `server with ID '42' not found`.
    #[must_use]
    pub fn not_found(kind: Kind, id: Id) -> Self {
        Self::NotFound { message: format!("{} with ID '{id}' not found", kind.label()) }
    }

    /// For "id or name" fields: `image not found: 'debian-99'`.
    #[must_use]
    pub fn not_found_named(kind: Kind, asked: &str) -> Self {
        Self::NotFound { message: format!("{} not found: '{asked}'", kind.label()) }
    }

    /// One wrong field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::InvalidInput { fields: vec![FieldError::new(field, message)], message: None }
    }

    /// Several wrong fields.
    #[must_use]
    pub fn invalid_fields(fields: Vec<FieldError>) -> Self {
        Self::InvalidInput { fields, message: None }
    }

    /// `name is already used` (fact sheet §6.4).
    #[must_use]
    pub fn name_used() -> Self {
        Self::NotUnique { message: "name is already used".into(), fields: vec!["name".into()] }
    }

    /// A limit that every project has alike: `subnet limit exceeded`.
    #[must_use]
    pub fn limit(limit: &str, what: &str) -> Self {
        Self::LimitExceeded { limit: limit.into(), message: format!("{what} limit exceeded") }
    }

    /// A project with as many label selectors as it can have.
    #[must_use]
    pub fn too_many_selectors(max: i64) -> Self {
        let message = format!("a project cannot have more than {max} label selectors");
        Self::LimitExceeded { limit: "label_selector_limit".into(), message }
    }

    /// A label selector that would be applied to more servers at once than one request may change.
    #[must_use]
    pub fn too_many_selected(selector: &str, max: i64) -> Self {
        let message = format!("label selector '{selector}' matches more than {max} servers");
        Self::LimitExceeded { limit: "label_selector_server_limit".into(), message }
    }

    /// A subnet that a network has not.
    #[must_use]
    pub fn subnet_not_found(ip_range: &str) -> Self {
        Self::NotFound { message: format!("subnet with range '{ip_range}' not found") }
    }

    /// A route that a network has not.
    #[must_use]
    pub fn route_not_found(destination: &str, gateway: &str) -> Self {
        Self::NotFound { message: format!("route to '{destination}' via '{gateway}' not found") }
    }

    /// A member that a network has not.
    #[must_use]
    pub fn not_attached(kind: Kind, network: Id) -> Self {
        Self::NotFound { message: format!("{} is not attached to network with ID '{network}'", kind.label()) }
    }

    /// A server that is in the network already.
    #[must_use]
    pub fn already_attached(network: Id) -> Self {
        let message = format!("server is already attached to network with ID '{network}'");
        Self::refused(ErrorCode::ServerAlreadyAttached, message)
    }

    /// A network whose range overlaps that of another network of the server.
    #[must_use]
    pub fn networks_overlap(other: Id) -> Self {
        let message = format!("the network overlaps network with ID '{other}', which the server is attached to");
        Self::refused(ErrorCode::NetworksOverlap, message)
    }

    /// An address that is taken, reserved or in no subnet for the member.
    #[must_use]
    pub fn ip_not_available(ip: std::net::Ipv4Addr) -> Self {
        Self::refused(ErrorCode::IpNotAvailable, format!("IP '{ip}' is not available"))
    }

    /// No subnet for the member, or none with an address left.
    #[must_use]
    pub fn no_subnet_available(zone: &str) -> Self {
        let message = format!("network has no subnet in network zone {zone} with an available IP");
        Self::refused(ErrorCode::NoSubnetAvailable, message)
    }

    /// `servers are attached`: clients look for these words (fact sheet §3.5).
    #[must_use]
    pub fn subnet_in_use() -> Self {
        Self::refused(ErrorCode::ServiceError, "cannot delete the subnet because servers are attached to it")
    }

    /// `vswitch not found` (fact sheet §6.4).
    #[must_use]
    pub fn vswitch_not_found() -> Self {
        Self::refused(ErrorCode::ServiceError, "vswitch not found")
    }

    /// A vSwitch that is coupled with a network already.
    #[must_use]
    pub fn vswitch_used() -> Self {
        Self::refused(ErrorCode::VswitchIdAlreadyUsed, "vswitch_id is already used")
    }

    /// A refusal by code.
    pub fn refused(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Refused { code, message: message.into() }
    }

    /// `server deletion is protected`. Clients' suites compare these words: those of addresses begin with a capital, and
    /// networks, as what came after them, have other words (fact sheet §6.4).
    #[must_use]
    pub fn delete_protected(kind: Kind) -> Self {
        let message = match kind {
            Kind::FloatingIp => "Floating IP deletion is protected".to_owned(),
            Kind::PrimaryIp => "Primary IP deletion is protected".to_owned(),
            Kind::Server | Kind::Volume | Kind::LoadBalancer => format!("{} deletion is protected", kind.label()),
            _ => format!("{} is delete protected", kind.label()),
        };
        Self::refused(ErrorCode::Protected, message)
    }

    /// An address that cannot be deleted because somebody has it (since 2026-05-01).
    #[must_use]
    pub fn must_be_unassigned(kind: Kind) -> Self {
        let message = format!("{} must be unassigned before it can be deleted", kind.label());
        Self::refused(ErrorCode::MustBeUnassigned, message)
    }

    /// `server rebuild is protected`.
    #[must_use]
    pub fn rebuild_protected(kind: Kind) -> Self {
        Self::refused(ErrorCode::Protected, format!("{} rebuild is protected", kind.label()))
    }

    /// Work on the resource is under way and contention is refused or its queue is full.
    #[must_use]
    pub fn locked(kind: Kind) -> Self {
        Self::refused(ErrorCode::Locked, format!("{} is locked by another action", kind.label()))
    }

    /// What a server type needs is more than the only host of a location has, or something else.
    #[must_use]
    pub fn type_beyond_host(server_type: &str, location: &str, why: &str) -> Self {
        let message = format!("server type {server_type} cannot run on the host of location {location}: {why}");
        Self::refused(ErrorCode::ResourceUnavailable, message)
    }

    /// The only host of a location has no room left for a server of a type.
    #[must_use]
    pub fn type_without_room(server_type: &str, location: &str, why: &str) -> Self {
        let message = format!("the host of location {location} has no room for server type {server_type}: {why}");
        Self::refused(ErrorCode::ResourceUnavailable, message)
    }

    /// Nobody drives the host of a real location.
    #[must_use]
    pub fn host_away(location: &str) -> Self {
        Self::refused(ErrorCode::ResourceUnavailable, format!("the host of location {location} is not running"))
    }

    /// What real servers cannot do yet.
    #[must_use]
    pub fn not_on_real_servers(what: &str, location: &str) -> Self {
        let message = format!("{what} is not supported for servers in location {location}, which are real");
        Self::refused(ErrorCode::UnsupportedError, message)
    }

    /// An image that the host of a real location does not have for what a server would be; `command` brings it there.
    #[must_use]
    pub fn image_not_on_host(image: &str, location: &str, runtime: &str, command: &str) -> Self {
        let message = format!(
            "image {image} is not on the host of location {location} as one for a {runtime}: bring it there with `{command}`"
        );
        Self::refused(ErrorCode::UnsupportedError, message)
    }

    /// A snapshot or backup whose disk is on another host, or of another sort.
    #[must_use]
    pub fn image_of_other_host(image: Id, location: &str, runtime: &str) -> Self {
        let message = format!(
            "image {image} was not made of a {runtime} on the host of location {location} and cannot be used for one there"
        );
        Self::refused(ErrorCode::UnsupportedError, message)
    }

    /// A server type that a location runs in another way than the server.
    #[must_use]
    pub fn other_runtime(server_type: &str, location: &str, (wanted, present): (&str, &str)) -> Self {
        let message = format!(
            "server type {server_type} is a {wanted} in location {location} and the server is a {present}: the disk of one is \
             of no use to the other"
        );
        Self::refused(ErrorCode::UnsupportedError, message)
    }

    /// The clock of a world with real machines cannot be changed.
    #[must_use]
    pub fn clock_of_real_world(host: &str) -> Self {
        let message = format!(
            "this world has a real host ({host}), so its time is real time: the clock cannot be set or advanced"
        );
        Self::refused(ErrorCode::UnsupportedError, message)
    }

    /// An operation on a zone whose mode does not know it (fact sheet §4.2).
    #[must_use]
    pub fn incorrect_zone_mode(mode: &str) -> Self {
        Self::refused(ErrorCode::IncorrectZoneMode, format!("operation is not supported for zones in {mode} mode"))
    }

    /// A zone that somebody else has changed while a long request for it was read; the same request will do.
    #[must_use]
    pub fn zone_changed() -> Self {
        Self::refused(ErrorCode::Conflict, "the zone was changed by another request")
    }

    /// `RRSet(s) is/are change protected` (fact sheet §6.4).
    #[must_use]
    pub fn rrset_protected() -> Self {
        Self::refused(ErrorCode::Protected, "RRSet(s) is/are change protected")
    }

    /// `RRSet 'www/A' not found`.
    #[must_use]
    pub fn rrset_not_found(name: &str, kind: &str) -> Self {
        Self::NotFound { message: format!("RRSet '{name}/{kind}' not found") }
    }

    /// A folder that a storage box has not.
    #[must_use]
    pub fn folder_not_found(path: &str) -> Self {
        Self::NotFound { message: format!("folder '{path}' not found") }
    }

    /// A value that no record of a set has.
    #[must_use]
    pub fn record_not_found(value: &str) -> Self {
        /// How much of a value is repeated, in characters.
        const SHOWN_MAX: usize = 64;
        let shown: String = value.chars().take(SHOWN_MAX).collect();
        Self::NotFound { message: format!("record with value '{shown}' not found") }
    }

    /// A set that is there already.
    #[must_use]
    pub fn rrset_exists() -> Self {
        Self::NotUnique { message: "RRSet already exists".into(), fields: vec!["name".into(), "type".into()] }
    }

    /// The set without which a zone is none.
    #[must_use]
    pub fn soa_stays() -> Self {
        Self::refused(ErrorCode::UnsupportedError, "the SOA RRSet of a zone cannot be deleted")
    }

    /// `certificate not retryable` (fact sheet §6.4).
    #[must_use]
    pub fn certificate_not_retryable() -> Self {
        Self::refused(ErrorCode::UnsupportedError, "certificate not retryable")
    }

    /// A broken invariant of ours.
    pub fn internal(internal: impl Into<String>) -> Self {
        Self::Internal { internal: internal.into() }
    }

    /// The same refusal of wrong fields, whose message names the fields alone; the reasons stay in the details.
    #[must_use]
    pub fn without_reasons(self) -> Self {
        let Self::InvalidInput { fields, .. } = self else { return self };
        let names: Vec<FieldError> =
            fields.iter().map(|field| FieldError { name: field.name.clone(), messages: Vec::new() }).collect();
        Self::InvalidInput { message: Some(invalid_input_message(&names)), fields }
    }

    /// The message that the caller sees.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::InvalidInput { message: Some(message), .. }
            | Self::NotFound { message }
            | Self::NotUnique { message, .. }
            | Self::LimitExceeded { message, .. }
            | Self::Refused { message, .. } => message.clone(),
            Self::InvalidInput { fields, message: None } => invalid_input_message(fields),
            Self::Unavailable { .. } => "the service is temporarily unavailable".into(),
            Self::Internal { .. } => "an internal error occurred".into(),
        }
    }

    /// The contract's code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::InvalidInput { .. } => ErrorCode::InvalidInput,
            Self::NotUnique { .. } => ErrorCode::UniquenessError,
            Self::LimitExceeded { .. } => ErrorCode::ResourceLimitExceeded,
            Self::Refused { code, .. } => *code,
            Self::Unavailable { .. } => ErrorCode::Unavailable,
            Self::Internal { .. } => ErrorCode::ServerError,
        }
    }
}

/// `invalid input in field 'x': reason`, or `invalid input in fields 'a', 'b'` (fact sheet §6.2).
fn invalid_input_message(fields: &[FieldError]) -> String {
    match fields {
        [] => "invalid input".into(),
        [one] => match one.messages.as_slice() {
            [] => format!("invalid input in field '{}'", one.name),
            messages => format!("invalid input in field '{}': {}", one.name, messages.join(", ")),
        },
        many => {
            let names: Vec<_> = many.iter().map(|f| format!("'{}'", f.name)).collect();
            format!("invalid input in fields {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, FieldError};

    #[test]
    fn wordings() {
        assert_eq!(Error::invalid("name", "is too long").message(), "invalid input in field 'name': is too long");
        let two = Error::invalid_fields(vec![FieldError::new("server", "x"), FieldError::new("home_location", "y")]);
        assert_eq!(two.message(), "invalid input in fields 'server', 'home_location'");
        assert_eq!(Error::invalid("type", "is odd").without_reasons().message(), "invalid input in field 'type'");
    }
}
