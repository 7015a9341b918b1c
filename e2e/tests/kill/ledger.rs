//! What the writers of the kill script intended and what was acknowledged: the measure of what the server may not lose.

use e2e::api::actions_in;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How far a server's life got, as its writer knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The create was sent, no answer came: it may exist.
    CreateSent,
    /// The create was acknowledged: it must exist.
    Exists,
    /// The delete was sent, no answer came: it may exist.
    DeleteSent,
    /// The delete was acknowledged: it must be gone once its action has ended.
    DeleteAcknowledged,
}

/// One server.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Known once the create was acknowledged.
    pub id: Option<u64>,
    /// How far it got.
    pub state: State,
}

/// All servers by name, the actions that were acknowledged, and a count of acknowledgements.
#[derive(Default)]
pub struct Ledger {
    /// Servers by name. Names are never used twice.
    pub entries: BTreeMap<String, Entry>,
    /// Actions seen in an answer that have not yet been seen to end, with the server's name.
    pub actions: Vec<(u64, String)>,
    /// Acknowledged operations so far.
    pub acknowledged: u64,
}

impl Ledger {
    /// Names of the servers that certainly exist.
    pub fn existing(&self) -> Vec<String> {
        let exists = self.entries.iter().filter(|(_, entry)| entry.state == State::Exists);
        exists.map(|(name, _)| name.clone()).collect()
    }

    /// Remembers the actions of an answer about the server `name`.
    pub fn note_actions(&mut self, name: &str, answer: &Value) {
        self.actions.extend(actions_in(answer).into_iter().map(|id| (id, name.to_owned())));
    }

    /// Whether an action on that server may end with an error: only the work that a delete cut short may.
    pub fn may_fail(&self, name: &str, command: &str) -> bool {
        let deleting = [State::DeleteSent, State::DeleteAcknowledged];
        command != "delete_server" && self.entries.get(name).is_some_and(|entry| deleting.contains(&entry.state))
    }

    /// Deals the servers out to so many writers, so that none is touched by two; this ledger keeps only its count.
    pub fn split(&mut self, writers: u64) -> Vec<Ledger> {
        let mut shares: Vec<Ledger> = (0..writers).map(|_| Ledger::default()).collect();
        let count = shares.len();
        for (number, (name, entry)) in std::mem::take(&mut self.entries).into_iter().enumerate() {
            shares[number % count].entries.insert(name, entry);
        }
        shares
    }

    /// Takes a writer's share back.
    pub fn merge(&mut self, share: Ledger) {
        self.entries.extend(share.entries);
        self.actions.extend(share.actions);
        self.acknowledged += share.acknowledged;
    }

    /// Compares with the complete list of servers, after every action has ended, and keeps what exists.
    ///
    /// # Panics
    /// When something acknowledged does not hold, or something exists that nobody asked for.
    pub fn settle(&mut self, servers: &[Value], when: &str) {
        let listed: BTreeMap<&str, u64> =
            servers.iter().filter_map(|server| Some((server["name"].as_str()?, server["id"].as_u64()?))).collect();
        let ids: BTreeSet<u64> = listed.values().copied().collect();
        assert_eq!((listed.len(), ids.len()), (servers.len(), servers.len()), "{when}: a name or an id twice");
        for (name, entry) in &self.entries {
            let id = listed.get(name.as_str()).copied();
            match entry.state {
                State::Exists => assert_eq!(id, entry.id, "{when}: lost {name}, {entry:?}"),
                State::DeleteAcknowledged => assert_eq!(id, None, "{when}: {name} is back"),
                State::DeleteSent => assert!(id.is_none() || id == entry.id, "{when}: {name} changed its id"),
                State::CreateSent => {}
            }
        }
        for (name, id) in &listed {
            assert!(self.entries.contains_key(*name), "{when}: nobody created {name} ({id})");
        }
        self.entries = listed
            .into_iter()
            .map(|(name, id)| (name.to_owned(), Entry { id: Some(id), state: State::Exists }))
            .collect();
    }
}

/// A number that looks random and is the same in every run (splitmix64's finaliser).
pub fn scatter(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
