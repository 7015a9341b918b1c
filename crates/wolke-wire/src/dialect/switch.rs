//! The switches: what a dialect does differently without its document showing it as an operation, a member or a word.
//!
//! **Invariant:** a switch exists once, here, with its text for people and with where it comes from; method, table and
//! `docs/dialects.md` are made from the same line, and a test sees to it that none is added elsewhere.

use super::Dialect;

/// A switch as data: for `docs/dialects.md` and for tests.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    /// The method of [`Dialect`] that asks for it.
    pub name: &'static str,
    /// What holds where it is on, for people.
    pub text: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// Whether a dialect has it.
    pub is_on: fn(Dialect) -> bool,
}

macro_rules! switches {
    ($($name:ident: $text:literal, $source:literal => $($preset:ident)|+;)+) => {
        impl Dialect {
            $(
                #[doc = concat!($text, "\n\nSource: ", $source, ".")]
                #[must_use]
                pub const fn $name(self) -> bool {
                    matches!(self, $(Self::$preset)|+)
                }
            )+
        }

        impl Switch {
            /// Every switch, in the order of the page.
            pub const ALL: &'static [Switch] = &[
                $(Switch { name: stringify!($name), text: $text, source: $source, is_on: Dialect::$name }),+
            ];
        }
    };
}

switches! {
    lists_all_actions:
        "`GET /actions` without `id` lists the actions of the project. Off: it is answered with 410, since 2025-01-30.",
        "dialects A.3, fact sheet §1.1" => D2018_04 | D2023_07;
    leaves_next_actions_out:
        "The answer to `POST /servers` has no `next_actions`.",
        "dialects A.5" => D2018_04;
    absent_public_net_as_object:
        "A server without a public IPv4 or IPv6 address shows an object with empty members. Off: null.",
        "dialects A.10" => D2018_04;
    ipv6_dns_ptr_null_when_empty:
        "`public_net.ipv6.dns_ptr` of a server is null while it has no entries. Off: an empty list.",
        "dialects A.5" => D2018_04 | D2023_07;
    has_old_os_flavors_only:
        "`os_flavor` of an image is `unknown` for systems that came later, such as `alma`, `rocky` and `opensuse`.",
        "dialects A.5, A.10" => D2018_04 | D2023_07;
    counts_apps_as_system:
        "Images of applications are shown and found as `system`, and an unavailable image is shown as `available`: there are \
         no other words.",
        "dialects A.10" => D2018_04;
    shows_end_as_image_deprecated:
        "`deprecated` of an image is the day on which it goes. Off: the day of the announcement.",
        "dialects A.2, A.7, fact sheet §3.9" => D2018_04;
    lists_deprecated_images:
        "Images that are announced to go stay in the list until they are gone. Off: the list shows them on request \
         (`include_deprecated`).",
        "dialects A.7" => D2018_04;
    has_100_samples_without_step:
        "Metrics without `step` have at most 100 samples. Off: 200.",
        "dialects A.7" => D2018_04;
    refuses_rescue_twice:
        "Enabling rescue a second time is refused (`rescue_already_enabled`), and so is disabling it \
         (`rescue_already_disabled`). Off: both succeed; enabling it again renews the password.",
        "dialects A.8" => D2018_04;
    readonly_token_is_forbidden:
        "A read-only token that wants to write gets 403 `forbidden`. Off: 401 `token_readonly`.",
        "dialects A.8" => D2018_04;
    lacks_limit_details:
        "`resource_limit_exceeded` does not say in `details` which limit it is.",
        "dialects A.8" => D2018_04;
    refuses_assigned_floating_ip:
        "Assigning a floating IP to the server that has it is refused with `floating_ip_assigned`. Off: it succeeds.",
        "dialects A.8, fact sheet §3.3" => D2023_07 | D2026_02 | Compat | Newest;
    refuses_delete_of_assigned_ip:
        "Deleting an assigned floating or primary IP is refused with `must_be_unassigned`. Off: it is unassigned first.",
        "dialects A.7, fact sheet §0.2" => Compat | Newest;
    reports_unassigned:
        "An unassigned primary IP has the `assignee_type` `unassigned`. Off: `server`.",
        "fact sheet §0.2" => Newest;
    hides_primary_ips_of_load_balancers:
        "The primary IPs of load balancers are not found: the document knows servers alone as assignees. Off: they are primary \
         IPs like all others.",
        "fact sheet §2 (2026-10-05), decision 0019" => D2023_07 | D2026_02;
    refuses_removal_of_absent_firewall:
        "Taking a firewall off what it is not applied to is refused with `firewall_already_removed`. Off: it succeeds.",
        "dialects D.1, fact sheet §2" => D2023_07;
    leaves_absent_ports_out:
        "A firewall rule without a port has no `port`. Off: null.",
        "dialects D.2" => D2023_07;
    changes_ttl_of_secondary_zones:
        "The default TTL of a secondary zone can be changed: the document says no, today's clients do it.",
        "decision 0012" => Compat | Newest;
}

#[cfg(test)]
mod tests {
    use super::Switch;
    use crate::Dialect;
    use std::collections::BTreeSet;

    /// A switch that stood beside the table would be missing on the page.
    #[test]
    fn all_switches_stand_in_the_table() {
        assert!(!include_str!("../dialect.rs").contains("(self) -> bool"));
        let names: BTreeSet<_> = Switch::ALL.iter().map(|switch| switch.name).collect();
        assert_eq!(names.len(), Switch::ALL.len());
    }

    /// What every dialect does, or none, is no switch.
    #[test]
    fn every_switch_tells_dialects_apart() {
        for switch in Switch::ALL {
            let on = Dialect::ALL.iter().filter(|dialect| (switch.is_on)(**dialect)).count();
            assert!(on > 0 && on < Dialect::ALL.len(), "{}", switch.name);
        }
    }
}
