//! What simulated guests are told to answer: what load balancers find when they check on their targets. Without a word they are
//! well.

use super::Control;
use std::net::IpAddr;
use wolke_domain::load_balancer::health::Told;
use wolke_domain::{Error, Result};
pub use wolke_store::guest::{Answer, Who};
use wolke_store::{Race, Tx, guest, load_balancer, resource, server};
use wolke_wire::Kind;

/// Answers that can be told at the same time.
const ANSWERS_MAX: i64 = 10_000;

/// The address as it is kept.
fn canonical(who: Who) -> Result<Who> {
    match who {
        Who::Server(id) => Ok(Who::Server(id)),
        Who::Ip(text) => match text.parse::<IpAddr>() {
            Ok(ip) => Ok(Who::Ip(ip.to_string())),
            Err(_) => Err(Error::invalid("ip", "must be an IP address")),
        },
    }
}

/// Somebody who can be a target answers differently: whoever has it as a target shows that.
fn touch(tx: &mut dyn Tx, who: &Who) -> Result<()> {
    match who {
        Who::Server(id) => load_balancer::touch_of_server(tx, *id),
        Who::Ip(ip) => {
            let balancers = load_balancer::of_ip(tx, ip)?;
            balancers.into_iter().try_for_each(|id| resource::touch(tx, Kind::LoadBalancer, id))
        }
    }
}

impl Control {
    /// All that was told, servers first.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_guest_answers(&self) -> Result<Vec<Answer>> {
        self.db.read(|tx| guest::list(tx, ANSWERS_MAX)).await
    }

    /// Tells a guest what to do at a port (0: at all that it was not told about), instead of what it was told before.
    ///
    /// # Errors
    /// `invalid_input`; `not_found` for the server; `resource_limit_exceeded`.
    pub async fn tell_guest(&self, who: Who, port: u16, told: Told) -> Result<Answer> {
        told.check().map_err(Error::invalid_fields)?;
        let new = Answer { who: canonical(who)?, port, told };
        self.db
            .write(vec![Race::Database], move |tx| {
                if let Who::Server(id) = new.who
                    && server::by_id(tx, id)?.is_none()
                {
                    return Err(Error::not_found(Kind::Server, id));
                }
                guest::set(tx, &new)?;
                if guest::list(tx, ANSWERS_MAX + 1)?.len() as i64 > ANSWERS_MAX {
                    return Err(Error::limit("guest_answer_limit", "answers of guests"));
                }
                touch(tx, &new.who)?;
                Ok(new.clone())
            })
            .await
    }

    /// Takes back what a guest was told about a port.
    ///
    /// # Errors
    /// `invalid_input`; `not_found` when it was told nothing.
    pub async fn untell_guest(&self, who: Who, port: u16) -> Result<()> {
        let who = canonical(who)?;
        self.db
            .write(vec![Race::Database], move |tx| {
                if !guest::unset(tx, &who, port)? {
                    return Err(Error::NotFound { message: format!("it was told nothing about port '{port}'") });
                }
                touch(tx, &who)
            })
            .await
    }
}
