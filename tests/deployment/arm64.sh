#!/usr/bin/env bash
# What makes programs for arm64 on a Debian machine of another kind, and runs them there: Debian's Rust with the
# standard library for arm64, which rustup would have to fetch from a server that not every machine reaches, and QEMU.
#
#   tests/deployment/arm64.sh FOLDER COMMAND...
#     runs a command for which Cargo takes that Rust, and qemu-aarch64-static is found.
#
# FOLDER keeps what is downloaded and unpacked, 1 GB: target/ci-tools/arm64 is a good place. Nothing is installed, so the
# libraries of LLVM must be (libedit2, libxml2 and libz3-4). apt-get verifies what it fetches. Of each package it takes the
# newest, since Debian keeps no other of a security update.
#
# In it: `python3 tests/deployment/build.py --fast --arm64`, and then `python3 tests/deployment/cold_start.py
# --no-targets --arm64`, as what runs by emulation is slower than any target.
set -euo pipefail

fail() {
  echo "arm64.sh: $1" >&2
  exit 1
}

[[ $# -ge 2 ]] || fail 'name the folder that keeps the download, and a command'
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
command -v apt-get >/dev/null || fail 'apt-get is missing: this is for Debian'

# The only package that a package needs of those whose names begin so.
needed() {
  apt-cache depends "$1:amd64" | awk -v name="$2" '$1 == "Depends:" && index($2, name) == 1 && !found++ { print $2 }'
}

fetch() {
  local partial=$folder/partial
  rm -rf "$partial"
  mkdir -p "$partial"/{lists/partial,archives/partial,host,target}
  cat >"$partial/apt.conf" <<CONFIGURATION
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
Dir::State::Lists "$partial/lists";
Dir::Cache "$partial";
CONFIGURATION
  export APT_CONFIG=$partial/apt.conf
  apt-get update --quiet --quiet
  # Firefox and Chromium are built with it, so that it is newer than the `rustc` of a stable Debian.
  local library compiler_library llvm
  library=libstd-rust-web-dev
  compiler_library=$(needed "$library" libstd-rust-web-)
  llvm=$(needed "$compiler_library" libllvm)
  (
    cd "$partial/archives"
    apt-get download --quiet --quiet rustc-web "$library:amd64" "$library:arm64" "$compiler_library:amd64" \
      "$llvm:amd64" qemu-user-static libc6:arm64 libgcc-s1:arm64
  )
  unset APT_CONFIG
  local package
  for package in "$partial"/archives/*.deb; do
    # The standard library belongs to the compiler; what else is for arm64, to the programs.
    case $package in
    */libc6_* | */libgcc-s1_*) dpkg-deb --extract "$package" "$partial/target" ;;
    *) dpkg-deb --extract "$package" "$partial/host" ;;
    esac
  done
  rm -rf "$partial"/{lists,archives}
  mv "$partial" "$folder/unpacked"
}

if [[ ! -d $folder/unpacked ]]; then
  fetch
fi

host=$folder/unpacked/host
# A program's libraries are those for arm64, wherever it is started.
mkdir -p "$folder/bin"
cat >"$folder/bin/qemu-aarch64-static" <<PROGRAM
#!/bin/sh
exec "$host/usr/bin/qemu-aarch64-static" -L "$folder/unpacked/target" "\$@"
PROGRAM
chmod +x "$folder/bin/qemu-aarch64-static"
export PATH=$folder/bin:$PATH
export RUSTC=$host/usr/bin/rustc LD_LIBRARY_PATH=$host/usr/lib/x86_64-linux-gnu
"$RUSTC" --version >&2
exec "$@"
