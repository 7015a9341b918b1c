//! Sizes of servers, and which of them a server can have.

use crate::core::Core;
use crate::operator::stock;
use crate::real;
use serde::{Deserialize, Serialize};
use wolke_domain::catalogue::{Catalogue, ServerType};
use wolke_domain::placement::Need;
use wolke_domain::primary_ip::check_stopped;
use wolke_domain::server::Server;
use wolke_domain::{Error, Result};
use wolke_store::Tx;
use wolke_wire::cloud::server::ChangeServerType;
use wolke_wire::{ErrorCode, Id, Kind};

/// A type and the size of the disk with it, in GB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Size {
    pub server_type: Id,
    pub disk_gb: i64,
}

impl Size {
    pub fn of(server: &Server) -> Self {
        Self { server_type: server.details.server_type, disk_gb: server.details.primary_disk_gb }
    }

    pub fn need(self, catalogue: &Catalogue) -> Result<Need> {
        let kind = catalogue.server_type_by_id(self.server_type);
        let kind = kind.ok_or_else(|| Error::internal(format!("server type {} is gone", self.server_type)))?;
        Ok(kind.need(self.disk_gb))
    }

    pub const fn show(self, server: &mut Server) {
        server.details.server_type = self.server_type;
        server.details.primary_disk_gb = self.disk_gb;
    }
}

/// Whether a server can have the type that is asked for, and what it will be.
pub(super) fn check(tx: &mut dyn Tx, core: &Core, server: &Server, request: &ChangeServerType) -> Result<Size> {
    let catalogue = core.catalogue();
    let wanted = catalogue
        .server_type(&request.server_type)
        .ok_or_else(|| Error::not_found_named(Kind::ServerType, &request.server_type.to_string()))?;
    let present = catalogue.server_type_by_id(server.details.server_type);
    let present = present.ok_or_else(|| Error::internal(format!("the type of server {} is gone", server.id)))?;
    check_stopped(server, false)?;
    check_fits(server, present, wanted)?;
    let (now, location) = (tx.now(), server.details.location);
    if !wanted.is_listed(now) {
        return Err(invalid(format!("server type {} is deprecated", wanted.name)));
    }
    if wanted.offer(location).is_none() {
        return Err(invalid(format!("server type {} is not offered in the server's location", wanted.name)));
    }
    if !wanted.is_orderable_in(location, now) {
        return Err(stock::sold_out(&wanted.name));
    }
    real::check_change(tx, core, server, wanted)?;
    // Only asked: it is taken when the server has the type.
    stock::check(tx, core, wanted, location)?;
    let disk_gb = if request.upgrade_disk { i64::from(wanted.disk) } else { server.details.primary_disk_gb };
    Ok(Size { server_type: wanted.id, disk_gb })
}

fn invalid(message: String) -> Error {
    Error::refused(ErrorCode::InvalidServerType, message)
}

/// What is the same everywhere and at all times (dialects A.7).
fn check_fits(server: &Server, present: &ServerType, wanted: &ServerType) -> Result<()> {
    if wanted.id == present.id {
        return Err(invalid(format!("server is already of type {}", wanted.name)));
    }
    if wanted.architecture != present.architecture {
        return Err(invalid(format!("server type {} has another architecture", wanted.name)));
    }
    if wanted.storage_type != present.storage_type {
        return Err(invalid(format!("server type {} has another storage type", wanted.name)));
    }
    if i64::from(wanted.disk) < server.details.primary_disk_gb {
        return Err(invalid(format!("the disk of server type {} is too small", wanted.name)));
    }
    Ok(())
}
