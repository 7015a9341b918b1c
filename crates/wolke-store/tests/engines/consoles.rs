//! Tickets to consoles.

use crate::common::Engine;
use crate::sample;
use wolke_store::console::{self, TICKET_MS, TICKETS_PER_SERVER_MAX, Ticket};
use wolke_store::migrate::Role;
use wolke_store::server;
use wolke_wire::Id;

crate::on_both_engines!(World: opens_once, one_of_many_gets_in, a_new_ticket_replaces_the_oldest, goes_with_its_server);

fn keep(engine: &Engine, server: Id, token: &str) {
    let hash = console::hash(token);
    engine.write(move |tx| console::insert(tx, server, &hash, "sealed"));
}

fn look(engine: &Engine, token: &str) -> Ticket {
    let hash = console::hash(token);
    engine.read(move |tx| console::look(tx, &hash))
}

fn redeem(engine: &Engine, server: Id, token: &str) -> Option<String> {
    let hash = console::hash(token);
    engine.write(move |tx| console::redeem(tx, server, &hash))
}

fn opens_once(engine: &Engine) {
    keep(engine, 1, "a");
    assert_eq!(look(engine, "a"), Ticket::Good(1));
    assert_eq!(look(engine, "b"), Ticket::Unknown);
    assert_eq!(redeem(engine, 2, "a"), None, "a ticket is for one server");
    assert_eq!(redeem(engine, 1, "b"), None);
    assert_eq!(redeem(engine, 1, "a").as_deref(), Some("sealed"));
    assert_eq!(redeem(engine, 1, "a"), None);
    assert_eq!(look(engine, "a"), Ticket::Spent);
}

fn one_of_many_gets_in(engine: &Engine) {
    keep(engine, 1, "a");
    let got_in = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4).map(|_| scope.spawn(|| redeem(engine, 1, "a").is_some())).collect();
        tries.into_iter().filter_map(|attempt| attempt.join().ok()).filter(|got_in| *got_in).count()
    });
    assert_eq!(got_in, 1);
}

fn a_new_ticket_replaces_the_oldest(engine: &Engine) {
    keep(engine, 2, "other");
    let tokens: Vec<String> = (0..2 * TICKETS_PER_SERVER_MAX).map(|n| format!("t{n}")).collect();
    for token in &tokens {
        keep(engine, 1, token);
    }
    let good = tokens.iter().filter(|token| look(engine, token) == Ticket::Good(1)).count();
    assert_eq!(i64::try_from(good), Ok(TICKETS_PER_SERVER_MAX));
    let newest = tokens.last().map(String::as_str).unwrap_or_default();
    assert_eq!(look(engine, newest), Ticket::Good(1));
    assert_eq!(look(engine, "other"), Ticket::Good(2), "what others hold is theirs");
}

fn goes_with_its_server(engine: &Engine) {
    let made = engine.write(|tx| {
        let project = sample::project(tx)?;
        let made = sample::server(tx, project, "a", &[])?;
        server::insert(tx, &made)?;
        Ok(made)
    });
    keep(engine, made.id, "a");
    assert_eq!(look(engine, "a"), Ticket::Good(made.id));
    engine.write(move |tx| server::delete(tx, &made));
    assert_eq!(look(engine, "a"), Ticket::Unknown);
}

/// On PostgreSQL the time is the database's, which no test moves.
#[test]
fn expires_and_is_removed() {
    let engine = Engine::sqlite(Role::World);
    keep(&engine, 1, "a");
    engine.clock.advance(TICKET_MS - 1);
    assert_eq!(look(&engine, "a"), Ticket::Good(1));
    engine.clock.advance(1);
    assert_eq!(look(&engine, "a"), Ticket::Spent);
    assert_eq!(redeem(&engine, 1, "a"), None);
    keep(&engine, 2, "b");
    assert_eq!(look(&engine, "a"), Ticket::Unknown, "expired tickets go when others come");
}
