//! Helpers for how single members are read and written.

use serde::{Deserialize, Deserializer, Serializer};

/// Reads a member that is there, null or not, so that absent (`None`, by `#[serde(default)]`) stays apart.
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}

/// Reads null like an absent member. Some clients write out what they were not given.
pub(super) fn null_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(d: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(d)?.unwrap_or_default())
}

/// Reads a switch that is on unless it is switched off.
pub(super) fn null_true<'de, D: Deserializer<'de>>(d: D) -> Result<bool, D::Error> {
    Ok(Option::<bool>::deserialize(d)?.unwrap_or(true))
}

/// The default of a switch that is on unless it is switched off.
pub(super) const fn yes() -> bool {
    true
}

/// The largest whole number that is written without a fraction: 2^53, behind which `f64` skips whole numbers.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Writes 2.0 as `2` and 2.3 as `2.3`, like the documents.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
pub(super) fn number<S: Serializer>(value: &f64, s: S) -> Result<S::Ok, S::Error> {
    if value.fract() == 0.0 && value.abs() <= WHOLE_MAX {
        #[allow(clippy::cast_possible_truncation, reason = "whole and small enough, as just checked")]
        s.serialize_i64(*value as i64)
    } else {
        s.serialize_f64(*value)
    }
}

/// [`number`], or null.
#[allow(clippy::ref_option, reason = "the signature that serde asks for")]
pub(super) fn number_or_null<S: Serializer>(value: &Option<f64>, s: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => number(value, s),
        None => s.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    #[derive(serde::Serialize)]
    struct Sizes {
        #[serde(serialize_with = "super::number")]
        memory: f64,
        #[serde(serialize_with = "super::number_or_null")]
        image_size: Option<f64>,
    }

    #[test]
    fn whole_numbers_have_no_point() {
        let json = |memory, image_size| serde_json::to_string(&Sizes { memory, image_size }).unwrap();
        assert_eq!(json(2.0, Some(2.3)), r#"{"memory":2,"image_size":2.3}"#);
        assert_eq!(json(0.5, None), r#"{"memory":0.5,"image_size":null}"#);
    }
}
