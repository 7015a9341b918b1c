//! The cache of own fragments: bounded in bytes, sharded, oldest use first out.

use super::ServersMoment;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wolke_wire::cloud::Embed;
use wolke_wire::cloud::embed::{Segment, segments};
use wolke_wire::{Dialect, Id, Kind};

/// Bytes of all fragments together.
const CACHE_BYTES_MAX: usize = 24 * 1024 * 1024;
/// Locks over which the cache is spread.
const SHARDS: usize = 8;
/// What an entry costs besides its text: key, pointers, table slot.
const ENTRY_BYTES: usize = 160;

/// What a fragment is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub kind: Kind,
    pub id: Id,
    pub rev: i64,
    pub dialect: Dialect,
    /// For what changes with time, too.
    pub moment: Option<ServersMoment>,
}

/// Rendered JSON, cut where other objects stand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    json: Box<[u8]>,
    /// Ends of the texts before each embed.
    embeds: Box<[(u32, Embed)]>,
}

/// A piece of a fragment.
pub(crate) enum Piece<'a> {
    Text(&'a [u8]),
    Embed(Kind, Id),
}

impl Fragment {
    /// Cuts a rendering.
    pub fn cut(rendered: Vec<u8>) -> Self {
        let mut json = Vec::with_capacity(rendered.len());
        let mut embeds = Vec::new();
        for segment in segments(&rendered) {
            match segment {
                Segment::Json(text) => json.extend_from_slice(text),
                Segment::Embed(embed) => embeds.push((u32::try_from(json.len()).unwrap_or(u32::MAX), embed)),
            }
        }
        Self { json: json.into(), embeds: embeds.into() }
    }

    /// The pieces in order.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut from = 0;
        let tail = self.embeds.last().map_or(0, |(end, _)| *end as usize);
        self.embeds
            .iter()
            .flat_map(move |(end, Embed(kind, id))| {
                let end = *end as usize;
                let text = &self.json[from.min(end)..end];
                from = end;
                [Piece::Text(text), Piece::Embed(*kind, *id)]
            })
            .chain(std::iter::once(Piece::Text(&self.json[tail..])))
    }

    fn bytes(&self) -> usize {
        self.json.len() + self.embeds.len() * std::mem::size_of::<(u32, Embed)>() + ENTRY_BYTES
    }
}

/// What a whole is of.
pub(crate) type Whole = (Dialect, Kind, Id);

/// A version of the catalogue and a rendering from it.
type Versioned = (i64, Arc<[u8]>);

/// The cache.
#[derive(Default)]
pub struct Fragments {
    shards: [Mutex<Shard>; SHARDS],
    wholes: Mutex<HashMap<Whole, Versioned>>,
}

/// Two generations: what is used moves to the young one; when that is full the old one is dropped whole. This keeps
/// recent entries without a list to maintain on every hit.
#[derive(Default)]
struct Shard {
    young: HashMap<Key, Arc<Fragment>>,
    old: HashMap<Key, Arc<Fragment>>,
    young_bytes: usize,
}

impl Shard {
    fn insert(&mut self, key: Key, fragment: Arc<Fragment>) {
        self.young_bytes += fragment.bytes();
        self.young.insert(key, fragment);
        if self.young_bytes > CACHE_BYTES_MAX / SHARDS / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fragments {
    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let spread = usize::try_from(key.id.unsigned_abs()).unwrap_or(0) % SHARDS;
        lock(&self.shards[spread])
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Fragment>> {
        let mut shard = self.shard(key);
        if let Some(found) = shard.young.get(key) {
            return Some(Arc::clone(found));
        }
        let found = shard.old.remove(key)?;
        shard.insert(*key, Arc::clone(&found));
        Some(found)
    }

    pub(crate) fn put(&self, key: Key, fragment: Fragment) -> Arc<Fragment> {
        let fragment = Arc::new(fragment);
        self.shard(&key).insert(key, Arc::clone(&fragment));
        fragment
    }

    /// A whole of this version of the catalogue.
    pub(crate) fn whole(&self, dialect: Dialect, kind: Kind, id: Id, version: i64) -> Option<Arc<[u8]>> {
        let wholes = lock(&self.wholes);
        wholes.get(&(dialect, kind, id)).filter(|(of, _)| *of == version).map(|(_, whole)| Arc::clone(whole))
    }

    /// Bounded by the catalogue times the dialects.
    pub(crate) fn keep_whole(&self, of: Whole, version: i64, whole: Arc<[u8]>) {
        lock(&self.wholes).insert(of, (version, whole));
    }
}

#[cfg(test)]
mod tests {
    use super::{Fragment, Fragments, Key, Piece};
    use wolke_wire::{Dialect, Kind};

    #[test]
    fn pieces_restore_the_rendering() {
        let text = |json: &str| {
            let fragment = Fragment::cut(json.as_bytes().to_vec());
            let mut out = String::new();
            for piece in fragment.pieces() {
                match piece {
                    Piece::Text(text) => out.push_str(std::str::from_utf8(text).unwrap()),
                    Piece::Embed(kind, id) => out.push_str(&format!("<{kind} {id}>")),
                }
            }
            out
        };
        assert_eq!(text(r#"{"a":1}"#), r#"{"a":1}"#);
        assert_eq!(
            text(r#"{"i":"\u0000image:7","t":"\u0000server_type:1"}"#),
            r#"{"i":<image 7>,"t":<server_type 1>}"#
        );
    }

    #[test]
    fn is_bounded() {
        let cache = Fragments::default();
        let key = |id| Key { kind: Kind::Server, id, rev: 1, dialect: Dialect::Compat, moment: None };
        for id in 0..40_000 {
            cache.put(key(id), Fragment::cut(vec![b' '; 2000]));
        }
        assert!(cache.get(&key(39_999)).is_some());
        assert!(cache.get(&key(0)).is_none());
        let held: usize = cache.shards.iter().map(|s| s.lock().unwrap()).map(|s| s.young.len() + s.old.len()).sum();
        assert!(held * 2000 <= super::CACHE_BYTES_MAX);
    }
}
