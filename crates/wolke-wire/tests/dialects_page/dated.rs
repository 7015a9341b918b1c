//! Changes since the 2023 document, with the probe that says which dialects have them.

use wolke_wire::contract::{Contract, OperationContract, Schema};
use wolke_wire::{Dialect, Kind};

/// A change.
pub struct Dated {
    /// The day, or as much of it as is known.
    pub date: &'static str,
    /// What changed.
    pub what: &'static str,
    /// Whether a dialect has it; none where what it is about is not there.
    pub has: fn(Dialect) -> Option<bool>,
}

const fn dated(date: &'static str, what: &'static str, has: fn(Dialect) -> Option<bool>) -> Dated {
    Dated { date, what, has }
}

fn has_operation(dialect: Dialect, method: &str, path: &str) -> Option<bool> {
    Some(Contract::of(dialect).find(method, path).is_some_and(|operation| operation.ended.is_none()))
}

/// Follows members, through lists.
fn below<'a>(mut schema: &'a Schema, path: &str) -> Option<&'a Schema> {
    for name in path.split('.') {
        schema = schema.items().unwrap_or(schema).member(name)?;
    }
    Some(schema)
}

/// Whether a resource has a member; none where its parent is not there.
fn shows(dialect: Dialect, kind: Kind, path: &str) -> Option<bool> {
    let resource = Contract::of(dialect).resource(kind)?;
    Some(below(resource, path).is_some())
}

fn takes(dialect: Dialect, id: &str, path: &str) -> Option<bool> {
    let operation = Contract::of(dialect).operation(id)?;
    Some(operation.request.as_ref().is_some_and(|request| below(request, path).is_some()))
}

/// Whether an enumeration of a request has a word.
fn takes_word(dialect: Dialect, id: &str, path: &str, word: &str) -> Option<bool> {
    let request = Contract::of(dialect).operation(id)?.request.as_ref()?;
    Some(below(request, path)?.values().any(|known| known == word))
}

fn lacks(has: Option<bool>) -> Option<bool> {
    has.map(|has| !has)
}

/// In order.
pub const CHANGES: &[Dated] = &[
    dated("2023-05", "lists of actions for each kind: `/servers/actions`, …", |d| {
        has_operation(d, "GET", "/servers/actions")
    }),
    dated("2023-07", "networks: `expose_routes_to_vswitch`", |d| shows(d, Kind::Network, "expose_routes_to_vswitch")),
    dated("2023-07", "server types: `deprecation`", |d| shows(d, Kind::ServerType, "deprecation")),
    dated("2023-08", "actions can be sorted by `progress` no more", |d| {
        let sort = Contract::of(d).operation("list_server_actions")?.query.iter().find(|q| q.name == "sort")?;
        Some(!sort.values.iter().any(|word| &**word == "progress"))
    }),
    dated("2023-10", "ISOs: `deprecation`", |d| shows(d, Kind::Iso, "deprecation")),
    dated("2024-02", "ISOs: no `deprecated`", |d| lacks(shows(d, Kind::Iso, "deprecated"))),
    dated("2024-02", "rescue: no `linux32`", |d| lacks(takes_word(d, "server_enable_rescue", "type", "linux32"))),
    dated("2024-07-25", "server types: traffic in the `prices` of each location", |d| {
        shows(d, Kind::ServerType, "prices.included_traffic")
    }),
    dated("2024-11", "prices: no `traffic`", |d| {
        let prices = Contract::of(d).operation("get_pricing").and_then(OperationContract::success)?;
        Some(below(prices, "pricing.traffic").is_none())
    }),
    dated("2025-01-30", "`GET /actions` only by `id`, 410 without", |d| Some(!d.lists_all_actions())),
    dated("2025-02", "images: no type `temporary`", |d| {
        let image = Contract::of(d).resource(Kind::Image)?;
        Some(!below(image, "type")?.values().any(|word| word == "temporary"))
    }),
    dated("2025-06-25", "storage boxes", |d| has_operation(d, "GET", "/storage_boxes")),
    dated("2025-08", "server types: `category`", |d| shows(d, Kind::ServerType, "category")),
    dated("2025-08-04", "firewalls: taking one off twice is no error", |d| {
        Contract::of(d).operation("firewall_remove_from_resources").map(|_| !d.refuses_removal_of_absent_firewall())
    }),
    dated("2025-09", "networks: `ip_range` when a server is attached", |d| {
        takes(d, "server_attach_to_network", "ip_range")
    }),
    dated("2025-09-24", "server types: `locations`", |d| shows(d, Kind::ServerType, "locations")),
    dated("2025-10-07", "DNS zones", |d| has_operation(d, "GET", "/zones")),
    dated("2025-11", "record sets: `update_records`", |d| {
        has_operation(d, "POST", "/zones/{zone}/rrsets/{name}/{type}/actions/update_records")
    }),
    dated("2025-12", "primary IPs: lists of their actions", |d| has_operation(d, "GET", "/primary_ips/{id}/actions")),
    dated("2025-12-16", "servers, primary IPs: `location` beside `datacenter`", |d| shows(d, Kind::Server, "location")),
    dated("2026-01-23", "rebuild: `user_data`", |d| takes(d, "server_rebuild", "user_data")),
    dated("2026-04-01", "server types: `locations[].available`, `.recommended`", |d| {
        shows(d, Kind::ServerType, "locations.available")
    }),
    dated("2026-04-27", "primary IPs: `assignee_type` may be left out of a create", |d| {
        let request = Contract::of(d).operation("create_primary_ip")?.request.as_ref()?;
        Some(!request.requires("assignee_type"))
    }),
    dated("2026-04-30", "load balancers: `services[].http.timeout_idle`", |d| {
        shows(d, Kind::LoadBalancer, "services.http.timeout_idle")
    }),
    dated("2026-05-01", "floating and primary IPs: assigned ones are not deleted", |d| {
        Some(d.refuses_delete_of_assigned_ip())
    }),
    dated("2026-07", "load balancer types: `deprecation`", |d| shows(d, Kind::LoadBalancerType, "deprecation")),
    dated("2026-07-01", "servers, primary IPs: no `datacenter`", |d| lacks(shows(d, Kind::Server, "datacenter"))),
    dated("2026-08-01", "primary IPs: `assignee_type` is `unassigned` without an assignee", |d| {
        Contract::of(d).resource(Kind::PrimaryIp).map(|_| d.reports_unassigned())
    }),
    dated("2026-09-08", "images: `deprecation`", |d| shows(d, Kind::Image, "deprecation")),
    dated("2026-09-08", "images: no `deprecated`", |d| lacks(shows(d, Kind::Image, "deprecated"))),
    dated("2026-10", "networks: `GET /networks/{id}/members`", |d| has_operation(d, "GET", "/networks/{id}/members")),
    dated("2026-10", "load balancers: `detail` and `http_status_code` of unhealthy targets", |d| {
        shows(d, Kind::LoadBalancer, "targets.health_status.detail")
    }),
    dated("2026-10-01", "`/datacenters` has ended, 410", |d| lacks(has_operation(d, "GET", "/datacenters"))),
    dated("2026-10-05", "load balancers: `public_net` when created, `id` and `blocked` of addresses", |d| {
        takes(d, "create_load_balancer", "public_net")
    }),
    dated("2026-10-05", "primary IPs: load balancers have them, too", |d| {
        Contract::of(d).resource(Kind::PrimaryIp).map(|_| !d.hides_primary_ips_of_load_balancers())
    }),
    dated("2026-10-05", "load balancers: deleting one is an action", |d| {
        let delete = Contract::of(d).operation("delete_load_balancer")?;
        Some(delete.success().is_some())
    }),
];
