"""Each role's policy is enough for its program, and each single action of it is needed."""

import base64
import json
import os
import time

from peers import ROOT, wait_until
from world import FleetTest, picture

PROGRAMS = {"image-server": "ServerRoleArn", "image-worker": "WorkerRoleArn"}
# What a program says of an action that is not granted, and of what follows from it.
REFUSED = ("AccessDenied", "is not granted", "refuses")
PATIENCE = 30


class Refused(Exception):
    """A program was refused something."""


def without(policy, action):
    """The policy less one action of one statement."""
    statements = []
    for statement in policy["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if statement["Sid"] == action[0]:
            actions = [name for name in actions if name != action[1]]
        if actions:
            statements.append(statement | {"Action": actions})
    return policy | {"Statement": statements}


# AWS asks for it where an object is stored with a tag, as one with an expiry is; ministack does not.
NOT_ASKED_FOR = "s3:PutObjectTagging"


def actions(policy):
    """(statement's name, action) of each that can be shown to be needed."""
    listed = []
    for statement in policy["Statement"]:
        names = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        listed += [(statement["Sid"], name) for name in names if name != NOT_ASKED_FOR]
    return listed


class Roles(FleetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        roles = {cls.world.outputs[output].rsplit("/", 1)[1]: program for program, output in PROGRAMS.items()}
        cls.policies = {(roles[role], role, name): policy for (role, name), policy in cls.world.policies.items()}

    def test_the_policies_are_those_of_deploy_iam(self):
        sqs = self.world.client("sqs")

        def arn(output):
            url = self.world.queue_url(output)
            return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

        names = {
            "arn:aws:sqs:REGION:ACCOUNT:DEAD-LETTERS": arn("DeadLetterQueue"),
            "arn:aws:sqs:REGION:ACCOUNT:QUEUE": arn("Queue"),
            "BUCKET": self.world.outputs["Bucket"],
            "NAMESPACE": "image-sharer/demo",
        }
        for (_, _, policy), document in self.policies.items():
            text = (ROOT / f"deploy/iam/{policy}.json").read_text()
            for name, value in names.items():
                text = text.replace(name, value)
            self.assertEqual(document, json.loads(text))
        self.assertEqual(len(self.policies), 3)

    def test_they_are_enough(self):
        said = self.use()
        self.assertRegex(said, r"told 0 waiting, \d+ workers in service")

    def test_each_action_is_needed(self):
        for (program, role, policy), document in self.policies.items():
            for action in actions(document):
                with self.subTest(program=program, action=action):
                    with self.assertRaises(Refused, msg=f"{program} works without {action}") as refused:
                        self.use_without(role, policy, document, action)
                    why = str(refused.exception)
                    print(f"  {program} without {action[1]} ({action[0]}): {why[:200]}", flush=True)
                    self.assertTrue(action[1] in why or "is answered 503" in why, "it failed for another reason")

    def use_without(self, role, policy, document, action):
        try:
            self.world.grant(role, policy, without(document, action))
            self.use()
        finally:
            self.world.grant(role, policy, document)

    def use(self):
        """All that the programs are for, through the deployed bucket, queue and CDN. Returns what `--check` says."""
        server = self.world.program("image-server", self.world.session("ServerRoleArn"))
        worker = self.world.program("image-worker", self.world.session("WorkerRoleArn"))
        try:
            return Use(self, server, worker).all()
        finally:
            server.kill()
            worker.kill()
            self.leave_nothing()

    def leave_nothing(self):
        """Empties the queues. The receive that a killed worker waited in may still take what comes: it gets that
        here, and not from the next visitor."""
        sqs = self.world.client("sqs")
        bait = [{"Id": str(n), "MessageBody": "bait"} for n in range(10)]
        for _ in range(2):
            sqs.send_message_batch(QueueUrl=self.world.queue_url("Queue"), Entries=bait)
        time.sleep(0.5)
        for output in ("Queue", "DeadLetterQueue"):
            sqs.purge_queue(QueueUrl=self.world.queue_url(output))


class Use:
    """One visitor, one arrival in the bucket, one message that is no job."""

    def __init__(self, test, server, worker):
        self.test, self.world, self.server, self.worker = test, test.world, server, worker

    def all(self):
        said = self.check()
        self.upload_and_delete()
        self.arrive()
        self.bury()
        for program in (self.server, self.worker):
            self.test.assertEqual(program.stop(), 0, program.said())
        self.look_for_refusals()
        return said

    def check(self):
        said = ""
        for program in (self.server, self.worker):
            code, text = program.check()
            if code != 0:
                raise Refused(text.strip().splitlines()[-1])
            said += text
        return said

    def upload_and_delete(self):
        status, headers, body = self.server.request("PUT", "/a.jpg", picture())
        if status != 202:
            raise Refused(f"an upload is answered {status}")
        urls = json.loads(body)
        prefix = self.world.outputs["ImagesUrl"]
        for name in ("original", "small", "medium", "large"):
            self.test.assertTrue(urls[name].startswith(prefix), urls)
            self.becomes(lambda: self.world.cdn(urls[name].removeprefix(prefix))[0] == 200, f"{name} is made")
        if self.server.request("GET", f"/i/{'a' * 26}")[0] != 404:
            raise Refused("a page that is not there is not answered 404")
        token = {"X-Delete-Token": headers["x-delete-token"]}
        status, _, _ = self.server.request("DELETE", f"/i/{headers['x-image-id']}", headers=token)
        if status != 204:
            raise Refused(f"a deletion is answered {status}")
        self.test.assertEqual(self.world.cdn(urls["large"].removeprefix(prefix))[0], 404)

    def arrive(self):
        s3, bucket = self.world.client("s3"), self.world.outputs["Bucket"]
        key = f"incoming/{base64.b32encode(os.urandom(16)).decode().lower().rstrip('=')}"
        s3.put_object(Bucket=bucket, Key=key, Body=picture(), ContentType="image/jpeg")

        def gone():
            return not s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents")

        self.becomes(gone, "an arrival is taken in")

    def bury(self):
        self.world.client("sqs").send_message(QueueUrl=self.world.queue_url("Queue"), MessageBody="no job")
        self.becomes(lambda: self.world.waiting("DeadLetterQueue") == 1, "what is no job is among the dead letters")
        self.becomes(lambda: self.world.waiting("Queue") == 0, "the queue is empty")

    def becomes(self, is_so, what):
        def so_or_refused():
            self.look_for_refusals()
            return is_so()

        try:
            wait_until(so_or_refused, what, PATIENCE)
        except AssertionError as error:
            raise Refused(f"{error}; the worker: {self.worker.said()[-300:]}") from None

    def look_for_refusals(self):
        for program in (self.server, self.worker):
            for line in program.said().splitlines():
                if any(word in line for word in REFUSED):
                    raise Refused(line)
