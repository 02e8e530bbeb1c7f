"""Turns template.yaml into what the emulator `ministack` can deploy.

What the emulator does otherwise than AWS is all that changes, and where the code is and where Stripe is:

- Of a nested stack it does not run SAM's translator. So the stacks nested in the template are put into it, each
  parameter and output replaced by what it stands for.
- It asks for `sqs:SendMessageBatch`, which at AWS is granted by `sqs:SendMessage` and by nothing else.
- It speaks http only, which the bucket's policy refuses.
- It has neither limits of a route nor a log of all calls.
- Its `Ref` of a secret is a name; at AWS it is the address, as is the attribute `Id`.
"""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAPS = ROOT / "target" / "lambda"


def template():
    """What is deployed, as one stack."""
    whole = read("template.yaml")
    outputs = {}
    resources = whole["Resources"]
    stacks = {name: one for name, one in resources.items() if one["Type"] == "AWS::CloudFormation::Stack"}
    for name, stack in stacks.items():
        del resources[name]
        given = stack["Properties"]["Parameters"]
        nested = replaced(read(stack["Properties"]["TemplateURL"]), lambda parameter: given.get(parameter))
        for part in ("Resources", "Conditions"):
            whole.setdefault(part, {})
            twice = whole[part].keys() & nested.get(part, {}).keys()
            assert not twice, f"in two stacks: {twice}"
            whole[part].update(nested.get(part, {}))
        for output, one in nested.get("Outputs", {}).items():
            outputs[f"{name}.{output}"] = one["Value"]
    # All of it is one stack: what it waited for is in no other.
    resources["HttpApiStage"].pop("DependsOn")
    return with_outputs(whole, outputs)


def read(path):
    return yaml.safe_load((ROOT / path).read_text())


def replaced(value, given):
    """The value with each reference to a parameter replaced by what is given for it."""
    if isinstance(value, list):
        return [replaced(one, given) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Ref"} and given(value["Ref"]) is not None:
        return given(value["Ref"])
    if value.keys() == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        used = {name: given(name) for name in re.findall(r"\$\{(\w+)\}", value["Fn::Sub"])}
        used = {name: one for name, one in used.items() if one is not None}
        return {"Fn::Sub": [value["Fn::Sub"], used]} if used else value
    return {key: replaced(one, given) for key, one in value.items()}


def with_outputs(value, outputs):
    """The value with each output of a nested stack replaced by what it is."""
    if isinstance(value, list):
        return [with_outputs(one, outputs) for one in value]
    if not isinstance(value, dict):
        return value
    stack, attribute = value.get("Fn::GetAtt", ("", ""))
    if attribute.startswith("Outputs."):
        return outputs[f"{stack}.{attribute.removeprefix('Outputs.')}"]
    return {key: with_outputs(one, outputs) for key, one in value.items()}


def functions(template):
    """The functions by their names in the template."""
    resources = template["Resources"].items()
    return {name: one for name, one in resources if one["Type"] == "AWS::Serverless::Function"}


def expanded(template, stripe_url):
    """The template for the emulator and the bootstraps of this machine; it is changed."""
    resources = template["Resources"]
    del resources["FilesPolicy"]
    for unknown in ("RouteSettings", "AccessLogSettings"):
        del resources["HttpApiStage"]["Properties"][unknown]
    grant_batches(resources)
    secrets = [key for key, one in resources.items() if one["Type"] == "AWS::SecretsManager::Secret"]
    address_secrets(resources, secrets)
    for function in functions(template).values():
        binary = function.pop("Metadata")["BuildProperties"]["Binary"]
        properties = function["Properties"]
        properties["CodeUri"] = str(BOOTSTRAPS / binary)
        variables = properties.get("Environment", {}).get("Variables", {})
        if "STRIPE_SECRET_KEY_ARN" in variables:
            variables["STRIPE_URL"] = stripe_url
    return template


def grant_batches(value):
    """Wherever a policy at or below this grants that a message is sent, it grants a batch of them."""
    if isinstance(value, dict):
        if "sqs:SendMessage" in value.get("Action", []):
            value["Action"].append("sqs:SendMessageBatch")
        value = list(value.values())
    for one in value if isinstance(value, list) else []:
        grant_batches(one)


def address_secrets(value, secrets):
    """Wherever a secret of the template is referred to, it is by its address."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in items:
        if isinstance(one, dict) and one.get("Ref") in secrets:
            value[key] = {"Fn::GetAtt": [one["Ref"], "Id"]}
        elif isinstance(one, (dict, list)):
            address_secrets(one, secrets)
