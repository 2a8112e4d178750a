// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import static software.amazon.awssdk.http.ContentStreamProvider.fromByteArrayUnsafe;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.NavigableSet;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.model.S3Object;

/** A lake in a bucket. */
final class S3Lake implements Lake, AutoCloseable {

    static final String FIRST_OFFSET = "first-offset";
    static final String LAST_OFFSET = "last-offset";
    static final String RECORD_COUNT = "record-count";

    // One call, and the few that a put() makes until one fails, must stay far below the consumer's max.poll.interval.ms (5 minutes).
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(30);

    private static final Set<String> PASSING_FAULTS = Set.of("NoSuchBucket", "RequestTimeout", "SlowDown", "OperationAborted");
    private static final Set<Integer> PASSING_STATUSES = Set.of(408, 409, 429);
    private static final int NOT_FOUND = 404;
    private static final int PRECONDITION_FAILED = 412;

    private final S3Client s3;
    private final String bucket;
    private final String topicsDir;

    S3Lake(S3SinkConfig config) {
        bucket = config.bucket();
        topicsDir = config.topicsDir();
        S3ClientBuilder builder = S3Client.builder()
            .region(Region.of(config.region()))
            .credentialsProvider(credentials(config))
            .httpClientBuilder(UrlConnectionHttpClient.builder().connectionTimeout(CONNECT_TIMEOUT).socketTimeout(READ_TIMEOUT))
            // The worker repeats a failed put() with a fresh look at the lake; a client that repeated by itself might write to a
            // bucket that was emptied in between.
            .overrideConfiguration(c -> c.retryStrategy(AwsRetryStrategy.doNotRetry()).apiCallTimeout(CALL_TIMEOUT))
            // A plain body, which every S3 understands; its checksum goes into a header.
            .serviceConfiguration(c -> c.chunkedEncodingEnabled(false))
            .forcePathStyle(config.pathStyle());
        config.storeUrl().ifPresent(url -> builder.endpointOverride(URI.create(url)));
        s3 = builder.build();
    }

    private static AwsCredentialsProvider credentials(S3SinkConfig config) {
        return config.accessKeyId()
            .<AwsCredentialsProvider>map(id -> StaticCredentialsProvider.create(AwsBasicCredentials.create(id, config.secretAccessKey())))
            .orElseGet(() -> DefaultCredentialsProvider.builder().build());
    }

    @Override
    public NavigableSet<Long> firstOffsets(TopicPartition partition) {
        String folder = ObjectName.folder(topicsDir, partition);
        return call("list " + folder, () -> {
            NavigableSet<Long> offsets = new TreeSet<>();
            for (S3Object object : s3.listObjectsV2Paginator(r -> r.bucket(bucket).prefix(folder)).contents()) {
                ObjectName.firstOffset(topicsDir, partition, object.key()).ifPresent(offsets::add);
            }
            return offsets;
        });
    }

    @Override
    public OptionalLong lastOffset(ObjectName name) {
        String key = name.key(topicsDir);
        return call("look at " + key, () -> {
            try {
                Map<String, String> metadata = s3.headObject(r -> r.bucket(bucket).key(key)).metadata();
                String last = metadata.getOrDefault(LAST_OFFSET, "");
                return OptionalLong.of(last.matches("\\d{1,18}") && Long.parseLong(last) >= name.first()
                    ? Long.parseLong(last)
                    : name.first() + countLines(key) - 1);
            } catch (AwsServiceException e) {
                return notFound(e, OptionalLong.empty());
            }
        });
    }

    /** For an object that another tool wrote or copied without its metadata. */
    private long countLines(String key) {
        long lines = 0;
        int previous = '\n';
        byte[] chunk = new byte[1 << 16];
        try (InputStream body = s3.getObject(r -> r.bucket(bucket).key(key))) {
            for (int n = body.read(chunk); n >= 0; n = body.read(chunk)) {
                for (int i = 0; i < n; i++) {
                    lines += previous == '\n' ? 1 : 0;
                    previous = chunk[i];
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (lines == 0) {
            throw new ConnectException(("The object %s in bucket %s holds no line, so it stands in the way of the record at the offset "
                + "in its name: remove it, and restart the task.").formatted(key, bucket));
        }
        return lines;
    }

    @Override
    public boolean exists(ObjectName name) {
        String key = name.key(topicsDir);
        return call("look at " + key, () -> {
            try {
                s3.headObject(r -> r.bucket(bucket).key(key));
                return true;
            } catch (AwsServiceException e) {
                return notFound(e, false);
            }
        });
    }

    @Override
    public boolean create(ObjectName name, ObjectBuffer buffer) {
        String key = name.key(topicsDir);
        Map<String, String> metadata = Map.of(
            FIRST_OFFSET, Long.toString(buffer.first()),
            LAST_OFFSET, Long.toString(buffer.next() - 1),
            RECORD_COUNT, Integer.toString(buffer.count()));
        byte[] content = buffer.content();
        RequestBody body = RequestBody.fromContentProvider(fromByteArrayUnsafe(content), content.length, "application/json");
        return call("write " + key, () -> {
            try {
                s3.putObject(r -> r.bucket(bucket).key(key).ifNoneMatch("*").metadata(metadata), body);
                return true;
            } catch (AwsServiceException e) {
                if (e.statusCode() == PRECONDITION_FAILED) {
                    return false;
                }
                throw e;
            }
        });
    }

    /** A HEAD has no body, so a missing bucket looks like a missing object; the listing that follows tells them apart. */
    private static <T> T notFound(AwsServiceException e, T answer) {
        if (e.statusCode() == NOT_FOUND) {
            return answer;
        }
        throw e;
    }

    private <T> T call(String what, Supplier<T> request) {
        try {
            return request.get();
        } catch (AwsServiceException e) {
            String sentence = "S3 refused to %s in bucket %s: status %d, %s".formatted(what, bucket, e.statusCode(), e.getMessage());
            throw passes(e)
                ? new RetriableException(sentence, e)
                : new ConnectException(sentence + " Repeating it cannot help: mend the rights or the settings, and restart the task.", e);
        } catch (SdkException | UncheckedIOException e) {
            String sentence = "S3 gave no answer to the request to %s in bucket %s: %s".formatted(what, bucket, e.getMessage());
            throw isConnectionFault(e)
                ? new RetriableException(sentence, e)
                : new ConnectException(sentence + " Repeating it cannot help: mend the settings, and restart the task.", e);
        }
    }

    private static boolean passes(AwsServiceException e) {
        String code = e.awsErrorDetails() == null ? "" : e.awsErrorDetails().errorCode();
        return e.statusCode() >= 500
            || e.isThrottlingException()
            || PASSING_STATUSES.contains(e.statusCode())
            || PASSING_FAULTS.contains(code);
    }

    private static boolean isConnectionFault(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof IOException || cause instanceof ApiCallTimeoutException
                || cause instanceof ApiCallAttemptTimeoutException || cause instanceof AbortedException) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void close() {
        s3.close();
    }
}
