package hawser.sys;

import java.util.Locale;

/** Whether this module can work here. */
public final class Linux {
  private static final String ARCH = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
  private static final boolean SUPPORTED =
      System.getProperty("os.name", "").equals("Linux")
          && (ARCH.equals("amd64") || ARCH.equals("aarch64"))
          && !Boolean.getBoolean("hawser.sys.disabled");

  private Linux() {}

  /**
   * Whether native calls may be made: Linux on x86-64 or AArch64, and not switched off with {@code
   * -Dhawser.sys.disabled=true}. Makes no native call itself.
   */
  public static boolean available() {
    return SUPPORTED;
  }

  /** Whether the processor is AArch64, whose open flags differ from x86-64's. */
  static boolean onAarch64() {
    return ARCH.equals("aarch64");
  }
}
