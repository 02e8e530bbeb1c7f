//! Who did something.

use std::fmt;

use crate::InvalidId;

/// Who did something: a person, the name of an API key, or a part of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor(String);

impl Actor {
    /// Checks a name.
    ///
    /// # Errors
    /// [`InvalidId`] if it is empty, longer than 100 characters, or has control characters.
    pub fn parse(name: &str) -> Result<Self, InvalidId> {
        let valid = !name.trim().is_empty()
            && name.chars().count() <= 100
            && !name.chars().any(char::is_control);
        valid
            .then(|| Self(name.to_owned()))
            .ok_or(InvalidId { rule: "1 to 100 characters, none of them a control character" })
    }

    /// The payment provider.
    #[must_use]
    pub fn stripe() -> Self {
        Self("stripe".to_owned())
    }

    /// The operator of the platform, where no name was kept.
    #[must_use]
    pub fn operator() -> Self {
        Self("operator".to_owned())
    }

    /// The usage queue.
    #[must_use]
    pub fn usage_queue() -> Self {
        Self("usage queue".to_owned())
    }

    /// A rule that the customer has set.
    #[must_use]
    pub fn automatic() -> Self {
        Self("automatic".to_owned())
    }

    /// What runs by the clock.
    #[must_use]
    pub fn schedule() -> Self {
        Self("schedule".to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
