//! A server for unit tests.

use crate::server::{Architecture, Definition, FirstBoot, ImageRef, Power, SERVER_SPEC_VERSION, ServerSpec};

/// A small server that shall run.
pub(crate) fn spec() -> ServerSpec {
    ServerSpec {
        version: SERVER_SPEC_VERSION,
        definition: Definition {
            name: "web-1".into(),
            uuid: "6f1c7f3e-0000-4000-8000-000000000001".into(),
            architecture: Architecture::X86,
            cores: 1,
            memory_mb: 1024,
            public: None,
            region: String::new(),
            availability_zone: String::new(),
        },
        runtime: None,
        disk_gb: 10,
        image: ImageRef { id: 1, name: "debian-12".into(), own: false },
        rebuild_epoch: 0,
        power: Power::On,
        power_epoch: 0,
        first_boot: FirstBoot::default(),
        iso: None,
        rescue: None,
        simulation: None,
    }
}
