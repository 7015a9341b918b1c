//! Images that snapshots have made, as objects: kept as long as they are wished for, usable, and gone without taking a
//! disk with them.

use wolke_wire::Id;

use super::{Bench, Case, Verdict, ensure, expect_sound};
use crate::command::{Outcome, Verb};
use crate::host::{Delta, Forget, Resync, latest};
use crate::object::{Desired, HostError, ObjectKey, PowerState};
use crate::server::{ImageRef, Power, ServerSpec};

pub(super) const CASES: &[Case] = &[
    ("image_is_kept_and_servers_are_made_of_it", kept),
    ("image_is_gone_and_disks_on_it_stay", gone),
    ("image_that_is_not_listed_is_removed", unlisted),
    ("image_that_was_never_made_leaves_nothing", never_made),
];

/// The image of these cases.
const IMAGE: Id = 9001;

const KEY: ObjectKey = ObjectKey::image(IMAGE);

impl Bench<'_> {
    /// A server that runs, and a snapshot of it.
    fn snapshotted(&mut self) -> Result<(ServerSpec, ObjectKey), String> {
        let (spec, key) = self.running(1)?;
        let command = self.verb(key, Verb::Snapshot { image: IMAGE });
        let outcome = self.outcome(&command)?;
        ensure(matches!(outcome, Outcome::Snapshotted { .. }), || format!("no snapshot: {outcome:?}"))?;
        Ok((spec, key))
    }

    /// The image is wished for, whether or not it is there already.
    fn wish_for_image(&mut self) -> Result<Desired, String> {
        let wish = Desired::image(IMAGE, self.next());
        self.apply(&Delta::object(wish.clone()))?;
        let observed = self.wait(KEY, "accepted", |seen| seen.has_applied(wish.generation))?;
        expect_sound(&observed)?;
        Ok(wish)
    }
}

/// The same server, made from the image.
fn from_image(spec: &ServerSpec) -> ServerSpec {
    let image = ImageRef { id: IMAGE, name: "before the upgrade".into(), own: true };
    ServerSpec { image, ..spec.clone() }
}

fn toggle(bench: &mut Bench<'_>, id: Id, spec: &mut ServerSpec) -> Verdict {
    for (power, state) in [(Power::Off, PowerState::Off), (Power::On, PowerState::Running)] {
        spec.power = power;
        spec.power_epoch += 1;
        let desired = bench.desire(id, spec);
        bench.reach(&desired, state).and_then(|observed| expect_sound(&observed))?;
    }
    Ok(())
}

fn kept(bench: &mut Bench<'_>) -> Verdict {
    let wish = bench.wish_for_image()?;
    let (spec, key) = bench.snapshotted()?;
    bench.harness.restart();
    bench.apply(&Delta::object(wish))?;
    let tombstone = Desired::absent(key, bench.next());
    bench.reach(&tombstone, PowerState::Absent)?;
    // It does not depend on the server from which it was made.
    let mut spec = from_image(&spec);
    let desired = bench.desire(2, &spec);
    bench.reach(&desired, PowerState::Running).and_then(|observed| expect_sound(&observed))?;
    toggle(bench, 2, &mut spec)
}

fn gone(bench: &mut Bench<'_>) -> Verdict {
    bench.wish_for_image()?;
    let (spec, key) = bench.snapshotted()?;
    let mut spec = from_image(&spec);
    let desired = bench.desire(2, &spec);
    bench.reach(&desired, PowerState::Running)?;
    let tombstone = Desired::absent(KEY, bench.next());
    bench.reach(&tombstone, PowerState::Absent).and_then(|observed| expect_sound(&observed))?;
    bench.listed(&[key, desired.key])?;
    bench.harness.restart();
    toggle(bench, 2, &mut spec)?;
    if bench.harness.host().facts().images.is_some() {
        let late = bench.desire(3, &spec);
        bench.fail(&late, HostError::IMAGE_MISSING)?;
    }
    let forget = Forget { key: KEY, generation: tombstone.generation };
    bench.apply(&Delta { forget: vec![forget], ..Delta::default() })?;
    let seen = bench.look(KEY)?;
    ensure(seen.is_none(), || format!("still remembered: {seen:?}"))
}

fn unlisted(bench: &mut Bench<'_>) -> Verdict {
    let (spec, key) = bench.snapshotted()?;
    let whole = Resync::new(bench.generation, vec![bench.at(1, bench.generation, &spec)]);
    bench.resync(&whole)?;
    bench.listed(&[key])?;
    bench.stays(key, PowerState::Running)
}

fn never_made(bench: &mut Bench<'_>) -> Verdict {
    bench.wish_for_image()?;
    bench.listed(&[])?;
    let tombstone = Desired::absent(KEY, bench.next());
    bench.reach(&tombstone, PowerState::Absent)?;
    let forget = Forget { key: KEY, generation: tombstone.generation };
    bench.apply(&Delta { forget: vec![forget], ..Delta::default() })?;
    let now = bench.harness.now();
    let reports = bench.harness.host().look(KEY, now).map_err(|error| error.to_string())?;
    ensure(latest(&reports, KEY).is_none(), || format!("still remembered: {reports:?}"))
}
