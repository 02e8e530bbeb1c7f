"""Turns template.yaml into what the emulator `ministack` can deploy.

What the emulator does otherwise than AWS is all that changes, and where the code is and where Stripe is:

- It runs SAM's own translator, but ignores the OpenAPI body that an `AWS::Serverless::HttpApi` becomes, and every route
  would be 404. So the API, its authorizer and its routes are spelled out here, from the same events, without the
  limits of routes and the access log, which it does not have.
- It asks for `sqs:SendMessageBatch`, which at AWS is granted by `sqs:SendMessage` and by nothing else.
- It speaks http only, which the bucket's policy refuses.
- Its `Ref` of a secret is a name; at AWS it is the address, as is the attribute `Id`.
"""

import copy
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAPS = ROOT / "target" / "lambda"


def template():
    return yaml.safe_load((ROOT / "template.yaml").read_text())


def functions(template):
    """The functions by their names in the template."""
    resources = template["Resources"].items()
    return {name: one for name, one in resources if one["Type"] == "AWS::Serverless::Function"}


def expanded(template, stripe_url):
    """The template with the API spelled out, for the bootstraps of this machine."""
    template = copy.deepcopy(template)
    resources = template["Resources"]
    for one in resources.values():
        if one["Type"] == "AWS::CloudFormation::Stack":
            one["Properties"]["TemplateURL"] = str(ROOT / one["Properties"]["TemplateURL"])
    del resources["FilesPolicy"]
    grant_batches(resources)
    secrets = [key for key, one in resources.items() if one["Type"] == "AWS::SecretsManager::Secret"]
    address_secrets(resources, secrets)
    api = resources["HttpApi"]["Properties"]
    resources.update(the_api(api))
    for name, function in functions(template).items():
        binary = function.pop("Metadata")["BuildProperties"]["Binary"]
        properties = function["Properties"]
        properties["CodeUri"] = str(BOOTSTRAPS / binary)
        variables = properties.get("Environment", {}).get("Variables", {})
        if "STRIPE_SECRET_KEY_ARN" in variables:
            variables["STRIPE_URL"] = stripe_url
        events = properties.get("Events", {})
        routes = {key: one for key, one in events.items() if one["Type"] == "HttpApi"}
        for key in routes:
            del events[key]
        if routes:
            resources.update(the_routes(name, routes.values()))
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


def the_api(api):
    authorizer = api["Auth"]["Authorizers"][api["Auth"]["DefaultAuthorizer"]]
    settings = {"DefaultRouteSettings": api["DefaultRouteSettings"]}
    return {
        "HttpApi": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {"Name": api["Name"], "ProtocolType": "HTTP"},
        },
        "HttpApiStage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {
                "ApiId": {"Ref": "HttpApi"},
                "StageName": api["StageName"],
                "AutoDeploy": True,
                **settings,
            },
        },
        "HttpApiAuthorizer": {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {
                "ApiId": {"Ref": "HttpApi"},
                "Name": api["Auth"]["DefaultAuthorizer"],
                "AuthorizerType": "REQUEST",
                "AuthorizerUri": invocation("Authorizer"),
                "AuthorizerPayloadFormatVersion": authorizer["AuthorizerPayloadFormatVersion"],
                "EnableSimpleResponses": authorizer["EnableSimpleResponses"],
                "AuthorizerResultTtlInSeconds": authorizer["Identity"]["ReauthorizeEvery"],
                "IdentitySource": [
                    f"$request.header.{header}" for header in authorizer["Identity"]["Headers"]
                ],
            },
        },
        "HttpApiMayAskAuthorizer": permission("Authorizer"),
    }


def the_routes(function, events):
    integration = f"{function}Integration"
    resources = {
        f"HttpApiMayCall{function}": permission(function),
        integration: {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": "HttpApi"},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": invocation(function),
                "PayloadFormatVersion": "2.0",
            },
        },
    }
    for number, event in enumerate(events):
        properties = event["Properties"]
        is_open = properties.get("Auth", {}).get("Authorizer") == "NONE"
        guard = {"AuthorizationType": "NONE"} if is_open else {
            "AuthorizationType": "CUSTOM",
            "AuthorizerId": {"Ref": "HttpApiAuthorizer"},
        }
        resources[f"{function}Route{number}"] = {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": "HttpApi"},
                "RouteKey": f"{properties['Method']} {properties['Path']}",
                "Target": {"Fn::Sub": f"integrations/${{{integration}}}"},
                **guard,
            },
        }
    return resources


def invocation(function):
    path = f"lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations"
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:{path}"}


def permission(function):
    source = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${HttpApi}/*"
    return {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": function},
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": {"Fn::Sub": source},
        },
    }
