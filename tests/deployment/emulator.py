"""An AWS on this machine, to deploy to: `ministack`, which enforces IAM."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
from botocore.config import Config

from expand import ROOT

STACK = "topup-check"
START_SECONDS = 30
DEPLOY_SECONDS = 300
# Alarms and figures are on their way to nobody.
PARAMETERS = {
    "Stage": "check",
    "Currency": "EUR",
    "Architecture": "x86_64",
    "StripeLiveMode": "false",
    "ReturnUrl": "https://platform.example/paid",
    "ReturnUrlHosts": "platform.example",
    "ConsoleUrl": "https://console.example/",
}


class Failed(Exception):
    """What was to be deployed is not."""


def free_port():
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


class Emulator:
    """The emulator, in a process group of its own: its functions are its children."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "emulator.log"
        # The root of an account of its own. Only the functions' roles are held by IAM.
        self.environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "SAM_CLI_TELEMETRY": "0",
            # It unpacks each function into the folder for temporary files and leaves it there: 600 MB a deployment.
            "TMPDIR": str(folder),
        }
        self.process = None

    def __enter__(self):
        settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "AUTH": "true"}
        # Functions find it by this name; with a name of a host, buckets would become names of hosts.
        settings["MINISTACK_HOST"] = "127.0.0.1"
        command = [str(Path(sys.executable).parent / "ministack")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self.environment, **settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            if self.process.poll() is not None or time.monotonic() > until:
                raise Failed(f"the emulator does not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.1)

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 0}),
        )

    def deploy(self, template, secrets):
        """Deploys a template by `sam deploy` and returns the stack's outputs."""
        path = self.folder / "template.json"
        path.write_text(json.dumps(template, indent=1))
        storage = self.client("s3")
        with contextlib.suppress(storage.exceptions.BucketAlreadyOwnedByYou):
            storage.create_bucket(Bucket="artefacts")
        parameters = {**PARAMETERS, **{name: self.keep(text) for name, text in secrets.items()}}
        overrides = [f"{name}={value}" for name, value in parameters.items()]
        command = ["sam", "deploy", "--template-file", str(path), "--stack-name", STACK]
        command += ["--s3-bucket", "artefacts", "--no-confirm-changeset", "--no-progressbar"]
        command += ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
        command += ["--parameter-overrides", *overrides]
        deployed = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEPLOY_SECONDS,
        )
        if deployed.returncode:
            raise Failed(f"sam deploy: {deployed.stdout[-3000:]}\n{deployed.stderr[-3000:]}")
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    def keep(self, text):
        """Puts a text into Secrets Manager and returns its address."""
        secrets = self.client("secretsmanager")
        return secrets.create_secret(Name=f"check/{os.urandom(4).hex()}", SecretString=text)["ARN"]
