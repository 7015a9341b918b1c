//! The moves: requests of clients, steps of strands, crashes, host policies, the clock. After each, the invariants.

use crate::common::{TestClock, control, memory};
use crate::model::{Dice, Model, Promised};
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use wolke_control::server::PowerVerb;
use wolke_control::{Caller, Control, Core, Filter, ListRequest, Simulation};
use wolke_domain::action::Status;
use wolke_domain::clock::ClockMode;
use wolke_domain::{Error, Result};
use wolke_host::work::ACTIONS;
use wolke_host::{LatencyProfile, OperationKind, Policy, Work};
use wolke_store::migrate::Role;
use wolke_store::{Db, Tx, action, floating_ip as floating_ips, invariant, server as servers};
use wolke_strand::testing::{Disturbance, Drive};
use wolke_wire::paging::Page;
use wolke_wire::selector::Selector;
use wolke_wire::{Dialect, ErrorCode, Id, Kind};

mod backup;
mod certificate;
mod console;
mod fault;
mod firewall;
mod floating_ip;
mod image;
mod list;
mod load_balancer;
mod network;
mod placement_group;
mod primary_ip;
mod project;
mod server;
mod server_actions;
mod ssh_key;
mod storage_box;
mod volume;
mod world;
mod zone;

/// A move: its name in the log, its weight among all, and what it does. What it returns is part of the log.
pub type Move = (&'static str, u64, for<'a> fn(&'a mut Simulator) -> Made<'a>);
/// The outcome of a move, later.
pub type Made<'a> = Pin<Box<dyn Future<Output = Result<String>> + 'a>>;

/// Every move, noun by noun.
const MOVES: &[&[Move]] = &[
    backup::MOVES,
    certificate::MOVES,
    console::MOVES,
    fault::MOVES,
    firewall::MOVES,
    floating_ip::MOVES,
    image::MOVES,
    list::MOVES,
    load_balancer::MOVES,
    network::MOVES,
    placement_group::MOVES,
    primary_ip::MOVES,
    project::MOVES,
    server::MOVES,
    server_actions::MOVES,
    ssh_key::MOVES,
    storage_box::MOVES,
    volume::MOVES,
    world::MOVES,
    zone::MOVES,
];

const DIALECTS: [Dialect; 3] = [Dialect::Compat, Dialect::D2018_04, Dialect::Newest];

pub struct Simulator {
    dice: Dice,
    clock: Arc<TestClock>,
    root: Arc<Db>,
    db: Arc<Db>,
    control: Arc<Control>,
    core: Arc<Core>,
    caller: Caller,
    model: Model,
    log: String,
}

impl Simulator {
    pub async fn new(seed: u64) -> Self {
        let clock = TestClock::at(crate::common::START_MS);
        let text = format!("{seed}");
        let (root, db) = (memory(Role::Root, &clock, &text), memory(Role::World, &clock, &text));
        let (control, core) = control(&clock, Arc::clone(&root), &db, Simulation::default()).await;
        let project = control.create_project("default").await.unwrap().id;
        let caller = Caller { project, dialect: Dialect::Compat, operation: "" };
        let (model, log) = (Model::default(), String::new());
        Self { dice: Dice::new(seed), clock, root, db, control, core, caller, model, log }
    }

    pub async fn step(&mut self, number: usize) -> Result<()> {
        self.caller.dialect = self.dice.pick(&DIALECTS).unwrap_or_default();
        let moves: Vec<Move> = MOVES.iter().flat_map(|of_noun| of_noun.iter().copied()).collect();
        let total: u64 = moves.iter().map(|(_, weight, _)| weight).sum();
        let mut left = self.dice.below(total);
        let (what, _, make) = moves
            .into_iter()
            .find(|(_, weight, _)| {
                let found = left < *weight;
                left = left.saturating_sub(*weight);
                found
            })
            .ok_or_else(|| Error::internal("no move"))?;
        let outcome = make(self).await;
        match outcome {
            Ok(text) => drop(writeln!(self.log, "{number} {what} ok {text}")),
            Err(error) if is_refusal(&error) => drop(writeln!(self.log, "{number} {what} refused {error}")),
            Err(error) => return Err(error),
        }
        self.check()
    }

    fn any_server(&mut self) -> Id {
        let ids: Vec<Id> = self.model.servers.keys().copied().collect();
        if self.dice.once_in(12) { 999_999 } else { self.dice.pick(&ids).unwrap_or(1) }
    }

    /// Lets everything come to rest and checks what was promised.
    pub async fn finish(&mut self) -> Result<()> {
        self.control.set_simulation(Simulation::default());
        self.control.pace_health_checks().await?;
        self.control.set_clock_mode(ClockMode::Wall, 1000).await?;
        self.end_projects_again().await?;
        for _ in 0..40 {
            Drive::new(&self.db, &self.core, Disturbance::None).until_idle()?;
            self.clock.advance(60_000);
            self.check()?;
        }
        project::check_ended(&self.control).await?;
        crate::common::check_at_rest(&self.db).map(|_| ())
    }

    fn check(&self) -> Result<()> {
        let (model, project) = (&self.model.servers, self.caller.project);
        for (id, promised) in model {
            let (id, create, delete) = (*id, promised.create, promised.delete);
            let (exists, made, gone) = self.db.read_blocking(move |tx: &mut dyn Tx| {
                let mut end = |id| Ok::<_, Error>(action::get(tx, project, id)?.map(|(_, a)| a.status));
                let (made, gone) = (end(create)?, delete.map(&mut end).transpose()?.flatten());
                Ok((servers::by_id(tx, id)?.map(|s| s.value.name), made, gone))
            })?;
            let may_be_missing = made == Some(Status::Error) || delete.is_some();
            match exists {
                None if !may_be_missing => {
                    return Err(Error::internal(format!("server {id} was promised and is gone")));
                }
                Some(_) if gone == Some(Status::Success) => {
                    return Err(Error::internal(format!("server {id} was deleted and is there")));
                }
                Some(name) if name != promised.name => {
                    return Err(Error::internal(format!("server {id} is called {name}, not {}", promised.name)));
                }
                _ => {}
            }
        }
        self.check_floating_ips()?;
        self.check_world()
    }

    fn check_world(&self) -> Result<()> {
        let (control, caller) = (Arc::clone(&self.control), self.caller);
        let servers: Vec<Id> = self.model.servers.keys().copied().collect();
        let (keys, ips) = (self.model.ssh_keys.keys().copied().collect::<Vec<_>>(), self.model.primary_ips.clone());
        let groups = self.model.placement_groups.clone();
        let floating: Vec<Id> = self.model.floating_ips.keys().copied().collect();
        let images = self.model.images.clone();
        let firewalls = self.model.firewalls.clone();
        let promised = self.model.volumes.clone();
        let volumes: Vec<Id> = promised.keys().copied().collect();
        let networks = self.model.networks.clone();
        let zones = self.model.zones.clone();
        let balancers = self.model.load_balancers.clone();
        let certificates = self.model.certificates.clone();
        let storage_boxes = self.model.storage_boxes.clone();
        self.db.read_blocking(move |tx: &mut dyn Tx| {
            invariant::check(tx)?;
            crate::common::check_rooms(tx)?;
            certificate::check(tx, caller.project, &certificates)?;
            volume::check(tx, caller.project, &promised)?;
            firewall::check(tx, caller.project, &firewalls, &servers)?;
            let others = load_balancer::Others {
                servers: &servers,
                certificates: &certificates,
                primary_ips: &ips,
                floating_ips: &floating,
            };
            load_balancer::check(tx, caller.project, &balancers, &others)?;
            balancers.iter().try_for_each(|id| control.check_health(tx, caller.project, *id))?;
            for dialect in DIALECTS {
                let caller = Caller { dialect, ..caller };
                let all = [
                    (Kind::Server, &servers),
                    (Kind::SshKey, &keys),
                    (Kind::PrimaryIp, &ips),
                    (Kind::PlacementGroup, &groups),
                    (Kind::FloatingIp, &floating),
                    (Kind::Image, &images),
                    (Kind::Volume, &volumes),
                    (Kind::Firewall, &firewalls),
                    (Kind::Network, &networks),
                    (Kind::Zone, &zones),
                    (Kind::LoadBalancer, &balancers),
                    (Kind::Certificate, &certificates),
                ];
                for (kind, ids) in all {
                    for id in ids {
                        control.check_fragment(tx, &caller, kind, *id)?;
                    }
                }
                storage_box::check(tx, &control, &caller, &storage_boxes)?;
                for zone in &zones {
                    for set in wolke_store::rrset::of_zone(tx, *zone)? {
                        control.check_fragment(tx, &caller, Kind::Rrset, set.value.id)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// The last lines of the log.
    pub fn tail(&self) -> String {
        let lines: Vec<&str> = self.log.lines().rev().take(25).collect();
        lines.into_iter().rev().map(|line| line.chars().take(200).collect::<String>() + "\n").collect()
    }

    pub fn into_log_and_dump(self) -> (String, String) {
        let dump = self.db.read_blocking(|tx: &mut dyn Tx| wolke_store::dump(tx)).unwrap();
        (self.log, dump)
    }
}

/// What a client may be told; anything else is a bug of ours.
fn is_refusal(error: &Error) -> bool {
    !matches!(error, Error::Internal { .. } | Error::Unavailable { .. }) && error.code() != ErrorCode::ServerError
}

fn id_of(shown: &[u8], key: &str) -> Result<Id> {
    let value: serde_json::Value = serde_json::from_slice(shown).map_err(|e| Error::internal(e.to_string()))?;
    value[key]["id"].as_i64().ok_or_else(|| Error::internal("an answer without an id"))
}
