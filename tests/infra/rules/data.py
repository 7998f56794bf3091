"""Rules for the bucket and the queue; each is shown to fail on a copy that was broken."""

from typing import Any

from tests.infra.templates import Deployment, Rule, of_type, plenty

# Who writes once, by storage/keys.py. The inbox is other people's; map-results is Step Functions' own.
CREATE_ONLY = {
    "catalog", "actuals", "weather", "external", "states", "history", "plans", "features", "models", "hindcasts",
    "datasets", "forecasts", "grid_actions", "grid_actions_verified", "backfills", "metrics", "reports", "tuning",
    "ledger",
}  # fmt: skip
KEPT = {
    "inbox", "catalog", "actuals", "weather", "external", "states", "history", "plans", "models", "hindcasts",
    "forecasts", "grid_actions", "grid_actions_verified", "metrics",
}  # fmt: skip
WHOLE = [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}]


def denials(held: Deployment, kind: str) -> list[Any]:
    """Return the statements of a resource policy that deny something to everybody."""
    found = [one for policy in of_type(held, kind).values() for one in policy["PolicyDocument"]["Statement"]]
    return [one for one in found if one["Effect"] == "Deny" and one["Principal"] == "*"]


def only_tls_reaches_the_bucket_and_the_queue(held: Deployment) -> list[str]:
    faults = []
    for kind, action, resources in (
        ("AWS::S3::BucketPolicy", "s3:*", WHOLE),
        ("AWS::SQS::QueuePolicy", "sqs:*", [{"Fn::GetAtt": ["DeadLetters", "Arn"]}]),
    ):
        denied = [
            one
            for one in denials(held, kind)
            if one["Action"] == action
            and plenty(one["Resource"]) == resources
            and one["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        faults += [] if denied else [f"{kind} lets requests in without TLS"]
    return faults


def nothing_is_written_twice(held: Deployment) -> list[str]:
    condition = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
    guarded = {
        resource["Fn::Sub"].removeprefix("${Bucket.Arn}/").removesuffix("/*")
        for one in denials(held, "AWS::S3::BucketPolicy")
        if one["Action"] == "s3:PutObject" and one["Condition"] == condition
        for resource in one["Resource"]
    }
    return [f"{root}/ is not as it should be" for root in sorted(guarded ^ CREATE_ONLY)]


def the_bucket_is_private_versioned_and_kept(held: Deployment) -> list[str]:
    faults = []
    for name, bucket in of_type(held, "AWS::S3::Bucket").items():
        resource = held["root"]["Resources"][name]
        blocks = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        found = {
            "kept": resource.get("DeletionPolicy") == resource.get("UpdateReplacePolicy") == "Retain",
            "encrypted": bool(bucket.get("BucketEncryption")),
            "versioned": bucket.get("VersioningConfiguration") == {"Status": "Enabled"},
            "private": bucket.get("PublicAccessBlockConfiguration") == dict.fromkeys(blocks, True),
        }
        faults += [f"{name} is not {word}" for word, holds in found.items() if not holds]
    return faults


def only_what_can_be_made_again_expires(held: Deployment) -> list[str]:
    rules = of_type(held, "AWS::S3::Bucket")["Bucket"].get("LifecycleConfiguration", {}).get("Rules", [])
    expiring = {rule.get("Prefix", "").split("/")[0] for rule in rules if "ExpirationInDays" in rule}
    faults = [f"{root or 'everything'} expires" for root in sorted(expiring & {*KEPT, ""})]
    faults += [f"{root} is kept for ever" for root in ("features", "ledger", "map-results") if root not in expiring]
    clean = any("AbortIncompleteMultipartUpload" in rule and "NoncurrentVersionExpiration" in rule for rule in rules)
    return faults + ([] if clean else ["old versions and broken uploads are kept for ever"])


def the_queue_keeps_letters_for_a_holiday_and_encrypts_them(held: Deployment) -> list[str]:
    queue = of_type(held, "AWS::SQS::Queue")["DeadLetters"]
    faults = [] if queue.get("MessageRetentionPeriod") == 14 * 86400 else ["letters are lost too soon"]
    faults += [] if "KmsMasterKeyId" in queue else ["letters lie open"]
    return faults + (["a FIFO queue takes no letters of a schedule"] if queue.get("FifoQueue") else [])


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        only_tls_reaches_the_bucket_and_the_queue,
        nothing_is_written_twice,
        the_bucket_is_private_versioned_and_kept,
        only_what_can_be_made_again_expires,
        the_queue_keeps_letters_for_a_holiday_and_encrypts_them,
    )
}
BUCKET = "root/Resources/Bucket"
TLS = "root/Resources/BucketPolicy/Properties/PolicyDocument/Statement/0"
ONCE = "root/Resources/BucketPolicy/Properties/PolicyDocument/Statement/1"
LIFE = f"{BUCKET}/Properties/LifecycleConfiguration/Rules"
QUEUE = "root/Resources/DeadLetters/Properties"
BROKEN: list[tuple[Rule, str, Any]] = [
    (only_tls_reaches_the_bucket_and_the_queue, f"{TLS}/Effect", "Allow"),
    (only_tls_reaches_the_bucket_and_the_queue, f"{TLS}/Condition/Bool", {"aws:SecureTransport": "true"}),
    (only_tls_reaches_the_bucket_and_the_queue, f"{TLS}/Resource/1", None),
    (only_tls_reaches_the_bucket_and_the_queue, "root/Resources/DeadLettersPolicy", None),
    (nothing_is_written_twice, ONCE, None),
    (nothing_is_written_twice, f"{ONCE}/Resource/7", None),
    (nothing_is_written_twice, f"{ONCE}/Resource/0", {"Fn::Sub": "${Bucket.Arn}/map-results/*"}),
    (nothing_is_written_twice, f"{ONCE}/Condition/Bool", None),
    (nothing_is_written_twice, f"{ONCE}/Condition/Null", {"s3:if-none-match": "false"}),
    (the_bucket_is_private_versioned_and_kept, f"{BUCKET}/DeletionPolicy", None),
    (the_bucket_is_private_versioned_and_kept, f"{BUCKET}/UpdateReplacePolicy", "Delete"),
    (the_bucket_is_private_versioned_and_kept, f"{BUCKET}/Properties/BucketEncryption", None),
    (the_bucket_is_private_versioned_and_kept, f"{BUCKET}/Properties/VersioningConfiguration/Status", "Suspended"),
    (
        the_bucket_is_private_versioned_and_kept,
        f"{BUCKET}/Properties/PublicAccessBlockConfiguration/BlockPublicAcls",
        False,
    ),
    (only_what_can_be_made_again_expires, f"{LIFE}/0/Prefix", "forecasts/"),
    (only_what_can_be_made_again_expires, f"{LIFE}/0/Prefix", None),
    (only_what_can_be_made_again_expires, f"{LIFE}/3", None),
    (only_what_can_be_made_again_expires, f"{LIFE}/4/NoncurrentVersionExpiration", None),
    (the_queue_keeps_letters_for_a_holiday_and_encrypts_them, f"{QUEUE}/MessageRetentionPeriod", 3600),
    (the_queue_keeps_letters_for_a_holiday_and_encrypts_them, f"{QUEUE}/KmsMasterKeyId", None),
    (the_queue_keeps_letters_for_a_holiday_and_encrypts_them, f"{QUEUE}/FifoQueue", True),
]
