//! A small cache of authenticated tokens: what is deleted here is forgotten at once, elsewhere within [`LIFE_MS`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use wolke_domain::clock::Clock;
use wolke_store::Signal;
use wolke_store::token::Token;

/// Tokens kept; when there are more, all are looked up anew.
const TOKENS_MAX: usize = 1024;
/// How long an entry holds without being looked up, in real milliseconds: bounds what a lost notification can do.
const LIFE_MS: i64 = 2_000;

/// The cache. It exists before the databases do, because their commits empty it.
pub struct Tokens {
    clock: Arc<dyn Clock>,
    epoch: AtomicU64,
    known: Mutex<HashMap<String, (i64, Token)>>,
}

impl Tokens {
    /// An empty cache.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, epoch: AtomicU64::new(0), known: Mutex::default() }
    }

    /// Takes the signals of a commit on the root database.
    pub fn on_commit(&self, signals: &[Signal]) {
        if signals.contains(&Signal::TokensChanged) {
            // First the epoch: a look-up under way must not put back what it has read before.
            self.epoch.fetch_add(1, Ordering::SeqCst);
            self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Real time, monotonic, in milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.monotonic_ms()
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    pub(crate) fn get(&self, hash: &str) -> Option<Token> {
        let now = self.clock.monotonic_ms();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash).filter(|(until, _)| now < *until).map(|(_, token)| token.clone())
    }

    pub(crate) fn put(&self, epoch: u64, hash: String, token: &Token) {
        let until = self.clock.monotonic_ms() + LIFE_MS;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if self.epoch() != epoch {
            return;
        }
        if known.len() >= TOKENS_MAX {
            known.clear();
        }
        known.insert(hash, (until, token.clone()));
    }
}
