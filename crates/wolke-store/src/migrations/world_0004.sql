-- What hangs on servers and what stands beside them. Dialect of this file: see migrate.rs.

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

-- == Floating IPs

-- == Firewalls

-- == Load balancers

-- == Certificates

-- == DNS zones

-- == Storage boxes
