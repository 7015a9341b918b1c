//! Events: what the operator is told of.

use super::Control;
use wolke_domain::Result;
pub use wolke_store::event::{Event, EventKind, NewEvent};

impl Control {
    /// The latest events, the last first.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_events(&self) -> Result<Vec<Event>> {
        self.db.read(wolke_store::event::list).await
    }
}
