//! DNS zones and their sets.

use super::*;
use wolke_control::zone::{AskedRrset, RrsetChange};
use wolke_wire::IdOrName;
use wolke_wire::cloud::rrset::NewRecord;

/// The moves of this noun.
pub const MOVES: &[Move] = &[
    ("zone", 2, |sim| Box::pin(sim.zone())),
    ("zonefile", 1, |sim| Box::pin(sim.zonefile())),
    ("rrset", 4, |sim| Box::pin(sim.rrset())),
];

/// A request as a client would write it.
fn request<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> Result<T> {
    serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))
}

impl Simulator {
    fn any_zone(&mut self) -> IdOrName {
        let id = self.dice.pick(&self.model.zones).unwrap_or(77_777);
        if self.dice.once_in(2) { IdOrName::Id(id) } else { format!("z{}.com", self.dice.below(3)).as_str().into() }
    }

    /// Notes the zones that are there: names are given again, so a delete by name is any of them.
    async fn note_zones(&mut self) -> Result<()> {
        let project = self.caller.project;
        let mut there = Vec::new();
        for name in ["z0.com", "z1.com", "z2.com"] {
            let found = self.db.read(move |tx| wolke_store::zone::expect(tx, project, &name.into())).await;
            there.extend(found.ok().map(|zone| zone.value.id));
        }
        self.model.zones = there;
        Ok(())
    }

    async fn zone(&mut self) -> Result<String> {
        let (asked, caller) = (self.any_zone(), self.caller);
        let shown = match self.dice.below(6) {
            0 => self.control.delete_zone(&caller, asked).await,
            1 => {
                let labels = serde_json::json!({"env": format!("e{}", self.dice.below(3))});
                self.control.update_zone(&caller, asked, request(serde_json::json!({"labels": labels}))?).await
            }
            2 => {
                let ttl = request(serde_json::json!({"ttl": 60 + self.dice.below(3)}))?;
                self.control.change_zone_ttl(&caller, asked, ttl).await
            }
            3 => {
                let delete = request(serde_json::json!({"delete": self.dice.once_in(3)}))?;
                self.control.change_zone_protection(&caller, asked, delete).await
            }
            _ => {
                let mode = if self.dice.once_in(4) { "secondary" } else { "primary" };
                let body = serde_json::json!({"name": format!("z{}.com", self.dice.below(3)), "mode": mode,
                    "primary_nameservers": [{"address": "203.0.113.1", "tsig_algorithm": "hmac-sha1", "tsig_key": "a2V5"}],
                    "rrsets": [{"name": "r1", "type": "A", "records": [{"value": "192.0.2.1"}]}]});
                self.control.create_zone(&caller, request(body)?).await
            }
        };
        self.note_zones().await?;
        Ok(String::from_utf8_lossy(&shown?).into_owned())
    }

    /// Exports a zone and imports it again, with a record more or less.
    async fn zonefile(&mut self) -> Result<String> {
        let (asked, caller) = (self.any_zone(), self.caller);
        let shown = self.control.export_zonefile(&caller, asked.clone()).await?;
        let shown: serde_json::Value = serde_json::from_slice(&shown).map_err(|e| Error::internal(e.to_string()))?;
        let mut zonefile = shown["zonefile"].as_str().unwrap_or_default().to_owned();
        if self.dice.once_in(2) {
            zonefile.push_str(&format!("r{} TXT \"{}\"\n", self.dice.below(3), self.dice.below(3)));
        } else {
            zonefile.truncate(zonefile.trim_end().rfind('\n').map_or(0, |end| end + 1));
        }
        let request = request(serde_json::json!({"zonefile": zonefile}))?;
        let shown = self.control.import_zonefile(&caller, asked, request).await?;
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    async fn rrset(&mut self) -> Result<String> {
        let (zone, caller) = (self.any_zone(), self.caller);
        let name = self.dice.pick(&["r0", "r1", "r2", "@"]).unwrap_or("@").to_owned();
        let kind = self.dice.pick(&["A", "CNAME", "NS", "SOA", "TXT"]).unwrap_or("A");
        let value = |number: u64| match kind {
            "A" => format!("192.0.2.{number}"),
            "TXT" => format!("\"{number}\""),
            "SOA" => format!("a. b. {number} 1 2 3 4"),
            _ => format!("ns{number}.example.org."),
        };
        let count = 1 + self.dice.below(2);
        let first = self.dice.below(3);
        let record = |number: u64| NewRecord { value: value(first + number), comment: String::new() };
        let records: Vec<NewRecord> = (0..count).map(record).collect();
        let asked = AskedRrset { zone: zone.clone(), name: name.clone(), kind: kind.to_owned() };
        let ttl = self.dice.once_in(2).then_some(300);
        let change = match self.dice.below(8) {
            0 => RrsetChange::Delete,
            1 => RrsetChange::Protect(self.dice.once_in(4)),
            2 => RrsetChange::Ttl(ttl),
            3 => RrsetChange::Set(records),
            4 => RrsetChange::Add(records, ttl),
            5 => RrsetChange::Remove(records),
            6 => {
                let labels = serde_json::json!({"labels": {"env": format!("e{}", self.dice.below(3))}});
                let shown = self.control.update_rrset(&caller, asked, request(labels)?).await?;
                return Ok(String::from_utf8_lossy(&shown).into_owned());
            }
            _ => {
                let body = serde_json::json!({"name": name, "type": kind, "ttl": ttl, "labels": {"env": "e0"},
                    "records": records.iter().map(|one| serde_json::json!({"value": one.value})).collect::<Vec<_>>()});
                let shown = self.control.create_rrset(&caller, zone, request(body)?).await?;
                return Ok(String::from_utf8_lossy(&shown).into_owned());
            }
        };
        let shown = self.control.change_rrset(&caller, asked, change).await?;
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }
}
