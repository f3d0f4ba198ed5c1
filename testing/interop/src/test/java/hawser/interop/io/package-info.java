/** {@code hawser io} beside qemu-io. */
package hawser.interop.io;
