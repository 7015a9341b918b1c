//! Health checks that take time: verdicts that come when there were enough checks (decision 0018).
//!
//! With a pace of simulated work in which nothing takes time, what checks find is the verdict, at once, and nothing of this is
//! kept. Else a load balancer has a calendar ([`crate::calendar`]): a strand that sleeps until the next verdict, and that is
//! woken by whatever bumps the load balancer's rev ([`wolke_store::load_balancer_health`]). Each time it reads again what checks
//! find and lets `wolke_domain` say what follows. Which of both holds for a load balancer is a row, not a setting: so all
//! processes on a database show the same, and cached answers stay right. [`Control::pace_health_checks`] brings the rows in line
//! with the setting.

use super::{kind_of, view, ways};
use crate::calendar::{self, Calendar, RENEW_MS, Subject};
use crate::control::Control;
use crate::core::Core;
use std::collections::BTreeMap;
use std::sync::Arc;
use wolke_domain::clock::ClockMode;
use wolke_domain::load_balancer::verdict::{Pace, Verdict, Watch};
use wolke_domain::{Error, Result};
use wolke_store::load_balancer::{self, LoadBalancer};
use wolke_store::load_balancer_health::{self as kept, Checked, Watches};
use wolke_store::strand::NEVER;
use wolke_store::{Race, Tx, resource, strand};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::cloud::load_balancer::{Service, Target, TargetHealth};
use wolke_wire::{Id, Kind, Timestamp};

/// Load balancers that a change of pace looks up at once; each is a transaction of its own.
const PACE_BATCH: i64 = 100;

/// The program.
pub(crate) static PROGRAM: Program<Core> =
    Program { kind: "load_balancer_calendar", steps: &[("keep", keep), ("renew", renew)], abort: "renew" };

/// What checks find now, by target.
type Found = BTreeMap<Checked, Vec<TargetHealth>>;

/// How a watch begins.
type Beginning = fn(Timestamp, Verdict, &Pace) -> Watch;

/// Gives a load balancer a calendar that wakes at a point in time.
fn start_calendar(tx: &mut dyn Tx, of: &LoadBalancer, wake_at: Timestamp) -> Result<()> {
    let scope = vec![Race::Project(of.project)];
    let calendar = Calendar { program: &PROGRAM, project: of.project, scope, subject: of.id };
    let strand = calendar::start(tx, calendar, wake_at)?;
    kept::begin(tx, of.id, strand)
}

/// A load balancer is new: its checks begin, if they take time.
pub(super) fn begin(tx: &mut dyn Tx, core: &Core, new: &LoadBalancer) -> Result<()> {
    if core.simulation().profile.takes_time() { start(tx, core, new, Watch::new) } else { Ok(()) }
}

/// Starts the checks of a load balancer that has none.
fn start(tx: &mut dyn Tx, core: &Core, balancer: &LoadBalancer, begin: Beginning) -> Result<()> {
    let next = follow(tx, core, balancer, begin)?;
    start_calendar(tx, balancer, next.unwrap_or(NEVER))
}

/// The services of a load balancer were others, or its targets: checks that are new begin, and what is gone is forgotten.
pub(super) fn change(tx: &mut dyn Tx, core: &Core, old: &[Service], new: &LoadBalancer) -> Result<()> {
    if kept::calendar(tx, new.id)?.is_none() {
        return Ok(());
    }
    let is_same = |port: u16| {
        let check = |services: &[Service]| {
            services.iter().find(|service| service.listen_port == port).map(|service| service.health_check.clone())
        };
        check(old) == check(&new.details.services)
    };
    for (target, mut watches) in kept::of(tx, new.id)? {
        let before = watches.len();
        watches.retain(|port, _| is_same(*port));
        if watches.len() != before {
            kept::put(tx, new.id, &target, &watches)?;
        }
    }
    follow(tx, core, new, Watch::new).map(|_| ())
}

/// The targets of an answer one by one, also those that selectors have found.
fn each(targets: &[Target]) -> impl Iterator<Item = (Checked, &Target)> {
    let flat = targets.iter().flat_map(|target| match &target.targets {
        Some(found) => found.iter(),
        None => std::slice::from_ref(target).iter(),
    });
    flat.filter_map(|target| checked(target).map(|checked| (checked, target)))
}

/// How a target of an answer is reached; none of a selector.
fn checked(target: &Target) -> Option<Checked> {
    let private = target.use_private_ip.unwrap_or(false);
    match (target.server, &target.ip) {
        (Some(server), _) => Some(Checked { server: server.id, ip: String::new(), private }),
        (None, Some(ip)) => Some(Checked { server: 0, ip: ip.ip.clone(), private }),
        (None, None) => None,
    }
}

/// What checks of a load balancer's targets find now.
fn found(tx: &mut dyn Tx, core: &Core, balancer: &LoadBalancer) -> Result<Found> {
    let (catalogue, ways) = (core.catalogue(), ways(tx, balancer)?);
    let targets = view::targets(tx, ways, kind_of(&catalogue, balancer.details.load_balancer_type)?, balancer)?;
    Ok(each(&targets).map(|(checked, target)| (checked, target.health_status.clone().unwrap_or_default())).collect())
}

/// The targets of an answer with the verdicts of their checks, where those take time.
///
/// # Errors
/// The engine's failure.
pub(super) fn shown(tx: &mut dyn Tx, balancer: Id, mut targets: Vec<Target>) -> Result<Vec<Target>> {
    if kept::calendar(tx, balancer)?.is_none() {
        return Ok(targets);
    }
    let known = kept::of(tx, balancer)?;
    let show = |target: &mut Target| {
        let watches = checked(target).and_then(|checked| known.get(&checked));
        for health in target.health_status.iter_mut().flatten() {
            let port = health.listen_port;
            let watch = watches.and_then(|watches| watches.get(&port));
            *health = watch.map_or(Verdict::UNKNOWN, Watch::shown).at(port);
        }
    };
    for target in &mut targets {
        show(target);
        target.targets.iter_mut().flatten().for_each(&show);
    }
    Ok(targets)
}

/// A look at the targets of a load balancer.
struct Look {
    now: Timestamp,
    /// In a clock of this mode simulated work takes no time, whatever its pace.
    is_instant: bool,
    /// How watches begin that are new.
    begin: Beginning,
    /// The pace of each service, by listen port.
    paces: BTreeMap<u16, Pace>,
    /// When the next verdict comes.
    next: Option<Timestamp>,
    /// Whether a verdict has come.
    is_shown: bool,
}

impl Look {
    /// Lets the watches of a target follow what checks find now.
    fn follow(&mut self, old: &Watches, health: &[TargetHealth]) -> Result<Watches> {
        let mut new = Watches::new();
        for found in health {
            let (port, finding) = (found.listen_port, Verdict::of(found));
            let pace = self.paces.get(&port).ok_or_else(|| Error::internal("a check of no service"))?;
            let before = old.get(&port);
            let watch = match before {
                Some(before) if !self.is_instant => before.follow(self.now, finding, pace),
                Some(before) if before.shown() == finding && before.found() == finding => *before,
                _ if self.is_instant => Watch::settled(self.now, finding, pace),
                _ => (self.begin)(self.now, finding, pace),
            };
            self.is_shown |= before.map_or(Verdict::UNKNOWN, Watch::shown) != watch.shown();
            self.next = [self.next, watch.due(pace)].into_iter().flatten().min();
            new.insert(port, watch);
        }
        Ok(new)
    }
}

/// Lets what is kept of a load balancer's targets follow what checks find now; gives the time of the next verdict. `begin`: how
/// watches begin that are new.
fn follow(tx: &mut dyn Tx, core: &Core, balancer: &LoadBalancer, begin: Beginning) -> Result<Option<Timestamp>> {
    let services = balancer.details.services.iter();
    let mut look = Look {
        now: tx.now(),
        is_instant: tx.facts().clock.mode == ClockMode::Instant,
        begin,
        paces: services.map(|service| (service.listen_port, Pace::of(&service.health_check))).collect(),
        next: None,
        is_shown: false,
    };
    let (found, mut known) = (found(tx, core, balancer)?, kept::of(tx, balancer.id)?);
    for (target, health) in found {
        let old = known.remove(&target);
        let new = look.follow(old.as_ref().unwrap_or(&Watches::new()), &health)?;
        if !old.is_some_and(|old| says_the_same(&old, &new)) {
            kept::put(tx, balancer.id, &target, &new)?;
        }
    }
    for gone in known.keys() {
        kept::forget(tx, balancer.id, gone)?;
    }
    if look.is_shown {
        kept::show(tx, balancer.id)?;
    }
    Ok(look.next)
}

/// What only follows from time is not written again.
fn says_the_same(old: &Watches, new: &Watches) -> bool {
    let is_same = |(a, b): (&Watch, &Watch)| a.shown() == b.shown() && a.found() == b.found();
    old.keys().eq(new.keys()) && old.values().zip(new.values()).all(is_same)
}

/// The load balancer of a calendar; none when it is gone or has another calendar.
fn subject(tx: &mut dyn Tx, frame: &Frame) -> Result<Option<LoadBalancer>> {
    let Subject { subject } = frame.read()?;
    if kept::calendar(tx, subject)? != Some(frame.strand) {
        return Ok(None);
    }
    Ok(load_balancer::by_id(tx, subject)?.map(|found| found.value))
}

/// Comes to the verdicts that are due, and sleeps until the next, or until somebody wakes it.
fn keep(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let Some(balancer) = subject(tx, frame)? else { return Ok(Flow::Done) };
    let until = follow(tx, core, &balancer, Watch::new)?.unwrap_or(NEVER);
    Ok(Flow::Wait { step: "keep", until, deadline: NEVER, promised: true })
}

/// The abort: checks outlive the strand that failed to keep them, and are looked at again a little later.
fn renew(tx: &mut dyn Tx, _core: &Core, frame: &mut Frame) -> Result<Flow> {
    if let Some(balancer) = subject(tx, frame)? {
        tracing::warn!(load_balancer = balancer.id, failure = ?frame.failure, "health checks failed; they are tried again");
        let again = tx.now().plus_ms(RENEW_MS);
        start_calendar(tx, &balancer, again)?;
    }
    Ok(Flow::Done)
}

/// Brings a load balancer in line with the pace of simulated work. What checks find is the verdict in the beginning: it was until
/// now; and in the end.
fn pace(tx: &mut dyn Tx, core: &Core, project: Id, id: Id) -> Result<()> {
    let Some(balancer) = load_balancer::get(tx, project, id)? else { return Ok(()) };
    if !core.simulation().profile.takes_time() {
        return if kept::end(tx, id)? { resource::touch(tx, Kind::LoadBalancer, id) } else { Ok(()) };
    }
    if kept::calendar(tx, id)?.is_none() {
        start(tx, core, &balancer.value, Watch::settled)?;
    }
    Ok(())
}

impl Control {
    /// Brings the health checks of all load balancers in line with the pace of simulated work: to be called when that was set.
    /// Verdicts are immediate in a pace in which nothing takes time; in any other one those that are there stay, and change when
    /// there were enough checks.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn pace_health_checks(&self) -> Result<()> {
        let takes_time = self.core.simulation().profile.takes_time();
        let mut behind = 0;
        loop {
            let others = self.db.read(move |tx| kept::of_pace(tx, !takes_time, behind, PACE_BATCH)).await?;
            let Some((last, _)) = others.last() else { return Ok(()) };
            behind = *last;
            for (id, project) in others {
                let core = Arc::clone(&self.core);
                self.db.write(vec![Race::Project(project)], move |tx| pace(tx, &core, project, id)).await?;
            }
        }
    }

    /// Checks that what is kept of a load balancer's targets is what checks find, unless its calendar is about to look: an
    /// invariant of the simulator.
    ///
    /// # Errors
    /// Internal, naming a load balancer that was not woken when a target changed.
    pub fn check_health(&self, tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
        let (Some(calendar), Some(balancer)) = (kept::calendar(tx, id)?, load_balancer::get(tx, project, id)?) else {
            return Ok(());
        };
        if strand::get(tx, calendar)?.is_none_or(|strand| strand.wake_at <= tx.now()) {
            return Ok(());
        }
        let health = |health: Vec<TargetHealth>| -> BTreeMap<u16, Verdict> {
            health.iter().map(|found| (found.listen_port, Verdict::of(found))).collect()
        };
        let watched = |watches: Watches| -> BTreeMap<u16, Verdict> {
            watches.into_iter().map(|(port, watch)| (port, watch.found())).collect()
        };
        let found = found(tx, &self.core, &balancer.value)?;
        let found: BTreeMap<_, _> = found.into_iter().map(|(target, found)| (target, health(found))).collect();
        let known = kept::of(tx, id)?;
        let known: BTreeMap<_, _> = known.into_iter().map(|(target, watches)| (target, watched(watches))).collect();
        if found == known {
            return Ok(());
        }
        Err(Error::internal(format!("checks of load balancer {id} find {found:?}, and {known:?} is kept")))
    }
}
