/** A front-end's one back-end, whose processes may die: see {@link hawser.vhost.relay.Relay}. */
@NullMarked
package hawser.vhost.relay;

import org.jspecify.annotations.NullMarked;
