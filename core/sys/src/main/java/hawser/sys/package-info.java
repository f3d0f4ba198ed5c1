/**
 * System calls. Every call answers with its result, or with the negated error number when it is
 * below zero; nothing here throws for what the kernel may say. {@link hawser.sys.Result} turns such
 * a number into a fault that names the call.
 */
@org.jspecify.annotations.NullMarked
package hawser.sys;
