//! Certificates with their keys, of nobody.

use crate::common::pem;

/// Chains and their keys, of every sort of key.
pub const PAIRS: [(&str, &str); 4] =
    [(CERTIFICATE, PRIVATE_KEY), (pem::RSA, pem::RSA_KEY), (pem::P256, pem::P256_KEY), (pem::P384, pem::P384_KEY)];

/// For `host.example.com`, from 2026 to 2056: it signed itself.
pub const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBfzCCASWgAwIBAgIBATAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBBob3N0LmV4\n\
YW1wbGUuY29tMCAXDTI2MDEwMTAwMDAwMFoYDzIwNTYwMTAxMDAwMDAwWjAbMRkw\n\
FwYDVQQDDBBob3N0LmV4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD\n\
QgAE1KlfEHa211xbHrv5K7IlArgRfMqYDsVNdXiKvh4YfV+jeA7siAJzvChPCB1m\n\
aXfm4wypXFQvf6PRaxTg+U/LyqNYMFYwKgYDVR0RBCMwIYIQaG9zdC5leGFtcGxl\n\
LmNvbYINKi5leGFtcGxlLmNvbTAJBgNVHRMEAjAAMB0GA1UdDgQWBBQApOi6ZhdX\n\
j4DAyPc0/fB0MldKyDAKBggqhkjOPQQDAgNIADBFAiEAoUWQSJ0TcgegPlDCYn1P\n\
lLatgHlm3k8pcndO2KheZlICIHtMc3Rurw0YlfaAtw5vKmqltVRkDyovHOu2DycI\n\
BAmv\n\
-----END CERTIFICATE-----\n\
";

/// Its key.
pub const PRIVATE_KEY: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+m24c1kIiUbCM6Ig\n\
8pMqC3TXk7u9cZK5npmin/uKNuGhRANCAATUqV8QdrbXXFseu/krsiUCuBF8ypgO\n\
xU11eIq+Hhh9X6N4DuyIAnO8KE8IHWZpd+bjDKlcVC9/o9FrFOD5T8vK\n\
-----END PRIVATE KEY-----\n\
";
