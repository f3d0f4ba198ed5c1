package hawser.fuzz.crash;

import hawser.block.DirtyBitmap;

/** A bitmap without a bit, to be kept in an image. */
record NewBitmap(String name, long granularity) implements DirtyBitmap {
  @Override
  public boolean recording() {
    return true;
  }

  @Override
  public boolean inconsistent() {
    return false;
  }

  @Override
  public boolean dirtyAt(long offset) {
    return false;
  }

  @Override
  public long runEnd(long offset, long end) {
    return end;
  }
}
