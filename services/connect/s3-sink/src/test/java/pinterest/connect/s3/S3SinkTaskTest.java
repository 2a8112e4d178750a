// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pinterest.connect.s3.LocalS3.Fault;

/** The task over real HTTP. In every test the lake must end up with each record once, whatever happened on the way. */
class S3SinkTaskTest {

    private static final TopicPartition PIN = new TopicPartition("ab12.pin", 0);
    private static final TopicPartition GEO = new TopicPartition("ab12.geo", 2);
    private static final String FOLDER = "topics/ab12.pin/partition=0/ab12.pin+0+000000";

    private final KafkaLog log = new KafkaLog();
    private final Worker.Group group = new Worker.Group();
    private final Map<String, String> config = new HashMap<>();
    private LocalS3 s3;

    @BeforeEach
    void start() {
        s3 = new LocalS3();
        config.putAll(Map.of(
            "s3.bucket.name", LocalS3.BUCKET, "store.url", s3.url(), "aws.access.key.id", "test", "aws.secret.access.key", "test",
            "flush.size", "5", "rotate.interval.ms", "2000", "lake.check.interval.ms", "10000"));
    }

    @AfterEach
    void stop() {
        s3.close();
    }

    private Worker worker() {
        return new Worker(log, group, config, PIN, GEO);
    }

    private void completes(Worker worker) {
        worker.until(() -> LakeContents.isComplete(s3, log));
    }

    private void hasPinObjects(String... offsets) {
        assertEquals(
            Set.copyOf(Arrays.stream(offsets).map(offset -> FOLDER + offset + ".json").toList()), s3.objects().keySet());
    }

    private long countOf(String method) {
        return s3.requests().stream().filter(method::equals).count();
    }

    // What an object is

    @Test
    void anObjectHoldsFlushSizeRecordsOneALine() {
        log.appendNumbers(PIN, 12);
        completes(worker());
        hasPinObjects("0000", "0005", "0010");
        assertEquals("{\"n\":5}\n{\"n\":6}\n{\"n\":7}\n{\"n\":8}\n{\"n\":9}\n", s3.objects().get(FOLDER + "0005.json").text());
    }

    @Test
    void textOfAnyScriptAndAnyJsonValueComesThrough() {
        for (String json : List.of("{\"t\":\"Привет 😀 \u2028 日本\"}", "{\"half\":\"\\ud83d\"}", "\"line\\nend\"", "[1,2.5,true,null]", "{}", "17", "{\"a\":{\"b\":[{}]}}")) {
            log.append(PIN, json);
        }
        completes(worker());
    }

    @Test
    void aTombstoneIsLeftOutAndClosesTheObject() {
        log.appendNumbers(PIN, 2);
        log.appendTombstone(PIN);
        log.appendNumbers(PIN, 2);
        log.append(PIN, "null");
        completes(worker());
        hasPinObjects("0000", "0003");
    }

    @Test
    void anOffsetThatNeverComesClosesTheObject() {
        log.skip(PIN);
        log.appendNumbers(PIN, 2);
        log.skip(PIN);
        log.skip(PIN);
        log.appendNumbers(PIN, 1);
        completes(worker());
        hasPinObjects("0001", "0005");
    }

    @Test
    void aTombstoneFailsTheTaskWhereThatIsAskedFor() {
        config.put("behavior.on.null.values", "fail");
        log.appendTombstone(PIN);
        ConnectException fault = assertThrows(ConnectException.class, worker()::drain);
        assertTrue(fault.getMessage().contains("offset 0 of ab12.pin-0 has no value"), fault.getMessage());
        assertFalse(fault instanceof RetriableException);
    }

    // When an object is closed

    @Test
    void recordTimeClosesAnObject() {
        config.put("flush.size", "1000");
        for (long timestamp : new long[] {0, 1999, 2000, 2500, 4000}) {
            log.append(PIN, "{}", timestamp);
        }
        log.append(PIN, "{}", null);
        completes(worker());
        hasPinObjects("0000", "0002", "0004");
    }

    @Test
    void anIdleObjectIsUploadedAfterTheInterval() {
        log.appendNumbers(PIN, 1);
        Worker worker = worker();
        worker.drain();
        assertEquals(Map.of(), s3.objects());
        long arrived = worker.now();
        completes(worker);
        assertEquals(arrived + 2000, worker.now());
    }

    @Test
    void theScheduleClosesAnObjectThatKeepsGettingRecords() {
        config.putAll(Map.of("flush.size", "1000", "rotate.interval.ms", "-1", "rotate.schedule.interval.ms", "3000"));
        Worker worker = worker();
        log.appendNumbers(PIN, 1);
        worker.drain();
        worker.pass(2000);
        log.appendNumbers(PIN, 1);
        worker.drain();
        assertEquals(Map.of(), s3.objects());
        worker.pass(1000);
        hasPinObjects("0000");
        completes(worker);
    }

    @Test
    void bytesBoundAnObjectAndALargerRecordHasOneToItself() {
        config.putAll(Map.of("flush.size", "1000", "flush.bytes", "1000"));
        for (int length : new int[] {400, 400, 400, 5000, 400}) {
            log.append(PIN, "\"" + "x".repeat(length) + "\"");
        }
        completes(worker());
        hasPinObjects("0000", "0002", "0003", "0004");
    }

    @Test
    void aRecordAsLargeAsAnObjectDoesNotWaitForAnother() {
        config.putAll(Map.of("flush.bytes", "1000", "rotate.interval.ms", "-1"));
        log.append(PIN, "\"" + "x".repeat(5000) + "\"");
        worker().drain();
        hasPinObjects("0000");
    }

    @Test
    void bytesBoundATaskByUploadingItsLargestObject() {
        config.putAll(Map.of("flush.size", "1000", "task.buffer.bytes", "1000", "rotate.interval.ms", "-1"));
        log.append(GEO, "\"" + "x".repeat(300) + "\"");
        log.append(PIN, "\"" + "x".repeat(600) + "\"");
        log.append(PIN, "\"" + "x".repeat(200) + "\"");
        Worker worker = worker();
        worker.drain();
        hasPinObjects("0000");
    }

    // Going on where the lake ends

    @Test
    void aCrashBetweenUploadAndCommitWritesNothingTwice() {
        log.appendNumbers(PIN, 12);
        completes(worker());
        group.clear();
        long written = countOf("PUT");
        log.appendNumbers(PIN, 3);
        completes(worker());
        assertEquals(written + 1, countOf("PUT"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "3", "1000"})
    void anotherFlushSizeAfterACrashCausesNoOverlap(String flushSize) {
        log.appendNumbers(PIN, 12);
        worker().until(() -> s3.objects().size() == 2);
        config.put("flush.size", flushSize);
        completes(worker());
    }

    @Test
    void aGroupThatIsAheadOfTheLakeIsNotBelieved() {
        group.put(PIN, 9L);
        log.appendNumbers(PIN, 12);
        completes(worker());
    }

    @Test
    void anEmptyLakeGetsWhatTheLogStillHolds() {
        log.appendNumbers(PIN, 12);
        log.trim(PIN, 4);
        log.expected().get(PIN).headMap(4L).clear();
        completes(worker());
        hasPinObjects("0004", "0009");
    }

    @Test
    void manyObjectsAreListedPageByPage() {
        config.put("flush.size", "1");
        log.appendNumbers(PIN, 20);
        completes(worker());
        long written = countOf("PUT");
        worker().pass(5000);
        assertEquals(written, countOf("PUT"));
    }

    @Test
    void anObjectWithoutMetadataIsCounted() {
        log.appendNumbers(PIN, 5);
        s3.put(FOLDER + "0000.json", "{\"n\":0}\n{\"n\":1}\n{\"n\":2}", Map.of());
        Worker worker = worker();
        worker.until(() -> s3.objects().size() == 2);
        hasPinObjects("0000", "0003");
    }

    @Test
    void whatIsNoObjectDoesNotCount() {
        log.appendNumbers(PIN, 2);
        s3.put(FOLDER + "9999.json.bak", "{}", Map.of());
        worker().until(() -> s3.objects().containsKey(FOLDER + "0000.json"));
    }

    @Test
    void anObjectWithoutALineIsNotWrittenOver() {
        s3.put(FOLDER + "0000.json", "", Map.of());
        ConnectException fault = assertThrows(ConnectException.class, () -> worker().drain());
        assertTrue(fault.getMessage().contains("holds no line"), fault.getMessage());
    }

    // Another task that does not know it has been replaced

    @Test
    void whatAnotherTaskWroteIsNotWrittenOver() {
        config.put("flush.size", "8");
        log.appendNumbers(PIN, 6);
        Worker late = worker();
        late.drain();
        config.put("flush.size", "4");
        worker().until(() -> s3.objects().size() == 1);
        String before = s3.objects().get(FOLDER + "0000.json").text();
        log.appendNumbers(PIN, 10);
        completes(late);
        assertEquals(before, s3.objects().get(FOLDER + "0000.json").text());
        assertTrue(s3.objects().containsKey(FOLDER + "0004.json"));
    }

    @Test
    void twoTasksOnOnePartitionWriteEachRecordOnce() {
        for (long seed = 0; seed < 20; seed++) {
            s3.empty();
            KafkaLog fresh = new KafkaLog();
            Random random = new Random(seed);
            List<Worker> both = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                config.put("flush.size", "" + (1 + random.nextInt(9)));
                both.add(new Worker(fresh, new Worker.Group(), config, PIN));
            }
            for (int i = 0; i < 30; i++) {
                fresh.appendNumbers(PIN, random.nextInt(6));
                both.get(random.nextInt(2)).step();
            }
            both.get(random.nextInt(2)).until(() -> LakeContents.isComplete(s3, fresh));
        }
    }

    // A lake that loses what it held

    @Test
    void anEmptiedLakeIsFilledAgainThoughNothingIsSent() {
        log.appendNumbers(PIN, 12);
        log.appendNumbers(GEO, 3);
        Worker worker = worker();
        completes(worker);
        s3.empty();
        long emptied = worker.now();
        completes(worker);
        assertTrue(worker.now() <= emptied + 10_000 + 2000, "healed at " + worker.now());
        assertEquals(List.of(), worker.failures);
    }

    @Test
    void aLakeThatIsEmptiedUnderLoadIsFilledAgain() {
        log.appendNumbers(PIN, 12);
        Worker worker = worker();
        completes(worker);
        s3.empty();
        log.appendNumbers(PIN, 12);
        completes(worker);
        assertEquals(List.of(), worker.failures);
    }

    @Test
    void aBucketThatIsMissingIsWaitedFor() {
        log.appendNumbers(PIN, 12);
        Worker worker = worker();
        completes(worker);
        s3.bucketExists(false);
        log.appendNumbers(PIN, 2);
        worker.until(() -> worker.failures.size() > 3);
        assertTrue(worker.failures.get(0).getMessage().contains("NoSuchBucket") || worker.failures.get(0).getMessage().contains("404"),
            worker.failures.get(0).getMessage());
        s3.bucketExists(true);
        completes(worker);
    }

    @Test
    void aLakeThatIsEmptiedJustBeforeAnUploadIsFilledAroundIt() {
        config.put("lake.check.interval.ms", "1000");
        log.appendNumbers(PIN, 10);
        Worker worker = worker();
        completes(worker);
        log.appendNumbers(PIN, 5);
        s3.beforeNext("PUT", s3::empty);
        completes(worker);
        assertFalse(s3.hasPlans());
    }

    @ParameterizedTest
    @ValueSource(strings = {"0000", "0010"})
    void aHoleIsFilledAndTheRestLeftAsItIs(String vanished) {
        log.appendNumbers(PIN, 12);
        Worker worker = worker();
        completes(worker);
        long written = countOf("PUT");
        s3.remove(FOLDER + vanished + ".json");
        completes(worker);
        assertEquals(written + 1, countOf("PUT"));
    }

    @Test
    void aHoleThatTheLogForgotCausesNoOverlap() {
        log.appendNumbers(PIN, 15);
        Worker worker = worker();
        completes(worker);
        log.trim(PIN, 12);
        s3.remove(FOLDER + "0000.json");
        worker.pass(15_000);
        LakeContents.read(s3);
        hasPinObjects("0005", "0010");
    }

    @Test
    void aTaskThatIsToldNotToLookLeavesAnEmptiedLakeAlone() {
        config.put("lake.check.interval.ms", "-1");
        log.appendNumbers(PIN, 12);
        Worker worker = worker();
        completes(worker);
        s3.empty();
        worker.pass(120_000);
        assertEquals(Map.of(), s3.objects());
    }

    /** The records at hand are from behind the place that the lake is to be filled from, and come a second time. */
    @Test
    void aRewindOfOnePartitionSurvivesAnotherOnesFailedUpload() {
        log.appendNumbers(PIN, 10);
        Worker worker = worker();
        completes(worker);
        s3.empty();
        log.appendNumbers(PIN, 5);
        log.appendNumbers(GEO, 5);
        s3.failNext("PUT", Fault.INTERNAL_ERROR, Fault.INTERNAL_ERROR);
        completes(worker);
        assertEquals(2, worker.failures.size());
    }

    // S3's faults

    @ParameterizedTest
    @CsvSource({
        "PUT, INTERNAL_ERROR", "PUT, SLOW_DOWN", "PUT, CONFLICT", "PUT, RESET", "PUT, LOST_ANSWER",
        "HEAD, INTERNAL_ERROR", "HEAD, SLOW_DOWN", "GET, INTERNAL_ERROR", "GET, SLOW_DOWN",
    })
    void aPassingFaultCostsNothing(String method, Fault fault) {
        s3.failNext(method, fault, fault);
        log.appendNumbers(PIN, 23);
        log.appendNumbers(GEO, 4);
        Worker worker = worker();
        completes(worker);
        assertFalse(s3.hasPlans());
        s3.failNext(method, fault);
        log.appendNumbers(PIN, 9);
        if (method.equals("GET")) {
            s3.empty();
        }
        completes(worker);
        assertFalse(s3.hasPlans());
    }

    @Test
    void aFaultOfTheNetworkIsRepeatedByTheWorkerAfterPausesThatGrow() {
        log.appendNumbers(PIN, 5);
        Worker worker = worker();
        s3.close();
        List<Long> times = new ArrayList<>();
        worker.until(() -> {
            times.add(worker.now());
            return worker.failures.size() >= 8;
        });
        List<Long> pauses = new ArrayList<>();
        for (int i = 1; i < times.size(); i++) {
            pauses.add(times.get(i) - times.get(i - 1));
        }
        assertEquals(List.of(200L, 400L, 800L, 1600L), pauses.stream().filter(pause -> pause > 0).limit(4).toList());
        assertTrue(pauses.stream().allMatch(pause -> pause <= 5000), pauses.toString());
        assertTrue(worker.failures.get(0).getMessage().startsWith("S3 gave no answer to the request to write topics/ab12.pin"),
            worker.failures.get(0).getMessage());
    }

    @Test
    void aPauseIsShortAgainAfterASuccess() {
        s3.failNext("PUT", Fault.SLOW_DOWN, Fault.SLOW_DOWN, Fault.SLOW_DOWN);
        log.appendNumbers(PIN, 5);
        Worker worker = worker();
        completes(worker);
        s3.failNext("PUT", Fault.SLOW_DOWN);
        log.appendNumbers(PIN, 5);
        worker.until(() -> worker.failures.size() == 4);
        long failed = worker.now();
        completes(worker);
        assertEquals(failed + 200, worker.now());
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "PUT"})
    void aFaultThatStaysFailsTheTaskWithASentence(String method) {
        s3.failNext(method, Fault.DENIED);
        log.appendNumbers(PIN, 5);
        ConnectException fault = assertThrows(ConnectException.class, () -> worker().drain());
        assertFalse(fault instanceof RetriableException);
        assertTrue(fault.getMessage().contains("status 403"), fault.getMessage());
        assertTrue(fault.getMessage().contains("mend the rights or the settings"), fault.getMessage());
    }

    // What the consumer group is told

    @Test
    void onlyWhatIsInTheLakeIsCommitted() {
        log.appendNumbers(PIN, 7);
        Worker worker = worker();
        worker.drain();
        worker.commit();
        assertEquals(5L, group.get(PIN));
        completes(worker);
        worker.commit();
        assertEquals(7L, group.get(PIN));
    }

    @Test
    void offsetsThatHoldNoRecordDoNotLookLikeLag() {
        log.appendNumbers(PIN, 5);
        log.appendTombstone(PIN);
        log.skip(PIN);
        Worker worker = worker();
        worker.drain();
        worker.stop();
        assertEquals(7L, group.get(PIN));
        assertEquals(0L, group.get(GEO));
    }

    @Test
    void anUploadAsksForACommitAtOnce() {
        log.appendNumbers(PIN, 5);
        Worker worker = worker();
        worker.drain();
        worker.step();
        assertEquals(5L, group.get(PIN));
    }

    // Everything at once

    @Test
    void nothingIsLostOrDoubledWhateverComesTogether() {
        for (long seed = 0; seed < 15; seed++) {
            new Storm(seed).run();
        }
    }

    /** Random input, faults, crashes, restarts with other settings, and an emptied lake. A seed that fails fails again. */
    private final class Storm {

        private final Random random;
        private final long seed;
        private final KafkaLog log = new KafkaLog();
        private final Worker.Group group = new Worker.Group();
        private Worker worker;

        Storm(long seed) {
            this.seed = seed;
            this.random = new Random(seed);
        }

        void run() {
            s3.empty();
            restart();
            for (int i = 0; i < 80; i++) {
                send(random.nextBoolean() ? PIN : GEO);
                happen(random.nextInt(24));
                worker.step();
            }
            try {
                worker.until(() -> LakeContents.isComplete(s3, log));
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed, e);
            }
        }

        private void send(TopicPartition partition) {
            switch (random.nextInt(8)) {
                case 0 -> log.appendTombstone(partition);
                case 1 -> log.skip(partition);
                case 2 -> log.append(partition, "\"" + "x".repeat(random.nextInt(300)) + "\"", (long) random.nextInt(5000));
                default -> log.appendNumbers(partition, random.nextInt(5));
            }
        }

        private void happen(int event) {
            Fault[] passing = {Fault.INTERNAL_ERROR, Fault.SLOW_DOWN, Fault.CONFLICT, Fault.RESET, Fault.LOST_ANSWER};
            switch (event) {
                case 0, 1, 2 -> s3.failNext("PUT", passing[random.nextInt(passing.length)]);
                case 3 -> s3.failNext("HEAD", Fault.INTERNAL_ERROR);
                case 4 -> s3.failNext("GET", Fault.SLOW_DOWN);
                case 5 -> s3.empty();
                case 6 -> restart();
                case 7 -> {
                    worker.stop();
                    restart();
                }
                case 8 -> worker.pass(random.nextInt(15_000));
                default -> { }
            }
        }

        private void restart() {
            config.put("flush.size", "" + (1 + random.nextInt(12)));
            config.put("flush.bytes", "" + (50 + random.nextInt(500)));
            config.put("task.buffer.bytes", "" + (200 + random.nextInt(500)));
            config.put("rotate.interval.ms", "" + (1 + random.nextInt(4000)));
            worker = new Worker(log, group, config, PIN, GEO);
        }
    }
}
