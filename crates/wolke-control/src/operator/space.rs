//! How many GB of volumes a location has left.
//!
//! Where the operator has set a limit, volumes take from it as they are made and grow, and give back as they go. Nobody sees
//! what is left, so nothing is kept in memory of it.

use super::{Control, Core};
use crate::real::location_name;
use wolke_domain::{Error, Result, volume as rules};
use wolke_store::{Race, Tx, volume_space};
use wolke_wire::{Id, IdOrName, Kind};

/// The most that can be said to be left, in GB.
pub const SPACE_GB_MAX: i64 = 1_000_000_000;

/// What is left in a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceView {
    /// The location's name.
    pub location: String,
    /// GB of volumes that can still be made; no end of them when none.
    pub left_gb: Option<i64>,
}

/// Takes room for a volume that is made, or grows by so much.
///
/// # Errors
/// `no_space_left_in_location`.
pub(crate) fn take(tx: &mut dyn Tx, core: &Core, location: Id, gb: i64) -> Result<()> {
    if volume_space::take(tx, location, gb)? {
        return Ok(());
    }
    Err(rules::no_space_left(&location_name(&core.catalogue(), location)))
}

impl Control {
    /// The limits that are set.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_volume_space(&self) -> Result<Vec<SpaceView>> {
        let catalogue = self.core.catalogue();
        let all = self.db.read(volume_space::all).await?;
        let view = |space: &volume_space::Space| SpaceView {
            location: location_name(&catalogue, space.location),
            left_gb: Some(space.remaining_gb),
        };
        Ok(all.iter().map(view).collect())
    }

    /// Limits the volumes that can still be made in a location, or lifts the limit.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for a number out of range.
    pub async fn set_volume_space(&self, location: &IdOrName, left_gb: Option<i64>) -> Result<SpaceView> {
        self.refresh_operator().await?;
        if left_gb.is_some_and(|left| !(0..=SPACE_GB_MAX).contains(&left)) {
            return Err(Error::invalid("left_gb", format!("must be between 0 and {SPACE_GB_MAX}")));
        }
        let catalogue = self.core.catalogue();
        let place = catalogue
            .location(location)
            .ok_or_else(|| Error::not_found_named(Kind::Location, &location.to_string()))?;
        let id = place.id;
        self.db.write(vec![Race::VolumeSpace], move |tx| volume_space::set(tx, id, left_gb)).await?;
        Ok(SpaceView { location: place.name.clone(), left_gb })
    }
}
