/** The back-end role: devices, and everything around them that is the same for all. */
@NullMarked
package hawser.vhost.backend;

import org.jspecify.annotations.NullMarked;
