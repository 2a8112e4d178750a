"""The batch job on a local folder: incremental, repeatable, rebuildable, and in balance with its lake."""

import shutil

import pytest

from settings import Settings
from spark_jobs import batch, cleaning, tables
from spark_jobs import lake as lake_module
from spark_jobs.batch import Counts, answer, clean_frame
from spark_jobs.check import check
from spark_jobs.errors import CheckError, MissingTableError, QuarantineLimitError
from spark_jobs.limit import Limit
from spark_jobs.paths import Lake
from spark_jobs.questions import QUESTIONS

from .conftest import TOPIC

LIMIT = Limit(share=0.5, records=3)


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path))


def user(ind, name="A", **fields):
    return {"ind": ind, "first_name": name, "last_name": "B", "age": 30, "date_joined": "2016-01-01T00:00:00", **fields}


def rows(spark, lake, frame="user"):
    found = spark.read.format("delta").load(lake.table(frame)).drop("quarantined_at").collect()
    return sorted(map(tuple, found), key=repr)


def bad(spark, lake):
    return sorted((r.partition, r.offset) for r in spark.read.format("delta").load(lake.quarantine).collect())


def clean(spark, lake, full=False, limit=LIMIT):
    return clean_frame(spark, lake, "user", TOPIC, limit, full)


def test_an_empty_lake_is_no_error(spark, lake, capsys):
    assert clean(spark, lake) == Counts(0, 0, 0)
    assert f"There is nothing under {lake.objects(TOPIC)} yet." in capsys.readouterr().out
    with pytest.raises(CheckError, match="nothing has been cleaned yet"):
        check(spark, lake, {"user": TOPIC})


def test_runs_are_incremental_and_a_rebuild_gives_the_same(spark, lake, land):
    land(user(1, "old"), user(2), "no JSON", user(1, "new"), partition=0)
    land(user(3), user(4, age=999), partition=1)
    assert clean(spark, lake) == Counts(read=6, merged=3, quarantined=2)
    assert clean(spark, lake) == Counts(0, 0, 0)

    land(user(1, "newest"), user(5), {"no": "ind"}, partition=0, start=4)
    assert "1 newer objects wait for the next run" in check(spark, lake, {"user": TOPIC})
    assert clean(spark, lake) == Counts(read=3, merged=2, quarantined=1)
    report = check(spark, lake, {"user": TOPIC})
    assert report == "user: 4 rows + 2 superseded + 3 quarantined = 9 lines read"

    incremental, quarantined = rows(spark, lake), bad(spark, lake)
    assert clean(spark, lake, full=True) == Counts(read=9, merged=4, quarantined=3)
    assert (rows(spark, lake), bad(spark, lake)) == (incremental, quarantined)
    assert check(spark, lake, {"user": TOPIC}) == report


def test_a_rebuild_forgets_what_the_lake_no_longer_says(spark, lake, land):
    file = land(user(1), user(2), "no JSON")
    clean(spark, lake)
    file.unlink()
    land(user(2))
    clean(spark, lake, full=True)
    assert [row[0] for row in rows(spark, lake)] == [2]
    assert bad(spark, lake) == []


def test_old_checkpoints_are_removed(spark, lake, land, tmp_path):
    land(user(1))
    clean(spark, lake)
    clean(spark, lake, full=True)
    left = [
        folder.name for folder in (tmp_path / "checkpoints/batch/user").iterdir() if not folder.name.startswith(".")
    ]
    assert left == [tables.checkpoint_of(spark, lake.table("user"))]


@pytest.mark.parametrize("lost", ["batch/user", "checkpoints"])
def test_a_lost_table_or_checkpoint_is_made_again(spark, lake, land, tmp_path, lost):
    land(user(1), "no JSON")
    clean(spark, lake)
    expected = rows(spark, lake), bad(spark, lake)
    shutil.rmtree(tmp_path / lost)
    clean(spark, lake)
    assert (rows(spark, lake), bad(spark, lake)) == expected


class KilledError(Exception):
    """As if the process had ended here."""


@pytest.mark.parametrize(
    ("step", "after"), [("tables.replace", False), ("quarantine.replace", False), ("quarantine.replace", True)]
)
def test_a_rebuild_that_dies_half_way_is_mended_by_the_next_run(spark, lake, land, monkeypatch, step, after):
    land(user(1), "no JSON", user(2))
    clean(spark, lake)
    land(user(1, "new"), "no JSON either", start=3)
    module, function = step.split(".")
    real = getattr(getattr(batch, module), function)

    def die(*arguments):
        if after:
            real(*arguments)
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(getattr(batch, module), function, die)
        with pytest.raises(Exception, match="KilledError"):
            clean(spark, lake, full=True)
    clean(spark, lake)
    assert [(row[0], row[1]) for row in rows(spark, lake)] == [(1, "new B"), (2, "A B")]
    assert bad(spark, lake) == [(0, 1), (0, 4)]
    assert "= 5 lines read" in check(spark, lake, {"user": TOPIC})


def test_an_increment_that_dies_half_way_is_mended_by_the_next_run(spark, lake, land, monkeypatch):
    land(user(1))
    clean(spark, lake)
    land(user(1, "new"), "no JSON", start=1)

    def die(*arguments):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(batch.quarantine, "insert", die)
        with pytest.raises(Exception, match="KilledError"):
            clean(spark, lake)
    assert clean(spark, lake) == Counts(read=2, merged=0, quarantined=1)
    assert [row[1] for row in rows(spark, lake)] == ["new B"]
    assert bad(spark, lake) == [(0, 2)]


@pytest.mark.parametrize("remedy", ["raise the limit", "mend the cleaning"])
def test_beyond_the_limit_nothing_is_written_and_a_later_run_reads_it_again(
    spark, lake, land, tmp_path, monkeypatch, remedy
):
    land(user(1), user(2), *[user(ind, age=130) for ind in (3, 4)], "no JSON\x1b[31m")
    with pytest.raises(QuarantineLimitError) as error:
        clean(spark, lake)
    assert str(error.value).startswith(
        "Of this run's records, 3 of 5 are bad (60.0 %), where 50 % may be. The commonest reasons among those read last: "
        f'age is not a whole number from 0 to 120 (2, such as {TOPIC}/0/2: {{"ind": 3, "first_name": "A"'
    )
    assert rf"the record is not one JSON object (1, such as {TOPIC}/0/4: no JSON\x1b[31m)" in str(error.value)
    assert not (tmp_path / "batch").exists()

    if remedy == "raise the limit":
        assert clean(spark, lake, limit=Limit(0.6, 3)) == Counts(read=5, merged=2, quarantined=3)
    else:
        monkeypatch.setattr(cleaning, "_checks", lambda frame: [cleaning.is_missing("ind")])
        assert clean(spark, lake) == Counts(read=5, merged=4, quarantined=1)
    assert "= 5 lines read" in check(spark, lake, {"user": TOPIC})


def test_an_increment_beyond_the_limit_leaves_the_tables_as_they_were(spark, lake, land, monkeypatch):
    """Read in two parts: 3 of 6 are no more than half, and 5 of 8 are."""
    monkeypatch.setattr(lake_module, "_BYTES_PER_TRIGGER", 1)
    land(user(1), user(2))
    clean(spark, lake)
    land(user(1, "new"), user(3), user(4), "no JSON", "no JSON", "no JSON", start=2)
    land("no JSON", "no JSON", partition=1)
    with pytest.raises(QuarantineLimitError, match="5 of 8 are bad"):
        clean(spark, lake)
    assert [row[1] for row in rows(spark, lake)] == ["new B", "A B", "A B", "A B"]
    assert bad(spark, lake) == [(0, 5), (0, 6), (0, 7)]
    assert clean(spark, lake, limit=Limit(1, 3)) == Counts(read=2, merged=0, quarantined=2)
    assert "5 quarantined = 10 lines read" in check(spark, lake, {"user": TOPIC})


def test_the_command_has_its_limit_from_the_settings_and_says_why_it_ended(spark, lake, land, monkeypatch, capsys):
    def run(*arguments):
        code = batch.main([*arguments])
        return code, capsys.readouterr().out.splitlines()[-1]

    monkeypatch.setattr(batch, "session", lambda *arguments: spark)
    monkeypatch.setattr(Lake, "of", lambda settings: lake)
    monkeypatch.setenv("QUARANTINE_MIN_RECORDS", "1")
    land("no JSON", topic=Settings.load().topic("user"))
    code, said = run("clean", "user")
    assert code == 1
    assert said.startswith("clean user failed: Of this run's records, 1 of 1 are bad (100.0 %), where 20 % may be.")
    monkeypatch.setenv("QUARANTINE_MAX_SHARE", "1")
    assert run("clean", "user")[0] == 0
    code, said = run("replay")
    assert code == 0
    assert said.startswith("replay: 1 records looked at, 0 accepted now, 1 still rejected, ")


@pytest.fixture(scope="module")
def sound(spark, tmp_path_factory):
    """A lake with two users and one quarantined record, cleaned."""
    root = tmp_path_factory.mktemp("lake")
    folder = root / "topics" / TOPIC / "partition=0"
    folder.mkdir(parents=True)
    (folder / f"{TOPIC}+0+0000000000.json").write_text('{"ind": 1}\n{"ind": 2}\nno JSON\n')
    clean(spark, Lake(str(root)))
    return root


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("delete from {table}", "The table is empty."),
        ("delete from {table} where ind = 1", "1 lines of the lake are neither in the table nor in quarantine."),
        ("delete from {quarantine}", "1 lines of the lake are neither in the table nor in quarantine."),
        ("update {table} set ind = null where ind = 1", "1 rows have no ind."),
        ("update {table} set ind = 1", "1 rows repeat an ind."),
        ("update {table} set source_offset = 99 where ind = 1", "1 rows come from no line of the lake."),
        ("update {quarantine} set offset = 99", "1 records in quarantine come from no line of the lake."),
    ],
)
def test_the_check_finds(spark, lake, sound, tmp_path, statement, fault):
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    spark.sql(statement.format(table=f"delta.`{lake.table('user')}`", quarantine=f"delta.`{lake.quarantine}`"))
    with pytest.raises(CheckError) as error:
        check(spark, lake, {"user": TOPIC})
    assert fault in str(error.value)
    assert "`clean <frame> --full`" in str(error.value)


def test_answers_need_all_three_tables(spark, lake):
    with pytest.raises(MissingTableError, match="run `clean pin`"):
        answer(spark, lake)


def test_answers_are_written_as_tables(spark, lake, land):
    pin = {"index": 1, "category": "art", "follower_count": "1k", "poster_name": "P"}
    geo = {"ind": 1, "timestamp": "2018-01-01 00:00:00", "country": "Aruba"}
    for frame, record in (("pin", pin), ("geo", geo), ("user", user(1))):
        land(record, topic=f"t.{frame}")
        clean_frame(spark, lake, frame, f"t.{frame}", LIMIT)
    assert answer(spark, lake) == ", ".join(f"{name}: 1 rows" for name in QUESTIONS)
    assert spark.read.format("delta").load(lake.answer("5")).collect() == [("25-35", 1000.0)]
