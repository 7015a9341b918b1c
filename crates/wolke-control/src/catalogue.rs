//! Locations, data centers, server types and images: lists from the catalogue.

use crate::control::{Caller, Control};
use crate::listing::{List, sort_by_keys};
use wolke_domain::catalogue::Image;
use wolke_domain::{Result, label};
use wolke_wire::cloud::Architecture;
use wolke_wire::paging::Page;
use wolke_wire::selector::Selector;
use wolke_wire::sort::SortKey;
use wolke_wire::{Id, Kind};

/// Filters of the image list (fact sheet §3.9).
#[derive(Clone, Debug, Default)]
pub struct ImageFilter {
    /// Exact name.
    pub name: Option<String>,
    /// `system`, `snapshot`, `backup`, `app`; any when empty.
    pub types: Vec<String>,
    /// `available`, `creating`, `unavailable`; any when empty.
    pub statuses: Vec<String>,
    /// Any when empty.
    pub architectures: Vec<Architecture>,
    /// Servers whose backups are asked for; any when empty.
    pub bound_to: Vec<Id>,
    /// Whether deprecated images are shown, too.
    pub include_deprecated: bool,
    /// Label selector; system images have no labels.
    pub selector: Selector,
}

impl ImageFilter {
    fn matches(&self, image: &Image) -> bool {
        let none_or = |values: &[String], value: &str| values.is_empty() || values.iter().any(|v| v == value);
        self.name.as_ref().is_none_or(|name| *name == image.name)
            && none_or(&self.types, "system")
            && none_or(&self.statuses, "available")
            && (self.architectures.is_empty() || self.architectures.contains(&image.architecture))
            && self.bound_to.is_empty()
            && label::matches(&self.selector, &wolke_wire::cloud::Labels::new())
    }
}

impl Control {
    /// The list of locations, data centers or server types.
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
            _ => catalogue.listed_server_types(now).map(|t| (t.id, t.name.as_str())).collect(),
        };
        entries.retain(|(_, known)| name.is_none_or(|name| name == *known));
        sort_by_keys(&mut entries, sort, |a, b, field| if field == "name" { a.1.cmp(b.1) } else { a.0.cmp(&b.0) });
        self.list_ids(caller, kind, entries.into_iter().map(|(id, _)| id).collect(), page).await
    }

    /// The list of images.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_images(
        &self,
        caller: &Caller,
        filter: &ImageFilter,
        sort: &[SortKey],
        page: Page,
    ) -> Result<List> {
        let now = self.db.read(|tx| Ok(tx.now())).await?;
        let catalogue = self.core.catalogue();
        let listed = catalogue.listed_images(now, filter.include_deprecated);
        let mut images: Vec<&Image> = listed.filter(|image| filter.matches(image)).collect();
        sort_by_keys(&mut images, sort, |a, b, field| match field {
            "name" => a.name.cmp(&b.name),
            "created" => a.created.cmp(&b.created),
            _ => a.id.cmp(&b.id),
        });
        self.list_ids(caller, Kind::Image, images.into_iter().map(|image| image.id).collect(), page).await
    }

    /// The data center that lists recommend.
    #[must_use]
    pub fn recommended_datacenter(&self) -> Option<Id> {
        self.core.catalogue().recommended_datacenter().map(|datacenter| datacenter.id)
    }
}
