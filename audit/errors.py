"""What keeps the books from being read, as sentences."""


class AuditError(Exception):
    """Base of all: the audit could not be made. It says nothing about whether the books balance."""


class BrokerError(AuditError):
    """The broker does not give what it holds."""


class LakeError(AuditError):
    """S3 does not give what it holds."""
