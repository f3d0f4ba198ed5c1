package hawser.interop.guest;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Something that loads a shared folder and says by its exit code whether all was as it should be.
 *
 * @param name what the table of results calls it
 * @param line for the shell of a guest, in the shared folder
 */
record StressWork(String name, String line) {
  /** Every stressor of its class "filesystem" that can be kept to a folder. */
  private static final String STRESSORS =
      "access chattr chdir chmod chown copy-file dentry dir dirdeep dirmany dnotify dup fallocate"
          + " fanotify fcntl fiemap file-ioctl filename flock fpunch fsize fstat getdent handle hdd"
          + " inode-flags inotify io iomix ioprio lease link locka lockf lockofd mknod open rename"
          + " symlink sync-file touch utime verity xattr";

  /** Some that finish early. */
  private static final String FEW_STRESSORS =
      "chmod dentry fallocate fcntl flock fpunch fstat getdent link mknod rename utime" + " xattr";

  private static final String SIZES =
      " --fallocate-bytes 1M --hdd-bytes 1M --iomix-bytes 1M --sync-file-bytes 1M"
          + " --fiemap-bytes 1M --dentries 200 --dirdeep-inodes 500";

  private static final String CLONE =
      "rm -rf origin work && cp -r project origin && cd origin && git init -q && git add ."
          + " && git commit -qm one && git clone -q --no-local /mnt/origin /mnt/work"
          + " && cd /mnt/work && git fsck --strict && test -z \"$(git status --porcelain)\"";

  /** What a build has time for. */
  static List<StressWork> few() {
    return all(
        stressors(FEW_STRESSORS, 1),
        Stream.of(fio("psync", "1M"), fio("mmap", "1M"), clone("make && ./held | grep usage")));
  }

  /** Everything. */
  static List<StressWork> all() {
    return all(
        stressors(STRESSORS, 2),
        Stream.of("psync", "pvsync2", "libaio", "libaio --direct=1", "mmap", "posixaio")
            .map(engine -> fio(engine, "4M")),
        Stream.of(clone("CC=gcc ./configure && make && make test")));
  }

  @SafeVarargs
  private static List<StressWork> all(Stream<StressWork>... parts) {
    var all = new ArrayList<StressWork>();
    for (Stream<StressWork> part : parts) {
      all.addAll(part.toList());
    }
    return all;
  }

  private static Stream<StressWork> stressors(String names, int seconds) {
    return Stream.of(names.split(" ", -1))
        .map(
            name ->
                new StressWork(
                    "stress-ng " + name,
                    "stress-ng --%s 1 --timeout %ds --temp-path /mnt --verify --log-brief --no-rand-seed%s"
                        .formatted(name, seconds, SIZES)));
  }

  private static StressWork fio(String engine, String size) {
    return new StressWork(
        "fio " + engine,
        "fio --name=verified --thread --filename=verified --size=%s --rw=randwrite --bsrange=4k-64k --blockalign=4k --iodepth=8 --verify=crc32c --verify_fatal=1 --fsync=64 --minimal --ioengine=%s && rm verified"
            .formatted(size, engine));
  }

  private static StressWork clone(String build) {
    return new StressWork("git clone, " + build, CLONE + " && " + build);
  }
}
