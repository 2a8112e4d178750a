// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.sink.SinkConnector;

/** Keeps the records of Kafka topics in S3, each exactly once. The package's description has the rules and the properties. */
public final class S3SinkConnector extends SinkConnector {

    private static final String OFFSET_RESET = "consumer.override.auto.offset.reset";
    private static final String EARLIEST = "earliest";

    private Map<String, String> properties;

    /** The version in the jar's manifest. */
    static String currentVersion() {
        return Objects.requireNonNullElse(S3SinkConnector.class.getPackage().getImplementationVersion(), "unpackaged");
    }

    @Override
    public String version() {
        return currentVersion();
    }

    @Override
    public ConfigDef config() {
        return S3SinkConfig.DEF;
    }

    @Override
    public Config validate(Map<String, String> properties) {
        Config config = super.validate(properties);
        String id = properties.getOrDefault(S3SinkConfig.ACCESS_KEY_ID, "");
        String secret = properties.getOrDefault(S3SinkConfig.SECRET_ACCESS_KEY, "");
        if (id.isBlank() != secret.isBlank()) {
            complain(config, id.isBlank() ? S3SinkConfig.ACCESS_KEY_ID : S3SinkConfig.SECRET_ACCESS_KEY,
                "Of %s and %s only one is set: give both, or neither for the AWS SDK's default provider chain."
                    .formatted(S3SinkConfig.ACCESS_KEY_ID, S3SinkConfig.SECRET_ACCESS_KEY));
        }
        String reset = properties.getOrDefault(OFFSET_RESET, EARLIEST);
        if (!reset.equals(EARLIEST)) {
            complain(config, S3SinkConfig.LAKE_CHECK_INTERVAL,
                "%s is %s, with which an empty lake could not be filled from the log's beginning: set it to %s, or leave it out."
                    .formatted(OFFSET_RESET, reset, EARLIEST));
        }
        return config;
    }

    private static void complain(Config config, String name, String sentence) {
        config.configValues().stream().filter(value -> value.name().equals(name)).forEach(value -> value.addErrorMessage(sentence));
    }

    @Override
    public void start(Map<String, String> properties) {
        this.properties = Map.copyOf(properties);
    }

    @Override
    public Class<? extends Task> taskClass() {
        return S3SinkTask.class;
    }

    /** All tasks are alike: the consumer group shares the partitions out among them. */
    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
        return Collections.nCopies(maxTasks, properties);
    }

    @Override
    public void stop() {
        // The tasks own whatever must be closed.
    }
}
