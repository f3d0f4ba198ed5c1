/** A guest's ways out of its shared folder. */
@org.jspecify.annotations.NullMarked
package hawser.fuzz.escape;
