//! The addresses of dedicated servers that load balancers may have as targets. There are no dedicated servers here that would
//! have one, so the operator says which there are.

use super::Control;
use std::net::IpAddr;
use wolke_domain::load_balancer::reach::is_private;
use wolke_domain::{Error, Result};
use wolke_store::{Race, dedicated_ip, load_balancer};
use wolke_wire::ErrorCode;

/// Addresses that can be known at the same time.
const DEDICATED_IPS_MAX: i64 = 10_000;

fn read(text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| Error::invalid("ip", "must be an IP address"))
}

impl Control {
    /// All addresses that are known.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn list_dedicated_ips(&self) -> Result<Vec<String>> {
        self.db.read(|tx| dedicated_ip::list(tx, DEDICATED_IPS_MAX)).await
    }

    /// Makes an address known; returns how it is written. One that is known already stays.
    ///
    /// # Errors
    /// `invalid_input` for what is none, or a private or our own address; `resource_limit_exceeded`.
    pub async fn add_dedicated_ip(&self, text: &str) -> Result<String> {
        let ip = read(text)?;
        let is_ours = match ip {
            IpAddr::V4(ip) => self.core.ipv4.index_of(ip).is_some(),
            IpAddr::V6(ip) => self.core.ipv6.index_of(ip).is_some(),
        };
        if is_ours || is_private(ip) {
            return Err(Error::invalid("ip", "must be a public address that no pool of this cloud has"));
        }
        let text = ip.to_string();
        self.db
            .write(vec![Race::Database], move |tx| {
                let is_new = dedicated_ip::insert(tx, &text)?;
                if is_new && dedicated_ip::has_more_than(tx, DEDICATED_IPS_MAX)? {
                    return Err(Error::limit("dedicated_ip_limit", "dedicated IPs"));
                }
                Ok(text.clone())
            })
            .await
    }

    /// Forgets an address.
    ///
    /// # Errors
    /// `invalid_input`, `not_found`; `resource_in_use` while a load balancer has it as a target.
    pub async fn remove_dedicated_ip(&self, text: &str) -> Result<()> {
        let text = read(text)?.to_string();
        self.db
            .write(vec![Race::Database], move |tx| {
                if let Some(balancer) = load_balancer::of_ip(tx, &text)?.first() {
                    let message = format!("IP '{text}' is a target of load balancer with ID '{balancer}'");
                    return Err(Error::refused(ErrorCode::ResourceInUse, message));
                }
                if dedicated_ip::delete(tx, &text)? {
                    return Ok(());
                }
                Err(Error::NotFound { message: format!("dedicated IP '{text}' not found") })
            })
            .await
    }
}
