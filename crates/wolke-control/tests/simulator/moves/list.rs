//! Lists.

use super::*;

/// The moves of this noun.
pub const MOVES: &[Move] = &[("list", 1, |sim| Box::pin(sim.list()))];

impl Simulator {
    /// Lists warm the cache, so that a forgotten rev shows as a stale fragment.
    async fn list(&mut self) -> Result<String> {
        let selectors = ["", "env=e1", "env!=e1", "!env", "env in (e0,e2)", "env notin (e0)"];
        let selector = self.dice.pick(&selectors).unwrap_or_default();
        let kinds = [
            Kind::Server,
            Kind::PrimaryIp,
            Kind::FloatingIp,
            Kind::PlacementGroup,
            Kind::Network,
            Kind::SshKey,
            Kind::Action,
        ];
        let kind = self.dice.pick(&kinds).unwrap_or(Kind::Server);
        let request = ListRequest {
            kind,
            of: None,
            filters: if kind == Kind::Action { vec![Filter::Text("status", vec!["running".into()])] } else { vec![] },
            selector: Selector::parse(if kind == Kind::Action { "" } else { selector })
                .map_err(|e| Error::internal(e.to_string()))?,
            sort: Vec::new(),
            page: Page { page: u32::try_from(self.dice.below(3)).unwrap_or(0) + 1, per_page: 10 },
        };
        let list = self.control.list(&self.caller, request).await?;
        Ok(format!("{kind} {selector}: {} {}", list.total, String::from_utf8_lossy(&list.entries)))
    }
}
