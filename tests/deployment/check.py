"""Deploys Topup to an AWS on this machine, and walks through it there.

    python3 tests/deployment/check.py [--without-each [STATEMENT…]]

`sam deploy` puts template.yaml and the bootstraps in target/lambda (tests/deployment/build.py makes them) on the
emulator `ministack`, which runs them as Lambda does and holds each role as IAM does. The first keys and the catalogue
are made by the operator's tool, the stand-in for Stripe is outside, and then a customer takes the steps of
tests/walk.py through the deployed API. With --without-each it takes one statement of a role away after the other, and
every time something must break. Needs target/debug/{topup-admin,stripe-stand-in}, ministack and boto3 in the Python that
runs this, and `sam` on the PATH. A STATEMENT is a part of what the script calls one, as `Hold: sqs` or `Reconcile`.
"""

import argparse
import contextlib
import copy
import functools
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import operator_steps  # noqa: E402
import walk  # noqa: E402
from emulator import PARAMETERS, STACK, Emulator, free_port  # noqa: E402
from expand import expanded, functions, grant_batches, template  # noqa: E402

STEPS = [step for step in walk.STEPS if not step.of_a_runner] + operator_steps.STEPS
WALK_SECONDS = 480
# How old what a walk leaves must be before a sweep looks at it: a hold, and a card order.
HOLD_SECONDS, ORDER_SECONDS = 65, 185


@functools.cache
def declared():
    """The functions of template.yaml."""
    return functions(template())


class Logs:
    """What the functions say of things that went wrong, from CloudWatch."""

    def __init__(self, emulator):
        self.emulator = emulator

    def lines(self):
        logs = self.emulator.client("logs")
        lines = []
        for group in logs.describe_log_groups()["logGroups"]:
            for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
                if any(f'"level":"{level}"' in event["message"] for level in ("WARN", "ERROR")):
                    lines.append((event["timestamp"], event["message"].strip()))
        return sorted(lines)

    def read_text(self):
        return "".join(f"{line}\n" for _, line in self.lines())

    def refused(self):
        """The lines about what a role did not allow."""
        return {line for line in self.lines() if "is not authorized to perform" in line[1]}


class Deployment:
    """What the walk needs of that which it walks through."""

    def __init__(self, emulator, outputs, provider_url, provider_key):
        self.emulator, self.outputs = emulator, outputs
        self.provider_url, self.provider_key = provider_url, provider_key
        self.log = Logs(emulator)
        # What roles are known to have refused, because it was meant.
        self.known_refused = set()

    @property
    def base_url(self):
        return api_url(self.emulator, self.outputs)

    def admin(self, *arguments):
        """Runs the operator's tool on this deployment, and returns what it prints."""
        environment = {**self.emulator.environment, "STAGE": PARAMETERS["Stage"]}
        command = [str(ROOT / "target" / "debug" / "topup-admin"), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise walk.Wrong(f"{' '.join(command)}: {done.stderr}")
        return done.stdout.strip()

    def send(self, output, text):
        """Puts a message into the queue that an output of the stack names."""
        self.emulator.client("sqs").send_message(QueueUrl=self.outputs[output], MessageBody=text)

    def invoke(self, function, event):
        """Calls a function as the clock does, and returns its answer."""
        name = f"topup-{PARAMETERS['Stage']}-{function}"
        called = self.emulator.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        answer = called["Payload"].read().decode()
        if "FunctionError" in called:
            raise walk.Wrong(f"{function} failed: {answer}")
        return json.loads(answer)

    def statements(self):
        """Every statement of every function's role that the emulator holds.

        It polls queues for a function without asking the function's role; tests/tests/shape looks at those.
        """
        for name, function in declared().items():
            policies = function["Properties"].get("Policies", [])
            for policy_number, policy in enumerate(policies):
                for number in range(len(policy["Statement"])):
                    statement = Statement(self, name, policy_number, number)
                    if "sqs:ReceiveMessage" not in statement.actions():
                        yield statement

    def wider_roles(self):
        """The functions whose roles have more than template.yaml gives them and what SAM adds for their logs."""
        roles = self.emulator.client("iam")
        for name, function in declared().items():
            role = self.role_of(name)
            attached = roles.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
            attached = [policy["PolicyName"] for policy in attached]
            inline = roles.list_role_policies(RoleName=role)["PolicyNames"]
            written = copy.deepcopy(function["Properties"].get("Policies", []))
            grant_batches(written)
            documents = [roles.get_role_policy(RoleName=role, PolicyName=one)["PolicyDocument"] for one in inline]
            same = [granted(one) for one in documents] == [granted(one) for one in written]
            if attached != ["AWSLambdaBasicExecutionRole"] or not same:
                yield f"{name}: {attached}, {documents}"

    def role_of(self, function):
        stack = self.emulator.client("cloudformation")
        found = stack.describe_stack_resource(StackName=STACK, LogicalResourceId=f"{function}Role")
        return found["StackResourceDetail"]["PhysicalResourceId"]

    @contextlib.contextmanager
    def without_the_table(self, function):
        """The role of this function allows nothing with the table meanwhile."""
        before = self.log.refused()
        with contextlib.ExitStack() as taken:
            for statement in self.statements():
                if statement.function == function and statement.is_about("dynamodb"):
                    taken.enter_context(statement.taken_away())
            yield
            refused = self.log.refused() - before
            self.known_refused |= {line for line in refused if f"-{function}Role-" in line[1]}

    def new_customer(self, account, operator_key):
        """What a runner's ready file holds, for an account that nobody has used."""
        return {
            "base_url": self.base_url,
            "provider_url": self.provider_url,
            "provider_key": self.provider_key,
            "return_url": PARAMETERS["ReturnUrl"],
            "customer_key": self.admin("keys", "create", "--account", account, "--name", account),
            "operator_key": operator_key,
            "account_id": account,
        }


@dataclass(frozen=True)
class Statement:
    """A statement of a function's role, as it is deployed."""

    deployment: Deployment
    function: str
    policy_number: int
    number: int

    def __str__(self):
        return f"{self.function}: {', '.join(self.actions())}"

    def actions(self):
        policies = declared()[self.function]["Properties"]["Policies"]
        actions = policies[self.policy_number]["Statement"][self.number]["Action"]
        return [actions] if isinstance(actions, str) else actions

    def is_about(self, service):
        return all(action.startswith(f"{service}:") for action in self.actions())

    @contextlib.contextmanager
    def taken_away(self):
        roles = self.deployment.emulator.client("iam")
        role = self.deployment.role_of(self.function)
        name = roles.list_role_policies(RoleName=role)["PolicyNames"][self.policy_number]
        whole = roles.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        # Something in its place that nobody asks for: the others keep their numbers, while several are taken away.
        statements = list(whole["Statement"])
        statements[self.number] = {"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"}
        self._put(roles, role, name, {**whole, "Statement": statements})
        self._start_anew()
        try:
            yield
        finally:
            self._put(roles, role, name, whole)

    def _start_anew(self):
        """Ends the instances of the function: they keep secrets and the catalogue for some minutes."""
        calls = self.deployment.emulator.client("lambda")
        binary = declared()[self.function]["Metadata"]["BuildProperties"]["Binary"]
        name = f"topup-{PARAMETERS['Stage']}-{binary}"
        timeout = calls.get_function_configuration(FunctionName=name)["Timeout"]
        calls.update_function_configuration(FunctionName=name, Timeout=timeout)

    @staticmethod
    def _put(roles, role, name, document):
        document = json.dumps(document)
        roles.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)


def granted(document):
    """What a policy says but for its resources, which have other names once they are deployed."""
    return [{key: one for key, one in statement.items() if key != "Resource"} for statement in document["Statement"]]


class DeployedWalk(walk.Walk):
    def __init__(self, deployment, ready):
        super().__init__(deployment)
        self.ready = ready
        deployment.known_refused = deployment.log.refused()
        self.api = walk.Client(ready["base_url"], ready["customer_key"])
        self.admin = walk.Client(ready["base_url"], ready["operator_key"])

    def comes_back(self):
        """The platform's own page is not part of the deployment."""


def api_url(emulator, outputs):
    """Where the API is without a name of a host, which not every machine can look up."""
    api_id = outputs["ApiUrl"].split("//")[1].split(".")[0]
    return f"{emulator.url}/_aws/execute-api/{api_id}/$default"


@contextlib.contextmanager
def stand_in(port, webhook_url, secrets):
    """The stand-in for Stripe, somewhere else than the deployment."""
    command = [str(ROOT / "target" / "debug" / "stripe-stand-in"), "--port", str(port)]
    environment = {
        **os.environ,
        "STRIPE_SECRET_KEY": secrets["StripeSecretKeyArn"],
        "STRIPE_WEBHOOK_SECRET": secrets["StripeWebhookSecretArn"],
    }
    command += ["--webhook-url", webhook_url]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def deployed(folder):
    """The deployment, with a catalogue and nothing else."""
    secrets = {
        "StripeSecretKeyArn": f"sk_test_{os.urandom(16).hex()}",
        "StripeWebhookSecretArn": f"whsec_{os.urandom(16).hex()}",
    }
    port = free_port()
    with Emulator(folder) as emulator:
        started = time.monotonic()
        outputs = emulator.deploy(expanded(template(), f"http://127.0.0.1:{port}/"), secrets)
        print(f"ok  sam deploy  {time.monotonic() - started:.1f} s", flush=True)
        webhook_url = f"{api_url(emulator, outputs)}/v1/webhooks/stripe"
        with stand_in(port, webhook_url, secrets) as provider_url:
            key = secrets["StripeSecretKeyArn"]
            deployment = Deployment(emulator, outputs, provider_url, key)
            deployment.admin("catalogue", "set", str(ROOT / "infra" / "catalogue.json"))
            yield deployment


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--without-each", nargs="*", metavar="STATEMENT", help="take statements away: all, or these")
    options = options.parse_args()
    signal.signal(signal.SIGALRM, walk.give_up)
    # A walk that is given up is followed by the next one; who is told to stop stops.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    with tempfile.TemporaryDirectory(prefix="topup-deployment-") as folder:
        with deployed(pathlib.Path(folder)) as deployment:
            operator_key = deployment.admin("keys", "create")
            passed, failed = take_steps(deployment, "walker", operator_key)
            print(f"{passed} passed, {failed} failed")
            if options.without_each is not None and not failed:
                failed = take_each_away(deployment, operator_key, options.without_each)
    sys.exit(1 if failed else 0)


def take_steps(deployment, account, operator_key):
    """Walks as a new customer, and returns how many steps passed and failed."""
    signal.alarm(WALK_SECONDS)
    try:
        ready = deployment.new_customer(account, operator_key)
        return walk.take_steps(DeployedWalk(deployment, ready), STEPS)
    finally:
        signal.alarm(0)


def take_each_away(deployment, operator_key, wanted):
    """Walks without each of the statements, and returns how many were not missed.

    What such a walk leaves open is settled before the next. In the end all must be as it was. A walk that ran out of
    time says nothing about its statement.
    """
    unmissed = []
    first_walk = last_walk = time.monotonic()
    statements = list(deployment.statements())
    if wanted:
        statements = [one for one in statements if any(part in str(one) for part in wanted)]
    for number, statement in enumerate(statements, start=1):
        settle(deployment, operator_key)
        if statement.function == "Reconcile":
            due = max(last_walk + HOLD_SECONDS, first_walk + ORDER_SECONDS)
            time.sleep(max(0, due - time.monotonic()))
        with statement.taken_away(), contextlib.redirect_stdout(io.StringIO()) as printed:
            _, failed = take_steps(deployment, f"walker-{number}", operator_key)
        last_walk = time.monotonic()
        said = [line for line in printed.getvalue().splitlines() if line.startswith("FAILED")]
        missed = failed and walk.TOO_SLOW not in said[0]
        how = said[0][:150] if failed else "NOT MISSED"
        print(f"{number} of {len(statements)}  {statement}: {how}", flush=True)
        if not missed:
            unmissed.append(str(statement))
    settle(deployment, operator_key)
    _, failed = take_steps(deployment, "last-walker", operator_key)
    print(f"{len(statements)} statements; not missed: {unmissed or 'none'}")
    return len(unmissed) + failed


def settle(deployment, operator_key):
    """Resolves what is open and takes the endpoint away: each walk must find its own, and no other."""
    finance = walk.Client(deployment.base_url, operator_key)
    for finding in finance.all("/v1/admin/findings"):
        path = f"/v1/admin/findings/{finding['finding_id']}/resolve"
        finance.post(path, {"reason": "left by a walk that failed"}).expect(200)
    finance.call("DELETE", "/v1/admin/endpoints/shop").expect(200, 404)


if __name__ == "__main__":
    main()
