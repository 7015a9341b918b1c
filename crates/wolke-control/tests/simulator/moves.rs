//! The moves: requests of clients, steps of strands, crashes, host policies, the clock. After each, the invariants.

use crate::common::{TestClock, control, memory};
use crate::model::{Dice, Model, Promised};
use std::fmt::Write as _;
use std::sync::Arc;
use wolke_control::server::PowerVerb;
use wolke_control::{Caller, Control, Core, Filter, ListRequest, Simulation};
use wolke_domain::action::Status;
use wolke_domain::clock::ClockMode;
use wolke_domain::{Error, Result};
use wolke_host::{LatencyProfile, OperationKind, Policy};
use wolke_store::migrate::Role;
use wolke_store::{Db, Tx, action, invariant, server};
use wolke_strand::testing::{Disturbance, Drive};
use wolke_wire::paging::Page;
use wolke_wire::selector::Selector;
use wolke_wire::{Dialect, ErrorCode, Id, Kind};

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
        let caller = Caller { project, dialect: Dialect::Compat };
        let (model, log) = (Model::default(), String::new());
        Self { dice: Dice::new(seed), clock, root, db, control, core, caller, model, log }
    }

    pub async fn step(&mut self, number: usize) -> Result<()> {
        self.caller.dialect = self.dice.pick(&DIALECTS).unwrap_or_default();
        let (what, outcome) = match self.dice.below(24) {
            0..=3 => ("create_server", self.create_server().await),
            4..=5 => ("delete_server", self.delete_server().await),
            6..=7 => ("power", self.power().await),
            8 => ("update_server", self.update_server().await),
            9 => ("protect_server", self.protect_server().await),
            10 => ("ssh_key", self.ssh_key().await),
            11 => ("primary_ip", self.primary_ip().await),
            12 => ("list", self.list().await),
            13 => ("policy", self.policy()),
            14 => ("clock", self.time().await),
            15 => ("crash", self.crash().await),
            _ => ("step", self.strand_step()),
        };
        match outcome {
            Ok(text) => drop(writeln!(self.log, "{number} {what} ok {text}")),
            Err(error) if is_refusal(&error) => drop(writeln!(self.log, "{number} {what} refused {error}")),
            Err(error) => return Err(error),
        }
        self.check()
    }

    async fn create_server(&mut self) -> Result<String> {
        let name = format!("s{}", self.dice.below(40));
        let types = ["cpx22", "cpx11", "cax11", "ccx13", "no-such-type"];
        let kind = self.dice.pick(&types).unwrap_or_default();
        let ipv4 = self.dice.pick(&self.model.primary_ips).filter(|_| self.dice.once_in(3));
        let body = serde_json::json!({
            "name": name, "server_type": kind, "image": "debian-12", "start_after_create": !self.dice.once_in(4),
            "labels": {"env": format!("e{}", self.dice.below(3))},
            "public_net": {"enable_ipv4": !self.dice.once_in(5) || ipv4.is_some(), "enable_ipv6": !self.dice.once_in(5), "ipv4": ipv4},
        });
        let request = serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))?;
        let created = self.control.create_server(&self.caller, request).await?;
        let shown = self.control.show_created(&self.caller, created.clone()).await?;
        let promised = Promised { name, create: created.action, delete: None };
        self.model.servers.insert(created.server, promised);
        Ok(format!("{} {}", created.server, String::from_utf8_lossy(&shown)))
    }

    fn any_server(&mut self) -> Id {
        let ids: Vec<Id> = self.model.servers.keys().copied().collect();
        if self.dice.once_in(12) { 999_999 } else { self.dice.pick(&ids).unwrap_or(1) }
    }

    async fn delete_server(&mut self) -> Result<String> {
        let id = self.any_server();
        let started = self.control.delete_server(&self.caller, id).await?;
        if let Some(promised) = self.model.servers.get_mut(&id) {
            promised.delete = Some(started.action);
        }
        Ok(format!("{id} by {}", started.action))
    }

    async fn power(&mut self) -> Result<String> {
        let verbs = [PowerVerb::Start, PowerVerb::Stop, PowerVerb::Reboot, PowerVerb::Reset, PowerVerb::Shutdown];
        let (id, verb) = (self.any_server(), self.dice.pick(&verbs).unwrap_or(PowerVerb::Stop));
        let started = self.control.power_server(&self.caller, id, verb).await?;
        Ok(format!("{id} {verb:?} by {}", started.action))
    }

    async fn update_server(&mut self) -> Result<String> {
        let id = self.any_server();
        let name = self.dice.once_in(2).then(|| format!("s{}", self.dice.below(40)));
        let labels = [("env".to_owned(), format!("e{}", self.dice.below(3)))];
        let update = wolke_wire::cloud::server::UpdateServer { name, labels: Some(labels.into()) };
        let shown = self.control.update_server(&self.caller, id, update.clone()).await?;
        if let (Some(promised), Some(name)) = (self.model.servers.get_mut(&id), update.name) {
            promised.name = name;
        }
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    async fn protect_server(&mut self) -> Result<String> {
        let (id, protect) = (self.any_server(), self.dice.once_in(3));
        let change =
            wolke_wire::cloud::server::ChangeServerProtection { delete: Some(protect), rebuild: Some(protect) };
        self.control.change_server_protection(&self.caller, id, change).await.map(|_| format!("{id} {protect}"))
    }

    async fn ssh_key(&mut self) -> Result<String> {
        if self.dice.once_in(3) {
            let ids: Vec<Id> = self.model.ssh_keys.keys().copied().collect();
            let id = self.dice.pick(&ids).unwrap_or(77);
            self.control.delete_ssh_key(&self.caller, id).await?;
            self.model.ssh_keys.remove(&id);
            return Ok(format!("deleted {id}"));
        }
        let (name, key) = (format!("k{}", self.dice.below(10)), public_key(self.dice.below(10)));
        let body = serde_json::json!({ "name": name, "public_key": key });
        let request = serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))?;
        let shown = self.control.create_ssh_key(&self.caller, request).await?;
        let id = id_of(&shown, "ssh_key")?;
        self.model.ssh_keys.insert(id, name);
        Ok(format!("created {id}"))
    }

    async fn primary_ip(&mut self) -> Result<String> {
        if self.dice.once_in(3) {
            let id = self.dice.pick(&self.model.primary_ips).unwrap_or(88_888);
            self.control.delete_primary_ip(&self.caller, id).await?;
            self.model.primary_ips.retain(|known| *known != id);
            return Ok(format!("deleted {id}"));
        }
        let assignee = self.dice.once_in(3).then(|| self.any_server());
        let location = if assignee.is_none() { Some("fsn1") } else { None };
        let body = serde_json::json!({
            "name": format!("p{}", self.dice.below(20)), "type": if self.dice.once_in(4) { "ipv6" } else { "ipv4" },
            "location": location, "assignee_id": assignee, "auto_delete": false,
        });
        let request = serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))?;
        let shown = self.control.create_primary_ip(&self.caller, request).await?;
        let id = id_of(&shown, "primary_ip")?;
        self.model.primary_ips.push(id);
        Ok(format!("created {id}"))
    }

    /// Lists warm the cache, so that a forgotten rev shows as a stale fragment.
    async fn list(&mut self) -> Result<String> {
        let selectors = ["", "env=e1", "env!=e1", "!env", "env in (e0,e2)", "env notin (e0)"];
        let selector = self.dice.pick(&selectors).unwrap_or_default();
        let kinds = [Kind::Server, Kind::PrimaryIp, Kind::SshKey, Kind::Action];
        let kind = self.dice.pick(&kinds).unwrap_or(Kind::Server);
        let request = ListRequest {
            kind,
            of: None,
            filters: if kind == Kind::Action { vec![Filter::Text("status", vec!["running".into()])] } else { vec![] },
            selector: Selector::parse(if kind == Kind::Action { "" } else { selector })
                .map_err(|e| Error::internal(e.to_string()))?,
            sort: Vec::new(),
            page: Page { page: u32::try_from(self.dice.below(3)).unwrap_or(0) + 1, per_page: 10 },
        };
        let list = self.control.list(&self.caller, request).await?;
        Ok(format!("{kind} {selector}: {} {}", list.total, String::from_utf8_lossy(&list.entries)))
    }

    fn policy(&mut self) -> Result<String> {
        let kinds = [OperationKind::Create, OperationKind::Start, OperationKind::Delete];
        let policies = [
            Policy::Immediate,
            Policy::Immediate,
            Policy::After { ms: 4_000 },
            Policy::Stuck,
            Policy::FailOnce { code: "sim".into(), message: "failed once".into() },
        ];
        let (kind, policy) = (self.dice.pick(&kinds), self.dice.pick(&policies).unwrap_or_default());
        let profile = LatencyProfile::none().with(kind.unwrap_or(OperationKind::Create), policy);
        self.control.set_simulation(Simulation { profile: profile.clone(), ..Simulation::default() });
        Ok(format!("{profile:?}"))
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

    fn strand_step(&mut self) -> Result<String> {
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

    /// Lets everything come to rest and checks what was promised.
    pub async fn finish(&mut self) -> Result<()> {
        self.control.set_simulation(Simulation::default());
        self.control.set_clock_mode(ClockMode::Wall, 1000).await?;
        for _ in 0..40 {
            Drive::new(&self.db, &self.core, Disturbance::None).until_idle()?;
            self.clock.advance(60_000);
            self.check()?;
        }
        crate::common::check_at_rest(&self.db).map(|_| ())
    }

    fn check(&self) -> Result<()> {
        let (model, project) = (&self.model.servers, self.caller.project);
        for (id, promised) in model {
            let (id, create, delete) = (*id, promised.create, promised.delete);
            let (exists, made, gone) = self.db.read_blocking(move |tx: &mut dyn Tx| {
                let mut end = |id| Ok::<_, Error>(action::get(tx, project, id)?.map(|(_, a)| a.status));
                let (made, gone) = (end(create)?, delete.map(&mut end).transpose()?.flatten());
                Ok((server::by_id(tx, id)?.map(|s| s.value.name), made, gone))
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
        self.check_world()
    }

    fn check_world(&self) -> Result<()> {
        let (control, caller) = (Arc::clone(&self.control), self.caller);
        let servers: Vec<Id> = self.model.servers.keys().copied().collect();
        let (keys, ips) = (self.model.ssh_keys.keys().copied().collect::<Vec<_>>(), self.model.primary_ips.clone());
        self.db.read_blocking(move |tx: &mut dyn Tx| {
            invariant::check(tx)?;
            for dialect in DIALECTS {
                let caller = Caller { dialect, ..caller };
                let all = [(Kind::Server, &servers), (Kind::SshKey, &keys), (Kind::PrimaryIp, &ips)];
                for (kind, ids) in all {
                    for id in ids {
                        control.check_fragment(tx, &caller, kind, *id)?;
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

/// An Ed25519 public key whose bytes are all the same.
fn public_key(number: u64) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut blob = vec![0, 0, 0, 11];
    blob.extend_from_slice(b"ssh-ed25519");
    blob.extend_from_slice(&[0, 0, 0, 32]);
    blob.extend_from_slice(&[u8::try_from(number).unwrap_or(0); 32]);
    let mut text = String::new();
    for chunk in blob.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        for shift in [18, 12, 6, 0] {
            text.push(char::from(ALPHABET[(word >> shift & 63) as usize]));
        }
    }
    format!("ssh-ed25519 {text} key{number}")
}
