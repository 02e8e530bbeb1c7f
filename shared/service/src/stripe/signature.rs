//! Proof that Stripe sent a webhook.
//!
//! The scheme is Stripe's: <https://docs.stripe.com/webhooks#verify-manually>. The header is
//! `t=<seconds>,v1=<hex>[,v1=<hex>…]`; each `v1` is HMAC-SHA256 of `<t>.<body>`.

use std::time::Duration;

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::Mac;
use ledger::Timestamp;

use crate::secret;

/// A signature older or newer than this is refused: a recorded webhook cannot be sent again later.
const TOLERANCE: Duration = Duration::from_secs(300);

/// Most signatures that are looked at in one header.
const MAX_SIGNATURES: usize = 8;

/// Whether one of the secrets signed exactly these bytes, just now.
///
/// Several secrets are accepted, so that a secret can be rotated without losing an event. The
/// comparison takes the same time wherever two signatures differ.
#[must_use]
pub fn is_genuine<'secrets>(
    body: &[u8],
    header: &str,
    mut secrets: impl Iterator<Item = &'secrets str>,
    now: Timestamp,
) -> bool {
    let fields: Vec<_> =
        header.split(',').filter_map(|field| field.trim().split_once('=')).collect();
    let signed_at = fields.iter().find(|(name, _)| *name == "t").map(|(_, value)| *value);
    let Some(signed_at) = signed_at else {
        return false;
    };
    let Ok(seconds) = serde_json::from_str::<u32>(signed_at) else {
        return false;
    };
    let distance = now.unix_seconds().abs_diff(i64::from(seconds));
    if distance > TOLERANCE.as_secs() {
        return false;
    }
    let signatures: Vec<Vec<u8>> = fields
        .iter()
        .filter(|(name, _)| *name == "v1")
        .take(MAX_SIGNATURES)
        .filter_map(|(_, value)| HEXLOWER_PERMISSIVE.decode(value.as_bytes()).ok())
        .collect();
    secrets.any(|secret| {
        let mac = secret::authenticator(secret);
        let mac = mac.chain_update(signed_at).chain_update(b".").chain_update(body);
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    const NOW: Timestamp = Timestamp::from_unix_millis(1_795_000_000_000);

    fn sign(secret: &str, seconds: i64, body: &[u8]) -> String {
        let mac = secret::authenticator(secret);
        let mac = mac.chain_update(format!("{seconds}.")).chain_update(body);
        data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
    }

    fn check(header: &str, secrets: &[&str], expected: bool) {
        assert_eq!(is_genuine(BODY, header, secrets.iter().copied(), NOW), expected, "{header}");
    }

    #[test]
    fn only_a_fresh_signature_of_these_bytes_is_genuine() {
        let now = NOW.unix_seconds();
        let good = sign("whsec_a", now, BODY);
        let header = format!("t={now},v1={good}");
        check(&header, &["whsec_a"], true);
        check(&header, &["whsec_b", "whsec_a"], true);
        check(&header, &["whsec_b"], false);
        check(&header, &[], false);
        check(&format!("t={now},v1=00,v0={good}"), &["whsec_a"], false);
        check(&format!("t={now},v1=00,v1={good}"), &["whsec_a"], true);
        check(&format!("t={},v1={good}", now + 1), &["whsec_a"], false);
        check(&format!("v1={good}"), &["whsec_a"], false);
        check("", &["whsec_a"], false);
        for (age, expected) in [(300, true), (301, false), (-300, true), (-301, false)] {
            let then = now - age;
            check(&format!("t={then},v1={}", sign("s", then, BODY)), &["s"], expected);
        }
        assert!(!is_genuine(b"{}", &header, ["whsec_a"].into_iter(), NOW), "another body");
    }
}
