-- Dialect of this file: see migrate.rs.

-- == Primary IPs of load balancers (decision 0019)

-- `assignee` stays the server that has one; `load_balancer`: the load balancer that has it, 0: none. Never both.
ALTER TABLE primary_ips ADD COLUMN load_balancer BIGINT NOT NULL DEFAULT 0;
-- The addresses of those that are there become primary IPs that go with them. A load balancer has the first address of an IPv6
-- network, and its primary IP is the network. The data center stays open: the location's first.
INSERT INTO primary_ips (id, project, name, created, ip, family, load_balancer, rev, generation, doc)
  SELECT n.id, n.project, CASE WHEN EXISTS (SELECT 1 FROM primary_ips p WHERE p.project = n.project AND p.name = 'primary_ip-' || n.id)
      THEN 'primary_ip-' || n.id || '-of-load-balancer-' || n.load_balancer ELSE 'primary_ip-' || n.id END,
    n.created, CASE WHEN n.family = 4 THEN n.own ELSE substr(n.own, 1, length(n.own) - 1) || '/64' END, n.family, n.load_balancer, 1, 1,
    '{"v":1,"location":' || n.location || ',"auto_delete":true' || COALESCE(',"dns_ptr":{"' || n.own || '":"'
      || replace(CAST(JSON_AT(CAST(n.doc AS JSONB), CAST('$."dns_ptr"."' || n.own || '"' AS JSONPATH)) AS VARCHAR), '"', '') || '"}', '') || '}'
  FROM (
    SELECT COALESCE((SELECT c.next FROM counter c WHERE c.name = 'primary_ip'), 1) + row_number() OVER (ORDER BY b.id, f.family) - 1 AS id,
      b.project, b.id AS load_balancer, b.created, f.family, b.doc, CAST(JSON_AT(CAST(b.doc AS JSONB), '$."location"') AS VARCHAR) AS location,
      replace(CAST(JSON_AT(CAST(b.doc AS JSONB), CAST('$."ipv' || f.family || '"."ip"' AS JSONPATH)) AS VARCHAR), '"', '') AS own
    FROM load_balancers b CROSS JOIN (SELECT 4 AS family UNION ALL SELECT 6) f
  ) n;
UPDATE address SET kind = 'primary_ip', owner = (SELECT p.id FROM primary_ips p, address_pool q
    WHERE p.load_balancer = address.owner AND q.id = address.pool AND p.family = q.family) WHERE kind = 'load_balancer';
INSERT INTO resource_count (kind, project, n) SELECT 'primary_ip', p.project, count(*) FROM primary_ips p WHERE p.load_balancer > 0 GROUP BY p.project
  ON CONFLICT (kind, project) DO UPDATE SET n = resource_count.n + excluded.n;
INSERT INTO counter (name, next) SELECT 'primary_ip', h.id + 1 FROM primary_ips h WHERE h.id = (SELECT max(p.id) FROM primary_ips p)
  ON CONFLICT (name) DO UPDATE SET next = CASE WHEN excluded.next > counter.next THEN excluded.next ELSE counter.next END;
CREATE UNIQUE INDEX primary_ips_load_balancer ON primary_ips (load_balancer, family) WHERE load_balancer > 0;
-- For the dialects that do not know them: the others, counted and in order.
CREATE UNIQUE INDEX primary_ips_of_others ON primary_ips (project, load_balancer, id);

-- == Load balancers: health checks that take time

-- Load balancers whose checks take time, and the calendar that keeps their verdicts.
CREATE TABLE load_balancer_checkers (
  load_balancer BIGINT PRIMARY KEY REFERENCES load_balancers (id), strand BIGINT NOT NULL
) CLUSTERED;
-- What checks of a target have found: `server`, or 0 and the `ip` of a dedicated one; `private`: by its private address.
CREATE TABLE load_balancer_health (
  load_balancer BIGINT NOT NULL REFERENCES load_balancers (id), server BIGINT NOT NULL, ip TEXT NOT NULL, private BIGINT NOT NULL,
  doc TEXT NOT NULL, PRIMARY KEY (load_balancer, server, ip, private)
) CLUSTERED;

-- == Labels of what goes with its parent

-- `parent`: the zone of a set of records, the storage box of a snapshot or a further account. So all labels that go with a parent
-- are found without naming them one by one; and so are the counts of labels that came to nothing by that. Partial: no other
-- kind pays for it.
ALTER TABLE label ADD COLUMN parent BIGINT;
UPDATE label SET parent = (SELECT r.zone FROM rrsets r WHERE r.id = label.id) WHERE kind = 'rrset';
UPDATE label SET parent = (SELECT s.storage_box FROM storage_box_snapshots s WHERE s.id = label.id) WHERE kind = 'storage_box_snapshot';
UPDATE label SET parent = (SELECT s.storage_box FROM storage_box_subaccounts s WHERE s.id = label.id) WHERE kind = 'storage_box_subaccount';
CREATE INDEX label_parent ON label (kind, parent, id) WHERE parent IS NOT NULL;
CREATE INDEX label_count_gone ON label_count (kind, project) WHERE n = 0;
CREATE INDEX label_key_count_gone ON label_key_count (kind, project) WHERE n = 0;

-- == Selections: how many servers they match
ALTER TABLE selection ADD COLUMN matched BIGINT NOT NULL DEFAULT 0;
UPDATE selection SET matched = (SELECT count(*) FROM selected d WHERE d.selection = selection.id);
