//! Dialects: which document and which dated changes an answer follows (design §7).
//!
//! Membership (operations, members, parameters, words) is the contract's business. What a document does not hold, because it
//! is behaviour, is a named switch; all of them stand in `dialect/switch.rs`, and `docs/dialects.md` is made from both.

mod switch;

pub use switch::Switch;

use serde::{Deserialize, Serialize};

/// The document whose membership decides fields and endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Document {
    /// The blueprint as of 2018-04-05.
    D2018,
    /// `cloud-openapi-2023.json`.
    D2023,
    /// `cloud-openapi-2026-02.json`.
    D2026,
}

/// A dialect of the Cloud API: a document, the overlays on top of it, and named switches.
///
/// Presets only: the discriminant is part of cache keys and of the token table, keep it stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[repr(u8)]
pub enum Dialect {
    /// As of 2018-04-05.
    #[serde(rename = "2018-04")]
    D2018_04 = 1,
    /// The 2023 document.
    #[serde(rename = "2023-07")]
    D2023_07 = 2,
    /// The February 2026 document.
    #[serde(rename = "2026-02")]
    D2026_02 = 3,
    /// The blend that today's clients and their suites pass (fact sheet §0.2). The default.
    #[default]
    #[serde(rename = "compat")]
    Compat = 4,
    /// All dated changes applied.
    #[serde(rename = "newest")]
    Newest = 5,
}

impl Dialect {
    /// Every preset.
    pub const ALL: &'static [Dialect] =
        &[Dialect::D2018_04, Dialect::D2023_07, Dialect::D2026_02, Dialect::Compat, Dialect::Newest];

    /// The name of the preset.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::D2018_04 => "2018-04",
            Self::D2023_07 => "2023-07",
            Self::D2026_02 => "2026-02",
            Self::Compat => "compat",
            Self::Newest => "newest",
        }
    }

    /// The inverse of [`Dialect::name`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|d| d.name() == name)
    }

    /// The base document.
    #[must_use]
    pub const fn document(self) -> Document {
        match self {
            Self::D2018_04 => Document::D2018,
            Self::D2023_07 => Document::D2023,
            Self::D2026_02 | Self::Compat | Self::Newest => Document::D2026,
        }
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
