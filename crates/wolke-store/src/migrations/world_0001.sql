-- A world. Dialect of this file: see migrate.rs.
-- Times are milliseconds since 1970; `doc` is the part of a resource that nothing searches, one versioned JSON document.
-- `rev` counts changes of what a resource shows, `generation` its lost-update lock (design, the store).
CREATE TABLE project (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created BIGINT NOT NULL);

CREATE TABLE servers (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), name TEXT NOT NULL, created BIGINT NOT NULL,
  status TEXT NOT NULL, host BIGINT, rev BIGINT NOT NULL, generation BIGINT NOT NULL, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX servers_name ON servers (project, name);
CREATE UNIQUE INDEX servers_id ON servers (project, id);
CREATE UNIQUE INDEX servers_created ON servers (project, created, id);

CREATE TABLE ssh_keys (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), name TEXT NOT NULL, created BIGINT NOT NULL,
  fingerprint TEXT NOT NULL, rev BIGINT NOT NULL, generation BIGINT NOT NULL, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX ssh_keys_name ON ssh_keys (project, name);
CREATE UNIQUE INDEX ssh_keys_id ON ssh_keys (project, id);
CREATE UNIQUE INDEX ssh_keys_fingerprint ON ssh_keys (project, fingerprint);

CREATE TABLE primary_ips (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), name TEXT NOT NULL, created BIGINT NOT NULL,
  ip TEXT NOT NULL UNIQUE, family BIGINT NOT NULL, assignee BIGINT, rev BIGINT NOT NULL, generation BIGINT NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX primary_ips_name ON primary_ips (project, name);
CREATE UNIQUE INDEX primary_ips_id ON primary_ips (project, id);
CREATE UNIQUE INDEX primary_ips_created ON primary_ips (project, created, id);
CREATE UNIQUE INDEX primary_ips_assignee ON primary_ips (assignee, family) WHERE assignee IS NOT NULL;

-- Labels, those of one key side by side in the order of ids: whoever tests many resources for a key reads just these. And how many resources carry each pair and each key: `total_entries` of a one-term selector is one lookup.
CREATE TABLE label (
  kind TEXT NOT NULL, project BIGINT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, id BIGINT NOT NULL,
  PRIMARY KEY (kind, project, key, id)
) CLUSTERED;
CREATE UNIQUE INDEX label_pair ON label (kind, project, key, value, id);
CREATE TABLE label_count (
  kind TEXT NOT NULL, project BIGINT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, n BIGINT NOT NULL,
  PRIMARY KEY (kind, project, key, value)
) CLUSTERED;
CREATE TABLE label_key_count (
  kind TEXT NOT NULL, project BIGINT NOT NULL, key TEXT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (kind, project, key)
) CLUSTERED;
-- How many resources of a kind a project has: quotas and unfiltered totals.
CREATE TABLE resource_count (
  kind TEXT NOT NULL, project BIGINT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (kind, project)
) CLUSTERED;

CREATE TABLE actions (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), command TEXT NOT NULL, status TEXT NOT NULL,
  progress BIGINT NOT NULL, started BIGINT NOT NULL, finished BIGINT, error_code TEXT, error_message TEXT,
  rev BIGINT NOT NULL, resources TEXT NOT NULL
);
CREATE UNIQUE INDEX actions_id ON actions (project, id);
-- Most actions of a long history have succeeded; what runs and what failed is found without them.
CREATE UNIQUE INDEX actions_unsuccessful ON actions (project, status, id) WHERE status <> 'success';
-- `listed` is 1 for the first resource of each kind of an action: a list by kind shows the action once.
CREATE TABLE action_resource (
  project BIGINT NOT NULL, kind TEXT NOT NULL, resource BIGINT NOT NULL, action BIGINT NOT NULL, listed BIGINT NOT NULL,
  PRIMARY KEY (project, kind, resource, action)
) CLUSTERED;
CREATE UNIQUE INDEX action_resource_listed ON action_resource (project, kind, action) WHERE listed = 1;
-- How many actions work on resources of a kind; kind `action` counts all of a project.
CREATE TABLE action_count (
  project BIGINT NOT NULL, kind TEXT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (project, kind)
) CLUSTERED;
-- How far a project's history was searched for actions whose resources are gone.
CREATE TABLE action_sweep (project BIGINT PRIMARY KEY, position BIGINT NOT NULL);

-- Public addresses. `cursor` counts the addresses ever handed out; released ones wait in `address_free`, oldest first.
CREATE TABLE address_pool (
  id BIGINT PRIMARY KEY, family BIGINT NOT NULL, cidr TEXT NOT NULL UNIQUE, capacity BIGINT NOT NULL,
  cursor BIGINT NOT NULL, released BIGINT NOT NULL
);
CREATE TABLE address (
  pool BIGINT NOT NULL REFERENCES address_pool (id), position BIGINT NOT NULL, kind TEXT NOT NULL, owner BIGINT NOT NULL,
  PRIMARY KEY (pool, position)
) CLUSTERED;
CREATE UNIQUE INDEX address_owner ON address (kind, owner);
CREATE TABLE address_free (
  pool BIGINT NOT NULL REFERENCES address_pool (id), turn BIGINT NOT NULL, position BIGINT NOT NULL,
  PRIMARY KEY (pool, turn)
) CLUSTERED;
CREATE UNIQUE INDEX address_free_position ON address_free (pool, position);

-- Resumable work. `wake_at` is world time, `retry_at` real time (lease end or backoff), `wakes` makes wake-ups survive.
CREATE TABLE strand (
  id BIGINT PRIMARY KEY, kind TEXT NOT NULL, project BIGINT NOT NULL, scope TEXT NOT NULL, step TEXT NOT NULL,
  frame TEXT NOT NULL, action BIGINT, wake_at BIGINT NOT NULL, wakes BIGINT NOT NULL, retry_at BIGINT NOT NULL,
  lease BIGINT NOT NULL, tries BIGINT NOT NULL, deadline BIGINT NOT NULL
);
CREATE INDEX strand_due ON strand (wake_at, retry_at);
CREATE INDEX strand_project ON strand (project);
CREATE TABLE strand_lock (
  kind TEXT NOT NULL, resource BIGINT NOT NULL, position BIGINT NOT NULL, strand BIGINT NOT NULL REFERENCES strand (id),
  PRIMARY KEY (kind, resource, position)
) CLUSTERED;
CREATE UNIQUE INDEX strand_lock_strand ON strand_lock (strand, kind, resource);

-- Hosts and what they should hold, hold and did. `generation` of a host grows with every change of its desired objects.
CREATE TABLE host (
  id BIGINT PRIMARY KEY, location BIGINT NOT NULL, kind TEXT NOT NULL, generation BIGINT NOT NULL,
  free_cores BIGINT NOT NULL, free_memory_mb BIGINT NOT NULL, free_disk_gb BIGINT NOT NULL
);
CREATE INDEX host_room ON host (location, kind, free_memory_mb, id);
CREATE TABLE host_object (
  host BIGINT NOT NULL REFERENCES host (id), kind TEXT NOT NULL, id BIGINT NOT NULL, generation BIGINT NOT NULL,
  tombstone BIGINT NOT NULL, spec TEXT NOT NULL, observed_generation BIGINT NOT NULL, observed TEXT,
  sim TEXT, PRIMARY KEY (host, kind, id)
);
CREATE UNIQUE INDEX host_object_generation ON host_object (host, generation, kind, id);
CREATE TABLE host_command (
  id BIGINT PRIMARY KEY, host BIGINT NOT NULL REFERENCES host (id), kind TEXT NOT NULL, object BIGINT NOT NULL,
  command TEXT NOT NULL, outcome TEXT
);
CREATE INDEX host_command_object ON host_command (host, kind, object);
