/** Users and groups that have other numbers on the host than in the guest. */
@org.jspecify.annotations.NullMarked
package hawser.fs.identity;
