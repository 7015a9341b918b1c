//! Targets of load balancers: servers, label selectors and addresses.

use super::{WHAT, allowed, enough, moved, note, selected, selecting, ways};
use crate::action;
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::real;
use crate::server::check_not_doomed;
use crate::view::Json;
use std::collections::BTreeMap;
use std::net::IpAddr;
use wolke_domain::action::Target as Resource;
use wolke_domain::load_balancer::reach::{self, ServerEnd, Ways, Whose};
use wolke_domain::load_balancer::{self as rules, Aim, Allowed, Target};
use wolke_domain::server::Server;
use wolke_domain::{Error, Result};
use wolke_store::list::{ListQuery, page};
use wolke_store::load_balancer::LoadBalancer;
use wolke_store::primary_ip::PrimaryIp;
use wolke_store::{Tx, dedicated_ip, load_balancer, network, primary_ip, server};
use wolke_wire::cloud::load_balancer::ChangeTarget;
use wolke_wire::selector::Selector;
use wolke_wire::{ErrorCode, Id, Kind};

/// Gives a load balancer targets, one after the other. All that can be refused is refused before any server joins, so that a
/// selector of too many costs no more than one of as many as the type allows.
pub(super) struct Adding<'a> {
    pub core: &'a Core,
    /// How the load balancer reaches them.
    pub ways: Ways,
    /// Whether contention is refused.
    pub refuse: bool,
    /// What its type allows.
    pub allowed: Allowed,
    /// Servers that its selectors match, up to one more than is allowed.
    pub selected: usize,
}

impl Adding<'_> {
    /// Adds a target to the load balancer's document.
    ///
    /// # Errors
    /// `target_already_defined`; of a server `not_found`, `locked`, `unsupported_error` and those of [`Ways::check_server`]; of
    /// a selector `unsupported_error` and those of [`Ways::check_way`]; of an address those of [`Ways::check_ip`]; in the end
    /// `resource_limit_exceeded`.
    pub fn add(&mut self, tx: &mut dyn Tx, balancer: &mut LoadBalancer, aim: &Aim) -> Result<()> {
        let Self { core, ways, refuse, .. } = *self;
        reach::check_new(&balancer.details.targets, &aim.to)?;
        match &aim.to {
            Target::Server(id) => {
                let server = server::expect(tx, balancer.project, *id)?.value;
                check_not_doomed(&server)?;
                action::check_contention(tx, refuse, Resource::new(Kind::Server, *id))?;
                real::check_simulated(core, &server, WHAT)?;
                let end = end(tx, &ways, *id)?;
                ways.check_server(*id, end, aim.use_private_ip)?;
            }
            Target::Selector(text) => {
                ways.check_way(aim.use_private_ip)?;
                self.select(tx, balancer.project, text)?;
            }
            Target::Ip(text) => {
                let ip = text.parse().map_err(|_| Error::internal(format!("{text} is no address")))?;
                let whose = whose(tx, core, (balancer.project, &ways), ip)?;
                ways.check_ip(ip, whose)?;
            }
        }
        balancer.details.targets.push(aim.clone());
        rules::check_targets(&self.allowed, rules::places(&balancer.details.targets, self.selected))
    }

    /// Counts the servers that a new selector will take in, and looks at each of them: real ones cannot be targets yet.
    fn select(&mut self, tx: &mut dyn Tx, project: Id, text: &str) -> Result<()> {
        let selector = Selector::parse(text).map_err(|error| Error::internal(format!("{text}: {error}")))?;
        let (kind, limit) = (Kind::Server, enough(&self.allowed));
        let query = ListQuery { kind, project, filters: vec![], of: None, selector, sort: vec![], offset: 0, limit };
        let matched = page(tx, &query)?.entries;
        self.selected = self.selected.saturating_add(matched.len());
        if self.core.real().is_empty() || self.selected > self.allowed.targets {
            return Ok(());
        }
        for (id, _) in matched {
            real::check_simulated(self.core, &server::expect(tx, project, id)?.value, WHAT)?;
        }
        Ok(())
    }
}

/// How a server can be reached.
fn end(tx: &mut dyn Tx, ways: &Ways, id: Id) -> Result<ServerEnd> {
    let has_ipv4 = primary_ip::of_server(tx, id)?.iter().any(|address| address.value.family == 4);
    let in_network = match ways.network {
        Some(network) => network::interface(tx, Resource::new(Kind::Server, id), network)?.is_some(),
        None => false,
    };
    Ok(ServerEnd { has_ipv4, in_network })
}

/// Whose an address is: in our own pools or networks it is a cloud resource's; behind the vSwitch of the load balancer's network,
/// or on the operator's list, a dedicated server's.
fn whose(tx: &mut dyn Tx, core: &Core, (project, ways): (Id, &Ways), ip: IpAddr) -> Result<Whose> {
    let is_ours = match ip {
        IpAddr::V4(ip) => core.ipv4.index_of(ip).is_some(),
        IpAddr::V6(ip) => core.ipv6.index_of(ip).is_some(),
    };
    if is_ours {
        return Ok(Whose::Cloud);
    }
    if let (IpAddr::V4(ip), true, Some(id)) = (ip, reach::is_private(ip), ways.network) {
        let plan = network::expect(tx, project, id)?.value.details.plan;
        return Ok(match plan.subnet_with(ip) {
            Some(subnet) if subnet.vswitch.is_some() => Whose::Dedicated,
            Some(_) => Whose::Cloud,
            None => Whose::Nobody,
        });
    }
    let is_known = !reach::is_private(ip) && dedicated_ip::is_known(tx, &ip.to_string())?;
    Ok(if is_known { Whose::Dedicated } else { Whose::Nobody })
}

/// A server is new, or has other labels, and selectors have followed: no load balancer may have taken in a real one. `before`:
/// what selected it until now.
///
/// # Errors
/// `unsupported_error`.
pub(crate) fn joined(tx: &mut dyn Tx, core: &Core, server: &Server, before: &BTreeMap<Id, i64>) -> Result<()> {
    let after = selecting(tx, server.id)?;
    moved(tx, core, before, &after)?;
    if core.real().is_empty() {
        return Ok(());
    }
    if after.is_empty() { Ok(()) } else { real::check_simulated(core, server, WHAT) }
}

/// Takes a server that goes from all load balancers that name it.
///
/// # Errors
/// The engine's failure.
pub(crate) fn release_of_server(tx: &mut dyn Tx, core: &Core, server: Id) -> Result<()> {
    for old in load_balancer::naming_server(tx, server)? {
        let mut new = old.value.clone();
        new.details.targets.retain(|aim| aim.to != Target::Server(server));
        note(tx, &core.catalogue(), &mut new)?;
        super::update(tx, core, &old, &new)?;
    }
    Ok(())
}

/// Checks that no load balancer reaches a server by a primary IP that shall be taken from it.
///
/// # Errors
/// `server_is_load_balancer_target`.
pub(crate) fn check_unassign(tx: &mut dyn Tx, ip: &PrimaryIp, server: Id) -> Result<()> {
    if ip.family != 4 {
        return Ok(());
    }
    let is_this = |aim: &Aim| aim.to == Target::Server(server) && !aim.use_private_ip;
    let found = load_balancer::naming_server(tx, server)?;
    match found.iter().find(|balancer| balancer.value.details.targets.iter().any(is_this)) {
        Some(balancer) => {
            let id = balancer.value.id;
            let message = format!("server with ID '{server}' is a target of load balancer with ID '{id}'");
            Err(Error::refused(ErrorCode::ServerIsLoadBalancerTarget, message))
        }
        None => Ok(()),
    }
}

impl Control {
    /// Adds a target.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `resource_limit_exceeded`, and the codes of each kind of target (fact sheet §3.7).
    pub async fn add_load_balancer_target(&self, caller: &Caller, id: Id, request: ChangeTarget) -> Result<Json> {
        let aim = rules::aim("", &request).map_err(Error::invalid_fields)?;
        let refuse = self.options.refuse_contention;
        self.change_load_balancer(caller, id, "add_target", move |tx, core, new| {
            let (ways, allowed) = (ways(tx, new)?, allowed(core, new)?);
            let selected = selected(tx, &allowed, new)?;
            Adding { core, ways, refuse, allowed, selected }.add(tx, new, &aim)?;
            Ok(Vec::new())
        })
        .await
    }

    /// Removes a target.
    ///
    /// # Errors
    /// `not_found`, also for what is no target; `invalid_input`.
    pub async fn remove_load_balancer_target(&self, caller: &Caller, id: Id, request: ChangeTarget) -> Result<Json> {
        let to = rules::target("", &request).map_err(Error::invalid_fields)?;
        self.change_load_balancer(caller, id, "remove_target", move |_, _, new| {
            let at = new.details.targets.iter().position(|aim| aim.to == to);
            new.details.targets.remove(at.ok_or_else(|| reach::no_such_target(&to))?);
            Ok(Vec::new())
        })
        .await
    }
}
