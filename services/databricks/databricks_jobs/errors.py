"""What the API refuses, with Databricks' status and error code for each."""


class DatabricksError(Exception):
    """The root of all refusals: an HTTP status, Databricks' error code and a sentence."""

    status: int = 500
    error_code: str = "INTERNAL_ERROR"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidParameterError(DatabricksError):
    """A value that cannot be; a run or a cluster that does not exist is one too."""

    status, error_code = 400, "INVALID_PARAMETER_VALUE"


class NoCredentialError(DatabricksError):
    """The request has no bearer token."""

    status, error_code = 401, "401"


class InvalidTokenError(DatabricksError):
    """The bearer token is not the one of these settings."""

    status, error_code = 403, "403"
