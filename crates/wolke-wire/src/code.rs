//! The error codes of the Cloud API.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// A code of the error envelope (fact sheet §6.1 and Appendix A.4). Its status stands in `wolke-http`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "the text of each code is its documentation")]
        pub enum ErrorCode { $($variant),* }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant),*];
            /// The text that stands in the envelope.
            #[must_use] pub const fn as_str(self) -> &'static str { match self { $(ErrorCode::$variant => $text),* } }
            /// The inverse of [`ErrorCode::as_str`].
            #[must_use] pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(ErrorCode::$variant),)* _ => None } }
        }
    };
}

codes! {
    JsonError = "json_error",
    Unauthorized = "unauthorized",
    TokenReadonly = "token_readonly",
    Forbidden = "forbidden",
    Maintenance = "maintenance",
    ResourceLimitExceeded = "resource_limit_exceeded",
    NotFound = "not_found",
    MethodNotAllowed = "method_not_allowed",
    UniquenessError = "uniqueness_error",
    Conflict = "conflict",
    DeprecatedApiEndpoint = "deprecated_api_endpoint",
    ResourceUnavailable = "resource_unavailable",
    InvalidInput = "invalid_input",
    ServiceError = "service_error",
    UnsupportedError = "unsupported_error",
    Locked = "locked",
    ResourceLocked = "resource_locked",
    Protected = "protected",
    RateLimitExceeded = "rate_limit_exceeded",
    ServerError = "server_error",
    BadGateway = "bad_gateway",
    Unavailable = "unavailable",
    Timeout = "timeout",
    ActionFailed = "action_failed",
    PlacementError = "placement_error",
    ResourceInUse = "resource_in_use",
    ServerNotStopped = "server_not_stopped",
    ServerHasIpv4 = "server_has_ipv4",
    ServerHasIpv6 = "server_has_ipv6",
    PrimaryIpAlreadyAssigned = "primary_ip_already_assigned",
    PrimaryIpAssigned = "primary_ip_assigned",
    PrimaryIpVersionMismatch = "primary_ip_version_mismatch",
    PrimaryIpDatacenterMismatch = "primary_ip_datacenter_mismatch",
    MustBeUnassigned = "must_be_unassigned",
    FloatingIpAssigned = "floating_ip_assigned",
    InvalidServerType = "invalid_server_type",
    ServerAlreadyAttached = "server_already_attached",
    IpNotAvailable = "ip_not_available",
    NoSubnetAvailable = "no_subnet_available",
    NetworksOverlap = "networks_overlap",
    VswitchIdAlreadyUsed = "vswitch_id_already_used",
    RescueAlreadyEnabled = "rescue_already_enabled",
    RescueAlreadyDisabled = "rescue_already_disabled",
    NoSpaceLeftInLocation = "no_space_left_in_location",
    VolumeAlreadyAttached = "volume_already_attached",
    LimitExceededError = "limit_exceeded_error",
    FirewallResourceNotFound = "firewall_resource_not_found",
    FirewallAlreadyApplied = "firewall_already_applied",
    FirewallAlreadyRemoved = "firewall_already_removed",
    FirewallManagedByLabelSelector = "firewall_managed_by_label_selector",
    ServerAlreadyAdded = "server_already_added",
    IncompatibleNetworkType = "incompatible_network_type",
    PrivateNetOnlyServer = "private_net_only_server",
    IncorrectZoneMode = "incorrect_zone_mode",
    DnsZoneNotFound = "dns_zone_not_found",
    DnsZoneIsSecondaryZone = "dns_zone_is_secondary_zone",
    CouldNotVerifyDomainDelegatedToZone = "could_not_verify_domain_delegated_to_zone",
    CaaRecordDoesNotAllowCa = "caa_record_does_not_allow_ca",
    CaDnsValidationFailed = "ca_dns_validation_failed",
    CaTooManyAuthorizationsFailedRecently = "ca_too_many_authorizations_failed_recently",
    CaTooManyCertificatesIssuedForRegisteredDomain = "ca_too_many_certificates_issued_for_registered_domain",
    CaTooManyDuplicateCertificates = "ca_too_many_duplicate_certificates",
    SourcePortAlreadyUsed = "source_port_already_used",
    TargetAlreadyDefined = "target_already_defined",
    MissingIpv4 = "missing_ipv4",
    IpNotOwned = "ip_not_owned",
    CloudResourceIpNotAllowed = "cloud_resource_ip_not_allowed",
    RobotUnavailable = "robot_unavailable",
    ServerNotAttachedToNetwork = "server_not_attached_to_network",
    ServerIsLoadBalancerTarget = "server_is_load_balancer_target",
    LoadBalancerNotAttachedToNetwork = "load_balancer_not_attached_to_network",
    LoadBalancerAlreadyAttached = "load_balancer_already_attached",
    LoadBalancerPublicInterfaceDisabled = "load_balancer_public_interface_disabled",
    TargetsWithoutUsePrivateIp = "targets_without_use_private_ip",
    InvalidLoadBalancerType = "invalid_load_balancer_type",
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
