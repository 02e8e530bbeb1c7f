"""The Lambda Runtime API, for one function at a time, and the events that AWS sends.

The events in `events/` are the examples of the AWS documentation: payload 2.0 of an HTTP API ("Create AWS Lambda proxy
integrations for HTTP APIs") and of its authorizer ("Control access to HTTP APIs with AWS Lambda authorizers"), a
standard queue ("Using Lambda with Amazon SQS") and a schedule ("Scheduled events" of Amazon EventBridge).
"""

import copy
import json
import os
import platform
import queue
import subprocess
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

EVENTS = Path(__file__).resolve().parent / "events"
ANSWER_SECONDS = 30
INVOCATION_SECONDS = 25
# What the header of a program says of its processor, `EM_AARCH64` of the ELF for the Arm 64-bit Architecture.
ELF_MACHINE_ARM64 = 183


def example(name):
    return copy.deepcopy(json.loads((EVENTS / f"{name}.json").read_text()))


def http_event(method, route, path, context, body=None, parameters=None, headers=None):
    """The event of a request by somebody of whom the authorizer said this; of anybody without.

    What a request does not have, its event does not have either.
    """
    event = example("http")
    for absent in ("cookies", "queryStringParameters", "stageVariables"):
        del event[absent]
    event.update(routeKey=f"{method} {route}", rawPath=path, rawQueryString="", headers=headers or {})
    for name, value in (("body", body), ("pathParameters", parameters)):
        if value:
            event[name] = value
        else:
            del event[name]
    about = event["requestContext"]
    about.update(routeKey=event["routeKey"], requestId=str(uuid.uuid4()))
    about["http"].update(method=method, path=path)
    # Nobody shows a certificate.
    del about["authentication"], about["authorizer"]
    if context:
        about["authorizer"] = {"lambda": context}
    return event


def authorizer_event(api_key):
    event = {**example("authorizer"), "identitySource": [f"Bearer {api_key}"]}
    del event["requestContext"]["authentication"]
    return event


def queue_event(body):
    event = example("sqs")
    event["Records"][0].update(body=body, messageAttributes={})
    return event


def is_for_arm64(bootstrap):
    with open(bootstrap, "rb") as file:
        return int.from_bytes(file.read(20)[18:], "little") == ELF_MACHINE_ARM64


def command(bootstrap):
    """Runs it here: by emulation if it was built for arm64 and this machine is none."""
    emulated = is_for_arm64(bootstrap) and platform.machine() not in ("aarch64", "arm64")
    return ["qemu-aarch64-static", str(bootstrap)] if emulated else [str(bootstrap)]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A function that is stopped drops its connections."""


class Function:
    """A bootstrap that runs as Lambda runs it, and when it asked and answered."""

    def __init__(self, bootstrap, name, environment, output=subprocess.DEVNULL):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.function = self
        self.events, self.answers = queue.Queue(), queue.Queue()
        self.polled = queue.Queue()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "here",
            "_HANDLER": "bootstrap",
            **environment,
        }
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command(bootstrap), env=environment, stdout=output, stderr=output
        )

    def first_poll(self):
        """The seconds from the start of the process until it asked for its first event."""
        return self.polled.get(timeout=ANSWER_SECONDS) - self.started

    def invoke(self, event, seconds=ANSWER_SECONDS):
        """Hands it an event, and returns its answer, if it has one in time, and after how many seconds it came."""
        sent = time.perf_counter()
        self.events.put(json.dumps(event).encode())
        kind, body, answered = self.answers.get(timeout=seconds)
        if kind != "response":
            raise RuntimeError(f"{kind}: {body.decode()}")
        return json.loads(body or b"null"), answered - sent

    def peak_memory(self):
        """In bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def processor_time(self):
        """In seconds, of all that it did so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.server.shutdown()
        self.server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        function = self.server.function
        function.polled.put(time.perf_counter())
        body = function.events.get()
        deadline = int(time.time() * 1000) + INVOCATION_SECONDS * 1000
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", str(uuid.uuid4()))
        self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline))
        self.send_header(
            "Lambda-Runtime-Invoked-Function-Arn",
            "arn:aws:lambda:us-east-1:123456789012:function:here",
        )
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self.chunks()
        answered = time.perf_counter()
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        kind = self.path.rsplit("/", 1)[1]
        self.server.function.answers.put((kind, body, answered))

    def chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_):
        pass
