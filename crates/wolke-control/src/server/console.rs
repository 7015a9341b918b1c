//! Consoles: making a ticket, redeeming it, and what the screen has to know of the machine.

use super::check_not_doomed;
use crate::action::{self, Acts, Started};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::hosts;
use crate::real;
use crate::view::{Json, View, member};
use std::net::Ipv6Addr;
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::console::{Drive, Machine, Power, Source};
use wolke_domain::rng::alphanumeric;
use wolke_domain::server::Server;
use wolke_domain::{Error, Result};
use wolke_host::{Boot, Feature, Observed, PublicNic, ServerSpec};
use wolke_store::volume::{self, Volume};
use wolke_store::{Race, Tx, console, server};
use wolke_wire::cloud::Secret;
use wolke_wire::{Id, Kind, Timestamp};

pub use wolke_store::console::Ticket;

/// Letters and digits of a ticket's token: 380 bits, so knowing it is proof enough of having been given it.
const TOKEN_LENGTH: usize = 64;
/// Letters and digits of a password: VNC authentication reads no more (RFC 6143 §7.2.2).
const PASSWORD_LENGTH: usize = 8;
/// Bytes of an authentication challenge (RFC 6143 §7.2.2).
const CHALLENGE_LENGTH: usize = 16;
/// What passwords are sealed for.
const PASSWORD: &str = "console_password";

/// A ticket that was made.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// The action that shows it.
    pub started: Started,
    /// Opens the door, once.
    pub token: Secret,
    /// Is asked for behind it.
    pub password: Secret,
}

/// A ticket that was redeemed.
#[derive(Clone, Debug)]
pub struct Redeemed {
    /// The server whose console it opens.
    pub server: Id,
    /// What the client must know.
    pub password: Secret,
    /// What the client proves it with.
    pub challenge: [u8; CHALLENGE_LENGTH],
}

impl Acts for NewTicket {
    fn actions(&self) -> Vec<Id> {
        self.started.actions()
    }
}

impl Control {
    /// Makes a ticket to a server's console, in whatever state its machine is.
    ///
    /// # Errors
    /// `not_found`; `locked` when it is being deleted.
    pub async fn request_console(&self, caller: &Caller, id: Id) -> Result<NewTicket> {
        let (core, project) = (Arc::clone(&self.core), caller.project);
        self.act(caller, vec![Race::Project(project)], move |tx| {
            let server = server::expect(tx, project, id)?.value;
            check_not_doomed(&server)?;
            real::check_feature(&core, &server, Feature::Console)?;
            let token = alphanumeric(&mut *tx.random("console_token"), TOKEN_LENGTH);
            let password = alphanumeric(&mut *tx.random(PASSWORD), PASSWORD_LENGTH);
            let sealed = core.sealer.seal(&mut *tx.random("console_seal"), PASSWORD, &password)?;
            console::insert(tx, id, &console::hash(&token), &sealed)?;
            let started = action::done(tx, project, "request_console", vec![Target::new(Kind::Server, id)])?;
            Ok(NewTicket { started, token: Secret::new(token), password: Secret::new(password) })
        })
        .await
    }

    /// The answer to [`Control::request_console`]: `{"action": {…}, "wss_url": "…", "password": "…"}`.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn show_console(&self, caller: &Caller, ticket: NewTicket, url: String) -> Result<Json> {
        let (core, fragments, caller) = (Arc::clone(&self.core), Arc::clone(&self.fragments), *caller);
        self.db
            .read(move |tx| {
                let view = View::new(tx, &core, &fragments, &caller);
                let mut json = Json::new();
                view.open(&mut json, "action");
                view.append(tx, &mut json, Kind::Action, ticket.started.action)?;
                for (key, text) in [("wss_url", url.as_str()), ("password", ticket.password.expose())] {
                    json.push(b',');
                    member(&mut json, key);
                    serde_json::to_writer(&mut json, text).map_err(|e| Error::internal(format!("{key}: {e}")))?;
                }
                json.push(b'}');
                Ok(json)
            })
            .await
    }

    /// Looks at a ticket without redeeming it.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn console_ticket(&self, token: &str) -> Result<Ticket> {
        let hash = console::hash(token);
        self.db.read(move |tx| console::look(tx, &hash)).await
    }

    /// Redeems a ticket of a server; none when somebody else has, or it has expired meanwhile.
    ///
    /// # Errors
    /// Internal when the password was sealed with another key.
    pub async fn redeem_console(&self, server: Id, token: &str) -> Result<Option<Redeemed>> {
        let (core, hash) = (Arc::clone(&self.core), console::hash(token));
        self.db
            .write(Vec::new(), move |tx| {
                let Some(sealed) = console::redeem(tx, server, &hash)? else { return Ok(None) };
                let password = Secret::new(core.sealer.open(PASSWORD, &sealed)?);
                let mut challenge = [0; CHALLENGE_LENGTH];
                tx.random("console_challenge").fill(&mut challenge);
                Ok(Some(Redeemed { server, password, challenge }))
            })
            .await
    }

    /// What the screen of a server has to know, and world time; none when the server is gone.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn console_machine(&self, id: Id) -> Result<Option<(Machine, Timestamp)>> {
        let core = Arc::clone(&self.core);
        self.db
            .read(move |tx| {
                let Some(server) = server::by_id(tx, id)? else { return Ok(None) };
                let now = tx.now();
                machine(tx, &core, server.value).map(|machine| Some((machine, now)))
            })
            .await
    }
}

/// A server as its screen shows it: what its host was told and has reported, since that is what booted.
fn machine(tx: &mut dyn Tx, core: &Core, server: Server) -> Result<Machine> {
    let booted = match server::power_since(tx, server.id)? {
        Some((at, true)) => at,
        _ => server.created,
    };
    let on_host = match server.host {
        Some(on) => hosts::server_spec(tx, on, server.id)?,
        None => None,
    };
    let catalogue = core.catalogue();
    let server_type = catalogue.server_type_by_id(server.details.server_type);
    let blank = Machine {
        power: Power::Off,
        source: Source::Disk(None),
        server_type: server_type.map(|kind| kind.name.clone()).unwrap_or_default(),
        architecture: server_type.map(|kind| kind.architecture.as_str().to_owned()).unwrap_or_default(),
        cores: 0,
        memory_mb: 0,
        disk_gb: 0,
        addresses: Vec::new(),
        volumes: drives(tx, &server, booted)?,
        name: server.name,
    };
    let Some((object, spec)) = on_host else { return Ok(blank) };
    let observed = object.observed.as_deref().and_then(|text| serde_json::from_str::<Observed>(text).ok());
    let image = catalogue.image_by_id(spec.image.id).map(|image| image.description.clone());
    Ok(Machine {
        power: Power::of(server.status, booted),
        source: source(&spec, observed.and_then(|observed| observed.state.booted), image),
        cores: spec.definition.cores,
        memory_mb: u64::from(spec.definition.memory_mb),
        disk_gb: i64::from(spec.disk_gb),
        addresses: addresses(spec.definition.public.as_ref()),
        ..blank
    })
}

/// The volumes of a server whose machine booted last at `booted`.
fn drives(tx: &mut dyn Tx, server: &Server, booted: Timestamp) -> Result<Vec<Drive>> {
    let drive = |volume: Volume| {
        let attachment = volume.details.attachment?;
        let mounted = attachment.is_mounted(volume.details.format.as_deref(), server.details.rebuild_epoch);
        let after_ms = attachment.since.0.saturating_sub(booted.0);
        Some(Drive { id: volume.id, size_gb: volume.details.size_gb, after_ms, mounted })
    };
    Ok(volume::of_server(tx, server.id)?.into_iter().filter_map(|stored| drive(stored.value)).collect())
}

/// What a machine booted from, in words. A disc that was taken out since, or a system that is not known any more, has none
/// of its own.
fn source(spec: &ServerSpec, booted: Option<Boot>, image: Option<String>) -> Source {
    match booted.unwrap_or_default() {
        Boot::Disk => Source::Disk(image.or_else(|| Some(spec.image.name.clone()))),
        Boot::Iso => Source::Iso(spec.iso.as_ref().map_or_else(|| "taken out".into(), |iso| iso.name.clone())),
        Boot::Rescue => {
            Source::Rescue(spec.rescue.as_ref().map_or_else(|| "linux64".into(), |rescue| rescue.kind.clone()))
        }
    }
}

/// The addresses of a machine's public interface, with their prefix lengths. It takes the first address of its network, as
/// cloud images do.
fn addresses(nic: Option<&PublicNic>) -> Vec<String> {
    let Some(nic) = nic else { return Vec::new() };
    let ipv4 = nic.ipv4.map(|address| format!("{address}/32"));
    let ipv6 = nic.ipv6.map(|network| format!("{}/64", Ipv6Addr::from_bits(network.to_bits() | 1)));
    ipv4.into_iter().chain(ipv6).collect()
}
