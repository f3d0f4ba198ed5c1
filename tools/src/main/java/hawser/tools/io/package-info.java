/** The qemu-io of Hawser: single requests to a disk, by command. */
@org.jspecify.annotations.NullMarked
package hawser.tools.io;
