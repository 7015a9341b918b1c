//! Reverse DNS of a server's addresses: the entries are its primary IPs'.

use super::check_not_doomed;
use crate::action;
use crate::control::{Caller, Control};
use crate::primary_ip::{Entry, change_entry};
use crate::view::Json;
use wolke_domain::action::Target;
use wolke_domain::{Error, Result, reverse_dns};
use wolke_store::{Race, primary_ip, server};
use wolke_wire::cloud::ChangeDnsPtr;
use wolke_wire::{Id, Kind};

impl Control {
    /// Changes the reverse DNS entry of one of a server's addresses.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for a name that is none, or an address that is not the server's: always, when it has
    /// none; `resource_limit_exceeded` when the network has too many; `locked` when the server is being deleted.
    pub async fn change_server_dns_ptr(&self, caller: &Caller, id: Id, change: ChangeDnsPtr) -> Result<Json> {
        let entry = Entry::check(&change)?;
        let project = caller.project;
        let started = self
            .db
            .write(vec![Race::Project(project)], move |tx| {
                let server = server::expect(tx, project, id)?.value;
                check_not_doomed(&server)?;
                let addresses = primary_ip::of_server(tx, id)?;
                let owns = |ip: &str| reverse_dns::network(ip).is_some_and(|own| own.contains(&entry.address));
                let own = addresses.iter().find(|stored| owns(&stored.value.ip));
                let own = own.ok_or_else(|| Error::invalid("ip", "does not belong to the server"))?;
                change_entry(tx, own, &entry)?;
                action::done(tx, project, "change_dns_ptr", vec![Target::new(Kind::Server, id)])
            })
            .await?;
        self.show_started(caller, started).await
    }
}
