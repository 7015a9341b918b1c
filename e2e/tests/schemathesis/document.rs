//! The server's document, told what there is: ids in paths, and bodies that can succeed. Nothing that the document promises
//! is changed.

use crate::things::{PASSWORD, PUBLIC_KEYS, Things};
use serde_json::{Value, json};

/// Puts real ids and bodies into a document.
pub fn tell(document: &mut Value, things: &Things) {
    let paths = document["paths"].as_object_mut().expect("paths");
    for (path, item) in paths.iter_mut() {
        for (verb, operation) in item.as_object_mut().expect("operations") {
            let from = if verb == "delete" { &things.victims } else { &things.kept };
            let mut noun = String::new();
            let mut places = Vec::new();
            for segment in path.split('/').skip(1) {
                match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => places.push((name.to_owned(), noun.clone())),
                    None => noun = segment.to_owned(),
                }
            }
            let id = operation["operationId"].as_str().expect("an id").to_owned();
            let first = path.split('/').nth(1).unwrap_or_default();
            for (at, (name, noun)) in places.iter().enumerate() {
                let is_last = at + 1 == places.len() || name.starts_with("rr_");
                let of = if is_last { from } else { &things.kept };
                let ids = match things.special.get(id.as_str()).filter(|_| at == 0 && first != "primary_ips") {
                    Some(id) => vec![if name.starts_with("id_or_") { json!(id.to_string()) } else { id.clone() }],
                    None if noun == "actions" => {
                        things.kept.get(&format!("{first}/actions")).cloned().unwrap_or_default()
                    }
                    None => values(name, noun, of),
                };
                let parameters = operation["parameters"].as_array_mut().expect("parameters");
                let parameter = parameters.iter_mut().find(|one| one["name"] == name.as_str()).expect("a parameter");
                if !ids.is_empty() {
                    parameter["schema"]["enum"] = json!(ids);
                }
            }
            for parameter in operation["parameters"].as_array_mut().expect("parameters") {
                if let Some(at) = ["start", "end"].iter().position(|name| parameter["name"] == *name) {
                    parameter["schema"]["examples"] = json!([things.minute[at]]);
                }
            }
            if let Some(example) = body(&id, things) {
                operation["requestBody"]["content"]["application/json"]["example"] = example;
            }
        }
    }
}

/// What stands for things of a noun in a parameter of this name.
fn values(name: &str, noun: &str, of: &std::collections::BTreeMap<String, Vec<Value>>) -> Vec<Value> {
    let found = of.iter().find(|(list, _)| list.rsplit('/').next() == Some(noun));
    let ids = found.map(|(_, ids)| ids.clone()).unwrap_or_default();
    // The id of a set is its name and its type.
    let part =
        |at: usize| ids.iter().filter_map(|id| id.as_str()?.split('/').nth(at)).map(|part| json!(part)).collect();
    match name {
        "rr_name" => part(0),
        "rr_type" => part(1),
        _ if name.starts_with("id_or_") => ids.iter().map(|id| json!(id.to_string())).collect(),
        _ => ids,
    }
}

/// A body with which an operation can succeed, at least once.
fn body(operation: &str, things: &Things) -> Option<Value> {
    let id = |list: &str| things.id(list);
    let dns = |list: &str| json!({"ip": things.addresses[list], "dns_ptr": "host.example.com"});
    let place = json!({"location": "fsn1", "name": "made"});
    let with = |more: Value| {
        let mut body = place.clone();
        body.as_object_mut().into_iter().for_each(|body| body.extend(more.as_object().cloned().unwrap_or_default()));
        body
    };
    let named = |more: Value| {
        let mut body = with(more);
        body.as_object_mut().into_iter().for_each(|body| drop(body.remove("location")));
        body
    };
    let records = json!({"records": [{"value": "192.0.2.1", "comment": ""}]});
    let to = json!([{"type": "label_selector", "label_selector": {"selector": "role=web"}}]);
    let service = json!({"protocol": "tcp", "listen_port": 443, "destination_port": 443, "proxyprotocol": false,
        "health_check": {"protocol": "tcp", "port": 443, "interval": 15, "timeout": 10, "retries": 3}});
    Some(match operation {
        "create_server" => with(json!({"server_type": "cpx22", "image": "debian-12"})),
        "create_volume" => with(json!({"size": 10})),
        "create_primary_ip" => with(json!({"type": "ipv6", "assignee_type": "server"})),
        "create_storage_box" => with(json!({"storage_box_type": "bx11", "password": PASSWORD})),
        "create_load_balancer" => with(json!({"load_balancer_type": "lb11", "algorithm": {"type": "round_robin"}})),
        "create_floating_ip" => json!({"type": "ipv6", "home_location": "fsn1"}),
        "create_network" => named(json!({"ip_range": "10.0.0.0/16"})),
        "create_placement_group" => named(json!({"type": "spread"})),
        "create_certificate" => named(json!({"type": "managed", "domain_names": ["kept.com"]})),
        "create_firewall" => named(json!({"rules": []})),
        "create_ssh_key" => named(json!({"public_key": PUBLIC_KEYS[0].replace("AEBAQ", "AEDAw")})),
        "create_zone" => json!({"name": "made.com", "mode": "primary"}),
        "create_zone_rrset" => json!({"name": "made", "type": "A", "records": records["records"]}),
        "create_storage_box_snapshot" => json!({"description": "made"}),
        "create_storage_box_subaccount" => json!({"home_directory": "made", "password": PASSWORD}),
        "certificate_retry" => return None,
        "firewall_apply_to_resources" => json!({"apply_to": to}),
        "firewall_remove_from_resources" => json!({"remove_from": to}),
        "firewall_set_rules" => json!({"rules": [
            {"direction": "in", "protocol": "tcp", "port": "22", "source_ips": ["0.0.0.0/0", "::/0"]}]}),
        "floating_ip_assign" | "volume_attach" => json!({"server": id("servers")}),
        "floating_ip_change_dns_ptr" => dns("floating_ips"),
        "load_balancer_change_dns_ptr" => dns("load_balancers"),
        "primary_ip_change_dns_ptr" => dns("primary_ips"),
        "server_change_dns_ptr" => dns("servers"),
        "load_balancer_add_service" => service,
        "load_balancer_update_service" => json!({"listen_port": 22, "destination_port": 2222}),
        "load_balancer_delete_service" => json!({"listen_port": 443}),
        "load_balancer_add_target" | "load_balancer_remove_target" => {
            json!({"type": "label_selector", "label_selector": {"selector": "role=web"}, "use_private_ip": true})
        }
        "load_balancer_change_algorithm" => json!({"type": "least_connections"}),
        "load_balancer_change_type" => json!({"load_balancer_type": "lb11"}),
        "load_balancer_attach_to_network" | "server_attach_to_network" => json!({"network": id("networks")}),
        "load_balancer_detach_from_network" | "server_detach_from_network" => json!({"network": id("networks")}),
        "server_change_alias_ips" => json!({"network": id("networks"), "alias_ips": ["10.0.1.200"]}),
        "network_add_route" | "network_delete_route" => json!({"destination": "10.100.1.0/24", "gateway": "10.0.1.1"}),
        "network_add_subnet" => json!({"type": "cloud", "network_zone": "eu-central", "ip_range": "10.0.2.0/24"}),
        "network_delete_subnet" => json!({"ip_range": "10.0.2.0/24"}),
        "network_change_ip_range" => json!({"ip_range": "10.0.0.0/8"}),
        "primary_ip_assign" => json!({"assignee_id": things.special["primary_ip_assign"], "assignee_type": "server"}),
        "server_add_to_placement_group" => json!({"placement_group": id("placement_groups")}),
        "server_attach_iso" => json!({"iso": id("isos")}),
        "server_change_type" => json!({"server_type": "cpx32", "upgrade_disk": false}),
        "server_rebuild" => json!({"image": "debian-12"}),
        "server_change_protection" => json!({"delete": false, "rebuild": false}),
        "server_create_image" => json!({"type": "snapshot"}),
        "storage_box_change_type" => json!({"storage_box_type": "bx21"}),
        "storage_box_enable_snapshot_plan" => json!({"max_snapshots": 3, "minute": 0, "hour": 3}),
        "storage_box_reset_password" | "storage_box_subaccount_reset_subaccount_password" => {
            json!({"password": PASSWORD})
        }
        "storage_box_rollback_snapshot" => {
            let snapshots = things.kept.iter().find(|(list, _)| list.ends_with("/snapshots"));
            json!({"snapshot": snapshots.map(|(_, ids)| ids[0].to_string())})
        }
        "storage_box_subaccount_change_home_directory" => json!({"home_directory": "other"}),
        "volume_resize" => json!({"size": 20}),
        "zone_change_ttl" | "zone_rrset_change_ttl" => json!({"ttl": 300}),
        "zone_import_zonefile" => {
            json!({"zonefile": "@ IN SOA hydrogen.ns.hetzner.com. dns.hetzner.com. 2026112100 86400 10800 3600000 3600\n\
            @ IN NS hydrogen.ns.hetzner.com.\n@ IN NS oxygen.ns.hetzner.com.\n@ IN NS helium.ns.hetzner.de.\n\
            kept IN A 192.0.2.1\nvictim IN A 192.0.2.1\n"})
        }
        "zone_rrset_set_records" | "zone_rrset_update_records" => records,
        "zone_rrset_add_records" | "zone_rrset_remove_records" => {
            json!({"records": [{"value": "192.0.2.7", "comment": ""}]})
        }
        _ => return None,
    })
}
