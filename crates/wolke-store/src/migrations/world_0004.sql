-- What hangs on servers and what stands beside them. Dialect of this file: see migrate.rs.

-- == Label selectors that stay live: whose they are, and which servers they match now.
CREATE TABLE selection (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), kind TEXT NOT NULL, owner BIGINT NOT NULL,
  selector TEXT NOT NULL
);
CREATE UNIQUE INDEX selection_owner ON selection (kind, owner, selector);
CREATE INDEX selection_project ON selection (project, id);
CREATE TABLE selected (
  selection BIGINT NOT NULL REFERENCES selection (id), server BIGINT NOT NULL, PRIMARY KEY (selection, server)
) CLUSTERED;
CREATE INDEX selected_server ON selected (server, selection);

-- == Volumes
CREATE TABLE volumes (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), name TEXT NOT NULL, created BIGINT NOT NULL,
  status TEXT NOT NULL, location BIGINT NOT NULL, server BIGINT, rev BIGINT NOT NULL, generation BIGINT NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX volumes_name ON volumes (project, name);
CREATE UNIQUE INDEX volumes_id ON volumes (project, id);
CREATE UNIQUE INDEX volumes_created ON volumes (project, created, id);
CREATE INDEX volumes_server ON volumes (server, id) WHERE server IS NOT NULL;
-- How many GB of volumes a location has left. Without a row there is no end of them.
CREATE TABLE volume_space (location BIGINT PRIMARY KEY, remaining BIGINT NOT NULL) CLUSTERED;

-- == Networks
CREATE TABLE networks (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), name TEXT NOT NULL, created BIGINT NOT NULL,
  rev BIGINT NOT NULL, generation BIGINT NOT NULL, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX networks_name ON networks (project, name);
CREATE UNIQUE INDEX networks_id ON networks (project, id);
CREATE UNIQUE INDEX networks_created ON networks (project, created, id);
-- Who has which address of a network, as a number. `position` 0 is a member's own address and so the membership itself; its aliases
-- follow from 1 on in their order. `kind` and `member`: a server or a load balancer. `slot` numbers the member's interfaces, `interface`
-- those of everybody.
CREATE TABLE network_addresses (
  network BIGINT NOT NULL REFERENCES networks (id), ip BIGINT NOT NULL, kind TEXT NOT NULL, member BIGINT NOT NULL,
  position BIGINT NOT NULL, slot BIGINT NOT NULL, interface BIGINT NOT NULL, PRIMARY KEY (network, ip)
) CLUSTERED;
CREATE UNIQUE INDEX network_addresses_member ON network_addresses (kind, member, network, position);
CREATE UNIQUE INDEX network_addresses_slot ON network_addresses (kind, member, slot, position);
CREATE UNIQUE INDEX network_members ON network_addresses (network, kind, member) WHERE position = 0;
-- The vSwitches of dedicated servers that the operator knows. `network`: the one that it is coupled with.
CREATE TABLE vswitches (id BIGINT PRIMARY KEY, network BIGINT);
CREATE INDEX vswitches_network ON vswitches (network) WHERE network IS NOT NULL;

-- == Floating IPs
-- `server`: the one that has it.
CREATE TABLE floating_ips (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), name TEXT NOT NULL, created BIGINT NOT NULL,
  ip TEXT NOT NULL UNIQUE, family BIGINT NOT NULL, server BIGINT, rev BIGINT NOT NULL, generation BIGINT NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX floating_ips_name ON floating_ips (project, name);
CREATE UNIQUE INDEX floating_ips_id ON floating_ips (project, id);
CREATE UNIQUE INDEX floating_ips_created ON floating_ips (project, created, id);
CREATE INDEX floating_ips_server ON floating_ips (server, id) WHERE server IS NOT NULL;

-- == Firewalls
CREATE TABLE firewalls (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), name TEXT NOT NULL, created BIGINT NOT NULL,
  rev BIGINT NOT NULL, generation BIGINT NOT NULL, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX firewalls_name ON firewalls (project, name);
CREATE UNIQUE INDEX firewalls_id ON firewalls (project, id);
CREATE UNIQUE INDEX firewalls_created ON firewalls (project, created, id);
CREATE TABLE firewall_selectors (
  project BIGINT NOT NULL, firewall BIGINT NOT NULL, selector TEXT NOT NULL,
  PRIMARY KEY (project, firewall, selector)
) CLUSTERED;
-- The servers behind each firewall. `via`: the selector that has matched; empty for servers that were named.
CREATE TABLE firewall_servers (
  firewall BIGINT NOT NULL REFERENCES firewalls (id), via TEXT NOT NULL, server BIGINT NOT NULL,
  PRIMARY KEY (firewall, via, server)
) CLUSTERED;
CREATE UNIQUE INDEX firewall_servers_server ON firewall_servers (server, firewall, via);

-- == Load balancers

-- == Certificates

-- == DNS zones
-- `record_count`: the records of all its sets together.
CREATE TABLE zones (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), name TEXT NOT NULL, created BIGINT NOT NULL,
  mode TEXT NOT NULL, record_count BIGINT NOT NULL, rev BIGINT NOT NULL, generation BIGINT NOT NULL, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX zones_name ON zones (project, name);
CREATE UNIQUE INDEX zones_id ON zones (project, id);
CREATE UNIQUE INDEX zones_created ON zones (project, created, id);
CREATE INDEX zones_mode ON zones (project, mode, id);
-- Sets of records. `path`: NAME/TYPE, by which the contract knows a set; `records`: JSON; `size`: how many they are.
CREATE TABLE rrsets (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL, zone BIGINT NOT NULL REFERENCES zones (id),
  path TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, created BIGINT NOT NULL, protected BIGINT NOT NULL,
  size BIGINT NOT NULL, records TEXT NOT NULL, rev BIGINT NOT NULL, generation BIGINT NOT NULL, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX rrsets_path ON rrsets (zone, path);
CREATE UNIQUE INDEX rrsets_name ON rrsets (zone, name, type);
CREATE UNIQUE INDEX rrsets_created ON rrsets (zone, created, id);
CREATE INDEX rrsets_type ON rrsets (zone, type, path);
CREATE INDEX rrsets_protected ON rrsets (zone, id) WHERE protected = 1;

-- == Storage boxes
