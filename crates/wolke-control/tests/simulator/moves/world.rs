//! What happens around requests: policies, time, crashes, the worker.

use super::*;

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("policy", 1, |sim| Box::pin(sim.policy())),
    ("clock", 1, |sim| Box::pin(sim.time())),
    ("crash", 1, |sim| Box::pin(sim.crash())),
    ("step", 8, |sim| Box::pin(sim.strand_step())),
];

impl Simulator {
    async fn policy(&mut self) -> Result<String> {
        let kinds = [
            OperationKind::Create,
            OperationKind::Rebuild,
            OperationKind::Resize,
            OperationKind::Change,
            OperationKind::Start,
            OperationKind::Stop,
            OperationKind::Delete,
            OperationKind::SetPassword,
            OperationKind::IssueCertificate,
        ];
        let policies = [
            Policy::Immediate,
            Policy::Immediate,
            Policy::After { ms: 4_000 },
            Policy::Stuck,
            Policy::FailOnce { code: "sim".into(), message: "failed once".into() },
        ];
        let (kind, policy) = (self.dice.pick(&kinds), self.dice.pick(&policies).unwrap_or_default());
        let mut profile = LatencyProfile::none().with(kind.unwrap_or(OperationKind::Create), policy);
        if self.dice.once_in(2) {
            let pace = Policy::Between { min_ms: 1_000, max_ms: 6_000 };
            let actions = ACTIONS.iter().map(|(name, ..)| (Work::Action(name), pace.clone()));
            profile.0.extend(actions);
        }
        self.control.set_simulation(Simulation { profile: profile.clone(), ..Simulation::default() });
        self.control.pace_health_checks().await?;
        let watched = self.db.read(|tx| wolke_store::load_balancer_health::of_pace(tx, true, 0, 99)).await?.len();
        let watched = if watched > 0 { format!(", {watched} load balancers are watched") } else { String::new() };
        let actions = if profile.has_actions() { "actions and " } else { "" };
        let machines: Vec<_> = profile.0.iter().filter(|(work, _)| matches!(work, Work::Machine(_))).collect();
        Ok(format!("{actions}{machines:?}{watched}"))
    }

    async fn time(&mut self) -> Result<String> {
        let modes = [ClockMode::Wall, ClockMode::Scaled, ClockMode::Manual, ClockMode::Instant];
        if self.dice.once_in(4) {
            let mode = self.dice.pick(&modes).unwrap_or_default();
            return self.control.set_clock_mode(mode, 60_000).await.map(|clock| format!("{mode:?} {}", clock.now));
        }
        let ms = i64::try_from(self.dice.below(20_000)).unwrap_or(0);
        self.clock.advance(ms);
        let world_ms = if self.dice.once_in(6) { 16 * 60 * 1000 } else { ms };
        self.control.advance_clock(world_ms).await.map(|clock| clock.now.to_string())
    }

    /// Everything in memory is lost: caches, leases, policies. The database is what is left.
    async fn crash(&mut self) -> Result<String> {
        let (control, core) = control(&self.clock, Arc::clone(&self.root), &self.db, Simulation::default()).await;
        (self.control, self.core) = (control, core);
        Ok(String::new())
    }

    async fn strand_step(&mut self) -> Result<String> {
        let disturbance = match self.dice.below(8) {
            0 => Disturbance::CrashBefore(0),
            1 => Disturbance::CrashAfter(0),
            2 => Disturbance::RepeatEverything,
            _ => Disturbance::None,
        };
        let mut drive = Drive::new(&self.db, &self.core, disturbance);
        let moved = drive.one()?;
        Ok(format!("{disturbance:?} moved {moved}, {} steps", drive.steps))
    }
}
