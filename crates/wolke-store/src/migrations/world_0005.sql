-- Load balancers, certificates, storage boxes; firewalls on the selectors that stay live. Dialect of this file: see migrate.rs.

-- == Limits that single projects have instead of the defaults
CREATE TABLE project_limit (
  project BIGINT NOT NULL REFERENCES project (id), kind TEXT NOT NULL, value BIGINT NOT NULL, PRIMARY KEY (project, kind)
) CLUSTERED;

-- == Projects that are being emptied, and by which strand
CREATE TABLE project_end (project BIGINT PRIMARY KEY REFERENCES project (id), strand BIGINT NOT NULL) CLUSTERED;

-- == Firewalls

-- Their selectors become selections like all others; what was matched by one becomes selected by it.
INSERT INTO selection (id, project, kind, owner, selector)
  SELECT COALESCE((SELECT c.next FROM counter c WHERE c.name = 'selection'), 1) + row_number() OVER (ORDER BY f.project, f.firewall, f.selector) - 1,
    f.project, 'firewall', f.firewall, f.selector FROM firewall_selectors f;
INSERT INTO selected (selection, server) SELECT n.id, f.server FROM firewall_servers f, selection n
  WHERE f.via <> '' AND n.kind = 'firewall' AND n.owner = f.firewall AND n.selector = f.via;
INSERT INTO counter (name, next) SELECT 'selection', h.id + 1 FROM selection h WHERE h.id = (SELECT max(n.id) FROM selection n)
  ON CONFLICT (name) DO UPDATE SET next = CASE WHEN excluded.next > counter.next THEN excluded.next ELSE counter.next END;
DROP TABLE firewall_selectors;
-- What is left are the servers that were named.
CREATE TABLE firewall_named (
  firewall BIGINT NOT NULL REFERENCES firewalls (id), server BIGINT NOT NULL, PRIMARY KEY (firewall, server)
) CLUSTERED;
INSERT INTO firewall_named (firewall, server) SELECT f.firewall, f.server FROM firewall_servers f WHERE f.via = '';
DROP TABLE firewall_servers;
ALTER TABLE firewall_named RENAME TO firewall_servers;
CREATE UNIQUE INDEX firewall_servers_server ON firewall_servers (server, firewall);

-- == Networks

ALTER TABLE networks ADD COLUMN member_count BIGINT NOT NULL DEFAULT 0;
UPDATE networks SET member_count = (SELECT count(*) FROM network_addresses a WHERE a.network = networks.id AND a.position = 0);
-- Taken addresses without a gap between them: the lowest free one is found with a look at one row.
CREATE TABLE network_runs (
  network BIGINT NOT NULL REFERENCES networks (id), first BIGINT NOT NULL, last BIGINT NOT NULL, PRIMARY KEY (network, first)
) CLUSTERED;
INSERT INTO network_runs (network, first, last) SELECT g.network, min(g.ip), max(g.ip) FROM
  (SELECT a.network, a.ip, a.ip - row_number() OVER (PARTITION BY a.network ORDER BY a.ip) AS gap FROM network_addresses a) g
  GROUP BY g.network, g.gap;

-- == DNS zones

-- How many sets a zone has, and their bytes: a limit each.
ALTER TABLE zones ADD COLUMN rrset_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE zones ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
UPDATE zones SET rrset_count = (SELECT count(*) FROM rrsets r WHERE r.zone = zones.id),
  bytes = COALESCE((SELECT sum(octet_length(r.path) + octet_length(r.records) + octet_length(r.doc)) FROM rrsets r WHERE r.zone = zones.id), 0);

-- == Load balancers
-- A load balancer has an address of each family, from pools of their own.
DROP INDEX address_owner;
CREATE UNIQUE INDEX address_owner ON address (kind, owner, pool);
CREATE TABLE load_balancers (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), name TEXT NOT NULL, created BIGINT NOT NULL,
  rev BIGINT NOT NULL, generation BIGINT NOT NULL, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX load_balancers_name ON load_balancers (project, name);
CREATE UNIQUE INDEX load_balancers_id ON load_balancers (project, id);
CREATE UNIQUE INDEX load_balancers_created ON load_balancers (project, created, id);
-- The servers that are targets by themselves; those that labels select: `selected`.
CREATE TABLE load_balancer_servers (
  load_balancer BIGINT NOT NULL REFERENCES load_balancers (id), server BIGINT NOT NULL, PRIMARY KEY (load_balancer, server)
) CLUSTERED;
CREATE UNIQUE INDEX load_balancer_servers_server ON load_balancer_servers (server, load_balancer);
-- The addresses of dedicated servers that are targets.
CREATE TABLE load_balancer_ips (
  ip TEXT NOT NULL, load_balancer BIGINT NOT NULL REFERENCES load_balancers (id), PRIMARY KEY (ip, load_balancer)
) CLUSTERED;
CREATE INDEX load_balancer_ips_load_balancer ON load_balancer_ips (load_balancer, ip);
-- The addresses of dedicated servers that the operator knows.
CREATE TABLE dedicated_ips (ip TEXT NOT NULL, PRIMARY KEY (ip)) CLUSTERED;
-- What the operator has told simulated guests to do at a port (0: at all others): `server`, or 0 and the `ip` of a dedicated one.
CREATE TABLE guest_answers (
  server BIGINT NOT NULL, ip TEXT NOT NULL, port BIGINT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (server, ip, port)
) CLUSTERED;

-- Which certificates its services show: what keeps a certificate from being deleted, and what it says in `used_by`.
CREATE TABLE load_balancer_certificates (
  load_balancer BIGINT NOT NULL, certificate BIGINT NOT NULL, PRIMARY KEY (load_balancer, certificate)
) CLUSTERED;
CREATE INDEX load_balancer_certificates_certificate ON load_balancer_certificates (certificate, load_balancer);

-- == Certificates
-- `not_after`: until when it is valid; none of a managed one that was not issued yet. `issuing`: somebody is at it.
CREATE TABLE certificates (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), name TEXT NOT NULL, created BIGINT NOT NULL,
  type TEXT NOT NULL, not_after BIGINT, issuing BIGINT NOT NULL, rev BIGINT NOT NULL, generation BIGINT NOT NULL, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX certificates_name ON certificates (project, name);
CREATE UNIQUE INDEX certificates_id ON certificates (project, id);
CREATE UNIQUE INDEX certificates_created ON certificates (project, created, id);
CREATE INDEX certificates_type ON certificates (project, type, id);
-- The keys of certificates, sealed: apart from the rows that lists read.
CREATE TABLE certificate_keys (certificate BIGINT PRIMARY KEY REFERENCES certificates (id), sealed TEXT NOT NULL) CLUSTERED;
-- The authorities that issue managed certificates, each made when it is first asked.
CREATE TABLE authorities (name TEXT PRIMARY KEY, certificate TEXT NOT NULL, sealed TEXT NOT NULL) CLUSTERED;
-- What the operator is told of, a bounded number of the latest.
CREATE TABLE events (id BIGINT PRIMARY KEY, at BIGINT NOT NULL, doc TEXT NOT NULL) CLUSTERED;

-- == Storage boxes
-- `size_data`: bytes of data; `size`: with what only snapshots hold. `folders`: JSON, apart from the document because it may be long.
CREATE TABLE storage_boxes (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), name TEXT NOT NULL, created BIGINT NOT NULL,
  size BIGINT NOT NULL, size_data BIGINT NOT NULL, folders TEXT NOT NULL, rev BIGINT NOT NULL, generation BIGINT NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX storage_boxes_name ON storage_boxes (project, name);
CREATE UNIQUE INDEX storage_boxes_id ON storage_boxes (project, id);
CREATE UNIQUE INDEX storage_boxes_created ON storage_boxes (project, created, id);
CREATE UNIQUE INDEX storage_boxes_size ON storage_boxes (project, size, id);
CREATE UNIQUE INDEX storage_boxes_size_data ON storage_boxes (project, size_data, id);
-- `number`: the order in which they were made; `bytes`: what the storage box held; `kept`: how many of them are still in what came after; `size`: what it alone holds.
CREATE TABLE storage_box_snapshots (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL, storage_box BIGINT NOT NULL REFERENCES storage_boxes (id),
  number BIGINT NOT NULL, name TEXT NOT NULL, created BIGINT NOT NULL, automatic BIGINT NOT NULL, bytes BIGINT NOT NULL,
  kept BIGINT NOT NULL, size BIGINT NOT NULL, folders TEXT NOT NULL, rev BIGINT NOT NULL, generation BIGINT NOT NULL, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX storage_box_snapshots_name ON storage_box_snapshots (storage_box, name);
CREATE UNIQUE INDEX storage_box_snapshots_id ON storage_box_snapshots (storage_box, id);
CREATE UNIQUE INDEX storage_box_snapshots_number ON storage_box_snapshots (storage_box, number);
CREATE UNIQUE INDEX storage_box_snapshots_created ON storage_box_snapshots (storage_box, created, id);
-- Further accounts. `number`: the end of `username`.
CREATE TABLE storage_box_subaccounts (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL, storage_box BIGINT NOT NULL REFERENCES storage_boxes (id),
  number BIGINT NOT NULL, name TEXT NOT NULL, username TEXT NOT NULL, created BIGINT NOT NULL, rev BIGINT NOT NULL,
  generation BIGINT NOT NULL, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX storage_box_subaccounts_name ON storage_box_subaccounts (storage_box, name);
CREATE UNIQUE INDEX storage_box_subaccounts_id ON storage_box_subaccounts (storage_box, id);
CREATE UNIQUE INDEX storage_box_subaccounts_created ON storage_box_subaccounts (storage_box, created, id);
CREATE UNIQUE INDEX storage_box_subaccounts_number ON storage_box_subaccounts (storage_box, number);
