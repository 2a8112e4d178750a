"""Contract §5: a line's place in the log follows from its object's name."""

import pytest

from spark_jobs.lake import Files, lines, read_objects, stream_objects

from .conftest import TOPIC


def read(spark, tmp_path):
    found = lines(read_objects(spark, f"{tmp_path}/topics/{TOPIC}"), TOPIC).orderBy("partition", "offset").collect()
    return [(row.partition, row.offset, row.raw) for row in found]


def test_lines_have_the_offsets_that_the_name_says(spark, land, tmp_path):
    land("a", "b", partition=0, start=7)
    land("c", partition=2, start=1_234_567_890)
    assert read(spark, tmp_path) == [(0, 7, "a"), (0, 8, "b"), (2, 1_234_567_890, "c")]


def test_an_empty_line_has_an_offset_too(spark, land, tmp_path):
    land("a", "", "c", "", start=5)
    assert read(spark, tmp_path) == [(0, 5, "a"), (0, 6, ""), (0, 7, "c"), (0, 8, "")]


def test_a_last_line_without_its_end_is_a_line(spark, land, tmp_path):
    land("a", "b").write_bytes(b"a\nb")
    assert read(spark, tmp_path) == [(0, 0, "a"), (0, 1, "b")]


def test_an_empty_object_has_no_line(spark, land, tmp_path):
    land("a")
    land(partition=1)
    assert read(spark, tmp_path) == [(0, 0, "a")]


@pytest.mark.parametrize("text", ["a\rb", "a\r", "a\u2028b", "a\u0085b", "a\x0bb", "é🎉", "\\n"])
def test_only_a_line_feed_ends_a_line(spark, land, tmp_path, text):
    land(text, "next")
    assert read(spark, tmp_path) == [(0, 0, text), (0, 1, "next")]


def test_bytes_that_are_not_utf8_arrive_as_they_are(spark, land, tmp_path):
    land(b"\xff\xfe\x80", "é")
    found = (
        lines(read_objects(spark, f"{tmp_path}/topics/{TOPIC}"), TOPIC)
        .selectExpr("cast(raw as binary) as bytes")
        .collect()
    )
    assert [bytes(row.bytes) for row in found] == [b"\xff\xfe\x80", "é".encode()]


def test_a_record_says_where_it_came_from(spark, land, tmp_path):
    file = land("a")
    row = lines(read_objects(spark, f"{tmp_path}/topics/{TOPIC}"), TOPIC).first()
    assert row.topic == TOPIC
    assert row.source.endswith(str(file))


def test_only_what_a_sink_names_is_read(spark, land, tmp_path):
    file = land("a")
    (file.parent / "notes.txt").write_text("x\n")
    assert stream_objects(spark, f"{tmp_path}/topics/{TOPIC}").isStreaming
    assert read(spark, tmp_path) == [(0, 0, "a")]


def test_files_are_listed_and_deleted(spark, tmp_path):
    files = Files(spark)
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    assert files.children(f"{tmp_path}/folder") == ["inner"]
    files.delete(f"{tmp_path}/folder")
    assert not files.exists(f"{tmp_path}/folder")
    assert files.children(f"{tmp_path}/folder") == []
