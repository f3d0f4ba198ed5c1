package hawser.devices.console;

/** Where a console's characters come from and go to. */
public interface ConsoleLine extends AutoCloseable {
  /**
   * Waits for characters. An empty array is the end: the line is closed. Called by one thread.
   *
   * @param most how many bytes at most
   */
  byte[] read(int most);

  /**
   * Writes characters; what nobody takes within a short time is lost, as on a cable with nothing at
   * its end. Safe from any thread.
   */
  void write(byte[] bytes);

  /** Makes every {@link #read} answer with the end, also one that waits. From any thread. */
  void end();

  /** Puts the line away; nobody may use it any more. */
  @Override
  void close();
}
