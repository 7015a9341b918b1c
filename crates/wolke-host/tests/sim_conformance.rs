//! The conformance suite on the simulated host: immediate, with realistic latencies, waiting for looks, and with time skipped.

#![allow(clippy::unwrap_used, reason = "a harness that fails is a test that fails")]

use std::net::Ipv6Addr;

use wolke_host::conformance::{self, Harness};
use wolke_host::server::SERVER_SPEC_VERSION;
use wolke_host::sim::SimState;
use wolke_host::{
    Architecture, Definition, FirstBoot, GuestEvent, Host, ImageRef, LatencyProfile, MemoryState, ObjectKey,
    OperationKind, Policy, Power, PublicNic, Secret, ServerSpec, SimHost, SimObject, SimSettings,
};
use wolke_wire::Timestamp;

struct Sim {
    state: MemoryState,
    settings: SimSettings,
    now: Timestamp,
}

impl Sim {
    fn new(settings: SimSettings) -> Self {
        Self { state: MemoryState::default(), settings, now: Timestamp(1_000_000) }
    }

    fn event(&mut self, key: ObjectKey, event: GuestEvent) {
        SimHost::new(&mut self.state, &self.settings).guest_event(key, event, self.now).unwrap();
    }
}

impl Harness for Sim {
    fn host(&mut self) -> Box<dyn Host + '_> {
        Box::new(SimHost::new(&mut self.state, &self.settings))
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn advance(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
    }

    fn restart(&mut self) {
        // Through the text form, as a database keeps it.
        let objects = self.state.list(None, usize::MAX).unwrap();
        self.state = MemoryState::default();
        for object in objects {
            let json = serde_json::to_string(&object).unwrap();
            assert!(!json.contains("hunter2"), "a secret rests in the host's memory: {json}");
            let object: SimObject = serde_json::from_str(&json).unwrap();
            self.state.put(&object).unwrap();
        }
    }

    fn spec(&self) -> ServerSpec {
        let public = PublicNic {
            mac: "96:00:00:00:00:01".into(),
            ipv4: Some([198, 18, 0, 4].into()),
            ipv6: Some(Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 0, 0, 0, 0)),
        };
        let definition = Definition {
            name: "web-1".into(),
            uuid: "6f1c7f3e-0000-4000-8000-000000000001".into(),
            architecture: Architecture::X86,
            cores: 1,
            memory_mb: 128,
            public: Some(public),
            region: "eu-central".into(),
            availability_zone: "fsn1-dc14".into(),
        };
        ServerSpec {
            version: SERVER_SPEC_VERSION,
            definition,
            runtime: None,
            disk_gb: 1,
            image: ImageRef { id: 1, name: "debian-12".into(), own: false },
            rebuild_epoch: 0,
            power: Power::On,
            power_epoch: 1,
            first_boot: FirstBoot { user_data: Some(Secret("hunter2".into())), ..FirstBoot::default() },
            iso: None,
            rescue: None,
            simulation: None,
        }
    }

    fn crash_after(&mut self, operations: Option<u32>) {
        self.settings.crash_after = operations;
    }

    fn missing_image(&self) -> ImageRef {
        ImageRef { id: 404, name: "nowhere".into(), own: false }
    }

    fn iso(&self) -> ImageRef {
        ImageRef { id: 77, name: "debian-12-netinst".into(), own: false }
    }

    fn provide_image(&mut self) {
        self.settings.faults.missing_images.remove(&404);
    }

    fn set_disk_full(&mut self, full: bool) {
        self.settings.faults.disk_full = full;
    }

    fn set_ignores_shutdown(&mut self, ignores: bool) {
        assert!(ignores, "no case lets a guest listen again");
        self.settings.profile = std::mem::take(&mut self.settings.profile).with(OperationKind::Shutdown, Policy::Stuck);
    }

    fn set_no_guest_agent(&mut self, none: bool) {
        self.settings.faults.no_guest_agent = none;
    }

    fn guest_powers_off(&mut self, key: ObjectKey) {
        self.event(key, GuestEvent::PowersOff);
    }

    fn guest_dies(&mut self, key: ObjectKey) {
        self.event(key, GuestEvent::HostDies);
    }

    fn plant_stray(&mut self, key: ObjectKey) {
        self.state.put(&SimObject::stray(key)).unwrap();
    }
}

fn conforms(settings: &SimSettings) {
    let mut settings = settings.clone();
    settings.faults.missing_images.insert(404);
    let failures = conformance::run(|| Sim::new(settings.clone()), |_| true);
    let told: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{} of {} cases:\n{}", told.len(), conformance::names().count(), told.join("\n"));
}

/// The same policy for every kind.
fn everywhere(policy: &Policy) -> LatencyProfile {
    LatencyProfile(LatencyProfile::realistic().0.into_keys().map(|kind| (kind, policy.clone())).collect())
}

#[test]
fn immediate() {
    conforms(&SimSettings::default());
}

#[test]
fn realistic() {
    conforms(&SimSettings { profile: LatencyProfile::realistic(), seed: 7, ..SimSettings::default() });
}

#[test]
fn after_looks() {
    conforms(&SimSettings { profile: everywhere(&Policy::AfterLooks { n: 3 }), ..SimSettings::default() });
}

#[test]
fn skipped_time() {
    let profile = everywhere(&Policy::After { ms: u32::MAX });
    conforms(&SimSettings { profile, skip_time: true, ..SimSettings::default() });
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = conformance::names().collect();
    assert!(names.len() > 70, "{names:?}");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), conformance::names().count());
}
