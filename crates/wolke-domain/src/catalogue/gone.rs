//! What was removed from a catalogue while something may still show it.

use super::{Catalogue, Datacenter, Entry, Image, Iso, LoadBalancerType, Location, ServerType, StorageBoxType};
use std::collections::HashSet;
use wolke_wire::{Id, Kind};

/// Entries that are readable by their ids, and nothing else.
///
/// **Invariants:** lists are sorted by id; no id is also that of an entry that is there; no type is available.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gone {
    /// Places.
    pub locations: Vec<Location>,
    /// Data centers.
    pub datacenters: Vec<Datacenter>,
    /// Sizes of servers.
    pub server_types: Vec<ServerType>,
    /// Sizes of load balancers.
    pub load_balancer_types: Vec<LoadBalancerType>,
    /// Sizes of storage boxes.
    pub storage_box_types: Vec<StorageBoxType>,
    /// Images.
    pub images: Vec<Image>,
    /// ISOs.
    pub isos: Vec<Iso>,
}

/// Leaves of entries with one id the last one, and none that is there again.
fn tidy<T: Entry>(gone: &mut Vec<T>, there: &[T]) {
    let mut known: HashSet<Id> = there.iter().map(Entry::id).collect();
    gone.reverse();
    gone.retain(|entry| known.insert(entry.id()));
    gone.sort_by_key(Entry::id);
}

impl Catalogue {
    /// Brings what is gone into order, once everything is read.
    pub(super) fn tidy_gone(&mut self) {
        let Self { gone, .. } = self;
        tidy(&mut gone.locations, &self.locations);
        tidy(&mut gone.datacenters, &self.datacenters);
        tidy(&mut gone.server_types, &self.server_types);
        tidy(&mut gone.load_balancer_types, &self.load_balancer_types);
        tidy(&mut gone.storage_box_types, &self.storage_box_types);
        tidy(&mut gone.images, &self.images);
        tidy(&mut gone.isos, &self.isos);
        gone.images.iter_mut().for_each(|image| image.removed = true);
        let of_servers = gone.server_types.iter_mut().flat_map(|kind| &mut kind.offers);
        let of_balancers = gone.load_balancer_types.iter_mut().flat_map(|kind| &mut kind.offers);
        for offer in of_servers.chain(of_balancers) {
            (offer.available, offer.recommended) = (false, false);
        }
    }

    /// The first entry of an earlier catalogue whose id this one does not know: what shows it could be shown no more.
    #[must_use]
    pub fn forgotten(&self, earlier: &Self) -> Option<(Kind, Id)> {
        fn first<T: Entry>(kind: Kind, old: [&[T]; 2], new: [&[T]; 2]) -> Option<(Kind, Id)> {
            let known: HashSet<Id> = new.into_iter().flatten().map(Entry::id).collect();
            old.into_iter().flatten().map(Entry::id).find(|id| !known.contains(id)).map(|id| (kind, id))
        }
        macro_rules! first_of {
            ($kind:ident, $list:ident) => {
                first(Kind::$kind, [&earlier.$list, &earlier.gone.$list], [&self.$list, &self.gone.$list])
            };
        }
        first_of!(Location, locations)
            .or_else(|| first_of!(Datacenter, datacenters))
            .or_else(|| first_of!(ServerType, server_types))
            .or_else(|| first_of!(LoadBalancerType, load_balancer_types))
            .or_else(|| first_of!(StorageBoxType, storage_box_types))
            .or_else(|| first_of!(Image, images))
            .or_else(|| first_of!(Iso, isos))
    }
}
