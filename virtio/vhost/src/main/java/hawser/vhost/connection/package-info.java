/** Connections that carry messages and descriptors. */
@NullMarked
package hawser.vhost.connection;

import org.jspecify.annotations.NullMarked;
