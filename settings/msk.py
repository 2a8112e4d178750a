"""What MSK takes for a password: a token that AWS' credentials sign."""

from aws_msk_iam_sasl_signer import MSKAuthTokenProvider


def token(region: str) -> tuple[str, float]:
    """A token, and when it ends, in seconds since 1970. Signs with the SDK's default provider chain, without any request to AWS."""
    signed, ends_ms = MSKAuthTokenProvider.generate_auth_token(region)
    return signed, ends_ms / 1000
