//! Answers that are rendered in the transaction that makes them true: whoever makes or changes something is told what it is,
//! also when somebody else deletes it a moment later. What may be large is shown in another way: `put.rs`.
//!
//! **Invariant:** what such a transaction shows is not cached. It may still fail, and the revs that it has given are given again.

use super::{Json, View, member};
use crate::action::Acts;
use crate::control::{Caller, Control};
use std::sync::Arc;
use wolke_domain::Result;
use wolke_store::{Scope, Tx};
use wolke_wire::{Id, Kind};

/// What stands in an answer under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A resource or an action.
    One(Kind, Id),
    /// No more of what a storage box has than its id and the storage box: all that the contract shows of it when it is made.
    OfStorageBox(Id, Id),
    /// Nothing, but said.
    Null,
    /// Actions.
    Actions(Vec<Id>),
}

/// The members of an answer, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Shown(Vec<(&'static str, Part)>);

impl Shown {
    /// An answer without members.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// A resource under its own name: `{"server": {…}}`.
    pub fn one(kind: Kind, id: Id) -> Self {
        Self(vec![(kind.member(), Part::One(kind, id))])
    }

    /// Something new of a storage box: `{"snapshot": {"id": …, "storage_box": …}}`.
    pub fn new_in_storage_box(kind: Kind, id: Id, storage_box: Id) -> Self {
        Self(vec![(kind.member(), Part::OfStorageBox(id, storage_box))])
    }

    /// With `"action": {…}` behind it.
    pub fn action(mut self, id: Id) -> Self {
        self.0.push((Kind::Action.singular(), Part::One(Kind::Action, id)));
        self
    }

    /// With `"action": null` behind it.
    pub fn no_action(mut self) -> Self {
        self.0.push((Kind::Action.singular(), Part::Null));
        self
    }

    /// With `"action": {…}` behind it, if there is one.
    pub fn any_action(self, id: Option<Id>) -> Self {
        match id {
            Some(id) => self.action(id),
            None => self,
        }
    }

    /// With a list of actions behind it.
    pub fn actions(mut self, key: &'static str, ids: Vec<Id>) -> Self {
        self.0.push((key, Part::Actions(ids)));
        self
    }

    fn shown_actions(&self) -> Vec<Id> {
        let mut ids = Vec::new();
        for (_, part) in &self.0 {
            match part {
                Part::One(Kind::Action, id) => ids.push(*id),
                Part::Actions(all) => ids.extend(all),
                Part::One(..) | Part::OfStorageBox(..) | Part::Null => {}
            }
        }
        ids
    }

    pub(super) fn render(&self, tx: &mut dyn Tx, view: &View<'_>) -> Result<Json> {
        let mut json = vec![b'{'];
        for (position, (key, part)) in self.0.iter().enumerate() {
            if position > 0 {
                json.push(b',');
            }
            member(&mut json, key);
            match part {
                Part::One(kind, id) => view.append(tx, &mut json, *kind, *id)?,
                Part::OfStorageBox(id, storage_box) => {
                    json.extend_from_slice(format!("{{\"id\":{id},\"storage_box\":{storage_box}}}").as_bytes());
                }
                Part::Null => json.extend_from_slice(b"null"),
                Part::Actions(ids) => {
                    json.push(b'[');
                    for (position, id) in ids.iter().enumerate() {
                        if position > 0 {
                            json.push(b',');
                        }
                        view.append(tx, &mut json, Kind::Action, *id)?;
                    }
                    json.push(b']');
                }
            }
        }
        json.push(b'}');
        Ok(json)
    }
}

impl<T> Acts for (Shown, T) {
    fn actions(&self) -> Vec<Id> {
        self.0.shown_actions()
    }
}

impl Control {
    /// Changes something, and answers with what it is then.
    ///
    /// # Errors
    /// Whatever `change` refuses.
    pub async fn write_shown<F>(&self, caller: &Caller, races: Scope, change: F) -> Result<Json>
    where
        F: Fn(&mut dyn Tx) -> Result<Shown> + Send + Sync + 'static,
    {
        let (json, ()) = self.write_showing(caller, races, move |tx| Ok((change(tx)?, ()))).await?;
        Ok(json)
    }

    /// As [`Control::write_shown`], with something more that the change returns.
    ///
    /// # Errors
    /// Whatever `change` refuses.
    pub(crate) async fn write_showing<T, F>(&self, caller: &Caller, races: Scope, change: F) -> Result<(Json, T)>
    where
        T: Send + 'static,
        F: Fn(&mut dyn Tx) -> Result<(Shown, T)> + Send + Sync + 'static,
    {
        let (core, fragments, caller) = (Arc::clone(&self.core), Arc::clone(&self.fragments), *caller);
        self.act_showing(&caller, races, change, move |tx, (shown, more)| {
            let view = View { is_committed: false, ..View::new(tx, &core, &fragments, &caller) };
            Ok((shown.render(tx, &view)?, more))
        })
        .await
    }

    /// An answer about what is there.
    ///
    /// # Errors
    /// `not_found`, whosever it else is.
    pub(crate) async fn show(&self, caller: &Caller, shown: Shown) -> Result<Json> {
        let (core, fragments, caller) = (Arc::clone(&self.core), Arc::clone(&self.fragments), *caller);
        self.db
            .read(move |tx| {
                let view = View::new(tx, &core, &fragments, &caller);
                shown.render(tx, &view)
            })
            .await
    }
}
