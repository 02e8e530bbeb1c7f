"""Holds the local runner against the OpenAPI document with schemathesis (schemathesis==4.32.5).

    python tests/conformance/schemathesis.py [--binary target/debug/topup]

It starts the runner on a free port with data in memory, puts money into the demo account so that there
is something to spend, and lets schemathesis send what the document allows and what it does not: once with
the customer's key, once with the operator's, who may change everything. It fails on any 5xx, status,
header or body that the document does not know, on any request that breaks the document and is taken, and
on any call that is answered without its key. What is relaxed, and why, is in schemathesis.toml.

Needs Python 3.10 or later, and schemathesis beside the interpreter that runs this.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "infra" / "openapi" / "openapi.json"
SETTINGS = pathlib.Path(__file__).with_suffix(".toml")

START_SECONDS = 20
RUN_SECONDS = 300
# What the demo account has in each place before anything is sent.
MONEY = "1000.00"
PLACES = ["wallet", "product:whatsapp"]


def started(binary, folder):
    """The runner, and what it says about itself once it is ready."""
    ready_file = folder / "ready.json"
    command = [binary, "--quiet", "--port", "0", "--in-memory", "--ready-file", ready_file]
    runner = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    until = time.monotonic() + START_SECONDS
    while not ready_file.exists():
        if runner.poll() is not None or time.monotonic() > until:
            runner.kill()
            sys.exit("the runner does not start")
        time.sleep(0.05)
    return runner, json.loads(ready_file.read_text())


def give_money(ready, place):
    body = {"balance": place, "amount": MONEY, "reason": "to be spent by schemathesis"}
    request = urllib.request.Request(
        f"{ready['base_url']}/v1/admin/accounts/{ready['account_id']}/adjustments",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {ready['operator_key']}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"schemathesis-{place}",
        },
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


def holds(ready, whose, folder):
    """Whether everything was as the document says, with this key."""
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    began = time.monotonic()
    done = subprocess.run(
        [program, "--no-color", "--config-file", SETTINGS, "run", DOCUMENT]
        + ["--url", ready["base_url"], "--warnings", "off"]
        + ["--header", f"Authorization: Bearer {ready[f'{whose}_key']}"],
        # It keeps what it found beside where it runs.
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_SECONDS,
    )
    if done.returncode != 0:
        print(done.stdout)
    summary = [line.strip() for line in done.stdout.splitlines() if "generated" in line]
    verdict = "as documented" if done.returncode == 0 else "NOT as documented"
    print(f"{whose} key: {verdict}, {time.monotonic() - began:.0f} s: {' '.join(summary)}")
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description="The OpenAPI document against the runner.")
    parser.add_argument("--binary", default=ROOT / "target" / "debug" / "topup")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runner, ready = started(arguments.binary, pathlib.Path(folder))
        try:
            for place in PLACES:
                give_money(ready, place)
            # The customer first: the operator may freeze its account.
            results = [holds(ready, whose, folder) for whose in ("customer", "operator")]
        finally:
            runner.terminate()
            runner.wait()
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
