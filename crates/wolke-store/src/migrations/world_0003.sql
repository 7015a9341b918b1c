-- Hosts that are real machines, driven by a process of theirs. Dialect of this file: see migrate.rs.
-- `name` tells the hosts of a location apart; `identity` is the host's own, whatever it is called; `facts` is what the host said of itself; `seen` is the real time of the last
-- sign of life of the process that drives it, 0 once that has said goodbye. All null for simulated hosts.
ALTER TABLE host ADD COLUMN name TEXT;
ALTER TABLE host ADD COLUMN facts TEXT;
ALTER TABLE host ADD COLUMN identity TEXT;
ALTER TABLE host ADD COLUMN seen BIGINT;
CREATE UNIQUE INDEX host_name ON host (location, name) WHERE name IS NOT NULL;
CREATE UNIQUE INDEX host_identity ON host (identity) WHERE identity IS NOT NULL;
CREATE INDEX host_real ON host (location, id) WHERE kind <> 'sim';
CREATE INDEX host_object_tombstone ON host_object (host, kind, id) WHERE tombstone = 1;

-- Commands are numbered by their host. Nothing has ever written the table that this one replaces.
DROP TABLE host_command;
CREATE TABLE host_command (
  host BIGINT NOT NULL REFERENCES host (id), id BIGINT NOT NULL, kind TEXT NOT NULL, object BIGINT NOT NULL,
  command TEXT NOT NULL, outcome TEXT, PRIMARY KEY (host, id)
) CLUSTERED;
CREATE INDEX host_command_pending ON host_command (host, id) WHERE outcome IS NULL;

-- What servers on real hosts have used: counters that grow within one `run`. `total_…`: the same over all runs, so that the
-- traffic of a period is the difference of two rows.
CREATE TABLE server_usage (
  server BIGINT NOT NULL, at BIGINT NOT NULL, run BIGINT NOT NULL, cpu_ms BIGINT NOT NULL, read_ops BIGINT NOT NULL,
  write_ops BIGINT NOT NULL, read_bytes BIGINT NOT NULL, write_bytes BIGINT NOT NULL, bytes_in BIGINT NOT NULL,
  bytes_out BIGINT NOT NULL, packets_in BIGINT NOT NULL, packets_out BIGINT NOT NULL, total_in BIGINT NOT NULL,
  total_out BIGINT NOT NULL, PRIMARY KEY (server, at)
) CLUSTERED;
CREATE INDEX server_usage_at ON server_usage (at);
