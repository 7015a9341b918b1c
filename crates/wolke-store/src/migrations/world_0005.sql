-- Load balancers, certificates, storage boxes; firewalls on the selectors that stay live. Dialect of this file: see migrate.rs.

-- == Firewalls

-- == Load balancers

-- Which certificates its services show: what keeps a certificate from being deleted, and what it says in `used_by`.
CREATE TABLE load_balancer_certificates (
  load_balancer BIGINT NOT NULL, certificate BIGINT NOT NULL, PRIMARY KEY (load_balancer, certificate)
) CLUSTERED;
CREATE INDEX load_balancer_certificates_certificate ON load_balancer_certificates (certificate, load_balancer);

-- == Certificates

-- == Storage boxes
