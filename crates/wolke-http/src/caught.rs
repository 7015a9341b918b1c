//! A panic on the request path becomes an answer instead of a broken connection.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that ends with `None` when the inner one panics. Only where panics unwind; a build that aborts dies at once and
/// is safe for another reason: nothing was acknowledged.
pub struct Caught<F>(Pin<Box<F>>);

impl<F: Future> Caught<F> {
    /// Watches over a future.
    pub fn new(future: F) -> Self {
        Self(Box::pin(future))
    }
}

impl<F: Future> Future for Caught<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // What the future held is dropped with it; shared state behind locks is re-validated by its owners.
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Err(_) => Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Caught;

    #[tokio::test]
    async fn panics_are_none() {
        assert_eq!(Caught::new(async { 1 }).await, Some(1));
        assert_eq!(Caught::new(async { panic!("on purpose") }).await, None::<()>);
    }
}
