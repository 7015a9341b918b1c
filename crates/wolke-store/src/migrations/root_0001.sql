-- The root database: accounts, worlds, tokens. Dialect of this file: see migrate.rs.
CREATE TABLE account (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created BIGINT NOT NULL);
CREATE TABLE world (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created BIGINT NOT NULL);
-- dialect: null means the server's default. hash: SHA-256 of the token, hexadecimal.
CREATE TABLE token (
  id BIGINT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, world TEXT NOT NULL, project BIGINT NOT NULL, name TEXT NOT NULL,
  writes BIGINT NOT NULL, dialect TEXT, created BIGINT NOT NULL
);
CREATE INDEX token_project ON token (world, project);
