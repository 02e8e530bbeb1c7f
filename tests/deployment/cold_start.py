"""Measures what a cold start costs, for every function, beside one that only says hello.

    python3 tests/deployment/cold_start.py [--starts 5] [--requests 200] [--no-targets] [--arm64] [FUNCTION…]

It starts the bootstraps in target/lambda (tests/deployment/build.py makes them) as Lambda does, against the table and
the queue of the local runner on this machine, and hands them events as AWS sends them (questions.py). What it prints is the table in
ARCHITECTURE.md: sizes, then medians over some starts. It fails if an answer is not the right one, or if a target is
missed, which only bootstraps that are optimised can meet. Needs target/debug/topup.
"""

import argparse
import contextlib
import http.server
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from questions import TABLE, Questions  # noqa: E402
from runtime import Function, authorizer_event, is_for_arm64  # noqa: E402

BOOTSTRAPS = ROOT / "target" / "lambda"
BASELINE = "hello-world"
MEGABYTE = 1_000_000

MAX_ZIP, MAX_ZIP_WITH_STRIPE = 4 * MEGABYTE, 6 * MEGABYTE
# What has as much to do as there is.
BY_THE_CLOCK = {"compare-payments", "reconcile", "verify-accounts"}
WITH_STRIPE = {"cancel-order", "compare-payments", "create-order", "reconcile", "refund-order"}
# Against the baseline of the same run: of the start, and of the first request.
MAX_START = 2.0
MAX_OWN_WORK = 0.030
TABLE_REQUESTS = 2
MAX_PROCESSOR_TIME = 0.001
# What asks AWS and Stripe more often may take more, up to half a millisecond of the SDK and the kernel a request: three
# of a transfer, a review or a webhook, which tell the platform what they committed, four of a cancellation, seven of a
# refund, which is committed, made at Stripe and committed again. A statement is compared with the orders of each shard.
MORE_PROCESSOR_TIME = {
    "transfer": 0.002,
    "review-order": 0.002,
    "payment-webhook": 0.002,
    "cancel-order": 0.0025,
    "refund-order": 0.0045,
    "import-statement": 0.006,
}


@dataclass
class Cost:
    binary: int
    zipped: int
    start: float
    first: float
    second: float
    processor: float
    memory: int


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """Secrets Manager, and S3 for what is stored and never read, as far as the functions ask them."""

    protocol_version = "HTTP/1.1"
    texts = {}

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer({"SecretString": self.texts[asked["SecretId"]]})

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer()

    def answer(self, said=None):
        body = json.dumps(said).encode() if said else b""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def surroundings(folder):
    """The runner's parts and what it does not show; what a function's environment says of them, and the runner's ready file."""
    ready_file = folder / "ready.json"
    command = [ROOT / "target" / "debug" / "topup", "--quiet", "--port", "0"]
    command += ["--data-dir", folder / "data", "--ready-file", ready_file]
    runner = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        while not ready_file.exists():
            if runner.poll() is not None:
                sys.exit("the local runner does not start")
            time.sleep(0.05)
        ready = json.loads(ready_file.read_text())
        drawn = json.loads((folder / "data" / "secrets.json").read_text())
        Elsewhere.texts = {
            "stripe": drawn["provider"],
            "webhook": drawn["webhook"],
            "cursor": drawn["cursor"],
            "endpoint": drawn["cursor"],
        }
        queues = f"{ready['queue_url']}/000000000000/topup-local-"
        yield ready, {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_DYNAMODB": ready["table_url"],
            "AWS_ENDPOINT_URL_SQS": ready["queue_url"],
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": f"http://127.0.0.1:{server.server_port}",
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.server_port}",
            "TABLE_NAME": TABLE,
            "STAGE": "local",
            "CONFIRMATION_QUEUE_URL": f"{queues}confirmation",
            "EVENT_QUEUE_URL": f"{queues}events",
            "BUCKET_NAME": "topup-local",
            "STRIPE_SECRET_KEY_ARN": "stripe",
            "STRIPE_WEBHOOK_SECRET_ARN": "webhook",
            "STRIPE_LIVE_MODE": "false",
            "STRIPE_URL": f"{ready['provider_url']}/",
            "CURSOR_SECRET_ARN": "cursor",
            "ENDPOINT_SECRET_ARN": "endpoint",
            "RETURN_URL": "https://platform.example/paid",
            "RETURN_URL_HOSTS": "platform.example",
            "CONSOLE_URL": "https://console.example/",
            "CURRENCY": "USD",
        }
    finally:
        runner.terminate()
        runner.wait()
        server.shutdown()


def contexts(environment, ready):
    """What the authorizer tells the functions about the two keys."""
    function = Function(BOOTSTRAPS / "authorizer" / "bootstrap", "authorizer", environment)
    try:
        for who in ("customer", "operator"):
            answer, _ = function.invoke(authorizer_event(ready[f"{who}_key"]))
            yield who, answer["context"]
    finally:
        function.stop()


def table_request(questions):
    """The seconds of one request to the table: the median of many."""
    times = []
    for _ in range(200):
        began = time.perf_counter()
        questions.table("GetItem", {"Key": {"pk": {"S": "nobody"}, "sk": {"S": "nothing"}}})
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def measure(name, environment, event, is_right, starts, requests):
    bootstrap = BOOTSTRAPS / name / "bootstrap"
    found = []
    for number in range(starts):
        function = Function(bootstrap, name, environment)
        try:
            start = function.first_poll()
            times = []
            for _ in range(2):
                answer, seconds = function.invoke(event())
                if not is_right(answer):
                    sys.exit(f"{name} answers {answer}")
                times.append(seconds)
            memory = function.peak_memory()
            processor = None
            if number == 0:
                before = function.processor_time()
                for _ in range(requests):
                    answer, _ = function.invoke(event())
                    if not is_right(answer):
                        sys.exit(f"{name} answers {answer}")
                processor = (function.processor_time() - before) / requests
            found.append((start, *times, processor, memory))
        finally:
            function.stop()
    start, first, second, processors, memory = zip(*found)
    middle = statistics.median
    return Cost(
        binary=bootstrap.stat().st_size,
        zipped=zipped(bootstrap),
        start=middle(start),
        first=middle(first),
        second=middle(second),
        processor=processors[0],
        memory=int(middle(memory)),
    )


def zipped(bootstrap):
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(bootstrap, "bootstrap")
        return file.tell()


def missed(name, cost, baseline, table_request):
    """The targets that a function misses, in words."""
    most = MAX_ZIP_WITH_STRIPE if name in WITH_STRIPE else MAX_ZIP
    if cost.zipped > most:
        yield f"zip of {cost.zipped / MEGABYTE:.1f} MB, above {most / MEGABYTE:.0f}"
    if cost.start > MAX_START * baseline.start:
        yield f"start of {cost.start / baseline.start:.1f} times that of {BASELINE}"
    if name in BY_THE_CLOCK:
        return
    budget = baseline.first + TABLE_REQUESTS * table_request + MAX_OWN_WORK
    if cost.first > budget:
        yield f"first request after {cost.first * 1000:.1f} ms, above {budget * 1000:.1f}"
    # Without what the runtime takes of it.
    own, most = cost.processor - baseline.processor, MORE_PROCESSOR_TIME.get(name, MAX_PROCESSOR_TIME)
    if own > most:
        yield f"{own * 1000:.2f} ms of the processor for a warm request, above {most * 1000:.1f}"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--starts", type=int, default=5)
    options.add_argument("--requests", type=int, default=200, help="warm ones, for the processor's time")
    options.add_argument("--no-targets", action="store_true", help="for bootstraps built with --fast")
    options.add_argument("--arm64", action="store_true", help="for bootstraps built with --arm64, by emulation elsewhere")
    options.add_argument("functions", nargs="*", help="all of them unless it is said")
    options = options.parse_args()
    deployed = options.functions or sorted(folder.name for folder in (ROOT / "functions").iterdir() if folder.is_dir())
    for name in [BASELINE, *deployed]:
        if is_for_arm64(BOOTSTRAPS / name / "bootstrap") != options.arm64:
            sys.exit(f"{name} is built for {'x86_64' if options.arm64 else 'arm64'}")
    costs = {}
    with tempfile.TemporaryDirectory(prefix="topup-cold-") as folder:
        with surroundings(pathlib.Path(folder)) as (ready, environment):
            questions = Questions(ready, Elsewhere.texts["webhook"])
            questions.contexts = dict(contexts(environment, ready))
            questions.prepare()
            of_table = table_request(questions)
            for name in [BASELINE, *deployed]:
                event, is_right = questions.of(name)
                sizes = (options.starts, options.requests)
                costs[name] = measure(name, environment, event, is_right, *sizes)
    print("| function | binary, MB | zip, MB | start to first poll, ms | first request, ms | second, ms "
          "| processor a warm request, ms | memory, MB |")
    print("|---|---|---|---|---|---|---|---|")
    for name, cost in costs.items():
        milliseconds = [f"{seconds * 1000:.1f}" for seconds in (cost.start, cost.first, cost.second)]
        sizes = [f"{size / MEGABYTE:.2f}" for size in (cost.binary, cost.zipped)]
        last = [f"{cost.processor * 1000:.2f}", f"{cost.memory / MEGABYTE:.0f}"]
        print(f"| {' | '.join([name, *sizes, *milliseconds, *last])} |")
    print(f"A request to the table takes {of_table * 1000:.1f} ms.")
    if options.no_targets:
        return
    failures = [
        f"{name}: {failure}"
        for name, cost in costs.items()
        for failure in missed(name, cost, costs[BASELINE], of_table)
    ]
    print("\n".join(failures) or f"Every target is met, by {', '.join(MORE_PROCESSOR_TIME)} with a bound of its own.")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
