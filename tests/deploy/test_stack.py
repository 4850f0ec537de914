"""What the template creates is what was meant, resource by resource."""

import json
import unittest

from peers import REGION, ROOT
from world import FleetTest

TEMPLATE = ROOT / "deploy/template.yaml"


def template():
    """The template as cfn-lint reads it: plain dictionaries."""
    from cfnlint.decode.cfn_yaml import load

    return load(str(TEMPLATE))


def lifecycle_rule(rule):
    """A template's rule in S3's own words."""
    said = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "TagFilters" in rule:
        (said["Filter"]["Tag"],) = rule["TagFilters"]
        del said["Filter"]["Prefix"]
    if "ExpirationInDays" in rule:
        said["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "AbortIncompleteMultipartUpload" in rule:
        said["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    return said


def backlog_steps():
    """Alarm and policy of each step, by rising threshold, which is its parameter's default."""
    document = template()
    steps = []
    for alarm in (resource.get("Properties", {}) for resource in document["Resources"].values()):
        if alarm.get("MetricName") == "BacklogPerWorker":
            (action,) = alarm["AlarmActions"]
            threshold = document["Parameters"][alarm["Threshold"]["Ref"]]["Default"]
            steps.append((alarm | {"Threshold": threshold}, document["Resources"][action["Ref"]]["Properties"]))
    return sorted(steps, key=lambda step: step[0]["Threshold"])


def alike(values):
    """The one value that all have."""
    (value,) = set(values)
    return value


class Created(FleetTest):
    def test_every_resource_whose_condition_holds(self):
        held = {None, "ByCdn"}
        meant = {name for name, resource in template()["Resources"].items() if resource.get("Condition") in held}
        self.assertEqual(set(self.world.resources), meant)

    def test_what_deploy_says(self):
        said = self.world.said
        self.assertIn("creates the stack", said)
        self.assertIn(f"WorkerImage = {self.world.images['image-worker']}", said)
        self.assertIn(f"curl -F image=@photo.jpg {self.world.outputs['Url']}", said)


class Network(FleetTest):
    def setUp(self):
        self.ec2 = self.world.client("ec2")

    def ingress(self, group):
        """(from, to, who) of each rule."""
        groups = self.ec2.describe_security_groups(GroupIds=[self.world.resources[group]])["SecurityGroups"]
        return [
            (rule["FromPort"], rule["ToPort"], who)
            for rule in groups[0]["IpPermissions"]
            for who in [r["CidrIp"] for r in rule["IpRanges"]] + [p["GroupId"] for p in rule["UserIdGroupPairs"]]
        ]

    def test_port_80_is_open_to_the_world_and_nothing_else(self):
        self.assertEqual(self.ingress("LoadBalancerPorts"), [(80, 80, "0.0.0.0/0")])
        self.assertEqual(self.ingress("ServerPorts"), [(80, 80, self.world.resources["LoadBalancerPorts"])])
        self.assertEqual(self.ingress("WorkerPorts"), [])

    def test_two_zones(self):
        ids = [self.world.resources[name] for name in ("FirstSubnet", "SecondSubnet")]
        subnets = self.ec2.describe_subnets(SubnetIds=ids)["Subnets"]
        self.assertEqual(len({subnet["AvailabilityZone"] for subnet in subnets}), 2)
        groups = self.world.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        for group in groups:
            self.assertEqual(set(group["VPCZoneIdentifier"].split(",")), set(ids))

    def test_machines_are_in_their_group_and_have_imds_2_alone(self):
        for template, ports, image in [
            ("ServerTemplate", "ServerPorts", "image-server"),
            ("WorkerTemplate", "WorkerPorts", "image-worker"),
        ]:
            data = self.world.launch_data(template)
            self.assertEqual(data["SecurityGroupIds"], [self.world.resources[ports]])
            self.assertEqual(data["ImageId"], self.world.images[image])
            options = data["MetadataOptions"]
            self.assertEqual((options["HttpTokens"], int(options["HttpPutResponseHopLimit"])), ("required", 1))
            self.assertEqual(data["InstanceInitiatedShutdownBehavior"], "terminate")


class LoadBalancer(FleetTest):
    def setUp(self):
        self.elb = self.world.client("elbv2")

    def test_it_listens_on_80_and_asks_for_health(self):
        arn = self.world.resources["LoadBalancer"]
        listeners = self.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        self.assertEqual([(listener["Protocol"], listener["Port"]) for listener in listeners], [("HTTP", 80)])
        targets = self.world.resources["Targets"]
        self.assertEqual(listeners[0]["DefaultActions"][0]["TargetGroupArn"], targets)
        group = self.elb.describe_target_groups(TargetGroupArns=[targets])["TargetGroups"][0]
        self.assertEqual((group["HealthCheckPath"], group["Port"]), ("/healthz", 80))
        balancer = self.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
        self.assertEqual((balancer["Type"], balancer["Scheme"]), ("application", "internet-facing"))

    def test_a_server_waits_longer_than_the_load_balancer(self):
        arn = self.world.resources["LoadBalancer"]
        attributes = self.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        idle = next(a["Value"] for a in attributes if a["Key"] == "idle_timeout.timeout_seconds")
        self.assertGreater(int(self.world.user_data("ServerTemplate")["SHARER_IDLE_SECONDS"]), int(idle))


class Store(FleetTest):
    def test_incoming_objects_and_half_uploads_are_gone_after_a_day(self):
        # ministack keeps no lifecycle of a template: its words are read, and put there as S3 takes them.
        *rules, if_expires = template()["Resources"]["Images"]["Properties"]["LifecycleConfiguration"]["Rules"]
        condition, everything, otherwise = if_expires["Fn::If"]
        self.assertEqual((condition, otherwise), ("Expires", {"Ref": "AWS::NoValue"}))
        self.assertEqual(everything["ExpirationInDays"], {"Ref": "ExpireAfterDays"})
        s3, bucket = self.world.client("s3"), self.world.outputs["Bucket"]
        said = [lifecycle_rule(rule) for rule in [*rules, everything | {"ExpirationInDays": 7}]]
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": said})
        kept = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
        self.assertEqual(kept["incoming-a-day"]["Expiration"]["Days"], 1)
        self.assertEqual(kept["incoming-a-day"]["Filter"]["Prefix"], "incoming/")
        self.assertEqual(kept["half-uploaded-a-day"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"], 1)
        self.assertEqual((kept["everything"]["Expiration"]["Days"], kept["everything"]["Filter"]["Prefix"]), (7, ""))

    def test_what_was_uploaded_with_an_expiry_goes_by_its_tag(self):
        rules = template()["Resources"]["Images"]["Properties"]["LifecycleConfiguration"]["Rules"]
        said = [lifecycle_rule(rule) for rule in rules if "TagFilters" in rule]
        rules = json.loads((ROOT / "deploy/lifecycle.json").read_text())["Rules"]
        self.assertEqual(said, [rule for rule in rules if "Tag" in rule["Filter"]])

    def test_the_bucket_is_private_and_tells_of_arrivals(self):
        s3, bucket = self.world.client("s3"), self.world.outputs["Bucket"]
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        self.assertEqual(set(block.values()), {True})
        told = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"][0]
        self.assertEqual(told["Filter"]["Key"]["FilterRules"][0]["Value"], "incoming/")

    def test_queue_and_dead_letters(self):
        sqs = self.world.client("sqs")

        def attributes(output):
            return sqs.get_queue_attributes(QueueUrl=self.world.queue_url(output), AttributeNames=["All"])["Attributes"]

        jobs, dead = attributes("Queue"), attributes("DeadLetterQueue")
        redrive = json.loads(jobs["RedrivePolicy"])
        self.assertEqual((redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])), (dead["QueueArn"], 5))
        self.assertEqual((jobs["VisibilityTimeout"], jobs["ReceiveMessageWaitTimeSeconds"]), ("60", "20"))
        self.assertEqual(dead["MessageRetentionPeriod"], "1209600")
        for queue in (jobs, dead):
            first = json.loads(queue["Policy"])["Statement"][0]
            self.assertEqual((first["Effect"], first["Condition"]), ("Deny", {"Bool": {"aws:SecureTransport": "false"}}))

    def test_the_cdn_maps_403_to_404_for_a_second_at_most(self):
        cdn = self.world.client("cloudfront").get_distribution_config(Id=self.world.resources["Cdn"])
        config = cdn["DistributionConfig"]
        responses = {item["ErrorCode"]: item for item in config["CustomErrorResponses"]["Items"]}
        self.assertEqual(responses[403]["ResponseCode"], "404")
        self.assertLessEqual(responses[403]["ErrorCachingMinTTL"], 1)
        origin = config["Origins"]["Items"][0]
        self.assertEqual(origin["OriginAccessControlId"], self.world.resources["CdnAccess"])
        self.assertTrue(origin["DomainName"].startswith(f"{self.world.outputs['Bucket']}.s3."))
        self.assertEqual(config["DefaultCacheBehavior"]["ViewerProtocolPolicy"], "redirect-to-https")


class Groups(FleetTest):
    def setUp(self):
        self.autoscaling = self.world.client("autoscaling")

    def group(self, output):
        name = self.world.outputs[output]
        return self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]

    def test_sizes_and_health(self):
        servers, workers = self.group("ServerGroup"), self.group("WorkerGroup")
        self.assertEqual((servers["MinSize"], servers["MaxSize"]), (2, 10))
        self.assertEqual((workers["MinSize"], workers["MaxSize"]), (2, 70))
        self.assertEqual((servers["HealthCheckType"], workers["HealthCheckType"]), ("ELB", "EC2"))

    def test_a_machine_is_waited_for_until_its_worker_is_done(self):
        hooks = self.autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=self.world.outputs["WorkerGroup"])
        (hook,) = hooks["LifecycleHooks"]
        self.assertEqual(hook["LifecycleTransition"], "autoscaling:EC2_INSTANCE_TERMINATING")
        # A job's longest time, and two looks at the metadata.
        self.assertGreaterEqual(int(hook["HeartbeatTimeout"]), 120 + 2 * 5)

    def test_servers_grow_with_requests_and_workers_with_the_backlog(self):
        def policies(output):
            found = self.autoscaling.describe_policies(AutoScalingGroupName=self.world.outputs[output])
            return found["ScalingPolicies"]

        def tracked(policies):
            (policy,) = [policy for policy in policies if policy["PolicyType"] == "TargetTrackingScaling"]
            return policy["TargetTrackingConfiguration"]["PredefinedMetricSpecification"]

        workers = policies("WorkerGroup")
        self.assertEqual(tracked(workers)["PredefinedMetricType"], "ASGAverageCPUUtilization")
        alarms = self.world.client("cloudwatch").describe_alarms()["MetricAlarms"]
        steps = {
            alarm["Threshold"]: policy["StepAdjustments"][0]["ScalingAdjustment"]
            for policy in workers
            for alarm in alarms
            if alarm["AlarmActions"] == [policy["PolicyARN"]] and alarm["MetricName"] == "BacklogPerWorker"
        }
        self.assertEqual(steps, {3: 100, 10: 300, 30: 700})
        requests = tracked(policies("ServerGroup"))
        self.assertEqual(requests["PredefinedMetricType"], "ALBRequestCountPerTarget")
        balancer, targets = requests["ResourceLabel"].split("/demo-Targets")
        self.assertTrue(balancer.startswith("app/") and targets, requests)

    def test_spot_and_on_demand_machines_are_mixed(self):
        # ministack keeps no such policy: the template's own words are read.
        policy = template()["Resources"]["Workers"]["Properties"]["MixedInstancesPolicy"]["Fn::If"][2]
        distribution = policy["InstancesDistribution"]
        self.assertEqual(distribution["OnDemandBaseCapacity"], {"Ref": "OnDemandWorkers"})
        self.assertEqual(distribution["SpotAllocationStrategy"], "price-capacity-optimized")


RECOMMENDED = ROOT / "deploy/capacity/recommended.json"


class Numbers(unittest.TestCase):
    @unittest.skipUnless(RECOMMENDED.exists(), f"{RECOMMENDED} is not there")
    def test_the_defaults_are_what_the_simulation_recommends(self):
        recommended = json.loads(RECOMMENDED.read_text())
        resources = template()["Resources"]
        default = {name: parameter.get("Default") for name, parameter in template()["Parameters"].items()}
        steps = backlog_steps()
        headroom = resources["WorkersByProcessor"]["Properties"]
        tracking = headroom["TargetTrackingConfiguration"]["PredefinedMetricSpecification"]
        said = {
            "instance_type": default["WorkerInstanceType"],
            "sharer_jobs": default["WorkerJobs"],
            "minimum_instances": default["MinWorkers"],
            "maximum_instances": default["MaxWorkers"],
            "spot_percent_above_minimum": 100 - default["OnDemandShare"],
            "warm_pool_instances": default["WarmPool"],
            "headroom": {
                "metric": tracking["PredefinedMetricType"],
                "target_percent": default["ProcessorUse"],
                "warm_up_seconds": headroom["EstimatedInstanceWarmup"],
            },
            "backlog": {
                "metric_period_seconds": alike(alarm["Period"] for alarm, _ in steps),
                "evaluation_periods": alike(alarm["EvaluationPeriods"] for alarm, _ in steps),
                "warm_up_seconds": alike(policy["EstimatedInstanceWarmup"] for _, policy in steps),
                "steps_percent_change": [
                    {"from_per_instance": alarm["Threshold"], "percent": policy["StepAdjustments"][0]["ScalingAdjustment"]}
                    for alarm, policy in steps
                ],
            },
        }
        self.assertEqual(said, recommended)
        self.assertEqual(default["OnDemandWorkers"], default["MinWorkers"])


class Told(FleetTest):
    def test_alarms(self):
        found = self.world.client("cloudwatch").describe_alarms()["MetricAlarms"]
        alarms = {alarm["AlarmName"]: alarm for alarm in found}
        old, dead = (alarms[self.world.resources[name]] for name in ("OldMessages", "LettersDead"))
        self.assertEqual((old["MetricName"], old["Threshold"]), ("ApproximateAgeOfOldestMessage", 60))
        self.assertEqual((dead["MetricName"], dead["Threshold"]), ("ApproximateNumberOfMessagesVisible", 0))
        self.assertEqual(dead["Dimensions"], [{"Name": "QueueName", "Value": self.world.outputs["DeadLetterQueue"]}])
        unknown = alarms[self.world.resources["BacklogUnknown"]]
        self.assertEqual(unknown["TreatMissingData"], "breaching")

    def test_the_dashboard_is_json_and_names_what_is_there(self):
        body = self.world.client("cloudwatch").get_dashboard(DashboardName="demo")["DashboardBody"]
        self.assertEqual(len(json.loads(body)["widgets"]), 4)
        for name in (self.world.outputs["Queue"], self.world.outputs["DeadLetterQueue"], "image-sharer/demo", REGION):
            self.assertIn(name, body)
        self.assertNotIn("${", body)


class OtherParameters(FleetTest):
    """The same template, read from the bucket, with a certificate, an address for alarms and a token."""

    def test_the_other_side_of_the_conditions(self):
        certificate = f"arn:aws:acm:{REGION}:000000000000:certificate/00000000-0000-0000-0000-000000000000"
        code, said = self.world.peer.fleet(
            "deploy", "open", "FailedPercent=0", "Delivery=bucket", f"CertificateArn={certificate}",
            "AlarmEmail=a@example.org", "UploadToken=0123456789abcdef",
        )  # fmt: skip
        self.assertEqual(code, 0, said)
        self.assertNotIn("0123456789abcdef", said)
        resources, outputs = self.world.resources_of("open"), self.world.outputs_of("open")
        self.assertTrue({"Https", "Alarms"} <= set(resources) and not {"Cdn", "CdnAccess"} & set(resources))
        groups = self.world.client("ec2").describe_security_groups(GroupIds=[resources["LoadBalancerPorts"]])
        ports = {rule["FromPort"] for rule in groups["SecurityGroups"][0]["IpPermissions"]}
        self.assertEqual(ports, {80, 443})
        self.assertTrue(outputs["ImagesUrl"].startswith(f"https://{outputs['Bucket']}.s3."))
        self.readable_images_and_nothing_else(outputs["Bucket"])
        code, said = self.world.peer.fleet("undeploy", "open", "--with-all-images")
        self.assertEqual(code, 0, said)

    def readable_images_and_nothing_else(self, bucket):
        image, record = f"{'a' * 26}/small.jpg", f"record/{'a' * 26}.json"
        # 26 characters before a slash, and not an id: `?` stands for a slash as well.
        incoming = f"incoming/{'a' * 17}/b.jpg"
        for key in (image, record, incoming):
            self.world.client("s3").put_object(Bucket=bucket, Key=key, Body=b"content")
        got = {key: self.world.bucket(f"/{key}", bucket)[0] for key in (image, record, incoming, "absent")}
        self.assertEqual(got, {image: 200, record: 403, incoming: 403, "absent": 403})
        self.assertEqual(self.world.bucket("/", bucket)[0], 403)
