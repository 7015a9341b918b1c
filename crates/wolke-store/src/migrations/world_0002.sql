-- The rest of what surrounds a server: own images, placement groups, when machines ran. Dialect of this file: see migrate.rs.
-- `own_image`: the snapshot or backup that a server was made from; null when that was an image of the catalogue.
-- `building_image`: the one that its host makes a disk from right now, in a rebuild; null likewise.
ALTER TABLE servers ADD COLUMN placement_group BIGINT;
ALTER TABLE servers ADD COLUMN own_image BIGINT;
ALTER TABLE servers ADD COLUMN building_image BIGINT;
CREATE INDEX servers_placement_group ON servers (placement_group, id) WHERE placement_group IS NOT NULL;
CREATE INDEX servers_own_image ON servers (own_image, id) WHERE own_image IS NOT NULL;
CREATE INDEX servers_building_image ON servers (building_image, id) WHERE building_image IS NOT NULL;

-- Snapshots and backups. Their ids lie above those of the catalogue. `bound_to`: the server that a backup belongs to.
CREATE TABLE images (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), created BIGINT NOT NULL, type TEXT NOT NULL,
  status TEXT NOT NULL, architecture TEXT NOT NULL, bound_to BIGINT, rev BIGINT NOT NULL, generation BIGINT NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX images_id ON images (project, id);
CREATE UNIQUE INDEX images_created ON images (project, created, id);
CREATE INDEX images_bound_to ON images (bound_to, id) WHERE bound_to IS NOT NULL;
CREATE INDEX images_type ON images (project, type, id);
-- Deleted images that servers still show: nobody finds them by list or id, and they go with the last of these servers.
CREATE TABLE deleted_images (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), created BIGINT NOT NULL, type TEXT NOT NULL,
  status TEXT NOT NULL, architecture TEXT NOT NULL, bound_to BIGINT, rev BIGINT NOT NULL, deleted BIGINT NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX deleted_images_id ON deleted_images (project, id);

CREATE TABLE placement_groups (
  id BIGINT PRIMARY KEY, project BIGINT NOT NULL REFERENCES project (id), name TEXT NOT NULL, created BIGINT NOT NULL,
  type TEXT NOT NULL, rev BIGINT NOT NULL, generation BIGINT NOT NULL, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX placement_groups_name ON placement_groups (project, name);
CREATE UNIQUE INDEX placement_groups_id ON placement_groups (project, id);
CREATE UNIQUE INDEX placement_groups_created ON placement_groups (project, created, id);

-- From when on a machine ran or stood still, and each of its boots, with what it was then: metrics, traffic and the console
-- follow from it.
CREATE TABLE server_power (
  server BIGINT NOT NULL, at BIGINT NOT NULL, running BIGINT NOT NULL, server_type BIGINT NOT NULL,
  public BIGINT NOT NULL, PRIMARY KEY (server, at)
) CLUSTERED;

-- Tickets to consoles. `hash`: of the token in the URL; `password`: sealed, empty once used; `expires`: in real time.
CREATE TABLE console_tickets (
  hash TEXT PRIMARY KEY, server BIGINT NOT NULL, expires BIGINT NOT NULL, used BIGINT NOT NULL, password TEXT NOT NULL
) CLUSTERED;
CREATE INDEX console_tickets_server ON console_tickets (server, expires);
CREATE INDEX console_tickets_expires ON console_tickets (expires);

-- What the operator has decided at run time. `epoch` moves with every change that somebody could see.
CREATE TABLE operator_state (id BIGINT PRIMARY KEY, epoch BIGINT NOT NULL);
-- Entries of the catalogue that are added, changed or removed, as documents in the form of the catalogue's file.
CREATE TABLE catalogue_change (
  kind TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (kind, name)
) CLUSTERED;
-- How many servers of a type a location has left. Without a row there is no end of them.
CREATE TABLE stock (
  server_type BIGINT NOT NULL, location BIGINT NOT NULL, remaining BIGINT NOT NULL, PRIMARY KEY (server_type, location)
) CLUSTERED;
-- ISOs that one project sees. Their ids lie above those of the catalogue.
CREATE TABLE private_isos (id BIGINT PRIMARY KEY, project BIGINT NOT NULL, rev BIGINT NOT NULL, doc TEXT NOT NULL);
CREATE UNIQUE INDEX private_isos_id ON private_isos (project, id);
-- Answers that operations give instead of their own. `remaining`: how often yet; null for no end.
CREATE TABLE fault (id BIGINT PRIMARY KEY, doc TEXT NOT NULL, remaining BIGINT);
