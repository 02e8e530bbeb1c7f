//! Form parameters with nested brackets. Each reader takes what it knows; what is left over at
//! the end is an unknown parameter.

use std::collections::BTreeMap;

use serde_json::Value;

use super::failure::Failure;

const DECIMAL: u32 = 10;

/// The parameters of one call, by their full bracketed name.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads a form body or a query. `name[]` is an array written without numbers.
    pub(super) fn parse(encoded: &[u8]) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(encoded) {
            let name = match name.strip_suffix("[]") {
                Some(list) => next_free(&values, list),
                None => name.into_owned(),
            };
            values.insert(name, value.into_owned());
        }
        Self(values)
    }

    /// The same parameters always give the same text.
    pub(super) fn canonical(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    pub(super) fn to_json(&self) -> Value {
        self.0.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, Failure> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        i64::from_str_radix(&text, DECIMAL).map(Some).map_err(|_| {
            Failure::invalid(format!("Invalid integer: {text}"))
                .code("parameter_invalid_integer")
                .parameter(name)
        })
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, Failure> {
        match self.text(name).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => {
                Err(Failure::invalid(format!("Invalid boolean: {other}")).parameter(name))
            }
        }
    }

    pub(super) fn one_of(
        &mut self,
        name: &str,
        allowed: &[&str],
    ) -> Result<Option<String>, Failure> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        if allowed.contains(&text.as_str()) {
            return Ok(Some(text));
        }
        let message = format!("Invalid {name}: must be one of {}", allowed.join(", "));
        Err(Failure::invalid(message).parameter(name))
    }

    /// The values of `name[0]`, `name[1]`, …
    pub(super) fn list(&mut self, name: &str) -> Vec<String> {
        (0..).map_while(|position: usize| self.0.remove(&format!("{name}[{position}]"))).collect()
    }

    /// The pairs of `name[key]`. An empty value deletes a key, as it does at Stripe.
    pub(super) fn metadata(&mut self, name: &str) -> Result<BTreeMap<String, String>, Failure> {
        let prefix = format!("{name}[");
        let inside = |full: &str| {
            let key = full.strip_prefix(&prefix)?.strip_suffix(']')?;
            (!key.contains(['[', ']'])).then(|| key.to_owned())
        };
        let pairs: BTreeMap<_, _> = self
            .0
            .iter()
            .filter_map(|(full, value)| Some((inside(full)?, value.clone())))
            .collect();
        self.0.retain(|full, _| inside(full).is_none());
        check_metadata(name, &pairs)?;
        Ok(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// Refuses what nobody took. A root that is not `known` is named alone, as Stripe does.
    pub(super) fn finish(self, known: &[&str]) -> Result<(), Failure> {
        let Some(name) = self.0.into_keys().next() else {
            return Ok(());
        };
        let root = name.split('[').next().unwrap_or(&name);
        let culprit = if known.contains(&root) { &name } else { root };
        Err(Failure::unknown_parameter(culprit))
    }
}

fn next_free(values: &BTreeMap<String, String>, list: &str) -> String {
    (0..)
        .map(|position: usize| format!("{list}[{position}]"))
        .find(|name| !values.contains_key(name))
        .unwrap_or_else(|| list.to_owned())
}

fn check_metadata(name: &str, pairs: &BTreeMap<String, String>) -> Result<(), Failure> {
    let refuse = |message: String| Err(Failure::invalid(message).parameter(name));
    if pairs.len() > 50 {
        return refuse("Metadata can have up to 50 keys.".to_owned());
    }
    for (key, value) in pairs {
        if key.chars().count() > 40 {
            return refuse(format!("Metadata keys can be up to 40 characters long: {key}"));
        }
        if value.chars().count() > 500 {
            return refuse(format!("Metadata values can be up to 500 characters long: {key}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parameter and the code that a refusal names.
    fn named(refused: Result<(), Failure>) -> Option<(String, String)> {
        let body = refused.err()?.body();
        let field = |name| body.pointer(name).and_then(Value::as_str).map(str::to_owned);
        Some((field("/error/param")?, field("/error/code")?))
    }

    #[test]
    fn brackets_lists_and_metadata_are_read() -> Result<(), Failure> {
        let mut parameters =
            Parameters::parse(b"expand[]=a&expand[]=b&metadata[order_id]=o1&metadata[gone]=&x=3");
        assert_eq!(parameters.list("expand"), ["a", "b"]);
        let metadata = parameters.metadata("metadata")?;
        assert_eq!(metadata, BTreeMap::from([("order_id".to_owned(), "o1".to_owned())]));
        assert_eq!(parameters.integer("x")?, Some(3));
        parameters.finish(&[])
    }

    #[test]
    fn an_unknown_root_is_named_alone_and_an_unknown_leaf_in_full() {
        let named = |encoded: &[u8], known| named(Parameters::parse(encoded).finish(&[known]));
        let unknown = |name: &str| Some((name.to_owned(), "parameter_unknown".to_owned()));
        let root = named(b"payment_method_types[0]=card", "mode");
        assert_eq!(root, unknown("payment_method_types"));
        let leaf = named(b"line_items[0][colour]=red", "line_items");
        assert_eq!(leaf, unknown("line_items[0][colour]"));
    }

    #[test]
    fn metadata_has_limits() {
        let refused =
            |encoded: String| Parameters::parse(encoded.as_bytes()).metadata("m").is_err();
        assert!(refused(format!("m[{}]=v", "k".repeat(41))));
        assert!(refused(format!("m[k]={}", "v".repeat(501))));
        assert!(refused((0..51).map(|number| format!("m[{number}]=v&")).collect()));
        assert!(!refused((0..50).map(|number| format!("m[{number}]=v&")).collect()));
    }
}
