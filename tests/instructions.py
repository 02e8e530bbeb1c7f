"""Counts the instructions of the processor that a decision of the ledger takes, as it is deployed.

    python3 tests/instructions.py

The pure part of a request: what is asked, decided and chained, without the SDK and the network. Counted by callgrind, so
that it is the same number on a busy machine; the bound is far below the millisecond that a warm request may take. Needs
valgrind.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TIMES = 1000
MAX_INSTRUCTIONS = 100_000


def example():
    """The program that does nothing but decide."""
    build = ["cargo", "build", "--release", "--locked", "--package", "ledger", "--example", "decide"]
    build += ["--message-format", "json"]
    output = subprocess.run(build, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    messages = [json.loads(line) for line in output.splitlines()]
    return next(one["executable"] for one in messages if one.get("target", {}).get("name") == "decide")


def instructions(program, what, times):
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", program, what, str(times)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return int(re.search(r"Collected : (\d+)", said)[1])


def main():
    program = example()
    too_many = False
    for what in ("transfer", "charge"):
        one, many = instructions(program, what, 1), instructions(program, what, TIMES + 1)
        each = (many - one) // TIMES
        too_many |= each > MAX_INSTRUCTIONS
        print(f"{what}: {each:,} instructions")
    sys.exit(f"more than {MAX_INSTRUCTIONS:,}" if too_many else 0)


if __name__ == "__main__":
    main()
