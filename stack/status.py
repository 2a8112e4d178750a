"""`make status`: each part, and what it holds, asked of the parts themselves."""

from rich.console import Console
from rich.table import Table

from settings import AWS, FRAMES, Settings, current_environment
from stack import compose, connector, lake, streams, topics
from stack.errors import StackError


def show(settings: Settings, console: Console) -> bool:
    """Print it, and return whether all is well."""
    services_well = current_environment() == AWS or _services(console)
    data_well = _data(settings, console)
    state = connector.state(settings)
    console.print(f"S3 sink: {state}", style="green" if state == "RUNNING" else "red", highlight=False)
    tables_well = _tables(settings, console)
    quiet = _alarms(settings, console)
    return services_well and data_well and tables_well and quiet and state == "RUNNING"


def _services(console: Console) -> bool:
    containers = compose.containers()
    if not containers:
        console.print("Nothing runs. `make up` starts it.")
        return False
    shown = Table("service", "state", title="Services", title_justify="left")
    for container in containers:
        well = "healthy" if container.state == "running" else "done"
        shown.add_row(
            container.service, f"[green]{well}[/]" if container.is_well else f"[red]{compose.why_unwell(container)}[/]"
        )
    console.print(shown)
    return all(container.is_well for container in containers)


def _data(settings: Settings, console: Console) -> bool:
    try:
        ends, landed = topics.end_offsets(settings), lake.landed(settings)
    except StackError as error:
        console.print(str(error), style="red")
        return False
    shown = Table(title="Topics, and what of them is in the lake", title_justify="left")
    for column in ("topic", "partition", "end offset", "landed up to", "objects", "KiB"):
        shown.add_column(column, justify="left" if column == "topic" else "right")
    for (topic, partition), end in ends.items():
        there = landed.get((topic, partition), lake.Landed(0, 0, 0))
        shown.add_row(
            topic, str(partition), str(end), str(there.next_offset), str(there.objects), str(there.size // 1024)
        )
    console.print(shown)
    return True


def _tables(settings: Settings, console: Console) -> bool:
    shown = Table(title="Delta tables", title_justify="left")
    for column in ("table", "version", "rows"):
        shown.add_column(column, justify="left" if column == "table" else "right")
    try:
        streaming = [f"streaming/{settings.table(frame)}" for frame in FRAMES]
        batch = [f"batch/{frame}" for frame in FRAMES]
        for path in (*batch, "batch/quarantine", "answers/1", *streaming, "streaming/quarantine"):
            table = lake.table(settings, path)
            shown.add_row(path, *(("–", "–") if table is None else (str(table.version()), str(table.count()))))
    except StackError as error:
        console.print(str(error), style="red")
        return False
    console.print(shown)
    return True


def _alarms(settings: Settings, console: Console) -> bool:
    try:
        found = streams.alarms(settings)
    except StackError as error:
        console.print(str(error), style="red")
        return False
    streams.show_alarms(found, console)
    return not found
