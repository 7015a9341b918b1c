-- What every database has: its counters, its clock and its seed.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) CLUSTERED;
CREATE TABLE counter (name TEXT PRIMARY KEY, next BIGINT NOT NULL) CLUSTERED;
CREATE TABLE clock (
  id BIGINT PRIMARY KEY, mode TEXT NOT NULL, anchor_world BIGINT NOT NULL, anchor_real BIGINT NOT NULL,
  rate_permille BIGINT NOT NULL
);
