// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/** The handful of S3 calls that the sink makes, over real HTTP, with faults on demand. One bucket; small pages. */
final class LocalS3 implements AutoCloseable {

    static final String BUCKET = "lake";
    private static final int PAGE = 8;

    record Stored(byte[] content, Map<String, String> metadata, String contentType) {
        String text() {
            return new String(content, StandardCharsets.UTF_8);
        }
    }

    enum Fault {
        INTERNAL_ERROR(500, "InternalError"),
        SLOW_DOWN(503, "SlowDown"),
        CONFLICT(409, "ConditionalRequestConflict"),
        DENIED(403, "AccessDenied"),
        /** The connection breaks before anything was done. */
        RESET(0, ""),
        /** The connection breaks after everything was done. */
        LOST_ANSWER(0, "");

        private final int status;
        private final String code;

        Fault(int status, String code) {
            this.status = status;
            this.code = code;
        }
    }

    private record Planned(String method, Fault fault, Runnable event) {}

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final NavigableMap<String, Stored> objects = new TreeMap<>();
    private final Deque<Planned> planned = new ArrayDeque<>();
    private final List<String> requests = new ArrayList<>();
    private boolean bucketExists = true;

    LocalS3() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Each fault meets one request of that method, in this order. */
    synchronized void failNext(String method, Fault... faults) {
        for (Fault fault : faults) {
            planned.add(new Planned(method, fault, null));
        }
    }

    /** Have something happen just before the next request of that method is served. */
    synchronized void beforeNext(String method, Runnable event) {
        planned.add(new Planned(method, null, event));
    }

    synchronized boolean hasPlans() {
        return !planned.isEmpty();
    }

    synchronized void empty() {
        objects.clear();
    }

    synchronized void remove(String key) {
        if (objects.remove(key) == null) {
            throw new AssertionError("no object " + key);
        }
    }

    synchronized void put(String key, String text, Map<String, String> metadata) {
        objects.put(key, new Stored(text.getBytes(StandardCharsets.UTF_8), metadata, "application/json"));
    }

    synchronized void bucketExists(boolean exists) {
        bucketExists = exists;
        if (!exists) {
            objects.clear();
        }
    }

    synchronized NavigableMap<String, Stored> objects() {
        return new TreeMap<>(objects);
    }

    synchronized List<String> requests() {
        return List.copyOf(requests);
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String[] path = exchange.getRequestURI().getPath().substring(1).split("/", 2);
            byte[] body = exchange.getRequestBody().readAllBytes();
            Planned plan = nextPlan(exchange.getRequestMethod());
            if (plan != null && plan.event != null) {
                plan.event.run();
            }
            Fault fault = plan == null ? null : plan.fault;
            if (fault == Fault.RESET) {
                return;
            }
            if (fault != null && fault.status > 0) {
                error(exchange, fault.status, fault.code);
                return;
            }
            synchronized (this) {
                requests.add(exchange.getRequestMethod());
                serve(fault == Fault.LOST_ANSWER ? null : exchange, exchange, path.length > 1 ? path[1] : "", body);
            }
        }
    }

    private synchronized Planned nextPlan(String method) {
        Planned first = planned.peek();
        return first != null && first.method.equals(method) ? planned.poll() : null;
    }

    /** @param answer where the answer goes, or null to keep it back */
    private void serve(HttpExchange answer, HttpExchange request, String key, byte[] body) throws IOException {
        if (!bucketExists) {
            error(answer, 404, "NoSuchBucket");
        } else if (key.isEmpty()) {
            list(answer, query(request));
        } else if (request.getRequestMethod().equals("PUT")) {
            if ("*".equals(request.getRequestHeaders().getFirst("If-None-Match")) && objects.containsKey(key)) {
                error(answer, 412, "PreconditionFailed");
                return;
            }
            Map<String, String> metadata = request.getRequestHeaders().entrySet().stream()
                .filter(header -> header.getKey().toLowerCase().startsWith("x-amz-meta-"))
                .collect(Collectors.toMap(header -> header.getKey().toLowerCase().substring(11), header -> header.getValue().get(0)));
            objects.put(key, new Stored(body, metadata, request.getRequestHeaders().getFirst("Content-Type")));
            answer(answer, 200, new byte[0]);
        } else {
            get(answer, request.getRequestMethod(), key);
        }
    }

    private void get(HttpExchange answer, String method, String key) throws IOException {
        Stored object = objects.get(key);
        if (object == null) {
            error(answer, 404, "NoSuchKey");
            return;
        }
        if (answer != null) {
            object.metadata.forEach((name, value) -> answer.getResponseHeaders().set("x-amz-meta-" + name, value));
        }
        answer(answer, 200, method.equals("HEAD") ? new byte[0] : object.content);
    }

    private void list(HttpExchange answer, Map<String, String> query) throws IOException {
        String after = query.getOrDefault("continuation-token", "");
        List<String> keys = objects.tailMap(after, false).keySet().stream()
            .filter(key -> key.startsWith(query.get("prefix"))).toList();
        List<String> page = keys.subList(0, Math.min(PAGE, keys.size()));
        boolean truncated = page.size() < keys.size();
        answer(answer, 200, ("<ListBucketResult>"
            + page.stream().map(key -> "<Contents><Key>" + key + "</Key></Contents>").collect(Collectors.joining())
            + "<IsTruncated>" + truncated + "</IsTruncated>"
            + (truncated ? "<NextContinuationToken>" + page.get(page.size() - 1) + "</NextContinuationToken>" : "")
            + "</ListBucketResult>").getBytes(StandardCharsets.UTF_8));
    }

    private static Map<String, String> query(HttpExchange request) {
        return Arrays.stream(request.getRequestURI().getRawQuery().split("&"))
            .map(pair -> pair.split("=", 2))
            .collect(Collectors.toMap(pair -> pair[0], pair -> URLDecoder.decode(pair[1], StandardCharsets.UTF_8)));
    }

    private static void error(HttpExchange answer, int status, String code) throws IOException {
        String body = "<Error><Code>%s</Code><Message>as planned</Message></Error>".formatted(code);
        answer(answer, status, body.getBytes(StandardCharsets.UTF_8));
    }

    private static void answer(HttpExchange answer, int status, byte[] body) throws IOException {
        if (answer == null) {
            return;
        }
        if (body.length == 0 || answer.getRequestMethod().equals("HEAD")) {
            answer.sendResponseHeaders(status, -1);
        } else {
            answer.sendResponseHeaders(status, body.length);
            answer.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
