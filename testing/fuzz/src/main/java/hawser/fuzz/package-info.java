/**
 * Fuzz targets: each a class with {@code fuzzerTestOneInput(byte[])}, which a fuzzer calls with
 * inputs of its own and the tests call with the committed seeds. A target ends normally or with the
 * fault that hostile input is to end with; anything else is a bug.
 */
@org.jspecify.annotations.NullMarked
package hawser.fuzz;
