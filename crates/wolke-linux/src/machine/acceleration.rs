//! How guests' processors are run: by KVM where it works, else translated (TCG).

/// What runs the processors of guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// The processor itself.
    Kvm,
    /// QEMU's translation.
    Tcg,
}

impl Accelerator {
    /// QEMU's arguments.
    #[must_use]
    pub const fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            Self::Tcg => ["-accel", "tcg,thread=multi", "-cpu", "max"],
        }
    }
}
