//! Makes the table of the files that the console is made of, for `src/lib.rs` to serve.
//!
//! Every file but the page stands below a folder that is named after the content of all of them. So
//! modules can import each other by relative paths, nobody who has one version is given a file of
//! another, and everything below that folder can be kept for ever.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{Error, Result, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// The folder of the files.
const PAGES: &str = "pages";
/// The page, which names the others.
const PAGE: &str = "index.html";
/// What stands in the page for the version of its files.
const MARKER: &str = "{version}";
/// Hexadecimal digits of a version: 64 bits, for files that nobody wants to collide.
const VERSION_DIGITS: usize = 16;

/// Contents by their paths below the folder, with `/` between the parts on every system. The order
/// of the map makes the same table of the same files everywhere.
type Files = BTreeMap<String, Vec<u8>>;

fn main() -> Result<()> {
    // A folder is looked through as a whole, and for files that are gone.
    println!("cargo:rerun-if-changed={PAGES}");
    let out = env::var_os("OUT_DIR").map(PathBuf::from);
    let out = out.ok_or_else(|| Error::other("cargo says where the table is put"))?;
    let mut files = Files::new();
    gather(Path::new(PAGES), "", &mut files)?;
    let page = files.remove(PAGE).ok_or_else(|| Error::other(format!("no {PAGES}/{PAGE}")))?;
    let page = String::from_utf8(page).map_err(Error::other)?;
    let version = version(&files);
    let page = page.replace(MARKER, &version).into_bytes();

    let etag = format!("W/\"{}\"", digits(&page));
    let mut table = format!(
        "const VERSION: &str = {version:?};\n\
         const PAGE_ETAG: &str = {etag:?};\n\
         const PAGE: File = {};\n\
         const ASSETS: &[File] = &[\n",
        row(&out, "page", PAGE, &page)?
    );
    for (number, (path, content)) in files.iter().enumerate() {
        table.push_str(&row(&out, &number.to_string(), path, content)?);
        table.push_str(",\n");
    }
    table.push_str("];\n");
    fs::write(out.join("files.rs"), table)
}

/// Reads everything below a folder, but for what editors and systems hide there.
fn gather(folder: &Path, before: &str, files: &mut Files) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|name| Error::other(format!("{}: no text", name.display())))?;
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{before}{name}");
        match entry.file_type()?.is_dir() {
            true => gather(&entry.path(), &format!("{path}/"), files)?,
            false => drop(files.insert(path, fs::read(entry.path())?)),
        }
    }
    Ok(())
}

/// The name of these files together: another one once a path or a content is another one.
fn version(files: &Files) -> String {
    let each = files.iter().map(|(path, content)| {
        let hash = HEXLOWER.encode(&Sha256::digest(content));
        format!("{hash} {path}\n")
    });
    digits(each.collect::<String>().as_bytes())
}

fn digits(content: &[u8]) -> String {
    let mut hash = HEXLOWER.encode(&Sha256::digest(content));
    hash.truncate(VERSION_DIGITS);
    hash
}

/// Puts a file where the compiler finds it, as it is and compressed, and returns its row of the
/// table.
fn row(out: &Path, name: &str, path: &str, content: &[u8]) -> Result<String> {
    let media_type = media_type(path)
        .ok_or_else(|| Error::other(format!("{path}: build.rs knows no media type for it")))?;
    // No name and no time are written into it: the same content gives the same bytes.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    fs::write(out.join(format!("{name}.gzip")), encoder.finish()?)?;
    fs::write(out.join(format!("{name}.identity")), content)?;
    let bytes = |kind| format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.{kind}\"))");
    let (identity, gzip) = (bytes("identity"), bytes("gzip"));
    Ok(format!(
        "File {{ path: {path:?}, body: CompiledIn {{ media_type: {media_type:?}, identity: {identity}, \
         gzip: {gzip} }} }}"
    ))
}

fn media_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => return None,
    })
}
