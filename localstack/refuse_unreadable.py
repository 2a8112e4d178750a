"""LocalStack runs this in its own process before it serves: a body that its gateway cannot read is refused with 400, as by AWS.

Its validator refuses what is not JSON, and fails with 500 at what is not UTF-8, nested without end, or a number of thousands of digits: an answer
that asks for another try. And it takes UTF-16 and a byte order mark, which the mapping templates do not: Kinesis was sent an empty record.
"""

import sys
from typing import Any

from localstack.services.apigateway.next_gen.execute_api.handlers.method_request import MethodRequestHandler

_is_body_valid = MethodRequestHandler._is_body_valid


def is_body_readable_and_valid(method: Any, rest_api: Any, request: Any) -> bool:
    try:
        return _is_body_valid(method, rest_api, {**request, "body": request.get("body", b"").decode()})
    except (ValueError, RecursionError):
        return False


MethodRequestHandler._is_body_valid = staticmethod(is_body_readable_and_valid)
# Its template engine calls itself three times a level, and at a batch with 300 lists in one another it failed with 500. Python's reader of JSON, which
# is asked first, goes 10,000 deep.
sys.setrecursionlimit(100_000)
