/** The vocabulary of vhost-user: what each side may say, and how it looks on the wire. */
@NullMarked
package hawser.vhost.message;

import org.jspecify.annotations.NullMarked;
