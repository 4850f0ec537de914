//! What has an end: pages and objects are gone from that second, files within a minute, a bucket's by its
//! lifecycle.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{MOTO, Sharer, Site, form, noise_jpeg, picture};

#[test]
fn what_has_expired_is_gone_and_its_files_within_a_minute() {
    let sharer = Sharer::start();
    let (kind, body) =
        form(&[("image", Some("a.jpg"), &picture("baseline-420.jpg")), ("expires", None, b"3")]);
    let reply = sharer.client.request("POST", "/", &[("Content-Type", &kind)], &body).unwrap();
    let id = reply.header("x-image-id").unwrap();
    let original = sharer.client.get_url(&reply.url("original"));
    if original.status == 200 {
        let cache = original.header("cache-control").unwrap();
        assert!(cache.starts_with("public, max-age=") && !cache.contains("immutable"), "{cache}");
    }
    let folder = sharer.folder.path().join("data/objects").join(id);
    let deadline = Instant::now() + Duration::from_secs(60);
    while sharer.client.get(&format!("/i/{id}")).status != 410 {
        assert!(Instant::now() < deadline, "not gone");
        std::thread::sleep(Duration::from_millis(50));
    }
    for name in ["original", "small", "medium", "large"] {
        assert_eq!(sharer.client.get_url(&reply.url(name)).status, 410, "{name}");
    }
    while folder.exists() {
        assert!(Instant::now() < deadline, "files are left: {}", sharer.process.log());
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(sharer.client.get(&format!("/i/{id}.json")).error_code(), "expired");
}

#[test]
fn all_objects_in_a_bucket_carry_their_end_and_the_tag_of_a_rule() {
    let peer = &*MOTO;
    let place = peer.place(10);
    let site = Site::on(place.settings(peer.address, &peer.accounts.user));
    let mut worker = site.worker();
    let photo = noise_jpeg(800, 600, 1);
    let two_days = [("image", Some("a.jpg"), &photo[..]), ("expires", None, b"90000")];
    let (kind, body) = form(&two_days);
    let reply = site.client.request("POST", "/", &[("Content-Type", &kind)], &body).unwrap();
    let id = reply.header("x-image-id").unwrap();
    for name in ["original", "small", "medium", "large"] {
        peer.world().wait_for(&reply.url(name), Duration::from_secs(30));
        let key = format!("{id}/{name}.jpg");
        let tags = peer.call("s3", "get_object_tagging", json!({"Bucket": place.bucket, "Key": key}));
        assert_eq!(tags["TagSet"], json!([{"Key": "expire-days", "Value": "2"}]), "{name}");
        let head = peer.call("s3", "head_object", json!({"Bucket": place.bucket, "Key": key}));
        assert_eq!(head["CacheControl"], "public", "{name}");
    }
    let forever = site.client.upload("b.jpg", &photo);
    let key = format!("{}/original.jpg", forever.header("x-image-id").unwrap());
    let tags = peer.call("s3", "get_object_tagging", json!({"Bucket": place.bucket, "Key": key}));
    assert_eq!(tags["TagSet"], json!([]));
    assert_eq!(worker.stop(), Some(0));
}

#[test]
fn the_lifecycle_has_a_rule_for_each_tag() {
    let peer = &*MOTO;
    let place = peer.place(10);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/lifecycle.json");
    let rules: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for days in 1..=31 {
        let tag = json!({"Key": "expire-days", "Value": days.to_string()});
        let of_tag = |rule: &&serde_json::Value| rule["Filter"]["Tag"] == tag;
        let rule = rules["Rules"].as_array().unwrap().iter().find(of_tag).unwrap();
        assert_eq!((&rule["Status"], &rule["Expiration"]["Days"]), (&json!("Enabled"), &json!(days)));
    }
    // And a bucket takes it.
    let order = json!({"Bucket": place.bucket, "LifecycleConfiguration": rules});
    peer.call("s3", "put_bucket_lifecycle_configuration", order);
}

#[test]
fn a_deletion_makes_the_cdn_forget() {
    let peer = &*MOTO;
    let place = peer.place(10).below("pre");
    let origin = json!({"Id": "o", "DomainName": "pics.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}});
    let config = json!({
        "CallerReference": place.bucket, "Comment": "", "Enabled": true,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
    });
    let made = peer.call("cloudfront", "create_distribution", json!({"DistributionConfig": config}));
    let distribution = made["Distribution"]["Id"].as_str().unwrap();
    let mut settings = place.settings(peer.address, &peer.accounts.user);
    settings.push(("SHARER_CDN_DISTRIBUTION", distribution.to_owned()));
    let site = Site::on(settings);
    let reply = site.client.upload("a.png", &picture("rgb-8.png"));
    let (id, token) = (reply.header("x-image-id").unwrap(), reply.header("x-delete-token").unwrap());
    let deleted = site.client.request("DELETE", &format!("/i/{id}?token={token}"), &[], b"").unwrap();
    assert_eq!(deleted.status, 204);
    let deadline = Instant::now() + Duration::from_secs(30);
    let listed = || peer.call("cloudfront", "list_invalidations", json!({"DistributionId": distribution}));
    let first = loop {
        let answer = listed();
        match answer["InvalidationList"]["Items"].get(0) {
            Some(first) => break first["Id"].clone(),
            None => assert!(Instant::now() < deadline, "{answer}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let order = json!({"DistributionId": distribution, "Id": first});
    let invalidation = peer.call("cloudfront", "get_invalidation", order);
    let path = format!("/{}/pre/{id}/*", place.bucket);
    assert_eq!(invalidation["Invalidation"]["InvalidationBatch"]["Paths"]["Items"], json!([path]));
}

#[test]
fn a_cdn_that_cannot_be_told_keeps_nobody_from_deleting() {
    let peer = &*MOTO;
    let place = peer.place(10);
    let mut settings = place.settings(peer.address, &peer.accounts.user);
    settings.push(("SHARER_CDN_DISTRIBUTION", "E1NOWHERE".to_owned()));
    settings.push(("AWS_ENDPOINT_URL_CLOUDFRONT", "http://127.0.0.1:9".to_owned()));
    let site = Site::on(settings);
    let reply = site.client.upload("a.png", &picture("rgb-8.png"));
    let (id, token) = (reply.header("x-image-id").unwrap(), reply.header("x-delete-token").unwrap());
    let deleted = site.client.request("DELETE", &format!("/i/{id}?token={token}"), &[], b"").unwrap();
    assert_eq!(deleted.status, 204);
    assert_eq!(site.client.get(&format!("/i/{id}")).status, 410);
}
