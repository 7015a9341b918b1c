//! Operations that the operator makes fail after they were accepted: nothing that was promised changes.

use super::*;
use wolke_domain::fault::{Fault, When};
use wolke_wire::cloud::volume::AttachVolume;

/// The moves of this noun.
pub const MOVES: &[Move] = &[("fail_later", 3, |sim| Box::pin(sim.fail_later()))];

/// What is made to fail.
const OPERATIONS: [&str; 7] = [
    "volume_attach",
    "volume_detach",
    "create_volume",
    "create_server",
    "delete_server",
    "server_poweroff",
    "delete_zone",
];

impl Simulator {
    async fn fail_later(&mut self) -> Result<String> {
        let operation = self.dice.pick(&OPERATIONS).unwrap_or_default();
        let calls = self.dice.once_in(2).then_some(1);
        let fault = Fault {
            operation: operation.into(),
            code: ErrorCode::ActionFailed,
            message: None,
            calls,
            permille: None,
            seed: 0,
            when: When::During,
        };
        self.control.create_fault(fault).await?;
        let made = self.begin_to_fail(operation).await;
        self.control.clear_faults().await?;
        let action = made?;
        let project = self.caller.project;
        let read = move |tx: &mut dyn Tx| Ok(action::get(tx, project, action)?.map(|(_, action)| action));
        let seen = self.db.read_blocking(read)?.ok_or_else(|| Error::internal("the failed action is not there"))?;
        if seen.status == Status::Success {
            return Err(Error::internal(format!("{operation} was to fail: {seen:?}")));
        }
        Ok(format!("{operation}: {seen:?}"))
    }

    /// Asks for an operation, and gives its action.
    async fn begin_to_fail(&mut self, operation: &'static str) -> Result<Id> {
        let caller = Caller { operation, ..self.caller };
        let (server, volume) = (self.any_server(), self.any_volume());
        let parse = |error: serde_json::Error| Error::internal(error.to_string());
        let shown = match operation {
            "volume_attach" => {
                let wanted = AttachVolume { server, automount: false };
                self.control.attach_volume(&caller, volume, wanted).await?
            }
            "volume_detach" => self.control.detach_volume(&caller, volume).await?,
            "create_volume" => {
                let wanted = serde_json::json!({"name": "fails", "size": 10, "server": server});
                let wanted = serde_json::from_value(wanted).map_err(parse)?;
                self.control.create_volume(&caller, wanted).await?
            }
            "delete_zone" => {
                let zone = self.dice.pick(&self.model.zones).unwrap_or(55_555);
                self.control.delete_zone(&caller, wolke_wire::IdOrName::Id(zone)).await?
            }
            "create_server" => {
                let wanted = serde_json::json!({"name": "fails", "server_type": "cpx22", "image": "debian-12",
                    "volumes": [volume], "networks": [self.any_network()]});
                let wanted = serde_json::from_value(wanted).map_err(parse)?;
                let created = self.control.create_server(&caller, wanted).await?;
                self.control.show_created(&caller, created).await?
            }
            "delete_server" => return Ok(self.control.delete_server(&caller, server).await?.action),
            _ => return Ok(self.control.power_server(&caller, server, PowerVerb::Stop).await?.action),
        };
        id_of(&shown, "action")
    }
}
