//! A write on its way to the engine: a re-runnable closure and the place where its answer goes.

use crate::tx::Tx;
use tokio::sync::oneshot;
use wolke_domain::{Error, Result};

/// A write with its result type erased.
pub(crate) trait Job: Send {
    /// Runs the closure; its value waits inside until [`Job::finish`]. May be called again after a failure.
    fn run(&mut self, tx: &mut dyn Tx) -> Result<()>;
    /// Answers the caller: with the closure's value when the commit succeeded, else with the error.
    fn finish(self: Box<Self>, outcome: Result<()>);
}

struct Pending<F, T> {
    closure: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Job for Pending<F, T>
where
    F: Fn(&mut dyn Tx) -> Result<T> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut dyn Tx) -> Result<()> {
        self.value = None;
        self.value = Some((self.closure)(tx)?);
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<()>) {
        let Self { value, reply, .. } = *self;
        let answer = match (outcome, value) {
            (Ok(()), Some(value)) => Ok(value),
            (Ok(()), None) => Err(Error::internal("committed without a value")),
            (Err(e), _) => Err(e),
        };
        // The caller may have gone away (its client hung up): the write stands all the same.
        let _ = reply.send(answer);
    }
}

/// Wraps a closure; the receiver yields its answer after the commit.
pub(crate) fn job<F, T>(closure: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T>>)
where
    F: Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    T: Send + 'static,
{
    let (reply, receiver) = oneshot::channel();
    (Box::new(Pending { closure, value: None, reply }), receiver)
}
