//! Actions that are done in their answer obey the operator: they take time where a latency profile says so, and fail where a
//! fault does. Every such operation of the table, once.

use super::operator::Operator;
use crate::common::{Setup, World, server};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use wolke_control::Simulation;
use wolke_control::clock::Jump;
use wolke_domain::clock::ClockMode;
use wolke_host::work::ACTIONS;
use wolke_host::{LatencyProfile, Policy, Work};
use wolke_http::operation::Verb;
use wolke_http::table::OPERATIONS;
use wolke_wire::Dialect;

/// How long every action takes, in milliseconds.
pub const TAKES_MS: u32 = 4_000;
pub const PASSWORD: &str = "1-secret-PASSW0RD";
/// What every failed action says.
const MESSAGE: &str = "the cable was pulled";
/// Tables that may change with a failed action: itself, and what counts.
const OF_ACTIONS: [&str; 6] = ["actions", "action_resource", "action_count", "action_sweep", "counter", "meta"];

/// A request: the id of its operation, its path, its body.
type Asked = (&'static str, String, Value);

fn pace(ms: u32) -> Simulation {
    let profile = ACTIONS.iter().fold(LatencyProfile::none(), |profile, (name, ..)| {
        profile.with(Work::action(name).unwrap(), Policy::After { ms })
    });
    Simulation { profile, ..Simulation::default() }
}

pub fn set_pace(world: &World, ms: Option<u32>) {
    world.control.set_simulation(ms.map_or_else(Simulation::default, pace));
}

pub async fn pass(world: &World, ms: i64) {
    world.control.jump_clock(Jump::By(ms)).await.unwrap();
}

/// The actions of an answer, in its order.
pub fn actions(answer: &Value) -> Vec<Value> {
    let one = answer.get("action").filter(|action| !action.is_null());
    let many = ["actions", "next_actions"].into_iter().filter_map(|member| answer.get(member)?.as_array());
    one.into_iter().chain(many.flatten()).cloned().collect()
}

async fn now(world: &World, actions: &[Value]) -> Vec<Value> {
    let mut seen = Vec::new();
    for action in actions {
        seen.push(world.see(&format!("/actions/{}", action["id"])).await["action"].clone());
    }
    seen
}

#[track_caller]
pub fn all(actions: &[Value], status: &str, what: &str) {
    assert!(!actions.is_empty(), "{what} has no action");
    assert!(actions.iter().all(|action| action["status"] == status), "{what}: {actions:#?}");
}

#[track_caller]
fn all_failed(actions: &[Value], what: &str) {
    all(actions, "error", what);
    for action in actions {
        assert_eq!(action["error"], json!({"code": "action_failed", "message": MESSAGE}), "{what}");
        assert_eq!(action["progress"], 100, "{what}");
    }
}

/// Everything in the database but actions.
async fn everything(world: &World) -> String {
    world.control.db().read(wolke_store::invariant::check).await.unwrap();
    let dump = world.control.db().read(wolke_store::dump).await.unwrap();
    let mut kept = String::new();
    let mut is_kept = true;
    for line in dump.lines() {
        if !line.starts_with(' ') {
            is_kept = !OF_ACTIONS.contains(&line);
        }
        if is_kept {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

async fn ask(world: &World, (id, path, body): &Asked) -> crate::common::Answer {
    let operation = OPERATIONS.iter().find(|operation| operation.id == *id).unwrap();
    match operation.verb {
        Verb::Delete => world.delete(path).await,
        _ => world.post(path, body.clone()).await,
    }
}

/// Something of everything, and a request to every operation whose action is done in its answer, in an order in which each can
/// succeed.
#[expect(clippy::too_many_lines, reason = "one list of one request per operation, which is read from top to bottom")]
async fn furnished(world: &World) -> Vec<Asked> {
    let subnet = json!({"type": "cloud", "ip_range": "10.0.1.0/24", "network_zone": "eu-central"});
    let net = json!({"name": "net", "ip_range": "10.0.0.0/16", "subnets": [subnet]});
    let net = world.create("/networks", net).await;
    let on = world.create("/servers", server("on")).await;
    let mut stopped = server("off");
    stopped["start_after_create"] = json!(false);
    stopped["location"] = json!("fsn1");
    stopped["public_net"] = json!({"enable_ipv4": false, "enable_ipv6": false});
    stopped["networks"] = json!([net]);
    let off = world.create("/servers", stopped).await;
    let seen = world.see(&format!("/servers/{on}")).await["server"].clone();
    let (ip, place) = (seen["public_net"]["ipv4"]["ip"].clone(), seen["location"]["name"].clone());
    let volume = world.create("/volumes", json!({"name": "data", "size": 10, "location": place})).await;
    let floating = world.create("/floating_ips", json!({"type": "ipv4", "home_location": "fsn1"})).await;
    let floating_ip = world.see(&format!("/floating_ips/{floating}")).await["floating_ip"]["ip"].clone();
    let primary = json!({"name": "p", "type": "ipv4", "assignee_type": "server", "location": "fsn1"});
    let primary = world.create("/primary_ips", primary).await;
    let primary_ip = world.see(&format!("/primary_ips/{primary}")).await["primary_ip"]["ip"].clone();
    let balancer = json!({"name": "lb", "load_balancer_type": "lb11", "location": "fsn1"});
    let balancer = world.create("/load_balancers", balancer).await;
    let balancer_ip = world.see(&format!("/load_balancers/{balancer}")).await["load_balancer"].clone();
    let balancer_ip = balancer_ip["public_net"]["ipv4"]["ip"].clone();
    let wall = world.create("/firewalls", json!({"name": "wall"})).await;
    let group = world.create("/placement_groups", json!({"name": "g", "type": "spread"})).await;
    let image = world.post(&format!("/servers/{on}/actions/create_image"), json!({"type": "snapshot"})).await.ok();
    let image = image["image"]["id"].clone();
    world.create("/zones", json!({"name": "example.com", "mode": "primary"})).await;
    let from = json!([{"address": "192.0.2.1"}]);
    let second = json!({"name": "example.net", "mode": "secondary", "primary_nameservers": from});
    world.create("/zones", second).await;
    let zonefile = world.see("/zones/example.com/zonefile").await["zonefile"].as_str().unwrap().to_owned();
    let storage = json!({"storage_box_type": "bx11", "location": "fsn1", "password": PASSWORD});
    let named = |name: &str| {
        let mut wanted = storage.clone();
        wanted["name"] = json!(name);
        wanted
    };
    let storage_box = world.create("/storage_boxes", named("box")).await;
    let snapshot = world.create(&format!("/storage_boxes/{storage_box}/snapshots"), json!({"description": "s"})).await;
    let account = json!({"home_directory": "one", "password": PASSWORD, "name": "one"});
    let account = world.create(&format!("/storage_boxes/{storage_box}/subaccounts"), account).await;
    let of = |kind: &'static str, id: i64| move |verb: &str| format!("/{kind}/{id}/actions/{verb}");
    let (on_path, off_path) = (of("servers", on), of("servers", off));
    let (volumes, floats, primaries) =
        (of("volumes", volume), of("floating_ips", floating), of("primary_ips", primary));
    let (nets, lbs, walls) = (of("networks", net), of("load_balancers", balancer), of("firewalls", wall));
    let boxes = of("storage_boxes", storage_box);
    let accounts = |verb: &str| format!("/storage_boxes/{storage_box}/subaccounts/{account}/actions/{verb}");
    let set = |verb: &str| format!("/zones/example.com/rrsets/www/A/actions/{verb}");
    let zone = |verb: &str| format!("/zones/example.com/actions/{verb}");
    let service = json!({"protocol": "tcp", "listen_port": 80, "destination_port": 80, "proxyprotocol": false,
        "health_check": {"protocol": "tcp", "port": 80, "interval": 15, "timeout": 10, "retries": 3}});
    let target = json!({"type": "server", "server": {"id": on}});
    let rule = json!({"direction": "in", "protocol": "tcp", "port": "22", "source_ips": ["0.0.0.0/0"]});
    let on_server = json!([{"type": "server", "server": {"id": on}}]);
    let route = json!({"destination": "10.100.1.0/24", "gateway": "10.0.1.50"});
    let more = json!({"type": "cloud", "ip_range": "10.0.2.0/24", "network_zone": "eu-central"});
    let (delete, protect) = (json!({"delete": false}), json!({"delete": false, "rebuild": false}));
    let records = |value: &str| json!({"records": [{"value": value}]});
    let ptr = |ip: &Value| json!({"ip": ip, "dns_ptr": "a.example.com"});
    let mut wanted = vec![
        ("create_volume", "/volumes".to_owned(), json!({"name": "new", "size": 10, "server": on, "format": "ext4"})),
        ("volume_attach", volumes("attach"), json!({"server": on})),
        ("volume_detach", volumes("detach"), Value::Null),
        ("volume_resize", volumes("resize"), json!({"size": 20})),
        ("volume_change_protection", volumes("change_protection"), delete.clone()),
        ("server_attach_to_network", on_path("attach_to_network"), json!({"network": net})),
        ("server_change_alias_ips", on_path("change_alias_ips"), json!({"network": net, "alias_ips": ["10.0.1.99"]})),
        ("server_detach_from_network", on_path("detach_from_network"), json!({"network": net})),
        ("server_request_console", on_path("request_console"), Value::Null),
        ("server_enable_backup", on_path("enable_backup"), Value::Null),
        ("server_disable_backup", on_path("disable_backup"), Value::Null),
        ("server_enable_rescue", on_path("enable_rescue"), Value::Null),
        ("server_disable_rescue", on_path("disable_rescue"), Value::Null),
        ("server_attach_iso", on_path("attach_iso"), json!({"iso": 8637})),
        ("server_detach_iso", on_path("detach_iso"), Value::Null),
        ("server_change_protection", on_path("change_protection"), protect),
        ("server_change_dns_ptr", on_path("change_dns_ptr"), ptr(&ip)),
        ("server_add_to_placement_group", off_path("add_to_placement_group"), json!({"placement_group": group})),
        ("server_remove_from_placement_group", off_path("remove_from_placement_group"), Value::Null),
        ("primary_ip_assign", primaries("assign"), json!({"assignee_type": "server", "assignee_id": off})),
        ("primary_ip_unassign", primaries("unassign"), Value::Null),
        ("primary_ip_change_protection", primaries("change_protection"), delete.clone()),
        ("primary_ip_change_dns_ptr", primaries("change_dns_ptr"), ptr(&primary_ip)),
        (
            "create_primary_ip",
            "/primary_ips".into(),
            json!({"name": "q", "type": "ipv4", "assignee_type": "server", "assignee_id": off}),
        ),
        ("create_floating_ip", "/floating_ips".into(), json!({"type": "ipv4", "server": on})),
        ("floating_ip_assign", floats("assign"), json!({"server": on})),
        ("floating_ip_unassign", floats("unassign"), Value::Null),
        ("floating_ip_change_dns_ptr", floats("change_dns_ptr"), ptr(&floating_ip)),
        ("floating_ip_change_protection", floats("change_protection"), delete.clone()),
        ("network_add_subnet", nets("add_subnet"), more),
        ("network_add_route", nets("add_route"), route.clone()),
        ("network_delete_route", nets("delete_route"), route),
        ("network_delete_subnet", nets("delete_subnet"), json!({"ip_range": "10.0.2.0/24"})),
        ("network_change_ip_range", nets("change_ip_range"), json!({"ip_range": "10.0.0.0/12"})),
        ("network_change_protection", nets("change_protection"), delete.clone()),
        ("create_firewall", "/firewalls".into(), json!({"name": "more", "rules": [rule], "apply_to": on_server})),
        ("firewall_apply_to_resources", walls("apply_to_resources"), json!({"apply_to": on_server})),
        ("firewall_set_rules", walls("set_rules"), json!({"rules": [rule]})),
        ("firewall_remove_from_resources", walls("remove_from_resources"), json!({"remove_from": on_server})),
        (
            "create_load_balancer",
            "/load_balancers".into(),
            json!({"name": "new", "load_balancer_type": "lb11", "location": "fsn1", "network": net, "targets": [target]}),
        ),
        ("load_balancer_add_service", lbs("add_service"), service),
        ("load_balancer_update_service", lbs("update_service"), json!({"listen_port": 80, "destination_port": 81})),
        ("load_balancer_delete_service", lbs("delete_service"), json!({"listen_port": 80})),
        ("load_balancer_add_target", lbs("add_target"), target.clone()),
        ("load_balancer_remove_target", lbs("remove_target"), target),
        ("load_balancer_attach_to_network", lbs("attach_to_network"), json!({"network": net})),
        ("load_balancer_disable_public_interface", lbs("disable_public_interface"), Value::Null),
        ("load_balancer_enable_public_interface", lbs("enable_public_interface"), Value::Null),
        ("load_balancer_detach_from_network", lbs("detach_from_network"), json!({"network": net})),
        ("load_balancer_change_algorithm", lbs("change_algorithm"), json!({"type": "least_connections"})),
        ("load_balancer_change_dns_ptr", lbs("change_dns_ptr"), ptr(&balancer_ip)),
        ("load_balancer_change_protection", lbs("change_protection"), delete.clone()),
        ("load_balancer_change_type", lbs("change_type"), json!({"load_balancer_type": "lb21"})),
        ("delete_load_balancer", format!("/load_balancers/{balancer}"), Value::Null),
        ("image_change_protection", format!("/images/{image}/actions/change_protection"), delete.clone()),
        ("create_storage_box", "/storage_boxes".into(), named("new")),
        ("storage_box_change_protection", boxes("change_protection"), delete.clone()),
        ("storage_box_change_type", boxes("change_type"), json!({"storage_box_type": "bx21"})),
        ("storage_box_reset_password", boxes("reset_password"), json!({"password": PASSWORD})),
        ("storage_box_update_access_settings", boxes("update_access_settings"), json!({"ssh_enabled": true})),
        (
            "storage_box_enable_snapshot_plan",
            boxes("enable_snapshot_plan"),
            json!({"max_snapshots": 2, "minute": 0, "hour": 23}),
        ),
        ("storage_box_disable_snapshot_plan", boxes("disable_snapshot_plan"), Value::Null),
        ("storage_box_rollback_snapshot", boxes("rollback_snapshot"), json!({"snapshot": snapshot})),
        (
            "create_storage_box_snapshot",
            format!("/storage_boxes/{storage_box}/snapshots"),
            json!({"description": "new"}),
        ),
        (
            "create_storage_box_subaccount",
            format!("/storage_boxes/{storage_box}/subaccounts"),
            json!({"home_directory": "two", "password": PASSWORD, "name": "two"}),
        ),
        (
            "storage_box_subaccount_change_home_directory",
            accounts("change_home_directory"),
            json!({"home_directory": "three"}),
        ),
        (
            "storage_box_subaccount_reset_subaccount_password",
            accounts("reset_subaccount_password"),
            json!({"password": PASSWORD}),
        ),
        (
            "storage_box_subaccount_update_access_settings",
            accounts("update_access_settings"),
            json!({"readonly": true}),
        ),
        ("delete_storage_box_subaccount", format!("/storage_boxes/{storage_box}/subaccounts/{account}"), Value::Null),
        ("delete_storage_box_snapshot", format!("/storage_boxes/{storage_box}/snapshots/{snapshot}"), Value::Null),
        ("delete_storage_box", format!("/storage_boxes/{storage_box}"), Value::Null),
        ("create_zone", "/zones".into(), json!({"name": "example.org", "mode": "primary"})),
        (
            "create_zone_rrset",
            "/zones/example.com/rrsets".into(),
            json!({"name": "www", "type": "A", "records": [{"value": "192.0.2.1"}]}),
        ),
        ("zone_rrset_add_records", set("add_records"), records("192.0.2.2")),
        (
            "zone_rrset_update_records",
            set("update_records"),
            json!({"records": [{"value": "192.0.2.2", "comment": "c"}]}),
        ),
        ("zone_rrset_set_records", set("set_records"), records("192.0.2.3")),
        ("zone_rrset_remove_records", set("remove_records"), records("192.0.2.3")),
        (
            "zone_change_primary_nameservers",
            "/zones/example.net/actions/change_primary_nameservers".into(),
            json!({"primary_nameservers": [{"address": "192.0.2.9"}]}),
        ),
        ("zone_change_protection", zone("change_protection"), delete),
        ("zone_change_ttl", zone("change_ttl"), json!({"ttl": 600})),
        ("zone_import_zonefile", zone("import_zonefile"), json!({"zonefile": format!("{zonefile}www A 192.0.2.1\n")})),
        ("zone_rrset_change_ttl", set("change_ttl"), json!({"ttl": 600})),
        ("zone_rrset_change_protection", set("change_protection"), json!({"change": false})),
        ("delete_zone_rrset", "/zones/example.com/rrsets/www/A".into(), Value::Null),
        ("delete_zone", "/zones/example.com".into(), Value::Null),
    ];
    for (_, _, body) in &mut wanted {
        if body.is_null() {
            *body = json!({});
        }
    }
    wanted
}

async fn let_fail(operator: &Operator, operation: &str) {
    let fault = json!({"operation": operation, "code": "action_failed", "when": "during", "message": MESSAGE});
    operator.does("POST", "/faults", fault).await;
}

/// Operations of the table that begin an action that no strand carries out.
fn done_in_their_answer() -> BTreeSet<&'static str> {
    let done = OPERATIONS.iter().filter(|operation| {
        let work = operation.command.and_then(Work::of);
        // Of a storage box; the server's is work of its machine.
        let storage = operation.id == "storage_box_reset_password";
        storage || matches!(work, Some(Work::Action(_)))
    });
    done.map(|operation| operation.id).collect()
}

#[test]
fn every_action_of_the_table_has_its_work() {
    for operation in OPERATIONS {
        if let Some(command) = operation.command {
            assert!(Work::of(command).is_some(), "{}: {command} takes no time in any profile", operation.id);
        }
    }
    let commands: BTreeSet<_> = OPERATIONS.iter().filter_map(|operation| Work::done_by(operation.command?)).collect();
    assert_eq!(commands.len(), ACTIONS.len(), "no entry without an operation");
}

#[tokio::test]
async fn every_operation_fails_takes_its_time_and_is_done() {
    let world = World::new(Dialect::Newest).await;
    let operator = Operator::of(&world);
    let wanted = furnished(&world).await;
    let ids: BTreeSet<_> = wanted.iter().map(|(id, ..)| *id).collect();
    assert_eq!(ids, done_in_their_answer());
    for asked in &wanted {
        let what = asked.0;
        let_fail(&operator, what).await;
        let before = everything(&world).await;
        all_failed(&actions(&ask(&world, asked).await.ok()), what);
        let after = everything(&world).await;
        let changed: Vec<_> = after.lines().filter(|line| !before.contains(line)).collect();
        assert!(before == after, "{what} has left something: {changed:#?}");

        set_pace(&world, Some(TAKES_MS));
        let failing = actions(&ask(&world, asked).await.ok());
        all(&failing, "running", what);
        pass(&world, i64::from(TAKES_MS) - 1).await;
        all(&now(&world, &failing).await, "running", what);
        pass(&world, 1).await;
        all_failed(&now(&world, &failing).await, what);
        operator.does("DELETE", "/faults", Value::Null).await;

        let running = actions(&ask(&world, asked).await.ok());
        all(&running, "running", what);
        assert!(running.iter().all(|action| action["progress"] == 0 && action["finished"].is_null()), "{what}");
        pass(&world, i64::from(TAKES_MS) / 2).await;
        let seen = now(&world, &running).await;
        all(&seen, "running", what);
        assert!(seen.iter().all(|action| (1..100).contains(&action["progress"].as_i64().unwrap())), "{what}");
        pass(&world, i64::from(TAKES_MS) / 2).await;
        let done = now(&world, &running).await;
        all(&done, "success", what);
        assert!(done.iter().all(|action| action["progress"] == 100 && !action["finished"].is_null()), "{what}");
        set_pace(&world, None);
    }
    let held = world.control.db().read(|tx| wolke_store::strand::locks(tx)).await.unwrap();
    assert_eq!(held, [], "nothing is locked for ever");
}

/// Work of machines fails the same way: nothing of it is left, and a server that was to be made is not there.
#[tokio::test]
async fn work_of_machines_fails_before_it_begins() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let net = json!({"name": "net", "ip_range": "10.0.0.0/16",
        "subnets": [{"type": "cloud", "ip_range": "10.0.1.0/24", "network_zone": "eu-central"}]});
    let net = world.create("/networks", net).await;
    let volume = world.create("/volumes", json!({"name": "data", "size": 10, "location": "fsn1"})).await;
    let wall = world.create("/firewalls", json!({"name": "wall"})).await;
    let id = world.create("/servers", server("a")).await;
    let mut off = server("off");
    off["start_after_create"] = json!(false);
    let off = world.create("/servers", off).await;
    let mut everything_at_once = server("b");
    everything_at_once["networks"] = json!([net]);
    everything_at_once["volumes"] = json!([volume]);
    everything_at_once["firewalls"] = json!([{"firewall": wall}]);
    let path = |verb: &str| format!("/servers/{id}/actions/{verb}");
    let wanted: Vec<Asked> = vec![
        ("create_server", "/servers".into(), everything_at_once),
        ("server_poweroff", path("poweroff"), json!({})),
        ("server_poweron", path("poweron"), json!({})),
        ("server_shutdown", path("shutdown"), json!({})),
        ("server_reboot", path("reboot"), json!({})),
        ("server_reset", path("reset"), json!({})),
        ("server_rebuild", path("rebuild"), json!({"image": "debian-13"})),
        ("server_reset_password", path("reset_password"), json!({})),
        (
            "server_change_type",
            format!("/servers/{off}/actions/change_type"),
            json!({"server_type": "cpx32", "upgrade_disk": false}),
        ),
        ("server_create_image", path("create_image"), json!({"type": "snapshot"})),
        ("delete_server", format!("/servers/{id}"), json!({})),
    ];
    let covered: BTreeSet<_> = wanted.iter().map(|(id, ..)| *id).chain(done_in_their_answer()).collect();
    let mut with_actions: BTreeSet<_> =
        OPERATIONS.iter().filter(|operation| operation.command.is_some()).map(|operation| operation.id).collect();
    for issue in ["create_certificate", "certificate_retry"] {
        assert!(with_actions.remove(issue), "those ask for their faults themselves");
    }
    assert_eq!(covered, with_actions, "every operation with an action");
    for asked in &wanted {
        let what = asked.0;
        let_fail(&operator, what).await;
        let before = everything(&world).await;
        let failed = actions(&ask(&world, asked).await.ok());
        all_failed(&failed, what);
        assert!(before == everything(&world).await, "{what} has left something");
        if what == "create_server" {
            let commands: Vec<_> = failed.iter().map(|action| action["command"].as_str().unwrap()).collect();
            let order = ["create_server", "attach_to_network", "attach_volume", "apply_firewall", "start_server"];
            assert_eq!(commands, order);
            assert_eq!(world.see("/servers?name=b").await["servers"], json!([]), "it is not there");
            assert_eq!(now(&world, &failed).await, failed, "its actions are");
        }
        let machines = LatencyProfile::realistic().0.into_keys().map(|work| (work, Policy::After { ms: TAKES_MS }));
        let profile = LatencyProfile(machines.collect());
        world.control.set_simulation(Simulation { profile, ..Simulation::default() });
        let failing = actions(&ask(&world, asked).await.ok());
        all(&failing, "running", what);
        pass(&world, i64::from(TAKES_MS) - 1).await;
        all(&now(&world, &failing).await, "running", what);
        pass(&world, 1).await;
        all_failed(&now(&world, &failing).await, what);
        set_pace(&world, None);
        operator.does("DELETE", "/faults", Value::Null).await;
    }
}

#[tokio::test]
async fn a_fault_of_work_is_counted_by_what_was_accepted() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let id = world.create("/servers", server("a")).await;
    let volume = world.create("/volumes", json!({"name": "data", "size": 10, "location": "fsn1"})).await;
    let fault = json!({"operation": "*", "code": "action_failed", "when": "during", "calls": 2, "message": MESSAGE});
    operator.does("POST", "/faults", fault).await;
    let attach = format!("/volumes/{volume}/actions/attach");
    world.post(&attach, json!({"server": 999})).await.refused(404, "not_found");
    world.create("/ssh_keys", json!({"name": "k", "public_key": crate::common::public_key(1)})).await;
    assert_eq!(operator.does("GET", "/faults", Value::Null).await[0]["calls"], 2, "neither had an action");
    for _ in 0..2 {
        all_failed(&actions(&world.post(&attach, json!({"server": id})).await.ok()), "attach");
        assert_eq!(world.see(&format!("/volumes/{volume}")).await["volume"]["server"], Value::Null);
    }
    assert_eq!(operator.does("GET", "/faults", Value::Null).await, json!([]));
    all(&actions(&world.post(&attach, json!({"server": id})).await.ok()), "success", "attach");
    for (operation, code) in [
        ("delete_volume", "action_failed"),
        ("get_action", "action_failed"),
        ("attach_volume", "action_failed"),
        ("volume_attach", "conflict"),
        ("volume_attach", "placement_error"),
    ] {
        let wrong = json!({"operation": operation, "code": code, "when": "during"});
        let (status, refused) = operator.ask("POST", "/faults", wrong).await;
        assert!(status == 422 && refused.to_string().contains(operation), "{refused}");
    }
}

#[tokio::test]
async fn actions_of_an_answer_end_in_its_order() {
    let world = World::new(Dialect::Compat).await;
    let net = json!({"name": "net", "ip_range": "10.0.0.0/16",
        "subnets": [{"type": "cloud", "ip_range": "10.0.1.0/24", "network_zone": "eu-central"}]});
    let net = world.create("/networks", net).await;
    let volume = world.create("/volumes", json!({"name": "data", "size": 10, "location": "fsn1"})).await;
    let profile = LatencyProfile::none()
        .with(Work::action("attach_to_network").unwrap(), Policy::After { ms: 5_000 })
        .with(Work::action("attach_volume").unwrap(), Policy::After { ms: 2_000 })
        .with(Work::action("set_firewall_rules").unwrap(), Policy::After { ms: 1_000 });
    world.control.set_simulation(Simulation { profile, ..Simulation::default() });
    let mut wanted = server("a");
    wanted["networks"] = json!([net]);
    wanted["volumes"] = json!([volume]);
    let made = world.post("/servers", wanted).await.ok();
    let id = made["server"]["id"].as_i64().unwrap();
    let made = actions(&made);
    let seen = async || {
        let seen = now(&world, &made).await;
        seen.iter().map(|action| action["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen().await, ["success", "running", "running", "success"]);
    let shown = world.see(&format!("/servers/{id}")).await["server"].clone();
    assert_eq!((&shown["locked"], &shown["volumes"]), (&json!(true), &json!([volume])), "the effect is there at once");
    pass(&world, 4_999).await;
    assert_eq!(seen().await, ["success", "running", "running", "success"], "the second waits for the first");
    pass(&world, 1).await;
    assert_eq!(seen().await, ["success"; 4]);
    assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["locked"], false);

    // One after the other on one resource, side by side on two.
    let one = world.create("/firewalls", json!({"name": "one"})).await;
    let other = world.create("/firewalls", json!({"name": "other"})).await;
    let mut begun = Vec::new();
    for wall in [one, one, other] {
        begun.extend(actions(
            &world.post(&format!("/firewalls/{wall}/actions/set_rules"), json!({"rules": []})).await.ok(),
        ));
    }
    pass(&world, 1_000).await;
    let statuses = async || now(&world, &begun).await.iter().map(|action| action["status"].clone()).collect::<Vec<_>>();
    assert_eq!(statuses().await, ["success", "running", "success"]);
    pass(&world, 1_000).await;
    assert_eq!(statuses().await, ["success"; 3]);
}

#[tokio::test]
async fn time_that_is_skipped_is_none() {
    let world = World::new(Dialect::Compat).await;
    let wall = world.create("/firewalls", json!({"name": "wall"})).await;
    set_pace(&world, Some(TAKES_MS));
    let path = format!("/firewalls/{wall}/actions/set_rules");
    let begun = actions(&world.post(&path, json!({"rules": []})).await.ok());
    all(&begun, "running", "set_rules");
    world.control.set_clock_mode(ClockMode::Instant, 1000).await.unwrap();
    all(&actions(&world.post(&path, json!({"rules": []})).await.ok()), "success", "in a clock that skips it");
    pass(&world, 0).await;
    all(&now(&world, &begun).await, "success", "what was under way");
}

#[tokio::test]
async fn what_runs_goes_on_after_a_restart() {
    let world = World::with(Setup { on_disk: true, ..Setup::new(Dialect::Compat) }).await;
    let operator = Operator::of(&world);
    let wall = world.create("/firewalls", json!({"name": "wall"})).await;
    let zone = world.create("/zones", json!({"name": "example.com", "mode": "primary"})).await;
    set_pace(&world, Some(TAKES_MS));
    let done = actions(&world.post(&format!("/firewalls/{wall}/actions/set_rules"), json!({"rules": []})).await.ok());
    let_fail(&operator, "zone_change_ttl").await;
    let failing = actions(&world.post(&format!("/zones/{zone}/actions/change_ttl"), json!({"ttl": 60})).await.ok());
    let world = world.restart().await;
    set_pace(&world, None);
    all(&now(&world, &done).await, "running", "a restart ends nothing");
    all(&now(&world, &failing).await, "running", "a restart ends nothing");
    pass(&world, i64::from(TAKES_MS)).await;
    all(&now(&world, &done).await, "success", "as it began");
    all_failed(&now(&world, &failing).await, "as it began");
    assert_ne!(world.see(&format!("/zones/{zone}")).await["zone"]["ttl"], 60);
}

#[tokio::test]
async fn actions_have_a_time_and_nothing_else() {
    let world = World::new(Dialect::Compat).await;
    let operator = Operator::of(&world);
    let wrong = json!({"profile": {"attach_volume": {"policy": "stuck"}}});
    let (status, refused) = operator.ask("PUT", "/simulation", wrong).await;
    assert!(status == 422 && refused.to_string().contains("attach_volume"), "{refused}");
    let set = json!({"profile": {"attach_volume": {"policy": "after", "ms": 5}, "start": {"policy": "stuck"}}});
    let shown = operator.does("PUT", "/simulation", set.clone()).await;
    assert_eq!(shown["profile"], set["profile"]);
    assert_eq!(operator.ask("PUT", "/simulation", json!({"profile": {"dance": {"policy": "stuck"}}})).await.0, 422);
}
