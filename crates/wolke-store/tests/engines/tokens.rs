//! Tokens, in the root database.

use crate::common::Engine;
use wolke_store::Signal;
use wolke_store::token::{self, NewToken, TOKEN_LENGTH};

crate::on_both_engines!(Root: tokens);

fn tokens(engine: &Engine) {
    let new =
        |writes: bool, project| NewToken { world: "main".into(), project, name: "ci".into(), writes, dialect: None };
    engine.write(|tx| {
        token::ensure_account_and_world(tx, "default", "main")?;
        token::ensure_account_and_world(tx, "default", "main")
    });
    assert_eq!(engine.read(token::worlds), ["main"]);
    let (made, secret) = engine.write(move |tx| token::insert(tx, &new(true, 1)));
    let (_, other) = engine.write(move |tx| token::insert(tx, &new(false, 2)));
    assert_ne!(secret, other);
    assert_eq!(secret.len(), TOKEN_LENGTH);
    assert!(secret.bytes().all(|b| b.is_ascii_alphanumeric()));
    let hash = token::hash(&secret);
    assert_ne!(hash, secret);
    let asked = hash.clone();
    assert_eq!(engine.read(move |tx| token::by_hash(tx, &asked)), Some(made.clone()));
    assert_eq!(engine.read(token::list).len(), 2);
    engine.signals.lock().unwrap().clear();
    assert!(engine.write(move |tx| token::delete(tx, made.id)));
    assert!(engine.signals.lock().unwrap().contains(&Signal::TokensChanged));
    assert!(!engine.write(move |tx| token::delete(tx, made.id)));
    assert_eq!(engine.read(move |tx| token::by_hash(tx, &hash)), None);
    assert_eq!(engine.write(|tx| token::delete_of_project(tx, "main", 2)), 1);
}
