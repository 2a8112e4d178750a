"""What may be asked for, and what is said to those who ask for something else."""

import pickle

import pytest

from spark_jobs.errors import OptionError
from spark_jobs.kinesis.options import Options
from spark_jobs.kinesis.positions import Kind, Position
from spark_jobs.kinesis.source import KinesisDataSource


def parse(**options):
    return Options.of({"streamName": "posts", **options})


def test_case_does_not_matter_and_empty_is_not_given():
    options = Options.of(
        {"STREAMNAME": "posts", "Region": " eu-west-1 ", "maxrecordspertrigger": "7", "endpointUrl": ""}
    )
    assert options == Options("posts", region="eu-west-1", records_per_trigger=7)


def test_defaults():
    options = parse()
    assert (options.initial, options.records_per_fetch, options.fetch_duration) == (None, 10_000, 10.0)
    assert (options.list_interval, options.fail_on_data_loss, options.records_per_trigger) == (1.0, True, 20_000)


@pytest.mark.parametrize(
    ("value", "seconds"), [("10s", 10.0), ("400ms", 0.4), ("2m", 120.0), ("1h", 3600.0), ("1.5 s", 1.5)]
)
def test_durations(value, seconds):
    assert parse(maxFetchDuration=value).fetch_duration == seconds


@pytest.mark.parametrize("value", ["latest", "LATEST"])
def test_latest_is_the_time_of_the_start(value):
    assert parse(initialPosition=value).initial is None


@pytest.mark.parametrize("value", ["trim_horizon", "TRIM_HORIZON", "earliest"])
def test_the_oldest_record(value):
    assert parse(initialPosition=value).initial == Position(Kind.TRIM_HORIZON)


@pytest.mark.parametrize(
    "value",
    [
        '{"at_timestamp": "1593080625.5"}',
        '{"at_timestamp": 1593080625.5}',
        '{"at_timestamp": "2020-06-25T10:23:45.500Z"}',
        '{"at_timestamp": "2020-06-25 10:23:45.5"}',
        '{"at_timestamp": "2020-06-25T03:23:45.5-07:00"}',
    ],
)
def test_a_time(value):
    assert parse(initialPosition=value).initial == Position(Kind.TIMESTAMP, "1593080625500")


@pytest.mark.parametrize(
    ("time", "pattern"),
    [
        ("06/25/2020 03:23:45 -0700", "MM/dd/yyyy HH:mm:ss Z"),
        ("06/25/2020 03:23:45 -0700", "MM/dd/yyyy HH:mm:ss ZZZ"),
        ("20200625102345", "yyyyMMddHHmmss"),
        ("100% 2020-06-25 12:23:45+02:00", "100% yyyy-MM-dd HH:mm:ssXXX"),
    ],
)
def test_a_time_in_a_format_of_ones_own(time, pattern):
    value = f'{{"at_timestamp": "{time}", "format": "{pattern}"}}'
    assert parse(initialPosition=value).initial == Position(Kind.TIMESTAMP, "1593080625000")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"streamName": " "}, "streamName is missing"),
        ({"streamname": "x", "maxFetchRate": "1"}, "no option maxFetchRate. Its options are streamName, "),
        ({"maxRecordsPerFetch": "10001"}, "at most 10000"),
        ({"maxRecordsPerFetch": "0"}, "whole number of at least 1"),
        ({"maxRecordsPerTrigger": "many"}, "maxRecordsPerTrigger is 'many'"),
        ({"maxFetchDuration": "10"}, "a number and a unit"),
        ({"shardFetchInterval": "1 day"}, "shardFetchInterval is '1 day'"),
        ({"failOnDataLoss": "yes"}, "true or false"),
        ({"awsAccessKey": "a"}, "only one is given"),
        ({"awsSecretKey": "a"}, "only one is given"),
        ({"awsSessionToken": "a"}, "without awsAccessKey"),
        ({"initialPosition": "newest"}, "Give latest, trim_horizon"),
        ({"initialPosition": "{}"}, "Give latest, trim_horizon"),
        ({"initialPosition": '{"at_timestamp": 1, "zone": "UTC"}'}, "Give latest, trim_horizon"),
        ({"initialPosition": '{"at_timestamp": "yesterday"}'}, "Expected is ISO 8601 or seconds"),
        ({"initialPosition": '{"at_timestamp": "1", "format": "yyyy"}'}, "Expected is the format yyyy"),
        ({"initialPosition": '{"at_timestamp": "1", "format": "yy"}'}, "'yy' is not known"),
        ({"initialPosition": '{"at_timestamp": "1", "format": "yyyy-MM-ddThh"}'}, "'T' is not known"),
        ({"initialPosition": '{"at_timestamp": "1", "format": "yyyy\'T\'"}'}, "is not known"),
    ],
)
def test_what_is_refused(options, sentence):
    with pytest.raises(OptionError, match=sentence.replace("(", r"\(")):
        KinesisDataSource({"streamName": "posts"} | options)


def test_credentials_are_in_no_repr():
    options = parse(awsAccessKey="AKID", awsSecretKey="hush", awsSessionToken="secret-token")
    assert (options.access_key, options.secret_key, options.session_token) == ("AKID", "hush", "secret-token")
    assert not any(word in repr(options) for word in ("AKID", "hush", "secret-token"))
    assert pickle.loads(pickle.dumps(options)) == options
