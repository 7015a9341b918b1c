//! `POST /servers`: one transaction that looks everything up, reserves it and starts the strand (design §3).

use super::{Attached, make, password, placement_group, teardown, touch_both};
use crate::action::{self, Acts};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::firewall;
use crate::image;
use crate::input;
use crate::network;
use crate::place::{self, Place};
use crate::primary_ip::{self, Holder};
use crate::real;
use crate::view::{Json, member};
use crate::volume;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::catalogue::{Catalogue, ServerType};
use wolke_domain::metrics::Traffic;
use wolke_domain::network::Seat;
use wolke_domain::primary_ip::Assignee;
use wolke_domain::server::{DETAILS_VERSION, Details, Server, Status, USER_DATA_BYTES_MAX};
use wolke_domain::{Error, FieldError, Result, name};
use wolke_store::network::Network;
use wolke_store::{Counter, Race, Tx, limit, server, ssh_key};
use wolke_wire::cloud::Secret as Password;
use wolke_wire::cloud::server::{CreateServer, CreateServerPublicNet};
use wolke_wire::{Id, IdOrName, Kind};

/// SSH keys that one server may be given.
const SSH_KEYS_MAX: usize = 100;

/// What a create has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The server.
    pub server: Id,
    /// Making it.
    pub action: Id,
    /// What follows, in order.
    pub next_actions: Vec<Id>,
    /// Shown this once; none when an SSH key was given.
    pub root_password: Option<Password>,
    /// The strand that does the work.
    pub strand: Id,
    /// The server as it was accepted: shown when it has failed, and gone, before it could be answered.
    accepted: Accepted,
}

impl Acts for Created {
    fn actions(&self) -> Vec<Id> {
        std::iter::once(self.action).chain(self.next_actions.iter().copied()).collect()
    }
}

/// A server and what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Accepted {
    server: Server,
    attached: Attached,
}

impl Control {
    /// Creates a server.
    ///
    /// # Errors
    /// Whatever is wrong with the request, all fields at once; `not_found` for what it names and the project lacks;
    /// `uniqueness_error`, `resource_limit_exceeded`, `resource_unavailable`.
    pub async fn create_server(&self, caller: &Caller, request: CreateServer) -> Result<Created> {
        check(&request)?;
        let (core, project) = (Arc::clone(&self.core), caller.project);
        let races = vec![Race::Project(project), Race::Addresses];
        let created = self.act(caller, races, move |tx| create(tx, &core, project, &request)).await?;
        self.settle(&[created.strand]).await;
        Ok(created)
    }

    /// The answer to a create, as it stands now.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn show_created(&self, caller: &Caller, created: Created) -> Result<Json> {
        let (core, fragments, caller) = (Arc::clone(&self.core), Arc::clone(&self.fragments), *caller);
        let has_next = !caller.dialect.leaves_next_actions_out();
        self.db
            .read(move |tx| {
                let view = crate::view::View::new(tx, &core, &fragments, &caller);
                let mut json = Json::new();
                view.open(&mut json, "server");
                match view.append(tx, &mut json, Kind::Server, created.server) {
                    Err(Error::NotFound { .. }) => {
                        let Accepted { server, attached } = created.accepted.clone();
                        let wire = super::to_wire(&server, attached, true, Traffic::default(), &view.catalogue)?;
                        view.append_wire(tx, &mut json, Kind::Server, &wire)?;
                    }
                    appended => appended?,
                }
                json.push(b',');
                member(&mut json, "action");
                view.append(tx, &mut json, Kind::Action, created.action)?;
                if has_next {
                    json.push(b',');
                    member(&mut json, "next_actions");
                    json.push(b'[');
                    for (position, id) in created.next_actions.iter().enumerate() {
                        if position > 0 {
                            json.push(b',');
                        }
                        view.append(tx, &mut json, Kind::Action, *id)?;
                    }
                    json.push(b']');
                }
                json.push(b',');
                member(&mut json, "root_password");
                match &created.root_password {
                    // Letters and digits need no escaping.
                    Some(password) => json.extend_from_slice(format!("\"{}\"", password.expose()).as_bytes()),
                    None => json.extend_from_slice(b"null"),
                }
                json.push(b'}');
                Ok(json)
            })
            .await
    }
}

/// What can be said of a request without looking anything up.
fn check(request: &CreateServer) -> Result<()> {
    let mut fields = input::wrong(name::host_name, Some(&request.name), Some(&request.labels));
    if request.user_data.as_ref().is_some_and(|data| data.expose().len() > USER_DATA_BYTES_MAX) {
        fields.push(FieldError::new("user_data", format!("must not be longer than {USER_DATA_BYTES_MAX} bytes")));
    }
    if request.ssh_keys.len() > SSH_KEYS_MAX {
        fields.push(FieldError::new("ssh_keys", format!("must not name more than {SSH_KEYS_MAX} keys")));
    }
    if request.automount.unwrap_or(false) && request.volumes.is_empty() {
        fields.push(FieldError::new("automount", "can only be used together with volumes"));
    }
    fields.extend(volume::wrong_ids(&request.volumes));
    let has_interface = request.public_net.enable_ipv4 || request.public_net.enable_ipv6;
    fields.extend(firewall::wrong_ids(&request.firewalls, has_interface));
    if request.networks.iter().collect::<BTreeSet<_>>().len() < request.networks.len() {
        fields.push(FieldError::new("networks", "must not name a network twice"));
    }
    let CreateServerPublicNet { enable_ipv4, enable_ipv6, ipv4, ipv6 } = request.public_net;
    for (field, enabled, address) in [("public_net.ipv4", enable_ipv4, ipv4), ("public_net.ipv6", enable_ipv6, ipv6)] {
        if !enabled && address.is_some() {
            fields.push(FieldError::new(field, "must not be given while the family is disabled"));
        }
    }
    input::refuse(fields)
}

/// What a request names, looked up.
struct Found<'a> {
    server_type: &'a ServerType,
    image: image::Source,
    /// Where it may go, the best first.
    places: Vec<Place>,
    ssh_keys: Vec<String>,
    networks: Vec<Network>,
}

fn find<'a>(tx: &mut dyn Tx, catalogue: &'a Catalogue, project: Id, request: &CreateServer) -> Result<Found<'a>> {
    let now = tx.now();
    let networks = request.networks.iter().map(|id| Ok(wolke_store::network::expect(tx, project, *id)?.value));
    let networks: Vec<Network> = networks.collect::<Result<_>>()?;
    placement_group::check_joins(tx, project, request.placement_group)?;
    let server_type = catalogue
        .server_type(&request.server_type)
        .ok_or_else(|| Error::not_found_named(Kind::ServerType, &request.server_type.to_string()))?;
    if !server_type.is_listed(now) {
        let message = format!("server type {} is deprecated and can no longer be ordered", server_type.name);
        return Err(Error::invalid("server_type", message));
    }
    let image = image::find(tx, catalogue, project, &request.image, server_type.architecture)?;
    image.check_fits(i64::from(server_type.disk))?;
    let asked = match place::asked(catalogue, request.location.as_ref(), request.datacenter.as_ref())? {
        None => beside_what_it_names(tx, catalogue, project, request)?,
        asked => asked,
    };
    let places = network::served_places(catalogue, &networks, place::for_server(catalogue, server_type, asked, now)?)?;
    let ssh_keys = request.ssh_keys.iter().map(|key| find_key(tx, project, key)).collect::<Result<_>>()?;
    Ok(Found { server_type, image, places, ssh_keys, networks })
}

/// Where the primary IPs and volumes are that a request names: a server that may be anywhere goes there.
fn beside_what_it_names(
    tx: &mut dyn Tx,
    catalogue: &Catalogue,
    project: Id,
    request: &CreateServer,
) -> Result<Option<Place>> {
    let CreateServerPublicNet { enable_ipv4, enable_ipv6, ipv4, ipv6 } = request.public_net;
    let address = [(enable_ipv4, ipv4), (enable_ipv6, ipv6)].iter().find_map(|(on, named)| named.filter(|_| *on));
    let location = if let Some(id) = address {
        wolke_store::primary_ip::expect(tx, project, id)?.value.details.location
    } else if let Some(id) = request.volumes.first() {
        wolke_store::volume::expect(tx, project, *id)?.value.location
    } else {
        return Ok(None);
    };
    place::in_location(catalogue, location).map(Some)
}

fn find_key(tx: &mut dyn Tx, project: Id, asked: &IdOrName) -> Result<String> {
    let by_id = match asked.id() {
        Some(id) => ssh_key::get(tx, project, id)?,
        None => None,
    };
    let found = match (by_id, asked.name()) {
        (Some(found), _) => Some(found),
        (None, Some(name)) => ssh_key::by_name(tx, project, name)?,
        (None, None) => None,
    };
    found
        .map(|key| key.value.details.public_key)
        .ok_or_else(|| Error::not_found_named(Kind::SshKey, &asked.to_string()))
}

fn create(tx: &mut dyn Tx, core: &Core, project: Id, request: &CreateServer) -> Result<Created> {
    let catalogue = core.catalogue();
    let mut found = find(tx, &catalogue, project, request)?;
    let networks = std::mem::take(&mut found.networks);
    let root_password = found.ssh_keys.is_empty().then(|| password::draw(tx, "root_password"));
    let sealed = root_password.as_ref().map(|password| password::seal(tx, core, password.expose())).transpose()?;
    let places = real::able(core, found.server_type, &found.places)?;
    let place = place::take(tx, core, found.server_type, &places)?;
    real::check_create(tx, core, (place.location, project), found.server_type, &found.image)?;
    let new = insert(tx, core, project, request, (found, place))?;
    attach_addresses(tx, core, &new, &request.public_net)?;
    let on_server = vec![Target::new(Kind::Server, new.id)];
    let mut resources = on_server.clone();
    resources.extend(new.details.image.map(|image| Target::new(Kind::Image, image)));
    let action = action::begin(tx, project, "create_server", resources)?;
    // What hangs on the server is attached here and now; only the start waits for its machine.
    let mut next_actions = attach_networks(tx, core, &new, &networks)?;
    next_actions.extend(volume::attach_to_new(tx, core, &new, &request.volumes, request.automount == Some(true))?);
    crate::load_balancer::joined(tx, core, &new, &BTreeMap::new())?;
    next_actions.extend(firewall::apply_to_new(tx, core, &new, &request.firewalls)?);
    let start = if request.start_after_create {
        vec![action::begin(tx, project, "start_server", on_server)?]
    } else {
        Vec::new()
    };
    let strand = make::start(tx, &new, action, start.clone(), sealed)?;
    next_actions.extend(start);
    let accepted = Accepted { attached: Attached::of(tx, &catalogue, new.id)?, server: new };
    Ok(Created { server: accepted.server.id, action, next_actions, root_password, strand, accepted })
}

fn insert(
    tx: &mut dyn Tx,
    core: &Core,
    project: Id,
    request: &CreateServer,
    (found, place): (Found<'_>, Place),
) -> Result<Server> {
    let mut nonces = tx.random("seal");
    let mut seal = |purpose, secret: Option<&str>| {
        secret.map(|secret| core.sealer.seal(&mut *nonces, purpose, secret)).transpose()
    };
    let user_data_sealed =
        seal(super::USER_DATA_SEAL, request.user_data.as_ref().map(wolke_wire::cloud::Secret::expose))?;
    let new = Server {
        id: tx.next_id(Counter::Kind(Kind::Server))?,
        project,
        name: request.name.clone(),
        created: tx.now().whole_second(),
        status: Status::Initializing,
        host: None,
        placement_group: request.placement_group,
        details: Details {
            v: DETAILS_VERSION,
            server_type: found.server_type.id,
            image: Some(found.image.id),
            location: place.location,
            datacenter: place.datacenter,
            primary_disk_gb: i64::from(found.server_type.disk),
            labels: request.labels.clone(),
            delete_protected: false,
            rebuild_protected: false,
            doomed: false,
            ssh_keys: found.ssh_keys,
            user_data_sealed,
            iso: None,
            rescue: None,
            rescue_epoch: 0,
            rebuild_epoch: 0,
            backup: None,
            moving: None,
            leaving: None,
            calendar: None,
        },
    };
    let number = server::insert(tx, &new)?;
    limit::check(tx, project, Kind::Server, number)?;
    placement_group::check_placeable(tx, core, &new, &teardown::need(core, &new))?;
    Ok(new)
}

/// Gives the server its public addresses: the named ones, else new ones that go when it goes.
fn attach_addresses(tx: &mut dyn Tx, core: &Core, server: &Server, wanted: &CreateServerPublicNet) -> Result<()> {
    let place = Place { location: server.details.location, datacenter: server.details.datacenter };
    let holder = Holder { this: Assignee::Server(server.id), project: server.project, place };
    for (family, enabled, named) in [(4, wanted.enable_ipv4, wanted.ipv4), (6, wanted.enable_ipv6, wanted.ipv6)] {
        match (enabled, named) {
            (false, _) => {}
            (true, Some(id)) => {
                primary_ip::take_for(tx, &holder, id, family)?;
                touch_both(tx, server.id, id)?;
            }
            (true, None) => drop(primary_ip::make_for(tx, core, &holder, family)?),
        }
    }
    Ok(())
}

/// Attaches the server to its networks, in the order in which they were named; returns the actions.
fn attach_networks(tx: &mut dyn Tx, core: &Core, server: &Server, networks: &[Network]) -> Result<Vec<Id>> {
    let mut actions = Vec::with_capacity(networks.len());
    for wanted in networks {
        network::attach(tx, core, server, wanted, &Seat::default())?;
        let targets = vec![Target::new(Kind::Server, server.id), Target::new(Kind::Network, wanted.id)];
        actions.push(action::done(tx, server.project, "attach_to_network", targets)?.action);
    }
    Ok(actions)
}
