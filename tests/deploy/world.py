"""One ministack with the template deployed on it, for all tests that look at the fleet; and its programs."""

import base64
import copy
import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import unittest

import peers
from peers import ROOT, free_port, listens, wait_until

STACK = "demo"
# An alarm on metric math is more than ministack deploys: it is left out there by its own condition.
PARAMETERS = ["FailedPercent=0"]


class World:
    """The peer, the stack's outputs, and what stands behind its names."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="image-sharer-deploy-"))
        self.peer = peers.Peer("ministack", self.folder)
        self.images = {program: self.register(program) for program in ("image-server", "image-worker")}
        code, self.said = self.peer.fleet("deploy", STACK, *PARAMETERS)
        assert code == 0, self.said
        self.clients = {}
        self.outputs, self.resources = self.outputs_of(STACK), self.resources_of(STACK)
        self.policies = dict(self.deployed_policies())
        for role, policy in self.policies:
            self.grant(role, policy, self.policies[role, policy])

    def register(self, program):
        ec2 = self.peer.client("ec2")
        image = ec2.register_image(Name=program, RootDeviceName="/dev/xvda", Architecture="x86_64")["ImageId"]
        ec2.create_tags(Resources=[image], Tags=[{"Key": "image-sharer-program", "Value": program}])
        return image

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = self.peer.client(service)
        return self.clients[service]

    def outputs_of(self, stack):
        described = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    def resources_of(self, stack):
        """Physical ids by logical ones."""
        listed = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in listed}

    def launch_data(self, template):
        """What machines of a launch template are started with."""
        versions = self.client("ec2").describe_launch_template_versions(LaunchTemplateId=self.resources[template])
        return versions["LaunchTemplateVersions"][-1]["LaunchTemplateData"]

    def deployed_policies(self):
        """((role, policy's name), document) of each policy that the template gives to a role."""
        iam = self.client("iam")
        for output in ("ServerRoleArn", "WorkerRoleArn"):
            role = self.outputs[output].rsplit("/", 1)[1]
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                yield (role, policy), iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]

    def grant(self, role, policy, document):
        """Gives a role this policy as ministack takes it: it asks for a right of its own where AWS takes
        DeleteMessage's for its batch, and knows no namespace of CloudWatch to compare with a condition's."""
        said = copy.deepcopy(document)
        for statement in said["Statement"]:
            if "sqs:DeleteMessage" in statement["Action"]:
                statement["Action"].append("sqs:DeleteMessageBatch")
            if "cloudwatch:namespace" in statement.get("Condition", {}).get("StringEquals", {}):
                del statement["Condition"]
        self.client("iam").put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(said))

    def user_data(self, template):
        """The settings that its machines read: a NAME=VALUE a line."""
        text = base64.b64decode(self.launch_data(template)["UserData"]).decode()
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        return dict(line.split("=", 1) for line in lines)

    def session(self, role):
        """Keys of a session of a deployed role."""
        answer = self.client("sts").assume_role(RoleArn=self.outputs[role], RoleSessionName="i-0123456789abcdef0")
        got = answer["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": got["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": got["SecretAccessKey"],
            "AWS_SESSION_TOKEN": got["SessionToken"],
        }

    def request(self, method, path, host, headers=None, body=None):
        """What the world gets over TLS: status, header fields, body. Unsigned."""
        context = ssl.create_default_context(cafile=self.peer.authority)
        connection = http.client.HTTPSConnection("127.0.0.1", self.peer.port, context=context, timeout=30)
        connection.request(method, path, body=body, headers={"Host": host} | (headers or {}))
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, content

    def cdn(self, path):
        return self.request("GET", path, self.outputs["ImagesUrl"].removeprefix("https://"))

    def bucket(self, path, bucket=None):
        return self.request("GET", f"/{bucket or self.outputs['Bucket']}{path}", f"127.0.0.1:{self.peer.port}")

    def queue_url(self, output):
        return self.client("sqs").get_queue_url(QueueName=self.outputs[output])["QueueUrl"]

    def waiting(self, output):
        name = "ApproximateNumberOfMessages"
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.queue_url(output), AttributeNames=[name])
        return int(answer["Attributes"][name])

    def program(self, name, keys, **settings):
        return Program(self, name, keys, settings)


class Program:
    """image-server or image-worker as its machine starts it: with the template's user data and its role's keys."""

    count = 0

    def __init__(self, world, name, keys, settings):
        template = {"image-server": "ServerTemplate", "image-worker": "WorkerTemplate"}[name]
        self.port = free_port()
        self.path = PROGRAMS / name
        own = world.user_data(template) | {"SHARER_LISTEN": f"127.0.0.1:{self.port}"} | settings
        self.environment = {"PATH": os.environ["PATH"]} | world.peer.settings(keys) | own
        Program.count += 1
        self.log = world.folder / f"{name}-{Program.count}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([self.path], env=self.environment, stdout=log, stderr=log)
        if name == "image-server":
            wait_until(lambda: listens(self.port) or self.process.poll() is not None, self.said)

    def check(self):
        """`--check`: exit code and what it says."""
        done = subprocess.run([self.path, "--check"], env=self.environment, capture_output=True, text=True, timeout=90)
        return done.returncode, done.stdout + done.stderr

    def said(self):
        return self.log.read_text()

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, content

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def picture():
    return (ROOT / "tests/pictures/baseline-420.jpg").read_bytes()


PROGRAMS = None
_world = None


def world():
    """The one world of this run."""
    global _world
    if _world is None:
        _world = World()
    return _world


def end():
    if _world is not None:
        _world.peer.stop()


def forget():
    """Removes the logs, which a run that failed leaves to be looked at."""
    if _world is not None:
        shutil.rmtree(_world.folder)


class FleetTest(unittest.TestCase):
    """A test that looks at the deployed fleet."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.world = world()
