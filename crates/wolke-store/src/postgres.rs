//! placeholder while the driver is being written
use crate::tx::{Scope, Tx};
use wolke_domain::Result;
/// A schema of a PostgreSQL database.
pub struct PostgresDb {}
#[allow(missing_docs)]
impl PostgresDb {
    pub async fn read<T: Send + 'static>(&self, _c: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static) -> Result<T> {
        Err(wolke_domain::Error::internal("no driver"))
    }
    pub async fn write<T: Send + 'static>(
        &self,
        _s: Scope,
        _c: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        Err(wolke_domain::Error::internal("no driver"))
    }
    pub fn read_blocking<T: Send + 'static>(
        &self,
        _c: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        Err(wolke_domain::Error::internal("no driver"))
    }
    pub fn write_blocking<T: Send + 'static>(
        &self,
        _s: Scope,
        _c: impl Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        Err(wolke_domain::Error::internal("no driver"))
    }
    pub fn commits(&self) -> u64 {
        0
    }
}
