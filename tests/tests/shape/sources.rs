//! Which module may speak of what.

use std::fs;
use std::path::Path;

use tests::template::root;

use crate::assert_none;

/// Words of somebody else's, and the only places that may use them: `(words, owners)`. Main
/// functions may too, since they build the clients. Our own module is called `stripe` as well, so
/// that crate is known by the names in it.
const VOCABULARIES: [(&[&str], &[&str]); 5] = [
    (&["aws_sdk_dynamodb", "serde_dynamo"], &["shared/service/src/table/"]),
    (&["aws_sdk_s3"], &["shared/service/src/objects.rs", "shared/service/src/lambda.rs"]),
    (&["sepa", "csv::"], &["shared/service/src/statements/"]),
    (
        &["stripe_checkout", "stripe_shared", "stripe_types", "stripe::Client", "stripe::Request"],
        &["shared/service/src/stripe/"],
    ),
    (&["StatusCode"], &["shared/service/src/http/", "functions/"]),
];

/// What the pure crate may be built from: nothing that can do I/O, serialise, or wait.
/// `time` knows the calendar; that it could read the clock is banned in `clippy.toml`.
const LEDGER_DEPENDENCIES: [&str; 6] =
    ["data-encoding", "rust_decimal", "sha2", "thiserror", "time", "unicode-normalization"];

#[test]
fn the_ledger_is_built_from_nothing_that_can_do_anything() {
    let manifest = fs::read_to_string(root().join("shared/ledger/Cargo.toml"));
    let manifest = manifest.expect("the ledger has a manifest");
    let lines = manifest.lines().map(str::trim);
    let mut section = "";
    let mut broken = Vec::new();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        let allowed = match section {
            "[dependencies]" => LEDGER_DEPENDENCIES.contains(&name),
            "[dev-dependencies]" => true,
            other => !other.contains("dependencies"),
        };
        if !allowed {
            broken.push(format!("{section} {line}"));
        }
    }

    assert_none("the ledger depends on more than values and hashes", broken);
}

#[test]
fn every_vocabulary_has_one_owner() {
    let sources = ["shared", "functions"].map(|folder| sources(&root().join(folder)));
    let mut broken = Vec::new();
    for (path, source) in sources.iter().flatten() {
        if path.ends_with("/main.rs") {
            continue;
        }
        for (words, owners) in VOCABULARIES {
            if owners.iter().any(|owner| path.starts_with(owner)) {
                continue;
            }
            let mut lines = source.lines();
            if let Some(line) = lines.find(|line| words.iter().any(|word| mentions(line, word))) {
                broken.push(format!("{path}: `{}` belongs in {owners:?}", line.trim()));
            }
        }
    }

    assert_none("a module speaks of what is another's", broken);
}

/// The Rust sources below a folder, with their paths from the root of the workspace.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source is text");
            let path = path.strip_prefix(root()).expect("it is below the root");
            found.push((path.to_string_lossy().into_owned(), source));
        }
    }
    found
}

/// Whether a line of code, not a comment, has the word, and not as the end of a longer one.
fn mentions(line: &str, word: &str) -> bool {
    let continues = |last: char| last.is_alphanumeric() || last == '_';
    let mut before = line.match_indices(word).map(|(at, _)| line.split_at(at).0);
    !line.trim_start().starts_with("//") && before.any(|before| !before.ends_with(continues))
}
