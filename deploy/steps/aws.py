"""Runs the operator's AWS CLI: one command, its JSON answer, or a failure that says how to go on."""

import json
import os
import shutil
import subprocess

CLI = os.environ.get("AWS_CLI", "aws")


class Stopped(Exception):
    """What failed, and how to go on."""


class Refused(Exception):
    """What the CLI said when it failed."""


def say(text=""):
    print(text, flush=True)


def call(arguments, **channels):
    """Runs the CLI: no pager, no questions; a failure is what it said."""
    program = shutil.which(CLI)
    if program is None:
        raise Stopped(
            f"there is no {CLI} here. Install the AWS CLI (https://docs.aws.amazon.com/cli/), or name it: AWS_CLI=…"
        )
    environment = os.environ | {"AWS_PAGER": "", "AWS_CLI_AUTO_PROMPT": "off"}
    command = [program, *map(str, arguments)]
    done = subprocess.run(
        command, env=environment, text=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **channels
    )
    if done.returncode != 0:
        raise Refused(done.stderr.strip())
    return done.stdout


def aws(*arguments):
    """The command's answer, read; nothing for a command that answers nothing."""
    answer = call([*arguments, "--output", "json"], stdout=subprocess.PIPE)
    return json.loads(answer) if answer.strip() else {}


def aws_shown(*arguments):
    """A command that tells people how far it is."""
    call(arguments)


def must(*arguments, go_on):
    """The same, where a failure is the end; `go_on` says what to do then."""
    try:
        return aws(*arguments)
    except Refused as refused:
        raise Stopped(f"aws {' '.join(map(str, arguments[:2]))}: {refused}\n{go_on}") from None


def where():
    """Account and region that the CLI works on."""
    go_on = "Log in first (aws configure, aws sso login, AWS_PROFILE=…), then run the same again."
    account = must("sts", "get-caller-identity", go_on=go_on)["Account"]
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        done = subprocess.run([CLI, "configure", "get", "region"], capture_output=True, text=True)
        region = done.stdout.strip()
    if not region:
        raise Stopped("no region is set. Set AWS_REGION, then run the same again.")
    return account, region
