"""`make deploy-plan`: what deploy would change, as CloudFormation's own change set, and what a month at rest costs.

At rest: the least servers and workers, no upload, no visitor. The prices are AWS's list prices of one region
(deploy/prices.json says which and where each comes from), without discounts, free tiers and taxes.
"""

import json
import os
import time

from .aws import Refused, Stopped, aws, must, say, where
from .stack import AGAIN, FOLDER, NEVER_BORN, TEMPLATE, delete, refuse_if_busy, state_of, with_images

HOURS = 730
# How often things are done at rest, in seconds: image-server tells the backlog (two requests to SQS, one to
# CloudWatch) and looks at the store for the load balancer's health checks; a worker's receive waits.
TELLS, LOOKS, RECEIVES = 10, 10, 20


def run(stack, given):
    account, region = where()
    parameters = with_images(given)
    place = f"in account {account}, region {region}"
    say(f"says what deploying {TEMPLATE} as the stack {stack} would change {place}; nothing is changed")
    state = state_of(stack)
    refuse_if_busy(stack, state)
    if state in NEVER_BORN:
        raise Stopped(f"the stack {stack} is {state}: make deploy deletes it and creates it anew.")
    new = state in (None, "REVIEW_IN_PROGRESS")
    for change in changes(stack, parameters, new):
        what = change["ResourceChange"]
        replaced = " (replaced)" if what.get("Replacement") == "True" else ""
        say(f"  {what['Action'].lower():7} {what['LogicalResourceId']:22} {what['ResourceType']}{replaced}")
    say_cost(parameters)


def changes(stack, parameters, new):
    """The change set's changes. It is deleted again, and the empty stack that it makes of a new one."""
    name = f"plan-{int(time.time())}"
    must(
        "cloudformation", "create-change-set", "--stack-name", stack, "--change-set-name", name,
        "--change-set-type", "CREATE" if new else "UPDATE", "--template-body", f"file://{TEMPLATE}",
        "--capabilities", "CAPABILITY_IAM", "--parameters",
        json.dumps([{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]),
        go_on=AGAIN,
    )  # fmt: skip
    try:
        return changes_of(stack, name)
    finally:
        if new:
            delete(stack)
        else:
            must("cloudformation", "delete-change-set", "--stack-name", stack, "--change-set-name", name, go_on=AGAIN)


def changes_of(stack, name):
    of = ("--stack-name", stack, "--change-set-name", name)
    try:
        aws("cloudformation", "wait", "change-set-create-complete", *of)
    except Refused:
        why = must("cloudformation", "describe-change-set", *of, go_on=AGAIN).get("StatusReason", "")
        if "didn't contain changes" in why or "No updates" in why:
            say("  nothing would change")
            return []
        raise Stopped(f"the change set: {why}\n{AGAIN}") from None
    return must("cloudformation", "describe-change-set", *of, go_on=AGAIN)["Changes"]


def say_cost(parameters):
    with open(os.path.join(FOLDER, "prices.json")) as file:
        prices = json.load(file)
    summary = must("cloudformation", "get-template-summary", "--template-body", f"file://{TEMPLATE}", go_on=AGAIN)
    values = {known["ParameterKey"]: known.get("DefaultValue", "") for known in summary["Parameters"]} | parameters
    total = 0
    noted = f"at list prices of {prices['region']} as noted {prices['noted']}"
    say(f"a month at rest, {noted}; what spot machines save is not counted:")
    for what, count, unit in at_rest(values):
        price = prices["dollars"].get(what)
        if price is None:
            say(f"  {'?':>8}    {count:g} × {what}: deploy/prices.json does not know it")
            continue
        cost = count * price[unit]
        total += cost
        say(f"  {cost:8.2f} $  {count:,.6g} × {what} at {price[unit]:g} $ {unit}  ({price['from']})")
    say(f"  {total:8.2f} $  in all; beyond that, each GB stored and sent, each upload, and machines while they are needed")


def at_rest(values):
    """What there is, how many or how many hours of it, and the unit that it is priced by."""
    servers, workers = int(values["MinServers"]), int(values["MinWorkers"])
    month = HOURS * 3600
    requests = servers * 2 * (month / TELLS + month / LOOKS) + workers * month / RECEIVES
    return [
        (values["ServerInstanceType"], servers * HOURS, "an hour"),
        (values["WorkerInstanceType"], workers * HOURS, "an hour"),
        # The load balancer has one in each of its two zones.
        ("public address", (servers + workers + 2) * HOURS, "an hour"),
        ("gp3 volume, GiB", servers + workers, "a month"),
        ("application load balancer", HOURS, "an hour"),
        # The servers' three, and the seven of each worker by the minute.
        ("custom metric", 3 + 7 * workers, "a month"),
        # Ours, one of them on three metrics; two each of the policies that track a target.
        ("alarm on a metric", 3 + 3 + 2 * 2, "a month"),
        ("alarm on a metric of 10 s", 3, "a month"),
        ("PutMetricData", servers * month / TELLS / 1000, "a thousand"),
        ("SQS request", requests / 1000, "a thousand"),
        ("S3 HEAD", servers * month / LOOKS / 1000, "a thousand"),
        ("dashboard", 1, "a month"),
    ]
