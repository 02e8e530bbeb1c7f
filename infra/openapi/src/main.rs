//! Prints the OpenAPI document.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(openapi::text().as_bytes())
}
