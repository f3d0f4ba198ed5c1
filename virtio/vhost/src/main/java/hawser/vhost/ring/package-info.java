/** Virtqueues from the device's side: split and packed, and what is under way in them. */
@NullMarked
package hawser.vhost.ring;

import org.jspecify.annotations.NullMarked;
