//! What every operation with an action goes through: its work, done as the operator wants it.
//!
//! The work is done in one transaction. Actions that are done in it are shown running for as long as the latency profile says
//! ([`super::hold`]). Where the operator wants the work to fail, it is rehearsed: done, so that whatever is wrong with the request
//! is refused, shown, and undone; only its actions stay, and fail.

use super::{Started, hold};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::operator::ActiveFault;
use std::sync::Arc;
use wolke_domain::Result;
use wolke_store::{Race, Scope, Tx, action};
use wolke_wire::Id;

/// What an operation has made, as far as actions show it.
pub(crate) trait Acts {
    /// The actions of the answer, in its order.
    fn actions(&self) -> Vec<Id>;
}

impl Acts for Started {
    fn actions(&self) -> Vec<Id> {
        vec![self.action]
    }
}

impl<T> Acts for (Started, T) {
    fn actions(&self) -> Vec<Id> {
        self.0.actions()
    }
}

/// How an operation is done.
struct Manner<'a> {
    core: &'a Core,
    project: Id,
    refuse: bool,
    fault: Option<&'a ActiveFault>,
}

impl Manner<'_> {
    /// Does the work, and shows what it has made.
    fn act<T: Acts, R>(
        &self,
        tx: &mut dyn Tx,
        change: &impl Fn(&mut dyn Tx) -> Result<T>,
        show: &impl Fn(&mut dyn Tx, T) -> Result<R>,
    ) -> Result<R> {
        if let Some(fault) = self.fault
            && let Some(shown) = self.fail(tx, fault, change, show)?
        {
            return Ok(shown);
        }
        let made = change(tx)?;
        hold::hold(tx, self.core, (self.project, self.refuse), &made.actions())?;
        show(tx, made)
    }

    /// Rehearses the work and lets its actions fail; none when it has no actions, or the fault is used up.
    fn fail<T: Acts, R>(
        &self,
        tx: &mut dyn Tx,
        fault: &ActiveFault,
        change: &impl Fn(&mut dyn Tx) -> Result<T>,
        show: &impl Fn(&mut dyn Tx, T) -> Result<R>,
    ) -> Result<Option<R>> {
        let failure = fault.fault.failure();
        let mut rehearsed = None;
        tx.rehearse(&mut |tx| {
            let made = change(tx)?;
            let mut actions = hold::read(tx, self.project, &made.actions())?;
            if self.refuse {
                hold::check_free(tx, &actions)?;
            }
            let held = hold::fail(tx, self.core, &mut actions, &failure);
            actions.iter().try_for_each(|action| action::restate(tx, action))?;
            rehearsed = Some((show(tx, made)?, actions, held));
            Ok(())
        })?;
        let Some((shown, actions, held)) = rehearsed.filter(|(_, actions, _)| !actions.is_empty()) else {
            return Ok(None);
        };
        if !fault.is_left(tx)? {
            return Ok(None);
        }
        actions.iter().try_for_each(|action| action::insert(tx, action))?;
        hold::fail_later(tx, self.project, &actions, held, failure)?;
        Ok(Some(shown))
    }
}

impl Control {
    /// Does the work of an operation in one transaction, as the operator wants it.
    ///
    /// # Errors
    /// Whatever `change` refuses; `locked`.
    pub(crate) async fn act<T, F>(&self, caller: &Caller, races: Scope, change: F) -> Result<T>
    where
        T: Acts + Send + 'static,
        F: Fn(&mut dyn Tx) -> Result<T> + Send + Sync + 'static,
    {
        self.act_showing(caller, races, change, |_, made| Ok(made)).await
    }

    /// As [`Control::act`]; `show` makes the answer in the transaction, also of what is then undone.
    ///
    /// # Errors
    /// Whatever `change` refuses, and `show`; `locked`.
    pub(crate) async fn act_showing<T, R, F, S>(
        &self,
        caller: &Caller,
        mut races: Scope,
        change: F,
        show: S,
    ) -> Result<R>
    where
        T: Acts,
        R: Send + 'static,
        F: Fn(&mut dyn Tx) -> Result<T> + Send + Sync + 'static,
        S: Fn(&mut dyn Tx, T) -> Result<R> + Send + Sync + 'static,
    {
        let (core, project, refuse) = (Arc::clone(&self.core), caller.project, self.options.refuse_contention);
        let fault = core.operator.fault_in_work(caller.operation);
        if fault.as_ref().is_some_and(ActiveFault::is_counted) && !races.contains(&Race::Database) {
            races.push(Race::Database);
        }
        self.db
            .write(races, move |tx| {
                Manner { core: &core, project, refuse, fault: fault.as_ref() }.act(tx, &change, &show)
            })
            .await
    }
}
