//! Certificates: operations and view. What is uploaded is read in `certificate/upload.rs`; managed ones are issued by
//! `certificate/issue.rs` with the authorities of `certificate/authority.rs`, and renewed by `certificate/calendar.rs`.
//!
//! **Invariant:** a private key is sealed in the transaction that stores it, and stands in no answer and no log.

mod authority;
pub(crate) mod calendar;
pub(crate) mod issue;
mod proof;
mod upload;
mod x509;

use crate::action;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::input;
use crate::view::{Json, Shown};
use std::sync::Arc;
use upload::Uploaded;
use wolke_domain::action::Target;
use wolke_domain::certificate::{self as rules, AuthorityName, Managed};
use wolke_domain::{Error, FieldError, Result, name};
use wolke_store::certificate::{Certificate, Details};
use wolke_store::{Counter, Race, Tx, certificate, limit};
use wolke_wire::cloud::certificate::{self as wire, CertificateType};
use wolke_wire::{Id, Kind};

/// What private keys of certificates are sealed for.
pub(crate) const KEY_SEAL: &str = "certificate_key";

/// A certificate as the contract shows it, with the load balancers that use it.
pub(crate) fn to_wire(certificate: &Certificate, users: &[Id]) -> Result<wire::Certificate> {
    let unknown = || Error::internal(format!("unknown type of certificate {}", certificate.kind));
    let details = &certificate.details;
    let issued = details.issued.as_ref();
    let status = |managed: &Managed| wire::CertificateStatus {
        issuance: managed.issuance,
        renewal: managed.renewal,
        error: managed
            .failure
            .as_ref()
            .map(|failure| wire::CertificateError { code: failure.code.to_string(), message: failure.message.clone() }),
    };
    Ok(wire::Certificate {
        id: certificate.id,
        name: certificate.name.clone(),
        labels: details.labels.clone(),
        kind: CertificateType::parse(&certificate.kind).ok_or_else(unknown)?,
        certificate: issued.map(|issued| issued.chain.clone()),
        created: certificate.created,
        not_valid_before: issued.map(|issued| issued.not_before),
        not_valid_after: issued.map(|issued| issued.not_after),
        domain_names: details.domain_names.clone(),
        fingerprint: issued.map(|issued| issued.fingerprint.clone()),
        status: details.managed.as_ref().map(status),
        used_by: users.iter().map(|id| wire::User { id: *id, kind: Kind::LoadBalancer }).collect(),
    })
}

/// What a request comes to.
enum Plan {
    Uploaded(Box<Uploaded>),
    Managed(Vec<String>),
}

/// Everything that can be said of a request without looking anything up.
fn plan(request: &wire::CreateCertificate) -> Result<Plan> {
    let mut wrong = input::wrong(name::resource_name, Some(&request.name), Some(&request.labels));
    let mut out_of_place = |field: &str, is_given: bool| {
        let other = if request.kind == CertificateType::Managed { "uploaded" } else { "managed" };
        let fault = || FieldError::new(field, format!("can only be used with type {other}"));
        wrong.extend(is_given.then(fault));
    };
    let plan = match request.kind {
        CertificateType::Uploaded => {
            out_of_place("domain_names", !request.domain_names.is_empty());
            upload::read(&request.certificate, &request.private_key).map(|read| Plan::Uploaded(Box::new(read)))
        }
        CertificateType::Managed => {
            out_of_place("certificate", !request.certificate.is_empty());
            out_of_place("private_key", !request.private_key.expose().is_empty());
            rules::domain_names(&request.domain_names).map(Plan::Managed)
        }
    };
    match plan {
        Ok(plan) => input::refuse(wrong).map(|()| plan),
        Err(more) => Err(Error::invalid_fields(wrong.into_iter().chain(more).collect())),
    }
}

/// What a create has made.
struct Created {
    certificate: Id,
    action: Option<Id>,
    strand: Option<Id>,
}

fn create(
    tx: &mut dyn Tx,
    core: &Core,
    project: Id,
    (request, plan): (&wire::CreateCertificate, &Plan),
) -> Result<Created> {
    let (domain_names, issued, managed) = match plan {
        Plan::Uploaded(read) => {
            read.check_time(tx.now())?;
            (read.domain_names.clone(), Some(read.issued.clone()), None)
        }
        Plan::Managed(domains) => (domains.clone(), None, Some(Managed::default())),
    };
    let new = Certificate {
        id: tx.next_id(Counter::Kind(Kind::Certificate))?,
        project,
        name: request.name.clone(),
        created: tx.now().whole_second(),
        kind: request.kind.as_str().to_owned(),
        details: Details { v: 1, domain_names, issued, managed, labels: request.labels.clone() },
    };
    let number = certificate::insert(tx, &new)?;
    limit::check(tx, project, Kind::Certificate, number)?;
    match plan {
        Plan::Uploaded(read) => {
            keep_key(tx, core, new.id, read.private_key.expose())?;
            Ok(Created { certificate: new.id, action: None, strand: None })
        }
        Plan::Managed(_) => {
            let started = issue::start(tx, &new, issue::Cause::Create)?;
            Ok(Created { certificate: new.id, action: Some(started.action), strand: started.strand })
        }
    }
}

/// Removes a certificate. Work on it that is under way finds it gone.
pub(crate) fn remove(tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
    let old = certificate::expect(tx, project, id)?.value;
    calendar::forget(tx, &old)?;
    certificate::delete(tx, &old)
}

/// Keeps a private key, sealed.
fn keep_key(tx: &mut dyn Tx, core: &Core, id: Id, pem: &str) -> Result<()> {
    let sealed = core.sealer.seal(&mut *tx.random("certificate_key_seal"), KEY_SEAL, pem)?;
    certificate::put_key(tx, id, &sealed)
}

impl Control {
    /// Makes a certificate: an uploaded one is there at once, a managed one is issued by a strand.
    ///
    /// # Errors
    /// `invalid_input`, `uniqueness_error`, `resource_limit_exceeded`.
    pub async fn create_certificate(&self, caller: &Caller, request: wire::CreateCertificate) -> Result<Json> {
        let plan = plan(&request)?;
        let (core, project) = (Arc::clone(&self.core), caller.project);
        let (accepted, (shown, strand)) = self
            .write_showing(caller, vec![Race::Project(project)], move |tx| {
                let created = create(tx, &core, project, (&request, &plan))?;
                let shown = Shown::one(Kind::Certificate, created.certificate);
                let shown = match created.action {
                    Some(action) => shown.action(action),
                    None => shown.no_action(),
                };
                Ok((shown.clone(), (shown, created.strand)))
            })
            .await?;
        let Some(strand) = strand else { return Ok(accepted) };
        self.settle(&[strand]).await;
        match self.show(caller, shown).await {
            // Somebody has deleted it meanwhile: this is what was accepted.
            Err(Error::NotFound { .. }) => Ok(accepted),
            settled => settled,
        }
    }

    /// Changes name and labels.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`; `locked` while it is issued and contention is refused.
    pub async fn update_certificate(&self, caller: &Caller, id: Id, update: wire::UpdateCertificate) -> Result<Json> {
        input::refuse(input::wrong(name::resource_name, update.name.as_deref(), update.labels.as_ref()))?;
        let (project, refuse) = (caller.project, self.options.refuse_contention);
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let old = certificate::expect(tx, project, id)?;
            action::check_contention(tx, refuse, Target::new(Kind::Certificate, id))?;
            let mut new = old.value.clone();
            input::set(&mut new.name, update.name.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
            if new != old.value {
                certificate::update(tx, &old, &new)?;
            }
            Ok(Shown::one(Kind::Certificate, id))
        })
        .await
    }

    /// Deletes a certificate that nobody uses. Work on it that is under way ends with an error.
    ///
    /// # Errors
    /// `not_found`, `resource_in_use`; `locked` while it is issued and contention is refused.
    pub async fn delete_certificate(&self, caller: &Caller, id: Id) -> Result<()> {
        let (project, refuse) = (caller.project, self.options.refuse_contention);
        self.db
            .write(vec![Race::Project(project)], move |tx| {
                certificate::expect(tx, project, id)?;
                action::check_contention(tx, refuse, Target::new(Kind::Certificate, id))?;
                rules::check_unused(id, !certificate::users(tx, id)?.is_empty())?;
                remove(tx, project, id)
            })
            .await
    }

    /// Tries a failed issue or renewal of a managed certificate again.
    ///
    /// # Errors
    /// `not_found`; `unsupported_error` unless it has failed.
    pub async fn retry_certificate(&self, caller: &Caller, id: Id) -> Result<Json> {
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = certificate::expect(tx, project, id)?;
                Managed::check_retry(old.value.details.managed.as_ref())?;
                issue::begin(tx, &old, issue::Cause::Retry)
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// The certificate of an authority, in PEM: what people trust who want to trust managed certificates. It is made when it
    /// is asked for first.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn authority(&self, name: AuthorityName) -> Result<String> {
        if let Some(known) = self.db.read(move |tx| wolke_store::authority::get(tx, name)).await? {
            return Ok(known.certificate);
        }
        let core = Arc::clone(&self.core);
        self.db.write(vec![Race::Database], move |tx| authority::ensure(tx, &core, name)?.pem()).await
    }
}
