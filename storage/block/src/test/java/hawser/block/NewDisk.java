package hawser.block;

import hawser.base.BlockFault;
import hawser.block.format.qcow2.Qcow2Creator;
import hawser.block.format.qcow2.Qcow2Options;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/** Makes the files of a disk that reads as one byte throughout. */
interface NewDisk {
  /** Bytes of the disk, whatever lies around it in the file. */
  long BYTES = 1 << 20;

  /** Nothing is stored anywhere. */
  NewDisk NO_FILE = file -> {};

  /** Makes them anew at {@code file}, and beside it with further letters to its name. */
  void make(Path file) throws IOException, BlockFault;

  /** A file of zeroes, with so many bytes around the disk. */
  static NewDisk raw(long around) {
    return file -> {
      try (var content = new RandomAccessFile(file.toFile(), "rw")) {
        content.setLength(0);
        content.setLength(BYTES + around);
      }
    };
  }

  /** An empty image. */
  static NewDisk qcow2(UnaryOperator<Qcow2Options> shape) {
    return file -> {
      Qcow2Options wanted = shape.apply(Qcow2Options.of(BYTES));
      Files.write(file, new byte[0]);
      try (BlockNode image = plain(file)) {
        if (wanted.dataFile() == null) {
          Qcow2Creator.create(wanted, image, null);
        } else {
          Path data = Path.of(file + ".data");
          Files.write(data, new byte[0]);
          try (BlockNode dataFile = plain(data)) {
            Qcow2Creator.create(wanted, image, dataFile);
          }
        }
      }
    };
  }

  /** An image over an image over a raw file that is full of one byte. */
  static NewDisk chain(UnaryOperator<Qcow2Options> shape, int value) {
    return file -> {
      Path raw = Path.of(file + ".base");
      raw(0).make(raw);
      try (BlockNode base = plain(raw);
          var arena = Arena.ofConfined()) {
        base.write(arena.allocate(BYTES).fill((byte) value), 0, 0);
      }
      qcow2(middle -> middle.withBacking("base", "raw")).make(Path.of(file + ".middle"));
      qcow2(top -> shape.apply(top).withBacking("middle", "qcow2")).make(file);
    };
  }

  private static BlockNode plain(Path file) throws BlockFault {
    return new Opener(OpenPolicy.NOTHING)
        .open(Options.parse("driver=file,filename=" + file), OpenMode.WRITE);
  }
}
