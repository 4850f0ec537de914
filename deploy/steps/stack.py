"""`make deploy` and `make undeploy`: the stack of deploy/template.yaml, created, changed and deleted."""

import json
import os

from .aws import Refused, Stopped, aws, aws_shown, must, say, where

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEMPLATE = os.path.join(FOLDER, "template.yaml")
AGAIN = "When that is mended, run the same again: what is done is kept."
# States of a stack whose first creation failed: it can only be deleted.
NEVER_BORN = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")


def deploy(stack, given):
    account, region = where()
    parameters = with_images(given)
    say(f"deploys {TEMPLATE} as the stack {stack} in account {account}, region {region}:")
    for name, value in parameters.items():
        say(f"  {name} = {'…' if name == 'UploadToken' else value}")
    state = state_of(stack)
    if state in NEVER_BORN:
        say(f"the stack is {state}, which is what a first try that failed leaves: deletes it")
        delete(stack)
        state = None
    refuse_if_busy(stack, state)
    say(f"{'changes' if state else 'creates'} the stack; the first time takes 5 to 10 minutes, most of it CloudFront's")
    try:
        aws_shown(
            "cloudformation", "deploy", "--stack-name", stack, "--template-file", TEMPLATE,
            "--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset",
            "--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items()),
        )  # fmt: skip
    except Refused as refused:
        raise Stopped(f"CloudFormation: {refused}\n{failures(stack)}{AGAIN}") from None
    outputs = outputs_of(stack)
    put_not_found_page(outputs["Bucket"])
    say("done:")
    for name, value in outputs.items():
        say(f"  {name} = {value}")
    say(f"try it, when a server is up (a minute): curl -F image=@photo.jpg {outputs['Url']}")


def with_images(given):
    """The parameters as given, and the newest published image of each program where none is given."""
    parameters = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise Stopped(f"{text!r} is no parameter: write Name=value; deploy/template.yaml lists them.")
        parameters[name] = value
    for name, program in [("ServerImage", "image-server"), ("WorkerImage", "image-worker")]:
        if name not in parameters:
            parameters[name] = newest(program)
    return parameters


def newest(program):
    filters = f"Name=tag:image-sharer-program,Values={program}"
    answer = must("ec2", "describe-images", "--owners", "self", "--filters", filters, go_on=AGAIN)
    images = sorted(answer["Images"], key=lambda image: image.get("CreationDate", ""))
    if not images:
        raise Stopped(f"no machine image of {program} is published here. First: make publish-image PROGRAM={program}")
    return images[-1]["ImageId"]


def state_of(stack):
    """The stack's state; nothing where there is none."""
    try:
        return aws("cloudformation", "describe-stacks", "--stack-name", stack)["Stacks"][0]["StackStatus"]
    except Refused as refused:
        if "does not exist" in str(refused):
            return None
        raise Stopped(f"CloudFormation: {refused}\n{AGAIN}") from None


def refuse_if_busy(stack, state):
    if state and state.endswith("_IN_PROGRESS") and state != "REVIEW_IN_PROGRESS":
        raise Stopped(f"the stack {stack} is {state}. Wait until that is over, then run the same again.")


def failures(stack):
    """What CloudFormation says of each resource that failed, the first one first."""
    try:
        events = aws("cloudformation", "describe-stack-events", "--stack-name", stack)["StackEvents"]
    except Refused:
        return ""
    failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("_FAILED")]
    lines = [f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}\n" for event in failed]
    return "".join(lines[:10])


def outputs_of(stack):
    described = must("cloudformation", "describe-stacks", "--stack-name", stack, go_on=AGAIN)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def put_not_found_page(bucket):
    """What the CDN answers for an image that is not there: CloudFront takes it out of the bucket."""
    must(
        "s3api", "put-object", "--bucket", bucket, "--key", "not-found.txt",
        "--body", os.path.join(FOLDER, "not-found.txt"),
        "--content-type", "text/plain; charset=utf-8", "--cache-control", "no-store", go_on=AGAIN,
    )  # fmt: skip


def undeploy(stack):
    account, region = where()
    say(f"deletes the stack {stack} in account {account}, region {region}. The bucket with all images stays.")
    bucket = gone(stack)
    if bucket:
        say(f"the bucket {bucket} stays, and is paid for. To delete it with all images: aws s3 rb --force s3://{bucket}")
    say_machine_images()


def undeploy_with_all_images(stack):
    account, region = where()
    say(f"deletes the stack {stack} in account {account}, region {region}, and then its bucket WITH ALL IMAGES in it")
    bucket = gone(stack)
    if bucket:
        say(f"empties and deletes the bucket {bucket}")
        # The stack is gone: no program puts anything into it any more.
        try:
            empty(bucket)
        except Refused as refused:
            raise Stopped(f"the bucket: {refused}\nTo go on: aws s3 rb --force s3://{bucket}") from None
    say_machine_images()


def gone(stack):
    """Deletes the stack. Returns the bucket that it leaves."""
    state = state_of(stack)
    if state is None:
        say(f"there is no stack {stack}")
        return None
    refuse_if_busy(stack, state)
    bucket = None if state == "REVIEW_IN_PROGRESS" else outputs_of(stack).get("Bucket")
    delete(stack)
    say("the stack is gone")
    return bucket


def delete(stack):
    must("cloudformation", "delete-stack", "--stack-name", stack, go_on=AGAIN)
    try:
        aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", stack)
    except Refused as refused:
        raise Stopped(f"the stack is not gone: {refused}\n{failures(stack)}{AGAIN}") from None


def empty(bucket):
    while True:
        page = aws("s3api", "list-objects-v2", "--bucket", bucket, "--max-items", 1000)
        keys = [{"Key": item["Key"]} for item in page.get("Contents") or []]
        if not keys:
            break
        aws("s3api", "delete-objects", "--bucket", bucket, "--delete", json.dumps({"Objects": keys, "Quiet": True}))
        say(f"  {len(keys)} objects deleted")
    aws("s3api", "delete-bucket", "--bucket", bucket)


def say_machine_images():
    found = must("ec2", "describe-images", "--owners", "self", "--filters",
                 "Name=tag-key,Values=image-sharer-program", go_on=AGAIN)["Images"]  # fmt: skip
    for image in found:
        disks = [disk.get("Ebs", {}).get("SnapshotId") for disk in image["BlockDeviceMappings"]]
        say(f"the machine image {image['Name']} stays. To delete it: aws ec2 deregister-image --image-id {image['ImageId']}"
            + "".join(f" && aws ec2 delete-snapshot --snapshot-id {disk}" for disk in disks if disk))  # fmt: skip
