"""An S3 server within this process, for a local cloud that speaks S3 as the deployed one does."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from wattahead.domain.errors import Refused

NAME: Final = "wattahead"
REGION: Final = "us-east-1"


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """Serve an empty bucket on a free port of 127.0.0.1; give the variables that lead every client to it."""
    try:
        import boto3  # noqa: PLC0415 - neither is installed where the handlers run
        from moto.server import ThreadedMotoServer  # noqa: PLC0415
    except ImportError as error:
        fix = "install it with the development packages, or leave --s3 out and use a folder"
        raise Refused("E_CONFIG", f"--s3 needs moto's server ({error})", fix=fix) from error
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it logs every request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        access = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": REGION}
        boto3.client("s3", endpoint_url=endpoint, **access).create_bucket(Bucket=NAME)
        yield {
            "WATTAHEAD_BUCKET": f"s3://{NAME}",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ALLOW_HTTP": "true",
        }
    finally:
        server.stop()
