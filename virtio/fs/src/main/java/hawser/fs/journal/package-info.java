/** What a guest knows of its share, written down as it changes, for a daemon that goes on. */
@NullMarked
package hawser.fs.journal;

import org.jspecify.annotations.NullMarked;
