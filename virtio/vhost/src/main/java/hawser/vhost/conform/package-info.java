/** What a back-end offers, and whether it keeps the rules: the judge of vhost-user back-ends. */
@NullMarked
package hawser.vhost.conform;

import org.jspecify.annotations.NullMarked;
