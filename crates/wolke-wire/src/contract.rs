//! The distilled contract at run time: what a dialect's documents allow in requests and hold in responses.
//!
//! The files under `contract/` are embedded as text. A file is parsed, patched with the overlays and decisions of the
//! dialect, and compiled when one of its operations is first asked for; a process that serves one dialect never parses
//! another one. Three readers work on the compiled [`Schema`]s:
//!
//! - the **request walker** ([`OperationContract::check_request`]) collects every violation of a body,
//! - the **pruner** ([`Schema::prune`]) cuts a superset rendering down to what the dialect's document has,
//! - the **oracle** ([`OperationContract::check_response`]) checks answers strictly, for tests.
//!
//! **Invariant:** the contract of a dialect is a constant; nothing here depends on settings, time or state.

mod alternatives;
mod describe;
mod files;
mod load;
mod operation;
mod overlay;
mod path;
mod prune;
mod query;
mod raw;
mod request;
mod response;
mod schema;
mod tables;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use describe::Side;
pub use operation::{Ended, OperationContract};
pub use path::FieldViolation;
pub use query::{QueryKind, QueryParam};
pub use request::{MAX_UNKNOWN_NAMED, MAX_VIOLATIONS, RequestReport};
pub use schema::Schema;

use crate::{Dialect, ErrorCode, Kind};

/// The contracts of all presets, in the order of [`Dialect::ALL`]. Their files are not loaded yet.
static CONTRACTS: LazyLock<Vec<Contract>> = LazyLock::new(|| Dialect::ALL.iter().copied().map(Contract::new).collect());

/// The contract of one dialect: its document with its overlays, decisions and exceptions.
pub struct Contract {
    dialect: Dialect,
    files: Vec<load::Slot>,
}

impl Contract {
    /// The contract of `dialect`. Costs nothing until an operation is asked for.
    #[must_use]
    pub fn of(dialect: Dialect) -> &'static Contract {
        static EMPTY: Contract = Contract { dialect: Dialect::Compat, files: Vec::new() };
        CONTRACTS.iter().find(|contract| contract.dialect == dialect).unwrap_or(&EMPTY)
    }

    fn new(dialect: Dialect) -> Self {
        Self { dialect, files: load::slots(dialect) }
    }

    /// The dialect that this contract describes.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The operation with this id (rule: `contract/README.md`), such as `create_server`. Loads its file.
    #[must_use]
    pub fn operation(&'static self, id: &str) -> Option<&'static OperationContract> {
        let own = self.files.iter().find(|slot| slot.holds(id));
        let slot = own.or_else(|| {
            let segment = overlay::added_segment(id)?;
            self.files.iter().find(|slot| slot.segment() == segment)
        })?;
        slot.operations(self.dialect).iter().find(|operation| operation.id == id)
    }

    /// The operation with this method and path template, such as `GET` and `/servers/{id}`. Loads its file.
    ///
    /// Parameters match whatever their names: `/zones/{zone}` finds `/zones/{id_or_name}`.
    #[must_use]
    pub fn find(&'static self, method: &str, path_template: &str) -> Option<&'static OperationContract> {
        let segment = path_template.split('/').nth(1)?;
        let slot = self.files.iter().find(|slot| slot.segment() == segment)?;
        slot.operations(self.dialect)
            .iter()
            .find(|operation| operation.method == method && same_template(&operation.path, path_template))
    }

    /// Whether the dialect has this method on a path whose parameters are filled in, such as `POST` and
    /// `/servers/42/actions/reset`: on the template that names most of it. Loads its file.
    #[must_use]
    pub fn documents(&'static self, method: &str, path: &str) -> bool {
        let segment = path.split('/').nth(1).unwrap_or_default();
        let Some(slot) = self.files.iter().find(|slot| slot.segment() == segment) else { return false };
        let matching: Vec<_> =
            slot.operations(self.dialect).iter().filter(|o| o.ended.is_none() && fills(path, &o.path)).collect();
        let fewest = matching.iter().map(|o| parameters(&o.path)).min();
        matching.iter().any(|o| o.method == method && Some(parameters(&o.path)) == fewest)
    }

    /// Every operation of the dialect, also those that have ended. Loads all files: for tests and listings.
    pub fn operations(&'static self) -> impl Iterator<Item = &'static OperationContract> {
        self.files.iter().flat_map(|slot| slot.operations(self.dialect))
    }

    /// The schema of a single resource: the member of the answer to its GET by id. `None` where the dialect lacks it.
    #[must_use]
    pub fn resource(&'static self, kind: Kind) -> Option<&'static Schema> {
        let (segment, name) = match kind {
            Kind::Rrset => (Kind::Zone.plural(), "zone_rrset"),
            Kind::StorageBoxSnapshot | Kind::StorageBoxSubaccount => (Kind::StorageBox.plural(), kind.singular()),
            _ => (kind.plural(), kind.singular()),
        };
        let slot = self.files.iter().find(|slot| slot.segment() == segment)?;
        let wanted = ("get_", name);
        let operation = slot
            .operations(self.dialect)
            .iter()
            .find(|o| o.id.strip_prefix(wanted.0).is_some_and(|id| id == wanted.1))?;
        operation.success().and_then(|schema| schema.member(kind.member()))
    }
}

/// The status of an error code as an answer of an operation (`contract/errors.json`); `None` when the operation has no such
/// code in the dialect. An empty operation id asks for the codes that every operation has.
#[must_use]
pub fn error_status(operation: &str, code: ErrorCode, dialect: Dialect) -> Option<u16> {
    tables::ERRORS.as_ref().ok()?.status(operation, code.as_str(), dialect)
}

/// What a dialect says where an operation means a code: the code, where the dialect has it there, else what stands for it; and
/// the status.
#[must_use]
pub fn error_answer(operation: &str, code: ErrorCode, dialect: Dialect) -> (ErrorCode, u16) {
    /// Of what has no published status (fact sheet §6.1).
    const UNPUBLISHED: u16 = 422;
    let told = std::iter::successors(Some(code), |code| error_instead(*code));
    let told = told.chain([ErrorCode::ServiceError]);
    let mut known = told.filter_map(|code| error_status(operation, code, dialect).map(|status| (code, status)));
    known.next().unwrap_or((ErrorCode::ServiceError, UNPUBLISHED))
}

/// What stands for a code where a dialect does not have it, if that is not `service_error` as for all others
/// (`contract/errors.json`, `instead`).
#[must_use]
pub fn error_instead(code: ErrorCode) -> Option<ErrorCode> {
    tables::ERRORS.as_ref().ok()?.instead.get(code.as_str()).and_then(|code| ErrorCode::parse(code))
}

/// Every error answer that an operation may give in the dialect, by status, with the codes of each.
#[must_use]
pub fn error_answers(operation: &str, dialect: Dialect) -> BTreeMap<u16, Vec<ErrorCode>> {
    let mut answers: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in ErrorCode::ALL {
        if let Some(status) = error_status(operation, *code, dialect) {
            answers.entry(status).or_default().push(*code);
        }
    }
    answers
}

/// Whether two path templates differ in nothing but the names of their parameters.
fn same_template(one: &str, other: &str) -> bool {
    one.split('/').count() == other.split('/').count()
        && one.split('/').zip(other.split('/')).all(|(a, b)| a == b || (is_parameter(a) && is_parameter(b)))
}

/// Whether a path is a template with its parameters filled in.
fn fills(path: &str, template: &str) -> bool {
    path.split('/').count() == template.split('/').count()
        && path.split('/').zip(template.split('/')).all(|(a, b)| a == b || (is_parameter(b) && !a.is_empty()))
}

fn parameters(template: &str) -> usize {
    template.split('/').filter(|segment| is_parameter(segment)).count()
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}
