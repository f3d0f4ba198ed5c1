/** A daemon's supervisor, which outlives it: what it keeps for the next one, and how. */
@NullMarked
package hawser.tools.supervise;

import org.jspecify.annotations.NullMarked;
