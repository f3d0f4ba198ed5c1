/** Linux through the foreign function interface: the only module with native access. */
module hawser.sys {
  requires static transitive org.jspecify;
  requires transitive hawser.base;

  exports hawser.sys;
}
