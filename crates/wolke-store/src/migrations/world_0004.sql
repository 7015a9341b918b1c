-- What hangs on servers and what stands beside them. Dialect of this file: see migrate.rs.

-- == Volumes

-- == Networks

-- == Floating IPs

-- == Firewalls

-- == Load balancers

-- == Certificates

-- == DNS zones

-- == Storage boxes
