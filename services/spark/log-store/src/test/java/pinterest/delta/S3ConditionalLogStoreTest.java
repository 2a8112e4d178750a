package pinterest.delta;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class S3ConditionalLogStoreTest {
  private static final Path VERSION = new Path("s3a://lake/table/_delta_log/00000000000000000001.json");

  private S3Stub s3;
  private Configuration conf;
  private S3ConditionalLogStore store;

  @BeforeEach
  void start() throws IOException {
    s3 = new S3Stub();
    conf = s3.configuration();
    store = new S3ConditionalLogStore(conf);
  }

  @AfterEach
  void stop() {
    s3.close();
  }

  @Test
  void writesOneActionALine() throws IOException {
    write("first", "zweite ü");
    assertEquals("first\nzweite ü\n", stored());
  }

  @Test
  void refusesAVersionThatIsTaken() throws IOException {
    write("theirs");
    assertThrows(FileAlreadyExistsException.class, () -> write("ours"));
    assertEquals("theirs\n", stored());
  }

  @Test
  void overwritesWhenAskedTo() throws IOException {
    write("old");
    store.write(VERSION, List.of("new").iterator(), true, conf);
    assertEquals("new\n", stored());
  }

  @Test
  void isNotRefusedByItsOwnWriteWhoseAnswerGotLost() throws IOException {
    s3.next.set(S3Stub.Fault.ANSWER_LOST);
    write("ours");
    assertEquals("ours\n", stored());
  }

  @Test
  void takesAConflictForATakenVersion() {
    s3.next.set(S3Stub.Fault.CONFLICT);
    assertThrows(FileAlreadyExistsException.class, () -> write("ours"));
  }

  @Test
  void doesNotTakeEveryRefusalForATakenVersion() {
    s3.next.set(S3Stub.Fault.FORBIDDEN);
    assertThrows(AccessDeniedException.class, () -> write("ours"));
  }

  @Test
  void letsExactlyOneOfManyWritersWin() throws Exception {
    ExecutorService writers = Executors.newFixedThreadPool(8);
    List<Callable<Boolean>> races = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      String action = "writer " + i;
      races.add(
          () -> {
            try {
              write(action);
              return true;
            } catch (FileAlreadyExistsException e) {
              return false;
            }
          });
    }
    int won = 0;
    for (Future<Boolean> race : writers.invokeAll(races)) {
      won += race.get() ? 1 : 0;
    }
    writers.shutdown();
    assertEquals(1, won);
  }

  @Test
  void refusesATakenVersionOfAMountedBucketToo() throws IOException {
    conf.set("fs.dbfs.impl", "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme");
    conf.set("fs.viewfs.mounttable.default.link./mnt/lake", "s3a://lake/");
    Path mounted = new Path("dbfs:/mnt/lake/table/_delta_log/" + VERSION.getName());
    write("theirs");
    assertThrows(FileAlreadyExistsException.class, () -> store.write(mounted, List.of("ours").iterator(), false, conf));
    assertEquals("theirs\n", stored());
    store.write(mounted, List.of("new").iterator(), true, conf);
    assertEquals("new\n", stored());
  }

  @Test
  void showsNoPartialWrites() {
    assertFalse(store.isPartialWriteVisible(VERSION, conf));
  }

  private void write(String... actions) throws IOException {
    store.write(VERSION, List.of(actions).iterator(), false, conf);
  }

  private String stored() {
    return new String(s3.objects.get("/lake/table/_delta_log/00000000000000000001.json"), StandardCharsets.UTF_8);
  }
}
