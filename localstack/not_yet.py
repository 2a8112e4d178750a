"""LocalStack runs this in its own process before it serves: until its resources are put back, the gateway is unavailable.

It would say 404 of an API that it has forgotten, which is final, where it only has to be asked again.
"""

from typing import Any

from localstack.aws.handlers import preprocess_request
from localstack.runtime.init import Stage, init_script_manager


def unavailable(chain: Any, context: Any, _response: Any) -> None:
    if context.request.path.startswith("/_aws/execute-api/") and not init_script_manager().stage_completed[Stage.READY]:
        chain.respond(503, {"message": "The gateway's resources are being put back."})


preprocess_request.append(unavailable)
