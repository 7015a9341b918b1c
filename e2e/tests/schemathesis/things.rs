//! A project with one of everything, and a second one of everything that may be deleted.

use e2e::api::{actions_in, expect, wait_action, wait_success};
use e2e::http::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wolke_wire::Timestamp;

/// Keys of nobody.
pub const PUBLIC_KEYS: [&str; 2] = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB kept",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC other",
];
/// What has actions.
const ACTED_ON: [&str; 11] = [
    "certificates",
    "firewalls",
    "floating_ips",
    "images",
    "load_balancers",
    "networks",
    "primary_ips",
    "servers",
    "storage_boxes",
    "volumes",
    "zones",
];

/// A password that all rules take.
pub const PASSWORD: &str = "Correct-Horse-1-battery";

/// What is kept, and what may go, by the path of its list.
pub struct Things {
    pub kept: BTreeMap<String, Vec<Value>>,
    pub victims: BTreeMap<String, Vec<Value>>,
    /// Addresses of what is kept, by the path of its list.
    pub addresses: BTreeMap<&'static str, String>,
    /// A minute in which everything was there: its begin and its end.
    pub minute: [String; 2],
    /// Operations that need something of a state of its own: its id.
    pub special: BTreeMap<&'static str, Value>,
}

impl Things {
    /// Makes them.
    ///
    /// # Panics
    /// When something is refused.
    pub fn make(client: &mut Client) -> Self {
        let mut things = Self {
            kept: BTreeMap::new(),
            victims: BTreeMap::new(),
            addresses: BTreeMap::new(),
            minute: Default::default(),
            special: BTreeMap::new(),
        };
        let network = things.pair(client, "networks", &|name| {
            json!({"name": name, "ip_range": "10.0.0.0/16", "subnets": [
                {"type": "cloud", "network_zone": "eu-central", "ip_range": "10.0.1.0/24"}]})
        });
        let server = things.pair(client, "servers", &|name| {
            json!({"name": name, "server_type": "cpx22", "image": "debian-12", "location": "fsn1",
                "networks": [network]})
        });
        let spread = |name: &str| json!({"name": name, "type": "spread"});
        things.pair(client, "placement_groups", &spread);
        things.pair(client, "firewalls", &|name| json!({"name": name}));
        things.pair(client, "volumes", &|name| json!({"name": name, "size": 10, "location": "fsn1"}));
        things.pair(client, "floating_ips", &|name| json!({"name": name, "type": "ipv4", "home_location": "fsn1"}));
        things.pair(
            client,
            "primary_ips",
            &|name| json!({"name": name, "type": "ipv4", "assignee_type": "server", "location": "fsn1"}),
        );
        let key = |name: &str| json!({"name": name, "public_key": PUBLIC_KEYS[usize::from(name == "victim")]});
        things.pair(client, "ssh_keys", &key);
        things.pair(client, "load_balancers", &|name| {
            json!({"name": name, "load_balancer_type": "lb11", "network_zone": "eu-central", "network": network,
                "services": [{"protocol": "tcp", "listen_port": 22, "destination_port": 22}],
                "targets": [{"type": "server", "server": {"id": server}, "use_private_ip": true}]})
        });
        let zone = things.pair(client, "zones", &|name| json!({"name": format!("{name}.com"), "mode": "primary"}));
        things.pair(
            client,
            "certificates",
            &|name| json!({"name": name, "type": "managed", "domain_names": ["kept.com"]}),
        );
        let set = |name: &str| json!({"name": name, "type": "A", "records": [{"value": "192.0.2.1"}]});
        things.pair(client, &format!("zones/{zone}/rrsets"), &set);
        let storage = things.pair(
            client,
            "storage_boxes",
            &|name| json!({"name": name, "storage_box_type": "bx11", "location": "fsn1", "password": PASSWORD}),
        );
        let below = |what: &str| format!("storage_boxes/{storage}/{what}");
        things.pair(client, &below("snapshots"), &|name| json!({"description": name}));
        let account = |name: &str| json!({"name": name, "home_directory": name, "password": PASSWORD});
        things.pair(client, &below("subaccounts"), &account);
        let snapshot = format!("/v1/servers/{server}/actions/create_image");
        for into in [&mut things.kept, &mut things.victims] {
            let made = expect(client.post(&snapshot, &json!({"type": "snapshot"})), 201);
            wait_success(client, &made);
            into.insert("images".into(), vec![made["image"]["id"].clone()]);
        }
        things.specials(client, &network);
        things.look(client);
        things
    }

    /// What is in a state that an operation needs.
    fn specials(&mut self, client: &mut Client, network: &Value) {
        let bare = json!({"name": "bare", "server_type": "cpx22", "image": "debian-12", "location": "fsn1",
            "start_after_create": false, "public_net": {"enable_ipv4": false, "enable_ipv6": false}});
        let hidden =
            json!({"name": "hidden", "load_balancer_type": "lb11", "network_zone": "eu-central", "network": network});
        let copy =
            json!({"name": "copy.com", "mode": "secondary", "primary_nameservers": [{"address": "203.0.113.1"}]});
        let failed = json!({"name": "failed", "type": "managed", "domain_names": ["of-no-zone.org"]});
        let uses: [(&str, Value, &[&str]); 4] = [
            ("servers", bare, &["server_change_type", "server_add_to_placement_group", "primary_ip_assign"]),
            ("load_balancers", hidden, &["load_balancer_disable_public_interface"]),
            ("zones", copy, &["zone_change_primary_nameservers"]),
            ("certificates", failed, &["certificate_retry"]),
        ];
        for (list, body, operations) in uses {
            let made = expect(client.post(&format!("/v1/{list}"), &body), 201);
            actions_in(&made).into_iter().for_each(|action| drop(wait_action(client, action)));
            let id = &made[list.trim_end_matches('s')]["id"];
            operations.iter().for_each(|operation| drop(self.special.insert(operation, id.clone())));
        }
    }

    /// Makes two of a kind; gives the id of the one that is kept.
    fn pair(&mut self, client: &mut Client, list: &str, body: &dyn Fn(&str) -> Value) -> Value {
        // What is kept is the newer one: going back to a snapshot takes all that are newer.
        for (name, into) in [("victim", &mut self.victims), ("kept", &mut self.kept)] {
            let made = expect(client.post(&format!("/v1/{list}"), &body(name)), 201);
            wait_success(client, &made);
            let members = made.as_object().expect("an object");
            let is_thing =
                |(name, _): &(&String, &Value)| !["action", "next_actions", "actions"].contains(&name.as_str());
            let thing = members.iter().find(is_thing).expect("a thing").1;
            into.insert(list.to_owned(), vec![thing["id"].clone()]);
        }
        self.kept[list][0].clone()
    }

    /// Notes what there is beside what was made.
    fn look(&mut self, client: &mut Client) {
        // Some have no actions by themselves.
        for list in ["volumes", "primary_ips", "floating_ips", "images", "networks"] {
            let path = format!("/v1/{list}/{}/actions/change_protection", self.id(list));
            expect(client.post(&path, &json!({"delete": false})), 201);
        }
        let path = format!("/v1/firewalls/{}/actions/set_rules", self.id("firewalls"));
        expect(client.post(&path, &json!({"rules": []})), 201);
        self.note_actions(client);
        let seen = expect(client.get(&format!("/v1/load_balancers/{}", self.id("load_balancers"))), 200);
        let created: Timestamp = serde_json::from_value(seen["load_balancer"]["created"].clone()).expect("a time");
        self.minute = [created, Timestamp(created.0 + 60_000)].map(|time| time.to_string());
        for list in ["locations", "datacenters", "server_types", "load_balancer_types", "isos", "storage_box_types"] {
            let seen = expect(client.get(&format!("/v1/{list}?per_page=50")), 200);
            let ids = seen[list].as_array().expect("a list").iter().map(|thing| thing["id"].clone());
            self.kept.insert(list.to_owned(), ids.collect());
        }
        for (list, member) in [
            ("servers", "/server/public_net/ipv4/ip"),
            ("load_balancers", "/load_balancer/public_net/ipv4/ip"),
            ("floating_ips", "/floating_ip/ip"),
            ("primary_ips", "/primary_ip/ip"),
        ] {
            let seen = expect(client.get(&format!("/v1/{list}/{}", self.kept[list][0])), 200);
            let address = seen.pointer(member).and_then(Value::as_str).expect("an address");
            self.addresses.insert(list, address.to_owned());
        }
    }

    /// The ids of actions about what is kept of a list.
    fn note_actions(&mut self, client: &mut Client) {
        for list in ACTED_ON {
            let about = self.id(list);
            let seen = expect(client.get(&format!("/v1/{list}/{about}/actions?per_page=50")), 200);
            let ids = seen["actions"].as_array().expect("a list").iter().map(|action| action["id"].clone());
            self.kept.insert(format!("{list}/actions"), ids.collect());
        }
    }

    /// The id of what is kept of a list.
    pub fn id(&self, list: &str) -> Value {
        self.kept.get(list).and_then(|ids| ids.first()).cloned().unwrap_or_default()
    }
}
