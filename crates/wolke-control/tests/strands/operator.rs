//! What the operator decides in one process reaches the strands of another one that nobody asks anything.

use crate::common::{control, engines, memory, world};
use crate::helpers::block_on;
use std::sync::Arc;
use wolke_control::{Core, Simulation};
use wolke_store::migrate::Role;
use wolke_store::{Db, Race};
use wolke_strand::{Application, Heard};
use wolke_wire::{IdOrName, Timestamp};

const CPX22: i64 = 109;
const NUREMBERG: i64 = 2;
/// A little more than a copy may be old.
const OLD_MS: i64 = 2_001;

fn is_sold_out(core: &Core) -> bool {
    let catalogue = core.catalogue();
    !catalogue.server_type_by_id(CPX22).unwrap().is_orderable_in(NUREMBERG, Timestamp(0))
}

fn begin(db: &Arc<Db>, core: &Arc<Core>, heard: Heard) {
    let core = Arc::clone(core);
    db.write_blocking(vec![Race::Claims], move |tx| core.begin(tx, heard)).unwrap();
}

#[test]
fn a_process_without_requests_keeps_up() {
    for engine in engines("a_process_without_requests_keeps_up") {
        let here = block_on(world(&engine, Simulation::default()));
        let root = memory(Role::Root, &here.clock, "other");
        let (_there, core) = block_on(control(&here.clock, root, &here.db, Simulation::default()));
        let (cpx22, nuremberg) = (IdOrName::from("cpx22"), IdOrName::from("nbg1"));
        let heard = |shared| Heard { operator_changes: here.db.operator_changes(), shared };
        begin(&here.db, &core, heard(true));
        let before = heard(true);
        let kept = core.catalogue();
        block_on(here.control.set_stock(&cpx22, &nuremberg, Some(0))).unwrap();
        assert!(is_sold_out(&here.core) && !is_sold_out(&core));
        // Nothing was heard, and the copy is young: no look.
        begin(&here.db, &core, before);
        assert!(Arc::ptr_eq(&kept, &core.catalogue()));
        // An engine of its own has nobody to hear from.
        begin(&here.db, &core, heard(false));
        assert!(Arc::ptr_eq(&kept, &core.catalogue()));
        begin(&here.db, &core, heard(true));
        assert!(is_sold_out(&core), "{engine:?}");
        // The notification is lost: the copy grows old. Only a clock that the test moves can show that.
        if !here.db.is_shared() {
            block_on(here.control.set_stock(&cpx22, &nuremberg, Some(3))).unwrap();
            let lost = Heard { operator_changes: before.operator_changes + 1, shared: true };
            here.clock.advance(OLD_MS);
            begin(&here.db, &core, lost);
            assert!(!is_sold_out(&core));
        }
    }
}
