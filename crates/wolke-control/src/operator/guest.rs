//! What simulated guests are told to answer: what load balancers find when they check on their targets. Without a word they are
//! well.

use super::Control;
use std::net::IpAddr;
use wolke_domain::load_balancer::health::Told;
use wolke_domain::{Error, Result};
pub use wolke_store::guest::{Answer, Who};
use wolke_store::{Race, Tx, guest, load_balancer, resource, server};
use wolke_wire::{Id, Kind};

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

/// The projects of which somebody can be a target, or is one.
fn projects(tx: &mut dyn Tx, who: &Who) -> Result<Vec<Id>> {
    match who {
        Who::Server(id) => Ok(server::by_id(tx, *id)?.map(|found| found.value.project).into_iter().collect()),
        Who::Ip(ip) => load_balancer::projects_of_ip(tx, ip),
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
    /// The races of a word to somebody: whoever has it as a target is touched, in whichever project.
    async fn guest_races(&self, who: &Who) -> Result<Vec<Race>> {
        let mut races = vec![Race::Database];
        if self.db.is_shared() {
            let who = who.clone();
            races.extend(self.db.read(move |tx| projects(tx, &who)).await?.into_iter().map(Race::Project));
        }
        Ok(races)
    }

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
        let races = self.guest_races(&new.who).await?;
        self.db
            .write(races, move |tx| {
                if let Who::Server(id) = new.who
                    && server::by_id(tx, id)?.is_none()
                {
                    return Err(Error::not_found(Kind::Server, id));
                }
                guest::set(tx, &new)?;
                if guest::has_more_than(tx, ANSWERS_MAX)? {
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
        let races = self.guest_races(&who).await?;
        self.db
            .write(races, move |tx| {
                if !guest::unset(tx, &who, port)? {
                    return Err(Error::NotFound { message: format!("it was told nothing about port '{port}'") });
                }
                touch(tx, &who)
            })
            .await
    }
}
