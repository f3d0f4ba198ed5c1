package hawser.fuzz;

import hawser.fs.state.SavedAttribute;
import hawser.fs.state.SavedFile;
import hawser.fs.state.SavedInode;
import hawser.fs.state.SavedLock;
import hawser.fs.state.SavedOption;
import hawser.fs.state.SavedSettings;
import hawser.fs.state.StateForms;
import hawser.fs.state.StateSink;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The state of a shared folder, in Hawser's form or virtiofsd's: refused with a reason, or read as
 * pieces that are the same when they are written again. Checksums are made right before, so that
 * changes reach what they protect.
 */
public final class StateTarget {
  private static final int FIXED_BYTES = 10;
  private static final int SECTION_BYTES = 8;
  private static final int CRC_BYTES = 4;
  private static final int END = 0xffff;

  private StateTarget() {}

  /** Tries one state. */
  public static void fuzzerTestOneInput(byte[] input) {
    read(input);
    read(repaired(input));
  }

  private static void read(byte[] state) {
    List<Object> pieces;
    StateForms form;
    try {
      var heard = new Pieces();
      form = StateForms.read(new ByteArrayInputStream(state), heard);
      pieces = heard.pieces;
    } catch (IOException refused) {
      if (refused.getMessage() == null) {
        throw new AssertionError("refused without a reason", refused);
      }
      return;
    }
    if (form == StateForms.HAWSER) {
      again(state, pieces);
    }
  }

  private static void again(byte[] state, List<Object> pieces) {
    try {
      var written = new ByteArrayOutputStream();
      StateForms.read(new ByteArrayInputStream(state), StateForms.HAWSER.writing(written));
      var heard = new Pieces();
      StateForms.read(new ByteArrayInputStream(written.toByteArray()), heard);
      if (!heard.pieces.equals(pieces)) {
        throw new AssertionError("a state changes when it is written again");
      }
    } catch (IOException e) {
      throw new AssertionError("what was read is refused when it is written again", e);
    }
  }

  /** The same with every checksum right, as far as its sections go. */
  static byte[] repaired(byte[] input) {
    ByteBuffer state = ByteBuffer.wrap(input.clone()).order(ByteOrder.LITTLE_ENDIAN);
    if (input.length < FIXED_BYTES) {
      return input;
    }
    int at = FIXED_BYTES + Short.toUnsignedInt(state.getShort(FIXED_BYTES - 2));
    while (at <= input.length - SECTION_BYTES) {
      long length = Integer.toUnsignedLong(state.getInt(at + 4));
      if (length > input.length - at - SECTION_BYTES - CRC_BYTES) {
        break;
      }
      int end = at + SECTION_BYTES + (int) length;
      if (Short.toUnsignedInt(state.getShort(at)) == END) {
        byte[] digest = sha256(Arrays.copyOf(state.array(), at));
        state.put(at + SECTION_BYTES, digest, 0, (int) Math.min(length, digest.length));
      }
      var crc = new CRC32C();
      crc.update(state.array(), at, end - at);
      state.putInt(end, (int) crc.getValue());
      at = end + CRC_BYTES;
    }
    return state.array();
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** What came. */
  private static final class Pieces implements StateSink {
    final List<Object> pieces = new ArrayList<>();

    @Override
    public void settings(SavedSettings settings) {
      pieces.add(settings);
    }

    @Override
    public void option(SavedOption option) {
      pieces.add(option);
    }

    @Override
    public void inode(SavedInode inode) {
      pieces.add(inode);
    }

    /** Empty content is not written again: it says nothing. */
    @Override
    public void content(long nodeId, long offset, MemorySegment bytes) {
      if (bytes.byteSize() > 0) {
        pieces.add(List.of(nodeId, offset, bytes.byteSize()));
      }
    }

    @Override
    public void attribute(long nodeId, SavedAttribute attribute) {
      pieces.add(List.of(nodeId, attribute));
    }

    @Override
    public void file(SavedFile file) {
      pieces.add(file);
    }

    @Override
    public void lock(SavedLock lock) {
      pieces.add(lock);
    }

    @Override
    public void end() {
      pieces.add("end");
    }
  }
}
