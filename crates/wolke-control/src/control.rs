//! The application as a whole: a world, its worker, and what all operations share.

use crate::core::Core;
use crate::pages::Pages;
use crate::tokens::Tokens;
use crate::view::Fragments;
use std::sync::Arc;
use std::time::Duration;
use wolke_domain::{Error, Result};
use wolke_store::{Db, Race, address};
use wolke_strand::Worker;
use wolke_wire::{Dialect, Id};

/// How long the end of a project is waited for, unless somebody says otherwise.
const EMPTYING_MAX: Duration = Duration::from_secs(60);

/// Who asks: what a token leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The project. Whatever belongs to another does not exist.
    pub project: Id,
    /// The dialect of questions and answers.
    pub dialect: Dialect,
    /// The id of the operation that is asked for, by which the operator names it; empty when it is none.
    pub operation: &'static str,
}

/// How an installation differs from another.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long an answer waits for simulated work to settle; zero shows the work under way.
    pub settle: Duration,
    /// How long the end of a project is waited for until what is left of it is told.
    pub emptying: Duration,
    /// Whether work on a busy resource is refused with `locked` instead of queued.
    pub refuse_contention: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { settle: Duration::from_millis(25), emptying: EMPTYING_MAX, refuse_contention: false }
    }
}

/// What a [`Control`] is made of.
pub struct Parts {
    /// The root database: tokens.
    pub root: Arc<Db>,
    /// The world.
    pub db: Arc<Db>,
    /// The world's name in the root database.
    pub world: String,
    /// Shared by steps and operations.
    pub core: Arc<Core>,
    /// Runs the strands.
    pub worker: Worker<Core>,
    /// Authenticated tokens; emptied by the commits of the root database.
    pub tokens: Arc<Tokens>,
    /// Settings.
    pub options: Options,
}

/// The application.
pub struct Control {
    pub(crate) root: Arc<Db>,
    pub(crate) db: Arc<Db>,
    pub(crate) world: String,
    pub(crate) core: Arc<Core>,
    pub(crate) worker: Worker<Core>,
    pub(crate) options: Options,
    pub(crate) fragments: Arc<Fragments>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) pages: Arc<Pages>,
    /// Jumps of the clock take turns.
    pub(crate) jumps: tokio::sync::Mutex<()>,
}

impl Control {
    /// Puts the parts together, and makes sure that the address pools are there, no tokens of projects that are gone, and health
    /// checks in the pace of simulated work.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn new(parts: Parts) -> Result<Self> {
        let Parts { root, db, world, core, worker, tokens, options } = parts;
        let (fragments, pages) = (Arc::new(Fragments::default()), Arc::new(Pages::default()));
        let control = Self {
            root,
            db,
            world,
            core,
            worker,
            options,
            fragments,
            tokens,
            pages,
            jumps: tokio::sync::Mutex::default(),
        };
        control.ensure_pools().await?;
        control.refresh_operator().await?;
        control.sweep_tokens().await?;
        control.pace_health_checks().await?;
        Ok(control)
    }

    async fn ensure_pools(&self) -> Result<()> {
        if !self.db.read(address::pools).await?.is_empty() {
            return Ok(());
        }
        let capacity = |n: u64| i64::try_from(n).map_err(|_| Error::internal("an address pool is too large"));
        let (ipv4, ipv6) = (capacity(self.core.ipv4.capacity())?, capacity(self.core.ipv6.capacity())?);
        self.db
            .write(vec![Race::Addresses], move |tx| {
                address::ensure_pool(tx, 4, 4, "ipv4", ipv4)?;
                address::ensure_pool(tx, 6, 6, "ipv6", ipv6)
            })
            .await
    }

    /// What steps and operations share.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The world's database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The root database.
    #[must_use]
    pub fn root(&self) -> &Db {
        &self.root
    }

    /// Waits until the strands have come to rest, at most the configured time.
    pub(crate) async fn settle(&self, strands: &[Id]) {
        self.worker.settle(strands, self.options.settle).await;
    }

    /// Stops the worker: what is under way goes on after the next start.
    pub async fn stop(&self) {
        self.worker.stop().await;
    }
}
