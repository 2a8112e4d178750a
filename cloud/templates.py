"""The three stacks of the cloud, in the order in which they are made: what is uploaded, what holds data, and what runs in between."""

from pathlib import Path

from cloud.documents import Document, laid_over, load_document, with_deployment_of_its_own
from settings import Settings
from stack import connector

HERE = Path(__file__).parent


def artifacts() -> Document:
    """The artifacts' bucket and the registry."""
    return load_document(HERE / "artifacts.yaml")


def stores() -> Document:
    """MSK and RDS."""
    return load_document(HERE / "stores.yaml")


def pipeline(settings: Settings) -> Document:
    """The local stack's own template, closed to the world, with MSK Connect, MWAA and the REST proxy; the sink configured as on the laptop."""
    configured = {"Resources": {"Sink": {"Properties": {"ConnectorConfiguration": connector.configuration(settings)}}}}
    return with_deployment_of_its_own(laid_over(load_document(HERE / "pipeline.yaml"), configured))
