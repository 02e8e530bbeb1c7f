"""What a function says of AWS that does not answer: that it failed, and nothing that ErrorAlarm rings for.

    python3 tests/deployment/failing.py

The alarm counts the lines of level ERROR, which mean that money and records disagree. A function that answers with an error
says itself what it is; the runtime would say it once more, as an ERROR (shared/service/src/log.rs). Takes the bootstraps in
target/lambda (tests/deployment/build.py makes them).
"""

import json
import pathlib
import socket
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

from runtime import Function, authorizer_event  # noqa: E402

# A sweep tries each shard of the events that wait, each several times: 27 seconds, give or take their jitter.
SECONDS = 120
NOBODYS_KEY = "tk_" + "0" * 20 + "_" + "0" * 64
EVENTS = {
    "authorizer": authorizer_event(NOBODYS_KEY),
    "compare-payments": {},
    "reconcile": {},
    "verify-accounts": {},
}


def environment():
    """Of a deployment in which nothing answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    services = ("DYNAMODB", "SQS", "SECRETS_MANAGER")
    return {f"AWS_ENDPOINT_URL_{service}": nowhere for service in services} | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "TABLE_NAME": "topup",
        "STAGE": "local",
        "EVENT_QUEUE_URL": f"{nowhere}/queue",
        "STRIPE_SECRET_KEY_ARN": "stripe",
        "STRIPE_LIVE_MODE": "false",
        "RETURN_URL": "https://platform.example/paid",
        "RETURN_URL_HOSTS": "platform.example",
        "CURRENCY": "USD",
    }


def said(name, event):
    """The level of each line that a function writes while it fails."""
    with tempfile.TemporaryFile("w+") as log:
        function = Function(ROOT / "target" / "lambda" / name / "bootstrap", name, environment(), log)
        try:
            answer, _ = function.invoke(event, SECONDS)
            sys.exit(f"{name} answers {answer}, though nothing answers it")
        except RuntimeError as failed:
            if not str(failed).startswith("error"):
                raise
        finally:
            function.stop()
        log.seek(0)
        lines = log.read().splitlines()
    levels = [json.loads(line).get("level") for line in lines if line.startswith("{")]
    if "WARN" not in levels or "ERROR" in levels:
        sys.exit("\n".join([f"{name} says:", *lines]))


def main():
    for name, event in EVENTS.items():
        said(name, event)
    print(f"{len(EVENTS)} functions that fail for a moment ring no ErrorAlarm")


if __name__ == "__main__":
    main()
