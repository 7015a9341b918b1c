//! The operation table: one row for each operation of the Cloud API that this server has.
//!
//! Router, rate limits, the request log, `/v1/openapi.json` and `docs/coverage.md` derive from it. Whether an operation
//! exists in a dialect is the contract's word; what the contract has and this table has not is answered `not_found`.

use crate::cloud::{
    action, certificate, datacenter, firewall, floating_ip, image, iso, load_balancer, load_balancer_type, location,
    network, placement_group, pricing, primary_ip, resource, server, server_type, ssh_key, storage_box,
    storage_box_type, volume, zone,
};
use crate::operation::{Operation, Verb};
use wolke_wire::Kind;

macro_rules! operations {
    ($($id:ident $verb:ident $path:literal $target:ident $($command:literal)? => $handler:path;)*) => {
        /// Every operation.
        pub static OPERATIONS: &[Operation] = &[$(Operation {
            id: stringify!($id),
            verb: Verb::$verb,
            path: $path,
            target: Kind::$target,
            command: command!($($command)?),
            handler: |call| Box::pin($handler(call)),
        }),*];
    };
}

macro_rules! command {
    () => {
        None
    };
    ($command:literal) => {
        Some($command)
    };
}

operations! {
    list_actions Get "/actions" Action => action::list;
    get_action Get "/actions/{id}" Action => resource::get;

    list_servers Get "/servers" Server => server::list;
    create_server Post "/servers" Server "create_server" => server::create;
    list_servers_actions Get "/servers/actions" Server => action::list_of_kind;
    get_servers_action Get "/servers/actions/{id}" Server => action::get_of_kind;
    get_server Get "/servers/{id}" Server => resource::get;
    update_server Put "/servers/{id}" Server => server::update;
    delete_server Delete "/servers/{id}" Server "delete_server" => server::delete;
    get_server_metrics Get "/servers/{id}/metrics" Server => server::metrics;
    list_server_actions Get "/servers/{id}/actions" Server => action::list_of_resource;
    get_server_action Get "/servers/{id}/actions/{action_id}" Server => action::get_of_resource;
    server_poweron Post "/servers/{id}/actions/poweron" Server "start_server" => server::poweron;
    server_poweroff Post "/servers/{id}/actions/poweroff" Server "stop_server" => server::poweroff;
    server_reboot Post "/servers/{id}/actions/reboot" Server "reboot_server" => server::reboot;
    server_reset Post "/servers/{id}/actions/reset" Server "reset_server" => server::reset;
    server_shutdown Post "/servers/{id}/actions/shutdown" Server "shutdown_server" => server::shutdown;
    server_request_console Post "/servers/{id}/actions/request_console" Server "request_console"
        => server::request_console;
    server_enable_backup Post "/servers/{id}/actions/enable_backup" Server "enable_backup" => server::enable_backup;
    server_disable_backup Post "/servers/{id}/actions/disable_backup" Server "disable_backup" => server::disable_backup;
    server_create_image Post "/servers/{id}/actions/create_image" Server "create_image" => image::create;
    server_rebuild Post "/servers/{id}/actions/rebuild" Server "rebuild_server" => server::rebuild;
    server_change_type Post "/servers/{id}/actions/change_type" Server "change_server_type" => server::change_type;
    server_enable_rescue Post "/servers/{id}/actions/enable_rescue" Server "enable_rescue" => server::enable_rescue;
    server_disable_rescue Post "/servers/{id}/actions/disable_rescue" Server "disable_rescue" => server::disable_rescue;
    server_attach_iso Post "/servers/{id}/actions/attach_iso" Server "attach_iso" => server::attach_iso;
    server_detach_iso Post "/servers/{id}/actions/detach_iso" Server "detach_iso" => server::detach_iso;
    server_reset_password Post "/servers/{id}/actions/reset_password" Server "reset_password" => server::reset_password;
    server_change_protection Post "/servers/{id}/actions/change_protection" Server "change_protection"
        => server::change_protection;

    list_ssh_keys Get "/ssh_keys" SshKey => ssh_key::list;
    create_ssh_key Post "/ssh_keys" SshKey => ssh_key::create;
    get_ssh_key Get "/ssh_keys/{id}" SshKey => resource::get;
    update_ssh_key Put "/ssh_keys/{id}" SshKey => ssh_key::update;
    delete_ssh_key Delete "/ssh_keys/{id}" SshKey => ssh_key::delete;

    list_primary_ips Get "/primary_ips" PrimaryIp => primary_ip::list;
    create_primary_ip Post "/primary_ips" PrimaryIp "assign_primary_ip" => primary_ip::create;
    list_primary_ips_actions Get "/primary_ips/actions" PrimaryIp => action::list_of_kind;
    get_primary_ips_action Get "/primary_ips/actions/{id}" PrimaryIp => action::get_of_kind;
    get_primary_ip Get "/primary_ips/{id}" PrimaryIp => resource::get;
    update_primary_ip Put "/primary_ips/{id}" PrimaryIp => primary_ip::update;
    delete_primary_ip Delete "/primary_ips/{id}" PrimaryIp => primary_ip::delete;
    list_primary_ip_actions Get "/primary_ips/{id}/actions" PrimaryIp => action::list_of_resource;
    get_primary_ip_action Get "/primary_ips/{id}/actions/{action_id}" PrimaryIp => action::get_of_resource;
    primary_ip_change_protection Post "/primary_ips/{id}/actions/change_protection" PrimaryIp "change_protection"
        => primary_ip::change_protection;

    primary_ip_assign Post "/primary_ips/{id}/actions/assign" PrimaryIp "assign_primary_ip" => primary_ip::assign;
    primary_ip_unassign Post "/primary_ips/{id}/actions/unassign" PrimaryIp "unassign_primary_ip" => primary_ip::unassign;
    primary_ip_change_dns_ptr Post "/primary_ips/{id}/actions/change_dns_ptr" PrimaryIp "change_dns_ptr"
        => primary_ip::change_dns_ptr;
    server_change_dns_ptr Post "/servers/{id}/actions/change_dns_ptr" Server "change_dns_ptr"
        => primary_ip::change_dns_ptr_of_server;

    list_floating_ips Get "/floating_ips" FloatingIp => floating_ip::list;
    create_floating_ip Post "/floating_ips" FloatingIp "assign_floating_ip" => floating_ip::create;
    list_floating_ips_actions Get "/floating_ips/actions" FloatingIp => action::list_of_kind;
    get_floating_ips_action Get "/floating_ips/actions/{id}" FloatingIp => action::get_of_kind;
    get_floating_ip Get "/floating_ips/{id}" FloatingIp => resource::get;
    update_floating_ip Put "/floating_ips/{id}" FloatingIp => floating_ip::update;
    delete_floating_ip Delete "/floating_ips/{id}" FloatingIp => floating_ip::delete;
    list_floating_ip_actions Get "/floating_ips/{id}/actions" FloatingIp => action::list_of_resource;
    get_floating_ip_action Get "/floating_ips/{id}/actions/{action_id}" FloatingIp => action::get_of_resource;
    floating_ip_assign Post "/floating_ips/{id}/actions/assign" FloatingIp "assign_floating_ip" => floating_ip::assign;
    floating_ip_unassign Post "/floating_ips/{id}/actions/unassign" FloatingIp "unassign_floating_ip"
        => floating_ip::unassign;
    floating_ip_change_dns_ptr Post "/floating_ips/{id}/actions/change_dns_ptr" FloatingIp "change_dns_ptr"
        => floating_ip::change_dns_ptr;
    floating_ip_change_protection Post "/floating_ips/{id}/actions/change_protection" FloatingIp "change_protection"
        => floating_ip::change_protection;

    list_placement_groups Get "/placement_groups" PlacementGroup => placement_group::list;
    create_placement_group Post "/placement_groups" PlacementGroup => placement_group::create;
    get_placement_group Get "/placement_groups/{id}" PlacementGroup => resource::get;
    update_placement_group Put "/placement_groups/{id}" PlacementGroup => placement_group::update;
    delete_placement_group Delete "/placement_groups/{id}" PlacementGroup => placement_group::delete;
    server_add_to_placement_group Post "/servers/{id}/actions/add_to_placement_group" Server "add_to_placement_group"
        => placement_group::add_server;
    server_remove_from_placement_group Post "/servers/{id}/actions/remove_from_placement_group" Server
        "remove_from_placement_group" => placement_group::remove_server;

    list_volumes Get "/volumes" Volume => volume::list;
    create_volume Post "/volumes" Volume "create_volume" => volume::create;
    list_volumes_actions Get "/volumes/actions" Volume => action::list_of_kind;
    get_volumes_action Get "/volumes/actions/{id}" Volume => action::get_of_kind;
    get_volume Get "/volumes/{id}" Volume => resource::get;
    update_volume Put "/volumes/{id}" Volume => volume::update;
    delete_volume Delete "/volumes/{id}" Volume => volume::delete;
    list_volume_actions Get "/volumes/{id}/actions" Volume => action::list_of_resource;
    get_volume_action Get "/volumes/{id}/actions/{action_id}" Volume => action::get_of_resource;
    volume_attach Post "/volumes/{id}/actions/attach" Volume "attach_volume" => volume::attach;
    volume_detach Post "/volumes/{id}/actions/detach" Volume "detach_volume" => volume::detach;
    volume_resize Post "/volumes/{id}/actions/resize" Volume "resize_volume" => volume::resize;
    volume_change_protection Post "/volumes/{id}/actions/change_protection" Volume "change_protection"
        => volume::change_protection;

    list_networks Get "/networks" Network => network::list;
    create_network Post "/networks" Network => network::create;
    list_networks_actions Get "/networks/actions" Network => action::list_of_kind;
    get_networks_action Get "/networks/actions/{id}" Network => action::get_of_kind;
    get_network Get "/networks/{id}" Network => resource::get;
    update_network Put "/networks/{id}" Network => network::update;
    delete_network Delete "/networks/{id}" Network => network::delete;
    list_network_members Get "/networks/{id}/members" Network => network::members;
    list_network_actions Get "/networks/{id}/actions" Network => action::list_of_resource;
    get_network_action Get "/networks/{id}/actions/{action_id}" Network => action::get_of_resource;
    network_add_route Post "/networks/{id}/actions/add_route" Network "add_route" => network::add_route;
    network_add_subnet Post "/networks/{id}/actions/add_subnet" Network "add_subnet" => network::add_subnet;
    network_change_ip_range Post "/networks/{id}/actions/change_ip_range" Network "change_ip_range"
        => network::change_ip_range;
    network_change_protection Post "/networks/{id}/actions/change_protection" Network "change_protection"
        => network::change_protection;
    network_delete_route Post "/networks/{id}/actions/delete_route" Network "delete_route" => network::delete_route;
    network_delete_subnet Post "/networks/{id}/actions/delete_subnet" Network "delete_subnet" => network::delete_subnet;
    server_attach_to_network Post "/servers/{id}/actions/attach_to_network" Server "attach_to_network" => network::attach;
    server_detach_from_network Post "/servers/{id}/actions/detach_from_network" Server "detach_from_network"
        => network::detach;
    server_change_alias_ips Post "/servers/{id}/actions/change_alias_ips" Server "change_alias_ips"
        => network::change_alias_ips;

    list_firewalls Get "/firewalls" Firewall => firewall::list;
    create_firewall Post "/firewalls" Firewall "set_firewall_rules" => firewall::create;
    list_firewalls_actions Get "/firewalls/actions" Firewall => action::list_of_kind;
    get_firewalls_action Get "/firewalls/actions/{id}" Firewall => action::get_of_kind;
    get_firewall Get "/firewalls/{id}" Firewall => resource::get;
    update_firewall Put "/firewalls/{id}" Firewall => firewall::update;
    delete_firewall Delete "/firewalls/{id}" Firewall => firewall::delete;
    list_firewall_actions Get "/firewalls/{id}/actions" Firewall => action::list_of_resource;
    get_firewall_action Get "/firewalls/{id}/actions/{action_id}" Firewall => action::get_of_resource;
    firewall_set_rules Post "/firewalls/{id}/actions/set_rules" Firewall "set_firewall_rules" => firewall::set_rules;
    firewall_apply_to_resources Post "/firewalls/{id}/actions/apply_to_resources" Firewall "apply_firewall"
        => firewall::apply_to_resources;
    firewall_remove_from_resources Post "/firewalls/{id}/actions/remove_from_resources" Firewall "remove_firewall"
        => firewall::remove_from_resources;

    list_certificates Get "/certificates" Certificate => certificate::list;
    create_certificate Post "/certificates" Certificate "create_certificate" => certificate::create;
    list_certificates_actions Get "/certificates/actions" Certificate => action::list_of_kind;
    get_certificates_action Get "/certificates/actions/{id}" Certificate => action::get_of_kind;
    get_certificate Get "/certificates/{id}" Certificate => resource::get;
    update_certificate Put "/certificates/{id}" Certificate => certificate::update;
    delete_certificate Delete "/certificates/{id}" Certificate => certificate::delete;
    list_certificate_actions Get "/certificates/{id}/actions" Certificate => action::list_of_resource;
    get_certificate_action Get "/certificates/{id}/actions/{action_id}" Certificate => action::get_of_resource;
    certificate_retry Post "/certificates/{id}/actions/retry" Certificate "issue_certificate" => certificate::retry;

    list_load_balancers Get "/load_balancers" LoadBalancer => load_balancer::list;
    create_load_balancer Post "/load_balancers" LoadBalancer "create_load_balancer" => load_balancer::create;
    list_load_balancers_actions Get "/load_balancers/actions" LoadBalancer => action::list_of_kind;
    get_load_balancers_action Get "/load_balancers/actions/{id}" LoadBalancer => action::get_of_kind;
    get_load_balancer Get "/load_balancers/{id}" LoadBalancer => resource::get;
    update_load_balancer Put "/load_balancers/{id}" LoadBalancer => load_balancer::update;
    delete_load_balancer Delete "/load_balancers/{id}" LoadBalancer "delete_load_balancer" => load_balancer::delete;
    get_load_balancer_metrics Get "/load_balancers/{id}/metrics" LoadBalancer => load_balancer::metrics;
    list_load_balancer_actions Get "/load_balancers/{id}/actions" LoadBalancer => action::list_of_resource;
    get_load_balancer_action Get "/load_balancers/{id}/actions/{action_id}" LoadBalancer => action::get_of_resource;
    load_balancer_add_service Post "/load_balancers/{id}/actions/add_service" LoadBalancer "add_service"
        => load_balancer::add_service;
    load_balancer_update_service Post "/load_balancers/{id}/actions/update_service" LoadBalancer "update_service"
        => load_balancer::update_service;
    load_balancer_delete_service Post "/load_balancers/{id}/actions/delete_service" LoadBalancer "delete_service"
        => load_balancer::delete_service;
    load_balancer_add_target Post "/load_balancers/{id}/actions/add_target" LoadBalancer "add_target"
        => load_balancer::add_target;
    load_balancer_remove_target Post "/load_balancers/{id}/actions/remove_target" LoadBalancer "remove_target"
        => load_balancer::remove_target;
    load_balancer_attach_to_network Post "/load_balancers/{id}/actions/attach_to_network" LoadBalancer "attach_to_network"
        => load_balancer::attach_to_network;
    load_balancer_detach_from_network Post "/load_balancers/{id}/actions/detach_from_network" LoadBalancer "detach_from_network"
        => load_balancer::detach_from_network;
    load_balancer_change_algorithm Post "/load_balancers/{id}/actions/change_algorithm" LoadBalancer "change_algorithm"
        => load_balancer::change_algorithm;
    load_balancer_change_dns_ptr Post "/load_balancers/{id}/actions/change_dns_ptr" LoadBalancer "change_dns_ptr"
        => load_balancer::change_dns_ptr;
    load_balancer_change_protection Post "/load_balancers/{id}/actions/change_protection" LoadBalancer "change_protection"
        => load_balancer::change_protection;
    load_balancer_change_type Post "/load_balancers/{id}/actions/change_type" LoadBalancer "change_load_balancer_type"
        => load_balancer::change_type;
    load_balancer_enable_public_interface Post "/load_balancers/{id}/actions/enable_public_interface" LoadBalancer "enable_public_interface"
        => load_balancer::enable_public_interface;
    load_balancer_disable_public_interface Post "/load_balancers/{id}/actions/disable_public_interface" LoadBalancer "disable_public_interface"
        => load_balancer::disable_public_interface;

    list_locations Get "/locations" Location => location::list;
    get_location Get "/locations/{id}" Location => resource::get;
    list_datacenters Get "/datacenters" Datacenter => datacenter::list;
    get_datacenter Get "/datacenters/{id}" Datacenter => resource::get;
    list_server_types Get "/server_types" ServerType => server_type::list;
    get_server_type Get "/server_types/{id}" ServerType => resource::get;
    list_isos Get "/isos" Iso => iso::list;
    get_iso Get "/isos/{id}" Iso => resource::get;
    list_load_balancer_types Get "/load_balancer_types" LoadBalancerType => load_balancer_type::list;
    get_load_balancer_type Get "/load_balancer_types/{id}" LoadBalancerType => resource::get;
    get_pricing Get "/pricing" ServerType => pricing::get;
    list_images Get "/images" Image => image::list;
    list_images_actions Get "/images/actions" Image => action::list_of_kind;
    get_images_action Get "/images/actions/{id}" Image => action::get_of_kind;
    get_image Get "/images/{id}" Image => resource::get;
    update_image Put "/images/{id}" Image => image::update;
    delete_image Delete "/images/{id}" Image => image::delete;
    image_change_protection Post "/images/{id}/actions/change_protection" Image "change_protection"
        => image::change_protection;
    list_image_actions Get "/images/{id}/actions" Image => action::list_of_resource;
    get_image_action Get "/images/{id}/actions/{action_id}" Image => action::get_of_resource;

    list_storage_box_types Get "/storage_box_types" StorageBoxType => storage_box_type::list;
    get_storage_box_type Get "/storage_box_types/{id}" StorageBoxType => resource::get;

    list_storage_boxes Get "/storage_boxes" StorageBox => storage_box::list;
    create_storage_box Post "/storage_boxes" StorageBox "create" => storage_box::create;
    list_storage_boxes_actions Get "/storage_boxes/actions" StorageBox => action::list_of_kind;
    get_storage_boxes_action Get "/storage_boxes/actions/{id}" StorageBox => action::get_of_kind;
    get_storage_box Get "/storage_boxes/{id}" StorageBox => resource::get;
    update_storage_box Put "/storage_boxes/{id}" StorageBox => storage_box::update;
    delete_storage_box Delete "/storage_boxes/{id}" StorageBox "delete" => storage_box::delete;
    list_storage_box_folders Get "/storage_boxes/{id}/folders" StorageBox => storage_box::folders;
    list_storage_box_actions Get "/storage_boxes/{id}/actions" StorageBox => action::list_of_resource;
    get_storage_box_action Get "/storage_boxes/{id}/actions/{action_id}" StorageBox => action::get_of_resource;
    storage_box_change_protection Post "/storage_boxes/{id}/actions/change_protection" StorageBox "change_protection"
        => storage_box::change_protection;
    storage_box_change_type Post "/storage_boxes/{id}/actions/change_type" StorageBox "change_type"
        => storage_box::change_type;
    storage_box_reset_password Post "/storage_boxes/{id}/actions/reset_password" StorageBox "reset_password"
        => storage_box::reset_password;
    storage_box_update_access_settings Post "/storage_boxes/{id}/actions/update_access_settings" StorageBox
        "update_access_settings" => storage_box::update_access_settings;
    storage_box_enable_snapshot_plan Post "/storage_boxes/{id}/actions/enable_snapshot_plan" StorageBox
        "enable_snapshot_plan" => storage_box::enable_snapshot_plan;
    storage_box_disable_snapshot_plan Post "/storage_boxes/{id}/actions/disable_snapshot_plan" StorageBox
        "disable_snapshot_plan" => storage_box::disable_snapshot_plan;
    storage_box_rollback_snapshot Post "/storage_boxes/{id}/actions/rollback_snapshot" StorageBox "rollback_snapshot"
        => storage_box::rollback_snapshot;
    list_storage_box_snapshots Get "/storage_boxes/{id}/snapshots" StorageBox => storage_box::snapshot::list;
    create_storage_box_snapshot Post "/storage_boxes/{id}/snapshots" StorageBox "create_snapshot"
        => storage_box::snapshot::create;
    get_storage_box_snapshot Get "/storage_boxes/{id}/snapshots/{snapshot_id}" StorageBox => storage_box::snapshot::get;
    update_storage_box_snapshot Put "/storage_boxes/{id}/snapshots/{snapshot_id}" StorageBox
        => storage_box::snapshot::update;
    delete_storage_box_snapshot Delete "/storage_boxes/{id}/snapshots/{snapshot_id}" StorageBox "delete_snapshot"
        => storage_box::snapshot::delete;
    list_storage_box_subaccounts Get "/storage_boxes/{id}/subaccounts" StorageBox => storage_box::subaccount::list;
    create_storage_box_subaccount Post "/storage_boxes/{id}/subaccounts" StorageBox "create_subaccount"
        => storage_box::subaccount::create;
    get_storage_box_subaccount Get "/storage_boxes/{id}/subaccounts/{subaccount_id}" StorageBox
        => storage_box::subaccount::get;
    update_storage_box_subaccount Put "/storage_boxes/{id}/subaccounts/{subaccount_id}" StorageBox
        => storage_box::subaccount::update;
    delete_storage_box_subaccount Delete "/storage_boxes/{id}/subaccounts/{subaccount_id}" StorageBox
        "delete_subaccount" => storage_box::subaccount::delete;
    storage_box_subaccount_change_home_directory
        Post "/storage_boxes/{id}/subaccounts/{subaccount_id}/actions/change_home_directory" StorageBox
        "change_home_directory" => storage_box::subaccount::change_home_directory;
    storage_box_subaccount_reset_subaccount_password
        Post "/storage_boxes/{id}/subaccounts/{subaccount_id}/actions/reset_subaccount_password" StorageBox
        "reset_subaccount_password" => storage_box::subaccount::reset_password;
    storage_box_subaccount_update_access_settings
        Post "/storage_boxes/{id}/subaccounts/{subaccount_id}/actions/update_access_settings" StorageBox
        "update_access_settings" => storage_box::subaccount::update_access_settings;

    list_zones Get "/zones" Zone => zone::list;
    create_zone Post "/zones" Zone "create_zone" => zone::create;
    list_zones_actions Get "/zones/actions" Zone => action::list_of_kind;
    get_zones_action Get "/zones/actions/{id}" Zone => action::get_of_kind;
    get_zone Get "/zones/{id_or_name}" Zone => zone::get;
    update_zone Put "/zones/{id_or_name}" Zone => zone::update;
    delete_zone Delete "/zones/{id_or_name}" Zone "delete_zone" => zone::delete;
    list_zone_actions Get "/zones/{id_or_name}/actions" Zone => zone::list_actions;
    get_zone_action Get "/zones/{id_or_name}/actions/{action_id}" Zone => zone::get_action;
    zone_change_primary_nameservers Post "/zones/{id_or_name}/actions/change_primary_nameservers" Zone
        "change_primary_nameservers" => zone::change_primary_nameservers;
    zone_change_protection Post "/zones/{id_or_name}/actions/change_protection" Zone "change_protection"
        => zone::change_protection;
    zone_change_ttl Post "/zones/{id_or_name}/actions/change_ttl" Zone "change_ttl" => zone::change_ttl;
    zone_import_zonefile Post "/zones/{id_or_name}/actions/import_zonefile" Zone "import_zonefile"
        => zone::import_zonefile;
    get_zone_zonefile Get "/zones/{id_or_name}/zonefile" Zone => zone::export_zonefile;
    list_zone_rrsets Get "/zones/{id_or_name}/rrsets" Zone => zone::rrset::list;
    create_zone_rrset Post "/zones/{id_or_name}/rrsets" Zone "create_rrset" => zone::rrset::create;
    get_zone_rrset Get "/zones/{id_or_name}/rrsets/{rr_name}/{rr_type}" Zone => zone::rrset::get;
    update_zone_rrset Put "/zones/{id_or_name}/rrsets/{rr_name}/{rr_type}" Zone => zone::rrset::update;
    delete_zone_rrset Delete "/zones/{id_or_name}/rrsets/{rr_name}/{rr_type}" Zone "delete_rrset"
        => zone::rrset::delete;
    zone_rrset_change_protection Post "/zones/{id_or_name}/rrsets/{rr_name}/{rr_type}/actions/change_protection" Zone
        "change_rrset_protection" => zone::rrset::change_protection;
    zone_rrset_change_ttl Post "/zones/{id_or_name}/rrsets/{rr_name}/{rr_type}/actions/change_ttl" Zone
        "change_rrset_ttl" => zone::rrset::change_ttl;
    zone_rrset_set_records Post "/zones/{id_or_name}/rrsets/{rr_name}/{rr_type}/actions/set_records" Zone
        "set_rrset_records" => zone::rrset::set_records;
    zone_rrset_add_records Post "/zones/{id_or_name}/rrsets/{rr_name}/{rr_type}/actions/add_records" Zone
        "add_rrset_records" => zone::rrset::add_records;
    zone_rrset_remove_records Post "/zones/{id_or_name}/rrsets/{rr_name}/{rr_type}/actions/remove_records" Zone
        "remove_rrset_records" => zone::rrset::remove_records;
    zone_rrset_update_records Post "/zones/{id_or_name}/rrsets/{rr_name}/{rr_type}/actions/update_records" Zone
        "update_rrset_records" => zone::rrset::update_records;
}
