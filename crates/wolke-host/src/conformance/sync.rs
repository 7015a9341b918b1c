//! Resync: the whole state, checked by hash, and what lies on the host that is not in it.

use super::{Bench, Case, Verdict, ensure};
use crate::host::{Delta, Digest, Forget, Report, Resync, latest};
use crate::object::{Desired, ObjectKey, PowerState};

pub(super) const CASES: &[Case] = &[
    ("strays_found_at_start_are_removed", strays),
    ("stray_with_a_wanted_name_is_replaced", stray_with_a_wanted_name),
    ("resync_removes_the_unlisted", unlisted),
    ("torn_resync_does_nothing", torn),
    ("newer_than_the_resync_survives", newer_survives),
    ("digest_tells_a_difference", digest),
    ("forgotten_tombstone_leaves_no_memory", forget),
];

impl Bench<'_> {
    pub(super) fn resync(&mut self, whole: &Resync) -> Result<Vec<Report>, String> {
        let now = self.harness.now();
        self.harness.host().resync(whole, now).map_err(|error| format!("resync failed: {error}"))
    }

    fn digest(&mut self) -> Result<Digest, String> {
        self.harness.host().digest().map_err(|error| format!("digest failed: {error}"))
    }

    /// Waits until exactly these objects lie on the host.
    pub(super) fn listed(&mut self, keys: &[ObjectKey]) -> Verdict {
        let patience = self.patience();
        loop {
            let seen = self.listed_keys()?;
            if seen == keys {
                return Ok(());
            }
            if self.harness.now() >= patience {
                return Err(format!("expected {keys:?} on the host, found {seen:?}"));
            }
            self.step()?;
        }
    }
}

fn strays(bench: &mut Bench<'_>) -> Verdict {
    let (spec, key) = bench.running(1)?;
    let stray = ObjectKey::server(77);
    bench.harness.plant_stray(stray);
    bench.harness.restart();
    let whole = Resync::new(bench.generation, vec![bench.at(1, bench.generation, &spec)]);
    bench.resync(&whole)?;
    bench.listed(&[key])?;
    bench.stays(key, PowerState::Running)?;
    let digest = bench.digest()?;
    ensure(digest == whole.digest, || format!("digest {digest:?} after the resync, expected {:?}", whole.digest))
}

fn stray_with_a_wanted_name(bench: &mut Bench<'_>) -> Verdict {
    let spec = bench.harness.spec();
    let desired = bench.desire(1, &spec);
    bench.harness.plant_stray(desired.key);
    bench.resync(&Resync::new(bench.generation, vec![desired.clone()]))?;
    bench.reach(&desired, PowerState::Running)?;
    bench.listed(&[desired.key])
}

fn unlisted(bench: &mut Bench<'_>) -> Verdict {
    let (_, _) = bench.running(1)?;
    let (spec, kept) = bench.running(2)?;
    bench.resync(&Resync::new(bench.generation, vec![bench.at(2, bench.generation, &spec)]))?;
    bench.listed(&[kept])
}

fn torn(bench: &mut Bench<'_>) -> Verdict {
    let (spec, key) = bench.running(1)?;
    let other = bench.desire(2, &spec);
    let mut whole = Resync::new(bench.generation, vec![bench.at(1, 1, &spec), other]);
    whole.objects.remove(0);
    let answer = bench.resync(&whole);
    ensure(answer.is_err(), || format!("accepted: {answer:?}"))?;
    bench.stays(key, PowerState::Running)?;
    bench.listed(&[key])
}

fn newer_survives(bench: &mut Bench<'_>) -> Verdict {
    let (spec, _) = bench.running(1)?;
    let whole = Resync::new(bench.generation, vec![bench.at(1, bench.generation, &spec)]);
    let (_, newer) = bench.running(2)?;
    bench.resync(&whole)?;
    bench.stays(newer, PowerState::Running)
}

fn digest(bench: &mut Bench<'_>) -> Verdict {
    let (spec, key) = bench.running(1)?;
    let first = bench.at(1, bench.generation, &spec);
    ensure(bench.digest()? == Digest::of([&first]), || "one object does not give its digest".into())?;
    let second = bench.desire(1, &spec);
    bench.reach(&second, PowerState::Running)?;
    bench.harness.restart();
    let seen = bench.digest()?;
    ensure(seen == Digest::of([&second]), || "the digest does not follow the generation".into())?;
    let tombstone = Desired::absent(key, bench.next());
    bench.reach(&tombstone, PowerState::Absent)?;
    ensure(bench.digest()? == Digest::of([&tombstone]), || "a tombstone does not count".into())
}

fn forget(bench: &mut Bench<'_>) -> Verdict {
    let (_, key) = bench.running(1)?;
    let early = Forget { key, generation: bench.generation };
    bench.apply(&Delta { forget: vec![early], ..Delta::default() })?;
    bench.stays(key, PowerState::Running)?;
    let tombstone = Desired::absent(key, bench.next());
    bench.reach(&tombstone, PowerState::Absent)?;
    let forget = Forget { key, generation: tombstone.generation };
    bench.apply(&Delta { forget: vec![forget, forget], ..Delta::default() })?;
    let now = bench.harness.now();
    let reports = bench.harness.host().look(key, now).map_err(|error| error.to_string())?;
    ensure(latest(&reports, key).is_none(), || format!("still remembered: {reports:?}"))?;
    ensure(bench.digest()? == Digest::default(), || "the digest still counts it".into())
}
