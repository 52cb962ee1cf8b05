//! Passwords for servers that live as long as a run.

use rand::{TryRng, rngs::SysRng};

use super::ProvisionError;
use crate::{canon::hex, model::Secret};

/// 128 random bits from the operating system, as hexadecimal digits: nothing that a shell, a URL, an environment or a
/// password file would read in another way.
pub(super) fn random() -> Result<Secret, ProvisionError> {
    let mut bytes = [0; 16];
    SysRng.try_fill_bytes(&mut bytes).map_err(|source| ProvisionError::Failed {
        doing: "draw a random password".to_owned(),
        source: source.into(),
    })?;
    Ok(Secret::new(hex(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_passwords_are_equal() {
        let (first, second) = (random().unwrap(), random().unwrap());
        assert_eq!(first.reveal().len(), 32);
        assert_ne!(first.reveal(), second.reveal());
    }
}
