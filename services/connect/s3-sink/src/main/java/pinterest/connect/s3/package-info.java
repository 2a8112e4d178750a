// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A sink for Kafka Connect that keeps the records of its topics in S3: each once, in Confluent's layout, whatever is killed on
 * the way.
 *
 * <h2>What it writes (contract §5)</h2>
 *
 * {@code {topics.dir}/{topic}/partition={n}/{topic}+{n}+{first offset, ten digits}.json}, one JSON value a line, the last line
 * ended too. Line i (0-based) holds the record at offset first + i: where an offset is missing (a tombstone, a dead-lettered or
 * compacted record, a transaction's mark) the object is closed.
 * Its metadata says {@code first-offset}, {@code last-offset} and {@code record-count}.
 *
 * <p>Values are read and written by Connect's JsonConverter, so a line equals the record as JSON, not byte for byte. What that
 * converter does to odd input can be neither seen nor undone here, so {@code pinterest.connect.json} has one that refuses such input.
 *
 * <h2>Exactly once (design decisions 2 and 10)</h2>
 *
 * The lake, and not the consumer group, says where to go on: a task that opens a partition lists its objects and resumes behind
 * the last one, or at the log's beginning where there is none. An object is only ever created ({@code If-None-Match: *}); where
 * its name is taken, by a task that does not know it was replaced or by a request whose answer got lost, the lake is listed
 * again. Before each upload, and every {@code lake.check.interval.ms}, the task looks whether objects that it knows still
 * stand. If one has vanished, it reads the log from the beginning and writes whatever the lake lacks, around what it still
 * holds. So an emptied bucket fills itself again from what Kafka retains, and a missing bucket is waited for.
 *
 * <p>Two limits. Where part of a partition's objects was deleted, the holes are filled by the task that saw it happen; a task
 * that starts later trusts the last object. To have a partition written anew, delete all of its objects. And a bucket whose
 * objects expire needs {@code lake.check.interval.ms=-1}, else the sink would write them again.
 *
 * <h2>When an object is closed</h2>
 *
 * By whichever comes first: {@code flush.size} records; {@code flush.bytes}; a gap in the offsets; a record whose time is
 * {@code rotate.interval.ms} or more after the first one's; {@code rotate.interval.ms} on the wall clock since the last record
 * came (an idle partition is thus in the lake after that time); {@code rotate.schedule.interval.ms} on the wall clock since the
 * object was opened; or {@code task.buffer.bytes} in all of a task's partitions, which closes the largest one's.
 *
 * <h2>Faults</h2>
 *
 * No answer, 5xx, throttling and a missing bucket are repeated by the worker, without end, after {@code s3.retry.backoff.ms},
 * doubling up to 5 s: the log says so, the task stays RUNNING. Anything else, such as a denied access, fails the task with a
 * sentence. Values that are not JSON never reach the task: with {@code errors.tolerance=all} the worker puts them into its
 * dead-letter topic, which {@code topics.regex} must not match. They are put there again when their part of the log is read
 * again; their headers name the offset, so they can be told apart. A record without a value (JSON's {@code null} included) is
 * left out, since there is nothing to keep and one such record would otherwise hold up its partition for good; {@code
 * behavior.on.null.values=fail} has Confluent's default instead.
 *
 * <h2>What the connector's configuration must have besides</h2>
 *
 * {@code value.converter=pinterest.connect.json.StrictJsonConverter} (or Kafka's JsonConverter) with {@code value.converter.schemas.enable=false}; {@code
 * errors.tolerance=all}, {@code errors.deadletterqueue.topic.name} and {@code
 * errors.deadletterqueue.context.headers.enable=true}; {@code consumer.override.auto.offset.reset=earliest} (the worker's
 * default; another value is refused), because the log's beginning is asked for as offset 0. The properties of the connector
 * itself are described in {@code S3SinkConfig}.
 */
package pinterest.connect.s3;
