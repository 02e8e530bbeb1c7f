//! Says which grants of the roles in the templates no story needed: `unused_grants FILE`, where the file is
//! what `TOPUP_GRANTS_USED` named while all stories were told. Fails if there are any.

use std::collections::BTreeSet;
use std::process::ExitCode;

use tests::roles::Grant;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: unused_grants FILE");
        return ExitCode::FAILURE;
    };
    let used = match std::fs::read_to_string(&path) {
        Ok(used) => used,
        Err(error) => {
            eprintln!("{path}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let used: BTreeSet<&str> = used.lines().collect();
    let all: Vec<String> = Grant::all().iter().map(Grant::to_string).collect();
    let unused: Vec<&String> = all.iter().filter(|grant| !used.contains(grant.as_str())).collect();
    println!("{} grants, {} of them unused", all.len(), unused.len());
    for grant in &unused {
        println!("no story needs: {grant}");
    }
    if unused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
