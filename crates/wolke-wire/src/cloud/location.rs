//! Locations.

use serde::Serialize;

use crate::Id;

/// A place where resources live.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Location {
    /// Its id.
    pub id: Id,
    /// Its name: `fsn1`.
    pub name: String,
    /// For people: `Falkenstein DC Park 1`.
    pub description: String,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// The city.
    pub city: String,
    /// Degrees north; printed with a decimal point even when whole (fact sheet §8.1).
    pub latitude: f64,
    /// Degrees east; printed with a decimal point even when whole.
    pub longitude: f64,
    /// `eu-central`.
    pub network_zone: String,
}

#[cfg(test)]
mod tests {
    use super::Location;

    #[test]
    fn coordinates_have_a_point() {
        let text = String::new;
        let place = Location {
            id: 1,
            name: text(),
            description: text(),
            country: text(),
            city: text(),
            latitude: 50.0,
            longitude: -12.5,
            network_zone: text(),
        };
        let json = serde_json::to_string(&place).unwrap();
        assert!(json.contains(r#""latitude":50.0,"longitude":-12.5"#), "{json}");
    }
}
