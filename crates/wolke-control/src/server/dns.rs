//! Reverse DNS of a server's addresses: the entries are its primary IPs'.

use super::check_not_doomed;
use crate::action;
use crate::control::{Caller, Control};
use crate::primary_ip::change_entry;
use crate::view::Json;
use wolke_domain::Result;
use wolke_domain::action::Target;
use wolke_domain::reverse_dns::Change;
use wolke_store::{Race, primary_ip, server};
use wolke_wire::cloud::ChangeDnsPtr;
use wolke_wire::{Id, Kind};

impl Control {
    /// Changes the reverse DNS entry of one of a server's addresses.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for a name that is none, or an address that is not the server's: always, when it has
    /// none; `resource_limit_exceeded` when the network has too many; `locked` when the server is being deleted.
    pub async fn change_server_dns_ptr(&self, caller: &Caller, id: Id, request: ChangeDnsPtr) -> Result<Json> {
        let change = Change::check(&request)?;
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let server = server::expect(tx, project, id)?.value;
                check_not_doomed(&server)?;
                let addresses = primary_ip::of_server(tx, id)?;
                let own = addresses.iter().find(|stored| change.is_within(&stored.value.ip));
                change_entry(tx, own.ok_or_else(|| Change::foreign(Kind::Server))?, &change)?;
                action::done(tx, project, "change_dns_ptr", vec![Target::new(Kind::Server, id)])
            })
            .await?;
        self.show_started(caller, started).await
    }
}
