package hawser.block.convert;

import hawser.base.BlockFault;
import hawser.base.Errno;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What the workers of one conversion share: the chunks still to do, whose turn it is, the first
 * failure.
 */
final class Work {
  private final Chunks chunks;
  private final Watcher watcher;
  private final long length;
  private final ReentrantLock handingOut = new ReentrantLock();
  private final ReentrantLock turns = new ReentrantLock();
  private final Condition turnPassed = turns.newCondition();
  private long turn;
  private volatile @Nullable Throwable failure;

  Work(Chunks chunks, Watcher watcher, long length) {
    this.chunks = chunks;
    this.watcher = watcher;
    this.length = length;
  }

  /** The next chunk, or null when there is nothing left to do or something failed. */
  @Nullable Chunk take() {
    handingOut.lock();
    try {
      if (failure != null) {
        return null;
      }
      watcher.progress(chunks.position(), length);
      if (watcher.cancelled()) {
        fail(new BlockFault(Errno.ECANCELED, "the copy was cancelled"));
        return null;
      }
      return chunks.next();
    } catch (BlockFault fault) {
      fail(fault);
      return null;
    } finally {
      handingOut.unlock();
    }
  }

  /** Waits until all chunks before this one are written. False when there is no point any more. */
  boolean awaitTurn(Chunk chunk) {
    turns.lock();
    try {
      while (turn != chunk.turn() && failure == null) {
        turnPassed.awaitUninterruptibly();
      }
      return failure == null;
    } finally {
      turns.unlock();
    }
  }

  /** Lets the chunk after this one be written. */
  void passTurn() {
    turns.lock();
    try {
      turn++;
      turnPassed.signalAll();
    } finally {
      turns.unlock();
    }
  }

  /** Ends the work; the first failure counts. */
  void fail(Throwable cause) {
    turns.lock();
    try {
      if (failure == null) {
        failure = cause;
      }
      turnPassed.signalAll();
    } finally {
      turns.unlock();
    }
  }

  /** Tells a person something, one thread at a time. */
  void warn(String message) {
    handingOut.lock();
    try {
      watcher.warn(message);
    } finally {
      handingOut.unlock();
    }
  }

  /** Throws what ended the work early, if anything did. */
  void finish() throws BlockFault {
    switch (failure) {
      case null -> {}
      case BlockFault fault -> throw fault;
      case RuntimeException bug -> throw bug;
      case Error bug -> throw bug;
      case Throwable other -> throw new AssertionError(other);
    }
  }
}
