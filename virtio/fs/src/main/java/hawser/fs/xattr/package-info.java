/** Names of extended attributes that are others on the host than in the guest. */
@org.jspecify.annotations.NullMarked
package hawser.fs.xattr;
