//! What can be ordered: lists from the catalogue, ISOs with those of the project, prices.

use crate::control::{Caller, Control};
use crate::listing::{List, sort_by_keys};
use crate::operator::iso as private;
use crate::view::{Json, prune};
use std::sync::Arc;
use wolke_domain::{Error, Result};
use wolke_store::operator;
use wolke_wire::cloud::Architecture;
use wolke_wire::paging::Page;
use wolke_wire::sort::SortKey;
use wolke_wire::{Id, Kind};

/// Filters of the ISO list (fact sheet §3.10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IsoFilter {
    /// Exact name; private ISOs have none.
    pub name: Option<String>,
    /// Any when empty.
    pub architectures: Vec<Architecture>,
    /// Whether an ISO for any architecture is shown where one is asked for.
    pub with_wildcards: bool,
}

impl IsoFilter {
    fn matches(&self, name: Option<&str>, architecture: Option<Architecture>) -> bool {
        let built_for = architecture.map_or(self.with_wildcards, |of| self.architectures.contains(&of));
        (self.architectures.is_empty() || built_for) && self.name.as_ref().is_none_or(|wanted| name == Some(wanted))
    }
}

impl Control {
    /// The list of locations, data centers, server types or load balancer types.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_catalogue(
        &self,
        caller: &Caller,
        kind: Kind,
        name: Option<&str>,
        sort: &[SortKey],
        page: Page,
    ) -> Result<List> {
        let now = self.db.read(|tx| Ok(tx.now())).await?;
        let catalogue = self.core.catalogue();
        let mut entries: Vec<(Id, &str)> = match kind {
            Kind::Location => catalogue.locations.iter().map(|l| (l.id, l.name.as_str())).collect(),
            Kind::Datacenter => catalogue.datacenters.iter().map(|d| (d.id, d.name.as_str())).collect(),
            Kind::LoadBalancerType => {
                let listed = catalogue.load_balancer_types.iter().filter(|kind| kind.is_listed(now));
                listed.map(|t| (t.id, t.name.as_str())).collect()
            }
            Kind::StorageBoxType => {
                let listed = catalogue.storage_box_types.iter().filter(|kind| kind.is_listed(now));
                listed.map(|t| (t.id, t.name.as_str())).collect()
            }
            _ => catalogue.listed_server_types(now).map(|t| (t.id, t.name.as_str())).collect(),
        };
        entries.retain(|(_, known)| name.is_none_or(|name| name == *known));
        sort_by_keys(&mut entries, sort, |a, b, field| if field == "name" { a.1.cmp(b.1) } else { a.0.cmp(&b.0) });
        let ids = entries.into_iter().map(|(id, _)| id).collect();
        self.list_ids(caller, Arc::clone(&catalogue), (kind, ids), page).await
    }

    /// The list of ISOs: the public ones, then those of the project, by id.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_isos(&self, caller: &Caller, filter: &IsoFilter, page: Page) -> Result<List> {
        let project = caller.project;
        let (now, own) = self.db.read(move |tx| Ok((tx.now(), operator::isos_of_project(tx, project)?))).await?;
        let catalogue = self.core.catalogue();
        let public = catalogue.isos.iter().filter(|iso| {
            let name = Some(iso.name.as_str());
            iso.is_usable(now) && filter.matches(name, iso.architecture)
        });
        let own =
            own.iter().filter(|iso| private::is_usable(iso, now) && filter.matches(None, iso.details.architecture));
        let ids = public.map(|iso| iso.id).chain(own.map(|iso| iso.id)).collect();
        self.list_ids(caller, Arc::clone(&catalogue), (Kind::Iso, ids), page).await
    }

    /// What everything costs, as `{"pricing": {…}}`.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn pricing(&self, caller: &Caller) -> Result<Json> {
        let core = Arc::clone(&self.core);
        let now = self.db.read(|tx| Ok(tx.now())).await?;
        let mut answer = serde_json::json!({ "pricing": core.catalogue().pricing_to_wire(now) });
        prune(&mut answer, "get_pricing", caller.dialect);
        serde_json::to_vec(&answer).map_err(|e| Error::internal(format!("rendering prices: {e}")))
    }

    /// The data center that lists recommend.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn recommended_datacenter(&self) -> Result<Option<Id>> {
        let now = self.db.read(|tx| Ok(tx.now())).await?;
        Ok(self.core.catalogue().recommended_datacenter(now).map(|datacenter| datacenter.id))
    }
}
