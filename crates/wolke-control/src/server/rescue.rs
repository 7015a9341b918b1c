//! The rescue system: a wish for the next boot. It is withdrawn when a boot has consumed it, when it was not used for an
//! hour, or on demand (fact sheet §3.1).
//!
//! **Invariant:** [`wolke_domain::server::Details::rescue`] and the wish on the host come and go in the same transaction.

use super::{calendar, check_not_doomed, password};
use crate::action::{self, Started};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::hosts::{self, Look};
use crate::real;
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::placement::Need;
use wolke_domain::server::{Rescue, Server};
use wolke_domain::{Error, FieldError, Result};
use wolke_host::Feature;
use wolke_store::{Stored, Tx, host, server, ssh_key};
use wolke_wire::cloud::Secret as Password;
use wolke_wire::cloud::server::EnableRescue;
use wolke_wire::{ErrorCode, Id, Kind};

/// World time after which rescue that nobody has used is given up, in milliseconds (fact sheet §3.1).
const EXPIRES_MS: i64 = 60 * 60 * 1000;
/// SSH keys that one rescue system may be given.
const SSH_KEYS_MAX: usize = 100;

/// The keys that a request names: by their ids, as numbers or texts, and not by their names.
fn key_ids(request: &EnableRescue) -> Result<Vec<Id>> {
    let (mut ids, mut wrong) = (Vec::with_capacity(request.ssh_keys.len()), Vec::new());
    for (position, key) in request.ssh_keys.iter().enumerate() {
        match key.id() {
            Some(id) => ids.push(id),
            None => wrong.push(FieldError::new(format!("ssh_keys[{position}]"), "must be an id")),
        }
    }
    if wrong.is_empty() { Ok(ids) } else { Err(Error::invalid_fields(wrong)) }
}

impl Control {
    /// Leads the next boot into the rescue system, and gives root a password there. Where it is enabled already, the wish
    /// is made anew with another password; 2018 refused that (dialects A.8).
    ///
    /// # Errors
    /// `not_found`, also for a key; `invalid_input` for keys with a system that takes none; 2018: `rescue_already_enabled`;
    /// `locked` when it is being deleted, has no machine yet, or contention is refused.
    pub async fn enable_server_rescue(
        &self,
        caller: &Caller,
        id: Id,
        request: EnableRescue,
    ) -> Result<(Started, Password)> {
        if !request.system().takes_keys() && !request.ssh_keys.is_empty() {
            return Err(Error::invalid("ssh_keys", "can only be used with linux64 and linux32"));
        }
        if request.ssh_keys.len() > SSH_KEYS_MAX {
            return Err(Error::invalid("ssh_keys", format!("must not name more than {SSH_KEYS_MAX} keys")));
        }
        let keys = key_ids(&request)?;
        let (core, caller, refuse) = (Arc::clone(&self.core), *caller, self.options.refuse_contention);
        let races = self.server_races(&caller, id).await?;
        self.act(&caller, races, move |tx| {
            let (old, on, target) = subject(tx, &caller, refuse, id, "enable_rescue")?;
            real::check_feature(&core, &old.value, Feature::Rescue)?;
            if caller.dialect.refuses_rescue_twice() && old.value.details.rescue.is_some() {
                let message = "rescue system is already enabled";
                return Err(Error::refused(ErrorCode::RescueAlreadyEnabled, message));
            }
            let keys = keys.iter().map(|key| ssh_key::expect(tx, caller.project, *key));
            let keys = keys.map(|key| Ok(key?.value.details.public_key)).collect::<Result<Vec<_>>>()?;
            let password = password::draw(tx, "root_password");
            let mut wish = wolke_host::server::Rescue {
                epoch: old.value.details.rescue_epoch + 1,
                kind: request.system().as_str().into(),
                ssh_keys: keys,
                root_password_hash: None,
            };
            let mut new = old.value.clone();
            new.details.rescue_epoch = wish.epoch;
            let expires = tx.now().plus_ms(EXPIRES_MS);
            new.details.rescue = Some(Rescue { kind: wish.kind.clone(), epoch: wish.epoch, expires });
            calendar::ensure(tx, &mut new)?;
            server::update(tx, &old, &new)?;
            let (kind, _) = host::room(tx, on)?;
            wish.root_password_hash = password::for_host(tx, &core, kind, &password)?;
            wish_on_host(tx, &core, on, id, Some(wish))?;
            Ok((action::done(tx, caller.project, "enable_rescue", vec![target])?, password))
        })
        .await
    }

    /// The next boot is a normal one again. Where rescue is not enabled that is a success at once; 2018 refused it.
    ///
    /// # Errors
    /// `not_found`; 2018: `rescue_already_disabled`; `locked` as for [`Control::enable_server_rescue`].
    pub async fn disable_server_rescue(&self, caller: &Caller, id: Id) -> Result<Started> {
        let (core, caller, refuse) = (Arc::clone(&self.core), *caller, self.options.refuse_contention);
        let races = self.server_races(&caller, id).await?;
        self.act(&caller, races, move |tx| {
            let (old, _, target) = subject(tx, &caller, refuse, id, "disable_rescue")?;
            if old.value.details.rescue.is_some() {
                withdraw(tx, &core, &old)?;
            } else if caller.dialect.refuses_rescue_twice() {
                let message = "rescue system is already disabled";
                return Err(Error::refused(ErrorCode::RescueAlreadyDisabled, message));
            }
            action::done(tx, caller.project, "disable_rescue", vec![target])
        })
        .await
    }
}

/// A server whose machine is there, and its host. What is still waiting for a host cannot be told anything yet.
pub(super) fn subject(
    tx: &mut dyn Tx,
    caller: &Caller,
    refuse: bool,
    id: Id,
    command: &str,
) -> Result<(Stored<Server>, Id, Target)> {
    let old = server::expect(tx, caller.project, id)?;
    check_not_doomed(&old.value)?;
    let target = Target::new(Kind::Server, id);
    action::admit(tx, refuse, caller.project, target, command)?;
    let on = old.value.host.ok_or_else(|| Error::locked(Kind::Server))?;
    Ok((old, on, target))
}

/// Writes the wish, or that there is none, where the host reads it. The machine goes on as it is.
fn wish_on_host(tx: &mut dyn Tx, core: &Core, on: Id, id: Id, wish: Option<wolke_host::server::Rescue>) -> Result<()> {
    let Some((object, mut spec)) = hosts::server_spec(tx, on, id)? else { return Ok(()) };
    if spec.rescue == wish {
        return Ok(());
    }
    spec.rescue = wish;
    let generation = host::take(tx, on, &Need::none())?;
    hosts::desire_server(tx, core, on, object, (id, generation, spec)).map(|_| ())
}

/// Takes the wish back, with its appointment.
fn withdraw(tx: &mut dyn Tx, core: &Core, old: &Stored<Server>) -> Result<()> {
    let mut new = old.value.clone();
    new.details.rescue = None;
    calendar::ensure(tx, &mut new)?;
    server::update(tx, old, &new)?;
    forget(tx, core, &new)
}

/// The host need not keep the wish, nor the hash in it.
fn forget(tx: &mut dyn Tx, core: &Core, server: &Server) -> Result<()> {
    match server.host {
        Some(on) => wish_on_host(tx, core, on, server.id, None),
        None => Ok(()),
    }
}

/// Takes the wish back when its hour is over: called by the server's calendar, which minds its own next appointment.
pub(super) fn expire(tx: &mut dyn Tx, core: &Core, old: &Stored<Server>) -> Result<()> {
    let mut new = old.value.clone();
    new.details.rescue = None;
    server::update(tx, old, &new)?;
    forget(tx, core, &new)
}

/// Takes the wish back when a look shows that a boot has consumed it.
pub(super) fn consume(tx: &mut dyn Tx, core: &Core, (known, on): (&Server, Id), look: &Look) -> Result<()> {
    let booted = look.observed.state.rescue_epoch;
    if known.details.rescue.as_ref().is_none_or(|rescue| rescue.epoch > booted) {
        return Ok(());
    }
    // What the step has read may be older than what it has written since.
    let Some(old) = server::by_id(tx, known.id)? else { return Ok(()) };
    let is_consumed = old.value.details.rescue.as_ref().is_some_and(|rescue| rescue.epoch <= booted);
    if is_consumed && old.value.host == Some(on) { withdraw(tx, core, &old) } else { Ok(()) }
}
