//! `catalogue`: what can be topped up, as one JSON file.

use std::path::PathBuf;

use clap::Subcommand;
use ledger::Actor;
use serde_json::json;
use service::catalogue::{Catalogue as Contents, CatalogueVersion};
use service::configuration::{CatalogueChange, catalogue, catalogue_at, change_catalogue};
use service::error::{Error, Invalid};
use service::http;
use service::lambda::now;

use crate::answer::Answer;
use crate::deployment::Which;
use crate::problem::Problem;

/// The catalogue.
#[derive(Debug, Subcommand)]
pub(crate) enum Catalogue {
    /// Print the catalogue, in the form of the file that `set` takes
    Show {
        /// As it was at this version; every version is kept
        #[arg(long)]
        version: Option<u64>,
    },
    /// Replace the whole catalogue by this JSON file (infra/catalogue.json shows the form)
    ///
    /// The file is checked first. Orders that were made before keep what they showed, and every version
    /// is kept: `catalogue show --version N > file` and `catalogue set file --confirm-difference` bring one back.
    Set {
        /// The file
        file: PathBuf,
        /// Take it though a rate is far from the one before, or a product is gone
        #[arg(long)]
        confirm_difference: bool,
    },
}

pub(crate) async fn run(which: &Which, command: Catalogue) -> Result<Answer, Problem> {
    match command {
        Catalogue::Show { version } => {
            let (table, _) = which.table().await?;
            let shown = match version {
                Some(version) => catalogue_at(&table, version).await?,
                None => catalogue(&table, now()).await?,
            };
            if shown.version == 0 {
                let problem = "there is no catalogue yet: store one with `catalogue set FILE`";
                return Err(Problem::Asked(problem.to_owned()));
            }
            let text = format!("{:#}", json!(shown.catalogue));
            Ok(Answer::well(text, http::catalogue(&shown)))
        }
        Catalogue::Set { file, confirm_difference } => {
            let wrong =
                |problem: String| Problem::File { file: file.display().to_string(), problem };
            let text = std::fs::read_to_string(&file).map_err(|error| wrong(error.to_string()))?;
            let contents = Contents::parse(&text).map_err(wrong)?;
            let (table, _) = which.table().await?;
            let everything =
                CatalogueChange::Everything { catalogue: contents, confirmed: confirm_difference };
            let set = change_catalogue(&table, &everything, &Actor::operator(), now()).await;
            let set = set.map_err(|error| match error {
                Error::Invalid(Invalid { code: "difference_not_confirmed", detail, .. }) => {
                    let detail = detail.replace("send true", "give --confirm-difference");
                    wrong(format!("nothing was changed: {detail}"))
                }
                error => error.into(),
            })?;
            Ok(Answer::well(told(&set), http::catalogue(&set)))
        }
    }
}

fn told(set: &CatalogueVersion) -> String {
    let (count, version) = (set.catalogue.products.len(), set.version);
    format!("{count} products, version {version}; functions see it within a minute")
}
