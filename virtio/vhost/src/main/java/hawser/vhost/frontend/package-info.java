/** The front-end's role: guest memory, the driver's side of rings, and all that it may ask. */
@NullMarked
package hawser.vhost.frontend;

import org.jspecify.annotations.NullMarked;
