"""What each `make` command does, in the order in which it does it."""

import shutil

from rich.console import Console
from rich.prompt import Confirm
from rich.table import Table

from emulator.cli import main as emulate
from emulator.run import DEFAULT_LEDGER
from settings import Settings, env_file
from stack import answers, batch, compose, connector, engine, environment, images, lake, preflight, streams, topics
from stack.errors import DataError
from stack.steps import Steps

DEMO_POSTS = 3000


def up(console: Console) -> None:
    """Build and start everything, deploy what runs on it, and say where it is. Harmless when it is up already."""
    engine.ensure()
    if added := environment.write(env_file()):
        console.print(f"Written to {env_file()}: {', '.join(added)}", highlight=False)
    preflight.check()
    images.build()
    console.print("Starting the containers, and waiting until each is healthy …")
    compose.up()
    settings = Settings.load()
    deploy(settings)
    if lake.table(settings, "answers/1") is None and any(topics.end_offsets(settings).values()):
        console.print("Kafka holds posts, and LocalStack has forgotten the lake: making it again from Kafka.")
        batch.run(settings, console, full=False)
    _where(settings, console)


def deploy(settings: Settings) -> None:
    """Bring LocalStack's resources and the sink up to date. LocalStack deploys when it starts; this adds what has changed since."""
    compose.capture("exec", "-T", "localstack", "/opt/localstack/bin/python", "localstack/deploy.py")
    connector.deploy(settings, workers=Settings.load("container"))


def _where(settings: Settings, console: Console) -> None:
    password = settings.airflow_password.get_secret_value()
    shown = Table(title="Up", title_justify="left", show_header=False)
    for name, place in {
        "Airflow": f"{settings.airflow_url}  ({settings.airflow_user} / {password})",
        "Databricks runs": settings.databricks_url,
        "Spark master": settings.spark_url,
        "The batch's Spark": settings.cluster_url,
        "Streaming queries": f"{settings.streaming_url}/StreamingQuery",
        "API Gateway": settings.api_url,
        "REST proxy": f"{settings.rest_proxy_url}/topics",
        "Kafka": settings.kafka_bootstrap_servers,
        "Kafka Connect": f"{settings.connect_url}/connectors/{connector.NAME}/status",
        "S3, Kinesis": f"{settings.aws_endpoint_url}  (bucket {settings.bucket})",
        "MySQL": f"{settings.mysql_host}:{settings.mysql_port}/{settings.mysql_database}  ({settings.mysql_user} / in .env)",
    }.items():
        shown.add_row(name, place)
    console.print(shown, highlight=False)
    console.print("Next: `make emulate POSTS=1000`, `make batch`, `make answers`; or all of it: `make demo`.")


def demo(console: Console) -> None:
    """Everything, from nothing to the eight answers. Raises `StackError` where a step fails."""
    steps = Steps(console)
    with steps.step("up"):
        up(console)
    settings = Settings.load()
    with steps.step(f"emulate {DEMO_POSTS} posts"):
        if emulate(["both", "--posts", str(DEMO_POSTS), "--batch-size", "50", "--workers", "2"]):
            raise DataError("The emulator could not send every post; what it met is above.")
    with steps.step("Kafka to the lake"):
        batch.wait_for_the_lake(settings, console)
    with steps.step("Kinesis to the streaming tables"):
        streams.wait_until_read(settings, console)
        streams.show(settings, console)
    with steps.step("the daily batch, in Airflow"):
        batch.run(settings, console, full=False)
    with steps.step("answers"):
        answers.show(settings, console)
    with steps.step("both paths compared"):
        streams.compare(settings, console, DEFAULT_LEDGER)
    steps.summary()


def reset(console: Console, sure: bool) -> None:
    """Stop everything and delete its data, the ledger too: it tells of records that are then gone."""
    question = "This deletes every post, table and topic of this stack. Really?"
    if not sure and not Confirm.ask(question, console=console, default=False):
        console.print("Nothing was deleted.")
        return
    compose.run("down", "--volumes", "--remove-orphans")
    shutil.rmtree(DEFAULT_LEDGER.parent, ignore_errors=True)
    console.print("Deleted. `.env` is kept; `make up` starts anew.")


def doctor(console: Console) -> None:
    """What this machine has, lacks, or has in the way."""
    shown = Table(show_header=False)
    for what, how in preflight.report():
        shown.add_row(what, how)
    console.print(shown, highlight=False)
