//! What the tables of named, labelled resources do alike: a row is written together with its labels and the count of its
//! kind, a name is given once, and nobody overwrites what somebody else has changed.
//!
//! A resource's file says in [`Named`] what its row is made of, lists with [`functions!`] which of the usual functions it has
//! as they stand here, and holds whatever else can be done with it. Statements stay texts of the resource's file:
//!
//! - a SELECT begins with `id, project, name, created, rev, generation, doc`, then come the resource's own columns ([`OWN`]);
//! - INSERT takes id, project, name, created, the values of [`Named::columns`], the document;
//! - UPDATE takes the values of [`Named::changing`], the document, id, generation.

use crate::label;
use crate::resource::{self, Stored};
use crate::stmt::Stmt;
use crate::tx::Tx;
use crate::value::{Row, Value, json_text};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use wolke_domain::{Error, Result};
use wolke_wire::{Id, Kind, Timestamp};

/// The place of the first column that only one resource has, in a SELECT.
pub(crate) const OWN: usize = 7;

/// What every row has: owned as it was read, borrowed as it is written.
pub(crate) struct Head<N, D> {
    pub id: Id,
    pub project: Id,
    pub name: N,
    pub created: Timestamp,
    pub details: D,
}

/// The statements of a resource.
pub(crate) struct Sql {
    /// Changes no row when the name is taken.
    pub insert: Stmt,
    /// By project and id.
    pub get: Stmt,
    /// Who has a name, by the scope of names, the name, and an id that does not count; none of what keeps its name.
    pub name_taken: Option<Stmt>,
    /// By id and generation.
    pub update: Stmt,
    /// By id.
    pub delete: Stmt,
}

/// A resource with a name and labels.
pub(crate) trait Named: Sized {
    /// The part of it that nothing searches.
    type Details: Serialize + DeserializeOwned;
    const KIND: Kind;
    const SQL: Sql;

    /// It from what every row has and the row's own columns, from [`OWN`] on.
    fn read(head: Head<String, Self::Details>, row: &Row) -> Result<Self>;

    fn head(&self) -> Head<&str, &Self::Details>;

    fn labels(&self) -> &BTreeMap<String, String>;

    /// The values of its own columns, for INSERT.
    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }

    /// The values that may change, for UPDATE.
    fn changing(&self) -> Vec<Value> {
        vec![self.head().name.into()]
    }

    /// With what it goes, if it goes with anything: its labels name it.
    fn parent(&self) -> Option<Id> {
        None
    }

    /// In what its name is unique.
    fn scope(&self) -> Id {
        self.head().project
    }
}

/// What is written alike in every `impl Named`: of a resource whose file calls its statements as all do, and which holds its
/// labels in its details. `keeps` stands for a name that never changes.
macro_rules! common {
    ($kind:expr) => { $crate::named::common!(@all $kind, Some(NAME_TAKEN)); };
    ($kind:expr, keeps name) => { $crate::named::common!(@all $kind, None); };
    (@all $kind:expr, $name_taken:expr) => {
        type Details = Details;
        const KIND: wolke_wire::Kind = $kind;
        const SQL: $crate::named::Sql =
            $crate::named::Sql { insert: INSERT, get: GET, name_taken: $name_taken, update: UPDATE, delete: DELETE };

        fn head(&self) -> $crate::named::Head<&str, &Details> {
            let Self { id, project, name, created, details, .. } = self;
            $crate::named::Head { id: *id, project: *project, name, created: *created, details }
        }

        fn labels(&self) -> &std::collections::BTreeMap<String, String> {
            &self.details.labels
        }
    };
}
pub(crate) use common;

/// Defines the functions of a resource that need nothing beside what stands in [`crate::named`].
macro_rules! functions {
    ($type:ty: $($name:ident),*) => { $($crate::named::functions!(@$name $type);)* };
    (@insert $type:ty) => {
        /// Inserts a resource with its labels; returns how many of the kind the project now has.
        ///
        /// # Errors
        /// `name is already used`.
        pub fn insert(tx: &mut dyn $crate::Tx, new: &$type) -> wolke_domain::Result<i64> {
            $crate::named::insert(tx, new)
        }
    };
    (@get $type:ty) => {
        /// A resource of a project.
        ///
        /// # Errors
        /// The engine's failure.
        pub fn get(
            tx: &mut dyn $crate::Tx,
            project: wolke_wire::Id,
            id: wolke_wire::Id,
        ) -> wolke_domain::Result<Option<$crate::Stored<$type>>> {
            $crate::named::get(tx, project, id)
        }
    };
    (@expect $type:ty) => {
        /// A resource of a project, which must exist.
        ///
        /// # Errors
        /// `not_found`.
        pub fn expect(
            tx: &mut dyn $crate::Tx,
            project: wolke_wire::Id,
            id: wolke_wire::Id,
        ) -> wolke_domain::Result<$crate::Stored<$type>> {
            $crate::named::expect(tx, project, id)
        }
    };
    (@update $type:ty) => {
        /// Writes a changed resource back, with its labels: everything that can change.
        ///
        /// # Errors
        /// `name is already used`; internal when somebody else has changed the row since it was read.
        pub fn update(
            tx: &mut dyn $crate::Tx,
            old: &$crate::Stored<$type>,
            new: &$type,
        ) -> wolke_domain::Result<()> {
            $crate::named::update(tx, old, new)
        }
    };
    (@delete $type:ty) => {
        /// Removes a resource that nothing uses any more, and its labels.
        ///
        /// # Errors
        /// The engine's failure.
        pub fn delete(tx: &mut dyn $crate::Tx, old: &$type) -> wolke_domain::Result<()> {
            $crate::named::delete(tx, old)
        }
    };
}
pub(crate) use functions;

fn stored<T: Named>(row: &Row) -> Result<Stored<T>> {
    let head = Head {
        id: row.int(0)?,
        project: row.int(1)?,
        name: row.text(2)?.to_owned(),
        created: row.time(3)?,
        details: row.json(6)?,
    };
    Ok(Stored { rev: row.int(4)?, generation: row.int(5)?, value: T::read(head, row)? })
}

/// The resource that a SELECT finds.
pub(crate) fn one<T: Named>(tx: &mut dyn Tx, select: &Stmt, params: &[Value]) -> Result<Option<Stored<T>>> {
    tx.query_one(select, params)?.as_ref().map(stored).transpose()
}

/// The resources that a SELECT finds.
pub(crate) fn all<T: Named>(tx: &mut dyn Tx, select: &Stmt, params: &[Value]) -> Result<Vec<Stored<T>>> {
    tx.query(select, params)?.iter().map(stored).collect()
}

/// A resource of a project.
pub(crate) fn get<T: Named>(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Option<Stored<T>>> {
    one(tx, &T::SQL.get, &[project.into(), id.into()])
}

/// A resource of a project, which must exist.
pub(crate) fn expect<T: Named>(tx: &mut dyn Tx, project: Id, id: Id) -> Result<Stored<T>> {
    get(tx, project, id)?.ok_or_else(|| Error::not_found(T::KIND, id))
}

/// Inserts a resource with its labels, and counts it; returns how many of its kind the project now has.
pub(crate) fn insert<T: Named>(tx: &mut dyn Tx, new: &T) -> Result<i64> {
    add(tx, new, Vec::new())?;
    resource::count_add(tx, T::KIND, new.head().project, 1)
}

/// Inserts a resource with its labels; `more` are columns of the row that are not of the value, after its own.
pub(crate) fn add<T: Named>(tx: &mut dyn Tx, new: &T, more: Vec<Value>) -> Result<()> {
    let Head { id, project, name, created, details } = new.head();
    let mut params = vec![id.into(), project.into(), name.into(), created.into()];
    params.extend(new.columns());
    params.extend(more);
    params.push(json_text(details)?);
    if tx.execute(&T::SQL.insert, &params)? == 0 {
        return Err(Error::name_used());
    }
    label::replace_in(tx, (T::KIND, project, new.parent()), id, &BTreeMap::new(), new.labels())
}

/// Writes a changed resource back, with its labels.
pub(crate) fn update<T: Named>(tx: &mut dyn Tx, old: &Stored<T>, new: &T) -> Result<()> {
    let Head { id, project, name, details, .. } = new.head();
    if old.value.head().name != name
        && let Some(taken) = T::SQL.name_taken
        && tx.query_one(&taken, &[new.scope().into(), name.into(), id.into()])?.is_some()
    {
        return Err(Error::name_used());
    }
    label::replace_in(tx, (T::KIND, project, new.parent()), id, old.value.labels(), new.labels())?;
    let mut params = new.changing();
    params.extend([json_text(details)?, id.into(), old.generation.into()]);
    tx.execute_one(&T::SQL.update, &params)
}

/// Removes a resource and its labels, and counts that it is gone.
pub(crate) fn delete<T: Named>(tx: &mut dyn Tx, old: &T) -> Result<()> {
    remove(tx, old)?;
    resource::count_add(tx, T::KIND, old.head().project, -1).map(|_| ())
}

/// Removes a resource and its labels.
pub(crate) fn remove<T: Named>(tx: &mut dyn Tx, old: &T) -> Result<()> {
    let Head { id, project, .. } = old.head();
    label::replace_in(tx, (T::KIND, project, old.parent()), id, old.labels(), &BTreeMap::new())?;
    tx.execute_one(&T::SQL.delete, &[id.into()])
}
