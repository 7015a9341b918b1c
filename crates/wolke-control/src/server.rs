//! Servers: operations, strands and views.

mod attached;
mod backup;
mod calendar;
mod change_type;
mod console;
mod create;
mod create_image;
mod dns;
mod iso;
mod make;
mod metrics;
mod password;
mod placement_group;
mod power;
mod rebuild;
mod relocate;
mod rescue;
mod restart;
mod spec;
mod teardown;

use crate::action::{self, Started};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::hosts;
use crate::input;
use crate::view::{Json, Shown};
pub(crate) use attached::Attached;
pub use console::{NewTicket, Redeemed, Ticket};
pub use create::Created;
pub(crate) use create_image::begin_image;
pub use metrics::ServerMetricsRequest;
pub(crate) use metrics::traffic;
pub use power::PowerVerb;
pub(crate) use spec::public_nic;
use wolke_domain::action::Target;
use wolke_domain::catalogue::Catalogue;
use wolke_domain::metrics::Traffic;
use wolke_domain::server::{Server, Status};
use wolke_domain::{Error, FieldError, Result, name, reverse_dns};
use wolke_store::primary_ip::PrimaryIp;
use wolke_store::{Race, Stored, Tx, host, resource, server, strand};
use wolke_strand::{Program, Registry};
use wolke_wire::cloud::Embed;
use wolke_wire::cloud::server as wire;
use wolke_wire::{ErrorCode, Id, Kind};

/// Every program of the application.
pub(crate) static REGISTRY: Registry<Core> = Registry {
    programs: &[
        &make::PROGRAM,
        &create_image::PROGRAM,
        &power::PROGRAM,
        &teardown::PROGRAM,
        &calendar::PROGRAM,
        &rebuild::PROGRAM,
        &change_type::PROGRAM,
        &password::PROGRAM,
        &crate::project::PROGRAM,
        &crate::certificate::issue::PROGRAM,
        &crate::certificate::calendar::PROGRAM,
        &crate::storage_box::PROGRAM,
        &crate::action::HOLD,
        &crate::load_balancer::health::PROGRAM,
    ],
};

/// The purpose under which user data are sealed.
pub(crate) const USER_DATA_SEAL: &str = "user_data";
pub(crate) use password::SEAL as PASSWORD_SEAL;

/// World time that a host has for making or removing a server, in milliseconds.
const HOST_DEADLINE_MS: i64 = 15 * 60 * 1000;

/// The races of a server's strands.
fn scope(server: &Server) -> Vec<Race> {
    vec![Race::Project(server.project), Race::Addresses, Race::Location(server.details.location)]
}

/// A server as the contract shows it: the superset of all dialects.
pub(crate) fn to_wire(
    server: &Server,
    attached: Attached,
    locked: bool,
    traffic: Traffic,
    catalogue: &Catalogue,
) -> Result<wire::Server> {
    let details = &server.details;
    let included = catalogue.server_type_by_id(details.server_type).and_then(|t| t.offer(details.location));
    Ok(wire::Server {
        id: server.id,
        name: server.name.clone(),
        status: wire::ServerStatus::parse(server.status.as_str()).unwrap_or(wire::ServerStatus::Unknown),
        created: server.created,
        public_net: public_net(&attached.addresses, attached.floating_ips, attached.firewalls),
        private_net: attached.private_net,
        server_type: Embed(Kind::ServerType, details.server_type),
        location: Embed(Kind::Location, details.location),
        datacenter: Embed(Kind::Datacenter, details.datacenter),
        image: details.image.map(|id| Embed(Kind::Image, id)),
        iso: details.iso.map(|id| Embed(Kind::Iso, id)),
        rescue_enabled: details.rescue.is_some(),
        locked,
        backup_window: details.backup.as_ref().map(|backup| backup.window.clone()),
        outgoing_traffic: Some(traffic.outgoing),
        ingoing_traffic: Some(traffic.ingoing),
        included_traffic: Some(included.map_or(0, |offer| offer.included_traffic)),
        protection: wire::ServerProtection { delete: details.delete_protected, rebuild: details.rebuild_protected },
        labels: details.labels.clone(),
        volumes: attached.volumes,
        load_balancers: attached.load_balancers,
        primary_disk_size: u32::try_from(details.primary_disk_gb)
            .map_err(|_| Error::internal("a disk of impossible size"))?,
        placement_group: server.placement_group.map(|id| Embed(Kind::PlacementGroup, id)),
    })
}

fn public_net(addresses: &[PrimaryIp], floating_ips: Vec<Id>, firewalls: Vec<wire::ServerFirewall>) -> wire::PublicNet {
    let of = |family| addresses.iter().find(move |a| a.family == family);
    let dns_ptr = |a: &PrimaryIp| reverse_dns::shown(&a.ip, &a.details.dns_ptr);
    wire::PublicNet {
        ipv4: of(4).map(|a| wire::PublicIpv4 {
            id: a.id,
            ip: a.ip.clone(),
            blocked: a.details.blocked,
            dns_ptr: dns_ptr(a).into_iter().next().map(|entry| entry.dns_ptr).unwrap_or_default(),
        }),
        ipv6: of(6).map(|a| wire::PublicIpv6 {
            id: a.id,
            ip: a.ip.clone(),
            blocked: a.details.blocked,
            dns_ptr: dns_ptr(a),
        }),
        floating_ips,
        firewalls,
    }
}

/// Writes a server's state from what its host reports of the machine.
fn note_power(tx: &mut dyn Tx, server: &Server, status: Status) -> Result<()> {
    if server.status == status {
        return Ok(());
    }
    if server.status.runs() != status.runs() {
        server::note_power(tx, server, status.runs())?;
    }
    server::set_status(tx, server.id, status, server.host)
}

/// Tells a real host which addresses a server that is off has left: another one may be given those that it has lost before
/// this one starts again, which is when simulated hosts learn of it.
pub(crate) fn tell_addresses(tx: &mut dyn Tx, core: &Core, server: &Server) -> Result<()> {
    let Some(on) = server.host.filter(|on| core.real().get(*on).is_some()) else { return Ok(()) };
    let Some((object, mut spec)) = hosts::server_spec(tx, on, server.id)? else { return Ok(()) };
    let public = public_nic(server.id, &wolke_store::primary_ip::of_server(tx, server.id)?);
    if spec.definition.public == public {
        return Ok(());
    }
    spec.definition.public = public;
    let generation = host::take(tx, on, &wolke_domain::placement::Need::none())?;
    hosts::desire_server(tx, core, on, object, (server.id, generation, spec)).map(|_| ())
}

/// A machine on a real host was seen to be in another state while nobody worked on its server: the guest has gone off, or come
/// back, by itself.
pub(crate) fn follow(tx: &mut dyn Tx, on: Id, observed: &wolke_host::Observed) -> Result<()> {
    let Some(server) = server::by_id(tx, observed.key.id)? else { return Ok(()) };
    if server.value.host != Some(on) || server.value.details.doomed {
        return Ok(());
    }
    note_power(tx, &server.value, power::status_of(observed.state.power))
}

impl Control {
    /// Changes name and labels.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`.
    pub async fn update_server(&self, caller: &Caller, id: Id, update: wire::UpdateServer) -> Result<Json> {
        input::refuse(input::wrong(name::host_name, update.name.as_deref(), update.labels.as_ref()))?;
        let (core, project) = (std::sync::Arc::clone(&self.core), caller.project);
        let races = self.server_races(caller, id).await?;
        self.write_shown(caller, races, move |tx| {
            let old = server::expect(tx, project, id)?;
            let mut new = old.value.clone();
            input::set(&mut new.name, update.name.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
            if new == old.value {
                return Ok(Shown::one(Kind::Server, id));
            }
            let selecting = crate::load_balancer::selecting(tx, id)?;
            server::update(tx, &old, &new)?;
            if new.details.labels != old.value.details.labels {
                crate::firewall::check_selected(tx, &core, &new)?;
                crate::load_balancer::joined(tx, &core, &new, &selecting)?;
            }
            if new.name != old.value.name {
                rename_on_host(tx, &core, &new)?;
            }
            Ok(Shown::one(Kind::Server, id))
        })
        .await
    }

    /// Switches delete and rebuild protection, which always agree (fact sheet §3.1).
    ///
    /// # Errors
    /// `not_found`, `invalid_input` when the two differ.
    pub async fn change_server_protection(
        &self,
        caller: &Caller,
        id: Id,
        change: wire::ChangeServerProtection,
    ) -> Result<Json> {
        let protect = match (change.delete, change.rebuild) {
            (Some(a), Some(b)) if a != b => {
                let message = "delete and rebuild protection must have the same value";
                return Err(Error::invalid_fields(vec![
                    FieldError::new("delete", message),
                    FieldError::new("rebuild", message),
                ]));
            }
            (delete, rebuild) => delete.or(rebuild),
        };
        let project = caller.project;
        let started = self
            .act(caller, vec![Race::Project(project)], move |tx| {
                let old = server::expect(tx, project, id)?;
                let mut new = old.value.clone();
                if let Some(protect) = protect {
                    new.details.delete_protected = protect;
                    new.details.rebuild_protected = protect;
                }
                if new != old.value {
                    server::update(tx, &old, &new)?;
                }
                action::done(tx, project, "change_protection", vec![Target::new(Kind::Server, id)])
            })
            .await?;
        self.show_started(caller, started).await
    }

    /// Accepts the deletion of a server: running work on it gives up at its next step.
    ///
    /// # Errors
    /// `not_found`, `protected`, `locked` when it is being deleted already.
    pub async fn delete_server(&self, caller: &Caller, id: Id) -> Result<Started> {
        let (project, refuse) = (caller.project, self.options.refuse_contention);
        self.act(caller, vec![Race::Project(project)], move |tx| {
            let old = server::expect(tx, project, id)?;
            if old.value.details.delete_protected {
                return Err(Error::delete_protected(Kind::Server));
            }
            action::admit(tx, refuse, project, Target::new(Kind::Server, id), "delete_server")?;
            if old.value.details.doomed && strand::holder(tx, Kind::Server, id)?.is_some() {
                return Err(Error::locked(Kind::Server));
            }
            begin_delete(tx, &old)
        })
        .await
    }

    /// The races of an operation on a server that its host must hear of.
    async fn server_races(&self, caller: &Caller, id: Id) -> Result<Vec<Race>> {
        let project = caller.project;
        if !self.db.is_shared() {
            return Ok(Vec::new());
        }
        let location = self.db.read(move |tx| Ok(server::expect(tx, project, id)?.value.details.location)).await?;
        Ok(vec![Race::Project(project), Race::Location(location)])
    }
}

/// Starts the end of a server: work on it gives up at its next step.
fn begin_delete(tx: &mut dyn Tx, old: &Stored<Server>) -> Result<Started> {
    let (project, id) = (old.value.project, old.value.id);
    let mut new = old.value.clone();
    new.details.doomed = true;
    if new == old.value {
        resource::touch(tx, Kind::Server, id)?;
    } else {
        server::update(tx, old, &new)?;
    }
    if let Some(working) = strand::holder(tx, Kind::Server, id)? {
        strand::wake(tx, working)?;
    }
    let action = action::begin(tx, project, "delete_server", vec![Target::new(Kind::Server, id)])?;
    let strand = teardown::start(tx, &new, action)?;
    Ok(Started { action, strand: Some(strand) })
}

/// Has a server removed with its project, unless that is under way. One that could not be removed is asked again.
pub(crate) fn end(tx: &mut dyn Tx, project: Id, id: Id) -> Result<()> {
    let old = server::expect(tx, project, id)?;
    if old.value.details.doomed && strand::holder(tx, Kind::Server, id)?.is_some() {
        return Ok(());
    }
    begin_delete(tx, &old).map(|_| ())
}

/// A new name reaches the host as a new generation of what it should hold.
fn rename_on_host(tx: &mut dyn Tx, core: &Core, server: &Server) -> Result<()> {
    let Some(on) = server.host else { return Ok(()) };
    let Some((object, mut spec)) = hosts::server_spec(tx, on, server.id)? else { return Ok(()) };
    spec.definition.name.clone_from(&server.name);
    let generation = host::take(tx, on, &wolke_domain::placement::Need::none())?;
    hosts::desire_server(tx, core, on, object, (server.id, generation, spec)).map(|_| ())
}

/// What a create has to give back when something that belongs to a server changes hands: both ends are touched.
fn touch_both(tx: &mut dyn Tx, server: Id, primary_ip: Id) -> Result<()> {
    resource::touch(tx, Kind::Server, server)?;
    resource::touch(tx, Kind::PrimaryIp, primary_ip)
}

/// The program of a server's strand by its kind, for `Work`.
type ServerProgram = &'static Program<Core>;

/// The refusal of an operation on a server that is on its way out.
pub(crate) fn check_not_doomed(server: &Server) -> Result<()> {
    if server.details.doomed { Err(Error::locked(Kind::Server)) } else { Ok(()) }
}

/// The failure of work on a server that is deleted meanwhile.
fn doomed_failure() -> wolke_domain::action::Failure {
    wolke_domain::action::Failure::new(ErrorCode::ActionFailed, "the server is being deleted")
}
