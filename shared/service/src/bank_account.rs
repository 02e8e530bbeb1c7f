//! The bank accounts at which a platform receives transfers, one a currency.

use ledger::{Currency, Name, ReceivingAccount};
use serde::{Deserialize, Serialize};

/// A bank account, as a payer must know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccount {
    /// In whose name it is.
    pub holder: String,
    /// The bank.
    pub bank: String,
    /// Its branch.
    #[serde(default)]
    pub branch: Option<String>,
    /// The account number or IBAN.
    pub number: String,
    /// The bank's SWIFT code (ISO 9362): 8 or 11 letters and digits.
    #[serde(default)]
    pub swift: Option<String>,
    /// The bank's number in the clearing system of China: 12 digits.
    #[serde(default)]
    pub cnaps: Option<String>,
}

impl BankAccount {
    /// Checks every field.
    ///
    /// # Errors
    /// The field and what it must be.
    pub fn check(&self, currency: Currency) -> Result<(), (&'static str, String)> {
        let name = |field, text: &str| {
            Name::parse(text).map(drop).map_err(|error| (field, error.to_string()))
        };
        name("holder", &self.holder)?;
        name("bank", &self.bank)?;
        self.branch.as_deref().map_or(Ok(()), |branch| name("branch", branch))?;
        ReceivingAccount::new(currency, &self.number)
            .map_err(|error| ("number", error.to_string()))?;
        let swift = |code: &str| {
            let (bank, rest) = code.split_at_checked(6).unwrap_or_default();
            bank.bytes().all(|byte| byte.is_ascii_uppercase())
                && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
                && matches!(code.len(), 8 | 11)
        };
        if self.swift.as_deref().is_some_and(|code| !swift(code)) {
            return Err(("swift", "must be a SWIFT code of 8 or 11 characters".to_owned()));
        }
        let cnaps = |code: &str| code.len() == 12 && code.bytes().all(|byte| byte.is_ascii_digit());
        if self.cnaps.as_deref().is_some_and(|code| !cnaps(code)) {
            return Err(("cnaps", "must be 12 digits".to_owned()));
        }
        Ok(())
    }

    /// What the rules know of it.
    #[must_use]
    pub fn receiving_account(&self, currency: Currency) -> Option<ReceivingAccount> {
        ReceivingAccount::new(currency, &self.number).ok()
    }
}
