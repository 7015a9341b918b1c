//! What chance does not bring about in a run: things that must be just so before an operation can be granted.

use crate::drive::Drive;
use crate::request::Draft;
use serde_json::{Value, json};

impl Drive<'_> {
    /// Plays all scenes that the dialect has.
    pub async fn scenes(&mut self) {
        self.an_address_for_a_bare_server().await;
        self.a_load_balancer_that_hides().await;
        self.sets_in_zones_of_both_modes().await;
        self.an_image_of_our_own().await;
        self.a_network_that_grows().await;
        self.targets_of_a_load_balancer().await;
        self.a_storage_box_of_yesterday().await;
        self.a_server_that_comes_and_goes().await;
        self.a_service().await;
        self.what_is_put_on_and_off().await;
    }

    /// One request of a scene, and what it made; none where the dialect lacks it or it is refused.
    async fn act(&mut self, operation: &str, parameters: &[&Value], body: Value) -> Option<Value> {
        let planned = self.plan.operations.iter().find(|planned| planned.operation.id == operation)?;
        let parameters = parameters.iter().map(|id| crate::pool::text_of(id)).collect();
        let draft =
            Draft { parameters, query: Vec::new(), body: Some(body).filter(|body| !body.is_null()), is_plain: true };
        let request = draft.request(planned);
        let answer = self.ask(planned, &request).await;
        if answer.status >= 300 {
            return None;
        }
        self.pool.learn(self.plan, &answer.json);
        answer.json.as_object()?.values().next().cloned()
    }

    fn name(&mut self) -> String {
        self.fresh += 1;
        format!("scene-{}", self.fresh)
    }

    /// A primary IP is assigned to a server that is off and has none of its family.
    async fn an_address_for_a_bare_server(&mut self) {
        let server = json!({"name": self.name(), "server_type": "cpx22", "image": "debian-12", "location": "fsn1",
            "start_after_create": false, "public_net": {"enable_ipv4": false, "enable_ipv6": false}});
        let Some(server) = self.act("create_server", &[], server).await else { return };
        let at = self.plan.operations.iter().find(|planned| planned.operation.id == "create_primary_ip");
        let has_location =
            at.and_then(|at| at.body.as_ref()).is_some_and(|body| body["properties"]["location"].is_object());
        let (member, place) = if has_location { ("location", "fsn1") } else { ("datacenter", "fsn1-dc14") };
        let address = json!({"name": self.name(), "type": "ipv4", "assignee_type": "server", member: place});
        let Some(address) = self.act("create_primary_ip", &[], address).await else { return };
        let assignee = json!({"assignee_id": server["id"], "assignee_type": "server"});
        self.act("primary_ip_assign", &[&address["id"]], assignee).await;
    }

    /// A load balancer is in a network, closes its public side, opens it again and leaves.
    async fn a_load_balancer_that_hides(&mut self) {
        let subnet = json!({"type": "cloud", "network_zone": "eu-central", "ip_range": "10.0.1.0/24"});
        let network = json!({"name": self.name(), "ip_range": "10.0.0.0/16", "subnets": [subnet]});
        let Some(network) = self.act("create_network", &[], network).await else { return };
        let balancer = json!({"name": self.name(), "load_balancer_type": "lb11", "network_zone": "eu-central",
            "algorithm": {"type": "round_robin"}, "network": network["id"]});
        let Some(balancer) = self.act("create_load_balancer", &[], balancer).await else { return };
        let id = &balancer["id"];
        self.act("load_balancer_disable_public_interface", &[id], Value::Null).await;
        self.act("load_balancer_enable_public_interface", &[id], Value::Null).await;
        self.act("load_balancer_detach_from_network", &[id], json!({"network": network["id"]})).await;
    }

    /// Sets live in a zone of our own; one that is a copy of another server's refuses everything that is about them.
    async fn sets_in_zones_of_both_modes(&mut self) {
        for mode in ["primary", "secondary"] {
            let mut zone = json!({"name": format!("{}.com", self.name()), "mode": mode});
            if mode == "secondary" {
                zone["primary_nameservers"] = json!([{"address": "203.0.113.1"}]);
            }
            let Some(zone) = self.act("create_zone", &[], zone).await else { return };
            let (id, set, kind) = (&zone["id"], json!("www"), json!("A"));
            let path = [id, &set, &kind];
            let records = |last: usize| json!({"records": [{"value": format!("192.0.2.{last}"), "comment": "a"}]});
            let new = json!({"name": "www", "type": "A", "records": records(1)["records"]});
            self.act("create_zone_rrset", &[id], new).await;
            let nameservers = json!({"primary_nameservers": [{"address": "203.0.113.2"}]});
            self.act("zone_change_primary_nameservers", &[id], nameservers).await;
            self.act("zone_rrset_add_records", &path, records(2)).await;
            self.act("zone_rrset_update_records", &path, records(2)).await;
            self.act("zone_rrset_remove_records", &path, records(2)).await;
            self.act("zone_rrset_set_records", &path, records(3)).await;
            self.act("zone_rrset_change_ttl", &path, json!({"ttl": 300})).await;
            self.act("update_zone_rrset", &path, json!({"labels": {}})).await;
            self.act("get_zone_rrset", &path, Value::Null).await;
            self.act("zone_rrset_change_protection", &path, json!({"change": true})).await;
            self.act("zone_rrset_change_protection", &path, json!({"change": false})).await;
            self.act("delete_zone_rrset", &path, Value::Null).await;
        }
    }

    /// A snapshot is changed: nothing else of the images can be.
    async fn an_image_of_our_own(&mut self) {
        let server = json!({"name": self.name(), "server_type": "cpx22", "image": "debian-12", "location": "fsn1"});
        let Some(server) = self.act("create_server", &[], server).await else { return };
        let snapshot = json!({"type": "snapshot", "description": "ours"});
        self.act("server_create_image", &[&server["id"]], snapshot).await;
        let images = self.world.see("/images?type=snapshot").await;
        self.pool.learn(self.plan, &images);
        let Some(image) = images["images"].as_array().and_then(|images| images.first()).cloned() else { return };
        self.act("update_image", &[&image["id"]], json!({"description": "ours, later"})).await;
        self.act("image_change_protection", &[&image["id"]], json!({"delete": true})).await;
        self.act("delete_image", &[&image["id"]], Value::Null).await;
        self.act("image_change_protection", &[&image["id"]], json!({"delete": false})).await;
        self.act("delete_image", &[&image["id"]], Value::Null).await;
    }

    /// The ways in which a load balancer refuses targets.
    async fn targets_of_a_load_balancer(&mut self) {
        let server = json!({"name": self.name(), "server_type": "cpx22", "image": "debian-12", "location": "fsn1",
            "start_after_create": false, "public_net": {"enable_ipv4": false, "enable_ipv6": true}});
        let balancer = json!({"name": self.name(), "load_balancer_type": "lb11", "network_zone": "eu-central",
            "algorithm": {"type": "round_robin"}});
        let subnet = json!({"type": "cloud", "network_zone": "eu-central", "ip_range": "10.0.1.0/24"});
        let network = json!({"name": self.name(), "ip_range": "10.0.0.0/16", "subnets": [subnet]});
        let Some(balancer) = self.act("create_load_balancer", &[], balancer).await else { return };
        let Some(server) = self.act("create_server", &[], server).await else { return };
        let Some(network) = self.act("create_network", &[], network).await else { return };
        let (id, here) = (&balancer["id"], &server["id"]);
        let target = |private: bool| json!({"type": "server", "server": {"id": here}, "use_private_ip": private});
        // Without an IPv4 address, without a network, with one that the server lacks, and then twice.
        self.act("load_balancer_add_target", &[id], target(false)).await;
        self.act("load_balancer_add_target", &[id], target(true)).await;
        self.act("load_balancer_attach_to_network", &[id], json!({"network": network["id"]})).await;
        self.act("load_balancer_add_target", &[id], target(true)).await;
        self.act("load_balancer_disable_public_interface", &[id], Value::Null).await;
        self.act("load_balancer_add_target", &[id], target(false)).await;
        self.act("server_attach_to_network", &[here], json!({"network": network["id"]})).await;
        self.act("load_balancer_add_target", &[id], target(true)).await;
        self.act("load_balancer_add_target", &[id], target(true)).await;
        self.act("load_balancer_add_target", &[id], json!({"type": "ip", "ip": {"ip": "203.0.113.99"}})).await;
        self.act("load_balancer_remove_target", &[id], json!({"type": "server", "server": {"id": here}})).await;
    }

    /// A network gets a wider range, a route and a subnet, and loses both.
    async fn a_network_that_grows(&mut self) {
        let network = json!({"name": self.name(), "ip_range": "10.0.0.0/24"});
        let Some(network) = self.act("create_network", &[], network).await else { return };
        let id = &network["id"];
        self.act("network_change_ip_range", &[id], json!({"ip_range": "10.0.0.0/8"})).await;
        let route = json!({"destination": "10.100.1.0/24", "gateway": "10.0.1.1"});
        self.act("network_add_route", &[id], route.clone()).await;
        self.act("network_delete_route", &[id], route).await;
        let subnet = json!({"type": "cloud", "network_zone": "eu-central", "ip_range": "10.0.1.0/24"});
        self.act("network_add_subnet", &[id], subnet).await;
        self.act("network_delete_subnet", &[id], json!({"ip_range": "10.0.1.0/24"})).await;
    }

    /// A storage box goes back to its snapshot.
    async fn a_storage_box_of_yesterday(&mut self) {
        let wanted = json!({"name": self.name(), "storage_box_type": "bx11", "location": "fsn1",
            "password": "Correct-Horse-1-battery"});
        let Some(storage) = self.act("create_storage_box", &[], wanted).await else { return };
        let id = &storage["id"];
        let Some(snapshot) = self.act("create_storage_box_snapshot", &[id], json!({})).await else { return };
        self.act("storage_box_rollback_snapshot", &[id], json!({"snapshot": snapshot["id"]})).await;
        self.act("delete_storage_box_snapshot", &[id, &snapshot["id"]], Value::Null).await;
    }

    /// A server joins a network, gets aliases there, leaves it, and changes its type while it is off.
    async fn a_server_that_comes_and_goes(&mut self) {
        let server = json!({"name": self.name(), "server_type": "cpx22", "image": "debian-12", "location": "fsn1"});
        let Some(server) = self.act("create_server", &[], server).await else { return };
        let here = &server["id"];
        self.act("server_poweroff", &[here], Value::Null).await;
        self.act("server_change_type", &[here], json!({"server_type": "cpx32", "upgrade_disk": false})).await;
        let subnet = json!({"type": "cloud", "network_zone": "eu-central", "ip_range": "10.0.1.0/24"});
        let network = json!({"name": self.name(), "ip_range": "10.0.0.0/16", "subnets": [subnet]});
        let Some(network) = self.act("create_network", &[], network).await else { return };
        let id = &network["id"];
        self.act("server_attach_to_network", &[here], json!({"network": id})).await;
        self.act("server_change_alias_ips", &[here], json!({"network": id, "alias_ips": ["10.0.1.100"]})).await;
        self.act("server_detach_from_network", &[here], json!({"network": id})).await;
    }

    /// A load balancer gets a service, changes it and loses it.
    async fn a_service(&mut self) {
        let balancer = json!({"name": self.name(), "load_balancer_type": "lb11", "network_zone": "eu-central",
            "algorithm": {"type": "round_robin"}});
        let Some(balancer) = self.act("create_load_balancer", &[], balancer).await else { return };
        let id = &balancer["id"];
        let service = json!({"protocol": "tcp", "listen_port": 22, "destination_port": 22, "proxyprotocol": false,
            "health_check": {"protocol": "tcp", "port": 22, "interval": 15, "timeout": 10, "retries": 3}});
        self.act("load_balancer_add_service", &[id], service.clone()).await;
        self.act("load_balancer_update_service", &[id], service).await;
        self.act("load_balancer_delete_service", &[id], json!({"listen_port": 22})).await;
    }

    /// A firewall is applied to a server and taken from it; a volume grows.
    async fn what_is_put_on_and_off(&mut self) {
        let server = json!({"name": self.name(), "server_type": "cpx22", "image": "debian-12", "location": "fsn1"});
        let Some(server) = self.act("create_server", &[], server).await else { return };
        let volume = json!({"name": self.name(), "size": 10, "location": "fsn1"});
        let Some(volume) = self.act("create_volume", &[], volume).await else { return };
        self.act("volume_resize", &[&volume["id"]], json!({"size": 20})).await;
        let firewall = json!({"name": self.name()});
        let Some(firewall) = self.act("create_firewall", &[], firewall).await else { return };
        let on = json!([{"type": "server", "server": {"id": server["id"]}}]);
        self.act("firewall_apply_to_resources", &[&firewall["id"]], json!({"apply_to": on})).await;
        self.act("firewall_remove_from_resources", &[&firewall["id"]], json!({"remove_from": on})).await;
    }
}
