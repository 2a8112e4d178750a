package pinterest.delta;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hadoop.conf.Configuration;

/** As much of S3 as the log store speaks: objects are created conditionally, listed, read, and sometimes an answer goes wrong. */
final class S3Stub implements AutoCloseable {
  /** What the next PUT meets; every later one is served normally. */
  enum Fault {
    NONE,
    ANSWER_LOST,
    CONFLICT,
    FORBIDDEN
  }

  final Map<String, byte[]> objects = new ConcurrentHashMap<>();
  final AtomicReference<Fault> next = new AtomicReference<>(Fault.NONE);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final HttpServer server;

  S3Stub() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  Configuration configuration() {
    Configuration conf = new Configuration();
    conf.set("fs.s3a.endpoint", "http://127.0.0.1:" + server.getAddress().getPort());
    conf.set("fs.s3a.endpoint.region", "us-east-1");
    conf.set("fs.s3a.path.style.access", "true");
    conf.set("fs.s3a.access.key", "test");
    conf.set("fs.s3a.secret.key", "test");
    conf.set("fs.s3a.fast.upload.buffer", "bytebuffer");
    conf.set("fs.s3a.retry.interval", "1ms");
    conf.setBoolean("fs.s3a.impl.disable.cache", true);
    return conf;
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      String path = exchange.getRequestURI().getPath();
      switch (exchange.getRequestMethod()) {
        case "PUT" -> put(exchange, path, body);
        case "HEAD", "GET" -> get(exchange, path);
        default -> answer(exchange, 200, ""); // after a PUT the client deletes markers of empty folders
      }
    }
  }

  private void put(HttpExchange exchange, String path, byte[] body) throws IOException {
    Fault fault = next.getAndSet(Fault.NONE);
    if (fault == Fault.CONFLICT) {
      answer(exchange, 409, "ConditionalRequestConflict");
      return;
    }
    if (fault == Fault.FORBIDDEN) {
      answer(exchange, 403, "AccessDenied");
      return;
    }
    byte[] content = unframed(exchange, body);
    if ("*".equals(exchange.getRequestHeaders().getFirst("If-None-Match"))) {
      if (objects.putIfAbsent(path, content) != null) {
        answer(exchange, 412, "PreconditionFailed");
        return;
      }
    } else {
      objects.put(path, content);
    }
    if (fault == Fault.ANSWER_LOST) {
      return; // closing the exchange cuts the connection
    }
    exchange.getResponseHeaders().set("ETag", "\"1\"");
    answer(exchange, 200, "");
  }

  private void get(HttpExchange exchange, String path) throws IOException {
    String query = exchange.getRequestURI().getQuery();
    if (query != null && query.contains("list-type=2")) {
      list(exchange, path, query.replaceFirst("^(.*&)?prefix=([^&]*).*$", "$2"));
      return;
    }
    byte[] content = objects.get(path);
    if (content == null) {
      answer(exchange, 404, "NoSuchKey");
      return;
    }
    exchange.getResponseHeaders().set("ETag", "\"1\"");
    exchange.getResponseHeaders().set("Last-Modified", "Sun, 01 Jan 2023 00:00:00 GMT");
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", String.valueOf(content.length));
      exchange.sendResponseHeaders(200, -1);
    } else {
      exchange.sendResponseHeaders(200, content.length);
      exchange.getResponseBody().write(content);
    }
  }

  private void list(HttpExchange exchange, String bucket, String prefix) throws IOException {
    StringBuilder found = new StringBuilder("<ListBucketResult>");
    for (String object : objects.keySet()) {
      String key = object.substring(bucket.endsWith("/") ? bucket.length() : bucket.length() + 1);
      if (key.startsWith(prefix)) {
        found.append("<Contents><Key>" + key + "</Key><LastModified>2023-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>");
      }
    }
    byte[] body = found.append("</ListBucketResult>").toString().getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
  }

  private static void answer(HttpExchange exchange, int status, String code) throws IOException {
    byte[] body = code.isEmpty() ? new byte[0] : ("<Error><Code>" + code + "</Code></Error>").getBytes(StandardCharsets.UTF_8);
    boolean empty = body.length == 0 || exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, empty ? -1 : body.length);
    if (!empty) {
      exchange.getResponseBody().write(body);
    }
  }

  /** The content of a body in AWS's chunked signing: hexadecimal length, signature, line end, bytes, line end. */
  private static byte[] unframed(HttpExchange exchange, byte[] body) {
    String payload = exchange.getRequestHeaders().getFirst("x-amz-content-sha256");
    if (payload == null || !payload.startsWith("STREAMING")) {
      return body;
    }
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    int at = 0;
    while (true) {
      int end = at;
      while (body[end] != '\r') {
        end++;
      }
      String header = new String(body, at, end - at, StandardCharsets.US_ASCII);
      int length = Integer.parseInt(header.split(";")[0], 16);
      if (length == 0) {
        return content.toByteArray();
      }
      content.write(body, end + 2, length);
      at = end + 2 + length + 2;
    }
  }
}
