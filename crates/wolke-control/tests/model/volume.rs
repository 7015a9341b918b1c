//! Volumes.

use crate::model::{
    Label, Place, Predicted, Project, Ref, Slot, Where, any_label, any_ref, any_slot, any_where, at, labels, name,
};
use crate::server;
use crate::system::{json, request};
use proptest::prelude::{BoxedStrategy, Strategy, any as any_of};
use proptest::prop_oneof;
use serde_json::{Value, json};
use wolke_control::{Caller, Control};
use wolke_domain::Result;
use wolke_wire::{ErrorCode, Id, Kind};

/// Volumes that one server can have.
const PER_SERVER_MAX: usize = 16;
/// The first slot of volumes that crowd a server.
const CROWD: Slot = 100;
/// The least and the most that a volume can hold, in GB.
const SIZES: std::ops::RangeInclusive<i64> = 10..=10_240;

#[derive(Clone, Debug)]
pub struct Volume {
    pub id: Id,
    pub server: Option<Slot>,
    place: Place,
    size: i64,
    protected: bool,
    label: Label,
}

#[derive(Clone, Debug)]
pub enum Step {
    Create { slot: Slot, size: i64, at: Where, label: Label },
    Delete(Ref),
    Attach { volume: Ref, server: Ref },
    Detach(Ref),
    Resize { volume: Ref, size: i64 },
    Protect { volume: Ref, on: bool },
    Relabel { volume: Ref, label: Label },
}

fn any_size() -> BoxedStrategy<i64> {
    prop_oneof![8 => 10..20_i64, 1 => 0..10_i64].boxed()
}

/// More volumes on one server than it can have.
pub fn crowd() -> Vec<Step> {
    let at = Where::With(Ref { kind: Kind::Server, slot: 0, foreign: false, exact: true });
    (CROWD..).take(PER_SERVER_MAX + 2).map(|slot| Step::Create { slot, size: 10, at, label: None }).collect()
}

pub fn create() -> BoxedStrategy<Step> {
    (any_slot(), any_size(), any_where(), any_label())
        .prop_map(|(slot, size, at, label)| Step::Create { slot, size, at, label })
        .boxed()
}

pub fn any() -> BoxedStrategy<Step> {
    let volume = || any_ref(Kind::Volume);
    let server = || any_ref(Kind::Server);
    prop_oneof![
        5 => create(),
        3 => volume().prop_map(Step::Delete),
        5 => (volume(), server()).prop_map(|(volume, server)| Step::Attach { volume, server }),
        2 => volume().prop_map(Step::Detach),
        1 => (volume(), any_size()).prop_map(|(volume, size)| Step::Resize { volume, size }),
        2 => (volume(), any_of::<bool>()).prop_map(|(volume, on)| Step::Protect { volume, on }),
        1 => (volume(), any_label()).prop_map(|(volume, label)| Step::Relabel { volume, label }),
    ]
    .boxed()
}

/// Puts a volume on a server.
pub fn attach(project: &mut Project, volume: Ref, server: Slot, place: Place) -> Predicted {
    let attached = project.volumes.values().filter(|one| one.server == Some(server)).count();
    let found = at(&mut project.volumes, volume)?;
    if found.server.is_some() {
        return Err(ErrorCode::VolumeAlreadyAttached);
    }
    if found.place != place {
        return Err(ErrorCode::InvalidInput);
    }
    if attached >= PER_SERVER_MAX {
        return Err(ErrorCode::LimitExceededError);
    }
    found.server = Some(server);
    Ok(())
}

impl Step {
    pub fn refs(&mut self) -> Vec<&mut Ref> {
        match self {
            Self::Create { at: Where::In(_), .. } => Vec::new(),
            Self::Create { at: Where::With(server), .. } => vec![server],
            Self::Attach { volume, server } => vec![volume, server],
            Self::Delete(volume) | Self::Detach(volume) => vec![volume],
            Self::Resize { volume, .. } | Self::Protect { volume, .. } | Self::Relabel { volume, .. } => vec![volume],
        }
    }

    pub fn predict(&self, project: &mut Project) -> Predicted {
        match *self {
            Self::Create { slot, size, at, label } => {
                if !SIZES.contains(&size) {
                    return Err(ErrorCode::InvalidInput);
                }
                let (server, place) = match at {
                    Where::In(place) => (None, place),
                    Where::With(server) => {
                        server::receiver(project, server).map(|(server, place)| (Some(server), place))?
                    }
                };
                if project.volumes.contains_key(&slot) {
                    return Err(ErrorCode::UniquenessError);
                }
                project.volumes.insert(slot, Volume { id: 0, server: None, place, size, protected: false, label });
                let new = Ref { kind: Kind::Volume, slot, foreign: false, exact: true };
                server.map_or(Ok(()), |server| attach(project, new, server, place))
            }
            Self::Delete(volume) => {
                let found = at(&mut project.volumes, volume)?;
                if found.protected {
                    return Err(ErrorCode::Protected);
                }
                if found.server.is_some() {
                    return Err(ErrorCode::ServiceError);
                }
                let id = found.id;
                project.volumes.remove(&volume.slot);
                project.bury(Kind::Volume, volume.slot, id);
                Ok(())
            }
            Self::Attach { volume, server } => {
                at(&mut project.volumes, volume)?;
                let (server, place) = server::receiver(project, server)?;
                attach(project, volume, server, place)
            }
            Self::Detach(volume) => {
                if let Some(server) = at(&mut project.volumes, volume)?.server
                    && project.servers[&server].doomed
                {
                    return Err(ErrorCode::Locked);
                }
                at(&mut project.volumes, volume)?.server = None;
                Ok(())
            }
            Self::Resize { volume, size } => {
                if !SIZES.contains(&size) {
                    return Err(ErrorCode::InvalidInput);
                }
                let found = at(&mut project.volumes, volume)?;
                if size <= found.size {
                    return Err(ErrorCode::InvalidInput);
                }
                found.size = size;
                Ok(())
            }
            Self::Protect { volume, on } => {
                at(&mut project.volumes, volume)?.protected = on;
                Ok(())
            }
            Self::Relabel { volume, label } => {
                at(&mut project.volumes, volume)?.label = label;
                Ok(())
            }
        }
    }

    pub async fn perform(&self, control: &Control, caller: &Caller, id: &impl Fn(Ref) -> Id) -> Result<Value> {
        match *self {
            Self::Create { slot, size, at, label } => {
                let mut body = json!({"name": name(Kind::Volume, slot), "size": size, "labels": labels(label)});
                match at {
                    Where::In(place) => body["location"] = place.location().into(),
                    Where::With(server) => body["server"] = id(server).into(),
                }
                control.create_volume(caller, request(body)).await.map(json)
            }
            Self::Delete(volume) => control.delete_volume(caller, id(volume)).await.map(|()| Value::Null),
            Self::Attach { volume, server } => {
                control.attach_volume(caller, id(volume), request(json!({"server": id(server)}))).await.map(json)
            }
            Self::Detach(volume) => control.detach_volume(caller, id(volume)).await.map(json),
            Self::Resize { volume, size } => {
                control.resize_volume(caller, id(volume), request(json!({"size": size}))).await.map(json)
            }
            Self::Protect { volume, on } => {
                let change = request(json!({"delete": on}));
                control.change_volume_protection(caller, id(volume), change).await.map(json)
            }
            Self::Relabel { volume, label } => {
                control.update_volume(caller, id(volume), request(json!({"labels": labels(label)}))).await.map(json)
            }
        }
    }

    pub fn learn(&self, project: &mut Project, answer: &Value) {
        if let Self::Create { slot, .. } = self {
            project.volumes.get_mut(slot).unwrap().id = answer["volume"]["id"].as_i64().unwrap();
        }
    }
}

/// What clients see of a volume.
pub fn shown(project: &Project, slot: Slot) -> Value {
    let volume = &project.volumes[&slot];
    json!({
        "id": volume.id, "name": name(Kind::Volume, slot), "size": volume.size, "status": "available",
        "server": volume.server.map(|server| project.servers[&server].id),
        "location": {"name": volume.place.location()},
        "protection": {"delete": volume.protected}, "labels": labels(volume.label), "format": null,
    })
}
