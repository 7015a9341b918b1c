//! One connection: its socket, its limits, and the looks at the world.

use super::places::Place;
use super::rfb::{Ended, Greeting};
use super::terminal::Terminal;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use wolke_control::Control;
use wolke_control::server::Redeemed;

/// Between two looks at the machine, in real time.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a client may take until it has shown that it knows the password, in looks: half a minute.
const HANDSHAKE_LOOKS_MAX: u32 = 60;
/// A client that says nothing is asked after this many looks whether it is still there: half a minute.
const PING_LOOKS: u32 = 60;
/// A client that does not answer either is gone after this many: a minute and a half.
const SILENT_LOOKS_MAX: u32 = 180;
/// A client that sends nothing but signs of life is sent away after this many: an hour.
const IDLE_LOOKS_MAX: u32 = 7_200;
/// How long a client may take to read what it was sent.
const SEND_TIME_MAX: Duration = Duration::from_secs(30);

/// How long nothing has been heard, in looks.
#[derive(Default)]
struct Waits {
    /// Of anything, answers to pings included.
    silent: u32,
    /// Of messages.
    idle: u32,
    /// Since the beginning.
    age: u32,
}

impl Waits {
    fn look(&mut self) {
        self.silent += 1;
        self.idle += 1;
        self.age = self.age.saturating_add(1);
    }

    fn over(&self, is_running: bool) -> Option<Ended> {
        match self {
            Self { age, .. } if !is_running && *age > HANDSHAKE_LOOKS_MAX => Some(Ended("no password was given")),
            Self { silent, .. } if *silent > SILENT_LOOKS_MAX => Some(Ended("the client does not answer")),
            Self { idle, .. } if *idle > IDLE_LOOKS_MAX => Some(Ended("nobody has used the console for an hour")),
            _ => None,
        }
    }

    const fn asks(&self) -> bool {
        self.silent > 0 && self.silent.is_multiple_of(PING_LOOKS)
    }
}

/// Serves a connection to its end.
pub async fn run(
    mut socket: WebSocket,
    control: &Control,
    redeemed: Redeemed,
    stopping: Option<watch::Receiver<()>>,
    place: Place,
) {
    let server = redeemed.server;
    tracing::info!(server, "console opened");
    let ended = serve(&mut socket, control, &redeemed, stopping).await;
    let reason = ended.map_or("the client went away", |ended| ended.0);
    tracing::info!(server, reason, "console closed");
    if let Some(Ended(reason)) = ended {
        let frame = CloseFrame { code: close_code::NORMAL, reason: reason.into() };
        // Whether it still reads that or not, it is over.
        let _ = timeout(SEND_TIME_MAX, socket.send(Message::Close(Some(frame)))).await;
    }
    drop(place);
}

/// Serves a connection until it is over; without a reason when the client has ended it.
async fn serve(
    socket: &mut WebSocket,
    control: &Control,
    redeemed: &Redeemed,
    stopping: Option<watch::Receiver<()>>,
) -> Option<Ended> {
    let Ok(Some(found)) = control.console_machine(redeemed.server).await else { return Some(GONE) };
    let name = found.0.name.clone();
    let greeting = Greeting { password: redeemed.password.expose(), challenge: redeemed.challenge, name: &name };
    let mut out = Vec::new();
    let mut terminal = Terminal::new(&greeting, found, &mut out);
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stopped = std::pin::pin!(stop(stopping));
    let mut waits = Waits::default();
    loop {
        if !send(socket, &mut out).await {
            return None;
        }
        tokio::select! {
            () = &mut stopped => return Some(Ended("the server is stopping")),
            message = socket.recv() => {
                waits.silent = 0;
                match message {
                    Some(Ok(Message::Binary(bytes))) => {
                        waits.idle = 0;
                        if let Err(ended) = terminal.feed(&bytes, &mut out) {
                            send(socket, &mut out).await;
                            return Some(ended);
                        }
                    }
                    Some(Ok(Message::Text(_))) => return Some(Ended("RFB is binary")),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                }
            }
            _ = looks.tick() => {
                waits.look();
                if let Some(ended) = waits.over(terminal.is_running()) {
                    return Some(ended);
                }
                if waits.asks() && !within(socket.send(Message::Ping(Vec::new().into()))).await {
                    return None;
                }
                match control.console_machine(redeemed.server).await {
                    Ok(Some((machine, now))) => terminal.observe(machine, now, &mut out),
                    Ok(None) => return Some(GONE),
                    // The database is away; the next look may find it back.
                    Err(error) => tracing::debug!(error = %error, "a console cannot see its machine"),
                }
            }
        }
    }
}

const GONE: Ended = Ended("the server is gone");

/// Ends when the process drains; never where nobody can say.
async fn stop(stopping: Option<watch::Receiver<()>>) {
    match stopping {
        Some(mut stopping) => drop(stopping.changed().await),
        None => std::future::pending().await,
    }
}

/// Sends what has gathered; false when the client does not take it.
async fn send(socket: &mut WebSocket, out: &mut Vec<u8>) -> bool {
    out.is_empty() || within(socket.send(Message::Binary(std::mem::take(out).into()))).await
}

async fn within<T, E>(sending: impl Future<Output = Result<T, E>>) -> bool {
    matches!(timeout(SEND_TIME_MAX, sending).await, Ok(Ok(_)))
}

#[cfg(test)]
mod tests {
    use super::{HANDSHAKE_LOOKS_MAX, IDLE_LOOKS_MAX, PING_LOOKS, SILENT_LOOKS_MAX, Waits};

    #[test]
    fn who_says_nothing_is_sent_away() {
        let looks = |waits: &mut Waits, count| (0..count).for_each(|_| waits.look());
        let mut waits = Waits::default();
        looks(&mut waits, HANDSHAKE_LOOKS_MAX);
        assert!(waits.asks() && waits.over(false).is_none());
        looks(&mut waits, 1);
        assert!(waits.over(false).is_some() && waits.over(true).is_none() && !waits.asks());
        looks(&mut waits, SILENT_LOOKS_MAX);
        assert!(waits.over(true).is_some());
        waits.silent = 0;
        assert!(waits.over(true).is_none(), "an answer to a ping is a sign of life");
        for _ in 0..IDLE_LOOKS_MAX / PING_LOOKS {
            looks(&mut waits, PING_LOOKS);
            assert!(waits.asks());
            waits.silent = 0;
        }
        assert!(waits.over(true).is_some(), "but no use");
    }
}
