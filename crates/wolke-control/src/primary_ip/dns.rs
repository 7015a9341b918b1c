//! Reverse DNS entries of primary IPs, which are those of their servers, too.

use crate::action;
use crate::control::{Caller, Control};
use crate::view::Json;
use std::net::{IpAddr, Ipv4Addr};
use wolke_domain::action::Target;
use wolke_domain::{Error, FieldError, Result, reverse_dns};
use wolke_store::primary_ip::PrimaryIp;
use wolke_store::{Race, Stored, Tx, primary_ip, resource};
use wolke_wire::cloud::{ChangeDnsPtr, DnsPtr};
use wolke_wire::{Id, Kind};

/// Entries as the contract shows them: an IPv4 address has a default one, an IPv6 network has none (fact sheet §7).
pub(crate) fn dns_ptr(ip: &PrimaryIp) -> Vec<DnsPtr> {
    let own = ip.details.dns_ptr.iter().map(|(ip, name)| DnsPtr { ip: ip.clone(), dns_ptr: name.clone() });
    let own: Vec<DnsPtr> = own.collect();
    match ip.ip.parse::<Ipv4Addr>() {
        Ok(address) if own.is_empty() => {
            vec![DnsPtr { ip: ip.ip.clone(), dns_ptr: reverse_dns::default_name(address) }]
        }
        _ => own,
    }
}

/// A change of an entry, checked as far as that can be without looking anything up.
pub(crate) struct Entry {
    pub address: IpAddr,
    /// None resets.
    name: Option<String>,
}

impl Entry {
    /// # Errors
    /// `invalid_input` on `ip`, `dns_ptr`, or both.
    pub fn check(change: &ChangeDnsPtr) -> Result<Self> {
        let address = reverse_dns::address(&change.ip);
        let name = match &change.dns_ptr {
            None => Err(FieldError::new("dns_ptr", "is required")),
            Some(None) => Ok(None),
            Some(Some(name)) => reverse_dns::check_name(name).map(|()| Some(name.clone())),
        };
        match (address, name) {
            (Ok(address), Ok(name)) => Ok(Self { address, name }),
            (address, name) => Err(Error::invalid_fields(address.err().into_iter().chain(name.err()).collect())),
        }
    }
}

/// Changes an entry of a primary IP that its address belongs to. Both ends show it.
pub(crate) fn change_entry(tx: &mut dyn Tx, old: &Stored<PrimaryIp>, entry: &Entry) -> Result<()> {
    let mut new = old.value.clone();
    reverse_dns::change(&mut new.details.dns_ptr, entry.address, entry.name.as_deref())?;
    if new == old.value {
        return Ok(());
    }
    primary_ip::update(tx, old, &new)?;
    new.assignee.map_or(Ok(()), |server| resource::touch(tx, Kind::Server, server))
}

impl Control {
    /// Changes a reverse DNS entry of a primary IP.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for an address that is not its own or a name that is none; `resource_limit_exceeded`
    /// when the network has too many.
    pub async fn change_primary_ip_dns_ptr(&self, caller: &Caller, id: Id, change: ChangeDnsPtr) -> Result<Json> {
        let entry = Entry::check(&change)?;
        let project = caller.project;
        let started = self
            .db
            .write(vec![Race::Project(project)], move |tx| {
                let old = primary_ip::expect(tx, project, id)?;
                if !reverse_dns::network(&old.value.ip).is_some_and(|own| own.contains(&entry.address)) {
                    return Err(Error::invalid("ip", "does not belong to the primary IP"));
                }
                change_entry(tx, &old, &entry)?;
                action::done(tx, project, "change_dns_ptr", vec![Target::new(Kind::PrimaryIp, id)])
            })
            .await?;
        self.show_started(caller, started).await
    }
}
