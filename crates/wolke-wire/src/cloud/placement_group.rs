//! Placement groups (fact sheet §3.12).

use serde::{Deserialize, Serialize};

use super::{Labels, form};
use crate::{Id, Timestamp};

text_enum! {
    /// How the members of a group are placed.
    PlacementGroupType {
        /// Each on another host.
        Spread = "spread",
    }
}

/// A group of servers that are placed with regard to each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlacementGroup {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// How its members are placed.
    #[serde(rename = "type")]
    pub kind: PlacementGroupType,
    /// When it was made.
    pub created: Timestamp,
    /// Its members, in the order of their ids.
    pub servers: Vec<Id>,
}

/// The request of `POST /placement_groups`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreatePlacementGroup {
    /// Its name.
    pub name: String,
    /// How its members shall be placed.
    #[serde(rename = "type")]
    pub kind: PlacementGroupType,
    /// Its labels.
    #[serde(default, deserialize_with = "form::null_default")]
    pub labels: Labels,
}

/// The request of `PUT /placement_groups/{id}`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UpdatePlacementGroup {
    /// The new name.
    pub name: Option<String>,
    /// The new labels, all of them.
    pub labels: Option<Labels>,
}

/// The request of `POST /servers/{id}/actions/add_to_placement_group`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct AddToPlacementGroup {
    /// The group to join.
    pub placement_group: Id,
}
