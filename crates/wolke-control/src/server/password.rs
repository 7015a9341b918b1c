//! Root passwords: drawing, hashing, and `reset_password`, which needs a guest that runs and answers.
//!
//! **Invariant:** a clear password stands in one answer and nowhere else. At rest there is a crypt(3) hash, sealed until it
//! has been delivered; hosts never see anything but the hash.

use super::{HOST_DEADLINE_MS, ServerProgram, check_not_doomed, power, scope};
use crate::action::{self, Started, Work};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::hosts;
use crate::view::{Json, View, member};
use serde::{Deserialize, Serialize};
use sha_crypt::{Algorithm, Params, PasswordHasher as _, ShaCrypt};
use std::sync::Arc;
use wolke_domain::action::{Failure, Target};
use wolke_domain::placement::Need;
use wolke_domain::rng::alphanumeric;
use wolke_domain::server::Status;
use wolke_domain::{Error, Result};
use wolke_host::{Command, ObjectKey, Outcome, Secret, Verb};
use wolke_store::host::HostKind;
use wolke_store::{Race, Tx, host, resource, server};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::cloud::Secret as Password;
use wolke_wire::{ErrorCode, Id, Kind};

/// The length of a generated root password: letters and digits, 119 bits.
const LENGTH: usize = 20;
/// Bytes of salt: 16 characters, the most that crypt(3) reads.
const SALT_BYTES: usize = 12;
/// Rounds of SHA-512: the fewest that crypt(3) knows. More of them slow down the guessing of weak passwords; ours are random
/// and cannot be guessed, and hashing keeps the database's writer busy.
const ROUNDS: u32 = 1000;
/// The purpose under which passwords and hashes are sealed.
pub(crate) const SEAL: &str = "root_password";

/// The program.
pub(super) static PROGRAM: Program<Core> =
    Program { kind: "reset_password", steps: &[("number", number), ("set", set), ("undo", undo)], abort: "undo" };

#[derive(Serialize, Deserialize)]
struct Variables {
    server: Id,
    /// Sealed.
    hash: String,
    /// The command's id; 0 before it was chosen.
    command: Id,
}

/// A new password. The purpose keeps several of one transaction apart.
pub(super) fn draw(tx: &mut dyn Tx, purpose: &str) -> Password {
    Password::new(alphanumeric(&mut *tx.random(purpose), LENGTH))
}

/// The crypt(3) hash (`$6$`) of a password.
fn hash(tx: &mut dyn Tx, password: &str) -> Result<Secret> {
    let mut salt = [0; SALT_BYTES];
    tx.random("salt").fill(&mut salt);
    crypt(password, &salt).map(Secret)
}

fn crypt(password: &str, salt: &[u8]) -> Result<String> {
    let params = Params::new(ROUNDS).map_err(|e| Error::internal(format!("rounds of crypt: {e}")))?;
    let hash = ShaCrypt::new(Algorithm::Sha512Crypt, params).hash_password_with_salt(password.as_bytes(), salt);
    Ok(hash.map_err(|e| Error::internal(format!("crypt: {e}")))?.to_string())
}

/// Seals a password or its hash, for as long as it waits for its delivery.
pub(super) fn seal(tx: &mut dyn Tx, core: &Core, secret: &str) -> Result<String> {
    core.sealer.seal(&mut *tx.random("seal_password"), SEAL, secret)
}

/// The hash of a password for a host of a kind, sealed: whoever delivers it opens it. A simulated guest has nobody who logs
/// in, and hashing would take as long as the rest of a create.
pub(super) fn for_host(tx: &mut dyn Tx, core: &Core, kind: HostKind, password: &Password) -> Result<Option<Secret>> {
    if !kind.is_real() {
        return Ok(None);
    }
    let Secret(hash) = hash(tx, password.expose())?;
    seal(tx, core, &hash).map(|sealed| Some(Secret(sealed)))
}

/// The same of a password that was sealed itself, for the first boot.
pub(super) fn for_first_boot(
    tx: &mut dyn Tx,
    core: &Core,
    kind: HostKind,
    sealed: Option<&str>,
) -> Result<Option<Secret>> {
    match sealed {
        Some(sealed) if kind.is_real() => {
            let password = Password::new(core.sealer.open(SEAL, sealed)?);
            for_host(tx, core, kind, &password)
        }
        _ => Ok(None),
    }
}

impl Control {
    /// Gives root a new password, which is returned.
    ///
    /// # Errors
    /// `not_found`; `service_error` unless the server runs (the documents name no code of its own, and `conflict` would make
    /// clients try again for half a minute); `locked` when it is being deleted or contention is refused.
    pub async fn reset_server_password(&self, caller: &Caller, id: Id) -> Result<(Started, Password)> {
        let (core, project, refuse) = (Arc::clone(&self.core), caller.project, self.options.refuse_contention);
        self.act(caller, vec![Race::Project(project)], move |tx| {
            let server = server::expect(tx, project, id)?.value;
            check_not_doomed(&server)?;
            let target = Target::new(Kind::Server, id);
            action::admit(tx, refuse, project, target, "reset_password")?;
            if server.status != Status::Running {
                return Err(Error::refused(ErrorCode::ServiceError, "server is not running"));
            }
            let password = draw(tx, "root_password");
            let Secret(hash) = hash(tx, password.expose())?;
            let hash = seal(tx, &core, &hash)?;
            let action = action::begin(tx, project, "reset_password", vec![target])?;
            resource::touch(tx, Kind::Server, id)?;
            let program: ServerProgram = &PROGRAM;
            let work = Work {
                program,
                step: "number",
                project,
                scope: scope(&server),
                action,
                also: Vec::new(),
                locks: vec![target],
                always: false,
                variables: &Variables { server: id, hash, command: 0 },
            };
            let strand = action::start(tx, work)?;
            Ok((Started { action, strand: Some(strand) }, password))
        })
        .await
    }

    /// Waits for the started work to settle, then shows the action and the password that it has made, or null.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn show_started_with_password(
        &self,
        caller: &Caller,
        started: Started,
        password: Option<Password>,
    ) -> Result<Json> {
        self.settle(started.strand.as_slice()).await;
        let (core, fragments, caller) = (Arc::clone(&self.core), Arc::clone(&self.fragments), *caller);
        self.db
            .read(move |tx| {
                let view = View::new(tx, &core, &fragments, &caller);
                let mut json = Json::new();
                view.open(&mut json, "action");
                view.append(tx, &mut json, Kind::Action, started.action)?;
                json.push(b',');
                member(&mut json, "root_password");
                let text = serde_json::to_string(&password).map_err(|e| Error::internal(e.to_string()))?;
                json.extend_from_slice(text.as_bytes());
                json.push(b'}');
                Ok(json)
            })
            .await
    }
}

/// Gives the command its id, as power does: in a step of its own, so that it is issued once.
fn number(tx: &mut dyn Tx, _core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let on = match power::subject(tx, variables.server)? {
        Ok((_, on)) => on,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    variables.command = host::take(tx, on, &Need::none())?;
    frame.write(&variables)?;
    Ok(Flow::Next("set"))
}

fn set(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let (server, on) = match power::subject(tx, variables.server)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let key = ObjectKey::server(server.id);
    // Sealed: it is opened where it is handed over.
    let verb = Verb::SetPassword { hash: Secret(variables.hash.clone()) };
    let command = Command { id: variables.command, key, verb, issued_at: tx.now(), expires_at: None };
    let look = hosts::look(tx, core, on, key, Some(&command))?;
    power::observe(tx, core, (&server, on), &look)?;
    Ok(match look.outcome {
        None => {
            let deadline = tx.now().plus_ms(HOST_DEADLINE_MS);
            Flow::Wait { step: "set", until: look.again, deadline, promised: look.promised }
        }
        Some(Outcome::Done) => Flow::Done,
        Some(Outcome::Failed { error }) => Flow::Fail(Failure::action(error.message)),
        Some(Outcome::Ignored | Outcome::Expired | Outcome::Snapshotted { .. }) => {
            Flow::Fail(Failure::action("the guest did not take the password"))
        }
    })
}

/// Nothing is undone: the old password is valid unless the guest has taken the new one unheard.
fn undo(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    power::show_as_it_is(tx, core, variables.server)?;
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests {
    use super::crypt;

    /// As `openssl passwd -6 -salt` and every libc read it; rounds other than 5000 are named.
    #[test]
    fn hashes_are_in_the_form_of_crypt() {
        let hash = crypt("correct horse", &[7; super::SALT_BYTES]).unwrap();
        let fields: Vec<&str> = hash.split('$').collect();
        assert_eq!((fields[1], fields[2], fields[3].len(), fields[4].len()), ("6", "rounds=1000", 16, 86), "{hash}");
        assert_ne!(hash, crypt("correct horse", &[8; super::SALT_BYTES]).unwrap());
    }
}
