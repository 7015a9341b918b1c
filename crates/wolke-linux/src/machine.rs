//! Virtual machines: QEMU, steered over QMP.
