//! The same facts as files: a seed for cloud-init's NoCloud source, for guests that do not find the service by themselves.
//!
//! Facts: NoCloud reads `meta-data`, `user-data`, `vendor-data` and `network-config` from one directory; the first two
//! have to be there, if only empty.

use super::Metadata;
use super::yaml::Yaml;

/// The files of a seed.
#[derive(Clone, PartialEq, Eq)]
pub struct NoCloud {
    /// `meta-data`: identity, host name and keys.
    pub meta_data: String,
    /// `user-data`: byte for byte.
    pub user_data: String,
    /// `vendor-data`: what the provider adds.
    pub vendor_data: String,
    /// `network-config`, in version 1 of its format.
    pub network_config: String,
}

impl NoCloud {
    /// The files with their names.
    #[must_use]
    pub fn files(&self) -> [(&'static str, &str); 4] {
        [
            ("meta-data", &self.meta_data),
            ("user-data", &self.user_data),
            ("vendor-data", &self.vendor_data),
            ("network-config", &self.network_config),
        ]
    }
}

impl std::fmt::Debug for NoCloud {
    /// Without contents, which hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NoCloud").finish_non_exhaustive()
    }
}

impl Metadata {
    /// The seed that brings a guest to the same result as the service does.
    #[must_use]
    pub fn nocloud(&self) -> NoCloud {
        let keys = self.public_keys.iter().map(Yaml::text).collect();
        let meta_data = Yaml::Map(vec![
            // A text here: cloud-init compares it with what it wrote to a file at the last boot.
            ("instance-id", Yaml::text(self.instance_id.to_string())),
            ("local-hostname", Yaml::text(&self.hostname)),
            ("public-keys", Yaml::List(keys)),
        ]);
        NoCloud {
            meta_data: meta_data.to_string(),
            user_data: self.user_data.clone().unwrap_or_default(),
            vendor_data: self.vendor_data(),
            network_config: self.network_config().to_string(),
        }
    }
}
