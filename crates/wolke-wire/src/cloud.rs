//! The serde types of the Cloud API, one file per noun.
//!
//! Answers are supersets of all dialects: they hold legacy members (`server.datacenter`, `image.deprecated`) beside
//! their successors, and a pruner removes what a dialect's document lacks. Requests hold every field of every dialect;
//! they are deserialised after the contract's schema has accepted the body.
//!
//! **Invariant:** an object that stands inside another one is an [`embed::Embed`], never a copy.

/// Defines an enum by the texts that stand on the wire.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];
            /// The text on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }
            #[doc = concat!("The inverse of [`", stringify!($name), "::as_str`].")]
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some($name::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub mod action;
pub mod certificate;
pub mod datacenter;
pub mod embed;
pub mod error;
pub mod firewall;
pub mod floating_ip;
pub mod image;
pub mod iso;
pub mod load_balancer;
pub mod load_balancer_type;
pub mod location;
pub mod metrics;
pub mod network;
pub mod placement_group;
pub mod pricing;
pub mod primary_ip;
pub mod rrset;
pub mod secret;
pub mod server;
pub mod server_type;
pub mod ssh_key;
pub mod storage_box;
pub mod storage_box_type;
pub mod volume;
pub mod zone;

mod form;

pub use embed::Embed;
pub use secret::Secret;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The labels of a resource, in the order of their keys.
pub type Labels = std::collections::BTreeMap<String, String>;

/// When something was announced to go and when it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deprecation {
    /// Since when users are told.
    pub announced: Timestamp,
    /// From when on nothing new can be made of it.
    pub unavailable_after: Timestamp,
}

/// `protection` of what can only be protected against deletion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteProtection {
    /// Deleting is refused.
    pub delete: bool,
}

/// The request of `change_protection` of such a resource. `delete` is required since 2026; before, what is absent stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ChangeDeleteProtection {
    /// Whether deleting is refused.
    pub delete: Option<bool>,
}

/// A reverse DNS entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsPtr {
    /// The address.
    pub ip: String,
    /// The host name.
    pub dns_ptr: String,
}

/// The request of every `change_dns_ptr`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeDnsPtr {
    /// The address whose entry changes.
    pub ip: String,
    /// `None`: absent. `Some(None)`: null, which restores the default of an IPv4 address and removes the entry of an
    /// IPv6 address (fact sheet §3.1).
    #[serde(default, deserialize_with = "form::present")]
    pub dns_ptr: Option<Option<String>>,
}

text_enum! {
    /// The instruction set of images, ISOs and server types.
    Architecture {
        /// 64-bit x86.
        X86 = "x86",
        /// 64-bit ARM.
        Arm = "arm",
    }
}

#[cfg(test)]
mod tests {
    use super::{Architecture, ChangeDnsPtr};

    #[test]
    fn dns_ptr_tells_absent_from_null() {
        let parse = |json| serde_json::from_str::<ChangeDnsPtr>(json).unwrap().dns_ptr;
        assert_eq!(parse(r#"{"ip":"1.2.3.4"}"#), None);
        assert_eq!(parse(r#"{"ip":"1.2.3.4","dns_ptr":null}"#), Some(None));
        assert_eq!(parse(r#"{"ip":"1.2.3.4","dns_ptr":"a.b"}"#), Some(Some("a.b".into())));
    }

    #[test]
    fn enum_texts_agree_with_serde() {
        for value in Architecture::ALL {
            assert_eq!(serde_json::to_string(value).unwrap(), format!("\"{value}\""));
            assert_eq!(Architecture::parse(value.as_str()), Some(*value));
        }
        assert_eq!(Architecture::parse("X86"), None);
    }
}
