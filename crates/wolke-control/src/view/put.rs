//! Changes of what may be large to show: a firewall with thousands of servers, a network with thousands of members.
//!
//! Nobody waits at the writer for a long answer: it is rendered from what was committed, after the commit. Whoever asks for
//! nothing new (clients use `PUT {}` to read) does not come to the writer at all.

use super::{Json, Shown, View, member};
use crate::control::{Caller, Control};
use std::sync::Arc;
use wolke_domain::{Error, Result};
use wolke_store::{Race, Stored, Tx};
use wolke_wire::{Id, Kind};

/// How a kind is found and written.
pub(crate) struct Large<T> {
    pub kind: Kind,
    /// A resource of a project, which must exist.
    pub find: fn(&mut dyn Tx, Id, Id) -> Result<Stored<T>>,
    /// Writes a changed one back.
    pub write: fn(&mut dyn Tx, &Stored<T>, &T) -> Result<()>,
}

impl<T> Clone for Large<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Large<T> {}

impl Control {
    /// Changes a resource of the caller's project, if `change` makes anything else of it, and shows it. Should it be gone by
    /// then, it is shown `alone`: as it was written, without what hung on it.
    ///
    /// # Errors
    /// `not_found`, and what the kind's `write` refuses.
    pub(crate) async fn put<T, W>(
        &self,
        caller: &Caller,
        of: Large<T>,
        id: Id,
        change: impl Fn(&mut T) + Send + Sync + 'static,
        alone: impl FnOnce(&T) -> W,
    ) -> Result<Json>
    where
        T: Clone + PartialEq + Send + 'static,
        W: serde::Serialize + Send + 'static,
    {
        let (project, shown) = (caller.project, Shown::one(of.kind, id));
        let change = Arc::new(move |old: &T| {
            let mut new = old.clone();
            change(&mut new);
            (new != *old).then_some(new)
        });
        let (changes, core, fragments, asks) =
            (Arc::clone(&change), Arc::clone(&self.core), Arc::clone(&self.fragments), *caller);
        let same = {
            let shown = shown.clone();
            self.db.read(move |tx| {
                let old = (of.find)(tx, project, id)?;
                match changes(&old.value) {
                    Some(_) => Ok(None),
                    None => {
                        let view = View::new(tx, &core, &fragments, &asks);
                        shown.render(tx, &view).map(Some)
                    }
                }
            })
        };
        if let Some(json) = same.await? {
            return Ok(json);
        }
        let written = self.db.write(vec![Race::Project(project)], move |tx| {
            let old = (of.find)(tx, project, id)?;
            let Some(new) = change(&old.value) else { return Ok(old.value) };
            (of.write)(tx, &old, &new)?;
            Ok(new)
        });
        let new = written.await?;
        match self.show(caller, shown).await {
            Err(Error::NotFound { .. }) => self.show_gone(caller, of.kind, alone(&new)).await,
            shown => shown,
        }
    }

    /// An answer about what is not there any more: `wire` under the kind's name.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn show_gone<W: serde::Serialize + Send + 'static>(
        &self,
        caller: &Caller,
        kind: Kind,
        wire: W,
    ) -> Result<Json> {
        let (core, fragments, caller) = (Arc::clone(&self.core), Arc::clone(&self.fragments), *caller);
        self.db
            .read(move |tx| {
                let view = View::new(tx, &core, &fragments, &caller);
                let mut json = vec![b'{'];
                member(&mut json, kind.member());
                view.append_wire(tx, &mut json, kind, &wire)?;
                json.push(b'}');
                Ok(json)
            })
            .await
    }
}
