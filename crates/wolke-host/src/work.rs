//! What a latency profile gives a time to: the work of machines, and actions that need none.
//!
//! Actions without a machine are done in their answer, and take time only where a profile says so: then the answer shows them
//! running, and they end when that time has passed.

use crate::policy::{OperationKind, Policy};
use serde::de::value::StrDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// What a machine, or an authority, does.
    Machine(OperationKind),
    /// An action that is done in its answer, by its name in [`ACTIONS`].
    Action(&'static str),
}

/// The actions that are done in their answer, each with the bounds of the time that it takes in the profile `realistic`, in
/// milliseconds. Names are commands (fact sheet §5), but see [`name_of`]. The times are estimates: the sheet has none, clients
/// poll such actions for one to a few seconds.
pub const ACTIONS: &[(&str, u32, u32)] = &[
    // Addresses.
    ("assign_floating_ip", 1_000, 3_000),
    ("assign_primary_ip", 1_000, 3_000),
    ("change_dns_ptr", 500, 1_500),
    ("unassign_floating_ip", 1_000, 3_000),
    ("unassign_primary_ip", 1_000, 3_000),
    // Firewalls.
    ("apply_firewall", 1_000, 3_000),
    ("remove_firewall", 1_000, 3_000),
    ("set_firewall_rules", 1_000, 3_000),
    // Load balancers.
    ("add_service", 1_000, 3_000),
    ("add_target", 1_000, 3_000),
    ("change_algorithm", 1_000, 3_000),
    ("change_load_balancer_type", 2_000, 6_000),
    ("create_load_balancer", 3_000, 10_000),
    ("delete_load_balancer", 2_000, 5_000),
    ("delete_service", 1_000, 3_000),
    ("disable_public_interface", 1_000, 3_000),
    ("enable_public_interface", 1_000, 3_000),
    ("remove_target", 1_000, 3_000),
    ("update_service", 1_000, 3_000),
    // Networks.
    ("add_route", 500, 2_000),
    ("add_subnet", 500, 2_000),
    ("attach_to_network", 2_000, 6_000),
    ("change_alias_ips", 1_000, 3_000),
    ("change_ip_range", 500, 2_000),
    ("delete_route", 500, 2_000),
    ("delete_subnet", 500, 2_000),
    ("detach_from_network", 2_000, 6_000),
    // Servers, and whatever can be protected.
    ("add_to_placement_group", 500, 1_500),
    ("attach_iso", 1_000, 2_000),
    ("change_protection", 500, 1_500),
    ("detach_iso", 1_000, 2_000),
    ("disable_backup", 500, 1_500),
    ("disable_rescue", 500, 1_500),
    ("enable_backup", 500, 1_500),
    ("enable_rescue", 500, 1_500),
    ("remove_from_placement_group", 500, 1_500),
    ("request_console", 500, 1_000),
    // Storage boxes.
    ("change_home_directory", 1_000, 3_000),
    ("change_type", 5_000, 15_000),
    ("create_snapshot", 2_000, 8_000),
    ("create_storage_box", 5_000, 20_000),
    ("create_subaccount", 1_000, 4_000),
    ("delete_snapshot", 1_000, 4_000),
    ("delete_storage_box", 5_000, 15_000),
    ("delete_subaccount", 1_000, 4_000),
    ("disable_snapshot_plan", 500, 2_000),
    ("enable_snapshot_plan", 500, 2_000),
    ("reset_storage_box_password", 1_000, 3_000),
    ("reset_subaccount_password", 1_000, 3_000),
    ("rollback_snapshot", 5_000, 20_000),
    ("update_access_settings", 1_000, 3_000),
    // Volumes.
    ("attach_volume", 2_000, 6_000),
    ("create_volume", 1_000, 5_000),
    ("detach_volume", 2_000, 5_000),
    ("resize_volume", 2_000, 5_000),
    // Zones.
    ("add_rrset_records", 500, 2_000),
    ("change_primary_nameservers", 500, 2_000),
    ("change_rrset_protection", 500, 1_500),
    ("change_rrset_ttl", 500, 2_000),
    ("change_ttl", 500, 2_000),
    ("create_rrset", 500, 2_000),
    ("create_zone", 1_000, 4_000),
    ("delete_rrset", 500, 2_000),
    ("delete_zone", 1_000, 4_000),
    ("import_zonefile", 1_000, 5_000),
    ("remove_rrset_records", 500, 2_000),
    ("set_rrset_records", 500, 2_000),
    ("update_rrset_records", 500, 2_000),
];

/// What an action is called in a profile. Storage boxes have commands that say nothing without their resource, and that are
/// names of machines' work, too.
#[must_use]
pub fn name_of(command: &str) -> &str {
    match command {
        "create" => "create_storage_box",
        "delete" => "delete_storage_box",
        "reset_password" => "reset_storage_box_password",
        command => command,
    }
}

/// The machine's work that an action without an entry in [`ACTIONS`] mostly waits for.
fn machine_of(command: &str) -> Option<OperationKind> {
    use OperationKind as K;
    Some(match command {
        "create_server" => K::Create,
        "rebuild_server" => K::Rebuild,
        "change_server_type" => K::Resize,
        "start_server" => K::Start,
        "stop_server" => K::Stop,
        "shutdown_server" => K::Shutdown,
        "reboot_server" => K::Reboot,
        "reset_server" => K::Reset,
        "delete_server" => K::Delete,
        "create_image" => K::Snapshot,
        "reset_password" => K::SetPassword,
        "create_certificate" | "issue_certificate" => K::IssueCertificate,
        _ => return None,
    })
}

impl Work {
    /// The action of this name.
    #[must_use]
    pub fn action(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|(known, ..)| *known == name).map(|(known, ..)| Self::Action(known))
    }

    /// What an action of this command that is done in its answer waits for in a profile.
    #[must_use]
    pub fn done_by(command: &str) -> Option<Self> {
        Self::action(name_of(command))
    }

    /// What an action of this command waits for, whoever does it.
    #[must_use]
    pub fn of(command: &str) -> Option<Self> {
        machine_of(command).map(Self::Machine).or_else(|| Self::done_by(command))
    }
}

impl From<OperationKind> for Work {
    fn from(kind: OperationKind) -> Self {
        Self::Machine(kind)
    }
}

impl Serialize for Work {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Machine(kind) => kind.serialize(serializer),
            Self::Action(name) => serializer.serialize_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for Work {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        match Self::action(&text) {
            Some(action) => Ok(action),
            None => OperationKind::deserialize(StrDeserializer::new(&text)).map(Self::Machine),
        }
    }
}

/// The time that each action takes in the profile `realistic`.
pub(crate) fn realistic() -> impl Iterator<Item = (Work, Policy)> {
    ACTIONS
        .iter()
        .map(|(name, min_ms, max_ms)| (Work::Action(name), Policy::Between { min_ms: *min_ms, max_ms: *max_ms }))
}

/// The first action that a profile gives something else than a time: there is no machine that could be stuck or looked at.
pub(crate) fn untimed(profile: &BTreeMap<Work, Policy>) -> Option<&'static str> {
    profile.iter().find_map(|(work, policy)| match (work, policy) {
        (Work::Action(_), Policy::Immediate | Policy::After { .. } | Policy::Between { .. })
        | (Work::Machine(_), _) => None,
        (Work::Action(name), _) => Some(*name),
    })
}

#[cfg(test)]
mod tests {
    use super::{ACTIONS, OperationKind, Work};
    use crate::policy::{LatencyProfile, Policy};
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_no_machines_work() {
        let names: BTreeSet<_> = ACTIONS.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names.len(), ACTIONS.len());
        for (name, min_ms, max_ms) in ACTIONS {
            assert!(min_ms < max_ms && *min_ms > 0, "{name}");
            let text = format!("\"{name}\"");
            assert!(serde_json::from_str::<OperationKind>(&text).is_err(), "{name}");
            let work: Work = serde_json::from_str(&text).unwrap();
            assert_eq!((work, serde_json::to_string(&work).unwrap()), (Work::Action(name), text));
        }
        assert_eq!(serde_json::from_str::<Work>("\"create\"").unwrap(), Work::Machine(OperationKind::Create));
        assert!(serde_json::from_str::<Work>("\"attach\"").is_err());
    }

    #[test]
    fn commands_find_their_work() {
        assert_eq!(Work::done_by("create"), Work::action("create_storage_box"));
        assert_eq!(Work::of("reset_password"), Some(Work::Machine(OperationKind::SetPassword)));
        assert_eq!(Work::of("attach_volume"), Some(Work::Action("attach_volume")));
        assert_eq!(Work::of("dance"), None);
    }

    #[test]
    fn actions_take_time_and_nothing_else() {
        let attach = Work::action("attach_volume").unwrap();
        for policy in [Policy::Stuck, Policy::AfterLooks { n: 1 }] {
            let profile = LatencyProfile::none().with(attach, policy.clone());
            assert!(profile.check().is_err(), "{policy:?}");
            assert!(LatencyProfile::none().with(OperationKind::Start, policy).check().is_ok());
        }
        let profile = LatencyProfile::none().with(attach, Policy::Between { min_ms: 10, max_ms: 20 });
        assert!(profile.check().is_ok() && profile.has_actions() && !LatencyProfile::none().has_actions());
        let times: BTreeSet<i64> = (1..200).map(|id| profile.action_ms(Some(attach), id)).collect();
        assert_eq!(times, (10..=20).collect(), "spread over all of it");
        assert_eq!(profile.action_ms(Some(attach), 7), profile.action_ms(Some(attach), 7));
        assert_eq!((profile.action_ms(None, 7), profile.action_ms(Work::action("add_route"), 7)), (0, 0));
    }
}
