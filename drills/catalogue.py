"""All drills."""

from drills import faults
from drills.drill import STREAMING_PATH, Drill
from drills.faults import cut_off, killed, paused
from drills.load import Amount

UNANSWERED = (
    "requests under way get no answer and are sent again: such a record may stand in the log twice, in a table once"
)
NOTHING = "nothing: what waits upstream waits longer"
BRIEF = Amount(batch=3000, streaming=500, seconds=25)
"""For faults that hit at once, where `make test` waits for the load's end."""
LONG = Amount(batch=3000, streaming=500, seconds=150)
"""For faults that wait for a batch run to come to a certain point."""

DRILLS = (
    Drill("broker-killed", "kill -9 of the broker, start", UNANSWERED, killed("kafka"), BRIEF),
    Drill("connect-killed", "kill -9 of the Connect worker, start", NOTHING, killed("connect")),
    Drill("rest-proxy-killed", "kill -9 of the REST proxy, start", UNANSWERED, killed("rest-proxy")),
    Drill("localstack-killed", "kill -9 of LocalStack, start: its S3 is empty", UNANSWERED, killed("localstack"), STREAMING_PATH),
    Drill("mysql-killed", "kill -9 of MySQL, start", "nothing: posts are read later", killed("mysql")),
    Drill("worker-killed", "kill -9 of the Spark worker, start", NOTHING, killed("spark-worker"), STREAMING_PATH),
    Drill("batch-driver-killed", "kill -9 of the batch's driver in a MERGE, start", NOTHING, faults.batch_driver_killed, LONG),
    Drill("streaming-driver-killed", "kill -9 of the streaming driver, start", NOTHING, killed("spark-streaming"), STREAMING_PATH),
    Drill("airflow-killed", "kill -9 of Airflow in a run, start", NOTHING, faults.airflow_killed, LONG),
    Drill("broker-paused", "the broker is frozen for 30 s", UNANSWERED, paused("kafka")),
    Drill("connect-paused", "the Connect worker is frozen for 30 s", NOTHING, paused("connect")),
    Drill("localstack-paused", "LocalStack is frozen for 30 s", UNANSWERED, paused("localstack"), STREAMING_PATH),
    Drill("connect-cut-off-from-s3", "no network between Connect and S3 for 30 s", NOTHING, cut_off("connect", "pipeline")),
    Drill("rest-proxy-cut-off-from-broker", "no network between the REST proxy and the broker for 30 s", UNANSWERED, cut_off("rest-proxy", "brokers")),
    Drill("s3-misbehaves", "S3 answers 500 and 503, resets connections, loses answers", NOTHING, faults.faulty_s3),
    Drill("two-batch-runs", "a second driver runs the batch beside Airflow's", "one of the two may fail", faults.two_batch_runs, LONG),
    Drill("two-connect-workers", "a second Connect worker comes, and is killed", NOTHING, faults.two_connect_workers),
    Drill("flush-size-changed", "kill -9 of the Connect worker, another flush.size at its start", NOTHING, faults.flush_size_changed),
    Drill("emulator-killed", "kill -9 of the emulator, and the same run again", "posts under way may be missing or present", faults.emulator_killed),
    Drill("down-and-up", "make down && make up", UNANSWERED, faults.stack_down_and_up, BRIEF),
)  # fmt: skip

QUICK = ("broker-killed", "streaming-driver-killed", "down-and-up")
"""Those of `make test`."""
