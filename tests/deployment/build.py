"""Builds the `bootstrap` of every function, as it is deployed: by cargo-lambda, for Amazon Linux 2023.

    python3 tests/deployment/build.py [--fast] [--arm64]

It leaves target/lambda/FUNCTION/bootstrap, and one that only says hello, for cold_start.py. Functions that use the
same features of the crate `service` are built together, so that none links a client that it does not call;
`sam build` builds them one by one, which comes to the same and takes longer. With --fast nothing is optimised: the
same code for the same system, in a fraction of the time. Needs cargo-lambda and ziglang (both on PyPI) on the PATH.
"""

import argparse
import collections
import json
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FAST = {
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
}


def groups():
    """The names of the functions, by the features of `service` that they use."""
    command = ["cargo", "metadata", "--no-deps", "--locked", "--format-version", "1"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = collections.defaultdict(list)
    for package in json.loads(output)["packages"]:
        folder = Path(package["manifest_path"]).parent
        if folder.parent == ROOT / "functions" or folder.name == "hello":
            used = [one["features"] for one in package["dependencies"] if one["name"] == "service"]
            found[tuple(sorted(sum(used, [])))].append(package["name"])
    return found


def build(fast=False, architecture="x86-64"):
    """Builds all of them and returns their names."""
    environment = {**os.environ, **(FAST if fast else {})}
    # What an earlier run left must not be taken for what this one builds.
    shutil.rmtree(ROOT / "target" / "lambda", ignore_errors=True)
    functions = []
    for features, names in sorted(groups().items()):
        print(f"{', '.join(names)}, with {' and '.join(features) or 'nothing more'}", flush=True)
        packages = [word for name in names for word in ("--package", name)]
        command = ["cargo", "lambda", "build", "--release", "--locked", "--quiet"]
        command += [f"--{architecture}", *packages]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        functions += names
    return functions


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--fast", action="store_true", help="nothing is optimised")
    options.add_argument("--arm64", action="store_true", help="for Graviton, the default of template.yaml")
    options = options.parse_args()
    built = build(options.fast, "arm64" if options.arm64 else "x86-64")
    print(f"{len(built)} bootstraps in target/lambda")


if __name__ == "__main__":
    main()
