"""The plan changes nothing; undeploy takes all away but the images, which it deletes when it is asked to."""

from world import PARAMETERS, STACK, FleetTest


class Plan(FleetTest):
    def test_it_says_what_would_change_and_changes_nothing(self):
        code, said = self.world.peer.fleet("plan", STACK, *PARAMETERS, "MinWorkers=3")
        self.assertEqual(code, 0, said)
        self.assertIn("modify  Workers ", said)
        self.assertRegex(said, r"\d+\.\d\d \$  2,190 × c7a.medium at 0.05132 \$ an hour")
        self.assertRegex(said, r"\d+\.\d\d \$  in all")
        group = self.world.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.world.outputs["WorkerGroup"]]
        )["AutoScalingGroups"][0]
        self.assertEqual(group["MinSize"], 2)

    def test_of_a_stack_that_is_not_there_nothing_is_left(self):
        code, said = self.world.peer.fleet("plan", "new", *PARAMETERS)
        self.assertEqual(code, 0, said)
        self.assertIn("add     Workers ", said)
        stacks = self.world.client("cloudformation").describe_stacks()["Stacks"]
        self.assertNotIn("new", [stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"])

    def test_a_parameter_that_is_none_is_refused_with_the_form(self):
        code, said = self.world.peer.fleet("plan", STACK, "MinWorkers")
        self.assertEqual(code, 1)
        self.assertIn("write Name=value", said)


class Undeploy(FleetTest):
    def test_all_is_gone_but_the_images_and_then_they_too(self):
        world, bucket = self.world, self.world.outputs["Bucket"]
        world.client("s3").put_object(Bucket=bucket, Key=f"{'e' * 26}/original.jpg", Body=b"x")
        # Nothing new to deploy is no failure.
        code, said = world.peer.fleet("deploy", STACK, *PARAMETERS)
        self.assertEqual(code, 0, said)
        code, said = world.peer.fleet("undeploy", STACK)
        self.assertEqual(code, 0, said)
        self.assertIn(f"aws s3 rb --force s3://{bucket}", said)
        self.assertIn("aws ec2 deregister-image --image-id", said)
        self.assertEqual(world.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] > 0, True)
        self.nothing_left()
        code, said = world.peer.fleet("undeploy", STACK)
        self.assertEqual((code, f"there is no stack {STACK}" in said), (0, True), said)

        # Deployed once more, and deleted with everything in it.
        code, said = world.peer.fleet("deploy", STACK, *PARAMETERS)
        self.assertEqual(code, 0, said)
        second = world.outputs_of(STACK)["Bucket"]
        self.assertNotEqual(second, bucket)
        code, said = world.peer.fleet("undeploy", STACK, "--with-all-images")
        self.assertEqual(code, 0, said)
        self.assertEqual([b["Name"] for b in world.client("s3").list_buckets()["Buckets"]], [bucket])
        self.nothing_left()

    def nothing_left(self):
        client = self.world.client
        self.assertEqual(client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"], [])
        self.assertEqual(client("elbv2").describe_load_balancers()["LoadBalancers"], [])
        self.assertEqual(client("sqs").list_queues().get("QueueUrls", []), [])
        self.assertEqual(client("cloudwatch").describe_alarms()["MetricAlarms"], [])
        self.assertEqual(client("cloudfront").list_distributions()["DistributionList"]["Quantity"], 0)
        roles = [role["RoleName"] for role in client("iam").list_roles()["Roles"]]
        self.assertFalse([name for name in roles if name.startswith(f"{STACK}-")], roles)
        vpcs = client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.20.0.0/16"]}])["Vpcs"]
        self.assertEqual(vpcs, [])
