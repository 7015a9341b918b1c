//! Certificates: uploaded ones, and managed ones whose domains lie in zones that come and go.

use super::*;
use serde_json::json;

const PEM: &str = include_str!("../../certificates/p256.pem");
const KEY: &str = include_str!("../../certificates/p256.sec1.key");
/// World time after which every certificate has been renewed, in milliseconds: 61 days.
const AGE_MS: i64 = 61 * 24 * 60 * 60 * 1_000;

/// The moves of this noun.
pub const MOVES: &[Move] =
    &[("certificate", 4, |sim| Box::pin(sim.certificate())), ("age", 1, |sim| Box::pin(sim.age()))];

fn request<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> Result<T> {
    serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))
}

impl Simulator {
    async fn certificate(&mut self) -> Result<String> {
        let (id, caller) = (self.dice.pick(&self.model.certificates).unwrap_or(77_777), self.caller);
        let name = format!("c{}", self.dice.below(6));
        let shown = match self.dice.below(8) {
            0 => {
                self.control.delete_certificate(&caller, id).await?;
                self.model.certificates.retain(|known| *known != id);
                return Ok(format!("{id} deleted"));
            }
            1 => {
                let labels = json!({"HC-Use-Staging-CA": format!("{}", self.dice.once_in(2))});
                self.control.update_certificate(&caller, id, request(json!({"name": name, "labels": labels}))?).await?
            }
            2 | 3 => self.control.retry_certificate(&caller, id).await?,
            4 => {
                let body = json!({"name": name, "certificate": PEM, "private_key": KEY});
                self.create_certificate(request(body)?).await?
            }
            _ => {
                let domains = [format!("z{}.com", self.dice.below(3)), format!("*.a.z{}.com", self.dice.below(3))];
                let body = json!({"name": name, "type": "managed", "domain_names": domains});
                self.create_certificate(request(body)?).await?
            }
        };
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    async fn create_certificate(
        &mut self,
        request: wolke_wire::cloud::certificate::CreateCertificate,
    ) -> Result<Vec<u8>> {
        let shown = self.control.create_certificate(&self.caller, request).await?;
        self.model.certificates.push(id_of(&shown, "certificate")?);
        Ok(shown)
    }

    /// Rarely so much time passes that certificates are renewed.
    async fn age(&mut self) -> Result<String> {
        if !self.dice.once_in(4) {
            return Ok("not now".to_owned());
        }
        self.clock.advance(AGE_MS);
        Ok(format!("by {AGE_MS} ms"))
    }
}

/// What was made is there until it is deleted, and has a certificate exactly if it says that it has.
pub fn check(tx: &mut dyn Tx, project: Id, promised: &[Id]) -> Result<()> {
    use wolke_wire::cloud::certificate::Issuance;
    for id in promised {
        let details = wolke_store::certificate::expect(tx, project, *id)?.value.details;
        let says = details.managed.as_ref().is_none_or(|managed| managed.issuance == Issuance::Completed);
        if says != details.issued.is_some() {
            return Err(Error::internal(format!("certificate {id} says what it is not: {:?}", details.managed)));
        }
    }
    Ok(())
}
