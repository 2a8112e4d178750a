package pinterest.delta;

import static org.apache.hadoop.fs.Options.CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE;

import io.delta.storage.HadoopFileSystemLogStore;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.util.Arrays;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.s3a.RemoteFileChangedException;
import org.apache.hadoop.fs.viewfs.ViewFileSystem;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

/**
 * Delta's log on S3 for any number of drivers: a commit is one {@code PUT} with {@code If-None-Match: *}, so that S3 itself lets
 * exactly one of them have a version. Delta's own {@code S3SingleDriverLogStore} guards within one JVM only.
 *
 * <p>Set with {@code spark.delta.logStore.s3a.impl}, and for buckets that are mounted with that of the mounts' scheme.
 */
public class S3ConditionalLogStore extends HadoopFileSystemLogStore {
  /** Delta makes its log stores by this constructor. */
  public S3ConditionalLogStore(Configuration hadoopConf) {
    super(hadoopConf);
  }

  /**
   * Writes one file of the log, whole or not at all.
   *
   * @throws FileAlreadyExistsException if the version is another driver's; Delta then checks for conflicts and takes the next one
   * @throws IOException if S3 cannot be reached or refuses
   */
  @Override
  public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration hadoopConf) throws IOException {
    byte[] content = lines(actions);
    path = behindMounts(path, hadoopConf);
    FileSystem fs = path.getFileSystem(hadoopConf);
    // overwrite(true) spares the probe for an existing file, which could tell nothing reliable anyway.
    FSDataOutputStreamBuilder<?, ?> builder = fs.createFile(path).overwrite(true).recursive();
    if (!overwrite) {
      builder.must(FS_OPTION_CREATE_CONDITIONAL_OVERWRITE, true);
    }
    try {
      put(builder.build(), content);
    } catch (IOException e) {
      if (overwrite || !isTaken(e)) {
        throw e;
      }
      // An answer can get lost on its way: the client then sends the same PUT again, and is refused by its own first one. A commit
      // holds its transaction's unique id, so equal bytes are ours.
      if (!holds(fs, path, content)) {
        FileAlreadyExistsException taken = new FileAlreadyExistsException(path.toString());
        taken.initCause(e);
        throw taken;
      }
    }
  }

  /** A PUT shows nothing before it is complete. */
  @Override
  public Boolean isPartialWriteVisible(Path path, Configuration hadoopConf) {
    return false;
  }

  /** The file's address in S3: a table of mounts passes no conditional write on. Its folder is there, Delta makes it first. */
  private static Path behindMounts(Path path, Configuration hadoopConf) throws IOException {
    FileSystem fs = path.getFileSystem(hadoopConf);
    return fs instanceof ViewFileSystem ? new Path(fs.resolvePath(path.getParent()), path.getName()) : path;
  }

  private static void put(FSDataOutputStream out, byte[] content) throws IOException {
    try {
      out.write(content);
    } catch (IOException e) {
      // To close it would upload what was written so far.
      out.abort();
      throw e;
    }
    out.close();
  }

  private static byte[] lines(Iterator<String> actions) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    while (actions.hasNext()) {
      bytes.writeBytes(actions.next().getBytes(StandardCharsets.UTF_8));
      bytes.write('\n');
    }
    return bytes.toByteArray();
  }

  /** S3 answers 412 if the object exists, and 409 if another conditional PUT of it is under way. */
  private static boolean isTaken(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof RemoteFileChangedException || cause instanceof org.apache.hadoop.fs.FileAlreadyExistsException) {
        return true;
      }
      if (cause instanceof AwsServiceException service) {
        return service.statusCode() == 412 || service.statusCode() == 409;
      }
    }
    return false;
  }

  private static boolean holds(FileSystem fs, Path path, byte[] content) throws IOException {
    try (FSDataInputStream in = fs.open(path)) {
      return Arrays.equals(in.readNBytes(content.length + 1), content);
    } catch (FileNotFoundException e) {
      // 409: the other PUT may yet fail. Delta looks again and finds the version free.
      return false;
    }
  }
}
