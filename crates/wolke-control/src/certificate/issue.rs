//! Issuing a managed certificate: order → prove → sign. What fails is noted in the certificate and may be tried again.

use super::{authority, calendar, keep_key, proof};
use crate::action::{self, Started, Work};
use crate::core::Core;
use crate::load_balancer;
use serde::{Deserialize, Serialize};
use wolke_domain::Result;
use wolke_domain::action::{Failure, Target};
use wolke_domain::certificate::{AuthorityName, ISSUE_CODES, Managed};
use wolke_domain::clock::ClockMode;
use wolke_domain::fault::RENEWALS;
use wolke_host::{Beginning, OperationKind, Progress};
use wolke_store::certificate::Certificate;
use wolke_store::event::{self, EventKind, NewEvent};
use wolke_store::{Race, Stored, Tx, certificate};
use wolke_strand::{Flow, Frame, Program};
use wolke_wire::{ErrorCode, Id, Kind, Timestamp};

/// World time in which the authority must have answered, in milliseconds.
const DEADLINE_MS: i64 = 15 * 60 * 1000;
/// World time between two looks at an authority that takes its time, in milliseconds.
const LOOK_MS: i64 = 1_000;

/// The program.
pub(crate) static PROGRAM: Program<Core> = Program {
    kind: "issue_certificate",
    steps: &[("order", order), ("prove", prove), ("sign", sign), ("undo", undo)],
    abort: "undo",
};

/// Why a certificate is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cause {
    /// It is new.
    Create,
    /// Somebody tries again.
    Retry,
    /// The calendar wants it.
    Renewal,
}

impl Cause {
    /// The command of the action (fact sheet §5).
    const fn command(self) -> &'static str {
        match self {
            Self::Create => "create_certificate",
            Self::Retry | Self::Renewal => "issue_certificate",
        }
    }

    /// By what the operator names it to make it fail.
    const fn operation(self) -> &'static str {
        match self {
            Self::Create => "create_certificate",
            Self::Retry => "certificate_retry",
            Self::Renewal => RENEWALS,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Variables {
    certificate: Id,
    cause: Cause,
    /// How far the authority is; none before it was asked.
    progress: Option<Progress>,
}

/// Starts the work on a certificate whose status says already that it is under way.
pub(super) fn start(tx: &mut dyn Tx, certificate: &Certificate, cause: Cause) -> Result<Started> {
    let targets = vec![Target::new(Kind::Certificate, certificate.id)];
    let action = action::begin(tx, certificate.project, cause.command(), targets.clone())?;
    let work = Work {
        program: &PROGRAM,
        step: "order",
        project: certificate.project,
        scope: vec![Race::Project(certificate.project), Race::Database],
        action,
        also: Vec::new(),
        locks: targets,
        // One is under way at a time, which the status tells.
        always: true,
        variables: &Variables { certificate: certificate.id, cause, progress: None },
    };
    let strand = action::start(tx, work)?;
    Ok(Started { action, strand: Some(strand) })
}

/// Says that an issue is under way, and starts it.
pub(super) fn begin(tx: &mut dyn Tx, old: &Stored<Certificate>, cause: Cause) -> Result<Started> {
    let mut new = old.value.clone();
    if let Some(managed) = &mut new.details.managed {
        managed.begin();
    }
    certificate::update(tx, old, &new)?;
    start(tx, &new, cause)
}

/// The certificate that is worked on, and how it is doing; one that is gone ends the work.
fn subject(tx: &mut dyn Tx, id: Id) -> Result<std::result::Result<(Stored<Certificate>, Managed), Failure>> {
    let found = certificate::by_id(tx, id)?;
    let managed = found.as_ref().and_then(|found| found.value.details.managed.clone());
    Ok(found.zip(managed).ok_or_else(|| Failure::action("the certificate was deleted")))
}

/// Asks the authority, which takes as long as the simulation says.
fn order(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let simulation = core.simulation();
    let beginning = Beginning {
        now: tx.now(),
        seed: 0,
        id: variables.certificate,
        kind: OperationKind::IssueCertificate,
        cause: frame.strand,
        failed_before: variables.cause != Cause::Create,
    };
    let policy = simulation.profile.get(OperationKind::IssueCertificate);
    let progress = policy.map_or(Progress::Ready, |policy| policy.begin(&beginning));
    variables.progress = Some(progress);
    frame.write(&variables)?;
    Ok(Flow::Next("prove"))
}

/// Waits for the authority, then looks at the domains as they are now.
fn prove(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let mut variables: Variables = frame.read()?;
    let (certificate, _) = match subject(tx, variables.certificate)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let mut progress = variables.progress.take().unwrap_or(Progress::Ready);
    progress.look();
    let skip_time = tx.facts().clock.mode == ClockMode::Instant;
    if let Progress::Failed(error) = &progress {
        let code = ErrorCode::parse(&error.code).filter(|code| ISSUE_CODES.contains(code));
        return Ok(Flow::Fail(Failure::new(code.unwrap_or(ErrorCode::ActionFailed), &error.message)));
    }
    if !progress.is_over(tx.now(), skip_time) {
        let (until, promised) = match &progress {
            Progress::Until(at) => (*at, true),
            Progress::Looks(_) => (tx.now().plus_ms(LOOK_MS), true),
            _ => (Timestamp(i64::MAX), false),
        };
        variables.progress = Some(progress);
        frame.write(&variables)?;
        let deadline = tx.now().plus_ms(DEADLINE_MS);
        return Ok(Flow::Wait { step: "prove", until, deadline, promised });
    }
    if let Some(failure) = core.operator.failure(tx, variables.cause.operation())? {
        return Ok(Flow::Fail(failure));
    }
    let Certificate { project, details, .. } = &certificate.value;
    Ok(match proof::refusal(tx, core, *project, &details.domain_names)? {
        Some(failure) => Flow::Fail(failure),
        None => Flow::Next("sign"),
    })
}

/// The certificate is there, with a key of its own.
fn sign(tx: &mut dyn Tx, core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let (old, mut managed) = match subject(tx, variables.certificate)? {
        Ok(found) => found,
        Err(failure) => return Ok(Flow::Fail(failure)),
    };
    let issuer = authority::ensure(tx, core, AuthorityName::chosen_by(&old.value.details.labels))?;
    let (issued, key) = issuer.issue(tx, &old.value.details.domain_names)?;
    keep_key(tx, core, old.value.id, key.expose())?;
    managed.complete(issued.not_after);
    let mut new = old.value.clone();
    (new.details.issued, new.details.managed) = (Some(issued), Some(managed));
    calendar::ensure(tx, &mut new)?;
    certificate::update(tx, &old, &new)?;
    if old.value.details.issued.is_none() {
        load_balancer::certificate_came(tx, core, new.id)?;
    }
    Ok(Flow::Done)
}

/// The abort: what was there stays, and the status says what has happened. Of a renewal that fails the operator is told.
fn undo(tx: &mut dyn Tx, _core: &Core, frame: &mut Frame) -> Result<Flow> {
    let variables: Variables = frame.read()?;
    let Ok((old, mut managed)) = subject(tx, variables.certificate)? else { return Ok(Flow::Done) };
    let failure = frame.failure.clone().unwrap_or_else(|| Failure::action("the certificate was not issued"));
    managed.fail(failure.clone(), tx.now());
    if managed.is_issued() {
        let Certificate { id, project, name, .. } = &old.value;
        tracing::warn!(certificate = id, project, name, code = %failure.code, message = failure.message, "a certificate was not renewed");
        let resource = Target::new(Kind::Certificate, *id);
        let kind = EventKind::CertificateRenewalFailed;
        event::insert(tx, &NewEvent { kind, project: *project, resource, name: name.clone(), failure })?;
    }
    let mut new = old.value.clone();
    new.details.managed = Some(managed);
    calendar::ensure(tx, &mut new)?;
    certificate::update(tx, &old, &new)?;
    Ok(Flow::Done)
}
