//! The planner's rules, plan by plan.

use super::{Current, Guest, Operation, PLAN_MAX, plan};
use crate::object::{Desired, HostError, ObjectKey, Spec, Wish};
use crate::sample;
use crate::server::{Boot, ImageRef, Power, Rescue, ServerSpec};

fn desired(generation: i64, change: impl FnOnce(&mut ServerSpec)) -> Desired {
    let mut spec = sample::spec();
    change(&mut spec);
    Desired::server(1, generation, spec)
}

/// Executes a plan and says what it was.
fn carry_out(current: &mut Current, desired: &Desired) -> Vec<&'static str> {
    let operations = plan(current, desired).unwrap();
    assert!(operations.len() <= PLAN_MAX, "{operations:?}");
    for operation in &operations {
        operation.complete(desired, current);
    }
    assert_eq!(plan(current, desired), Ok(vec![]), "a plan that is carried out leaves nothing to do");
    operations.iter().map(name).collect()
}

fn name(operation: &Operation) -> &'static str {
    match operation {
        Operation::CreateDisk { .. } => "create-disk",
        Operation::GrowDisk { .. } => "grow-disk",
        Operation::Define => "define",
        Operation::Start => "start",
        Operation::Stop => "stop",
        Operation::Undefine => "undefine",
        Operation::DeleteDisk => "delete-disk",
        Operation::Commit { .. } => "commit",
    }
}

#[test]
fn life_of_a_server() {
    let mut current = Current::default();
    assert_eq!(carry_out(&mut current, &desired(1, |_| {})), ["create-disk", "define", "start", "commit"]);
    let renamed = desired(2, |spec| spec.definition.name = "web-2".into());
    assert_eq!(carry_out(&mut current, &renamed), ["define", "commit"]);
    let off = |spec: &mut ServerSpec| {
        spec.power = Power::Off;
        spec.power_epoch = 1;
    };
    assert_eq!(carry_out(&mut current, &desired(3, off)), ["stop", "define", "commit"]);
    let grown_and_on = |spec: &mut ServerSpec| {
        (spec.definition.cores, spec.definition.memory_mb, spec.disk_gb) = (2, 4096, 20);
        spec.power_epoch = 2;
    };
    assert_eq!(carry_out(&mut current, &desired(4, grown_and_on)), ["grow-disk", "define", "start", "commit"]);
    let rebuilt = |spec: &mut ServerSpec| {
        grown_and_on(spec);
        spec.rebuild_epoch = 1;
    };
    let rebuilt = desired(5, rebuilt);
    assert_eq!(carry_out(&mut current, &rebuilt), ["stop", "create-disk", "define", "start", "commit"]);
    let tombstone = Desired::absent(ObjectKey::server(1), 6);
    assert_eq!(carry_out(&mut current, &tombstone), ["stop", "undefine", "delete-disk", "commit"]);
    assert!(current.is_absent());
}

#[test]
fn a_guest_that_went_off_stays_off_and_a_lost_one_is_started() {
    let mut current = Current::default();
    let first = desired(1, |_| {});
    carry_out(&mut current, &first);
    current.guest = Guest::Off;
    assert_eq!(plan(&current, &first), Ok(vec![]));
    assert_eq!(carry_out(&mut current, &desired(2, |_| {})), ["define", "commit"]);
    current.guest = Guest::Lost;
    assert_eq!(carry_out(&mut current, &desired(2, |_| {})), ["start"]);
    let mut lost = Current { guest: Guest::Lost, ..current.clone() };
    let tombstone = Desired::absent(ObjectKey::server(1), 3);
    assert_eq!(carry_out(&mut lost, &tombstone), ["stop", "undefine", "delete-disk", "commit"]);
    assert!(lost.is_absent());
    assert_eq!(carry_out(&mut current, &desired(3, |spec| spec.power_epoch = 1)), ["define", "commit"]);
    current.guest = Guest::Off;
    assert_eq!(carry_out(&mut current, &desired(4, |spec| spec.power_epoch = 2)), ["define", "start", "commit"]);
}

#[test]
fn drift_of_the_definition_is_repaired() {
    let mut current = Current::default();
    let first = desired(1, |_| {});
    carry_out(&mut current, &first);
    current.definition = None;
    assert_eq!(carry_out(&mut current, &first), ["define"]);
    current.sources.iso = Some(5);
    assert_eq!(carry_out(&mut current, &first), ["define"]);
    current.disk = None;
    assert_eq!(carry_out(&mut current, &first), ["stop", "create-disk", "start"]);
}

#[test]
fn boot_sources_are_defined_and_a_rescue_is_consumed_once() {
    let mut current = Current::default();
    let rescue = |epoch| Some(Rescue { epoch, kind: "linux64".into(), ssh_keys: vec![], root_password_hash: None });
    carry_out(&mut current, &desired(1, |_| {}));
    let with_disc = |spec: &mut ServerSpec| spec.iso = Some(ImageRef { id: 7, name: "netinst".into(), own: false });
    assert_eq!(carry_out(&mut current, &desired(2, with_disc)), ["define", "commit"]);
    assert_eq!((current.booted(), current.next_boot()), (Some(Boot::Disk), Boot::Iso));
    let with_both = |spec: &mut ServerSpec| {
        with_disc(spec);
        spec.rescue = rescue(4);
    };
    assert_eq!(carry_out(&mut current, &desired(3, with_both)), ["define", "commit"]);
    assert_eq!((current.booted(), current.next_boot(), current.rescue_epoch), (Some(Boot::Disk), Boot::Rescue, 0));
    // A start that is executed twice, and one that finds the guest running, boot nothing.
    Operation::Start.complete(&desired(3, with_both), &mut current);
    assert_eq!((current.booted(), current.rescue_epoch), (Some(Boot::Disk), 0));
    current.halt(Guest::Lost);
    assert_eq!(current.booted(), None);
    for _ in 0..2 {
        Operation::Start.complete(&desired(3, with_both), &mut current);
        assert_eq!((current.booted(), current.next_boot(), current.rescue_epoch), (Some(Boot::Rescue), Boot::Iso, 4));
    }
    current.boot();
    assert_eq!((current.booted(), current.rescue_epoch), (Some(Boot::Iso), 4));
    carry_out(&mut current, &Desired::absent(ObjectKey::server(1), 4));
    assert_eq!(current, Current { generation: 4, ..Current::default() }, "nothing is left but the generation");
}

#[test]
fn what_no_operation_can_do() {
    let mut current = Current::default();
    carry_out(&mut current, &desired(1, |_| {}));
    let code = |desired: &Desired| plan(&current, desired).unwrap_err().code;
    assert_eq!(code(&desired(2, |spec| spec.disk_gb = 9)), HostError::DISK_SHRINK);
    assert_eq!(code(&desired(2, |spec| spec.version += 1)), HostError::UNSUPPORTED_SPEC);
    let unknown: Desired = serde_json::from_str(
        r#"{"key":{"kind":"server","id":1},"generation":2,"wish":{"present":{"kind":"teapot","spout":{"length":3}}}}"#,
    )
    .unwrap();
    assert_eq!(unknown.wish, Wish::Present(Spec::Unknown));
    assert_eq!(code(&unknown), HostError::UNSUPPORTED_SPEC);
}

#[test]
fn after_any_prefix_the_rest_is_planned() {
    let steps = [
        desired(1, |_| {}),
        desired(2, |spec| {
            spec.rebuild_epoch = 1;
            spec.disk_gb = 20;
        }),
        Desired::absent(ObjectKey::server(1), 3),
    ];
    let mut current = Current::default();
    for step in &steps {
        let operations = plan(&current, step).unwrap();
        for done in 0..=operations.len() {
            let mut half = current.clone();
            operations[..done].iter().for_each(|operation| operation.complete(step, &mut half));
            assert_eq!(plan(&half, step).unwrap(), operations[done..], "after {done} of {step:?}");
        }
        operations.iter().for_each(|operation| operation.complete(step, &mut current));
    }
}

#[test]
fn documents_tolerate_what_is_new() {
    let text = serde_json::to_string(&desired(1, |_| {})).unwrap();
    let extended = text.replacen("\"memory_mb\"", "\"hugepages\":true,\"memory_mb\"", 1);
    assert_ne!(text, extended);
    assert_eq!(serde_json::from_str::<Desired>(&extended).unwrap(), desired(1, |_| {}));
}
