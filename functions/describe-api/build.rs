//! Compresses the OpenAPI document, and names its content, when this is compiled.

use std::env;
use std::fs;
use std::io::{Error, Result, Write};
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// The document, as it is committed.
const DOCUMENT: &str = "../../infra/openapi/openapi.json";

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed={DOCUMENT}");
    let out = env::var_os("OUT_DIR").map(PathBuf::from);
    let out = out.ok_or_else(|| Error::other("cargo says where it is put"))?;
    let document = fs::read(DOCUMENT)?;
    // No name and no time are written into it: the same content gives the same bytes.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&document)?;
    fs::write(out.join("openapi.json.gzip"), encoder.finish()?)?;
    println!("cargo:rustc-env=DOCUMENT_HASH={}", HEXLOWER.encode(&Sha256::digest(&document)));
    Ok(())
}
