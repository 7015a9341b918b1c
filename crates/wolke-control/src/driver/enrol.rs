//! Which row is a host's: whose servers lie in its directory.
//!
//! **Invariant:** a host is told what a row desires only when it is that row's own. What another installation or database has
//! put into a directory is never taken for something that was deleted, and an empty directory never for all there is.

use crate::core::Core;
use crate::real::{AWAY_MS, location_name};
use wolke_domain::{Error, Result};
use wolke_host::ObjectKind;
use wolke_store::driven::{self, RealHost};
use wolke_store::{Db, Tx};
use wolke_wire::Id;

/// What a host says when it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The location that it is to make real.
    pub location: Id,
    /// What it is to be called there.
    pub name: String,
    /// Which host it is; empty before its state directory was used for the first time.
    pub identity: String,
    /// Servers or snapshots lie in its directory.
    pub holds: bool,
    /// The directory, for people.
    pub place: String,
}

/// Whether a host may work for this world. To be asked before its threads begin.
///
/// # Errors
/// [`Error::Unavailable`] with a sentence that says what is wrong with it, or the engine's failure.
pub fn check(db: &Db, core: &std::sync::Arc<Core>, claim: Claim) -> Result<()> {
    let core = std::sync::Arc::clone(core);
    db.read_blocking(move |tx: &mut dyn Tx| row(tx, &core, &claim)).map(|_| ())
}

/// The row of a host; none when it is new.
pub(super) fn row(tx: &mut dyn Tx, core: &Core, claim: &Claim) -> Result<Option<RealHost>> {
    let Claim { location, name, identity, holds, place } = claim;
    let known = if identity.is_empty() { None } else { driven::by_identity(tx, identity)? };
    let named = driven::by_name(tx, *location, name)?;
    let is_known = known.is_some();
    match (known, named) {
        (Some(known), _) if known.location != *location => {
            let (old, new) =
                (location_name(&core.catalogue(), known.location), location_name(&core.catalogue(), *location));
            refused(format!(
                "the servers in {place} are in location {old} and cannot move to {new}: set linux_location to {old}, or use \
                 another data directory"
            ))
        }
        (_, Some(other)) if is_known && other.identity != *identity => taken(core, claim),
        (Some(known), _) => Ok(Some(known)),
        (None, _) if *holds => refused(format!(
            "the servers in {place} belong to another installation or database: use that one, or another data directory; \
             nothing was changed there"
        )),
        (None, None) => Ok(None),
        (None, Some(named)) => {
            let servers = driven::present(tx, named.id, ObjectKind::Server.as_str())?;
            let snapshots = driven::present(tx, named.id, ObjectKind::Image.as_str())?;
            if servers + snapshots > 0 {
                return refused(format!(
                    "{place} holds nothing of host {name}, which has {}: is its file system mounted?",
                    counted(servers, snapshots)
                ));
            }
            // The last sign of life of another machine of that name. Of an own process that was killed it is, too: that passes.
            let silent_ms = tx.facts().real_now.0.saturating_sub(named.seen.0);
            if silent_ms < AWAY_MS { taken(core, claim) } else { Ok(Some(named)) }
        }
    }
}

fn taken<T>(core: &Core, claim: &Claim) -> Result<T> {
    let location = location_name(&core.catalogue(), claim.location);
    refused(format!(
        "location {location} has another host that is called {}: set linux_name to a name of its own for that in {}",
        claim.name, claim.place
    ))
}

fn counted(servers: i64, snapshots: i64) -> String {
    let plural = |count: i64| if count == 1 { "" } else { "s" };
    let (many_servers, many_snapshots) =
        (format!("{servers} server{}", plural(servers)), format!("{snapshots} snapshot{}", plural(snapshots)));
    match (servers, snapshots) {
        (_, 0) => many_servers,
        (0, _) => many_snapshots,
        _ => format!("{many_servers} and {many_snapshots}"),
    }
}

fn refused<T>(why: String) -> Result<T> {
    Err(Error::Unavailable { internal: why })
}
