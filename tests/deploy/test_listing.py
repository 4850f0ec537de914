"""Nobody but the programs lists: neither the bucket nor the CDN tells what there is."""

import json

from world import FleetTest, picture

ID = "b" * 26
QUERIES = ["/", "/?list-type=2", "/?versions", "/?uploads", "/?prefix=record/", "/?delimiter=/", "/?policy", "/?acl"]


class Listing(FleetTest):
    def setUp(self):
        self.s3, self.name = self.world.client("s3"), self.world.outputs["Bucket"]
        self.keys = [f"{ID}/original.jpg", f"record/{ID}.json", f"incoming/{'c' * 17}/d.jpg"]
        for key in self.keys:
            self.s3.put_object(Bucket=self.name, Key=key, Body=picture(), ContentType="image/jpeg")

    def tearDown(self):
        for key in self.keys:
            self.s3.delete_object(Bucket=self.name, Key=key)

    def test_the_bucket_tells_the_world_nothing(self):
        for path in QUERIES:
            status, _, body = self.world.bucket(path)
            self.assertEqual(status, 403, path)
            self.assertNotIn(ID.encode(), body, path)
        for key in self.keys:
            self.assertEqual(self.world.bucket(f"/{key}")[0], 403, key)

    def test_the_cdn_serves_images_and_lists_nothing(self):
        status, headers, body = self.world.cdn(f"/{ID}/original.jpg")
        self.assertEqual((status, headers["content-type"], body), (200, "image/jpeg", picture()))
        for path in QUERIES:
            status, _, body = self.world.cdn(path)
            self.assertEqual(status, 404, path)
            self.assertNotIn(ID.encode(), body, path)

    def test_what_is_not_there_or_not_public_is_404_by_the_cdn(self):
        page = b"There is no such image, or it is not made yet.\n"
        for key in [f"{ID}/small.jpg", *self.keys[1:]]:
            status, headers, body = self.world.cdn(f"/{key}")
            self.assertEqual((status, body), (404, page), key)
            self.assertEqual(headers["cache-control"], "no-store", key)

    def test_without_tls_nobody_gets_anything(self):
        statement = next(s for s in self.policy() if s["Sid"] == "TlsOnly")
        self.assertEqual((statement["Effect"], statement["Action"]), ("Deny", "s3:*"))
        self.assertEqual(statement["Condition"], {"Bool": {"aws:SecureTransport": "false"}})
        self.assertEqual(len(statement["Resource"]), 2)

    def policy(self):
        return json.loads(self.s3.get_bucket_policy(Bucket=self.name)["Policy"])["Statement"]
