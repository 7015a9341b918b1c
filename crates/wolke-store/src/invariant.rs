//! What must hold in every world after every commit, as questions whose answers are empty. The simulator, the tests on
//! both engines and the crash script ask them; they scan and are not for the request path.

use crate::address;
use crate::stmt::{Stmt, statements};
use crate::tx::Tx;
use wolke_domain::{Error, Result};

statements! { "invariant";
    /// Design §1.2: a running action has work that will end it.
    ACTION_WITHOUT_WORK = "SELECT a.id FROM actions a WHERE a.status = 'running' AND NOT EXISTS (SELECT 1 FROM action_resource r, strand_lock l
        WHERE r.project = a.project AND r.action = a.id AND l.kind = r.kind AND l.resource = r.resource) ORDER BY a.id";
    LOCK_WITHOUT_STRAND = "SELECT l.resource FROM strand_lock l WHERE NOT EXISTS (SELECT 1 FROM strand s WHERE s.id = l.strand) ORDER BY l.resource";
    /// A strand that waits for its turn must have somebody ahead of it, else nobody wakes it. Calendars of load balancers are
    /// woken by whatever changes a target.
    SLEEPS_FOR_EVER = "SELECT s.id FROM strand s WHERE s.wake_at = 9223372036854775807 AND s.retry_at = 0 AND NOT EXISTS (SELECT 1 FROM strand_lock mine, strand_lock other
        WHERE mine.strand = s.id AND other.kind = mine.kind AND other.resource = mine.resource AND other.position < mine.position)
        AND NOT EXISTS (SELECT 1 FROM load_balancer_checkers c WHERE c.strand = s.id) ORDER BY s.id";
    ASSIGNED_TO_NOBODY = "SELECT p.id FROM primary_ips p WHERE p.assignee IS NOT NULL AND NOT EXISTS (SELECT 1 FROM servers s WHERE s.id = p.assignee AND s.project = p.project) ORDER BY p.id";
    BALANCES_FOR_NOBODY = "SELECT p.id FROM primary_ips p WHERE p.load_balancer <> 0 AND (p.assignee IS NOT NULL
        OR NOT EXISTS (SELECT 1 FROM load_balancers b WHERE b.id = p.load_balancer AND b.project = p.project)) ORDER BY p.id";
    FLOATING_TO_NOBODY = "SELECT f.id FROM floating_ips f WHERE f.server IS NOT NULL AND NOT EXISTS (SELECT 1 FROM servers s WHERE s.id = f.server AND s.project = f.project) ORDER BY f.id";
    ADDRESS_WITHOUT_OWNER = "SELECT a.owner FROM address a WHERE (a.kind = 'primary_ip' AND NOT EXISTS (SELECT 1 FROM primary_ips p WHERE p.id = a.owner))
        OR (a.kind = 'floating_ip' AND NOT EXISTS (SELECT 1 FROM floating_ips f WHERE f.id = a.owner))
        OR a.kind NOT IN ('primary_ip', 'floating_ip') ORDER BY a.owner";
    OWNER_WITHOUT_ADDRESS = "SELECT p.id FROM primary_ips p WHERE NOT EXISTS (SELECT 1 FROM address a WHERE a.kind = 'primary_ip' AND a.owner = p.id)
        UNION ALL SELECT f.id FROM floating_ips f WHERE NOT EXISTS (SELECT 1 FROM address a WHERE a.kind = 'floating_ip' AND a.owner = f.id)
        UNION ALL SELECT b.id FROM load_balancers b WHERE (SELECT count(*) FROM primary_ips p WHERE p.load_balancer = b.id) <> 2";
    /// No address is two resources' at once. Those of load balancers are their primary IPs'; their documents repeat them: the simulator
    /// looks there.
    ADDRESS_OF_TWO = "SELECT f.id FROM floating_ips f WHERE EXISTS (SELECT 1 FROM primary_ips p WHERE p.ip = f.ip) ORDER BY f.id";
    WRONG_COUNT = "SELECT p.id FROM project p WHERE
        (SELECT count(*) FROM servers s WHERE s.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'server' AND c.project = p.id), 0)
        OR (SELECT count(*) FROM ssh_keys k WHERE k.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'ssh_key' AND c.project = p.id), 0)
        OR (SELECT count(*) FROM primary_ips i WHERE i.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'primary_ip' AND c.project = p.id), 0)
        OR (SELECT count(*) FROM floating_ips f WHERE f.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'floating_ip' AND c.project = p.id), 0)
        OR (SELECT count(*) FROM images m WHERE m.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'image' AND c.project = p.id), 0)
        OR (SELECT count(*) FROM placement_groups g WHERE g.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'placement_group' AND c.project = p.id), 0)
        OR (SELECT count(*) FROM networks w WHERE w.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'network' AND c.project = p.id), 0)
        OR (SELECT count(*) FROM volumes v WHERE v.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'volume' AND c.project = p.id), 0)
        OR (SELECT count(*) FROM firewalls f WHERE f.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'firewall' AND c.project = p.id), 0)
        OR (SELECT count(*) FROM certificates x WHERE x.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'certificate' AND c.project = p.id), 0)
        OR (SELECT count(*) FROM load_balancers b WHERE b.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'load_balancer' AND c.project = p.id), 0)
        OR (SELECT count(*) FROM zones z WHERE z.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'zone' AND c.project = p.id), 0)
        OR (SELECT count(*) FROM storage_boxes b WHERE b.project = p.id) <> COALESCE((SELECT n FROM resource_count c WHERE c.kind = 'storage_box' AND c.project = p.id), 0)
        ORDER BY p.id";
    /// A kind that [`WRONG_COUNT`] does not know is entered there, in `LABEL_OF_NOBODY` if it has labels, and here.
    UNKNOWN_COUNT = "SELECT c.project FROM resource_count c WHERE c.n <> 0 AND c.kind NOT IN ('server', 'ssh_key', 'primary_ip', 'floating_ip', 'image',
        'placement_group', 'network', 'zone', 'volume', 'firewall', 'certificate', 'load_balancer', 'storage_box') ORDER BY c.project";
    UNKNOWN_LABEL = "SELECT l.id FROM label l WHERE l.kind NOT IN ('server', 'ssh_key', 'primary_ip', 'floating_ip', 'image', 'placement_group', 'network',
        'zone', 'rrset', 'volume', 'firewall', 'certificate', 'load_balancer', 'storage_box', 'storage_box_snapshot', 'storage_box_subaccount') ORDER BY l.id";
    WRONG_ACTION_COUNT = "SELECT p.id FROM project p WHERE (SELECT count(*) FROM actions a WHERE a.project = p.id)
        <> COALESCE((SELECT n FROM action_count c WHERE c.kind = 'action' AND c.project = p.id), 0) ORDER BY p.id";
    WRONG_ACTION_KIND_COUNT = "SELECT c.project FROM action_count c WHERE c.kind <> 'action' AND c.n <> (SELECT count(*) FROM action_resource r
        WHERE r.project = c.project AND r.kind = c.kind AND r.listed = 1) ORDER BY c.project";
    UNCOUNTED_ACTION = "SELECT r.action FROM action_resource r WHERE NOT EXISTS (SELECT 1 FROM action_count c
        WHERE c.project = r.project AND c.kind = r.kind) ORDER BY r.action";
    /// By kind, a list shows an action once: not less and, by its index, not more.
    UNLISTED_ACTION = "SELECT r.action FROM action_resource r WHERE NOT EXISTS (SELECT 1 FROM action_resource f
        WHERE f.project = r.project AND f.kind = r.kind AND f.action = r.action AND f.listed = 1) ORDER BY r.action";
    RESOURCE_OF_NO_ACTION = "SELECT r.action FROM action_resource r WHERE NOT EXISTS (SELECT 1 FROM actions a
        WHERE a.id = r.action AND a.project = r.project) ORDER BY r.action";
    WRONG_LABEL_KEY_COUNT = "SELECT c.project FROM label_key_count c WHERE c.n <> (SELECT count(*) FROM label l
        WHERE l.kind = c.kind AND l.project = c.project AND l.key = c.key) ORDER BY c.project";
    UNCOUNTED_LABEL_KEY = "SELECT l.id FROM label l WHERE NOT EXISTS (SELECT 1 FROM label_key_count c
        WHERE l.kind = c.kind AND l.project = c.project AND l.key = c.key) ORDER BY l.id";
    WRONG_LABEL_COUNT = "SELECT c.project FROM label_count c WHERE c.n <> (SELECT count(*) FROM label l
        WHERE l.kind = c.kind AND l.project = c.project AND l.key = c.key AND l.value = c.value) ORDER BY c.project";
    UNCOUNTED_LABEL = "SELECT l.id FROM label l WHERE NOT EXISTS (SELECT 1 FROM label_count c
        WHERE l.kind = c.kind AND l.project = c.project AND l.key = c.key AND l.value = c.value) ORDER BY l.id";
    LABEL_OF_NOBODY = "SELECT l.id FROM label l WHERE (l.kind = 'server' AND NOT EXISTS (SELECT 1 FROM servers s WHERE s.id = l.id))
        OR (l.kind = 'ssh_key' AND NOT EXISTS (SELECT 1 FROM ssh_keys k WHERE k.id = l.id))
        OR (l.kind = 'image' AND NOT EXISTS (SELECT 1 FROM images m WHERE m.id = l.id))
        OR (l.kind = 'firewall' AND NOT EXISTS (SELECT 1 FROM firewalls f WHERE f.id = l.id))
        OR (l.kind = 'volume' AND NOT EXISTS (SELECT 1 FROM volumes v WHERE v.id = l.id))
        OR (l.kind = 'primary_ip' AND NOT EXISTS (SELECT 1 FROM primary_ips p WHERE p.id = l.id))
        OR (l.kind = 'network' AND NOT EXISTS (SELECT 1 FROM networks w WHERE w.id = l.id))
        OR (l.kind = 'floating_ip' AND NOT EXISTS (SELECT 1 FROM floating_ips f WHERE f.id = l.id))
        OR (l.kind = 'certificate' AND NOT EXISTS (SELECT 1 FROM certificates x WHERE x.id = l.id))
        OR (l.kind = 'load_balancer' AND NOT EXISTS (SELECT 1 FROM load_balancers b WHERE b.id = l.id))
        OR (l.kind = 'zone' AND NOT EXISTS (SELECT 1 FROM zones z WHERE z.id = l.id))
        OR (l.kind = 'rrset' AND NOT EXISTS (SELECT 1 FROM rrsets r WHERE r.id = l.id AND r.zone = l.parent))
        OR (l.kind = 'storage_box' AND NOT EXISTS (SELECT 1 FROM storage_boxes b WHERE b.id = l.id))
        OR (l.kind = 'storage_box_snapshot' AND NOT EXISTS (SELECT 1 FROM storage_box_snapshots h WHERE h.id = l.id AND h.storage_box = l.parent))
        OR (l.kind = 'storage_box_subaccount' AND NOT EXISTS (SELECT 1 FROM storage_box_subaccounts u WHERE u.id = l.id AND u.storage_box = l.parent))
        OR (l.kind = 'placement_group' AND NOT EXISTS (SELECT 1 FROM placement_groups g WHERE g.id = l.id)) ORDER BY l.id";
    BEHIND_A_FIREWALL = "SELECT f.server FROM firewall_servers f WHERE NOT EXISTS (SELECT 1 FROM firewalls w, servers s
        WHERE w.id = f.firewall AND s.id = f.server AND s.project = w.project) ORDER BY f.server";
    /// As many as `wolke_domain::firewall::PER_SERVER_MAX`.
    TOO_MANY_FIREWALLS = "SELECT b.server FROM (SELECT f.server, f.firewall FROM firewall_servers f UNION SELECT d.server, n.owner FROM selected d, selection n
        WHERE n.id = d.selection AND n.kind = 'firewall') b GROUP BY b.server HAVING count(*) > 5 ORDER BY b.server";
    ATTACHED_TO_NOTHING = "SELECT v.id FROM volumes v WHERE v.server IS NOT NULL AND NOT EXISTS (SELECT 1 FROM servers s WHERE s.id = v.server AND s.project = v.project) ORDER BY v.id";
    /// As many as `wolke_domain::volume::PER_SERVER_MAX`.
    TOO_MANY_VOLUMES = "SELECT v.server FROM volumes v WHERE v.server IS NOT NULL GROUP BY v.server HAVING count(*) > 16 ORDER BY v.server";
    OVERSOLD_SPACE = "SELECT s.location FROM volume_space s WHERE s.remaining < 0 ORDER BY s.location";
    /// A machine elsewhere than where its server is: while it moves, or as a tombstone that the next start or delete clears.
    MACHINE_WITHOUT_SERVER = "SELECT o.id FROM host_object o WHERE o.kind = 'server' AND NOT EXISTS (SELECT 1 FROM servers s WHERE s.id = o.id AND (s.host = o.host
        OR o.tombstone = 1 OR EXISTS (SELECT 1 FROM strand_lock l WHERE l.kind = 'server' AND l.resource = s.id))) ORDER BY o.id";
    MEMBER_OF_NO_GROUP = "SELECT s.id FROM servers s WHERE s.placement_group IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM placement_groups g WHERE g.id = s.placement_group AND g.project = s.project) ORDER BY s.id";
    MEMBER_OF_NO_NETWORK = "SELECT a.member FROM network_addresses a WHERE a.kind = 'server' AND NOT EXISTS (SELECT 1 FROM servers s, networks w
        WHERE s.id = a.member AND w.id = a.network AND w.project = s.project) ORDER BY a.member";
    BALANCER_OF_NO_NETWORK = "SELECT a.member FROM network_addresses a WHERE a.kind = 'load_balancer' AND NOT EXISTS (SELECT 1 FROM load_balancers b, networks w
        WHERE b.id = a.member AND w.id = a.network AND w.project = b.project) ORDER BY a.member";
    /// A load balancer is in one network at most.
    BALANCER_IN_TWO_NETWORKS = "SELECT a.member FROM network_addresses a WHERE a.kind = 'load_balancer' GROUP BY a.member HAVING count(*) > 1 ORDER BY a.member";
    TARGET_OF_NOTHING = "SELECT t.server FROM load_balancer_servers t WHERE NOT EXISTS (SELECT 1 FROM load_balancers b, servers s
        WHERE b.id = t.load_balancer AND s.id = t.server AND s.project = b.project) ORDER BY t.server";
    SELECTION_OF_NO_BALANCER = "SELECT n.id FROM selection n WHERE n.kind = 'load_balancer' AND NOT EXISTS
        (SELECT 1 FROM load_balancers b WHERE b.id = n.owner AND b.project = n.project) ORDER BY n.id";
    WRONG_MATCHED = "SELECT n.id FROM selection n WHERE n.matched <> (SELECT count(*) FROM selected d WHERE d.selection = n.id) ORDER BY n.id";
    SHOWN_BY_NO_BALANCER = "SELECT c.certificate FROM load_balancer_certificates c WHERE NOT EXISTS
        (SELECT 1 FROM load_balancers b WHERE b.id = c.load_balancer) ORDER BY c.certificate";
    CHECKER_WITHOUT_CALENDAR = "SELECT c.load_balancer FROM load_balancer_checkers c WHERE NOT EXISTS (SELECT 1 FROM strand s, load_balancers b
        WHERE s.id = c.strand AND s.kind = 'load_balancer_calendar' AND b.id = c.load_balancer AND b.project = s.project) ORDER BY c.load_balancer";
    HEALTH_WITHOUT_CHECKER = "SELECT h.load_balancer FROM load_balancer_health h WHERE NOT EXISTS
        (SELECT 1 FROM load_balancer_checkers c WHERE c.load_balancer = h.load_balancer) ORDER BY h.load_balancer";
    TOLD_TO_NOBODY = "SELECT g.server FROM guest_answers g WHERE g.server <> 0 AND NOT EXISTS (SELECT 1 FROM servers s WHERE s.id = g.server) ORDER BY g.server";
    /// An alias belongs to a membership, and both to one interface.
    ALIAS_WITHOUT_ADDRESS = "SELECT a.member FROM network_addresses a WHERE NOT EXISTS (SELECT 1 FROM network_addresses b WHERE b.network = a.network
        AND b.kind = a.kind AND b.member = a.member AND b.interface = a.interface AND b.position = 0) ORDER BY a.member";
    INTERFACE_TWICE = "SELECT a.interface FROM network_addresses a WHERE a.position = 0 GROUP BY a.interface HAVING count(*) > 1 ORDER BY a.interface";
    WRONG_MEMBER_COUNT = "SELECT w.id FROM networks w WHERE w.member_count <> (SELECT count(*) FROM network_addresses a WHERE a.network = w.id
        AND a.position = 0) ORDER BY w.id";
    /// Every run is full, nobody is outside of them, and they do not touch.
    WRONG_RUN = "SELECT r.network FROM network_runs r WHERE r.last - r.first + 1 <> (SELECT count(*) FROM network_addresses a WHERE a.network = r.network
        AND a.ip >= r.first AND a.ip <= r.last) OR EXISTS (SELECT 1 FROM network_runs n WHERE n.network = r.network AND n.first = r.last + 1) ORDER BY r.network";
    ADDRESS_OF_NO_RUN = "SELECT a.network FROM network_addresses a WHERE NOT EXISTS (SELECT 1 FROM network_runs r WHERE r.network = a.network
        AND r.first <= a.ip AND r.last >= a.ip) ORDER BY a.network";
    VSWITCH_OF_NO_NETWORK = "SELECT v.id FROM vswitches v WHERE v.network IS NOT NULL AND NOT EXISTS (SELECT 1 FROM networks w WHERE w.id = v.network) ORDER BY v.id";
    /// Only one that stands still may share a host with another member, until its next start.
    MEMBERS_ON_ONE_HOST = "SELECT a.id FROM servers a, servers b WHERE a.placement_group = b.placement_group AND a.host = b.host AND a.id <> b.id
        AND a.status IN ('starting', 'running', 'stopping') AND b.status IN ('starting', 'running', 'stopping') ORDER BY a.id";
    SERVER_WITHOUT_MACHINE = "SELECT s.id FROM servers s WHERE s.host IS NOT NULL AND NOT EXISTS (SELECT 1 FROM host_object o
        WHERE o.kind = 'server' AND o.id = s.id AND o.host = s.host) ORDER BY s.id";
    UNSETTLED_STATUS = "SELECT s.id FROM servers s WHERE s.status IN ('initializing', 'starting', 'stopping', 'migrating', 'rebuilding') AND NOT EXISTS
        (SELECT 1 FROM strand_lock l WHERE l.kind = 'server' AND l.resource = s.id) ORDER BY s.id";
    CREATING_WITHOUT_WORK = "SELECT m.id FROM images m WHERE m.status = 'creating' AND NOT EXISTS
        (SELECT 1 FROM strand_lock l WHERE l.kind = 'image' AND l.resource = m.id) ORDER BY m.id";
    BACKUP_OF_NOBODY = "SELECT m.id FROM images m WHERE (m.type = 'backup' AND NOT EXISTS (SELECT 1 FROM servers s WHERE s.id = m.bound_to AND s.project = m.project))
        OR (m.type <> 'backup' AND m.bound_to IS NOT NULL) ORDER BY m.id";
    /// As many as `wolke_domain::image::BACKUPS_MAX`; no backup is protected.
    TOO_MANY_BACKUPS = "SELECT m.bound_to FROM images m WHERE m.status = 'available' AND m.bound_to IS NOT NULL GROUP BY m.bound_to HAVING count(*) > 7 ORDER BY m.bound_to";
    SHOWS_NO_IMAGE = "SELECT s.id FROM servers s WHERE s.own_image IS NOT NULL AND NOT EXISTS (SELECT 1 FROM images m WHERE m.id = s.own_image AND m.project = s.project)
        AND NOT EXISTS (SELECT 1 FROM deleted_images d WHERE d.id = s.own_image AND d.project = s.project) ORDER BY s.id";
    REBUILT_FROM_NOTHING = "SELECT s.id FROM servers s WHERE s.building_image IS NOT NULL AND NOT EXISTS (SELECT 1 FROM images m WHERE m.id = s.building_image AND m.project = s.project)
        AND NOT EXISTS (SELECT 1 FROM deleted_images d WHERE d.id = s.building_image AND d.project = s.project) ORDER BY s.id";
    REBUILT_BY_NOBODY = "SELECT s.id FROM servers s WHERE s.building_image IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM strand_lock l WHERE l.kind = 'server' AND l.resource = s.id) ORDER BY s.id";
    SHOWN_BY_NOBODY = "SELECT d.id FROM deleted_images d WHERE NOT EXISTS (SELECT 1 FROM servers s WHERE s.own_image = d.id OR s.building_image = d.id)
        OR EXISTS (SELECT 1 FROM images m WHERE m.id = d.id) ORDER BY d.id";
    SELECTED_GHOST = "SELECT d.server FROM selected d WHERE NOT EXISTS (SELECT 1 FROM servers s, selection n WHERE s.id = d.server AND n.id = d.selection
        AND n.project = s.project) ORDER BY d.server";
    SELECTION_OF_NOBODY = "SELECT n.id FROM selection n WHERE n.kind = 'firewall' AND NOT EXISTS (SELECT 1 FROM firewalls w
        WHERE w.id = n.owner AND w.project = n.project) ORDER BY n.id";
    WRONG_RECORD_COUNT = "SELECT z.id FROM zones z WHERE z.record_count <> COALESCE((SELECT sum(r.size) FROM rrsets r WHERE r.zone = z.id), 0) ORDER BY z.id";
    WRONG_ZONE_VOLUME = "SELECT z.id FROM zones z WHERE z.rrset_count <> (SELECT count(*) FROM rrsets r WHERE r.zone = z.id) OR z.bytes <>
        COALESCE((SELECT sum(octet_length(r.path) + octet_length(r.records) + octet_length(r.doc)) FROM rrsets r WHERE r.zone = z.id), 0) ORDER BY z.id";
    RRSET_OF_NO_ZONE = "SELECT r.id FROM rrsets r WHERE r.size < 1 OR r.path <> r.name || '/' || r.type
        OR NOT EXISTS (SELECT 1 FROM zones z WHERE z.id = r.zone AND z.project = r.project AND z.mode = 'primary') ORDER BY r.id";
    ZONE_WITHOUT_SOA = "SELECT z.id FROM zones z WHERE z.mode = 'primary' AND NOT EXISTS (SELECT 1 FROM rrsets r WHERE r.zone = z.id AND r.path = '@/SOA' AND r.size = 1) ORDER BY z.id";
    BESIDE_A_CNAME = "SELECT r.id FROM rrsets r, rrsets o WHERE r.type = 'CNAME' AND o.zone = r.zone AND o.name = r.name AND o.id <> r.id ORDER BY r.id";
    ENDING_BY_NOBODY = "SELECT e.project FROM project_end e WHERE NOT EXISTS
        (SELECT 1 FROM strand s WHERE s.id = e.strand AND s.project = e.project) ORDER BY e.project";
    /// An uploaded one has a key, and so has whatever was issued; no key is left without its certificate.
    CERTIFICATE_WITHOUT_KEY = "SELECT x.id FROM certificates x WHERE (x.type = 'uploaded' OR x.not_after IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM certificate_keys k WHERE k.certificate = x.id) ORDER BY x.id";
    KEY_WITHOUT_CERTIFICATE = "SELECT k.certificate FROM certificate_keys k WHERE NOT EXISTS (SELECT 1 FROM certificates x WHERE x.id = k.certificate) ORDER BY k.certificate";
    USED_GHOST = "SELECT u.certificate FROM load_balancer_certificates u WHERE NOT EXISTS (SELECT 1 FROM certificates x WHERE x.id = u.certificate) ORDER BY u.certificate";
    /// What is pending has somebody at work.
    ISSUED_BY_NOBODY = "SELECT x.id FROM certificates x WHERE x.issuing = 1 AND NOT EXISTS
        (SELECT 1 FROM strand_lock l WHERE l.kind = 'certificate' AND l.resource = x.id) ORDER BY x.id";
    WRONG_STORAGE_BOX_SIZE = "SELECT b.id FROM storage_boxes b WHERE b.size <> b.size_data
        + COALESCE((SELECT sum(h.bytes - h.kept) FROM storage_box_snapshots h WHERE h.storage_box = b.id), 0) ORDER BY b.id";
    SNAPSHOT_OF_NO_STORAGE_BOX = "SELECT h.id FROM storage_box_snapshots h WHERE NOT EXISTS (SELECT 1 FROM storage_boxes b
        WHERE b.id = h.storage_box AND b.project = h.project) ORDER BY h.id";
    SUBACCOUNT_OF_NO_STORAGE_BOX = "SELECT u.id FROM storage_box_subaccounts u WHERE NOT EXISTS (SELECT 1 FROM storage_boxes b
        WHERE b.id = u.storage_box AND b.project = u.project) ORDER BY u.id";
    /// What a snapshot shares is part of it, and part of what came next.
    SHARES_WHAT_IS_NOT_THERE = "SELECT h.id FROM storage_box_snapshots h, storage_boxes b WHERE b.id = h.storage_box AND (h.kept < 0 OR h.kept > h.bytes
        OR h.kept > COALESCE((SELECT n.bytes FROM storage_box_snapshots n WHERE n.storage_box = h.storage_box AND n.number > h.number ORDER BY n.number LIMIT 1), b.size_data)) ORDER BY h.id";
    OBSERVED_AHEAD = "SELECT o.id FROM host_object o, host h WHERE h.id = o.host AND o.generation > h.generation ORDER BY o.id";
}

/// Asks every question of this file.
///
/// # Errors
/// Internal, naming the question and the first of the offending ids.
pub fn check(tx: &mut dyn Tx) -> Result<()> {
    for stmt in STATEMENTS {
        ask(tx, stmt)?;
    }
    address::check_balance(tx).map(|_| ())
}

/// Asks those of the history of actions alone.
///
/// # Errors
/// As [`check`].
pub fn check_history(tx: &mut dyn Tx) -> Result<()> {
    let questions =
        [WRONG_ACTION_COUNT, WRONG_ACTION_KIND_COUNT, UNCOUNTED_ACTION, UNLISTED_ACTION, RESOURCE_OF_NO_ACTION];
    questions.iter().try_for_each(|stmt| ask(tx, stmt))
}

fn ask(tx: &mut dyn Tx, stmt: &Stmt) -> Result<()> {
    match tx.query(stmt, &[])?.first() {
        None => Ok(()),
        Some(row) => Err(Error::internal(format!("{} does not hold: {}", stmt.name, row.int(0)?))),
    }
}
