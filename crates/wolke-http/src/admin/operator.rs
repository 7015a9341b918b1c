//! What the operator does to clients: stock, private ISOs, blocked addresses, vSwitches, faults.

use super::{Admin, Answer, Refused, Shown, request};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use wolke_control::operator as decided;
use wolke_domain::Error;
use wolke_domain::fault::{EVERY_OPERATION, Fault as Injected, RENEWALS, When};
use wolke_wire::cloud::zone::Registrar;
use wolke_wire::cloud::{Architecture, Deprecation};
use wolke_wire::{ErrorCode, Id, IdOrName, Kind};

/// What a location has left of a server type; also the request of `PUT /stock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// The server type's name or id.
    pub server_type: String,
    /// The location's name or id.
    pub location: String,
    /// How many more servers can be made; no end of them when null.
    pub left: Option<i64>,
}

/// What a location has left for volumes; also the request of `PUT /volume_space`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeSpace {
    /// The location's name or id.
    pub location: String,
    /// GB of volumes that can still be made; no end of them when null.
    pub left_gb: Option<i64>,
}

/// A private ISO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Iso {
    /// Its id.
    pub id: Id,
    /// The id of the project that sees it.
    pub project: Id,
    /// For people.
    pub description: String,
    /// The instruction set; any when null.
    pub architecture: Option<Architecture>,
    /// Set when it was taken away.
    pub deprecation: Option<Deprecation>,
}

/// The request of `POST /isos`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewIso {
    /// The name of the project that shall see it.
    pub project: String,
    /// For people.
    pub description: String,
    /// The instruction set; any when null.
    #[serde(default)]
    pub architecture: Option<Architecture>,
}

/// An address, and whether it is blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// The primary IP's id.
    pub id: Id,
    /// The address.
    pub ip: String,
    /// Whether it is blocked.
    pub blocked: bool,
}

/// The request of `PUT /primary_ips/{id}/blocked` and `PUT /floating_ips/{id}/blocked`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Whether it shall be blocked.
    pub blocked: bool,
}

/// A vSwitch that networks can be coupled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vswitch {
    /// Its id.
    pub id: Id,
    /// The network that it is coupled with.
    pub network: Option<Id>,
}

/// What the parent zone of a DNS zone was told to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegated {
    /// The zone's id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// What follows for it.
    pub status: String,
    /// The nameservers that its parent names.
    pub nameservers: Vec<String>,
    /// Who it is registered with.
    pub registrar: String,
}

/// The request of `PUT /zones/{id}/delegation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegate {
    /// Whether the domain is registered.
    pub registered: bool,
    /// The nameservers that its parent names; none of a domain that is not registered.
    #[serde(default)]
    pub nameservers: Vec<String>,
    /// Who it is registered with; `other` unless it is said.
    #[serde(default)]
    pub registrar: Option<Registrar>,
}

/// A fault in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its id.
    pub id: Id,
    /// What it is.
    #[serde(flatten)]
    pub fault: Injected,
}

/// The request of `POST /faults`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFault {
    /// The id of an operation, or `*`.
    pub operation: String,
    /// What is answered.
    pub code: String,
    /// Why.
    #[serde(default)]
    pub message: Option<String>,
    /// How many calls; all when null.
    #[serde(default)]
    pub calls: Option<i64>,
    /// How many of a thousand; all when null.
    #[serde(default)]
    pub permille: Option<i64>,
    /// What chance is drawn with.
    #[serde(default)]
    pub seed: u64,
    /// Before or after the work, or in it.
    #[serde(default)]
    pub when: When,
}

/// The answer of `DELETE /faults`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    /// How many there were.
    pub cleared: usize,
}

fn stock(view: decided::StockView) -> Stock {
    Stock { server_type: view.server_type, location: view.location, left: view.left }
}

fn volume_space(view: decided::SpaceView) -> VolumeSpace {
    VolumeSpace { location: view.location, left_gb: view.left_gb }
}

fn iso(iso: decided::PrivateIso) -> Iso {
    let decided::PrivateIso { id, project, details } = iso;
    let (description, architecture) = (details.description, details.architecture);
    Iso { id, project, description, architecture, deprecation: details.deprecation }
}

fn vswitch(known: decided::Vswitch) -> Vswitch {
    Vswitch { id: known.id, network: known.network }
}

fn fault(active: decided::ActiveFault) -> Fault {
    Fault { id: active.id, fault: active.fault }
}

fn id(kind: &str, text: &str) -> Result<Id, Refused> {
    let missing = || Error::NotFound { message: format!("{kind} with ID '{text}' not found") };
    Ok(text.parse().map_err(|_| missing())?)
}

/// `GET /stock`.
pub(super) async fn list_stock(State(admin): State<Arc<Admin>>) -> Answer<Vec<Stock>> {
    let all = admin.control.list_stock().await?;
    Ok(Shown(StatusCode::OK, all.into_iter().map(stock).collect()))
}

/// `PUT /stock`.
pub(super) async fn set_stock(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Stock> {
    let wanted: Stock = request(body).await?;
    let (kind, place) = (IdOrName::from(wanted.server_type.as_str()), IdOrName::from(wanted.location.as_str()));
    Ok(Shown(StatusCode::OK, stock(admin.control.set_stock(&kind, &place, wanted.left).await?)))
}

/// `GET /volume_space`.
pub(super) async fn list_volume_space(State(admin): State<Arc<Admin>>) -> Answer<Vec<VolumeSpace>> {
    let all = admin.control.list_volume_space().await?;
    Ok(Shown(StatusCode::OK, all.into_iter().map(volume_space).collect()))
}

/// `PUT /volume_space`.
pub(super) async fn set_volume_space(State(admin): State<Arc<Admin>>, body: Body) -> Answer<VolumeSpace> {
    let wanted: VolumeSpace = request(body).await?;
    let place = IdOrName::from(wanted.location.as_str());
    Ok(Shown(StatusCode::OK, volume_space(admin.control.set_volume_space(&place, wanted.left_gb).await?)))
}

/// `GET /isos`.
pub(super) async fn list_isos(State(admin): State<Arc<Admin>>) -> Answer<Vec<Iso>> {
    let all = admin.control.list_private_isos().await?;
    Ok(Shown(StatusCode::OK, all.into_iter().map(iso).collect()))
}

/// `POST /isos`.
pub(super) async fn create_iso(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Iso> {
    let NewIso { project, description, architecture } = request(body).await?;
    let new = decided::NewIso { project, description, architecture };
    Ok(Shown(StatusCode::CREATED, iso(admin.control.create_private_iso(new).await?)))
}

/// `DELETE /isos/{id}`.
pub(super) async fn remove_iso(State(admin): State<Arc<Admin>>, Path(text): Path<String>) -> Answer<Iso> {
    let removed = admin.control.remove_private_iso(id(Kind::Iso.label(), &text)?).await?;
    Ok(Shown(StatusCode::OK, iso(removed)))
}

/// `PUT /primary_ips/{id}/blocked`.
pub(super) async fn block(
    State(admin): State<Arc<Admin>>,
    Path(asked): Path<String>,
    RawQuery(how): RawQuery,
    body: Body,
) -> Answer<Blocked> {
    block_address(&admin, Kind::PrimaryIp, (&asked, how.as_deref()), body).await
}

/// `PUT /floating_ips/{id}/blocked`.
pub(super) async fn block_floating_ip(
    State(admin): State<Arc<Admin>>,
    Path(asked): Path<String>,
    RawQuery(how): RawQuery,
    body: Body,
) -> Answer<Blocked> {
    block_address(&admin, Kind::FloatingIp, (&asked, how.as_deref()), body).await
}

async fn block_address(admin: &Admin, kind: Kind, (asked, how): (&str, Option<&str>), body: Body) -> Answer<Blocked> {
    let Block { blocked } = request(body).await?;
    let id = admin.find(kind, asked, how).await?;
    let decided::Blocked { id, ip, blocked } = admin.control.block_address(kind, id, blocked).await?;
    Ok(Shown(StatusCode::OK, Blocked { id, ip, blocked }))
}

/// `GET /vswitches`.
pub(super) async fn list_vswitches(State(admin): State<Arc<Admin>>) -> Answer<Vec<Vswitch>> {
    let all = admin.control.list_vswitches().await?;
    Ok(Shown(StatusCode::OK, all.into_iter().map(vswitch).collect()))
}

/// `PUT /vswitches/{id}`.
pub(super) async fn add_vswitch(State(admin): State<Arc<Admin>>, Path(text): Path<String>) -> Answer<Vswitch> {
    Ok(Shown(StatusCode::OK, vswitch(admin.control.add_vswitch(id("vSwitch", &text)?).await?)))
}

/// `DELETE /vswitches/{id}`.
pub(super) async fn remove_vswitch(
    State(admin): State<Arc<Admin>>,
    Path(text): Path<String>,
) -> Result<StatusCode, Refused> {
    admin.control.remove_vswitch(id("vSwitch", &text)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /zones/{id}/delegation`.
pub(super) async fn delegate(
    State(admin): State<Arc<Admin>>,
    Path(asked): Path<String>,
    RawQuery(how): RawQuery,
    body: Body,
) -> Answer<Delegated> {
    let Delegate { registered, nameservers, registrar } = request(body).await?;
    let told = decided::NewDelegation { is_registered: registered, nameservers, registrar };
    let id = admin.find(Kind::Zone, &asked, how.as_deref()).await?;
    let decided::Delegated { id, name, status, nameservers, registrar } = admin.control.delegate_zone(id, told).await?;
    let (status, registrar) = (status.as_str().to_owned(), registrar.as_str().to_owned());
    Ok(Shown(StatusCode::OK, Delegated { id, name, status, nameservers, registrar }))
}

/// `GET /faults`.
pub(super) async fn list_faults(State(admin): State<Arc<Admin>>) -> Answer<Vec<Fault>> {
    let all = admin.control.list_faults().await?;
    Ok(Shown(StatusCode::OK, all.into_iter().map(fault).collect()))
}

/// `POST /faults`.
pub(super) async fn create_fault(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Fault> {
    let new: NewFault = request(body).await?;
    let known = crate::table::OPERATIONS.iter().any(|operation| operation.id == new.operation);
    if !known && ![EVERY_OPERATION, RENEWALS].contains(&new.operation.as_str()) {
        let message = format!("'{}' is no operation of this cloud, nor '*' or '{RENEWALS}'", new.operation);
        return Err(Error::invalid("operation", message).into());
    }
    let code = ErrorCode::parse(&new.code)
        .ok_or_else(|| Error::invalid("code", format!("'{}' is no error code", new.code)))?;
    let NewFault { operation, message, calls, permille, seed, when, .. } = new;
    let made = admin.control.create_fault(Injected { operation, code, message, calls, permille, seed, when }).await?;
    Ok(Shown(StatusCode::CREATED, fault(made)))
}

/// `DELETE /faults/{id}`.
pub(super) async fn delete_fault(
    State(admin): State<Arc<Admin>>,
    Path(text): Path<String>,
) -> Result<StatusCode, Refused> {
    admin.control.delete_fault(id("fault", &text)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /faults`.
pub(super) async fn clear_faults(State(admin): State<Arc<Admin>>) -> Answer<Cleared> {
    Ok(Shown(StatusCode::OK, Cleared { cleared: admin.control.clear_faults().await? }))
}
