//! The behaviours: each changes something, restarts the control plane on the same files, and looks through other operations.

use crate::common::{Setup, World, ids, names, public_key, server};
use crate::proof::Proofs;
use serde_json::{Value, json};
use wolke_wire::Dialect;

/// Runs every behaviour in a dialect.
pub async fn run(dialect: Dialect, proofs: &mut Proofs) {
    servers(dialect, proofs).await;
    power(dialect, proofs).await;
    ssh_keys(dialect, proofs).await;
    catalogue(dialect, proofs).await;
    image_actions(dialect, proofs).await;
    if dialect != Dialect::D2018_04 {
        primary_ips(dialect, proofs).await;
    }
}

/// A world whose restart reads everything anew.
async fn on_disk(dialect: Dialect) -> World {
    World::with(Setup { on_disk: true, ..Setup::new(dialect) }).await
}

/// Kind-wide lists of actions came after the 2023 document.
fn has_kind_wide_actions(dialect: Dialect) -> bool {
    !matches!(dialect, Dialect::D2018_04 | Dialect::D2023_07)
}

/// The actions with these ids, through `GET /actions`.
async fn actions(world: &World, wanted: &[i64]) -> Vec<Value> {
    let query: Vec<String> = wanted.iter().map(|id| format!("id={id}")).collect();
    let all = world.see(&format!("/actions?{}", query.join("&"))).await;
    let actions = all["actions"].as_array().unwrap().clone();
    wanted.iter().map(|id| actions.iter().find(|a| a["id"] == *id).unwrap().clone()).collect()
}

async fn servers(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let made = world.post("/servers", server("stays")).await.ok();
    let (stays, create) = (made["server"]["id"].as_i64().unwrap(), made["action"]["id"].as_i64().unwrap());
    let goes = world.create("/servers", server("goes")).await;
    world.put(&format!("/servers/{stays}"), json!({"name": "renamed"})).await.ok();
    let protect = format!("/servers/{stays}/actions/change_protection");
    world.post(&protect, json!({"delete": true, "rebuild": true})).await.ok();
    let delete = world.delete(&format!("/servers/{goes}")).await.ok()["action"]["id"].as_i64().unwrap();

    let world = world.restart().await;
    assert_eq!(names(&world.see("/servers").await["servers"]), ["renamed"]);
    let seen = world.see(&format!("/servers/{stays}")).await;
    assert_eq!((&seen["server"]["name"], &seen["server"]["status"]), (&json!("renamed"), &json!("running")));
    assert_eq!(seen["server"]["protection"], json!({"delete": true, "rebuild": true}));
    let commands: Vec<Value> = actions(&world, &[create, delete]).await.iter().map(|a| a["command"].clone()).collect();
    assert_eq!(commands, ["create_server", "delete_server"]);
    assert_eq!(world.see(&format!("/actions/{delete}")).await["action"]["status"], "success");
    let listed = world.see(&format!("/servers/{stays}/actions")).await;
    assert!(ids(&listed["actions"]).contains(&create));
    assert_eq!(world.see(&format!("/servers/{stays}/actions/{create}")).await["action"]["id"], create);
    world.get(&format!("/servers/{goes}")).await.refused(404, "not_found");
    proofs.note(
        &world,
        &["create_server", "update_server", "delete_server", "server_change_protection"],
        &["list_servers", "get_server", "list_actions", "get_action", "list_server_actions", "get_server_action"],
    );
    if has_kind_wide_actions(dialect) {
        assert_eq!(ids(&world.see(&format!("/servers/actions?id={delete}")).await["actions"]), [delete]);
        assert_eq!(world.see(&format!("/servers/actions/{delete}")).await["action"]["id"], delete);
        proofs.note(&world, &["delete_server"], &["list_servers_actions", "get_servers_action"]);
    }
}

/// Each verb leaves another status or an action that later views show.
async fn power(dialect: Dialect, proofs: &mut Proofs) {
    let mut world = on_disk(dialect).await;
    let id = world.create("/servers", server("a")).await;
    for (operation, verb, command, status) in [
        ("server_poweroff", "poweroff", "stop_server", "off"),
        ("server_poweron", "poweron", "start_server", "running"),
        ("server_reboot", "reboot", "reboot_server", "running"),
        ("server_reset", "reset", "reset_server", "running"),
        ("server_shutdown", "shutdown", "shutdown_server", "off"),
    ] {
        let done = world.post(&format!("/servers/{id}/actions/{verb}"), json!({})).await.ok();
        world = world.restart().await;
        assert_eq!(world.see(&format!("/servers/{id}")).await["server"]["status"], status, "{dialect} {verb}");
        let seen = world.see(&format!("/actions/{}", done["action"]["id"])).await;
        assert_eq!((&seen["action"]["command"], &seen["action"]["status"]), (&json!(command), &json!("success")));
        proofs.note(&world, &[operation], &["get_server", "get_action"]);
    }
}

async fn ssh_keys(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let stays = world.create("/ssh_keys", json!({"name": "stays", "public_key": public_key(1)})).await;
    let goes = world.create("/ssh_keys", json!({"name": "goes", "public_key": public_key(2)})).await;
    world.put(&format!("/ssh_keys/{stays}"), json!({"name": "renamed"})).await.ok();
    world.delete(&format!("/ssh_keys/{goes}")).await.ok();

    let world = world.restart().await;
    assert_eq!(names(&world.see("/ssh_keys").await["ssh_keys"]), ["renamed"]);
    assert_eq!(world.see(&format!("/ssh_keys/{stays}")).await["ssh_key"]["public_key"], public_key(1));
    world.get(&format!("/ssh_keys/{goes}")).await.refused(404, "not_found");
    proofs.note(&world, &["create_ssh_key", "update_ssh_key", "delete_ssh_key"], &["list_ssh_keys", "get_ssh_key"]);
}

async fn primary_ips(dialect: Dialect, proofs: &mut Proofs) {
    let new = |name: &str| {
        let place = if dialect == Dialect::D2023_07 { ("datacenter", "fsn1-dc14") } else { ("location", "fsn1") };
        json!({"name": name, "type": "ipv4", "assignee_type": "server", place.0: place.1})
    };
    let world = on_disk(dialect).await;
    let stays = world.create("/primary_ips", new("stays")).await;
    let goes = world.create("/primary_ips", new("goes")).await;
    world.put(&format!("/primary_ips/{stays}"), json!({"name": "renamed"})).await.ok();
    let protect = format!("/primary_ips/{stays}/actions/change_protection");
    let action = world.post(&protect, json!({"delete": true})).await.ok()["action"]["id"].as_i64().unwrap();
    world.delete(&format!("/primary_ips/{goes}")).await.ok();

    let world = world.restart().await;
    assert_eq!(names(&world.see("/primary_ips").await["primary_ips"]), ["renamed"]);
    let seen = world.see(&format!("/primary_ips/{stays}")).await;
    assert_eq!(seen["primary_ip"]["protection"]["delete"], true);
    world.get(&format!("/primary_ips/{goes}")).await.refused(404, "not_found");
    proofs.note(
        &world,
        &["create_primary_ip", "update_primary_ip", "delete_primary_ip", "primary_ip_change_protection"],
        &["list_primary_ips", "get_primary_ip"],
    );
    if has_kind_wide_actions(dialect) {
        for list in ["/primary_ips/actions".to_owned(), format!("/primary_ips/{stays}/actions")] {
            assert_eq!(ids(&world.see(&list).await["actions"]), [action]);
            assert_eq!(world.see(&format!("{list}/{action}")).await["action"]["command"], "change_protection");
        }
        proofs.note(
            &world,
            &["primary_ip_change_protection"],
            &["list_primary_ips_actions", "get_primary_ips_action", "list_primary_ip_actions", "get_primary_ip_action"],
        );
    }
}

/// Creating a server works on an image, too.
async fn image_actions(dialect: Dialect, proofs: &mut Proofs) {
    let world = on_disk(dialect).await;
    let made = world.post("/servers", server("a")).await.ok();
    let (image, create) = (&made["server"]["image"]["id"], made["action"]["id"].as_i64().unwrap());
    let world = world.restart().await;
    let list = format!("/images/{image}/actions");
    assert_eq!(ids(&world.see(&list).await["actions"]), [create]);
    assert_eq!(world.see(&format!("{list}/{create}")).await["action"]["command"], "create_server");
    proofs.note(&world, &["create_server"], &["list_image_actions", "get_image_action"]);
    if has_kind_wide_actions(dialect) {
        assert_eq!(ids(&world.see("/images/actions").await["actions"]), [create]);
        assert_eq!(world.see(&format!("/images/actions/{create}")).await["action"]["id"], create);
        proofs.note(&world, &["create_server"], &["list_images_actions", "get_images_action"]);
    }
}

/// Nothing changes the catalogue: what its lists show is what its entries and a new server show after a restart.
async fn catalogue(dialect: Dialect, proofs: &mut Proofs) {
    let kinds = [
        ("locations", "list_locations", "get_location"),
        ("datacenters", "list_datacenters", "get_datacenter"),
        ("server_types", "list_server_types", "get_server_type"),
        ("images", "list_images", "get_image"),
    ];
    for (path, list, get) in kinds {
        if dialect == Dialect::Newest && path == "datacenters" {
            continue;
        }
        let world = on_disk(dialect).await;
        let before = world.see(&format!("/{path}")).await[path].clone();
        let (id, kind) = (&before[0]["id"], &path[..path.len() - 1]);
        let entry = world.see(&format!("/{path}/{id}")).await[kind].clone();
        let world = world.restart().await;
        assert_eq!(world.see(&format!("/{path}/{id}")).await[kind], before[0], "{dialect}");
        assert_eq!(world.see(&format!("/{path}")).await[path][0], entry, "{dialect}");
        proofs.note(&world, &[list], &[get]);
        proofs.note(&world, &[get], &[list]);
    }
}
