//! SSH keys.

use super::*;

/// The moves of this noun.
pub const MOVES: &[Move] = &[("ssh_key", 1, |sim| Box::pin(sim.ssh_key()))];

impl Simulator {
    async fn ssh_key(&mut self) -> Result<String> {
        if self.dice.once_in(3) {
            let ids: Vec<Id> = self.model.ssh_keys.keys().copied().collect();
            let id = self.dice.pick(&ids).unwrap_or(77);
            self.control.delete_ssh_key(&self.caller, id).await?;
            self.model.ssh_keys.remove(&id);
            return Ok(format!("deleted {id}"));
        }
        let (name, key) = (format!("k{}", self.dice.below(10)), public_key(self.dice.below(10)));
        let body = serde_json::json!({ "name": name, "public_key": key });
        let request = serde_json::from_value(body).map_err(|e| Error::internal(e.to_string()))?;
        let shown = self.control.create_ssh_key(&self.caller, request).await?;
        let id = id_of(&shown, "ssh_key")?;
        self.model.ssh_keys.insert(id, name);
        Ok(format!("created {id}"))
    }
}

/// An Ed25519 public key whose bytes are all the same.
fn public_key(number: u64) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut blob = vec![0, 0, 0, 11];
    blob.extend_from_slice(b"ssh-ed25519");
    blob.extend_from_slice(&[0, 0, 0, 32]);
    blob.extend_from_slice(&[u8::try_from(number).unwrap_or(0); 32]);
    let mut text = String::new();
    for chunk in blob.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        for shift in [18, 12, 6, 0] {
            text.push(char::from(ALPHABET[(word >> shift & 63) as usize]));
        }
    }
    format!("ssh-ed25519 {text} key{number}")
}
