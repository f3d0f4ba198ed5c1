package hawser.tools;

/**
 * One option of a command line.
 *
 * @param letter its short form, or 0
 * @param longName its long form without the dashes, or ""
 * @param takes whether an argument follows
 * @param argument what help calls the argument, or ""
 * @param text what it does, on one line
 */
public record Option(char letter, String longName, Takes takes, String argument, String text) {

  /** Whether an option has an argument. */
  public enum Takes {
    /** Never. */
    NOTHING,
    /** Always: {@code -f raw}, {@code -fraw}, {@code --format raw}, {@code --format=raw}. */
    ARGUMENT,
    /** Only when attached: {@code -fraw}, {@code --format=raw}. */
    MAYBE
  }

  /** A switch with both forms. */
  public static Option flag(char letter, String longName, String text) {
    return new Option(letter, longName, Takes.NOTHING, "", text);
  }

  /** A switch with a long form only. */
  public static Option flag(String longName, String text) {
    return new Option((char) 0, longName, Takes.NOTHING, "", text);
  }

  /** An option with an argument and both forms. */
  public static Option value(char letter, String longName, String argument, String text) {
    return new Option(letter, longName, Takes.ARGUMENT, argument, text);
  }

  /** An option with an argument and a long form only. */
  public static Option value(String longName, String argument, String text) {
    return new Option((char) 0, longName, Takes.ARGUMENT, argument, text);
  }

  /** By what a parser's caller knows it: the letter, or the long name where there is none. */
  public String key() {
    return letter != 0 ? String.valueOf(letter) : longName;
  }
}
