/** Guest memory: the regions that the front-end shares, and the log of pages written to. */
@NullMarked
package hawser.vhost.memory;

import org.jspecify.annotations.NullMarked;
