//! Tokens, in the root database.

use crate::common::{Engine, Place, TestClock, file_place};
use std::sync::Arc;
use wolke_store::migrate::Role;
use wolke_store::sqlite::{Open, SqliteDb};
use wolke_store::token::{self, NewToken, TOKEN_LENGTH};
use wolke_store::{Signal, Tx};

crate::on_both_engines!(Root: tokens, a_list_ends_where_it_ends);

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

/// Whoever has a copy of the files knows the seed and the number of the commit, and works with the same program.
#[test]
fn a_copy_of_the_database_gives_no_token_away() {
    let token = |key: &[u8]| {
        let place = file_place();
        let Place::File(path) = &place else { panic!("not a file") };
        let (clock, seed, on_commit) = (TestClock::new(), "seed".to_owned(), Arc::new(|_: &[Signal]| {}));
        let db = SqliteDb::open(path, Open { role: Role::Root, clock, seed, key: key.to_vec(), on_commit }).unwrap();
        let new = NewToken { world: "main".into(), project: 1, name: "ci".into(), writes: true, dialect: None };
        let (_, secret) = db.write_blocking(move |tx: &mut dyn Tx| token::insert(tx, &new)).unwrap();
        for file in [path.clone(), format!("{}-wal", path.display()).into()] {
            let bytes = std::fs::read(file).unwrap();
            assert!(!bytes.windows(key.len()).any(|window| window == key), "the key stands in the database");
        }
        secret
    };
    let (key, other) = (b"the key of this installation".as_slice(), b"the key of somebody else".as_slice());
    assert_eq!(token(key), token(key), "one key and one log give the same bytes");
    assert_ne!(token(key), token(other));
}

fn a_list_ends_where_it_ends(engine: &Engine) {
    let many = 2_001;
    engine.write(move |tx| {
        let new = NewToken { world: "main".into(), project: 1, name: "ci".into(), writes: true, dialect: None };
        (0..many).try_for_each(|number| token::insert_secret(tx, &new, &number.to_string()).map(|_| ()))
    });
    let ids: Vec<i64> = engine.read(token::list).iter().map(|token| token.id).collect();
    assert_eq!(ids.len(), many);
    assert!(ids.is_sorted_by(|a, b| a < b));
    assert_eq!(engine.read(|tx| token::projects(tx, "main")), [1]);
    engine.write(move |tx| {
        let insert = |tx: &mut dyn Tx, world: &str, project: i64| {
            let new = NewToken { world: world.into(), project, name: "ci".into(), writes: true, dialect: None };
            token::insert_secret(tx, &new, &format!("{world}/{project}")).map(|_| ())
        };
        insert(tx, "other", 7)?;
        (2..=many as i64).try_for_each(|project| insert(tx, "main", project))
    });
    let projects: Vec<i64> = (1..=many as i64).collect();
    assert_eq!(engine.read(|tx| token::projects(tx, "main")), projects);
    assert_eq!(engine.read(|tx| token::projects(tx, "other")), [7]);
}
