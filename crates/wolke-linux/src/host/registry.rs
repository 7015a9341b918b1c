//! All objects of a host, and what the network asks about them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wolke_host::{ObjectKey, ObjectKind, Secret, ServerSpec};
use wolke_wire::Id;
use wolke_wire::metadata::{Metadata, PublicInterface};

use super::Unseal;
use super::memory::Home;
use super::object::{Entry, Object};
use crate::engine::Result;
use crate::layout::Layout;
use crate::net::Guests;

/// Objects by key. What is remembered of each is loaded when the host opens.
pub(super) struct Registry {
    layout: Layout,
    unseal: Unseal,
    entries: Mutex<BTreeMap<ObjectKey, Arc<Entry>>>,
}

impl Registry {
    pub(super) fn new(layout: Layout, unseal: Unseal) -> Self {
        Self { layout, unseal, entries: Mutex::new(BTreeMap::new()) }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the memory of an object is.
    pub(super) fn home(&self, key: ObjectKey) -> Home {
        match key.kind {
            ObjectKind::Server => Home { path: self.layout.server(key.id).path },
            ObjectKind::Image => Home { path: self.layout.image_wish(key.id) },
        }
    }

    pub(super) fn get(&self, key: ObjectKey) -> Option<Arc<Entry>> {
        self.entries().get(&key).cloned()
    }

    /// The object, new if need be: one of which nothing is there yet.
    pub(super) fn ensure(&self, key: ObjectKey) -> Arc<Entry> {
        let home = self.home(key);
        self.entries().entry(key).or_insert_with(|| Arc::new(Entry::new(Object::new(key, home)))).clone()
    }

    pub(super) fn remove(&self, key: ObjectKey) {
        self.entries().remove(&key);
    }

    /// All of them, in the order of keys.
    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        self.entries().values().cloned().collect()
    }

    fn open(&self, server: Id, secret: Option<&Secret>, what: &str) -> Option<String> {
        let opened = (self.unseal)(secret?);
        opened.inspect_err(|error| tracing::error!(server, "{what} cannot be opened: {error}")).ok()
    }
}

/// Loads what is remembered of an object.
pub(super) fn recall(object: &mut Object) -> Result<()> {
    object.desired = object.home.desired()?;
    if let Some(memory) = object.home.memory()? {
        object.written = Some(memory.clone());
        object.memory = memory;
    }
    // A measurement that is lost costs at most its run.
    object.meter = super::file::read_json(&object.home.usage()).ok().flatten().unwrap_or_default();
    Ok(())
}

fn told(id: Id, spec: &ServerSpec, user_data: Option<String>, root_password_hash: Option<String>) -> Metadata {
    let definition = &spec.definition;
    Metadata {
        instance_id: id,
        hostname: definition.name.clone(),
        availability_zone: definition.availability_zone.clone(),
        region: definition.region.clone(),
        public: definition.public.as_ref().map(|nic| PublicInterface {
            mac: nic.mac.clone(),
            ipv4: nic.ipv4,
            ipv6: nic.ipv6,
        }),
        public_keys: spec.first_boot.ssh_keys.clone(),
        private_networks: Vec::new(),
        user_data,
        root_password_hash,
    }
}

impl Guests for Registry {
    fn metadata(&self, server: Id) -> Option<Metadata> {
        let entry = self.get(ObjectKey::server(server))?;
        let (spec, password) = {
            let object = entry.lock();
            let epoch = object.memory.current.disk.as_ref().map(|disk| disk.epoch);
            let kept = object.home.first_password();
            let kept = kept.inspect_err(|error| tracing::error!(server, "{error}")).ok().flatten();
            (object.desired.as_ref()?.server_spec()?.clone(), kept.filter(|kept| Some(kept.epoch) == epoch))
        };
        let user_data = self.open(server, spec.first_boot.user_data.as_ref(), "the user data");
        let password = self.open(server, password.as_ref().map(|kept| &kept.hash), "the password of the first boot");
        Some(told(server, &spec, user_data, password))
    }

    /// Without opening what is sealed.
    fn host_name(&self, server: Id) -> Option<String> {
        let entry = self.get(ObjectKey::server(server))?;
        let object = entry.lock();
        object.desired.as_ref()?.server_spec().map(|spec| spec.definition.name.clone())
    }

    fn delivered(&self, server: Id) {
        let Some(entry) = self.get(ObjectKey::server(server)) else { return };
        let mut object = entry.lock();
        let epoch = object.memory.current.disk.as_ref().map(|disk| disk.epoch);
        if object.gone || epoch.is_none() || object.memory.delivered >= epoch {
            return;
        }
        object.memory.delivered = epoch;
        if let Err(error) = object.home.remember(&object.memory) {
            // It is delivered again at the next boot, which harms nobody.
            tracing::warn!(server, "that the first boot was delivered cannot be written down: {error}");
        }
    }
}
