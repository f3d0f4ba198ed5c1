/**
 * Vocabulary that every other module shares: byte order, ranges, sizes, JSON and the four kinds of
 * fault.
 */
module hawser.base {
  requires static transitive org.jspecify;
  requires tools.jackson.core;

  exports hawser.base;
  exports hawser.base.json;
}
