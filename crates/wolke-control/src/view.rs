//! How resources look: own fragments, cached by (kind, id, rev, dialect), spliced into each other (design §4).
//!
//! A fragment is rendered from the superset type of `wolke-wire`, pruned to what the dialect's document has, and cut at
//! the places where other objects stand. Catalogue objects have no rev of their own: they change with the catalogue.

mod fragment;
mod put;
mod render;
mod shown;

use crate::control::{Caller, Control};
use crate::real::RealHosts;
pub use fragment::Fragments;
use fragment::{Fragment, Key};
pub(crate) use put::Large;
pub use shown::Shown;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use wolke_domain::catalogue::Catalogue;
use wolke_domain::{Error, Result};
use wolke_store::Tx;
use wolke_store::seal::Sealer;
use wolke_wire::{Dialect, Id, Kind, Timestamp};

/// JSON text under construction.
pub type Json = Vec<u8>;

/// Milliseconds of an hour.
const HOUR_MS: i64 = 60 * 60 * 1000;

/// What pages depend on beside revs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// [`Catalogue::offer_version`]: catalogue objects show what is in stock.
    pub offers: i64,
    /// What servers depend on.
    pub servers: ServersMoment,
}

/// What renderings of servers depend on beside their revs: the catalogue, and the hour of world time in which traffic
/// counters move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ServersMoment {
    /// [`Catalogue::version`].
    pub catalogue: i64,
    /// Whole hours of world time.
    pub hour: i64,
}

impl Moment {
    /// The moment of a transaction.
    pub fn at(catalogue: &Catalogue, now: Timestamp) -> Self {
        let servers = ServersMoment { catalogue: catalogue.version(now), hour: now.0.div_euclid(HOUR_MS) };
        Self { offers: catalogue.offer_version(now), servers }
    }
}

/// A view for one answer: where fragments come from, and in which dialect.
pub struct View<'a> {
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) real: Arc<RealHosts>,
    /// Opens what an answer shows of secrets.
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) fragments: &'a Fragments,
    pub(crate) dialect: Dialect,
    pub(crate) project: Id,
    pub(crate) moment: Moment,
    /// Whether what is read has been committed. What has not may be undone, so it is not kept.
    is_committed: bool,
    /// What stands inside the answer and changes by itself, with the rev that it has there.
    embedded: RefCell<BTreeMap<(Kind, Id), Changing>>,
}

/// The rev and the rendering of an object that changes by itself.
type Changing = (i64, Arc<[u8]>);

/// Objects that stand inside an answer and change by themselves, with the revs that they have there.
pub(crate) type Embedded = Vec<(Kind, Id, i64)>;

impl Control {
    /// A resource as `{"server": {…}}`.
    ///
    /// # Errors
    /// `not_found`, whosever it else is.
    pub async fn get(&self, caller: &Caller, kind: Kind, id: Id) -> Result<Json> {
        self.show(caller, Shown::one(kind, id)).await
    }
}

impl<'a> View<'a> {
    /// The view of a caller in a transaction.
    pub(crate) fn new(tx: &mut dyn Tx, core: &crate::core::Core, fragments: &'a Fragments, caller: &Caller) -> Self {
        Self::of(tx, (core.catalogue(), core.real(), Arc::clone(&core.sealer)), fragments, caller)
    }

    /// The view of a catalogue that was looked at already.
    pub(crate) fn of(
        tx: &mut dyn Tx,
        (catalogue, real, sealer): (Arc<Catalogue>, Arc<RealHosts>, Arc<Sealer>),
        fragments: &'a Fragments,
        caller: &Caller,
    ) -> Self {
        let moment = Moment::at(&catalogue, tx.now());
        Self {
            catalogue,
            real,
            sealer,
            fragments,
            dialect: caller.dialect,
            project: caller.project,
            moment,
            is_committed: true,
            embedded: RefCell::default(),
        }
    }
}

impl View<'_> {
    /// Appends `{"key":`.
    pub(crate) fn open(&self, json: &mut Json, key: &str) {
        json.push(b'{');
        member(json, key);
    }

    /// Appends a resource of the project, or of the catalogue.
    ///
    /// # Errors
    /// `not_found`.
    pub(crate) fn append(&self, tx: &mut dyn Tx, json: &mut Json, kind: Kind, id: Id) -> Result<()> {
        let fragment = self.fragment(tx, kind, id, None)?.ok_or_else(|| Error::not_found(kind, id))?;
        self.splice(tx, json, &fragment)
    }

    /// Appends a resource whose rev a list has read.
    ///
    /// # Errors
    /// The engine's failure.
    pub(crate) fn append_rev(&self, tx: &mut dyn Tx, json: &mut Json, kind: Kind, id: Id, rev: i64) -> Result<()> {
        let fragment = self.fragment(tx, kind, id, Some(rev))?.ok_or_else(|| Error::not_found(kind, id))?;
        self.splice(tx, json, &fragment)
    }

    /// Appends an answer's type that is not (or no more) in the database.
    ///
    /// # Errors
    /// The engine's failure.
    pub(crate) fn append_wire(
        &self,
        tx: &mut dyn Tx,
        json: &mut Json,
        kind: Kind,
        wire: &impl serde::Serialize,
    ) -> Result<()> {
        let fragment = Fragment::cut(render::render_wire(wire, kind, self.dialect)?);
        self.splice(tx, json, &fragment)
    }

    fn splice(&self, tx: &mut dyn Tx, json: &mut Json, fragment: &Fragment) -> Result<()> {
        for piece in fragment.pieces() {
            match piece {
                fragment::Piece::Text(text) => json.extend_from_slice(text),
                fragment::Piece::Embed(kind, id) => {
                    let whole = self.whole(tx, kind, id)?;
                    json.extend_from_slice(&whole);
                }
            }
        }
        Ok(())
    }

    /// An object as it stands inside another one, with everything in it spliced. What is of the catalogue never changes, so
    /// its whole is kept; anything else is looked up once for an answer.
    fn whole(&self, tx: &mut dyn Tx, kind: Kind, id: Id) -> Result<Arc<[u8]>> {
        if !render::is_catalogue(kind, id) {
            return self.changing(tx, kind, id);
        }
        if let Some(whole) = self.fragments.whole(self.dialect, kind, id, self.moment.offers) {
            return Ok(whole);
        }
        let fragment = self.fragment(tx, kind, id, None)?.ok_or_else(|| Error::internal(format!("no {kind} {id}")))?;
        let mut json = Json::new();
        self.splice(tx, &mut json, &fragment)?;
        let whole: Arc<[u8]> = json.into();
        self.fragments.keep_whole((self.dialect, kind, id), self.moment.offers, Arc::clone(&whole));
        Ok(whole)
    }

    /// An embedded object that changes by itself. What is gone is null: only an answer to work that has failed, and that is
    /// not in the database any more, can name it.
    fn changing(&self, tx: &mut dyn Tx, kind: Kind, id: Id) -> Result<Arc<[u8]>> {
        if let Some((_, whole)) = self.embedded.borrow().get(&(kind, id)) {
            return Ok(Arc::clone(whole));
        }
        let Some(rev) = render::embedded_rev(tx, self.project, kind, id)? else { return Ok(Arc::from(*b"null")) };
        let fragment = self.fragment(tx, kind, id, Some(rev))?;
        let fragment = fragment.ok_or_else(|| Error::internal(format!("no {kind} {id}")))?;
        let mut json = Json::new();
        self.splice(tx, &mut json, &fragment)?;
        let whole: Arc<[u8]> = json.into();
        self.embedded.borrow_mut().insert((kind, id), (rev, Arc::clone(&whole)));
        Ok(whole)
    }

    /// What was embedded so far and changes by itself.
    pub(crate) fn embedded(&self) -> Embedded {
        self.embedded.borrow().iter().map(|((kind, id), (rev, _))| (*kind, *id, *rev)).collect()
    }

    /// The same objects with the revs that they have now.
    ///
    /// # Errors
    /// The engine's failure.
    pub(crate) fn as_of_now(&self, tx: &mut dyn Tx, embedded: Embedded) -> Result<Embedded> {
        let rev = |(kind, id, _)| Ok((kind, id, render::embedded_rev(tx, self.project, kind, id)?.unwrap_or(0)));
        embedded.into_iter().map(rev).collect()
    }

    /// Servers and load balancers show their traffic, which grows by the hour, and what their type includes.
    fn key(&self, kind: Kind, id: Id, rev: i64) -> Key {
        let moment = matches!(kind, Kind::Server | Kind::LoadBalancer).then_some(self.moment.servers);
        Key { kind, id, rev, dialect: self.dialect, moment }
    }

    /// An own fragment, from the cache when the rev is known and there.
    fn fragment(&self, tx: &mut dyn Tx, kind: Kind, id: Id, rev: Option<i64>) -> Result<Option<Arc<Fragment>>> {
        let rev = if render::is_catalogue(kind, id) { Some(self.moment.offers) } else { rev };
        if let Some(rev) = rev {
            let key = self.key(kind, id, rev);
            if let Some(found) = self.fragments.get(&key) {
                return Ok(Some(found));
            }
        }
        let rev = match rev {
            Some(rev) => Some(rev),
            None => render::rev(tx, self.project, kind, id)?,
        };
        let Some(rev) = rev else { return Ok(None) };
        let key = self.key(kind, id, rev);
        if let Some(found) = self.fragments.get(&key) {
            return Ok(Some(found));
        }
        let Some(json) = render::render(tx, self, kind, id)? else { return Ok(None) };
        let fragment = Fragment::cut(json);
        if !self.is_committed && !render::is_catalogue(kind, id) {
            return Ok(Some(Arc::new(fragment)));
        }
        Ok(Some(self.fragments.put(key, fragment)))
    }

    /// A fragment as a fresh rendering would give it, past the cache: for the invariant of the simulator.
    ///
    /// # Errors
    /// The engine's failure.
    pub fn fresh(&self, tx: &mut dyn Tx, kind: Kind, id: Id) -> Result<Option<Vec<u8>>> {
        render::render(tx, self, kind, id)
    }
}

impl Control {
    /// Compares every cached fragment of a resource's present rev with a fresh rendering: an invariant of the simulator.
    ///
    /// # Errors
    /// Internal, naming the resource whose rev was not bumped when what it shows changed.
    pub fn check_fragment(&self, tx: &mut dyn Tx, caller: &Caller, kind: Kind, id: Id) -> Result<()> {
        let view = View::new(tx, &self.core, &self.fragments, caller);
        let Some(rev) = render::rev(tx, caller.project, kind, id)? else { return Ok(()) };
        let Some(cached) = self.fragments.get(&view.key(kind, id, rev)) else { return Ok(()) };
        let fresh = view.fresh(tx, kind, id)?.map(Fragment::cut);
        if fresh.as_ref() == Some(&*cached) {
            return Ok(());
        }
        Err(Error::internal(format!("{kind} {id} shows something else than its cached fragment of rev {rev}")))
    }
}

/// Cuts the answer of an operation down to what the dialect has.
pub(crate) fn prune(answer: &mut serde_json::Value, operation: &str, dialect: Dialect) {
    if let Some(schema) = wolke_wire::contract::Contract::of(dialect).operation(operation).and_then(|o| o.success()) {
        schema.prune(answer);
    }
}

/// Appends `"key":`.
pub(crate) fn member(json: &mut Json, key: &str) {
    json.push(b'"');
    json.extend_from_slice(key.as_bytes());
    json.extend_from_slice(b"\":");
}
