package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.tools.Command;

/** One command of {@code hawser img}. A fresh object serves one call. */
interface ImgCommand {
  /** Its options, as data. */
  Command table();

  /**
   * Runs it.
   *
   * @return the exit code
   * @throws BlockFault to end with exit code 1 and its words
   */
  int run(ImgLine line) throws BlockFault;
}
