//! Consoles: a ticket is made, opens once, and leads to a screen that shows whether the machine runs.

use super::*;
use wolke_control::server::Ticket;
use wolke_domain::console::{Dialogue, screen};

/// The moves of this noun.
pub const MOVES: &[Move] = &[("console", 1, |sim| Box::pin(sim.console()))];

impl Simulator {
    async fn console(&mut self) -> Result<String> {
        let id = self.any_server();
        let ticket = self.control.request_console(&self.caller, id).await?;
        let (action, token) = (ticket.started.action, ticket.token.clone());
        let shown = self.control.show_console(&self.caller, ticket, "ws://wolke.test/console".into()).await?;
        assert_eq!(self.control.console_ticket(token.expose()).await?, Ticket::Good(id));
        let redeemed = self.control.redeem_console(id, token.expose()).await?;
        let password = redeemed.map(|redeemed| redeemed.password.expose().to_owned()).unwrap_or_default();
        assert!(String::from_utf8_lossy(&shown).contains(&format!("\"password\":\"{password}\"")));
        assert!(self.control.redeem_console(id, token.expose()).await?.is_none(), "a ticket opened twice");
        assert_eq!(self.control.console_ticket(token.expose()).await?, Ticket::Spent);
        let Some((machine, now)) = self.control.console_machine(id).await? else {
            return Err(Error::internal(format!("server {id} has a ticket and no console")));
        };
        let status =
            self.db.read_blocking(move |tx: &mut dyn Tx| Ok(servers::by_id(tx, id)?.map(|s| s.value.status)))?;
        let screen = screen(&machine, &Dialogue::default(), now);
        let lit = status.is_some_and(|status| status.runs() || status.as_str() == "starting");
        assert_eq!(screen.is_lit(), lit, "{status:?} shows {screen:?}");
        Ok(format!("{id} by {action}: {:?}", screen.text()))
    }
}
